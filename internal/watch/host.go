package watch

import "time"

const (
	strikesOut  = 3 // failures in a row after which a host rests
	firstRest   = time.Minute
	longestRest = time.Hour
	idleHost    = 2 * longestRest // after which a host's state says nothing any more
)

// A host is what we know of a registry's host. It is owned by Watcher.mu.
type host struct {
	tokens  float64   // looks that it may be asked for now; below 0 where a look cost more
	filled  time.Time // when tokens were counted last
	rest    time.Time // until then it is not asked
	strikes int       // failures in a row
	rests   int       // of them, how often it rested
	busy    bool      // a batch is under way
}

// fill counts what the budget allows by now: at most what one burst takes.
func (h *host) fill(now time.Time, perMinute, burst float64) {
	if passed := now.Sub(h.filled).Minutes(); passed > 0 && !h.filled.IsZero() {
		h.tokens = min(h.tokens+passed*perMinute, burst)
	} else if h.filled.IsZero() {
		h.tokens = burst
	}
	h.filled = now
}

// strike counts a failure, and lets the host rest after a few: a minute, then two, at most an
// hour.
func (h *host) strike(now time.Time) {
	if h.strikes++; h.strikes < strikesOut {
		return
	}
	h.strikes = strikesOut - 1 // the next failure is enough
	h.halt(now.Add(min(firstRest<<min(h.rests, 10), longestRest)))
	h.rests++
}

// halt lets the host rest until a time.
func (h *host) halt(until time.Time) {
	if until.After(h.rest) {
		h.rest = until
	}
}

// take returns how many looks a host may have now, and marks it as busy where that is not 0.
func (w *Watcher) take(name string, now time.Time) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.hosts[name]
	if h == nil {
		h = &host{}
		w.hosts[name] = h
	}
	perMinute := float64(w.budget(name))
	h.fill(now, perMinute, max(perMinute*w.Every.Minutes(), 1))
	if h.busy || h.rest.After(now) || h.tokens < 1 {
		return 0
	}
	h.busy = true
	return int(h.tokens)
}

func (w *Watcher) budget(name string) int {
	if n, ok := w.Budgets[name]; ok {
		return n
	}
	return w.Budgets[""]
}

// with changes what we know of a host.
func (w *Watcher) with(name string, change func(*host)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(w.hosts[name])
}

// resting says whether a host is to be asked no more for now.
func (w *Watcher) resting(name string, now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.hosts[name].rest.After(now)
}

// idle drops the hosts that nothing was asked of for long.
func (w *Watcher) idle(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for name, h := range w.hosts {
		if !h.busy && !h.rest.After(now) && now.Sub(h.filled) > idleHost {
			delete(w.hosts, name)
		}
	}
}
