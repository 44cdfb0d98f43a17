package manifest

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

func seed(f *testing.F) {
	for _, tc := range bytesCases {
		format := tc.format
		if format == None {
			format = YAML
		}
		if len(tc.in) < 5000 {
			f.Add([]byte(strings.ReplaceAll(tc.in, "§", "")), uint8(format))
		}
	}
	f.Add([]byte("FROM a/b:1 AS x\nRUN <<E\nFROM c\nE\nCOPY --from=c/d:1 a b\n"), uint8(Dockerfile))
	f.Add([]byte("# escape=`\nFROM `\n  a/b:1\n"), uint8(Dockerfile))
	f.Add([]byte("on: push\njobs: {a: {container: b:1, steps: [{uses: 'docker://c:1'}]}}\n"), uint8(Workflow))
	f.Add([]byte("image: {name: a:1}\nservices: [b:1, {name: c:1}]\n"), uint8(GitLab))
	f.Add([]byte("services: {a: {image: b:1}}\n"), uint8(Compose))
	f.Add([]byte("image: {repository: a/b, tag: 1, digest: ''}\n"), uint8(Values))
}

// FuzzScan: no panic, positions inside the file, an editable value's bytes at its span,
// and the screen hides nothing.
func FuzzScan(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte, format uint8) {
		ft := Format(format % uint8(Dockerfile+1))
		r := Scan(data, ft)
		for _, found := range r.Findings {
			if found.Position.Line < 1 || found.Position.Column < 1 {
				t.Errorf("position %s of %q", found.Position, found.Pointer)
			}
			if found.Span.Start > found.Span.End || found.Span.End > len(data) {
				t.Fatalf("span %v of %d bytes", found.Span, len(data))
			}
			if found.Editable() && found.Image.String() == found.Text && !bytes.Contains(data, []byte(`\`)) && ft != Dockerfile {
				if got := string(data[found.Span.Start:found.Span.End]); !strings.HasSuffix(found.Text, got) {
					t.Errorf("span holds %q, the finding says %q", got, found.Text)
				}
			}
		}
		if len(r.Findings) == 0 && r.Problem == nil && ft != None && ft != Dockerfile && utf8.Valid(data) && !bytes.ContainsAny(data, "\\%") && !bytes.Contains(data, []byte("\n---")) {
			if hidden := unpinnedIn(data); len(hidden) > 0 && !screen(data, YAML) && !bytes.Contains(data, bom) && !bytes.Contains(data, []byte{0}) {
				t.Errorf("the screen hides %q", hidden[0].Text)
			}
		}
	})
}

// FuzzApply: pinning everything changes nothing but the images, and a second run
// changes nothing at all. A proof that fails is a refusal, never a wrong byte.
func FuzzApply(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte, format uint8) {
		ft := Format(format % uint8(Dockerfile+1))
		for _, style := range []Style{TagAndDigest, DigestOnly} {
			r := Scan(data, ft)
			es := edits(r)
			for i := range es {
				es[i].Style = style
			}
			out, err := Apply(data, ft, es)
			if err != nil {
				if !errors.Is(err, ErrProof) && !strings.Contains(err.Error(), "escapes") && r.Problem == nil {
					t.Errorf("Apply: %v", err)
				}
				continue
			}
			if r.Problem != nil {
				t.Fatalf("edited a file with problem %v", r.Problem)
			}
			if again := edits(Scan(out, ft)); len(again) > 0 {
				t.Errorf("a second run makes %d edits in\n%q", len(again), out)
			}
			stripped := string(out)
			for _, e := range es {
				stripped = removeOne(stripped, e)
			}
			if len(es) > 0 && ft != Kustomization && style == TagAndDigest && !sameLetters(stripped, string(data)) {
				t.Errorf("bytes besides the images changed:\n%q\n%q", data, out)
			}
			if ft != Dockerfile && len(es) > 0 {
				structure(t, data, out, len(es))
			}
		}
	})
}

// removeOne takes one digest out again.
func removeOne(s string, e Edit) string {
	for _, form := range []string{":latest@" + string(e.New.Digest), "@" + string(e.New.Digest), string(e.New.Digest), e.New.Digest.Hex()} {
		if strings.Contains(s, form) && (form[0] != ':' || e.Old.Tag == "") {
			return strings.Replace(s, form, "", 1)
		}
	}
	return s
}

// sameLetters compares what is left when quotes, breaks and inserted keys are gone.
func sameLetters(a, b string) bool {
	clean := strings.NewReplacer("\"", "", "'", "", "\n", "", "\r", "", " ", "", "digest:", "", "\u0085", "", "\u2028", "", "\u2029", "")
	return clean.Replace(a) == clean.Replace(b)
}

// structure holds the documents and their numbers of nodes together, independently of
// the proof inside Apply. An edit may add one key.
func structure(t *testing.T, before, after []byte, edits int) {
	t.Helper()
	a, b := count(t, before), count(t, after)
	if b < a || b > a+2*edits {
		t.Errorf("%d nodes became %d after %d edits", a, b, edits)
	}
}

func count(t *testing.T, data []byte) int {
	t.Helper()
	docs, p := decode(data)
	if p != nil {
		t.Fatalf("unreadable: %v", p)
	}
	n := 0
	var walk func(*yaml.Node)
	walk = func(node *yaml.Node) {
		n++
		for _, c := range node.Content {
			walk(c)
		}
	}
	for _, doc := range docs {
		walk(doc)
	}
	return n
}
