package github

import (
	"context"
	"fmt"

	gh "github.com/google/go-github/v60/github"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// Repository returns a repository under the name that it has now: that of a renamed or
// transferred one differs from what was asked. ok is false where there is none or the token
// may not see it, which GitHub does not tell apart
// (https://docs.github.com/en/rest/repos/repos#get-a-repository).
func (c *Client) Repository(ctx context.Context, owner, name string) (promotion.Repository, bool, error) {
	return c.repository(ctx, call{op: "read repository " + clean(owner+"/"+name, ""), path: at("/repos").owner(owner).name(name), need: "metadata=read"})
}

// RepositoryByID returns the repository of a number, which survives renaming.
func (c *Client) RepositoryByID(ctx context.Context, id int64) (promotion.Repository, bool, error) {
	return c.repository(ctx, call{op: fmt.Sprintf("read repository number %d", id), path: at("/repositories").number(id), need: "metadata=read"})
}

func (c *Client) repository(ctx context.Context, q call) (promotion.Repository, bool, error) {
	var w gh.Repository
	_, err := c.read(ctx, q, &w)
	if ok, err := found(err); !ok {
		return promotion.Repository{}, false, err
	}
	r, ok := describe(&w)
	if !ok {
		return promotion.Repository{}, false, malformed(q.op)
	}
	if w.GetSize() == 0 && r.DefaultBranch != "" { // a size of 0 is that of a small one, too
		_, ok, err := c.Branch(ctx, r, r.DefaultBranch)
		if err != nil {
			return promotion.Repository{}, false, err
		}
		r.Empty = !ok
	}
	return r, true, nil
}

// describe makes the noun of a repository, but for Empty. ok is false where it has no number or
// no name that GitHub could have given.
func describe(w *gh.Repository) (r promotion.Repository, ok bool) {
	r = promotion.Repository{
		ID: w.GetID(), Owner: w.GetOwner().GetLogin(), Name: w.GetName(), DefaultBranch: w.GetDefaultBranch(),
		URL: w.GetHTMLURL(), CloneURL: w.GetCloneURL(), Private: w.GetPrivate(), Archived: w.GetArchived(), Disabled: w.GetDisabled(), Fork: w.GetFork(),
		OwnerIsOrg: w.GetOwner().GetType() == "Organization", Permission: highest(w.Permissions),
	}
	for _, m := range []struct {
		name    string
		allowed *bool
	}{{"merge", w.AllowMergeCommit}, {"squash", w.AllowSquashMerge}, {"rebase", w.AllowRebaseMerge}} {
		if m.allowed != nil && *m.allowed {
			r.MergeMethods = append(r.MergeMethods, m.name)
		}
	}
	return r, r.ID != 0 && in(r).err == nil
}

// highest reads the object permissions, which holds each permission as a word of its own.
func highest(has map[string]bool) promotion.Permission {
	for _, p := range []struct {
		word string
		is   promotion.Permission
	}{
		{"admin", promotion.PermissionAdmin},
		{"maintain", promotion.PermissionMaintain},
		{"push", promotion.PermissionWrite},
		{"triage", promotion.PermissionTriage},
		{"pull", promotion.PermissionRead},
	} {
		if has[p.word] {
			return p.is
		}
	}
	return ""
}
