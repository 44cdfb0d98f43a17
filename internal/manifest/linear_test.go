package manifest

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// hostile inputs, by their size.
var hostile = map[string]struct {
	format Format
	make   func(n int) string
}{
	"images on one line":       {YAML, func(n int) string { return "x: [" + strings.Repeat("{image: a/b:1}, ", n) + "]\n" }},
	"images on lines":          {YAML, func(n int) string { return "x:\n" + strings.Repeat("- image: a/b:1\n", n) }},
	"wide mapping":             {YAML, func(n int) string { return numbered("k%d: {image: 'a/b:1'}\n", n) }},
	"wide mapping of services": {Compose, func(n int) string { return "services:\n" + numbered("  s%d: {image: 'a/b:1'}\n", n) }},
	"documents":                {YAML, func(n int) string { return strings.Repeat("image: a/b:1\n---\n", n) }},
	"lists in a list": {YAML, func(n int) string {
		return "apiVersion: v1\nkind: List\nitems:\n" + strings.Repeat("- apiVersion: v1\n  kind: Pod\n  spec: {containers: [{image: a/b:1}]}\n", n)
	}},
	"aliases of one anchor": {YAML, func(n int) string { return "x: &a {image: a/b:1}\ny: [" + strings.Repeat("*a, ", n) + "]\n" }},
	"aliases as containers": {YAML, func(n int) string { return "x: &a {image: a/b:1}\ncontainers: [" + strings.Repeat("*a, ", n) + "]\n" }},
	"anchors, each aliased": {YAML, func(n int) string { return numbered("- {image: &a%[1]d a/b:1}\n- {image: *a%[1]d}\n", n) }},
	"merge keys": {YAML, func(n int) string {
		return "b: &b {image: a/b:1}\nspec:\n  containers:\n" + strings.Repeat("  - {<<: *b, name: x}\n", n)
	}},
	"merges of merges": {YAML, func(n int) string {
		return "m0: &m0 {x: y}\n" + numbered2("m%d: &m%d {<<: [*m%d, *m%d, *m%d]}\n", n) + "spec: {containers: [{<<: *m1}]}\nimage: a/b:1\n"
	}},
	"duplicate keys": {YAML, func(n int) string { return strings.Repeat("k: {image: a/b:1}\n", n) }},
	"long lines": {YAML, func(n int) string {
		return strings.Repeat("- {n: "+strings.Repeat("é", 3000)+", image: a/b:1}\n", n/100+1)
	}},
	"long comments":          {YAML, func(n int) string { return strings.Repeat("- image: a/b:1 # "+strings.Repeat("# ", 500)+"\n", n/50+1) }},
	"strings with manifests": {YAML, func(n int) string { return strings.Repeat("- |\n  image: a/b:1\n", n) }},
	"a string of manifests":  {YAML, func(n int) string { return "x: |\n" + strings.Repeat("  - image: a/b:1\n", n) }},
	"kustomize entries":      {Kustomization, func(n int) string { return "images:\n" + strings.Repeat("- name: a/b\n  newTag: '1'\n", n) }},
	"helm maps":              {Values, func(n int) string { return numbered("k%d: {image: {repository: a/b, tag: '1', digest: ''}}\n", n) }},
	"argo parameters": {YAML, func(n int) string {
		return "apiVersion: argoproj.io/v1\nkind: Application\nspec: {source: {helm: {parameters: [" + numbered("{name: k%[1]d.image.repository, value: a/b}, {name: k%[1]d.image.tag, value: '1'}, ", n) + "]}}}\n"
	}},
	"resources by alias": {Kustomization, func(n int) string {
		return "configMapGenerator:\n- &g {files: &f [" + strings.Repeat("a, ", n) + "]}\n" + strings.Repeat("- *g\n", n) + "images: [{name: a/b, newTag: '1'}]\n"
	}},
	"sources by alias": {YAML, func(n int) string {
		return "apiVersion: argoproj.io/v1\nkind: Application\nspec:\n  sources:\n  - &s {path: a, helm: {valueFiles: [" + strings.Repeat("'', ", n) + "]}}\n" + strings.Repeat("  - *s\n", n)
	}},
	"wide patches by alias": {Kustomization, func(n int) string {
		return "patches:\n- &p {" + strings.TrimSuffix(numbered("k%d: x, ", n), ", ") + "}\n" + strings.Repeat("- *p\n", n)
	}},
	"generators in generators": {YAML, func(n int) string {
		return "apiVersion: argoproj.io/v1\nkind: ApplicationSet\nspec:\n  generators: &g\n" + strings.Repeat("  - matrix: {generators: *g}\n", n)
	}},
	"stages":             {Dockerfile, func(n int) string { return numbered("FROM a/b:1 AS s%d\nRUN x \\\n  y\n", n) }},
	"continuation lines": {Dockerfile, func(n int) string { return "RUN " + strings.Repeat("x \\\n", n) + "\nFROM a/b:1\n" }},
	"here-documents":     {Dockerfile, func(n int) string { return strings.Repeat("RUN <<E\nFROM x\nE\n", n) + "FROM a/b:1\n" }},
}

func numbered(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func numbered2(format string, n int) string {
	var b strings.Builder
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, format, i, i, i-1, i-1, i-1)
	}
	return b.String()
}

// TestLinear compares the time for an input with that for one eight times as large, in
// one run: work that grew with the square would take sixty-four times as long.
func TestLinear(t *testing.T) {
	if testing.Short() {
		t.Skip("compares times")
	}
	const n, factor, most = 400, 8, 30
	for name, h := range hostile {
		t.Run(name, func(t *testing.T) {
			small, large := []byte(h.make(n)), []byte(h.make(n*factor))
			ratio := 0.0
			for range 3 { // a noisy machine gets three tries
				a, b := fastest(small, h.format), fastest(large, h.format)
				if ratio = float64(b) / float64(max(a, time.Millisecond/2)); ratio < most {
					return
				}
			}
			t.Errorf("%d times the input takes %.0f times as long", factor, ratio)
		})
	}
}

// fastest returns the best of a few runs of scanning and pinning.
func fastest(data []byte, f Format) time.Duration {
	best := time.Hour
	for range 3 {
		start := time.Now()
		r := Scan(data, f)
		_, _ = Apply(data, f, edits(r))
		best = min(best, time.Since(start))
	}
	return best
}

// TestBounds: what is too much is reported, not followed.
func TestBounds(t *testing.T) {
	for name, text := range map[string]string{
		"flow, 10,000 deep":  strings.Repeat("[", 10000) + "{image: a/b:1}" + strings.Repeat("]", 10000),
		"flow, 20,000 deep":  strings.Repeat("[", 20000) + "{image: a/b:1}" + strings.Repeat("]", 20000),
		"block, 10,000 deep": strings.Repeat("- ", 10000) + "image: a/b:1\n",
		"maps, 3,000 deep":   strings.Repeat("{a: ", 3000) + "{image: a/b:1}" + strings.Repeat("}", 3000),
	} {
		r := Scan([]byte(text), YAML)
		if r.Problem == nil {
			t.Errorf("%s: found %d images and no problem", name, len(r.Findings))
		}
	}
}

// TestMany: 100,000 nodes are an ordinary file; every image of it is found and pinned.
func TestMany(t *testing.T) {
	const n = 14_000 // of seven nodes each
	text := "x:\n" + strings.Repeat("- {name: a, image: 'a/b:1', port: 80}\n", n)
	r := Scan([]byte(text), YAML)
	if len(r.Findings) != n {
		t.Fatalf("found %d of %d", len(r.Findings), n)
	}
	out, err := Apply([]byte(text), YAML, edits(r))
	if err != nil || string(out) != strings.ReplaceAll(text, "a/b:1", "a/b:1@"+d) {
		t.Errorf("pinned to %d bytes, %v", len(out), err)
	}
}

func BenchmarkScan(b *testing.B) {
	data := []byte(hostile["lists in a list"].make(2000))
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		Scan(data, YAML)
	}
}

func BenchmarkScreen(b *testing.B) {
	data := []byte(strings.Repeat("apiVersion: v1\nkind: Service\nmetadata: {name: a, labels: {x: imagine}}\n---\n", 2000))
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		screen(data, YAML)
	}
}
