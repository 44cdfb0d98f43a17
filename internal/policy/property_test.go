package policy

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/policy/approval"
	"github.com/pinnace-dev/pinnace/internal/policy/condition"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A dice chooses, from a seed.
type dice struct{ *rand.Rand }

func roll(seed uint64) dice { return dice{rand.New(rand.NewPCG(seed, 1))} }

func pick[T any](d dice, from ...T) T { return from[d.IntN(len(from))] }

func (d dice) yes() bool { return d.IntN(2) == 0 }

// documents are some policies, none of whose conditions speaks of approvals.
func (d dice) documents() []string {
	var docs []string
	for i := range d.IntN(4) {
		body := fmt.Sprintf("approverCount: %d\nallowRequestFromApprove: %t\nallowImageBuilderFromApprove: %t\nallowApproverFromDeploy: %t\n", d.IntN(4), d.yes(), d.yes(), d.yes())
		body += "promotions: " + pick(d, "[direct]", "[sequential]", "[direct, sequential]") + "\n"
		body += pick(d, "", "", "forbid: [direct]\n") + pick(d, "", "bypassSoak: true\n") + pick(d, "", "unknownBuilder: ignore\n", "unknownRequester: ignore\n")
		body += pick(d, "", "rollback: {approverCount: 1}\n", "approvers: {teams: [acme/release]}\n", "approvalTTL: 90m\n")
		body += pick(d, "", "", "passCondition: isSemver(containerImageTag)\n", "passCondition: image.size < 10\n", "failCondition: '\"1.5.0\" in imageLabels'\n")
		body += pick(d, "", "", "more: [{when: request.hotfix, approverCount: 3}]\n", "more: [{when: image.size > 1, approverCount: 2}, {when: 'image.tag == \"1.5.0\"', approverCount: 4}]\n")
		docs = append(docs, policyDoc(fmt.Sprintf("p%d", i), body+"applyTo: ["+pick(d, "{env: prod}", "{app: shop, env: prod}", "{production: true}", "{env: dev}")+"]\n"))
	}
	if d.IntN(4) == 0 {
		docs = append(docs, "apiVersion: pinnace.dev/v1alpha1\nkind: Freeze\nname: f\nproduction: true\nwindow: {cron: \"0 11 * * *\", duration: "+pick(d, "30m", "2h")+"}\nreason: r\nowner: dave\n")
	}
	return docs
}

// input is a change of which much is at random.
func (d dice) input(t testing.TB, docs []string) Input {
	in := promote(t, strings.Join(append(docs, "apiVersion: pinnace.dev/v1alpha1\nkind: PullImageDigestPolicy\nenvironments: [dev]\n"), "\n---\n"))
	in.Kind = pick(d, promotion.Pin, promotion.Update, promotion.Promotion, promotion.Promotion, promotion.Rollback, promotion.ByHand)
	answer := func() Answer { return pick(d, approval.Yes, approval.Yes, approval.Yes, approval.No, approval.Unknown) }
	in.Seal.Intact, in.Checks.Config, in.Changes[0].Exists = answer(), answer(), answer()
	in.Rollback = RollbackFacts{answer(), answer()}
	in.Draft = d.IntN(9) == 0
	in.Request.Auto, in.Request.Bot, in.Request.Unknown = d.IntN(4) == 0, d.IntN(9) == 0, d.IntN(9) == 0
	in.Request.By = pick(d, nil, []promotion.Identity{alice}, []promotion.Identity{carol, alice}, []promotion.Identity{ci})
	in.Changes[0].Image.Builder = pick(d, Fact[condition.Builder]{}, Known(condition.Builder{Users: []promotion.Identity{bob}}), Known(condition.Builder{Users: []promotion.Identity{erin}}))
	in.Changes[0].Stands = pick(d, Fact[[]string]{}, Known([]string{"staging"}), Known([]string{"staging"}), Known([]string{"dev"}))
	in.Changes[0].TagNow = pick(d, Fact[image.Digest]{}, Known(oldDigest), Known(newDigest))
	in.Changes[0].TagStands = answer()
	in.Deploy.Mode = pick(d, DeployAuto, DeployButton, DeployCommand)
	everybody := []promotion.Identity{alice, bob, carol, dave, erin, frank, ci}
	in.Reviews = nil
	for range d.IntN(8) {
		in.Reviews = append(in.Reviews, review(pick(d, everybody...), pick(d, promotion.Approved, promotion.Approved, promotion.Approved, promotion.ChangesRequested, promotion.Commented), time.Duration(d.IntN(200))*time.Minute))
	}
	for range d.IntN(3) {
		in.Deploy.Asks = append(in.Deploy.Asks, DeployAsk{By: pick(d, everybody...), At: now.Add(-time.Duration(d.IntN(100)) * time.Minute), Edited: d.IntN(5) == 0})
	}
	if d.IntN(5) == 0 {
		in.Emergency = []BreakGlass{{By: pick(d, dave, carol), At: now.Add(-time.Minute), Reason: pick(d, "down", ""), Seal: pick(d, "seal", "old")}}
	}
	if d.IntN(3) == 0 {
		c := in.Changes[0]
		c.Path, c.New = "envs/prod/worker.yaml", ref("ghcr.io/acme/shop-worker:1.5.0@"+string(newDigest))
		in.Changes = append(in.Changes, c)
	}
	if d.IntN(5) == 0 {
		in.Changes[0].New, in.Changes[0].NewApp = image.Ref{}, ""
	}
	if d.IntN(5) == 0 {
		in.Opaque = []Opaque{{Path: "envs/prod/kustomization.yaml", What: "a JSON patch", Apps: []string{"shop"}}}
	}
	return in
}

var moreLine = regexp.MustCompile(`(?m)^more: .*\n`)

// invariants are what every decision holds.
func invariants(t *testing.T, seed uint64) {
	d := roll(seed)
	docs := d.documents()
	in := d.input(t, docs)
	was := Decide(in)
	fail := func(what string, in Input, now promotion.Decision) {
		t.Helper()
		t.Errorf("seed %d: %s\nbefore:\n%s\nafter:\n%s", seed, what, render(was), render(now))
	}
	if got := Decide(in); cmp.Diff(got, was) != "" {
		fail("the same input gives another decision", in, got)
	}

	// The order of reviews, asks, changes and policies decides nothing.
	other := in
	other.Reviews = slices.Clone(in.Reviews)
	d.Shuffle(len(other.Reviews), func(i, j int) { other.Reviews[i], other.Reviews[j] = other.Reviews[j], other.Reviews[i] })
	other.Deploy.Asks = slices.Clone(in.Deploy.Asks)
	slices.Reverse(other.Deploy.Asks)
	other.Changes = slices.Clone(in.Changes)
	slices.Reverse(other.Changes)
	set := *in.Set
	set.Promotions = slices.Clone(in.Set.Promotions)
	slices.Reverse(set.Promotions)
	other.Set = &set
	if got := Decide(other); got.Status != was.Status || !got.Recheck.Equal(was.Recheck) {
		fail("the order decides", other, got)
	}

	// A fail condition that is met denies, whatever else holds.
	fails := in
	fails.Set = mustLoad(t, shopWorld(), strings.Join(append(slices.Clone(docs), policyDoc("never", "failCondition: \"true\"\napplyTo: [{env: prod}]")), "\n---\n"))
	eligible := slices.ContainsFunc(in.Changes, func(c Change) bool { return !c.Removal() }) && in.Kind != promotion.Pin
	if got := Decide(fails); eligible && got.Status != promotion.Denied {
		fail("a fail condition does not win", fails, got)
	}

	if was.Status == promotion.Passed {
		// What passes with more approvals passes where none are asked besides.
		plain := slices.Clone(docs)
		for i, text := range plain {
			plain[i] = moreLine.ReplaceAllString(text, "")
		}
		fewer := in
		fewer.Set = mustLoad(t, shopWorld(), strings.Join(append(plain, "apiVersion: pinnace.dev/v1alpha1\nkind: PullImageDigestPolicy\nenvironments: [dev]\n"), "\n---\n"))
		if got := Decide(fewer); got.Status != promotion.Passed {
			fail("more asks for less", fewer, got)
		}
		return
	}
	// What does not pass does not pass with a veto more or an approval less.
	vetoed := in
	vetoed.Reviews = append(slices.Clone(in.Reviews), review(pick(d, carol, dave, erin), promotion.ChangesRequested, 0))
	if got := Decide(vetoed); got.Status == promotion.Passed {
		fail("a veto approves", vetoed, got)
	}
	for i, r := range in.Reviews {
		if r.As != promotion.Approved || slices.ContainsFunc(in.Reviews, func(o approval.Review) bool {
			return o.Author == r.Author && o.As == promotion.ChangesRequested
		}) {
			continue // without it, an older review of its author would speak
		}
		less := in
		less.Reviews = slices.Delete(slices.Clone(in.Reviews), i, i+1)
		// Fewer approvals bring the last needed one forward only where one that is not the
		// author's is needed no longer, and make an approver a deployer again.
		less.Deploy.Asks = slices.DeleteFunc(slices.Clone(in.Deploy.Asks), func(a DeployAsk) bool { return a.By == r.Author })
		if got := Decide(less); got.Status == promotion.Passed {
			fail(fmt.Sprintf("without the approval of %s it passes", r.Author.Login), less, got)
		}
	}
	// An approval of somebody who may not approve changes nothing.
	ineligible := in
	ineligible.People = people()
	reader := promotion.Identity{ID: 50, Login: "reader"}
	ineligible.People[reader.ID] = approval.Person{Permission: promotion.PermissionRead, Teams: in.People[frank.ID].Teams}
	ineligible.Reviews = append(slices.Clone(in.Reviews), approves(pick(d, reader, promotion.Identity{ID: 51, Login: "x[bot]", Bot: true}), 0))
	if got := Decide(ineligible); got.Status != was.Status {
		fail("an ineligible approval changes the verdict", ineligible, got)
	}
}

func TestInvariants(t *testing.T) {
	passes := 0
	for seed := range uint64(300) {
		d := roll(seed)
		if Decide(d.input(t, d.documents())).Status == promotion.Passed {
			passes++
		}
		invariants(t, seed)
		if t.Failed() {
			return
		}
	}
	if passes < 10 {
		t.Errorf("only %d of the inputs pass: the others prove little", passes)
	}
}

func FuzzDecide(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed)
	}
	f.Fuzz(invariants)
}

// FuzzLoad: any bytes give a set or problems that can be shown.
func FuzzLoad(f *testing.F) {
	for _, kind := range Kinds() {
		f.Add([]byte("apiVersion: pinnace.dev/v1alpha1\nkind: " + kind + "\nname: a\n"))
	}
	f.Add([]byte(applyPolicy))
	f.Add([]byte(floorDocs))
	f.Add([]byte(policyDoc("a", "passCondition: >-\n  isProdEnv\n  && bad\napplyTo: [&a {env: prod}, *a]")))
	f.Add([]byte("a: &a {b: *a}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		set, ps := Load(documents("f.yaml", data), shopWorld())
		if (set == nil) != ps.HasErrors() {
			t.Fatalf("set %v with problems %v", set, ps)
		}
		for _, p := range ps {
			if p.File != "f.yaml" || p.Line < 1 || p.Column < 1 || p.Message == "" || strings.ContainsAny(p.Message, "\n\r\x1b") {
				t.Errorf("problem without place, or that cannot be shown: %+v", p)
			}
			for _, never := range []string{"is not valid", "cannot be read: ", "cannot be validated", "does not compile"} {
				if strings.Contains(p.Message, never) {
					t.Errorf("nobody explained: %s", p)
				}
			}
		}
		if set == nil {
			return
		}
		in := promote(t, twoPeople)
		in.Set = set
		if d := Decide(in); d.Status == "" || d.Summary == "" {
			t.Errorf("no decision: %+v", d)
		}
	})
}

// TestMemory: decisions leave nothing behind.
func TestMemory(t *testing.T) {
	in := promote(t, manyPolicies(3))
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	for range 100 {
		Decide(in)
	}
	before := heap()
	for range 10_000 {
		Decide(in)
	}
	if after := heap(); after > before+1<<20 {
		t.Errorf("10,000 decisions keep %d bytes", after-before)
	}
}

// TestTogether joins the decisions on two environments.
func TestTogether(t *testing.T) {
	a := Decide(promote(t, twoPeople))
	in := promote(t, twoPeople)
	in.Reviews = in.Reviews[:1]
	b := Decide(in)
	d := Together([]string{"prod", "dr"}, []promotion.Decision{a, b})
	if d.Status != waiting || len(d.Results) != 2 || d.Results[1].Title != "dr: waiting: 1 of 2 approvals" || len(d.Approvals) != 2 || d.Summary != "waiting: 1 of 2 approvals" {
		t.Errorf("got %+v", d)
	}
	if one := Together([]string{"prod"}, []promotion.Decision{b}); cmp.Diff(one, b) != "" {
		t.Errorf("one alone: got %+v", one)
	}
	if none := Together(nil, nil); none.Status != passed {
		t.Errorf("none: got %s", none.Status)
	}
}

// applyPolicy is the example of the documentation whose names Pinnace keeps, verbatim.
const applyPolicy = `apiVersion: v1
kind: artifactPromotionPolicy
spec:
  payload:
    applicationEnvironments:
      - appName: "app1"
        envName: "env-demo"
      - appName: "app1"
        envName: "env-staging"
      - appName: "app2"
        envName: "env-demo"
    applyToPolicyNames:
      - "example-policy"
`
