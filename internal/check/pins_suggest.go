package check

import (
	"bytes"
	"cmp"
	"slices"
	"unicode/utf8"

	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/plan"
)

// What suggestions may cost: each is made by an edit of the whole file, and proved.
const (
	maxSuggestions = 50
	maxSuggested   = 16 << 20 // bytes of files
)

type budget struct{ edits, bytes int }

func newBudget() budget { return budget{maxSuggestions, maxSuggested} }

// spend reports whether an edit of so many bytes can be afforded.
func (b *budget) spend(n int) bool {
	if b.edits == 0 || b.bytes < n {
		return false
	}
	b.edits--
	b.bytes -= n
	return true
}

// A change is lines of a file, from start up to end, that become text.
type change struct {
	start, end int // from 0
	text       string
	edits      []manifest.Edit
	spots      []*spot
}

// suggest gives the spots of a file the edit that pinnace pin makes there. Edits of the same
// lines are one suggestion, on the first of their places.
func (p *pins) suggest(f *pinned) {
	if p.in.Answers == nil || len(f.Data) == 0 || !utf8.Valid(f.Data) {
		return
	}
	var changes []change
	for _, s := range f.spots {
		if s.found == nil || !s.has(Unpinned) || !s.found.Editable() {
			continue
		}
		answer, ok := p.in.Answers(plan.Tagged(s.found))
		if !ok {
			continue
		}
		edit, ok := plan.Decide(s.found, answer, plan.Options{Style: p.in.Style}).Edit(p.in.Style)
		if !ok {
			continue
		}
		c, ok := p.apply(f, []manifest.Edit{edit})
		if !ok {
			continue
		}
		c.spots = []*spot{s}
		changes = append(changes, c)
	}
	slices.SortStableFunc(changes, func(a, b change) int { return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end)) })
	for len(changes) > 0 {
		group, end := 1, changes[0].end
		for group < len(changes) && changes[group].start < end {
			end = max(end, changes[group].end)
			group++
		}
		p.offer(f, changes[:group])
		changes = changes[group:]
	}
}

// offer makes one suggestion of changes that share lines.
func (p *pins) offer(f *pinned, group []change) {
	c := group[0]
	if len(group) > 1 {
		var edits []manifest.Edit
		for _, g := range group {
			edits = append(edits, g.edits...)
		}
		joint, ok := p.apply(f, edits)
		if !ok {
			return
		}
		c = joint
	}
	for _, g := range group {
		for _, s := range g.spots {
			s.shared = true
		}
	}
	s := group[0].spots[0]
	s.start, s.end, s.suggestion, s.shared = c.start+1, c.end, c.text, false
}

// apply makes edits, and returns the lines that they change: at least one, so that there is
// something to suggest on. Lines that a suggestion might not keep as they are, with a
// carriage return or without an end, are not offered.
func (p *pins) apply(f *pinned, edits []manifest.Edit) (change, bool) {
	if !p.budget.spend(len(f.Data)) {
		return change{}, false
	}
	format := f.Format
	if format == manifest.None {
		format = manifest.FormatOf(f.Path)
	}
	after, err := manifest.Apply(f.Data, format, edits, f.Extra...)
	if err != nil || bytes.Equal(after, f.Data) {
		return change{}, false
	}
	was, is := bytes.SplitAfter(f.Data, []byte("\n")), bytes.SplitAfter(after, []byte("\n"))
	start, tail := 0, 0
	for start < min(len(was), len(is)) && bytes.Equal(was[start], is[start]) {
		start++
	}
	for tail < min(len(was), len(is))-start && bytes.Equal(was[len(was)-1-tail], is[len(is)-1-tail]) {
		tail++
	}
	end := len(was) - tail
	if start == end { // lines are inserted: the one before is repeated
		if start == 0 {
			return change{}, false
		}
		start--
	}
	old, text := bytes.Join(was[start:end], nil), bytes.Join(is[start:len(is)-tail], nil)
	if bytes.ContainsRune(old, '\r') || !bytes.HasSuffix(old, []byte("\n")) || !bytes.HasSuffix(text, []byte("\n")) {
		return change{}, false
	}
	return change{start: start, end: end, text: string(text[:len(text)-1]), edits: edits}, true
}
