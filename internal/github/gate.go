package github

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

const (
	concurrency = 10 // of the 100 that GitHub allows a token's owner
	burst       = 300.0
	perSecond   = 10.0 // with the burst, at most 900 points in any minute
	readCost    = 1.0
	writeCost   = 5.0
)

// A gate lets the requests of one client through at the pace that GitHub bears: ten at a
// time, writes one after the other and spaced, and none while a limit lasts
// (https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api).
type gate struct {
	now     func() time.Time
	sleep   func(context.Context, time.Duration) error
	maxWait time.Duration
	spacing time.Duration // negative: no spacing and no points
	places  chan struct{}
	writer  chan struct{} // holds one token; who has it may write

	mu      sync.Mutex
	closed  map[string]time.Time // by resource; "" closes all
	strikes int                  // limits in a row that did not say how long they last
	wrote   time.Time            // end of the last write
	points  float64
	filled  time.Time // when points was right
}

func newGate(o Options) *gate {
	return &gate{
		now: o.Now, sleep: o.Sleep, maxWait: max(o.MaxWait, 0), spacing: o.Spacing,
		places: make(chan struct{}, concurrency), writer: make(chan struct{}, 1),
		closed: map[string]time.Time{}, points: burst, filled: o.Now(),
	}
}

// A pass is one call's way through the gate: how long it may still wait.
type pass struct {
	gate     *gate
	op       string
	resource string // core or graphql
	write    bool
	free     bool // a write that creates nothing that people see: it is not spaced
	hurried  bool // it rather gives up than wait
	left     time.Duration
}

func (g *gate) pass(c call) *pass {
	resource := "core"
	if c.graphql {
		resource = "graphql"
	}
	p := &pass{gate: g, op: c.op, resource: resource, write: c.writes(), free: c.unseen, hurried: c.ahead, left: g.maxWait}
	if p.hurried {
		p.left = 0
	}
	return p
}

// enter waits for a turn. The caller must call leave afterwards, where err is nil.
func (p *pass) enter(ctx context.Context) error {
	if err := p.occupy(ctx); err != nil {
		return err
	}
	for {
		wait, limit := p.gate.ahead(p)
		if wait <= 0 {
			return nil
		}
		if !limit && !p.hurried { // our own pace, which is not GitHub's refusal
			if err := p.gate.sleep(ctx, wait); err != nil {
				p.vacate()
				return interrupted(p.op, err)
			}
			continue
		}
		p.vacate() // no place is held while waiting long
		if err := p.wait(ctx, wait); err != nil {
			return err
		}
		if err := p.occupy(ctx); err != nil {
			return err
		}
	}
}

func (p *pass) occupy(ctx context.Context) error {
	if p.write {
		select {
		case p.gate.writer <- struct{}{}:
		case <-ctx.Done():
			return interrupted(p.op, ctx.Err())
		}
	}
	select {
	case p.gate.places <- struct{}{}:
		return nil
	case <-ctx.Done():
		if p.write {
			<-p.gate.writer
		}
		return interrupted(p.op, ctx.Err())
	}
}

func (p *pass) vacate() {
	<-p.gate.places
	if p.write {
		<-p.gate.writer
	}
}

// leave notes that the request is over.
func (p *pass) leave() {
	if p.write && !p.free {
		p.gate.mu.Lock()
		p.gate.wrote = p.gate.now()
		p.gate.mu.Unlock()
	}
	p.vacate()
}

// wait sleeps, or refuses what is longer than the call may wait.
func (p *pass) wait(ctx context.Context, d time.Duration) error {
	if d > p.left {
		return &Error{
			Op: p.op, Class: promotion.ErrRateLimited, After: d,
			Message: fmt.Sprintf("GitHub wants no more requests for %s", d.Round(time.Second)),
			Remedy:  "ask again later",
		}
	}
	p.left -= d
	if err := p.gate.sleep(ctx, d); err != nil {
		return interrupted(p.op, err)
	}
	return nil
}

// ahead returns how long the pass must wait now, and whether GitHub said so. Where it
// need not wait, its points are taken.
func (g *gate) ahead(p *pass) (time.Duration, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	until := g.closed[""]
	if t := g.closed[p.resource]; t.After(until) {
		until = t
	}
	if d := until.Sub(now); d > 0 {
		return d, true
	}
	if g.spacing < 0 {
		return 0, false
	}
	if p.write && !p.free && !g.wrote.IsZero() {
		if d := g.wrote.Add(g.spacing).Sub(now); d > 0 && d <= g.spacing {
			return d, false
		}
	}
	if passed := now.Sub(g.filled); passed > 0 {
		g.points = min(burst, g.points+passed.Seconds()*perSecond)
	}
	g.filled = now
	cost := readCost
	if p.write {
		cost = writeCost
	}
	if g.points < cost {
		return time.Duration((cost-g.points)/perSecond*float64(time.Second)).Truncate(time.Millisecond) + time.Millisecond, false
	}
	g.points -= cost
	return 0, false
}

// note learns from an answer. e is what it means; a limit without a word on how long it
// lasts is doubled each time.
func (g *gate) note(p *pass, a answer, e *Error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	if e != nil && e.Class == promotion.ErrRateLimited {
		key := ""
		if e.primary {
			key = resourceOf(a.header, p.resource)
		} else if a.header.Get("Retry-After") == "" {
			e.After = bounded(e.After << min(g.strikes, 5))
			g.strikes++
		}
		g.close(key, now.Add(e.After))
		return
	}
	if a.status < 400 {
		g.strikes = 0
	}
	if left, ok := primary(a.header, now); ok {
		g.close(resourceOf(a.header, p.resource), now.Add(left))
	}
}

func (g *gate) close(key string, until time.Time) {
	if until.After(g.closed[key]) {
		g.closed[key] = until
	}
}

// resourceOf returns the limit that an answer speaks of; one that we do not use is not noted
// under its own name.
func resourceOf(h http.Header, otherwise string) string {
	if r := h.Get("X-RateLimit-Resource"); r == "core" || r == "graphql" {
		return r
	}
	return otherwise
}

// interrupted says that the caller's context ended before an answer came.
func interrupted(op string, err error) error {
	return &Error{
		Op: op, Class: promotion.ErrTransient, Message: "stopped before GitHub answered", cause: err,
		Remedy: "what was asked may or may not have happened; read again",
	}
}
