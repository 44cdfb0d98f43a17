package verdict_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
	"github.com/pinnace-dev/pinnace/internal/verdict"
)

// A deployment story has #1, which brings shop 1.1 to prod as bob asked.
type deployStory struct {
	*world
	steward func() *verdict.Steward
	waits   string // what #1 waits for besides approvals
}

// deploying is standing, with prod deployed as mode says and further files.
func deploying(t *testing.T, mode string, further map[string]string) *deployStory {
	t.Helper()
	files := standing()
	files[".pinnace/config.yaml"] = strings.Replace(configuration, "deploy: auto", "deploy: "+mode, 1) + "  deployer: {users: [dave, erin, carol]}\n  admin: {users: [ada, frank]}\n"
	for name, text := range further {
		files[name] = text
	}
	w := newWorld(t, files, "shop:1.0", "shop:1.1", "shop:evil")
	w.User("frank")
	w.repo.Permission("frank", promotion.PermissionAdmin)
	s := &deployStory{world: w, steward: w.steward}
	if mode == "command" {
		s.waits = "; nobody said /deploy yet"
	}
	t.Cleanup(s.atRest)
	w.run() // sees what stands there
	return s
}

// open lets bob ask for shop in prod.
func (s *deployStory) open() {
	s.Helper()
	s.expect(s.world.run(s.promote("bob", "prod")), "opened promote/prod/shop #1", "#1 waiting: 0 of 1 approval"+s.waits)
	s.pass(time.Minute)
}

// approve lets carol approve #1.
func (s *deployStory) approve() int64 {
	s.Helper()
	id := s.review(1, "carol", promotion.Approved)
	s.pass(time.Minute)
	return id
}

// says writes a comment on #1.
func (s *deployStory) says(by, text string) int64 {
	id := s.repo.Comment(1, by, text)
	s.pass(time.Minute)
	return id
}

func (s *deployStory) expect(got []string, want ...string) {
	s.Helper()
	if diff := cmp.Diff(want, got); diff != "" && len(want)+len(got) > 0 {
		s.Errorf("what was done (-want +got):\n%s", diff)
	}
}

func (s *deployStory) step(want ...string) {
	s.Helper()
	round, err := s.steward().Run(s.Context(), nil...)
	if err != nil {
		s.expect([]string{"error: " + err.Error()}, want...)
		return
	}
	s.expect(tell(round), want...)
}

// check is the verdict on a commit.
func (s *deployStory) check(sha, name string) promotion.CheckRun {
	var out promotion.CheckRun
	for _, c := range s.repo.Checks(sha) {
		if c.Name == name {
			out = c
		}
	}
	return out
}

// light is the state of the check of a pull request.
func (s *deployStory) light(number int) string {
	c := s.check(s.pull(number).Head.SHA, "pinnace/promotion")
	if c.Conclusion != "" {
		return c.Conclusion
	}
	return c.Status
}

func (s *deployStory) wantLight(number int, want string) {
	s.Helper()
	if got := s.light(number); got != want {
		s.Errorf("the check of #%d is %s, want %s", number, got, want)
	}
}

// wantSaid requires words in the check of a pull request.
func (s *deployStory) wantSaid(number int, want ...string) {
	s.Helper()
	c := s.check(s.pull(number).Head.SHA, "pinnace/promotion")
	text := c.Title + "\n" + c.Summary + "\n" + c.Text
	for _, words := range want {
		if !strings.Contains(text, words) {
			s.Errorf("the check of #%d does not say %q:\n%s", number, words, text)
		}
	}
}

func (s *deployStory) pull(number int) promotion.PullRequest {
	all := s.repo.PullRequests()
	i := slices.IndexFunc(all, func(q promotion.PullRequest) bool { return q.Number == number })
	return all[i]
}

func (s *deployStory) prod() string {
	text, _ := s.repo.File("main", "envs/prod/shop.yaml")
	for image, d := range s.digests {
		text = strings.ReplaceAll(text, d, image)
	}
	_, text, _ = strings.Cut(text, "@shop:")
	return strings.TrimSpace(text)
}

func (s *deployStory) wantProd(want string) {
	s.Helper()
	if got := s.prod(); got != want {
		s.Errorf("prod runs shop %s, want %s", got, want)
	}
}

// meanwhile acts once, right before the first call of a route that comes from now on.
func (s *deployStory) meanwhile(method, route string, act func()) {
	done := false
	s.Inject(func(c sandbox.Call) sandbox.Fault {
		if done || c.Method != method || c.Route != route {
			return sandbox.Fault{}
		}
		done = true
		return sandbox.Fault{Delay: act}
	})
}

const mergeRoute = "/repos/{owner}/{repo}/pulls/{pull_number}/merge"

func (s *deployStory) again() {
	s.Helper()
	if _, err := s.steward().Run(context.Background()); err != nil {
		s.Error(err)
	}
}

// atRest requires that two more runs write nothing, and that nobody's rules were broken.
func (s *deployStory) atRest() {
	s.Helper()
	s.Inject(nil)
	if s.Failed() {
		return
	}
	s.again()
	for range 2 {
		s.ForgetRequests()
		s.again()
		for _, q := range s.Requests() {
			if q.Write() && q.Route != "git-upload-pack" {
				s.Errorf("a run at rest wrote: %s %s", q.Method, q.Path)
			}
		}
	}
	if v := s.Violations(); len(v) > 0 {
		s.Error(v)
	}
}

// Where Pinnace merges, its check is in progress until all holds, green only while the merge
// is under way, and withdrawn when the merge fails. It is then merged by the next run.
func TestDeployAuto(t *testing.T) {
	s := deploying(t, "auto", nil)
	s.open()
	s.wantLight(1, "in_progress")
	s.approve()
	during := ""
	s.Inject(func(c sandbox.Call) sandbox.Fault {
		if c.Route != mergeRoute || c.Method != http.MethodPut {
			return sandbox.Fault{}
		}
		return sandbox.Fault{Before: sandbox.Status(http.StatusBadGateway), Delay: func() { during = s.light(1) }}
	})
	s.step("#1 failed: merge pull request 1 of acme/config: temporary failure: bad gateway (HTTP 502): GitHub or the way to it fails at the moment; https://www.githubstatus.com tells more")
	if during != "success" {
		t.Errorf("while it was merged the check was %s", during)
	}
	s.wantLight(1, "in_progress")
	s.wantSaid(1, "All rules hold; the merge did not happen", "bad gateway", "is tried again")
	s.wantProd("1.0")
	s.Inject(nil)
	s.step("#1 merged")
	s.wantProd("1.1")
	s.wantLight(1, "success")
}

// The answer of a merge may be lost: it was merged, and nothing is done twice.
func TestDeployLostAnswer(t *testing.T) {
	s := deploying(t, "auto", nil)
	s.open()
	s.approve()
	s.Inject(func(c sandbox.Call) sandbox.Fault {
		if c.Route != mergeRoute || c.Method != http.MethodPut {
			return sandbox.Fault{}
		}
		return sandbox.Fault{After: sandbox.Hangup()}
	})
	s.step("#1 merged")
	s.wantProd("1.1")
	s.wantLight(1, "success")
	if n := len(s.repo.Log("main")); n != 2 {
		t.Errorf("main has %d commits, want 2", n)
	}
}

// With deploy: command, what is approved waits for the comment /deploy of a deployer. What
// does not count is told, with why.
func TestDeployCommand(t *testing.T) {
	s := deploying(t, "command", nil)
	s.open()
	s.says("dave", "/deploy")
	s.step("#1 waiting: 0 of 1 approval; /deploy of dave does not count: approvals are still needed")
	s.approve()
	s.step("#1 waiting: /deploy of dave does not count: it is not newer than the last needed approval, of 2026-11-21 09:02 UTC")
	s.says("bob", "/deploy")
	s.step("#1 waiting: /deploy of bob does not count: bob is no deployer")
	s.says("carol", "/deploy")
	s.step("#1 waiting: /deploy of carol does not count: carol approved, and policy prod lets no approver deploy")
	edited := s.says("erin", "looks good")
	if err := s.repo.EditComment(edited, "erin", "/deploy"); err != nil {
		t.Fatal(err)
	}
	s.step("#1 waiting: /deploy of erin does not count: it was edited")
	s.wantLight(1, "in_progress")
	s.wantSaid(1, "dave, erin or carol with write, but none of those who approved", "comment /deploy")
	s.wantProd("1.0")
	s.says("erin", "/deploy")
	s.step("#1 merged")
	s.wantProd("1.1")
	if last := s.repo.Log("main")[0].Message; !strings.Contains(last, "\nDeployed-by: erin#") {
		t.Errorf("the merge does not say who deployed:\n%s", last)
	}
}

// A policy may let approvers deploy.
func TestDeployByApprover(t *testing.T) {
	s := deploying(t, "command", map[string]string{".pinnace/policies/prod.yaml": twoPeople + "allowApproverFromDeploy: true\n"})
	s.open()
	s.approve()
	s.step("#1 waiting: nobody said /deploy yet")
	s.says("carol", "/deploy")
	s.step("#1 merged")
	s.wantProd("1.1")
}

// A /deploy is for what stood there when it was written: another digest needs a new one.
func TestDeployOlderThanTheSeal(t *testing.T) {
	s := deploying(t, "command", map[string]string{".pinnace/policies/prod.yaml": strings.Replace(twoPeople, "approverCount: 1", "approverCount: 0", 1)})
	s.push("shop:1.2")
	s.expect(s.run(s.promote("bob", "prod")), "opened promote/prod/shop #1", "#1 waiting: nobody said /deploy yet")
	s.pass(time.Minute)
	s.says("dave", "/deploy")
	s.repo.Commit("main", "erin", "next", map[string]string{
		"envs/dev/shop.yaml": s.expand(deployment("{shop:1.2}")), "envs/staging/shop.yaml": s.expand(deployment("{shop:1.2}")),
	})
	s.expect(s.run(s.promote("bob", "prod")), "updated promote/prod/shop #1", "#1 waiting: /deploy of dave does not count: it is not newer than what would be merged")
	s.wantProd("1.0")
	s.pass(time.Minute)
	s.says("dave", "/deploy")
	s.step("#1 merged")
	s.wantProd("1.2")
}

// With deploy: button, which is the default, the check is green while all holds, and a person
// presses the button.
func TestDeployButton(t *testing.T) {
	s := deploying(t, "button", nil)
	s.open()
	s.wantLight(1, "in_progress")
	first := s.approve()
	s.step("#1 all rules hold")
	s.wantLight(1, "success")

	// An approval that ends takes the green back.
	if err := s.repo.Dismiss(1, first, "dave", "not yet"); err != nil {
		t.Fatal(err)
	}
	s.step("#1 waiting: 0 of 1 approval")
	s.wantLight(1, "in_progress")
	s.pass(time.Minute)
	s.review(1, "dave", promotion.Approved)
	s.step("#1 all rules hold")
	s.wantLight(1, "success")

	// So does the end of the role of who approved.
	s.repo.Permission("dave", promotion.PermissionRead)
	s.step("#1 waiting: 0 of 1 approval")
	s.wantLight(1, "in_progress")
	s.wantSaid(1, "dave")
	s.repo.Permission("dave", promotion.PermissionWrite)
	s.step("#1 all rules hold")

	s.pass(time.Minute)
	if _, err := s.repo.Merge(1, "erin", "squash"); err != nil {
		t.Fatal(err)
	}
	s.step()
	s.wantProd("1.1")
	if c := s.check(s.repo.Tip("main"), "pinnace/audit"); c.Conclusion != "success" || !strings.Contains(c.Summary, "#1") {
		t.Errorf("the audit says %s: %s", c.Conclusion, c.Summary)
	}
}

// A merge by force, past a check that is not green, is reported in an issue, once, and by a
// red check on its commit.
func TestDeployByForce(t *testing.T) {
	s := deploying(t, "button", nil)
	s.open()
	if _, err := s.repo.MergeByForce(1, "erin", "squash"); err != nil {
		t.Fatal(err)
	}
	s.step("incident: #1 was merged although its verdict was waiting.")
	s.step()
	s.pass(24 * time.Hour)
	s.step()
	issues := s.repo.Issues()
	if len(issues) != 1 {
		t.Fatalf("there are %d issues, want 1", len(issues))
	}
	if i := issues[0]; i.Title != "Rules bypassed: merge changed 1 image in prod (#1)" || !slices.Equal(i.Labels, []string{"pinnace-incident"}) {
		t.Errorf("the issue is %q %q", i.Title, i.Labels)
	}
	for _, words := range []string{"the merge of #1 by `erin#", "its verdict was waiting", "0 of 1 approval", "ghcr.io/acme/shop", "docs/promotions.md"} {
		if !strings.Contains(issues[0].Body, words) {
			t.Errorf("the issue does not say %q:\n%s", words, issues[0].Body)
		}
	}
	c := s.check(s.repo.Tip("main"), "pinnace/audit")
	if c.Conclusion != "failure" || c.Title != "Images changed against the rules" {
		t.Errorf("the audit says %s: %s", c.Conclusion, c.Title)
	}
}

const freezeOfToday = `apiVersion: pinnace.dev/v1alpha1
kind: Freeze
name: launch
production: true
window: {from: 2026-11-21T%s, to: 2026-11-21T12:00, zone: UTC}
reason: Launch day
owner: dave
`

func frozen(from string) map[string]string {
	return map[string]string{".pinnace/freeze.yaml": strings.Replace(freezeOfToday, "%s", from, 1)}
}

// What is approved in a freeze waits for its end, says when that is, and is merged then.
func TestDeployInFreeze(t *testing.T) {
	s := deploying(t, "auto", frozen("08:00"))
	s.expect(s.run(s.promote("bob", "prod")), "opened promote/prod/shop #1", "#1 waiting: 0 of 1 approval; freeze launch holds: Launch day")
	s.pass(time.Minute)
	s.approve()
	s.step("#1 waiting: freeze launch holds: Launch day")
	s.wantLight(1, "in_progress")
	s.wantSaid(1, "dave: wait until Sat 2026-11-21 12:00 UTC", "Judged again by itself on 2026-11-21 12:00 UTC")
	s.wantProd("1.0")
	writes := s.Writes()
	s.now = time.Date(2026, 11, 21, 11, 59, 59, 0, time.UTC)
	s.step("#1 waiting: freeze launch holds: Launch day")
	if n := s.Writes() - writes; n > 0 {
		t.Errorf("while nothing but time changes it wrote %d times", n)
	}
	s.now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	s.step("#1 merged")
	s.wantProd("1.1")
}

// A freeze that begins right after the verdict turned green turns it back. Who was quicker is
// found out.
func TestDeployFreezeBegins(t *testing.T) {
	s := deploying(t, "button", frozen("10:00"))
	s.open()
	s.approve()
	s.step("#1 all rules hold")
	s.wantLight(1, "success")
	s.wantSaid(1, "Judged again by itself on 2026-11-21 10:00 UTC")
	s.now = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	s.step("#1 waiting: freeze launch holds: Launch day")
	s.wantLight(1, "in_progress")
}

// Where nobody turned it back in time, a merge inside of a freeze is reported.
func TestDeployInsideFreeze(t *testing.T) {
	s := deploying(t, "button", frozen("10:00"))
	s.open()
	s.approve()
	s.step("#1 all rules hold")
	s.now = time.Date(2026, 11, 21, 10, 0, 30, 0, time.UTC)
	if _, err := s.repo.Merge(1, "erin", "squash"); err != nil {
		t.Fatal(err)
	}
	s.step("incident: #1 was merged at 2026-11-21 10:00:30 UTC, when its verdict no longer held: freeze launch holds: Launch day.")
	s.step()
}

// The freeze may begin between the verdict and the merge.
func TestDeployFreezeBeginsMeanwhile(t *testing.T) {
	s := deploying(t, "auto", frozen("10:00"))
	s.open()
	s.approve()
	s.now = time.Date(2026, 11, 21, 9, 59, 59, 0, time.UTC)
	s.meanwhile(http.MethodGet, "/repos/{owner}/{repo}/pulls/{pull_number}", func() { s.pass(time.Second) })
	s.step("#1 waiting: freeze launch holds: Launch day: it was judged again right before the merge")
	s.wantLight(1, "in_progress")
	s.wantProd("1.0")
}

// What was true when the verdict was reached is asked again right before the merge. Each of
// these comes in between, and none of them is merged.
func TestDeployMeanwhile(t *testing.T) {
	const diverged = "diverged promote/prod/shop #1: branch pinnace/promote/prod/shop holds a commit by erin (HEAD): nothing was overwritten"
	const judgedAgain = ": it was judged again right before the merge"
	const again = "GET /repos/{owner}/{repo}/pulls/{pull_number}"
	for _, c := range []struct {
		name, before string // the call that it happens right before
		act          func(*deployStory)
		want, then   []string // of this run, and of the next
		light        string
	}{
		{
			"the digest is deleted", again,
			func(s *deployStory) {
				if err := s.DeleteImage("acme/shop", s.digests["shop:1.1"]); err != nil {
					s.Fatal(err)
				}
			},
			[]string{"#1 denied: ghcr.io/acme/shop:1.1@sha256:90e7d9f319a3 is no longer in its registry" + judgedAgain},
			[]string{"#1 denied: ghcr.io/acme/shop:1.1@sha256:90e7d9f319a3 is no longer in its registry"},
			"failure",
		},
		{
			"the source is rolled back", again,
			func(s *deployStory) {
				s.repo.Commit("main", "erin", "back", map[string]string{"envs/staging/shop.yaml": s.expand(deployment("{shop:1.0}"))})
			},
			[]string{"#1 denied: staging no longer runs ghcr.io/acme/shop:1.1@sha256:90e7d9f319a3" + judgedAgain},
			[]string{"#1 denied: staging no longer runs ghcr.io/acme/shop:1.1@sha256:90e7d9f319a3"},
			"failure",
		},
		{
			"the approval is dismissed", again,
			func(s *deployStory) {
				if err := s.repo.Dismiss(1, s.repo.Reviews(1)[0].ID, "dave", "wait"); err != nil {
					s.Fatal(err)
				}
			},
			[]string{"#1 waiting: 0 of 1 approval" + judgedAgain},
			[]string{"#1 waiting: 0 of 1 approval"},
			"in_progress",
		},
		{
			"who approved loses the role", again,
			func(s *deployStory) { s.repo.Permission("carol", promotion.PermissionRead) },
			[]string{"#1 waiting: 0 of 1 approval" + judgedAgain},
			[]string{"#1 waiting: 0 of 1 approval"},
			"in_progress",
		},
		{
			"somebody pushes to the branch", again,
			func(s *deployStory) {
				s.repo.Commit("pinnace/promote/prod/shop", "erin", "more", map[string]string{"envs/prod/shop.yaml": s.expand(deployment("{shop:evil}"))})
			},
			[]string{"#1 all rules hold: it moved meanwhile, and is judged again"},
			[]string{diverged, "#1 denied: the seal is broken at commit HEAD, which holds a commit by erin"},
			"",
		},
		{
			"somebody pushes to the branch at the last moment", "PUT " + mergeRoute,
			func(s *deployStory) {
				s.repo.Commit("pinnace/promote/prod/shop", "erin", "more", map[string]string{"envs/prod/shop.yaml": s.expand(deployment("{shop:evil}"))})
			},
			[]string{"#1 all rules hold: it moved meanwhile, and is judged again"},
			[]string{diverged, "#1 denied: the seal is broken at commit HEAD, which holds a commit by erin"},
			"",
		},
		{
			"it is closed", again,
			func(s *deployStory) { s.repo.Close(1, "erin") },
			[]string{"#1 all rules hold: it was closed meanwhile"},
			nil, "in_progress",
		},
		{
			"it is closed at the last moment", "PUT " + mergeRoute,
			func(s *deployStory) { s.repo.Close(1, "erin") },
			[]string{"#1 all rules hold: it was closed meanwhile"},
			nil, "in_progress",
		},
		{
			"it becomes a draft at the last moment", "PUT " + mergeRoute,
			func(s *deployStory) {
				if err := s.repo.SetDraft(1, "erin", true); err != nil {
					s.Fatal(err)
				}
			},
			[]string{"#1 all rules hold: GitHub does not merge it: Pull Request is still a draft: mark the pull request as ready for review first"},
			[]string{"#1 waiting: the pull request is a draft; 1 of 1 approval, and the pull request is a draft"},
			"in_progress",
		},
		{
			"the policy asks for more", again,
			func(s *deployStory) {
				s.repo.Commit("main", "ada", "stricter", map[string]string{".pinnace/policies/prod.yaml": strings.Replace(twoPeople, "approverCount: 1", "approverCount: 2", 1)})
			},
			[]string{"#1 waiting: 1 of 2 approvals" + judgedAgain},
			[]string{"updated promote/prod/shop #1", "#1 waiting: 1 of 2 approvals"},
			"in_progress",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := deploying(t, "auto", nil)
			s.open()
			s.approve()
			method, route, _ := strings.Cut(c.before, " ")
			s.meanwhile(method, route, func() { c.act(s) })
			s.step(c.want...)
			s.Inject(nil)
			s.wantLight(1, c.light)
			s.wantProd("1.0")
			for i := range c.then {
				c.then[i] = strings.ReplaceAll(c.then[i], "HEAD", s.pull(1).Head.SHA[:10])
			}
			s.step(c.then...)
			s.wantProd("1.0")
		})
	}
}

// tries counts the attempts to merge.
func (s *deployStory) tries() int {
	n := 0
	for _, q := range s.Requests() {
		if q.Method == http.MethodPut && q.Route == mergeRoute || q.Method == http.MethodPost && q.Route == "git-receive-pack" {
			n++
		}
	}
	return n
}

// withMethod is a configuration that merges in another way.
func withMethod(mode, method string) map[string]string {
	return map[string]string{".pinnace/config.yaml": strings.Replace(configuration, "deploy: auto", "deploy: "+mode, 1) + "  deployer: {users: [dave, erin, carol]}\n  admin: {users: [ada, frank]}\nmerge: {method: " + method + "}\n"}
}

// However it is merged, the tree that the branch gets is that of the sealed edits on the commit
// before, which the audit verifies.
func TestDeployMethods(t *testing.T) {
	for _, method := range []string{"squash", "merge", "rebase", "fast-forward"} {
		t.Run(method, func(t *testing.T) {
			s := deploying(t, "auto", withMethod("auto", method))
			s.open()
			s.repo.Commit("main", "erin", "beside", map[string]string{"README.md": "# Config\n"})
			before := s.repo.Tip("main")
			s.approve()
			moved := []string{"#1 merged"}
			if method == "fast-forward" {
				moved = append([]string{"updated promote/prod/shop #1: rendered again on main"}, moved...)
			}
			s.step(moved...)
			s.wantProd("1.1")
			tip := s.repo.Log("main")[0]
			if tip.Parents[0] != before {
				t.Errorf("the merge stands on %s, want %s", tip.Parents[0], before)
			}
			if n, want := len(tip.Parents), map[string]int{"merge": 2}[method]; n != max(want, 1) {
				t.Errorf("the merge has %d parents", n)
			}
			if text, _ := s.repo.File("main", "README.md"); text != "# Config\n" {
				t.Errorf("README.md holds %q", text)
			}
			if method == "fast-forward" && tip.SHA != s.pull(1).Head.SHA {
				t.Error("main is not at the head of #1")
			}
			if c := s.check(tip.SHA, "pinnace/audit"); c.Conclusion != "success" || !strings.Contains(c.Summary, "whose verdict had passed") {
				t.Errorf("the audit says %s: %s", c.Conclusion, c.Title)
			}
		})
	}
}

// A fast-forward pins both ends: where the branch moves meanwhile it is written anew first.
func TestDeployFastForwardRace(t *testing.T) {
	s := deploying(t, "auto", withMethod("auto", "fast-forward"))
	s.open()
	s.approve()
	s.meanwhile(http.MethodPost, "git-receive-pack", func() {
		s.repo.Commit("main", "erin", "beside", map[string]string{"README.md": "# Config\n"})
	})
	s.step("#1 all rules hold: it moved meanwhile, and is judged again")
	s.Inject(nil)
	s.wantLight(1, "in_progress")
	s.wantProd("1.0")
	s.step("updated promote/prod/shop #1: rendered again on main", "#1 merged")
	s.wantProd("1.1")
}

// What the branch's own rules refuse is told in GitHub's words, with what to do. It is not
// tried again before something changes.
func TestDeployRefused(t *testing.T) {
	const refused = "#1 all rules hold: GitHub does not merge it: "
	for _, c := range []struct {
		name   string
		files  map[string]string
		rules  promotion.Rules
		want   string
		remedy func(*deployStory) // what the remedy says
		then   []string
	}{
		{
			name:   "reviews on GitHub",
			rules:  promotion.Rules{Approvals: 2},
			want:   `At least 2 approving reviews are required by reviewers with write access: people with write access must approve the pull request on GitHub, as many as a rule of the branch wants`,
			remedy: func(s *deployStory) { s.review(1, "erin", promotion.Approved) },
			then:   []string{"#1 merged"},
		},
		{
			name:   "another check",
			rules:  promotion.Rules{Checks: []promotion.RequiredCheck{{Context: "ci"}}},
			want:   `Required status check "ci" is expected: a rule of the branch wants checks to succeed on this head: wait for them or run them again, or change the rule in Settings > Rules of the repository`,
			remedy: func(s *deployStory) { s.repo.Status(s.pull(1).Head.SHA, "erin", "ci", "success") },
			then:   []string{"#1 merged"},
		},
		{
			name:  "linear history",
			files: withMethod("auto", "merge"),
			rules: promotion.Rules{LinearHistory: true},
			want:  `This branch must not contain merge commits: the branch takes no merge commits; merge by squash or rebase`,
			remedy: func(s *deployStory) {
				s.repo.Commit("main", "ada", "squash", withMethod("auto", "squash"))
			},
			then: []string{"#1 merged"},
		},
		{
			name:  "method",
			rules: promotion.Rules{MergeMethods: []string{"rebase"}},
			want:  `Squash merges are not allowed on this repository: choose a method of merging that the repository allows (Settings > General > Pull Requests)`,
			remedy: func(s *deployStory) {
				s.repo.Commit("main", "ada", "rebase", withMethod("auto", "rebase"))
			},
			then: []string{"#1 merged"},
		},
		{
			name:  "signed commits",
			files: withMethod("auto", "rebase"),
			rules: promotion.Rules{SignedCommits: true},
			want:  `Base branch requires signed commits. Rebase merges cannot be automatically signed by GitHub: the branch takes verified commits only; sign them, or merge by squash, which GitHub signs`,
			remedy: func(s *deployStory) {
				s.repo.Commit("main", "ada", "squash", withMethod("auto", "squash"))
			},
			then: []string{"#1 merged"},
		},
		{
			name:  "only who may bypass",
			files: withMethod("auto", "fast-forward"),
			rules: promotion.Rules{NoUpdate: true},
			want:  `push declined due to repository rule violations: error: GH013: Repository rule violations found for refs/heads/main. Cannot update this protected ref: let the App bypass the branch's rules (Settings > Rules of the repository), or set merge.method in .pinnace/config.yaml to squash`,
			remedy: func(s *deployStory) {
				s.repo.Protect("main", sandbox.Protection{Rules: promotion.Rules{NoUpdate: true}, Bypass: []string{s.app.Slug()}})
				s.says("erin", "/judge")
			},
			then: []string{"#1 merged"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := deploying(t, "auto", c.files)
			s.repo.Protect("main", sandbox.Protection{Rules: c.rules})
			s.open()
			s.approve()
			s.step(refused + c.want)
			s.wantLight(1, "in_progress")
			words, _, _ := strings.Cut(c.want, ":")
			s.wantSaid(1, "All rules hold; the merge did not happen", "GitHub does not merge it: ", strings.Trim(words, "\""))
			s.wantProd("1.0")
			tries := s.tries()
			s.pass(10 * time.Minute)
			s.step(refused + c.want)
			if n := s.tries() - tries; n > 0 {
				t.Errorf("it was tried %d more times, though nothing had changed", n)
			}
			s.pass(time.Hour)
			s.step(refused + c.want) // not all can be seen that a branch asks for
			if n := s.tries() - tries; n != 1 {
				t.Errorf("after an hour it was tried %d times", n)
			}
			c.remedy(s)
			s.step(c.then...)
			s.wantProd("1.1")
		})
	}
}

// Where a branch asks for our check, and for being up to date, a promotion is rendered on the
// newest commit, and keeps its approvals.
func TestDeployUpToDate(t *testing.T) {
	s := deploying(t, "auto", nil)
	s.repo.Protect("main", sandbox.Protection{Rules: promotion.Rules{
		PullRequest: true, UpToDate: true, Checks: []promotion.RequiredCheck{{Context: "pinnace/promotion", App: s.app.ID()}},
	}})
	s.open()
	s.approve()
	s.repo.Commit("main", "erin", "beside", map[string]string{"README.md": "# Config\n"})
	s.step("updated promote/prod/shop #1: rendered again on main", "#1 merged")
	s.wantProd("1.1")
}

// A person's pull request is never written to: where it is behind, the check says so.
func TestDeployUpToDateByHand(t *testing.T) {
	s := deploying(t, "command", nil)
	s.repo.Protect("main", sandbox.Protection{Rules: promotion.Rules{
		PullRequest: true, UpToDate: true, Checks: []promotion.RequiredCheck{{Context: "pinnace/promotion", App: s.app.ID()}},
	}})
	s.repo.Commit("ship", "bob", "ship", map[string]string{"envs/prod/shop.yaml": s.expand(deployment("{shop:1.1}"))})
	if _, err := s.repo.OpenPullRequest("bob", "Ship", "", "ship", "main"); err != nil {
		t.Fatal(err)
	}
	s.step("#1 waiting: 0 of 1 approval; nobody said /deploy yet")
	s.pass(time.Minute)
	s.approve()
	s.repo.Commit("main", "erin", "beside", map[string]string{"README.md": "# Config\n"})
	s.says("dave", "/deploy")
	s.step("#1 all rules hold: GitHub does not merge it: The branch lacks commits of main: press Update branch")
	if err := s.repo.UpdateBranch(1, "bob"); err != nil {
		t.Fatal(err)
	}
	s.step("#1 merged")
	s.wantProd("1.1")
}

const reason = `/break-glass "prod is down"`

// An admin may break the glass for one seal: approvals, soak, gates and freezes are waived. It
// is said in the commit and on record, and a second person closes the issue that it opens.
func TestBreakGlass(t *testing.T) {
	s := deploying(t, "button", frozen("08:00"))
	s.waits = "; freeze launch holds: Launch day"
	s.open()
	s.says("frank", reason)
	s.step("#1 merged")
	s.wantProd("1.1")
	last := s.repo.Log("main")[0].Message
	for _, words := range []string{"Break-glass by frank", "prod is down", "\nRequested-by: bob#", "\nDeployed-by: frank#"} {
		if !strings.Contains(last, words) {
			t.Errorf("the merge does not say %q:\n%s", words, last)
		}
	}
	if strings.Contains(last, "Approved-by") {
		t.Errorf("nobody approved it:\n%s", last)
	}
	issues := s.repo.Issues()
	if len(issues) != 1 || issues[0].Title != "Break-glass: review shop in prod (#1)" || !slices.Equal(issues[0].Labels, []string{"pinnace-break-glass"}) {
		t.Fatalf("the issues are %+v", issues)
	}
	for _, words := range []string{"frank", "prod is down", "0 of 1 approval", "freeze", "shop", "A second person closes this issue"} {
		if !strings.Contains(issues[0].Body, words) {
			t.Errorf("the issue does not say %q:\n%s", words, issues[0].Body)
		}
	}
	if c := s.check(s.repo.Tip("main"), "pinnace/audit"); c.Conclusion != "success" {
		t.Errorf("the audit says %s: %s", c.Conclusion, c.Summary)
	}

	// Who broke it does not settle it.
	number := issues[0].Number
	s.repo.Close(number, "frank")
	s.step()
	if i := s.repo.Issues()[0]; !i.Open {
		t.Error("the issue stays closed, though who broke the glass closed it")
	}
	s.repo.Close(number, "carol")
	s.step()
	s.step()
	if i := s.repo.Issues()[0]; i.Open || !slices.Contains(i.Labels, "pinnace-reviewed") {
		t.Errorf("a second person closed it, and it is open: %v %q", i.Open, i.Labels)
	}
}

// What break-glass does not waive, and who cannot break it.
func TestBreakGlassRefused(t *testing.T) {
	for _, c := range []struct {
		name  string
		files map[string]string
		act   func(*deployStory)
		want  []string
	}{
		{"no admin", nil, func(s *deployStory) { s.says("carol", reason) }, []string{"#1 waiting: 0 of 1 approval"}},
		{"no reason", nil, func(s *deployStory) { s.says("frank", "/break-glass") }, []string{"#1 waiting: 0 of 1 approval"}},
		{"an empty reason", nil, func(s *deployStory) { s.says("frank", `/break-glass " "`) }, []string{"#1 waiting: 0 of 1 approval"}},
		{"edited", nil, func(s *deployStory) {
			id := s.says("frank", "hm")
			if err := s.repo.EditComment(id, "frank", reason); err != nil {
				s.Fatal(err)
			}
		}, []string{"#1 waiting: 0 of 1 approval"}},
		{"a condition fails", nil, func(s *deployStory) {
			s.repo.Commit("main", "ada", "stop", map[string]string{".pinnace/policies/prod.yaml": twoPeople + "failCondition: \"true\"\n"})
			s.says("frank", reason)
		}, []string{"#1 denied: ghcr.io/acme/shop:1.1@sha256:90e7d9f319a3 meets the fail condition of prod"}},
		{"the seal is broken", nil, func(s *deployStory) {
			s.repo.Commit("pinnace/promote/prod/shop", "erin", "more", map[string]string{"envs/prod/shop.yaml": s.expand(deployment("{shop:evil}"))})
			s.says("frank", reason)
		}, []string{"diverged promote/prod/shop #1: branch pinnace/promote/prod/shop holds a commit by erin (HEAD): nothing was overwritten", "#1 denied: the seal is broken at commit HEAD, which holds a commit by erin"}},
		{"the digest is gone", nil, func(s *deployStory) {
			if err := s.DeleteImage("acme/shop", s.digests["shop:1.1"]); err != nil {
				s.Fatal(err)
			}
			s.says("frank", reason)
		}, []string{"#1 denied: ghcr.io/acme/shop:1.1@sha256:90e7d9f319a3 is no longer in its registry"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := deploying(t, "auto", c.files)
			s.world.run(s.promote("bob", "prod"))
			s.pass(time.Minute)
			c.act(s)
			for i := range c.want {
				c.want[i] = strings.ReplaceAll(c.want[i], "HEAD", s.pull(1).Head.SHA[:10])
			}
			s.step(c.want...)
			s.wantProd("1.0")
			if issues := s.repo.Issues(); len(issues) > 0 {
				t.Errorf("an issue was opened: %+v", issues)
			}
		})
	}
}

// It is for one seal: what comes after it is not waived.
func TestBreakGlassOfAnotherSeal(t *testing.T) {
	s := deploying(t, "auto", nil)
	s.push("shop:1.2")
	s.open()
	s.says("frank", reason)
	s.repo.Commit("main", "erin", "next", map[string]string{
		"envs/dev/shop.yaml": s.expand(deployment("{shop:1.2}")), "envs/staging/shop.yaml": s.expand(deployment("{shop:1.2}")),
	})
	s.expect(s.run(s.promote("bob", "prod")), "updated promote/prod/shop #1", "#1 waiting: 0 of 1 approval")
	s.wantSaid(1, "break-glass of frank waives nothing: it is for another seal")
	s.wantProd("1.0")
}

// Where anybody who may write could forge the check, it is advice: Pinnace merges nothing that
// needs approvals, and nobody breaks the glass there.
func TestDeployAdvisory(t *testing.T) {
	s := deploying(t, "auto", nil)
	s.steward = func() *verdict.Steward {
		x := s.world.steward()
		x.Judge.Advisory = true
		return x
	}
	s.open()
	s.approve()
	s.step("#1 all rules hold")
	s.wantLight(1, "in_progress")
	s.wantSaid(1, "Advisory, all rules hold; the verdict is advisory, so that a person merges", "This is advice")
	s.says("frank", reason)
	s.step("#1 break-glass of frank: rules are waived")
	s.wantProd("1.0")
}

// A policy that comes to want approvals right before the merge, and has them, does not make
// advice more than it is.
func TestDeployAdvisoryMeanwhile(t *testing.T) {
	const policy = ".pinnace/policies/prod.yaml"
	strict := standing()[policy]
	s := deploying(t, "auto", map[string]string{policy: strings.Replace(strict, "approverCount: 1", "approverCount: 0", 1)})
	advisory := func() *verdict.Steward {
		x := s.world.steward()
		x.Judge.Advisory = true
		return x
	}
	s.steward = advisory
	s.meanwhile(http.MethodGet, "/repos/{owner}/{repo}/pulls/{pull_number}", func() {
		s.repo.Commit("main", "ada", "two pairs of eyes", map[string]string{policy: s.expand(strict)})
		s.pass(time.Second)
		s.review(1, "carol", promotion.Approved)
	})
	round, err := advisory().Run(s.Context(), s.promote("bob", "prod"))
	if err != nil {
		s.Fatal(err)
	}
	s.expect(tell(round), "opened promote/prod/shop #1", "#1 all rules hold: it needs approvals now, and the verdict is advisory: a person merges")
	s.wantProd("1.0")
	s.step("updated promote/prod/shop #1", "#1 all rules hold")
	s.wantSaid(1, "This is advice")
	s.wantProd("1.0")
}

// byHand lets bob open #1, which brings shop 1.1 to prod in two commits, and has it approved.
func (s *deployStory) byHand() {
	s.Helper()
	s.repo.Commit("ship", "bob", "ship", map[string]string{"envs/prod/shop.yaml": s.expand(deployment("{shop:1.1}"))})
	s.repo.Commit("ship", "bob", "words", map[string]string{"README.md": "# Config\n"})
	if _, err := s.repo.OpenPullRequest("bob", "Ship", "", "ship", "main"); err != nil {
		s.Fatal(err)
	}
	s.step("#1 waiting: 0 of 1 approval" + s.waits)
	s.pass(time.Minute)
	s.approve()
}

// A person's pull request of several commits is merged in each way, too, and no commit of it
// is taken for a push.
func TestDeployMethodsByHand(t *testing.T) {
	for _, method := range []string{"squash", "merge", "rebase", "fast-forward"} {
		t.Run(method, func(t *testing.T) {
			s := deploying(t, "command", withMethod("command", method))
			s.byHand()
			s.says("dave", "/deploy")
			s.step("#1 merged")
			s.wantProd("1.1")
			s.step()
			if c := s.check(s.repo.Tip("main"), "pinnace/audit"); c.Conclusion != "success" {
				t.Errorf("the audit says %s: %s", c.Conclusion, c.Summary)
			}
			if issues := s.repo.Issues(); len(issues) > 0 {
				t.Errorf("an incident was reported: %+v", issues)
			}
		})
	}
}

// What conflicts with its base is not tried again and again.
func TestDeployConflict(t *testing.T) {
	s := deploying(t, "command", nil)
	s.byHand()
	s.repo.Commit("main", "erin", "words", map[string]string{"README.md": "# Other words\n"})
	s.says("dave", "/deploy")
	const conflict = "#1 all rules hold: GitHub does not merge it: it conflicts with main: bring the branch up to date with it"
	s.step(conflict)
	tries := s.tries()
	s.step(conflict)
	if n := s.tries() - tries; n > 0 {
		t.Errorf("it was tried %d more times", n)
	}
	s.wantLight(1, "in_progress")
	s.wantProd("1.0")
}

// A run that is called off in the middle of a merge takes the green back.
func TestDeployCalledOff(t *testing.T) {
	s := deploying(t, "auto", nil)
	s.open()
	s.approve()
	ctx, cancel := context.WithCancel(t.Context())
	s.Inject(func(c sandbox.Call) sandbox.Fault {
		if c.Route != mergeRoute || c.Method != http.MethodPut {
			return sandbox.Fault{}
		}
		cancel()
		return sandbox.Fault{Before: sandbox.Hangup()}
	})
	if _, err := s.steward().Run(ctx); err == nil {
		t.Error("no error")
	}
	s.Inject(nil)
	s.wantLight(1, "in_progress")
	s.wantProd("1.0")
	s.step("#1 merged")
}
