package verdict

import (
	"context"
	"slices"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// settles is how long GitHub may take to have a suite follow its check runs.
const settles = 10 * time.Second

// rerun says whether somebody pressed "Re-run" of a check run of this head. GitHub then shows
// the suite as queued until the App writes a run, though the verdict may be the same: so they
// are written once more. It is asked only of the pull request that an event was about, and told
// from the suite, not from the event
// (https://docs.github.com/en/rest/checks/runs#rerequest-a-check-run).
func (b *base) rerun(ctx context.Context, h *hearing) (bool, error) {
	run, head := h.memo.Run, h.head.String()
	if b.only != h.pull.Number || b.DryRun || run.ID == 0 || run.SHA != head || run.Status != completed || b.Now().Sub(run.Completed) < settles {
		return false, nil
	}
	done, err := b.Forge.SuitesCompleted(ctx, b.repo, head, b.App)
	if err != nil || done {
		return false, err
	}
	// A suite is not completed either while one of its runs is not.
	all, err := b.Forge.CheckRuns(ctx, b.repo, head, "")
	if err != nil {
		return false, err
	}
	return !slices.ContainsFunc(all, func(r promotion.CheckRun) bool { return r.App == b.App && r.Status != completed }), nil
}

// completed is the status of a check run that has a conclusion.
const completed = "completed"
