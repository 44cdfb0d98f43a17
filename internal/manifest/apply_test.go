package manifest

import (
	"errors"
	"strings"
	"testing"

	"github.com/pinnace-dev/pinnace/internal/image"
)

func ref(t testing.TB, s string) image.Ref {
	t.Helper()
	r, err := image.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestApplyStyles(t *testing.T) {
	first := "sha256:" + strings.Repeat("1", 64)
	second := "sha256:" + strings.Repeat("2", 64)
	for _, tc := range []struct {
		name, in, to string
		style        Style
		format       Format
		want         string
	}{
		{"pin", "image: a/b:1\n", "a/b:1@" + first, TagAndDigest, Values, "image: a/b:1@" + first + "\n"},
		{"move", "image: a/b:1@" + first + " # c\n", "a/b:1@" + second, TagAndDigest, Values, "image: a/b:1@" + second + " # c\n"},
		{"promote", "image: 'a/b:1@" + first + "'\n", "a/b:2@" + second, TagAndDigest, Values, "image: 'a/b:2@" + second + "'\n"},
		{"digest only", "image: a/b:1\n", "a/b:1@" + first, DigestOnly, Values, "image: a/b@" + first + " # 1\n"},
		{"digest only, quoted", "image: \"a/b:1\"  \n", "a/b:1@" + first, DigestOnly, Values, "image: \"a/b@" + first + "\" # 1  \n"},
		{"digest only, moved", "image: a/b@" + first + " # 1\n", "a/b:2@" + second, DigestOnly, Values, "image: a/b@" + second + " # 2\n"},
		{"digest only beside a comment keeps the tag", "image: a/b:1 # why\n", "a/b:1@" + first, DigestOnly, Values, "image: a/b:1@" + first + " # why\n"},
		{"digest only in flow keeps the tag", "{image: a/b:1}\n", "a/b:1@" + first, DigestOnly, Values, "{image: a/b:1@" + first + "}\n"},
		{"digest only in a Dockerfile keeps the tag", "FROM a/b:1\n", "a/b:1@" + first, DigestOnly, Dockerfile, "FROM a/b:1@" + first + "\n"},
		{"kustomize, both", "images:\n- name: a/b\n  newTag: v1\n  digest: " + first + "\n", "a/b:v2@" + second, TagAndDigest, Kustomization, "images:\n- name: a/b\n  newTag: v2\n  digest: " + second + "\n"},
		{"kustomize, to a number", "images:\n- name: a/b\n  newTag: v1\n  digest: " + first + "\n", "a/b:1.10@" + second, TagAndDigest, Kustomization, "images:\n- name: a/b\n  newTag: \"1.10\"\n  digest: " + second + "\n"},
		{"helm, both", "image: {repository: a/b, tag: v1, digest: ''}\n", "a/b:v2@" + second, TagAndDigest, Values, "image: {repository: a/b, tag: v2, digest: '" + second + "'}\n"},
		{"escapes before the change stay", `image: "\x61/b:1@` + first + `"` + "\n", "a/b:1@" + second, TagAndDigest, Values, `image: "\x61/b:1@` + second + `"` + "\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := Scan([]byte(tc.in), tc.format)
			if len(r.Findings) != 1 {
				t.Fatalf("found %d", len(r.Findings))
			}
			f := r.Findings[0]
			got, err := Apply([]byte(tc.in), tc.format, []Edit{{f.Document, f.Pointer, f.Image, ref(t, tc.to), tc.style, false}})
			if err != nil || string(got) != tc.want {
				t.Errorf("got\n%s\nwant\n%s\nerror %v", got, tc.want, err)
			}
		})
	}
}

func TestApplyRefuses(t *testing.T) {
	to := "@sha256:" + strings.Repeat("1", 64)
	for _, tc := range []struct {
		name, in string
		edit     Edit
		want     string
	}{
		{"another image stands there", "image: a/b:2\n", Edit{Pointer: "/image", Old: ref(t, "a/b:1"), New: ref(t, "a/b:1"+to)}, "changed since"},
		{"nothing stands there", "image: a/b:1\n", Edit{Pointer: "/images", Old: ref(t, "a/b:1"), New: ref(t, "a/b:1"+to)}, "changed since"},
		{"another document", "image: a/b:1\n", Edit{Document: 1, Pointer: "/image", Old: ref(t, "a/b:1"), New: ref(t, "a/b:1"+to)}, "changed since"},
		{"another name", "image: a/b:1\n", Edit{Pointer: "/image", Old: ref(t, "a/b:1"), New: ref(t, "a/c:1"+to)}, "cannot become a/c"},
		{"a comment forbids", "image: a/b:1 # pinnace:ignore\n", Edit{Pointer: "/image", Old: ref(t, "a/b:1"), New: ref(t, "a/b:1"+to)}, "leave it alone"},
		{"a block", "image: >-\n  a/b:1\n", Edit{Pointer: "/image", Old: ref(t, "a/b:1"), New: ref(t, "a/b:1"+to)}, "folded block"},
		{"unreadable", "image: [\n", Edit{Pointer: "/image", Old: ref(t, "a/b:1"), New: ref(t, "a/b:1"+to)}, "not YAML"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := Apply([]byte(tc.in), Values, []Edit{tc.edit})
			if err == nil || !strings.Contains(err.Error(), tc.want) || got != nil {
				t.Errorf("got %q, %v; want an error that holds %q", got, err, tc.want)
			}
		})
	}
	twice := Edit{Pointer: "/image", Old: ref(t, "a/b:1"), New: ref(t, "a/b:1"+to)}
	if _, err := Apply([]byte("image: a/b:1\n"), Values, []Edit{twice, twice}); err == nil || !strings.Contains(err.Error(), "asked twice") {
		t.Errorf("the same edit twice: %v", err)
	}
}

// TestProofCatches shows that each part of the proof can fail.
func TestProofCatches(t *testing.T) {
	old := []byte("image: a/b:1 # c\nother: x\n")
	before := scan(old, Values, nil, decode)
	want := ref(t, "a/b:2")
	good := splice{span: Span{11, 12}, text: "2", node: before.found[0].form.(whole).scalar.node, value: "a/b:2"}
	if err := prove(old, []byte("image: a/b:2 # c\nother: x\n"), Values, nil, before, []splice{good}, map[int]image.Ref{0: want}); err != nil {
		t.Fatalf("a right edit: %v", err)
	}
	for name, data := range map[string]string{
		"a byte elsewhere":   "image: a/b:2 # c\nother: y\n",
		"a byte more":        "image: a/b:2 # c\nother: x\n\n",
		"a comment":          "image: a/b:2 # d\nother: x\n",
		"another value":      "image: a/b:3 # c\nother: x\n",
		"a value turned key": "image: a/b:2:# c\nother: x\n",
	} {
		if err := prove(old, []byte(data), Values, nil, before, []splice{good}, map[int]image.Ref{0: want}); err == nil {
			t.Errorf("%s: proved", name)
		}
	}
	trees := func(a, b string, s ...splice) error {
		x, _ := decode([]byte(a))
		y, _ := decode([]byte(b))
		return proveTrees(x, y, s)
	}
	for name, pair := range map[string][2]string{
		"text":      {"a: b", "a: c"},
		"key":       {"a: b", "c: b"},
		"kind":      {"a: b", "a: [b]"},
		"style":     {"a: b", "a: 'b'"},
		"type":      {"a: !!str b", "a: !x b"},
		"anchor":    {"a: &x b", "a: &y b"},
		"alias":     {"a: &x b\nc: &y b\nd: *x", "a: &x b\nc: &y b\nd: *y"},
		"line":      {"a: b", "\na: b"},
		"comment":   {"a: b # c", "a: b # d"},
		"document":  {"a: b", "a: b\n---\nc: d"},
		"key more":  {"a: b", "a: b\nc: d"},
		"key fewer": {"a: b\nc: d", "a: b"},
	} {
		if err := trees(pair[0], pair[1]); err == nil {
			t.Errorf("%s: proved equal", name)
		}
		if err := trees(pair[0], pair[0]); err != nil {
			t.Errorf("%s: equal trees differ: %v", name, err)
		}
	}
	if _, err := cutIn([]byte("abc"), []splice{{span: Span{0, 2}}, {span: Span{1, 3}}}); !errors.Is(err, ErrProof) {
		t.Errorf("overlapping edits: %v", err)
	}
}
