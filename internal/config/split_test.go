package config

import (
	"bytes"
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// TestDocument shows that Data, Line and Node of a document speak of the same
// place, for each kind of line end.
func TestDocument(t *testing.T) {
	lines := []string{
		"# head", "---", "apiVersion: pinnace.dev/v1alpha1", "kind: Freeze", "---", "# more",
		"apiVersion: pinnace.dev/v1alpha1", "kind: FilterCondition", "description: here",
	}
	for name, end := range map[string]string{"LF": "\n", "CRLF": "\r\n", "CR": "\r", "NEL": "\u0085", "LS": "\u2028"} {
		t.Run(name, func(t *testing.T) {
			docs, ps := Split("a.yaml", []byte(strings.Join(lines, end)))
			if len(ps) > 0 || len(docs) != 2 {
				t.Fatalf("got %d documents, %v", len(docs), ps)
			}
			d := docs[1]
			if line, column := d.Locate("/description"); line != 9 || column != 14 {
				t.Errorf("description: got %d:%d, want 9:14", line, column)
			}
			if d.Line != 5 || !bytes.HasPrefix(d.Data, []byte("---"+end+"# more")) {
				t.Errorf("got line %d, data %q", d.Line, d.Data)
			}
			if d.Node.Content[4].Line != 9 {
				t.Errorf("node: got line %d, want 9", d.Node.Content[4].Line)
			}
			var again yaml.Node
			if err := yaml.Unmarshal(d.Data, &again); err != nil {
				t.Fatal(err)
			}
			if got := again.Content[0].Content[4].Line + d.Line - 1; got != 9 {
				t.Errorf("line of Data: got %d, want 9", got)
			}
		})
	}
}

func FuzzSplit(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		docs, ps := Split("f.yaml", data)
		check(t, ps)
		for _, d := range docs {
			if kinds[d.Kind] != d.APIVersion {
				t.Errorf("kind %q has version %q", d.Kind, d.APIVersion)
			}
			if d.Node == nil || d.Node.Kind != yaml.MappingNode || d.Line < 1 || !bytes.Contains(data, d.Data) {
				t.Errorf("document at %d has node %v", d.Line, d.Node)
			}
			if line, _ := d.Locate("/kind"); line < d.Line {
				t.Errorf("kind stands in line %d, the document begins in %d", line, d.Line)
			}
		}
	})
}
