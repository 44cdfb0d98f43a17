package proof

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// An effect is one that the program has on the world: a change that GitHub is asked for, a push,
// a commit to the database. It is the how manieth of its name within a step of a story.
type effect struct {
	name string // "POST /repos/{owner}/{repo}/pulls", "commit internal/queue.(*Queue).Accept"
	nth  int    // from 1
}

func (e effect) String() string { return fmt.Sprintf("%s (%d)", e.name, e.nth) }

// A moment is when a process is killed at an effect.
type moment string

const (
	before  moment = "before"  // the effect does not happen
	between moment = "between" // it happens, and its answer never arrives
	after   moment = "after"   // its answer arrived, and nothing else happened
	never   moment = "never"   // nothing happens any more
)

var moments = []moment{before, between, after}

// A trap notes the effects of a step, and kills the process at one of them.
type trap struct {
	w *world

	mu     sync.Mutex
	noted  []effect
	counts map[string]int
	at     effect
	when   moment // "" is none
	ripe   bool   // the effect's answer is on its way: the next thing is the last one
	sprung bool
	dead   chan struct{} // closed once the process that had a last effect is gone; nil is none
}

// set begins a step, in which a process is killed at an effect; with a moment of "" at none.
func (x *trap) set(at effect, when moment) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.noted, x.counts, x.at, x.when, x.ripe, x.sprung, x.dead = nil, map[string]int{}, at, when, false, false, nil
}

// effects returns what was noted since the step began.
func (x *trap) effects() []effect {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Clone(x.noted)
}

// has says how far it is.
func (x *trap) has() (sprung, ripe bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.sprung, x.ripe
}

// spring says what to do at the next thing that happens: "" is nothing. name is "" where it is no
// effect.
func (x *trap) spring(name string) moment {
	x.mu.Lock()
	defer x.mu.Unlock()
	if name != "" && x.counts != nil {
		x.counts[name]++
		x.noted = append(x.noted, effect{name, x.counts[name]})
	}
	switch {
	case x.dead != nil:
		return never
	case x.when == "" || x.sprung:
		return ""
	case x.ripe:
		x.sprung = true
		return before
	case name != x.at.name || x.counts[name] != x.at.nth:
		return ""
	case x.when == after:
		x.ripe = true
		return ""
	}
	x.sprung = true
	if x.when == between {
		x.dead = make(chan struct{})
	}
	return x.when
}

// dies says whether a process had its last effect and is still there.
func (x *trap) dies() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.dead != nil
}

// bury waits until the processes are gone, where one of them had its last effect.
func (x *trap) bury() {
	x.mu.Lock()
	dead := x.dead
	x.mu.Unlock()
	if dead != nil {
		<-dead
	}
}

// end kills all, after an effect whose answer nobody is to hear.
func (x *trap) end() {
	x.w.killAll()
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.dead != nil {
		close(x.dead)
		x.dead = nil
	}
}

// changes says whether a call asks GitHub to change something.
func changes(c sandbox.Call) bool {
	return sandbox.Request{Method: c.Method, Route: c.Route}.Write() && !strings.HasPrefix(c.Route, "/v2/") && c.Route != "/"
}

// call is the hook of the sandbox.
func (x *trap) call(c sandbox.Call) sandbox.Fault {
	x.w.count(c)
	name := ""
	if changes(c) {
		name = c.Method + " " + c.Route
	}
	switch x.spring(name) {
	case before:
		return sandbox.Fault{Before: sandbox.Hangup(), Delay: x.w.killAll}
	case between:
		done := x.w.served(c)
		go func() {
			within(patience, func() bool { return x.w.served(c) > done })
			x.end()
		}()
		return sandbox.Fault{After: sandbox.Hangup()}
	case never:
		return sandbox.Fault{Before: sandbox.Hangup(), Delay: x.bury}
	}
	return sandbox.Fault{}
}

// served counts the requests of a route that were answered.
func (w *world) served(c sandbox.Call) int {
	n := 0
	for _, q := range w.Requests() {
		if q.Method == c.Method && q.Path == c.Path {
			n++
		}
	}
	return n
}

// commit is asked before a process commits to its database.
func (x *trap) commit(p *process, by string) {
	x.w.moves.Add(1)
	switch x.spring("commit " + by) {
	case before:
		p.kill()
	case between:
		go x.end() // while it writes
	case never:
		x.bury()
	}
}
