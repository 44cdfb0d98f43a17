package check

import (
	"github.com/pinnace-dev/pinnace/internal/manifest"
)

// A Code names a rule for ever; its meaning does not change.
type Code string

// The rules.
const (
	Unpinned    Code = "PIN001"
	Moved       Code = "PIN002"
	Gone        Code = "PIN003"
	Malformed   Code = "PIN004"
	Platform    Code = "PIN005"
	NotEditable Code = "PIN006"
	UnPinning   Code = "PIN007"
)

// A Severity orders findings for readers that know levels.
type Severity string

// The severities.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// A Rule describes a code.
type Rule struct {
	Code     Code
	Name     string // camel case, as SARIF readers show it
	Severity Severity
	Short    string
	Help     string
}

// Rules lists every rule in the order of its code.
func Rules() []Rule {
	return []Rule{
		{Unpinned, "UnpinnedImage", Error, "The image has no digest.", "A tag can be moved to another image at any time, so it does not say what runs. Run `pinnace pin` to add the digest that the tag means now."},
		{Moved, "TagMoved", Warning, "The tag means another image than the digest beside it.", "The pinned image still runs. Run `pinnace pin --update` to follow the tag."},
		{Gone, "DigestGone", Error, "The registry no longer has the digest.", "New nodes cannot pull this image. Pin a digest that exists, or restore the image."},
		{Malformed, "MalformedReference", Error, "The value is not an image reference.", "Correct the value: name[:tag][@sha256:<64 hexadecimal digits>]."},
		{Platform, "PlatformPin", Warning, "The digest is that of one platform, not of the index.", "Nodes of another architecture cannot run it. Run `pinnace pin --lift` to pin the index."},
		{NotEditable, "NotEditable", Warning, "Pinnace cannot read or edit the image here.", "The message says what stands in the way. Write the value plainly on its key's line, or pin what it is rendered from."},
		{UnPinning, "UnPinning", Error, "The kustomization drops the digest of its base.", "kustomize replaces name and tag, and a newTag without a digest removes the digest that the base pins. Add the digest beside newTag."},
	}
}

func ruleOf(c Code) Rule {
	for _, r := range Rules() {
		if r.Code == c {
			return r
		}
	}
	return Rule{Code: c}
}

// A Finding is one rule broken at one place.
type Finding struct {
	Code     Code              `json:"code"`
	Severity Severity          `json:"severity"`
	Path     string            `json:"path"`
	Position manifest.Position `json:"position"`
	End      int               `json:"endColumn,omitempty"` // column after the value, 0 where unknown
	Byte     int               `json:"-"`                   // Position.Column in bytes, 0 where unknown
	Object   string            `json:"object,omitempty"`
	Pointer  string            `json:"pointer,omitempty"`
	Place    string            `json:"place,omitempty"`
	Image    string            `json:"image,omitempty"` // as written
	Message  string            `json:"message"`
	Fix      string            `json:"fix,omitempty"` // the next command or change
	Was      string            `json:"was,omitempty"` // the digest that is written
	Now      string            `json:"now,omitempty"` // the digest that the tag means
}
