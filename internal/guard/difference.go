package guard

import (
	"fmt"

	"github.com/pinnace-dev/pinnace/internal/rulebook"
)

// maxLines is how many differences are worth reading.
const maxLines = 200

// A Difference is what a change does to the rules, in plain sentences.
type Difference struct {
	Lines    []string // those that loosen a rule first, then those that cannot be told, then those that tighten one
	Loosened int      // how many of the first Lines loosen a rule
}

// Compare says what differs between two readings of .pinnace/. Where one of them has an
// error, or was not read, there is nothing to compare.
func Compare(base, head *rulebook.Rulebook) Difference {
	if base == nil || head == nil || base.Config == nil || head.Config == nil {
		return Difference{}
	}
	var d differ
	d.config(base.Config, head.Config)
	if base.Set != nil && head.Set != nil {
		d.set(base.Set, head.Set)
	}
	out := Difference{Loosened: min(len(d.looser), maxLines)}
	for _, lines := range [][]string{d.looser, d.other, d.tighter} {
		out.Lines = append(out.Lines, lines...)
	}
	if more := len(out.Lines) - maxLines; more > 0 {
		out.Lines = append(out.Lines[:maxLines:maxLines], fmt.Sprintf("and %d more differences", more))
	}
	return out
}

// A differ collects sentences.
type differ struct{ looser, other, tighter []string }

// An effect says what a difference does to the rules.
type effect int

const (
	same effect = iota
	looser
	other
	tighter
)

func (d *differ) add(e effect, format string, args ...any) {
	s := line(fmt.Sprintf(format, args...), maxProblem)
	switch e {
	case looser:
		d.looser = append(d.looser, s)
	case other:
		d.other = append(d.other, s)
	case tighter:
		d.tighter = append(d.tighter, s)
	}
}
