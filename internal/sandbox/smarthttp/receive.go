package smarthttp

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/storage/memory"
)

// receive answers a push.
func (r *Repository) receive(w http.ResponseWriter, req *http.Request) {
	in, err := body(w, req, maxPush)
	if err != nil {
		broken(w, err)
		return
	}
	buffered := bufio.NewReader(in)
	p, err := readPush(&reader{r: buffered})
	if err != nil {
		broken(w, err)
		return
	}
	var pack []byte
	if !p.deletes() {
		if pack, err = io.ReadAll(buffered); err != nil {
			broken(w, err)
			return
		}
	}
	w.Header().Set("Content-Type", "application/x-git-receive-pack-result")
	if len(p.commands) == 0 {
		return
	}
	brought := newObjects()
	if !p.deletes() {
		brought, err = unpack(pack, pushLimit, r.base)
	}
	result := report{unpack: "ok"}
	if err != nil {
		result.unpack = "index-pack abnormal exit"
		result.say("fatal: " + err.Error())
		for range p.commands {
			result.status = append(result.status, "unpacker error")
		}
	} else {
		r.apply(p, brought, &result)
	}
	result.send(w, p)
}

// base returns an object of the repository, for a delta.
func (r *Repository) base(h plumbing.Hash) (plumbing.EncodedObject, error) {
	r.Lock.Lock()
	defer r.Lock.Unlock()
	o, err := r.Storer.EncodedObject(plumbing.AnyObject, h)
	if err != nil {
		return nil, err
	}
	return kept(o)
}

// A report is what a push is told. https://git-scm.com/docs/gitprotocol-pack#_report_status
type report struct {
	unpack string
	status []string // of each command: why it is refused, or "" where it is done
	said   []string // lines for the user
}

func (r *report) say(text string) {
	for line := range strings.Lines(text) {
		r.said = append(r.said, strings.TrimSuffix(line, "\n"))
	}
}

func (r *report) send(w io.Writer, p *push) {
	var out bytes.Buffer
	e := pktline.NewEncoder(&out)
	if p.offers("report-status") {
		err := e.Encodef("unpack %s\n", r.unpack)
		for i, c := range p.commands {
			line := "ok " + c.Ref
			if r.status[i] != "" {
				line = "ng " + c.Ref + " " + r.status[i]
			}
			err = errors.Join(err, e.Encodef("%.*s\n", pktline.MaxPayloadSize-1, line))
		}
		if errors.Join(err, e.Flush()) != nil {
			return // unreachable: a line of a command was read from a line
		}
	}
	band := bands(w, p.caps)
	if band == nil {
		_, _ = w.Write(out.Bytes())
		return
	}
	for _, line := range r.said {
		if tell(band, line) != nil {
			return
		}
	}
	if _, err := band.Write(out.Bytes()); err == nil {
		_ = pktline.NewEncoder(w).Flush()
	}
}

// A step is a command that nothing speaks against, and the objects that it needs.
type step struct {
	index int
	needs []plumbing.Hash
}

// apply does what the push asks and what may be done.
func (r *Repository) apply(p *push, brought *memory.ObjectStorage, out *report) {
	r.Lock.Lock()
	defer r.Lock.Unlock()
	out.status = make([]string, len(p.commands))
	g, err := newHistory(&overlay{brought, r.Storer}, r.Storer)
	var refs []ref
	if err == nil {
		refs, err = r.refs(g)
	}
	if err != nil {
		for i := range out.status {
			out.status[i] = "failed to update ref"
		}
		return
	}
	j := &judging{Repository: r, history: g, push: p, brought: brought, refs: refs}
	var steps []step
	for i := range p.commands {
		needs, refused := j.judge(&p.commands[i])
		if refused == "" {
			steps = append(steps, step{i, needs})
			continue
		}
		status, said, _ := strings.Cut(refused, "\n")
		out.status[i] = status
		out.say(said)
	}
	if p.offers("atomic") && len(steps) < len(p.commands) {
		for _, s := range steps {
			out.status[s.index] = "atomic push failure"
		}
		return
	}
	moved := r.moves(p, steps, brought, out)
	if r.Updated != nil && len(moved) > 0 {
		r.Updated(moved)
	}
}

// moves takes the steps, all or none of them where the push is atomic.
func (r *Repository) moves(p *push, steps []step, brought *memory.ObjectStorage, out *report) (moved []Command) {
	for _, s := range steps {
		c := p.commands[s.index]
		err := r.move(c, s.needs, brought)
		if err == nil {
			moved = append(moved, c)
			continue
		}
		out.say("error: " + err.Error())
		out.status[s.index] = "failed to update ref"
		if !p.offers("atomic") {
			continue
		}
		for _, c := range slices.Backward(moved) {
			if err := r.move(Command{Ref: c.Ref, Old: c.New, New: c.Old}, nil, brought); err != nil {
				out.say("error: " + err.Error())
			}
		}
		for _, other := range steps {
			if other.index != s.index {
				out.status[other.index] = "atomic push failure"
			}
		}
		return nil
	}
	return moved
}

// move brings the objects of a command into the repository, then its reference.
func (r *Repository) move(c Command, needs []plumbing.Hash, brought *memory.ObjectStorage) error {
	name := plumbing.ReferenceName(c.Ref)
	if c.New.IsZero() {
		return r.Storer.RemoveReference(name)
	}
	for _, h := range slices.Backward(needs) { // what is named comes before what names it
		o, err := brought.EncodedObject(plumbing.AnyObject, h)
		if err != nil {
			return err // unreachable: needs are of what was brought
		}
		if _, err := r.Storer.SetEncodedObject(o); err != nil {
			return fmt.Errorf("storing %s: %w", h, err)
		}
	}
	var old *plumbing.Reference
	if !c.Old.IsZero() {
		old = plumbing.NewHashReference(name, c.Old)
	}
	return r.Storer.CheckAndSetReference(plumbing.NewHashReference(name, c.New), old)
}
