package smarthttp

import (
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// A push is what a client asks to be done, before its pack.
type push struct {
	commands []Command
	shallows set // commits whose parents the client lacks
	caps     map[string]string
}

const (
	maxCommands = 1000
	maxShallows = 10_000
	maxPush     = 64 << 20 // bytes of a push
)

// readPush reads the commands of a push. A client that sends nothing, or nothing but
// a flush, asks whether it may push.
// https://git-scm.com/docs/gitprotocol-pack#_reference_update_request_and_packfile_transfer
func readPush(r *reader) (*push, error) {
	p := &push{shallows: set{}, caps: map[string]string{}}
	for {
		kind, line, err := r.next()
		if err != nil {
			return nil, err
		}
		if kind == flush || kind == end && len(p.commands) == 0 && len(p.shallows) == 0 {
			return p, nil
		}
		if kind != data {
			return nil, malformed("the push ends among its commands")
		}
		text := string(line)
		if id, ok := strings.CutPrefix(text, "shallow "); ok {
			h, ok := hash(id)
			if !ok {
				return nil, malformed("protocol error: expected shallow sha, got %.100q", id)
			}
			if p.shallows[h] = true; len(p.shallows) > maxShallows {
				return nil, malformed("a push has more than %d shallow lines", maxShallows)
			}
			continue
		}
		if len(p.commands) == 0 {
			var caps string
			text, caps, _ = strings.Cut(text, "\x00")
			if p.caps, err = capabilities(caps); err != nil {
				return nil, err
			}
		}
		c, err := readUpdate(strings.TrimSuffix(text, "\n"))
		if err != nil {
			return nil, err
		}
		if p.commands = append(p.commands, c); len(p.commands) > maxCommands {
			return nil, malformed("a push has more than %d commands", maxCommands)
		}
	}
}

// readUpdate reads "old new ref".
func readUpdate(line string) (c Command, err error) {
	before, rest, _ := strings.Cut(line, " ")
	after, name, _ := strings.Cut(rest, " ")
	var ok, also bool
	c.Old, ok = hash(before)
	c.New, also = hash(after)
	c.Ref = name
	if !ok || !also || name == "" {
		return c, malformed("protocol error: expected old/new/ref, got %.200q", line)
	}
	return c, nil
}

// deletes reports whether every command deletes, so that no pack follows.
func (p *push) deletes() bool {
	for _, c := range p.commands {
		if !c.New.IsZero() {
			return false
		}
	}
	return true
}

func (p *push) offers(capability string) bool {
	_, ok := p.caps[capability]
	return ok
}

// A file system takes a reference whose name, and whose parts between slashes, are no
// longer.
const (
	maxName = 4096
	maxPart = 255
)

// funny reports whether a name is none that a reference may have.
// https://git-scm.com/docs/git-check-ref-format
func funny(name string) bool {
	if len(name) > maxName || !strings.HasPrefix(name, "refs/") || strings.Count(name, "/") < 2 || plumbing.ReferenceName(name).Validate() != nil {
		return true
	}
	for _, part := range strings.Split(name, "/") {
		if len(part) > maxPart {
			return true
		}
	}
	return strings.ContainsFunc(name, func(r rune) bool { return r < 0x20 || r == 0x7f })
}
