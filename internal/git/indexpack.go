package git

import (
	"bufio"
	"cmp"
	"compress/zlib"
	"context"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"sort"

	"github.com/go-git/go-git/v5/plumbing"
)

// An entry is one object of a pack that is taken in.
type entry struct {
	off  int64
	base int64 // OFS_DELTA: where its base begins
	crc  uint32
	kind plumbing.ObjectType // of the entry; of the object once that is known
	hash Hash                // zero until it is known
}

// A sink holds the bytes of a pack while it is taken in.
type sink interface {
	io.Writer // appends
	io.ReaderAt
	io.WriterAt
}

// An intake takes a pack in: it checks and names every object, completes a thin pack with
// the bases that it left out, and makes the index.
type intake struct {
	limits  Limits
	sink    sink
	outer   func(Hash) (object, error) // the store, for the bases of a thin pack
	entries []entry
	sent    int   // how many of them came; those after are the bases of a thin pack
	size    int64 // of the pack in the sink
	total   int64 // bytes inflated so far
	sum     Hash  // of the pack

	ofs      []int          // indexes of OFS_DELTA entries, ordered by base
	refs     map[Hash][]int // indexes of REF_DELTA entries by base
	unsolved int
	sinceCtx int
}

// run reads a pack from src. received is its size as it was sent.
func (n *intake) run(ctx context.Context, src io.Reader) (received int64, err error) {
	out := bufio.NewWriterSize(n.sink, 256<<10)
	s := newPackStream(src, out, n.limits.PackSize)
	if err := n.scan(ctx, s); err != nil {
		return s.pos(), err
	}
	if n.sum, err = s.checksum(); err != nil {
		return s.pos(), err
	}
	if err := s.rest(); err != nil {
		return s.pos(), err
	}
	if err := out.Flush(); err != nil {
		return s.pos(), err
	}
	n.size, n.sent = s.pos(), len(n.entries)
	if err := n.solve(ctx); err != nil {
		return s.pos(), err
	}
	return s.pos(), nil
}

func (n *intake) account(size int64) error {
	if n.total += size; n.total > n.limits.TotalSize {
		return &LimitError{What: "bytes in the objects of a pack", Max: n.limits.TotalSize}
	}
	return nil
}

// scan reads all entries, and names those that are not deltas.
func (n *intake) scan(ctx context.Context, s *packStream) error {
	var head [packHeader]byte
	if _, err := io.ReadFull(s, head[:]); err != nil {
		return short(err)
	}
	version, count := binary.BigEndian.Uint32(head[4:]), int64(binary.BigEndian.Uint32(head[8:]))
	if string(head[:4]) != "PACK" || version != 2 && version != 3 {
		return corrupt("it is not a pack of version 2 or 3")
	}
	if count > int64(n.limits.Objects) {
		return &LimitError{What: "objects in a pack", Max: int64(n.limits.Objects), Size: count}
	}
	n.entries = make([]entry, 0, min(count, 64<<10))
	n.refs = map[Hash][]int{}
	var z io.ReadCloser
	buf := make([]byte, 32<<10)
	for range count {
		if err := n.alive(ctx); err != nil {
			return err
		}
		s.restart()
		e := entry{off: s.pos()}
		h, err := readHeader(s, e.off)
		if err != nil {
			return err
		}
		e.kind, e.base = h.kind, h.base
		if h.size > n.limits.ObjectSize {
			return tooLarge(h.size, n.limits.ObjectSize)
		}
		if err := n.account(h.size); err != nil {
			return err
		}
		if z == nil {
			z, err = zlib.NewReader(s)
		} else {
			err = z.(zlib.Resetter).Reset(s, nil)
		}
		if err != nil {
			return badZlib(err)
		}
		if e.hash, err = nameStream(z, h, buf); err != nil {
			return err
		}
		e.crc = s.end()
		i := len(n.entries)
		switch h.kind {
		case plumbing.OFSDeltaObject:
			n.ofs = append(n.ofs, i)
			n.unsolved++
		case plumbing.REFDeltaObject:
			n.refs[h.ref] = append(n.refs[h.ref], i)
			n.unsolved++
		}
		n.entries = append(n.entries, e)
	}
	return nil
}

// nameStream inflates one entry, of exactly the size that it claims, and names it unless
// it is a delta.
func nameStream(z io.Reader, h header, buf []byte) (Hash, error) {
	var into hasher
	named := !h.kind.IsDelta()
	if named {
		into = newHasher(h.kind, h.size)
	}
	var got int64
	for {
		k, err := z.Read(buf)
		if got += int64(k); got > h.size {
			return Hash{}, corrupt("an object inflates to another size than it claims")
		}
		if named {
			into.Write(buf[:k])
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Hash{}, badZlib(err)
		}
	}
	if got != h.size {
		return Hash{}, corrupt("an object inflates to another size than it claims")
	}
	if !named {
		return Hash{}, nil
	}
	return into.sum()
}

func (n *intake) alive(ctx context.Context) error {
	if n.sinceCtx++; n.sinceCtx%256 == 0 {
		return ctx.Err()
	}
	return nil
}

// solve names the deltas.
func (n *intake) solve(ctx context.Context) error {
	if n.unsolved == 0 {
		return nil
	}
	slices.SortFunc(n.ofs, func(a, b int) int {
		return cmp.Or(cmp.Compare(n.entries[a].base, n.entries[b].base), cmp.Compare(a, b))
	})
	for i := range n.entries {
		if e := &n.entries[i]; !e.kind.IsDelta() {
			if err := n.grow(ctx, i, nil); err != nil {
				return err
			}
		}
	}
	return n.complete(ctx)
}

// complete appends the objects that a thin pack took for granted
// (https://git-scm.com/docs/gitprotocol-capabilities#_thin_pack), and solves what hangs on
// them.
func (n *intake) complete(ctx context.Context) error {
	var appended uint32
	for n.unsolved > 0 {
		base, ok := n.lacking()
		if !ok {
			return corrupt("a delta in a pack has no base")
		}
		o, err := n.outer(base)
		if err != nil {
			return corrupt("the base %s of a delta: %v", base, err)
		}
		if err := n.account(int64(len(o.data))); err != nil {
			return err
		}
		if err := n.append(base, o); err != nil {
			return err
		}
		appended++
		if err := n.grow(ctx, len(n.entries)-1, o.data); err != nil {
			return err
		}
	}
	if appended == 0 {
		return nil
	}
	return n.reseal()
}

// lacking returns a base that is not in the pack.
func (n *intake) lacking() (Hash, bool) {
	for h, waiting := range n.refs {
		if n.entries[waiting[0]].kind.IsDelta() {
			return h, true
		}
		delete(n.refs, h)
	}
	return Hash{}, false
}

func (n *intake) append(h Hash, o object) error {
	var b packEntry
	b.header(o.kind, int64(len(o.data)))
	if err := deflate(&b, o.data); err != nil {
		return err
	}
	if len(n.entries) >= n.limits.Objects {
		return &LimitError{What: "objects in a pack", Max: int64(n.limits.Objects)}
	}
	off := n.size - trailer // the old checksum is overwritten
	if _, err := n.sink.WriteAt(b.bytes, off); err != nil {
		return err
	}
	n.size += int64(len(b.bytes))
	n.entries = append(n.entries, entry{off: off, kind: o.kind, hash: h, crc: b.crc()})
	return nil
}

// reseal gives the pack the count and the checksum that it has by now.
func (n *intake) reseal() error {
	var count [4]byte
	binary.BigEndian.PutUint32(count[:], uint32(len(n.entries)))
	if _, err := n.sink.WriteAt(count[:], 8); err != nil {
		return err
	}
	sum := sha1.New()
	if _, err := io.Copy(sum, io.NewSectionReader(n.sink, 0, n.size-trailer)); err != nil {
		return err
	}
	copy(n.sum[:], sum.Sum(nil))
	_, err := n.sink.WriteAt(n.sum[:], n.size-trailer)
	return err
}

// A branch is an object whose deltas are being solved.
type branch struct {
	at       int
	data     []byte // nil: read it again
	children []int
}

// maxHeld is how many bytes of objects wait in branches before the oldest are let go.
const maxHeld = 64 << 20

// grow solves all that hangs on the object at, depth first.
func (n *intake) grow(ctx context.Context, at int, data []byte) error {
	kids := n.children(at)
	if len(kids) == 0 {
		return nil
	}
	kind := n.entries[at].kind
	stack := []branch{{at: at, data: data, children: kids}}
	holding := int64(len(data))
	for len(stack) > 0 {
		if err := n.alive(ctx); err != nil {
			return err
		}
		top := &stack[len(stack)-1]
		if len(top.children) == 0 {
			holding -= int64(len(top.data))
			stack = stack[:len(stack)-1]
			continue
		}
		if top.data == nil {
			var err error
			if top.data, err = n.again(stack); err != nil {
				return err
			}
			holding += int64(len(top.data))
		}
		child := top.children[0]
		top.children = top.children[1:]
		base := top.data
		if len(top.children) == 0 { // it is not needed any more
			holding -= int64(len(top.data))
			top.data = nil
		}
		data, err := n.patch(child, base)
		if err != nil {
			return err
		}
		e := &n.entries[child]
		if e.hash, err = hashObject(kind, data); err != nil {
			return err
		}
		e.kind = kind
		n.unsolved--
		kids := n.children(child)
		if len(kids) == 0 {
			continue
		}
		if len(stack) > maxChain {
			return corrupt("a chain of deltas is too long")
		}
		stack = append(stack, branch{at: child, data: data, children: kids})
		holding += int64(len(data))
		for i := 0; holding > maxHeld && i < len(stack)-1; i++ {
			holding -= int64(len(stack[i].data))
			stack[i].data = nil
		}
	}
	return nil
}

// patch applies the delta at child to base.
func (n *intake) patch(child int, base []byte) ([]byte, error) {
	delta, err := n.inflate(child)
	if err != nil {
		return nil, err
	}
	_, size, _, err := deltaSizes(delta)
	if err != nil {
		return nil, err
	}
	if err := n.account(size); err != nil {
		return nil, err
	}
	return applyDelta(base, delta, n.limits.ObjectSize)
}

// again makes the object on top of the stack, whose bytes were let go, from the nearest
// one below that still has them.
func (n *intake) again(stack []branch) ([]byte, error) {
	low := len(stack) - 1
	for low > 0 && stack[low].data == nil {
		low--
	}
	data := stack[low].data
	if data == nil {
		var err error
		if data, err = n.inflate(stack[0].at); err != nil {
			return nil, err
		}
		if err := n.account(int64(len(data))); err != nil {
			return nil, err
		}
	}
	for _, b := range stack[low+1:] {
		var err error
		if data, err = n.patch(b.at, data); err != nil {
			return nil, err
		}
	}
	return data, nil
}

// inflate reads the entry i back from the sink.
func (n *intake) inflate(i int) ([]byte, error) {
	f := inflaterAt(n.sink, n.entries[i].off)
	defer f.free()
	h, err := readHeader(f.buf, n.entries[i].off)
	if err != nil {
		return nil, err
	}
	return f.all(h.size)
}

// children returns the unsolved deltas whose base is the entry at.
func (n *intake) children(at int) []int {
	e := n.entries[at]
	first := sort.Search(len(n.ofs), func(i int) bool { return n.entries[n.ofs[i]].base >= e.off })
	last := first
	for last < len(n.ofs) && n.entries[n.ofs[last]].base == e.off {
		last++
	}
	var kids []int
	for _, list := range [][]int{n.ofs[first:last], n.refs[e.hash]} {
		for _, i := range list {
			if n.entries[i].kind.IsDelta() {
				kids = append(kids, i)
			}
		}
	}
	return kids
}
