package reconcile

import (
	"iter"
	"maps"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/git"
)

// paths say what is at each path of a commit. Those of the next commit share what is the
// same in both.
type paths struct {
	base    map[string]presence // shared, and never changed
	changed map[string]presence // over base; never changed either
}

// A presence is what stands at a path. Of a directory it is nothing.
type presence uint8

const (
	nothing presence = iota
	regular
	hostile // an entry with a problem, which is neither read nor entered
)

func presenceOf(e git.Entry) presence {
	switch {
	case e.Path == "":
		return nothing
	case e.Problem != nil:
		return hostile
	}
	return regular
}

func newPaths(entries map[string]git.Entry) *paths {
	p := &paths{base: make(map[string]presence, len(entries))}
	for name, e := range entries {
		p.base[name] = presenceOf(e)
	}
	return p
}

// next returns the paths after some entries have changed; a zero entry is gone.
func (p *paths) next(changed map[string]git.Entry) *paths {
	if len(changed) == 0 {
		return p
	}
	over := make(map[string]presence, len(p.changed)+len(changed))
	maps.Copy(over, p.changed)
	for name, e := range changed {
		over[name] = presenceOf(e)
	}
	if len(over) < 100+len(p.base)/10 {
		return &paths{p.base, over}
	}
	base := maps.Clone(p.base)
	for name, is := range over {
		if base[name] = is; is == nothing {
			delete(base, name)
		}
	}
	return &paths{base: base}
}

func (p *paths) at(name string) presence {
	if is, ok := p.changed[name]; ok {
		return is
	}
	return p.base[name]
}

// has says whether there is a file at a path, or something that stands in its way. It is
// what git.Snapshot.Lookup says, without reading a tree.
func (p *paths) has(name string) bool {
	if p.at(name) != nothing {
		return true
	}
	for i := strings.LastIndexByte(name, '/'); i > 0; i = strings.LastIndexByte(name[:i], '/') {
		if p.at(name[:i]) == hostile {
			return true
		}
	}
	return false
}

// all yields the paths of what there is, in no order.
func (p *paths) all() iter.Seq[string] {
	return func(yield func(string) bool) {
		for name := range p.base {
			if _, over := p.changed[name]; !over && !yield(name) {
				return
			}
		}
		for name, is := range p.changed {
			if is != nothing && !yield(name) {
				return
			}
		}
	}
}
