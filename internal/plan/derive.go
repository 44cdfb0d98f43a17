package plan

import (
	"bytes"

	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// Derive returns the changes that turn one version of a file into another. It is false
// where anything but the bytes of images differs: then the new version is not the result
// of Pinnace's own edits.
//
// An entry that was inserted into the images of a kustomization is a Change with Insert set,
// the Pointer manifest.Insertion and the name alone as Old, as Promote has it.
func Derive(path string, old, data []byte, f manifest.Format, extra ...manifest.Extra) ([]promotion.Change, bool) {
	before, after := manifest.Scan(old, f, extra...), manifest.Scan(data, f, extra...)
	if before.Problem != nil || after.Problem != nil || len(before.Findings) > len(after.Findings) {
		return nil, false
	}
	type place struct {
		document int
		pointer  string
	}
	now := map[place]*manifest.Finding{}
	for i := range after.Findings {
		found := &after.Findings[i]
		now[place{found.Document, found.Pointer}] = found
	}
	var changes []promotion.Change
	for i := range before.Findings {
		was := &before.Findings[i]
		is := now[place{was.Document, was.Pointer}]
		switch {
		case is == nil || is.Image.Name != was.Image.Name:
			return nil, false
		case is.Image != was.Image:
			changes = append(changes, change(path, was, Tagged(is)))
		}
		delete(now, place{was.Document, was.Pointer})
	}
	for i := range after.Findings {
		found := &after.Findings[i]
		if now[place{found.Document, found.Pointer}] != found {
			continue
		}
		if found.Place != manifest.KustomizeImage || found.Overrides != found.Image.Name {
			return nil, false
		}
		changes = append(changes, insertion(path, before.Findings, found.Image))
	}
	for _, style := range []manifest.Style{manifest.TagAndDigest, manifest.DigestOnly} {
		if again, err := manifest.Apply(old, f, Edits(changes, style)[path], extra...); err == nil && bytes.Equal(again, data) {
			return changes, true
		}
	}
	return nil, false
}
