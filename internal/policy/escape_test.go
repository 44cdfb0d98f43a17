package policy

import (
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// None of these may pass without the approvals that some policy asks.
func TestNothingEscapes(t *testing.T) {
	asked := func(in *Input) {
		in.Deploy = Deploy{DeployCommand, []DeployAsk{{By: dave, At: now.Add(-time.Minute)}}}
	}
	first := func(in *Input) {
		for i := range in.Set.World.Environments {
			in.Set.World.Environments[i].After = nil
		}
		in.Reviews, in.Sources, in.Request.From = nil, nil, ""
	}
	opaque := func(apps ...string) func(*Input) {
		return func(in *Input) {
			in.Kind, in.Changes, in.Reviews = promotion.ByHand, nil, nil
			in.Opaque = []Opaque{{Path: "envs/prod/kustomization.yaml", What: "a JSON patch", Apps: apps}}
			asked(in)
		}
	}
	sequentialOnly := policyDoc("seq", "approverCount: 2\npromotions: [sequential]\napplyTo: [{env: prod}]")
	for name, tc := range map[string]struct {
		docs   string
		change func(*Input)
	}{
		"a sequential policy in an environment that nothing comes before": {sequentialOnly, first},
		"the same, by an update":                                      {sequentialOnly, func(in *Input) { first(in); in.Kind = promotion.Update }},
		"the same, by hand":                                           {sequentialOnly, func(in *Input) { first(in); in.Kind = promotion.ByHand; asked(in) }},
		"what cannot be read, under a policy bound by image":          {policyDoc("img", "approverCount: 3\napplyTo: [{image: \"ghcr.io/acme/**\"}]"), opaque("shop")},
		"what cannot be read, under a policy bound by image and path": {policyDoc("img", "approverCount: 3\napplyTo: [{image: \"ghcr.io/acme/**\", path: \"envs/prod/**\"}]"), opaque("shop")},
		"what cannot be read, beside a lenient policy of the app": {
			policyDoc("app", "approverCount: 0\napplyTo: [{app: shop, env: prod}]") + "\n---\n" + policyDoc("img", "approverCount: 3\napplyTo: [{image: \"ghcr.io/acme/**\", env: prod}]"), opaque("shop"),
		},
		"what cannot be read, of no app": {
			policyDoc("app", "approverCount: 0\napplyTo: [{path: \"envs/prod/**\"}]") + "\n---\n" + policyDoc("nginx", "approverCount: 3\napplyTo: [{app: nginx, env: prod}]"), opaque(),
		},
		"by hand, and nobody said who wrote it": {twoPeople, func(in *Input) { in.Kind, in.Request.By = promotion.ByHand, nil; asked(in) }},
		"a change of no kind":                   {twoPeople, func(in *Input) { in.Kind, in.Request.By = "", nil }},
		"a promotion to a tag without a digest": {twoPeople, func(in *Input) { in.Changes[0].New = ref("ghcr.io/acme/shop:1.5.0") }},
		"a rollback that brings a foreign image besides": {
			policyDoc("rb", "approverCount: 3\nrollback: {approverCount: 0}\napplyTo: [{env: prod}]"), func(in *Input) {
				in.Kind, in.Reviews, in.Rollback = promotion.Rollback, nil, RollbackFacts{Is(true), Is(true)}
				c := in.Changes[0]
				c.Path, c.Old, c.OldApp, c.NewApp = "envs/prod/side.yaml", image.Ref{}, "", "evil"
				c.New, c.Stands = ref("evil.io/x/evil:1@"+string(newDigest)), Known([]string{})
				in.Changes = append(in.Changes, c)
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			in := promote(t, tc.docs)
			tc.change(&in)
			if d := Decide(in); d.Status == promotion.Passed {
				t.Errorf("passed: %s", d.Summary)
			}
		})
	}
}

// A repository may do any of this, and gets an error or no pass: the organisation's rules can
// be tightened only.
func TestFloorIsNotEscaped(t *testing.T) {
	unreviewed := func(in *Input) { in.Reviews = nil }
	org := func(body string) string { return policyDoc("org", body) }
	bare := World{Floor: true}
	order := func(e Env) World {
		return World{Floor: true, Environments: []Env{{Name: "staging"}, e}}
	}
	sidecar := func(in *Input) {
		in.Reviews, in.Kind, in.Deploy.Mode = nil, promotion.ByHand, DeployButton
		c := &in.Changes[0]
		c.Old, c.OldApp, c.NewApp, c.Beside = image.Ref{}, "", "evil", []string{"shop"}
		c.New = ref("evil.io/x/evil:1@" + string(newDigest))
		in.Sources[0].App = "evil"
	}
	fromDev := func(in *Input) {
		in.Request.From, in.Sources[0].Env, in.Changes[0].Stands = "dev", "dev", Known([]string{"dev"})
	}
	sequential := org("promotions: [sequential]\nforbid: [direct]\napplyTo: [{production: true}]")
	for name, tc := range map[string]struct {
		floor World
		rules string
		world func(*World)
		docs  string
		input func(*Input)
	}{
		"the order of production is dropped": {
			bare, org("approverCount: 2\npromotions: [sequential]\napplyTo: [{production: true}]"),
			func(w *World) { w.Environments[2].After = nil }, "",
			func(in *Input) { in.Reviews, in.Request.From, in.Sources = nil, "", nil },
		},
		"production comes after another environment": {
			order(Env{Name: "prod", Production: true, AfterAny: []string{"staging"}}), sequential,
			func(w *World) { w.Environments[2].After = []string{"dev"} }, "", fromDev,
		},
		"production comes after any of more environments": {
			order(Env{Name: "prod", Production: true, After: []string{"staging"}}), sequential,
			func(w *World) { w.Environments[2].AfterAny = []string{"dev"} }, "", func(in *Input) {
				fromDev(in)
				in.Kind, in.Deploy.Mode = promotion.ByHand, DeployButton
			},
		},
		"an app is left to its default name": {
			World{Floor: true, Apps: []App{{Name: "store", Images: []string{"ghcr.io/acme/shop"}, Line: 5}}},
			org("approverCount: 2\napplyTo: [{app: store, production: true}]"),
			func(w *World) {
				for i := range w.Apps {
					w.Apps[i].Line = 0
				}
			},
			policyDoc("mine", "approverCount: 0\npromotions: [sequential]\napplyTo: [{app: shop, env: prod}]"), unreviewed,
		},
		"every writer is made an admin, and so a promoter": {
			World{Floor: true, Grants: []Grant{{Role: Promoter, Permission: promotion.PermissionWrite, Users: []string{"erin"}, File: "o", Line: 3}}},
			org("approverCount: 2\napplyTo: [{production: true}]"),
			func(w *World) {
				w.Grants = append(w.Grants, Grant{Role: Admin, Permission: promotion.PermissionWrite, File: "c", Line: 4})
			}, "", func(*Input) {},
		},
		"a policy of its own names the foreign sidecar": {
			bare, org("approverCount: 2\napplyTo: [{app: shop, production: true}]"), nil,
			policyDoc("mine", "applyTo: [{image: \"evil.io/**\", env: prod}]"), sidecar,
		},
		"the organisation's hotfix is bound to another app": {
			bare, policyDoc("strict", "approverCount: 2\npromotions: [sequential]\napplyTo: [{app: shop, production: true}]") + "\n---\n" + policyDoc("hotfix", "promotions: [direct]\napplyTo: [{app: nginx, production: true}]"), nil,
			"apiVersion: v1\nkind: artifactPromotionPolicy\nspec: {payload: {applicationEnvironments: [{appName: shop, envName: prod}], applyToPolicyNames: [hotfix]}}\n",
			func(in *Input) {
				in.Reviews, in.Request.From, in.Sources = nil, "", nil
				in.Changes[0].Stands = Known([]string{})
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := ours()
			if tc.world != nil {
				tc.world(&w)
			}
			floor := mustLoad(t, tc.floor, tc.rules)
			for _, p := range floor.Promotions {
				w.Policies = append(w.Policies, p.Name)
			}
			repo := &Set{World: w}
			if tc.docs != "" {
				var problems Problems
				if repo, problems = Load(documents("p.yaml", []byte(tc.docs)), w); problems.HasErrors() {
					t.Fatal(problems)
				}
			}
			joined, problems := Join(floor, repo)
			if joined == nil {
				if !problems.HasErrors() {
					t.Error("there is neither a set nor an error")
				}
				return
			}
			in := promote(t, twoPeople)
			in.Set, in.Floor = joined, FloorRead
			tc.input(&in)
			if d := Decide(in); d.Status == promotion.Passed {
				t.Errorf("passed: %s", d.Summary)
			}
		})
	}
}
