package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
)

const (
	allHistory = 2147483647 // https://git-scm.com/docs/shallow.html: "infinite"
	maxWants   = 1000
	maxHaves   = 256
	maxBack    = 512    // commits behind a tip, for haves
	maxTrim    = 50_000 // commits walked to trim the boundary
)

// A Fetch says what is wanted.
type Fetch struct {
	// Refs are full names (refs/pull/7/head), heads/x, tags/x, HEAD, or ids of 40 digits,
	// which not every server gives out.
	Refs []string
	// Prefixes select what is wanted besides: each ref whose full name begins so, as many as
	// there are. Those here that are gone upstream are forgotten.
	Prefixes []string
	// Depth is how many commits of each ref's history are wanted, 0 for all. A server that
	// cannot cut history sends all of it.
	Depth int
}

// Fetched says what came.
type Fetched struct {
	Refs    map[string]Hash // by the names asked for
	Changed bool            // a ref is elsewhere than at the last fetch, or history grew
	Objects int             // in the pack that was sent
	Bytes   int64           // of that pack
}

// Fetch brings refs up to date with a remote. One request lists the refs; where they have
// not moved and history is deep enough, it is the only one. Else a second one brings a
// pack of what is not here yet. A branch that was forced elsewhere is followed.
//
// A ref that the remote lacks is ErrNoRef, whose error names it, and is forgotten here;
// nothing is fetched then.
func (r *Repository) Fetch(ctx context.Context, m Remote, f Fetch) (Fetched, error) {
	out, err := r.fetch(ctx, m, f)
	if err != nil {
		return Fetched{}, fmt.Errorf("fetching: %w", err)
	}
	return out, nil
}

func (r *Repository) fetch(ctx context.Context, m Remote, f Fetch) (Fetched, error) {
	if len(f.Refs)+len(f.Prefixes) == 0 {
		return Fetched{}, errors.New("no ref is named")
	}
	for _, name := range f.Refs {
		if plumbing.IsHash(name) || name == "HEAD" {
			continue
		}
		if err := checkRefName(fullName(name)); err != nil {
			return Fetched{}, err
		}
	}
	s, err := m.session(ctx)
	if err != nil {
		return Fetched{}, err
	}
	r.fetching.Lock()
	defer r.fetching.Unlock()
	l, err := s.list(ctx, uploadPack, r.limits)
	if err != nil {
		return Fetched{}, err
	}
	names := slices.Clone(f.Refs)
	for name := range l.refs {
		if f.selects(name) && !slices.Contains(f.Refs, name) {
			names = append(names, name)
		}
	}
	if len(names) > maxWants {
		return Fetched{}, &LimitError{What: "refs to fetch at once", Max: maxWants, Size: int64(len(names))}
	}
	out := Fetched{Refs: map[string]Hash{}}
	stored := map[string]Hash{} // where the refs will be
	for _, name := range names {
		key, h, ok := l.resolve(name)
		if !ok {
			err := error(&RefError{name})
			return Fetched{}, errors.Join(err, r.forget(key))
		}
		out.Refs[name], stored[key] = h, h
		if old, ok := r.refs[key]; !ok || old != h {
			out.Changed = true
		}
	}
	if wants := r.wanted(stored, f.Depth); len(wants) > 0 {
		if out.Objects, out.Bytes, err = r.receive(ctx, s, l, wants, f.Depth); err != nil {
			return Fetched{}, err
		}
		out.Changed = true
	}
	refs := maps.Clone(r.refs)
	maps.DeleteFunc(refs, func(name string, _ Hash) bool { return f.selects(name) })
	maps.Copy(refs, stored)
	if out.Changed = out.Changed || len(refs) < len(r.refs); !out.Changed {
		return out, nil
	}
	if err := r.keepRefs(refs); err != nil {
		return Fetched{}, err
	}
	return out, r.merge()
}

// selects says whether a ref begins with one of the prefixes.
func (f Fetch) selects(name string) bool {
	return slices.ContainsFunc(f.Prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

// resolve returns where a ref is, and its key among the refs kept here.
func (l *listing) resolve(name string) (key string, h Hash, ok bool) {
	switch {
	case plumbing.IsHash(name):
		h = plumbing.NewHash(name)
		return want + h.String(), h, true
	case name == "HEAD":
		if at, ok := l.refs[l.head]; ok {
			return l.head, at, true
		}
		return "refs/HEAD/head", l.headAt, !l.headAt.IsZero()
	}
	key = fullName(name)
	h, ok = l.refs[key]
	return key, h, ok
}

// wanted returns the tips to ask for, if no ref here is at one of them, or history has to
// grow behind one. Where history is cut they are all asked for: the server counts depth
// from the wants alone, and would else cut what is here behind another tip.
func (r *Repository) wanted(refs map[string]Hash, depth int) (wants []Hash) {
	here := map[Hash]bool{}
	for _, h := range r.tips() {
		here[h] = true
	}
	var all []Hash
	for _, h := range refs {
		all = append(all, h)
		if !here[h] || r.cutBefore(h, depth) {
			wants = append(wants, h)
		}
	}
	if len(wants) > 0 && depth > 0 {
		wants = all
	}
	slices.SortFunc(wants, func(a, b Hash) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(wants)
}

// tips returns what is here with all that it needs, up to the boundary.
func (r *Repository) tips() []Hash {
	var out []Hash
	for _, name := range slices.Sorted(maps.Keys(r.refs)) {
		out = append(out, r.refs[name])
	}
	if r.checkout != nil && !r.checkout.partial {
		if _, h, err := r.Head(); err == nil {
			out = append(out, h)
		}
	}
	return out
}

// cutBefore says whether history behind h ends at the boundary before it is depth deep.
func (r *Repository) cutBefore(h Hash, depth int) bool {
	if len(r.shallow) == 0 {
		return false
	}
	seen := map[Hash]bool{h: true}
	level := []Hash{h}
	for d := 1; len(level) > 0 && (depth == 0 || d < depth); d++ {
		var next []Hash
		for _, c := range level {
			info, err := r.peeled(c)
			if err != nil {
				return false
			}
			if r.shallow[info.Hash] {
				return true
			}
			for _, p := range info.Parents {
				if !seen[p] {
					seen[p] = true
					next = append(next, p)
				}
			}
		}
		level = next
	}
	return false
}

// receive asks for wants and takes the answer in. The boundary is written before any ref
// is, so that a killed run leaves no ref behind that promises more than is here.
func (r *Repository) receive(ctx context.Context, s *session, l *listing, wants []Hash, depth int) (int, int64, error) {
	cuts := l.offers(capability.Shallow) && (depth > 0 || len(r.shallow) > 0)
	answer, err := s.call(ctx, uploadPack, r.request(l, wants, depth, cuts))
	if err != nil {
		return 0, 0, err
	}
	defer answer.Close()
	raw := &bounded{r: answer, left: r.limits.PackSize + r.limits.PackSize/64 + 1<<20, what: "bytes in a pack"}
	boundary := maps.Clone(r.shallow)
	pack, err := openPackAnswer(raw, cuts, func(word string, h Hash) {
		if word == "shallow" {
			boundary[h] = true
		} else {
			delete(boundary, h)
		}
	})
	var objects int
	var size int64
	if err == nil {
		objects, size, err = r.take(ctx, pack)
	}
	if err != nil {
		return 0, 0, s.received(raw.err, err, wants)
	}
	for _, h := range wants {
		if err := r.arrived(h); err != nil {
			return 0, 0, fmt.Errorf("%s did not send what was asked for: %w", s.host, err)
		}
	}
	return objects, size, r.keepBoundary(boundary)
}

// request encodes what is wanted and what is here
// (https://git-scm.com/docs/gitprotocol-pack#_packfile_negotiation). All haves and "done"
// go into one request: the server takes the nearest of them for common.
func (r *Repository) request(l *listing, wants []Hash, depth int, cuts bool) []byte {
	var b bytes.Buffer
	e := pktline.NewEncoder(&b)
	line := func(format string, args ...any) {
		_ = e.Encodef(format, args...) // a bytes.Buffer takes all, and no line is long
	}
	caps := []string{"agent=" + strings.ReplaceAll(agent, " ", "-")}
	for _, c := range []capability.Capability{
		capability.MultiACKDetailed, capability.Sideband64k, capability.ThinPack, capability.NoProgress, capability.OFSDelta, capability.Shallow,
	} {
		if l.offers(c) {
			caps = append(caps, c.String())
		}
	}
	for i, h := range wants {
		if i == 0 {
			line("want %s %s\n", h, strings.Join(caps, " "))
		} else {
			line("want %s\n", h)
		}
	}
	if cuts {
		for h := range r.shallow {
			line("shallow %s\n", h)
		}
		if depth == 0 {
			depth = allHistory
		}
		line("deepen %d\n", depth)
	}
	_ = e.Flush()
	for _, h := range r.haves() {
		line("have %s\n", h)
	}
	line("done\n")
	return b.Bytes()
}

// haves returns commits that are here with all that they need: the tips, and where
// history is whole some of their ancestors, ever farther apart, for a branch that was
// forced back behind its old tip.
func (r *Repository) haves() []Hash {
	var out []Hash
	seen := map[Hash]bool{}
	add := func(h Hash) {
		if !seen[h] && len(out) < maxHaves {
			seen[h] = true
			out = append(out, h)
		}
	}
	for _, tip := range r.tips() {
		if info, err := r.peeled(tip); err == nil {
			add(info.Hash)
		}
	}
	if len(r.shallow) > 0 {
		return out
	}
	for _, tip := range slices.Clone(out) {
		h := tip
		for step, next := 1, 1; step <= maxBack; step++ {
			info, err := r.ReadCommit(h)
			if err != nil || len(info.Parents) == 0 {
				break
			}
			if h = info.Parents[0]; step == next {
				if seen[h] {
					break
				}
				add(h)
				next += 1 + next/8
			}
		}
	}
	return out
}

// received names the cause of an answer that could not be taken in.
func (s *session) received(below, err error, wants []Hash) error {
	var said string
	var line *pktline.ErrorLine
	var beside *errBand
	switch {
	case errors.As(err, &line):
		said = clean(line.Text, 300)
	case errors.As(err, &beside):
		said = beside.text
	case below != nil && !errors.Is(below, io.EOF):
		return below
	case errors.Is(err, ErrLimit), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(below, io.EOF) && (errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errShort)):
		return fmt.Errorf("%s: %w: its answer ends too early", s.host, ErrTransient)
	case errors.Is(err, pktline.ErrInvalidPktLen):
		return fmt.Errorf("%s: %w", s.host, corrupt("its answer is not of lines with a length"))
	default:
		return err
	}
	if strings.Contains(said, "not our ref") {
		for _, h := range wants {
			if strings.Contains(said, h.String()) {
				return fmt.Errorf("%s does not give it out: %w", s.host, &RefError{h.String()})
			}
		}
	}
	return fmt.Errorf("%s: %w: it says: %s", s.host, ErrTransient, said)
}

// arrived says whether a tip is here, with its tree.
func (r *Repository) arrived(h Hash) error {
	info, err := r.peeled(h)
	if err != nil {
		return err
	}
	if k, _, err := r.stat(info.Tree); err != nil || k != plumbing.TreeObject {
		return fmt.Errorf("tree %s of commit %s: %w", info.Tree, info.Hash, ErrMissing)
	}
	return nil
}

func (r *Repository) keepBoundary(shallow map[Hash]bool) error {
	if maps.Equal(shallow, r.shallow) {
		return nil
	}
	if r.mirror != nil {
		if err := r.mirror.writeShallow(shallow); err != nil {
			return fmt.Errorf("keeping the boundary: %w", err)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.shallow = shallow
	return nil
}

func (r *Repository) keepRefs(refs map[string]Hash) error {
	if r.mirror != nil {
		if err := r.mirror.writeRefs(refs); err != nil {
			return fmt.Errorf("keeping refs: %w", err)
		}
	}
	r.mu.Lock()
	r.refs = refs
	r.mu.Unlock()
	return r.trim()
}

// trim takes commits out of the boundary that no ref leads to any more.
func (r *Repository) trim() error {
	if len(r.shallow) <= 16+4*len(r.refs) {
		return nil
	}
	kept := map[Hash]bool{}
	seen := map[Hash]bool{}
	stack := r.tips()
	for len(stack) > 0 {
		h := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if seen[h] {
			continue
		}
		seen[h] = true
		info, err := r.peeled(h)
		if err != nil || len(seen) > maxTrim {
			return nil
		}
		if r.shallow[info.Hash] {
			kept[info.Hash] = true
			continue
		}
		stack = append(stack, info.Parents...)
	}
	return r.keepBoundary(kept)
}

// Forget lets go of refs, so that their history is no longer built upon. Names that are
// not here are passed over.
func (r *Repository) Forget(names ...string) error {
	r.fetching.Lock()
	defer r.fetching.Unlock()
	keys := make([]string, len(names))
	for i, name := range names {
		if keys[i] = fullName(name); plumbing.IsHash(name) {
			keys[i] = want + plumbing.NewHash(name).String()
		}
	}
	return r.forget(keys...)
}

func (r *Repository) forget(keys ...string) error {
	refs := maps.Clone(r.refs)
	for _, k := range keys {
		delete(refs, k)
	}
	if len(refs) == len(r.refs) {
		return nil
	}
	return r.keepRefs(refs)
}
