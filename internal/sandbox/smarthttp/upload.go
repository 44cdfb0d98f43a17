package smarthttp

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/pktline"
)

// An answer is what a fetch is told, and what it gets.
type answer struct {
	refused string // and nothing else
	edge    *boundary
	lines   []string // of the negotiation
	pack    *pack    // nil where the negotiation goes on
}

// upload answers a fetch of version 0.
func (r *Repository) upload(w http.ResponseWriter, req *http.Request) {
	in, err := body(w, req, maxRequest)
	if err != nil {
		broken(w, err)
		return
	}
	q, err := readRequest(&reader{r: bufio.NewReader(in)})
	if err != nil {
		broken(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/x-git-upload-pack-result")
	if len(q.wants) == 0 {
		return
	}
	a, err := r.answer(q)
	if err != nil {
		fatal(w, "upload-pack: "+err.Error())
		return
	}
	if a.refused != "" {
		fatal(w, a.refused)
		return
	}
	var head bytes.Buffer
	e := pktline.NewEncoder(&head)
	if q.deepens() {
		err = e.EncodeString(a.edge.lines("\n")...)
		if err == nil {
			err = e.Flush()
		}
	}
	if err == nil {
		err = e.EncodeString(a.lines...)
	}
	if err != nil {
		return // unreachable: no line is too long
	}
	if _, err := w.Write(head.Bytes()); err != nil || a.pack == nil {
		return
	}
	a.pack.send(w, q)
}

// fatal tells the client what went wrong, in place of an answer.
func fatal(w http.ResponseWriter, text string) {
	_ = pktline.NewEncoder(w).Encodef("ERR %.1000s\n", text)
}

// answer works out a fetch of version 0.
func (r *Repository) answer(q *request) (*answer, error) {
	r.Lock.Lock()
	defer r.Lock.Unlock()
	f, refused, err := r.begin(q)
	if err != nil || refused != "" {
		return &answer{refused: refused}, err
	}
	a := &answer{edge: f.edge}
	if q.bare {
		return a, nil
	}
	lines, ready, err := f.acknowledge(q)
	a.lines = lines
	if err != nil || !ready {
		return a, err
	}
	a.pack, err = f.pack(q)
	return a, err
}

// A fetch is a request on its repository. It lives under the lock.
type fetch struct {
	*history
	refs  []ref
	wants []plumbing.Hash // the commits among them
	edge  *boundary
}

// begin checks the wants and finds the client's boundary.
func (r *Repository) begin(q *request) (f *fetch, refused string, err error) {
	f = &fetch{}
	if f.history, err = newHistory(r.Storer, r.Storer); err != nil {
		return nil, "", err
	}
	if f.refs, err = r.refs(f.history); err != nil {
		return nil, "", err
	}
	if refused, err = r.check(f.history, q.wants, f.refs); err != nil || refused != "" {
		return nil, refused, err
	}
	if f.wants, err = f.tips(q.wants); err != nil {
		return nil, "", err
	}
	f.edge, err = f.boundary(q, f.wants, f.refs)
	return f, "", err
}

// pack collects what the client lacks.
func (f *fetch) pack(q *request) (*pack, error) {
	theirs, err := f.walk(f.common(q.haves), walk{cut: f.edge.before, lenient: true})
	if err != nil {
		return nil, err
	}
	has := make(set, len(theirs))
	for _, x := range theirs {
		has[x.hash] = true
	}
	skip := func(x found) bool { return has[x.hash] }
	roots := append(q.wants[:len(q.wants):len(q.wants)], f.edge.revealed...)
	objects, err := f.walk(roots, walk{cut: f.edge.after, skip: skip})
	if err != nil {
		return nil, err
	}
	p := newPack()
	for _, x := range objects {
		if err := p.add(f.history, x.hash); err != nil {
			return nil, err
		}
	}
	if q.offers("include-tag") {
		err = f.follow(p, has)
	}
	return p, err
}

// follow adds the tags of what is in the pack.
func (f *fetch) follow(p *pack, has set) error {
	for _, x := range f.refs {
		if x.peeled.IsZero() || !p.has(x.peeled) {
			continue
		}
		tags, err := f.walk([]plumbing.Hash{x.hash}, walk{skip: func(x found) bool { return has[x.hash] || p.has(x.hash) }})
		if err != nil {
			return err
		}
		for _, t := range tags {
			if err := p.add(f.history, t.hash); err != nil {
				return err
			}
		}
	}
	return nil
}

// lines are the boundary's changes, in the words of both versions.
func (b *boundary) lines(end string) []string {
	var lines []string
	for _, h := range b.shallow {
		lines = append(lines, fmt.Sprintf("shallow %s%s", h, end))
	}
	for _, h := range b.unshallow {
		lines = append(lines, fmt.Sprintf("unshallow %s%s", h, end))
	}
	return lines
}
