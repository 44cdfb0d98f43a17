package smarthttp

import (
	"bufio"
	"bytes"
	"fmt"
	"io"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"github.com/go-git/go-git/v5/plumbing/storer"
	"github.com/go-git/go-git/v5/storage/memory"
)

// deltaWindow is how many objects each one is compared with to save space.
const deltaWindow = 10

// A pack is what a client gets: objects that are kept apart from the repository, so
// that they can be sent without its lock.
type pack struct {
	objects *memory.ObjectStorage
	order   []plumbing.Hash
}

func newPack() *pack { return &pack{objects: newObjects()} }

func newObjects() *memory.ObjectStorage { return &memory.NewStorage().ObjectStorage }

func (p *pack) has(h plumbing.Hash) bool { return p.objects.HasEncodedObject(h) == nil }

func (p *pack) add(g *history, h plumbing.Hash) error {
	if p.has(h) {
		return nil
	}
	o, err := g.object(plumbing.AnyObject, h)
	if err != nil {
		return err
	}
	if o, err = kept(o); err != nil {
		return fmt.Errorf("%s: %w", h, err)
	}
	if _, err := p.objects.SetEncodedObject(o); err != nil {
		return fmt.Errorf("%s: %w", h, err)
	}
	p.order = append(p.order, h)
	return nil
}

// kept returns the object in memory, where it does not change any more.
func kept(o plumbing.EncodedObject) (plumbing.EncodedObject, error) {
	if _, ok := o.(*plumbing.MemoryObject); ok {
		return o, nil
	}
	b, err := content(o)
	if err != nil {
		return nil, err
	}
	return memoryObject(o.Type(), b), nil
}

func memoryObject(kind plumbing.ObjectType, b []byte) *plumbing.MemoryObject {
	o := &plumbing.MemoryObject{}
	o.SetType(kind)
	_, _ = o.Write(b) // it cannot fail
	return o
}

// send writes the pack as the client asked: on the first of the side bands, or bare.
func (p *pack) send(w io.Writer, q *request) {
	band := bands(w, q.caps)
	if band == nil {
		_ = p.encode(w, q)
		return
	}
	if !q.offers("no-progress") {
		if err := tell(band, fmt.Sprintf("Enumerating objects: %d, done.", len(p.order))); err != nil {
			return
		}
	}
	if err := p.encode(band, q); err != nil {
		_, _ = band.WriteChannel(sideband.ErrorMessage, []byte("upload-pack: "+err.Error()+"\n"))
		return
	}
	_ = pktline.NewEncoder(w).Flush()
}

func (p *pack) encode(w io.Writer, q *request) error {
	out := bufio.NewWriterSize(w, 32<<10)
	_, err := packfile.NewEncoder(out, encodable{p.objects}, !q.offers("ofs-delta")).Encode(p.order, deltaWindow)
	if err != nil {
		return err
	}
	return out.Flush()
}

// An encodable store is no DeltaObjectStorer: its objects are whole.
type encodable struct{ storer.EncodedObjectStorer }

// bands returns the side bands that the client asked for, or nil.
// https://git-scm.com/docs/gitprotocol-capabilities#_side_band_side_band_64k
func bands(w io.Writer, caps map[string]string) *sideband.Muxer {
	if _, ok := caps["side-band-64k"]; ok {
		return sideband.NewMuxer(sideband.Sideband64k, w)
	}
	if _, ok := caps["side-band"]; ok {
		return sideband.NewMuxer(sideband.Sideband, w)
	}
	return nil
}

// tell shows a text to the user, each line after "remote: ".
func tell(band *sideband.Muxer, text string) error {
	var b bytes.Buffer
	b.WriteString(text)
	b.WriteByte('\n')
	_, err := band.WriteChannel(sideband.ProgressMessage, b.Bytes())
	return err
}
