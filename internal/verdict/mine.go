package verdict

import (
	"context"
	"slices"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// Mine says whether the viewer can approve a pull request.
type Mine int8

// The answers; the zero value is that nobody asked.
const (
	MineUnknown Mine = iota
	MineYes
	MineNo
)

// mine says whether an approval of the viewer would count: whether the decision is another one
// with it.
func (b *base) mine(ctx context.Context, h *hearing) (Mine, string, error) {
	who := b.Viewer
	if who.ID == 0 || h.decision.Status != promotion.Waiting {
		return MineUnknown, "", nil
	}
	if slices.ContainsFunc(h.decision.Approvals, func(a promotion.Approval) bool { return a.By.ID == who.ID }) {
		return MineNo, "you approved it", nil
	}
	if _, err := b.person(ctx, who); err != nil {
		return MineUnknown, "", err
	}
	with := *h
	review := promotion.Review{ID: 1<<62 + 1, Author: who, State: promotion.Approved, Commit: h.head.String(), Submitted: b.Now()}
	with.reviews = append(slices.Clone(h.reviews), review)
	with.memo.Reviews = slices.Clone(h.memo.Reviews)
	with.memo.Witness(with.reviews)
	d, err := b.decide(ctx, &with)
	if err != nil {
		return MineUnknown, "", err
	}
	for _, a := range d.Approvals {
		if a.By.ID == who.ID && needed(h.decision.Results) {
			return MineYes, "", nil
		}
	}
	for _, i := range d.Ignored {
		if i.By.ID == who.ID {
			return MineNo, i.Reason, nil
		}
	}
	return MineNo, "", nil
}

// needed says whether a rule about approvals still waits.
func needed(results []promotion.Result) bool {
	return slices.ContainsFunc(results, func(r promotion.Result) bool {
		return r.Rule == "approvals" && r.Status == promotion.Waiting || needed(r.Children)
	})
}
