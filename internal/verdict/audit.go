package verdict

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/message"
	"github.com/pinnace-dev/pinnace/internal/plan"
	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/policy/approval"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
	"github.com/pinnace-dev/pinnace/internal/rulebook"
)

// auditName is the check that says of a commit of a base how it came there. When it began is
// when Pinnace saw the commit first.
const auditName = "pinnace/audit"

// An Incident is a commit of a base that changed images against the rules.
type Incident struct {
	Base   string
	Commit string
	Pull   int // that was merged, 0 for a push
	Why    string
	Issue  promotion.Issue
	// Unreported says why no issue could be opened.
	Unreported error
}

// How far a branch is walked back in one run.
const (
	maxAudited = 50   // commits that are looked at; the next run goes on
	maxWalked  = 1000 // commits that are searched for one that was looked at
	maxClosely = 200  // of those, how many one by one
	stride     = 20   // of the others, each so many
)

// A watch is what an audit leaves for what comes after it.
type watch struct {
	begins    bool               // the branch was never audited
	signed    promotion.CheckRun // the newest check of a commit
	broken    []int              // pull requests merged by a break-glass that nobody has reviewed
	issueless error              // why GitHub opens no issue
}

// audit looks at each commit that came to the branch since the last run: whether the images
// that it changed were allowed to.
func (b *base) audit(ctx context.Context, out *Outcome) error {
	if b.memory.App == 0 || b.App == 0 || b.DryRun {
		return nil
	}
	under, err := b.underPolicy(ctx)
	if err != nil || !under {
		return err
	}
	trail, err := b.unseen(ctx)
	if err != nil {
		return err
	}
	for _, commit := range slices.Backward(trail) {
		incident, err := b.inspect(ctx, commit)
		if err != nil {
			return err
		}
		if incident != nil {
			out.Incidents = append(out.Incidents, *incident)
		}
	}
	return nil
}

// underPolicy says whether a promotion policy is bound at the tip, or was at the commit before;
// or whether soak counts from when a commit was seen first.
func (b *base) underPolicy(ctx context.Context) (bool, error) {
	soaks := slices.ContainsFunc(b.config.Environments, func(e config.Environment) bool { return e.Soak > 0 })
	if soaks || b.book.Set != nil && len(b.book.Set.Promotions) > 0 {
		return true, nil
	}
	c, err := b.Git.ReadCommit(b.tip.Commit)
	if err != nil {
		return false, fmt.Errorf("read commit %s: %w", b.tip.Commit, err)
	}
	if len(c.Parents) == 0 {
		return false, nil
	}
	before, err := b.Git.Snapshot(c.Parents[0])
	if err != nil {
		return false, nil // it was not fetched
	}
	sets, err := b.sets(ctx, before, b.tip)
	return slices.ContainsFunc(sets, func(s *policy.Set) bool { return len(s.Promotions) > 0 }), err
}

// unseen lists commits of the branch, the newest first, down to the one that was audited last:
// the oldest of them, where they are many. Of a branch that was never audited it is the tip alone.
func (b *base) unseen(ctx context.Context) ([]git.Hash, error) {
	for asked := 0; ; {
		trail, err := b.trail(ctx, maxWalked)
		if err != nil {
			return nil, err
		}
		for ; asked < len(trail); asked++ {
			if asked >= maxClosely && asked%stride != 0 {
				continue
			}
			done, err := b.audited(ctx, trail[asked])
			if err != nil {
				return nil, err
			}
			if done {
				return b.after(ctx, trail[:asked])
			}
		}
		more, err := b.further(ctx, trail)
		if err != nil {
			return nil, err
		}
		if !more {
			b.begins = true
			return trail[:min(len(trail), 1)], nil
		}
	}
}

// further fetches more history, where there is more that is searched.
func (b *base) further(ctx context.Context, trail []git.Hash) (bool, error) {
	if depth := b.history().depth; len(trail) == 0 || len(trail) >= maxWalked || depth >= maxWalked || depth == 0 {
		return false, nil
	}
	first, err := b.Git.ReadCommit(trail[len(trail)-1])
	if err != nil || len(first.Parents) == 0 {
		return false, err
	}
	more, err := b.deepen(ctx)
	if err != nil && !later(err) {
		return false, nil // it is more than is fetched
	}
	return more, err
}

// after returns the oldest of the commits that were not audited yet. The last of trail may have
// been, since not each was asked about.
func (b *base) after(ctx context.Context, trail []git.Hash) ([]git.Hash, error) {
	for len(trail) > maxClosely {
		done, err := b.audited(ctx, trail[len(trail)-1])
		if err != nil {
			return nil, err
		}
		if !done {
			break
		}
		trail = trail[:len(trail)-1]
	}
	return trail[max(0, len(trail)-maxAudited):], nil
}

// audited says whether a commit was looked at, and remembers what was open then.
func (b *base) audited(ctx context.Context, commit git.Hash) (bool, error) {
	runs, err := b.Forge.CheckRuns(ctx, b.repo, commit.String(), auditName)
	if err != nil {
		return false, err
	}
	for _, r := range runs {
		if r.App == b.App && r.Conclusion != "" {
			b.signed, b.broken = r, readBroken(r.Text)
			return true, nil
		}
	}
	return false, nil
}

// sign writes the check of a commit, with what is open since.
func (b *base) sign(ctx context.Context, run promotion.CheckRun) error {
	run.Text = brokenText(b.broken)
	if run.ID != 0 && run.Text == "" {
		run.Text = "Every break-glass was reviewed." // none at all would leave the old one
	}
	var err error
	if run.ID == 0 {
		run, err = b.Forge.CreateCheckRun(ctx, b.repo, run)
	} else {
		run, err = b.Forge.UpdateCheckRun(ctx, b.repo, run)
	}
	if err == nil {
		b.signed = run
	}
	return err
}

// later says whether asking again can be answered.
func later(err error) bool {
	return passing(err) || errors.Is(err, git.ErrTransient) || errors.Is(err, git.ErrAuth)
}

// inspect says how a commit came to the branch, and writes it down. One that cannot be read is
// an incident.
func (b *base) inspect(ctx context.Context, commit git.Hash) (*Incident, error) {
	run := promotion.CheckRun{Name: auditName, SHA: commit.String(), Status: "completed", Conclusion: "success", Title: "No image under policy changed", Summary: "No image under policy changed."}
	incident, err := b.examine(ctx, commit, &run)
	if err != nil && !later(err) {
		how := b.history().brought[commit]
		incident, err = b.report(ctx, commit, how, &brought{unread: true}, "It cannot be read: "+strings.TrimSuffix(err.Error(), ".")+".")
		if err == nil {
			run.Conclusion, run.Title, run.Summary = "failure", "What it changed cannot be read", message.Text(incident.says())
		}
	}
	if err != nil {
		return nil, err
	}
	if b.begins {
		run.Summary += " Pinnace looks at the commits of this branch from this one on."
		b.begins = false
	}
	delete(b.history().brought, commit)
	return incident, b.sign(ctx, run)
}

// examine works out what the check of a commit says.
func (b *base) examine(ctx context.Context, commit git.Hash, run *promotion.CheckRun) (*Incident, error) {
	how, err := b.bringing(ctx, commit)
	if err != nil {
		return nil, err
	}
	whole, err := b.partOf(ctx, commit, how)
	if err != nil {
		return nil, err
	}
	if whole != 0 {
		run.Title, run.Summary = fmt.Sprintf("A part of #%d", whole), fmt.Sprintf("#%d brought several commits, which are looked at together with the last one.", whole)
		return nil, nil
	}
	if how.known && how.memo.Decided == promotion.Passed && how.memo.Glass != "" && how.memo.Reviewed.ID == 0 {
		b.breaks(how.pull.Number)
	}
	got, err := b.broughtBy(ctx, commit, how)
	if err != nil {
		return nil, err
	}
	if got.rules && how.pull.Number == 0 {
		run.Conclusion, run.Title, run.Summary = "neutral", "The rules changed by a push", "A push changed .pinnace/, which no check has judged. A branch rule that asks for pull requests keeps that from happening."
	}
	concerns := len(got.changes)+len(got.opaque) > 0 || got.rules && got.ruled && how.pull.Number != 0
	if !concerns {
		return nil, nil
	}
	why, err := b.bypassed(ctx, commit, how, got)
	if err != nil {
		return nil, err
	}
	run.Title = "The images came as they were judged"
	against := "Images changed against the rules"
	if len(got.changes)+len(got.opaque) == 0 {
		run.Title, against = "The rules came as they were judged", "The rules changed, and no verdict allowed it"
	}
	run.Summary = fmt.Sprintf("Merged by #%d, whose verdict had passed.", how.pull.Number)
	var incident *Incident
	if why != "" {
		if incident, err = b.report(ctx, commit, how, got, why); err != nil {
			return nil, err
		}
		run.Conclusion, run.Title, run.Summary = "failure", against, incident.says()
	}
	if how.known && how.memo.Decided == promotion.Passed {
		if _, err := b.followUp(ctx, how.pull, how.memo, commit.String(), got.envs, rowsOf(got.changes)); err != nil && later(err) {
			return nil, err
		} // where it is refused the next run asks again
	}
	return incident, nil
}

// says is what a check says of an incident.
func (i *Incident) says() string {
	if i.Unreported != nil {
		return fmt.Sprintf("%s No issue could be opened: %v", i.Why, i.Unreported)
	}
	return fmt.Sprintf("%s See #%d.", i.Why, i.Issue.Number)
}

// A brought is what a commit, or a merge of several, brought under policy.
type brought struct {
	changes []plan.Changed
	opaque  []plan.Opaque
	envs    []string
	rules   bool     // .pinnace/ changed
	ruled   bool     // .pinnace/ was there before
	judged  []string // what a verdict on all of it, under policy or not, would be about
	unread  bool     // nobody knows what
}

// partOf returns the pull request that a commit is only a part of, 0 for none: one that was
// merged by putting each of its commits on the branch.
func (b *base) partOf(ctx context.Context, commit git.Hash, how bringing) (int, error) {
	if how.pull.Number != 0 || how.part.Number == 0 {
		return 0, nil
	}
	trail, err := b.trail(ctx, 0)
	if err != nil {
		return 0, err
	}
	at := slices.Index(trail, commit)
	last := slices.IndexFunc(trail, func(c git.Hash) bool { return c.String() == how.part.MergeCommit })
	if at < 0 || last < 0 || last >= at {
		return 0, nil
	}
	return how.part.Number, nil
}

// before returns the commit that a merge was made on: behind all commits that it brought.
func (b *base) before(ctx context.Context, commit git.Hash, how bringing) (git.Hash, error) {
	for {
		c, err := b.Git.ReadCommit(commit)
		if err != nil {
			return none, fmt.Errorf("read commit %s: %w", commit, err)
		}
		if len(c.Parents) == 0 {
			return none, nil
		}
		if commit = c.Parents[0]; len(c.Parents) > 1 || how.pull.Number == 0 {
			return commit, nil
		}
		if _, err := b.Git.ReadCommit(commit); err != nil {
			return none, nil // it was not fetched
		}
		other, err := b.bringing(ctx, commit)
		if err != nil || other.pull.Number != 0 || other.part.Number != how.pull.Number {
			return commit, err
		}
	}
}

// broughtBy works out what a commit changed under policy: that of the tip, or the one that
// stood before it.
func (b *base) broughtBy(ctx context.Context, commit git.Hash, how bringing) (*brought, error) {
	out := &brought{}
	on, err := b.before(ctx, commit, how)
	if err != nil || on == none {
		return out, err
	}
	now, err := b.Git.Snapshot(commit)
	if err != nil {
		return nil, fmt.Errorf("read commit %s: %w", commit, err)
	}
	before, err := b.Git.Snapshot(on)
	if errors.Is(err, git.ErrMissing) {
		return out, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read commit %s: %w", on, err)
	}
	sets, err := b.sets(ctx, before, now)
	if err != nil {
		return nil, err
	}
	h := &hearing{from: before, now: now}
	if h.paths, err = git.Diff(ctx, before, now); err != nil {
		return nil, fmt.Errorf("compare commit %s with its parent: %w", commit, err)
	}
	if _, out.ruled, err = before.Lookup(".pinnace/config.yaml"); err != nil {
		return nil, fmt.Errorf("read commit %s: %w", on, err)
	}
	out.rules = slices.ContainsFunc(h.paths, func(d git.Delta) bool { return strings.HasPrefix(d.Path, ".pinnace/") })
	if _, err := b.differ(ctx, h, nil); err != nil {
		return nil, err
	}
	h.kind = promotion.ByHand
	out.judged = h.judged()
	add := func(environments []string, c *plan.Changed, o *plan.Opaque) bool {
		found := false
		for _, e := range environments {
			if slices.ContainsFunc(sets, func(s *policy.Set) bool { return governs(s, b.Now(), e, c, o) }) {
				found = true
				if !slices.Contains(out.envs, e) {
					out.envs = append(out.envs, e)
				}
			}
		}
		return found
	}
	for _, c := range h.changed {
		if add(c.Environments, &c, nil) {
			out.changes = append(out.changes, c)
		}
	}
	for _, o := range h.opaque {
		if add(o.Environments, nil, &o) {
			out.opaque = append(out.opaque, o)
		}
	}
	return out, nil
}

// sets are the policies that a commit is held to: those of the tip, and those of the commit
// that it was made on.
func (b *base) sets(ctx context.Context, before, now *git.Snapshot) ([]*policy.Set, error) {
	var out []*policy.Set
	if b.book.Set != nil {
		out = append(out, b.book.Set)
	}
	was, _, err := before.Subtree(".pinnace")
	if err != nil {
		return nil, fmt.Errorf("read commit %s: %w", before.Commit, err)
	}
	is, _, err := now.Subtree(".pinnace")
	if err != nil {
		return nil, fmt.Errorf("read commit %s: %w", now.Commit, err)
	}
	tip, _, err := b.tip.Subtree(".pinnace")
	if err != nil {
		return nil, fmt.Errorf("read commit %s: %w", b.tip.Commit, err)
	}
	if was == tip && was == is {
		return out, nil
	}
	files, err := reconcile.Documents(ctx, before)
	if err != nil {
		if passing(err) {
			return nil, err
		}
		return out, nil // what cannot be read binds nothing
	}
	if set := rulebook.Read(files, b.Judge.floor.files, b.Judge.floor.state, b.found()).Set; set != nil {
		out = append(out, set)
	}
	return out, nil
}

// governed says whether a promotion policy is bound where an image changes.
func (b *base) governed(env string, c plan.Changed) bool {
	return governs(b.book.Set, b.Now(), env, &c, nil)
}

// governs says whether a promotion policy is bound where an image changes, or something that
// cannot be read.
func governs(set *policy.Set, now time.Time, env string, c *plan.Changed, o *plan.Opaque) bool {
	in := policy.Input{Now: now, Set: set, Floor: policy.FloorNone, Kind: promotion.ByHand, Env: env, Checks: policy.Checks{Config: approval.Yes, Pins: approval.Yes}}
	if c != nil {
		in.Changes = []policy.Change{{Change: c.Change, OldApp: c.OldApp, NewApp: c.NewApp, Beside: c.Beside}}
	}
	if o != nil {
		in.Opaque = []policy.Opaque{{Path: o.Path, What: o.What, Line: o.Line, Apps: o.Apps, Missing: o.Missing}}
	}
	return policy.Decide(in).Merger != ""
}

// bypassed says how a commit differs from what was judged, "" where it does not.
func (b *base) bypassed(ctx context.Context, commit git.Hash, how bringing, got *brought) (string, error) {
	switch {
	case how.pull.Number == 0:
		return "It was pushed, without a pull request.", nil
	case !how.known:
		return fmt.Sprintf("#%d was merged, and no verdict of it is on record.", how.pull.Number), nil
	case how.memo.Decided != promotion.Passed:
		return fmt.Sprintf("#%d was merged although its verdict was %s.", how.pull.Number, how.memo.Decided), nil
	}
	c, err := b.Git.ReadCommit(commit)
	if err != nil {
		return "", fmt.Errorf("read commit %s: %w", commit, err)
	}
	parent, err := b.Git.Snapshot(c.Parents[0])
	if err != nil {
		return "", fmt.Errorf("read commit %s: %w", c.Parents[0], err)
	}
	if !how.memo.Merging && how.memo.Glass == "" {
		freeze, err := b.frozen(ctx, parent, got.changes, how.pull.MergedAt)
		if err != nil {
			return "", err
		}
		if freeze != "" {
			return fmt.Sprintf("#%d was merged at %s, when its verdict no longer held: %s.", how.pull.Number, how.pull.MergedAt.UTC().Format("2006-01-02 15:04:05 UTC"), freeze), nil
		}
	}
	if why, err := b.pressed(ctx, how); why != "" || err != nil {
		return why, err
	}
	if how.memo.Kind == promotion.ByHand {
		return b.composed(how, got), nil
	}
	head, err := git.ParseHash(how.pull.Head.SHA)
	if err != nil {
		return "", nil
	}
	if _, err := b.Git.ReadCommit(head); err != nil {
		if _, err := b.Git.Fetch(ctx, b.remote, git.Fetch{Refs: []string{pullRef(how.pull.Number)}, Depth: 2}); err != nil {
			return "", fmt.Errorf("fetch #%d: %w", how.pull.Number, err)
		}
	}
	d, err := reconcile.Deriver{Git: b.Git, Repository: b.repo.ID, Base: b.branch}.Derive(ctx, head, how.memo.Kind)
	if err != nil || !d.Ours {
		return fmt.Sprintf("#%d was merged, and its head is not the sealed one.", how.pull.Number), err
	}
	tree, err := b.derive(parent, d.Changes, manifest.Style(d.Style))
	if err != nil {
		return "", err
	}
	if merged, err := b.Git.Snapshot(commit); err != nil {
		return "", fmt.Errorf("read commit %s: %w", commit, err)
	} else if merged.Tree != tree {
		return fmt.Sprintf("The merge of #%d has another tree than its sealed edits on the commit before: %s, not %s.", how.pull.Number, merged.Tree.String()[:12], tree.String()[:12]), nil
	}
	return "", nil
}

// incidentLabel marks the issues about what broke the rules.
const incidentLabel = "pinnace-incident"

// report opens an issue about a commit, once.
func (b *base) report(ctx context.Context, commit git.Hash, how bringing, got *brought, why string) (*Incident, error) {
	out := &Incident{Base: b.branch, Commit: commit.String(), Pull: how.pull.Number, Why: why}
	if how.pull.Number != 0 && how.pull.MergedBy.ID == 0 { // lists do not say it
		q, ok, err := b.Forge.PullRequest(ctx, b.repo, how.pull.Number)
		if err != nil {
			return nil, err
		}
		if ok {
			how.pull = q
		}
	}
	text := message.Bypass{Key: "commit-" + commit.String(), Base: b.branch, Commit: commit.String(), PullRequest: how.pull.Number, By: how.pull.MergedBy, At: b.Now(), Envs: got.envs, Why: why, Documents: got.rules, Unread: got.unread}
	for _, o := range got.opaque[:min(len(got.opaque), 10)] {
		text.Why += fmt.Sprintf(" What cannot be read for images: %s in %s:%d.", o.What, o.Path, o.Line)
	}
	text.Images = rowsOf(got.changes)
	if title := how.memo.Run.Title; how.known && how.memo.Decided != promotion.Passed && title != "" {
		text.Rules = []promotion.Result{{Status: how.memo.Decided, Title: title}}
	}
	var err error
	if out.Issue, err = b.openOnce(ctx, incidentLabel, text.Key, text.Title(), text.Body()); err != nil && !later(err) {
		out.Unreported, err = err, nil
	}
	return out, err
}

// rowsOf are the rows of changes, for people.
func rowsOf(changes []plan.Changed) []message.Image {
	h := &hearing{}
	for _, c := range changes {
		h.changes = append(h.changes, c.Change)
	}
	return h.rows()
}

// openOnce opens an issue with a key, unless it is there. Where GitHub refuses one it is not asked
// for another in this run.
func (b *base) openOnce(ctx context.Context, label, key, title, body string) (promotion.Issue, error) {
	if b.issueless != nil {
		return promotion.Issue{}, b.issueless
	}
	all, err := b.Forge.IssuesWithLabel(ctx, b.repo, label)
	for _, i := range all {
		if message.ReplyKey(i.Body) == key && i.Author.ID == b.Bot.ID {
			return i, nil
		}
	}
	var opened promotion.Issue
	if err == nil {
		opened, err = b.Forge.OpenIssue(ctx, b.repo, title, body, []string{label})
	}
	if err != nil && !later(err) {
		b.issueless = err
	}
	return opened, err
}
