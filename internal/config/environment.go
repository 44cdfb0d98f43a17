package config

import "github.com/pinnace-dev/pinnace/internal/image"

// An Environment is a part of the repository that is deployed together.
type Environment struct {
	Name       string   `json:"name"` // a lowercase DNS label
	Production bool     `json:"production"`
	Paths      []string `json:"paths"`    // globs of its files
	Includes   []string `json:"includes"` // globs of further files that it reaches
	After      []string `json:"after"`    // all of them come before; excludes AfterAny
	AfterAny   []string `json:"afterAny"` // one of them comes before
	Promote    Promote  `json:"promote"`
	Soak       Duration `json:"soak"`
	Gates      []Gate   `json:"gates"`
	Track      []Track  `json:"track"`
	Deploy     Deploy   `json:"deploy"`
	OnNewer    OnNewer  `json:"onNewer"`
}

// Promote says who starts a promotion.
type Promote string

// The ways to start a promotion.
const (
	PromoteAuto   Promote = "auto"   // a change of the previous environment does
	PromoteManual Promote = "manual" // a person does
)

// Deploy says who merges Pinnace's pull requests.
type Deploy string

// The ways to deploy.
const (
	DeployAuto    Deploy = "auto"    // Pinnace, when all holds
	DeployButton  Deploy = "button"  // a person, in GitHub
	DeployCommand Deploy = "command" // Pinnace, on /deploy
)

// OnNewer says what a newer candidate does to an open pull request that somebody
// has approved. One that nobody has approved is updated always.
type OnNewer string

// What a newer candidate does.
const (
	NewerUpdate    OnNewer = "update"
	NewerQueue     OnNewer = "queue"
	NewerSupersede OnNewer = "supersede"
)

// A Gate is a verdict that must be green before an image goes on. Exactly one of
// Deployment, CheckRun and CommitStatus is set.
type Gate struct {
	Deployment   string `json:"deployment,omitempty"`   // a GitHub environment
	CheckRun     string `json:"checkRun,omitempty"`     // a check run's name
	CommitStatus string `json:"commitStatus,omitempty"` // a status context
	App          string `json:"app"`                    // slug of the only App that is believed
}

// A Track says how new versions arrive. Exactly one of Follow, Semver and Pattern
// is set; Order goes with Pattern.
type Track struct {
	Images  []string `json:"images"` // globs of repositories
	Follow  Follow   `json:"follow,omitempty"`
	Semver  string   `json:"semver,omitempty"`  // a constraint of Masterminds/semver
	Pattern string   `json:"pattern,omitempty"` // a Go regular expression
	Order   Order    `json:"order,omitempty"`
}

// Follow says what is followed without a change of tag.
type Follow string

// FollowDigest follows the tag to a new digest.
const FollowDigest Follow = "digest"

// Order is how tags that match a pattern are ordered: by its named groups from
// left to right, or by the whole tag where it has none.
type Order string

// The orders.
const (
	OrderNumeric      Order = "numeric"
	OrderAlphabetical Order = "alphabetical"
	OrderNewest       Order = "newest" // by the time the image was created
)

// TrackOf returns the first rule whose images match the reference.
func (e Environment) TrackOf(ref image.Ref) (Track, bool) {
	for _, t := range e.Track {
		for _, glob := range t.Images {
			if matchImage(glob, ref) {
				return t, true
			}
		}
	}
	return Track{}, false
}

// Sources returns the environments that come before, and whether one is enough.
func (e Environment) Sources() (names []string, anyOne bool) {
	if len(e.AfterAny) > 0 {
		return e.AfterAny, true
	}
	return e.After, false
}
