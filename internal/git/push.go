package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
)

const maxReport = 1 << 20

// A Push moves one ref of a remote from one place to another.
type Push struct {
	Ref    string // full name, or heads/x
	Old    Hash   // where the ref has to be; zero: it must not exist
	New    Hash   // where it is to be; of no meaning with Delete
	Delete bool
	// Objects are what the remote does not have: what WriteTree and Commit made. New is
	// sent with them if it was written here. Nil stands for what New, and those of its
	// ancestors that were written here, hold and their parents do not.
	Objects []Hash
}

// Push asks the remote to move a ref, which it does only if the ref is at Old at that
// moment: a *LeaseError says that it is not. A *RefusedError is the remote's own no. After
// ErrTransient nobody knows whether the ref has moved: list the refs.
func (r *Repository) Push(ctx context.Context, m Remote, p Push) error {
	if err := r.push(ctx, m, p); err != nil {
		return fmt.Errorf("pushing %s: %w", clean(p.Ref, 100), err)
	}
	return nil
}

func (r *Repository) push(ctx context.Context, m Remote, p Push) error {
	p.Ref = fullName(p.Ref)
	if err := checkRefName(p.Ref); err != nil {
		return err
	}
	if p.Delete {
		p.New = Hash{}
	}
	if p.New.IsZero() != p.Delete || p.New == p.Old {
		return errors.New("it has nowhere to go: New is zero, or equal to Old")
	}
	s, err := m.session(ctx)
	if err != nil {
		return err
	}
	l, err := s.list(ctx, receivePack, r.limits)
	if err != nil {
		return err
	}
	if actual := l.refs[p.Ref]; actual != p.Old {
		return &LeaseError{Ref: p.Ref, Expected: p.Old, Actual: actual, Known: true}
	}
	body, sent, err := r.encodePush(p, l)
	if err != nil {
		return err
	}
	if m.Fence != nil {
		if err := m.Fence(); err != nil {
			return err
		}
	}
	report, err := s.deliver(ctx, body, l)
	if err != nil {
		return err
	}
	if err := report.outcome(p.Ref); err != nil {
		return r.contested(ctx, m, p, err)
	}
	r.settlePushed(ctx, sent)
	return nil
}

// encodePush makes the request of
// https://git-scm.com/docs/gitprotocol-pack#_reference_update_request_and_packfile_transfer.
func (r *Repository) encodePush(p Push, l *listing) ([]byte, []Hash, error) {
	var b bytes.Buffer
	caps := []string{"agent=" + strings.ReplaceAll(agent, " ", "-")}
	for _, c := range []capability.Capability{capability.ReportStatus, capability.Sideband64k, capability.Quiet, capability.OFSDelta} {
		if l.offers(c) {
			caps = append(caps, c.String())
		}
	}
	if !l.offers(capability.ReportStatus) {
		return nil, nil, errors.New("the remote does not report what became of a push")
	}
	if p.Delete && !l.offers(capability.DeleteRefs) {
		return nil, nil, &RefusedError{p.Ref, "it does not delete refs"}
	}
	e := pktline.NewEncoder(&b)
	if err := errors.Join(e.Encodef("%s %s %s\x00 %s\n", p.Old, p.New, p.Ref, strings.Join(caps, " ")), e.Flush()); err != nil {
		return nil, nil, err // unreachable: the line is short
	}
	if p.Delete {
		return b.Bytes(), nil, nil
	}
	objects, err := r.outgoing(p, l)
	if err != nil {
		return nil, nil, err
	}
	read := func(h Hash) (object, error) {
		o, err := r.find(h, r.limits.ObjectSize)
		if err != nil {
			return o, fmt.Errorf("reading %s: %w", h, err)
		}
		return o, nil
	}
	if _, _, _, err := writePack(&b, objects, read, r.limits.PushSize); err != nil {
		return nil, nil, err
	}
	return b.Bytes(), objects, nil
}

// outgoing returns the objects to send, none of them twice.
func (r *Repository) outgoing(p Push, l *listing) ([]Hash, error) {
	switch {
	case l.tips[p.New]:
		return nil, nil
	case p.Objects == nil:
		return r.unsent(p.New, l)
	}
	out := slices.Clone(p.Objects)
	if r.isWritten(p.New) {
		out = append(out, p.New)
	}
	slices.SortFunc(out, func(a, b Hash) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(out), nil
}

// unsent returns what a commit holds that its parents do not, and the same for those of
// its ancestors that were written here.
func (r *Repository) unsent(tip Hash, l *listing) ([]Hash, error) {
	g := &gather{repo: r, seen: map[Hash]bool{}}
	queue := []Hash{tip}
	for len(queue) > 0 {
		h := queue[0]
		queue = queue[1:]
		if g.seen[h] {
			continue
		}
		c, err := r.ReadCommit(h)
		if err != nil {
			return nil, err
		}
		g.add(h)
		var parents []Hash
		for _, p := range c.Parents {
			info, err := r.ReadCommit(p)
			if errors.Is(err, ErrMissing) {
				continue // beyond the boundary: the remote has it
			}
			if err != nil {
				return nil, err
			}
			parents = append(parents, info.Tree)
			if r.isWritten(p) && !l.tips[p] {
				queue = append(queue, p)
			}
		}
		if err := g.tree(c.Tree, parents, 0); err != nil {
			return nil, err
		}
	}
	return g.out, nil
}

type gather struct {
	repo *Repository
	seen map[Hash]bool
	out  []Hash
}

func (g *gather) add(h Hash) {
	if !g.seen[h] {
		g.seen[h] = true
		g.out = append(g.out, h)
	}
}

// tree adds what tree has and the trees at the same place in the parents have not.
func (g *gather) tree(tree Hash, parents []Hash, depth int) error {
	l := g.repo.limits
	if depth > l.Depth {
		return &LimitError{What: "directories within one another", Max: int64(l.Depth)}
	}
	if g.seen[tree] || slices.Contains(parents, tree) {
		return nil
	}
	nodes, err := g.repo.rawTree(tree)
	if err != nil {
		return err
	}
	g.add(tree)
	if len(g.out) > l.Entries {
		return &LimitError{What: "objects to push", Max: int64(l.Entries)}
	}
	before := map[string][]Hash{}
	for _, p := range parents {
		old, err := g.repo.rawTree(p)
		if err != nil {
			return err
		}
		for _, n := range old {
			before[n.name] = append(before[n.name], n.hash)
		}
	}
	for _, n := range nodes {
		switch {
		case slices.Contains(before[n.name], n.hash) || n.mode == Module:
		case n.mode == Directory:
			var trees []Hash
			for _, h := range before[n.name] {
				if k, _, err := g.repo.stat(h); err == nil && k == plumbing.TreeObject {
					trees = append(trees, h)
				}
			}
			if err := g.tree(n.hash, trees, depth+1); err != nil {
				return err
			}
		default:
			g.add(n.hash)
		}
	}
	return nil
}

// A verdict is what the remote says became of a push.
type verdict struct {
	unpack string
	refs   map[string]string // "ok", or why not
	said   string            // beside the report
}

// deliver sends the request. Once it is on its way, all that goes wrong with it leaves
// the outcome open.
func (s *session) deliver(ctx context.Context, body []byte, l *listing) (*verdict, error) {
	answer, err := s.call(ctx, receivePack, body)
	if err != nil {
		return nil, err
	}
	defer answer.Close()
	var r io.Reader = &bounded{r: answer, left: maxReport, what: "bytes in the report on a push"}
	beside := &band{}
	if l.offers(capability.Sideband64k) {
		beside.s = pktline.NewScanner(r)
		r = beside
	}
	status := packp.NewReportStatus()
	if err := status.Decode(r); err != nil {
		return nil, fmt.Errorf("%s: %w: its report cannot be read: %s", s.host, ErrTransient, clean(err.Error()+" "+string(beside.said), 300))
	}
	io.Copy(io.Discard, r) // what is said after the report
	v := &verdict{unpack: status.UnpackStatus, refs: map[string]string{}, said: string(beside.said)}
	for _, c := range status.CommandStatuses {
		v.refs[c.ReferenceName.String()] = c.Status
	}
	return v, nil
}

// outcome returns nil only if the remote says that the ref was moved.
func (v *verdict) outcome(ref string) error {
	why, ok := v.refs[ref]
	switch {
	case v.unpack != "ok":
		why = "the pack was not taken: " + v.unpack
	case !ok:
		return fmt.Errorf("%w: its report does not mention the ref", ErrTransient)
	case why == "ok":
		return nil
	}
	if v.said != "" {
		why += ": " + v.said
	}
	return &RefusedError{ref, clean(why, 1000)}
}

// contested looks where the ref is after a refusal, which servers word as they like when
// they lost a race for it.
func (r *Repository) contested(ctx context.Context, m Remote, p Push, refusal error) error {
	refs, _, err := r.ListRefs(ctx, m)
	switch {
	case err != nil:
		return refusal
	case refs[p.Ref] != p.Old:
		return &LeaseError{Ref: p.Ref, Expected: p.Old, Actual: refs[p.Ref], Known: true}
	}
	return refusal
}

// settlePushed moves what the remote has taken out of memory, into the mirror. Where that
// fails it stays in memory: the push has succeeded all the same.
func (r *Repository) settlePushed(ctx context.Context, sent []Hash) {
	if r.mirror == nil || len(sent) == 0 {
		return
	}
	r.fetching.Lock()
	defer r.fetching.Unlock()
	var b bytes.Buffer
	if _, _, _, err := writePack(&b, sent, func(h Hash) (object, error) { return r.find(h, r.limits.ObjectSize) }, r.limits.PushSize); err != nil {
		return
	}
	if _, _, err := r.take(context.WithoutCancel(ctx), &b); err != nil {
		return
	}
	r.mu.Lock()
	for _, h := range sent {
		if o, ok := r.written[h]; ok {
			r.unpushed -= int64(len(o.data))
			delete(r.written, h)
		}
	}
	r.mu.Unlock()
	_ = r.merge() // the next fetch tries again, and reports
}
