package fleet

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
	"github.com/pinnace-dev/pinnace/internal/verdict"
)

// A teller logs what a visit found. What the visit before it found as well is for debugging
// only: an open pull request is judged at each visit, and nobody wants to read that.
type teller struct {
	log  *slog.Logger
	b    *berth
	seen map[string]bool
}

func (f *Fleet) teller(v event.Visit, b *berth) *teller {
	log := f.o.Log.With(slog.Int64("installation", v.Installation), slog.Int64("repository", v.Repository.Repository), slog.String("repo", v.Owner+"/"+v.Name))
	return &teller{log: log, b: b, seen: map[string]bool{}}
}

func (t *teller) tell(ctx context.Context, level slog.Level, message string, attrs ...slog.Attr) {
	key := fmt.Sprint(message, attrs)
	if t.seen[key] {
		return // the first look of this visit told it
	}
	if t.b.told[key] {
		level = slog.LevelDebug
	}
	t.seen[key] = true
	t.log.LogAttrs(ctx, level, message, attrs...)
}

// end keeps what was told for the next visit.
func (t *teller) end() { t.b.told = t.seen }

// proposed tells what became of a proposal or, where a repository is only observed, would.
func (t *teller) proposed(ctx context.Context, level slog.Level, observed bool, action reconcile.Action, kind promotion.Kind, branch string, number int, reason string) {
	attrs := []slog.Attr{slog.String("action", string(action)), slog.String("kind", string(kind)), slog.String("branch", branch)}
	if number != 0 {
		attrs = append(attrs, slog.Int("pull_request", number))
	}
	if reason != "" {
		attrs = append(attrs, slog.String("reason", reason))
	}
	message := "proposed"
	if observed {
		message = "would propose, but for mode: observe"
	}
	t.tell(ctx, level, message, attrs...)
}

// report tells of verdicts and incidents.
func (f *Fleet) report(ctx context.Context, t *teller, cases []verdict.Case, incidents []verdict.Incident, warnings []string) {
	for _, c := range cases {
		t.tell(ctx, slog.LevelInfo, "judged", slog.Int("pull_request", c.PullRequest.Number), slog.String("action", string(c.Action)), slog.String("status", string(c.Decision.Status)), slog.String("reason", c.Decision.Summary))
		if f.o.Observer != nil {
			f.o.Observer.Decided(outcome(c))
		}
	}
	for _, i := range incidents {
		t.tell(ctx, slog.LevelWarn, "incident", slog.String("base", i.Base), slog.String("commit", i.Commit), slog.String("reason", i.Why))
		if f.o.Observer != nil {
			f.o.Observer.Alert("incident")
		}
	}
	for _, w := range warnings {
		t.tell(ctx, slog.LevelWarn, "warning", slog.String("reason", w))
	}
}

// outcome names a verdict for a count.
func outcome(c verdict.Case) string {
	switch {
	case c.Err != nil:
		return "error"
	case c.Decision.Status == promotion.Passed:
		return "approved"
	case c.Decision.Status == promotion.Waiting:
		return "pending"
	}
	return "denied"
}
