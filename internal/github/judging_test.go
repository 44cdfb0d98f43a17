package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// Pages of comments are asked for by time: what is edited meanwhile pulls no other comment
// past a boundary.
func TestCommentsSincePages(t *testing.T) {
	at := func(second int) string { return time.Unix(int64(1_800_000_000+second), 0).UTC().Format(time.RFC3339) }
	wire := func(id, second int) string {
		return fmt.Sprintf(`{"id":%d,"issue_url":"https://x/repos/acme/config/issues/%d","user":{"id":1,"login":"ann"},"created_at":%q,"updated_at":%q}`, id, id%10+1, at(0), at(second))
	}
	path := func(second int) string {
		return "GET /repos/acme/config/issues/comments?direction=asc&per_page=100&since=" + strings.ReplaceAll(at(second), ":", "%3A") + "&sort=updated"
	}
	r := newRig(t)
	more := func(status int, body string) http.HandlerFunc {
		return says(status, body, "Link", `<`+r.server.URL+`/repos/acme/config/issues/comments?page=2>; rel="next"`)
	}
	const midnight = -8 * 3600
	r.handle(path(midnight), more(200, "["+wire(1, 9)+","+wire(2, 10)+","+wire(3, 12)+"]")) // 1 is before what was asked for
	r.handle(path(11), more(200, "["+wire(3, 12)+","+wire(4, 12)+","+wire(5, 12)+"]"))      // a page of one second
	r.on("GET /repos/acme/config/issues/comments?page=2", 200, "["+wire(6, 12)+","+wire(2, 20)+"]")
	got := must[[]promotion.Comment](t)(r.client().CommentsSince(t.Context(), config, time.Unix(1_800_000_010, 999)))
	var ids []string
	for _, c := range got {
		ids = append(ids, fmt.Sprint(c.ID, " in ", c.Thread))
	}
	if diff := cmp.Diff([]string{"3 in 4", "4 in 5", "5 in 6", "6 in 7", "2 in 3"}, ids); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got[4].Updated.Unix() != 1_800_000_020 {
		t.Errorf("2 was edited meanwhile, and is told as of %v", got[4].Updated)
	}

	r = newRig(t)
	r.on("GET /repos/acme/config/issues/comments", 200, `[{"id":1,"issue_url":"nowhere"}]`)
	_, err := r.client().CommentsSince(t.Context(), config, time.Time{})
	isOnly(t, err, promotion.ErrTransient)
	r = newRig(t)
	n := 0
	r.handle("GET /repos/acme/config/issues/comments", func(w http.ResponseWriter, q *http.Request) {
		n++
		says(200, "["+wire(n, n*10)+"]", "Link", `<`+r.server.URL+`/repos/acme/config/issues/comments?page=2>; rel="next"`)(w, q)
	})
	_, err = r.client().CommentsSince(t.Context(), config, time.Time{})
	isOnly(t, err, promotion.ErrInvalid)
	if n != maxPages {
		t.Errorf("%d pages, want %d", n, maxPages)
	}
}

func TestSandboxCommentsSince(t *testing.T) {
	h := newHarbour(t)
	ctx := t.Context()
	issue, pr := h.repo.Issue("bob", "Requests", ""), h.propose("pinnace/x").Number
	old := h.repo.Comment(issue, "bob", "/promote shop to prod")
	edited := h.repo.Comment(pr, "bob", "nothing")
	h.clock.pass(time.Minute)
	since := h.clock.now()
	var want []int64
	for i := range 250 {
		want = append(want, h.repo.Comment([]int{issue, pr}[i%2], "carol", fmt.Sprint("hello ", i)))
		if i%20 == 19 {
			h.clock.pass(time.Second)
		}
	}
	h.clock.pass(time.Minute)
	if err := h.repo.EditComment(edited, "bob", "/deploy"); err != nil {
		t.Fatal(err)
	}
	var got []int64
	all := must[[]promotion.Comment](t)(h.bot.CommentsSince(ctx, h.noun, since))
	for _, c := range all {
		got = append(got, c.ID)
	}
	if diff := cmp.Diff(append(want, edited), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	last := all[len(all)-1]
	if last.Thread != pr || !last.Edited() || last.Body != "/deploy" || last.Author != h.User("bob") || all[0].Thread != issue {
		t.Errorf("got %+v and %+v", all[0], last)
	}
	if all := must[[]promotion.Comment](t)(h.bot.CommentsSince(ctx, h.noun, time.Time{})); len(all) != 252 || all[0].ID != old {
		t.Errorf("%d comments of all time", len(all))
	}
	if all := must[[]promotion.Comment](t)(h.bot.CommentsSince(ctx, h.noun, h.clock.now().Add(time.Hour))); len(all) != 0 {
		t.Errorf("from the future: %+v", all)
	}
	if all := must[[]promotion.Comment](t)(h.bot.Comments(ctx, h.noun, issue)); all[0].Thread != issue {
		t.Errorf("of a thread: %+v", all[0])
	}
}

func TestSandboxCommits(t *testing.T) {
	h := newHarbour(t)
	ctx := t.Context()
	pr := h.propose("pinnace/x")
	fork := h.repo.Tip("main")
	h.repo.Commit("main", "bob", "later", map[string]string{"x": "y"})
	if sha, ok, err := h.bot.MergeBase(ctx, h.noun, h.repo.Tip("main"), pr.Head.SHA); sha != fork || !ok || err != nil {
		t.Errorf("merge base %s, %v, %v, want %s", sha, ok, err, fork)
	}
	_, _, err := h.bot.MergeBase(ctx, h.noun, shaA, pr.Head.SHA)
	isOnly(t, err, promotion.ErrNotFound)
	var root struct {
		SHA string `json:"sha"`
	}
	body := map[string]any{"message": "another beginning", "tree": h.repo.Tree("main"), "parents": []string{}, "author": map[string]any{"name": "x", "email": "x@example.com"}}
	if err := h.bot.write(ctx, call{op: "commit", method: http.MethodPost, path: in(h.noun).add("/git/commits"), body: body}, &root); err != nil {
		t.Fatal(err)
	}
	if sha, ok, err := h.bot.MergeBase(ctx, h.noun, root.SHA, pr.Head.SHA); sha != "" || ok || err != nil {
		t.Errorf("without a common history: %s, %v, %v", sha, ok, err)
	}

	got, ok, err := h.bot.Commit(ctx, h.noun, pr.Head.SHA)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	want := promotion.CommitFacts{Tree: h.repo.Tree(pr.Head.SHA), CommitAuthor: promotion.CommitAuthor{
		SHA: pr.Head.SHA, Author: h.app.Bot(), Committer: h.User("web-flow"), Verified: true, Reason: "valid", Message: "Pin shop\n\nPinnace-Env: dev", Parents: []string{fork},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got, ok, err := h.bot.Commit(ctx, h.noun, root.SHA); err != nil || !ok || got.Author != (promotion.Identity{}) || got.Verified || got.Parents != nil {
		t.Errorf("by an e-mail address that is nobody's: %+v, %v, %v", got, ok, err)
	}
	if _, ok, err := h.bot.Commit(ctx, h.noun, shaA); ok || err != nil {
		t.Errorf("no commit: %v, %v", ok, err)
	}

	h.repo.Commit("pinnace/x", "bob", "By hand\n\nCo-authored-by: carol <"+h.Email("carol")+">", map[string]string{"z": "z"})
	commits := must[[]promotion.CommitAuthor](t)(h.bot.Commits(ctx, h.noun, pr.Number))
	if len(commits) != 2 || commits[1].Author != h.User("bob") || commits[1].Committer != h.User("bob") || commits[1].Verified {
		t.Errorf("commits %+v", commits)
	}
}

// The timeline tells everything that ends an approval or moves a pull request, by whom.
func TestSandboxTimeline(t *testing.T) {
	h := newHarbour(t)
	ctx := t.Context()
	h.repo.Protect("main", sandbox.Protection{Rules: promotion.Rules{DismissStale: true, Approvals: 1}})
	h.repo.Branch("release", "alice", h.repo.Tip("main"))
	pr := h.propose("pinnace/x")
	bob, alice := h.User("bob"), h.User("alice")
	review := func(state promotion.ReviewState) int64 {
		id, err := h.repo.Review(pr.Number, "bob", state, "words")
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		h.clock.pass(time.Minute)
	}
	began := h.clock.now()
	vetoed := review(promotion.ChangesRequested)
	h.clock.pass(time.Minute)
	do(h.repo.Dismiss(pr.Number, vetoed, "alice", "settled"))
	approved := review(promotion.Approved)
	h.clock.pass(time.Minute)
	forced := h.repo.ForcePush("pinnace/x", "bob", "again", "", map[string]string{"envs/dev/app.yaml": "image: shop:2\n"})
	do(nil)
	h.repo.Edit(pr.Number, "bob", "Another title", "b")
	do(nil)
	do(h.repo.Retarget(pr.Number, "bob", "release"))
	do(h.repo.SetDraft(pr.Number, "bob", true))
	do(h.repo.SetDraft(pr.Number, "bob", false))
	h.repo.Close(pr.Number, "bob")
	do(nil)
	do(h.repo.Reopen(pr.Number, "alice"))
	merged, err := h.repo.Merge(pr.Number, "alice", "squash")
	do(err)

	at := func(minute int) time.Time { return began.Add(time.Duration(minute) * time.Minute) }
	want := []promotion.Moment{
		{Event: "reviewed", At: at(0), Actor: bob, Commit: pr.Head.SHA, Review: vetoed},
		{Event: "review_dismissed", At: at(1), Actor: alice, Review: vetoed, Was: promotion.ChangesRequested, Message: "settled"},
		{Event: "reviewed", At: at(2), Actor: bob, Commit: pr.Head.SHA, Review: approved},
		{Event: "head_ref_force_pushed", At: at(3), Actor: bob, Commit: forced},
		{Event: "review_dismissed", At: at(3), Actor: bob, Review: approved, Was: promotion.Approved, DismissalCommit: forced},
		{Event: "committed", Commit: forced},
		{Event: "renamed", At: at(4), Actor: bob},
		{Event: "base_ref_changed", At: at(5), Actor: bob},
		{Event: "convert_to_draft", At: at(6), Actor: bob},
		{Event: "ready_for_review", At: at(7), Actor: bob},
		{Event: "closed", At: at(8), Actor: bob},
		{Event: "reopened", At: at(9), Actor: alice},
		{Event: "merged", At: at(10), Actor: alice, Commit: merged},
		{Event: "closed", At: at(10), Actor: alice},
	}
	got := must[[]promotion.Moment](t)(h.bot.Timeline(ctx, h.noun, pr.Number))
	// GitHub orders commits by what they say of themselves.
	isCommit := func(m promotion.Moment) bool { return m.Event == "committed" }
	if i := slices.IndexFunc(got, isCommit); i < 0 || got[i].Commit != forced {
		t.Errorf("the forced commit is not told: %+v", got)
	}
	if diff := cmp.Diff(slices.DeleteFunc(want, isCommit), slices.DeleteFunc(got, isCommit)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Every protection that refuses a merge is told apart, with something to do about it.
func TestSandboxMergeRefusals(t *testing.T) {
	check := promotion.RequiredCheck{Context: "pinnace/promotion"}
	rules := func(r promotion.Rules) func(*harbour) {
		return func(h *harbour) { h.repo.Protect("main", sandbox.Protection{Rules: r}) }
	}
	for name, c := range map[string]struct {
		set    func(*harbour)
		method string
		rule   string
		check  string
	}{
		"approvals": {rules(promotion.Rules{Approvals: 2}), "", promotion.RuleApprovals, ""},
		"approval that a push dismissed": {func(h *harbour) {
			h.repo.Protect("main", sandbox.Protection{Rules: promotion.Rules{Approvals: 1, DismissStale: true}})
			_, _ = h.repo.Review(1, "bob", promotion.Approved, "")
			h.repo.Commit("pinnace/x", "alice", "more", map[string]string{"x": "y"})
		}, "", promotion.RuleApprovals, ""},
		"approvals by classic protection": {func(h *harbour) {
			h.repo.Protect("main", sandbox.Protection{Classic: true, Rules: promotion.Rules{Approvals: 1}})
		}, "", promotion.RuleApprovals, ""},
		"changes requested": {func(h *harbour) {
			h.repo.Protect("main", sandbox.Protection{Rules: promotion.Rules{PullRequest: true}})
			_, _ = h.repo.Review(1, "bob", promotion.ChangesRequested, "no")
		}, "", promotion.RuleChanges, ""},
		"last push":       {rules(promotion.Rules{LastPushApproval: true}), "", promotion.RuleLastPush, ""},
		"check not there": {rules(promotion.Rules{Checks: []promotion.RequiredCheck{check}}), "", promotion.RuleCheck, check.Context},
		"two checks":      {rules(promotion.Rules{Checks: []promotion.RequiredCheck{check, {Context: "ci"}}}), "", promotion.RuleCheck, ""},
		"signatures": {func(h *harbour) {
			rules(promotion.Rules{SignedCommits: true})(h)
			h.repo.Commit("pinnace/x", "bob", "m", map[string]string{"x": "y"})
		}, "", promotion.RuleSignatures, ""},
		"signed rebase":     {rules(promotion.Rules{SignedCommits: true}), "rebase", promotion.RuleSignatures, ""},
		"linear history":    {rules(promotion.Rules{LinearHistory: true}), "merge", promotion.RuleLinear, ""},
		"method":            {rules(promotion.Rules{PullRequest: true, MergeMethods: []string{"squash"}}), "merge", promotion.RuleMethod, ""},
		"queue":             {rules(promotion.Rules{MergeQueue: true}), "", promotion.RuleQueue, ""},
		"restricted update": {rules(promotion.Rules{NoUpdate: true}), "", promotion.RuleUpdate, ""},
		"draft":             {func(h *harbour) { _ = h.repo.SetDraft(1, "bob", true) }, "", promotion.RuleDraft, ""},
		"archived":          {func(h *harbour) { h.repo.Archive(true) }, "", promotion.RuleArchived, ""},
		"out of date": {func(h *harbour) {
			rules(promotion.Rules{UpToDate: true, Checks: []promotion.RequiredCheck{check}})(h)
			h.repo.Status(h.repo.Tip("pinnace/x"), "bob", check.Context, "success")
			h.repo.Commit("main", "bob", "m", map[string]string{"x": "y"})
		}, "", promotion.RuleCheck, check.Context}, // GitHub does not tell it from a missing check
		"check of another App": {func(h *harbour) {
			rules(promotion.Rules{Checks: []promotion.RequiredCheck{{Context: check.Context, App: h.app.ID()}}})(h)
			h.repo.Status(h.repo.Tip("pinnace/x"), "bob", check.Context, "success")
		}, "", promotion.RuleCheck, check.Context},
		"conflict": {func(h *harbour) {
			h.repo.Commit("main", "bob", "m", map[string]string{"envs/dev/app.yaml": "image: shop:9\n"})
		}, "", promotion.RuleMergeability, ""},
		"closed": {func(h *harbour) { h.repo.Close(1, "bob") }, "", promotion.RuleMergeability, ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarbour(t)
			h.propose("pinnace/x")
			c.set(h)
			before := h.repo.Tip("main")
			_, err := h.bot.Merge(t.Context(), h.noun, promotion.MergeRequest{Number: 1, SHA: h.repo.PullRequests()[0].Head.SHA, Method: c.method})
			var e *Error
			if !errors.As(err, &e) || e.Rule() != c.rule || e.Remedy == "" {
				t.Fatalf("got %v of rule %q, want %s", err, e.Rule(), c.rule)
			}
			var b *promotion.Blocked
			if errors.As(err, &b) && (b.Check != c.check || b.Text == "" || b.Remedy == "") {
				t.Errorf("got %+v", b)
			}
			if h.repo.Tip("main") != before {
				t.Error("the base moved")
			}
		})
	}
	h := newHarbour(t)
	pr := h.propose("pinnace/x")
	h.repo.Protect("main", sandbox.Protection{Rules: promotion.Rules{NoUpdate: true, LinearHistory: true}, Bypass: []string{"pinnace"}})
	_, err := h.alice.Merge(t.Context(), h.noun, promotion.MergeRequest{Number: pr.Number, SHA: pr.Head.SHA})
	if got := promotion.Obstacles(err); len(got) != 2 || got[0].Rule != promotion.RuleUpdate || got[1].Rule != promotion.RuleLinear {
		t.Errorf("both rules: %v", err)
	}
	if _, err := h.bot.Merge(t.Context(), h.noun, promotion.MergeRequest{Number: pr.Number, SHA: pr.Head.SHA}); err != nil {
		t.Errorf("who may bypass: %v", err)
	}
}

func TestSandboxQueueGroups(t *testing.T) {
	h := newHarbour(t)
	ctx := t.Context()
	check := promotion.RequiredCheck{Context: "pinnace/promotion", App: h.app.ID()}
	h.repo.Protect("main", sandbox.Protection{Rules: promotion.Rules{MergeQueue: true, Checks: []promotion.RequiredCheck{check}}})
	green := func(sha, conclusion string) {
		t.Helper()
		must[promotion.CheckRun](t)(h.bot.CreateCheckRun(ctx, h.noun, promotion.CheckRun{Name: check.Context, SHA: sha, Conclusion: conclusion}))
	}
	groups := func() []promotion.Group {
		t.Helper()
		all := must[[]promotion.Group](t)(h.bot.QueueGroups(ctx, h.noun, "main"))
		slices.SortFunc(all, func(a, b promotion.Group) int { return a.PullRequest - b.PullRequest })
		return all
	}
	var heads []promotion.PullRequest
	for i := range 3 {
		name := fmt.Sprint("change-", i)
		sha := h.repo.Commit(name, "bob", name, map[string]string{name: "x"})
		n, err := h.repo.OpenPullRequest("bob", name, "", name, "main")
		if err != nil {
			t.Fatal(err)
		}
		pr, _, err := h.bot.PullRequest(ctx, h.noun, n)
		if err != nil {
			t.Fatal(err)
		}
		err = h.bot.Enqueue(ctx, pr.NodeID, sha)
		isOnly(t, err, promotion.ErrBlocked)
		if got := promotion.Obstacles(err); got[0].Rule != promotion.RuleCheck || got[0].Check != check.Context {
			t.Errorf("enqueued without its check: %+v", got[0])
		}
		green(sha, "success")
		if err := h.bot.Enqueue(ctx, pr.NodeID, sha); err != nil {
			t.Fatal(err)
		}
		heads = append(heads, pr)
	}
	if got := groups(); len(got) != 0 {
		t.Errorf("before there are groups: %+v", got)
	}
	h.repo.Branch("gh-readonly-queue/main/pr-x", "bob", h.repo.Tip("main")) // anybody may make such branches
	h.repo.Branch("gh-readonly-queue/main/nested/pr-9-"+h.repo.Tip("main"), "bob", h.repo.Tip("main"))
	formed := h.repo.FormGroups()
	got := groups()
	if len(got) != 3 || got[0].Base != h.repo.Tip("main") || got[1].Base != got[0].SHA || got[2].Base != got[1].SHA {
		t.Fatalf("groups %+v", got)
	}
	for i, g := range got {
		if formed[g.Ref] != g.SHA || g.PullRequest != heads[i].Number {
			t.Errorf("group %+v, formed %v", g, formed)
		}
		if facts, ok, err := h.bot.Commit(ctx, h.noun, g.SHA); !ok || err != nil || facts.Parents[0] != g.Base {
			t.Errorf("group's commit %+v, %v, %v", facts, ok, err)
		}
	}

	h.repo.Status(got[0].SHA, "bob", check.Context, "success") // not of the App that is believed
	if done := h.repo.LandGroups(); done != nil {
		t.Errorf("merged %v on somebody's status", done)
	}
	green(got[0].SHA, "success")
	green(got[1].SHA, "failure")
	green(got[2].SHA, "success")
	if done := h.repo.LandGroups(); !slices.Equal(done, []int{heads[0].Number}) || h.repo.Tip("main") != got[0].SHA {
		t.Errorf("merged %v", done)
	}
	if left := groups(); len(left) != 0 {
		t.Errorf("the group that failed and the one on top of it are there still: %+v", left)
	}
	if merged, _, err := h.bot.PullRequest(ctx, h.noun, heads[0].Number); err != nil || !merged.MergedBy.Bot || merged.MergeCommit != got[0].SHA {
		t.Errorf("merged %+v, %v", merged, err)
	}
	h.repo.FormGroups()
	again := groups()
	if len(again) != 1 || again[0].PullRequest != heads[2].Number || again[0].Base != h.repo.Tip("main") {
		t.Fatalf("groups %+v", again)
	}
	h.repo.Commit("main", "alice", "past the queue", map[string]string{"past": "x"})
	h.repo.FormGroups()
	if anew := groups(); len(anew) != 1 || anew[0].Base != h.repo.Tip("main") || anew[0].SHA == again[0].SHA {
		t.Errorf("the base moved, and the groups are %+v", anew)
	}
}

func TestSelf(t *testing.T) {
	h := newHarbour(t)
	ctx := t.Context()
	want := promotion.Self{App: h.app.ID(), Slug: "pinnace", Bot: h.app.Bot()}
	for range 2 {
		if got, known, err := h.bot.Self(ctx); got != want || !known || err != nil {
			t.Errorf("got %+v, %v, %v", got, known, err)
		}
	}
	asked := 0
	for _, q := range h.Requests() {
		if q.Route == "/app" {
			asked++
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
	for name, c := range map[string]*Client{
		"a person's token":       h.alice,
		"a bare App's token":     h.client(StaticToken(Secret(h.app.InstallationToken("acme")))),
		"a workflow's own token": h.client(StaticToken(Secret(h.ActionsToken(h.repo, map[string]string{"contents": "read"})))),
	} {
		if got, known, err := c.Self(ctx); got != (promotion.Self{}) || known || err != nil {
			t.Errorf("%s: %+v, %v, %v", name, got, known, err)
		}
	}
	other := newHarbour(t)
	other.Inject(func(c sandbox.Call) sandbox.Fault {
		if c.Route != "/app" {
			return sandbox.Fault{}
		}
		return sandbox.Fault{Before: sandbox.Status(http.StatusServiceUnavailable)}
	})
	_, known, err := other.bot.Self(ctx)
	if known {
		t.Error("known, though GitHub did not answer")
	}
	isOnly(t, err, promotion.ErrTransient)
}

// Accounts come and go: a number is one person's for ever, a login is not.
func TestSandboxAccounts(t *testing.T) {
	h := newHarbour(t)
	ctx := t.Context()
	pr := h.propose("pinnace/x")
	dora := h.User("dora")
	h.repo.Permission("dora", promotion.PermissionWrite)
	h.Team("acme", "ops", "dora")
	h.repo.Comment(pr.Number, "dora", "hello")
	if _, err := h.repo.Review(pr.Number, "dora", promotion.Approved, ""); err != nil {
		t.Fatal(err)
	}
	sha := h.repo.Commit("pinnace/x", "dora", "by hand", map[string]string{"x": "y"})

	h.RenameUser("dora", "theodora")
	taken := h.User("dora")
	if taken.ID == dora.ID {
		t.Fatal("the freed login has the old number")
	}
	renamed := promotion.Identity{ID: dora.ID, Login: "theodora"}
	if got := must[[]promotion.Review](t)(h.bot.Reviews(ctx, h.noun, pr.Number)); got[0].Author != renamed {
		t.Errorf("reviewed by %v, want %v", got[0].Author, renamed)
	}
	for who, want := range map[promotion.Identity]promotion.Permission{renamed: promotion.PermissionWrite, taken: promotion.PermissionRead, dora: promotion.PermissionWrite} {
		if got := must[promotion.Permission](t)(h.bot.Permission(ctx, h.noun, who)); got != want {
			t.Errorf("%v may %s, want %s", who, got, want)
		}
	}
	if ok, _, err := h.bot.IsMember(ctx, "acme", "ops", renamed); !ok || err != nil {
		t.Errorf("member %v, %v", ok, err)
	}

	person := h.client(StaticToken(Secret(h.Token("theodora"))))
	h.Suspend("theodora", true)
	_, err := person.Comment(ctx, h.noun, pr.Number, "still here")
	isOnly(t, err, promotion.ErrForbidden)
	h.Suspend("theodora", false)
	if _, err := person.Comment(ctx, h.noun, pr.Number, "back"); err != nil {
		t.Error(err)
	}

	h.LeaveOrg("acme", "theodora")
	if ok, _, err := h.bot.IsMember(ctx, "acme", "ops", renamed); ok || err != nil {
		t.Errorf("who left is a member: %v, %v", ok, err)
	}

	h.DeleteUser("theodora")
	ghost := promotion.Identity{Login: "ghost"}
	if got := must[[]promotion.Review](t)(h.bot.Reviews(ctx, h.noun, pr.Number)); got[0].Author != ghost || h.repo.Reviews(pr.Number)[0].Author != ghost {
		t.Errorf("reviewed by %v", got[0].Author)
	}
	if got := must[[]promotion.Comment](t)(h.bot.Comments(ctx, h.noun, pr.Number)); got[0].Author != ghost {
		t.Errorf("commented by %v", got[0].Author)
	}
	if got, _, err := h.bot.Commit(ctx, h.noun, sha); err != nil || got.Author != (promotion.Identity{}) {
		t.Errorf("authored by %v, %v", got.Author, err)
	}
	for _, m := range must[[]promotion.Moment](t)(h.bot.Timeline(ctx, h.noun, pr.Number)) {
		if m.Event == "reviewed" && m.Actor != ghost {
			t.Errorf("got %+v", m)
		}
	}
	if _, ok, err := h.bot.UserByID(ctx, dora.ID); ok || err != nil {
		t.Errorf("who was deleted: %v, %v", ok, err)
	}
	_, err = person.Comments(ctx, h.noun, pr.Number)
	isOnly(t, err, promotion.ErrUnauthenticated)
}

// The same words twice on one thread are a mistake of ours.
func TestSandboxDuplicateComment(t *testing.T) {
	told := &listener{}
	h := harbourWith(t, told)
	n := h.repo.Issue("bob", "t", "")
	for _, text := range []string{"one", "two", "one"} {
		if _, err := h.bot.Comment(context.Background(), h.noun, n, text); err != nil {
			t.Fatal(err)
		}
		h.repo.Comment(n, "bob", text)
	}
	if len(told.said) != 1 || !strings.Contains(told.said[0], "duplicate comment") {
		t.Errorf("said %q", told.said)
	}
}

type listener struct{ said []string }

func (*listener) Helper() {}

func (l *listener) Errorf(format string, args ...any) {
	l.said = append(l.said, fmt.Sprintf(format, args...))
}

// Who asks again on the same day asks for the same, so that GitHub can say that nothing was said.
func TestCommentsSinceOfADay(t *testing.T) {
	h := newHarbour(t)
	issue := h.repo.Issue("bob", "Requests", "")
	h.repo.Comment(issue, "bob", "one")
	h.clock.pass(time.Hour)
	h.repo.Comment(issue, "bob", "two")
	var same []bool
	o := Options{
		URL: h.URL() + "/api/v3", Tokens: h.our.Tokens(h.inst, nil, nil), Cache: NewMemoryETags(1 << 20), Tenant: "1", Spacing: -1,
		Now: h.clock.now, Sleep: h.clock.sleep, Observe: func(c Call) { same = append(same, c.NotModified) },
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	day := h.clock.now().Truncate(24 * time.Hour)
	var got []int
	for _, since := range []time.Time{day.Add(time.Minute), day.Add(11 * time.Hour), h.clock.now().Add(-time.Minute), h.clock.now().Add(time.Minute)} {
		got = append(got, len(must[[]promotion.Comment](t)(c.CommentsSince(t.Context(), h.noun, since))))
	}
	if diff := cmp.Diff([]bool{false, true, true, true}, same); diff != "" {
		t.Errorf("answered with 304 (-want +got):\n%s", diff)
	}
	if got[0] != 2 || got[2] != 1 || got[3] != 0 {
		t.Errorf("%v comments", got)
	}
}
