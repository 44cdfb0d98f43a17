package watch

import (
	"context"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A paused desk is a process that is stopped (SIGSTOP) between its question and its write, for
// longer than its lease: meanwhile another replica leads, and writes the same report.
type paused struct {
	*desk
	stop func()
}

func (p *paused) IssuesWithLabel(ctx context.Context, s event.Subject, label string) ([]promotion.Issue, error) {
	all, err := p.desk.IssuesWithLabel(ctx, s, label)
	if p.stop != nil {
		stop := p.stop
		p.stop = nil
		stop()
	}
	return all, err
}

// H9
func TestHostileStaleLeaderReports(t *testing.T) {
	w := lite(t, Options{})
	old := w.push("ghcr.io/acme/shop:1.4.2", "old")
	w.stand(1, 11, "ghcr.io/acme/shop:1.4.2@"+old)
	w.pass(25 * time.Hour)
	p := &paused{desk: &w.desk}
	leads := true
	stale := w.watcher(Options{Reporter: p, Lead: func(context.Context) bool { return leads }})
	p.stop = func() {
		leads = false // the lease ran out; another one has it
		if err := w.Watcher.Tick(t.Context()); err != nil {
			t.Error(err)
		}
	}
	w.push("ghcr.io/acme/shop:1.4.2", "new")
	for range 20 { // until the move is seen
		w.skip(5 * time.Minute)
		if err := stale.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(w.desk.issues[repo11]); n > 1 {
		t.Errorf("%d issues of one report: %v", n, w.desk.writes())
	}
	t.Log(w.desk.writes())
}
