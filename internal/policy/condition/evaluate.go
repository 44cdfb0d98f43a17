package condition

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// Limits of what an outcome says.
const (
	maxSteps      = 60
	maxNamed      = 300 // parts of one condition that become steps
	maxMissing    = 50
	maxErr        = 500 // bytes
	maxStepSource = 120 // bytes of the source of a step
)

// A Verdict is what a condition came to.
type Verdict string

// The verdicts.
const (
	True          Verdict = "true"
	False         Verdict = "false"
	Indeterminate Verdict = "indeterminate" // a fact is missing, or the expression erred
)

// An Outcome is a verdict and how it came about. It is the same for the same facts.
type Outcome struct {
	Verdict Verdict
	Missing []string     // facts that nobody knows and that were needed, by name; at most 50
	Err     string       // the first error, one line; "" without one
	Asked   []Membership // those that Missing names
	Cost    uint64       // at most about 10^6; one unit is about 100 ns
	Steps   []Step       // in the order of evaluation, operands first; of more than 60 the last
}

// A Step is a sub-expression that was reached, and what it came to.
type Step struct {
	Source string // as the parser understood it, at most about 120 bytes
	Value  string // "unknown", "error: ...", or the value, at most about 160 bytes
	Offset int    // where it begins, in characters from the start of the expression
}

// A Subject is facts that several conditions are asked of, one after the other: what was
// read of them once is kept. The facts must not change meanwhile.
type Subject struct {
	facts *Facts
	memo  []ref.Val // values of our variables, once read
}

// About returns a subject.
func About(f *Facts) *Subject { return &Subject{facts: f, memo: make([]ref.Val, len(variables))} }

// Verdict asks the condition of a subject, and keeps no account of it. It is that of
// [Condition.Explain].
func (c *Condition) Verdict(s *Subject) Verdict {
	v, _ := c.evaluate(s, false)
	return v.Verdict
}

// Explain asks the condition of a subject.
func (c *Condition) Explain(s *Subject) Outcome {
	o, l := c.evaluate(s, true)
	if l != nil {
		o.Missing, o.Err = l.missing, clip(l.err, maxErr)
		slices.Sort(o.Missing)
		slices.SortFunc(o.Asked, func(a, b Membership) int {
			return cmp.Or(cmp.Compare(a.Login, b.Login), cmp.Compare(a.Team, b.Team))
		})
	}
	return o
}

// Evaluate asks the condition of the facts, for one image. It may be called at the same time
// from several places; the facts are only read.
func (c *Condition) Evaluate(f Facts) Outcome {
	p := copies.Get().(*Facts)
	*p = f
	o := c.Explain(About(p))
	*p = Facts{} // nothing of an outcome points to it
	copies.Put(p)
	return o
}

// copies hold the facts of one evaluation.
var copies = sync.Pool{New: func() any { return &Facts{} }}

func (c *Condition) evaluate(s *Subject, explain bool) (o Outcome, l *lack) {
	r := runs.Get().(*run)
	defer runs.Put(r)
	r.start(c, s)
	if r.quiet = !explain; explain {
		r.steps = make([]Step, 0, min(c.named, maxSteps))
	}
	// Functions of cel-go panic where a value of type dyn is not what they expect.
	defer func() {
		if p := recover(); p != nil {
			o, l = r.outcome(nil, erred(fmt.Sprint("a function failed: ", p)))
		}
		r.end()
	}()
	return r.outcome(c.root.eval(r))
}

// runs are kept for the next evaluation, without what they held.
var runs = sync.Pool{New: func() any { return &run{} }}

// start makes the run one of a condition.
func (r *run) start(c *Condition, s *Subject) {
	r.facts, r.memo, r.root, r.programs, r.cost = s.facts, s.memo, c.root, c.programs, 0
	r.slots = slices.Grow(r.slots[:0], c.slots)[:c.slots]
}

// end lets go of all that an evaluation met.
func (r *run) end() {
	clear(r.slots)
	r.drop(0)
	*r = run{slots: r.slots, stack: r.stack}
}

func (r *run) outcome(v ref.Val, l *lack) (Outcome, *lack) {
	o := Outcome{Verdict: Indeterminate, Cost: r.cost, Steps: r.steps, Asked: r.asked}
	switch {
	case l != nil:
		return o, l
	case v == types.True:
		o.Verdict = True
	case v == types.False:
		o.Verdict = False
	default:
		return o, erred("expected true or false, got " + show(v)) // unreachable: the type is checked
	}
	o.Asked = nil
	return o, nil
}

// keep keeps a step, and of too many the last, which decide.
func (r *run) keep(s Step) {
	if len(r.steps) == maxSteps {
		r.steps = slices.Delete(r.steps, 0, 1)
	}
	r.steps = append(r.steps, s)
}

// note keeps the value of a sub-expression.
func (r *run) note(n *node, v ref.Val, l *lack) {
	if n != r.root && slices.ContainsFunc(r.steps, func(s Step) bool { return s.Source == n.source }) {
		return
	}
	s := Step{Source: n.source, Offset: n.offset}
	if l != nil {
		s.Value = clip(strings.Replace(l.String(), "in "+n.source+": ", "", 1), maxShown)
	} else {
		s.Value = show(v)
	}
	r.keep(s)
}

// noteElement keeps which element of a list decided, or lacked something.
func (r *run) noteElement(n *loop, element ref.Val, at int, v ref.Val, l *lack) {
	if n.predicate == "" || len(r.steps) >= maxSteps || l == nil && v != n.decisive {
		return
	}
	s := Step{Source: n.predicate + clip(show(element), maxStepSource), Offset: at, Value: show(n.decisive)}
	if l != nil {
		s.Value = clip(l.String(), maxShown)
	}
	r.keep(s)
}
