package check

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"unicode/utf8"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/plan"
)

// A File is one file with what Scan found in it.
type File = plan.File

// Answers gives what a registry said about an image; ok is false where it was not asked.
type Answers func(image.Ref) (plan.Answer, bool)

// Check returns the findings of all files. answers is nil for an offline check.
func Check(files []File, answers Answers) []Finding {
	c := &checker{answers: answers, patches: patches(files)}
	for _, f := range files {
		c.file(f)
	}
	c.unPinning(files)
	slices.SortStableFunc(c.found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Position.Line, b.Position.Line),
			cmp.Compare(a.Position.Column, b.Position.Column), cmp.Compare(a.Code, b.Code))
	})
	return c.found
}

type checker struct {
	answers Answers
	patches map[string]bool
	found   []Finding
}

func (c *checker) file(f File) {
	if p := f.Result.Problem; p != nil {
		at := p.Position
		if at == (manifest.Position{}) {
			at = manifest.Position{Line: 1, Column: 1}
		}
		c.add(Finding{Code: NotEditable, Path: f.Path, Position: at, Message: p.Text, Fix: "the file was not looked at"})
	}
	for _, found := range f.Result.Findings {
		if !found.Ignored {
			c.finding(f.Path, found)
		}
	}
}

func (c *checker) finding(file string, f manifest.Finding) {
	if f.Problem != nil && f.Problem.Code == manifest.Missing && c.patches[file] {
		return
	}
	switch {
	case f.Problem != nil && f.Problem.Code == manifest.Missing:
		c.at(file, f, Unpinned, f.Problem.Text, "name an image with its digest")
		return
	case f.Problem != nil && (f.Problem.Code == manifest.Malformed || f.Problem.Code == manifest.Number):
		if !hasDigest(f) && isContainer(f.Place) {
			c.at(file, f, Unpinned, cmp.Or(f.Text, "the image")+" has no digest", "correct the reference first")
		}
		c.at(file, f, Malformed, named(f), "correct the value")
		return
	case f.Warning != nil && f.Warning.Code == manifest.Number:
		c.at(file, f, Malformed, f.Warning.Text, "pinnace pin quotes it")
	}
	if f.Problem == nil && !f.Image.Pinned() {
		c.at(file, f, Unpinned, fmt.Sprintf("%s has no digest", f.Image), "pinnace pin "+file)
	}
	if f.Problem != nil && !f.Image.Pinned() && f.Problem.Code != manifest.Embedded {
		if !hasDigest(f) && (isContainer(f.Place) || f.Image != (image.Ref{})) {
			c.at(file, f, Unpinned, cmp.Or(f.Text, "the image")+" has no digest", "pin it by hand: PIN006 says why pinnace pin cannot")
		}
	}
	if f.Problem != nil && !(f.Image.Pinned() && f.Problem.Harmless()) {
		c.at(file, f, NotEditable, named(f), "edit it by hand")
	}
	if c.answers != nil && f.Image.Pinned() {
		c.online(file, f)
	}
}

// named is a problem with the value that it is about.
func named(f manifest.Finding) string {
	if f.Text == "" {
		return f.Problem.Text
	}
	return f.Text + ": " + f.Problem.Text
}

// hasDigest is what Checkov's CKV_K8S_43 looks for: an @ in the image.
func hasDigest(f manifest.Finding) bool {
	for _, r := range f.Text {
		if r == '@' {
			return true
		}
	}
	return false
}

func isContainer(p manifest.Place) bool {
	switch p {
	case manifest.Container, manifest.InitContainer, manifest.EphemeralContainer, manifest.Sidecar, manifest.Step, manifest.ImageVolume:
		return true
	}
	return false
}

// online compares the written digest with what the registry says.
func (c *checker) online(file string, f manifest.Finding) {
	r := plan.Tagged(&f)
	a, asked := c.answers(r)
	if !asked || a.Tag.Digest == r.Digest {
		return
	}
	was, now := string(r.Digest), string(a.Tag.Digest)
	if errors.Is(a.PinnedErr, image.ErrUnknown) {
		c.add(at(file, f, Finding{Code: Gone, Was: was, Now: now, Message: fmt.Sprintf("the registry has no %s of %s", r.Digest.Short(), r.Name), Fix: "pinnace pin --update " + file}))
		return
	}
	if a.Tag.Digest == "" || a.PinnedErr != nil {
		return
	}
	if plan.IsChild(a) {
		c.add(at(file, f, Finding{Code: Platform, Was: was, Now: now, Message: fmt.Sprintf("%s is the manifest of %s alone, not the index that %s names", r.Digest.Short(), plan.Platform(a), r.Tag), Fix: "pinnace pin --lift " + file}))
		return
	}
	if a.Tag.IsIndex() && a.Pinned.Digest != "" && !a.Pinned.IsIndex() {
		c.add(at(file, f, Finding{Code: Platform, Was: was, Now: now, Message: fmt.Sprintf("%s is the manifest of one platform; %s names an index", r.Digest.Short(), r.Tag), Fix: "pinnace pin --update " + file}))
	}
	c.add(at(file, f, Finding{Code: Moved, Was: was, Now: now, Message: fmt.Sprintf("%s meant %s and now means %s", r.Tag, r.Digest.Short(), a.Tag.Digest.Short()), Fix: "pinnace pin --update " + file}))
}

func (c *checker) at(file string, f manifest.Finding, code Code, message, fix string) {
	c.add(at(file, f, Finding{Code: code, Message: message, Fix: fix}))
}

func at(file string, f manifest.Finding, out Finding) Finding {
	out.Path, out.Position, out.Object, out.Pointer = file, f.Position, f.Object.String(), f.Pointer
	out.Place, out.Image, out.Byte = string(f.Place), f.Text, f.Byte
	if n := f.Span.End - f.Span.Start; n > 0 && n == len(f.Text) {
		out.End = f.Position.Column + utf8.RuneCountInString(f.Text)
	}
	return out
}

func (c *checker) add(f Finding) {
	f.Severity = ruleOf(f.Code).Severity
	c.found = append(c.found, f)
}

// patches returns the files that a kustomization applies as patches: a container there
// needs no image of its own.
func patches(files []File) map[string]bool {
	out := map[string]bool{}
	for _, f := range files {
		for _, l := range f.Result.Local {
			if l.Field == "patches" || l.Field == "patchesStrategicMerge" || l.Field == "components" {
				out[l.From(f.Path)] = true
			}
		}
	}
	return out
}

// unPinning reports kustomize entries that set a tag without a digest over an image
// that their bases pin: kustomize then drops the digest.
func (c *checker) unPinning(files []File) {
	byPath := make(map[string]*File, len(files))
	kustomizations := map[string]*File{}
	for i := range files {
		f := &files[i]
		byPath[f.Path] = f
		if manifest.FormatOf(f.Path) == manifest.Kustomization {
			kustomizations[path.Dir(f.Path)] = f
		}
	}
	for _, f := range files {
		if manifest.FormatOf(f.Path) != manifest.Kustomization {
			continue
		}
		for _, found := range f.Result.Findings {
			if !found.Unpins || found.Ignored {
				continue
			}
			if base, ok := pinnedBelow(f.Path, found.Overrides, byPath, kustomizations, map[string]bool{}); ok {
				c.at(f.Path, found, UnPinning, fmt.Sprintf("the entry has no digest and drops the one that %s pins for %s", base, found.Overrides), "pinnace pin "+f.Path)
			}
		}
	}
}

// pinnedBelow returns a file reached from a kustomization that pins the image by name.
func pinnedBelow(file, name string, byPath, kustomizations map[string]*File, seen map[string]bool) (string, bool) {
	if seen[file] {
		return "", false
	}
	seen[file] = true
	for _, l := range byPath[file].Result.Local {
		switch l.Field {
		case "resources", "bases", "components":
		default:
			continue
		}
		target := l.From(file)
		f := byPath[target]
		if k := kustomizations[target]; k != nil {
			if base, ok := pinnedBelow(k.Path, name, byPath, kustomizations, seen); ok {
				return base, true
			}
			f = k
		}
		if f == nil {
			continue
		}
		for _, found := range f.Result.Findings {
			if found.Image.Name == name && found.Image.Pinned() {
				return f.Path, true
			}
		}
	}
	return "", false
}
