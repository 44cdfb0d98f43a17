package manifest

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func inserting(t testing.TB, names ...string) []Edit {
	t.Helper()
	var out []Edit
	for _, name := range names {
		e := Edit{Pointer: Insertion, Insert: true, New: ref(t, name)}
		e.Old.Name = e.New.Name
		out = append(out, e)
	}
	return out
}

// hexes makes a digest of one letter.
func hexes(c string) string { return "sha256:" + strings.Repeat(c, 64) }

func TestInsert(t *testing.T) {
	one, two := hexes("1"), hexes("2")
	shop := "ghcr.io/acme/shop:1.5@" + one
	for _, tc := range []struct {
		name, in string
		insert   []string // nil: shop
		want     string
	}{
		{"no images", "resources: [../base]\n", nil, "resources: [../base]\nimages:\n- name: ghcr.io/acme/shop\n  newTag: \"1.5\"\n  digest: " + one + "\n"},
		{"no images, no final newline", "resources: [../base]", nil, "resources: [../base]\nimages:\n- name: ghcr.io/acme/shop\n  newTag: \"1.5\"\n  digest: " + one},
		{"no images, a comment at the end", "resources:\n  - ../base\n# the end\n", nil, "resources:\n  - ../base\n# the end\nimages:\n- name: ghcr.io/acme/shop\n  newTag: \"1.5\"\n  digest: " + one + "\n"},
		{"no images, CRLF", "resources:\r\n- ../base\r\n", nil, "resources:\r\n- ../base\r\nimages:\r\n- name: ghcr.io/acme/shop\r\n  newTag: \"1.5\"\r\n  digest: " + one + "\r\n"},
		{"no images, a literal block at the end", "patches:\n- patch: |\n    a: b\n", nil, "patches:\n- patch: |\n    a: b\nimages:\n- name: ghcr.io/acme/shop\n  newTag: \"1.5\"\n  digest: " + one + "\n"},
		{"no images, a mark at the start", "---\nresources: [../base]\n", nil, "---\nresources: [../base]\nimages:\n- name: ghcr.io/acme/shop\n  newTag: \"1.5\"\n  digest: " + one + "\n"},
		{"a list at the left edge", "images:\n- name: a\n  newTag: v1\nnamespace: x\n", nil, "images:\n- name: a\n  newTag: v1\n- name: ghcr.io/acme/shop\n  newTag: \"1.5\"\n  digest: " + one + "\nnamespace: x\n"},
		{"an indented list with comments", "images:\n  # first\n  - name: a # A\n    newTag: v1 # one\n  # after\n\nnamespace: x # here\n", nil, "images:\n  # first\n  - name: a # A\n    newTag: v1 # one\n  - name: ghcr.io/acme/shop\n    newTag: \"1.5\"\n    digest: " + one + "\n  # after\n\nnamespace: x # here\n"},
		{"a list at the end without a newline, CRLF", "images:\r\n- name: a\r\n  newTag: v1", nil, "images:\r\n- name: a\r\n  newTag: v1\r\n- name: ghcr.io/acme/shop\r\n  newTag: \"1.5\"\r\n  digest: " + one},
		{"behind an entry in braces", "images:\n- {name: a, newTag: v1}\n", nil, "images:\n- {name: a, newTag: v1}\n- name: ghcr.io/acme/shop\n  newTag: \"1.5\"\n  digest: " + one + "\n"},
		{"behind an entry with quotes and more", "images:\n- newTag: 'v1'\n  name: \"a\"\nvalues: {image: b:1}\n", nil, "images:\n- newTag: 'v1'\n  name: \"a\"\n- name: ghcr.io/acme/shop\n  newTag: \"1.5\"\n  digest: " + one + "\nvalues: {image: b:1}\n"},
		{"several, by name", "namespace: x\n", []string{"b:v2@" + two, "a:v1@" + one}, "namespace: x\nimages:\n- name: a\n  newTag: v1\n  digest: " + one + "\n- name: b\n  newTag: v2\n  digest: " + two + "\n"},
		{"without a tag", "namespace: x\n", []string{"a@" + one}, "namespace: x\nimages:\n- name: a\n  digest: " + one + "\n"},
		{"a name and a tag that read as something else", "namespace: x\n", []string{"123:on@" + one}, "namespace: x\nimages:\n- name: \"123\"\n  newTag: \"on\"\n  digest: " + one + "\n"},
		{"a registry with a port, and a date", "namespace: x\n", []string{"localhost:5000/a:2024-01-02@" + one}, "namespace: x\nimages:\n- name: localhost:5000/a\n  newTag: \"2024-01-02\"\n  digest: " + one + "\n"},
		{"an address in brackets", "namespace: x\n", []string{"[::1]:5000/a:v1@" + one}, "namespace: x\nimages:\n- name: \"[::1]:5000/a\"\n  newTag: v1\n  digest: " + one + "\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.insert == nil {
				tc.insert = []string{shop}
			}
			if p := Scan([]byte(tc.in), Kustomization).Closed; p != nil {
				t.Fatalf("closed: %s", p.Text)
			}
			got, err := Apply([]byte(tc.in), Kustomization, inserting(t, tc.insert...))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, string(got)); diff != "" {
				t.Errorf("differs (-want +got):\n%s", diff)
			}
		})
	}
}

// An entry can be inserted while the one before it gets a digest.
func TestInsertBesideEdits(t *testing.T) {
	one, two := hexes("1"), hexes("2")
	const in = "images:\n- name: a\n  newTag: v1 # why\nnamespace: x\n"
	edits := append(inserting(t, "b:v2@"+two), Edit{Pointer: "/images/0", Old: ref(t, "a:v1"), New: ref(t, "a:v1@"+one)})
	got, err := Apply([]byte(in), Kustomization, edits)
	want := "images:\n- name: a\n  newTag: v1 # why\n  digest: " + one + "\n- name: b\n  newTag: v2\n  digest: " + two + "\nnamespace: x\n"
	if err != nil || string(got) != want {
		t.Errorf("got %v\n%s\nwant\n%s", err, got, want)
	}
}

func TestInsertRefuses(t *testing.T) {
	one := hexes("1")
	for _, tc := range []struct {
		name, in, insert, want string
	}{
		{"in braces", "{resources: [a]}\n", "a:1@" + one, "written in braces"},
		{"JSON", `{"images": []}`, "a:1@" + one, "written in braces"},
		{"in brackets", "images: [{name: a, newTag: v1}]\n", "b:1@" + one, "written in brackets"},
		{"an empty list", "images: []\n", "b:1@" + one, "written in brackets"},
		{"nothing", "images:\nnamespace: x\n", "b:1@" + one, "holds nothing"},
		{"a word", "images: x\n", "b:1@" + one, "no list"},
		{"an alias", "x: &a\n- name: a\n  newTag: v1\nimages: *a\n", "b:1@" + one, "no list"},
		{"an anchor", "images: &a\n- name: a\n  newTag: v1\nx: *a\n", "b:1@" + one, "anchor"},
		{"a merge key", "<<: {images: []}\n", "b:1@" + one, "merge key"},
		{"two keys", "images:\n- name: a\n  newTag: v1\nimages:\n- name: b\n  newTag: v1\n", "c:1@" + one, "twice"},
		{"two documents", "namespace: x\n---\nnamespace: y\n", "b:1@" + one, "not one document"},
		{"an end mark", "namespace: x\n...\n", "b:1@" + one, "could not be found"},
		{"no mapping", "- a\n", "b:1@" + one, "not a mapping"},
		{"empty", "", "b:1@" + one, "not one document"},
		{"a block at the end of an entry", "images:\n- name: a\n  newTag: |-\n    v1\n", "b:1@" + one, "literal block"},
		{"an entry over several lines", "images:\n- {name: a, newTag: v1\n  }\nnamespace: x\n", "b:1@" + one, ErrProof.Error()},
		{"an entry of that name", "images:\n- name: a\n  newTag: v1\n", "a:2@" + one, ErrChanged.Error()},
		{"an entry that renames", "images:\n- name: a\n  newName: b\n", "a:2@" + one, ErrChanged.Error()},
		{"no digest", "namespace: x\n", "a:2", "no name with a digest"},
		{"a last value that would change", "patches:\n- patch: |\n    a", "a:2@" + one, ErrProof.Error()},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := Apply([]byte(tc.in), Kustomization, inserting(t, tc.insert))
			if err == nil || !strings.Contains(err.Error(), tc.want) || got != nil {
				t.Errorf("got %q, %v; want an error that holds %q", got, err, tc.want)
			}
		})
	}
	good := inserting(t, "a:1@"+one)[0]
	for name, tc := range map[string]struct {
		format Format
		edits  []Edit
	}{
		"another format":  {YAML, []Edit{good}},
		"twice":           {Kustomization, []Edit{good, good}},
		"another place":   {Kustomization, []Edit{{Pointer: "/images/0", Insert: true, New: good.New}}},
		"second document": {Kustomization, []Edit{{Pointer: Insertion, Document: 1, Insert: true, New: good.New}}},
	} {
		if got, err := Apply([]byte("namespace: x\n"), tc.format, tc.edits); err == nil || got != nil {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}

// TestInsertProofCatches shows that what was added is held to what was asked.
func TestInsertProofCatches(t *testing.T) {
	const in = "images:\n- name: a\n  newTag: v1\n"
	e := inserting(t, "b:v2@"+hexes("2"))
	before := scan([]byte(in), Kustomization, nil, decode)
	good, err := insert(before, Kustomization, e)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(string) string{
		"as asked":       func(s string) string { return s },
		"another name":   func(s string) string { return strings.Replace(s, "name: b", "name: c", 1) },
		"another tag":    func(s string) string { return strings.Replace(s, "newTag: v2", "newTag: v3", 1) },
		"another digest": func(s string) string { return strings.Replace(s, hexes("2"), hexes("3"), 1) },
		"another key":    func(s string) string { return s + "\n  newName: c" },
		"another entry":  func(s string) string { return s + "\n- name: c\n  newTag: v1" },
		"nothing":        func(string) string { return "\n" },
	} {
		s := good
		s.text = change(s.text)
		data, err := cutIn([]byte(in), []splice{s})
		if err != nil {
			t.Fatal(err)
		}
		if err := prove([]byte(in), data, Kustomization, nil, before, []splice{s}, nil); (err == nil) != (name == "as asked") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzInsert: an entry is added and found again, the bytes outside are the old ones, what
// stood there is found as it was, and a second insertion is refused. A proof that fails is a
// refusal. Where nothing is refused, Scan said so before.
func FuzzInsert(f *testing.F) {
	for _, s := range []string{
		"resources: [../base]\n", "images:\n- name: a\n  newTag: v1\n", "images:\n  - name: a\n    newTag: v1 # c\n\n# end", "a: b\r\nimages:\r\n- name: a\r\n  digest: x",
		"{images: []}", "images: []", "images: &x\n- a\n", "images:\n- - a\n", "images:\n- {name: a,\n  newTag: b}\n", "a: |\n  b", "a: b\n...\n", "? images\n: - name: a\n", "images:\n-\n", "images:\n- ? a\n",
		" images:\n - name: a\n", "images:\n- name: 'a\n  b'\n", "a: |+\n  b\n\n\n", "a: >\n  b\n# c", "images:\n- *a\n", "x: &a {name: b}\nimages:\n- *a\n", "\ufeffa: b\n", "%YAML 1.2\n---\na: b\n", "a: b\u2028images:\u2028- name: x",
	} {
		f.Add([]byte(s), "ghcr.io/acme/shop", "1.5")
	}
	f.Add([]byte("a: b\n"), "[::1]:5000/a", "")
	f.Add([]byte("a: b\n"), "1e3", "2024-01-02")
	f.Fuzz(func(t *testing.T, data []byte, name, tag string) {
		e := Edit{Pointer: Insertion, Insert: true}
		e.New.Name, e.New.Tag, e.New.Digest = name, tag, digestOf(e.New)
		before := Scan(data, Kustomization)
		out, err := Apply(data, Kustomization, []Edit{e})
		if err != nil {
			return
		}
		if before.Closed != nil || before.Problem != nil {
			t.Fatalf("inserted into a closed file: %v %v", before.Closed, before.Problem)
		}
		head := 0
		for head < len(data) && data[head] == out[head] {
			head++
		}
		if tail := data[head:]; !bytes.HasSuffix(out, tail) || len(out) <= len(data) {
			t.Fatalf("bytes outside changed:\n%q\n%q", data, out)
		}
		after := Scan(out, Kustomization)
		if after.Problem != nil || len(after.Findings) != len(before.Findings)+1 {
			t.Fatalf("%d findings became %d: %v", len(before.Findings), len(after.Findings), after.Problem)
		}
		found := 0
		for _, g := range after.Findings {
			if g.Image == e.New && g.Overrides == name && g.Place == KustomizeImage && g.Editable() {
				found++
			}
		}
		if found != 1 {
			t.Fatalf("the entry is found %d times in\n%s", found, out)
		}
		if again, err := Apply(out, Kustomization, []Edit{e}); err == nil || !errors.Is(err, ErrChanged) {
			t.Fatalf("inserted twice: %v\n%s", err, again)
		}
	})
}
