package github

import (
	"context"
	"slices"
	"sync"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

const maxReads = 300

// VisitOptions say what is particular to one visit of a repository.
type VisitOptions struct {
	// Fence is asked right before each request that changes something is sent; where it returns
	// an error nothing is sent, and the call is promotion.ErrConflict. nil allows all.
	Fence func() error
	// Ahead is what Reads returned of an earlier visit to the same repository: it is asked for
	// at once, eight at a time, so that whoever reads it soon need not wait. Such an answer is
	// used once at most, within five seconds, and not after the visit has changed something or
	// Anew was called. One that is not good, or would have to wait for a limit, is forgotten,
	// and the read itself asks.
	Ahead []string
}

// Visit returns a client for one visit to a repository. It has the gate, the tokens and the
// remembered answers of c. Its Close must be called; the end of ctx ends what is asked ahead,
// too.
func (c *Client) Visit(ctx context.Context, o VisitOptions) *Client {
	of := *c
	of.visit = nil
	v := &visit{fence: o.Fence}
	if len(o.Ahead) > 0 {
		v.ahead = of.startAhead(ctx, o.Ahead)
	}
	to := of
	to.visit = v
	return &to
}

// Close ends what a visit asks for ahead, and waits for it. The client itself goes on.
func (c *Client) Close() {
	if c.visit != nil && c.visit.ahead != nil {
		c.visit.forget(false)
		c.visit.ahead.end()
	}
}

// Anew forgets what was asked for ahead: what is read from now on is asked for after this
// moment, and whole, so that not even a wrong "304 Not Modified" gives an old answer. It is
// called before facts are read that something is merged on, and before a push.
func (c *Client) Anew() {
	if c.visit != nil {
		c.visit.forget(true)
	}
}

// Reads returns what the visit has asked GitHub for before it changed anything, in order, for
// VisitOptions.Ahead of the next one: 300 at most, each as often as it was asked for.
func (c *Client) Reads() []string {
	if c.visit == nil {
		return nil
	}
	c.visit.mu.Lock()
	defer c.visit.mu.Unlock()
	return slices.Clone(c.visit.reads)
}

// Writes returns how many requests of the visit changed something, or may have.
func (c *Client) Writes() int {
	if c.visit == nil {
		return 0
	}
	c.visit.mu.Lock()
	defer c.visit.mu.Unlock()
	return c.visit.writes
}

// A visit is what the client of a visit has of its own.
type visit struct {
	fence func() error
	ahead *ahead // nil: nothing was asked for ahead

	mu     sync.Mutex
	reads  []string
	anew   bool // reads are noted no more
	whole  bool // answers are asked for whole
	writes int
}

// forget drops what was asked for ahead. whole asks for answers whole from now on.
func (v *visit) forget(whole bool) {
	v.mu.Lock()
	v.anew, v.whole = true, v.whole || whole
	v.mu.Unlock()
	if v.ahead != nil {
		v.ahead.drop()
	}
}

// isWhole says whether answers are asked for whole, whatever is remembered.
func (v *visit) isWhole() bool {
	if v == nil {
		return false
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.whole
}

// read returns the answer to a read that was asked for ahead, and notes it.
func (v *visit) read(ctx context.Context, q call, target string) (answer, bool) {
	if q.token != "" {
		return answer{}, false
	}
	key := readKey(q.accept, target)
	if v.ahead == nil {
		return answer{}, false
	}
	a, ok := v.ahead.take(ctx, key, q.limit)
	if ok {
		v.note(key)
	}
	return a, ok
}

// note remembers that something was read.
func (v *visit) note(key string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.anew && len(v.reads) < maxReads && len(key) <= maxReadKey {
		v.reads = append(v.reads, key)
	}
}

// fenced asks the fence about a call that is about to be sent.
func (v *visit) fenced(q call) *Error {
	if v == nil || v.fence == nil || !q.effective() {
		return nil
	}
	err := v.fence()
	if err == nil {
		return nil
	}
	return &Error{
		Op: q.op, Class: promotion.ErrConflict, Message: "nothing was sent, because another visit may have begun: " + clean(err.Error(), ""),
		Remedy: "the repository is looked at again",
	}
}

// wrote counts a call that was sent, unless GitHub refused it.
func (v *visit) wrote(q call, e *Error) {
	if v == nil || !q.effective() || e != nil && e.Class != promotion.ErrTransient {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.writes++
}
