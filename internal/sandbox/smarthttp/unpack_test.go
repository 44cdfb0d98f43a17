package smarthttp

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
)

// A packer writes packs by hand, good ones and bad ones.
type packer struct {
	buf   bytes.Buffer
	count uint32
}

func (p *packer) head(kind plumbing.ObjectType, size int) int {
	at := 12 + p.buf.Len()
	p.count++
	c := byte(kind)<<4 | byte(size&15)
	for size >>= 4; size > 0; size >>= 7 {
		p.buf.WriteByte(c | 0x80)
		c = byte(size & 0x7f)
	}
	p.buf.WriteByte(c)
	return at
}

func (p *packer) deflate(b []byte) {
	z := zlib.NewWriter(&p.buf)
	if _, err := z.Write(b); err != nil {
		panic(err)
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
}

// add writes an object, saying that it has size bytes, and returns its offset.
func (p *packer) add(kind plumbing.ObjectType, b string, size int) int {
	at := p.head(kind, size)
	p.deflate([]byte(b))
	return at
}

// named writes a delta against the object of a name.
func (p *packer) named(base plumbing.Hash, diff []byte) int {
	at := p.head(plumbing.REFDeltaObject, len(diff))
	p.buf.Write(base[:])
	p.deflate(diff)
	return at
}

// near writes a delta against the object so many bytes before.
func (p *packer) near(base int, diff []byte) int {
	at := p.head(plumbing.OFSDeltaObject, len(diff))
	back := at - base
	bytes := []byte{byte(back & 0x7f)}
	for back >>= 7; back > 0; back >>= 7 {
		back--
		bytes = append([]byte{0x80 | byte(back&0x7f)}, bytes...)
	}
	p.buf.Write(bytes)
	p.deflate(diff)
	return at
}

func (p *packer) pack() []byte {
	out := append([]byte("PACK\x00\x00\x00\x02"), 0, 0, 0, 0)
	binary.BigEndian.PutUint32(out[8:], p.count)
	out = append(out, p.buf.Bytes()...)
	sum := sha1.Sum(out)
	return append(out, sum[:]...)
}

// copies is a delta that repeats the first size bytes of a base of length from.
func copies(from, size, times int) []byte {
	d := binary.AppendUvarint(nil, uint64(from))
	d = binary.AppendUvarint(d, uint64(size*times))
	for range times {
		d = append(d, 0x80|0x10|0x20|0x40, byte(size), byte(size>>8), byte(size>>16))
	}
	return d
}

func blob(text string) plumbing.Hash { return plumbing.ComputeHash(plumbing.BlobObject, []byte(text)) }

func TestUnpack(t *testing.T) {
	limit := packLimit{objects: 100, object: 1 << 16, total: 1 << 18}
	base := func(h plumbing.Hash) (plumbing.EncodedObject, error) {
		if h == blob("elsewhere\n") {
			return memoryObject(plumbing.BlobObject, []byte("elsewhere\n")), nil
		}
		if h.IsZero() {
			return nil, errors.New("no disk")
		}
		return nil, plumbing.ErrObjectNotFound
	}
	good := func(fill func(p *packer)) []byte {
		var p packer
		fill(&p)
		return p.pack()
	}
	tests := []struct {
		name string
		pack []byte
		want []plumbing.Hash
		err  string
		bad  bool // with no text of its own
	}{
		{name: "none", pack: good(func(*packer) {})},
		{name: "a blob", pack: good(func(p *packer) { p.add(plumbing.BlobObject, "a\n", 2) }), want: []plumbing.Hash{blob("a\n")}},
		{name: "an empty blob", pack: good(func(p *packer) { p.add(plumbing.BlobObject, "", 0) }), want: []plumbing.Hash{blob("")}},
		{
			name: "a chain by offset",
			pack: good(func(p *packer) {
				at := p.add(plumbing.BlobObject, "abc\n", 4)
				at = p.near(at, copies(4, 4, 2))
				p.near(at, copies(8, 8, 2))
			}),
			want: []plumbing.Hash{blob("abc\n"), blob("abc\nabc\n"), blob("abc\nabc\nabc\nabc\n")},
		},
		{
			name: "a chain by name, backwards",
			pack: good(func(p *packer) {
				p.named(blob("abc\nabc\n"), copies(8, 8, 2))
				p.named(blob("abc\n"), copies(4, 4, 2))
				p.add(plumbing.BlobObject, "abc\n", 4)
			}),
			want: []plumbing.Hash{blob("abc\n"), blob("abc\nabc\n"), blob("abc\nabc\nabc\nabc\n")},
		},
		{
			name: "a base elsewhere",
			pack: good(func(p *packer) {
				at := p.named(blob("elsewhere\n"), copies(10, 5, 1))
				p.near(at, copies(5, 4, 1))
			}),
			want: []plumbing.Hash{blob("elsew"), blob("else")},
		},
		{name: "no base", pack: good(func(p *packer) { p.named(blob("nowhere"), copies(7, 7, 1)) }), err: "base " + blob("nowhere").String() + " is missing"},
		{name: "a base that cannot be read", pack: good(func(p *packer) { p.named(plumbing.ZeroHash, copies(7, 7, 1)) }), err: "no disk"},
		{name: "an offset into nothing", pack: good(func(p *packer) { p.add(plumbing.BlobObject, "abc\n", 4); p.near(13, copies(4, 4, 1)) }), err: "where no object is"},
		{name: "an offset ahead", pack: good(func(p *packer) { p.near(11, copies(4, 4, 1)) }), err: "where no object is"},
		{name: "a delta of itself", pack: good(func(p *packer) { p.near(12, copies(4, 4, 1)) }), err: "invalid OFS delta offset"},
		{name: "a wrong size of the base", pack: good(func(p *packer) { at := p.add(plumbing.BlobObject, "abc\n", 4); p.near(at, copies(5, 4, 1)) }), err: "invalid delta"},
		{name: "a copy beyond the base", pack: good(func(p *packer) { at := p.add(plumbing.BlobObject, "abc\n", 4); p.near(at, copies(4, 9, 1)) }), err: "invalid delta"},
		{name: "half a delta", pack: good(func(p *packer) { at := p.add(plumbing.BlobObject, "abc\n", 4); p.near(at, []byte{4}) }), err: "exceeds the limit"},
		{name: "more than it says", pack: good(func(p *packer) { p.add(plumbing.BlobObject, "abcdefgh", 4) }), err: "exceeds declared size"},
		{name: "less than it says", pack: good(func(p *packer) { p.add(plumbing.BlobObject, "abc", 4) }), err: "has 3 bytes, not 4"},
		{name: "an unknown type", pack: good(func(p *packer) { p.add(5, "abc", 3) }), err: "unknown type"},
		{name: "a large object", pack: good(func(p *packer) { p.add(plumbing.BlobObject, strings.Repeat("x", 1<<17), 1<<17) }), err: "exceeds the limit of 65536"},
		{name: "a large length", pack: good(func(p *packer) { p.add(plumbing.BlobObject, "x", 1<<40) }), err: "exceeds the limit of 65536"},
		{name: "a large delta", pack: good(func(p *packer) {
			at := p.add(plumbing.BlobObject, strings.Repeat("x", 1000), 1000)
			p.near(at, copies(1000, 1000, 66))
		}), err: "exceeds the limit of 65536"},
		{name: "a bomb of deltas", pack: good(func(p *packer) {
			at := p.add(plumbing.BlobObject, strings.Repeat("x", 1000), 1000)
			for range 6 {
				p.near(at, copies(1000, 1000, 60))
			}
		}), err: "exceeds the limit of 262144 bytes"},
		{name: "many objects", pack: good(func(p *packer) { p.count = 101 }), err: "101 objects"},
		{name: "fewer than it says", pack: good(func(p *packer) { p.add(plumbing.BlobObject, "a", 1); p.count = 2 }), bad: true},
		{name: "empty", pack: nil, err: "empty packfile"},
		{name: "text", pack: []byte("hello, this is no pack"), err: "malformed pack file signature"},
		{name: "version 3", pack: []byte("PACK\x00\x00\x00\x03\x00\x00\x00\x00"), err: "unsupported packfile version"},
		{name: "a wrong checksum", pack: append(good(func(p *packer) { p.add(plumbing.BlobObject, "a", 1) })[:31:31], "xxxxxxxxxxx"...), bad: true},
		{name: "a malformed commit", pack: good(func(p *packer) { p.add(plumbing.CommitObject, "tree x\n", 7) }), err: "missingTree"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := unpack(tt.pack, limit, base)
			if tt.err != "" || tt.bad {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("error %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Objects) != len(tt.want) {
				t.Errorf("%d objects, want %d", len(got.Objects), len(tt.want))
			}
			for _, h := range tt.want {
				if err := got.HasEncodedObject(h); err != nil {
					t.Errorf("%s: %v", h, err)
				}
			}
		})
	}
}

func TestFsck(t *testing.T) {
	id := strings.Repeat("ab", 20)
	raw := string(bytes.Repeat([]byte{0xab}, 20))
	null := string(make([]byte, 20))
	who := "Ada <ada@example.com> 1700000000 +0000"
	commit := func(lines ...string) string { return strings.Join(lines, "\n") + "\n\nmessage\n" }
	tests := []struct {
		kind plumbing.ObjectType
		text string
		want string // "" is well formed
	}{
		{plumbing.BlobObject, "anything", ""},
		{plumbing.CommitObject, commit("tree "+id, "author "+who, "committer "+who), ""},
		{plumbing.CommitObject, commit("tree "+id, "parent "+id, "parent "+id, "author "+who, "committer "+who, "gpgsig x"), ""},
		{plumbing.CommitObject, commit("tree "+id, "author  <> 0 -1200", "committer "+who), ""},
		{plumbing.CommitObject, "", "missingTree"},
		{plumbing.CommitObject, "tree " + id, "missingTree"},
		{plumbing.CommitObject, commit("tree " + id[1:]), "missingTree"},
		{plumbing.CommitObject, commit("tree "+plumbing.ZeroHash.String(), "author "+who, "committer "+who), "nullSha1"},
		{plumbing.CommitObject, commit("tree "+id, "parent x", "author "+who, "committer "+who), "badParentSha1"},
		{plumbing.CommitObject, commit("tree "+id, "committer "+who), "missingAuthor"},
		{plumbing.CommitObject, commit("tree "+id, "author "+who), "missingCommitter"},
		{plumbing.CommitObject, commit("tree "+id, "author Ada 1700000000 +0000", "committer "+who), "badIdent"},
		{plumbing.CommitObject, commit("tree "+id, "author Ada <a> 017 +0000", "committer "+who), "badIdent"},
		{plumbing.CommitObject, commit("tree "+id, "author Ada <a> 17 UTC", "committer "+who), "badIdent"},
		{plumbing.CommitObject, commit("tree "+id, "author Ada <a<b> 17 +0000", "committer "+who), "badIdent"},
		{plumbing.TagObject, "object " + id + "\ntype commit\ntag v1\ntagger " + who + "\n\nmessage\n", ""},
		{plumbing.TagObject, "object " + id + "\ntype commit\ntag v1\n\n", ""},
		{plumbing.TagObject, "object x\ntype commit\ntag v1\n\n", "missingObject"},
		{plumbing.TagObject, "object " + id + "\ntype delta\ntag v1\n\n", "badType"},
		{plumbing.TagObject, "object " + id + "\ntype ofs-delta\ntag v1\n\n", "badType"},
		{plumbing.TagObject, "object " + id + "\ntype commit\n\n", "missingTag"},
		{plumbing.TreeObject, "", ""},
		{plumbing.TreeObject, "100644 a\x00" + raw + "40000 b\x00" + raw + "100644 b.c\x00" + raw, "treeNotSorted"},
		{plumbing.TreeObject, "100644 a\x00" + raw + "100644 b.c\x00" + raw + "40000 b\x00" + raw + "160000 s\x00" + raw + "120000 t\x00" + raw, ""},
		{plumbing.TreeObject, "100644 a\x00" + raw[1:], "badTree"},
		{plumbing.TreeObject, "100644", "badTree"},
		{plumbing.TreeObject, "100644 b\x00" + raw + "100644 a\x00" + raw, "treeNotSorted"},
		{plumbing.TreeObject, "100644 a\x00" + raw + "100755 a\x00" + raw, "duplicateEntries"},
		{plumbing.TreeObject, "100644 a\x00" + raw + "100644 a-\x00" + raw + "40000 a\x00" + raw, "duplicateEntries"},
		{plumbing.TreeObject, "040000 a\x00" + raw, "zeroPaddedFilemode"},
		{plumbing.TreeObject, "100600 a\x00" + raw, "badFilemode"},
		{plumbing.TreeObject, " a\x00" + raw, "badFilemode"},
		{plumbing.TreeObject, "100644 \x00" + raw, "emptyName"},
		{plumbing.TreeObject, "100644 a/b\x00" + raw, "fullPathname"},
		{plumbing.TreeObject, "40000 .\x00" + raw, "hasDot:"},
		{plumbing.TreeObject, "40000 ..\x00" + raw, "hasDotdot"},
		{plumbing.TreeObject, "40000 .GIT\x00" + raw, "hasDotgit"},
		{plumbing.TreeObject, "100644 a\x00" + null, "nullSha1"},
	}
	for i, tt := range tests {
		t.Run(fmt.Sprintf("%d %s %s", i, tt.kind, tt.want), func(t *testing.T) {
			err := fsck(tt.kind, []byte(tt.text))
			if tt.want == "" && err != nil {
				t.Fatal(err)
			}
			if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Fatalf("error %v, want %q", err, tt.want)
			}
		})
	}
}
