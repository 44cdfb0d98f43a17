package message

import (
	"cmp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// Limit is the number of characters that GitHub takes in a body or a comment. What this
// package writes has fewer bytes than that, so fewer characters in any way of counting.
const Limit = 65536

const (
	maxTitle   = 255 // characters of a title
	maxSubject = 72  // characters of the first line of a commit message
)

// A PullRequest is what a pull request of Pinnace says. Its strings may be foreign; Kind
// and the numbers are ours.
type PullRequest struct {
	Kind         promotion.Kind
	Environments []string // in the order of promotion
	Shared       bool     // the files belong to several environments
	All          bool     // no environments are configured
	App          string   // "" where it is not about one app
	Repository   string   // owner/name of the config repository
	Base         string   // branch
	Headline     string   // the title, in somebody's own words; "" says what happens
	Subject      string   // the first line of the commit, likewise
	Images       []Image  // rows of the table, in the order to show
	Left         []Left   // what was not edited
	Files, Total int      // files and places that change; 0 counts those of Images
	Seal         string   // promotion.Digest of the changes
	Finished     bool     // nothing is left to do: Pinnace closes it
	Diverged     *Diverged
	Notes        []string // sentences
	Version      string   // of Pinnace

	// For a [promotion.Promotion] or a [promotion.Rollback] that somebody asked for; the
	// others show none of it. The seal is then that of [promotion.Sealing].
	Request    promotion.Request   // without an ID, nothing of this is shown
	Decision   *promotion.Decision // when the text is written; nil shows no rules
	Approvers  string              // who may approve; a part of a sentence
	Deploys    string              // what merges it, and when; a sentence
	Undo       string              // the command that brings back what stands there now
	DetailsURL string              // where the rules are shown as they are now; an address of ours
}

// An Image is one name, as it is written, that goes from one tag and digest to another,
// at one or several places. Created, Source, Revision and Version are what the image
// says of itself; what it does not say is zero.
type Image struct {
	Name                 string
	OldTag, Tag          string
	OldDigest, NewDigest string   // OldDigest "" = it was not pinned
	Platforms            []string // os/architecture[/variant]
	Created              time.Time
	Source               string // org.opencontainers.image.source
	Revision             string // org.opencontainers.image.revision
	Version              string // org.opencontainers.image.version
	Places               []Place
}

// A Place is where an image stands. Object is kind and name, for people.
type Place struct {
	Path   string
	Line   int // from 1; 0 is not shown
	Object string
}

// Left is a place that was not edited, and why.
type Left struct {
	Path   string
	Line   int // from 1; 0 is not shown
	Image  string
	Reason string // a sentence or a part of one
}

// Title returns the title, of at most 255 characters.
func (p PullRequest) Title() string {
	return cmp.Or(cut(clean(p.Headline, maxTitle), maxTitle), p.headline(maxTitle))
}

// headline returns the most telling of several lines that has at most most characters.
func (p PullRequest) headline(most int) string {
	lines := p.headlines()
	for _, line := range lines {
		if utf8.RuneCountInString(line) <= most {
			return line
		}
	}
	return cut(lines[len(lines)-1], most)
}

// headlines are ways to say what the pull request does, from long to short.
func (p PullRequest) headlines() []string {
	where := []string{p.where(3), p.where(0)}
	several := counted(p.names(), "image")
	whats := []string{p.verb() + " " + several}
	to := " in "
	if p.Kind == promotion.Promotion {
		to = " to "
	}
	if p.Kind == promotion.Promotion || p.Kind == promotion.Rollback {
		return p.ways(p.moved(), where, to)
	}
	switch i, single := p.single(); {
	case single:
		whats = append(i.headlines(p.Kind, p.verb()), whats...)
	case p.App != "":
		whats = append([]string{p.verb() + " " + plain(p.App, 100) + " (" + several + ")"}, whats...)
	}
	return p.ways(whats, where, to)
}

// ways joins what happens with where it does.
func (p PullRequest) ways(whats, where []string, to string) []string {
	var lines []string
	for _, what := range whats {
		for _, w := range where {
			if w == "" {
				lines = append(lines, what)
				continue
			}
			if source := p.source(); source != "" {
				lines = append(lines, what+to+w+" (from "+source+")")
			}
			lines = append(lines, what+to+w)
		}
	}
	return lines
}

// headlines are ways to say what happens to the one image.
func (i Image) headlines(kind promotion.Kind, verb string) []string {
	full, short := plain(i.Name, 200), plain(i.Name[strings.LastIndexByte(i.Name, '/')+1:], 100)
	tag, digest := plain(i.Tag, 128), ""
	if d, err := image.ParseDigest(i.NewDigest); err == nil {
		digest = d.Short() + "…"
	}
	switch {
	case tag == "" && digest == "":
		return []string{verb + " " + full, verb + " " + short}
	case tag == "":
		return []string{verb + " " + full + " to " + digest, verb + " " + short + " to " + digest, verb + " " + short}
	case digest != "" && kind == promotion.Pin:
		return []string{verb + " " + short + " to " + tag + " (" + digest + ")", verb + " " + short + " to " + tag, verb + " " + short}
	case digest != "" && kind == promotion.Update && i.OldTag == i.Tag:
		return []string{verb + " " + full + ":" + tag + " to " + digest, verb + " " + short + ":" + tag + " to " + digest, verb + " " + short + ":" + tag}
	case kind == promotion.Update:
		return []string{verb + " " + full + " to " + tag, verb + " " + short + " to " + tag, verb + " " + short}
	}
	return []string{verb + " " + short + " to " + tag, verb + " " + short}
}

func (p PullRequest) verb() string {
	switch p.Kind {
	case promotion.Pin:
		return "Pin"
	case promotion.Update:
		return "Update"
	case promotion.Promotion:
		return "Promote"
	case promotion.Rollback:
		return "Roll back"
	}
	return "Change"
}

// where names at most most environments, or counts them; "" where there are none.
func (p PullRequest) where(most int) string {
	if p.All || len(p.Environments) == 0 {
		return ""
	}
	where := counted(len(p.Environments), "environment")
	if len(p.Environments) <= most {
		var names []string
		for _, e := range p.Environments {
			names = append(names, plain(e, 63))
		}
		where = joined(names)
	}
	if p.Shared {
		return "files shared by " + where
	}
	return where
}

// names counts the names among the images.
func (p PullRequest) names() int {
	seen := map[string]bool{}
	for _, i := range p.Images {
		seen[i.Name] = true
	}
	return len(seen)
}

// single returns the image if all rows make one name the same.
func (p PullRequest) single() (Image, bool) {
	if len(p.Images) == 0 {
		return Image{}, false
	}
	first := p.Images[0]
	for _, i := range p.Images[1:] {
		if i.Name != first.Name || i.Tag != first.Tag || i.NewDigest != first.NewDigest {
			return Image{}, false
		}
		if i.OldTag != i.Tag {
			first.OldTag = i.OldTag
		}
	}
	return first, true
}

// size returns the files and places that change.
func (p PullRequest) size() (files, places int) {
	seen := map[string]bool{}
	for _, i := range p.Images {
		for _, place := range i.Places {
			seen[place.Path] = true
			places++
		}
	}
	return cmp.Or(p.Files, len(seen)), cmp.Or(p.Total, places)
}
