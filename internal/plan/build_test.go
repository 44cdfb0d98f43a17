package plan

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

const three = `apiVersion: pinnace.dev/v1alpha1
kind: Config
environments:
  - name: dev
    paths: ["envs/dev/**"]
    track:
      - images: ["ghcr.io/acme/*"]
        semver: "^1"
      - images: ["redis"]
        follow: digest
  - name: prod
    paths: ["envs/prod/**"]
    after: [dev]
apps:
  - name: shop
    images: [ghcr.io/acme/shop, ghcr.io/acme/worker]
pin: {exclude: ["envs/prod/old/**"]}
`

func digestOf(c string) image.Digest { return image.Digest("sha256:" + strings.Repeat(c, 64)) }

func compose(images ...string) string {
	var b strings.Builder
	b.WriteString("services:\n")
	for i, name := range images {
		b.WriteString("  s" + string(rune('a'+i)) + ":\n    image: " + name + "\n")
	}
	return b.String()
}

// build builds a plan from files that hold compose services. Registries answer with the
// digests of means; of a tag that is not there they say nothing.
func build(t *testing.T, text string, files map[string]string, means map[string]image.Digest, targets map[string]Target) Plan {
	t.Helper()
	c := config.Default()
	if text != "" {
		var problems config.Problems
		if c, problems = config.Parse(".pinnace/config.yaml", []byte(text)); problems.HasErrors() {
			t.Fatal(problems)
		}
	}
	in := Input{
		Config: c, Base: "main", Default: true,
		Environments: func(path string) []string {
			if strings.HasPrefix(path, "base/") {
				return []string{"dev", "prod"}
			}
			return c.EnvironmentsOf(path)
		},
		Answer: func(f *manifest.Finding) Answer {
			if d, ok := means[f.Image.Tagged()]; ok {
				return Answer{Tag: image.Resolution{Digest: d}}
			}
			return Answer{TagErr: errors.New("no answer")}
		},
		Target: func(_ string, _ config.Track, f *manifest.Finding) Target { return targets[f.Image.Tagged()] },
	}
	for _, path := range []string{"base/compose.yaml", "compose.yaml", "envs/dev/compose.yaml", "envs/prod/compose.yaml", "envs/prod/old/compose.yaml"} {
		if data, ok := files[path]; ok {
			in.Files = append(in.Files, File{Path: path, Result: manifest.Scan([]byte(data), manifest.Compose)})
		}
	}
	return Build(in)
}

// said prints what a plan says, a line for each thing.
func said(p Plan) []string {
	var out []string
	for _, q := range p.Proposals {
		head := q.Branch + " [" + strings.Join(q.Environments, " ") + "] "
		for _, c := range q.Changes {
			out = append(out, head+c.Path+" "+c.Old.String()+" -> "+c.New.Tag+" "+c.New.Digest.Hex()[:7])
		}
		for _, l := range q.Left {
			out = append(out, head+"left "+l.Path+" "+l.Image+": "+l.Reason)
		}
		for _, l := range q.Failed {
			out = append(out, head+"failed "+l.Path+" "+l.Image+": "+l.Reason)
		}
	}
	for _, l := range p.Unreached {
		out = append(out, "unreached "+l.Path+" "+l.Image+": "+l.Reason)
	}
	return out
}

func TestBuild(t *testing.T) {
	one, two := digestOf("1"), digestOf("2")
	means := map[string]image.Digest{"docker.io/library/nginx:1.27": one, "docker.io/library/redis:7": two, "ghcr.io/acme/shop:1.4": one}
	pinned := func(name, tag string) string { return name + ":" + tag + "@" + string(one) }
	for name, test := range map[string]struct {
		config  string
		files   map[string]string
		targets map[string]Target
		want    []string
	}{
		"without environments there is one pin for all": {
			"",
			map[string]string{"compose.yaml": compose("nginx:1.27"), "envs/dev/compose.yaml": compose("redis:7")},
			nil,
			[]string{
				"pinnace/pin-all [] compose.yaml nginx:1.27 -> 1.27 1111111",
				"pinnace/pin-all [] envs/dev/compose.yaml redis:7 -> 7 2222222",
			},
		},
		"each environment has a pin of its own, and shared files have one": {
			three,
			map[string]string{"base/compose.yaml": compose("nginx:1.27"), "envs/dev/compose.yaml": compose("redis:7"), "envs/prod/compose.yaml": compose("nginx:1.27")},
			nil,
			[]string{
				"pinnace/pin/dev [dev] envs/dev/compose.yaml redis:7 -> 7 2222222",
				"pinnace/pin/prod [prod] envs/prod/compose.yaml nginx:1.27 -> 1.27 1111111",
				"pinnace/pin-shared [dev prod] base/compose.yaml nginx:1.27 -> 1.27 1111111",
			},
		},
		"an image that nobody can resolve stops no other": {
			three,
			map[string]string{"envs/prod/compose.yaml": compose("nginx:1.27", "nginx:9")},
			nil,
			[]string{
				"pinnace/pin/prod [prod] envs/prod/compose.yaml nginx:1.27 -> 1.27 1111111",
				"pinnace/pin/prod [prod] failed envs/prod/compose.yaml nginx:9: no answer",
			},
		},
		"what cannot be edited is named": {
			three,
			map[string]string{"envs/prod/compose.yaml": compose("nginx:${TAG}", "nginx:1.27 # pinnace:ignore")},
			nil,
			[]string{
				"pinnace/pin/prod [prod] left envs/prod/compose.yaml nginx:${TAG}: a template or variable stands for the image",
				"pinnace/pin/prod [prod] left envs/prod/compose.yaml nginx:1.27: a comment on the line says pinnace:ignore",
			},
		},
		"a file of no environment is named and left": {
			three,
			map[string]string{"compose.yaml": compose("nginx:1.27", pinned("nginx", "1.27"))},
			nil,
			[]string{"unreached compose.yaml nginx:1.27: the file belongs to no environment: add its path to one in .pinnace/config.yaml"},
		},
		"an excluded file is not looked at": {three, map[string]string{"envs/prod/old/compose.yaml": compose("nginx:1.27")}, nil, nil},
		"a track rule moves the images of an app together": {
			three,
			map[string]string{"envs/dev/compose.yaml": compose(pinned("ghcr.io/acme/shop", "1.4"), pinned("ghcr.io/acme/worker", "1.4"))},
			map[string]Target{
				"ghcr.io/acme/shop:1.4":   {Tag: "1.5", Answer: Answer{Tag: image.Resolution{Digest: two}}},
				"ghcr.io/acme/worker:1.4": {Tag: "1.6", Answer: Answer{Tag: image.Resolution{Digest: two}}},
			},
			[]string{
				"pinnace/update/dev/shop [dev] envs/dev/compose.yaml " + pinned("ghcr.io/acme/shop", "1.4") + " -> 1.5 2222222",
				"pinnace/update/dev/shop [dev] envs/dev/compose.yaml " + pinned("ghcr.io/acme/worker", "1.4") + " -> 1.6 2222222",
			},
		},
		"an app of which one image gives no answer is not moved at all": {
			three,
			map[string]string{"envs/dev/compose.yaml": compose(pinned("ghcr.io/acme/shop", "1.4"), pinned("ghcr.io/acme/worker", "1.4"))},
			map[string]Target{
				"ghcr.io/acme/shop:1.4":   {Tag: "1.5", Answer: Answer{Tag: image.Resolution{Digest: two}}},
				"ghcr.io/acme/worker:1.4": {Err: errors.New("503")},
			},
			[]string{"pinnace/update/dev/shop [dev] failed envs/dev/compose.yaml " + pinned("ghcr.io/acme/worker", "1.4") + ": 503"},
		},
		"a tag that is followed moves to its new digest": {
			three,
			map[string]string{"envs/dev/compose.yaml": compose(pinned("redis", "7"))},
			map[string]Target{"docker.io/library/redis:7": {Tag: "7", Answer: Answer{Tag: image.Resolution{Digest: two}}}},
			[]string{"pinnace/update/dev/redis [dev] envs/dev/compose.yaml " + pinned("redis", "7") + " -> 7 2222222"},
		},
		"a followed tag does not move from a platform to its own index": {
			three,
			map[string]string{"envs/dev/compose.yaml": compose(pinned("redis", "7"))},
			map[string]Target{"docker.io/library/redis:7": {Tag: "7", Answer: Answer{
				Tag:    image.Resolution{Digest: two, Children: []image.Child{{Digest: one, Platform: image.Platform{OS: "linux", Architecture: "arm64"}}}},
				Pinned: image.Resolution{Digest: one, MediaType: "application/vnd.oci.image.manifest.v1+json"},
			}}},
			[]string{"pinnace/update/dev/redis [dev] left envs/dev/compose.yaml " + pinned("redis", "7") + ": pinned to linux/arm64 of what the tag means now: pinnace pin --lift replaces it by the index"},
		},
		"a version that moved under its tag is told, not followed": {
			three,
			map[string]string{"envs/dev/compose.yaml": compose(pinned("ghcr.io/acme/shop", "1.4"))},
			map[string]Target{"ghcr.io/acme/shop:1.4": {Tag: "1.4", Answer: Answer{Tag: image.Resolution{Digest: two}}}},
			[]string{"pinnace/update/dev/shop [dev] left envs/dev/compose.yaml " + pinned("ghcr.io/acme/shop", "1.4") + ": tag 1.4 has moved to sha256:222222222222; the rule follows versions, not digests"},
		},
		"a track rule of one environment does not move a file of two": {
			three,
			map[string]string{"base/compose.yaml": compose(pinned("redis", "7"))},
			nil,
			[]string{"pinnace/update/dev/redis [dev] left base/compose.yaml " + pinned("redis", "7") + ": environments dev, prod share the file: a track rule of dev does not move it; give each its own images entry"},
		},
		"an environment without a track rule stays": {three, map[string]string{"envs/prod/compose.yaml": compose(pinned("redis", "7"))}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := said(build(t, test.config, test.files, means, test.targets))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("plan differs (-want +got):\n%s", diff)
			}
		})
	}
}

// An environment that has nothing to pin keeps its proposal, so that a pull request that is
// open for it can be closed.
func TestBuildNamesEmptyProposals(t *testing.T) {
	var got []string
	for _, p := range build(t, three, nil, nil, nil).Proposals {
		got = append(got, p.Branch)
	}
	if diff := cmp.Diff([]string{"pinnace/pin/dev", "pinnace/pin/prod"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestBranches(t *testing.T) {
	for _, test := range []struct {
		branch    branch
		base      string
		isDefault bool
		want      string
		kind      promotion.Kind
	}{
		{branch{kind: "pin-all"}, "main", true, "pinnace/pin-all", promotion.Pin},
		{branch{kind: "pin", environment: "prod"}, "main", true, "pinnace/pin/prod", promotion.Pin},
		{branch{kind: "pin", environment: "prod"}, "release/1.0", false, "pinnace/base/release/1.0/pin/prod", promotion.Pin},
		{branch{kind: "update", environment: "dev", app: "shop"}, "main", true, "pinnace/update/dev/shop", promotion.Update},
		{branch{kind: "update", environment: "dev", app: "acme/shop"}, "main", true, "pinnace/update/dev/acme+shop", promotion.Update},
		{branch{kind: "update", environment: "dev", app: "localhost:5000/shop"}, "main", true, "pinnace/update/dev/localhost++5000+shop", promotion.Update},
		{branch{kind: "update", environment: "dev", app: "shop.lock"}, "main", true, "pinnace/update/dev/shop.lock+", promotion.Update},
		{branch{kind: "promote", environment: "prod", app: "shop"}, "main", true, "pinnace/promote/prod/shop", promotion.Promotion},
		{branch{kind: "rollback", environment: "prod", app: "acme/shop"}, "release/1.0", false, "pinnace/base/release/1.0/rollback/prod/acme+shop", promotion.Rollback},
	} {
		got := test.branch.name(test.base, test.isDefault)
		if got != test.want {
			t.Errorf("%+v is %s, want %s", test.branch, got, test.want)
		}
		if kind, ok := KindOf(got, test.base, test.isDefault); kind != test.kind || !ok {
			t.Errorf("%s is of kind %q, %v", got, kind, ok)
		}
		of := BranchOf(test.kind, test.branch.environment, test.branch.app, test.base, test.isDefault)
		if want := got; test.kind == promotion.Pin && of != "" || test.kind != promotion.Pin && of != want {
			t.Errorf("BranchOf(%s) is %q", test.kind, of)
		}
		if _, ok := KindOf(got, "other", false); ok {
			t.Errorf("%s counts for another base", got)
		}
	}
	for _, name := range []string{"main", "pinnace/promote", "pinnace/pinned", "pinnace/saved"} {
		if _, ok := KindOf(name, "main", true); ok {
			t.Errorf("%s is taken for a proposal", name)
		}
	}
}

func TestDerive(t *testing.T) {
	one, two := string(digestOf("1")), string(digestOf("2"))
	const kustomization = "images:\n  - name: shop\n    newTag: \"1.4\"\n  - name: web\n    newTag: v2\n"
	for name, test := range map[string]struct {
		format   manifest.Format
		old, new string
		want     []string // nil = not derived
	}{
		"a digest is added":          {manifest.Compose, compose("nginx:1.27"), compose("nginx:1.27@" + one), []string{"nginx:1.27 -> nginx:1.27@" + one}},
		"a digest and a tag change":  {manifest.Compose, compose("nginx:1.27@" + one), compose("nginx:1.28@" + two), []string{"nginx:1.27@" + one + " -> nginx:1.28@" + two}},
		"digest with the tag beside": {manifest.Compose, compose("nginx:1.27"), compose("nginx@" + one + " # 1.27"), []string{"nginx:1.27 -> nginx:1.27@" + one}},
		"a key is inserted":          {manifest.Kustomization, kustomization, strings.Replace(kustomization, "    newTag: v2\n", "    newTag: v2\n    digest: "+one+"\n", 1), []string{"web:v2 -> web:v2@" + one}},
		"an entry is inserted":       {manifest.Kustomization, kustomization, kustomization + "  - name: a\n    newTag: v1\n    digest: " + one + "\n", []string{"a -> a:v1@" + one}},
		"entries are inserted and one changes": {
			manifest.Kustomization, kustomization, strings.Replace(kustomization, "v2\n", "v3\n    digest: "+two+"\n", 1) + "  - name: a\n    newTag: v1\n    digest: " + one + "\n  - name: b\n    digest: " + two + "\n",
			[]string{"web:v2 -> web:v3@" + two, "a -> a:v1@" + one, "b -> b@" + two},
		},
		"images are inserted":                 {manifest.Kustomization, "resources: [a]\n", "resources: [a]\nimages:\n- name: a\n  newTag: v1\n  digest: " + one + "\n", []string{"a -> a:v1@" + one}},
		"an entry is inserted without digest": {manifest.Kustomization, kustomization, kustomization + "  - name: a\n    newTag: v1\n", nil},
		"an entry is inserted with a name":    {manifest.Kustomization, kustomization, kustomization + "  - name: a\n    newName: b\n    newTag: v1\n    digest: " + one + "\n", nil},
		"an entry is inserted before others":  {manifest.Kustomization, "images:\n- name: b\n  newTag: v1\n", "images:\n- name: a\n  newTag: v1\n  digest: " + one + "\n- name: b\n  newTag: v1\n", nil},
		"entries are inserted in disorder":    {manifest.Kustomization, kustomization, kustomization + "  - name: b\n    digest: " + two + "\n  - name: a\n    digest: " + one + "\n", nil},
		"an entry goes":                       {manifest.Kustomization, kustomization, "images:\n  - name: shop\n    newTag: \"1.4\"\n", nil},
		"nothing changes":                     {manifest.Compose, compose("nginx:1.27"), compose("nginx:1.27"), []string{}},
		"a name changes":                      {manifest.Compose, compose("nginx:1.27"), compose("evil:1.27"), nil},
		"a comment changes":                   {manifest.Compose, compose("nginx:1.27"), compose("nginx:1.27@"+one) + "# hello\n", nil},
		"a blank line comes":                  {manifest.Compose, compose("nginx:1.27"), "\n" + compose("nginx:1.27@"+one), nil},
		"another key changes":                 {manifest.Compose, compose("nginx:1.27") + "x-a: 1\n", compose("nginx:1.27@"+one) + "x-a: 2\n", nil},
		"quotes change":                       {manifest.Compose, compose("nginx:1.27"), compose(`"nginx:1.27@` + one + `"`), nil},
		"an image comes":                      {manifest.Compose, compose("nginx:1.27"), compose("nginx:1.27@"+one, "redis:7"), nil},
		"the new version is no YAML":          {manifest.Compose, compose("nginx:1.27"), "services: [\n", nil},
		"an ignored place is changed":         {manifest.Compose, compose("nginx:1.27 # pinnace:ignore"), compose("nginx:1.27@" + one + " # pinnace:ignore"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			changes, ok := Derive("f.yaml", []byte(test.old), []byte(test.new), test.format)
			if ok != (test.want != nil) {
				t.Fatalf("derived %v: %v", ok, changes)
			}
			got := []string{}
			for _, c := range changes {
				got = append(got, c.Old.String()+" -> "+c.New.String())
			}
			if diff := cmp.Diff(test.want, got); ok && diff != "" {
				t.Error(diff)
			}
		})
	}
}
