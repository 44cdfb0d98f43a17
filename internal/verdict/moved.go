package verdict

import (
	"fmt"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// moved has a pull request by hand wait that changes a file which its base no longer has there:
// a merge may follow the file to where it was moved, and would change what was never judged
// (https://git-scm.com/docs/merge-strategies#Documentation/merge-strategies.txt-find-renamesn).
func (b *base) moved(h *hearing) error {
	if h.kind != promotion.ByHand || h.from == nil || h.from.Commit == b.tip.Commit || b.book.Set == nil || len(b.book.Set.Promotions) == 0 {
		return nil
	}
	for _, d := range h.paths {
		if d.Old.Path == "" || d.New.Path == "" {
			continue
		}
		if _, there, err := b.tip.Lookup(d.Path); err != nil {
			return fmt.Errorf("read commit %s: %w", b.tip.Commit, err)
		} else if there {
			continue
		}
		r := promotion.Result{
			Rule: "behind", Status: promotion.Waiting, Title: fmt.Sprintf("%s no longer has %s, which this changes", b.branch, d.Path),
			Seen: "the branch began before the file was moved or deleted", Wanted: "a branch that holds the newest " + b.branch,
			Who: "the author of the change", Next: "merge " + b.branch + " into the branch, or rebase it",
		}
		h.decision.Results = append(h.decision.Results, r)
		if h.decision.Status = promotion.Worst(h.decision.Status, r.Status); h.decision.Status == r.Status {
			h.decision.Summary = string(r.Status) + ": " + r.Title
		}
		return nil
	}
	return nil
}
