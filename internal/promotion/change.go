package promotion

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"github.com/pinnace-dev/pinnace/internal/image"
)

// A Kind says why images change.
type Kind string

// The kinds.
const (
	Pin       Kind = "pin"       // a digest is added to the same tag
	Update    Kind = "update"    // a newer version, found by a track rule
	Promotion Kind = "promotion" // what another environment runs
	Rollback  Kind = "rollback"  // what ran there before
	ByHand    Kind = "by-hand"   // a pull request that Pinnace did not write
)

// A Change is one image at one place of a file.
type Change struct {
	Path     string
	Document int    // index in the stream
	Pointer  string // JSON pointer in the document
	Object   string // kind and name of the object that holds it, for people
	Line     int    // from 1, for people
	Old, New image.Ref
	// Insert says that the place is new: an entry of a kustomization's images. Old is then the
	// name alone that it is for.
	Insert bool
}

// A Digest is the hash of a list of changes: which place gets which image instead of which.
// It does not depend on order, on lines or on the names of objects.
func Digest(kind Kind, changes []Change) string {
	type entry []string
	var list []entry
	for _, c := range changes {
		doc, _ := json.Marshal(c.Document)
		e := entry{c.Path, string(doc), c.Pointer, c.Old.String(), c.New.String()}
		if c.Insert {
			e = append(e, "insert")
		}
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b entry) int { return slices.Compare(a, b) })
	text, _ := json.Marshal([]any{"pinnace changes v1", kind, list})
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// SortChanges orders changes by path and place.
func SortChanges(changes []Change) {
	slices.SortStableFunc(changes, func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Document, b.Document), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Pointer, b.Pointer))
	})
}
