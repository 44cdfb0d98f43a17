package manifest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// different returns the first difference between what quick and the decoder read.
func different(a, b *yaml.Node, path string) string {
	switch {
	case a.Kind != b.Kind || a.Tag != b.Tag || a.Value != b.Value || a.Style != b.Style:
		return fmt.Sprintf("%s: quick reads kind %d tag %s style %d %q, the decoder kind %d tag %s style %d %q", path, a.Kind, a.Tag, a.Style, a.Value, b.Kind, b.Tag, b.Style, b.Value)
	case a.Line != b.Line || a.Column != b.Column:
		return fmt.Sprintf("%s: quick sees %d:%d, the decoder %d:%d", path, a.Line, a.Column, b.Line, b.Column)
	case a.Anchor != b.Anchor || (a.Alias == nil) != (b.Alias == nil) || a.Alias != nil && (a.Alias.Line != b.Alias.Line || a.Alias.Column != b.Alias.Column):
		return fmt.Sprintf("%s: anchor %q, the decoder %q, or another alias", path, a.Anchor, b.Anchor)
	case len(a.Content) != len(b.Content):
		return fmt.Sprintf("%s: quick sees %d children, the decoder %d", path, len(a.Content), len(b.Content))
	}
	for i := range a.Content {
		if d := different(a.Content[i], b.Content[i], fmt.Sprintf("%s/%d", path, i)); d != "" {
			return d
		}
	}
	return ""
}

// compareReaders reports where quick answers and the decoder does not agree.
func compareReaders(t *testing.T, data []byte) bool {
	t.Helper()
	got, ok := quick(data)
	if !ok {
		return false
	}
	want, p := decode(data)
	if p != nil {
		t.Fatalf("quick reads what the decoder refuses (%s):\n%q", p.Text, data)
	}
	if len(got) != len(want) {
		t.Fatalf("quick reads %d documents, the decoder %d:\n%q", len(got), len(want), data)
	}
	for i := range got {
		if d := different(got[i].Content[0], want[i].Content[0], fmt.Sprint(i)); d != "" {
			t.Fatalf("%s\n%q", d, data)
		}
	}
	return true
}

var quickCases = []string{
	"a: b\n", "a: b", "a:\n  b: c\n", "a:\n- b\n- c\n", "a:\n  - b\n  - c: d\n    e: f\n", "- a: b\n  c: d\n- e\n", "- - a\n  - b\n- c\n",
	"a: 'b' # c\n", "a: \"b\"\n", "a: {b: c, d: [e, 'f']}\n", "a: []\nb: {}\n", "a: |\n  x\n   y\n\n  z\nb: c\n", "a: |-\n  x\n\n\n", "a: |\n  x",
	"a:\nb:\n", "# c\n---\na: b\n---\nc: d\n", "a: 1\nb: 1.5\nc: true\nd: null\ne: ~\nf: 2024-01-02\ng: 0x1F\nh: 1e3\ni: .inf\nj: yes\nk: -1\nl: --flag\n",
	"1: a\ntrue: b\n", "a: b # c # d\n", "a:   b  \n\n\n", "a: b\n# c\nd: e\n", "a:\n  # c\n  b: c\n", "a:\n- b:\n  - c\n  d: e\n", "a: b:c\n", "a: http://x/y#z\n",
	"a: [b:1, c@d]\n", "a: {image: x/y:1, name: z}\n", "- name: a\n  args: [\"--x\", 'y']\n  script: |\n    echo a\n    echo b\n- name: c\n", "a:\n-\n  b: c\n",
	"a: &x b\nc: *x\n", "a: &x 'b' # c\nb: *x # d\n", "a: &x b\n---\nc: *x\n", "a: &x b\na: &x c\nd: *x\n", "- &x a\n- *x\n", "a: &x\n  b: c\n", "a: &x &y b\n", "a: *x\n", "a: &x *y\n", "a: &x\n", "a: &x # c\n",
	"a: é # ü\nb: 'ß' # c\n", "a: {é: b}\n", "a: [x, 'é', y]\n", "a: \"🚢\"\nb: c\n", "a: |\n  é\nb: c\n", "# \u0085\na: b\n", "a: \u2028\n", "\ufeffa: b\n", "a: \ufffd\n", "a: b\ufffe\n", "a: \u00a0b\n",
	"a:\n  {b: c}\n", "{a: b}\n", "[a, b]\n", "a:\n- {b: c}\n- [d]\n", "a:\n  [b]\n  c\n", "a:\n{b: c}\n", "a: b\r\nc:\r\n- d\r\n", "a: |\r\n  b\r\n  c\r\nd: e\r\n", "a: b\rc: d\n", "a: 'b\r\n  c'\r\n",
	"a: x\n  y\n", "a: 'x\n  y'\n", "a: &b c\n", "a: *b\n", "a: !x b\n", "a: >\n  b\n", "a: |2\n  b\n", "a: |+\n  b\n\n", "a:\tb\n", "a: b\r\n", "é: b\n", "? a\n: b\n", "a: b: c\n", "<<: a\n",
	"a: [b\n", "a: {b}\n", "a: [b: c]\n", "a: [,]\n", "a: [a b]\n", "---\n---\n", "...\n", "%YAML 1.1\n---\na: b\n", "--- a\n", "a: @b\n", "a: `b`\n", "a: - b\n", "a: -\n", "a\n", "\"a\": b\n", "a : b\n",
	"a: |\n\n  x\n", "a: |\n   \n  x\n", "a: |\nb: c\n", "a:\n  b: |\n    x\n   y: z\n", "a: |\n  x\n  \n   \n  y\n", "- |\n  x\n- |\n  y\n", "- a: |\n    x\n  b: c\n", " a: b\n", "  - a\n  - b\n", "a: =\n", "a: <<\n",
}

func TestQuick(t *testing.T) {
	answered := 0
	for _, text := range quickCases {
		if compareReaders(t, []byte(text)) {
			answered++
		}
	}
	if answered < 25 {
		t.Errorf("quick answers %d of %d", answered, len(quickCases))
	}
	files, err := filepath.Glob("testdata/places/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			compareReaders(t, f.Data)
		}
	}
	demo := filepath.Join("..", "..", "testdata", "demo", "base", "deployment.yaml")
	data, err := os.ReadFile(demo)
	if err != nil {
		t.Fatal(err)
	}
	if !compareReaders(t, data) {
		t.Errorf("quick does not read %s", demo)
	}
}

// FuzzQuick: where quick answers, the decoder builds the same nodes at the same places.
func FuzzQuick(f *testing.F) {
	for _, text := range quickCases {
		f.Add([]byte(text))
	}
	for _, tc := range bytesCases {
		if len(tc.in) < 3000 {
			f.Add([]byte(strings.ReplaceAll(tc.in, "§", "")))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) { compareReaders(t, data) })
}

func BenchmarkReaders(b *testing.B) {
	data := []byte(hostile["lists in a list"].make(100))
	b.Run("quick", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			if _, ok := quick(data); !ok {
				b.Fatal("not quick")
			}
		}
	})
	b.Run("decoder", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			if _, p := decode(data); p != nil {
				b.Fatal(p)
			}
		}
	})
}
