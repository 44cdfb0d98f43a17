package manifest

import (
	"fmt"
	"path"

	"github.com/pinnace-dev/pinnace/internal/image"
)

// A Position is a place in a file: Line and Column count from 1, Column in characters.
type Position struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

func (p Position) String() string { return fmt.Sprintf("%d:%d", p.Line, p.Column) }

// A Span is a range of bytes: Start is the first, End the one after the last.
type Span struct{ Start, End int }

// A Place says what sort of place holds an image.
type Place string

// The places.
const (
	Container          Place = "container"
	InitContainer      Place = "init container"
	EphemeralContainer Place = "ephemeral container"
	ImageVolume        Place = "image volume"
	Sidecar            Place = "sidecar"
	Step               Place = "step"
	Field              Place = "image field"
	KustomizeImage     Place = "kustomize image"
	HelmImage          Place = "helm image"
	HelmParameter      Place = "helm parameter"
	ComposeService     Place = "compose service"
	JobContainer       Place = "job container"
	JobService         Place = "job service"
	ActionImage        Place = "action image"
	Stage              Place = "build stage"
	CopyFrom           Place = "copy source"
	Frontend           Place = "dockerfile frontend"
	Patch              Place = "json patch"
	Configured         Place = "configured place"
	Mapping            Place = "mapping"
)

// An Object names the Kubernetes object that a finding stands in; it is zero
// elsewhere.
type Object struct {
	APIVersion string
	Kind       string
	Namespace  string
	Name       string
}

func (o Object) String() string {
	if o.Kind == "" {
		return ""
	}
	if o.Name == "" {
		return o.Kind
	}
	return o.Kind + "/" + o.Name
}

// A Finding is one place that holds an image.
//
// For a place that spells the whole reference, the bytes at Span are that spelling.
// Where a reference is spread over keys (a kustomization's entry, a Helm map), Span is
// the key's value that a reader would look at first: digest, else tag, else name.
type Finding struct {
	Position Position
	Span     Span
	Byte     int    // column of Span in bytes, from 1; 0 where there is no Span
	Document int    // index in the stream, from 0
	Pointer  string // RFC 6901, within its document
	Indices  uint64 // bit i is set where the segment i of Pointer is an index of a sequence
	Object   Object
	Place    Place
	Image    image.Ref // zero where Problem says that there is none to read
	Text     string    // what is written, composed where it is spread over keys

	// Overrides is the image name that a kustomize entry applies to, and Unpins says that
	// the entry drops the digest that the image has in the base.
	Overrides string
	Unpins    bool
	// TagComment is the tag that a trailing comment keeps beside a bare digest.
	TagComment string
	// SharedBy lists the aliases that read this value.
	SharedBy []Position
	// Ignored is set by a trailing "pinnace:ignore" comment.
	Ignored bool
	// Problem says why the place cannot be edited; nil where it can.
	Problem *Problem
	// Warning says what a reader should know although the place can be edited.
	Warning *Problem
}

// Editable reports whether Apply can change the image.
func (f Finding) Editable() bool { return f.Problem == nil && !f.Ignored }

// A Code classifies a Problem.
type Code string

// The codes.
const (
	Templated    Code = "templated"     // a template, a variable, an expression
	Encrypted    Code = "encrypted"     // SOPS and the like
	Alias        Code = "alias"         // an alias of a value that is no image of its own
	Shared       Code = "shared"        // an anchor that other places read
	Block        Code = "block"         // a literal or folded block
	Multiline    Code = "multi-line"    // a value over several lines
	Escaped      Code = "escaped"       // escapes that cannot be kept
	Duplicate    Code = "duplicate-key" // a key stands twice
	Malformed    Code = "malformed"     // not an image reference
	Missing      Code = "missing"       // a container without an image
	Number       Code = "number"        // a tag that is read as a number
	Undetermined Code = "undetermined"  // the rest of the reference stands elsewhere
	Embedded     Code = "embedded"      // a manifest inside a string
	Unlocated    Code = "unlocated"     // the bytes could not be found again
	Unreadable   Code = "unreadable"    // the file is not what its name says
	TooLarge     Code = "too-large"     // over a limit
	LabelRisk    Code = "label-risk"    // a digest in a Helm tag
	Strange      Code = "unusual-key"   // readers disagree on the key
)

// A Problem says why a place or a file is left alone.
type Problem struct {
	Code     Code
	Text     string
	Position Position // zero where it is the finding's own
}

func (p *Problem) Error() string { return p.Text }

// Harmless reports whether every reader sees the same image in spite of the problem.
func (p *Problem) Harmless() bool {
	switch p.Code {
	case Block, Multiline, Alias, Shared, Escaped:
		return true
	}
	return false
}

func problem(code Code, format string, args ...any) *Problem {
	return &Problem{Code: code, Text: fmt.Sprintf(format, args...)}
}

// A Local is a path of files beside this one that a kustomization names, or an object of
// Argo CD or Flux. Only the reader of the whole tree can tell whether it is there.
type Local struct {
	Field    string // resources, bases, components, patches, ...; source.path, helm.valueFiles, ...
	Path     string // relative to the file's directory, slash-separated, as written
	Root     bool   // Path is relative to the root of the repository, and cleaned
	Optional bool   // what is named may be elsewhere: a remote resource, another repository
	Position Position
}

// From returns what a file names by l, relative to the root of the repository.
func (l Local) From(file string) string {
	if l.Root {
		return l.Path
	}
	return path.Join(path.Dir(file), l.Path)
}

// A Result is what one file holds.
type Result struct {
	Findings []Finding
	Local    []Local
	// Closed says why no entry can be inserted into the images of a kustomization, and Renames
	// are the names that its entries change without setting a tag or a digest.
	Closed  *Problem
	Renames []string
	// Sources are what the file has values taken from that may end up in images.
	Sources []Source
	// Problem is set where the file as a whole could not be read; Findings is then empty.
	Problem *Problem
}

// A Source is what values are taken from: objects of a kind and a name, each of them any
// where it is empty, or files.
type Source struct {
	Kind, Name string
	File       string // a glob of paths from the root of the repository
}
