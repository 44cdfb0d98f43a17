package github

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

var mergeMethods = []string{"merge", "squash", "rebase"}

// Merge merges exactly the head that was judged and returns the new commit of the base
// (https://docs.github.com/en/rest/pulls/pulls#merge-a-pull-request). Another head is
// promotion.ErrConflict; a branch with a merge queue is promotion.ErrBlocked, see Enqueue.
func (c *Client) Merge(ctx context.Context, repo promotion.Repository, m promotion.MergeRequest) (sha string, err error) {
	q := call{op: pullOp("merge", repo, m.Number), method: http.MethodPut, path: pullPath(repo, m.Number).add("/merge"), need: "contents=write and pull_requests=write"}
	if !shaForm.MatchString(m.SHA) {
		return "", invalid(q.op, "the head that was judged must be named by its whole hash")
	}
	method := cmp.Or(m.Method, "merge")
	if !slices.Contains(mergeMethods, method) {
		return "", invalid(q.op, "there is no method %q of merging: merge, squash or rebase", cut(method, 20))
	}
	body := map[string]any{"sha": m.SHA, "merge_method": method}
	if method != "rebase" {
		if m.Title != "" {
			body["commit_title"] = m.Title
		}
		if m.Message != "" {
			body["commit_message"] = m.Message
		}
	}
	q.body = body
	var w struct {
		SHA     string `json:"sha"`
		Merged  bool   `json:"merged"`
		Message string `json:"message"`
	}
	if err := c.write(ctx, q, &w); err != nil {
		return "", err
	}
	if !w.Merged || !shaForm.MatchString(w.SHA) {
		return "", &Error{Op: q.op, Class: promotion.ErrTransient, Message: cmp.Or(clean(w.Message, ""), "GitHub does not say that it was merged"), Remedy: "read the pull request again"}
	}
	c.mine.landed(repo, m, w.SHA)
	return w.SHA, nil
}
