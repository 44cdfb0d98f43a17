package github

import (
	"context"
	"errors"
	"net/http"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// SetLabels gives a pull request or issue exactly these labels. GitHub makes those that the
// repository does not have.
func (c *Client) SetLabels(ctx context.Context, repo promotion.Repository, number int, labels ...string) error {
	return c.labels(ctx, call{op: threadOp("set the labels of", repo, number), method: http.MethodPut, repeatable: true}, repo, number, labels)
}

// AddLabels adds labels to a pull request or issue.
func (c *Client) AddLabels(ctx context.Context, repo promotion.Repository, number int, labels ...string) error {
	if len(labels) == 0 {
		return nil
	}
	return c.labels(ctx, call{op: threadOp("add labels to", repo, number), method: http.MethodPost, repeatable: true}, repo, number, labels)
}

func (c *Client) labels(ctx context.Context, q call, repo promotion.Repository, number int, labels []string) error {
	for _, l := range labels {
		if why := labelFault(l); why != "" {
			return invalid(q.op, "label %q %s", cut(l, 60), why)
		}
	}
	q.path, q.need = threadPath(repo, number).add("/labels"), "pull_requests=write or issues=write"
	q.body = map[string]any{"labels": orEmpty(labels)}
	return c.write(ctx, q, nil)
}

// RemoveLabel takes a label from a pull request or issue. One that it does not have is no
// error.
func (c *Client) RemoveLabel(ctx context.Context, repo promotion.Repository, number int, label string) error {
	err := c.write(ctx, call{
		op: threadOp("remove a label from", repo, number), method: http.MethodDelete,
		path: threadPath(repo, number).add("/labels").label(label), need: "pull_requests=write or issues=write",
	}, nil)
	if absent(err) && said(err, "label does not exist") {
		return nil
	}
	return err
}

// EnsureLabel makes a label where the repository has none of the name; one that is there
// stays as people made it. colour has six hexadecimal digits, description at most 100
// characters.
func (c *Client) EnsureLabel(ctx context.Context, repo promotion.Repository, name, colour, description string) error {
	q := call{op: "make label " + clean(name, "") + " in " + repo.FullName(), path: in(repo).add("/labels").label(name), need: "issues=write"}
	var w struct {
		Name string `json:"name"`
	}
	_, err := c.read(ctx, q, &w)
	if ok, err := found(err); ok || err != nil {
		return err
	}
	q.method, q.path = http.MethodPost, in(repo).add("/labels")
	q.body = map[string]any{"name": name, "color": colour, "description": description}
	err = c.write(ctx, q, nil)
	if errors.Is(err, promotion.ErrConflict) { // somebody was faster
		return nil
	}
	return err
}
