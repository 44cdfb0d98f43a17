package fleet

import (
	"context"
	"log/slog"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
	"github.com/pinnace-dev/pinnace/internal/verdict"
)

// onboard asks the people of a repository that has no configuration for one, and does nothing
// else there.
func (f *Fleet) onboard(ctx context.Context, v event.Visit, s *verdict.Steward) error {
	s.Proposer.App = s.Judge.App
	asked, err := s.Proposer.Onboard(ctx)
	if err != nil {
		return err
	}
	switch asked.Action {
	case reconcile.Clean, reconcile.Unchanged:
	default:
		level := slog.LevelInfo
		if asked.Action == reconcile.Declined || asked.Action == reconcile.Refused {
			level = slog.LevelDebug // it stays so, and is found at each look
		}
		f.o.Log.Log(ctx, level, "onboarding", subject(v), slog.String("action", string(asked.Action)), slog.String("reason", asked.Reason), slog.Int("pull_request", asked.PullRequest.Number))
	}
	return nil
}
