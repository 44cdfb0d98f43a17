package plan

import (
	"cmp"
	"errors"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/manifest"
)

// Options say what pinning does.
type Options struct {
	Style  manifest.Style
	Update bool // move pinned tags to what they mean now
	Lift   bool // replace the digest of one platform by that of the index
}

// An Answer is what a registry said about one finding. Tag is the tag's meaning now, or
// that of the configured platform; Pinned is the written digest's own. Each has its error.
type Answer struct {
	Tag       image.Resolution
	TagErr    error
	Pinned    image.Resolution
	PinnedErr error
}

// Needs says what must be asked about a finding before Pin can decide: the meaning of its
// tag, and, where that differs from the written digest, the digest itself.
func Needs(f *manifest.Finding, o Options) (tag, pinned bool) {
	switch {
	case !f.Editable():
		return false, false
	case !f.Image.Pinned():
		return true, false
	case Tagged(f).Tag == "":
		return false, false
	}
	return o.Update || o.Lift, o.Lift && !o.Update
}

// Tagged returns the finding's image with the tag that stands beside a bare digest in a
// comment.
func Tagged(f *manifest.Finding) image.Ref {
	r := f.Image
	if r.Tag == "" {
		r.Tag = f.TagComment
	}
	return r
}

// An Action says what happens to one finding.
type Action string

// The actions.
const (
	Pin    Action = "pin"    // a digest is added
	Update Action = "update" // the tag has moved, and the digest follows
	Lift   Action = "lift"   // a platform's digest becomes that of the index
	Keep   Action = "keep"   // pinned already
	Leave  Action = "leave"  // cannot be edited, or is to be left alone
	Fail   Action = "fail"   // the registry gave no answer
)

// A Step is what happens to one finding. New is the image afterwards; Reason says why
// there is no edit.
type Step struct {
	Finding *manifest.Finding
	Action  Action
	New     image.Ref
	Reason  string
	Err     error
}

// Edit returns the change to the file, or false where there is none.
func (s Step) Edit(style manifest.Style) (manifest.Edit, bool) {
	switch s.Action {
	case Pin, Update, Lift:
		return manifest.Edit{Document: s.Finding.Document, Pointer: s.Finding.Pointer, Old: s.Finding.Image, New: s.New, Style: style}, true
	}
	return manifest.Edit{}, false
}

// errNoDigest says that a resolver broke its promise.
var errNoDigest = errors.New("the registry gave no digest")

// Decide says what happens to a finding.
func Decide(f *manifest.Finding, a Answer, o Options) Step {
	s := Step{Finding: f, New: f.Image}
	tag, pinned := Needs(f, o)
	switch {
	case f.Ignored:
		s.Action, s.Reason = Leave, "a comment on the line says pinnace:ignore"
	case f.Problem != nil && f.Image.Pinned() && f.Problem.Harmless():
		s.Action, s.Reason = Keep, "pinned already"
	case f.Problem != nil:
		s.Action, s.Reason = Leave, f.Problem.Text
	case !tag:
		s.Action, s.Reason = Keep, "pinned already"
		if o.Update && f.Image.Tag == "" {
			s.Reason = "no tag is written that could be followed"
		}
	case f.Image.Pinned() && f.Image.Tag == "" && errors.Is(a.TagErr, image.ErrUnknown):
		s.Action, s.Reason = Keep, "the comment "+f.TagComment+" is no tag that could be followed"
	case a.TagErr != nil:
		s.Action, s.Err, s.Reason = Fail, a.TagErr, a.TagErr.Error()
	case a.Tag.Digest == "":
		s.Action, s.Err, s.Reason = Fail, errNoDigest, errNoDigest.Error()
	case !f.Image.Pinned():
		s.Action, s.New = Pin, f.Image.WithDigest(a.Tag.Digest)
	case a.Tag.Digest == f.Image.Digest:
		s.Action, s.Reason = Keep, "pinned already"
	case o.Update:
		s.Action, s.New = Update, Tagged(f).WithDigest(a.Tag.Digest)
	case pinned && a.PinnedErr != nil:
		s.Action, s.Err, s.Reason = Fail, a.PinnedErr, a.PinnedErr.Error()
	case IsChild(a):
		s.Action, s.New = Lift, Tagged(f).WithDigest(a.Tag.Digest)
	default:
		s.Action, s.Reason = Keep, "the tag has moved; --update follows it"
	}
	if s.Action == Update || s.Action == Lift {
		s.New.Name, s.New.Tag = f.Image.Name, cmp.Or(s.New.Tag, f.Image.Tag)
	}
	return s
}

// IsChild says whether the written digest is one platform's manifest in the index that
// the tag names now.
func IsChild(a Answer) bool {
	if a.Tag.Digest == "" || a.Pinned.Digest == "" || a.Pinned.IsIndex() {
		return false
	}
	for _, c := range a.Tag.Children {
		if c.Digest == a.Pinned.Digest {
			return true
		}
	}
	return false
}

// Platform returns the platform that a child of the tag's index is for, or "".
func Platform(a Answer) string {
	for _, c := range a.Tag.Children {
		if c.Digest == a.Pinned.Digest {
			return c.Platform.String()
		}
	}
	return ""
}
