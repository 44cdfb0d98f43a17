package github

import (
	"context"
	"net/http"
	"strings"
	"time"

	gh "github.com/google/go-github/v60/github"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// Reviews returns a pull request's reviews, oldest first, each person's older ones among them
// (https://docs.github.com/en/rest/pulls/reviews#list-reviews-for-a-pull-request).
func (c *Client) Reviews(ctx context.Context, repo promotion.Repository, number int) ([]promotion.Review, error) {
	wire, err := collect[*gh.PullRequestReview](ctx, c, call{op: pullOp("list the reviews of", repo, number), path: pullPath(repo, number).add("/reviews"), need: "pull_requests=read"})
	if err != nil {
		return nil, err
	}
	all := make([]promotion.Review, 0, len(wire))
	for _, w := range wire {
		all = append(all, promotion.Review{
			ID: w.GetID(), URL: w.GetHTMLURL(), Author: identity(w.GetUser()), State: promotion.ReviewState(strings.ToUpper(w.GetState())),
			Body: w.GetBody(), Commit: w.GetCommitID(), Submitted: w.GetSubmittedAt().Time,
		})
	}
	return all, nil
}

// LineComments returns the comments on the lines of a pull request's files, oldest first
// (https://docs.github.com/en/rest/pulls/comments#list-review-comments-on-a-pull-request).
func (c *Client) LineComments(ctx context.Context, repo promotion.Repository, number int) ([]promotion.LineComment, error) {
	wire, err := collect[*gh.PullRequestComment](ctx, c, call{op: pullOp("list the line comments of", repo, number), path: pullPath(repo, number).add("/comments"), need: "pull_requests=read"})
	if err != nil {
		return nil, err
	}
	all := make([]promotion.LineComment, 0, len(wire))
	for _, w := range wire {
		all = append(all, promotion.LineComment{
			ID: w.GetID(), Path: w.GetPath(), Start: w.GetOriginalStartLine(), Line: w.GetOriginalLine(), Commit: w.GetOriginalCommitID(),
			Author: identity(w.GetUser()), Body: w.GetBody(),
		})
	}
	return all, nil
}

// ReviewLines writes a review that neither approves nor asks for changes, with comments on
// lines of a head. Each line has to be one that GitHub shows in the pull request; where one
// is not, none is written and the error is ErrInvalid
// (https://docs.github.com/en/rest/pulls/reviews#create-a-review-for-a-pull-request).
func (c *Client) ReviewLines(ctx context.Context, repo promotion.Repository, number int, head, body string, all []promotion.LineComment) error {
	comments := make([]map[string]any, 0, len(all))
	for _, l := range all {
		w := map[string]any{"path": l.Path, "body": l.Body, "line": l.Line, "side": "RIGHT"}
		if l.Start != 0 && l.Start != l.Line {
			w["start_line"], w["start_side"] = l.Start, "RIGHT"
		}
		comments = append(comments, w)
	}
	return c.write(ctx, call{
		op: pullOp("review lines of", repo, number), method: http.MethodPost, path: pullPath(repo, number).add("/reviews"),
		body: map[string]any{"commit_id": head, "event": "COMMENT", "body": body, "comments": comments}, need: "pull_requests=write",
	}, nil)
}

// DismissReview dismisses a review, with the reason that people then read.
func (c *Client) DismissReview(ctx context.Context, repo promotion.Repository, number int, review int64, reason string) error {
	return c.write(ctx, call{
		op: pullOp("dismiss a review of", repo, number), method: http.MethodPut,
		path: pullPath(repo, number).add("/reviews").number(review).add("/dismissals"),
		body: map[string]any{"message": reason, "event": "DISMISS"}, need: "pull_requests=write",
	}, nil)
}

// Timeline returns what happened to a pull request, oldest first
// (https://docs.github.com/en/rest/issues/timeline#list-timeline-events-for-an-issue).
// A committed event has no time and no actor: both are only what its author typed.
func (c *Client) Timeline(ctx context.Context, repo promotion.Repository, number int) ([]promotion.Moment, error) {
	type wireMoment struct {
		Event     string        `json:"event"`
		CreatedAt *gh.Timestamp `json:"created_at"`
		Submitted *gh.Timestamp `json:"submitted_at"`
		Actor     *gh.User      `json:"actor"`
		User      *gh.User      `json:"user"`
		CommitID  string        `json:"commit_id"`
		SHA       string        `json:"sha"`
		ID        int64         `json:"id"`
		Dismissed *struct {
			ReviewID int64  `json:"review_id"`
			Message  string `json:"dismissal_message"`
			Commit   string `json:"dismissal_commit_id"`
			State    string `json:"state"` // what the review was: commented, approved, changes_requested
		} `json:"dismissed_review"`
	}
	wire, err := collect[wireMoment](ctx, c, call{
		op: pullOp("read the timeline of", repo, number), path: in(repo).add("/issues").number(int64(number)).add("/timeline"), need: "pull_requests=read",
	})
	if err != nil {
		return nil, err
	}
	all := make([]promotion.Moment, 0, len(wire))
	for _, w := range wire {
		m := promotion.Moment{Event: w.Event, At: firstTime(w.CreatedAt, w.Submitted), Commit: w.CommitID}
		switch {
		case w.Event == "committed":
			m.At, m.Commit = time.Time{}, w.SHA
		case w.Actor != nil:
			m.Actor = identity(w.Actor)
		default:
			m.Actor = identity(w.User)
		}
		if w.Event == "reviewed" {
			m.Review = w.ID
		}
		if d := w.Dismissed; d != nil {
			m.Review, m.DismissalCommit, m.Message = d.ReviewID, d.Commit, d.Message
			m.Was = promotion.ReviewState(strings.ToUpper(d.State))
		}
		all = append(all, m)
	}
	return all, nil
}

// firstTime returns the first time that is there.
func firstTime(times ...*gh.Timestamp) time.Time {
	for _, t := range times {
		if t != nil {
			return t.Time
		}
	}
	return time.Time{}
}
