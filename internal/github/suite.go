package github

import (
	"context"
	"net/url"
	"strconv"

	gh "github.com/google/go-github/v60/github"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A suite is a check suite, as GitHub spells it.
type suite struct {
	gh.CheckSuite
	Runs int `json:"latest_check_runs_count"`
}

// SuitesCompleted says whether GitHub waits for nothing of an App on a commit: whether each of
// its check suites there that holds a check run is completed. "Re-run" of a check run sets its
// suite back to queued, and leaves the run as it is
// (https://docs.github.com/en/rest/checks/runs#rerequest-a-check-run).
func (c *Client) SuitesCompleted(ctx context.Context, repo promotion.Repository, sha string, app int64) (bool, error) {
	wire, err := collectIn[suite](ctx, c, call{
		op: "list the check suites of " + clean(sha, "") + " in " + repo.FullName(), path: in(repo).add("/commits").sha(sha).add("/check-suites"),
		query: url.Values{"app_id": {strconv.FormatInt(app, 10)}}, need: "checks=read",
	}, "check_suites")
	if err != nil {
		return false, err
	}
	for _, w := range wire {
		if w.GetApp().GetID() == app && w.Runs > 0 && w.GetStatus() != "completed" {
			return false, nil
		}
	}
	return true, nil
}
