package manifest

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/pinnace-dev/pinnace/internal/image"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestPlaces scans and pins each file of testdata/places. A file holds the input under
// its name, then what was found, then what pinning makes of it.
func TestPlaces(t *testing.T) {
	files, err := filepath.Glob("testdata/places/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("found %d golden files: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			out := &txtar.Archive{Comment: a.Comment}
			for _, in := range a.Files {
				if in.Name == "findings" || strings.HasPrefix(in.Name, "pinned/") {
					continue
				}
				f := FormatOf(in.Name)
				r := Scan(in.Data, f)
				pinned := pin(t, in.Data, f)
				out.Files = append(out.Files, in,
					txtar.File{Name: "findings", Data: []byte(describe(r))},
					txtar.File{Name: "pinned/" + in.Name, Data: pinned})
			}
			got := txtar.Format(out)
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(txtar.Format(a)), string(got)); diff != "" {
				t.Errorf("%s differs (-want +got), go test -update rewrites it:\n%s", file, diff)
			}
		})
	}
}

// digestOf makes up a digest that depends on the image alone.
func digestOf(r image.Ref) image.Digest {
	sum := sha256.Sum256([]byte(r.Tagged()))
	return image.Digest("sha256:" + hex.EncodeToString(sum[:]))
}

// edits pins every place that can be pinned.
func edits(r Result) []Edit {
	var out []Edit
	for _, f := range r.Findings {
		if f.Editable() && !f.Image.Pinned() {
			out = append(out, Edit{Document: f.Document, Pointer: f.Pointer, Old: f.Image, New: f.Image.WithDigest(digestOf(f.Image))})
		}
	}
	return out
}

// pin applies the edits and holds the result to a fixed point.
func pin(t *testing.T, data []byte, f Format) []byte {
	t.Helper()
	r := Scan(data, f)
	if r.Problem != nil {
		return data
	}
	out, err := Apply(data, f, edits(r))
	if err != nil {
		t.Fatalf("Apply: %v", err)
	}
	if again := edits(Scan(out, f)); len(again) > 0 {
		t.Errorf("a second run makes %d edits, the first %+v", len(again), again[0])
	}
	return out
}

func describe(r Result) string {
	var b strings.Builder
	if r.Problem != nil {
		fmt.Fprintf(&b, "file: %s at %s: %s\n", r.Problem.Code, r.Problem.Position, r.Problem.Text)
	}
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%s %s %s", f.Position, f.Place, f.Pointer)
		if o := f.Object.String(); o != "" {
			fmt.Fprintf(&b, " in %s", o)
		}
		fmt.Fprintf(&b, "\n\t%s\n", f.Text)
		if f.Overrides != "" {
			fmt.Fprintf(&b, "\toverrides %s\n", f.Overrides)
		}
		if len(f.SharedBy) > 0 {
			fmt.Fprintf(&b, "\tread at %v\n", f.SharedBy)
		}
		if f.Ignored {
			b.WriteString("\tignored\n")
		}
		if f.Problem != nil {
			fmt.Fprintf(&b, "\t%s: %s\n", f.Problem.Code, f.Problem.Text)
		}
		if f.Warning != nil {
			fmt.Fprintf(&b, "\twarning: %s: %s\n", f.Warning.Code, f.Warning.Text)
		}
	}
	for _, l := range r.Local {
		fmt.Fprintf(&b, "%s %s %s", l.Position, l.Field, l.Path)
		if l.Root {
			b.WriteString(" from the root")
		}
		if l.Optional {
			b.WriteString(", if it is there")
		}
		b.WriteByte('\n')
	}
	return b.String()
}
