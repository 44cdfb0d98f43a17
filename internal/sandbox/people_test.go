package sandbox

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-github/v60/github"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

func TestPeopleBreakTheRulesThatTheyMayBreak(t *testing.T) {
	r := newRig(t)
	r.pull("pin", "a: 1")
	r.repo.Protect("main", Protection{Rules: promotion.Rules{Approvals: 2}})
	if _, err := r.repo.Merge(1, "alice", "merge"); err == nil {
		t.Error("merged without approvals")
	}
	sha, err := r.repo.MergeByForce(1, "alice", "squash")
	if err != nil || r.repo.Tip("main") != sha || r.repo.PullRequests()[0].MergedBy != r.User("alice") {
		t.Errorf("got %s, %v", sha, err)
	}
	if _, err := r.repo.MergeByForce(1, "alice", "squash"); err == nil {
		t.Error("merged twice")
	}
}

func TestAutoMergeWaits(t *testing.T) {
	r := newRig(t)
	r.pull("pin", "a: 1")
	r.repo.Protect("main", Protection{Rules: promotion.Rules{Approvals: 1}})
	if err := r.repo.EnableAutoMerge(1, "bob", "squash"); err != nil {
		t.Fatal(err)
	}
	if done := r.repo.AutoMerge(); done != nil {
		t.Errorf("merged %v without an approval", done)
	}
	p := must[*github.PullRequest](t)(r.bot().PullRequests.Get(t.Context(), "acme", "config", 1))
	if p.GetAutoMerge().GetEnabledBy().GetLogin() != "bob" {
		t.Errorf("got %v", p.GetAutoMerge())
	}
	if _, err := r.repo.Review(1, "alice", promotion.Approved, ""); err != nil {
		t.Fatal(err)
	}
	if done := r.repo.AutoMerge(); !slices.Equal(done, []int{1}) {
		t.Errorf("merged %v, want 1", done)
	}
}

func TestRetargetByAPerson(t *testing.T) {
	r := newRig(t)
	r.pull("pin", "a: 1")
	r.repo.Branch("release", "bob", r.repo.Tip("main"))
	if err := r.repo.Retarget(1, "bob", "release"); err != nil || r.repo.PullRequests()[0].Base.Ref != "release" {
		t.Errorf("got %v", err)
	}
	r.repo.DeleteBranch("release", "bob")
	if got := r.repo.PullRequests()[0].State; got != promotion.Closed {
		t.Errorf("the base is gone, and the pull request is %s", got)
	}
}

func TestDeletedRepositoryIsNotFound(t *testing.T) {
	r := newRig(t)
	r.repo.Delete()
	if status, _, _ := r.ask(r.Token("alice"), "GET", "/repos/acme/config", nil); status != 404 {
		t.Errorf("got %d", status)
	}
}

func TestRevokedToken(t *testing.T) {
	r := newRig(t)
	token := r.Token("bob")
	r.Revoke(token)
	if status, _, _ := r.ask(token, "GET", "/user", nil); status != 401 {
		t.Errorf("got %d", status)
	}
}

func TestWhatIsThere(t *testing.T) {
	r := newRig(t)
	p := r.pull("pin", "a: 1")
	id := r.repo.Comment(1, "bob", "hello")
	n := r.repo.Issue("bob", "I", "text")
	r.repo.Close(n, "alice")
	if got := r.repo.Comments(1); len(got) != 1 || got[0].ID != id || got[0].Author != r.User("bob") || got[0].Edited() {
		t.Errorf("got comments %+v", got)
	}
	if got := r.repo.Issues(); len(got) != 1 || got[0].Open || got[0].ClosedBy != r.User("alice") {
		t.Errorf("got issues %+v", got)
	}
	noun := r.repo.Noun()
	if noun.FullName() != "acme/config" || noun.ID != r.repo.ID() || !noun.OwnerIsOrg || noun.CloneURL != r.repo.CloneURL() {
		t.Errorf("got %+v", noun)
	}
	if got := r.repo.Tree("pin"); got == "" || got == r.repo.Tree("main") {
		t.Errorf("got the tree %s", got)
	}
	if got := r.repo.PullRequests()[0]; got.NodeID != p.GetNodeID() || got.Author != r.app.Bot() || got.Mergeable == nil || !*got.Mergeable || got.ChangedFiles != 1 {
		t.Errorf("got %+v", got)
	}
	if r.app.Slug() != "pinnace" || len(r.Deliveries()) != 0 {
		t.Errorf("got %s, %v", r.app.Slug(), r.Deliveries())
	}
	r.ForgetRequests()
	if r.Writes() != 0 {
		t.Errorf("got %d writes", r.Writes())
	}
}

// TestOurs lets the bot's own commits be told by something else than the author's e-mail.
func TestOurs(t *testing.T) {
	r := newRig(t, func(o *Options) {
		o.T = mute{}
		o.Ours = func(c Commit) bool { return strings.Contains(c.Message, "Pinnace-Seal:") }
	})
	old := r.repo.Commit("pin", "bob", "pin\n\nPinnace-Seal: x", map[string]string{"x": "1"})
	own := r.repo.ForcePush("next", "bob", "other", "", map[string]string{"x": "2"})
	token := r.app.InstallationToken("acme")
	r.ask(token, "PATCH", "/repos/acme/config/git/refs/heads/pin", fields{"sha": own, "force": true})
	if v := r.Violations(); v != nil {
		t.Errorf("got %q for the loss of our own %s", v, old)
	}
}

// TestOnlyOneOfManyOpensThePullRequest races clients for one branch.
func TestOnlyOneOfManyOpensThePullRequest(t *testing.T) {
	r := newRig(t, func(o *Options) { o.T = mute{} })
	r.branch("pin", "a: 1")
	token := r.app.InstallationToken("acme")
	var wg sync.WaitGroup
	var mu sync.Mutex
	got := map[int]int{}
	for range 8 {
		wg.Go(func() {
			status, _, _ := r.ask(token, "POST", "/repos/acme/config/pulls", fields{"title": "T", "head": "pin", "base": "main"})
			mu.Lock()
			defer mu.Unlock()
			got[status]++
		})
	}
	wg.Wait()
	if got[201] != 1 || got[422] != 7 || len(r.repo.PullRequests()) != 1 || len(r.Violations()) != 7 {
		t.Errorf("got %v, and %d violations", got, len(r.Violations()))
	}
}

// TestHandler serves without a listener.
func TestHandler(t *testing.T) {
	s := New(Options{T: t})
	defer s.Close()
	s.Repository("acme", "config", RepositoryOptions{Files: map[string]string{"a": "b"}})
	if _, err := s.PushImage("acme/shop:1", Image{}); err != nil {
		t.Fatal(err)
	}
	w := record(s, request("GET", "/api/v3/repos/acme/config"))
	if w.Code != 200 || !strings.Contains(w.Body.String(), s.URL()) {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func request(method, path string) *http.Request { return httptest.NewRequest(method, path, nil) }
