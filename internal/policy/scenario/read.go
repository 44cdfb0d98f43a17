package scenario

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/agnivade/levenshtein"
	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/pinnace-dev/pinnace/internal/policy"
)

// What a suite may hold at most.
const (
	maxBytes = 1 << 20
	maxCases = 1000
	maxNodes = 20_000 // of one case
	maxDepth = 30
)

// A place is a line and a column, both from 1.
type place struct{ line, column int }

// A reader turns the YAML of one case into values, strictly: each key is known and written
// once, and there are no anchors.
type reader struct {
	file     string
	nodes    int
	problems policy.Problems
}

func (r *reader) report(n *yaml.Node, format string, args ...any) {
	r.problems = append(r.problems, policy.Problem{File: r.file, Line: n.Line, Column: n.Column, Message: fmt.Sprintf(format, args...)})
}

// document returns the root mapping of a file whose first line is that one of the archive.
func (r *reader) document(data []byte, line int) *yaml.Node {
	start := &yaml.Node{Line: line, Column: 1}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var n, more yaml.Node
	switch err := decoder.Decode(&n); {
	case errors.Is(err, io.EOF):
		r.report(start, "the case is empty: write what is wanted, such as want: passed")
		return nil
	case err != nil:
		r.syntax(err, line)
		return nil
	}
	if err := decoder.Decode(&more); !errors.Is(err, io.EOF) {
		r.report(start, "a second document begins: a case is one document")
		return nil
	}
	shift(&n, line-1)
	r.sound(&n, 0)
	if len(r.problems) > 0 {
		return nil
	}
	if len(n.Content) != 1 || n.Content[0].Kind != yaml.MappingNode {
		r.report(start, "expected keys and values, such as want: passed")
		return nil
	}
	return n.Content[0]
}

// shift moves the positions of a tree down. It follows no alias, and so ends.
func shift(n *yaml.Node, lines int) {
	n.Line += lines
	for _, c := range n.Content {
		shift(c, lines)
	}
}

// sound refuses what is too large, and what means something else than it shows.
func (r *reader) sound(n *yaml.Node, depth int) {
	r.nodes++
	switch {
	case len(r.problems) > 0:
		return
	case depth > maxDepth:
		r.report(n, "values are nested more than %d deep", maxDepth)
	case r.nodes > maxNodes:
		r.report(n, "the case holds more than %d values", maxNodes)
	case n.Kind == yaml.AliasNode:
		r.report(n, "aliases are not supported: write the value out")
	case n.Kind == yaml.MappingNode:
		r.keys(n)
	}
	for _, c := range n.Content {
		r.sound(c, depth+1)
	}
}

// keys refuses keys that are written twice or are no text.
func (r *reader) keys(n *yaml.Node) {
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		switch {
		case k.Kind != yaml.ScalarNode || k.ShortTag() == "!!merge":
			r.report(k, "a key must be text")
		case seen[k.Value]:
			r.report(k, "the key %q is written twice: delete one", k.Value)
		}
		seen[k.Value] = true
	}
}

// syntax reports what the parser said. It knows the line only.
func (r *reader) syntax(err error, first int) {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 1
	if rest, ok := strings.CutPrefix(message, "line "); ok {
		if number, text, ok := strings.Cut(rest, ": "); ok {
			if n, err := strconv.Atoi(number); err == nil {
				line, message = max(n, 1), text
			}
		}
	}
	r.report(&yaml.Node{Line: first + line - 1, Column: 1}, "not valid YAML: %s", strings.ReplaceAll(message, "\n", " "))
}

// A key is one that a mapping may have.
type key struct {
	name string
	read func(r *reader, n *yaml.Node)
}

// mapping reads keys in the order in which they are written. It says whether n is a mapping.
func (r *reader) mapping(n *yaml.Node, keys []key) bool {
	if n.Kind != yaml.MappingNode {
		names := make([]string, len(keys))
		for i, k := range keys {
			names[i] = k.name
		}
		r.report(n, "expected keys and values (%s)", strings.Join(names, ", "))
		return false
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i]
		at := slices.IndexFunc(keys, func(k key) bool { return k.name == name.Value })
		if at < 0 {
			names := make([]string, len(keys))
			for i, k := range keys {
				names[i] = k.name
			}
			r.report(name, "unknown key %q%s", name.Value, hint(name.Value, names))
			continue
		}
		keys[at].read(r, n.Content[i+1])
	}
	return true
}

// text reads text. A number is text as it is written.
func (r *reader) text(n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" {
		r.report(n, "expected text")
		return ""
	}
	return n.Value
}

// word reads one of some words.
func (r *reader) word(n *yaml.Node, words ...string) string {
	w := r.text(n)
	if w != "" && !slices.Contains(words, w) {
		r.report(n, "unknown value %q%s", w, hint(w, words))
		return ""
	}
	return w
}

func (r *reader) truth(n *yaml.Node) bool {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" {
		r.report(n, "expected true or false")
		return false
	}
	return n.Value == "true"
}

func (r *reader) number(n *yaml.Node) int64 {
	v, err := strconv.ParseInt(n.Value, 10, 64)
	if n.Kind != yaml.ScalarNode || err != nil || v < 0 {
		r.report(n, "expected a whole number")
	}
	return v
}

// items returns the items of a list; anything else is a list of itself.
func items(n *yaml.Node) []*yaml.Node {
	switch {
	case n.Kind == yaml.SequenceNode:
		return n.Content
	case n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null":
		return nil
	}
	return []*yaml.Node{n}
}

// texts reads a list of texts, or one text.
func (r *reader) texts(n *yaml.Node) []string {
	all := []string{}
	for _, i := range items(n) {
		all = append(all, r.text(i))
	}
	return all
}

// table reads keys and values that are texts.
func (r *reader) table(n *yaml.Node) map[string]string {
	m := map[string]string{}
	if n.Kind != yaml.MappingNode {
		r.report(n, "expected keys and values")
		return m
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		m[n.Content[i].Value] = r.text(n.Content[i+1])
	}
	return m
}

// value reads any value, as JSON has it.
func (r *reader) value(n *yaml.Node) any {
	var v any
	if err := n.Decode(&v); err != nil {
		r.report(n, "the value cannot be read")
	}
	return v
}

// length reads a length of time.
func (r *reader) length(n *yaml.Node) time.Duration {
	d, err := policy.ParseDuration(n.Value)
	if err != nil {
		r.report(n, "%s", err)
	}
	return time.Duration(d)
}

// when reads a time, or a length before now.
func (r *reader) when(n *yaml.Node) Time {
	t, err := ParseTime(r.text(n))
	if err != nil {
		r.report(n, "%s", err)
	}
	return t
}

// A Time is a moment, or a length before or after now.
type Time struct {
	At       time.Time
	Since    time.Duration // added to now where Relative
	Relative bool
}

func (t Time) of(now time.Time) time.Time {
	if t.Relative {
		return now.Add(t.Since)
	}
	return t.At
}

// ParseTime reads a time such as 2026-11-18T10:00:00Z or 2026-11-18, or a length before or
// after now such as -48h.
func ParseTime(s string) (Time, error) {
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		d, err := policy.ParseDuration(rest)
		return Time{Since: -time.Duration(d), Relative: true}, err
	}
	if rest, ok := strings.CutPrefix(s, "+"); ok {
		d, err := policy.ParseDuration(rest)
		return Time{Since: time.Duration(d), Relative: true}, err
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, s); err == nil {
			return Time{At: at}, nil
		}
	}
	return Time{}, fmt.Errorf("%q is no time: expected one such as 2026-11-18T10:00:00Z, or a length before now such as -48h", s)
}

// hint ends a message about an unknown word.
func hint(word string, known []string) string {
	best, least := "", 1+max(1, min(3, len(word)/3))
	for _, k := range known {
		d := levenshtein.ComputeDistance(strings.ToLower(word), strings.ToLower(k))
		if len(word) >= 3 && strings.HasPrefix(strings.ToLower(k), strings.ToLower(word)) || d == 2 && letters(k) == letters(word) {
			d = min(d, 1) // two letters changed places, or the rest is left out
		}
		if len(word) <= 64 && d < least {
			best, least = k, d
		}
	}
	switch {
	case best != "":
		return ": did you mean " + best + "?"
	case len(known) == 0 || len(known) > 12:
		return ""
	}
	return ": expected " + list(known, "or")
}

// letters returns the bytes of a word in order.
func letters(s string) string {
	b := []byte(strings.ToLower(s))
	slices.Sort(b)
	return string(b)
}

// list spells "a, b or c".
func list(words []string, last string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " " + last + " " + words[len(words)-1]
}
