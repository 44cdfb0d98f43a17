package verdict

import (
	"context"
	"errors"

	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
	"github.com/pinnace-dev/pinnace/internal/rulebook"
)

// A floor is what the organisation's repository says.
type floor struct {
	state policy.FloorState
	files rulebook.Files
}

// floorName is the repository of an organisation whose .pinnace/ holds for all others.
const floorName = ".github"

// readFloor reads the organisation's documents. A person has none, and neither has an
// organisation whose repository the token cannot see. What is there and cannot be read is
// unknown, and then nothing is merged.
func (j *Judge) readFloor(ctx context.Context, repo promotion.Repository) (*floor, error) {
	if !repo.OwnerIsOrg || repo.Name == floorName {
		return &floor{state: policy.FloorNone}, nil
	}
	theirs, ok, err := j.Forge.Repository(ctx, repo.Owner, floorName)
	switch {
	case errors.Is(err, promotion.ErrForbidden):
		return &floor{state: policy.FloorUnknown}, nil
	case err != nil:
		return nil, err
	case !ok || theirs.Empty:
		return &floor{state: policy.FloorNone}, nil
	case theirs.Owner != repo.Owner:
		return &floor{state: policy.FloorUnknown}, nil // it was moved away
	}
	// It is in memory, and anybody may have an organisation: what is larger is unknown.
	store := git.NewMemory(git.Limits{PackSize: 16 << 20, TotalSize: 64 << 20, ObjectSize: 8 << 20, Objects: 50_000})
	defer store.Close()
	ref := "refs/heads/" + theirs.DefaultBranch
	fetched, err := store.Fetch(ctx, j.Remote(theirs), git.Fetch{Refs: []string{ref}, Depth: 1})
	switch {
	case errors.Is(err, git.ErrNoRef):
		return &floor{state: policy.FloorNone}, nil
	case err != nil:
		return &floor{state: policy.FloorUnknown}, ctx.Err()
	}
	tip, err := store.Snapshot(fetched.Refs[ref])
	if err != nil {
		return &floor{state: policy.FloorUnknown}, ctx.Err()
	}
	files, err := reconcile.Documents(ctx, tip)
	if err != nil {
		return &floor{state: policy.FloorUnknown}, ctx.Err()
	}
	if len(files) == 0 {
		return &floor{state: policy.FloorNone}, nil
	}
	return &floor{state: policy.FloorRead, files: files}, nil
}
