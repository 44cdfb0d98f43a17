package verdict_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A mutant is Pinnace with one defence switched off: an attack has to succeed against it, so
// that its test fails. What no attack notices protects nobody.
type mutant struct {
	name  string // the defence
	test  string // that has to fail
	edits []mutation
}

// A mutation replaces a text that is in a file of the module exactly once.
type mutation struct{ file, old, new string }

func without(name, test string, edits ...mutation) mutant { return mutant{name, test, edits} }

const (
	fileDecide   = "internal/policy/decide.go"
	fileOpinion  = "internal/policy/approval/opinion.go"
	fileNeed     = "internal/policy/approval/need.go"
	fileStanding = "internal/policy/approval/standing.go"
	fileWays     = "internal/policy/rule_way.go"
	fileHead     = "internal/policy/rule_head.go"
	fileHearing  = "internal/verdict/hearing.go"
	fileAudit    = "internal/verdict/audit.go"
	fileOther    = "internal/verdict/other.go"
)

// noMove forgets when a pull request came to its base.
var noMove = mutation{fileHearing, `if m.Event == "base_ref_changed" && m.At.After(at) {`, "if false {"}

// handsOff judges promotions of Pinnace alone.
var handsOff = mutation{fileDecide, "if len(in.Changes) > 0 || len(in.Opaque) > 0 || in.Kind != promotion.ByHand", "if in.Kind != promotion.ByHand && len(in.Changes) > 0 || in.Kind != promotion.ByHand"}

// anyNamed takes whatever has a branch of our name for ours.
var anyNamed = []mutation{
	{fileHearing, "if !named || h.pull.Head.Repository != b.repo.ID {", "if !named {"},
	{fileHearing, "b.memory.App != 0 && !recorded && !own:", "false && !own:"},
}

// unnamed leaves alone what no policy names.
var unnamed = mutation{"internal/policy/bind.go", "return pick(func(p *ImagePromotionPolicy) bool { return p.in(w.env) })", "return nil"}

// anyReview counts reviews whatever they were of.
var anyReview = []mutation{
	{fileOpinion, "case r.SealAt == \"\" || c.in.Seal == \"\":", "case false:"},
	{fileOpinion, "case r.SealAt != c.in.Seal:", "case false:"},
	{fileOpinion, "case r.Submitted.Before(c.in.SealedAt.Truncate(time.Second)):", "case time.Second < 0:"},
}

var mutants = []mutant{
	without("a change by hand is judged", "TestBypassByHand", handsOff),
	without("what comes from the registry needs leave", "TestBypassByHandSkipping", mutation{fileWays, "case governs < 0:", "case governs < -1:"}),
	without("a digest has to be there", "TestBypassByHandDigest", mutation{fileHead, `r.Status, r.Title = promotion.Denied, name(c.New)+" is no longer in its registry"`, ""}),
	without("a push is reported", "TestBypassDirectPush", mutation{fileAudit, `return "It was pushed, without a pull request.", nil`, `return "", nil`}),
	without("the verdict of a merge is looked up", "TestBypassMergeByForce", mutation{fileAudit, "case how.memo.Decided != promotion.Passed:", "case false:"}),
	without("a merge without a verdict is reported", "TestBypassMergeUnjudged", mutation{fileAudit, `return fmt.Sprintf("#%d was merged, and no verdict of it is on record.", how.pull.Number), nil`, `return "", nil`}),
	without("a revert is a change by hand", "TestBypassRevertButton", handsOff),
	without("a fork is judged", "TestBypassFork", handsOff),
	without("a fork has no branch of ours", "TestBypassForkCopiedBranch", anyNamed...),
	without("a name makes no promotion", "TestBypassCopiedBranchName", anyNamed...),
	without("pull requests of one head are judged together", "TestBypassSameHead", mutation{"internal/verdict/judge.go", "h.decision = policy.Together(names, []promotion.Decision{h.decision, other.decision})", "_ = policy.Together(names, []promotion.Decision{h.decision, other.decision})"}),

	without("what no policy names is judged by the others", "TestBypassForeignSidecar", unnamed, mutation{"internal/plan/diff.go", "c.Beside = f.others(at, c.OldApp, c.NewApp)", ""}),
	without("the old app's policies judge the new one", "TestBypassNewName", unnamed, mutation{fileDecide, "for _, app := range []string{c.OldApp, c.NewApp} {\n\t\t\tif app != \"\" && !slices.Contains(w.apps, app)", "for _, app := range []string{c.NewApp} {\n\t\t\tif app != \"\" && !slices.Contains(w.apps, app)"}),
	without("what cannot be read is judged", "TestBypassInlinePatch", mutation{fileHearing, "h.changed, h.opaque, h.changes = diff.Changes, diff.Opaque, nil", "h.changed, h.opaque, h.changes = diff.Changes, nil, nil"}),
	without("what cannot be read needs the approvals", "TestBypassRemoteResource", mutation{fileWays, "rule := j.rule(p)\n\t\t\trule.add(o.Apps)", "rule := &rule{}\n\t\t\trule.add(o.Apps)"}),
	without("files are of the environments that reach them", "TestBypassSharedBase", mutation{fileHearing, "Before: p.had, After: p.has,", "Before: b.config.EnvironmentsOf, After: b.config.EnvironmentsOf,"}),
	without("what comes to an environment is a change of it", "TestBypassMovedFile", mutation{"internal/plan/diff.go", "f.images(none, new, come)\n", ""}),
	without("what comes by being named is a change", "TestBypassTwoThatCompose", mutation{"internal/verdict/passage.go", "range p.after.Moved(p.before)", "range []string(nil)"}),
	without("a merge is held to what was judged", "TestBypassTwoThatComposeUnseen", mutation{fileAudit, "b.composed(how, got)", `""`}),

	without("a head has to be announced", "TestBypassForgedTrailers", mutation{"internal/reconcile/memory.go", "return memo, upon || memo.Next == next, nil", "return memo, upon || true || memo.Next == next, nil"}),
	without("a lost record names nobody", "TestBypassForgedTrailersRendered", mutation{fileHearing, "h.memo.Request = promotion.Request{Kind: h.kind, Unknown: true}", "h.memo.Request = promotion.Request{Kind: h.kind}"}),
	without("trailers prove nothing", "TestBypassForgedMergeMessage", mutation{fileAudit, "case how.pull.Number == 0:\n", "case how.pull.Number == 0:\n\t\treturn \"\", nil\n\tcase how.pull.Number == -1:\n"}),
	without("only our App is believed", "TestBypassForgedCheckRun", mutation{"internal/reconcile/memory.go", "if run.App != m.App || run.Name != m.Name {", "if run.Name != m.Name {"}),
	without("only our App audits", "TestBypassForgedAudit", mutation{fileAudit, "r.App == b.App && r.Conclusion != \"\"", "r.Conclusion != \"\""}),
	without("only our issue is one", "TestBypassForgedIncident", mutation{fileAudit, "message.ReplyKey(i.Body) == key && i.Author.ID == b.Bot.ID", "message.ReplyKey(i.Body) == key"}),
	without("only our answer is one", "TestBypassForgedAnswer", mutation{"internal/verdict/inbox.go", "if c.Author.ID == b.Bot.ID {\n", "if c.Author.ID != 0 {\n"}),
	without("a gate is of its App", "TestBypassForgedGate", mutation{"internal/verdict/gate.go", "policy.Verdict{App: r.AppSlug, State: cmp.Or(", "policy.Verdict{App: g.App, State: cmp.Or("}),

	without("behind a bot is anybody", "TestBypassRequesterThroughABot", mutation{"internal/policy/approval/count.go", "in.RequesterUnknown || onlyMachines(in.Requesters, in.People)", "in.RequesterUnknown"}),
	without("behind a machine user is anybody", "TestBypassRequesterThroughAMachineUser", mutation{fileStanding, "!i.Bot && !p.Bot && !p.ServiceAccount", "!i.Bot && !p.Bot"}),
	without("behind a schedule is anybody", "TestBypassRequesterThroughASchedule", mutation{"internal/policy/rule_people.go", "RequesterUnknown: j.in.Request.Unknown,", "RequesterUnknown: false,"}),
	without("asking is a role", "TestBypassRequesterWithoutTheRole", mutation{fileHead, `r.Status, r.Title = promotion.Denied, name+" does not hold the role requester"`, ""}),
	without("an edited comment asks nothing", "TestBypassRequesterByAnEdit", mutation{"internal/verdict/inbox.go", "if len(commands) > 0 && c.Edited() {", "if len(commands) > 0 && c.ID == 0 {"}),
	without("who asked does not approve", "TestBypassRequesterApproves", mutation{fileNeed, "case !b.allowRequester && c.requesters.has(o.review.Author):", "case false:"}),
	without("a review is of what it saw", "TestBypassReviewBeforeTheSeal", anyReview...),
	without("a review that nobody saw is of nothing", "TestBypassReviewUnseen", anyReview...),
	without("GitHub moves reviews", "TestBypassReviewMoved",
		mutation{"internal/verdict/decide.go", "review.SealAt = h.memo.SealOf(seen.Commit)", "review.SealAt = h.memo.SealOf(r.Commit)"}, anyReview[2]),
	without("a dismissal by who asked lifts nothing", "TestBypassDismissal", mutation{"internal/policy/approval/veto.go", "case c.requesters.has(m.Actor):", "case false:"}),
	without("a permission is looked up when judging", "TestBypassRoleLost", mutation{fileStanding, "may := o.level.reaches(levelOf(roles[i].floor()))", "may := Yes"}),
	without("a list is read when judging", "TestBypassRoleTakenAway", mutation{fileStanding, "if len(r.Users) == 0 && len(r.Teams) == 0 {\n\t\treturn Yes", "if i.ID != 0 {\n\t\treturn Yes"}),
	without("approvers do not deploy", "TestBypassApproverDeploys", mutation{fileAudit, "if why, err := b.pressed(ctx, how); why != \"\" || err != nil {", "if why, err := b.pressed(ctx, how); why == \"\" && err != nil {"}),
	without("the number is the account", "TestBypassReregisteredLogin", mutation{fileStanding, "u.ID == 0 && u.Login != \"\" && strings.EqualFold", "u.Login != \"\" && strings.EqualFold"}),
	without("machines do not approve", "TestBypassMachineApproves", mutation{fileOpinion, "case o.person.ServiceAccount:", "case false:"}),
	without("authors do not approve", "TestBypassForgedAuthor",
		mutation{fileOpinion, "case c.authors.has(r.Author):", "case false:"},
		mutation{"internal/verdict/decide.go", "return append([]promotion.Identity{h.pull.Author}, others(h.authors, h.pull.Author)...)", "return []promotion.Identity{h.pull.Author}"}),

	without("the tip judges, and not the head", "TestBypassPolicyLoosenedInTheSame", mutation{fileOther, "\tin := guard.Input{", "\tb.book = head\n\tin := guard.Input{"}),
	without("rules and images change apart", "TestBypassPolicyLoosenedInTheSame", mutation{"internal/guard/decide.go", "}, j.in.Images\n", "}, false\n"}),
	without("rules are guarded", "TestBypassPolicyLoosenedInAnEarlier", mutation{fileOther, "h.guard.answer = answerOf(h.guarded.Status)", "h.guard.answer = approval.Yes"}),
	without("rules that nobody passed are reported", "TestBypassPolicyLoosenedByForce", mutation{fileAudit, " || got.rules && got.ruled && how.pull.Number != 0", ""}),
	without("the tip judges, and not where a branch began", "TestBypassOldBranch", mutation{fileOther, "\tif err := b.guarded(ctx, h); err != nil {", "\tif files, err := reconcile.Documents(ctx, h.from); err == nil {\n\t\tb.book = rulebook.Read(files, b.Judge.floor.files, b.Judge.floor.state, b.found())\n\t}\n\tif err := b.guarded(ctx, h); err != nil {"}),
	without("a new base is a new change", "TestBypassRetargetedBase", mutation{fileHearing, `case "head_ref_force_pushed", "base_ref_changed":`, `case "head_ref_force_pushed":`}, noMove),
	without("a new managed base is a new change", "TestBypassRetargetedManagedBase", mutation{fileHearing, `case "head_ref_force_pushed", "base_ref_changed":`, `case "head_ref_force_pushed":`}, noMove),
	without("the comment is of this head", "TestBypassSoleAdminsOwn", mutation{"internal/guard/author.go", `case j.in.HeadSHA == "" || !strings.EqualFold(c.SHA, j.in.HeadSHA):`, "case false:"}),
	without("the comment is as it was", "TestBypassSoleAdminsOwn", mutation{"internal/guard/author.go", "case c.Edited:", "case false:"}),
	without("two admins look at each other", "TestBypassSoleAdminsOwn", mutation{"internal/guard/author.go", "case j.in.AdminsKnown && j.in.Admins == 1:", "case j.in.AdminsKnown:"}),
	without("workflows that run Pinnace are guarded", "TestBypassWorkflow", mutation{"internal/guard/touches.go", "return isWorkflow(name) && mentions(content)", "return false && isWorkflow(name) && mentions(content)"}),
	without("the organisation's rules hold", "TestBypassFloor", mutation{"internal/verdict/floor.go", "return &floor{state: policy.FloorRead, files: files}, nil", "return &floor{state: policy.FloorNone}, nil"}),
	without("rules that cannot be read are not no rules", "TestBypassUnreadableFloor", mutation{"internal/verdict/floor.go", "case err != nil:\n\t\treturn &floor{state: policy.FloorUnknown}, ctx.Err()", "case err != nil:\n\t\treturn &floor{state: policy.FloorNone}, ctx.Err()"}),
	without("a floor that is forbidden is not no floor", "TestBypassUnreadableFloor", mutation{"internal/verdict/floor.go", "case errors.Is(err, promotion.ErrForbidden):\n\t\treturn &floor{state: policy.FloorUnknown}, nil", "case errors.Is(err, promotion.ErrForbidden):\n\t\treturn &floor{state: policy.FloorNone}, nil"}),
	without("a team that cannot be read has no members", "TestBypassUnreadableTeam", mutation{"internal/verdict/people.go", "p.Teams[strings.ToLower(team)] = approval.Unknown", "p.Teams[strings.ToLower(team)] = approval.Yes"}),
	without("a group is judged by the rules before it", "TestBypassQueuedRules", mutation{"internal/verdict/group.go", "if rules != theirs {", "if false && rules != theirs {"}),
	without("an image is judged by the rules before it", "TestBypassQueuedBehindRules", mutation{"internal/verdict/group.go", "if rules != theirs {", "if false && rules != theirs {"}),

	without("each pull request is approved", "TestBypassReplay", mutation{fileNeed, "case short <= 0:", "case short <= 1:"}),
	without("a record is of one pull request", "TestBypassReplayedHead",
		mutation{fileHearing, "if h.known && h.memo.PullRequest != 0 && h.memo.PullRequest != q.Number || h.memo.Base != b.branch {", "if h.memo.Base != b.branch {"}),
	without("the verdict of another pull request is none", "TestBypassReplayedHeadAtOnce", mutation{"internal/verdict/history.go", "x.memo, x.known = memo, ok && memo.PullRequest == x.pull.Number", "x.memo, x.known = memo, ok"}),
	without("a freeze turns green back", "TestBypassFreezeAfterGreen", mutation{fileWays, "frozen, until := f.Window.State(j.in.Now)", "frozen, until := f.Window.State(j.in.Request.At)"}),
	without("the source has to run it still", "TestBypassSourceRolledBack", mutation{fileWays, "case !stand(p.change.Stands.Value, envs, anyOne):", "case false:"}),
	without("dates of commits are not believed", "TestBypassForgedDate", mutation{"internal/verdict/source.go", "s.Since = how.at\n", "s.Since = how.at\n\tif c, err := b.Git.ReadCommit(newest); err == nil {\n\t\ts.Since = policy.Known(c.Committer.When)\n\t}\n"}),
}

// Every attack has a defence that it is known to notice the loss of.
func TestMutantsCoverEveryBypass(t *testing.T) {
	tested := map[string]bool{}
	for _, m := range mutants {
		tested[m.test] = true
	}
	files, err := filepath.Glob("bypass_*_test.go")
	if err != nil || len(files) == 0 {
		t.Fatal("there are no attacks: ", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			rest, ok := strings.CutPrefix(line, "func Test")
			name, _, _ := strings.Cut("Test"+rest, "(")
			if ok && !tested[name] {
				t.Errorf("no defence of %s is ever switched off: add a mutant", name)
			}
		}
	}
}

// switchOff writes the files of a mutant to a directory, and returns them by what they replace.
func (m mutant) switchOff(t *testing.T, root, dir string) map[string]string {
	t.Helper()
	replace := map[string]string{}
	for _, e := range m.edits {
		file := filepath.Join(root, e.file)
		from := file
		if replace[file] != "" {
			from = replace[file]
		}
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), e.old); n != 1 {
			t.Fatalf("%s: %s has %d times what is to be switched off, want once:\n%s", m.name, e.file, n, e.old)
		}
		replace[file] = filepath.Join(dir, strings.ReplaceAll(e.file, "/", "_"))
		if err := os.WriteFile(replace[file], []byte(strings.Replace(string(text), e.old, e.new, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return replace
}

// Every mutant finds the defence that it switches off, also where make mutants is not run.
func TestMutantsApply(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mutants {
		m.switchOff(t, root, t.TempDir())
	}
}

// TestMutants switches off one defence after the other and asks that its test fails. It
// compiles Pinnace for each, which takes minutes: make mutants.
func TestMutants(t *testing.T) {
	if os.Getenv("MUTANTS") == "" {
		t.Skip("MUTANTS is not set: it compiles Pinnace once for each mutant; make mutants")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mutants {
		t.Run(m.test+"/"+m.name, func(t *testing.T) {
			dir := t.TempDir()
			replace := m.switchOff(t, root, dir)
			overlay, err := json.Marshal(map[string]any{"Replace": replace})
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(dir, "overlay.json")
			if err := os.WriteFile(file, overlay, 0o600); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			// Vetting would refuse what a mutant leaves unused.
			c := exec.CommandContext(ctx, "go", "test", "-overlay="+file, "-vet=off", "-ldflags=-w", "-count=1", "-run", "^"+m.test+"$", "./internal/verdict")
			c.Dir = root
			out, err := c.CombinedOutput()
			switch {
			case err == nil:
				t.Errorf("without the defence %q the attack fails all the same:\n%s", m.name, out)
			case strings.Contains(string(out), "[build failed]") || strings.Contains(string(out), "[setup failed]"):
				t.Errorf("the mutant does not compile:\n%s", out)
			case !strings.Contains(string(out), "--- FAIL: "+m.test):
				t.Errorf("something else went wrong:\n%s", out)
			}
		})
	}
}
