package policy

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pinnace-dev/pinnace/internal/policy/approval"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// acmeFloor is what an organisation says of every repository.
func acmeFloor() World {
	return World{
		Floor: true,
		Environments: []Env{
			{Name: "staging", Paths: []string{"envs/staging/**"}},
			{Name: "prod", Production: true, Paths: []string{"envs/prod/**"}, After: []string{"staging"}},
		},
		Apps:   []App{{Name: "shop", Images: []string{"ghcr.io/acme/shop"}, Source: "acme/shop", Line: 1}},
		Grants: []Grant{{Role: Promoter, Permission: promotion.PermissionWrite, Teams: []string{"acme/release"}, Users: []string{"carol"}, File: "org.yaml", Line: 9}},
	}
}

// ours is a repository that keeps to that. All is configured.
func ours() World {
	w := shopWorld()
	for i := range w.Environments {
		w.Environments[i].File, w.Environments[i].Line = "config.yaml", 10+i
	}
	for i := range w.Apps {
		w.Apps[i].File, w.Apps[i].Line = "config.yaml", 20+i
	}
	w.Grants = []Grant{{Role: Promoter, Permission: promotion.PermissionWrite}}
	return w
}

const floorDocs = `apiVersion: pinnace.dev/v1alpha1
kind: ImagePromotionPolicy
name: org
approverCount: 1
approvalTTL: 2d
approvers: {teams: [acme/release]}
promotions: [sequential]
forbid: [direct]
failCondition: '"wip" in imageLabels'
applyTo: [{production: true}]
---
apiVersion: pinnace.dev/v1alpha1
kind: Freeze
name: year
production: true
window: {from: 2026-12-23, to: 2027-01-02, zone: Europe/Berlin}
reason: holidays
owner: acme/release
`

// TestFloor names each way to loosen what the organisation says.
func TestFloor(t *testing.T) {
	prod := func(f func(*Env)) func(*World) { return func(w *World) { f(&w.Environments[2]) } }
	grant := func(g Grant) func(*World) {
		return func(w *World) {
			g.Role, g.File, g.Line = Promoter, "config.yaml", 30
			w.Grants = append(w.Grants, g)
		}
	}
	for _, row := range []struct {
		name  string
		world func(*World)
		docs  string
		want  string // "" where nothing is loosened
	}{
		{"kept", nil, "", ""},
		{"tightened paths", prod(func(e *Env) { e.Paths = []string{"envs/**"} }), "", ""},
		{"tightened order", prod(func(e *Env) { e.After = []string{"staging", "dev"} }), "", ""},
		{"tightened role", grant(Grant{Permission: promotion.PermissionMaintain, Users: []string{"carol#3"}}), "", ""},
		{"tightened policy", nil, policyDoc("org", "approverCount: 2\napprovalTTL: 1d\napprovers: {teams: [acme/release]}\nfailCondition: '\"wip\" in imageLabels'\npromotions: [sequential]\nforbid: [direct]\napplyTo: [{env: prod}]"), ""},
		{"another policy", nil, policyDoc("mine", "promotions: [sequential]\napplyTo: [{env: prod}]"), ""},
		{"another policy for direct, elsewhere", nil, policyDoc("mine", "applyTo: [{env: staging}]"), ""},
		{"renamed environment, same files", prod(func(e *Env) { e.Name, e.Production = "live", false }), "", "config.yaml:12:1: renamed environment: live has the files of the organisation's prod: name it prod"},
		{"renamed environment, moved files", prod(func(e *Env) { e.Name, e.Paths = "live", []string{"live/**"} }), "", "config.yaml:12:1: renamed environment: live is a production environment, as the organisation's prod, which is not there"},
		{"dropped production", prod(func(e *Env) { e.Production = false }), "", "config.yaml:12:1: dropped production"},
		{"narrowed paths", prod(func(e *Env) { e.Paths = []string{"envs/prod/eu/**"} }), "", "config.yaml:12:1: narrowed paths: prod leaves out the organisation's \"envs/prod/**\""},
		{"dropped order", prod(func(e *Env) { e.After = nil }), "", "config.yaml:12:1: dropped order: the organisation puts prod after staging"},
		{"dropped source", func(w *World) { w.Apps[0].Source = "" }, "", "config.yaml:20:1: dropped source: the organisation says that shop is built in acme/shop"},
		{"another source", func(w *World) { w.Apps[0].Source = "evil/shop" }, "", "dropped source"},
		{"renamed app", func(w *World) { w.Apps[0].Name = "store" }, "", "renamed app: store has an image of the organisation's app shop"},
		{"widened role: nobody listed", grant(Grant{Permission: promotion.PermissionWrite}), "", "config.yaml:30:1: widened role: promoter: nobody is listed"},
		{"widened role: permission", grant(Grant{Permission: promotion.PermissionRead, Users: []string{"carol"}}), "", "widened role: promoter: permission read is less than the organisation's write"},
		{"widened role: of one pair", grant(Grant{Env: "prod", App: "shop", Permission: promotion.PermissionWrite, Users: []string{"mallory"}}), "", "widened role: promoter in prod for shop: user mallory is not one of the organisation's"},
		{"widened role: a team", grant(Grant{Permission: promotion.PermissionWrite, Teams: []string{"acme/everybody"}}), "", "team acme/everybody is not one"},
		{"a second policy for direct", nil, policyDoc("hotfix", "promotions: [direct]\napplyTo: [{app: shop, env: prod}]"), "p.yaml:4:1: second policy for direct: the organisation's policies for shop in prod govern no direct promotion, and hotfix does: write promotions: [sequential]"},
		{"a second policy for direct, by default", nil, policyDoc("hotfix", "applyTo: [{env: \"p*\"}]"), "second policy for direct"},
		{"a name: fewer approvers", nil, policyDoc("org", "promotions: [sequential]\napplyTo: [{env: prod}]"), "approverCount: org is the organisation's policy, and 0 is less than 1"},
		{"a name: all else", nil, policyDoc("org", "approverCount: 1\nallowRequestFromApprove: true\nallowImageBuilderFromApprove: true\nallowApproverFromDeploy: true\npromotions: [sequential]\nbypassSoak: true\nunverifiedSource: accept\nunknownBuilder: ignore\nunknownRequester: ignore\nrollback: {approverCount: 0}\nexceptions: [{path: a, reason: r, expires: 2027-01-01}]\napplyTo: [{env: prod}]"), "allowRequestFromApprove: org"},
		{"a freeze of the same name", nil, "apiVersion: pinnace.dev/v1alpha1\nkind: Freeze\nname: year\nproduction: true\nwindow: {to: 2026-11-01}\nreason: r\nowner: o\n", "\"year\" is the name of the organisation's Freeze"},
		{"a name: more besides", nil, policyDoc("org", "approverCount: 1\napprovalTTL: 2d\napprovers: {teams: [acme/release]}\npromotions: [sequential]\nforbid: [direct]\nfailCondition: '\"wip\" in imageLabels'\nmore: [{when: request.hotfix, approverCount: 2}]\napplyTo: [{env: prod}]"), ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			floor := mustLoad(t, acmeFloor(), floorDocs)
			w := ours()
			if row.world != nil {
				row.world(&w)
			}
			repo := &Set{World: w}
			if row.docs != "" {
				var ps Problems
				if repo, ps = Load(documents("p.yaml", []byte(row.docs)), w); ps.HasErrors() {
					t.Fatal(ps)
				}
			}
			got, ps := Join(floor, repo)
			if (got == nil) != ps.HasErrors() {
				t.Fatalf("set %v with %v", got, ps)
			}
			switch {
			case row.want == "" && len(ps) > 0:
				t.Errorf("got %v, want none", ps)
			case !strings.Contains(ps.Error(), row.want):
				t.Errorf("got %v, want %q", ps, row.want)
			}
			if strings.HasPrefix(row.name, "a name: all") && len(ps) != 13 {
				t.Errorf("got %d problems, want one for each key:\n%s", len(ps), ps.Error())
			}
		})
	}
}

// TestFloorHolds: what the organisation says binds by production, whatever is called how.
func TestFloorHolds(t *testing.T) {
	floor := mustLoad(t, acmeFloor(), floorDocs)
	w := ours()
	w.Policies = []string{"org"}
	repo := mustLoad(t, w, policyDoc("mine", "approverCount: 2\npromotions: [sequential]\napplyTo: [{app: shop, env: prod}]")+
		"\n---\napiVersion: v1\nkind: artifactPromotionPolicy\nspec: {payload: {applicationEnvironments: [{appName: nginx, envName: staging}], applyToPolicyNames: [org]}}\n")
	joined, ps := Join(floor, repo)
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	in := promote(t, "\n"+twoPeople)
	in.Set, in.Floor = joined, FloorRead
	// The promoter role is the organisation's: carol holds it, as dave does as admin, and
	// neither is of the team that its policy asks for.
	in.Reviews = []approval.Review{approves(carol, 2*time.Hour), approves(dave, time.Hour)}
	d := Decide(in)
	for _, says := range []string{"policy org of the organisation", "0 of 1 approval"} {
		if _, ok := find(d.Results, waiting, says); !ok {
			t.Errorf("no waiting result says %q:\n%s", says, render(d))
		}
	}
	if _, ok := find(d.Results, passed, "2 of 2 approvals"); !ok || d.Status != waiting {
		t.Errorf("got %s:\n%s", d.Status, render(d))
	}
	in.Reviews = append(in.Reviews, approves(erin, time.Minute))
	if d := Decide(in); d.Status != passed {
		t.Errorf("with the team's: got %s:\n%s", d.Status, render(d))
	}

	names := func(app, env string, kind promotion.Kind, sequential bool) []string {
		var all []string
		for _, p := range Bound(joined, app, env, nil, nil, kind, sequential) {
			all = append(all, p.Name)
		}
		return all
	}
	for _, row := range []struct {
		app, env   string
		kind       promotion.Kind
		sequential bool
		want       []string
	}{
		{"shop", "prod", promotion.Promotion, true, []string{"org", "mine"}},
		{"shop", "prod", promotion.Promotion, false, nil},
		{"shop", "prod", promotion.Pin, false, []string{"org", "mine"}},
		{"other", "prod", promotion.Rollback, false, []string{"org"}},
		{"nginx", "staging", promotion.Promotion, true, []string{"org"}},
		{"shop", "staging", promotion.Promotion, true, nil},
	} {
		if diff := cmp.Diff(names(row.app, row.env, row.kind, row.sequential), row.want); diff != "" {
			t.Errorf("%s %s %s (-got +want):\n%s", row.app, row.env, row.kind, diff)
		}
	}
	if _, ok := floor.Promotion("org"); !ok || len(floor.Promotions[0].ApplyTo) != 1 {
		t.Error("the floor's own set was changed")
	}
	named := mustLoad(t, World{Floor: true}, policyDoc("named", "applyTo: [{env: production}]"))
	if _, ps := Join(named, repo); !strings.Contains(ps.Error(), "config.yaml:12:1: renamed environment: the organisation's policy named is bound to production, which is not there, and none is bound to the production environment prod") {
		t.Errorf("a policy for an environment that is not there: got %v", ps)
	}
	if joined, ps := Join(nil, repo); len(ps) > 0 || len(joined.Promotions) != 1 {
		t.Errorf("without a floor: %v, %v", joined, ps)
	}
}

// TestFloorMore: a policy of the organisation's name keeps each of its items of more, or asks
// as many of everything.
func TestFloorMore(t *testing.T) {
	const org = "approverCount: 1\nmore:\n  - {when: request.hotfix, approverCount: 3}\napplyTo: [{env: prod}]"
	floor := mustLoad(t, World{Floor: true}, policyDoc("org", org))
	for _, row := range []struct{ name, keys, want string }{
		{"the same", org, ""},
		{"a higher number", "approverCount: 1\nmore: [{when: request.hotfix, approverCount: 4}]\napplyTo: [{env: prod}]", ""},
		{"as many of everything", "approverCount: 3\napplyTo: [{env: prod}]", ""},
		{"left out", "approverCount: 2\napplyTo: [{env: prod}]", "p.yaml:1:1: more: org is the organisation's policy, and it needs 3 approvals where request.hotfix"},
		{"a lower number", "approverCount: 1\nmore: [{when: request.hotfix, approverCount: 2}]\napplyTo: [{env: prod}]", "p.yaml:5:1: more: org is the organisation's policy"},
		{"another condition", "approverCount: 1\nmore: [{when: request.auto, approverCount: 3}]\napplyTo: [{env: prod}]", "p.yaml:5:1: more: org is the organisation's policy"},
		{"left out of rollbacks", org + "\nrollback: {more: []}", "rollback.more: org is the organisation's policy"},
	} {
		repo := mustLoad(t, ours(), policyDoc("org", row.keys))
		joined, ps := Join(floor, repo)
		if (joined == nil) != (row.want != "") || !strings.Contains(ps.Error(), row.want) {
			t.Errorf("%s: got %v, want %q", row.name, ps, row.want)
		}
	}
}

// TestFloorUncovered: an organisation that binds by name, or by a mark that nobody wrote, is
// told of what escapes it.
func TestFloorUncovered(t *testing.T) {
	two := func(w *World) {
		eu := w.Environments[2]
		eu.Name, eu.Paths, eu.Line = "prod-eu", []string{"eu/**"}, 13
		w.Environments = append(w.Environments, eu)
	}
	unmarked := func(w *World) { w.Environments[2].Production = false }
	const eu = "config.yaml:13:1: warning: no policy of the organisation covers the production environment prod-eu, and its policy org binds the production environment prod by name: in the organisation's policy bind by production: true, or by image"
	const nowhere = "p.yaml:4:1: warning: the organisation's policy org is bound by production: true, and of the environments dev, staging and prod none is marked production"
	for _, row := range []struct {
		name, applyTo string
		world         func(*World)
		want          string
	}{
		{"by name, and another production environment", "[{env: prod}]", two, eu},
		{"by a glob of names", "[{env: \"pro?\"}]", two, eu},
		{"by production", "[{production: true}]", two, ""},
		{"by image", "[{env: prod}, {image: ghcr.io/acme/*}]", two, ""},
		{"by name, and no other", "[{env: prod}]", func(*World) {}, ""},
		{"by the name of another kind of environment", "[{env: staging}]", two, ""},
		{"by production, and nothing is marked", "[{production: true}]", unmarked, nowhere},
		{"by production or by name, and nothing is marked", "[{production: true}, {env: prod}]", unmarked, nowhere},
		{"by what is no production", "[{production: false}]", unmarked, ""},
		{"by production, in a repository without environments", "[{production: true}]", func(w *World) { w.Environments = nil }, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := ours()
			row.world(&w)
			floor := mustLoad(t, World{Floor: true}, policyDoc("org", "applyTo: "+row.applyTo))
			joined, ps := Join(floor, &Set{World: w})
			if joined == nil {
				t.Fatal(ps)
			}
			if got := ps.Error(); row.want == "" && got != "" || !strings.HasPrefix(got, row.want) {
				t.Errorf("got %s, want %s", got, row.want)
			}
		})
	}
}
