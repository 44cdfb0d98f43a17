package smarthttp

import (
	"errors"
	"fmt"
	"sort"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// check returns how a want is refused, or "". Refs are all that the repository has.
func (r *Repository) check(g *history, wants []plumbing.Hash, refs []ref) (string, error) {
	tips := set{}
	for _, x := range refs {
		tips[x.hash], tips[x.peeled] = true, true
	}
	var reachable set
	for _, h := range wants {
		switch {
		case !g.has(h):
			return notOurRef(h), nil
		case r.AllowAnySHA1InWant || tips[h]:
			continue
		case reachable == nil:
			// A reference may have moved on since it was advertised.
			commits, err := g.tips(named(refs))
			if err != nil {
				return "", err
			}
			if reachable, err = g.before(commits); err != nil {
				return "", err
			}
		}
		if !reachable[h] {
			return notOurRef(h), nil
		}
	}
	return "", nil
}

func notOurRef(h plumbing.Hash) string { return "upload-pack: not our ref " + h.String() }

// common returns which of the haves are here, in their order.
func (g *history) common(haves []plumbing.Hash) []plumbing.Hash {
	var both []plumbing.Hash
	for _, h := range haves {
		if g.has(h) {
			both = append(both, h)
		}
	}
	return both
}

// suffices returns how many of the haves in common it takes so that each want has one
// before it, and more haves would not spare much; or one more than there are.
func (f *fetch) suffices(common []plumbing.Hash) (int, error) {
	wants := append(f.wants[:len(f.wants):len(f.wants)], f.edge.revealed...)
	enough := func(n int) (bool, error) {
		if n == 0 {
			return false, nil
		}
		return f.reaches(wants, setOf(common[:n]), f.edge.after)
	}
	all, err := enough(len(common))
	if err != nil || !all {
		return len(common) + 1, err
	}
	n := sort.Search(len(common), func(n int) bool {
		ok, failed := enough(n)
		err = errors.Join(err, failed)
		return ok
	})
	return n, err
}

// acknowledge answers the haves of a request of version 0, as git does for a
// stateless client: each request is answered whole, and pack says that what follows
// is the pack.
// https://git-scm.com/docs/gitprotocol-pack#_packfile_negotiation
func (f *fetch) acknowledge(q *request) (lines []string, pack bool, err error) {
	detailed, multi := q.offers("multi_ack_detailed"), q.offers("multi_ack")
	multi = multi || detailed
	known, spared := "continue", "continue"
	if detailed {
		known, spared = "common", "ready"
	}
	ack := func(h plumbing.Hash, word string) {
		lines = append(lines, strings.TrimSuffix(fmt.Sprintf("ACK %s %s", h, word), " ")+"\n")
	}
	common := f.common(q.haves)
	ours := setOf(common)
	suffices := len(common) + 1
	if multi {
		if suffices, err = f.suffices(common); err != nil {
			return nil, false, err
		}
	}
	var last plumbing.Hash
	met, several := 0, false // met is how many of common were gone through
	other, ready := false, false
	for _, h := range q.haves {
		if !ours[h] {
			other = true
			if met >= suffices {
				ready = detailed
				ack(h, spared)
			}
			continue
		}
		met++
		several = several || h != common[0]
		switch {
		case multi:
			last = h
			ack(h, known)
		case !several:
			ack(h, "")
		}
	}
	if q.done {
		switch {
		case len(common) == 0:
			lines = append(lines, "NAK\n")
		case multi:
			ack(last, "")
		}
		return lines, true, nil
	}
	if detailed && !other && met >= suffices {
		ready = true
		ack(last, "ready")
	}
	if len(common) == 0 || multi {
		lines = append(lines, "NAK\n")
	}
	if ready && q.offers("no-done") {
		ack(last, "")
		return lines, true, nil
	}
	return lines, false, nil
}
