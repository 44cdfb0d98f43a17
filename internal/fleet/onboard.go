package fleet

import (
	"context"
	"log/slog"

	"github.com/pinnace-dev/pinnace/internal/reconcile"
	"github.com/pinnace-dev/pinnace/internal/verdict"
)

// onboard asks the people of a repository that has no configuration for one, and does nothing
// else there.
func (f *Fleet) onboard(ctx context.Context, log *teller, s *verdict.Steward) error {
	s.Proposer.App = s.Judge.App
	asked, err := s.Proposer.Onboard(ctx)
	if err != nil {
		return err
	}
	level := slog.LevelInfo
	switch asked.Action {
	case reconcile.Clean, reconcile.Unchanged:
		return nil
	case reconcile.Declined, reconcile.Refused: // so it stays, in how many repositories nobody knows
		level = slog.LevelDebug
	}
	log.proposed(ctx, level, false, asked.Action, "configure", reconcile.OnboardBranch, asked.PullRequest.Number, asked.Reason)
	return nil
}
