package git

import (
	"bufio"
	"crypto/sha1"
	"encoding/binary"
	"hash/crc32"
	"io"

	"github.com/go-git/go-git/v5/plumbing"
)

const (
	packHeader = 12
	trailer    = 20
)

// A packEntry is one entry of a pack on its way out.
type packEntry struct{ bytes []byte }

func (b *packEntry) Write(p []byte) (int, error) {
	b.bytes = append(b.bytes, p...)
	return len(p), nil
}

func (b *packEntry) crc() uint32 { return crc32.ChecksumIEEE(b.bytes) }

// header writes what comes before the deflated bytes of an object.
func (b *packEntry) header(k plumbing.ObjectType, size int64) {
	c := byte(k)<<4 | byte(size&15)
	for size >>= 4; size > 0; size >>= 7 {
		b.bytes = append(b.bytes, c|0x80)
		c = byte(size & 0x7f)
	}
	b.bytes = append(b.bytes, c)
}

// writePack writes the objects, whole and deflated, and returns the pack's size, checksum
// and entries.
func writePack(w io.Writer, hashes []Hash, read func(Hash) (object, error), limit int64) (int64, Hash, []entry, error) {
	out := bufio.NewWriterSize(w, 64<<10)
	sum := sha1.New()
	size := int64(0)
	put := func(b []byte) error {
		sum.Write(b)
		if size += int64(len(b)); size > limit {
			return &LimitError{What: "bytes in a pack to push", Max: limit}
		}
		_, err := out.Write(b)
		return err
	}
	head := binary.BigEndian.AppendUint32([]byte("PACK\000\000\000\002"), uint32(len(hashes)))
	if err := put(head); err != nil {
		return 0, Hash{}, nil, err
	}
	var b packEntry
	entries := make([]entry, 0, len(hashes))
	for _, h := range hashes {
		o, err := read(h)
		if err != nil {
			return 0, Hash{}, nil, err
		}
		b.bytes = b.bytes[:0]
		b.header(o.kind, int64(len(o.data)))
		if err := deflate(&b, o.data); err != nil {
			return 0, Hash{}, nil, err
		}
		entries = append(entries, entry{off: size, kind: o.kind, hash: h, crc: b.crc()})
		if err := put(b.bytes); err != nil {
			return 0, Hash{}, nil, err
		}
	}
	var checksum Hash
	copy(checksum[:], sum.Sum(nil))
	if _, err := out.Write(checksum[:]); err != nil {
		return 0, Hash{}, nil, err
	}
	return size + trailer, checksum, entries, out.Flush()
}
