package condition

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// A run is one evaluation.
type run struct {
	facts    *Facts
	root     *node
	programs map[string]program // of the condition; read only
	slots    []ref.Val          // values of the variables of macros
	memo     []ref.Val          // of the subject
	stack    []ref.Val          // arguments of the calls that are being made
	cost     uint64
	steps    []Step
	asked    []Membership
	quiet    bool // steps are not kept
}

// A lack says why there is no value: names of facts, an error, or both.
type lack struct {
	missing []string
	err     string
}

func missing(name string) *lack { return &lack{missing: []string{name}} }
func erred(text string) *lack   { return &lack{err: text} }

// and joins what two operands lack. The first error is kept.
func (l *lack) and(other *lack) *lack {
	if l == nil {
		return other
	}
	if other == nil {
		return l
	}
	joined := &lack{missing: slices.Clone(l.missing), err: l.err}
	for _, name := range other.missing {
		if len(joined.missing) < maxMissing && !slices.Contains(joined.missing, name) {
			joined.missing = append(joined.missing, name)
		}
	}
	if joined.err == "" {
		joined.err = other.err
	}
	return joined
}

// facts drops the error: it may follow from another lack.
func (l *lack) facts() *lack {
	if l == nil || len(l.missing) == 0 {
		return nil
	}
	return &lack{missing: l.missing}
}

func (l *lack) String() string {
	if l.err != "" {
		return "error: " + l.err
	}
	return "unknown"
}

// settled parts a value of CEL from an error of CEL.
func settled(v ref.Val) (ref.Val, *lack) {
	switch v := v.(type) {
	case *types.Err:
		return nil, erred(v.Error())
	case nil:
		return nil, erred("no value") // unreachable: functions of cel-go return one
	}
	return v, nil
}

// spend pays. What follows an empty purse pays in vain.
func (r *run) spend(cost uint64) *lack {
	r.cost = min(r.cost+min(cost, maxCost+1), maxCost+1)
	if r.cost > maxCost {
		return erred(fmt.Sprintf("costs more than %d: compare fewer values", maxCost))
	}
	return nil
}

// drop forgets the arguments of a call.
func (r *run) drop(below int) {
	clear(r.stack[below:])
	r.stack = r.stack[:below]
}

// program returns a regular expression and how large it is.
func (r *run) program(p string) (*regexp.Regexp, int, error) {
	if p, ok := r.programs[p]; ok {
		return p.re, p.size, nil
	}
	compiled, err := compilePattern(p)
	if err != nil {
		return nil, 0, err
	}
	return compiled.re, compiled.size, nil
}

// pattern returns a regular expression for a text of some bytes, and pays for its use.
func (r *run) pattern(p string, bytes int) (*regexp.Regexp, *lack) {
	if _, ok := r.programs[p]; !ok {
		if l := r.spend(200 + uint64(len(p))); l != nil {
			return nil, l
		}
	}
	re, n, err := r.program(p)
	if err != nil {
		return nil, erred(err.Error())
	}
	cost := uint64(bytes+1) * uint64(n+1) / 8
	if _, ok := r.programs[p]; !ok {
		cost += uint64(n) * 10
	}
	if l := r.spend(cost); l != nil {
		return nil, l
	}
	return re, nil
}
