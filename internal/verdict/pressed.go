package verdict

import (
	"context"
	"fmt"
	"slices"

	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// pressed says why who pressed the button was not to: they approved, and a policy that
// governed lets no approver deploy. GitHub does not ask who presses, so that it is found out
// afterwards; with deploy: command it is enforced.
func (b *base) pressed(ctx context.Context, how bringing) (string, error) {
	if how.memo.Merging || how.memo.Glass != "" || len(how.memo.Approved) == 0 || b.book.Set == nil {
		return "", nil
	}
	i := slices.IndexFunc(b.book.Set.Promotions, func(p *policy.ImagePromotionPolicy) bool {
		needs := p.Needs
		if how.memo.Kind == promotion.Rollback && p.Rollback != nil {
			needs = *p.Rollback
		}
		return slices.Contains(how.memo.Policies, p.Name) && needs.ApproverCount > 0 && !needs.AllowApproverFromDeploy
	})
	if i < 0 {
		return "", nil
	}
	q, ok, err := b.Forge.PullRequest(ctx, b.repo, how.pull.Number) // lists do not say who merged
	if err != nil || !ok || !slices.ContainsFunc(how.memo.Approved, func(a promotion.Identity) bool { return a.ID == q.MergedBy.ID }) {
		return "", err
	}
	return fmt.Sprintf("#%d was merged by %s, who approved it, and policy %s lets no approver deploy.", q.Number, q.MergedBy.Login, b.book.Set.Promotions[i].Name), nil
}
