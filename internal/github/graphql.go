package github

import (
	"context"
	"net/http"
	"regexp"
)

var nodeForm = regexp.MustCompile(`^[A-Za-z0-9_=:+/-]{1,200}$`)

// Enqueue puts a pull request into its base's merge queue, if its head is the one that was
// judged; another is promotion.ErrConflict
// (https://docs.github.com/en/graphql/reference/mutations#enqueuepullrequest). node is
// promotion.PullRequest.NodeID.
func (c *Client) Enqueue(ctx context.Context, node, head string) error {
	const op = "enqueue a pull request"
	if !shaForm.MatchString(head) {
		return invalid(op, "the head that was judged must be named by its whole hash")
	}
	return c.mutate(ctx, op, "merge_queues=write and pull_requests=write",
		`mutation($id:ID!,$head:GitObjectID!){enqueuePullRequest(input:{pullRequestId:$id,expectedHeadOid:$head}){mergeQueueEntry{id}}}`,
		map[string]any{"id": node, "head": head})
}

// Dequeue takes a pull request out of its merge queue.
func (c *Client) Dequeue(ctx context.Context, node string) error {
	return c.mutate(ctx, "take a pull request out of the merge queue", "merge_queues=write and pull_requests=write",
		`mutation($id:ID!){dequeuePullRequest(input:{id:$id}){mergeQueueEntry{id}}}`, map[string]any{"id": node})
}

// ConvertToDraft makes a pull request a draft, which cannot be merged.
func (c *Client) ConvertToDraft(ctx context.Context, node string) error {
	return c.mutate(ctx, "make a pull request a draft", "pull_requests=write",
		`mutation($id:ID!){convertPullRequestToDraft(input:{pullRequestId:$id}){pullRequest{id}}}`, map[string]any{"id": node})
}

// MarkReady makes a draft a pull request that is ready for review.
func (c *Client) MarkReady(ctx context.Context, node string) error {
	return c.mutate(ctx, "mark a pull request as ready for review", "pull_requests=write",
		`mutation($id:ID!){markPullRequestReadyForReview(input:{pullRequestId:$id}){pullRequest{id}}}`, map[string]any{"id": node})
}

// mutate sends one of the few changes that the REST API does not have.
func (c *Client) mutate(ctx context.Context, op, need, query string, variables map[string]any) error {
	if id, ok := variables["id"].(string); !ok || !nodeForm.MatchString(id) {
		return invalid(op, "it is named by a node id of GitHub's, such as PR_kwDOABCD")
	}
	var w struct {
		Data map[string]any `json:"data"`
	}
	q := call{op: op, method: http.MethodPost, target: c.graphql, graphql: true, need: need, body: map[string]any{"query": query, "variables": variables}}
	if err := c.write(ctx, q, &w); err != nil {
		return err
	}
	if len(w.Data) == 0 {
		return malformed(op)
	}
	return nil
}
