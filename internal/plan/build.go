package plan

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A File is one file with what Scan found in it. Path is relative to the root and
// slash-separated.
type File struct {
	Path   string
	Result manifest.Result
}

// An Input is all that Build decides from.
type Input struct {
	Config  *config.Config
	Base    string // the branch that the files are of
	Default bool   // it is the repository's default branch
	Files   []File
	// Environments names those that a file affects, in the order of the configuration.
	Environments func(path string) []string
	Options      Options
	// Answer says what a registry said of a place's image, as Needs asked for it.
	Answer func(*manifest.Finding) Answer
	// Target says what a track rule moves a place to.
	Target func(environment string, t config.Track, f *manifest.Finding) Target
}

// A Target is the tag that a track rule selects for a place, with what it means now.
type Target struct {
	Tag    string // "" where the rule selects none
	Reason string // why this tag, or why none, in one line
	Answer Answer
	Err    error // the tags could not be asked for
}

// A Plan is what is to be proposed for one branch.
type Plan struct {
	Proposals []Proposal
	// Unreached are the places of files that no environment has, where any is configured.
	Unreached []Left
}

// A Proposal is the content of one pull request. Without Changes there is nothing to
// propose, and an open one has nothing left to do.
type Proposal struct {
	Kind         promotion.Kind
	Environments []string // those that it affects; none where none is configured
	App          string   // of an update
	Branch       string
	Changes      []promotion.Change
	Left         []Left // places that were not edited, and why
	Failed       []Left // places about which a registry gave no answer
}

// A Left place is one that is not edited.
type Left struct {
	Path   string
	Line   int
	Image  string
	Reason string
	Err    error // set where asking again may help

	finding *manifest.Finding
}

// Unanswered says whether a registry gave no answer, rather than the answer that there is no
// such image.
func (l Left) Unanswered() bool { return l.Err != nil && !errors.Is(l.Err, image.ErrUnknown) }

// Concerns says whether the place is the one that a change is of.
func (l Left) Concerns(c promotion.Change) bool {
	return l.finding != nil && l.Path == c.Path && l.finding.Document == c.Document && l.finding.Pointer == c.Pointer && l.finding.Image == c.Old
}

// Build groups what is to be done into proposals: a pin for each environment, one for the
// files of several, one for all where none is configured, and an update for each
// environment and app that a track rule moves.
func Build(in Input) Plan {
	b := builder{in: in, index: map[string]int{}}
	if slices.ContainsFunc(in.Config.Environments, func(e config.Environment) bool { return len(e.Track) > 0 }) {
		b.apps = in.Config.AppNames(Refs(in.Config, in.Files, in.Environments))
		b.entries = EntriesOf(in.Files, in.Environments)
	}
	if len(in.Config.Environments) == 0 {
		b.proposal(promotion.Pin, nil, "", branch{kind: "pin-all"})
	}
	for _, e := range in.Config.Environments {
		b.proposal(promotion.Pin, []string{e.Name}, "", branch{kind: "pin", environment: e.Name})
	}
	for _, f := range in.Files {
		b.file(f)
	}
	for i := range b.plan.Proposals {
		p := &b.plan.Proposals[i]
		promotion.SortChanges(p.Changes)
		p.Environments = b.inOrder(p.Environments)
		if p.Kind == promotion.Update && len(p.Failed) > 0 {
			p.Changes = nil // an app is moved as a whole
		}
	}
	slices.SortStableFunc(b.plan.Proposals, func(x, y Proposal) int {
		return cmp.Or(cmp.Compare(b.rank(x), b.rank(y)), cmp.Compare(x.App, y.App))
	})
	return b.plan
}

// rank orders proposals: pins before updates, in the order of environments, files of
// several environments behind those of one.
func (b *builder) rank(p Proposal) int {
	n := len(b.in.Config.Environments)
	rank := n
	if len(p.Environments) == 1 && !strings.HasSuffix(p.Branch, "/pin-shared") {
		rank = slices.IndexFunc(b.in.Config.Environments, func(e config.Environment) bool { return e.Name == p.Environments[0] })
	}
	if p.Kind == promotion.Update {
		rank += n + 1
	}
	return rank
}

type builder struct {
	in      Input
	apps    config.AppNames
	entries Entries
	plan    Plan
	index   map[string]int // of proposals, by branch
}

// proposal returns the one of a branch.
func (b *builder) proposal(kind promotion.Kind, environments []string, app string, at branch) *Proposal {
	name := at.name(b.in.Base, b.in.Default)
	i, ok := b.index[name]
	if !ok {
		i = len(b.plan.Proposals)
		b.index[name] = i
		b.plan.Proposals = append(b.plan.Proposals, Proposal{Kind: kind, App: app, Branch: name})
	}
	p := &b.plan.Proposals[i]
	for _, e := range environments {
		if !slices.Contains(p.Environments, e) {
			p.Environments = append(p.Environments, e)
		}
	}
	return p
}

func (b *builder) inOrder(names []string) []string {
	var out []string
	for _, e := range b.in.Config.Environments {
		if slices.Contains(names, e.Name) {
			out = append(out, e.Name)
		}
	}
	return out
}

func (b *builder) file(f File) {
	if b.in.Config.Excluded(f.Path) {
		return
	}
	environments := b.in.Environments(f.Path)
	if len(b.in.Config.Environments) > 0 && len(environments) == 0 {
		for i := range f.Result.Findings {
			if found := &f.Result.Findings[i]; !found.Ignored && !found.Image.Pinned() {
				b.plan.Unreached = append(b.plan.Unreached, left(f.Path, found, "the file belongs to no environment: add its path to one in "+cmp.Or(b.in.Config.File(), ".pinnace/config.yaml")))
			}
		}
		return
	}
	at := branch{kind: "pin-all"}
	switch len(environments) {
	case 0:
	case 1:
		at = branch{kind: "pin", environment: environments[0]}
	default:
		at = branch{kind: "pin-shared"}
	}
	pin := func() *Proposal { return b.proposal(promotion.Pin, environments, "", at) }
	if p := f.Result.Problem; p != nil {
		out := pin()
		out.Left = append(out.Left, Left{Path: f.Path, Line: p.Position.Line, Reason: p.Text})
		return
	}
	for i := range f.Result.Findings {
		found := &f.Result.Findings[i]
		var answer Answer
		if tag, _ := Needs(found, b.in.Options); tag {
			answer = b.in.Answer(found)
		}
		step := Decide(found, answer, b.in.Options)
		switch step.Action {
		case Pin, Lift, Update:
			out := pin()
			out.Changes = append(out.Changes, change(f.Path, found, step.New))
		case Fail:
			out := pin()
			l := left(f.Path, found, step.Reason)
			l.Err = step.Err
			out.Failed = append(out.Failed, l)
		case Leave:
			if !found.Image.Pinned() {
				out := pin()
				out.Left = append(out.Left, left(f.Path, found, step.Reason))
			}
		case Keep:
			if found.Editable() {
				b.track(f.Path, found, environments)
			}
		}
	}
}

// track adds what the track rules of a place's environment move it to.
func (b *builder) track(path string, f *manifest.Finding, environments []string) {
	for _, name := range environments {
		e, _ := b.in.Config.Environment(name)
		t, ok := e.TrackOf(f.Image)
		if !ok || len(environments) > 1 && b.entries.hide(name, "", f) {
			continue
		}
		app := b.apps.Of(name, path, f.Image)
		if app == "" {
			continue // the app's paths leave this place out
		}
		out := b.proposal(promotion.Update, []string{name}, app, branch{kind: "update", environment: name, app: app})
		if len(environments) > 1 {
			out.Left = append(out.Left, left(path, f, fmt.Sprintf("environments %s share the file: a track rule of %s does not move it; give each its own images entry", strings.Join(environments, ", "), name)))
			continue
		}
		b.move(out, path, f, t, b.in.Target(name, t, f))
	}
}

func (b *builder) move(out *Proposal, path string, f *manifest.Finding, t config.Track, target Target) {
	now := Tagged(f)
	switch {
	case target.Err != nil:
		l := left(path, f, target.Err.Error())
		l.Err = target.Err
		out.Failed = append(out.Failed, l)
	case target.Tag == "":
		out.Left = append(out.Left, left(path, f, target.Reason))
	case target.Answer.TagErr != nil:
		l := left(path, f, target.Answer.TagErr.Error())
		l.Err = target.Answer.TagErr
		out.Failed = append(out.Failed, l)
	case target.Answer.Tag.Digest == "":
		l := left(path, f, errNoDigest.Error())
		l.Err = errNoDigest
		out.Failed = append(out.Failed, l)
	case target.Tag == now.Tag && target.Answer.Tag.Digest == f.Image.Digest:
	case target.Tag == now.Tag && t.Follow != config.FollowDigest:
		// The rule asks for versions: a version that moved is reported, not followed.
		out.Left = append(out.Left, left(path, f, fmt.Sprintf("tag %s has moved to %s; the rule follows versions, not digests", now.Tag, target.Answer.Tag.Digest.Short())))
	case target.Tag == now.Tag && IsChild(target.Answer):
		out.Left = append(out.Left, left(path, f, fmt.Sprintf("pinned to %s of what the tag means now: pinnace pin --lift replaces it by the index", Platform(target.Answer))))
	default:
		want := f.Image
		want.Tag, want.Digest = target.Tag, target.Answer.Tag.Digest
		out.Changes = append(out.Changes, change(path, f, want))
	}
}

func change(path string, f *manifest.Finding, want image.Ref) promotion.Change {
	object := f.Object.String()
	if object == "" {
		object = string(f.Place)
	}
	return promotion.Change{
		Path: path, Document: f.Document, Pointer: f.Pointer, Object: object,
		Line: f.Position.Line, Old: f.Image, New: want,
	}
}

func left(path string, f *manifest.Finding, reason string) Left {
	text := f.Text
	if f.Image != (image.Ref{}) {
		text = f.Image.String()
	}
	return Left{Path: path, Line: f.Position.Line, Image: text, Reason: reason, finding: f}
}

// Edits returns what is to be written, by path.
func Edits(changes []promotion.Change, style manifest.Style) map[string][]manifest.Edit {
	out := map[string][]manifest.Edit{}
	for _, c := range changes {
		out[c.Path] = append(out[c.Path], manifest.Edit{Document: c.Document, Pointer: c.Pointer, Old: c.Old, New: c.New, Style: style, Insert: c.Insert})
	}
	return out
}
