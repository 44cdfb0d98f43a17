package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

func TestRevert(t *testing.T) {
	for _, method := range []string{"merge", "squash", "rebase"} {
		t.Run(method, func(t *testing.T) {
			r := newRig(t)
			r.pull("pin", "a: 1")
			before, _ := r.repo.File("main", "envs/prod/app.yaml")
			if _, err := r.repo.Revert(1, "bob"); err == nil {
				t.Error("reverted what was not merged")
			}
			r.repo.Commit("pin", "bob", "a second commit", map[string]string{"new": "x"})
			sha, err := r.repo.Merge(1, "bob", method)
			if err != nil {
				t.Fatal(err)
			}
			r.repo.Commit("main", "carol", "something else meanwhile", map[string]string{"other": "x"})
			n, err := r.repo.Revert(1, "bob")
			if err != nil {
				t.Fatal(err)
			}
			p := r.repo.PullRequests()[n-1]
			if p.Title != `Revert "Pin pin"` || p.Body != "Reverts acme/config#1" || p.Head.Ref != "revert-1-pin" || p.Author != r.User("bob") || p.Commits != 1 {
				t.Errorf("got %+v", p)
			}
			c := r.repo.Log(p.Head.SHA)[0]
			if !c.Verified || c.AuthorEmail != r.Email("bob") || !strings.Contains(c.Message, "This reverts commit "+sha) {
				t.Errorf("the commit is %+v", c)
			}
			if text, _ := r.repo.File(p.Head.SHA, "envs/prod/app.yaml"); text != before {
				t.Errorf("got %q", text)
			}
			_, gone := r.repo.File(p.Head.SHA, "new")
			_, kept := r.repo.File(p.Head.SHA, "other")
			if gone || !kept {
				t.Errorf("the second commit's file is there: %v, what came later: %v", gone, kept)
			}
			if _, err := r.repo.Revert(1, "bob"); err == nil {
				t.Error("reverted twice into one branch")
			}
			r.repo.Close(n, "bob")
			r.repo.DeleteBranch("revert-1-pin", "bob")
			r.repo.Commit("main", "carol", "in the way", map[string]string{"envs/prod/app.yaml": "a: 11\n"})
			if _, err := r.repo.Revert(1, "bob"); err == nil || !strings.Contains(err.Error(), "couldn’t be reverted") {
				t.Errorf("reverted past a conflict: %v", err)
			}
		})
	}
}

func TestApplySuggestion(t *testing.T) {
	r := newRig(t)
	r.pull("pin", "a: 1")
	old := r.repo.Tip("pin")
	sha, err := r.repo.ApplySuggestion(1, "bob", "carol", map[string]string{"envs/dev/app.yaml": "image: shop:2\n"})
	if err != nil || sha != r.repo.Tip("pin") || r.repo.PullRequests()[0].Head.SHA != sha {
		t.Fatal(sha, err)
	}
	want := Commit{
		SHA: sha, AuthorName: "bob", AuthorEmail: r.Email("bob"), CommitterName: "GitHub", CommitterEmail: "noreply@github.com", Verified: true, Parents: []string{old},
		Message: "Apply suggestions from code review\n\nCo-authored-by: carol <" + r.Email("carol") + ">",
	}
	if d := cmp.Diff(want, r.repo.Log("pin")[0]); d != "" {
		t.Error(d)
	}
	if text, _ := r.repo.File("pin", "envs/dev/app.yaml"); text != "image: shop:2\n" {
		t.Errorf("got %q", text)
	}
	r.repo.Close(1, "bob")
	if _, err := r.repo.ApplySuggestion(1, "bob", "carol", map[string]string{"x": "y"}); err == nil {
		t.Error("a closed pull request took a suggestion")
	}
}

// Several required checks are told by their number, as GitHub tells them.
func TestRequiredChecksInWords(t *testing.T) {
	for want, states := range map[string][]string{
		"": {"success", "neutral"},
		`Required status check "ci-1" is expected.`:                                                              {"success", ""},
		`Required status check "ci-0" is in progress.`:                                                           {"in_progress", "skipped"},
		`Required status check "ci-0" is pending.`:                                                               {"queued", "skipped"},
		"2 of 3 required status checks are expected.":                                                            {"", "", "success"},
		"2 of 2 required status checks are in progress.":                                                         {"in_progress", "in_progress"},
		"2 of 2 required status checks have not succeeded: 2 failing.":                                           {"failure", "timed_out"},
		"2 of 3 required status checks have not succeeded: 1 expected and 1 failing.":                            {"", "failure", "success"},
		"4 of 4 required status checks have not succeeded: 1 expected, 1 pending, 1 in progress, and 1 failing.": {"", "queued", "in_progress", "failure"},
	} {
		r := newRig(t)
		r.pull("pin", "a: 1")
		var rules promotion.Rules
		token := r.app.InstallationToken("acme")
		for i, state := range states {
			name := fmt.Sprint("ci-", i)
			rules.Checks = append(rules.Checks, promotion.RequiredCheck{Context: name})
			body := fields{"name": name, "head_sha": r.repo.Tip("pin")}
			switch state {
			case "":
				continue
			case "queued", "in_progress":
				body["status"] = state
			default:
				body["conclusion"] = state
			}
			if status, _, text := r.ask(token, "POST", "/repos/acme/config/check-runs", body); status != 201 {
				t.Fatal(text)
			}
		}
		r.repo.Protect("main", Protection{Classic: true, Rules: rules})
		_, err := r.repo.Merge(1, "bob", "merge")
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%v: got %q, want %q", states, got, want)
		}
	}
}

// Who deletes an account must have given away what it owns, and a login that is taken cannot
// be had.
func TestAccountMistakes(t *testing.T) {
	r := newRig(t)
	r.Repository("dora", "own", RepositoryOptions{})
	for name, do := range map[string]func(){
		"owner deleted":   func() { r.DeleteUser("dora") },
		"nobody deleted":  func() { r.DeleteUser("nobody") },
		"taken login":     func() { r.RenameUser("dora", "bob") },
		"an organisation": func() { r.DeleteUser("acme") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			do()
		}()
	}
	r.RenameUser("dora", "theodora")
	if status, h, _ := r.ask(r.Token("theodora"), "GET", "/repos/dora/own", nil); status != 301 && status != 200 {
		t.Errorf("status %d, %v", status, h)
	}
	if status, _, text := r.ask(r.Token("theodora"), "GET", "/repos/theodora/own", nil); status != 200 {
		t.Errorf("status %d, %s", status, text)
	}
}

// A deleted account vanishes from everything that gives it a say.
func TestDeletedAccountHasNoSay(t *testing.T) {
	r := newRig(t)
	r.pull("pin", "a: 1")
	r.repo.Protect("main", Protection{Rules: promotion.Rules{Approvals: 1}})
	r.repo.Permission("dora", promotion.PermissionWrite)
	r.Org("acme", "dora")
	r.Team("acme", "ops", "dora")
	if _, err := r.repo.Review(1, "dora", promotion.Approved, ""); err != nil {
		t.Fatal(err)
	}
	r.DeleteUser("dora")
	if _, err := r.repo.Merge(1, "bob", "merge"); err == nil {
		t.Error("merged on the approval of nobody")
	}
	if again := r.User("dora"); slices.Contains([]promotion.Identity{r.repo.Reviews(1)[0].Author}, again) {
		t.Errorf("the login's new owner inherits the review: %v", again)
	}
}
