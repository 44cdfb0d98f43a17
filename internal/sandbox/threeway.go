package sandbox

import (
	"bytes"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/utils/diff"
)

// merged is the three-way merge of two commits' trees; ok is false where they conflict.
func (r *Repository) merged(ours, theirs plumbing.Hash) (tree plumbing.Hash, ok bool) {
	var base plumbing.Hash
	if b := r.mergeBase(ours, theirs); !b.IsZero() {
		base = r.mustAt(b).TreeHash
	}
	return r.mergedTrees(base, r.mustAt(ours).TreeHash, r.mustAt(theirs).TreeHash)
}

func (r *Repository) mergedTrees(base, ours, theirs plumbing.Hash) (plumbing.Hash, bool) {
	b, o, t := r.flat(base), r.flat(ours), r.flat(theirs)
	out := map[string]entry{}
	paths := map[string]bool{}
	for _, m := range []map[string]entry{b, o, t} {
		for p := range m {
			paths[p] = true
		}
	}
	for p := range paths {
		be, bok := b[p]
		oe, ook := o[p]
		te, tok := t[p]
		switch {
		case ook == tok && oe == te, ook != bok || oe != be, tok != bok || te != be:
			switch {
			case ook == tok && oe == te, tok == bok && te == be:
				if ook {
					out[p] = oe
				}
			case ook == bok && oe == be:
				if tok {
					out[p] = te
				}
			default:
				if !ook || !tok || !bok || oe.mode != te.mode {
					return plumbing.ZeroHash, false
				}
				h, ok := r.mergedBlobs(be.hash, oe.hash, te.hash)
				if !ok {
					return plumbing.ZeroHash, false
				}
				out[p] = entry{oe.mode, h}
			}
		default:
			out[p] = be
		}
	}
	for p := range out {
		for dir := p; strings.Contains(dir, "/"); {
			dir = dir[:strings.LastIndex(dir, "/")]
			if _, clash := out[dir]; clash {
				return plumbing.ZeroHash, false
			}
		}
	}
	return r.tree(out), true
}

func (r *Repository) mergedBlobs(base, ours, theirs plumbing.Hash) (plumbing.Hash, bool) {
	var texts [3][]byte
	for i, h := range []plumbing.Hash{base, ours, theirs} {
		text, err := r.bytes(h)
		if err != nil || bytes.IndexByte(text, 0) >= 0 {
			return plumbing.ZeroHash, false
		}
		texts[i] = text
	}
	text, ok := mergeLines(string(texts[0]), string(texts[1]), string(texts[2]))
	if !ok {
		return plumbing.ZeroHash, false
	}
	return r.put(blob(text)), true
}

// A hunk replaces the lines [from, to) of the base.
type hunk struct {
	from, to int
	lines    []string
}

// mergeLines is git's merge of two texts: changes that overlap or touch conflict, unless
// they are equal.
func mergeLines(base, ours, theirs string) (string, bool) {
	a, b := hunks(base, ours), hunks(base, theirs)
	all := slices.Clone(a)
	for _, h := range b {
		clash := false
		for _, x := range a {
			if x.from == h.from && x.to == h.to && slices.Equal(x.lines, h.lines) {
				clash = true
				break
			}
			if h.from <= x.to && x.from <= h.to {
				return "", false
			}
		}
		if !clash {
			all = append(all, h)
		}
	}
	slices.SortFunc(all, func(x, y hunk) int { return x.from - y.from })
	lines := split(base)
	var out strings.Builder
	at := 0
	for _, h := range all {
		for _, l := range lines[at:h.from] {
			out.WriteString(l)
		}
		for _, l := range h.lines {
			out.WriteString(l)
		}
		at = h.to
	}
	for _, l := range lines[at:] {
		out.WriteString(l)
	}
	return out.String(), true
}

// The kinds of a difference, as go-git's diff gives them.
const (
	deleted   = -1
	unchanged = 0
	inserted  = 1
)

func hunks(base, next string) []hunk {
	var list []hunk
	line := 0
	open := false
	for _, d := range diff.Do(base, next) {
		n := split(d.Text)
		switch d.Type {
		case unchanged:
			line += len(n)
			open = false
			continue
		case deleted:
			if !open {
				list = append(list, hunk{from: line, to: line})
			}
			line += len(n)
			list[len(list)-1].to = line
		case inserted:
			if !open {
				list = append(list, hunk{from: line, to: line})
			}
			last := &list[len(list)-1]
			last.lines = append(last.lines, n...)
		}
		open = true
	}
	return list
}

// split cuts a text behind each line feed.
func split(text string) []string {
	if text == "" {
		return nil
	}
	lines := strings.SplitAfter(text, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}
