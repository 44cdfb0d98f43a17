package github

import (
	"cmp"
	"context"
	"maps"
	"slices"

	gh "github.com/google/go-github/v60/github"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// maxRepositories is the pages of a list of repositories, a hundred each.
const maxRepositories = 1000

// Repositories returns what the installation sees whose token the client has, by number, at
// most 100,000. Empty is not told, nor MergeMethods where GitHub leaves them out. A list that
// changed while it was read is read again, so that none is missing because another one went
// (https://docs.github.com/en/rest/apps/installations#list-repositories-accessible-to-the-app-installation).
func (c *Client) Repositories(ctx context.Context) ([]promotion.Repository, error) {
	const op = "list the repositories of the App's installation"
	var before map[int64]promotion.Repository
	for range 3 {
		all, right, err := c.repositories(ctx, op)
		if err != nil {
			return nil, err
		}
		if right || before != nil && slices.Equal(slices.Sorted(maps.Keys(all)), slices.Sorted(maps.Keys(before))) {
			return slices.SortedFunc(maps.Values(all), func(a, b promotion.Repository) int { return cmp.Compare(a.ID, b.ID) }), nil
		}
		before = all
	}
	return nil, &Error{Op: op, Class: promotion.ErrTransient, Message: "the list changes while it is read", Remedy: "ask again"}
}

// repositories reads the list once, and says whether it has as many as GitHub counts, on each
// page alike.
func (c *Client) repositories(ctx context.Context, op string) (map[int64]promotion.Repository, bool, error) {
	q := call{op: op, path: at("/installation/repositories"), need: "metadata=read", pages: maxRepositories}
	all, total, steady := map[int64]promotion.Repository{}, -1, true
	err := c.pages(ctx, q, func(a answer) (bool, error) {
		var page struct {
			Total        int             `json:"total_count"`
			Repositories []gh.Repository `json:"repositories"`
		}
		if err := decode(op, a, &page); err != nil {
			return false, err
		}
		if first := total < 0; first {
			total = page.Total
		}
		steady = steady && page.Total == total
		for i := range page.Repositories {
			r, ok := describe(&page.Repositories[i])
			if !ok {
				return false, malformed(op)
			}
			all[r.ID] = r
		}
		return true, nil
	})
	return all, steady && len(all) == total, err
}
