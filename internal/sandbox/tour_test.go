package sandbox

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/pinnace-dev/pinnace/internal/openapi"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// TestTour asks every route once, so that each request and each answer is held against
// GitHub's description.
func TestTour(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	bot, alice := r.bot(), r.user("alice")
	const o, n = "acme", "config"
	r.Team("acme", "release", "bob").Invite("dave")
	r.repo.TeamPermission("release", promotion.PermissionMaintain)

	repo := must[*github.Repository](t)(bot.Repositories.Get(ctx, o, n))
	must[*github.Repository](t)(bot.Repositories.GetByID(ctx, repo.GetID()))
	r.repo.Protect("main", Protection{Rules: promotion.Rules{Approvals: 1, Checks: []promotion.RequiredCheck{{Context: "pinnace/promotion", App: r.app.ID()}}, NoForcePush: true, SignedCommits: true, MergeQueue: true, LinearHistory: true, NoDeletion: true, NoCreation: true, NoUpdate: true}})
	r.repo.Protect("main", Protection{Classic: true, Rules: promotion.Rules{Approvals: 1, UpToDate: true, Checks: []promotion.RequiredCheck{{Context: "ci"}}}})
	must[*github.Branch](t)(bot.Repositories.GetBranch(ctx, o, n, "main", 0))
	must[[]*github.Branch](t)(bot.Repositories.ListBranches(ctx, o, n, nil))
	must[*github.Protection](t)(bot.Repositories.GetBranchProtection(ctx, o, n, "main"))
	if _, _, rules := r.ask(r.Token("alice"), "GET", "/repos/acme/config/rules/branches/main", nil); strings.Count(rules, `"type"`) != 9 {
		t.Errorf("got rules %s, want 9", rules)
	}
	r.repo.Unprotect("main")

	main := must[*github.Reference](t)(bot.Git.GetRef(ctx, o, n, "heads/main"))
	base := must[*github.Commit](t)(bot.Git.GetCommit(ctx, o, n, main.Object.GetSHA()))
	blob := must[*github.Blob](t)(bot.Git.CreateBlob(ctx, o, n, &github.Blob{Content: github.String("image: shop:2\n"), Encoding: github.String("utf-8")}))
	must[*github.Blob](t)(bot.Git.GetBlob(ctx, o, n, blob.GetSHA()))
	tree := must[*github.Tree](t)(bot.Git.CreateTree(ctx, o, n, base.Tree.GetSHA(), []*github.TreeEntry{
		{Path: github.String("envs/dev/app.yaml"), Mode: github.String("100644"), Type: github.String("blob"), SHA: blob.SHA},
	}))
	must[*github.Tree](t)(bot.Git.GetTree(ctx, o, n, tree.GetSHA(), true))
	commit := must[*github.Commit](t)(bot.Git.CreateCommit(ctx, o, n, &github.Commit{Message: github.String("pin"), Tree: tree, Parents: []*github.Commit{base}}, nil))
	if v := commit.GetVerification(); !v.GetVerified() || v.GetReason() != "valid" {
		t.Errorf("got verification %v of an App's commit, want valid", v)
	}
	must[*github.Reference](t)(bot.Git.CreateRef(ctx, o, n, &github.Reference{Ref: github.String("refs/heads/pinnace/pin/dev"), Object: &github.GitObject{SHA: commit.SHA}}))
	if refs := must[[]*github.Reference](t)(bot.Git.ListMatchingRefs(ctx, o, n, &github.ReferenceListOptions{Ref: "heads/pinnace/"})); len(refs) != 1 {
		t.Errorf("got %d refs, want 1", len(refs))
	}
	must[[]*github.RepositoryCommit](t)(bot.Repositories.ListCommits(ctx, o, n, nil))
	must[*github.RepositoryCommit](t)(bot.Repositories.GetCommit(ctx, o, n, commit.GetSHA(), nil))
	if c := must[*github.CommitsComparison](t)(bot.Repositories.CompareCommits(ctx, o, n, "main", "pinnace/pin/dev", nil)); c.GetStatus() != "ahead" || len(c.Files) != 1 {
		t.Errorf("got comparison %v", c)
	}
	file, dir, _, err := bot.Repositories.GetContents(ctx, o, n, "envs/dev/app.yaml", nil)
	if err != nil || file == nil || dir != nil {
		t.Fatalf("contents: %v", err)
	}
	if _, dir, _, err = bot.Repositories.GetContents(ctx, o, n, "envs", nil); err != nil || len(dir) != 2 {
		t.Fatalf("contents of a folder: %d, %v", len(dir), err)
	}

	must[[]*github.User](t)(bot.Repositories.ListCollaborators(ctx, o, n, &github.ListCollaboratorsOptions{Permission: "push"}))

	p := must[*github.PullRequest](t)(bot.PullRequests.Create(ctx, o, n, &github.NewPullRequest{Title: github.String("Pin"), Head: github.String("pinnace/pin/dev"), Base: github.String("main"), Body: github.String("b")}))
	num := p.GetNumber()
	must[[]*github.PullRequest](t)(bot.PullRequests.List(ctx, o, n, &github.PullRequestListOptions{State: "all", Head: "acme:pinnace/pin/dev", Base: "main"}))
	must[*github.PullRequest](t)(bot.PullRequests.Get(ctx, o, n, num))
	must[*github.PullRequest](t)(bot.PullRequests.Edit(ctx, o, n, num, &github.PullRequest{Title: github.String("Pin shop")}))
	must[[]*github.CommitFile](t)(bot.PullRequests.ListFiles(ctx, o, n, num, nil))
	must[[]*github.RepositoryCommit](t)(bot.PullRequests.ListCommits(ctx, o, n, num, nil))
	must[[]*github.PullRequest](t)(bot.PullRequests.ListPullRequestsWithCommit(ctx, o, n, commit.GetSHA(), nil))
	must[*github.PullRequest](t)(bot.PullRequests.RequestReviewers(ctx, o, n, num, github.ReviewersRequest{Reviewers: []string{"bob"}, TeamReviewers: []string{"release"}}))
	must[*github.Reviewers](t)(bot.PullRequests.ListReviewers(ctx, o, n, num, nil))
	review := must[*github.PullRequestReview](t)(alice.PullRequests.CreateReview(ctx, o, n, num, &github.PullRequestReviewRequest{Event: github.String("APPROVE")}))
	must[[]*github.PullRequestReview](t)(bot.PullRequests.ListReviews(ctx, o, n, num, nil))
	must[*github.PullRequestReview](t)(alice.PullRequests.DismissReview(ctx, o, n, num, review.GetID(), &github.PullRequestReviewDismissalRequest{Message: github.String("no")}))

	issue := must[*github.Issue](t)(bot.Issues.Create(ctx, o, n, &github.IssueRequest{Title: github.String("Dashboard"), Body: github.String("x"), Labels: &[]string{"pinnace"}}))
	must[*github.Issue](t)(bot.Issues.Get(ctx, o, n, issue.GetNumber()))
	must[[]*github.Issue](t)(bot.Issues.ListByRepo(ctx, o, n, &github.IssueListByRepoOptions{Labels: []string{"pinnace"}}))
	must[*github.Issue](t)(bot.Issues.Edit(ctx, o, n, issue.GetNumber(), &github.IssueRequest{State: github.String("closed")}))
	comment := must[*github.IssueComment](t)(bot.Issues.CreateComment(ctx, o, n, num, &github.IssueComment{Body: github.String("hello")}))
	must[*github.IssueComment](t)(bot.Issues.GetComment(ctx, o, n, comment.GetID()))
	must[*github.IssueComment](t)(bot.Issues.EditComment(ctx, o, n, comment.GetID(), &github.IssueComment{Body: github.String("bye")}))
	must[[]*github.IssueComment](t)(bot.Issues.ListComments(ctx, o, n, num, nil))
	must[[]*github.Label](t)(bot.Issues.AddLabelsToIssue(ctx, o, n, num, []string{"promotion", "env-prod"}))
	if _, err := bot.Issues.RemoveLabelForIssue(ctx, o, n, num, "env-prod"); err != nil {
		t.Fatal(err)
	}
	must[[]*github.Label](t)(bot.Issues.ListLabels(ctx, o, n, nil))
	must[*github.Label](t)(bot.Issues.CreateLabel(ctx, o, n, &github.Label{Name: github.String("new"), Color: github.String("ff0000"), Description: github.String("d")}))
	must[*github.Label](t)(bot.Issues.GetLabel(ctx, o, n, "new"))
	if events := must[[]*github.Timeline](t)(bot.Issues.ListIssueTimeline(ctx, o, n, num, nil)); len(events) < 6 {
		t.Errorf("got %d events of the timeline", len(events))
	}
	if _, err := bot.Issues.DeleteComment(ctx, o, n, comment.GetID()); err != nil {
		t.Fatal(err)
	}

	run := must[*github.CheckRun](t)(bot.Checks.CreateCheckRun(ctx, o, n, github.CreateCheckRunOptions{
		Name: "pinnace/promotion", HeadSHA: commit.GetSHA(), Status: github.String("in_progress"), ExternalID: github.String("x"),
		Output: &github.CheckRunOutput{Title: github.String("T"), Summary: github.String("S"), Annotations: []*github.CheckRunAnnotation{
			{Path: github.String("envs/dev/app.yaml"), StartLine: github.Int(1), EndLine: github.Int(1), AnnotationLevel: github.String("notice"), Message: github.String("m")},
		}},
		Actions: []*github.CheckRunAction{{Label: "Re-check", Description: "again", Identifier: "recheck"}},
	}))
	must[*github.CheckRun](t)(bot.Checks.UpdateCheckRun(ctx, o, n, run.GetID(), github.UpdateCheckRunOptions{Name: "pinnace/promotion", Conclusion: github.String("success")}))
	must[*github.CheckRun](t)(bot.Checks.GetCheckRun(ctx, o, n, run.GetID()))
	must[[]*github.CheckRunAnnotation](t)(bot.Checks.ListCheckRunAnnotations(ctx, o, n, run.GetID(), nil))
	must[*github.ListCheckRunsResults](t)(bot.Checks.ListCheckRunsForRef(ctx, o, n, "heads/pinnace/pin/dev", nil))
	suites := must[*github.ListCheckSuiteResults](t)(bot.Checks.ListCheckSuitesForRef(ctx, o, n, commit.GetSHA(), nil))
	must[*github.CheckSuite](t)(bot.Checks.GetCheckSuite(ctx, o, n, suites.CheckSuites[0].GetID()))
	must[*github.ListCheckRunsResults](t)(bot.Checks.ListCheckRunsCheckSuite(ctx, o, n, suites.CheckSuites[0].GetID(), nil))
	must[*github.RepoStatus](t)(bot.Repositories.CreateStatus(ctx, o, n, commit.GetSHA(), &github.RepoStatus{State: github.String("success"), Context: github.String("ci")}))
	must[*github.CombinedStatus](t)(bot.Repositories.GetCombinedStatus(ctx, o, n, commit.GetSHA(), nil))
	must[[]*github.RepoStatus](t)(bot.Repositories.ListStatuses(ctx, o, n, commit.GetSHA(), nil))
	dep := must[*github.Deployment](t)(bot.Repositories.CreateDeployment(ctx, o, n, &github.DeploymentRequest{Ref: commit.SHA, Environment: github.String("dev")}))
	must[*github.DeploymentStatus](t)(bot.Repositories.CreateDeploymentStatus(ctx, o, n, dep.GetID(), &github.DeploymentStatusRequest{State: github.String("success"), LogURL: github.String("https://ci.example/1"), EnvironmentURL: github.String("https://shop.example")}))
	must[[]*github.Deployment](t)(bot.Repositories.ListDeployments(ctx, o, n, nil))
	must[[]*github.DeploymentStatus](t)(bot.Repositories.ListDeploymentStatuses(ctx, o, n, dep.GetID(), nil))

	must[*github.RepositoryPermissionLevel](t)(bot.Repositories.GetPermissionLevel(ctx, o, n, "bob"))
	must[*github.Team](t)(bot.Teams.GetTeamBySlug(ctx, o, "release"))
	must[*github.Membership](t)(bot.Teams.GetTeamMembershipBySlug(ctx, o, "release", "dave"))
	must[*github.User](t)(bot.Users.Get(ctx, "bob"))
	must[*github.User](t)(bot.Users.GetByID(ctx, r.User("bob").ID))
	must[*github.User](t)(alice.Users.Get(ctx, ""))
	must[*github.ListRepositories](t)(bot.Apps.ListRepos(ctx, nil))
	must[*github.RateLimits](t)(bot.RateLimit.Get(ctx))
	must[*github.APIMeta](t)(bot.Meta.Get(ctx))

	token, numbers := r.Token("alice"), strings.NewReplacer(
		"{pr}", itoa(int64(num)), "{review}", itoa(review.GetID()), "{issue}", itoa(int64(issue.GetNumber())), "{run}", itoa(run.GetID()),
		"{dep}", itoa(dep.GetID()), "{inst}", itoa(r.inst), "{commit}", commit.GetSHA(),
	)
	pending := r.pending(num)
	for _, x := range []struct {
		token, method, path string
		body                any
		status              int
	}{
		{token, "GET", "/repos/acme/config/pulls/{pr}/merge", nil, 404},
		{token, "DELETE", "/repos/acme/config/pulls/{pr}/requested_reviewers", fields{"reviewers": []string{"bob"}, "team_reviewers": []string{"release"}}, 200},
		{token, "GET", "/repos/acme/config/pulls/{pr}/comments", nil, 200},
		{token, "GET", "/repos/acme/config/pulls/{pr}/reviews/{review}", nil, 200},
		{r.Token("bob"), "POST", "/repos/acme/config/pulls/{pr}/reviews/" + pending + "/events", fields{"event": "COMMENT", "body": "fine"}, 200},
		{r.Token("bob"), "POST", "/repos/acme/config/pulls/{pr}/reviews/" + pending + "/events", fields{"event": "COMMENT", "body": "fine"}, 422},
		{token, "PUT", "/repos/acme/config/pulls/{pr}/update-branch", fields{"expected_head_sha": "{commit}"}, 422},
		{token, "PATCH", "/repos/acme/config/git/refs/heads/pinnace/pin/dev", fields{"sha": commit.GetSHA()}, 200},
		{token, "GET", "/repos/acme/config/commits?path=envs&sha=main", nil, 200},
		{token, "GET", "/repos/acme/config/issues/comments?sort=updated", nil, 200},
		{token, "GET", "/repos/acme/config/issues/{pr}/labels", nil, 200},
		{token, "PUT", "/repos/acme/config/issues/{pr}/labels", fields{"labels": []string{"promotion"}}, 200},
		{token, "PATCH", "/repos/acme/config/issues/{issue}", fields{"state": "open", "labels": []string{"a", "b"}, "assignees": []string{"bob"}, "title": "Board"}, 200},
		{token, "PATCH", "/repos/acme/config/issues/{pr}", fields{"state": "closed"}, 200},
		{token, "PATCH", "/repos/acme/config/issues/{pr}", fields{"state": "open"}, 200},
		{token, "PATCH", "/repos/acme/config/labels/new", fields{"new_name": "old", "color": "00ff00"}, 200},
		{token, "DELETE", "/repos/acme/config/labels/old", nil, 204},
		{token, "POST", "/repos/acme/config/labels", fields{"name": "promotion"}, 422},
		{token, "POST", "/repos/acme/config/check-runs/{run}/rerequest", nil, 201},
		{token, "POST", "/repos/acme/config/dispatches", fields{"event_type": "image", "client_payload": fields{"tag": "1"}}, 204},
		{token, "GET", "/repos/acme/config/deployments/{dep}", nil, 200},
		{token, "GET", "/orgs/acme", nil, 200},
		{token, "GET", "/orgs/acme/teams/release/members", nil, 200},
		{r.door(), "GET", "/app", nil, 200},
		{token, "GET", "/apps/pinnace", nil, 200},
		{r.door(), "GET", "/app/installations", nil, 200},
		{r.door(), "GET", "/app/installations/{inst}", nil, 200},
		{r.door(), "POST", "/app/installations/{inst}/access_tokens", fields{}, 201},
		{r.door(), "GET", "/repos/acme/config/installation", nil, 200},
		{r.door(), "GET", "/orgs/acme/installation", nil, 200},
		{r.door(), "GET", "/users/acme/installation", nil, 200},
		{token, "GET", "/repos/acme/config/rulesets/1", nil, 404},
		{r.door(), "PATCH", "/app/hook/config", fields{"url": "https://pinnace.example/hook"}, 200},
		{r.door(), "GET", "/app/hook/config", nil, 200},
		{r.door(), "GET", "/app/hook/deliveries", nil, 200},
		{r.door(), "GET", "/app/hook/deliveries/1", nil, 404},
		{r.door(), "POST", "/app/hook/deliveries/1/attempts", nil, 404},
		{"", "POST", "/app-manifests/none/conversions", nil, 404},
	} {
		if status, _, text := r.ask(x.token, x.method, numbers.Replace(x.path), x.body); status != x.status {
			t.Errorf("%s %s: got %d %s, want %d", x.method, x.path, status, text, x.status)
		}
	}

	r.clock.pass(time.Minute)
	merged := must[*github.PullRequestMergeResult](t)(bot.PullRequests.Merge(ctx, o, n, num, "", &github.PullRequestOptions{SHA: commit.GetSHA(), MergeMethod: "squash"}))
	if text, _ := r.repo.File("main", "envs/dev/app.yaml"); text != "image: shop:2\n" || r.repo.Tip("main") != merged.GetSHA() {
		t.Errorf("main has %q at %s after the merge %s", text, r.repo.Tip("main"), merged.GetSHA())
	}
	if _, err := bot.Git.DeleteRef(ctx, o, n, "heads/pinnace/pin/dev"); err != nil {
		t.Fatal(err)
	}
	p = must[*github.PullRequest](t)(bot.PullRequests.Get(ctx, o, n, num))
	if p.GetMergeCommitSHA() != merged.GetSHA() || !p.GetMerged() || p.GetHead().GetSHA() != commit.GetSHA() {
		t.Errorf("after the merge: %v", p)
	}
	if _, err := bot.Apps.RevokeInstallationToken(ctx); err != nil {
		t.Fatal(err)
	}
	_, _, err = bot.Repositories.Get(ctx, o, n)
	refused(t, err, http.StatusUnauthorized, "Bad credentials")

	asked := map[string]bool{}
	for _, q := range r.Requests() {
		asked[q.Method+" "+q.Route] = true
	}
	for _, x := range routes() {
		if !asked[x.method+" "+x.template] {
			t.Errorf("the tour passes by %s %s", x.method, x.template)
		}
	}
	t.Run("against GitHub's description", func(t *testing.T) {
		if openapi.File() == "" {
			t.Skip(openapi.Environment + " does not name the folder of npm's @octokit/openapi@23.0.2")
		}
	})
}

// pending starts a review by bob, and returns its number.
func (r *rig) pending(number int) string {
	id, err := r.repo.Review(number, "bob", promotion.Pending, "later")
	if err != nil {
		r.t.Fatal(err)
	}
	return itoa(id)
}

func TestUnknownRoute(t *testing.T) {
	r := newRig(t, func(o *Options) { o.T = mute{} })
	status, _, _ := r.ask(r.Token("alice"), "GET", "/repos/acme/config/hooks", nil)
	if status != http.StatusNotFound {
		t.Errorf("got %d, want 404", status)
	}
	got := r.Violations()
	if len(got) != 1 || !strings.Contains(got[0], "unknown route: GET /repos/acme/config/hooks") {
		t.Errorf("got violations %q", got)
	}
}
