package verdict

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/pinnace-dev/pinnace/internal/check"
	"github.com/pinnace-dev/pinnace/internal/command"
	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/plan"
	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/policy/approval"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
	"github.com/pinnace-dev/pinnace/internal/record"
	"github.com/pinnace-dev/pinnace/internal/rulebook"
)

// A hearing is one pull request with all that its verdict depends on.
type hearing struct {
	pull    promotion.PullRequest
	head    git.Hash
	now     *git.Snapshot // of the head
	kind    promotion.Kind
	group   int                  // of the merge queue: the last pull request of the group; 0 where it is none
	derived reconcile.Derivation // of a pull request of Pinnace
	memo    reconcile.Memo
	known   bool // memo is on record
	seal    string
	intact  approval.Answer
	where   string // the seal is broken

	from    *git.Snapshot // by hand: the commit that it branched off
	paths   []git.Delta   // by hand: all that it changes
	changed []plan.Changed
	opaque  []plan.Opaque
	order   []string // the environments of the configuration
	changes []promotion.Change

	reviews  []promotion.Review
	moments  []promotion.Moment
	comments []promotion.Comment
	orders   []order
	authors  []promotion.Identity
	nameless bool // a commit is of somebody whom GitHub does not know
	owner    int  // another pull request whose record stands at the head, 0 for none
	yields   bool // the owner is open, so that the check run is its

	offers   []offer // of digests, to be clicked
	pins     verdictOn
	guard    verdictOn
	guarded  promotion.Decision // of guard
	touched  []string           // what is guarded
	rules    *rulebook.Rulebook // of the head, where it changes them
	decision promotion.Decision
	rerun    bool // somebody wants the check runs written anew
}

// A verdictOn is another check of the same head.
type verdictOn struct {
	touched bool // there is something to say
	answer  approval.Answer
	run     promotion.CheckRun
}

// An order is a command in a comment.
type order struct {
	command.Command
	by     promotion.Identity
	at     time.Time
	edited bool
	id     int64
}

// hear gathers the facts of a pull request and has it judged.
func (b *base) hear(ctx context.Context, q promotion.PullRequest) (*hearing, error) {
	h := &hearing{pull: q, kind: promotion.ByHand, order: b.environmentNames()}
	var err error
	if h.head, err = git.ParseHash(q.Head.SHA); err != nil {
		return h, fmt.Errorf("head of #%d: %w", q.Number, err)
	}
	if err := b.unfetched[q.Number]; err != nil {
		return h, fmt.Errorf("fetch the head of #%d: %w", q.Number, err)
	}
	if h.now, err = b.Git.Snapshot(h.head); err != nil {
		return h, fmt.Errorf("read the head of #%d: %w", q.Number, fmt.Errorf("%w: %w", promotion.ErrConflict, err))
	}
	if h.memo, h.known, err = b.memory.Recall(ctx, h.head.String(), reconcile.Before(b.Git)); err != nil {
		return h, err
	}
	if h.known && h.memo.PullRequest != q.Number && h.memo.Base == b.branch {
		h.owner = h.memo.PullRequest
	}
	if h.known && h.memo.PullRequest != 0 && h.memo.PullRequest != q.Number || h.memo.Base != b.branch {
		h.known, h.memo.Record = false, record.Record{} // another pull request of the same head, or one that was moved
	}
	if err := b.identify(ctx, h); err != nil {
		return h, err
	}
	if err := b.listen(ctx, h); err != nil {
		return h, err
	}
	if h.kind == promotion.ByHand {
		if err := b.compare(ctx, h); err != nil {
			return h, err
		}
	}
	b.note(h)
	if err := b.weigh(ctx, h); err != nil {
		return h, err
	}
	if err := b.otherChecks(ctx, h); err != nil {
		return h, err
	}
	if h.decision, err = b.decide(ctx, h); err != nil {
		return h, err
	}
	return h, b.moved(h)
}

// identify says whether a pull request is one of Pinnace, and whether its seal holds. One is
// where its branch has a name of ours and our record stands at its head, or below it.
func (b *base) identify(ctx context.Context, h *hearing) error {
	kind, named := plan.KindOf(h.pull.Head.Ref, b.branch, b.isDefault)
	if !named || h.pull.Head.Repository != b.repo.ID {
		return nil
	}
	d, err := reconcile.Deriver{Git: b.Git, Repository: b.repo.ID, Base: b.branch}.Derive(ctx, h.head, kind)
	if err != nil {
		return err
	}
	recorded, own := h.known && h.memo.Kind == kind, b.Bot.ID != 0 && h.pull.Author.ID == b.Bot.ID
	switch {
	case b.memory.App == 0 && !d.Ours, b.memory.App != 0 && !recorded && !own:
		return nil // nobody knows that Pinnace wrote it
	case !recorded:
		h.known, h.memo.Record = false, record.Record{} // Pinnace opened it, and what it pushed is not on record
	}
	h.kind, h.derived, h.seal, h.changes = kind, d, d.Seal, d.Changes
	switch {
	case !d.Ours:
		h.intact, h.where, h.seal = approval.No, fmt.Sprintf("commit %s, which holds %s", h.head.String()[:10], d.Why), ""
	case h.known && h.requestDiffers():
		h.intact, h.where, h.seal = approval.No, "its commit, which names another request than the one on record", ""
	default:
		where, err := b.applies(d)
		if err != nil {
			return err
		}
		h.intact, h.where = policy.Is(where == ""), where
	}
	return nil
}

// requestDiffers says whether a head was sealed with another request than the recorded one.
func (h *hearing) requestDiffers() bool {
	r, x := h.memo.Request, h.derived.Sealing
	return r.ID != "" && (r.ID != x.Request || r.App != x.App || r.Env != x.Env || r.From != x.From)
}

// applies says where the edits of a derivation no longer apply to the tip, "" where they do.
func (b *base) applies(d reconcile.Derivation) (string, error) {
	edits := plan.Edits(d.Changes, manifest.Style(d.Style))
	for _, c := range d.Changes {
		data, ok, err := b.blob(b.tip, c.Path)
		if err != nil {
			return "", err
		}
		if !ok {
			return fmt.Sprintf("%s, which %s no longer has", c.Path, b.branch), nil
		}
		if _, err := manifest.Apply(data, b.format(c.Path), edits[c.Path], b.reading.Extra(c.Path)...); err != nil {
			return fmt.Sprintf("%s:%d, where %s no longer holds %s", c.Path, c.Line, b.branch, brief(c.Old)), nil
		}
	}
	return "", nil
}

// brief spells a reference with the beginning of its digest.
func brief(r image.Ref) string {
	r.Digest = image.Digest(r.Digest.Short())
	return r.String()
}

func (b *base) format(path string) manifest.Format {
	if f := b.reading.Format(path); f != manifest.None {
		return f
	}
	return manifest.YAML // one that a kustomization names
}

// blob reads a file of a commit.
func (b *base) blob(s *git.Snapshot, path string) ([]byte, bool, error) {
	e, ok, err := s.Lookup(path)
	if err != nil || !ok || e.Problem != nil {
		return nil, false, err
	}
	data, err := s.Blob(e.Blob, manifest.MaxFile)
	if err != nil {
		return nil, false, fmt.Errorf("read %s: %w", path, err)
	}
	return data, true, nil
}

// listen reads what people said.
func (b *base) listen(ctx context.Context, h *hearing) error {
	var err error
	if h.reviews, err = b.Forge.Reviews(ctx, b.repo, h.pull.Number); err != nil {
		return err
	}
	h.reviews = slices.DeleteFunc(h.reviews, func(r promotion.Review) bool { return r.Author.ID == b.Bot.ID && b.Bot.ID != 0 })
	if h.comments, err = b.Forge.Comments(ctx, b.repo, h.pull.Number); err != nil {
		return err
	}
	for _, c := range h.comments {
		if c.Author.ID == b.Bot.ID && b.Bot.ID != 0 {
			continue
		}
		all, _ := command.Parse(c.Body)
		for _, o := range all {
			h.orders = append(h.orders, order{Command: o, by: c.Author, at: c.Created, edited: c.Edited(), id: c.ID})
		}
	}
	dismissed := slices.ContainsFunc(h.reviews, func(r promotion.Review) bool { return r.State == promotion.Dismissed })
	counts := slices.ContainsFunc(h.reviews, func(r promotion.Review) bool { return r.State == promotion.Approved })
	counts = counts || slices.ContainsFunc(h.orders, func(o order) bool { return o.Verb == command.ApproveConfig })
	if dismissed || counts || !h.known {
		if h.moments, err = b.Forge.Timeline(ctx, b.repo, h.pull.Number); err != nil {
			return err
		}
	}
	if h.kind != promotion.ByHand && h.derived.Ours {
		return nil
	}
	commits, err := b.Forge.Commits(ctx, b.repo, h.pull.Number)
	if err != nil {
		return err
	}
	for _, c := range commits {
		if h.kind != promotion.ByHand && h.memo.SealOf(c.SHA) != "" {
			continue // one of ours
		}
		if b.Bot.ID != 0 && c.Author.ID == b.Bot.ID && c.Committer.ID == b.Bot.ID && !c.Verified {
			h.nameless = true // somebody else wrote it in our name, or it is ours and nobody can tell
		}
		for _, who := range []promotion.Identity{c.Author, c.Committer} {
			switch {
			case who.ID == 0:
				h.nameless = true
			case !isWebFlow(who) && !slices.ContainsFunc(h.authors, func(a promotion.Identity) bool { return a.ID == who.ID }):
				h.authors = append(h.authors, who)
			}
		}
	}
	return nil
}

// isWebFlow says whether an account is the one that commits what people do in the browser
// (https://github.com/web-flow).
func isWebFlow(who promotion.Identity) bool { return who.ID == 19864447 }

// note puts what is seen on record: the head, and the reviews.
func (b *base) note(h *hearing) {
	at := b.Now()
	if !h.known {
		h.memo.Record = record.Record{Repository: b.repo.ID, Base: b.branch, Kind: h.kind}
		if h.derived.Ours {
			h.memo.Request = promotion.Request{
				ID: h.derived.Sealing.Request, Kind: h.kind, App: h.derived.Sealing.App, Env: h.derived.Sealing.Env, From: h.derived.Sealing.From,
				Skipped: h.derived.Sealing.Skipped, By: []promotion.Identity{h.pull.Author}, At: h.pull.Created,
			}
			if b.memory.App != 0 && h.memo.Request.ID != "" {
				h.memo.Request = promotion.Request{Kind: h.kind, Unknown: true} // anybody can write a commit that says so
			}
			if b.Bot.ID != 0 && h.pull.Author.ID == b.Bot.ID {
				h.memo.Request.By = nil // nobody asked for what Pinnace proposes by itself
			}
		}
		if h.first() && (h.kind == promotion.ByHand || b.memory.App == 0) {
			at = h.pull.Created
		}
	}
	h.memo.PullRequest, h.memo.Next, h.memo.Judged = h.pull.Number, "", h.judged()
	h.memo.See(h.head.String(), h.seal, at)
	h.memo.Witness(h.reviews)
}

// came returns when the pull request was last moved to its base from another one: what was
// said there was said of another difference.
func (h *hearing) came() time.Time {
	var at time.Time
	for _, m := range h.moments {
		if m.Event == "base_ref_changed" && m.At.After(at) {
			at = m.At
		}
	}
	return at
}

// first says whether the head is the only one that the pull request ever had: it is one
// commit, and nobody ever pushed another one.
func (h *hearing) first() bool {
	commits := 0
	for _, m := range h.moments {
		switch m.Event {
		case "head_ref_force_pushed", "base_ref_changed":
			return false
		case "committed":
			commits++
		}
	}
	return commits == 1
}

// compare works out what a pull request by hand changes: against the commit that it branched
// off, since that is what is merged.
func (b *base) compare(ctx context.Context, h *hearing) error {
	sha, ok, err := b.Forge.MergeBase(ctx, b.repo, b.tip.Commit.String(), h.head.String())
	if err != nil {
		return err
	}
	h.from = b.tip
	if ok && sha != b.tip.Commit.String() {
		hash, err := git.ParseHash(sha)
		if err != nil {
			return fmt.Errorf("merge base of #%d: %w", h.pull.Number, err)
		}
		if h.from, err = b.Git.Snapshot(hash); err != nil {
			if _, err := b.Git.Fetch(ctx, b.remote, git.Fetch{Refs: []string{sha}, Depth: 1}); err != nil {
				return fmt.Errorf("fetch the merge base of #%d: %w", h.pull.Number, err)
			}
			if h.from, err = b.Git.Snapshot(hash); err != nil {
				return fmt.Errorf("read commit %s: %w", sha, err)
			}
		}
	}
	if h.paths, err = git.Diff(ctx, h.from, h.now); err != nil {
		return fmt.Errorf("compare #%d with its base: %w", h.pull.Number, err)
	}
	pairs, err := b.differ(ctx, h, b.reading)
	if err != nil {
		return err
	}
	h.seal = h.wholeDiff(b, pairs)
	return nil
}

// differ works out what the paths of a hearing change in environments. With the commit that
// it is to be merged onto, a file that this one names and its first commit did not counts as
// named in both, and what nobody changed is as it is there.
func (b *base) differ(ctx context.Context, h *hearing, onto *reconcile.Reading) ([]plan.Pair, error) {
	before, err := b.readOf(ctx, h.from, reconcile.ReadPast)
	if err != nil {
		return nil, err
	}
	read := reconcile.Read
	if h.pull.Number == 0 { // a commit that stands below the tip
		read = reconcile.ReadPast
	}
	after, err := b.readOf(ctx, h.now, read)
	if err != nil {
		return nil, err
	}
	p := &passage{base: b, before: before, after: after, onto: onto}
	pairs, err := p.pairs(h)
	if err != nil {
		return nil, err
	}
	var further []plan.File
	for _, x := range pairs {
		for _, side := range [][]byte{x.Old, x.New} {
			if f := p.format(x.Path); side != nil && f != manifest.None {
				further = append(further, check.File{Path: x.Path, Result: manifest.Scan(side, f, b.reading.Extra(x.Path)...)})
			}
		}
	}
	diff := plan.Diff(plan.Differing{
		Config: b.config, Pairs: pairs, Before: p.had, After: p.has,
		Apps: b.reading.Apps(further), Format: p.format, Extra: b.reading.Extra, Exists: after.Has, Files: after.Files(),
	})
	h.changed, h.opaque, h.changes = diff.Changes, diff.Opaque, nil
	for _, c := range h.changed {
		h.changes = append(h.changes, c.Change)
	}
	return pairs, nil
}

// readOf reads a commit by the configuration of the tip.
func (b *base) readOf(ctx context.Context, s *git.Snapshot, read reader) (*reconcile.Reading, error) {
	if s.Commit == b.tip.Commit {
		return b.reading, nil
	}
	return read(ctx, s, b.config, b.reading.Index())
}

// A reader is [reconcile.Read], or [reconcile.ReadPast].
type reader func(context.Context, *git.Snapshot, *config.Config, *reconcile.Index) (*reconcile.Reading, error)

// wholeDiff is the seal of a pull request by hand: each path with its old and its new blob,
// and what comes to other environments, or leaves them, by being named.
func (h *hearing) wholeDiff(b *base, pairs []plan.Pair) string {
	entries := make([][5]string, 0, len(h.paths))
	seen := map[string]bool{}
	for _, d := range h.paths {
		seen[d.Path] = true
		entries = append(entries, [5]string{d.Path, d.Old.Mode.String(), d.Old.Blob.String(), d.New.Mode.String(), d.New.Blob.String()})
	}
	all := []any{"pinnace diff v1", b.repo.ID, h.pull.Number, b.branch, entries}
	for _, p := range pairs {
		if !seen[p.Path] {
			sum := sha256.Sum256(p.New)
			all = append(all, [2]string{p.Path, hex.EncodeToString(sum[:])})
		}
	}
	text, _ := json.Marshal(all)
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// environments names those that the pull request changes, in the order of the configuration.
func (h *hearing) environments() []string {
	var out []string
	add := func(all []string) {
		for _, e := range all {
			if !slices.Contains(out, e) {
				out = append(out, e)
			}
		}
	}
	if e := h.memo.Request.Env; e != "" && h.kind != promotion.ByHand {
		add([]string{e})
	}
	for _, c := range h.changed {
		add(c.Environments)
	}
	for _, o := range h.opaque {
		add(o.Environments)
	}
	slices.SortStableFunc(out, func(x, y string) int { return cmp.Compare(slices.Index(h.order, x), slices.Index(h.order, y)) })
	return out
}
