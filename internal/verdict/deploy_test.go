package verdict_test

import (
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
}

// deploying is standing, with prod deployed as mode says and further files.
func deploying(t *testing.T, mode string, further map[string]string) *deployStory {
	t.Helper()
	files := standing()
	files[".pinnace/config.yaml"] = strings.Replace(configuration, "deploy: auto", "deploy: "+mode, 1) + "  deployer: {users: [dave, erin, carol]}\n  admin: {users: [ada, frank]}\n"
	for name, text := range further {
		files[name] = text
	}
	w := newWorld(t, files, "shop:1.0", "shop:1.1")
	w.User("frank")
	w.repo.Permission("frank", promotion.PermissionAdmin)
	s := &deployStory{world: w, steward: w.steward}
	t.Cleanup(s.atRest)
	w.run() // sees what stands there
	return s
}

// open lets bob ask for shop in prod.
func (s *deployStory) open() {
	s.Helper()
	s.expect(s.world.run(s.promote("bob", "prod")), "opened promote/prod/shop #1", "#1 waiting: 0 of 1 approval")
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

// atRest requires that two more runs write nothing, and that nobody's rules were broken.
func (s *deployStory) atRest() {
	s.Helper()
	s.Inject(nil)
	if s.Failed() {
		return
	}
	s.world.run()
	for range 2 {
		s.ForgetRequests()
		s.world.run()
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

// With deploy: command, what is approved waits for the comment /deploy of a deployer.
func TestDeployCommand(t *testing.T) {
	s := deploying(t, "command", nil)
	s.open()
	s.says("dave", "/deploy")
	s.step("#1 waiting: 0 of 1 approval; no /deploy counts: dave does not count: approvals are still needed")
	s.approve()
	s.step("#1 x")
	s.says("bob", "/deploy")
	s.step("#1 x")
	s.says("carol", "/deploy")
	s.step("#1 x")
	edited := s.says("erin", "looks good")
	if err := s.repo.EditComment(edited, "erin", "/deploy"); err != nil {
		t.Fatal(err)
	}
	s.step("#1 x")
	s.wantLight(1, "in_progress")
	s.wantSaid(1, "x")
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
