package policy

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/policy/approval"
	"github.com/pinnace-dev/pinnace/internal/policy/condition"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// TestMoreEdgeCases are those of the list of 58 that come from outside: comments, forks,
// cancelled requests, lists that end too early, other Apps, clocks.
func TestMoreEdgeCases(t *testing.T) {
	zero := policyDoc("zero", "applyTo: [{env: prod}]")
	freeze := zero + "\n---\napiVersion: pinnace.dev/v1alpha1\nkind: Freeze\nname: night\nenvironments: [prod]\nwindow: {cron: \"30 2 * * *\", duration: 1h, zone: Europe/Berlin}\nreason: backups\nowner: dave\n"
	at := func(s string) func(*Input) {
		return func(in *Input) {
			var err error
			if in.Now, err = time.Parse(time.RFC3339, s); err != nil {
				t.Fatal(err)
			}
			in.Soak = 0
		}
	}
	runDecided(t, []decided{
		{"09 a comment that says it approves", "", func(in *Input) {
			in.Reviews[1] = review(erin, promotion.Commented, time.Hour)
			in.Reviews[1].Body = "/approve LGTM \U0001F44D"
		}, waiting, "1 of 2 approvals"},
		{"10 a /deploy that somebody edited since", "", func(in *Input) {
			in.Deploy = Deploy{DeployCommand, []DeployAsk{{By: alice, At: now.Add(-time.Minute), Edited: true}}}
		}, waiting, "it was edited"},
		{"10 the edited one voids itself alone", "", func(in *Input) {
			in.Deploy = Deploy{DeployCommand, []DeployAsk{{By: alice, At: now.Add(-2 * time.Minute), Edited: true}, {By: alice, At: now.Add(-time.Minute)}}}
		}, passed, "alice said /deploy"},
		{"10 a /break-glass that somebody edited since", policyDoc("six", "approverCount: 6\napplyTo: [{env: prod}]"), func(in *Input) {
			in.Emergency = []BreakGlass{{By: dave, At: now.Add(-time.Minute), Reason: "the shop is down", Seal: "seal", Edited: true}}
		}, waiting, "2 of 6 approvals"},
		{"28 commits that could not all be read", "", func(in *Input) { in.AuthorUnknown = true }, denied, "a commit is of nobody that GitHub knows"},
		{"28 teams that could not all be read", "", func(in *Input) {
			in.Request.Teams = Fact[[]string]{}
			in.Set = mustLoad(t, shopWorld(), policyDoc("team", "passCondition: '!(\"acme/interns\" in requester.teams)'\napplyTo: [{env: prod}]"))
		}, unknown, "requester.teams is unknown"},
		{"37 who approved asks afterwards", "", func(in *Input) { in.Request.By = append(in.Request.By, carol) }, waiting, "1 of 2 approvals"},
		{"37 and after that somebody else asks", "", func(in *Input) { in.Request.By = append(in.Request.By, carol, dave) }, waiting, "1 of 2 approvals"},
		{"37 who asked approves under another login", "", func(in *Input) {
			renamed := alice
			renamed.Login = "alice-second"
			in.Reviews[0] = approves(renamed, time.Hour)
		}, waiting, "1 of 2 approvals"},
		{"37 who approved wrote a commit of the pull request", "", func(in *Input) { in.Authors = []promotion.Identity{erin} }, waiting, "1 of 2 approvals"},
		{"37 who asked also built, and either flag alone bars nobody else", policyDoc("two", "approverCount: 2\nallowRequestFromApprove: true\napplyTo: [{env: prod}]"), func(in *Input) {
			in.Request.By = []promotion.Identity{bob}
			in.Reviews[0] = approves(bob, time.Hour)
		}, waiting, "1 of 2 approvals"},
		{"47 a freeze whose beginning the clock skips begins when it is put forward", freeze, at("2026-03-29T01:15:00Z"), waiting, "freeze night holds: backups"},
		{"47 before the clock is put forward it does not hold", freeze, at("2026-03-29T00:59:00Z"), passed, "freeze night does not hold now"},
		{"47 in summer it is an hour earlier in UTC", freeze, at("2026-07-01T00:45:00Z"), waiting, "freeze night holds"},
		{"47 in winter it is not", freeze, at("2026-12-01T00:45:00Z"), passed, "freeze night does not hold now"},
		{"47 when the clock is put back it begins once", freeze, at("2026-10-25T00:45:00Z"), waiting, "freeze night holds"},
		{"51 a gate that another App calls green is not believed", "", func(in *Input) {
			in.Sources[0].Gates[0].Verdicts = Known([]Verdict{{App: "forger", State: "success", At: now.Add(-time.Hour)}})
		}, waiting, "that of forger is not believed"},
		{"51 a newer one of another App changes nothing", "", func(in *Input) {
			g := &in.Sources[0].Gates[0]
			g.Verdicts.Value = append(g.Verdicts.Value, Verdict{App: "forger", State: "failure", At: now.Add(-time.Minute)})
		}, passed, "deployment staging by argo-cd is green"},
		{"53 a head in a fork is no promotion of ours", "", func(in *Input) { in.Fork = true }, denied, "the head is in a fork"},
		{"53 not even with the right bytes and an admin's break-glass", "", func(in *Input) {
			in.Fork = true
			in.Emergency = []BreakGlass{{By: dave, At: now.Add(-time.Minute), Reason: "the shop is down", Seal: "seal"}}
		}, denied, "the head is in a fork"},
		{"53 a person's pull request from a fork is one by hand", "", func(in *Input) {
			in.Fork, in.Kind, in.Deploy.Mode = true, promotion.ByHand, DeployButton
		}, passed, "2 of 2 approvals"},
		{"55 a request that was cancelled", "", func(in *Input) { in.Cancelled = true }, denied, "the request was cancelled"},
		{"55 break-glass does not ask again", "", func(in *Input) {
			in.Cancelled = true
			in.Emergency = []BreakGlass{{By: dave, At: now.Add(-time.Minute), Reason: "the shop is down", Seal: "seal"}}
		}, denied, "the request was cancelled"},
		{"57 a revert is a pull request by hand, and direct", policyDoc("two", "approverCount: 2\npromotions: [sequential]\napplyTo: [{env: prod}]"), func(in *Input) {
			in.Kind, in.Deploy.Mode, in.Request = promotion.ByHand, DeployButton, Request{By: []promotion.Identity{alice}, At: now.Add(-time.Hour)}
			in.Changes[0].Old, in.Changes[0].New, in.Changes[0].Stands = in.Changes[0].New, in.Changes[0].Old, Known([]string{})
		}, denied, "no policy of prod governs direct promotions"},
	})
}

// TestOrder: 50, events that come twice, late or in another order come to the same decision.
func TestOrder(t *testing.T) {
	in := promote(t, twoPeople)
	in.Reviews = append(in.Reviews, review(dave, promotion.ChangesRequested, 3*time.Hour), approves(dave, time.Minute), review(bob, promotion.Commented, time.Minute))
	in.Moments = []promotion.Moment{{Event: "closed", At: now.Add(-time.Hour)}, {Event: "reopened", At: now.Add(-time.Hour)}}
	in.Deploy = Deploy{DeployCommand, []DeployAsk{{By: alice, At: now.Add(-2 * time.Hour)}, {By: alice, At: now.Add(-30 * time.Second)}}}
	want := Decide(in)
	if want.Status != passed {
		t.Fatal(render(want))
	}
	for name, change := range map[string]func(){
		"50 in another order": func() {
			slices.Reverse(in.Reviews)
			slices.Reverse(in.Moments)
			slices.Reverse(in.Deploy.Asks)
		},
		"50 twice": func() {
			in.Reviews = append(in.Reviews, in.Reviews...)
			in.Moments = append(in.Moments, in.Moments...)
		},
	} {
		change()
		if diff := cmp.Diff(render(want), render(Decide(in))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestEdgeCasesAreNamed: each of the 58 that is judged from facts has a test of its number.
// The others are of the merge: 21 to 23, 25 to 27.
func TestEdgeCasesAreNamed(t *testing.T) {
	merging := []int{21, 22, 23, 25, 26, 27}
	named := map[int]bool{}
	number := regexp.MustCompile(`"(\d\d) [a-zA-Z/]`)
	for _, dir := range []string{".", "approval"} {
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if !strings.HasSuffix(f.Name(), "_test.go") {
				continue
			}
			text, err := os.ReadFile(dir + "/" + f.Name())
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range number.FindAllSubmatch(text, -1) {
				n, _ := strconv.Atoi(string(m[1]))
				named[n] = true
			}
		}
	}
	for n := 1; n <= 58; n++ {
		if !named[n] && !slices.Contains(merging, n) {
			t.Errorf("no test is named %02d", n)
		}
	}
}

// TestTagByHand: a tag that a person typed beside the digest of another build meets no
// condition.
func TestTagByHand(t *testing.T) {
	semver := policyDoc("semver", "passCondition: isSemver(containerImageTag)\napplyTo: [{env: prod}]")
	hand := func(change func(*Change)) func(*Input) {
		return func(in *Input) {
			in.Kind, in.Deploy.Mode = promotion.ByHand, DeployButton
			change(&in.Changes[0])
		}
	}
	moved := hand(func(c *Change) { c.TagNow = Known(oldDigest) })
	const lacks = "what tag 1.5.0 of ghcr.io/acme/shop means"
	const now = lacks + " (it is now sha256:111111111111)"
	filter := "apiVersion: pinnace.dev/v1alpha1\nkind: FilterCondition\nname: f\npassCondition: isSemver(image.tag)\nenvironments: [prod]\n"
	rows := []decided{
		{"the tag means the digest", semver, hand(func(c *Change) { c.TagNow = Known(newDigest) }), passed, "the pass condition of semver is true"},
		{"the tag means another digest", semver, moved, unknown, now + " is unknown"},
		{"nobody knows what the tag means", semver, hand(func(*Change) {}), unknown, lacks + " is unknown"},
		{"the pair stands in an environment", semver, hand(func(c *Change) { c.TagNow, c.TagStands = Known(oldDigest), Is(true) }), passed, "the pass condition of semver is true"},
		{"the digest stands there, and not under this tag", semver, hand(func(c *Change) { c.TagNow, c.TagStands = Known(oldDigest), Is(false) }), unknown, now},
		{"Pinnace wrote the tag", semver, func(in *Input) { in.Changes[0].TagNow = Known(oldDigest) }, passed, "the pass condition of semver is true"},
		{"a digest alone has no tag, for certain", semver, hand(func(c *Change) { c.New.Tag = "" }), denied, "does not meet the pass condition of semver"},
		{"a tag alone is what it says", semver, hand(func(c *Change) { c.New.Digest = "" }), passed, "the pass condition of semver is true"},
		{"a filter, where no policy is bound", filter, moved, unknown, now},
		{"a condition that does not ask for the tag", policyDoc("here", "passCondition: image.repository == \"ghcr.io/acme/shop\"\napplyTo: [{env: prod}]"), moved, passed, "the pass condition of here is true"},
		{"tags that the registry has are no claim", policyDoc("tags", "passCondition: '\"1.5.0\" in imageLabels'\napplyTo: [{env: prod}]"), moved, passed, "the pass condition of tags is true"},
	}
	for _, condition := range []string{
		`containerImage.endsWith(":1.5.0")`, `containerImageTag != "latest"`, `image.tag != ""`, `change.kind == "minor"`, `images.all(i, i.tag != "")`, `images[0].tag != ""`,
		`has(image.tag)`, `image.?tag.orValue("x") == "1.5.0"`,
	} {
		rows = append(rows,
			decided{"pass " + condition, policyDoc("p", "passCondition: '"+condition+"'\napplyTo: [{env: prod}]"), moved, unknown, now},
			decided{"fail " + condition, policyDoc("p", "failCondition: '!("+condition+")'\napplyTo: [{env: prod}]"), moved, unknown, now},
		)
	}
	runDecided(t, rows)

	// Of two images each doubt is its own.
	in := promote(t, policyDoc("p", "passCondition: images.all(i, i.tag != \"\")\napplyTo: [{env: prod}]"))
	second := in.Changes[0]
	second.New.Tag, second.Path = "1.6.0", "envs/prod/second.yaml"
	in.Changes = append(in.Changes, second)
	in.Kind, in.Deploy.Mode = promotion.ByHand, DeployButton
	in.Changes[0].TagNow, in.Changes[1].TagNow = Known(newDigest), Known(oldDigest)
	if d := Decide(in); d.Status != unknown {
		t.Errorf("got %s:\n%s", d.Status, render(d))
	} else if _, ok := find(d.Results, unknown, "what tag 1.6.0 of ghcr.io/acme/shop means"); !ok {
		t.Errorf("the second's tag is not named:\n%s", render(d))
	}
}

// TestRequester: who asked last is held to the role, a machine by its own permission.
func TestRequester(t *testing.T) {
	ignore := policyDoc("two", "approverCount: 2\nunknownRequester: ignore\napplyTo: [{env: prod}]")
	machine := promotion.Identity{ID: 20, Login: "deploy-machine"}
	by := func(permission promotion.Permission, who ...promotion.Identity) func(*Input) {
		return func(in *Input) {
			in.Request.By = who
			p := in.People[who[len(who)-1].ID]
			p.Permission = permission
			in.People[who[len(who)-1].ID] = p
		}
	}
	service := func(permission promotion.Permission) func(*Input) {
		return func(in *Input) {
			in.Request.By = []promotion.Identity{machine}
			in.People[machine.ID] = approval.Person{Permission: permission, ServiceAccount: true}
		}
	}
	listed := func(names ...string) func(*Input) {
		return func(in *Input) {
			in.Request.By = []promotion.Identity{ci}
			in.Set.World.Grants = []Grant{{Role: Requester, Permission: promotion.PermissionWrite, Users: names, Line: 1}}
		}
	}
	runDecided(t, []decided{
		{"a bot with write", ignore, by(promotion.PermissionWrite, ci), passed, "who asked holds the role requester"},
		{"a bot that reads", ignore, by(promotion.PermissionRead, ci), denied, "ci[bot] does not hold the role requester"},
		{"a bot of which nothing is known", ignore, func(in *Input) { in.Request.By = []promotion.Identity{ci}; delete(in.People, ci.ID) }, unknown, "nobody knows whether ci[bot] holds the role requester"},
		{"a bot that is listed", ignore, listed("ci[bot]"), passed, "who asked holds the role requester"},
		{"a bot beside the list", ignore, listed("alice"), denied, "ci[bot] does not hold the role requester"},
		{"a bot that holds the role names nobody", "", by(promotion.PermissionWrite, ci), denied, "who asked is unknown"},
		{"a service account with write", ignore, service(promotion.PermissionWrite), passed, "who asked holds the role requester"},
		{"a service account that reads", ignore, service(promotion.PermissionRead), denied, "deploy-machine does not hold the role requester"},
		{"of several the newest is judged: who may not", "", by(promotion.PermissionRead, alice, dave), denied, "dave does not hold the role requester"},
		{"of several the newest is judged: one before who may no longer", "", func(in *Input) {
			in.Request.By = []promotion.Identity{alice, dave}
			in.People[alice.ID] = approval.Person{Permission: promotion.PermissionRead}
		}, passed, "who asked holds the role requester"},
		{"a bot that asks again for a person", "", by(promotion.PermissionNone, alice, ci), denied, "ci[bot] does not hold the role requester"},
		{"a deleted account", "", func(in *Input) {
			in.Request.By = []promotion.Identity{dave}
			in.People[dave.ID] = approval.Person{Ghost: true}
		}, denied, "dave does not hold the role requester"},
		{"an account without a number", "", func(in *Input) { in.Request.By = []promotion.Identity{{Login: "alice"}} }, unknown, "nobody knows which account alice is, who asked"},
		{"an account without anything", "", func(in *Input) { in.Request.By = []promotion.Identity{{}} }, denied, "who asked is unknown"},
		{"an account without anything, where that is ignored", ignore, func(in *Input) { in.Request.By = []promotion.Identity{{}} }, unknown, "nobody knows which account asked"},
		{"an automatic promotion needs no role", "", func(in *Input) { in.Request.Auto, in.Request.By = true, []promotion.Identity{frank} }, passed, "2 of 2 approvals"},
	})
}

// TestMore: the highest count that holds is needed, and what nobody can say is unknown.
func TestMore(t *testing.T) {
	more := func(items string) string {
		return policyDoc("m", "approverCount: 1\nmore:\n"+items+"applyTo: [{env: prod}]\n")
	}
	item := func(when, count string) string { return "  - {when: '" + when + "', approverCount: " + count + "}\n" }
	lacks := func(in *Input) { in.Changes[0].Image.Size = Fact[int64]{} }
	kind := func(k promotion.Kind) func(*Input) {
		return func(in *Input) {
			in.Kind = k
			in.Rollback = RollbackFacts{Stood: Is(true), Verified: Is(true)}
		}
	}
	three := more(item("true", "3"))
	runDecided(t, []decided{
		{"a condition that holds", three, nil, waiting, "2 of 3 approvals"},
		{"a condition that does not", more(item("request.hotfix", "3")), nil, passed, "1 of 1 approval"},
		{"the highest that holds", more(item("true", "2") + item("true", "4") + item("request.hotfix", "6")), nil, waiting, "2 of 4 approvals"},
		{"enough approvals", more(item("true", "2")), nil, passed, "2 approvals where true: it holds for ghcr.io/acme/shop:1.5.0"},
		{"never fewer", policyDoc("m", "approverCount: 3\nmore: [{when: \"true\", approverCount: 3}]\napplyTo: [{env: prod}]"), nil, waiting, "2 of 3 approvals"},
		{"nobody can say", more(item("image.size > 10", "2")), lacks, unknown, "nobody can say whether ghcr.io/acme/shop:1.5.0@sha256:222222222222 needs 2 approvals: image.size is unknown"},
		{"an expression that errs", more(item("image.labels[\"gone\"] == \"x\"", "2")), nil, unknown, "no such key"},
		{"nobody can say, and a higher number holds for certain", more(item("image.size > 10", "2") + item("true", "3")), lacks, waiting, "2 of 3 approvals"},
		{"nobody can say whether it is higher", more(item("image.size > 10", "3") + item("true", "2")), lacks, unknown, "needs 3 approvals"},
		{"one image is enough, whatever is unknown of another", more(item("image.size > 10", "3")), func(in *Input) {
			in.Changes[0].Image.Size = Known(int64(11))
			other := in.Changes[0]
			other.New.Tag, other.Image.Size = "1.6.0", Fact[int64]{}
			in.Changes = []Change{other, in.Changes[0]}
		}, waiting, "2 of 3 approvals"},
		{"a zero is raised, too", policyDoc("m", "promotions: [sequential]\nmore: [{when: \"true\", approverCount: 3}]\napplyTo: [{env: prod}]"), nil, waiting, "2 of 3 approvals"},
		{"a pin is asked no condition", three, func(in *Input) {
			in.Kind = promotion.Pin
			in.Changes[0].Old = ref("ghcr.io/acme/shop:1.5.0")
		}, passed, "1 of 1 approval"},
		{"a pin that changes the tag is asked", three, kind(promotion.Pin), waiting, "2 of 3 approvals"},
		{"a removal is asked none", three, func(in *Input) {
			in.Kind, in.Deploy.Mode = promotion.ByHand, DeployButton
			in.Changes[0].New, in.Changes[0].NewApp = ref("x"), ""
			in.Changes[0].New.Name = ""
		}, passed, "1 of 1 approval"},
		{"what cannot be read is asked for the highest", more(item("request.hotfix", "3") + item("image.size > 10", "2")), func(in *Input) {
			in.Kind, in.Deploy.Mode = promotion.ByHand, DeployButton
			in.Opaque = []Opaque{{Path: "envs/prod/kustomization.yaml", What: "a JSON patch", Apps: []string{"shop"}}}
		}, waiting, "2 of 3 approvals"},
		{"what cannot be read and is excepted is not asked", more(item("request.hotfix", "3")) + "exceptions: [{path: envs/prod/kustomization.yaml, reason: no image, expires: 2026-12-01}]\n", func(in *Input) {
			in.Kind, in.Deploy.Mode = promotion.ByHand, DeployButton
			in.Opaque = []Opaque{{Path: "envs/prod/kustomization.yaml", What: "a JSON patch", Apps: []string{"shop"}}}
		}, passed, "1 of 1 approval"},
		{"a rollback inherits it", three + "rollback: {approverCount: 0}\n", kind(promotion.Rollback), waiting, "2 of 3 approvals"},
		{"a rollback without it", three + "rollback: {more: []}\n", kind(promotion.Rollback), passed, "1 of 1 approval"},
		{"a rollback of its own", policyDoc("m", "approverCount: 6\nrollback: {approverCount: 1, more: [{when: isProdEnv, approverCount: 3}]}\napplyTo: [{env: prod}]"), kind(promotion.Rollback), waiting, "2 of 3 approvals"},
		{"break-glass waives it", more(item("image.size > 10", "2")), func(in *Input) {
			lacks(in)
			in.Emergency = []BreakGlass{{By: dave, At: now.Add(-time.Minute), Reason: "the shop is down", Seal: "seal"}}
		}, passed, ""},
		{"a /deploy before the raised count", more(item("true", "2")), func(in *Input) {
			in.Deploy = Deploy{DeployCommand, []DeployAsk{{By: alice, At: now.Add(-90 * time.Minute)}}}
		}, waiting, "it is not newer than the last needed approval"},
		{"no approver deploys where the count was raised from zero", policyDoc("m", "promotions: [sequential]\nmore: [{when: \"true\", approverCount: 2}]\napplyTo: [{env: prod}]"), func(in *Input) {
			in.Deploy = Deploy{DeployCommand, []DeployAsk{{By: carol, At: now.Add(-time.Minute)}}}
		}, waiting, "carol approved, and policy m lets no approver deploy"},
	})

	// The result stands where the number is written, and time alone may change it.
	in := promote(t, more(item("now.getDayOfWeek() == 3", "3")))
	d := Decide(in)
	r, ok := find(d.Results, waiting, "2 of 3 approvals")
	if !ok || r.Line != 6 || d.Recheck.IsZero() || d.Recheck.After(now.Add(tick)) {
		t.Errorf("line %d, recheck %s:\n%s", r.Line, d.Recheck, render(d))
	}
	in.Now = in.Now.Add(24 * time.Hour)
	if d := Decide(in); d.Status != passed {
		t.Errorf("on another day: %s:\n%s", d.Status, render(d))
	}
	if c, _ := condition.Compile("true || approvals.size() > 0"); c == nil || !c.Reads("approvals") || c.Reads("now") {
		t.Error("what a condition reads, on whatever path")
	}
}
