package github

import (
	"context"

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
