package config

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pinnace-dev/pinnace/internal/image"
)

func TestEnvironmentsOf(t *testing.T) {
	c := &Config{Environments: []Environment{
		{Name: "dev", Paths: []string{"envs/dev/**"}, Includes: []string{"base/**"}},
		{Name: "prod", Paths: []string{"envs/prod/**", "charts/*/values-{prod,live}.yaml"}, Includes: []string{"base/*.yaml"}},
		{Name: "all", Paths: []string{"**/all.yaml"}},
		{Name: "broken", Paths: []string{"["}},
	}}
	for path, want := range map[string][]string{
		"envs/dev/a.yaml":              {"dev"},
		"envs/dev/deep/down/a.yaml":    {"dev"},
		"envs/dev":                     {"dev"}, // doublestar: ** is also nothing
		"envs/development/a.yaml":      nil,
		"charts/shop/values-prod.yaml": {"prod"},
		"charts/shop/values-live.yaml": {"prod"},
		"charts/a/b/values-prod.yaml":  nil,
		"envs/prod/all.yaml":           {"prod", "all"},
		"all.yaml":                     {"all"},
		"":                             nil,
	} {
		if diff := cmp.Diff(c.EnvironmentsOf(path), want); diff != "" {
			t.Errorf("EnvironmentsOf(%q) (-got +want):\n%s", path, diff)
		}
	}
	if diff := cmp.Diff(c.IncludersOf("base/x/y.yaml"), []string{"dev"}); diff != "" {
		t.Errorf("IncludersOf (-got +want):\n%s", diff)
	}
}

func TestExcluded(t *testing.T) {
	c := &Config{Pin: Pin{Exclude: []string{"vendor/**", "**/*.gen.yaml"}}}
	for path, want := range map[string]bool{
		"vendor/a.yaml": true, "vendor/a/b.yaml": true, "x/vendor/a.yaml": false, "a.gen.yaml": true, "a/b.gen.yaml": true, "a/b.yaml": false,
	} {
		if got := c.Excluded(path); got != want {
			t.Errorf("Excluded(%q) = %v, want %v", path, got, want)
		}
	}
}

func TestIgnored(t *testing.T) {
	const digest = "@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	for _, tc := range []struct {
		glob, ref string
		want      bool
	}{
		{"nginx", "nginx", true},
		{"nginx", "nginx:1.25", true},
		{"nginx", "nginx:1.25" + digest, true},
		{"nginx", "docker.io/library/nginx", true},
		{"nginx", "index.docker.io/library/nginx:1", true},
		{"nginx", "library/nginx", true},
		{"nginx", "acme/nginx", false},
		{"nginx", "ghcr.io/acme/nginx", false},
		{"docker.io/library/*", "nginx", true},
		{"docker.io/library/*", "acme/nginx", false},
		{"acme/*", "acme/nginx", true},
		{"acme/*", "docker.io/acme/nginx", true},
		{"docker.io/acme/*", "acme/nginx", true},
		{"ghcr.io/acme/*", "ghcr.io/acme/shop:1", true},
		{"ghcr.io/acme/*", "ghcr.io/acme/team/shop:1", false},
		{"ghcr.io/acme/**", "ghcr.io/acme/team/shop:1", true},
		{"ghcr.io/**", "quay.io/acme/shop", false},
		{"**", "quay.io/acme/shop", true},
		{"*", "nginx", true},
		{"nginx:1.*", "nginx:1.25", true},
		{"nginx:1.*", "nginx:2.0", false},
		{"nginx:1.*", "docker.io/library/nginx:1.25", true},
		{"nginx:latest", "nginx", true},
		{"nginx:latest", "nginx" + digest, false},
		{"nginx:{stable,mainline}", "nginx:mainline", true},
		{"localhost:5000/*", "localhost:5000/api:1", true},
		{"localhost:5000/*:1", "localhost:5000/api:2", false},
		{"[", "nginx", false},
	} {
		ref, err := image.Parse(tc.ref)
		if err != nil {
			t.Fatal(err)
		}
		c := &Config{Pin: Pin{Ignore: []string{tc.glob}}}
		if got := c.Ignored(ref); got != tc.want {
			t.Errorf("Ignored(%s) with %s = %v, want %v", tc.ref, tc.glob, got, tc.want)
		}
	}
}

func refs(t *testing.T, names ...string) []image.Ref {
	t.Helper()
	var out []image.Ref
	for _, n := range names {
		r, err := image.Parse(n)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

func TestAppOf(t *testing.T) {
	c := &Config{Apps: []App{
		{Name: "shop", Images: []string{"ghcr.io/acme/shop", "ghcr.io/acme/shop-worker"}},
		{Name: "web", Images: []string{"nginx"}, Paths: []string{"envs/*/web/**"}},
	}}
	all := refs(t,
		"ghcr.io/acme/shop:1", "docker.io/library/nginx", "ghcr.io/acme/api:1", "redis", "quay.io/x/redis", "ghcr.io/a/cache", "quay.io/a/cache",
		"ghcr.io/other/shop", "localhost:5000/solo", "quay.io/solo", "bitnami/web")
	names := c.AppNames(all)
	for _, tc := range []struct{ path, ref, want, alone string }{
		{"envs/dev/a.yaml", "ghcr.io/acme/shop:1", "shop", "shop"},
		{"envs/dev/a.yaml", "ghcr.io/acme/shop-worker", "shop", "shop"},
		{"envs/dev/web/a.yaml", "nginx:1", "web", "web"},
		{"envs/dev/web/a.yaml", "docker.io/library/nginx", "web", "web"},
		{"envs/dev/canary/a.yaml", "nginx:1", "", ""},
		{"a.yaml", "ghcr.io/acme/api:2", "api", "api"},
		{"a.yaml", "redis:7", "library/redis", "redis"},
		{"a.yaml", "quay.io/x/redis", "x/redis", "redis"},
		{"a.yaml", "ghcr.io/a/cache", "ghcr.io/a/cache", "cache"},
		{"a.yaml", "quay.io/a/cache", "quay.io/a/cache", "cache"},
		{"a.yaml", "ghcr.io/other/shop", "other/shop", "other/shop"}, // a configured app has its name for itself
		{"a.yaml", "bitnami/web", "bitnami/web", "bitnami/web"},
		{"a.yaml", "quay.io/solo", "quay.io/solo", "solo"},
		{"a.yaml", "localhost:5000/solo", "localhost:5000/solo", "solo"},
		{"a.yaml", "ghcr.io/acme/unseen", "", "unseen"},
	} {
		ref := refs(t, tc.ref)[0]
		if got := names.Of("dev", tc.path, ref); got != tc.want {
			t.Errorf("Of(%s, %s) = %q, want %q", tc.path, tc.ref, got, tc.want)
		}
		if got := c.AppOf("dev", tc.path, ref); got != tc.alone {
			t.Errorf("AppOf(%s, %s) = %q, want %q", tc.path, tc.ref, got, tc.alone)
		}
	}
	slices.Reverse(all)
	again := c.AppNames(all)
	if diff := cmp.Diff(again.names, names.names); diff != "" {
		t.Errorf("names depend on the order of references:\n%s", diff)
	}
	seen := map[string]string{"shop": "", "web": ""}
	for repository, name := range names.names {
		if other, taken := seen[name]; taken {
			t.Errorf("%s and %s are both app %s", repository, other, name)
		}
		seen[name] = repository
	}
}

func TestTrackOf(t *testing.T) {
	e := Environment{Track: []Track{
		{Images: []string{"ghcr.io/acme/*"}, Follow: FollowDigest},
		{Images: []string{"**"}, Semver: "^1"},
	}}
	if got, ok := e.TrackOf(refs(t, "ghcr.io/acme/shop")[0]); !ok || got.Follow != FollowDigest {
		t.Errorf("got %+v, %v, want the first rule", got, ok)
	}
	if got, ok := e.TrackOf(refs(t, "nginx")[0]); !ok || got.Semver != "^1" {
		t.Errorf("got %+v, %v, want the second rule", got, ok)
	}
	if got, ok := (Environment{}).TrackOf(refs(t, "nginx")[0]); ok {
		t.Errorf("got %+v, want none", got)
	}
}

func TestRolesOf(t *testing.T) {
	named := func(team string) *Role { return &Role{Permission: PermissionWrite, Teams: []string{team}} }
	c := &Config{Roles: Roles{
		Promoter: *named("o/all"), Admin: *named("o/admins"),
		Overrides: []Override{
			{Environment: "prod", App: "shop", Promoter: named("o/pair")},
			{Environment: "prod", Promoter: named("o/prod"), Admin: named("o/prod-admins")},
			{App: "shop", Promoter: named("o/shop"), Admin: named("o/shop-admins")},
		},
	}}
	for _, tc := range []struct{ env, app, promoter, admin string }{
		{"dev", "api", "o/all", "o/admins"},
		{"dev", "shop", "o/shop", "o/shop-admins"},
		{"prod", "api", "o/prod", "o/prod-admins"},
		{"prod", "shop", "o/pair", "o/prod-admins"},
	} {
		r := c.RolesOf(tc.env, tc.app)
		if r.Promoter.Teams[0] != tc.promoter || r.Admin.Teams[0] != tc.admin || r.Overrides != nil {
			t.Errorf("RolesOf(%s, %s) = %+v, want %s, %s", tc.env, tc.app, r, tc.promoter, tc.admin)
		}
	}
	if c.Roles.Promoter.Teams[0] != "o/all" {
		t.Error("RolesOf changed the Config")
	}
}

func TestOverlapsAndUnmatched(t *testing.T) {
	c, ps := Parse("config.yaml", []byte(`apiVersion: pinnace.dev/v1alpha1
kind: Config
environments:
  - {name: dev, paths: [envs/dev/**, "**/shared.yaml"], includes: [gone/*.yaml]}
  - {name: prod, paths: [other/**, envs/**]}
  - {name: eu, paths: [eu]}
apps: [{name: shop, images: [shop], paths: [nowhere/**]}]
pin: {exclude: [vendor/**], extra: [{paths: [x.yaml], pointers: [/a]}]}
`))
	if len(ps) > 0 {
		t.Fatal(ps.Error())
	}
	paths := []string{"envs/prod/a.yaml", "envs/dev/a.yaml", "envs/dev/b.yaml", "eu/a.yaml", "eu/shared.yaml", "vendor/x.yaml"}
	want := `config.yaml:5:36: environments[1].paths[1]: envs/dev/a.yaml and 1 more is in the paths of environments dev (envs/dev/**) and prod (envs/**): a file belongs to one environment; narrow one of the globs, or list a shared file under includes`
	if got := c.Overlaps(paths).Error(); got != want {
		t.Errorf("Overlaps: got\n%s\nwant\n%s", got, want)
	}
	want = `config.yaml:4:68: warning: environments[0].includes[0]: "gone/*.yaml" matches no file
config.yaml:5:26: warning: environments[1].paths[0]: "other/**" matches no file
config.yaml:6:24: warning: environments[2].paths[0]: "eu" matches no file: it names a directory; write eu/**
config.yaml:7:45: warning: apps[0].paths[0]: "nowhere/**" matches no file
config.yaml:8:46: warning: pin.extra[0].paths[0]: "x.yaml" matches no file`
	if got := c.Unmatched(paths).Error(); got != want {
		t.Errorf("Unmatched: got\n%s\nwant\n%s", got, want)
	}
	if got := c.ExtraOf("x.yaml"); len(got) != 1 {
		t.Errorf("ExtraOf = %v, want one", got)
	}
	hand := &Config{Environments: []Environment{{Name: "a", Paths: []string{"**"}}, {Name: "b", Paths: []string{"x"}}}}
	if got := hand.Overlaps([]string{"x"}); len(got) != 1 || got[0].Line != 0 {
		t.Errorf("Overlaps of a Config built by hand = %v", got)
	}
}

func TestPlatform(t *testing.T) {
	if p, ok := (Pin{Platform: "linux/arm/v7"}).OnePlatform(); !ok || p != (image.Platform{OS: "linux", Architecture: "arm", Variant: "v7"}) {
		t.Errorf("got %v, %v", p, ok)
	}
	if p, ok := Default().Pin.OnePlatform(); ok {
		t.Errorf("got %v, want the index", p)
	}
}

func TestLoad(t *testing.T) {
	const freeze = "apiVersion: pinnace.dev/v1alpha1\nkind: Freeze\n"
	const conf = "apiVersion: pinnace.dev/v1alpha1\nkind: Config\n"
	for name, tc := range map[string]struct {
		files map[string]string
		docs  int
		want  string
	}{
		"none":      {nil, 0, ""},
		"all":       {map[string]string{".pinnace/config.yaml": conf, ".pinnace/freeze.yaml": freeze, ".pinnace/policies/a.yml": freeze, ".pinnace/README.md": "x: ["}, 2, ""},
		"elsewhere": {map[string]string{".pinnace/config.yml": conf}, 0, ".pinnace/config.yml:2:7: a Config document does not belong in this file: move it to .pinnace/config.yaml"},
		"broken":    {map[string]string{".pinnace/config.yaml": freeze}, 0, ".pinnace/config.yaml:2:7: a Freeze does not belong in this file: move it to .pinnace/freeze.yaml"},
	} {
		files := map[string][]byte{}
		for f, text := range tc.files {
			files[f] = []byte(text)
		}
		c, docs, ps := Load(files)
		if got := ps.Error(); got != tc.want || len(docs) != tc.docs {
			t.Errorf("%s: got %q, %d documents, want %q, %d", name, got, len(docs), tc.want, tc.docs)
		}
		if (c == nil) != (name == "broken") {
			t.Errorf("%s: got config %v", name, c)
		}
	}
}

func TestUser(t *testing.T) {
	for in, want := range map[string]User{"carol": {Login: "carol"}, "carol#5": {Login: "carol", ID: 5}, "renovate[bot]": {Login: "renovate[bot]"}, "al_acme": {Login: "al_acme"}} {
		var u User
		if err := u.UnmarshalText([]byte(in)); err != nil || u != want || u.String() != in {
			t.Errorf("%s: got %+v, %v", in, u, err)
		}
	}
	var u User
	if err := u.UnmarshalText([]byte("a b")); err == nil {
		t.Errorf("got %+v, want an error", u)
	}
}
