package reconcile

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/message"
	"github.com/pinnace-dev/pinnace/internal/onboard"
	"github.com/pinnace-dev/pinnace/internal/plan"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// OnboardBranch is the branch of the pull request that adds a first configuration.
const OnboardBranch = plan.Prefix + "configure"

// An Onboarded is what became of asking for leave to work in a repository.
type Onboarded struct {
	Repository promotion.Repository
	Branch     string // the default one
	Commit     string // its tip; "" where nothing was read
	// Configured says that the default branch has a configuration, which may be a broken one:
	// then there is nothing to ask for.
	Configured bool
	DryRun     bool
	// Action is Opened, Updated, Unchanged, Finished, Declined, Diverged or Clean; in a dry run
	// what it would be. Refused: nothing can be asked for here, and Reason says why.
	Action      Action
	Reason      string
	PullRequest promotion.PullRequest // zero where there is none
	Files       []FileChange          // what its commit changes, where one is to be made
	Text        message.Onboarding    // what it says, where there is anything to say
}

// Onboard asks for leave to work in a repository that has no configuration on its default
// branch, by one pull request that adds it. It writes nothing else. A no is final: a pull
// request that was closed unmerged is never opened again. What people push onto its branch is
// kept, and the text of the pull request then tells of the file that is there.
func (p *Proposer) Onboard(ctx context.Context) (Onboarded, error) {
	repo, ok, err := p.Forge.Repository(ctx, p.Owner, p.Name)
	if err != nil {
		return Onboarded{}, err
	}
	out := Onboarded{Repository: repo, Branch: repo.DefaultBranch, DryRun: p.DryRun}
	if err := p.usable(repo, ok); err != nil {
		if !ok {
			return out, err
		}
		return out.refused(err.Error()), nil
	}
	written := Action("")
	for pass := 1; ; pass++ {
		now, err := p.onboard(ctx, out)
		if refused := (*Refusal)(nil); errors.Is(err, promotion.ErrForbidden) || errors.As(err, &refused) {
			return now.refused(err.Error()), nil
		}
		if err == nil && now.Action == Unchanged && written != "" {
			now.Action = written
		}
		if now.Action == Opened || now.Action == Updated {
			written = now.Action
		}
		if pass == maxPasses || !errors.Is(err, promotion.ErrConflict) && !errors.Is(err, git.ErrLease) || ctx.Err() != nil {
			return now, err
		}
	}
}

func (o Onboarded) refused(why string) Onboarded {
	o.Action, o.Reason = Refused, why
	return o
}

func (p *Proposer) onboard(ctx context.Context, out Onboarded) (Onboarded, error) {
	remote := p.Remote(out.Repository)
	heads, err := p.fetch(ctx, remote, out.Branch)
	if errors.Is(err, promotion.ErrNotFound) {
		return out.refused(noCommit(out.Repository)), nil
	}
	if err != nil {
		return out, err
	}
	a := &pass{Proposer: p, workflows: p.Workflows, repo: out.Repository, remote: remote, heads: heads, base: Base{Branch: out.Branch, DryRun: p.DryRun}, isDefault: true}
	tip := heads[out.Branch]
	out.Commit = tip.String()
	if a.tip, err = p.Git.Snapshot(tip); err != nil {
		return out, fmt.Errorf("read commit %s: %w", out.Commit, err)
	}
	why, err := a.begun(ctx)
	if err != nil {
		return out, err
	}
	if why != "" {
		out.Configured, out.Action, out.Reason = true, Clean, why
		return out, a.superseded(ctx, &out)
	}
	switch r := out.Repository; {
	case r.Fork:
		return out.refused(fmt.Sprintf("repository %s is a fork: what it deploys is configured where it comes from; add %s by hand if it is not", r.FullName(), configFile)), nil
	case !p.DryRun && r.Permission != "" && !r.Permission.AtLeast(promotion.PermissionWrite):
		return out.refused(fmt.Sprintf("the token may only %s %s: it needs Contents: write to push a branch and Pull requests: write to open one", r.Permission, r.FullName())), nil
	}
	return a.ask(ctx, out)
}

// begun says what of a configuration is there, "" where there is none: a config.yaml, or files
// of .pinnace that cannot be used.
func (p *pass) begun(ctx context.Context) (string, error) {
	if _, ok, err := p.tip.Lookup(configDir); err != nil || ok {
		return configDir + " is no directory", err
	}
	files, err := Documents(ctx, p.tip)
	var broken *Refusal
	if errors.As(err, &broken) {
		return broken.Text, nil
	}
	if err != nil {
		return "", err
	}
	if files[configFile] != nil {
		return configFile + " is there", nil
	}
	if _, there, err := p.tip.Subtree(configFile); err != nil || there {
		return configFile + " is no file", err
	}
	if _, err := Configured(files); err != nil {
		return err.Error(), nil
	}
	return "", nil
}

// ask brings the pull request that asks in step with the files.
func (p *pass) ask(ctx context.Context, out Onboarded) (Onboarded, error) {
	h := head{hash: p.heads[OnboardBranch]}
	if err := p.pulls(ctx, OnboardBranch, &h); err != nil {
		return out, err
	}
	out.PullRequest = h.last
	if answered(&out, h) {
		return out, nil
	}
	p.config = config.Default()
	reading, err := read(ctx, p.tip, p.config, p.Indexes[p.base.Branch], &Reconciler{Progress: p.Progress})
	if err != nil {
		return out, err
	}
	if p.Indexes != nil {
		p.Indexes[p.base.Branch] = reading.index
	}
	p.reading = reading
	if !onboard.HasManifest(reading.Files()) {
		out.Action, out.Reason = Clean, "no manifest holds an image"
		return out, p.retire(ctx, &out, h, "no manifest holds an image any more")
	}
	wrote, err := p.written(ctx, h.hash)
	if err != nil {
		return out, err
	}
	if h.hash != none && !wrote.ours {
		return p.theirs(ctx, out, h, wrote)
	}
	want := onboard.Detect(reading.Files(), reading.Has).File(cmp.Or(p.App, wrote.app))
	c, problems := config.Parse(configFile, want)
	if problems.HasErrors() {
		return out, fmt.Errorf("detect a configuration: %w", problems.Err()) // unreachable: a fuzz test parses it
	}
	out.Text = p.onboarding(c, reading)
	out.Text.Seal = p.sealOf(want)
	current := h.hash != none && string(wrote.data) == string(want)
	if current && wrote.parent != p.tip.Commit {
		rules, err := p.branchRules(ctx)
		if err != nil {
			return out, err
		}
		current = !rules.UpToDate
	}
	return p.offer(ctx, out, h, wrote, want, current)
}

// answered says whether the question was answered, or cannot be asked on this branch.
func answered(out *Onboarded, h head) bool {
	if h.open {
		return false
	}
	for _, q := range h.all {
		if q.State == promotion.Merged {
			out.Action, out.PullRequest = Declined, q
			out.Reason = fmt.Sprintf("#%d was merged, and %s is not there any more: add it again", q.Number, configFile)
			return true
		}
	}
	for _, q := range append(h.closed, h.elsewhere...) {
		if !message.IsFinished(q.Body) {
			out.Action, out.PullRequest = Declined, q
			out.Reason = fmt.Sprintf("#%d was closed without merging: reopen it, or add %s", q.Number, configFile)
			return true
		}
	}
	if q := h.other; q.Number != 0 {
		out.Action, out.PullRequest = Waiting, q
		out.Reason = fmt.Sprintf("#%d proposes %s to %s, which is not the default branch: point it to %s, or close it", q.Number, OnboardBranch, q.Base.Ref, out.Branch)
		return true
	}
	return false
}

// A writing is what the branch holds.
type writing struct {
	ours   bool     // one commit of Pinnace, which adds the configuration that its seal names
	why    string   // what it holds else
	data   []byte   // the configuration, nil where there is none
	app    int64    // that a configuration of ours names
	parent git.Hash // of a commit that is ours
	author string
}

// written works out whose the head of the branch is. One that is ours holds nothing but a file
// that Pinnace wrote and nobody changed since.
func (p *pass) written(ctx context.Context, hash git.Hash) (writing, error) {
	if hash == none {
		return writing{}, nil
	}
	c, err := p.Git.ReadCommit(hash)
	if err != nil {
		return writing{}, fmt.Errorf("read commit %s: %w", hash, err)
	}
	w := writing{author: c.Author.Name, why: "a commit by " + c.Author.Name}
	now, err := p.Git.Snapshot(hash)
	if err != nil {
		return w, fmt.Errorf("read commit %s: %w", hash, err)
	}
	e, ok, err := now.Lookup(configFile)
	if err != nil {
		return w, err
	}
	if ok && e.Problem == nil {
		if w.data, err = now.Blob(e.Blob, manifest.MaxFile); err != nil && !errors.Is(err, git.ErrLimit) {
			return w, fmt.Errorf("read %s: %w", configFile, err)
		}
	}
	trailers := message.ParseTrailers(c.Message)
	seal, base := only(trailers[message.TrailerSeal]), only(trailers[message.TrailerBase])
	if len(c.Parents) != 1 || base != c.Parents[0].String() || w.data == nil || seal != p.sealOf(w.data) {
		return w, nil
	}
	parent, err := p.Git.Snapshot(c.Parents[0])
	if errors.Is(err, git.ErrMissing) {
		return w, nil
	}
	if err != nil {
		return w, fmt.Errorf("read commit %s: %w", c.Parents[0], err)
	}
	deltas, err := git.Diff(ctx, parent, now)
	if err != nil {
		return w, fmt.Errorf("compare commit %s with its parent: %w", hash, err)
	}
	if len(deltas) != 1 || deltas[0].Path != configFile || deltas[0].Old.Path != "" || deltas[0].New.Mode != git.File {
		return w, nil
	}
	w.ours, w.parent = true, c.Parents[0]
	if had, _ := config.Parse(configFile, w.data); had != nil {
		w.app = had.GitHub.AppID
	}
	return w, nil
}

// sealOf tells a configuration that Pinnace wrote here from any other text.
func (p *pass) sealOf(data []byte) string {
	text, _ := json.Marshal([]any{"pinnace configure v1", p.repo.ID, p.base.Branch, string(data)})
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// onboarding describes what Pinnace would do as a configuration says.
func (p *pass) onboarding(c *config.Config, r *Reading) message.Onboarding {
	return p.addressed(onboard.Describe(c, p.base.Branch, r.Files(), r.Has))
}

// addressed adds what does not depend on the configuration.
func (p *pass) addressed(o message.Onboarding) message.Onboarding {
	o.Repository, o.Base, o.File, o.Version = p.repo.FullName(), p.base.Branch, configFile, p.Version
	if p.repo.URL != "" {
		o.Edit = p.repo.URL + "/edit/" + OnboardBranch + "/" + configFile
	}
	return o
}

// theirs leaves a branch to the people who changed it, and tells in the pull request of the
// file that is there.
func (p *pass) theirs(ctx context.Context, out Onboarded, h head, w writing) (Onboarded, error) {
	out.Action = Diverged
	out.Reason = fmt.Sprintf("branch %s holds %s (%s): it is kept as it is", OnboardBranch, w.why, h.hash.String()[:10])
	if !h.open {
		out.Reason += "; no pull request of it is open: open one, or delete the branch"
		return out, nil
	}
	edited := &message.Edited{Commit: h.hash.String(), Author: w.author, Missing: w.data == nil}
	text := p.addressed(message.Onboarding{})
	if w.data != nil {
		c, problems := config.Parse(configFile, w.data)
		for _, problem := range problems {
			if problem.Severity == config.Error {
				edited.Problems = append(edited.Problems, problem.Error())
			}
		}
		if c != nil && len(edited.Problems) == 0 {
			reading, err := Read(ctx, p.tip, c, p.Indexes[OnboardBranch])
			var refused *Refusal
			switch {
			case errors.As(err, &refused):
				edited.Problems = append(edited.Problems, refused.Text)
			case err != nil:
				return out, err
			default:
				if p.Indexes != nil {
					p.Indexes[OnboardBranch] = reading.index // no managed branch has its name
				}
				text = p.onboarding(c, reading)
			}
		}
	}
	text.Edited, out.Text = edited, text
	changed, err := p.retell(ctx, &out, h, text)
	if changed {
		out.Reason += "; the text of the pull request follows it"
	}
	return out, err
}

// offer brings branch, pull request and label in step, in this order.
func (p *pass) offer(ctx context.Context, out Onboarded, h head, w writing, want []byte, current bool) (Onboarded, error) {
	out.Action = Unchanged
	if !current {
		out.Action = Updated
		out.Files = []FileChange{{Path: configFile, Old: w.data, Data: want}}
		if err := p.overwrite(ctx, h, w, want, out.Text); err != nil {
			return out, err
		}
	}
	if h.open {
		changed, err := p.retell(ctx, &out, h, out.Text)
		if changed {
			out.Action = Updated
		}
		if err != nil {
			return out, err
		}
	} else {
		out.Action, out.PullRequest = Opened, promotion.PullRequest{}
		if p.base.DryRun {
			return out, nil
		}
		var err error
		if out.PullRequest, err = p.Forge.OpenPullRequest(ctx, p.repo, promotion.Draft{Title: out.Text.Title(), Body: out.Text.Body(), Head: OnboardBranch, Base: p.base.Branch}); err != nil {
			return out, err
		}
	}
	if slices.Contains(out.PullRequest.Labels, Label) {
		return out, nil
	}
	if out.Action == Unchanged {
		out.Action = Updated
	}
	if p.base.DryRun {
		return out, nil
	}
	return out, p.Forge.AddLabels(ctx, p.repo, out.PullRequest.Number, Label)
}

// overwrite makes the commit on the tip, and moves the branch from the head that was read to
// it. Nothing that this version of Pinnace would not write is lost: it is kept under a ref.
func (p *pass) overwrite(ctx context.Context, h head, w writing, want []byte, text message.Onboarding) error {
	if p.base.DryRun {
		return nil
	}
	c := commit{files: map[string][]byte{configFile: want}}
	written, err := p.tip.WriteTree(c.files, configFile)
	if err != nil {
		return fmt.Errorf("write the tree of %s: %w", OnboardBranch, err)
	}
	push := git.Push{Ref: headsPrefix + OnboardBranch, Old: h.hash}
	body := text.Commit(p.tip.Commit.String())
	if p.App != 0 { // GitHub signs it: the guard of .pinnace/ believes no other commit of the App
		push.New, err = p.signed(ctx, written, c, body)
		push.Objects = []git.Hash{}
	} else {
		push.New, push.Objects, err = p.commit(ctx, written, c, body)
	}
	if err != nil {
		return fmt.Errorf("write the commit of %s: %w", OnboardBranch, err)
	}
	if h.hash != none {
		if err := p.keepOnboarding(ctx, h, w); err != nil {
			return err
		}
	}
	if err := p.Git.Push(ctx, p.remote, push); err != nil {
		return p.explain(err, OnboardBranch)
	}
	p.heads[OnboardBranch] = push.New
	return nil
}

// keepOnboarding keeps a head that the detection does not make of its parent: another version
// of Pinnace wrote it, or somebody who spelled the seal.
func (p *pass) keepOnboarding(ctx context.Context, h head, w writing) error {
	parent, err := p.Git.Snapshot(w.parent)
	if err != nil {
		return fmt.Errorf("read commit %s: %w", w.parent, err)
	}
	was, err := Read(ctx, parent, config.Default(), p.reading.index)
	if err != nil {
		return err
	}
	if string(onboard.Detect(was.Files(), was.Has).File(w.app)) == string(w.data) {
		return nil
	}
	return p.save(ctx, h)
}

// retell brings the text of an open pull request in step, but for what people wrote into it.
func (p *pass) retell(ctx context.Context, out *Onboarded, h head, text message.Onboarding) (bool, error) {
	if text.IsIn(h.last.Body) || !message.IsBody(h.last.Body) {
		return false, nil
	}
	if p.base.DryRun {
		return true, nil
	}
	body := text.Body()
	amended, err := p.Forge.AmendPullRequest(ctx, p.repo, h.last.Number, promotion.Amendment{Body: &body})
	if err != nil {
		return false, err
	}
	amended.Labels = h.last.Labels
	out.PullRequest = amended
	return true, nil
}

// settleQuestion retires the question whether to work here, where it is open still.
func (p *pass) settleQuestion(ctx context.Context) {
	if !p.isDefault || p.config.File() == "" || ctx.Err() != nil {
		return
	}
	var out Onboarded
	err := p.superseded(ctx, &out)
	s := Settled{Proposal: plan.Proposal{Kind: message.Configure, Branch: OnboardBranch}, Action: out.Action, Reason: out.Reason, PullRequest: out.PullRequest}
	if err != nil {
		s.Action, s.Err = Failed, err
	}
	if s.Action != "" {
		p.base.Settled = append(p.base.Settled, s)
	}
}

// superseded retires the question where the default branch has got a configuration in another
// way.
func (p *pass) superseded(ctx context.Context, out *Onboarded) error {
	h := head{hash: p.heads[OnboardBranch]}
	if h.hash == none {
		return nil
	}
	if err := p.pulls(ctx, OnboardBranch, &h); err != nil {
		return err
	}
	return p.retire(ctx, out, h, p.base.Branch+" holds a configuration")
}

// retire closes an open question that needs no answer any more, and deletes its branch. What
// people pushed there, or wrote into its text, stays.
func (p *pass) retire(ctx context.Context, out *Onboarded, h head, why string) error {
	if h.hash == none || !h.open && !message.IsFinished(h.last.Body) {
		return nil
	}
	w, err := p.written(ctx, h.hash)
	if err != nil {
		return err
	}
	out.PullRequest = h.last
	if !w.ours || !message.IsOurs(h.last.Body) {
		out.Reason = fmt.Sprintf("%s; #%d holds what people wrote: close it by hand", why, h.last.Number)
		return nil
	}
	stays, kept, err := p.stays(ctx, OnboardBranch, h)
	if err != nil || !h.open && stays {
		return err
	}
	out.Action, out.Reason = Finished, why
	if p.base.DryRun {
		return nil
	}
	if h.open {
		text := p.addressed(message.Onboarding{Finished: why})
		if _, err := p.retell(ctx, out, h, text); err != nil {
			return err
		}
	}
	if !stays {
		err = p.Git.Push(ctx, p.remote, git.Push{Ref: headsPrefix + OnboardBranch, Old: h.hash, Delete: true})
		if err == nil {
			delete(p.heads, OnboardBranch)
			return nil
		}
		if !errors.Is(err, git.ErrRefused) {
			return p.explain(err, OnboardBranch)
		}
		kept = ruleKeeps
	}
	out.Reason += "; " + kept
	if !h.open {
		return nil
	}
	closed := promotion.Closed
	out.PullRequest, err = p.Forge.AmendPullRequest(ctx, p.repo, h.last.Number, promotion.Amendment{State: &closed})
	return err
}
