package git

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
)

// maxChain is the longest chain of deltas that git itself makes
// (https://git-scm.com/docs/git-config#Documentation/git-config.txt-packdepth).
const maxChain = 4095

// A header begins each entry of a pack (https://git-scm.com/docs/gitformat-pack).
type header struct {
	kind plumbing.ObjectType
	size int64 // of what inflates: the object, or the delta
	base int64 // OFS_DELTA: where its base begins
	ref  Hash  // REF_DELTA: its base
}

// readHeader reads the header of the entry that begins at off.
func readHeader(r io.ByteReader, off int64) (header, error) {
	var h header
	c, err := r.ReadByte()
	if err != nil {
		return h, short(err)
	}
	h.kind = plumbing.ObjectType(c >> 4 & 7)
	h.size = int64(c & 15)
	for shift := 4; c&0x80 != 0; shift += 7 {
		if c, err = r.ReadByte(); err != nil {
			return h, short(err)
		}
		if shift > 56 {
			return h, corrupt("size of a pack entry at %d overflows", off)
		}
		h.size |= int64(c&0x7f) << shift
	}
	switch h.kind {
	case plumbing.CommitObject, plumbing.TreeObject, plumbing.BlobObject, plumbing.TagObject:
	case plumbing.OFSDeltaObject:
		if c, err = r.ReadByte(); err != nil {
			return h, short(err)
		}
		back := int64(c & 0x7f)
		for n := 0; c&0x80 != 0; n++ {
			if c, err = r.ReadByte(); err != nil {
				return h, short(err)
			}
			if n > 7 {
				return h, corrupt("offset of a pack entry at %d overflows", off)
			}
			back = (back+1)<<7 | int64(c&0x7f)
		}
		if h.base = off - back; back <= 0 || h.base < packHeader {
			return h, corrupt("a delta at %d has its base outside the pack", off)
		}
	case plumbing.REFDeltaObject:
		for i := range h.ref {
			if h.ref[i], err = r.ReadByte(); err != nil {
				return h, short(err)
			}
		}
	default:
		return h, corrupt("pack entry at %d has type %d", off, h.kind)
	}
	return h, nil
}

// errShort: bytes ended where more were due.
var errShort = fmt.Errorf("%w: it ends too early", ErrCorrupt)

func short(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errShort
	}
	return err
}

// An inflater reads entries anywhere in a pack.
type inflater struct {
	at  io.ReaderAt
	off int64
	buf *bufio.Reader
	z   io.ReadCloser
}

var inflaters = sync.Pool{New: func() any {
	f := &inflater{}
	f.buf = bufio.NewReaderSize(f, 4096)
	return f
}}

func inflaterAt(at io.ReaderAt, off int64) *inflater {
	f := inflaters.Get().(*inflater)
	f.at, f.off = at, off
	f.buf.Reset(f)
	return f
}

func (f *inflater) free() {
	f.at = nil
	inflaters.Put(f)
}

// Read reads on in the pack. It is for f.buf.
func (f *inflater) Read(p []byte) (int, error) {
	n, err := f.at.ReadAt(p, f.off)
	f.off += int64(n)
	if n > 0 {
		return n, nil
	}
	return 0, err
}

// open begins to inflate at the place that f.buf has reached.
func (f *inflater) open() (io.Reader, error) {
	if f.z == nil {
		z, err := zlib.NewReader(f.buf)
		if err != nil {
			return nil, badZlib(err)
		}
		f.z = z
		return z, nil
	}
	if err := f.z.(zlib.Resetter).Reset(f.buf, nil); err != nil {
		return nil, badZlib(err)
	}
	return f.z, nil
}

// all inflates exactly size bytes.
func (f *inflater) all(size int64) ([]byte, error) {
	z, err := f.open()
	if err != nil {
		return nil, err
	}
	return inflateExactly(z, size)
}

func inflateExactly(z io.Reader, size int64) ([]byte, error) {
	const trusted = 1 << 20 // a size that is only claimed reserves no more than this
	out := make([]byte, 0, min(size, trusted)+1)
	for int64(len(out)) <= size {
		if len(out) == cap(out) {
			grown := make([]byte, len(out), min(2*int64(cap(out)), size+1))
			copy(grown, out)
			out = grown
		}
		n, err := z.Read(out[len(out):cap(out)])
		out = out[:len(out)+n]
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, badZlib(err)
		}
	}
	if int64(len(out)) != size {
		return nil, corrupt("an object inflates to another size than it claims")
	}
	return out, nil
}

func badZlib(err error) error {
	var bad flate.CorruptInputError
	if errors.As(err, &bad) || errors.Is(err, zlib.ErrHeader) || errors.Is(err, zlib.ErrChecksum) || errors.Is(err, zlib.ErrDictionary) {
		return corrupt("%v", err)
	}
	return short(err)
}

func deflate(w io.Writer, data []byte) error {
	z := deflaters.Get().(*zlib.Writer)
	defer deflaters.Put(z)
	z.Reset(w)
	if _, err := z.Write(data); err != nil {
		return err
	}
	return z.Close()
}

var deflaters = sync.Pool{New: func() any { return zlib.NewWriter(new(bytes.Buffer)) }}
