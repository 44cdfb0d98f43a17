package verdict_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/record"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// stillJudges holds Pinnace to judging a harmless pull request, whatever the audit meets.
func (w *siege) stillJudges() []string {
	w.Helper()
	w.pass(time.Minute)
	n := w.hand("bob", fmt.Sprintf("harmless-%d", len(w.repo.PullRequests())), map[string]string{"README.md": w.now.String()})
	got := w.run()
	if c := w.checkedAt(w.pullOf(n).Head.SHA, "pinnace/promotion"); c.Conclusion == "" {
		w.Errorf("nothing was judged: %.500q", got)
	}
	return got
}

// A push of more commits than are looked at in one run hides nothing: the next runs go on.
func TestAuditManyCommits(t *testing.T) {
	for _, commits := range []int{55, 230} {
		t.Run(fmt.Sprint(commits), func(t *testing.T) {
			w := attacked(t, nil)
			for i := range 25 {
				w.edit("bob", "main", map[string]string{"README.md": fmt.Sprint("before ", i)})
			}
			w.run()
			w.edit("bob", "main", map[string]string{"envs/prod/shop.yaml": deployment("{shop:6.6}")})
			for i := range commits {
				w.edit("bob", "main", map[string]string{"README.md": fmt.Sprint(i)})
			}
			w.run()
			if n := len(w.incidents()); n != 1 {
				t.Errorf("%d incidents after one run", n)
			}
			for range commits/50 + 1 {
				w.run()
			}
			if n := len(w.incidents()); n != 1 {
				t.Errorf("%d incidents", n)
			}
			if got := w.audited(0); got != "success: No image under policy changed" {
				t.Errorf("the tip: %s", got)
			}
			w.rests()
		})
	}
}

// A commit that two environments claim by the configuration of today, and that was mended since,
// stops nothing.
func TestAuditOverlapMended(t *testing.T) {
	w := attacked(t, map[string]string{".pinnace/config.yaml": swap(t, configuration, `["envs/staging/**"]`, `["envs/staging/**", "**/staging-*.yaml"]`)})
	w.edit("bob", "main", map[string]string{"envs/dev/staging-x.yaml": deployment("{shop:1.0}")})
	w.run()
	w.pass(time.Minute)
	w.edit("ada", "main", map[string]string{"envs/dev/staging-x.yaml": sandbox.Removed})
	w.stillJudges()
	for n, want := range []string{"success: No image under policy changed", "success: No image under policy changed"} {
		if got := w.audited(n); got != want {
			t.Errorf("%d before the tip: %s, want %s", n, got, want)
		}
	}
	w.rests()
}

// Paths are widened after a file has left: commits from before are read all the same.
func TestAuditOverlapOfHistory(t *testing.T) {
	w := attacked(t, map[string]string{"envs/staging/prod-worker.yaml": deployment("{shop:1.0}")})
	w.edit("ada", "main", map[string]string{"README.md": "x"})
	w.edit("ada", "main", map[string]string{"envs/staging/prod-worker.yaml": sandbox.Removed, "envs/staging/worker.yaml": deployment("{shop:1.0}")})
	w.edit("ada", "main", map[string]string{".pinnace/config.yaml": swap(t, configuration, `["envs/prod/**"]`, `["envs/prod/**", "**/prod-*.yaml"]`)})
	w.stillJudges()
	if got := w.audited(0); got != "neutral: The rules changed by a push" {
		t.Errorf("the tip: %s", got)
	}
	w.rests()
}

// A commit that nobody can read is an incident, once, and what comes after it is looked at.
func TestAuditUnreadable(t *testing.T) {
	w := attacked(t, nil)
	deep := strings.Repeat("d/", 70) + "x.txt"
	w.edit("bob", "main", map[string]string{deep: "x", "envs/prod/shop.yaml": deployment("{shop:6.6}")})
	w.run()
	w.pass(time.Minute)
	w.edit("ada", "main", map[string]string{deep: sandbox.Removed})
	w.stillJudges()
	all := w.incidents()
	if len(all) != 2 { // what mends it says as little of what it changed
		t.Errorf("%d incidents", len(all))
	}
	for n, i := range all {
		if got := w.audited(n); got != "failure: What it changed cannot be read" || !strings.Contains(i.Body, "more directories within one another than the limit") {
			t.Errorf("%d before the tip: %s\n%s", n, got, i.Body)
		}
	}
	w.rests()
}

// What cannot be asked of GitHub for a while keeps nothing from being judged.
func TestAuditFails(t *testing.T) {
	w := attacked(t, nil)
	w.edit("bob", "main", map[string]string{"envs/prod/shop.yaml": deployment("{shop:6.6}")})
	w.Inject(func(c sandbox.Call) sandbox.Fault {
		if strings.HasSuffix(c.Route, "/pulls") && strings.Contains(c.Route, "/commits/") {
			return sandbox.Fault{Before: sandbox.Status(http.StatusBadGateway)}
		}
		return sandbox.Fault{}
	})
	w.stillJudges()
	if n := len(w.incidents()); n != 0 {
		t.Errorf("%d incidents, though nothing was known", n)
	}
	w.Inject(nil)
	w.run()
	if n := len(w.incidents()); n != 1 {
		t.Errorf("%d incidents", n)
	}
	w.rests()
}

// Without issues the check of a commit says what is amiss, and all is judged.
func TestAuditWithoutIssues(t *testing.T) {
	for _, test := range []struct {
		name string
		code int
		post bool // only opening one is refused
	}{{"off", 410, false}, {"no permission", 403, false}, {"refused", 422, true}} {
		t.Run(test.name, func(t *testing.T) {
			w := attacked(t, nil)
			asked := 0
			w.Inject(func(c sandbox.Call) sandbox.Fault {
				if strings.HasSuffix(c.Route, "/issues") && (c.Method == http.MethodPost || !test.post) {
					asked++
					return sandbox.Fault{Before: sandbox.Status(test.code)}
				}
				return sandbox.Fault{}
			})
			for _, image := range []string{"{shop:6.6}", "{miner:6.6}"} {
				w.edit("bob", "main", map[string]string{"envs/prod/shop.yaml": deployment(image)})
			}
			w.stillJudges()
			for n := range 2 {
				c := w.checkedAt(w.repo.Log("main")[n].SHA, "pinnace/audit")
				if c.Conclusion != "failure" || !strings.Contains(c.Summary, "No issue could be opened: ") {
					t.Errorf("%d before the tip: %s: %s", n, c.Conclusion, c.Summary)
				}
			}
			if asked > 2 {
				t.Errorf("asked %d times in one run", asked)
			}
		})
	}
}

// Who broke the glass labels the issue, or takes its label, and closes it: it is opened again
// until a second person closes it.
func TestBreakGlassLabels(t *testing.T) {
	for name, tamper := range map[string]func(s *deployStory, number int){
		"labelled":   func(s *deployStory, number int) { s.repo.AddLabel(number, "frank", "pinnace-reviewed") },
		"unlabelled": func(s *deployStory, number int) { s.repo.RemoveLabel(number, "frank", "pinnace-break-glass") },
	} {
		t.Run(name, func(t *testing.T) {
			s := deploying(t, "button", frozen("08:00"))
			s.waits = "; freeze launch holds: Launch day"
			s.open()
			s.says("frank", reason)
			s.step("#1 merged")
			number := s.repo.Issues()[0].Number
			tamper(s, number)
			s.repo.Close(number, "frank")
			s.step()
			if i := s.repo.Issues()[0]; !i.Open {
				t.Error("who broke the glass closed it, and it stays closed")
			}
			s.repo.Commit("main", "erin", "words", map[string]string{"README.md": "# Config"})
			s.step()
			s.repo.Close(number, "frank")
			s.step()
			if i := s.repo.Issues()[0]; !i.Open {
				t.Error("after a further commit it stays closed")
			}
			s.repo.Close(number, "carol")
			s.step()
			s.step()
			if i := s.repo.Issues()[0]; i.Open || !slices.Contains(i.Labels, "pinnace-reviewed") {
				t.Errorf("a second person closed it: open %v, labels %q", i.Open, i.Labels)
			}
			if n := len(s.repo.Issues()); n != 1 {
				t.Errorf("%d issues", n)
			}
			r, ok, err := record.Parse(s.check(s.repo.PullRequests()[0].Head.SHA, "pinnace/promotion").Text)
			if err != nil || !ok || r.FollowUp != number || r.Reviewed.Login != "carol" {
				t.Errorf("the record says issue %d, reviewed by %q: %v %v", r.FollowUp, r.Reviewed.Login, ok, err)
			}
			s.rests()
		})
	}
}

// A branch with a name of the merge queue holds more than the pull request that it names.
func TestQueueForgedGroup(t *testing.T) {
	for name, further := range map[string]map[string]string{
		"a file":      {"other.txt": "what nobody reviewed\n"},
		"a workflow":  {".github/workflows/p.yaml": "on: push\njobs:\n  run:\n    runs-on: ubuntu-latest\n    steps:\n      - run: pinnace reconcile --repo acme/config\n"},
		"other words": {"README.md": "other docs\n"},
		"nothing":     {"README.md": "# Config\n"},
	} {
		t.Run(name, func(t *testing.T) {
			s := queueing(t, "auto", nil)
			s.repo.Commit("docs", "erin", "docs", map[string]string{"README.md": "docs\n"})
			n, err := s.repo.OpenPullRequest("erin", "docs", "", "docs", "main")
			if err != nil {
				t.Fatal(err)
			}
			s.run()
			files := map[string]string{"README.md": "docs\n"}
			for path, text := range further {
				files[path] = text
			}
			g := s.repo.Commit(fmt.Sprintf("gh-readonly-queue/main/pr-%d-%s", n, s.repo.Tip("main")), "erin", "x", files)
			s.run()
			if c := s.check(g, "pinnace/promotion"); c.Conclusion != "failure" {
				t.Errorf("%s: %s", c.Conclusion, c.Title)
			}
		})
	}
}

// A commit with a directory that is too large to be read stops nothing once that is mended.
func TestAuditLargePush(t *testing.T) {
	w := attacked(t, nil)
	w.git = git.NewMemory(git.Limits{TreeSize: 8 << 10})
	w.run()
	files, gone := map[string]string{}, map[string]string{}
	for i := range 600 {
		path := fmt.Sprintf("x/file-%06d.txt", i)
		files[path], gone[path] = "x", sandbox.Removed
	}
	w.edit("bob", "main", files)
	w.run()
	w.pass(time.Minute)
	w.edit("ada", "main", gone)
	w.stillJudges()
	if len(w.incidents()) == 0 {
		t.Error("nobody was told")
	}
	w.rests()
}

// A pull request with more places than are remembered one by one is held to all of them.
func TestAuditManyPlaces(t *testing.T) {
	for name, besides := range map[string]bool{"alone": false, "with what came besides": true} {
		t.Run(name, func(t *testing.T) {
			files := kustomized()
			files["extra/kustomization.yaml"] = "resources: []\n"
			files[".pinnace/config.yaml"] = swap(t, configuration, "deploy: auto", "deploy: button")
			w := attacked(t, files)
			fill := w.hand("bob", "fill", map[string]string{"extra/kustomization.yaml": "resources:\n  - worker.yaml\n", "extra/worker.yaml": deployment("{shop:6.6}")})
			edits := map[string]string{"envs/prod/kustomization.yaml": "resources:\n  - shop.yaml\n  - ../../extra\n"}
			for i := range 41 {
				values := ""
				for k := range 10 {
					values += fmt.Sprintf("c%d:\n  image: {shop:1.1}\n", k)
				}
				edits[fmt.Sprintf("envs/prod/many/%d/values.yaml", i)] = values
			}
			many := w.hand("bob", "many", edits)
			w.run()
			w.approve(many, "carol")
			w.run()
			w.pass(time.Minute)
			if besides {
				if _, err := w.repo.Merge(fill, "bob", "squash"); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := w.repo.Merge(many, "bob", "squash"); err != nil {
				t.Fatal(err)
			}
			w.run()
			if n := len(w.incidents()); besides != (n == 1) {
				t.Errorf("%d incidents", n)
			}
			w.rests()
		})
	}
}
