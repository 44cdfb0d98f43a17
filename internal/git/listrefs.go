package git

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
)

const (
	uploadPack  = "git-upload-pack"
	receivePack = "git-receive-pack"
)

// A listing is what a server advertises.
type listing struct {
	refs    map[string]Hash
	tips    map[Hash]bool
	head    string // the ref that HEAD names, "" if that is not said
	headAt  Hash
	offered *capability.List
}

func (l *listing) offers(c capability.Capability) bool { return l.offered.Supports(c) }

// ListRefs returns where the remote's refs are, by full name, and which ref its HEAD
// names, "" where it does not say. It is one request: the advertisement of
// https://git-scm.com/docs/gitprotocol-http#_smart_clients. An empty repository has no
// refs, and no error.
func (r *Repository) ListRefs(ctx context.Context, m Remote) (refs map[string]Hash, head string, err error) {
	s, err := m.session(ctx)
	if err != nil {
		return nil, "", fmt.Errorf("listing refs: %w", err)
	}
	l, err := s.list(ctx, uploadPack, r.limits)
	if err != nil {
		return nil, "", fmt.Errorf("listing refs: %w", err)
	}
	return l.refs, l.head, nil
}

func (s *session) list(ctx context.Context, service string, limits Limits) (*listing, error) {
	body, err := s.advertisement(ctx, service)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	bounded := &bounded{r: body, left: limits.Advertisement, what: "bytes in the list of refs"}
	adv := packp.NewAdvRefs()
	if err := adv.Decode(bounded); err != nil && !errors.Is(err, packp.ErrEmptyAdvRefs) {
		return nil, s.protocol(bounded.err, err)
	}
	if f := adv.Capabilities.Get(capability.Capability("object-format")); len(f) > 0 && f[0] != "sha1" {
		return nil, fmt.Errorf("%s names objects by %s: only sha1 can be read", s.host, clean(f[0], 20))
	}
	l := &listing{refs: map[string]Hash{}, tips: map[Hash]bool{}, offered: adv.Capabilities}
	for name, h := range adv.References {
		l.tips[h] = true
		if checkRefName(name) == nil {
			l.refs[name] = h
		}
	}
	if adv.Head != nil {
		l.headAt = *adv.Head
		l.tips[l.headAt] = true
	}
	for _, sym := range adv.Capabilities.Get(capability.SymRef) {
		if to, ok := strings.CutPrefix(sym, "HEAD:"); ok && checkRefName(to) == nil {
			l.head = to
		}
	}
	return l, nil
}

// protocol names the cause of a failure to read an answer: what came from below, what the
// server said, or that it is no answer of git's.
func (s *session) protocol(below, err error) error {
	var said *pktline.ErrorLine
	switch {
	case below != nil && !errors.Is(below, io.EOF):
		return below
	case errors.As(err, &said):
		return fmt.Errorf("%s says: %s", s.host, clean(said.Text, 300))
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), below != nil:
		return fmt.Errorf("%s: %w: its answer ends too early", s.host, ErrTransient)
	}
	return fmt.Errorf("%s: %w", s.host, corrupt("%s", clean(err.Error(), 200)))
}

// A bounded reader remembers why it stopped.
type bounded struct {
	r    io.Reader
	left int64
	what string
	err  error
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.r.Read(p)
	if int64(n) > b.left {
		err = &LimitError{What: b.what, Max: b.left}
	}
	b.left -= int64(n)
	b.err = err
	return n, err
}
