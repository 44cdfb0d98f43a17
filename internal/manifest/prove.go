package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/pinnace-dev/pinnace/internal/image"
)

// prove holds the new bytes to the old ones: the bytes outside the splices are equal,
// the trees are equal but for the targets, and a second scan finds what was asked and
// everything else as it was.
func prove(old, data []byte, f Format, extra []Extra, before scanned, splices []splice, wants map[int]image.Ref) error {
	if err := proveBytes(old, data, splices); err != nil {
		return err
	}
	if json.Valid(old) && !json.Valid(data) {
		return errors.New("the result is no longer JSON")
	}
	after := scan(data, f, extra, decode)
	if after.problem != nil {
		return fmt.Errorf("the result cannot be read: %w", after.problem)
	}
	if err := proveTrees(before.docs, after.docs, splices); err != nil {
		return err
	}
	found, err := takeAdded(after.found, addedBy(splices))
	switch {
	case err != nil:
		return err
	case len(found) != len(before.found):
		return fmt.Errorf("%d images stand in the result, %d before", len(found), len(before.found))
	}
	for i := range before.found {
		a, b := found[i], before.found[i]
		want, target := wants[i]
		switch {
		case a.Pointer != b.Pointer || a.Document != b.Document || a.Place != b.Place:
			return fmt.Errorf("%s became %s", b.Pointer, a.Pointer)
		case target && !reads(a, want):
			return fmt.Errorf("%s holds %s, not %s", a.Pointer, a.Image, want)
		case !target && a.Image != b.Image && a.Problem == nil:
			return fmt.Errorf("%s changed to %s, which nobody asked", a.Pointer, a.Image)
		}
	}
	return nil
}

// reads says whether a finding holds the reference, with its tag in the value or in the
// comment beside it.
func reads(c candidate, want image.Ref) bool {
	if c.Image == want {
		return true
	}
	if c.TagComment == want.Tag {
		want.Tag = ""
	}
	return c.Image == want
}

func proveBytes(old, data []byte, splices []splice) error {
	i, j := 0, 0
	for _, s := range splices {
		n := s.span.Start - i
		if j+n > len(data) || !bytes.Equal(old[i:s.span.Start], data[j:j+n]) {
			return fmt.Errorf("bytes before %d differ", s.span.Start)
		}
		i, j = s.span.End, j+n+len(s.text)
	}
	if j > len(data) || !bytes.Equal(old[i:], data[j:]) {
		return fmt.Errorf("bytes after %d differ", i)
	}
	return nil
}

// A proof compares two trees.
type proof struct {
	targets  map[Position]string // scalar -> its new value
	inserted map[Position]splice // scalar -> the key added after its line
	comments map[int]string      // line -> the comment added to it
	breaks   []int               // lines after which one was added, sorted
	loose    bool                // comments may have moved from node to node
	added    *addition           // entries at the end of a list
}

// addedBy returns what the splices add at the end of a list, or nil.
func addedBy(splices []splice) *addition {
	for _, s := range splices {
		if s.added != nil {
			return s.added
		}
	}
	return nil
}

func proveTrees(before, after []*yaml.Node, splices []splice) error {
	if len(before) != len(after) {
		return fmt.Errorf("%d documents became %d", len(before), len(after))
	}
	p := &proof{targets: map[Position]string{}, inserted: map[Position]splice{}, comments: map[int]string{}}
	p.added = addedBy(splices)
	for _, s := range splices {
		switch {
		case s.added != nil:
			for range s.added.lines {
				p.breaks = append(p.breaks, s.added.line)
			}
			p.loose = true
		case s.key != "":
			p.inserted[s.node] = s
			p.breaks = append(p.breaks, s.node.Line)
			p.loose = true
		case s.comment != "":
			p.comments[s.node.Line] = s.comment
		default:
			p.targets[s.node] = s.value
		}
	}
	slices.Sort(p.breaks)
	for i := range before {
		if err := p.equal(before[i], after[i]); err != nil {
			return err
		}
	}
	if p.added != nil {
		return errors.New("the entries that were asked are not there")
	}
	if p.loose {
		a, b := comments(nil, before...), comments(nil, after...)
		slices.Sort(a)
		slices.Sort(b)
		if !slices.Equal(a, b) {
			return fmt.Errorf("a comment was lost or made")
		}
	}
	return nil
}

// equal compares two nodes and all below them. Aliases are compared by name.
func (p *proof) equal(a, b *yaml.Node) error {
	at := Position{a.Line, a.Column}
	fail := func(what string) error { return fmt.Errorf("line %d: the %s of a value changed", a.Line, what) }
	want, target := p.targets[at]
	target = target && a.Kind == yaml.ScalarNode
	switch {
	case a.Kind != b.Kind:
		return fail("kind")
	case a.Anchor != b.Anchor:
		return fail("anchor")
	case b.Line != p.line(a.Line) && a.Line != 0:
		return fail("line")
	case target && b.Value != want:
		return fmt.Errorf("line %d: reads %q, not %q", a.Line, b.Value, want)
	case target && b.Tag != "!!str" && a.Tag == "!!str":
		return fail("type")
	case !target && a.Value != b.Value:
		return fail("text")
	case !target && a.Tag != b.Tag:
		return fail("type")
	case !target && a.Style != b.Style:
		return fail("style")
	case !p.loose && (a.HeadComment != b.HeadComment || a.FootComment != b.FootComment || !p.sameComment(a, b)):
		return fail("comment")
	}
	return p.children(a, b)
}

func (p *proof) children(a, b *yaml.Node) error {
	j := 0
	for i, child := range a.Content {
		if j >= len(b.Content) {
			return fmt.Errorf("line %d: a value was lost", child.Line)
		}
		if err := p.equal(child, b.Content[j]); err != nil {
			return err
		}
		j++
		s, ok := p.inserted[Position{child.Line, child.Column}]
		if !ok || a.Kind != yaml.MappingNode || i%2 == 0 {
			continue
		}
		if j+1 >= len(b.Content) || b.Content[j].Value != s.key || b.Content[j+1].Value != s.value || b.Content[j+1].Tag != "!!str" {
			return fmt.Errorf("line %d: key %s is not where it was added", child.Line, s.key)
		}
		j += 2
	}
	if rest := b.Content[j:]; len(rest) > 0 {
		if !p.added.isAddition(a, rest) {
			return fmt.Errorf("line %d: a value was made", a.Line)
		}
		p.added = nil
	}
	return nil
}

// sameComment compares the comments at the ends of two lines.
func (p *proof) sameComment(a, b *yaml.Node) bool {
	if a.LineComment == b.LineComment {
		return true
	}
	added, ok := p.comments[a.Line]
	if !ok {
		return false
	}
	return strings.TrimSpace(strings.TrimPrefix(b.LineComment, "#")) == added
}

// line returns where a line of the old text stands in the new one.
func (p *proof) line(old int) int {
	n, _ := slices.BinarySearch(p.breaks, old)
	return old + n
}

// comments collects every line of every comment.
func comments(all []string, nodes ...*yaml.Node) []string {
	for _, n := range nodes {
		for _, c := range []string{n.HeadComment, n.LineComment, n.FootComment} {
			for line := range strings.SplitSeq(c, "\n") {
				if line = strings.TrimSpace(line); line != "" {
					all = append(all, line)
				}
			}
		}
		all = comments(all, n.Content...)
	}
	return all
}
