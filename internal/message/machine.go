package message

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

const (
	markStart = "<!-- pinnace:v1 "
	markEnd   = " -->"
)

// A block is what a body says to machines.
type block struct {
	Kind         promotion.Kind `json:"kind"`
	Environments []string       `json:"environments,omitempty"`
	Shared       bool           `json:"shared,omitempty"`
	App          string         `json:"app,omitempty"`
	Repository   string         `json:"repository,omitempty"`
	Base         string         `json:"base,omitempty"`
	Seal         string         `json:"seal,omitempty"`
	Version      string         `json:"version,omitempty"`
	Finished     bool           `json:"finished,omitempty"`
	State        string         `json:"state"`
	Title        string         `json:"title"` // hashes of what people may have changed since
	Text         string         `json:"text"`
}

// machine returns the last line of the body, an HTML comment with JSON inside. It proves
// nothing. No foreign text in a body can hold one: whatever could end the comment early,
// mention somebody or refer to an issue is an escape of JSON. Where the line is too long,
// names are left out.
func (p PullRequest) machine(text string) string {
	const environments = 50
	b := block{
		Kind: p.Kind, Shared: p.Shared, App: clean(p.App, 100), Repository: clean(p.Repository, 150),
		Base: clean(p.Base, 255), Seal: clean(p.Seal, 64), Version: clean(p.Version, 40),
		Finished: p.Finished, State: p.state(), Title: hash(p.Title()), Text: hash(strings.TrimSpace(text)),
	}
	for _, e := range p.Environments[:min(len(p.Environments), environments)] {
		b.Environments = append(b.Environments, clean(e, 63))
	}
	line := b.String()
	if len(line) > machineRoom {
		line = block{Kind: b.Kind, Shared: b.Shared, Seal: b.Seal, Version: b.Version, Finished: b.Finished, State: b.State, Title: b.Title, Text: b.Text}.String()
	}
	return line
}

func (b block) String() string {
	text, _ := json.Marshal(b) // strings and booleans
	return markStart + unended.Replace(string(text)) + markEnd
}

// state tells one text from another, but for what the images say of themselves, which is
// asked for only when there is something new to say, and for what the rules came to, which
// changes often and which the check shows.
func (p PullRequest) state() string {
	parts := []any{p.Kind, p.Environments, p.App, p.Seal, p.Left, p.Notes, p.Diverged, p.Finished}
	if p.asked() {
		r := p.Request
		r.At, r.Images = r.At.UTC(), nil // the seal has the images
		parts = append(parts, r, p.Approvers, p.Deploys, p.Undo, p.DetailsURL)
	}
	text, _ := json.Marshal(parts)
	return hash(string(text))
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// field returns a string of the line for machines.
func field(body, name string) string {
	_, rest, _ := strings.Cut(marked(body), `"`+name+`":"`)
	value, _, _ := strings.Cut(rest, `"`)
	return value
}

// SealOf returns the seal that a body tells of, "" where it has none. Anybody who may write
// can change it.
func SealOf(body string) string { return field(body, "seal") }

// IsBody says whether a body is as Pinnace wrote it, whatever it says.
func IsBody(body string) bool {
	line := marked(body)
	text := strings.ReplaceAll(body, "\r\n", "\n")
	return line != "" && hash(strings.TrimSpace(strings.Replace(text, line, "", 1))) == field(body, "text")
}

// IsTitle says whether a title is the one that Pinnace wrote with the body.
func IsTitle(title, body string) bool { return hash(title) == field(body, "title") }

// IsIn says whether a body is that of p, whatever the images say of themselves and whoever
// wrote into it.
func (p PullRequest) IsIn(body string) bool {
	return strings.Contains(marked(body), `"state":"`+p.state()+`"`)
}

// IsOurs says whether a body was written by Pinnace, and has its last line still.
func IsOurs(body string) bool { return marked(body) != "" }

// IsFinished says whether a body is one of a pull request that Pinnace closed because nothing
// was left to do.
func IsFinished(body string) bool {
	return strings.Contains(marked(body), `,"finished":true,"state":"`)
}

// marked returns the last line of a body that is written for machines. A line that others
// had a part in begins otherwise.
func marked(body string) string {
	last := ""
	for line := range strings.Lines(body) {
		if line = strings.TrimRight(line, "\r\n"); strings.HasPrefix(line, markStart) && strings.HasSuffix(line, markEnd) {
			last = line
		}
	}
	return last
}

// unended works since none of these stands outside of a JSON string.
var unended = strings.NewReplacer("--", `-\u002d`, "@", `\u0040`, "#", `\u0023`, "//", `\/\/`, " ", `\u0020`)
