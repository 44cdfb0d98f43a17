package promotion

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	"github.com/pinnace-dev/pinnace/internal/image"
)

// A Request asks that an app's images stand in an environment.
type Request struct {
	ID      string   `json:"id"` // unique in its repository: comment-123, auto-9f86d081, cli-1761...
	Kind    Kind     `json:"kind"`
	App     string   `json:"app"`
	Env     string   `json:"env"`
	From    string   `json:"from,omitempty"` // the environment that the images come from, "" for the registry
	Skipped []string `json:"skipped,omitempty"`
	Images  []Wanted `json:"images"`
	// At is when it was asked, by GitHub's clock where that is known.
	At time.Time `json:"at"`
	// By is everybody who asked, the newest last, as GitHub authenticated them.
	By      []Identity `json:"by,omitempty"`
	Unknown bool       `json:"unknown,omitempty"` // somebody asked, and nobody knows who
	Auto    bool       `json:"auto,omitempty"`    // no person asked for it directly
	Reason  string     `json:"reason,omitempty"`
}

// A Wanted is what is to stand at each place of an image repository.
type Wanted struct {
	Repository string       `json:"repository"` // canonical
	Tag        string       `json:"tag,omitempty"`
	Digest     image.Digest `json:"digest"`
}

// A Sealing is all that the approvals of a request are bound to.
type Sealing struct {
	Repository int64  // of the config repository
	Request    string // its ID
	Kind       Kind
	App, Env   string
	From       string
	Skipped    []string
	Base       string // the branch
	Changes    []Change
}

// Hash is the seal. It differs where anything of the sealing does, but for the order of the
// changes, their lines and the names of objects.
func (s Sealing) Hash() string {
	skipped := slices.Clone(s.Skipped)
	slices.Sort(skipped)
	text, _ := json.Marshal([]any{"pinnace seal v1", s.Repository, s.Request, s.Kind, s.App, s.Env, s.From, skipped, s.Base, Digest(s.Kind, s.Changes)})
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
