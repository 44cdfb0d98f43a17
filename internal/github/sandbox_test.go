package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/openapi"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// described is GitHub's own description of its API, where PINNACE_OPENAPI names it.
var described = sync.OnceValues(func() (*openapi.Description, error) {
	if openapi.File() == "" {
		return nil, nil
	}
	return openapi.Load(openapi.File())
})

// A harbour is a sandbox with acme/config, an App that is installed there, and clients of
// ours: as the App's installation, and as alice, who administers acme.
type harbour struct {
	*sandbox.Sandbox
	t     *testing.T
	repo  *sandbox.Repository
	app   *sandbox.App
	our   *App
	inst  int64
	noun  promotion.Repository
	bot   *Client
	alice *Client
	clock *rig // its clock alone
}

func newHarbour(t *testing.T) *harbour {
	t.Helper()
	return harbourWith(t, t)
}

// harbourWith tells a sandbox whom to tell of what no client of ours may do.
func harbourWith(t *testing.T, told sandbox.TB) *harbour {
	t.Helper()
	h := &harbour{t: t, clock: &rig{t: t, clock: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}}
	o := sandbox.Options{Now: h.clock.now, T: told}
	description, err := described()
	if err != nil {
		t.Fatal(err)
	}
	if description != nil {
		o.Observe = func(x sandbox.Exchange) {
			err := description.Exchange(x.Request, x.Body, x.Status, x.Header, x.Response)
			if err != nil && !strings.Contains(err.Error(), fmt.Sprint(": answer ", x.Status)) { // answers are the sandbox's to keep right
				t.Errorf("against GitHub's description: %v", err)
			}
		}
	}
	h.Sandbox = sandbox.New(o)
	if err := h.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	h.Org("acme", "alice")
	h.repo = h.Repository("acme", "config", sandbox.RepositoryOptions{Files: map[string]string{"README.md": "config\n", "envs/dev/app.yaml": "image: shop:1\n"}})
	h.repo.Permission("bob", promotion.PermissionWrite)
	h.repo.Permission("carol", promotion.PermissionRead)
	h.app = h.Sandbox.App(sandbox.AppOptions{Name: "Pinnace", Events: []string{"push", "issues"}, Secret: "s", Permissions: map[string]string{
		"contents": "write", "pull_requests": "write", "issues": "write", "checks": "write", "statuses": "write", "deployments": "write", "members": "read", "administration": "read",
	}})
	h.inst = h.app.Install("acme")
	h.noun = h.repo.Noun()
	h.our, err = NewApp(AppOptions{ID: h.app.ID(), Key: h.app.PrivateKey(), URL: h.URL(), Now: h.clock.now, Sleep: h.clock.sleep})
	if err != nil {
		t.Fatal(err)
	}
	h.bot = h.client(h.our.Tokens(h.inst, []int64{h.repo.ID()}, nil))
	h.alice = h.client(StaticToken(Secret(h.Token("alice"))))
	return h
}

func (h *harbour) client(tokens TokenSource) *Client {
	h.t.Helper()
	c, err := New(Options{
		URL: h.URL() + "/api/v3", Tokens: tokens, Cache: NewMemoryETags(1 << 20), Tenant: fmt.Sprint(h.inst),
		Now: h.clock.now, Sleep: h.clock.sleep, Spacing: -1,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

// propose pushes a change to a branch, as the bot, and opens a pull request for it.
func (h *harbour) propose(branch string) promotion.PullRequest {
	h.t.Helper()
	commit, _, err := h.bot.CreateTreeCommit(h.t.Context(), h.noun, promotion.TreeCommit{
		BaseTree: h.repo.Tree("main"), Parents: []string{h.repo.Tip("main")}, Message: "Pin shop\n\nPinnace-Env: dev",
		Files: map[string][]byte{"envs/dev/app.yaml": []byte("image: shop:1 # " + branch + "\n")}, Modes: map[string]string{"envs/dev/app.yaml": "100644"},
	})
	if err != nil {
		h.t.Fatal(err)
	}
	if err := h.bot.CreateRef(h.t.Context(), h.noun, branch, commit); err != nil {
		h.t.Fatal(err)
	}
	return must[promotion.PullRequest](h.t)(h.bot.OpenPullRequest(h.t.Context(), h.noun, promotion.Draft{Title: "Pin shop", Body: "b", Head: branch, Base: "main"}))
}

func TestSandboxRepositories(t *testing.T) {
	h := newHarbour(t)
	ctx := t.Context()
	got, ok, err := h.bot.Repository(ctx, "acme", "config")
	if err != nil || !ok || got.ID != h.repo.ID() || got.FullName() != "acme/config" || got.DefaultBranch != "main" || got.Empty || len(got.MergeMethods) != 3 {
		t.Errorf("got %+v, %v, %v", got, ok, err)
	}
	if _, ok, err := h.bot.Repository(ctx, "acme", "nothing"); ok || err != nil {
		t.Errorf("no repository: %v, %v", ok, err)
	}
	h.Repository("acme", "bare", sandbox.RepositoryOptions{})
	if _, ok, err := h.alice.Branch(ctx, promotion.Repository{Owner: "acme", Name: "bare"}, "main"); ok || err != nil {
		t.Errorf("branch of a repository without commits: %v, %v", ok, err)
	}
	h.repo.Rename("deploy")
	for _, old := range []func() (promotion.Repository, bool, error){
		func() (promotion.Repository, bool, error) { return h.bot.Repository(ctx, "acme", "config") },
		func() (promotion.Repository, bool, error) { return h.bot.RepositoryByID(ctx, h.repo.ID()) },
	} {
		if got, ok, err := old(); got.Name != "deploy" || !ok || err != nil {
			t.Errorf("renamed: %+v, %v, %v", got, ok, err)
		}
	}
	if _, err := h.bot.PullRequests(ctx, h.noun, promotion.Query{Head: "x"}); !errors.Is(err, promotion.ErrConflict) {
		t.Errorf("pull requests of a renamed repository: %v", err)
	}
	if _, err := h.bot.OpenIssue(ctx, h.noun, "T", "B", nil); err != nil {
		t.Errorf("a write to a renamed repository: %v", err)
	}
}

func TestSandboxPeople(t *testing.T) {
	h := newHarbour(t)
	ctx := t.Context()
	if who, ok, err := h.alice.Viewer(ctx); who != h.User("alice") || !ok || err != nil {
		t.Errorf("alice: %v, %v, %v", who, ok, err)
	}
	if who, ok, err := h.bot.Viewer(ctx); who != (promotion.Identity{}) || ok || err != nil {
		t.Errorf("the App's installation: %v, %v, %v", who, ok, err)
	}
	if who, ok, err := h.bot.UserByLogin(ctx, h.app.Slug()+"[bot]"); who != h.app.Bot() || !ok || err != nil {
		t.Errorf("the bot: %v, %v, %v; want %v", who, ok, err, h.app.Bot())
	}
	bob := h.User("bob")
	for login, want := range map[string]promotion.Permission{"alice": promotion.PermissionAdmin, "bob": promotion.PermissionWrite, "carol": promotion.PermissionRead} {
		if got, err := h.bot.Permission(ctx, h.noun, h.User(login)); got != want || err != nil {
			t.Errorf("%s: %s, %v", login, got, err)
		}
	}
	if got, err := h.bot.Permission(ctx, h.noun, promotion.Identity{ID: 1, Login: "nobody-at-all"}); got != promotion.PermissionNone || err != nil {
		t.Errorf("nobody: %s, %v", got, err)
	}
	writers, known, err := h.bot.Collaborators(ctx, h.noun, promotion.PermissionWrite)
	if diff := cmp.Diff([]promotion.Identity{h.User("alice"), bob}, writers); diff != "" || !known || err != nil {
		t.Errorf("writers: %v, %v (-want +got):\n%s", known, err, diff)
	}
	if _, known, err := h.client(StaticToken(Secret(h.Token("carol")))).Collaborators(ctx, h.noun, promotion.PermissionWrite); known || err != nil {
		t.Errorf("writers, to a reader: %v, %v", known, err)
	}
	_, _, err = h.bot.Collaborators(ctx, h.noun, promotion.PermissionNone)
	isOnly(t, err, promotion.ErrInvalid)
	team := h.Team("acme", "ops", "bob")
	team.Invite("dave")
	for login, want := range map[string]bool{"bob": true, "dave": false, "carol": false} {
		if member, known, err := h.bot.IsMember(ctx, "acme", "ops", h.User(login)); member != want || !known || err != nil {
			t.Errorf("%s in ops: %v, %v, %v", login, member, known, err)
		}
	}
	if _, known, err := h.bot.IsMember(ctx, "acme", "secret", bob); known || err != nil {
		t.Errorf("a team that is not seen: %v, %v", known, err)
	}
	h.RenameUser("bob", "robert")
	if got, err := h.bot.Permission(ctx, h.noun, bob); got != promotion.PermissionWrite || err != nil {
		t.Errorf("under a login that is nobody's: %s, %v", got, err)
	}
	if member, known, err := h.bot.IsMember(ctx, "acme", "ops", bob); !member || !known || err != nil {
		t.Errorf("a renamed member: %v, %v, %v", member, known, err)
	}
	squatter := h.User("bob")
	h.repo.Permission("bob", promotion.PermissionAdmin)
	if got, err := h.bot.Permission(ctx, h.noun, bob); got != promotion.PermissionWrite || err != nil || squatter.ID == bob.ID {
		t.Errorf("under a login that somebody else took: %s, %v", got, err)
	}
	if who, ok, err := h.bot.UserByID(ctx, bob.ID); who.Login != "robert" || !ok || err != nil {
		t.Errorf("by number: %v, %v, %v", who, ok, err)
	}
}

func TestSandboxPullRequests(t *testing.T) {
	h := newHarbour(t)
	ctx := t.Context()
	const branch = "pinnace/pin/dev"
	pr := h.propose(branch)
	if pr.Author != h.app.Bot() || pr.State != promotion.Open || pr.Head.Ref != branch || pr.Head.Repository != h.repo.ID() || pr.NodeID == "" {
		t.Errorf("opened %+v", pr)
	}
	_, err := h.bot.OpenPullRequest(ctx, h.noun, promotion.Draft{Title: "x", Head: branch, Base: "gone"})
	isOnly(t, err, promotion.ErrNotFound)
	_, err = h.bot.OpenPullRequest(ctx, h.noun, promotion.Draft{Title: "x", Head: "gone", Base: "main"})
	isOnly(t, err, promotion.ErrNotFound)
	if err := h.bot.CreateRef(ctx, h.noun, "same", h.repo.Tip("main")); err != nil {
		t.Error(err)
	}
	_, err = h.bot.OpenPullRequest(ctx, h.noun, promotion.Draft{Title: "x", Head: "same", Base: "main"})
	isOnly(t, err, promotion.ErrInvalid)

	fork := h.repo.Fork("carol")
	fork.Commit(branch, "carol", "mine", map[string]string{"README.md": "mine\n"})
	if _, err := h.repo.OpenPullRequest("carol", "mine", "", "carol:"+branch, "main"); err != nil {
		t.Fatal(err)
	}
	list := must[[]promotion.PullRequest](t)(h.bot.PullRequests(ctx, h.noun, promotion.Query{Head: branch, State: promotion.Open}))
	if len(list) != 1 || list[0].Number != pr.Number {
		t.Errorf("listed %+v", list)
	}
	if all := must[[]promotion.PullRequest](t)(h.bot.PullRequests(ctx, h.noun, promotion.Query{})); len(all) != 2 || all[0].Number < all[1].Number {
		t.Errorf("listed %+v, want two, the newest first", all)
	}

	title := "Pin shop to 1"
	if got := must[promotion.PullRequest](t)(h.bot.AmendPullRequest(ctx, h.noun, pr.Number, promotion.Amendment{Title: &title})); got.Title != title || got.Body != "b" {
		t.Errorf("amended %+v", got)
	}
	files := must[[]promotion.File](t)(h.bot.Files(ctx, h.noun, pr.Number))
	if len(files) != 1 || files[0].Path != "envs/dev/app.yaml" || files[0].Status != "modified" {
		t.Errorf("files %+v", files)
	}
	commits := must[[]promotion.CommitAuthor](t)(h.bot.Commits(ctx, h.noun, pr.Number))
	if len(commits) != 1 || !commits[0].Verified || commits[0].Author != h.app.Bot() || commits[0].SHA != pr.Head.SHA {
		t.Errorf("commits %+v", commits)
	}
	if message, ok, err := h.bot.CommitMessage(ctx, h.noun, pr.Head.SHA); message != "Pin shop\n\nPinnace-Env: dev" || !ok || err != nil {
		t.Errorf("message %q, %v, %v", message, ok, err)
	}
	if _, ok, err := h.bot.CommitMessage(ctx, h.noun, shaA); ok || err != nil {
		t.Errorf("no commit: %v, %v", ok, err)
	}
	if of := must[[]promotion.PullRequest](t)(h.bot.PullRequestsOfCommit(ctx, h.noun, pr.Head.SHA)); !slices.ContainsFunc(of, func(x promotion.PullRequest) bool { return x.Number == pr.Number }) {
		t.Errorf("of commit %+v", of)
	}
	h.Team("acme", "ops", "bob")
	h.repo.TeamPermission("ops", promotion.PermissionWrite)
	if err := h.bot.RequestReviewers(ctx, h.noun, pr.Number, []string{"alice"}, []string{"ops"}); err != nil {
		t.Error(err)
	}
	isOnly(t, h.bot.RequestReviewers(ctx, h.noun, pr.Number, []string{"stranger"}, nil), promotion.ErrInvalid)

	if err := h.bot.ConvertToDraft(ctx, pr.NodeID); err != nil {
		t.Error(err)
	}
	_, err = h.bot.Merge(ctx, h.noun, promotion.MergeRequest{Number: pr.Number, SHA: pr.Head.SHA})
	isOnly(t, err, promotion.ErrBlocked)
	if err := h.bot.MarkReady(ctx, pr.NodeID); err != nil {
		t.Error(err)
	}
	got, ok, err := h.bot.PullRequest(ctx, h.noun, pr.Number)
	if err != nil || !ok || got.Draft || got.Commits != 1 || got.ChangedFiles != 1 || len(got.Reviewers) != 1 || len(got.ReviewTeams) != 1 || got.Mergeable == nil || !*got.Mergeable {
		t.Errorf("got %+v, %v, %v", got, ok, err)
	}
	if _, ok, err := h.bot.PullRequest(ctx, h.noun, 999); ok || err != nil {
		t.Errorf("none: %v, %v", ok, err)
	}

	id, err := h.repo.Review(pr.Number, "bob", promotion.Approved, "fine")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.bot.DismissReview(ctx, h.noun, pr.Number, id, "stale"); err != nil {
		t.Error(err)
	}
	if _, err := h.repo.Review(pr.Number, "alice", promotion.Approved, ""); err != nil {
		t.Fatal(err)
	}
	reviews := must[[]promotion.Review](t)(h.bot.Reviews(ctx, h.noun, pr.Number))
	if len(reviews) != 2 || reviews[0].State != promotion.Dismissed || reviews[1].State != promotion.Approved || reviews[1].Author != h.User("alice") || reviews[1].Commit != pr.Head.SHA {
		t.Errorf("reviews %+v", reviews)
	}
	var dismissed promotion.Moment
	for _, m := range must[[]promotion.Moment](t)(h.bot.Timeline(ctx, h.noun, pr.Number)) {
		if m.Event == "review_dismissed" {
			dismissed = m
		}
	}
	if dismissed.Review != id || dismissed.Actor != h.app.Bot() || dismissed.Message != "stale" {
		t.Errorf("dismissed %+v", dismissed)
	}

	_, err = h.bot.Merge(ctx, h.noun, promotion.MergeRequest{Number: pr.Number, SHA: shaA})
	isOnly(t, err, promotion.ErrConflict)
	sha := must[string](t)(h.bot.Merge(ctx, h.noun, promotion.MergeRequest{Number: pr.Number, SHA: pr.Head.SHA, Method: "squash", Title: "Pin", Message: "why"}))
	if sha != h.repo.Tip("main") || h.repo.Log("main")[0].Message != "Pin\n\nwhy" {
		t.Errorf("merged as %s: %q", sha, h.repo.Log("main")[0].Message)
	}
	merged, _, err := h.bot.PullRequest(ctx, h.noun, pr.Number)
	if err != nil || merged.State != promotion.Merged || merged.MergeCommit != sha || merged.MergedBy != h.app.Bot() || merged.MergedAt.IsZero() {
		t.Errorf("merged %+v, %v", merged, err)
	}
	for state, want := range map[promotion.State]int{promotion.Open: 1, promotion.Closed: 1, promotion.Merged: 1, "": 2} {
		if got := must[[]promotion.PullRequest](t)(h.bot.PullRequests(ctx, h.noun, promotion.Query{State: state})); len(got) != want {
			t.Errorf("%s: %d, want %d", state, len(got), want)
		}
	}
	if err := h.bot.DeleteRef(ctx, h.noun, branch); err != nil {
		t.Error(err)
	}
	if err := h.bot.DeleteRef(ctx, h.noun, branch); err != nil {
		t.Errorf("deleting what is gone: %v", err)
	}
}

// What the sandbox takes for a mistake of ours, GitHub refuses.
func TestSandboxDuplicate(t *testing.T) {
	h := harbourWith(t, nil)
	pr := h.propose("pinnace/x")
	_, err := h.bot.OpenPullRequest(t.Context(), h.noun, promotion.Draft{Title: "again", Head: "pinnace/x", Base: "main"})
	isOnly(t, err, promotion.ErrConflict)
	if got := must[[]promotion.PullRequest](t)(h.bot.PullRequests(t.Context(), h.noun, promotion.Query{Head: "pinnace/x"})); len(got) != 1 || got[0].Number != pr.Number {
		t.Errorf("got %+v", got)
	}
}

func TestSandboxRules(t *testing.T) {
	h := newHarbour(t)
	ctx := t.Context()
	if got := must[promotion.Rules](t)(h.bot.BranchRules(ctx, h.noun, "main")); !cmp.Equal(got, promotion.Rules{}) {
		t.Errorf("no rules: %+v", got)
	}
	rules := promotion.Rules{
		PullRequest: true, Approvals: 1, DismissStale: true, NoForcePush: true, SignedCommits: true, LinearHistory: true, NoDeletion: true,
		MergeMethods: []string{"merge", "squash", "rebase"}, Checks: []promotion.RequiredCheck{{Context: "pinnace", App: h.app.ID()}},
	}
	h.repo.Protect("main", sandbox.Protection{Rules: rules})
	if diff := cmp.Diff(rules, must[promotion.Rules](t)(h.bot.BranchRules(ctx, h.noun, "main"))); diff != "" {
		t.Errorf("ruleset (-want +got):\n%s", diff)
	}
	h.repo.Unprotect("main")
	classic := promotion.Rules{PullRequest: true, Approvals: 2, NoForcePush: true, NoDeletion: true, UpToDate: true, Checks: []promotion.RequiredCheck{{Context: "ci"}}}
	h.repo.Protect("main", sandbox.Protection{Classic: true, Rules: classic})
	if diff := cmp.Diff(classic, must[promotion.Rules](t)(h.bot.BranchRules(ctx, h.noun, "main"))); diff != "" {
		t.Errorf("classic (-want +got):\n%s", diff)
	}
	h.clock.pass(2 * time.Hour) // until the token is over that could
	h.app.Permit("acme", map[string]string{"contents": "write", "pull_requests": "write", "metadata": "read"})
	if got := must[promotion.Rules](t)(h.bot.BranchRules(ctx, h.noun, "main")); !got.ProtectionUnknown {
		t.Errorf("classic, unreadable: %+v", got)
	}
	pr := h.propose("pinnace/x")
	_, err := h.bot.Merge(ctx, h.noun, promotion.MergeRequest{Number: pr.Number, SHA: pr.Head.SHA})
	isOnly(t, err, promotion.ErrBlocked)
	_, err = h.bot.CreateCheckRun(ctx, h.noun, promotion.CheckRun{Name: "pinnace", SHA: pr.Head.SHA, Status: "queued"})
	isOnly(t, err, promotion.ErrForbidden)
	if !strings.Contains(err.Error(), "checks=write") {
		t.Errorf("%v does not name the permission", err)
	}
}

func TestSandboxQueue(t *testing.T) {
	h := newHarbour(t)
	ctx := t.Context()
	pr := h.propose("pinnace/x")
	h.repo.Protect("main", sandbox.Protection{Rules: promotion.Rules{MergeQueue: true, MergeQueueMethod: "squash"}})
	if got := must[promotion.Rules](t)(h.bot.BranchRules(ctx, h.noun, "main")); !got.MergeQueue || got.MergeQueueMethod != "squash" {
		t.Errorf("rules %+v", got)
	}
	_, err := h.bot.Merge(ctx, h.noun, promotion.MergeRequest{Number: pr.Number, SHA: pr.Head.SHA})
	isOnly(t, err, promotion.ErrBlocked)
	if !strings.Contains(err.Error(), "enqueue") {
		t.Errorf("%v does not say what to do", err)
	}
	isOnly(t, h.bot.Enqueue(ctx, pr.NodeID, shaA), promotion.ErrConflict)
	if err := h.bot.Enqueue(ctx, pr.NodeID, pr.Head.SHA); err != nil {
		t.Error(err)
	}
	if err := h.bot.Dequeue(ctx, pr.NodeID); err != nil {
		t.Error(err)
	}
	isOnly(t, h.bot.MarkReady(ctx, "PR_nothing"), promotion.ErrNotFound)
}

func TestSandboxThreads(t *testing.T) {
	h := newHarbour(t)
	ctx := t.Context()
	issue := must[promotion.Issue](t)(h.bot.OpenIssue(ctx, h.noun, "Dashboard", "x", []string{"pinnace"}))
	n := issue.Number
	if !issue.Open || issue.Author != h.app.Bot() || !cmp.Equal(issue.Labels, []string{"pinnace"}) {
		t.Errorf("opened %+v", issue)
	}
	if got := must[promotion.Issue](t)(h.bot.EditIssue(ctx, h.noun, n, "y")); got.Body != "y" {
		t.Errorf("edited %+v", got)
	}
	if got := must[promotion.Issue](t)(h.bot.CloseIssue(ctx, h.noun, n)); got.Open {
		t.Errorf("closed %+v", got)
	}
	if got := must[promotion.Issue](t)(h.bot.ReopenIssue(ctx, h.noun, n)); !got.Open {
		t.Errorf("reopened %+v", got)
	}
	if got, ok, err := h.bot.Issue(ctx, h.noun, n); got.Title != "Dashboard" || !ok || err != nil {
		t.Errorf("got %+v, %v, %v", got, ok, err)
	}
	pr := h.propose("pinnace/x")
	if _, ok, err := h.bot.Issue(ctx, h.noun, pr.Number); ok || err != nil {
		t.Errorf("a pull request as an issue: %v, %v", ok, err)
	}
	if err := h.bot.EnsureLabel(ctx, h.noun, "env/prod", "0e8a16", "production"); err != nil {
		t.Error(err)
	}
	if err := h.bot.EnsureLabel(ctx, h.noun, "env/prod", "ffffff", "other"); err != nil {
		t.Error(err)
	}
	if err := h.bot.AddLabels(ctx, h.noun, pr.Number, "env/prod", "pinnace"); err != nil {
		t.Error(err)
	}
	if got := must[[]promotion.Issue](t)(h.bot.IssuesWithLabel(ctx, h.noun, "pinnace")); len(got) != 1 || got[0].Number != n {
		t.Errorf("with the label: %+v", got)
	}
	for range 2 {
		if err := h.bot.RemoveLabel(ctx, h.noun, pr.Number, "env/prod"); err != nil {
			t.Error(err)
		}
	}
	if err := h.bot.SetLabels(ctx, h.noun, pr.Number, "a", "b"); err != nil {
		t.Error(err)
	}
	if got, _, err := h.bot.PullRequest(ctx, h.noun, pr.Number); !cmp.Equal(got.Labels, []string{"a", "b"}) || err != nil {
		t.Errorf("labels %v, %v", got.Labels, err)
	}
	c := must[promotion.Comment](t)(h.bot.Comment(ctx, h.noun, pr.Number, "one"))
	h.clock.pass(time.Minute)
	if e := must[promotion.Comment](t)(h.bot.EditComment(ctx, h.noun, c.ID, "two")); !e.Edited() || c.Edited() {
		t.Errorf("edited %+v", e)
	}
	for range 120 { // more than a page
		h.repo.Comment(pr.Number, "bob", "hello")
	}
	all := must[[]promotion.Comment](t)(h.bot.Comments(ctx, h.noun, pr.Number))
	if len(all) != 121 || all[0].Body != "two" || all[120].Author != h.User("bob") {
		t.Errorf("%d comments", len(all))
	}
	h.ForgetRequests()
	must[[]promotion.Comment](t)(h.bot.Comments(ctx, h.noun, pr.Number))
	for _, q := range h.Requests() {
		if q.Status != http.StatusNotModified {
			t.Errorf("%s %s cost a request: %d", q.Method, q.Path, q.Status)
		}
	}
	h.repo.Archive(true)
	_, err := h.bot.Comment(ctx, h.noun, pr.Number, "three")
	isOnly(t, err, promotion.ErrBlocked)
}

func TestSandboxChecks(t *testing.T) {
	h := newHarbour(t)
	ctx := t.Context()
	sha := h.repo.Tip("main")
	run := promotion.CheckRun{
		Name: "pinnace / plan", SHA: sha, Status: "in_progress", ExternalID: "e", Title: "T", Summary: strings.Repeat("€", 30000), Started: h.clock.now(),
		Actions: []promotion.Action{{Label: "Re-check", Description: "look again", Identifier: "recheck"}},
	}
	for i := range 120 {
		run.Annotations = append(run.Annotations, promotion.Annotation{Path: "README.md", Start: i + 1, End: i + 1, StartCol: 1, EndCol: 2, Level: "warning", Title: "T", Message: "M"})
	}
	made := must[promotion.CheckRun](t)(h.bot.CreateCheckRun(ctx, h.noun, run))
	if made.App != h.app.ID() || made.AppSlug != "pinnace" || made.Status != "in_progress" || made.SHA != sha || len(made.Summary) > maxText {
		t.Errorf("made %+v", made)
	}
	made.Conclusion, made.Completed, made.Summary = "success", h.clock.now(), "S"
	must[promotion.CheckRun](t)(h.bot.UpdateCheckRun(ctx, h.noun, made))
	got := must[[]promotion.CheckRun](t)(h.bot.CheckRuns(ctx, h.noun, sha, "pinnace / plan"))
	if len(got) != 1 || got[0].ID != made.ID || got[0].Conclusion != "success" || got[0].Status != "completed" || got[0].Summary != "S" || got[0].ExternalID != "e" {
		t.Errorf("got %+v", got)
	}
	if got := must[[]promotion.CheckRun](t)(h.bot.CheckRuns(ctx, h.noun, sha, "other")); len(got) != 0 {
		t.Errorf("of another name: %+v", got)
	}
	_, err := h.alice.CreateCheckRun(ctx, h.noun, run)
	isOnly(t, err, promotion.ErrForbidden)
	h.repo.Status(sha, "bob", "ci", "pending")
	h.clock.pass(time.Minute)
	h.repo.Status(sha, "bob", "ci", "success")
	statuses := must[[]promotion.CommitStatus](t)(h.bot.CommitStatuses(ctx, h.noun, sha))
	if len(statuses) != 1 || statuses[0].State != "success" || statuses[0].Creator != h.User("bob") {
		t.Errorf("statuses %+v", statuses)
	}
	if got := must[[]promotion.Deployment](t)(h.bot.Deployments(ctx, h.noun, "prod", "")); len(got) != 0 {
		t.Errorf("deployments %+v", got)
	}
	for _, body := range []map[string]any{{"ref": sha, "environment": "prod", "auto_merge": false, "required_contexts": []string{}}} {
		var w struct {
			ID int64 `json:"id"`
		}
		if err := h.bot.write(ctx, call{op: "deploy", method: http.MethodPost, path: in(h.noun).add("/deployments"), body: body}, &w); err != nil {
			t.Fatal(err)
		}
		if err := h.bot.write(ctx, call{op: "deploy", method: http.MethodPost, path: in(h.noun).add("/deployments").number(w.ID).add("/statuses"), body: map[string]any{"state": "success"}}, nil); err != nil {
			t.Fatal(err)
		}
	}
	deployments := must[[]promotion.Deployment](t)(h.bot.Deployments(ctx, h.noun, "prod", sha))
	if len(deployments) != 1 || deployments[0].State != "success" || deployments[0].App != h.app.ID() || deployments[0].StateApp != h.app.ID() || deployments[0].AppSlug != "pinnace" || deployments[0].StateSlug != "pinnace" || deployments[0].Creator != h.app.Bot() {
		t.Errorf("deployments %+v", deployments)
	}
}

func TestSandboxContents(t *testing.T) {
	h := newHarbour(t)
	ctx := t.Context()
	text := "a: 1\r\nb: \u20ac <&>\n"
	large := strings.Repeat("0123456789abcdef", 70_000)
	h.repo.Commit("release/1.x", "alice", "files", map[string]string{"a b/c#.txt": "x", "envs/[x]/app.yaml": text, "large.txt": large})
	for ref, want := range map[string]bool{"release/1.x": true, h.repo.Tip("release/1.x"): true, "main": false, "": false} {
		got, ok, err := h.bot.File(ctx, h.noun, "envs/[x]/app.yaml", ref)
		if ok != want || err != nil || ok && string(got) != text {
			t.Errorf("at %q: %q, %v, %v", ref, got, ok, err)
		}
	}
	if got, ok, err := h.bot.File(ctx, h.noun, "large.txt", "release/1.x"); string(got) != large || !ok || err != nil {
		t.Errorf("large: %d bytes, %v, %v", len(got), ok, err)
	}
	_, _, err := h.bot.File(ctx, h.noun, "README.md", "gone")
	isOnly(t, err, promotion.ErrNotFound)
	_, _, err = h.bot.File(ctx, h.noun, "envs", "main")
	isOnly(t, err, promotion.ErrInvalid)
	_, _, err = h.bot.File(ctx, promotion.Repository{Owner: "acme", Name: "nothing"}, "README.md", "")
	isOnly(t, err, promotion.ErrNotFound)

	files := map[string][]byte{"envs/dev/app.yaml": []byte("\ufeffimage: shop:1@sha256:0 # <x>\r\n"), "bin": {0xff, 0x00, 0x01}}
	commit, tree, err := h.bot.CreateTreeCommit(ctx, h.noun, promotion.TreeCommit{
		BaseTree: h.repo.Tree("main"), Parents: []string{h.repo.Tip("main")}, Message: "M", Files: files,
		Modes: map[string]string{"envs/dev/app.yaml": "100644", "bin": "100755"},
	})
	if err != nil || tree != h.repo.Tree(commit) {
		t.Fatalf("got %s, %s, %v", commit, tree, err)
	}
	for name, want := range files {
		if got, ok := h.repo.File(commit, name); got != string(want) || !ok {
			t.Errorf("%s: %q, %v", name, got, ok)
		}
	}
	const branch = "pinnace/x"
	if err := h.bot.CreateRef(ctx, h.noun, branch, commit); err != nil {
		t.Error(err)
	}
	isOnly(t, h.bot.CreateRef(ctx, h.noun, branch, commit), promotion.ErrConflict)
	isOnly(t, h.bot.UpdateRef(ctx, h.noun, branch, h.repo.Tip("main"), false), promotion.ErrConflict)
	if err := h.bot.UpdateRef(ctx, h.noun, branch, h.repo.Tip("main"), true); err != nil {
		t.Error(err)
	}
	if sha, ok, err := h.bot.Branch(ctx, h.noun, branch); sha != h.repo.Tip("main") || !ok || err != nil {
		t.Errorf("branch: %s, %v, %v", sha, ok, err)
	}
	if _, ok, err := h.bot.Branch(ctx, h.noun, "pinnace"); ok || err != nil {
		t.Errorf("the beginning of a branch's name: %v, %v", ok, err)
	}
	h.repo.Protect("main", sandbox.Protection{Rules: promotion.Rules{PullRequest: true}})
	isOnly(t, h.bot.UpdateRef(ctx, h.noun, "main", commit, false), promotion.ErrBlocked)
}

func TestSandboxApp(t *testing.T) {
	h := newHarbour(t)
	ctx := t.Context()
	who := must[AppIdentity](t)(h.our.Identity(ctx))
	if who.ID != h.app.ID() || who.Bot() != h.app.Bot().Login || who.Permissions["contents"] != "write" {
		t.Errorf("got %+v", who)
	}
	all := must[[]Installation](t)(h.our.Installations(ctx))
	if len(all) != 1 || all[0].ID != h.inst || all[0].Account.Login != "acme" || !all[0].Organization || all[0].Suspended {
		t.Errorf("got %+v", all)
	}
	if got, ok, err := h.our.InstallationOf(ctx, "acme", "config"); got.ID != h.inst || !ok || err != nil {
		t.Errorf("got %+v, %v, %v", got, ok, err)
	}
	h.Repository("other", "config", sandbox.RepositoryOptions{})
	if _, ok, err := h.our.InstallationOf(ctx, "other", "config"); ok || err != nil {
		t.Errorf("not installed: %v, %v", ok, err)
	}
	reading := h.client(h.our.Tokens(h.inst, []int64{h.repo.ID()}, map[string]string{"contents": "read"}))
	if _, ok, err := reading.File(ctx, h.noun, "README.md", ""); !ok || err != nil {
		t.Errorf("reading: %v, %v", ok, err)
	}
	isOnly(t, reading.CreateRef(ctx, h.noun, "x", h.repo.Tip("main")), promotion.ErrForbidden)
	_, err := h.our.Tokens(h.inst, nil, map[string]string{"secrets": "read"}).Token(ctx)
	isOnly(t, err, promotion.ErrForbidden)

	tokens := h.our.Tokens(h.inst, nil, nil)
	token := must[Secret](t)(tokens.Token(ctx))
	client := h.client(tokens)
	if err := h.our.Revoke(ctx, token); err != nil {
		t.Error(err)
	}
	if err := h.our.Revoke(ctx, token); err != nil {
		t.Errorf("once more: %v", err)
	}
	if _, err := client.OpenIssue(ctx, h.noun, "T", "B", nil); err != nil {
		t.Errorf("with a token that was revoked: %v", err)
	}
	h.clock.pass(2 * time.Hour)
	if _, err := client.OpenIssue(ctx, h.noun, "T", "B", nil); err != nil {
		t.Errorf("with a token that is over: %v", err)
	}
	late, err := NewApp(AppOptions{ID: h.app.ID(), Key: h.app.PrivateKey(), URL: h.URL(), Sleep: h.clock.sleep, Now: func() time.Time { return h.clock.now().Add(-time.Hour) }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := late.Identity(ctx); err != nil {
		t.Errorf("with a clock that is an hour late: %v", err)
	}
	h.app.Suspend("acme", true)
	_, err = h.our.Tokens(h.inst, nil, nil).Token(ctx)
	isOnly(t, err, promotion.ErrForbidden)
	h.app.Suspend("acme", false)
	h.app.Uninstall("acme")
	h.clock.pass(2 * time.Hour)
	_, _, err = client.Branch(ctx, h.noun, "main") // not "there is no such branch"
	isOnly(t, err, promotion.ErrUnauthenticated)
}

func TestSandboxDeliveries(t *testing.T) {
	h := newHarbour(t)
	ctx := t.Context()
	fail := true
	receiver := newRig(t)
	var secrets []Secret
	receiver.handle("POST /hook", func(w http.ResponseWriter, _ *http.Request) {
		all := receiver.requests()
		if err := ValidateSignature(secrets, all[len(all)-1].header.Get("X-Hub-Signature-256"), []byte(all[len(all)-1].body)); err != nil {
			t.Error(err)
		}
		if fail {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	secrets = []Secret{"next", Secret(h.app.Secret())}
	h.app.SetWebhook(receiver.server.URL + "/hook")
	start := h.clock.now()
	h.repo.Issue("bob", "T", "B")
	if _, err := h.Deliver(ctx); err != nil {
		t.Fatal(err)
	}
	var lost []Delivery
	for _, d := range must[[]Delivery](t)(h.our.Deliveries(ctx, start)) {
		if d.Event == "issues" && !d.OK {
			lost = append(lost, d)
		}
	}
	if len(lost) != 1 || lost[0].StatusCode != 500 || lost[0].Repository != h.repo.ID() || lost[0].Installation != h.inst {
		t.Fatalf("lost %+v", lost)
	}
	fail = false
	if err := h.our.Redeliver(ctx, lost[0].ID); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Deliver(ctx); err != nil {
		t.Fatal(err)
	}
	again := false
	for _, d := range must[[]Delivery](t)(h.our.Deliveries(ctx, start)) {
		again = again || d.GUID == lost[0].GUID && d.Redelivery && d.OK
	}
	if !again {
		t.Error("it was not delivered again under its GUID")
	}
	h.clock.pass(time.Hour)
	if got := must[[]Delivery](t)(h.our.Deliveries(ctx, h.clock.now())); len(got) != 0 {
		t.Errorf("since now: %+v", got)
	}
}

// A lost answer of a write is told as that; a refused write is done in the end.
func TestSandboxFaults(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault sandbox.Fault
		want  error
		done  int // comments afterwards
	}{
		{"answer lost", sandbox.Fault{After: sandbox.Hangup()}, promotion.ErrTransient, 1},
		{"gateway, done", sandbox.Fault{After: sandbox.Status(502)}, promotion.ErrTransient, 1},
		{"gateway, not done", sandbox.Fault{Before: sandbox.Status(502)}, promotion.ErrTransient, 0},
		{"too quick", sandbox.Fault{Before: sandbox.TooQuick()}, nil, 1},
		{"secondary limit", sandbox.Fault{Before: sandbox.SecondaryLimit(403, 20*time.Second)}, nil, 1},
		{"long secondary limit", sandbox.Fault{Before: sandbox.SecondaryLimit(429, time.Hour)}, promotion.ErrRateLimited, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHarbour(t)
			issue := h.repo.Issue("bob", "T", "B")
			h.Inject(func(q sandbox.Call) sandbox.Fault {
				if q.Method == http.MethodPost && strings.HasSuffix(q.Route, "/comments") && q.N == 1 {
					return c.fault
				}
				return sandbox.Fault{}
			})
			_, err := h.bot.Comment(t.Context(), h.noun, issue, "x")
			if c.want != nil {
				isOnly(t, err, c.want)
			} else if err != nil {
				t.Error(err)
			}
			if n := len(h.repo.Comments(issue)); n != c.done {
				t.Errorf("%d comments, want %d", n, c.done)
			}
		})
	}
}

// every names each operation, for tests that hold of all of them.
func every(c *Client) map[string]func(context.Context) error {
	t, b := "title", promotion.Closed
	who := promotion.Identity{ID: 1, Login: "ann"}
	run := promotion.CheckRun{ID: 5, Name: "n", SHA: shaA, Annotations: make([]promotion.Annotation, 60)}
	commit := promotion.TreeCommit{BaseTree: shaA, Parents: []string{shaB}, Message: "m", Files: map[string][]byte{"a": {0}}, Modes: map[string]string{"a": "100644"}}
	return map[string]func(context.Context) error{
		"Repository":     func(x context.Context) error { _, _, err := c.Repository(x, "acme", "config"); return err },
		"RepositoryByID": func(x context.Context) error { _, _, err := c.RepositoryByID(x, 7); return err },
		"Repositories":   func(x context.Context) error { _, err := c.Repositories(x); return err },
		"Viewer":         func(x context.Context) error { _, _, err := c.Viewer(x); return err },
		"UserByLogin":    func(x context.Context) error { _, _, err := c.UserByLogin(x, "ann"); return err },
		"UserByID":       func(x context.Context) error { _, _, err := c.UserByID(x, 1); return err },
		"BranchRules":    func(x context.Context) error { _, err := c.BranchRules(x, config, "main"); return err },
		"Branch":         func(x context.Context) error { _, _, err := c.Branch(x, config, "main"); return err },
		"CreateRef":      func(x context.Context) error { return c.CreateRef(x, config, "b", shaA) },
		"UpdateRef":      func(x context.Context) error { return c.UpdateRef(x, config, "b", shaA, false) },
		"DeleteRef":      func(x context.Context) error { return c.DeleteRef(x, config, "b") },
		"PullRequests": func(x context.Context) error {
			_, err := c.PullRequests(x, config, promotion.Query{Head: "b"})
			return err
		},
		"PullRequest": func(x context.Context) error { _, _, err := c.PullRequest(x, config, 3); return err },
		"OpenPullRequest": func(x context.Context) error {
			_, err := c.OpenPullRequest(x, config, promotion.Draft{Head: "b", Base: "main"})
			return err
		},
		"AmendPullRequest": func(x context.Context) error {
			_, err := c.AmendPullRequest(x, config, 3, promotion.Amendment{Title: &t, State: &b})
			return err
		},
		"PullRequestsOfCommit": func(x context.Context) error { _, err := c.PullRequestsOfCommit(x, config, shaA); return err },
		"Files":                func(x context.Context) error { _, err := c.Files(x, config, 3); return err },
		"Commits":              func(x context.Context) error { _, err := c.Commits(x, config, 3); return err },
		"RequestReviewers":     func(x context.Context) error { return c.RequestReviewers(x, config, 3, []string{"ann"}, nil) },
		"Merge": func(x context.Context) error {
			_, err := c.Merge(x, config, promotion.MergeRequest{Number: 3, SHA: shaA})
			return err
		},
		"Reviews":       func(x context.Context) error { _, err := c.Reviews(x, config, 3); return err },
		"DismissReview": func(x context.Context) error { return c.DismissReview(x, config, 3, 1, "m") },
		"Timeline":      func(x context.Context) error { _, err := c.Timeline(x, config, 3); return err },
		"Comments":      func(x context.Context) error { _, err := c.Comments(x, config, 3); return err },
		"CommentsSince": func(x context.Context) error {
			_, err := c.CommentsSince(x, config, time.Unix(1, 0))
			return err
		},
		"MergeBase":       func(x context.Context) error { _, _, err := c.MergeBase(x, config, shaA, shaB); return err },
		"Commit":          func(x context.Context) error { _, _, err := c.Commit(x, config, shaA); return err },
		"QueueGroups":     func(x context.Context) error { _, err := c.QueueGroups(x, config, "main"); return err },
		"Comment":         func(x context.Context) error { _, err := c.Comment(x, config, 3, "x"); return err },
		"EditComment":     func(x context.Context) error { _, err := c.EditComment(x, config, 3, "x"); return err },
		"SetLabels":       func(x context.Context) error { return c.SetLabels(x, config, 3, "l") },
		"AddLabels":       func(x context.Context) error { return c.AddLabels(x, config, 3, "l") },
		"RemoveLabel":     func(x context.Context) error { return c.RemoveLabel(x, config, 3, "l") },
		"EnsureLabel":     func(x context.Context) error { return c.EnsureLabel(x, config, "l", "ffffff", "") },
		"OpenIssue":       func(x context.Context) error { _, err := c.OpenIssue(x, config, "t", "b", nil); return err },
		"EditIssue":       func(x context.Context) error { _, err := c.EditIssue(x, config, 3, "b"); return err },
		"CloseIssue":      func(x context.Context) error { _, err := c.CloseIssue(x, config, 3); return err },
		"ReopenIssue":     func(x context.Context) error { _, err := c.ReopenIssue(x, config, 3); return err },
		"Issue":           func(x context.Context) error { _, _, err := c.Issue(x, config, 3); return err },
		"IssuesWithLabel": func(x context.Context) error { _, err := c.IssuesWithLabel(x, config, "l"); return err },
		"CheckRuns":       func(x context.Context) error { _, err := c.CheckRuns(x, config, shaA, ""); return err },
		"CreateCheckRun":  func(x context.Context) error { _, err := c.CreateCheckRun(x, config, run); return err },
		"UpdateCheckRun":  func(x context.Context) error { _, err := c.UpdateCheckRun(x, config, run); return err },
		"CommitStatuses":  func(x context.Context) error { _, err := c.CommitStatuses(x, config, shaA); return err },
		"Deployments":     func(x context.Context) error { _, err := c.Deployments(x, config, "", ""); return err },
		"Permission":      func(x context.Context) error { _, err := c.Permission(x, config, who); return err },
		"Collaborators": func(x context.Context) error {
			_, _, err := c.Collaborators(x, config, promotion.PermissionWrite)
			return err
		},
		"IsMember":         func(x context.Context) error { _, _, err := c.IsMember(x, "acme", "ops", who); return err },
		"File":             func(x context.Context) error { _, _, err := c.File(x, config, "a", ""); return err },
		"CommitMessage":    func(x context.Context) error { _, _, err := c.CommitMessage(x, config, shaA); return err },
		"CreateTreeCommit": func(x context.Context) error { _, _, err := c.CreateTreeCommit(x, config, commit); return err },
		"Enqueue":          func(x context.Context) error { return c.Enqueue(x, "PR_x", shaA) },
		"Dequeue":          func(x context.Context) error { return c.Dequeue(x, "PR_x") },
		"ConvertToDraft":   func(x context.Context) error { return c.ConvertToDraft(x, "PR_x") },
		"MarkReady":        func(x context.Context) error { return c.MarkReady(x, "PR_x") },
	}
}

// What fails is never taken for something that is not there, in any operation.
func TestEveryFailure(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		want   error
		except string // operations whose documented answer it is
	}{
		{"server error", says(500, `{"message":"Server Error"}`), promotion.ErrTransient, ""},
		{"gateway", says(502, `<html>`), promotion.ErrTransient, ""},
		{"hang-up", hangup, promotion.ErrTransient, ""},
		{"no JSON", says(200, `nonsense`), promotion.ErrTransient, "CreateRef UpdateRef DeleteRef RequestReviewers DismissReview SetLabels AddLabels RemoveLabel"},
		{"login page", says(200, `<html>`), promotion.ErrTransient, ""},
		{"proxy's 404", says(404, `<html>`), promotion.ErrInvalid, ""},
		{"credentials", says(401, `{"message":"Bad credentials"}`), promotion.ErrUnauthenticated, ""},
		{"permission", says(403, `{"message":"Resource not accessible by integration"}`), promotion.ErrForbidden, "Viewer IsMember Collaborators"},
		{"limit", says(429, `{}`, "Retry-After", "3600"), promotion.ErrRateLimited, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			for name, do := range every(nil) {
				if strings.Contains(" "+c.except+" ", " "+name+" ") {
					continue
				}
				t.Run(name, func(t *testing.T) {
					o := Options{URL: "http://127.0.0.1:1", Tokens: StaticToken(canary), MaxWait: -1, Spacing: -1, Transport: answering(c.answer)}
					client, err := New(o)
					if err != nil {
						t.Fatal(err)
					}
					do = every(client)[name]
					isOnly(t, do(t.Context()), c.want)
				})
			}
		})
	}
}

// Whatever JSON comes, no operation panics, and each error is of one class.
func TestEveryOddAnswer(t *testing.T) {
	for _, body := range []string{
		`null`, `{}`, `[]`, `[null]`, `[{}]`, `0`, `"x"`, `{"id":1}`, `{"number":3}`, `{"errors":null}`, `{"errors":[null]}`, `{"data":null}`, `{"check_runs":null}`, `{"check_runs":[null]}`,
		`{"user":null,"head":null,"base":{"repo":null}}`, `[{"user":null,"head":{"repo":null},"actor":null,"dismissed_review":null,"parents":[null],"labels":[null]}]`, `{"type":"file"}`,
		`[{"type":"pull_request","parameters":null}]`, `{"id":"7"}`, `{"id":1e99}`, `{"created_at":"yesterday"}`, strings.Repeat("[", 20000),
	} {
		client, err := New(Options{URL: "http://127.0.0.1:1", MaxWait: -1, Spacing: -1, Transport: answering(says(200, body))})
		if err != nil {
			t.Fatal(err)
		}
		for name, do := range every(client) {
			if err := do(t.Context()); err != nil {
				t.Run(fmt.Sprintf("%s %.40s", name, body), func(t *testing.T) {
					var e *Error
					if !errors.As(err, &e) {
						t.Fatalf("got %T: %v", err, err)
					}
					isOnly(t, err, e.Class)
				})
			}
		}
	}
}

// answering is a transport that needs no network.
func answering(h http.HandlerFunc) http.RoundTripper {
	return roundTrip(func(req *http.Request) (resp *http.Response, err error) {
		defer func() {
			if recover() != nil {
				resp, err = nil, errors.New("connection reset by peer")
			}
		}()
		w := httptest.NewRecorder()
		h(w, req)
		return w.Result(), nil
	})
}
