package reconcile

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/message"
	"github.com/pinnace-dev/pinnace/internal/plan"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// Label marks every pull request of Pinnace.
const Label = "pinnace"

// A commit is the content of one that is to be made.
type commit struct {
	changes []promotion.Change
	files   map[string][]byte
}

// edit makes the edits of a proposal on the tip. A file that cannot be edited moves its
// changes to what is left.
func (p *pass) edit(s *Settled) (commit, error) {
	c := commit{files: map[string][]byte{}}
	edits := plan.Edits(s.Changes, manifest.Style(p.config.Pin.Style))
	changes := map[string][]promotion.Change{}
	for _, change := range s.Changes {
		changes[change.Path] = append(changes[change.Path], change)
	}
	for _, path := range sorted(edits) {
		old, err := p.files.Files.Read(path, p.files.limit())
		if err != nil {
			return c, fmt.Errorf("read %s: %w", path, err)
		}
		data, err := manifest.Apply(old, p.files.format(path), edits[path], p.files.extra(path)...)
		if err == nil && int64(len(data)) > p.files.limit() {
			err = fmt.Errorf("the file would have more than %d MiB", p.files.limit()>>20)
		}
		if err != nil {
			for _, change := range changes[path] {
				s.Left = append(s.Left, plan.Left{Path: path, Line: change.Line, Image: change.Old.String(), Reason: err.Error()})
			}
			continue
		}
		c.changes = append(c.changes, changes[path]...)
		if string(data) != string(old) {
			c.files[path] = data
			s.Files = append(s.Files, FileChange{Path: path, Old: old, Data: data})
		}
	}
	s.Changes = c.changes
	return c, nil
}

// write brings branch, pull request and label in step, in this order, so that what fails
// in between is found and finished by the next call.
func (p *pass) write(ctx context.Context, s *Settled, h head, c commit, current bool) error {
	s.Action = Unchanged
	text := p.text(s)
	if !current {
		s.Action = Updated
		if p.base.DryRun {
			if !h.open {
				s.Action = Opened
			}
			return nil
		}
		lost, err := p.loses(ctx, h)
		if err != nil {
			return err
		}
		if lost {
			h.derived.Why = "commits that " + p.base.Branch + " no longer has"
			return p.diverged(ctx, s, h)
		}
		if err := p.push(ctx, s, h, c, text); err != nil {
			return err
		}
	}
	if !h.open {
		s.Action = Opened
		if p.base.DryRun {
			return nil
		}
		p.describe(ctx, &text)
		opened, err := p.Forge.OpenPullRequest(ctx, p.repo, promotion.Draft{Title: text.Title(), Body: text.Body(), Head: s.Branch, Base: p.base.Branch})
		if err != nil {
			return err
		}
		s.PullRequest = opened
	} else if err := p.amend(ctx, s, h, text); err != nil {
		return err
	}
	return p.label(ctx, s)
}

// askReviewers asks those for a review who may approve, once: before the label is there. That
// nobody could be asked stops nothing: the text names them.
func (p *pass) askReviewers(ctx context.Context, s *Settled) error {
	if !asked(s.Kind) || p.court == nil {
		return nil
	}
	a := p.court.Advise(s)
	if len(a.Users)+len(a.Teams) == 0 {
		return nil
	}
	err := p.Forge.RequestReviewers(ctx, p.repo, s.PullRequest.Number, a.Users, a.Teams)
	if errors.Is(err, promotion.ErrInvalid) || errors.Is(err, promotion.ErrForbidden) || errors.Is(err, promotion.ErrNotFound) || errors.Is(err, promotion.ErrBlocked) {
		return nil
	}
	return err
}

func (p *pass) label(ctx context.Context, s *Settled) error {
	missing := slices.DeleteFunc(p.Pins.labels(), func(l string) bool { return slices.Contains(s.PullRequest.Labels, l) })
	if len(missing) == 0 {
		return nil
	}
	if s.Action == Unchanged {
		s.Action = Updated
	}
	if p.base.DryRun {
		return nil
	}
	if err := p.askReviewers(ctx, s); err != nil {
		return err
	}
	return p.Forge.AddLabels(ctx, p.repo, s.PullRequest.Number, missing...)
}

// loses says whether replacing a head would leave commits below it without a branch: those
// that the base does not have.
func (p *pass) loses(ctx context.Context, h head) (bool, error) {
	if h.hash == none || h.derived.Parent == nil || h.derived.Parent.Commit == p.tip.Commit {
		return false, nil
	}
	has, err := p.Forge.Contains(ctx, p.repo, p.tip.Commit.String(), h.derived.Parent.Commit.String())
	return !has, err
}

// push makes the commit on the tip and moves the branch from the head that was read to it.
func (p *pass) push(ctx context.Context, s *Settled, h head, c commit, text message.PullRequest) error {
	written, err := p.tip.WriteTree(c.files)
	if err != nil {
		return fmt.Errorf("write the tree of %s: %w", s.Branch, err)
	}
	body := text.Commit(p.tip.Commit.String())
	if p.App != 0 && h.hash != none {
		body = strings.TrimRight(body, "\n") + "\n" + TrailerBefore + ": " + h.hash.String() + "\n"
	}
	push := git.Push{Ref: headsPrefix + s.Branch, Old: h.hash}
	if push.New, push.Objects, err = p.commit(ctx, written, c, body); err != nil {
		return fmt.Errorf("write the commit of %s: %w", s.Branch, err)
	}
	if p.App != 0 && h.hash != none {
		if err := p.memory().Announce(ctx, h.hash.String(), push.New.String()); err != nil {
			return err
		}
	}
	if err := p.Git.Push(ctx, p.remote, push); err != nil {
		return p.explain(err, s.Branch)
	}
	p.heads[s.Branch] = push.New
	return p.begin(ctx, s, h, push.New.String(), text.Seal)
}

// commit makes a commit on the tip, and returns it with the objects that GitHub lacks.
func (p *pass) commit(ctx context.Context, w *git.Written, c commit, text string) (git.Hash, []git.Hash, error) {
	rules, err := p.branchRules(ctx)
	if err != nil {
		return none, nil, err
	}
	if rules.SignedCommits {
		made, err := p.signed(ctx, w, c, text)
		return made, []git.Hash{}, err // GitHub has them all
	}
	author := p.Author
	author.When = p.Now()
	made, err := p.Git.Commit(git.Commit{Tree: w.Tree, Parents: []git.Hash{p.tip.Commit}, Author: author, Committer: author, Message: text})
	return made, append(w.Objects, made), err
}

// signed has GitHub make the commit, and holds what it made to what was asked.
func (p *pass) signed(ctx context.Context, w *git.Written, c commit, text string) (git.Hash, error) {
	modes := map[string]string{}
	for path := range c.files {
		e, ok, err := p.tip.Lookup(path)
		if err != nil {
			return none, err
		}
		if !ok {
			e.Mode = git.File
		}
		modes[path] = e.Mode.String()
	}
	sha, tree, err := p.Forge.CreateTreeCommit(ctx, p.repo, promotion.TreeCommit{
		BaseTree: p.tip.Tree.String(), Files: c.files, Modes: modes, Message: text, Parents: []string{p.tip.Commit.String()},
	})
	if err != nil {
		return none, err
	}
	if tree != w.Tree.String() {
		return none, fmt.Errorf("GitHub made tree %s where %s was asked for: the branch was not moved", tree, w.Tree)
	}
	return git.ParseHash(sha)
}

// ruled is how GitHub words a refusal by a ruleset or a protected branch.
var ruled = regexp.MustCompile(`(?i)GH0(06|13)|protected branch|repository rule`)

// explain adds to a refusal of the server what can be done about it.
func (p *pass) explain(err error, branch string) error {
	var refused *git.RefusedError
	switch {
	case err == nil || isWorkflowRefusal(err):
		return err
	case errors.As(err, &refused) && ruled.MatchString(refused.Message):
		return &Refusal{Class: promotion.ErrBlocked, Text: fmt.Sprintf("%v\na rule of %s protects %s: exempt Pinnace from it, or narrow the rule so that it leaves %s* alone (Settings > Rules)", err, p.repo.FullName(), branch, plan.Prefix)}
	case errors.Is(err, git.ErrAuth):
		return &Refusal{Class: promotion.ErrForbidden, Text: fmt.Sprintf("%v\nthe token may not push to %s: give it Contents: write", err, p.repo.FullName())}
	}
	return err
}

// An Answer may be that nobody knows.
type Answer int8

// The answers.
const (
	Unknown Answer = iota
	Yes
	No
)

// workflowDir holds files that GitHub guards with a permission of its own
// (https://docs.github.com/en/rest/authentication/permissions-required-for-github-apps#repository-permissions-for-workflows).
const workflowDir = ".github/workflows/"

// isWorkflowRefusal says whether a push was refused because the token may not change
// workflows: "without `workflows` permission" to an App, "without `workflow` scope" to a
// person.
func isWorkflowRefusal(err error) bool {
	var refused *git.RefusedError
	return errors.As(err, &refused) && strings.Contains(refused.Message, "create or update workflow") && strings.Contains(refused.Message, "without `workflow")
}

// leaveWorkflows takes the changes of workflows out of a proposal.
func leaveWorkflows(s *Settled) {
	var kept []promotion.Change
	for _, c := range s.Changes {
		if !strings.HasPrefix(c.Path, workflowDir) {
			kept = append(kept, c)
			continue
		}
		s.Left = append(s.Left, plan.Left{Path: c.Path, Line: c.Line, Image: c.Old.String(), Reason: "the token may not change workflows: give it Workflows: write (the scope workflow, for a classic token)"})
	}
	s.Changes, s.Files = kept, nil
}
