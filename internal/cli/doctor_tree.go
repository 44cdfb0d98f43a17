package cli

import (
	"context"
	"errors"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/doctor"
	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/github"
	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
	"github.com/pinnace-dev/pinnace/internal/rulebook"
)

// tree reads the tip of the default branch, and the organisation's rules.
func (h *doctorHub) tree(ctx context.Context, repo promotion.Repository) (doctor.Tree, error) {
	store := git.NewMemory(git.Limits{})
	defer store.Close()
	snapshot, err := h.tipOf(ctx, store, repo)
	if err != nil {
		return doctor.Tree{}, err
	}
	files, err := reconcile.Documents(ctx, snapshot)
	if err != nil {
		return doctor.Tree{}, err
	}
	state, theirs, err := h.floor(ctx, repo)
	if err != nil {
		return doctor.Tree{}, err
	}
	c, err := reconcile.Configured(files)
	if err != nil {
		c = config.Default() // the rulebook has the mistake
	}
	var overlap *reconcile.Refusal
	reading, err := reconcile.Read(ctx, snapshot, c, nil)
	if errors.As(err, &overlap) {
		reading, err = reconcile.ReadPast(ctx, snapshot, c, nil)
	}
	if err != nil {
		return doctor.Tree{}, err
	}
	standing := reconcile.NewLedger(store, reading).Inventory()
	t := doctor.Tree{
		Book: rulebook.Read(files, theirs, state, standingApps(standing)), Configured: len(files) > 0, Standing: standing,
	}
	if overlap != nil {
		t.Book.Problems = append(t.Book.Problems, config.Problem{File: configPath, Message: overlap.Text})
	}
	if b := t.Book.Config; b != nil {
		several := len(b.Branches) > 0
		t.Check = func(base string) string { return reconcile.CheckName(repo, base, several) }
	}
	return t, nil
}

// tipOf fetches the newest commit of the default branch alone.
func (h *doctorHub) tipOf(ctx context.Context, store *git.Repository, repo promotion.Repository) (*git.Snapshot, error) {
	ref := "refs/heads/" + repo.DefaultBranch
	a := &access{api: h.api, tokens: h.tokens}
	fetched, err := store.Fetch(ctx, a.remote(repo), git.Fetch{Refs: []string{ref}, Depth: 1})
	if err != nil {
		return nil, err
	}
	return store.Snapshot(fetched.Refs[ref])
}

// floor reads the rules of the organisation, in the repository .github.
func (h *doctorHub) floor(ctx context.Context, repo promotion.Repository) (policy.FloorState, rulebook.Files, error) {
	const name = ".github"
	if !repo.OwnerIsOrg || repo.Name == name {
		return policy.FloorNone, nil, nil
	}
	o := h.options
	o.Tokens = h.tokens
	client, err := github.New(o)
	if err != nil {
		return policy.FloorUnknown, nil, err
	}
	theirs, ok, err := client.Repository(ctx, repo.Owner, name)
	switch {
	case errors.Is(err, promotion.ErrForbidden):
		return policy.FloorUnknown, nil, nil
	case err != nil:
		return policy.FloorUnknown, nil, err
	case !ok || theirs.Empty:
		return policy.FloorNone, nil, nil
	case theirs.Owner != repo.Owner:
		return policy.FloorUnknown, nil, nil
	}
	store := git.NewMemory(git.Limits{})
	defer store.Close()
	snapshot, err := h.tipOf(ctx, store, theirs)
	if err != nil {
		return policy.FloorUnknown, nil, ctx.Err()
	}
	files, err := reconcile.Documents(ctx, snapshot)
	switch {
	case err != nil:
		return policy.FloorUnknown, nil, ctx.Err()
	case len(files) == 0:
		return policy.FloorNone, nil, nil
	}
	return policy.FloorRead, files, nil
}
