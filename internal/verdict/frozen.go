package verdict

import (
	"context"
	"fmt"
	"time"

	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/plan"
	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/policy/approval"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
	"github.com/pinnace-dev/pinnace/internal/rulebook"
)

// frozen says which freeze held when a pull request was merged on a commit, by the documents of
// that commit; "" for none. A verdict that had passed says nothing of the time after it.
func (b *base) frozen(ctx context.Context, parent *git.Snapshot, changes []plan.Changed, at time.Time) (string, error) {
	files, err := reconcile.Documents(ctx, parent)
	if err != nil {
		return "", fmt.Errorf("read the documents of commit %s: %w", parent.Commit, err)
	}
	book := rulebook.Read(files, b.Judge.floor.files, b.Judge.floor.state, b.found())
	for _, c := range changes {
		for _, env := range c.Environments {
			d := policy.Decide(policy.Input{
				Now: at, Set: book.Set, Floor: policy.FloorNone, Kind: promotion.ByHand, Env: env,
				Checks:  policy.Checks{Config: approval.Yes, Pins: approval.Yes},
				Changes: []policy.Change{{Change: c.Change, OldApp: c.OldApp, NewApp: c.NewApp, Beside: c.Beside}},
			})
			if why := freezeOf(d.Results); why != "" {
				return why, nil
			}
		}
	}
	return "", nil
}

// freezeOf returns the title of a freeze that holds, "" for none.
func freezeOf(results []promotion.Result) string {
	for _, r := range results {
		if r.Rule == "freeze" && r.Policy != "" && r.Status == promotion.Waiting {
			return r.Title
		}
		if why := freezeOf(r.Children); why != "" {
			return why
		}
	}
	return ""
}
