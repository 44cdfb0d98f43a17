package plan

import (
	"iter"
	"math/bits"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// globs are the globs of environments, found by the directory that they begin with.
type globs map[string][]glob

type glob struct {
	env     int
	pattern string
}

// add adds the globs of an environment.
func (g globs) add(env int, patterns []string) {
	for _, p := range patterns {
		dir, _ := doublestar.SplitPattern(p)
		if strings.ContainsRune(p, '\\') || !doublestar.ValidatePattern(p) {
			dir = "."
		}
		g[dir] = append(g[dir], glob{env, p})
	}
}

// of returns the environments of which a glob matches a path, as config.EnvironmentsOf
// does.
func (g globs) of(name string) set {
	var out set
	look := func(dir string) {
		for _, c := range g[dir] {
			if out.has(c.env) {
				continue
			}
			if ok, err := doublestar.Match(c.pattern, name); ok && err == nil {
				out.add(c.env)
			}
		}
	}
	look(".")
	look(name)
	for dir := range parents(name) {
		look(dir)
	}
	return out
}

// A set is a set of small numbers.
type set []uint64

func (s *set) add(i int) {
	for len(*s) <= i/64 {
		*s = append(*s, 0)
	}
	(*s)[i/64] |= 1 << (i % 64)
}

func (s set) has(i int) bool { return i/64 < len(s) && s[i/64]&(1<<(i%64)) != 0 }

func (s *set) join(other set) {
	for len(*s) < len(other) {
		*s = append(*s, 0)
	}
	for i, word := range other {
		(*s)[i] |= word
	}
}

func (s set) empty() bool { return s.len() == 0 }

func (s set) len() int {
	n := 0
	for _, word := range s {
		n += bits.OnesCount64(word)
	}
	return n
}

// all yields the numbers in order.
func (s set) all() iter.Seq[int] {
	return func(yield func(int) bool) {
		for w, word := range s {
			for ; word != 0; word &= word - 1 {
				if !yield(w*64 + bits.TrailingZeros64(word)) {
					return
				}
			}
		}
	}
}
