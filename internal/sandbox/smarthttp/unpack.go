package smarthttp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/storage/memory"
)

// A packLimit bounds what a push brings.
type packLimit struct {
	objects int
	object  int64 // bytes of one object, or of one delta
	total   int64 // bytes of all of them
}

// pushLimit is far above what a configuration repository needs. GitHub refuses files
// of more than 100 MiB
// (https://docs.github.com/repositories/working-with-files/managing-large-files/about-large-files-on-github).
var pushLimit = packLimit{objects: 200_000, object: 100 << 20, total: 256 << 20}

// A delta is an object of a pack that is told by its difference from a base.
type delta struct {
	offset int64
	diff   []byte
}

// A whole object of a pack, at its offset.
type whole struct {
	offset int64 // 0 for an object of the repository
	kind   plumbing.ObjectType
	bytes  []byte
	hash   plumbing.Hash
}

// unpack returns the objects of a pack, each of them well formed. The bases that a
// thin pack lacks come from base, which returns plumbing.ErrObjectNotFound.
// https://git-scm.com/docs/gitformat-pack
func unpack(pack []byte, limit packLimit, base func(plumbing.Hash) (plumbing.EncodedObject, error)) (*memory.ObjectStorage, error) {
	u := &unpacking{
		limit:   limit,
		objects: newObjects(),
		offsets: map[int64]plumbing.ObjectType{},
		near:    map[int64][]delta{},
		named:   map[plumbing.Hash][]delta{},
	}
	if err := u.scan(pack); err != nil {
		return nil, err
	}
	if err := u.settle(); err != nil {
		return nil, err
	}
	for {
		h, ok := u.lacking()
		if !ok {
			break
		}
		o, err := base(h)
		if errors.Is(err, plumbing.ErrObjectNotFound) {
			return nil, fmt.Errorf("pack has unresolved deltas: base %s is missing", h)
		}
		if err != nil {
			return nil, fmt.Errorf("reading base %s: %w", h, err)
		}
		if err := u.spend(o.Size()); err != nil {
			return nil, err
		}
		b, err := content(o)
		if err != nil {
			return nil, fmt.Errorf("reading base %s: %w", h, err)
		}
		u.ready = append(u.ready, whole{kind: o.Type(), bytes: b, hash: h})
		if err := u.settle(); err != nil {
			return nil, err
		}
	}
	if u.waiting > 0 {
		return nil, fmt.Errorf("pack has %d unresolved deltas", u.waiting)
	}
	return u.objects, nil
}

type unpacking struct {
	limit   packLimit
	spent   int64
	objects *memory.ObjectStorage
	ready   []whole // objects whose deltas are not yet applied
	offsets map[int64]plumbing.ObjectType
	near    map[int64][]delta         // by offset of their base
	named   map[plumbing.Hash][]delta // by name of their base
	waiting int                       // deltas in near and named
}

func (u *unpacking) spend(size int64) error {
	if size < 0 || size > u.limit.object {
		return fmt.Errorf("an object of %d bytes exceeds the limit of %d", size, u.limit.object)
	}
	if u.spent += size; u.spent > u.limit.total {
		return fmt.Errorf("the pack exceeds the limit of %d bytes inflated", u.limit.total)
	}
	return nil
}

// scan reads the pack once from end to end.
func (u *unpacking) scan(pack []byte) error {
	s := packfile.NewScanner(struct{ io.Reader }{bytes.NewReader(pack)})
	_, count, err := s.Header()
	if err != nil {
		return err
	}
	if int64(count) > int64(u.limit.objects) {
		return fmt.Errorf("a pack of %d objects exceeds the limit of %d", count, u.limit.objects)
	}
	for range count {
		h, err := s.NextObjectHeader()
		if err != nil {
			return err
		}
		if err := u.spend(h.Length); err != nil {
			return err
		}
		var b bytes.Buffer
		n, _, err := s.NextObject(&b)
		if err != nil {
			return err
		}
		if n != h.Length {
			return fmt.Errorf("the object at %d has %d bytes, not %d", h.Offset, n, h.Length)
		}
		switch {
		case h.Type == plumbing.OFSDeltaObject:
			if _, ok := u.offsets[h.OffsetReference]; !ok {
				return fmt.Errorf("the delta at %d has a base at %d, where no object is", h.Offset, h.OffsetReference)
			}
			u.near[h.OffsetReference] = append(u.near[h.OffsetReference], delta{h.Offset, b.Bytes()})
			u.waiting++
		case h.Type == plumbing.REFDeltaObject:
			u.named[h.Reference] = append(u.named[h.Reference], delta{h.Offset, b.Bytes()})
			u.waiting++
		case stored(h.Type):
			if err := u.keep(h.Offset, h.Type, b.Bytes()); err != nil {
				return err
			}
		default:
			return fmt.Errorf("the object at %d has unknown type %d", h.Offset, h.Type)
		}
		u.offsets[h.Offset] = h.Type
	}
	_, err = s.Checksum()
	return err
}

// keep checks an object and stores it.
func (u *unpacking) keep(offset int64, kind plumbing.ObjectType, b []byte) error {
	o := memoryObject(kind, b)
	h, err := u.objects.SetEncodedObject(o)
	if err != nil {
		return err // unreachable: the type is one that is stored
	}
	if err := fsck(kind, b); err != nil {
		return fmt.Errorf("object %s: %w", h, err)
	}
	u.ready = append(u.ready, whole{offset, kind, b, h})
	return nil
}

// settle applies deltas as long as their bases are there.
func (u *unpacking) settle() error {
	for len(u.ready) > 0 {
		last := len(u.ready) - 1
		base := u.ready[last]
		u.ready = u.ready[:last]
		deltas := append(u.near[base.offset], u.named[base.hash]...)
		delete(u.near, base.offset)
		delete(u.named, base.hash)
		u.waiting -= len(deltas)
		for _, d := range deltas {
			if err := u.spend(targetSize(d.diff)); err != nil {
				return err
			}
			b, err := packfile.PatchDelta(base.bytes, d.diff)
			if err != nil {
				return fmt.Errorf("the delta at %d: %w", d.offset, err)
			}
			if err := u.keep(d.offset, base.kind, b); err != nil {
				return err
			}
		}
	}
	return nil
}

// lacking returns a base that the pack does not have.
func (u *unpacking) lacking() (plumbing.Hash, bool) {
	for h := range u.named {
		return h, true
	}
	return plumbing.ZeroHash, false
}

// targetSize is the size that a delta says its result has, or -1.
func targetSize(diff []byte) int64 {
	_, n := binary.Uvarint(diff)
	if n <= 0 {
		return -1
	}
	size, m := binary.Uvarint(diff[n:])
	if m <= 0 || int64(size) < 0 {
		return -1
	}
	return int64(size)
}
