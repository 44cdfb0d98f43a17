package scenario

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/policy/approval"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

const header = "apiVersion: pinnace.dev/v1alpha1\n"

const twoPeople = header + `kind: ImagePromotionPolicy
name: two
approverCount: 2
approvers: {teams: [acme/release], users: ["frank#42"]}
applyTo: [{production: true}]
`

// input returns the facts of a case in the default world.
func input(t *testing.T, document, text string) policy.Input {
	t.Helper()
	s, c := Suite{Config: Default()}, read(t, text)
	in, err := c.Input(s.Config, load(t, s, "p.yaml", []byte(document)))
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func read(t *testing.T, text string) Case {
	t.Helper()
	c, problems := ParseCase("case.yaml", []byte(text))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return c
}

// A case that states nothing is a promotion at which everything holds.
func TestDefaults(t *testing.T) {
	const none = header + "kind: PullImageDigestPolicy\nname: d\nallEnvironments: true\n"
	in := input(t, none, "want: passed")
	if d := policy.Decide(in); d.Status != promotion.Passed {
		t.Errorf("%s\n%s", d.Summary, Explanation(d))
	}
	c := in.Changes[0]
	got := map[string]string{
		"env": in.Env, "app": c.NewApp, "new": c.New.Tagged(), "old": c.Old.Tagged(), "path": c.Path, "from": in.Request.From,
		"kind": string(in.Kind), "by": in.Request.By[0].Login, "stands": strings.Join(c.Stands.Value, " "), "now": in.Now.Format(time.RFC3339),
		"since": in.Sources[len(in.Sources)-1].Since.Value.Format(time.RFC3339), "deploy": string(in.Deploy.Mode),
		"signature": c.Image.Signatures.Value[0].Identity, "source": c.Image.Provenance.Value.SourceRepo,
	}
	want := map[string]string{
		"env": "prod", "app": "shop", "new": "ghcr.io/acme/shop:1.1.0", "old": "ghcr.io/acme/shop:1.0.0", "path": "envs/prod/shop.yaml", "from": "staging",
		"kind": "promotion", "by": "alice", "stands": "staging dev", "now": "2026-11-18T10:00:00Z",
		"since": "2026-11-16T10:00:00Z", "deploy": "button",
		"signature": "https://github.com/acme/shop/.github/workflows/release.yml@refs/heads/main", "source": "https://github.com/acme/shop",
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("defaults (-got +want):\n%s", diff)
	}
	if c.Image.Builder.Known {
		t.Error("the builder is known, and nobody said who that is")
	}
}

// What a case states is what the judge gets.
func TestInput(t *testing.T) {
	digest := "sha256:" + strings.Repeat("a", 64)
	for name, tc := range map[string]struct {
		text string
		got  func(in policy.Input) any
		want any
	}{
		"first environment":     {"env: dev", func(in policy.Input) any { return in.Request.From }, ""},
		"registry skips":        {"from: registry", func(in policy.Input) any { return in.Request.Skipped }, []string{"dev", "staging"}},
		"dev skips staging":     {"from: dev", func(in policy.Input) any { return in.Request.Skipped }, []string{"staging"}},
		"nothing is skipped":    {"from: staging", func(in policy.Input) any { return in.Request.Skipped }, []string(nil)},
		"skipped as stated":     {"{from: registry, skipped: [staging]}", func(in policy.Input) any { return in.Request.Skipped }, []string{"staging"}},
		"app":                   {"app: web", func(in policy.Input) any { return in.Changes[0].New.Tagged() }, "ghcr.io/acme/web:1.1.0"},
		"app of the image":      {"image: ghcr.io/acme/web:2", func(in policy.Input) any { return in.Changes[0].NewApp }, "web"},
		"unknown image":         {"image: redis:8", func(in policy.Input) any { return in.Changes[0].NewApp }, "redis"},
		"another app was there": {"{image: redis:8, previous: ghcr.io/acme/web:1}", func(in policy.Input) any { return in.Changes[0].OldApp }, "web"},
		"written digest":        {"image: shop:1@" + digest, func(in policy.Input) any { return string(in.Changes[0].New.Digest) }, digest},
		"nothing stood there":   {"previous: none", func(in policy.Input) any { return in.Changes[0].Old }, image.Ref{}},
		"removal":               {"{kind: by-hand, image: none, previous: ghcr.io/acme/shop:1}", func(in policy.Input) any { return in.Changes[0].Removal() }, true},
		"pin":                   {"kind: pin", func(in policy.Input) any { return in.Changes[0].Old.String() }, "ghcr.io/acme/shop:1.1.0"},
		"pin by hand":           {"{kind: by-hand, image: a/b:1, previous: a/b:1}", func(in policy.Input) any { return in.Changes[0].Old.Pinned() }, false},
		"a tag that moved":      {"{kind: update, image: a/b:1, previous: a/b:1}", func(in policy.Input) any { return in.Changes[0].Old.Digest != in.Changes[0].New.Digest }, true},
		"nobody asks for a pin": {"kind: pin", func(in policy.Input) any { return len(in.Request.By) }, 0},
		"unknown requester":     {"requester: unknown", func(in policy.Input) any { return in.Request.Unknown }, true},
		"a bot by hand":         {"{kind: by-hand, requester: 'renovate[bot]'}", func(in policy.Input) any { return in.Request.Bot }, true},
		"not current":           {"current: false", func(in policy.Input) any { return len(in.Changes[0].Stands.Value) }, 0},
		"two files":             {"files: [a.yaml, b.yaml]", func(in policy.Input) any { return in.Changes[1].Path }, "b.yaml"},
		"bundle":                {"images: [{image: shop:1}, {image: web:1, labels: {a: b}}]", func(in policy.Input) any { return in.Changes[1].Image.Labels.Value["a"] }, "b"},
		"age":                   {"created: -10d", func(in policy.Input) any { return in.Now.Sub(in.Changes[0].Image.Created.Value) }, 240 * time.Hour},
		"tags":                  {"tags: [a, b]", func(in policy.Input) any { return in.Changes[0].Image.Tags.Value }, []string{"a", "b"}},
		"no provenance":         {"provenance: none", func(in policy.Input) any { return in.Changes[0].Image.Provenance.Value.Verified }, false},
		"short source": {"provenance: {sourceRepo: acme/x, sourceRef: refs/heads/fix}", func(in policy.Input) any {
			return in.Changes[0].Commits.Value["https://github.com/acme/x"].Branch
		}, "fix"},
		"commits":          {"commits: {acme/x: {branch: main}}", func(in policy.Input) any { return in.Changes[0].Commits.Value["https://github.com/acme/x"].Branch }, "main"},
		"key, not keyless": {"signatures: [{keyId: k}]", func(in policy.Input) any { return in.Changes[0].Image.Signatures.Value[0].Keyless }, false},
		"no signature":     {"signatures: []", func(in policy.Input) any { return len(in.Changes[0].Image.Signatures.Value) }, 0},
		"predicate": {"attestations: [{predicate: {a: [1]}}]", func(in policy.Input) any {
			return fmt.Sprint(in.Changes[0].Image.Attestations.Value[0].Predicate.Value)
		}, "map[a:[1]]"},
		"number of a role":   {"approvals: [frank]", func(in policy.Input) any { return in.Reviews[0].Author.ID }, int64(42)},
		"member of all":      {"approvals: [carol]", func(in policy.Input) any { return in.People[in.Reviews[0].Author.ID].Teams["acme/release"] }, approval.Yes},
		"member of none":     {"{approvals: [carol], people: {carol: {teams: []}}}", func(in policy.Input) any { return in.People[in.Reviews[0].Author.ID].Teams["acme/release"] }, approval.No},
		"teams unknown":      {"{approvals: [carol], people: {carol: {teams: unknown}}}", func(in policy.Input) any { return in.People[in.Reviews[0].Author.ID].Teams["acme/release"] }, approval.Unknown},
		"reader had no word": {"{vetoes: [carol], people: {carol: {permission: read}}}", func(in policy.Input) any { return in.Reviews[0].HadStanding }, approval.No},
		"asked before":       {"approvals: [{by: carol, at: -10d}]", func(in policy.Input) any { return in.Request.At.Before(in.Reviews[0].Submitted) }, true},
		"dismissed":          {"vetoes: [{by: carol, dismissedBy: dave}]", func(in policy.Input) any { return in.Moments[0].Actor.Login }, "dave"},
		"other content":      {"approvals: [{by: carol, seal: other}]", func(in policy.Input) any { return in.Reviews[0].SealAt }, "other"},
		"no record":          {"approvals: [{by: carol, seal: unknown}]", func(in policy.Input) any { return in.Reviews[0].SealAt }, ""},
		"opaque":             {"opaque: [{what: a chart}]", func(in policy.Input) any { return in.Opaque[0].Path }, "envs/prod/kustomization.yaml"},
		"hold":               {"hold: {by: erin, at: -2h, reason: '#9'}", func(in policy.Input) any { return in.Hold.What }, "#9"},
		"checks":             {"checks: {pins: failure}", func(in policy.Input) any { return in.Checks }, policy.Checks{Config: approval.Yes, Pins: approval.No}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.got(input(t, twoPeople, tc.text)), tc.want); diff != "" {
				t.Errorf("-got +want:\n%s", diff)
			}
		})
	}
}

// Each fact that a case can say nobody knows changes what the judge gets.
func TestUnknown(t *testing.T) {
	const text = "{kind: KIND, approvals: [carol], builder: [bob]}"
	gated := strings.Replace(DefaultConfig, "after: [dev]", "after: [dev], gates: [{checkRun: smoke, app: ci}]", 1)
	cfg, problems := config.Parse("config.yaml", []byte(gated))
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	s := Suite{Config: cfg}
	set := load(t, s, "p.yaml", []byte(twoPeople))
	for _, name := range unknownNames() {
		c := read(t, strings.Replace(text, "KIND", "rollback", 1))
		before, err := c.Input(cfg, set)
		if err != nil {
			t.Fatal(err)
		}
		c.Unknown = []string{name}
		after, err := c.Input(cfg, set)
		if err != nil {
			t.Fatal(err)
		}
		if reflect.DeepEqual(before, after) {
			t.Errorf("%s changes nothing", name)
		}
	}
}

// Facts of a case that states its time keep theirs under --at; those of others move along.
func TestApply(t *testing.T) {
	at := time.Date(2026, 12, 24, 17, 0, 0, 0, time.UTC)
	set := load(t, Suite{Config: Default()}, "p.yaml", []byte(twoPeople))
	for name, tc := range map[string]struct {
		text             string
		approved, veto   time.Time
		since, requested time.Duration
	}{
		"moving": {"approvals: [carol]", at.Add(-time.Hour), at.Add(-time.Hour), 48 * time.Hour, 2 * time.Hour},
		"fixed":  {"{approvals: [carol], now: 2026-12-20T17:00:00Z}", at.Add(-97 * time.Hour), at.Add(-time.Hour), 144 * time.Hour, 98 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := read(t, tc.text).Apply(WhatIf{At: at, Veto: []string{"erin"}, PRLabels: []string{"ship"}, Labels: map[string]string{"a": "b"}, Tags: []string{"prod"}})
			if err != nil {
				t.Fatal(err)
			}
			in, err := c.Input(Default(), set)
			if err != nil {
				t.Fatal(err)
			}
			source, i := in.Sources[len(in.Sources)-1], in.Changes[0].Image
			if got := []any{in.Now, in.Reviews[0].Submitted, in.Reviews[1].Submitted, in.Now.Sub(source.Since.Value), in.Now.Sub(in.Request.At)}; !reflect.DeepEqual(got, []any{at, tc.approved, tc.veto, tc.since, tc.requested}) {
				t.Errorf("got %v", got)
			}
			if got := fmt.Sprint(in.Request.Labels.Value, i.Labels.Value, i.Tags.Value); got != "[ship] map[a:b] [1.1.0 prod]" {
				t.Errorf("got %s", got)
			}
		})
	}
	if _, err := (Case{}).Apply(WhatIf{Unknown: []string{"image.tag"}}); err == nil || !strings.Contains(err.Error(), "did you mean image.tags?") {
		t.Errorf("got %v", err)
	}
}

// A case without a line of its own leaves the original untouched.
func TestApplyCopies(t *testing.T) {
	c := read(t, "{labels: {a: b}, approvals: [carol]}")
	if _, err := c.Apply(WhatIf{Labels: map[string]string{"a": "c"}, Approve: []string{"dave"}, Image: "x:1"}); err != nil {
		t.Fatal(err)
	}
	if c.Images[0].Labels["a"] != "b" || len(c.Approvals) != 1 || c.Images[0].Text != "" {
		t.Errorf("the case was changed: %+v", c)
	}
}

func TestCompare(t *testing.T) {
	d := promotion.Decision{
		Status: promotion.Waiting, Summary: "waiting: 1 of 2",
		Results: []promotion.Result{{Rule: "policies", Status: promotion.Waiting, Children: []promotion.Result{
			{Rule: "approvals", Status: promotion.Passed, Title: "2 of 2", Seen: "bob"},
			{Rule: "approvals", Status: promotion.Waiting, Title: "1 of 2", Missing: []string{"fact"}},
		}}},
		Ignored: []promotion.Ignored{{By: promotion.Identity{Login: "mallory"}, Reason: "a bot"}},
	}
	for name, tc := range map[string]struct {
		c    Case
		want string
	}{
		"holds":        {Case{Want: "waiting", Rules: map[string]string{"approvals": "waiting", "soak": absent}, Says: []string{"1 of 2", "bob", "fact", "mallory: a bot"}, Not: []string{"erin"}}, ""},
		"verdict":      {Case{Want: "passed"}, "got waiting, want passed"},
		"worst counts": {Case{Rules: map[string]string{"approvals": "passed"}}, "rule approvals: got waiting, want passed"},
		"misspelt":     {Case{Rules: map[string]string{"aprovals": "passed"}}, "rule aprovals: want passed, and no such rule was asked: did you mean approvals?"},
		"not asked":    {Case{Rules: map[string]string{"soak": "passed"}}, "rule soak: want passed, and no such rule was asked: expected approvals or policies"},
		"is there":     {Case{Rules: map[string]string{"approvals": absent}}, "rule approvals: got waiting, want absent"},
		"not said":     {Case{Says: []string{"3 of 3"}}, `the explanation does not say "3 of 3"`},
		"said":         {Case{Not: []string{"mallory"}}, `the explanation says "mallory"`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := strings.Join(tc.c.compare(d), "; "); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// Each mistake has its place.
func TestProblems(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"empty":           {"\n", "1:1: the case is empty: write what is wanted, such as want: passed"},
		"list":            {"[a]", "1:1: expected keys and values, such as want: passed"},
		"two documents":   {"env: a\n---\nenv: b", "1:1: a second document begins: a case is one document"},
		"unknown key":     {"env: a\naproval: [b]", `2:1: unknown key "aproval": did you mean approvals?`},
		"twice":           {"env: a\nenv: b", `2:1: the key "env" is written twice: delete one`},
		"alias":           {"env: &a prod\napp: *a", "2:6: aliases are not supported: write the value out"},
		"merge":           {"people: {a: {<<: {bot: true}}}", "1:14: a key must be text"},
		"no truth":        {"draft: perhaps", "1:8: expected true or false"},
		"no number":       {"size: -1", "1:7: expected a whole number"},
		"no text":         {"env: {a: b}", "1:6: expected text"},
		"unknown kind":    {"kind: promote", `1:7: unknown value "promote": expected pin, update, promotion, rollback or by-hand`},
		"no duration":     {"since: yesterday", `1:8: "yesterday" is not a duration: expected a duration such as "90m", "12h", "2d" or "1w"`},
		"moving now":      {"now: -1h", "1:6: expected a time such as 2026-11-18T10:00:00Z"},
		"no image":        {"image: 'a:'", "1:8: nothing follows the colon: want a tag"},
		"whose":           {"approvals: [{at: -1h}]", "1:13: by is missing: whose review is it?"},
		"review key":      {"approvals: [{bye: carol}]", `1:14: unknown key "bye": did you mean by?`},
		"person":          {"people: {carol: {permision: read}}", `1:18: unknown key "permision": did you mean permission?`},
		"permission":      {"people: {carol: {permission: owner}}", `1:30: unknown value "owner": expected none, read, triage, write, maintain, admin or unknown`},
		"images first":    {"images: [{image: a}]\ntags: [b]", "2:7: tags stands beside images: write it in each of them"},
		"images second":   {"tags: [b]\nimages: [{image: a}]", "2:9: images stand beside image, or facts of one: write those in the list"},
		"status":          {"rules: {soak: green}", `1:15: unknown value "green": expected skipped, absent, passed, waiting, denied or unknown`},
		"too deep":        {"attestations: [{predicate: " + strings.Repeat("[", 60) + strings.Repeat("]", 60) + "}]", "1:55: values are nested more than 30 deep"},
		"too many values": {"says: [" + strings.Repeat("a, ", maxNodes) + "a]", "the case holds more than 20000 values"},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := ParseCase("c.yaml", []byte(tc.text))
			if len(problems) == 0 || !strings.Contains(problems[0].Error(), tc.want) {
				t.Errorf("got %v, want %s", problems, tc.want)
			}
		})
	}
}

// What only the world can tell is told with the case's place.
func TestProblemsOfWorld(t *testing.T) {
	s, problems := Parse("s.txtar", []byte("About.\n\n-- env.yaml --\nwant: passed\nenv: prd\n-- from.yaml --\nfrom: stagin\nwant: passed\n-- app.yaml --\napp: shpo\nwant: passed\n-- gate.yaml --\nwant: passed\ngates: {a: b}\n"))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	var got []string
	for _, o := range Run(s, load(t, s, "p.yaml", []byte(twoPeople))) {
		got = append(got, o.Problems.Error())
	}
	want := []string{
		`s.txtar:5:6: env: unknown environment "prd": did you mean prod?`,
		`s.txtar:7:7: from: unknown environment "stagin": did you mean staging?`,
		`s.txtar:10:6: app: unknown app "shpo": did you mean shop?; or write its image`,
		`s.txtar:14:8: gates: unknown gate "a": no environment before prod has a gate in the configuration`,
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
	var as policy.Problems
	if _, err := s.Cases[0].Input(s.Config, load(t, s, "p.yaml", []byte(twoPeople))); !errors.As(err, &as) {
		t.Errorf("the error is a %T", err)
	}
}

func TestParse(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"no case":        {"words", "s.txtar:1:1: the file holds no case: begin each with a line such as -- two approvals.yaml --"},
		"no wanted":      {"-- a.yaml --\nenv: prod\n", "s.txtar:2:1: want is missing: expected passed, waiting, denied or unknown"},
		"twice":          {"-- a.yaml --\nwant: passed\n-- a.yaml --\nwant: passed\n", "s.txtar:3:1: a second file a.yaml, the first is in line 1: rename one"},
		"another file":   {"-- a.yml --\n", `s.txtar:1:1: the file "a.yml" is no case: name it CASE.yaml`},
		"configuration":  {"-- config.yaml --\napiVersion: pinnace.dev/v1alpha1\nkind: Config\nenviroments: []\n", `s.txtar:4:1: unknown key "enviroments"`},
		"large":          {strings.Repeat("a", maxBytes+1), "more than 1 MiB is not read"},
		"too many cases": {strings.Repeat("-- a.yaml --\n", maxCases+10), "the first is in line 1"},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := Parse("s.txtar", []byte(tc.text))
			if len(problems) == 0 || !strings.Contains(problems.Error(), tc.want) {
				t.Errorf("got %v, want %s", problems, tc.want)
			}
		})
	}
	var many strings.Builder
	for i := range maxCases + 1 {
		fmt.Fprintf(&many, "-- %d.yaml --\nwant: passed\n", i)
	}
	s, problems := Parse("s.txtar", []byte(many.String()))
	if len(s.Cases) != maxCases || len(problems) != 1 {
		t.Errorf("%d cases, %v", len(s.Cases), problems)
	}
}

// A suite's own configuration is its world.
func TestOwnConfig(t *testing.T) {
	s, problems := Parse("s.txtar", []byte(`-- config.yaml --
apiVersion: pinnace.dev/v1alpha1
kind: Config
environments:
  - {name: qa, paths: ["qa/**"], gates: [{deployment: qa, app: argo-cd}]}
  - {name: live, paths: ["live/**"], after: [qa], production: true, soak: 3d, deploy: command}
roles: {promoter: {users: [carol]}, overrides: [{environment: live, requester: {permission: admin}}]}
apps: [{name: api, images: [quay.io/acme/api]}]
-- green.yaml --
people: {alice: {permission: admin}}
approvals: [carol, frank]
builder: none
since: 4d
deploy: dave
want: passed
says: [dave said /deploy]
-- who asked is no admin.yaml --
approvals: [carol, frank]
builder: none
since: 4d
deploy: dave
want: denied
rules: {requester: denied}
-- red gate.yaml --
people: {alice: {permission: admin}}
gates: {deployment qa: pending}
want: waiting
rules: {gate: waiting, soak: waiting, approvals: waiting}
`))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for _, o := range Run(s, load(t, s, "p.yaml", []byte(twoPeople))) {
		if len(o.Failures)+len(o.Problems) > 0 {
			t.Errorf("%s: %v %v\n%s", o.Case.Name, o.Failures, o.Problems, Explanation(o.Decision))
		}
	}
}

func TestKeys(t *testing.T) {
	var names []string
	for _, k := range Keys() {
		names = append(names, k.Name)
		if k.Doc == "" {
			t.Errorf("%s says nothing", k.Name)
		}
	}
	if slices.Sort(names); len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Error("a key is there twice")
	}
	if !slices.Contains(names, "want") || !slices.Contains(names, "image") || len(names) != len(caseKeys) {
		t.Errorf("keys: %v", names)
	}
}

func TestOnly(t *testing.T) {
	docs, problems := config.Split("a.yaml", []byte(header+"kind: ImagePromotionPolicy\nname: a\n"))
	more, ps := config.Split("b.yaml", []byte(header+"kind: ImagePromotionPolicy\nname: b\n---\napiVersion: v1\nkind: artifactPromotionPolicy\nspec: {payload: {applicationEnvironments: [{appName: shop, envName: prod}], applyToPolicyNames: [a, b]}}\n---\napiVersion: v1\nkind: artifactPromotionPolicy\nspec: {payload: {applyToPolicyNames: [b]}}\n"))
	if len(problems)+len(ps) > 0 {
		t.Fatal(problems, ps)
	}
	picked, left := Only(append(docs, more...), "a.yaml")
	if len(picked) != 2 || picked[1].Kind != config.KindArtifactPromotionPolicy || !slices.Equal(left, []string{"b"}) {
		t.Errorf("picked %d, left %v", len(picked), left)
	}
	pairs, names := Pairs(picked[1])
	if fmt.Sprintf("%v %v %s%s", pairs, names, NameOf(picked[0]), NameOf(picked[1])) != "[{shop prod}] [a b] a" {
		t.Errorf("%v %v", pairs, names)
	}
	w := Suite{Config: Default()}.World()
	w.Policies = left
	if set, ps := policy.Load(Documents(picked), w); ps.HasErrors() || len(set.Promotions[0].ApplyTo) != 1 {
		t.Errorf("%v", ps)
	}
}

func TestSubject(t *testing.T) {
	for text, want := range map[string]string{
		"want: passed":                        "promotion of ghcr.io/acme/shop:1.1.0 to prod from staging, asked by alice",
		"{from: registry, requester: [a, b]}": "promotion of ghcr.io/acme/shop:1.1.0 to prod from the registry, asked by a and b",
		"{kind: pin, env: dev}":               "pin of ghcr.io/acme/shop:1.1.0 to dev, asked by nobody",
		"{requester: unknown, kind: by-hand, image: none, previous: a/b:1}": "by-hand of no a/b:1 to prod, and nobody knows who asked",
	} {
		if got := Subject(input(t, twoPeople, text)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// Whatever a file holds, its problems have a place in it, and its cases can be judged.
func FuzzParse(f *testing.F) {
	f.Add("About.\n-- a.yaml --\nwant: passed\napprovals: [carol, {by: dave, at: -48h}]\n")
	f.Add("-- config.yaml --\n" + DefaultConfig + "-- a.yaml --\nimages: [{image: a:1, builder: none}]\nwant: denied\n")
	f.Add("-- a.yaml --\r\nwant: &a passed\r\nenv: *a\n---\n")
	f.Add("-- a.yaml --\nkind: rollback\npeople: {a: {id: 7, teams: [x/y]}}\nunknown: [members, source]\nwant: unknown\n")
	docs := map[string][]byte{"p.yaml": []byte(twoPeople)}
	_, parsed, _ := config.Load(docs)
	f.Fuzz(func(t *testing.T, text string) {
		s, problems := Parse("s.txtar", []byte(text))
		lines := strings.Count(text, "\n") + 2
		for _, p := range problems {
			if p.Line < 1 || p.Line > lines || p.Column < 1 || strings.Contains(p.Message, "\n") {
				t.Errorf("problem %+v of %d lines", p, lines)
			}
		}
		set, _ := policy.Load(Documents(parsed), s.World())
		if set == nil {
			return
		}
		for _, o := range Run(s, set) {
			if o.Problems == nil && o.Decision.Status == "" {
				t.Errorf("%s was not judged", o.Case.Name)
			}
		}
	})
}
