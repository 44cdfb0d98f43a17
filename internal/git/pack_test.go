package git

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	gohash "github.com/go-git/go-git/v5/plumbing/hash"
)

// deltified makes a bare repository with one pack of long chains of deltas.
func deltified(t testing.TB) (dir string) {
	t.Helper()
	g := newRig(t)
	body := strings.Repeat("some line of a manifest, long enough to be worth a delta\n", 40)
	for i := range 8 {
		g.commit("main", map[string]string{"a": fmt.Sprintf("%d\n%s%d\n", i, body, i*i), "b/c": fmt.Sprintf("%s%d\n", body, i)})
	}
	g.git(g.bare, "repack", "-q", "-a", "-d", "-f", "--depth=50", "--window=50")
	return g.bare
}

// Every object of a pack that git made comes out as git shows it, whether its deltas name
// their bases by place or by id, and the index is git's.
func TestPackAgreesWithGit(t *testing.T) {
	dir := deltified(t)
	lines := strings.Split(runGit(t, dir, nil, "cat-file", "--batch-check", "--batch-all-objects"), "\n")
	checkout, err := OpenCheckout(dir, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer checkout.Close()
	stores := map[string]*Repository{"git's own": checkout}
	for name, option := range map[string]string{"by place": "--delta-base-offset", "by id": "--no-reuse-delta"} {
		prefix := filepath.Join(t.TempDir(), "out")
		sum := runGit(t, dir, nil, "pack-objects", "-q", "--all", option, prefix)
		f, err := os.Open(prefix + "-" + sum + ".pack")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		r := NewMemory(Limits{})
		objects, size, err := r.take(context.Background(), f)
		if err != nil || size != r.packs[0].size || objects != len(lines) {
			t.Fatal(objects, size, err)
		}
		idx, err := os.ReadFile(prefix + "-" + sum + ".idx")
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(idx, r.packs[0].idx.whole) {
			t.Errorf("%s: the index is not the one that git makes", name)
		}
		stores[name] = r
	}
	for _, line := range lines {
		id, rest, _ := strings.Cut(line, " ")
		h := plumbing.NewHash(id)
		for name, s := range stores {
			o, err := s.object(h, 1<<20)
			if err != nil {
				t.Fatalf("%s %s: %v", name, id, err)
			}
			if got := fmt.Sprintf("%s %d", o.kind, len(o.data)); got != rest {
				t.Errorf("%s %s: %s, want %s", name, id, got, rest)
			}
			if again, err := hashObject(o.kind, o.data); again != h || err != nil {
				t.Errorf("%s %s: its bytes hash to %s", name, id, again)
			}
			if k, n, err := s.stat(h); err != nil || fmt.Sprintf("%s %d", k, n) != rest {
				t.Errorf("%s stat %s: %s %d %v, want %s", name, id, k, n, err, rest)
			}
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// packOf makes a pack by hand; its checksum is right.
func packOf(count int, entries ...[]byte) []byte {
	b := binary.BigEndian.AppendUint32([]byte("PACK\x00\x00\x00\x02"), uint32(count))
	b = append(b, bytes.Join(entries, nil)...)
	sum := sha1.Sum(b)
	return append(b, sum[:]...)
}

// entryOf is one entry whose header claims size bytes.
func entryOf(k plumbing.ObjectType, size int64, between, data []byte) []byte {
	var e packEntry
	e.header(k, size)
	e.Write(between)
	if err := deflate(&e, data); err != nil {
		panic(err)
	}
	return e.bytes
}

func whole(k plumbing.ObjectType, data string) []byte {
	return entryOf(k, int64(len(data)), nil, []byte(data))
}

// insert is a delta that makes text of a base of n bytes.
func insert(n int, text string) []byte {
	return append([]byte{byte(n), byte(len(text)), byte(len(text))}, text...)
}

func TestHostilePacks(t *testing.T) {
	base := whole(plumbing.BlobObject, "base")
	id := must(hashObject(plumbing.BlobObject, []byte("base")))
	delta := insert(4, "result")
	ref := func(h Hash, d []byte) []byte { return entryOf(plumbing.REFDeltaObject, int64(len(d)), h[:], d) }
	ofs := func(back byte, d []byte) []byte {
		return entryOf(plumbing.OFSDeltaObject, int64(len(d)), []byte{back}, d)
	}
	good := packOf(1, base)
	flipped := bytes.Clone(good)
	flipped[len(flipped)-1] ^= 1
	bomb := whole(plumbing.BlobObject, strings.Repeat("\x00", 1<<20))
	grow := append([]byte{4, 0xff, 0xff, 0xff, 0x7f}, 1, 'x')
	for name, c := range map[string]struct {
		pack []byte
		want error
	}{
		"nothing":                      {nil, ErrCorrupt},
		"no pack":                      {[]byte("<html>..........................."), ErrCorrupt},
		"version 9":                    {append([]byte("PACK\x00\x00\x00\x09\x00\x00\x00\x00"), make([]byte, 20)...), ErrCorrupt},
		"wrong checksum":               {flipped, ErrCorrupt},
		"cut":                          {good[:len(good)-25], ErrCorrupt},
		"cut in the checksum":          {good[:len(good)-5], ErrCorrupt},
		"bytes behind":                 {append(bytes.Clone(good), 'x'), ErrCorrupt},
		"fewer objects than it claims": {packOf(2, base), ErrCorrupt},
		"more objects than it claims":  {packOf(1, base, base), ErrCorrupt},
		"a billion objects":            {packOf(1_000_000_000, base), ErrLimit},
		"larger than it claims":        {packOf(1, entryOf(plumbing.BlobObject, 3, nil, []byte("base"))), ErrCorrupt},
		"smaller than it claims":       {packOf(1, entryOf(plumbing.BlobObject, 5, nil, []byte("base"))), ErrCorrupt},
		"an object too large":          {packOf(1, entryOf(plumbing.BlobObject, 1<<40, nil, []byte("base"))), ErrLimit},
		"a size that overflows":        {packOf(1, bytes.Repeat([]byte{0xbf}, 30)), ErrCorrupt},
		"type 5":                       {packOf(1, entryOf(5, 4, nil, []byte("base"))), ErrCorrupt},
		"type 0":                       {packOf(1, entryOf(0, 4, nil, []byte("base"))), ErrCorrupt},
		"total too large":              {packOf(9, bytes.Repeat(bomb, 9)), ErrLimit},
		"not zlib":                     {packOf(1, append([]byte{0x34}, "not zlib at all"...)), ErrCorrupt},
		"base before the pack":         {packOf(2, base, ofs(100, delta)), ErrCorrupt},
		"base is itself":               {packOf(2, base, ofs(0, delta)), ErrCorrupt},
		"base within an entry":         {packOf(2, base, ofs(3, delta)), ErrCorrupt},
		"base is nowhere":              {packOf(1, ref(Hash{7}, delta)), ErrCorrupt},
		"a circle":                     {packOf(2, ref(must(hashObject(plumbing.BlobObject, []byte("b"))), insert(1, "a")), ref(must(hashObject(plumbing.BlobObject, []byte("a"))), insert(1, "b"))), ErrCorrupt},
		"base of another size":         {packOf(2, base, ref(id, insert(5, "result"))), ErrCorrupt},
		"delta ends early":             {packOf(2, base, ref(id, []byte{4, 9, 5, 'x'})), ErrCorrupt},
		"delta without sizes":          {packOf(2, base, ref(id, []byte{0x84})), ErrCorrupt},
		"delta copies from outside":    {packOf(2, base, ref(id, []byte{4, 9, 0x91, 3, 9})), ErrCorrupt},
		"delta copies too much":        {packOf(2, base, ref(id, []byte{4, 2, 0x90, 4})), ErrCorrupt},
		"reserved instruction":         {packOf(2, base, ref(id, []byte{4, 1, 0})), ErrCorrupt},
		"delta of a gigabyte":          {packOf(2, base, ref(id, grow)), ErrLimit},
		"empty":                        {packOf(0), nil},
		"good":                         {good, nil},
		"good delta":                   {packOf(2, base, ref(id, delta)), nil},
		"the same object twice":        {packOf(2, base, base), nil},
		"delta before its base":        {packOf(2, ref(id, delta), base), nil},
		"delta of a delta, backwards":  {packOf(3, ref(must(hashObject(plumbing.BlobObject, []byte("result"))), insert(6, "again")), ref(id, delta), base), nil},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "m")
			mirror, err := OpenMirror(dir, Limits{ObjectSize: 2 << 20, TotalSize: 8 << 20, PackSize: 1 << 20})
			if err != nil {
				t.Fatal(err)
			}
			defer mirror.Close()
			for _, r := range []*Repository{NewMemory(Limits{ObjectSize: 2 << 20, TotalSize: 8 << 20, PackSize: 1 << 20}), mirror} {
				_, _, err := r.take(context.Background(), bytes.NewReader(c.pack))
				if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
					t.Errorf("%v, want %v", err, c.want)
				}
				if err != nil && len(r.packs) != 0 {
					t.Error("a refused pack was kept")
				}
			}
			left := must(filepath.Glob(filepath.Join(dir, "objects/pack/tmp*")))
			if len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// A pack is refused for its size while it still arrives.
func TestPackSizeIsBoundedOnTheWay(t *testing.T) {
	r := NewMemory(Limits{PackSize: 1 << 20})
	endless := &endlessReader{head: append(binary.BigEndian.AppendUint32([]byte("PACK\x00\x00\x00\x02"), 1_000_000), bytes.Repeat(whole(plumbing.BlobObject, "base"), 1000)...)}
	if _, _, err := r.take(context.Background(), endless); !errors.Is(err, ErrLimit) {
		t.Errorf("%v", err)
	}
	if endless.read > 2<<20 {
		t.Errorf("%d bytes were read", endless.read)
	}
}

type endlessReader struct {
	head []byte
	at   int
	read int
}

func (e *endlessReader) Read(p []byte) (int, error) {
	n := copy(p, e.head[e.at:])
	if e.at += n; e.at == len(e.head) {
		e.at = 12
	}
	e.read += n
	return n, nil
}

// A long chain of deltas is solved without a stack of all its objects.
func TestLongChains(t *testing.T) {
	build := func(n int) []byte {
		entries := [][]byte{whole(plumbing.BlobObject, "0000")}
		at := []int{12}
		for i := 1; i <= n; i++ {
			off := at[i-1] + len(entries[i-1])
			at = append(at, off)
			d := insert(4, fmt.Sprintf("%04x", i))
			entries = append(entries, entryOf(plumbing.OFSDeltaObject, int64(len(d)), []byte{byte(off - at[i-1])}, d))
		}
		return packOf(n+1, entries...)
	}
	r := NewMemory(Limits{})
	if _, _, err := r.take(context.Background(), bytes.NewReader(build(4000))); err != nil {
		t.Fatal(err)
	}
	h := must(hashObject(plumbing.BlobObject, []byte(fmt.Sprintf("%04x", 4000))))
	if o, err := r.object(h, 10); err != nil || string(o.data) != "0fa0" {
		t.Errorf("%q %v", o.data, err)
	}
	if _, _, err := NewMemory(Limits{}).take(context.Background(), bytes.NewReader(build(5000))); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a chain of 5000: %v", err)
	}
}

// Branches of a tree of deltas whose bytes were let go are made again.
func TestIntakeLetsGoOfBytes(t *testing.T) {
	big := bytes.Repeat([]byte("0123456789abcdef"), 2<<20) // 32 MiB
	size := func(n int) []byte {
		var b []byte
		for ; n > 0x7f; n >>= 7 {
			b = append(b, byte(n)|0x80)
		}
		return append(b, byte(n))
	}
	// each delta copies the whole base, 16 MiB - 1 at a time, and adds one byte
	next := func(n int, c byte) []byte {
		d := append(size(n), size(n+1)...)
		for off := 0; off < n; off += 0xffffff {
			k := min(n-off, 0xffffff)
			d = append(d, 0xff, byte(off), byte(off>>8), byte(off>>16), byte(off>>24), byte(k), byte(k>>8), byte(k>>16))
		}
		return append(d, 1, c)
	}
	data := bytes.Clone(big)
	entries := [][]byte{entryOf(plumbing.BlobObject, int64(len(data)), nil, data)}
	var want []Hash
	for range 5 { // two children each, the first of which has children itself
		id := must(hashObject(plumbing.BlobObject, data))
		for _, c := range []byte("ab") {
			d := next(len(data), c)
			entries = append(entries, entryOf(plumbing.REFDeltaObject, int64(len(d)), id[:], d))
			want = append(want, must(hashObject(plumbing.BlobObject, append(bytes.Clone(data), c))))
		}
		data = append(data, 'a')
	}
	r := NewMemory(Limits{})
	if _, _, err := r.take(context.Background(), bytes.NewReader(packOf(len(entries), entries...))); err != nil {
		t.Fatal(err)
	}
	for _, h := range want {
		if !r.Has(h) {
			t.Errorf("%s is missing", h)
		}
	}
}

func TestThinPack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "m")
	r := openTestMirror(t, dir)
	if _, _, err := r.take(context.Background(), bytes.NewReader(packOf(1, whole(plumbing.BlobObject, "base")))); err != nil {
		t.Fatal(err)
	}
	id := must(hashObject(plumbing.BlobObject, []byte("base")))
	d := insert(4, "result")
	thin := packOf(1, entryOf(plumbing.REFDeltaObject, int64(len(d)), id[:], d))
	if _, _, err := r.take(context.Background(), bytes.NewReader(thin)); err != nil {
		t.Fatal(err)
	}
	packs := must(filepath.Glob(filepath.Join(dir, "objects/pack/*.pack")))
	if len(packs) != 2 {
		t.Fatal(packs)
	}
	for _, p := range packs {
		runGit(t, dir, nil, "verify-pack", strings.TrimSuffix(p, ".pack")+".idx")
	}
	o, err := r.object(must(hashObject(plumbing.BlobObject, []byte("result"))), 100)
	if err != nil || string(o.data) != "result" {
		t.Errorf("%q %v", o.data, err)
	}
}

// The first 320 bytes of the files of https://shattered.io, which hold the collision.
const shattered = "255044462d312e330a25e2e3cfd30a0a0a312030206f626a0a3c3c2f57696474682032203020522f4865696768742033203020522f547970652034203020522f537562747970652035203020522f46696c7465722036203020522f436f6c6f7253706163652037203020522f4c656e6774682038203020522f42697473506572436f6d706f6e656e7420383e3e0a73747265616d0affd8fffe00245348412d3120697320646561642121212121852fec092339759c39b1a1c63c4c97e1fffe017f46dc93a6b67e013b029aaa1db2560b45ca67d688c7f84b8c4c791fe02b3df614f86db1690901c56b45c1530afedfb76038e972722fe7ad728f0e4904e046c230570fe9d41398abe12ef5bc942be33542a4802d98b5d70f2a332ec37fac3514e74ddc0f2cc1a874cd0c78305a21566461309789606bd0bf3f98cda8044629a1"

// Collision detection is on in every hash that names an object.
func TestCollisionsAreDetected(t *testing.T) {
	data, err := hex.DecodeString(shattered)
	if err != nil || len(data) != 320 {
		t.Fatal(len(data), err)
	}
	h := hasher{plumbing.Hasher{Hash: gohash.New(crypto.SHA1)}} // as newHasher's, before the header
	h.Write(data)
	if _, err := h.sum(); !errors.Is(err, errCollision) {
		t.Errorf("the collision of SHAttered: %v", err)
	}
	n := newHasher(plumbing.BlobObject, 3)
	if _, ok := n.Hash.(interface {
		CollisionResistantSum([]byte) ([]byte, bool)
	}); !ok {
		t.Errorf("objects are named by %T, which detects no collision", n.Hash)
	}
	n.Write([]byte("foo"))
	if got, err := n.sum(); err != nil || got.String() != "19102815663d23f8b75a47e7a01965dcdc96468c" {
		t.Errorf("foo is %s, %v", got, err)
	}
}

func FuzzIntake(f *testing.F) {
	base := whole(plumbing.BlobObject, "base")
	id := must(hashObject(plumbing.BlobObject, []byte("base")))
	d := insert(4, "result")
	f.Add(packOf(0))
	f.Add(packOf(1, base))
	f.Add(packOf(2, base, entryOf(plumbing.REFDeltaObject, int64(len(d)), id[:], d)))
	f.Add(packOf(2, base, entryOf(plumbing.OFSDeltaObject, int64(len(d)), []byte{byte(len(base))}, d)))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 20 { // let it past the checksum
			sum := sha1.Sum(data[:len(data)-20])
			data = append(bytes.Clone(data[:len(data)-20]), sum[:]...)
		}
		r := NewMemory(Limits{ObjectSize: 1 << 16, TotalSize: 1 << 20, Objects: 1000})
		n, _, err := r.take(context.Background(), bytes.NewReader(data))
		if err != nil {
			if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrLimit) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, errCollision) {
				t.Errorf("an error of no kind: %v", err)
			}
			return
		}
		for i := range int64(n) {
			h := must(r.packs[0].idx.hash(i))
			o, err := r.object(h, 1<<16)
			if err != nil {
				t.Fatalf("%s: %v", h, err)
			}
			if again, _ := hashObject(o.kind, o.data); again != h {
				t.Errorf("%s reads as %s", h, again)
			}
		}
	})
}

func FuzzDelta(f *testing.F) {
	f.Add([]byte("base"), insert(4, "result"))
	f.Add([]byte("base"), []byte{4, 4, 0x90, 4})
	f.Fuzz(func(t *testing.T, base, delta []byte) {
		out, err := applyDelta(base, delta, 1<<16)
		if err == nil && len(out) > 1<<16 {
			t.Errorf("%d bytes", len(out))
		}
	})
}
