package plan

import (
	"errors"
	"strings"
	"testing"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/manifest"
)

var (
	one = image.Digest("sha256:" + strings.Repeat("1", 64))
	two = image.Digest("sha256:" + strings.Repeat("2", 64))
)

func TestDecide(t *testing.T) {
	index := image.Resolution{Digest: two, MediaType: image.OCIIndex, Children: []image.Child{{Digest: one, Platform: image.Platform{OS: "linux", Architecture: "amd64"}}}}
	single := image.Resolution{Digest: one, MediaType: image.OCIManifest}
	down := errors.New("registry is down")
	find := func(r image.Ref) manifest.Finding { return manifest.Finding{Image: r, Pointer: "/image"} }
	tagged, pinned := image.Ref{Name: "a/b", Tag: "1"}, image.Ref{Name: "a/b", Tag: "1", Digest: one}
	bare := image.Ref{Name: "a/b", Digest: one}
	for _, tc := range []struct {
		name    string
		finding manifest.Finding
		answer  Answer
		options Options
		action  Action
		image   string
		reason  string
	}{
		{"unpinned", find(tagged), Answer{Tag: index}, Options{}, Pin, "a/b:1@" + string(two), ""},
		{"without a tag", find(image.Ref{Name: "a/b"}), Answer{Tag: index}, Options{}, Pin, "a/b:latest@" + string(two), ""},
		{"no answer", find(tagged), Answer{TagErr: down}, Options{}, Fail, "", "registry is down"},
		{"an empty answer", find(tagged), Answer{}, Options{}, Fail, "", "no digest"},
		{"pinned", find(pinned), Answer{Tag: index}, Options{}, Keep, "", "pinned already"},
		{"ignored", manifest.Finding{Image: tagged, Ignored: true}, Answer{Tag: index}, Options{}, Leave, "", "pinnace:ignore"},
		{"not editable", manifest.Finding{Image: tagged, Problem: &manifest.Problem{Text: "folded"}}, Answer{}, Options{}, Leave, "", "folded"},
		{"not editable but pinned", manifest.Finding{Image: pinned, Problem: &manifest.Problem{Code: manifest.Block, Text: "folded"}}, Answer{}, Options{}, Keep, "", "pinned already"},
		{"pinned, but readers disagree", manifest.Finding{Image: pinned, Problem: &manifest.Problem{Code: manifest.Duplicate, Text: "twice"}}, Answer{}, Options{}, Leave, "", "twice"},
		{"update, moved", find(pinned), Answer{Tag: index}, Options{Update: true}, Update, "a/b:1@" + string(two), ""},
		{"update, still there", find(pinned), Answer{Tag: single}, Options{Update: true}, Keep, "", "pinned already"},
		{"update, no answer", find(pinned), Answer{TagErr: down}, Options{Update: true}, Fail, "", "down"},
		{"update, no tag", find(bare), Answer{}, Options{Update: true}, Keep, "", "no tag is written"},
		{"update, tag in the comment", manifest.Finding{Image: bare, TagComment: "1"}, Answer{Tag: index}, Options{Update: true}, Update, "a/b:1@" + string(two), ""},
		{"update, comment that is no tag", manifest.Finding{Image: bare, TagComment: "why"}, Answer{TagErr: image.ErrUnknown}, Options{Update: true}, Keep, "", "the comment why is no tag"},
		{"lift a child", find(pinned), Answer{Tag: index, Pinned: single}, Options{Lift: true}, Lift, "a/b:1@" + string(two), ""},
		{"lift an index that moved", find(pinned), Answer{Tag: index, Pinned: image.Resolution{Digest: one, MediaType: image.OCIIndex}}, Options{Lift: true}, Keep, "", "the tag has moved"},
		{"lift, digest unknown", find(pinned), Answer{Tag: index, PinnedErr: down}, Options{Lift: true}, Fail, "", "down"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := Decide(&tc.finding, tc.answer, tc.options)
			if s.Action != tc.action || !strings.Contains(s.Reason, tc.reason) {
				t.Errorf("got %s (%s), want %s (%s)", s.Action, s.Reason, tc.action, tc.reason)
			}
			e, edits := s.Edit(manifest.TagAndDigest)
			if edits != (tc.image != "") || edits && e.New.String() != tc.image {
				t.Errorf("edit %v to %s, want %s", edits, e.New, tc.image)
			}
		})
	}
}

// TestNeeds holds the questions to what Decide reads: nothing is asked in vain.
func TestNeeds(t *testing.T) {
	pinned := manifest.Finding{Image: image.Ref{Name: "a", Tag: "1", Digest: one}}
	for _, tc := range []struct {
		name        string
		finding     manifest.Finding
		options     Options
		tag, digest bool
	}{
		{"unpinned", manifest.Finding{Image: image.Ref{Name: "a"}}, Options{}, true, false},
		{"pinned", pinned, Options{}, false, false},
		{"update", pinned, Options{Update: true}, true, false},
		{"lift", pinned, Options{Lift: true}, true, true},
		{"both", pinned, Options{Update: true, Lift: true}, true, false},
		{"no tag", manifest.Finding{Image: image.Ref{Name: "a", Digest: one}}, Options{Update: true}, false, false},
		{"ignored", manifest.Finding{Image: image.Ref{Name: "a"}, Ignored: true}, Options{}, false, false},
	} {
		if tag, digest := Needs(&tc.finding, tc.options); tag != tc.tag || digest != tc.digest {
			t.Errorf("%s: asks for tag %v, digest %v", tc.name, tag, digest)
		}
	}
}
