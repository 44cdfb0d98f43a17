package github

import (
	"context"
	"net/url"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// Contains says whether a commit is in the history of another
// (https://docs.github.com/en/rest/commits/commits#compare-two-commits). A commit that GitHub
// does not know is in no history.
func (c *Client) Contains(ctx context.Context, repo promotion.Repository, tip, commit string) (bool, error) {
	op := "compare commits of " + repo.FullName()
	var w struct {
		Status string `json:"status"`
	}
	_, err := c.read(ctx, call{op: op, path: in(repo).add("/compare").sha(commit).to(tip), need: "contents=read"}, &w)
	if ok, err := found(err); !ok {
		return false, err
	}
	return w.Status == "ahead" || w.Status == "identical", nil
}

// MergeBase returns the best common ancestor of two commits; ok is false where they have no
// history in common. A commit that GitHub does not know is promotion.ErrNotFound.
func (c *Client) MergeBase(ctx context.Context, repo promotion.Repository, base, head string) (sha string, ok bool, err error) {
	q := call{
		op: "compare commits of " + repo.FullName(), path: in(repo).add("/compare").sha(base).to(head), need: "contents=read",
		query: url.Values{"per_page": {"1"}}, // of the commits between them, which are not asked for
	}
	var w struct {
		Base struct {
			SHA string `json:"sha"`
		} `json:"merge_base_commit"`
	}
	_, err = c.read(ctx, q, &w)
	switch {
	case absent(err) && said(err, "no common ancestor"):
		return "", false, nil
	case err != nil:
		return "", false, err
	case !shaForm.MatchString(w.Base.SHA):
		return "", false, malformed(q.op)
	}
	return w.Base.SHA, true, nil
}
