package reference

import (
	"fmt"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/check"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/plan"
)

func findings() string {
	var b strings.Builder
	b.WriteString("What `pinnace check` finds. A code keeps its meaning. When each is found, and how to leave a place out, is in [findings.md](../findings.md); the forms of output are in [output.md](../output.md#pinnace-check--o-json).\n\n")
	var rows [][]string
	for _, r := range check.Rules() {
		rows = append(rows, []string{fmt.Sprintf("[%s](#%s)", r.Code, anchor(string(r.Code))), string(r.Severity), r.Short})
	}
	table(&b, []string{"code", "severity", "what"}, rows)
	for _, r := range check.Rules() {
		fmt.Fprintf(&b, "## %s\n\n%s %s In SARIF its name is `%s`. [More](../findings.md#%s)\n\n", r.Code, r.Short, r.Help, r.Name, anchor(string(r.Code)))
		e := examples[r.Code]
		for _, f := range e.files {
			fmt.Fprintf(&b, "%s:\n\n", code(f.name))
			block(&b, "yaml", f.text)
		}
		if e.registry != "" {
			b.WriteString(e.registry + "\n\n")
		}
		for _, f := range e.found() {
			if f.Code == r.Code {
				block(&b, "text", fmt.Sprintf("%s:%s: %s %s\nfix: %s", f.Path, f.Position, f.Code, f.Message, f.Fix))
			}
		}
	}
	return b.String()
}

// An example is files in which a rule is broken, and what the registry says of the image in
// them.
type example struct {
	files    []exampleFile
	registry string // the answer, in words; "" where none is needed
	answer   plan.Answer
}

type exampleFile struct{ name, text string }

// found returns what is found in the example.
func (e example) found() []check.Finding {
	var files []check.File
	for _, f := range e.files {
		files = append(files, check.File{Path: f.name, Result: manifest.Scan([]byte(f.text), manifest.FormatOf(f.name))})
	}
	if e.registry == "" {
		return check.Check(files, nil)
	}
	return check.Check(files, func(image.Ref) (plan.Answer, bool) { return e.answer, true })
}

const (
	written = "sha256:1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a"
	newer   = "sha256:2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b"
)

// pod is a manifest that runs an image.
func pod(image string) []exampleFile {
	return []exampleFile{{"pod.yaml", `apiVersion: v1
kind: Pod
metadata:
  name: shop
spec:
  containers:
    - name: shop
      image: ` + image + "\n"}}
}

var examples = map[check.Code]example{
	check.Unpinned: {files: pod("ghcr.io/acme/shop:1.4")},
	check.Moved: {
		files:    pod("ghcr.io/acme/shop:1.4@" + written),
		registry: "The registry says that `1.4` means another digest now:",
		answer: plan.Answer{
			Tag:    image.Resolution{Digest: newer, MediaType: image.OCIIndex},
			Pinned: image.Resolution{Digest: written, MediaType: image.OCIIndex},
		},
	},
	check.Gone: {
		files:    pod("ghcr.io/acme/shop:1.4@" + written),
		registry: "The registry says that it has no such digest:",
		answer:   plan.Answer{Tag: image.Resolution{Digest: newer, MediaType: image.OCIIndex}, PinnedErr: image.ErrUnknown},
	},
	check.Malformed: {files: pod("ghcr.io/acme/Shop:1.4")},
	check.Platform: {
		files:    pod("ghcr.io/acme/shop:1.4@" + written),
		registry: "The registry says that the digest is of one platform, and that `1.4` means the index of several:",
		answer: plan.Answer{
			Tag:    image.Resolution{Digest: newer, MediaType: image.OCIIndex, Children: []image.Child{{Digest: written, Platform: image.Platform{OS: "linux", Architecture: "amd64"}}}},
			Pinned: image.Resolution{Digest: written, MediaType: image.OCIManifest},
		},
	},
	check.NotEditable: {files: pod("ghcr.io/acme/shop:${VERSION}")},
	check.UnPinning: {files: []exampleFile{
		{"base/pod.yaml", pod("ghcr.io/acme/shop:1.4@" + written)[0].text},
		{"base/kustomization.yaml", "resources:\n  - pod.yaml\n"},
		{"prod/kustomization.yaml", "resources:\n  - ../base\nimages:\n  - name: ghcr.io/acme/shop\n    newTag: \"1.5\"\n"},
	}},
}
