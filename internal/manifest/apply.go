package manifest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/pinnace-dev/pinnace/internal/image"
)

// An Edit asks that the image at one finding be written anew, or that an entry be inserted
// into the images of a kustomization.
type Edit struct {
	Document int       // as the Finding has it
	Pointer  string    // as the Finding has it; Insertion
	Old      image.Ref // what must stand there; where Insert is set it is not looked at
	New      image.Ref // what is to stand there: another tag, another digest
	Style    Style     // TagAndDigest where empty
	// Insert asks for an entry behind the others, with New's name as the name that it applies
	// to, newTag where New has a tag, and digest. The list images is made where there is none.
	Insert bool
}

// ErrChanged says that the bytes are not those that were scanned.
var ErrChanged = errors.New("the file has changed since it was read")

// ErrProof says that an edit would have changed something else, so that nothing was
// changed.
var ErrProof = errors.New("the edit could not be proved to change the images alone")

// Apply returns data with the edits made and proved. Equal bytes come back where no edit
// changes anything. An edit of a place that cannot be edited is an error, and so are one
// whose Old does not stand there and an insertion where an entry has the name already; in
// each case nothing is changed. Entries are inserted in the order of their names.
func Apply(data []byte, f Format, edits []Edit, extra ...Extra) ([]byte, error) {
	before := scan(data, f, extra, decode)
	if before.problem != nil {
		return nil, before.problem
	}
	type key struct {
		document int
		pointer  string
	}
	index := make(map[key]int, len(before.found))
	for i, c := range before.found {
		index[key{c.Document, c.Pointer}] = i
	}
	wants := make(map[int]image.Ref, len(edits))
	var splices []splice
	var inserts []Edit
	for _, e := range edits {
		if e.Insert {
			inserts = append(inserts, e)
			continue
		}
		i, ok := index[key{e.Document, e.Pointer}]
		if !ok || before.found[i].Image != e.Old {
			return nil, fmt.Errorf("edit %s: %w", e.Pointer, ErrChanged)
		}
		c := before.found[i]
		if !c.Editable() {
			return nil, fmt.Errorf("edit %s on line %d: %w", e.Pointer, c.Position.Line, cmp.Or[error](errorOf(c.Problem), errIgnored))
		}
		if e.New.Name != e.Old.Name {
			return nil, fmt.Errorf("edit %s: the name %s cannot become %s", e.Pointer, e.Old.Name, e.New.Name)
		}
		if e.New == e.Old {
			continue
		}
		if _, twice := wants[i]; twice {
			return nil, fmt.Errorf("edit %s: asked twice", e.Pointer)
		}
		made, p := c.form.splices(before.lines, e.New, e.Style)
		if p != nil {
			return nil, fmt.Errorf("edit %s on line %d: %w", e.Pointer, c.Position.Line, p)
		}
		wants[i] = e.New
		splices = append(splices, made...)
	}
	if len(inserts) > 0 {
		made, err := insert(before, f, inserts)
		if err != nil {
			return nil, err
		}
		splices = append(splices, made)
	}
	if len(splices) == 0 {
		return data, nil
	}
	after, err := cutIn(data, splices)
	if err != nil {
		return nil, err
	}
	if err := prove(data, after, f, extra, before, splices, wants); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProof, err)
	}
	return after, nil
}

var errIgnored = errors.New("a comment on the line asks to leave it alone")

func errorOf(p *Problem) error {
	if p == nil {
		return nil
	}
	return p
}

// cutIn replaces the spans, which it sorts.
func cutIn(data []byte, splices []splice) ([]byte, error) {
	slices.SortStableFunc(splices, func(a, b splice) int {
		return cmp.Or(cmp.Compare(a.span.Start, b.span.Start), cmp.Compare(a.span.End, b.span.End))
	})
	size, last := len(data), 0
	for _, s := range splices {
		if s.span.Start < last || s.span.End < s.span.Start || s.span.End > len(data) {
			return nil, fmt.Errorf("%w: two edits overlap at byte %d", ErrProof, s.span.Start)
		}
		last = s.span.End
		size += len(s.text) - (s.span.End - s.span.Start)
	}
	out := make([]byte, 0, size)
	last = 0
	for _, s := range splices {
		out = append(out, data[last:s.span.Start]...)
		out = append(out, s.text...)
		last = s.span.End
	}
	return append(out, data[last:]...), nil
}
