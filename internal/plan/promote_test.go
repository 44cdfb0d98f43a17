package plan

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

const stages = `apiVersion: pinnace.dev/v1alpha1
kind: Config
environments:
  - name: dev
    paths: ["envs/dev/**"]
  - name: staging
    paths: ["envs/staging/**"]
    after: [dev]
  - name: prod
    paths: ["envs/prod/**"]
    after: [staging]
apps:
  - name: shop
    images: [ghcr.io/acme/shop, ghcr.io/acme/worker]
  - name: web
    images: [ghcr.io/acme/web]
    paths: ["envs/*/app.yaml"]
pin: {exclude: ["envs/prod/old/**"]}
`

// promoting reads files as a repository's, and asks for what request says.
func promoting(t testing.TB, text string, files map[string]string, r promotion.Request) Promoting {
	t.Helper()
	c, problems := config.Parse(".pinnace/config.yaml", []byte(text))
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	in := Promoting{Config: c, Base: "main", Default: true, Request: r}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		in.Files = append(in.Files, File{Path: path, Result: manifest.Scan([]byte(files[path]), manifest.FormatOf(path))})
	}
	reach := NewReach(c, in.Files, func(path string) bool { _, ok := files[path]; return ok })
	in.Environments, in.Owner = reach.Environments, reach.Owner
	return in
}

func wanted(images ...string) []promotion.Wanted {
	var out []promotion.Wanted
	for _, name := range images {
		r, err := image.Parse(name)
		if err != nil {
			panic(err)
		}
		out = append(out, promotion.Wanted{Repository: r.Repository(), Tag: r.Tag, Digest: r.Digest})
	}
	return out
}

func told(changes []promotion.Change, left []Left) []string {
	out := []string{}
	for _, c := range changes {
		verb := ""
		if c.Insert {
			verb = "insert "
		}
		out = append(out, verb+c.Path+" "+c.Pointer+" "+c.Old.String()+" -> "+c.New.String())
	}
	for _, l := range left {
		out = append(out, strings.TrimSpace(l.Path+" "+l.Image)+": "+l.Reason)
	}
	for i := range out {
		out[i] = shortDigests(out[i])
	}
	return out
}

func shortDigests(s string) string {
	for _, c := range "123456789" {
		s = strings.ReplaceAll(s, "@sha256:"+strings.Repeat(string(c), 64), "@"+string(c))
		s = strings.ReplaceAll(s, "sha256:"+strings.Repeat(string(c), 12), string(c)+"...")
	}
	return s
}

func with(name string, digest string) string { return name + "@" + string(digestOf(digest)) }

const (
	overlay = "resources: [../../base]\n"
	base    = "resources: [app.yaml]\n"
)

func deployment(images ...string) string {
	s := "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: app}\nspec:\n  template:\n    spec:\n      containers:\n"
	for _, name := range images {
		s += "        - image: " + name + "\n"
	}
	return s
}

func TestPromote(t *testing.T) {
	two := with("ghcr.io/acme/shop:1.5", "2")
	both := wanted(two, with("ghcr.io/acme/worker:1.5", "3"))
	for name, test := range map[string]struct {
		files map[string]string
		env   string // "" is prod
		from  string
		app   string // "" is shop
		want  []promotion.Wanted
		told  []string
	}{
		"each place of each image is set, with its name as it is spelled": {
			files: map[string]string{
				"envs/prod/app.yaml":           deployment(with("ghcr.io/acme/shop:1.4", "1"), "ghcr.io/acme/worker:1.4", with("redis:7", "1")),
				"envs/prod/values.yaml":        "image: {repository: ghcr.io/acme/shop, tag: '1.4', digest: ''}\n",
				"envs/staging/app.yaml":        deployment(with("ghcr.io/acme/shop:1.4", "1")),
				"envs/prod/more/shop.yaml":     deployment(two),
				"envs/prod/kustomization.yaml": "resources: [app.yaml]\nimages:\n- name: shop\n  newName: ghcr.io/acme/shop\n  newTag: v1\n",
			},
			want: both,
			told: []string{
				"envs/prod/app.yaml /spec/template/spec/containers/0/image ghcr.io/acme/shop:1.4@1 -> ghcr.io/acme/shop:1.5@2",
				"envs/prod/app.yaml /spec/template/spec/containers/1/image ghcr.io/acme/worker:1.4 -> ghcr.io/acme/worker:1.5@3",
				"envs/prod/kustomization.yaml /images/0 ghcr.io/acme/shop:v1 -> ghcr.io/acme/shop:1.5@2",
				"envs/prod/values.yaml /image ghcr.io/acme/shop:1.4 -> ghcr.io/acme/shop:1.5@2",
			},
		},
		"what stands there already is no change": {
			files: map[string]string{"envs/prod/app.yaml": deployment(two)},
			want:  wanted(two), told: []string{},
		},
		"a digest without a tag leaves an equal digest alone": {
			files: map[string]string{"envs/prod/app.yaml": deployment(two)},
			want:  wanted(with("ghcr.io/acme/shop", "2")), told: []string{},
		},
		"an image of the app that is not there is not added": {
			files: map[string]string{"envs/prod/app.yaml": deployment("ghcr.io/acme/shop:1")},
			want:  both,
			told:  []string{"envs/prod/app.yaml /spec/template/spec/containers/0/image ghcr.io/acme/shop:1 -> ghcr.io/acme/shop:1.5@2"},
		},
		"an app that is not there": {
			files: map[string]string{"envs/prod/app.yaml": deployment("redis:7")},
			want:  wanted(two),
			told:  []string{": app shop does not stand in prod: no place there holds ghcr.io/acme/shop; promoting adds no image, so write it into a manifest of prod first"},
		},
		"an app's paths leave places alone": {
			files: map[string]string{"envs/prod/app.yaml": deployment("ghcr.io/acme/web:1"), "envs/prod/canary.yaml": deployment("ghcr.io/acme/web:2")},
			app:   "web", want: wanted(with("ghcr.io/acme/web:3", "3")),
			told: []string{"envs/prod/app.yaml /spec/template/spec/containers/0/image ghcr.io/acme/web:1 -> ghcr.io/acme/web:3@3"},
		},
		"an app without configuration": {
			files: map[string]string{"envs/prod/app.yaml": deployment("redis:6")},
			app:   "redis", want: wanted(with("redis:7", "7")),
			told: []string{"envs/prod/app.yaml /spec/template/spec/containers/0/image redis:6 -> redis:7@7"},
		},
		"one place that cannot be edited stops the whole": {
			files: map[string]string{
				"envs/prod/app.yaml":      deployment("ghcr.io/acme/shop:1", "ghcr.io/acme/shop:${TAG}"),
				"envs/prod/b.yaml":        deployment("ghcr.io/acme/worker:1 # pinnace:ignore"),
				"envs/prod/old/shop.yaml": deployment("ghcr.io/acme/shop:1"),
			},
			want: both,
			told: []string{
				"envs/prod/app.yaml ghcr.io/acme/shop:${TAG}: a template or variable stands for the image",
				"envs/prod/b.yaml ghcr.io/acme/worker:1: a comment on the line says pinnace:ignore, and an app is promoted as a whole: delete the comment, or leave the place out by the paths of the app",
				"envs/prod/old/shop.yaml ghcr.io/acme/shop:1: pin.exclude leaves the file out, so that it cannot be promoted: delete the glob, or leave the place out by the paths of the app",
			},
		},
		"unknown environment": {env: "production", want: both, told: []string{`: there is no environment "production": expected dev, staging, prod`}},
		"unknown source":      {from: "test", want: both, told: []string{`: there is no environment "test": expected dev, staging, prod`}},
		"the source is the target": {
			from: "prod", want: both,
			told: []string{": prod is both where the images come from and where they go: name another environment"},
		},
		"unknown app": {
			files: map[string]string{"envs/prod/app.yaml": deployment("redis:7")},
			app:   "shopp", want: both, told: []string{`: there is no app "shopp": expected redis, shop, web`},
		},
		"what is wanted must be the app's, once, and pinned": {
			files: map[string]string{"envs/prod/app.yaml": deployment("ghcr.io/acme/shop:1")},
			want:  append(wanted("ghcr.io/acme/worker:1", two, two, with("redis:7", "1")), promotion.Wanted{Repository: "Shop"}),
			told: []string{
				": no digest is wanted of ghcr.io/acme/worker: only what is pinned can be promoted",
				": two images of ghcr.io/acme/shop are wanted: name one of them",
				": docker.io/library/redis is no image of app shop: request it for the app that has it, or add it to the app in .pinnace/config.yaml",
				`: "Shop" is no image repository: write one such as ghcr.io/acme/shop`,
			},
		},
		"a shared base: the overlay's entry is what is edited": {
			files: map[string]string{
				"base/kustomization.yaml": base, "base/app.yaml": deployment("ghcr.io/acme/shop:1"),
				"envs/dev/kustomization.yaml":  overlay,
				"envs/prod/kustomization.yaml": overlay + "images:\n- name: ghcr.io/acme/shop\n  newTag: v1\n",
			},
			want: wanted(two),
			told: []string{"envs/prod/kustomization.yaml /images/0 ghcr.io/acme/shop:v1 -> ghcr.io/acme/shop:1.5@2"},
		},
		"a shared base without an entry in the overlay: one is inserted": {
			files: map[string]string{
				"base/kustomization.yaml": base, "base/app.yaml": deployment("ghcr.io/acme/shop:1", "ghcr.io/acme/worker:1", "ghcr.io/acme/shop:2"),
				"envs/dev/kustomization.yaml": overlay, "envs/prod/kustomization.yaml": overlay,
			},
			want: both,
			told: []string{
				"insert envs/prod/kustomization.yaml /images/- ghcr.io/acme/shop -> ghcr.io/acme/shop:1.5@2",
				"insert envs/prod/kustomization.yaml /images/- ghcr.io/acme/worker -> ghcr.io/acme/worker:1.5@3",
			},
		},
		"a shared base that holds what is wanted": {
			files: map[string]string{
				"base/kustomization.yaml": base, "base/app.yaml": deployment(two),
				"envs/dev/kustomization.yaml": overlay, "envs/prod/kustomization.yaml": overlay,
			},
			want: wanted(two), told: []string{},
		},
		"an entry of a shared kustomization is overridden by the name that it gives": {
			files: map[string]string{
				"base/kustomization.yaml": base + "images:\n- name: shop\n  newName: ghcr.io/acme/shop\n  newTag: v1\n", "base/app.yaml": deployment("shop"),
				"envs/dev/kustomization.yaml": overlay, "envs/prod/kustomization.yaml": overlay,
			},
			want: wanted(two),
			told: []string{"insert envs/prod/kustomization.yaml /images/- ghcr.io/acme/shop -> ghcr.io/acme/shop:1.5@2"},
		},
		"of two overlays the one without an entry gets one": {
			files: map[string]string{
				"base/kustomization.yaml": base, "base/app.yaml": deployment("ghcr.io/acme/shop:1"),
				"envs/dev/kustomization.yaml":    overlay,
				"envs/prod/a/kustomization.yaml": "resources: [../../../base]\nimages:\n- name: ghcr.io/acme/shop\n  newTag: v1\n",
				"envs/prod/b/kustomization.yaml": "resources: [../../../base]\n",
			},
			want: wanted(two),
			told: []string{
				"envs/prod/a/kustomization.yaml /images/0 ghcr.io/acme/shop:v1 -> ghcr.io/acme/shop:1.5@2",
				"insert envs/prod/b/kustomization.yaml /images/- ghcr.io/acme/shop -> ghcr.io/acme/shop:1.5@2",
			},
		},
		"an entry above the overlay that names the base speaks for it": {
			files: map[string]string{
				"base/kustomization.yaml": base, "base/app.yaml": deployment("ghcr.io/acme/shop:1"),
				"envs/dev/kustomization.yaml":    overlay,
				"envs/prod/a/kustomization.yaml": "resources: [../../../base]\n",
				"envs/prod/kustomization.yaml":   "resources: [a]\nimages:\n- name: ghcr.io/acme/shop\n  newTag: v1\n",
			},
			want: wanted(two),
			told: []string{"envs/prod/kustomization.yaml /images/0 ghcr.io/acme/shop:v1 -> ghcr.io/acme/shop:1.5@2"},
		},
		"the entry of a shared component speaks for the overlay, and is overridden there": {
			files: map[string]string{
				"base/kustomization.yaml": base, "base/app.yaml": deployment("ghcr.io/acme/shop:1"),
				"part/kustomization.yaml":      "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\nimages:\n- name: ghcr.io/acme/shop\n  newTag: v1\n",
				"envs/dev/kustomization.yaml":  overlay + "components: [../../part]\n",
				"envs/prod/kustomization.yaml": overlay + "components: [../../part]\n",
			},
			want: wanted(two),
			told: []string{"insert envs/prod/kustomization.yaml /images/- ghcr.io/acme/shop -> ghcr.io/acme/shop:1.5@2"},
		},
		"a shared place that is to be left alone": {
			files: map[string]string{
				"base/kustomization.yaml": base, "base/app.yaml": deployment("ghcr.io/acme/shop:1 # pinnace:ignore", "ghcr.io/acme/worker:${TAG}"),
				"envs/dev/kustomization.yaml": overlay, kustomized: overlay,
			},
			want: both,
			told: []string{
				"base/app.yaml ghcr.io/acme/shop:1: a comment on the line says pinnace:ignore, and an app is promoted as a whole: delete the comment, or leave the place out by the paths of the app",
				"base/app.yaml ghcr.io/acme/worker:${TAG}: a template or variable stands for the image",
			},
		},
		"a shared place that an entry can speak for though it cannot be edited": {
			files: map[string]string{
				"base/kustomization.yaml": base, "base/app.yaml": deployment(">-\n            ghcr.io/acme/shop:1"),
				"envs/dev/kustomization.yaml": overlay, kustomized: overlay,
			},
			want: wanted(two),
			told: []string{"insert envs/prod/kustomization.yaml /images/- ghcr.io/acme/shop -> ghcr.io/acme/shop:1.5@2"},
		},
		"an overlay in flow style takes no entry": {
			files: map[string]string{
				"base/kustomization.yaml": base, "base/app.yaml": deployment("ghcr.io/acme/shop:1"),
				"envs/dev/kustomization.yaml": overlay, "envs/prod/kustomization.yaml": "{resources: [../../base]}\n",
			},
			want: wanted(two),
			told: []string{"base/app.yaml ghcr.io/acme/shop:1: environments dev, prod share the file, and a promotion changes prod alone; an entry for ghcr.io/acme/shop cannot be inserted either (envs/prod/kustomization.yaml: the kustomization is written in braces: write it in block style, a line for each key): write it into the images of a kustomization of prod by hand, or give prod a file of its own"},
		},
		"an entry that gives another name is in the way": {
			files: map[string]string{
				"base/kustomization.yaml": base, "base/app.yaml": deployment("ghcr.io/acme/shop:1"),
				"envs/dev/kustomization.yaml": overlay, "envs/prod/kustomization.yaml": overlay + "images:\n- name: ghcr.io/acme/shop\n  newName: mirror/shop\n",
			},
			want: wanted(two),
			told: []string{"base/app.yaml ghcr.io/acme/shop:1: environments dev, prod share the file, and a promotion changes prod alone; an entry for ghcr.io/acme/shop cannot be inserted either (envs/prod/kustomization.yaml: an entry there gives ghcr.io/acme/shop another name and neither a tag nor a digest): write it into the images of a kustomization of prod by hand, or give prod a file of its own"},
		},
		"a shared file without a kustomization takes no entry": {
			files: map[string]string{
				"charts/shop/values.yaml": "image: {repository: ghcr.io/acme/shop, tag: v1}\n",
				"envs/dev/app.yaml":       "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\nspec: {source: {path: charts/shop}}\n",
				"envs/prod/app.yaml":      "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\nspec: {source: {path: charts/shop}}\n",
			},
			want: wanted(two),
			told: []string{"charts/shop/values.yaml ghcr.io/acme/shop:v1: environments dev, prod share the file, and a promotion changes prod alone; an entry for ghcr.io/acme/shop cannot be inserted either (envs/prod/app.yaml: an object names the file, and no kustomization between them is the environment's own): write it into the images of a kustomization of prod by hand, or give prod a file of its own"},
		},
		"a place of a file that is not the environment's stays where an entry speaks for it": {
			files: map[string]string{
				"base/kustomization.yaml": base, "base/app.yaml": deployment("ghcr.io/acme/shop:1", "ghcr.io/acme/worker:1"),
				kustomized: overlay + "images:\n- name: ghcr.io/acme/shop\n  newTag: v1\n",
			},
			want: both,
			told: []string{
				"base/app.yaml /spec/template/spec/containers/1/image ghcr.io/acme/worker:1 -> ghcr.io/acme/worker:1.5@3",
				"envs/prod/kustomization.yaml /images/0 ghcr.io/acme/shop:v1 -> ghcr.io/acme/shop:1.5@2",
			},
		},
		"an entry that changes the tag of the base by a suffix": {
			files: map[string]string{app: deployment("ghcr.io/acme/shop:1"), kustomized: "resources: [app.yaml]\nimages:\n- name: ghcr.io/acme/shop\n  tagSuffix: -x\n"},
			want:  wanted(two),
			told:  []string{"envs/prod/kustomization.yaml -x: tagSuffix changes the base's tag and drops its digest: write newTag and digest"},
		},
		"a place that an entry speaks for goes along, or is left where it cannot": {
			files: map[string]string{
				"envs/prod/kustomization.yaml": "resources: [app.yaml]\nimages:\n- name: ghcr.io/acme/shop\n  newTag: v1\n",
				"envs/prod/app.yaml":           deployment("ghcr.io/acme/shop:${TAG}", "ghcr.io/acme/shop"),
			},
			want: wanted(two),
			told: []string{
				"envs/prod/app.yaml /spec/template/spec/containers/1/image ghcr.io/acme/shop -> ghcr.io/acme/shop:1.5@2",
				"envs/prod/kustomization.yaml /images/0 ghcr.io/acme/shop:v1 -> ghcr.io/acme/shop:1.5@2",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := promotion.Request{Kind: promotion.Promotion, App: "shop", Env: "prod", From: "staging", Images: test.want}
			for to, v := range map[*string]string{&r.App: test.app, &r.Env: test.env, &r.From: test.from} {
				if v != "" {
					*to = v
				}
			}
			in := promoting(t, stages, test.files, r)
			p, problems := Promote(in)
			in.Stage = NewStage(in.Config, in.Files, in.Environments, in.Owner)
			for range 2 {
				staged, others := Promote(in)
				if diff := cmp.Diff(told(p.Changes, problems), told(staged.Changes, others)); diff != "" {
					t.Errorf("with a stage it differs:\n%s", diff)
				}
			}
			if diff := cmp.Diff(test.told, told(p.Changes, problems)); diff != "" {
				t.Errorf("promotion differs (-want +got):\n%s", diff)
			}
			if len(problems) == 0 {
				promoted(t, test.files, p)
			}
		})
	}
}

// promoted writes the changes and holds the result to what Derive and a second Promote say.
func promoted(t *testing.T, files map[string]string, p Proposal) {
	t.Helper()
	after := maps.Clone(files)
	var derived []promotion.Change
	for path, edits := range Edits(p.Changes, manifest.TagAndDigest) {
		f := manifest.FormatOf(path)
		data, err := manifest.Apply([]byte(files[path]), f, edits)
		if err != nil {
			t.Fatal(err)
		}
		changes, ok := Derive(path, []byte(files[path]), data, f)
		if !ok {
			t.Errorf("%s is not derived:\n%s", path, data)
		}
		derived = append(derived, changes...)
		after[path] = string(data)
	}
	if got, want := promotion.Digest(p.Kind, derived), promotion.Digest(p.Kind, p.Changes); got != want {
		t.Errorf("the derived changes have another seal:\n%s", cmp.Diff(told(p.Changes, nil), told(derived, nil)))
	}
	r := promotion.Request{Kind: p.Kind, App: p.App, Env: p.Environments[0]}
	for _, c := range p.Changes {
		r.Images = append(r.Images, promotion.Wanted{Repository: c.New.Repository(), Tag: c.New.Tag, Digest: c.New.Digest})
	}
	slices.SortFunc(r.Images, func(a, b promotion.Wanted) int { return strings.Compare(a.Repository, b.Repository) })
	r.Images = slices.Compact(r.Images)
	if len(r.Images) == 0 {
		return
	}
	again, problems := Promote(promoting(t, stages, after, r))
	if len(again.Changes)+len(problems) > 0 {
		t.Errorf("promoted again: %v", told(again.Changes, problems))
	}
}

func TestPromoteNamesItsBranch(t *testing.T) {
	files := map[string]string{"envs/prod/app.yaml": deployment("ghcr.io/acme/shop:1")}
	in := promoting(t, stages, files, promotion.Request{Kind: promotion.Rollback, App: "shop", Env: "prod", From: "prod", Images: wanted(with("ghcr.io/acme/shop:0", "1"))})
	p, problems := Promote(in)
	if len(problems) > 0 || p.Branch != "pinnace/rollback/prod/shop" || p.Kind != promotion.Rollback || p.App != "shop" || !slices.Equal(p.Environments, []string{"prod"}) {
		t.Errorf("got %+v, %v", p, problems)
	}
}

func TestCandidate(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]string
		from  string
		want  []string
	}{
		"what stands there": {
			files: map[string]string{"envs/dev/app.yaml": deployment(with("ghcr.io/acme/shop:1.4", "1"), with("ghcr.io/acme/worker:1.4", "2"), with("ghcr.io/acme/shop:1.4", "1")), "envs/prod/app.yaml": deployment("ghcr.io/acme/shop:1")},
			want:  []string{"ghcr.io/acme/shop:1.4@1", "ghcr.io/acme/worker:1.4@2"},
		},
		"a tag beside the digest": {
			files: map[string]string{"envs/dev/app.yaml": deployment(with("ghcr.io/acme/shop", "1") + " # 1.4")},
			want:  []string{"ghcr.io/acme/shop:1.4@1"},
		},
		"an entry says what runs, not the place that it speaks for": {
			files: map[string]string{
				"envs/dev/kustomization.yaml": "resources: [app.yaml]\nimages:\n- name: ghcr.io/acme/shop\n  newTag: v2\n  digest: " + string(digestOf("2")) + "\n",
				"envs/dev/app.yaml":           deployment("ghcr.io/acme/shop"),
			},
			want: []string{"ghcr.io/acme/shop:v2@2"},
		},
		"a shared base that nothing overrides": {
			files: map[string]string{
				"base/kustomization.yaml": base, "base/app.yaml": deployment(with("ghcr.io/acme/shop:1", "1")),
				"envs/dev/kustomization.yaml": overlay, "envs/prod/kustomization.yaml": overlay,
			},
			want: []string{"ghcr.io/acme/shop:1@1"},
		},
		"the entry of a component says what runs": {
			files: map[string]string{
				"base/kustomization.yaml": base, "base/app.yaml": deployment("ghcr.io/acme/shop:1"),
				"envs/dev/part/kustomization.yaml": "images:\n- name: ghcr.io/acme/shop\n  newTag: v2\n  digest: " + string(digestOf("2")) + "\n",
				"envs/dev/kustomization.yaml":      overlay + "components: [part]\n",
			},
			want: []string{"ghcr.io/acme/shop:v2@2"},
		},
		"two digests": {
			files: map[string]string{"envs/dev/app.yaml": deployment(with("ghcr.io/acme/shop:1", "1"), with("ghcr.io/acme/shop:1", "2"))},
			want:  []string{"envs/dev/app.yaml ghcr.io/acme/shop:1@1: 2 different images of ghcr.io/acme/shop stand in dev: 1... (envs/dev/app.yaml:8), 2... (envs/dev/app.yaml:9); say which with --image ghcr.io/acme/shop@DIGEST"},
		},
		"not pinned": {
			files: map[string]string{"envs/dev/app.yaml": deployment("ghcr.io/acme/shop:1")},
			want:  []string{"envs/dev/app.yaml ghcr.io/acme/shop:1: the image is not pinned, so that nobody can tell what was tested: pin it first, with pinnace pin or the pin pull request"},
		},
		"not readable": {
			files: map[string]string{"envs/dev/app.yaml": deployment("ghcr.io/acme/shop:${TAG}")},
			want:  []string{"envs/dev/app.yaml ghcr.io/acme/shop:${TAG}: nobody can tell what runs here: a template or variable stands for the image"},
		},
		"not there": {
			files: map[string]string{"envs/prod/app.yaml": deployment("ghcr.io/acme/shop:1")},
			want:  []string{": app shop does not stand in dev: no place there holds an image of it"},
		},
		"no source":      {from: "-", want: []string{": no environment to take app shop from is named: write --from ENV, or --image REF"}},
		"unknown source": {from: "devel", want: []string{`: there is no environment "devel": expected dev, staging, prod`}},
	} {
		t.Run(name, func(t *testing.T) {
			from := test.from
			switch from {
			case "":
				from = "dev"
			case "-":
				from = ""
			}
			got, problems := Candidate(promoting(t, stages, test.files, promotion.Request{Kind: promotion.Promotion, App: "shop", Env: "prod"}), from)
			out := told(nil, problems)
			for _, w := range got {
				out = append(out, shortDigests(image.Ref{Name: w.Repository, Tag: w.Tag, Digest: w.Digest}.String()))
			}
			if diff := cmp.Diff(test.want, out); diff != "" {
				t.Errorf("candidate differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSkippedEnvironments(t *testing.T) {
	c, problems := config.Parse(".pinnace/config.yaml", []byte(`apiVersion: pinnace.dev/v1alpha1
kind: Config
environments:
  - {name: dev, paths: [dev/**]}
  - {name: qa-a, paths: [qa-a/**], after: [dev]}
  - {name: qa-b, paths: [qa-b/**], after: [dev]}
  - {name: staging, paths: [staging/**], after: [qa-a, qa-b]}
  - {name: prod, paths: [prod/**], afterAny: [staging, hotfix]}
  - {name: hotfix, paths: [hotfix/**]}
`))
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	for _, test := range []struct {
		from, to string
		want     string
	}{
		{"dev", "qa-a", ""},
		{"qa-a", "staging", ""},
		{"dev", "staging", "qa-a qa-b"},
		{"qa-a", "prod", "staging"},
		{"dev", "prod", "qa-a qa-b staging"},
		{"staging", "prod", ""},
		{"hotfix", "prod", ""},
		{"", "prod", "dev qa-a qa-b staging hotfix"},
		{"", "dev", ""},
		{"prod", "staging", ""},
		{"qa-a", "qa-b", ""},
		{"hotfix", "staging", "dev qa-a qa-b"},
		{"dev", "nowhere", ""},
	} {
		if got := strings.Join(Skipped(c, test.from, test.to), " "); got != test.want {
			t.Errorf("from %q to %q skips %q, want %q", test.from, test.to, got, test.want)
		}
	}
}
