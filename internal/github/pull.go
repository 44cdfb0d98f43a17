package github

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	gh "github.com/google/go-github/v60/github"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

func pullOp(verb string, repo promotion.Repository, number int) string {
	return fmt.Sprintf("%s pull request %d of %s", verb, number, repo.FullName())
}

func pullPath(repo promotion.Repository, number int) path {
	return in(repo).add("/pulls").number(int64(number))
}

// PullRequests returns those that a query selects, newest first
// (https://docs.github.com/en/rest/pulls/pulls#list-pull-requests). With Query.Head, those
// from forks are left out. A repository that was renamed since it was read is
// promotion.ErrConflict then, since GitHub looks for the head under its old owner.
func (c *Client) PullRequests(ctx context.Context, repo promotion.Repository, q promotion.Query) ([]promotion.PullRequest, error) {
	query := url.Values{"state": {"all"}, "sort": {"created"}, "direction": {"desc"}}
	op := "list pull requests of " + repo.FullName()
	switch q.State {
	case promotion.Open:
		query.Set("state", "open")
	case promotion.Closed, promotion.Merged:
		query.Set("state", "closed")
	case "":
	default:
		return nil, invalid(op, "there is no state %q", cut(string(q.State), 20))
	}
	for name, branch := range map[string]string{"head": q.Head, "base": q.Base} {
		if branch == "" {
			continue
		}
		if why := branchFault(branch); why != "" {
			return nil, invalid(op, "branch %q %s", cut(branch, 80), why)
		}
		query.Set(name, branch)
	}
	if q.Head != "" {
		query.Set("head", repo.Owner+":"+q.Head)
	}
	var all []promotion.PullRequest
	seen := map[int]bool{}
	asked := call{op: op, path: in(repo).add("/pulls"), query: query, need: "pull_requests=read"}
	err := c.pages(ctx, asked, func(a answer) (bool, error) {
		if a.moved && q.Head != "" {
			return false, &Error{Op: op, Class: promotion.ErrConflict, Message: "the repository was renamed or transferred", Remedy: "read the repository again"}
		}
		var page []*gh.PullRequest
		if err := decode(op, a, &page); err != nil {
			return false, err
		}
		for _, w := range page {
			pr := c.mine.pull(repo, pullRequest(w))
			if seen[pr.Number] {
				continue
			}
			seen[pr.Number] = true
			if !selects(q, pr) {
				continue
			}
			all = append(all, pr)
		}
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	for _, pr := range c.mine.missingPulls(repo, q, seen) {
		if pr, err = c.again(ctx, repo, pr); err != nil {
			return nil, err
		}
		if selects(q, pr) {
			all = slices.Insert(all, 0, pr)
		}
	}
	return all, nil
}

// selects checks what GitHub does not, or not always.
func selects(q promotion.Query, pr promotion.PullRequest) bool {
	switch {
	case pr.Number == 0:
		return false
	case q.State == promotion.Open && pr.State != promotion.Open,
		q.State == promotion.Closed && pr.State == promotion.Open,
		q.State == promotion.Merged && pr.State != promotion.Merged:
		return false
	case q.Base != "" && pr.Base.Ref != q.Base:
		return false
	}
	return q.Head == "" || pr.Head.Ref == q.Head && pr.Head.Repository != 0 && pr.Head.Repository == pr.Base.Repository
}

// PullRequest returns one pull request.
func (c *Client) PullRequest(ctx context.Context, repo promotion.Repository, number int) (promotion.PullRequest, bool, error) {
	var w gh.PullRequest
	q := call{op: pullOp("read", repo, number), path: pullPath(repo, number), need: "pull_requests=read"}
	_, err := c.read(ctx, q, &w)
	if ok, err := found(err); !ok {
		return promotion.PullRequest{}, false, err
	}
	if w.GetNumber() != number {
		return promotion.PullRequest{}, false, malformed(q.op)
	}
	return c.mine.pull(repo, pullRequest(&w)), true, nil
}

// OpenPullRequest opens a pull request between two branches of the repository. One that is
// open already is promotion.ErrConflict, a branch that does not exist promotion.ErrNotFound.
func (c *Client) OpenPullRequest(ctx context.Context, repo promotion.Repository, d promotion.Draft) (promotion.PullRequest, error) {
	op := "open a pull request in " + repo.FullName()
	for _, branch := range []string{d.Head, d.Base} {
		if why := branchFault(branch); why != "" {
			return promotion.PullRequest{}, invalid(op, "branch %q %s", cut(branch, 80), why)
		}
	}
	var w gh.PullRequest
	err := c.write(ctx, call{
		op: op, method: http.MethodPost, path: in(repo).add("/pulls"), need: "pull_requests=write",
		body: map[string]any{"title": d.Title, "body": d.Body, "head": d.Head, "base": d.Base},
	}, &w)
	pr, err := pullAnswer(op, &w, err)
	if err == nil {
		c.mine.opened(repo, pr)
	}
	return pr, err
}

// AmendPullRequest changes title, text, state or base, and returns the pull request as it is
// then. An amendment of nothing only reads it.
func (c *Client) AmendPullRequest(ctx context.Context, repo promotion.Repository, number int, a promotion.Amendment) (promotion.PullRequest, error) {
	op := pullOp("change", repo, number)
	body := map[string]any{}
	if a.Title != nil {
		body["title"] = *a.Title
	}
	if a.Body != nil {
		body["body"] = *a.Body
	}
	if a.State != nil {
		if *a.State != promotion.Open && *a.State != promotion.Closed {
			return promotion.PullRequest{}, invalid(op, "its state can be set to open and closed only")
		}
		body["state"] = string(*a.State)
	}
	if a.Base != nil {
		if why := branchFault(*a.Base); why != "" {
			return promotion.PullRequest{}, invalid(op, "branch %q %s", cut(*a.Base, 80), why)
		}
		body["base"] = *a.Base
	}
	q := call{op: op, method: http.MethodPatch, path: pullPath(repo, number), need: "pull_requests=write", body: body}
	if len(body) == 0 {
		q.method, q.body = http.MethodGet, nil
	}
	var w gh.PullRequest
	return pullAnswer(op, &w, c.write(ctx, q, &w))
}

func pullAnswer(op string, w *gh.PullRequest, err error) (promotion.PullRequest, error) {
	if err == nil && w.GetNumber() == 0 {
		err = malformed(op)
	}
	if err != nil {
		return promotion.PullRequest{}, err
	}
	return pullRequest(w), nil
}

// PullRequestsOfCommit returns the pull requests that a commit belongs or belonged to
// (https://docs.github.com/en/rest/commits/commits#list-pull-requests-associated-with-a-commit).
func (c *Client) PullRequestsOfCommit(ctx context.Context, repo promotion.Repository, sha string) ([]promotion.PullRequest, error) {
	wire, err := collect[*gh.PullRequest](ctx, c, call{
		op: "list pull requests of commit " + clean(sha, "") + " of " + repo.FullName(), path: in(repo).add("/commits").sha(sha).add("/pulls"), need: "pull_requests=read",
	})
	if err != nil {
		return nil, err
	}
	all := make([]promotion.PullRequest, 0, len(wire))
	for _, w := range wire {
		all = append(all, c.mine.pull(repo, pullRequest(w)))
	}
	for _, n := range c.mine.mergedAs(repo, sha) {
		if slices.ContainsFunc(all, func(p promotion.PullRequest) bool { return p.Number == n }) {
			continue
		}
		pr, ok, err := c.PullRequest(ctx, repo, n)
		if err != nil {
			return nil, err
		}
		if ok {
			all = append(all, pr)
		}
	}
	return all, nil
}

// Files returns the files that a pull request changes. GitHub lists at most 3,000; more are
// promotion.ErrInvalid.
func (c *Client) Files(ctx context.Context, repo promotion.Repository, number int) ([]promotion.File, error) {
	q := call{op: pullOp("list the files of", repo, number), path: pullPath(repo, number).add("/files"), need: "pull_requests=read"}
	wire, err := collect[*gh.CommitFile](ctx, c, q)
	if err != nil {
		return nil, err
	}
	if err := c.whole(ctx, repo, number, len(wire), 3000, q.op, func(pr promotion.PullRequest) int { return pr.ChangedFiles }); err != nil {
		return nil, err
	}
	all := make([]promotion.File, 0, len(wire))
	for _, w := range wire {
		all = append(all, promotion.File{Path: w.GetFilename(), Previous: w.GetPreviousFilename(), Status: w.GetStatus(), Blob: w.GetSHA(), Patch: w.GetPatch()})
	}
	return all, nil
}

// Commits returns a pull request's commits, oldest first. GitHub lists at most 250; more are
// promotion.ErrInvalid.
func (c *Client) Commits(ctx context.Context, repo promotion.Repository, number int) ([]promotion.CommitAuthor, error) {
	q := call{op: pullOp("list the commits of", repo, number), path: pullPath(repo, number).add("/commits"), need: "pull_requests=read"}
	wire, err := collect[*gh.RepositoryCommit](ctx, c, q)
	if err != nil {
		return nil, err
	}
	if err := c.whole(ctx, repo, number, len(wire), 250, q.op, func(pr promotion.PullRequest) int { return pr.Commits }); err != nil {
		return nil, err
	}
	all := make([]promotion.CommitAuthor, 0, len(wire))
	for _, w := range wire {
		all = append(all, commitFacts(w).CommitAuthor)
	}
	return all, nil
}

// whole refuses a list that GitHub cut at its bound.
func (c *Client) whole(ctx context.Context, repo promotion.Repository, number, got, bound int, op string, count func(promotion.PullRequest) int) error {
	if got < bound {
		return nil
	}
	pr, ok, err := c.PullRequest(ctx, repo, number)
	if err != nil {
		return err
	}
	if !ok || count(pr) > got {
		return &Error{Op: op, Class: promotion.ErrInvalid, Message: fmt.Sprintf("GitHub lists only %d of them", got), Remedy: "split the pull request"}
	}
	return nil
}

// RequestReviewers asks accounts (logins) and teams (slugs) for a review.
func (c *Client) RequestReviewers(ctx context.Context, repo promotion.Repository, number int, users, teams []string) error {
	q := call{
		op: pullOp("request reviewers for", repo, number), method: http.MethodPost, path: pullPath(repo, number).add("/requested_reviewers"),
		need: "pull_requests=write", body: map[string]any{"reviewers": orEmpty(users), "team_reviewers": orEmpty(teams)},
	}
	if len(users)+len(teams) == 0 {
		return nil
	}
	return c.write(ctx, q, nil)
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func pullRequest(w *gh.PullRequest) promotion.PullRequest {
	pr := promotion.PullRequest{
		Number: w.GetNumber(), NodeID: w.GetNodeID(), URL: w.GetHTMLURL(), Title: w.GetTitle(), Body: w.GetBody(),
		State: promotion.Open, Draft: w.GetDraft(), Locked: w.GetLocked(), Author: identity(w.GetUser()),
		Head: branchOf(w.GetHead()), Base: branchOf(w.GetBase()),
		Created: w.GetCreatedAt().Time, Updated: w.GetUpdatedAt().Time, Closed: w.GetClosedAt().Time, MergedAt: w.GetMergedAt().Time,
		MergedBy: someone(w.GetMergedBy()), MergeableState: w.GetMergeableState(),
		Commits: w.GetCommits(), ChangedFiles: w.GetChangedFiles(), AutoMerge: w.GetAutoMerge() != nil,
	}
	if w == nil {
		return pr
	}
	pr.Mergeable = w.Mergeable
	switch {
	case w.GetMerged() || w.MergedAt != nil:
		pr.State, pr.MergeCommit = promotion.Merged, w.GetMergeCommitSHA()
	case !strings.EqualFold(w.GetState(), "open"):
		pr.State = promotion.Closed
	}
	for _, l := range w.Labels {
		pr.Labels = append(pr.Labels, l.GetName())
	}
	for _, u := range w.RequestedReviewers {
		pr.Reviewers = append(pr.Reviewers, identity(u))
	}
	for _, t := range w.RequestedTeams {
		pr.ReviewTeams = append(pr.ReviewTeams, t.GetSlug())
	}
	return pr
}

func branchOf(b *gh.PullRequestBranch) promotion.Branch {
	owner := b.GetRepo().GetOwner().GetLogin()
	if owner == "" {
		owner = b.GetUser().GetLogin()
	}
	return promotion.Branch{Repository: b.GetRepo().GetID(), Owner: owner, Ref: b.GetRef(), SHA: b.GetSHA()}
}
