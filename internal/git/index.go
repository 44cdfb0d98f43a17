package git

import (
	"bytes"
	"cmp"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"sort"
)

const (
	idxHeader   = 8
	fanoutSize  = 256 * 4
	residentIdx = 8 << 20
)

// An index finds the entries of one pack: version 2 of
// https://git-scm.com/docs/gitformat-pack#_version_2_pack_idx_files_support_packs_larger_than_4_gib_and.
// One of at most 8 MiB is read as a whole at the first look-up; of a larger one, the names
// that share their first byte with the one sought.
type index struct {
	at     io.ReaderAt
	whole  []byte // nil unless resident
	size   int64
	fanout [257]uint32 // fanout[b] is how many names begin with a byte below b
	pack   Hash        // checksum of the pack
}

func openIndex(at io.ReaderAt, size int64) (*index, error) {
	x := &index{at: at, size: size}
	if size < idxHeader+fanoutSize+2*trailer {
		return nil, corrupt("pack index is too short")
	}
	if size <= residentIdx {
		x.whole = make([]byte, size)
		if _, err := at.ReadAt(x.whole, 0); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		x.at = nil
	}
	head, err := x.bytes(0, idxHeader+fanoutSize)
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(head, []byte("\377tOc\000\000\000\002")) {
		return nil, corrupt("pack index is not of version 2")
	}
	for i := range 256 {
		x.fanout[i+1] = binary.BigEndian.Uint32(head[idxHeader+4*i:])
		if x.fanout[i+1] < x.fanout[i] {
			return nil, corrupt("pack index is not in order")
		}
	}
	if least := idxHeader + fanoutSize + 28*x.count() + 2*trailer; size < least || (size-least)%8 != 0 {
		return nil, corrupt("pack index has a wrong size")
	}
	tail, err := x.bytes(size-2*trailer, trailer)
	if err != nil {
		return nil, err
	}
	copy(x.pack[:], tail)
	return x, nil
}

func (x *index) count() int64 { return int64(x.fanout[256]) }

func (x *index) bytes(off, n int64) ([]byte, error) {
	if off < 0 || off+n > x.size {
		return nil, corrupt("pack index is too short")
	}
	if x.whole != nil {
		return x.whole[off : off+n], nil
	}
	b := make([]byte, n)
	if _, err := x.at.ReadAt(b, off); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return b, nil
}

// find returns where an object begins.
func (x *index) find(h Hash) (off int64, found bool, err error) {
	lo, hi := int64(x.fanout[h[0]]), int64(x.fanout[int(h[0])+1])
	names, err := x.bytes(idxHeader+fanoutSize+20*lo, 20*(hi-lo))
	if err != nil {
		return 0, false, err
	}
	i := sort.Search(int(hi-lo), func(i int) bool { return bytes.Compare(names[20*i:20*i+20], h[:]) >= 0 })
	if i == int(hi-lo) || !bytes.Equal(names[20*i:20*i+20], h[:]) {
		return 0, false, nil
	}
	off, err = x.offset(lo + int64(i))
	return off, err == nil, err
}

func (x *index) offset(i int64) (int64, error) {
	table := idxHeader + fanoutSize + 24*x.count()
	b, err := x.bytes(table+4*i, 4)
	if err != nil {
		return 0, err
	}
	v := binary.BigEndian.Uint32(b)
	if v&(1<<31) == 0 {
		return int64(v), nil
	}
	b, err = x.bytes(table+4*x.count()+8*int64(v&^(1<<31)), 8)
	if err != nil {
		return 0, err
	}
	if off := binary.BigEndian.Uint64(b); off < 1<<62 {
		return int64(off), nil
	}
	return 0, corrupt("pack index holds an impossible offset")
}

// hash returns the i-th name in order.
func (x *index) hash(i int64) (h Hash, err error) {
	b, err := x.bytes(idxHeader+fanoutSize+20*i, 20)
	copy(h[:], b)
	return h, err
}

// encodeIndex returns the index of a pack. It reorders entries by name.
func encodeIndex(entries []entry, pack Hash) []byte {
	slices.SortFunc(entries, func(a, b entry) int {
		return cmp.Or(bytes.Compare(a.hash[:], b.hash[:]), cmp.Compare(a.off, b.off))
	})
	out := make([]byte, 0, idxHeader+fanoutSize+28*len(entries)+2*trailer)
	out = append(out, "\377tOc\000\000\000\002"...)
	n := 0
	for b := range 256 {
		for n < len(entries) && int(entries[n].hash[0]) == b {
			n++
		}
		out = binary.BigEndian.AppendUint32(out, uint32(n))
	}
	for i := range entries {
		out = append(out, entries[i].hash[:]...)
	}
	for i := range entries {
		out = binary.BigEndian.AppendUint32(out, entries[i].crc)
	}
	var far []int64
	for i := range entries {
		off := entries[i].off
		if off < 1<<31 {
			out = binary.BigEndian.AppendUint32(out, uint32(off))
			continue
		}
		out = binary.BigEndian.AppendUint32(out, 1<<31|uint32(len(far)))
		far = append(far, off)
	}
	for _, off := range far {
		out = binary.BigEndian.AppendUint64(out, uint64(off))
	}
	out = append(out, pack[:]...)
	sum := sha1.Sum(out)
	return append(out, sum[:]...)
}
