package policy

import (
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/policy/approval"
	"github.com/pinnace-dev/pinnace/internal/policy/condition"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A decided is one row: what differs from a promotion of which all holds, and what comes of it.
type decided struct {
	name   string
	docs   string // "" for twoPeople
	change func(*Input)
	want   promotion.Status
	says   string // in the title of some result with that status
}

func runDecided(t *testing.T, rows []decided) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			docs := row.docs
			if docs == "" {
				docs = twoPeople
			}
			in := promote(t, docs)
			if row.change != nil {
				row.change(&in)
			}
			d := Decide(in)
			if d.Status != row.want {
				t.Errorf("got %s, want %s", d.Status, row.want)
			}
			if _, ok := find(d.Results, row.want, row.says); !ok {
				t.Errorf("no %s result says %q", row.want, row.says)
			}
			if row.want != promotion.Passed && !strings.HasPrefix(d.Summary, string(row.want)+": ") {
				t.Errorf("summary %q", d.Summary)
			}
			explained(t, d.Results)
			if t.Failed() {
				t.Log("\n" + render(d))
			}
		})
	}
}

// explained holds each result that stands in the way to saying who can change it and how.
func explained(t *testing.T, results []promotion.Result) {
	t.Helper()
	for _, r := range results {
		if r.Title == "" || r.Rule == "" || r.Status == "" || strings.ContainsAny(r.Title+r.Seen+r.Wanted+r.Who+r.Next, "\n\r") {
			t.Errorf("result without words, or of several lines: %+v", r)
		}
		blocks := r.Status == promotion.Waiting || r.Status == promotion.Denied || r.Status == promotion.Unknown
		if blocks && len(r.Children) == 0 && r.Rule != "approval" && (r.Next == "" || r.Who == "" && r.Status != promotion.Unknown) {
			t.Errorf("%s %s does not say who can change it and how: %+v", r.Status, r.Rule, r)
		}
		if r.Status == promotion.Unknown && len(r.Children) == 0 && len(r.Missing) == 0 {
			t.Errorf("unknown %s does not name the fact: %+v", r.Rule, r)
		}
		explained(t, r.Children)
	}
}

const (
	passed  = promotion.Passed
	waiting = promotion.Waiting
	unknown = promotion.Unknown
	denied  = promotion.Denied
)

func policyDoc(name, body string) string {
	return "apiVersion: pinnace.dev/v1alpha1\nkind: ImagePromotionPolicy\nname: " + name + "\n" + body
}

// TestEdgeCases are those of the list of 58 that are judged here and are not counting.
func TestEdgeCases(t *testing.T) {
	frozen := func(window string) string {
		return twoPeople + "---\napiVersion: pinnace.dev/v1alpha1\nkind: Freeze\nname: f\nenvironments: [prod]\nwindow: " + window + "\nreason: holidays\nowner: dave\n"
	}
	runDecided(t, []decided{
		{"all holds", "", nil, passed, "Pinnace merges when all holds"},
		{"11 a draft is never merged", "", func(in *Input) { in.Draft = true }, waiting, "the pull request is a draft"},
		{"13 a commit after the approval that changes the seal", "", func(in *Input) {
			in.Seal = Seal{Hash: "seal2", At: now.Add(-time.Minute), Intact: Is(true)}
			in.Heads["head2"] = "seal2"
		}, waiting, "0 of 2 approvals"},
		{"14 the bot renders again with an equal seal", "", func(in *Input) { in.Heads["head2"] = "seal" }, passed, "2 of 2 approvals"},
		{"15 a person pushes to the bot's branch", "", func(in *Input) {
			in.Seal.Intact, in.Seal.Where = Is(false), "envs/prod/shop.yaml:9"
		}, denied, "the seal is broken at envs/prod/shop.yaml:9"},
		{"16 update branch", "", func(in *Input) { in.Seal.Intact = Is(false) }, denied, "the seal is broken"},
		{"the seal is unknown", "", func(in *Input) { in.Seal.Intact = approval.Unknown }, unknown, "nobody knows whether the seal is intact"},
		{"30 nobody asked for an automatic promotion", "", func(in *Input) {
			in.Request.Auto, in.Request.By = true, nil
		}, passed, "2 of 2 approvals"},
		{"30 automatic: the requesters of the source's change may not approve", "", func(in *Input) {
			in.Request.Auto, in.Request.By = true, []promotion.Identity{carol}
		}, waiting, "1 of 2 approvals"},
		{"32 the builder is unknown where the app names its source", "", func(in *Input) {
			in.Changes[0].Image.Builder = Fact[condition.Builder]{}
		}, denied, "who built the image is unknown"},
		{"32 the builder is unknown and the policy ignores it", policyDoc("two", "approverCount: 2\nunknownBuilder: ignore\napplyTo: [{env: prod}]"), func(in *Input) {
			in.Changes[0].Image.Builder = Fact[condition.Builder]{}
		}, passed, "2 of 2 approvals"},
		{"32 the builder is unknown of an app without source", policyDoc("two", "approverCount: 2\napplyTo: [{env: prod}]"), func(in *Input) {
			in.Changes[0].NewApp, in.Changes[0].OldApp, in.Sources[0].App = "nginx", "nginx", "nginx"
			in.Changes[0].Image.Builder = Fact[condition.Builder]{}
		}, passed, "2 of 2 approvals"},
		{"32 the builder is unknown and nobody asked", policyDoc("two", "approverCount: 2\napplyTo: [{env: prod}]"), func(in *Input) {
			in.Changes[0].NewApp, in.Changes[0].OldApp, in.Sources[0].App = "nginx", "nginx", "nginx"
			in.Changes[0].Image.Builder = Fact[condition.Builder]{}
			in.Request.Auto, in.Request.By = true, nil
		}, denied, "who built the image is unknown"},
		{"33 the builders of all images are barred", "", func(in *Input) {
			c := in.Changes[0]
			c.Path, c.New = "envs/prod/worker.yaml", ref("ghcr.io/acme/shop-worker:1.5.0@"+string(newDigest))
			c.Image.Builder = Known(condition.Builder{Users: []promotion.Identity{erin}})
			in.Changes = append(in.Changes, c)
		}, waiting, "1 of 2 approvals"},
		{"38 /deploy by who approved", "", func(in *Input) {
			in.Deploy = Deploy{DeployCommand, []DeployAsk{{By: carol, At: now.Add(-time.Minute)}}}
		}, waiting, "carol approved, and policy two lets no approver deploy"},
		{"38 /deploy by who approved, allowed", policyDoc("two", "approverCount: 2\nallowApproverFromDeploy: true\napplyTo: [{env: prod}]"), func(in *Input) {
			in.Deploy = Deploy{DeployCommand, []DeployAsk{{By: carol, At: now.Add(-time.Minute)}}}
		}, passed, "carol said /deploy"},
		{"38 /deploy by another", "", func(in *Input) {
			in.Deploy = Deploy{DeployCommand, []DeployAsk{{By: alice, At: now.Add(-time.Minute)}}}
		}, passed, "alice said /deploy"},
		{"38 nobody said /deploy", "", func(in *Input) { in.Deploy.Mode = DeployCommand }, waiting, "nobody said /deploy yet"},
		{"38 a /deploy before the last needed approval", "", func(in *Input) {
			in.Deploy = Deploy{DeployCommand, []DeployAsk{{By: alice, At: now.Add(-90 * time.Minute)}}}
		}, waiting, "it is not newer than the last needed approval"},
		{"38 an approval that is not needed does not void a /deploy", "", func(in *Input) {
			in.Deploy = Deploy{DeployCommand, []DeployAsk{{By: alice, At: now.Add(-30 * time.Minute)}}}
			in.Reviews = append(in.Reviews, approves(dave, 10*time.Minute))
		}, passed, "alice said /deploy"},
		{"38 an edited /deploy", "", func(in *Input) {
			in.Deploy = Deploy{DeployCommand, []DeployAsk{{By: alice, At: now.Add(-time.Minute), Edited: true}}}
		}, waiting, "it was edited"},
		{"38 a /deploy of a reader", "", func(in *Input) {
			in.Deploy = Deploy{DeployCommand, []DeployAsk{{By: frank, At: now.Add(-time.Minute)}}}
		}, waiting, "frank is no deployer"},
		{"38 a /deploy of a bot", "", func(in *Input) {
			in.Deploy = Deploy{DeployCommand, []DeployAsk{{By: ci, At: now.Add(-time.Minute)}}}
		}, waiting, "is no deployer"},
		{"38 a /deploy of somebody unknown", "", func(in *Input) {
			in.Deploy = Deploy{DeployCommand, []DeployAsk{{By: promotion.Identity{ID: 99, Login: "zoe"}, At: now.Add(-time.Minute)}}}
		}, unknown, "nobody knows whether zoe is a deployer"},
		{"38 a /deploy while approvals are missing", "", func(in *Input) {
			in.Reviews = in.Reviews[:1]
			in.Deploy = Deploy{DeployCommand, []DeployAsk{{By: alice, At: now.Add(-time.Minute)}}}
		}, waiting, "approvals are still needed"},
		{"38 a /deploy of an older seal", policyDoc("zero", "applyTo: [{env: prod}]"), func(in *Input) {
			in.Deploy = Deploy{DeployCommand, []DeployAsk{{By: alice, At: now.Add(-time.Minute)}}}
			in.Seal.At = now.Add(-time.Minute)
		}, waiting, "it is not newer than what would be merged"},
		{"38 a button is detected only", "", func(in *Input) { in.Deploy.Mode = DeployButton }, passed, "a person merges who did not approve"},
		{"43 several policies, one does not hold", twoPeople + "---\n" + policyDoc("four", "approverCount: 4\napplyTo: [{env: prod}]"), nil, waiting, "2 of 4 approvals"},
		{"44 a policy is tightened while the pull request is open", policyDoc("two", "approverCount: 3\napplyTo: [{env: prod}]"), nil, waiting, "2 of 3 approvals"},
		{"45 a change of .pinnace/ in the head", "", func(in *Input) { in.Checks.Config = Is(false) }, denied, "pinnace/config of this head is red"},
		{"45 pinnace/config is not there yet", "", func(in *Input) { in.Checks.Config = approval.Unknown }, unknown, "nobody knows yet what pinnace/config says"},
		{"45 pinnace/pins is red in a locked environment", twoPeople + "---\napiVersion: pinnace.dev/v1alpha1\nkind: PullImageDigestPolicy\nallEnvironments: true\n", func(in *Input) { in.Checks.Pins = Is(false) }, denied, "pinnace/pins of this head is red"},
		{"45 pinnace/pins does not matter elsewhere", "", func(in *Input) { in.Checks.Pins = Is(false) }, passed, "Pinnace merges"},
		{"46 an approval lapses", policyDoc("two", "approverCount: 2\napprovalTTL: 90m\napplyTo: [{env: prod}]"), nil, waiting, "1 of 2 approvals"},
		{"47 a freeze begins after the approvals", frozen("{from: 2026-11-18T11:00, to: 2026-11-19}"), nil, waiting, "freeze f holds: holidays"},
		{"47 a freeze in a zone has not begun", frozen("{from: 2026-11-18T11:00, to: 2026-11-19, zone: America/New_York}"), nil, passed, "freeze f does not hold now"},
		{"47 a freeze is over", frozen("{from: 2026-11-18T11:00, to: 2026-11-18T12:00}"), nil, passed, "freeze f does not hold now"},
		{"48 the source was rolled back", "", func(in *Input) { in.Changes[0].Stands = Known([]string{"dev"}) }, denied, "staging no longer runs ghcr.io/acme/shop:1.5.0"},
		{"48 nobody knows what the source runs", "", func(in *Input) { in.Changes[0].Stands = Fact[[]string]{} }, unknown, "nobody knows where"},
		{"49 the digest is gone", "", func(in *Input) { in.Changes[0].Exists = Is(false) }, denied, "is no longer in its registry"},
		{"49 the registry does not answer", "", func(in *Input) { in.Changes[0].Exists = approval.Unknown }, unknown, "nobody knows whether"},
		{"49 the tag moved, which is information only", "", func(in *Input) { in.Changes[0].TagNow = Known(oldDigest) }, passed, "is in its registry"},
		{"49 a signature was revoked", policyDoc("signed", "passCondition: image.signatures.exists(s, s.verified)\napplyTo: [{env: prod}]"), func(in *Input) {
			in.Changes[0].Image.Signatures = Known([]condition.Signature{{Verified: false}})
		}, denied, "does not meet the pass condition of signed"},
		{"52 approverCount 0 asks nobody", policyDoc("zero", "approverCount: 0\napplyTo: [{env: prod}]"), func(in *Input) { in.Reviews = nil }, passed, "no approval is asked"},
		{"52 approverCount 0 keeps its conditions", policyDoc("zero", "failCondition: '\"1.5.0\" in imageLabels'\napplyTo: [{env: prod}]"), nil, denied, "meets the fail condition of zero"},
		{"52 approverCount 0 keeps soak", policyDoc("zero", "applyTo: [{env: prod}]"), func(in *Input) { in.Soak = 100 * time.Hour }, waiting, "shop in staging has run for less than 4d4h"},
		{"52 approverCount 0 keeps the seal", policyDoc("zero", "applyTo: [{env: prod}]"), func(in *Input) { in.Seal.Intact = Is(false) }, denied, "the seal is broken"},
		{"56 an automatic promotion during a hold", "", func(in *Input) {
			in.Request.Auto = true
			in.Hold = &Hold{Since: now.Add(-time.Hour), By: dave, What: "#11"}
		}, waiting, "held by the rollback #11"},
		{"56 a promotion that was asked for before the rollback", "", func(in *Input) {
			in.Hold = &Hold{Since: now.Add(-time.Hour), By: dave}
		}, waiting, "held by the rollback"},
		{"56 a promotion that was asked for since", "", func(in *Input) {
			in.Hold = &Hold{Since: now.Add(-49 * time.Hour), By: dave}
		}, passed, "Pinnace merges"},
	})
}

// TestFailWins: whatever else holds, a fail condition that is met denies.
func TestFailWins(t *testing.T) {
	both := policyDoc("both", "passCondition: \"true\"\nfailCondition: \"true\"\napplyTo: [{env: prod}]")
	runDecided(t, []decided{
		{"pass and fail", both, nil, denied, "meets the fail condition of both"},
		{"the pass condition of another policy", policyDoc("a", "passCondition: \"true\"\napplyTo: [{env: prod}]") + "\n---\n" + both, nil, denied, "meets the fail condition of both"},
		{"several pass conditions are all asked", policyDoc("a", "passCondition: \"true\"\napplyTo: [{env: prod}]") + "\n---\n" + policyDoc("b", "passCondition: \"false\"\napplyTo: [{env: prod}]"), nil, denied, "does not meet the pass condition of b"},
		{"a missing fact is neither", policyDoc("a", "passCondition: image.size < 1000\napplyTo: [{env: prod}]"), nil, unknown, "image.size is unknown"},
		{"a missing fact in a fail condition", policyDoc("a", "failCondition: image.size > 1000\napplyTo: [{env: prod}]"), nil, unknown, "image.size is unknown"},
		{"a condition that depends on the time waits", policyDoc("a", "passCondition: now.getDayOfWeek() == 5\napplyTo: [{env: prod}]"), nil, waiting, "does not meet the pass condition of a now"},
		{"a condition that depends on approvals waits", policyDoc("a", "passCondition: approvals.size() >= 3\napplyTo: [{env: prod}]"), nil, waiting, "does not meet the pass condition of a now"},
		{"a condition that does not depend on the approvals it names", policyDoc("a", "passCondition: containerImageTag == \"x\" && approvals.size() >= 3\napplyTo: [{env: prod}]"), nil, denied, "does not meet the pass condition of a"},
		{"a filter in the environment", "apiVersion: pinnace.dev/v1alpha1\nkind: FilterCondition\nname: f\nfailCondition: isProdEnv\nenvironments: [prod]\n", nil, denied, "meets the fail condition of f"},
		{"a filter of another environment", "apiVersion: pinnace.dev/v1alpha1\nkind: FilterCondition\nname: f\nfailCondition: \"true\"\nenvironments: [dev]\n", nil, passed, "Pinnace merges"},
		{"the source from the image's own labels is not believed", policyDoc("a", "passCondition: gitCommitDetails[\"https://github.com/acme/shop\"].sha == \"abc\"\napplyTo: [{env: prod}]"), nil, unknown, "gitCommitDetails is unknown"},
		{"but where the policy accepts it", policyDoc("a", "unverifiedSource: accept\npassCondition: gitCommitDetails[\"https://github.com/acme/shop\"].sha == \"abc\"\napplyTo: [{env: prod}]"), nil, passed, "the pass condition of a is true for 1 image"},
		{"the gates of the source", policyDoc("a", "passCondition: source.verified && source.checks[\"deployment staging\"] == \"success\" && source.soak > duration(\"71h\")\napplyTo: [{env: prod}]"), nil, passed, "the pass condition of a is true for 1 image"},
		{"every image is asked", policyDoc("a", "failCondition: containerImageTag == \"2.0.0\"\napplyTo: [{env: prod}]"), func(in *Input) {
			c := in.Changes[0]
			c.Path, c.New.Tag = "envs/prod/other.yaml", "2.0.0"
			in.Changes = append(in.Changes, c)
		}, denied, "ghcr.io/acme/shop:2.0.0"},
	})
}

// TestKinds are the rows of the table of kinds.
func TestKinds(t *testing.T) {
	one := policyDoc("one", "approverCount: 1\nfailCondition: \"true\"\nforbid: [direct]\napplyTo: [{env: prod}]")
	sequential := policyDoc("one", "approverCount: 1\npromotions: [sequential]\napplyTo: [{env: prod}]")
	direct := policyDoc("one", "approverCount: 1\npromotions: [direct]\napplyTo: [{env: prod}]")
	rollback := policyDoc("one", "approverCount: 4\nrollback: {approverCount: 1}\napplyTo: [{env: prod}]")
	elsewhere := policyDoc("one", "approverCount: 4\napplyTo: [{env: dev}]")
	pin := func(in *Input) {
		in.Kind, in.Request, in.Sources = promotion.Pin, Request{}, nil
		c := &in.Changes[0]
		c.Old, c.New, c.Stands = ref("ghcr.io/acme/shop:1.4.0"), ref("ghcr.io/acme/shop:1.4.0@"+string(newDigest)), Fact[[]string]{}
	}
	update := func(in *Input) {
		in.Kind, in.Request, in.Sources = promotion.Update, Request{}, nil
		in.Changes[0].Stands = Known([]string{})
	}
	hotfix := func(in *Input) { in.Request.From, in.Sources = "", nil; in.Changes[0].Stands = Known([]string{}) }
	back := func(in *Input) {
		in.Kind, in.Sources = promotion.Rollback, nil
		in.Changes[0].Stands = Known([]string{})
		in.Rollback = RollbackFacts{Stood: Is(true), Verified: Is(true)}
	}
	hand := func(in *Input) { in.Kind, in.Seal.Intact = promotion.ByHand, approval.Unknown }
	command := func(in *Input) {
		in.Deploy = Deploy{DeployCommand, []DeployAsk{{By: alice, At: now.Add(-time.Minute)}}}
	}
	all := func(fs ...func(*Input)) func(*Input) {
		return func(in *Input) {
			for _, f := range fs {
				f(in)
			}
		}
	}
	first := func(in *Input) { // nothing comes before prod
		for i := range in.Set.World.Environments {
			in.Set.World.Environments[i].After = nil
		}
	}
	runDecided(t, []decided{
		{"pin: approvals only, and no leave for direct", one, pin, passed, "1 of 1 approval"},
		{"pin: without approvals", one, all(pin, func(in *Input) { in.Reviews = nil }), waiting, "0 of 1 approval"},
		{"pin: a filter holds", "apiVersion: pinnace.dev/v1alpha1\nkind: FilterCondition\nname: f\nfailCondition: \"true\"\nallEnvironments: true\n", pin, denied, "meets the fail condition of f"},
		{"pin: what is no pin is direct", one, all(pin, func(in *Input) { in.Changes[0].New.Tag = "1.6.0" }), denied, "policy one forbids direct promotions"},
		{"update: as a direct promotion", direct, update, passed, "may come from the registry"},
		{"update: no policy governs direct", sequential, update, denied, "no policy of prod governs direct promotions"},
		{"update: no policy is bound", elsewhere, update, passed, "Pinnace merges"},
		{"update: nothing to skip", strings.Replace(one, "failCondition: \"true\"\n", "", 1), all(update, first), passed, "1 of 1 approval"},
		{"sequential: needs no policy", elsewhere, nil, passed, "Pinnace merges"},
		{"sequential: a policy for direct only does not govern", strings.Replace(direct, "approverCount: 1", "approverCount: 6", 1), nil, passed, "Pinnace merges"},
		{"direct: needs a policy", elsewhere, hotfix, denied, "no policy of prod governs direct promotions"},
		{"direct: a policy governs it", direct, hotfix, passed, "may come from the registry"},
		{"direct: a policy forbids it, though another governs it", direct + "\n---\n" + policyDoc("never", "forbid: [direct]\npromotions: [sequential]\napplyTo: [{env: prod}]"), hotfix, denied, "policy never forbids direct promotions"},
		{"direct: skipping an environment", sequential, func(in *Input) {
			in.Request.From, in.Request.Skipped = "dev", []string{"staging"}
		}, denied, "comes from dev, skipping staging"},
		{"direct: soak of where it comes from", direct, func(in *Input) {
			in.Request.From, in.Request.Skipped, in.Sources[0].Env = "dev", []string{"staging"}, "dev"
			in.Sources[0].Since = Known(now.Add(-time.Minute))
		}, waiting, "shop in dev has run for less than 1h"},
		{"rollback: its own block", rollback, back, passed, "1 approval"},
		{"rollback: the normal counts where no verified promotion had brought it", rollback, all(back, func(in *Input) { in.Rollback.Verified = Is(false) }), waiting, "2 of 4 approvals"},
		{"rollback: nobody knows who brought it", rollback, all(back, func(in *Input) { in.Rollback.Verified = approval.Unknown }), waiting, "2 of 4 approvals"},
		{"rollback: a digest that never stood there is a direct promotion", sequential, all(back, func(in *Input) { in.Rollback.Stood = Is(false) }), denied, "no policy of prod governs direct promotions"},
		{"rollback: nobody knows whether it stood there", rollback, all(back, func(in *Input) { in.Rollback.Stood = approval.Unknown }), unknown, "stood in prod before"},
		{"rollback: freezes hold", rollback + "\n---\napiVersion: pinnace.dev/v1alpha1\nkind: Freeze\nname: f\nproduction: true\nwindow: {to: 2026-11-19}\nreason: r\nowner: dave\n", back, waiting, "freeze f holds"},
		{"by hand: no policy is bound", elsewhere, all(hand, func(in *Input) {
			in.Changes[0].Exists, in.Changes[0].Stands, in.Draft = approval.Unknown, Fact[[]string]{}, true
		}), passed, "no promotion policy is bound in prod"},
		{"by hand: no policy is bound, and a freeze", elsewhere + "\n---\napiVersion: pinnace.dev/v1alpha1\nkind: Freeze\nname: f\nproduction: true\nwindow: {to: 2026-11-19}\nreason: r\nowner: dave\n", hand, waiting, "freeze f holds"},
		{"by hand: equal to the source", sequential, all(hand, command), passed, "1 of 1 approval"},
		{"by hand: equal to the source, which has not soaked", sequential, all(hand, command, func(in *Input) { in.Sources[0].Since = Known(now) }), waiting, "shop in staging has run for less than 1h"},
		{"by hand: not what the source runs", sequential, all(hand, command, func(in *Input) { in.Changes[0].Stands = Known([]string{"dev"}) }), denied, "no policy of prod governs direct promotions"},
		{"by hand: nobody knows what the source runs", sequential, all(hand, command, func(in *Input) { in.Changes[0].Stands = Fact[[]string]{} }), unknown, "nobody knows where"},
		{"by hand: waits for /deploy where Pinnace merges", sequential, hand, waiting, "nobody said /deploy yet"},
		{"by hand: a person merges where nobody else does", sequential, all(hand, func(in *Input) { in.Deploy.Mode = DeployButton }), passed, "a person merges"},
		{"by hand: a pin", sequential, all(hand, command, pin, func(in *Input) {
			in.Kind, in.Changes[0].TagNow, in.Request.By = promotion.ByHand, Known(newDigest), []promotion.Identity{alice}
		}), passed, "1 of 1 approval"},
		{"by hand: a pin to what the tag does not mean", sequential, all(hand, command, pin, func(in *Input) {
			in.Kind, in.Changes[0].TagNow, in.Changes[0].Stands = promotion.ByHand, Known(oldDigest), Known([]string{})
		}), denied, "no policy of prod governs direct promotions"},
		{"by hand: nobody knows what the tag means", sequential, all(hand, command, pin, func(in *Input) {
			in.Kind, in.Request.By = promotion.ByHand, []promotion.Identity{alice}
		}), unknown, "nobody knows what ghcr.io/acme/shop:1.4.0 means now"},
		{"by hand: a removal needs approvals only", one, all(hand, command, func(in *Input) {
			in.Changes[0].New, in.Changes[0].NewApp, in.Changes[0].Exists = image.Ref{}, "", approval.Unknown
		}), passed, "1 of 1 approval"},
		{"by hand: a removal without approvals", one, all(hand, command, func(in *Input) {
			in.Changes[0].New, in.Changes[0].NewApp, in.Reviews = image.Ref{}, "", nil
		}), waiting, "0 of 1 approval"},
		{"by hand: a bot's, for whom who says /deploy stands in", sequential, all(hand, func(in *Input) {
			in.Request.By, in.Request.Bot = []promotion.Identity{ci}, true
			in.Reviews = in.Reviews[:1]
			in.Deploy = Deploy{DeployCommand, []DeployAsk{{By: carol, At: now.Add(-time.Minute)}}}
		}), waiting, "0 of 1 approval"},
		{"by hand: a bot's, before anybody says /deploy", sequential, all(hand, command, func(in *Input) {
			in.Request.By, in.Request.Bot = []promotion.Identity{ci}, true
			in.Deploy.Asks = nil
		}), waiting, "nobody said /deploy yet"},
		{"by hand: a bot's, with a button nobody knows who", sequential, all(hand, func(in *Input) {
			in.Request.By, in.Request.Bot, in.Deploy.Mode = []promotion.Identity{ci}, true, DeployButton
		}), denied, "who asked is unknown"},
	})
}

// TestWhichPolicies: no way of naming an image escapes a policy.
func TestWhichPolicies(t *testing.T) {
	shop := policyDoc("shop", "approverCount: 3\napplyTo: [{app: shop, env: prod}]")
	nginx := policyDoc("nginx", "approverCount: 0\napplyTo: [{app: nginx, env: prod}]")
	foreign := func(in *Input) {
		in.Changes[0].OldApp, in.Changes[0].NewApp = "evil", "evil"
		in.Sources[0].App = "evil"
	}
	opaque := func(apps ...string) func(*Input) {
		return func(in *Input) {
			in.Kind, in.Changes = promotion.ByHand, nil
			in.Opaque = []Opaque{{Path: "envs/prod/kustomization.yaml", What: "a JSON patch", Line: 3, Apps: apps}}
			in.Deploy = Deploy{DeployCommand, []DeployAsk{{By: alice, At: now.Add(-time.Minute)}}}
		}
	}
	runDecided(t, []decided{
		{"the new app's", shop, nil, waiting, "2 of 3 approvals"},
		{"the old app's, after a newName", shop, func(in *Input) {
			in.Changes[0].NewApp, in.Changes[0].New.Name = "evil", "ghcr.io/evil/shop"
			in.Sources[0].App = "evil"
		}, waiting, "2 of 3 approvals"},
		{"a foreign sidecar beside the app", shop + "\n---\n" + nginx, func(in *Input) { foreign(in); in.Changes[0].Beside = []string{"shop"} }, waiting, "2 of 3 approvals"},
		{"a foreign sidecar beside an app of a lenient policy", shop + "\n---\n" + nginx, func(in *Input) { foreign(in); in.Changes[0].Beside = []string{"nginx"} }, passed, "no approval is asked"},
		{"a foreign image beside nothing is under all of the environment", shop + "\n---\n" + nginx, foreign, waiting, "2 of 3 approvals"},
		{"by image repository, whatever the app is called", policyDoc("image", "approverCount: 3\napplyTo: [{image: \"ghcr.io/acme/*\"}]"), foreign, waiting, "2 of 3 approvals"},
		{"by path", policyDoc("path", "approverCount: 3\napplyTo: [{path: \"envs/prod/**\"}]"), foreign, waiting, "2 of 3 approvals"},
		{"by production", policyDoc("production", "approverCount: 3\napplyTo: [{production: true}]"), foreign, waiting, "2 of 3 approvals"},
		{"a policy of images alone judges those only", policyDoc("image", "approverCount: 3\napplyTo: [{image: \"docker.io/library/nginx\"}]"), nil, passed, "Pinnace merges"},
		{"a policy of images alone, by hand", policyDoc("image", "approverCount: 3\napplyTo: [{image: \"ghcr.io/acme/shop\"}]"), func(in *Input) { in.Kind = promotion.ByHand }, waiting, "2 of 3 approvals"},
		{"a policy of images alone, by hand, another image", policyDoc("image", "approverCount: 3\napplyTo: [{image: \"nginx\"}]"), func(in *Input) { in.Kind = promotion.ByHand }, passed, "no promotion policy is bound in prod"},
		{"a policy of files alone, by hand, what cannot be read", policyDoc("path", "approverCount: 3\napplyTo: [{path: \"envs/prod/*.yaml\"}]"), opaque(), waiting, "2 of 3 approvals"},
		{"what cannot be read needs approvals", shop, opaque("shop"), waiting, "2 of 3 approvals"},
		{"what cannot be read, of no app", shop, opaque(), waiting, "2 of 3 approvals"},
		{"what cannot be read, but is excepted", shop + "\nexceptions: [{path: envs/prod/kustomization.yaml, reason: no image, expires: 2026-12-01}]", opaque("shop"), passed, "a JSON patch in envs/prod/kustomization.yaml cannot be read"},
		{"an exception that has expired", shop + "\nexceptions: [{path: envs/prod/kustomization.yaml, reason: no image, expires: 2026-11-17}]", opaque("shop"), waiting, "2 of 3 approvals"},
		{"a local path that is not there", nginx, func(in *Input) {
			opaque("nginx")(in)
			in.Opaque[0].Missing = "../base"
		}, denied, "envs/prod/kustomization.yaml names ../base, which is not there"},
	})
}

// TestPeople: roles at the time of the decision.
func TestPeople(t *testing.T) {
	team := policyDoc("team", "approverCount: 1\napprovers: {teams: [acme/release]}\napplyTo: [{env: prod}]")
	runDecided(t, []decided{
		{"the policy's own approvers", team, nil, passed, "1 of 1 approval"},
		{"who is not of the team", team, func(in *Input) { in.Reviews = in.Reviews[:1] }, waiting, "0 of 1 approval"},
		{"a team that cannot be read", team, func(in *Input) {
			in.Reviews = in.Reviews[:1]
			p := in.People[carol.ID]
			p.Teams = nil
			in.People[carol.ID] = p
		}, unknown, ""},
		{"the role promoter of the pair", "", func(in *Input) {
			in.Set.World.Grants = []Grant{
				{Role: Promoter, Permission: promotion.PermissionWrite, Line: 1},
				{Role: Promoter, Env: "prod", App: "shop", Permission: promotion.PermissionWrite, Users: []string{"erin#5"}, Line: 2},
			}
		}, waiting, "1 of 2 approvals"},
		{"an admin is a promoter", "", func(in *Input) {
			in.Set.World.Grants = []Grant{{Role: Promoter, Env: "prod", Permission: promotion.PermissionWrite, Users: []string{"erin#5"}, Line: 2}}
			in.Reviews = append(in.Reviews, approves(dave, time.Minute))
		}, passed, "2 of 2 approvals"},
		{"who asked does not hold the role", "", func(in *Input) { in.Request.By = []promotion.Identity{frank} }, denied, "frank does not hold the role requester"},
		{"nobody knows whether who asked holds the role", "", func(in *Input) { delete(in.People, alice.ID) }, unknown, "nobody knows whether alice holds the role requester"},
		{"nobody knows who asked", "", func(in *Input) { in.Request.By = nil }, unknown, "nobody knows who asked"},
		{"a machine asked", "", func(in *Input) { in.Request.By = []promotion.Identity{ci} }, denied, "who asked is unknown"},
		{"a machine asked, which the policy ignores", policyDoc("two", "approverCount: 2\nunknownRequester: ignore\napplyTo: [{env: prod}]"), func(in *Input) { in.Request.By = []promotion.Identity{ci} }, passed, "2 of 2 approvals"},
		{"a veto", "", func(in *Input) {
			in.Reviews = append(in.Reviews, review(dave, promotion.ChangesRequested, time.Minute))
		}, denied, "dave"},
	})
}

// TestFloorState: a floor that cannot be read is not no floor.
func TestFloorState(t *testing.T) {
	runDecided(t, []decided{
		{"unknown", "", func(in *Input) { in.Floor = FloorUnknown }, unknown, "the organisation's documents cannot be read"},
		{"read", "", func(in *Input) { in.Floor = FloorRead }, passed, "Pinnace merges"},
		{"documents with an error", "", func(in *Input) { in.Set = nil }, denied, "the documents of .pinnace/ have an error"},
		{"an environment that is not configured", "", func(in *Input) { in.Env = "production" }, denied, "the environment production is not configured"},
		{"no environment", "", func(in *Input) { in.Env = "" }, unknown, "nobody said which environment is changed"},
		{"files of no environment, by hand", policyDoc("all", "applyTo: [{env: \"*\"}]"), func(in *Input) { in.Env, in.Kind = "", promotion.ByHand }, passed, "no promotion policy is bound in files of no environment"},
		{"files of no environment, under a policy of images", policyDoc("all", "approverCount: 3\napplyTo: [{image: \"ghcr.io/acme/**\"}]"), func(in *Input) { in.Env, in.Kind = "", promotion.ByHand }, waiting, "2 of 3 approvals"},
		{"nothing to judge", "", func(in *Input) { in.Env, in.Changes = "", nil }, passed, "pinnace/config is green"},
		{"nothing to judge, and pinnace/config is red", "", func(in *Input) {
			in.Env, in.Changes, in.Checks.Config = "", nil, Is(false)
		}, denied, "pinnace/config of this head is red"},
	})
	if d := Decide(Input{}); d.Status == promotion.Passed {
		t.Errorf("the zero input passes:\n%s", render(d))
	}
}

// TestSoakAndGates are those of the environments that an image comes from.
func TestSoakAndGates(t *testing.T) {
	gate := func(verdicts ...Verdict) func(*Input) {
		return func(in *Input) { in.Sources[0].Gates[0].Verdicts = Known(verdicts) }
	}
	at := func(minutes int) time.Time { return now.Add(-time.Duration(minutes) * time.Minute) }
	any2 := func(in *Input) { // staging or canary come before prod
		in.Set.World.Environments[2].After, in.Set.World.Environments[2].AfterAny = nil, []string{"staging", "canary"}
	}
	all2 := func(in *Input) {
		in.Set.World.Environments[2].After = []string{"staging", "canary"}
	}
	runDecided(t, []decided{
		{"not soaked", "", func(in *Input) { in.Sources[0].Since = Known(at(59)) }, waiting, "shop in staging has run for less than 1h"},
		{"just soaked", "", func(in *Input) { in.Sources[0].Since = Known(at(60)) }, passed, "shop in staging has run for 1h"},
		{"nobody knows since when", "", func(in *Input) { in.Sources[0].Since = Fact[time.Time]{} }, unknown, "nobody knows since when"},
		{"soak is waived", policyDoc("a", "bypassSoak: true\napplyTo: [{env: prod}]"), func(in *Input) { in.Sources[0].Since = Known(at(1)) }, passed, "Pinnace merges"},
		{"soak is waived by one of two", twoPeople + "---\n" + policyDoc("a", "bypassSoak: true\napplyTo: [{env: prod}]"), func(in *Input) { in.Sources[0].Since = Known(at(1)) }, waiting, "shop in staging"},
		{"soak is waived by all that govern it", policyDoc("b", "promotions: [direct]\napplyTo: [{env: prod}]") + "\n---\n" + policyDoc("a", "bypassSoak: true\npromotions: [sequential]\napplyTo: [{env: prod}]"), func(in *Input) { in.Sources[0].Since = Known(at(1)) }, passed, "Pinnace merges"},
		{"a gate failed", "", gate(Verdict{"argo-cd", "success", at(9)}, Verdict{"argo-cd", "failure", at(5)}), denied, "argo-cd says failure of deployment staging"},
		{"a gate failed, then succeeded", "", gate(Verdict{"argo-cd", "success", at(5)}, Verdict{"argo-cd", "failure", at(9)}), passed, "deployment staging by argo-cd is green"},
		{"success and failure at once", "", gate(Verdict{"argo-cd", "failure", at(5)}, Verdict{"argo-cd", "success", at(5)}), denied, "argo-cd says failure"},
		{"a newer pending is no verdict", "", gate(Verdict{"argo-cd", "success", at(5)}, Verdict{"argo-cd", "in_progress", at(1)}), passed, "is green"},
		{"another app's success is not believed", "", gate(Verdict{"github-actions", "success", at(5)}), waiting, "that of github-actions is not believed"},
		{"another app's newer success does not open it", "", gate(Verdict{"argo-cd", "failure", at(5)}, Verdict{"evil", "success", at(1)}), denied, "argo-cd says failure"},
		{"no verdict yet", "", gate(), waiting, "argo-cd has said nothing"},
		{"neutral is no success", "", gate(Verdict{"argo-cd", "neutral", at(5)}), waiting, "argo-cd has said nothing"},
		{"a gate that cannot be read", "", func(in *Input) { in.Sources[0].Gates[0].Verdicts = Fact[[]Verdict]{} }, unknown, "nobody knows what argo-cd says"},
		{"a source that cannot be read", "", func(in *Input) { in.Sources = nil }, unknown, "nobody knows the gates of staging"},
		{"after all of two, one is missing", "", all2, denied, "no longer run ghcr.io/acme/shop:1.5.0"},
		{"after any of two", "", any2, passed, "Pinnace merges"},
		{"by hand, after any of two, one has soaked", policyDoc("a", "applyTo: [{env: prod}]"), func(in *Input) {
			any2(in)
			in.Kind, in.Deploy.Mode = promotion.ByHand, DeployButton
			in.Changes[0].Stands = Known([]string{"canary", "staging"})
			in.Sources = append(in.Sources, Source{Env: "canary", App: "shop", Since: Known(at(1))})
		}, passed, "shop in staging has run"},
	})
}

// TestBreakGlass waives approval counts, soak, gates and freezes, and nothing else.
func TestBreakGlass(t *testing.T) {
	glass := func(in *Input) {
		in.Emergency = []BreakGlass{{By: dave, At: now.Add(-time.Minute), Reason: "the shop is down", Seal: "seal"}}
	}
	with := func(fs ...func(*Input)) func(*Input) {
		return func(in *Input) {
			glass(in)
			for _, f := range fs {
				f(in)
			}
		}
	}
	none := func(in *Input) { in.Reviews = nil }
	docs := twoPeople + "---\napiVersion: pinnace.dev/v1alpha1\nkind: Freeze\nname: f\nproduction: true\nwindow: {to: 2026-11-19}\nreason: r\nowner: dave\n"
	everything := func(in *Input) {
		none(in)
		in.Sources[0].Since = Known(now)
		in.Sources[0].Gates[0].Verdicts = Known([]Verdict{{"argo-cd", "failure", now}})
		in.Deploy.Mode = DeployCommand
	}
	runDecided(t, []decided{
		{"58 it waives", docs, with(everything), passed, "the head is the sealed change"},
		{"58 an empty reason", docs, with(everything, func(in *Input) { in.Emergency[0].Reason = " \t" }), denied, "argo-cd says failure"},
		{"58 who is no admin", "", with(none, func(in *Input) { in.Emergency[0].By = carol }), waiting, "0 of 2 approvals"},
		{"58 nobody knows whether an admin", "", with(none, func(in *Input) { in.Emergency[0].By = promotion.Identity{ID: 77, Login: "zoe"} }), waiting, "0 of 2 approvals"},
		{"58 edited words", "", with(none, func(in *Input) { in.Emergency[0].Edited = true }), waiting, "0 of 2 approvals"},
		{"58 another seal", "", with(none, func(in *Input) { in.Emergency[0].Seal = "old" }), waiting, "0 of 2 approvals"},
		{"58 never the seal", "", with(none, func(in *Input) { in.Seal.Intact = Is(false) }), denied, "the seal is broken"},
		{"58 never the digest", "", with(none, func(in *Input) { in.Changes[0].Exists = Is(false) }), denied, "is no longer in its registry"},
		{"58 never a fail condition", policyDoc("a", "failCondition: \"true\"\napplyTo: [{env: prod}]"), glass, denied, "meets the fail condition of a"},
		{"58 never a fail condition of which a fact is missing", policyDoc("a", "failCondition: image.size > 1\napplyTo: [{env: prod}]"), glass, unknown, "image.size is unknown"},
		{"58 never pinnace/config", "", with(func(in *Input) { in.Checks.Config = Is(false) }), denied, "pinnace/config"},
		{"58 never a veto", "", with(func(in *Input) {
			in.Reviews = append(in.Reviews, review(erin, promotion.ChangesRequested, time.Minute))
		}), denied, "erin"},
		{"58 never the floor", "", with(func(in *Input) { in.Floor = FloorUnknown }), unknown, "the organisation's documents"},
	})
}
