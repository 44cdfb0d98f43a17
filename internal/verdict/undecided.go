package verdict

import (
	"context"
	"errors"

	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/record"
)

// undecided says in the check of a head why nobody can say whether it may be merged, so that
// none stays green that was green before. Of what passes by itself nothing is written.
func (b *base) undecided(ctx context.Context, h *hearing, why error) error {
	if h == nil || h.head == (git.Hash{}) || h.yields || passing(why) || ctx.Err() != nil {
		return nil
	}
	if !h.known {
		h.memo.Record = record.Record{Repository: b.repo.ID, Base: b.branch, Kind: h.kind, PullRequest: h.pull.Number}
	}
	h.memo.Merging = false
	r := promotion.Result{
		Rule: "facts", Status: promotion.Unknown, Title: "it cannot be judged: " + why.Error(), Missing: []string{"what it changes"},
		Who: "who operates Pinnace", Next: "give the App the permissions that docs/promotions.md lists; then comment /judge",
	}
	if errors.Is(why, promotion.ErrInvalid) {
		r.Status, r.Missing, r.Who, r.Next = promotion.Denied, nil, "an author of this pull request", "mend it and push"
	}
	h.decision = promotion.Decision{Status: r.Status, Summary: string(r.Status) + ": " + r.Title, Results: []promotion.Result{r}}
	return b.write(ctx, h, "", "")
}
