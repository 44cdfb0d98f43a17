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
	Steps   []Step       // in the order of evaluation, operands first; at most 60
}

// A Step is a sub-expression that was reached, and what it came to.
type Step struct {
	Source string // as the parser understood it, at most about 120 bytes
	Value  string // "unknown", "error: ...", or the value, at most about 160 bytes
	Offset int    // where it begins, in characters from the start of the expression
}

// Evaluate asks the condition of the facts, for one image. It may be called at the same time
// from several places; the facts are only read.
func (c *Condition) Evaluate(f Facts) (o Outcome) {
	r := runs.Get().(*run)
	defer runs.Put(r)
	r.own = f
	r.start(c, &r.own)
	r.steps = make([]Step, 0, c.named)
	// Functions of cel-go panic where a value of type dyn is not what they expect.
	defer func() {
		if p := recover(); p != nil {
			o = r.outcome(nil, erred(fmt.Sprint("a function failed: ", p)))
		}
		r.end()
	}()
	return r.outcome(c.root.eval(r))
}

// runs are kept for the next evaluation, without what they held.
var runs = sync.Pool{New: func() any { return &run{memo: make([]ref.Val, len(variables))} }}

// start makes the run one of a condition.
func (r *run) start(c *Condition, f *Facts) {
	r.facts, r.programs, r.cost, r.quiet = f, c.programs, 0, false
	r.slots = slices.Grow(r.slots[:0], c.slots)[:c.slots]
}

// end lets go of all that an evaluation met.
func (r *run) end() {
	clear(r.slots)
	clear(r.memo)
	*r = run{slots: r.slots, memo: r.memo}
}

func (r *run) outcome(v ref.Val, l *lack) Outcome {
	o := Outcome{Verdict: Indeterminate, Cost: r.cost, Steps: r.steps}
	switch {
	case l != nil:
		o.Missing, o.Err = l.missing, clip(l.err, maxErr)
		slices.Sort(o.Missing)
		o.Asked = r.asked
		slices.SortFunc(o.Asked, func(a, b Membership) int {
			return cmp.Or(cmp.Compare(a.Login, b.Login), cmp.Compare(a.Team, b.Team))
		})
	case v == types.True:
		o.Verdict = True
	case v == types.False:
		o.Verdict = False
	default:
		o.Err = "expected true or false, got " + show(v) // unreachable: the type is checked
	}
	return o
}

// note keeps the value of a sub-expression.
func (r *run) note(n *node, v ref.Val, l *lack) {
	if len(r.steps) >= maxSteps || slices.ContainsFunc(r.steps, func(s Step) bool { return s.Source == n.source }) {
		return
	}
	s := Step{Source: n.source, Offset: n.offset}
	if l != nil {
		s.Value = clip(strings.Replace(l.String(), "in "+n.source+": ", "", 1), maxShown)
	} else {
		s.Value = show(v)
	}
	r.steps = append(r.steps, s)
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
	r.steps = append(r.steps, s)
}
