package check

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/plan"
)

const (
	prodPod = "envs/prod/pod.yaml"
	devPod  = "envs/dev/pod.yaml"
)

func pod(images ...string) string {
	text := "apiVersion: v1\nkind: Pod\nmetadata: {name: shop}\nspec:\n  containers:\n"
	for i, img := range images {
		text += fmt.Sprintf("    - name: c%d\n      image: %s\n", i, img)
	}
	return text
}

// head is changed files, by path and text.
func head(pairs ...string) PinsInput {
	in := PinsInput{
		Locked: func(path string) (string, bool) { return "pinned", strings.HasPrefix(path, "envs/prod/") },
		Answers: func(r image.Ref) (plan.Answer, bool) {
			return plan.Answer{Tag: image.Resolution{Digest: one}}, strings.HasPrefix(r.Name, "shop") || r.Name == "ghcr.io/acme/shop"
		},
	}
	for i := 0; i < len(pairs); i += 2 {
		in.Files = append(in.Files, Pinned{File: scan(pairs[i], pairs[i+1]), Data: []byte(pairs[i+1])})
	}
	return in
}

// told spells annotations by code, level and place.
func told(all []Annotation) string {
	var words []string
	for _, a := range all {
		lines := fmt.Sprint(a.Line)
		if a.EndLine != a.Line {
			lines += fmt.Sprintf("-%d", a.EndLine)
		}
		words = append(words, fmt.Sprintf("%s %s %s:%s", a.Code, a.Level, a.Path, lines))
	}
	return strings.Join(words, ", ")
}

func TestPins(t *testing.T) {
	pinned := "shop:1@" + string(one)
	const overlay = "envs/prod/kustomization.yaml"
	entry := "resources: [../../base]\nimages:\n- name: shop\n  newTag: '2'\n"
	base := []File{scan("base/kustomization.yaml", "resources: [pod.yaml]\n"), scan("base/pod.yaml", pod(pinned))}
	for _, test := range []struct {
		name   string
		in     PinsInput
		change func(in *PinsInput)
		want   string
		left   int
		says   string
	}{
		{"nothing is changed", head(), nil, "", 0, ""},
		{"pinned", head(prodPod, pod(pinned)), nil, "", 0, ""},
		{"unpinned where it is locked", head(prodPod, pod("shop:1")), nil, "PIN001 failure envs/prod/pod.yaml:7", 1, "Policy pinned locks"},
		{"unpinned where it is not", head(devPod, pod("shop:1")), nil, "PIN001 warning envs/dev/pod.yaml:7", 1, "This pull request adds it"},
		{"no policy at all", head(prodPod, pod("shop:1")), func(in *PinsInput) { in.Locked = nil }, "PIN001 warning envs/prod/pod.yaml:7", 1, ""},
		{"kept where it is locked", head(prodPod, pod("shop:1")), func(in *PinsInput) { in.Before = []File{scan(prodPod, pod("shop:1"))} }, "PIN001 failure envs/prod/pod.yaml:7", 1, "this pull request keeps it"},
		{"kept where it is not", head(devPod, pod("shop:1")), func(in *PinsInput) { in.Before = []File{scan(devPod, pod("shop:1"))} }, "PIN001 notice envs/dev/pod.yaml:7", 1, "this pull request keeps it"},
		{"kept, one place further down", head(devPod, pod(pinned, "shop:1")), func(in *PinsInput) { in.Before = []File{scan(devPod, pod("shop:1"))} }, "PIN001 notice envs/dev/pod.yaml:9", 1, "keeps it"},
		{"one kept, one added", head(devPod, pod("shop:1", "shop:1")), func(in *PinsInput) { in.Before = []File{scan(devPod, pod("shop:1"))} }, "PIN001 notice envs/dev/pod.yaml:7, PIN001 warning envs/dev/pod.yaml:9", 2, ""},
		{"another tag than before", head(devPod, pod("shop:2")), func(in *PinsInput) { in.Before = []File{scan(devPod, pod("shop:1"))} }, "PIN001 warning envs/dev/pod.yaml:7", 1, "adds it"},
		{"the digest is taken away", head(devPod, pod("shop:1")), func(in *PinsInput) { in.Before = []File{scan(devPod, pod(pinned))} }, "PIN001 warning envs/dev/pod.yaml:7", 1, "takes the digest away"},

		{"pin.exclude", head(devPod, pod("shop:1")), func(in *PinsInput) { in.Excluded = func(string) bool { return true } }, "", 0, ""},
		{"pin.exclude is void", head(prodPod, pod("shop:1")), func(in *PinsInput) { in.Excluded = func(string) bool { return true } }, "PIN001 failure envs/prod/pod.yaml:7", 1, "pin.exclude names this file, which the policy makes void"},
		{"pin.ignore", head(devPod, pod("shop:1", "web:1")), func(in *PinsInput) { in.Ignored = func(r image.Ref) bool { return r.Name == "shop" } }, "PIN001 warning envs/dev/pod.yaml:9", 1, ""},
		{"pin.ignore is void", head(prodPod, pod("shop:1")), func(in *PinsInput) { in.Ignored = func(r image.Ref) bool { return r.Name == "shop" } }, "PIN001 failure envs/prod/pod.yaml:7", 1, "pin.ignore names this image, which the policy makes void"},
		{"a comment", head(devPod, pod("shop:1 # pinnace:ignore")), nil, "", 0, ""},
		{"a comment is void", head(prodPod, pod("shop:1 # pinnace:ignore")), nil, "PIN001 failure envs/prod/pod.yaml:7", 1, "says pinnace:ignore, which the policy makes void.\nDelete the comment"},
		{"an exception is not for what can be pinned", head(prodPod, pod("shop:1")), func(in *PinsInput) { in.Excused = func(string, string) bool { return true } }, "PIN001 failure envs/prod/pod.yaml:7", 1, ""},

		{"templated", head(prodPod, pod("'{{ .image }}'")), nil, "PIN001 failure envs/prod/pod.yaml:7", 1, "PIN006"},
		{"templated, elsewhere", head(devPod, pod("'{{ .image }}'")), nil, "PIN001 warning envs/dev/pod.yaml:7", 1, ""},
		{"templated, excepted", head(prodPod, pod("'{{ .image }}'")), func(in *PinsInput) {
			in.Excused = func(path, code string) bool { return path == prodPod && code == "PIN006" }
		}, "PIN001 notice envs/prod/pod.yaml:7", 1, "an exception of it lets this pass"},
		{"templated, excepted for something else", head(prodPod, pod("'{{ .image }}'")), func(in *PinsInput) {
			in.Excused = func(_, code string) bool { return code == "PIN007" }
		}, "PIN001 failure envs/prod/pod.yaml:7", 1, ""},
		{"a file that cannot be read", head(prodPod, "image: [\n"), nil, "PIN006 failure envs/prod/pod.yaml:2", 0, ""},
		{"a file that cannot be read, elsewhere", head(devPod, "image: [\n"), nil, "PIN006 notice envs/dev/pod.yaml:2", 0, ""},
		{"a file that cannot be read, excepted", head(prodPod, "image: [\n"), func(in *PinsInput) { in.Excused = func(string, string) bool { return true } }, "PIN006 notice envs/prod/pod.yaml:2", 0, ""},
		{"malformed", head(prodPod, pod("SHOP:1")), nil, "PIN001 failure envs/prod/pod.yaml:7", 1, "PIN004"},
		{"a digest that is none", head(prodPod, pod("shop@sha256:12")), nil, "PIN004 failure envs/prod/pod.yaml:7", 0, ""},
		{"a digest that is none, elsewhere", head(devPod, pod("shop@sha256:12")), nil, "PIN004 notice envs/dev/pod.yaml:7", 0, ""},
		{"pinned in a block that every reader reads alike", head(prodPod, pod(">-\n        "+pinned)), nil, "", 0, ""},

		{"un-pinned by an entry", head(overlay, entry), func(in *PinsInput) { in.Beside = base }, "PIN001 failure envs/prod/kustomization.yaml:4", 1, "PIN007: the entry has no digest and drops the one that base/pod.yaml pins"},
		{"un-pinned, excepted", head(overlay, entry), func(in *PinsInput) {
			in.Beside = base
			in.Excused = func(_, code string) bool { return code == "PIN007" }
		}, "PIN001 notice envs/prod/kustomization.yaml:4", 1, ""},
		{"an entry with a digest", head(overlay, entry+"  digest: "+string(two)+"\n"), func(in *PinsInput) { in.Beside = base }, "", 0, ""},
		{"beside is not annotated", head(devPod, pod(pinned)), func(in *PinsInput) { in.Beside = []File{scan("envs/prod/other.yaml", pod("shop:1"))} }, "", 0, ""},
		{"beside does not stand in for what is changed", head(devPod, pod("shop:1")), func(in *PinsInput) { in.Beside = []File{scan(devPod, pod(pinned))} }, "PIN001 warning envs/dev/pod.yaml:7", 1, ""},
		{"a patch that names no image", head("envs/prod/patch.yaml", pod("")), func(in *PinsInput) {
			in.Beside = []File{scan(overlay, "patches: [{path: patch.yaml}]\n")}
		}, "", 0, ""},
		{"files in the order of their paths", head(prodPod, pod("shop:1"), devPod, pod("shop:1")), nil, "PIN001 warning envs/dev/pod.yaml:7, PIN001 failure envs/prod/pod.yaml:7", 2, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.change != nil {
				test.change(&test.in)
			}
			got := Pins(test.in)
			if told(got.Annotations) != test.want {
				t.Errorf("got  %s\nwant %s", told(got.Annotations), test.want)
			}
			if failed := strings.Contains(test.want, LevelFailure); got.Failed != failed {
				t.Errorf("failed: %t", got.Failed)
			}
			if got.Left != test.left {
				t.Errorf("%d are left, want %d", got.Left, test.left)
			}
			var messages string
			for _, a := range got.Annotations {
				messages += a.Title + "\n" + a.Message + "\n"
				if a.Level == LevelFailure && !strings.Contains(a.Message, "Policy pinned locks") {
					t.Errorf("a failure does not name the policy: %s", a.Message)
				}
				if a.Title == "" || a.Line < 1 || a.EndLine < a.Line {
					t.Errorf("an annotation without title or place: %+v", a)
				}
			}
			if !strings.Contains(messages, test.says) {
				t.Errorf("%q is not said: %s", test.says, messages)
			}
		})
	}
}

// press does what a press of GitHub's button does: the lines become the suggestion.
func press(data []byte, a Annotation) []byte {
	lines := strings.SplitAfter(string(data), "\n")
	return []byte(strings.Join(slices.Concat(lines[:a.Line-1], []string{a.Suggestion + "\n"}, lines[a.EndLine:]), ""))
}

// pin is what pinnace pin makes of a file: every edit that is decided, in one Apply.
func pin(t *testing.T, in PinsInput, f Pinned) []byte {
	t.Helper()
	var edits []manifest.Edit
	for i := range f.Result.Findings {
		found := &f.Result.Findings[i]
		if a, ok := in.Answers(plan.Tagged(found)); ok {
			if e, ok := plan.Decide(found, a, plan.Options{Style: in.Style}).Edit(in.Style); ok {
				edits = append(edits, e)
			}
		}
	}
	out, err := manifest.Apply(f.Data, manifest.FormatOf(f.Path), edits)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Pressing every suggestion makes the edit of pinnace pin, byte for byte.
func TestSuggestions(t *testing.T) {
	for _, test := range []struct {
		name, path, text string
		style            manifest.Style
		want             string // the suggestions
	}{
		{"a container", prodPod, pod("shop:1"), "", "7: '      image: shop:1@D'"},
		{"in quotes, with a comment", prodPod, pod(`"shop:1" # ours`), "", `7: '      image: "shop:1@D" # ours'`},
		{"without a tag", prodPod, pod("shop"), "", "7: '      image: shop:latest@D'"},
		{"digest only", prodPod, pod("shop:1"), manifest.DigestOnly, "7: '      image: shop@D # 1'"},
		{"two containers", prodPod, pod("shop:1", "shop:2"), "", "7: '      image: shop:1@D'; 9: '      image: shop:2@D'"},
		{"one of which nobody knows", prodPod, pod("web:1", "shop:2"), "", "9: '      image: shop:2@D'"},
		{"two on one line", prodPod, "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: shop:1}, {image: 'shop:2'}]}\n", "", "3: 'spec: {containers: [{image: shop:1@D}, {image: 'shop:2@D'}]}'"},
		{"a kustomization's entry", "envs/prod/kustomization.yaml", "images:\n- name: shop\n  newTag: '1'\n- name: shop-worker\n  newTag: '2'\n", "", "3: '  newTag: '1'\n  digest: D'; 5: '  newTag: '2'\n  digest: D'"},
		{"a Helm map with a digest", "envs/prod/values.yaml", "image:\n  digest: ''\n  repository: ghcr.io/acme/shop\n  tag: '1'\nreplicas: 2\n", "", "2: '  digest: 'D''"},
		{"a Helm map without a digest", "envs/prod/values.yaml", "image:\n  repository: ghcr.io/acme/shop\n  tag: '1'\n", "", "3: '  tag: '1@D''"},
		{"a Dockerfile", "envs/prod/Dockerfile", "FROM shop:1 AS build\nRUN make\n", "", "1: 'FROM shop:1@D AS build'"},
		{"carriage returns are not suggested", prodPod, strings.ReplaceAll(pod("shop:1"), "\n", "\r\n"), "", ""},
		{"a last line without an end is not suggested", prodPod, strings.TrimSuffix(pod("shop:1"), "\n"), "", ""},
		{"characters of several bytes", prodPod, "# größe \u2028# x\n" + pod("shop:1"), "", "8: '      image: shop:1@D'"},
		{"a template", prodPod, pod("'{{ .image }}'"), "", ""},
		{"a comment that is void", prodPod, pod("shop:1 # pinnace:ignore"), "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := head(test.path, test.text)
			in.Style = test.style
			r := Pins(in)
			var got []string
			data := []byte(test.text)
			for _, a := range slices.Backward(r.Annotations) {
				if a.Suggestion != "" {
					data = press(data, a)
				}
			}
			for _, a := range r.Annotations {
				if a.Suggestion != "" {
					got = append(got, fmt.Sprintf("%d: '%s'", a.Line, strings.ReplaceAll(a.Suggestion, string(one), "D")))
				}
			}
			if s := strings.Join(got, "; "); s != test.want {
				t.Errorf("got  %s\nwant %s", s, test.want)
			}
			if want := pin(t, in, in.Files[0]); test.want != "" && !bytes.Equal(data, want) {
				t.Errorf("the suggestions make\n%s\nand pinnace pin\n%s", data, want)
			}
			if len(r.Annotations) == 0 {
				t.Error("nothing is told")
			}
		})
	}
}

// Of many places the first are suggested, and the others say what to do.
func TestSuggestionsOfMany(t *testing.T) {
	var text strings.Builder
	for i := range 200 {
		fmt.Fprintf(&text, "---\n%s", pod(fmt.Sprintf("shop:%d", i)))
	}
	in := head(prodPod, text.String())
	r := Pins(in)
	n := 0
	data := []byte(text.String())
	for _, a := range slices.Backward(r.Annotations) {
		if a.Suggestion != "" {
			n++
			data = press(data, a)
		}
	}
	if n != maxSuggestions || len(r.Annotations) != 200 || r.Left != 200 {
		t.Errorf("%d suggestions on %d annotations", n, len(r.Annotations))
	}
	after := manifest.Scan(data, manifest.YAML)
	for i, f := range after.Findings {
		if f.Image.Pinned() != (i < n) {
			t.Fatalf("place %d holds %s", i, f.Image)
		}
	}
	if last := r.Annotations[199]; !strings.Contains(last.Message, "pinnace pin "+prodPod) {
		t.Errorf("what to do without a suggestion is not said: %s", last.Message)
	}
}

// TestSuggestionsOfPlaces presses every suggestion in the files that the manifest room pins:
// each becomes what is on record as pinned, byte for byte.
func TestSuggestionsOfPlaces(t *testing.T) {
	archives, err := filepath.Glob("../manifest/testdata/places/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("found %d golden files: %v", len(archives), err)
	}
	pressed := 0
	for _, archive := range archives {
		a, err := txtar.ParseFile(archive)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string][]byte{}
		for _, f := range a.Files {
			if name, ok := strings.CutPrefix(f.Name, "pinned/"); ok {
				want[name] = f.Data
			}
		}
		for _, f := range a.Files {
			if want[f.Name] == nil || bytes.Contains(f.Data, []byte("\r")) {
				continue
			}
			in := head(f.Name, string(f.Data))
			in.Locked = func(string) (string, bool) { return "pinned", true }
			in.Answers = func(r image.Ref) (plan.Answer, bool) {
				sum := sha256.Sum256([]byte(r.Tagged()))
				return plan.Answer{Tag: image.Resolution{Digest: image.Digest("sha256:" + hex.EncodeToString(sum[:]))}}, true
			}
			data := f.Data
			for _, note := range slices.Backward(Pins(in).Annotations) {
				if note.Suggestion != "" {
					data = press(data, note)
					pressed++
				}
			}
			if !bytes.Equal(data, want[f.Name]) {
				t.Errorf("%s of %s: the suggestions make\n%s\nand pinning\n%s", f.Name, archive, data, want[f.Name])
			}
		}
	}
	if pressed < 50 {
		t.Errorf("only %d suggestions were pressed", pressed)
	}
}
