package check

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/manifest"
)

// A Pinned is one file that a pull request changes, as it is at the head.
type Pinned struct {
	File
	Data   []byte           // that Scan read; nil: nothing is suggested
	Format manifest.Format  // as Scan was given it; None: as the path says
	Extra  []manifest.Extra // as Scan was given them
}

// A PinsInput holds all facts. Functions that are nil name nothing.
type PinsInput struct {
	Files  []Pinned // that the pull request changes, without those that it deletes
	Before []File   // the same files before, by the head's paths; those that existed
	Beside []File   // further files of the head: what kustomizations name as bases and patches is looked up there

	Locked   func(path string) (policy string, ok bool) // the PullImageDigestPolicy that locks one of the file's environments
	Excused  func(path, code string) bool               // such a policy's exceptions, asked of PIN006 and PIN007
	Ignored  func(image.Ref) bool                       // pin.ignore
	Excluded func(path string) bool                     // pin.exclude
	Answers  Answers                                    // what tags mean, for suggestions
	Style    manifest.Style                             // of suggestions
}

// A PinsResult says whether the changed files are pinned where they must be.
type PinsResult struct {
	Annotations []Annotation // by place
	Failed      bool         // an annotation is a failure
	Left        int          // places without a digest that no configuration leaves alone, failures or not
}

// The levels of annotations
// (https://docs.github.com/en/rest/checks/runs#create-a-check-run).
const (
	LevelNotice  = "notice"
	LevelWarning = "warning"
	LevelFailure = "failure"
)

// An Annotation stands on lines of a changed file.
type Annotation struct {
	Path              string
	Line, EndLine     int // as git counts them, from 1
	Column, EndColumn int // in characters, from 1, on one line only; 0 where unknown
	Level             string
	Code              Code   // the first that holds there
	Title, Message    string // may hold foreign words
	// Suggestion is the text that replaces the lines Line to EndLine, without a final line
	// break: the body of a suggestion block
	// (https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/reviewing-changes-in-pull-requests/commenting-on-a-pull-request).
	// It is "" where there is none.
	Suggestion string
}

// Pins holds the changed files of a pull request to their digests. Where a policy locks an
// environment of a file, each reference there without a digest fails, whoever wrote it, and
// so does what cannot be read or edited and what drops the digest of a base; elsewhere they
// are told and nothing fails.
func Pins(in PinsInput) PinsResult {
	p := newPins(in)
	for i := range p.files {
		p.file(&p.files[i])
	}
	p.unPinning()
	for i := range p.files {
		p.compare(&p.files[i])
		p.suggest(&p.files[i])
	}
	var out PinsResult
	for i := range p.files {
		for _, s := range p.files[i].spots {
			a := p.annotation(&p.files[i], s)
			out.Annotations = append(out.Annotations, a)
			out.Failed = out.Failed || a.Level == LevelFailure
			if s.has(Unpinned) || s.has(UnPinning) {
				out.Left++
			}
		}
	}
	slices.SortStableFunc(out.Annotations, func(a, b Annotation) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return out
}

// A pins is one call of [Pins].
type pins struct {
	in     PinsInput
	files  []pinned
	all    []File // with those beside
	before map[string]*File
	budget budget
}

// A pinned is a changed file that is looked at.
type pinned struct {
	Pinned
	policy string
	locked bool
	left   []bool // by finding, whether a comment on its line asks to leave it alone
	spots  []*spot
	spotOf []*spot // by finding; nil: nothing is wrong there
}

// A spot is one place of a file with all that is wrong there.
type spot struct {
	found      *manifest.Finding // nil: of the file as a whole
	index      int               // of found
	history    history
	findings   []Finding
	start, end int    // lines, from 1
	suggestion string // replaces them
	shared     bool   // the suggestion of a place before covers this one
}

func (s *spot) has(c Code) bool {
	return slices.ContainsFunc(s.findings, func(f Finding) bool { return f.Code == c })
}

func newPins(in PinsInput) *pins {
	p := &pins{in: in, before: make(map[string]*File, len(in.Before)), budget: newBudget()}
	for i := range in.Before {
		p.before[in.Before[i].Path] = &in.Before[i]
	}
	changed := make(map[string]bool, len(in.Files))
	for _, f := range in.Files {
		changed[f.Path] = true
		one := pinned{Pinned: f}
		if in.Locked != nil {
			one.policy, one.locked = in.Locked(f.Path)
		}
		one.Result.Findings = slices.Clone(f.Result.Findings)
		one.left, one.spotOf = make([]bool, len(one.Result.Findings)), make([]*spot, len(one.Result.Findings))
		for i := range one.Result.Findings {
			found := &one.Result.Findings[i]
			one.left[i] = found.Ignored
			found.Ignored = !one.locked && (found.Ignored || p.ignores(found.Image))
		}
		p.all = append(p.all, one.File)
		if one.locked || !p.excludes(f.Path) {
			p.files = append(p.files, one)
		}
	}
	for _, f := range in.Beside {
		if !changed[f.Path] {
			p.all = append(p.all, f)
		}
	}
	return p
}

func (p *pins) ignores(ref image.Ref) bool {
	return p.in.Ignored != nil && ref != (image.Ref{}) && p.in.Ignored(ref)
}

func (p *pins) excludes(path string) bool { return p.in.Excluded != nil && p.in.Excluded(path) }

// file finds what is wrong in one file.
func (p *pins) file(f *pinned) {
	c := &checker{patches: patches(p.all)}
	whole := f.File
	whole.Result.Findings = nil
	c.file(whole)
	for _, found := range c.found {
		f.spots = append(f.spots, &spot{findings: []Finding{found}, start: max(found.Position.Line, 1), end: max(found.Position.Line, 1)})
	}
	for i := range f.Result.Findings {
		found := &f.Result.Findings[i]
		if found.Ignored {
			continue
		}
		c.found = nil
		c.finding(f.Path, *found)
		if len(c.found) > 0 {
			f.at(i).findings = c.found
		}
	}
}

// at returns the spot of a finding, made when first asked for.
func (f *pinned) at(index int) *spot {
	if s := f.spotOf[index]; s != nil {
		return s
	}
	found := &f.Result.Findings[index]
	line := max(found.Position.Line, 1)
	if found.Span.End > 0 && found.Span.Start <= len(f.Data) {
		line = bytes.Count(f.Data[:found.Span.Start], []byte("\n")) + 1 // git breaks lines at LF only
	}
	s := &spot{found: found, index: index, start: line, end: line}
	f.spots, f.spotOf[index] = append(f.spots, s), s
	return s
}

// unPinning finds entries of changed kustomizations that drop the digests of their bases.
func (p *pins) unPinning() {
	c := &checker{}
	c.unPinning(p.all)
	for _, found := range c.found {
		for i := range p.files {
			f := &p.files[i]
			if f.Path != found.Path {
				continue
			}
			for j := range f.Result.Findings {
				if m := &f.Result.Findings[j]; m.Unpins && m.Position == found.Position && m.Pointer == found.Pointer {
					s := f.at(j)
					s.findings = append(s.findings, found)
				}
			}
		}
	}
}

// level says how bad a spot is.
func (p *pins) level(f *pinned, s *spot) string {
	excused := func(c Code) bool { return s.has(c) && p.in.Excused != nil && p.in.Excused(f.Path, string(c)) }
	if !f.locked {
		if s.history == kept || !s.has(Unpinned) && !s.has(UnPinning) {
			return LevelNotice
		}
		return LevelWarning
	}
	notEditable, unPinning := excused(NotEditable), excused(UnPinning)
	for _, found := range s.findings {
		switch found.Code {
		case Unpinned: // an exception for the place is one for its missing digest
			if !notEditable && !unPinning {
				return LevelFailure
			}
		case NotEditable:
			if !notEditable {
				return LevelFailure
			}
		case UnPinning:
			if !unPinning {
				return LevelFailure
			}
		default:
			if !s.found.Image.Pinned() {
				return LevelFailure
			}
		}
	}
	return LevelNotice
}

// annotation tells a spot.
func (p *pins) annotation(f *pinned, s *spot) Annotation {
	first := s.findings[0]
	a := Annotation{
		Path: f.Path, Line: s.start, EndLine: s.end, Level: p.level(f, s), Code: first.Code,
		Title: string(first.Code) + " " + ruleOf(first.Code).Name, Suggestion: s.suggestion,
	}
	if a.Line == a.EndLine && a.Line == first.Position.Line {
		a.Column, a.EndColumn = first.Position.Column, first.End
	}
	var text []string
	for i, found := range s.findings {
		sentence := found.Message + "."
		if i > 0 {
			sentence = string(found.Code) + ": " + sentence
		}
		text = append(text, sentence)
	}
	text = append(text, p.words(f, s, a.Level)...)
	switch {
	case s.suggestion != "":
	case s.shared:
		text = append(text, "The suggestion on the place before pins it, too.")
	default:
		text = append(text, "What to do: "+first.Fix+".")
	}
	a.Message = strings.Join(text, "\n")
	return a
}

// words say what this pull request did, what locks the file, and which ways out are void.
func (p *pins) words(f *pinned, s *spot, level string) []string {
	var text []string
	if s.found != nil && (s.has(Unpinned) || s.has(UnPinning)) {
		text = append(text, map[history]string{
			added:   "This pull request adds it.",
			kept:    "It stood in this file before, and this pull request keeps it.",
			cleared: "This pull request takes the digest away.",
		}[s.history])
	}
	if !f.locked {
		return text
	}
	lock := "Policy " + f.policy + " locks an environment of this file: every image there must be pinned."
	if level != LevelFailure {
		lock = "Policy " + f.policy + " locks an environment of this file, and an exception of it lets this pass."
	}
	text = append(text, lock)
	void := func(what string) { text = append(text, what+", which the policy makes void.") }
	if p.excludes(f.Path) {
		void("pin.exclude names this file")
	}
	if s.found == nil {
		return text
	}
	switch {
	case p.ignores(s.found.Image):
		void("pin.ignore names this image")
	case f.left[s.index]:
		void("A comment on the line says pinnace:ignore")
		text = append(text, "Delete the comment.")
	}
	return text
}

// A history says what a pull request did to a place without a digest.
type history int

const (
	added history = iota
	kept
	cleared
)

// compare says of each spot of a file what became of it since before.
func (p *pins) compare(f *pinned) {
	before := p.before[f.Path]
	if before == nil {
		return
	}
	type place struct {
		document int
		pointer  string
	}
	at := make(map[place]*manifest.Finding, len(before.Result.Findings))
	left := map[string]int{} // how often each unpinned spelling stood there
	for i := range before.Result.Findings {
		b := &before.Result.Findings[i]
		at[place{b.Document, b.Pointer}] = b
		if !b.Image.Pinned() {
			left[b.Text]++
		}
	}
	var moved []*spot
	for _, s := range f.spots {
		if s.found == nil {
			if before.Result.Problem != nil {
				s.history = kept
			}
			continue
		}
		switch b := at[place{s.found.Document, s.found.Pointer}]; {
		case b != nil && !b.Image.Pinned() && b.Text == s.found.Text:
			s.history = kept
			left[b.Text]--
		case b != nil && b.Image.Pinned() && !s.found.Image.Pinned() && b.Image.Repository() == s.found.Image.Repository():
			s.history = cleared
		default:
			moved = append(moved, s)
		}
	}
	// As many as stood elsewhere in the file have moved, the others are new.
	for _, s := range moved {
		if left[s.found.Text] > 0 {
			left[s.found.Text]--
			s.history = kept
		}
	}
}
