package github

import (
	"context"
	"net/http"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

type wireRef struct {
	Ref    string `json:"ref"`
	Object struct {
		SHA  string `json:"sha"`
		Type string `json:"type"`
	} `json:"object"`
}

// Branch returns the commit at the tip of a branch. ok is false where there is no such branch
// or the repository has no commit
// (https://docs.github.com/en/rest/git/refs#get-a-reference).
func (c *Client) Branch(ctx context.Context, repo promotion.Repository, name string) (sha string, ok bool, err error) {
	q := call{op: "read branch " + clean(name, "") + " of " + repo.FullName(), path: in(repo).add("/git/ref/heads").ref(name), need: "contents=read"}
	var w wireRef
	_, err = c.read(ctx, q, &w)
	if ok, err := found(err); !ok {
		return "", false, err
	}
	if w.Ref != "refs/heads/"+name || !shaForm.MatchString(w.Object.SHA) {
		return "", false, malformed(q.op)
	}
	return w.Object.SHA, true, nil
}

// CreateRef makes a branch. One that exists is promotion.ErrConflict.
func (c *Client) CreateRef(ctx context.Context, repo promotion.Repository, branch, sha string) error {
	q := call{
		op: "create branch " + clean(branch, "") + " in " + repo.FullName(), method: http.MethodPost, path: in(repo).add("/git/refs"),
		body: map[string]any{"ref": "refs/heads/" + branch, "sha": sha}, need: "contents=write",
	}
	if err := checkRef(q.op, branch, sha); err != nil {
		return err
	}
	return c.write(ctx, q, nil)
}

// UpdateRef moves a branch to a commit. Without force, one that is not a descendant of the
// present tip is promotion.ErrConflict.
func (c *Client) UpdateRef(ctx context.Context, repo promotion.Repository, branch, sha string, force bool) error {
	q := call{
		op: "move branch " + clean(branch, "") + " of " + repo.FullName(), method: http.MethodPatch, path: in(repo).add("/git/refs/heads").ref(branch),
		body: map[string]any{"sha": sha, "force": force}, need: "contents=write",
	}
	if err := checkRef(q.op, branch, sha); err != nil {
		return err
	}
	return c.write(ctx, q, nil)
}

// DeleteRef deletes a branch, wherever it stands: GitHub does not compare. One that is not
// there is no error.
func (c *Client) DeleteRef(ctx context.Context, repo promotion.Repository, branch string) error {
	_, err := found(c.write(ctx, call{
		op: "delete branch " + clean(branch, "") + " of " + repo.FullName(), method: http.MethodDelete,
		path: in(repo).add("/git/refs/heads").ref(branch), need: "contents=write",
	}, nil))
	return err
}

func checkRef(op, branch, sha string) error {
	if why := branchFault(branch); why != "" {
		return invalid(op, "branch %q %s", cut(branch, 80), why)
	}
	if !shaForm.MatchString(sha) {
		return invalid(op, "commit %q is not a whole hash of 40 or 64 small hexadecimal digits", cut(sha, 80))
	}
	return nil
}
