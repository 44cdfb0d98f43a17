package verdict

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/check"
	"github.com/pinnace-dev/pinnace/internal/command"
	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/guard"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/message"
	"github.com/pinnace-dev/pinnace/internal/plan"
	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/policy/approval"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
	"github.com/pinnace-dev/pinnace/internal/rulebook"
)

// The names of the other checks. With several managed bases they carry the base as well.
const (
	pinsName   = "pinnace/pins"
	configName = "pinnace/config"
)

func (b *base) nameOf(check string) string {
	if b.several {
		return check + " (" + b.branch + ")"
	}
	return check
}

// otherChecks holds the head to its digests, and guards the rules themselves.
func (b *base) otherChecks(ctx context.Context, h *hearing) error {
	h.pins.answer, h.guard.answer = approval.Yes, approval.Yes
	if h.kind != promotion.ByHand {
		return nil // nothing but images was changed, and all of them to digests
	}
	if err := b.guarded(ctx, h); err != nil {
		return err
	}
	return b.pinned(ctx, h)
}

// guardedPaths lists the changed paths that are guarded, as they were or as they are.
func guardedPaths(h *hearing) []string {
	var touched []string
	for _, d := range h.paths {
		is := false
		for _, side := range []struct {
			at    *git.Snapshot
			entry git.Entry
		}{{h.from, d.Old}, {h.now, d.New}} {
			var content []byte
			if mayRun(d.Path) && side.entry.Path != "" && side.entry.Problem == nil {
				content, _ = side.at.Blob(side.entry.Blob, manifest.MaxFile)
			}
			is = is || guard.Touches(d.Path, content)
		}
		if is {
			touched = append(touched, d.Path)
		}
	}
	return touched
}

// guarded judges a change of the rules.
func (b *base) guarded(ctx context.Context, h *hearing) error {
	touched := guardedPaths(h)
	if len(touched) == 0 {
		return nil
	}
	head, err := b.rulesOf(ctx, h)
	if err != nil {
		return err
	}
	h.rules = head
	in := guard.Input{
		Touched: touched, Images: len(h.changed)+len(h.opaque) > 0, Base: b.book, Head: head, HeadSHA: h.head.String(),
		PullRequest: h.pull.Number, Author: h.pull.Author, Writers: h.authors, WritersUnknown: h.nameless,
		Fork: h.pull.Head.Repository != b.repo.ID, Moments: h.moments, Since: h.came(), Now: b.Now(),
	}
	_, in.HasConfig, err = b.tip.Lookup(".pinnace/config.yaml")
	if err != nil {
		return fmt.Errorf("read commit %s: %w", b.tip.Commit, err)
	}
	for _, r := range h.reviews {
		seen, _ := h.memo.ReviewOf(r.ID)
		in.Reviews = append(in.Reviews, approval.Review{Review: r, PullRequest: h.pull.Number, As: seen.As, SubmittedCommit: seen.Commit, SealAt: h.memo.SealOf(seen.Commit), HadStanding: standing(seen)})
		if _, err := b.person(ctx, r.Author); err != nil {
			return err
		}
	}
	for _, m := range h.moments {
		if m.Event == "review_dismissed" {
			if _, err := b.person(ctx, m.Actor); err != nil {
				return err
			}
		}
	}
	for _, o := range h.orders {
		if o.Verb == command.ApproveConfig {
			in.Comments = append(in.Comments, guard.Comment{By: o.by, At: o.at, Edited: o.edited, SHA: o.SHA})
			if _, err := b.person(ctx, o.by); err != nil {
				return err
			}
		}
	}
	if _, err := b.person(ctx, h.pull.Author); err != nil {
		return err
	}
	if in.Admins, in.AdminsKnown, err = b.admins(ctx); err != nil {
		return err
	}
	in.People = b.known()
	h.guard.touched, h.touched, h.guarded = true, touched, guard.Decide(in)
	h.guard.answer = answerOf(h.guarded.Status)
	b.guardRun(h)
	return nil
}

// guardRun writes down the verdict on a change of the rules.
func (b *base) guardRun(h *hearing) {
	c := message.Check{Name: b.nameOf(configName), Subject: strings.Join(h.touched, ", "), Decision: h.guarded, Advisory: b.Advisory, Seal: h.head.String()}
	status, conclusion := c.Conclusion()
	h.guard.run = promotion.CheckRun{Name: c.Name, Status: status, Conclusion: conclusion, Title: c.Title(), Summary: c.Summary(), Text: c.Text()}
}

// difference adds to the verdict on a change of the rules what it would do to the pull requests
// that are open, and to the environments of images.
func (b *base) difference(ctx context.Context, h *hearing, heard []*hearing) error {
	if h.rules == nil || h.rules.Config == nil {
		return nil
	}
	effects, err := b.redecided(ctx, h.rules, heard)
	if err != nil {
		return err
	}
	h.guarded.Results = append(h.guarded.Results, results(append(b.resettled(h.rules.Config), effects...))...)
	b.guardRun(h)
	return nil
}

// mayRun says whether a path may be that of a workflow, or of an action.
func mayRun(name string) bool {
	base := path.Base(name)
	return strings.HasPrefix(name, ".github/") || base == "action.yml" || base == "action.yaml"
}

// rulesOf reads the documents of a head. What cannot be read is an error of theirs.
func (b *base) rulesOf(ctx context.Context, h *hearing) (*rulebook.Rulebook, error) {
	files, err := reconcile.Documents(ctx, h.now)
	switch {
	case err == nil:
	case passing(err):
		return nil, err
	default:
		return &rulebook.Rulebook{Floor: b.Judge.floor.state, Problems: config.Problems{{Severity: config.Error, Message: err.Error()}}}, nil
	}
	head := rulebook.Read(files, b.Judge.floor.files, b.Judge.floor.state, b.found())
	if head.Config != nil {
		head.Problems = append(head.Problems, b.overlaps(head.Config)...)
	}
	return head, nil
}

// admins counts who holds the role admin, as far as the documents and GitHub tell.
func (b *base) admins(ctx context.Context) (int, bool, error) {
	if b.book.Set == nil {
		return 0, false, nil
	}
	all, known, err := b.Forge.Collaborators(ctx, b.repo, promotion.PermissionAdmin)
	if err != nil || !known {
		if passing(err) {
			return 0, false, err
		}
		return 0, false, nil
	}
	roles := b.book.Set.Grants(policy.Admin, "", "")
	n := 0
	for _, who := range all {
		p, err := b.person(ctx, who)
		if err != nil {
			return 0, false, err
		}
		switch {
		case p.Bot || p.ServiceAccount || p.Ghost:
		case approval.Holds(roles, who, p) == approval.Unknown:
			return 0, false, nil
		case approval.Holds(roles, who, p) == approval.Yes:
			n++
		}
	}
	return n, true, nil
}

// answerOf says whether a verdict is green. One that waits is not.
func answerOf(s promotion.Status) approval.Answer {
	switch s {
	case promotion.Passed, promotion.Skipped:
		return approval.Yes
	case promotion.Unknown:
		return approval.Unknown
	}
	return approval.No
}

// pinned holds the changed files to their digests.
func (b *base) pinned(ctx context.Context, h *hearing) error {
	if b.book.Set == nil {
		return nil
	}
	in := check.PinsInput{Style: manifest.Style(b.config.Pin.Style)}
	tags := map[image.Ref]plan.Answer{}
	for _, d := range h.paths {
		if strings.HasPrefix(d.Path, ".pinnace/") || b.format(d.Path) == manifest.None || b.reading.Format(d.Path) == manifest.None && len(b.reading.Environments(d.Path)) == 0 {
			continue
		}
		if before, ok, err := b.reading.Scan(h.from, d.Old); err != nil {
			return err
		} else if ok {
			in.Before = append(in.Before, before)
		}
		if d.New.Path == "" || d.New.Problem != nil {
			continue
		}
		data, err := h.now.Blob(d.New.Blob, manifest.MaxFile)
		if err != nil {
			continue // too large, or in Git LFS: nothing was found there either
		}
		f := check.Pinned{Data: data, Format: b.format(d.Path), Extra: b.reading.Extra(d.Path)}
		f.File = check.File{Path: d.Path, Result: manifest.Scan(data, f.Format, f.Extra...)}
		for _, found := range f.Result.Findings {
			ref := plan.Tagged(&found)
			if _, asked := tags[ref]; asked || ref.Name == "" || ref.Pinned() || len(tags) == maxTags {
				continue
			}
			var a plan.Answer
			a.Tag, a.TagErr = b.images.Resolve(ctx, ref)
			tags[ref] = a
		}
		in.Files = append(in.Files, f)
	}
	if len(in.Files) == 0 {
		return nil
	}
	now := b.Now()
	locks := func(path string) []*policy.PullImageDigestPolicy {
		var out []*policy.PullImageDigestPolicy
		for _, e := range b.environmentsIn(h, path) {
			out = append(out, b.book.Set.Locking(e)...)
		}
		return out
	}
	in.Locked = func(path string) (string, bool) {
		if all := locks(path); len(all) > 0 {
			return all[0].Name, true
		}
		return "", false
	}
	in.Excused = func(path, _ string) bool {
		all := locks(path)
		return len(all) > 0 && !slices.ContainsFunc(all, func(p *policy.PullImageDigestPolicy) bool {
			_, ok := p.Excepts(path, now)
			return !ok
		})
	}
	in.Ignored, in.Excluded = b.config.Ignored, b.config.Excluded
	in.Answers = func(ref image.Ref) (plan.Answer, bool) {
		a, ok := tags[ref]
		return a, ok && a.TagErr == nil
	}
	result := check.Pins(in)
	var err error
	if h.offers, err = b.offers(h, in, result.Annotations); err != nil {
		return err
	}
	h.pins.touched = true
	h.pins.answer = policy.Is(!result.Failed)
	run := promotion.CheckRun{Name: b.nameOf(pinsName), Status: "completed", Conclusion: "success", Title: "Every image is pinned", Summary: "The changed files hold no image without a digest."}
	if result.Left > 0 {
		run.Conclusion = "neutral"
		run.Title = counted(result.Left, "image has", "images have") + " no digest"
		run.Summary = run.Title + " in the changed files. `pinnace pin` writes them."
	}
	if result.Failed {
		run.Conclusion = "failure"
		run.Title = cmp.Or(run.Title, "An image is not pinned")
		run.Summary += " A PullImageDigestPolicy locks the environment, so that the pull request cannot be merged before."
	}
	if len(h.offers) > 0 {
		run.Summary += " The lines that GitHub shows have a suggestion to commit."
	}
	for _, a := range result.Annotations {
		note := promotion.Annotation{Path: a.Path, Start: a.Line, End: max(a.EndLine, a.Line), StartCol: a.Column, EndCol: a.EndColumn, Level: a.Level, Title: a.Title, Message: a.Message, Details: a.Suggestion}
		run.Annotations = append(run.Annotations, note)
	}
	h.pins.run = run
	return nil
}

// maxTags is how many tags of one pull request are resolved for suggestions.
const maxTags = 100

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// environmentsIn names the environments that a file of a pull request affects.
func (b *base) environmentsIn(h *hearing, path string) []string {
	out := slices.Clone(b.reading.Environments(path))
	for _, c := range h.changed {
		if c.Path == path {
			for _, e := range c.Environments {
				if !slices.Contains(out, e) {
					out = append(out, e)
				}
			}
		}
	}
	return append(out, slices.DeleteFunc(b.config.EnvironmentsOf(path), func(e string) bool { return slices.Contains(out, e) })...)
}
