package plan

import (
	"bytes"

	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// Derive returns the changes that turn one version of a file into another. It is false
// where anything but the bytes of images differs: then the new version is not the result
// of Pinnace's own edits.
func Derive(path string, old, data []byte, f manifest.Format, extra ...manifest.Extra) ([]promotion.Change, bool) {
	before, after := manifest.Scan(old, f, extra...), manifest.Scan(data, f, extra...)
	if before.Problem != nil || after.Problem != nil || len(before.Findings) != len(after.Findings) {
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
	}
	for _, style := range []manifest.Style{manifest.TagAndDigest, manifest.DigestOnly} {
		if again, err := manifest.Apply(old, f, Edits(changes, style)[path], extra...); err == nil && bytes.Equal(again, data) {
			return changes, true
		}
	}
	return nil, false
}
