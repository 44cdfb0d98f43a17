package sandbox

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-github/v60/github"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

func TestRefRefusals(t *testing.T) {
	r := newRig(t)
	tip := r.repo.Tip("main")
	bob := r.Token("bob")
	r.repo.Branch("topic", "bob", tip)
	side := r.repo.Commit("side", "bob", "m", map[string]string{"x": "1"})
	other := r.repo.Commit("other", "bob", "m", map[string]string{"x": "2"})
	for name, tc := range map[string]struct {
		method, path string
		body         any
		status       int
		want         string
	}{
		"exists":           {"POST", "/git/refs", fields{"ref": "refs/heads/main", "sha": tip}, 422, "Reference already exists"},
		"not a ref":        {"POST", "/git/refs", fields{"ref": "main", "sha": tip}, 422, "must start with 'refs/'"},
		"no object":        {"POST", "/git/refs", fields{"ref": "refs/heads/new", "sha": strings.Repeat("1", 40)}, 422, "Object does not exist"},
		"below a branch":   {"POST", "/git/refs", fields{"ref": "refs/heads/topic/a", "sha": tip}, 422, "Reference update failed"},
		"no fast forward":  {"PATCH", "/git/refs/heads/side", fields{"sha": other}, 422, "Update is not a fast forward"},
		"gone":             {"PATCH", "/git/refs/heads/gone", fields{"sha": side}, 422, "Reference does not exist"},
		"hidden":           {"POST", "/git/refs", fields{"ref": "refs/pull/1/head", "sha": tip}, 422, "hidden ref"},
		"default branch":   {"DELETE", "/git/refs/heads/main", nil, 422, "refusing to delete the current branch"},
		"nothing to get":   {"GET", "/git/ref/heads/gone", nil, 404, "Not Found"},
		"no exact match":   {"GET", "/git/ref/heads/top", nil, 404, "Not Found"},
		"delete the gone":  {"DELETE", "/git/refs/heads/gone", nil, 422, "Reference does not exist"},
		"no tree":          {"POST", "/git/commits", fields{"message": "m", "tree": strings.Repeat("1", 40)}, 422, "Tree SHA does not exist"},
		"empty tree input": {"POST", "/git/trees", fields{"tree": []any{}}, 422, "Invalid tree info"},
		"bad path":         {"POST", "/git/trees", fields{"tree": []any{fields{"path": "a/../b", "mode": "100644", "type": "blob", "content": "x"}}}, 422, "malformed path component"},
	} {
		t.Run(name, func(t *testing.T) {
			status, _, text := r.ask(bob, tc.method, "/repos/acme/config"+tc.path, tc.body)
			if status != tc.status || !strings.Contains(text, tc.want) {
				t.Errorf("got %d %s, want %d %q", status, text, tc.status, tc.want)
			}
		})
	}
	if r.repo.Tip("side") != side {
		t.Error("a refused update moved the branch")
	}
	if status, _, text := r.ask(bob, "PATCH", "/repos/acme/config/git/refs/heads/side", fields{"sha": other, "force": true}); status != 200 {
		t.Errorf("by force: %d %s", status, text)
	}
}

func TestRulesBindPushes(t *testing.T) {
	for name, tc := range map[string]struct {
		rules promotion.Rules
		want  string
	}{
		"pull request":   {promotion.Rules{PullRequest: true}, "Changes must be made through a pull request."},
		"update":         {promotion.Rules{NoUpdate: true}, "Cannot update this protected ref."},
		"signatures":     {promotion.Rules{SignedCommits: true}, "Commits must have verified signatures."},
		"required check": {promotion.Rules{Checks: []promotion.RequiredCheck{{Context: "ci"}}}, `Required status check "ci" is expected.`},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			sha := r.repo.Commit("topic", "bob", "m", map[string]string{"x": "1"})
			r.repo.Protect("main", Protection{Rules: tc.rules})
			push := func(token string) (int, string) {
				status, _, text := r.ask(token, "PATCH", "/repos/acme/config/git/refs/heads/main", fields{"sha": sha})
				return status, text
			}
			if status, text := push(r.Token("bob")); status != 422 || !strings.Contains(text, strings.ReplaceAll(tc.want, `"`, `\"`)) {
				t.Errorf("got %d %s, want %q", status, text, tc.want)
			}
			r.repo.Protect("main", Protection{Rules: tc.rules, Bypass: []string{"pinnace"}})
			if status, text := push(r.app.InstallationToken("acme")); status != 200 {
				t.Errorf("who may bypass: %d %s", status, text)
			}
		})
	}
}

func TestWorkflowsNeedTheirOwnPermission(t *testing.T) {
	r := newRig(t)
	entry := fields{"tree": []any{fields{"path": ".github/workflows/ci.yaml", "mode": "100644", "type": "blob", "content": "on: push\n"}}}
	if status, _, text := r.ask(r.app.InstallationToken("acme"), "POST", "/repos/acme/config/git/trees", entry); status != 403 {
		t.Errorf("got %d %s, want 403", status, text)
	}
	if status, _, text := r.ask(r.Token("bob"), "POST", "/repos/acme/config/git/trees", entry); status != 201 {
		t.Errorf("a person: got %d %s, want 201", status, text)
	}
	tree := must[*github.Tree](t)(r.user("bob").Git.CreateTree(t.Context(), "acme", "config", "", []*github.TreeEntry{
		{Path: github.String(".github/workflows/ci.yaml"), Mode: github.String("100644"), Type: github.String("blob"), Content: github.String("on: push\n")},
	}))
	c := must[*github.Commit](t)(r.user("bob").Git.CreateCommit(t.Context(), "acme", "config", &github.Commit{Message: github.String("m"), Tree: tree}, nil))
	ref := fields{"ref": "refs/heads/ci", "sha": c.GetSHA()}
	if status, _, text := r.ask(r.app.InstallationToken("acme"), "POST", "/repos/acme/config/git/refs", ref); status != 403 {
		t.Errorf("a ref to it: got %d %s, want 403", status, text)
	}
	r.repo.Branch("known", "bob", c.GetSHA())
	if status, _, text := r.ask(r.app.InstallationToken("acme"), "POST", "/repos/acme/config/git/refs", ref); status != 201 {
		t.Errorf("a ref to what a branch has: got %d %s, want 201", status, text)
	}
}

func TestCommitsOfAnAppAreSignedUnlessTheyNameAnAuthor(t *testing.T) {
	r := newRig(t)
	bot := r.bot()
	tree := must[*github.Tree](t)(bot.Git.GetTree(t.Context(), "acme", "config", "main", false))
	c := must[*github.Commit](t)(bot.Git.CreateCommit(t.Context(), "acme", "config", &github.Commit{Message: github.String("m"), Tree: tree}, nil))
	if !c.GetVerification().GetVerified() || c.GetAuthor().GetName() != "pinnace[bot]" || c.GetCommitter().GetName() != "GitHub" {
		t.Errorf("got %v", c)
	}
	c = must[*github.Commit](t)(bot.Git.CreateCommit(t.Context(), "acme", "config", &github.Commit{
		Message: github.String("m"), Tree: tree, Author: &github.CommitAuthor{Name: github.String("x"), Email: github.String("x@example.com")},
	}, nil))
	if v := c.GetVerification(); v.GetVerified() || v.GetReason() != "unsigned" {
		t.Errorf("got %v", v)
	}
}

func TestALostCommitOfAPersonIsAViolation(t *testing.T) {
	r := newRig(t, func(o *Options) { o.T = mute{} })
	r.branch("pin", "a: 1")
	persons := r.repo.Commit("pin", "bob", "by hand", map[string]string{"x": "y"})
	own := r.repo.Commit("elsewhere", "pinnace[bot]", "mine", map[string]string{"x": "z"})
	token := r.app.InstallationToken("acme")
	force := func(sha string) {
		t.Helper()
		if status, _, text := r.ask(token, "PATCH", "/repos/acme/config/git/refs/heads/pin", fields{"sha": sha, "force": true}); status != 200 {
			t.Fatalf("%d %s", status, text)
		}
	}
	r.repo.Branch("saved", "bob", persons)
	force(own)
	if v := r.Violations(); v != nil {
		t.Fatalf("the commit was saved, and yet: %q", v)
	}
	force(persons)
	r.repo.DeleteBranch("saved", "bob")
	force(own)
	if v := r.Violations(); len(v) != 1 || !strings.Contains(v[0], "lost the commit "+persons[:7]+" of bob") {
		t.Errorf("got %q", v)
	}
}

func TestCompare(t *testing.T) {
	r := newRig(t)
	base := r.repo.Tip("main")
	r.branch("pin", "a: 1")
	r.repo.Commit("pin", "bob", "rename", map[string]string{"README.md": Removed, "READ.md": "config\n"})
	r.repo.Commit("main", "bob", "m", map[string]string{"x": "y"})
	c := must[*github.CommitsComparison](t)(r.bot().Repositories.CompareCommits(t.Context(), "acme", "config", "main", "pin", nil))
	if c.GetStatus() != "diverged" || c.GetAheadBy() != 2 || c.GetBehindBy() != 1 || c.GetMergeBaseCommit().GetSHA() != base || len(c.Files) != 2 {
		t.Errorf("got %v", c)
	}
	for _, f := range c.Files {
		if f.GetStatus() == "renamed" && (f.GetPreviousFilename() != "README.md" || f.GetFilename() != "READ.md") {
			t.Errorf("got %v", f)
		}
		if f.GetStatus() == "modified" && !strings.HasPrefix(f.GetPatch(), "@@ -1,") {
			t.Errorf("got patch %q", f.GetPatch())
		}
	}
}

// TestGit pushes and fetches with git itself, on the objects that the API has.
func TestGit(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	r := newRig(t)
	r.pull("pin", "a: 1")
	dir := t.TempDir()
	auth := func(token string) string {
		return strings.Replace(r.repo.CloneURL(), "http://", "http://x-access-token:"+token+"@", 1)
	}
	git := func(args ...string) (string, error) {
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "HOME="+dir, "GIT_TERMINAL_PROMPT=0",
			"GIT_AUTHOR_NAME=bob", "GIT_AUTHOR_EMAIL="+r.Email("bob"), "GIT_COMMITTER_NAME=bob", "GIT_COMMITTER_EMAIL="+r.Email("bob"))
		out, err := cmd.CombinedOutput()
		return string(bytes.TrimSpace(out)), err
	}
	ok := func(args ...string) string {
		t.Helper()
		out, err := git(args...)
		if err != nil {
			t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return out
	}
	ok("clone", "-q", auth(r.Token("bob")), ".")
	ok("fetch", "-q", "origin", "refs/pull/1/head", "refs/pull/1/merge")
	if got := ok("rev-parse", "origin/pin"); got != r.repo.Tip("pin") {
		t.Errorf("fetched %s, want %s", got, r.repo.Tip("pin"))
	}
	ok("checkout", "-q", "pin")
	if err := os.WriteFile(filepath.Join(dir, "new"), []byte("x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ok("add", "new")
	ok("commit", "-q", "-m", "by hand")
	ok("push", "-q", "origin", "pin")
	if got := r.repo.PullRequests()[0].Head.SHA; got != ok("rev-parse", "HEAD") {
		t.Errorf("the pull request's head is %s after the push", got)
	}
	r.repo.Protect("main", Protection{Rules: promotion.Rules{PullRequest: true}})
	out, err := git("push", "origin", "pin:main")
	if err == nil || !strings.Contains(out, "Changes must be made through a pull request.") {
		t.Errorf("pushing to a protected branch: %v\n%s", err, out)
	}
	out, err = git("push", auth(r.Token("carol")), "pin:mine")
	if err == nil || !strings.Contains(out, "denied to carol") {
		t.Errorf("pushing as a reader: %v\n%s", err, out)
	}
	out, err = git("push", "-q", auth("ghs_wrong"), "pin:mine")
	if err == nil {
		t.Errorf("pushing with a wrong token: %s", out)
	}
	r.app.Permit("acme", map[string]string{"contents": "read"})
	out, err = git("push", auth(r.app.InstallationToken("acme")), "pin:mine")
	if err == nil || !strings.Contains(out, "denied to pinnace[bot]") {
		t.Errorf("pushing without contents: write: %v\n%s", err, out)
	}
	r.repo.Rename("settings")
	ok("fetch", "-q", "origin")
}

func TestRenamedRepositoryRedirects(t *testing.T) {
	r := newRig(t)
	r.pull("pin", "a: 1")
	r.repo.Rename("settings")
	status, h, _ := r.ask(r.Token("bob"), "GET", "/repos/acme/config/pulls?state=all", nil)
	if want := r.URL() + "/api/v3/repositories/" + itoa(r.repo.ID()) + "/pulls?state=all"; status != http.StatusMovedPermanently || h.Get("Location") != want {
		t.Errorf("got %d to %s, want 301 to %s", status, h.Get("Location"), want)
	}
	if status, _, _ := r.ask(r.Token("bob"), "POST", "/repos/acme/config/issues", fields{"title": "x"}); status != http.StatusTemporaryRedirect {
		t.Errorf("POST: got %d, want 307", status)
	}
	p := must[*github.PullRequest](t)(r.bot().PullRequests.Get(t.Context(), "acme", "config", 1))
	if p.GetBase().GetRepo().GetFullName() != "acme/settings" {
		t.Errorf("got %s", p.GetBase().GetRepo().GetFullName())
	}
	r.repo.Transfer("umbrella")
	if status, _, _ := r.ask(r.Token("bob"), "GET", "/repos/acme/settings", nil); status != http.StatusMovedPermanently {
		t.Errorf("after a transfer: got %d", status)
	}
	r.Repository("acme", "config", RepositoryOptions{})
	if status, _, text := r.ask(r.Token("bob"), "GET", "/repos/acme/config", nil); status != 200 {
		t.Errorf("the name was taken anew: %d %s", status, text)
	}
}

func TestArchivedIsReadOnly(t *testing.T) {
	r := newRig(t)
	r.repo.Archive(true)
	if status, _, text := r.ask(r.Token("bob"), "POST", "/repos/acme/config/issues", fields{"title": "x"}); status != 403 || !strings.Contains(text, "archived") {
		t.Errorf("got %d %s", status, text)
	}
}

func TestEmptyRepository(t *testing.T) {
	r := newRig(t)
	r.Repository("acme", "empty", RepositoryOptions{})
	for path, want := range map[string]int{"/git/ref/heads/main": 409, "/commits": 409, "/contents/": 404, "/branches/main": 404} {
		if status, _, text := r.ask(r.Token("alice"), "GET", "/repos/acme/empty"+path, nil); status != want {
			t.Errorf("%s: got %d %s, want %d", path, status, text, want)
		}
	}
}

func TestTreeTruncates(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Limits.Tree = 3 })
	got := must[*github.Tree](t)(r.bot().Git.GetTree(t.Context(), "acme", "config", "main", true))
	if !got.GetTruncated() || len(got.Entries) != 3 {
		t.Errorf("got truncated %v and %d entries", got.GetTruncated(), len(got.Entries))
	}
}
