package git

import (
	"errors"
	"io"
	"os"

	"github.com/go-git/go-git/v5/plumbing"
)

// An object as it is stored. Its data may be shared: nobody writes into it.
type object struct {
	kind plumbing.ObjectType
	data []byte
}

// A pack is open for reading by any number of goroutines.
type pack struct {
	name string // path without .pack; empty in memory
	data io.ReaderAt
	size int64
	idx  *index
	open []io.Closer
}

// openPack opens name.pack and name.idx, and refuses them unless they belong together.
func openPack(name string) (*pack, error) {
	p := &pack{name: name}
	if err := p.openFiles(); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

func (p *pack) openFiles() error {
	f, size, err := openRegular(p.name + ".pack")
	if err != nil {
		return err
	}
	p.data, p.size, p.open = f, size, append(p.open, f)
	x, size, err := openRegular(p.name + ".idx")
	if err != nil {
		return err
	}
	p.open = append(p.open, x)
	if p.idx, err = openIndex(x, size); err != nil {
		return err
	}
	if p.idx.whole != nil { // its file is not needed any more
		p.open = p.open[:1]
		if err := x.Close(); err != nil {
			return err
		}
	}
	var sum Hash
	if _, err := f.ReadAt(sum[:], p.size-trailer); err != nil && !errors.Is(err, io.EOF) || p.size < packHeader+trailer || sum != p.idx.pack {
		return corrupt("pack and index do not belong together")
	}
	return nil
}

func openRegular(name string) (*os.File, int64, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = corrupt("%s is not a regular file", name)
	}
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

func (p *pack) close() error {
	var errs []error
	for _, c := range p.open {
		errs = append(errs, c.Close())
	}
	p.open = nil
	return errors.Join(errs...)
}

// A source reads a pack through the pages that are kept.
type source struct {
	*pack
	pages *pages
}

func (s source) ReadAt(b []byte, off int64) (int, error) {
	if s.name == "" {
		return s.data.ReadAt(b, off) // it is in memory
	}
	n := 0
	for n < len(b) {
		at := off + int64(n)
		page, err := s.pages.page(s.pack, at/pageSize)
		if err != nil {
			return n, err
		}
		rest := page[min(at%pageSize, int64(len(page))):]
		if len(rest) == 0 {
			return n, io.EOF
		}
		n += copy(b[n:], rest)
	}
	return n, nil
}

// object reads the entry at off, and what it is a delta of. No object on the way is
// larger than l.ObjectSize. A result of more than limit bytes is refused before it, or the
// base of its delta, is inflated.
func (p *pack) object(off int64, limit int64, l Limits, c *cache) (object, error) {
	var deltas [][]byte
	var places []int64
	var held int64
	var o object
	for {
		if len(deltas) > maxChain {
			return object{}, corrupt("a chain of deltas is too long")
		}
		var ok bool
		if o, ok = c.find(place{p, off}); ok {
			break
		}
		h, data, err := p.entry(off, limit, len(deltas) == 0, l, c)
		if err != nil {
			return object{}, err
		}
		if !h.kind.IsDelta() {
			o = object{h.kind, data}
			if len(deltas) > 0 {
				c.keep(place{p, off}, o)
			}
			break
		}
		if held += int64(len(data)); held > 4*l.ObjectSize {
			return object{}, &LimitError{What: "bytes in a chain of deltas", Max: 4 * l.ObjectSize}
		}
		deltas, places = append(deltas, data), append(places, off)
		if off, err = p.base(h); err != nil {
			return object{}, err
		}
	}
	for i := len(deltas) - 1; i >= 0; i-- {
		data, err := applyDelta(o.data, deltas[i], l.ObjectSize)
		if err != nil {
			return object{}, err
		}
		deltas[i] = nil
		o = object{o.kind, data}
		if i > 0 {
			c.keep(place{p, places[i]}, o)
		}
	}
	if int64(len(o.data)) > limit { // one that was kept
		return object{}, tooLarge(int64(len(o.data)), limit)
	}
	return o, nil
}

func tooLarge(size, limit int64) error {
	return &LimitError{What: "bytes in an object", Max: limit, Size: size}
}

// entry inflates what stands at off: an object, or a delta. If it is what was asked for,
// and not a base of that, limit holds for it.
func (p *pack) entry(off, limit int64, asked bool, l Limits, c *cache) (header, []byte, error) {
	f := inflaterAt(source{p, c.pages}, off)
	defer f.free()
	h, err := readHeader(f.buf, off)
	if err != nil {
		return h, nil, err
	}
	switch {
	case h.size > l.ObjectSize:
		return h, nil, tooLarge(h.size, l.ObjectSize)
	case asked && !h.kind.IsDelta() && h.size > limit:
		return h, nil, tooLarge(h.size, limit)
	}
	data, err := f.all(h.size)
	if err == nil && asked && h.kind.IsDelta() {
		var size int64
		if _, size, _, err = deltaSizes(data); err == nil && size > limit {
			err = tooLarge(size, limit)
		}
	}
	return h, data, err
}

// base returns where the base of a delta begins.
func (p *pack) base(h header) (int64, error) {
	if h.kind == plumbing.OFSDeltaObject {
		return h.base, nil
	}
	off, ok, err := p.idx.find(h.ref)
	if err == nil && !ok {
		err = corrupt("the base of a delta is not in its pack")
	}
	return off, err
}

// stat returns an object's kind and size. Of a delta only the beginning is inflated.
func (p *pack) stat(off int64, c *cache) (plumbing.ObjectType, int64, error) {
	size := int64(-1)
	for range maxChain + 1 {
		if o, ok := c.find(place{p, off}); ok {
			if size < 0 {
				size = int64(len(o.data))
			}
			return o.kind, size, nil
		}
		h, result, err := p.peek(off, size < 0, c)
		if err != nil {
			return 0, 0, err
		}
		if size < 0 {
			size = result
		}
		if !h.kind.IsDelta() {
			return h.kind, size, nil
		}
		if off, err = p.base(h); err != nil {
			return 0, 0, err
		}
	}
	return 0, 0, corrupt("a chain of deltas is too long")
}

// peek reads a header and, if sized, the size of what a delta makes.
func (p *pack) peek(off int64, sized bool, c *cache) (header, int64, error) {
	f := inflaterAt(source{p, c.pages}, off)
	defer f.free()
	h, err := readHeader(f.buf, off)
	if err != nil || !sized || !h.kind.IsDelta() {
		return h, h.size, err
	}
	z, err := f.open()
	if err != nil {
		return h, 0, err
	}
	head := make([]byte, 20)
	n, err := io.ReadFull(z, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return h, 0, badZlib(err)
	}
	_, size, _, err := deltaSizes(head[:n])
	return h, size, err
}
