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
	"strings"
	"time"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/message"
	"github.com/pinnace-dev/pinnace/internal/plan"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/record"
)

// A Court says of what is asked for what policy and history say of it.
type Court interface {
	// Eligible judges what a proposal would do, before there is a pull request.
	Eligible(ctx context.Context, r *Reading, s *Settled) (promotion.Decision, error)
	// Held says why nothing may come to an app that nobody asked for, "" where it may.
	Held(ctx context.Context, r *Reading, environment, app string) (string, error)
	// Origin returns how what an app runs in an environment came there.
	Origin(ctx context.Context, r *Reading, environment, app string) (Origin, error)
	// Advise says who may approve, and what merges it.
	Advise(s *Settled) Advice
}

// An Origin says how what an app runs in an environment came there.
type Origin struct {
	Commits []string             // that brought it, sorted
	By      []promotion.Identity // who asked for it
	Unknown bool                 // somebody did, and nobody knows who
}

// Advice is what people are told of a pull request that was asked for.
type Advice struct {
	Approvers string   // who may approve, in words
	Deploys   string   // what merges it, in words
	Users     []string // who is asked for a review, by login
	Teams     []string // teams of the repository's organisation, by slug
}

// A docket is one branch of what was asked for: what stands on it, or what is asked anew.
type docket struct {
	kind   promotion.Kind
	branch string
	fresh  *promotion.Request
}

// dockets lists what was asked for: the branches that are there, the requests, and what
// environments with promote: auto ask for themselves.
func (p *pass) dockets(ctx context.Context) ([]docket, error) {
	var out []docket
	add := func(d docket) {
		i := slices.IndexFunc(out, func(o docket) bool { return o.branch == d.branch && (o.fresh == nil || d.fresh == nil) })
		switch {
		case i < 0:
			out = append(out, d)
		case out[i].fresh == nil:
			out[i].fresh = d.fresh
		}
	}
	for _, branch := range sorted(p.heads) {
		if kind, ok := plan.KindOf(branch, p.base.Branch, p.isDefault); ok && asked(kind) && !p.OnlyAsked {
			add(docket{kind: kind, branch: branch})
		}
	}
	for i := range p.Requests {
		r := &p.Requests[i]
		if r.Base == "" && p.isDefault || r.Base == p.base.Branch {
			add(docket{r.Kind, plan.BranchOf(r.Kind, r.Env, r.App, p.base.Branch, p.isDefault), &r.Request})
		}
	}
	var auto []promotion.Request
	if !p.OnlyAsked {
		var err error
		if auto, err = p.automatic(ctx); err != nil {
			return nil, err
		}
	}
	for i := range auto {
		add(docket{promotion.Promotion, plan.BranchOf(promotion.Promotion, auto[i].Env, auto[i].App, p.base.Branch, p.isDefault), &auto[i]})
	}
	return out, nil
}

// automatic returns what environments with promote: auto ask for themselves.
func (p *pass) automatic(ctx context.Context) ([]promotion.Request, error) {
	var out []promotion.Request
	for _, e := range p.config.Environments {
		sources, anyOne := e.Sources()
		if e.Promote != config.PromoteAuto || len(sources) == 0 {
			continue
		}
		for _, app := range p.appsIn(e.Name) {
			r, ok, err := p.candidate(ctx, e, app, sources, anyOne)
			if err != nil {
				return nil, err
			}
			if ok {
				out = append(out, r)
			}
		}
	}
	return out, nil
}

// appsIn lists the apps that stand in an environment.
func (p *pass) appsIn(environment string) []string {
	var apps []string
	for _, s := range p.reading.Running() {
		if s.Environment == environment && s.App != "" && !slices.Contains(apps, s.App) {
			apps = append(apps, s.App)
		}
	}
	return apps
}

// candidate returns the request for what an app's sources run, where all of them, or any, run
// something else than the environment.
func (p *pass) candidate(ctx context.Context, e config.Environment, app string, sources []string, anyOne bool) (promotion.Request, bool, error) {
	var chosen promotion.Request
	for _, from := range sources {
		r := promotion.Request{Kind: promotion.Promotion, App: app, Env: e.Name, From: from, Auto: true}
		images, problems := plan.Candidate(p.promoting(r), from)
		if len(problems) > 0 || len(images) == 0 {
			if anyOne {
				continue
			}
			return r, false, nil
		}
		r.Images = images
		if chosen.Images == nil {
			chosen = r
		} else if !slices.Equal(chosen.Images, images) && !anyOne {
			return r, false, nil
		}
	}
	if chosen.Images == nil {
		return chosen, false, nil
	}
	proposal, problems := plan.Promote(p.promoting(chosen))
	if len(problems) > 0 || len(proposal.Changes) == 0 {
		return chosen, false, nil
	}
	var commits []string
	if p.court != nil {
		held, err := p.court.Held(ctx, p.reading, e.Name, app)
		if err != nil || held != "" {
			return chosen, false, err
		}
		origin, err := p.court.Origin(ctx, p.reading, chosen.From, app)
		if err != nil {
			return chosen, false, err
		}
		chosen.By, chosen.Unknown, commits = origin.By, origin.Unknown, origin.Commits
	}
	// It is another request as soon as anything that is sealed differs, or came to the source
	// once more.
	text, _ := json.Marshal([]any{e.Name, app, chosen.From, promotion.Digest(promotion.Promotion, proposal.Changes), commits})
	sum := sha256.Sum256(text)
	chosen.ID, chosen.At = "auto-"+hex.EncodeToString(sum[:8]), p.Now()
	return chosen, true, nil
}

func (p *pass) promoting(r promotion.Request) plan.Promoting {
	return plan.Promoting{
		Config: p.config, Base: p.base.Branch, Default: p.isDefault, Files: p.reading.Files(),
		Environments: p.reading.Environments, Owner: p.reading.Owner, Request: r, Stage: p.reading.Stage(),
	}
}

// settleAsked settles what was asked for.
func (p *pass) settleAsked(ctx context.Context) error {
	all, err := p.dockets(ctx)
	if err != nil {
		return err
	}
	for _, d := range all {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s := Settled{Proposal: plan.Proposal{Kind: d.kind, Branch: d.branch}}
		if d.fresh != nil {
			s.Request, s.App, s.Environments, s.Asked = *d.fresh, d.fresh.App, []string{d.fresh.Env}, d.fresh.ID
		}
		if err := p.asked(ctx, &s, d.fresh); err != nil {
			s.Action, s.Err = Failed, err
		}
		p.base.Settled = append(p.base.Settled, s)
	}
	return nil
}

// asked settles one branch of what was asked for.
func (p *pass) asked(ctx context.Context, s *Settled, fresh *promotion.Request) error {
	h, err := p.look(ctx, s)
	if err != nil {
		return err
	}
	s.PullRequest = h.last
	if !h.open && fresh == nil {
		s.Action = Clean
		return nil
	}
	if err := p.recall(ctx, &h); err != nil {
		return err
	}
	if fresh != nil && !h.open {
		done, err := p.done(ctx, h, *fresh)
		if err != nil {
			return err
		}
		if done.Number != 0 {
			s.PullRequest, s.Action, s.Reason = done, Declined, fmt.Sprintf("#%d was closed without merging: ask anew to propose it again", done.Number)
			if done.State == promotion.Merged {
				s.Action, s.Reason = Clean, fmt.Sprintf("#%d was merged", done.Number)
			}
			return nil
		}
	}
	standing, by := p.standing(h), p.Reseals[h.last.Number]
	reseal, joins := h.open && len(by) > 0, false
	if h.hash != none && !h.derived.Ours && !reseal {
		if standing != nil {
			s.Request, s.App, s.Environments = *standing, standing.App, []string{standing.Env}
		}
		return p.diverged(ctx, s, h)
	}
	switch {
	case standing == nil && fresh == nil:
		s.Action, s.Reason = Diverged, "nobody knows whose request it is: close it, and ask anew"
		return nil
	case standing == nil || fresh != nil && fresh.ID == standing.ID:
		s.Request = *cmp.Or(fresh, standing)
		fresh = cmp.Or(fresh, standing)
		if standing != nil {
			s.Request, fresh = *standing, nil
		}
	case fresh == nil:
		s.Request = *standing
	case slices.Equal(fresh.Images, standing.Images) && fresh.From == standing.From:
		s.Request = *standing
		if !fresh.Auto {
			s.Reason = fmt.Sprintf("#%d already asks for it", h.last.Number)
			s.Request.By, s.Request.At, joins = join(standing.By, fresh.By), fresh.At, true
		}
		fresh = nil
	default:
		s.Request, s.App, s.Environments = *fresh, fresh.App, []string{fresh.Env}
		wait, err := p.newer(ctx, s, &h)
		if err != nil {
			return err
		}
		if wait {
			return p.keep(ctx, *s, *standing, h)
		}
		s.Replaced = standing.Images
		s.Request.By, s.Request.Unknown = join(standing.By, fresh.By), standing.Unknown || fresh.Unknown
	}
	if reseal {
		// The role is asked of who is last: those who wanted the change, not who repairs it.
		s.Request.By = join(by, s.Request.By)
	}
	return p.promote(ctx, s, h, admission{fresh: fresh != nil, joins: joins, reseal: reseal})
}

// keep brings the pull request of a request in step while a newer one waits for it, and says so
// in its text.
func (p *pass) keep(ctx context.Context, newer Settled, standing promotion.Request, h head) error {
	s := Settled{Proposal: plan.Proposal{Kind: newer.Kind, Branch: newer.Branch}, Request: standing, PullRequest: h.last}
	var what []string
	for _, w := range newer.Request.Images {
		what = append(what, image.Ref{Name: w.Repository, Tag: w.Tag, Digest: image.Digest(w.Digest.Short())}.String())
	}
	s.Notes = []string{fmt.Sprintf("A newer candidate waits until this pull request is merged or closed: %s.", strings.Join(what, ", "))}
	return p.promote(ctx, &s, h, admission{})
}

// An admission says what is new about a request.
type admission struct {
	fresh  bool // it is another one than the open pull request's
	joins  bool // somebody asks for the same
	reseal bool // somebody asks to write its commit anew
}

// done returns the closed pull request that was opened for a request, zero where there is none.
// It is younger than the request.
func (p *pass) done(ctx context.Context, h head, r promotion.Request) (promotion.PullRequest, error) {
	for _, q := range h.all {
		if r.Auto || q.State == promotion.Open || q.Created.Before(r.At.Truncate(time.Second)) {
			continue
		}
		memo, ok, err := p.memory().Recall(ctx, q.Head.SHA, nil)
		if err != nil {
			return promotion.PullRequest{}, err
		}
		if ok && memo.Request.ID == r.ID {
			return q, nil
		}
	}
	return promotion.PullRequest{}, nil
}

// recall fills the memo of a head. The branch may hold commits that are not ours above it.
func (p *pass) recall(ctx context.Context, h *head) error {
	if h.hash == none {
		return nil
	}
	var err error
	h.memo, h.known, err = p.memory().Recall(ctx, h.hash.String(), Before(p.Git))
	return err
}

// Before tells which head came before a commit, as far as it was fetched: the one that a
// commit of Pinnace says it replaced, or the parent of anybody else's.
func Before(r *git.Repository) func(sha string) (older string, upon bool) {
	return func(sha string) (string, bool) {
		hash, err := git.ParseHash(sha)
		if err != nil {
			return "", false
		}
		c, err := r.ReadCommit(hash)
		if err != nil || len(c.Parents) == 0 {
			return "", false
		}
		trailers := message.ParseTrailers(c.Message)
		if before := only(trailers[TrailerBefore]); before != "" {
			return before, false
		}
		if len(trailers[message.TrailerSeal]) > 0 {
			return "", false // the first of its branch: what it stands upon is the base
		}
		return c.Parents[0].String(), true
	}
}

// standing returns the request that an open pull request is for. Where nothing can be on record
// it is what the commit says of itself, and nobody knows who asked.
func (p *pass) standing(h head) *promotion.Request {
	switch {
	case !h.open:
		return nil
	case h.known && h.memo.Request.ID != "":
		r := h.memo.Request
		return &r
	case p.App != 0 || !h.derived.Ours || h.derived.Sealing.Request == "":
		return nil // anybody can write a commit that says so
	}
	x := h.derived.Sealing
	r := promotion.Request{ID: x.Request, Kind: x.Kind, App: x.App, Env: x.Env, From: x.From, Skipped: x.Skipped, Unknown: true}
	if a := h.last.Author; p.App == 0 && a.ID != 0 && !a.Bot {
		r.By, r.Unknown = []promotion.Identity{a}, false // who opened it by a token of their own
	}
	for _, c := range x.Changes {
		w := promotion.Wanted{Repository: c.New.Repository(), Tag: c.New.Tag, Digest: c.New.Digest}
		if !slices.Contains(r.Images, w) {
			r.Images = append(r.Images, w)
		}
	}
	return &r
}

// join returns who is in either list, the newer behind.
func join(old, newer []promotion.Identity) []promotion.Identity {
	out := slices.DeleteFunc(slices.Clone(old), func(o promotion.Identity) bool {
		return slices.ContainsFunc(newer, func(n promotion.Identity) bool { return n.ID == o.ID && n.ID != 0 })
	})
	return append(out, newer...)
}

// promote brings branch and pull request of a request in step. What is new is judged first.
func (p *pass) promote(ctx context.Context, s *Settled, h head, a admission) error {
	branch := s.Branch
	proposal, problems := plan.Promote(p.promoting(s.Request))
	s.Proposal = proposal
	s.Branch, s.Kind, s.App, s.Environments = branch, s.Request.Kind, s.Request.App, []string{s.Request.Env}
	if len(problems) > 0 {
		s.Left = append(s.Left, problems...)
		s.Action, s.Reason = Waiting, problems[0].Reason
		if a.fresh {
			s.Action = Refused
		}
		return nil
	}
	if len(s.Changes) == 0 {
		if h.open {
			if h.hash != none && !h.derived.Ours {
				if err := p.save(ctx, h); err != nil {
					return err
				}
			}
			return p.finish(ctx, s, h)
		}
		s.Action, s.Reason = Clean, fmt.Sprintf("%s in %s runs it already", s.App, s.Request.Env)
		return nil
	}
	c, err := p.edit(s)
	if err != nil {
		return err
	}
	if len(s.Left) > 0 { // an app is moved as a whole
		s.Action, s.Reason, s.Files = Refused, s.Left[0].Reason, nil
		return nil
	}
	seal := p.seal(s)
	if h.open && h.derived.Ours && seal != h.derived.Seal && a == (admission{}) {
		s.Action, s.Files = Waiting, nil
		s.Reason = fmt.Sprintf("what #%d was sealed on has changed in %s: comment /reseal on it, and have it reviewed again", h.last.Number, p.base.Branch)
		return nil
	}
	if a.fresh || a.joins {
		stop, err := p.admit(ctx, s, h, seal)
		if err != nil || stop {
			return err
		}
	}
	current := h.open && h.derived.Ours && seal == h.derived.Seal
	if current {
		if current, err = p.fresh(ctx, h.derived); err != nil {
			return err
		}
		if !current {
			s.Reason = "rendered again on " + p.base.Branch
		}
	}
	if current {
		s.Files = nil
	}
	if !h.open {
		h.last, s.PullRequest = promotion.PullRequest{}, promotion.PullRequest{}
	}
	if !current && h.open && (!h.derived.Ours || p.App != 0 && (!h.known || h.memo.Request.ID == "")) {
		if err := p.save(ctx, h); err != nil {
			return err
		}
	}
	if a.joins && current && h.known && !p.base.DryRun {
		if err := p.memory().Amend(ctx, h.hash.String(), func(r *record.Record) { r.Request.By, r.Request.At = s.Request.By, s.Request.At }); err != nil {
			return err
		}
	}
	return p.write(ctx, s, h, c, current)
}

// admit says of a new request whether it stops here: it was answered before, or policy denies
// it.
func (p *pass) admit(ctx context.Context, s *Settled, h head, seal string) (stop bool, err error) {
	if !h.open {
		for _, q := range h.all {
			if q.State != promotion.Open && message.SealOf(q.Body) == seal && !message.IsFinished(q.Body) {
				s.Action, s.PullRequest, s.Files = Declined, q, nil
				s.Reason = fmt.Sprintf("#%d was closed without merging: ask anew to propose it again", q.Number)
				if q.State == promotion.Merged {
					s.Action, s.Reason = Clean, fmt.Sprintf("#%d was merged", q.Number)
				}
				return true, nil
			}
		}
	}
	if p.court == nil {
		return false, nil
	}
	d, err := p.court.Eligible(ctx, p.reading, s)
	if err != nil {
		return false, fmt.Errorf("judge %s: %w", s.Branch, err)
	}
	s.Decision = &d
	if d.Status != promotion.Denied {
		return false, nil
	}
	s.Action, s.Reason, s.Files = Refused, d.Summary, nil
	return true, nil
}

// save keeps a head that is not ours under a ref of its own, before it is replaced.
func (p *pass) save(ctx context.Context, h head) error {
	if p.base.DryRun {
		return nil
	}
	err := p.Git.Push(ctx, p.remote, git.Push{Ref: SavedPrefix + h.hash.String(), New: h.hash, Objects: []git.Hash{}})
	var moved *git.LeaseError
	if errors.As(err, &moved) && moved.Known && moved.Actual == h.hash {
		return nil // it was kept before
	}
	if err != nil {
		return fmt.Errorf("keep commit %s: %w", h.hash, err)
	}
	return nil
}

// SavedPrefix begins the refs that keep commits which a re-seal replaced.
const SavedPrefix = "refs/pinnace/saved/"

// seal is what the approvals of a proposal are bound to.
func (p *pass) seal(s *Settled) string {
	if !asked(s.Kind) {
		return promotion.Digest(s.Kind, s.Changes)
	}
	return promotion.Sealing{
		Repository: p.repo.ID, Base: p.base.Branch, Kind: s.Kind, Changes: s.Changes,
		Request: s.Request.ID, App: s.Request.App, Env: s.Request.Env, From: s.Request.From, Skipped: s.Request.Skipped,
	}.Hash()
}

func (p *pass) memory() *Memory {
	return &Memory{Checks: p.Forge, Repository: p.repo, Name: CheckName(p.repo, p.base.Branch, p.several), App: p.App}
}

// CheckName is the name of the check that is to be required for a base. Where there are
// several it carries the base, since checks belong to a commit.
func CheckName(_ promotion.Repository, base string, several bool) string {
	if several {
		return "pinnace/promotion (" + base + ")"
	}
	return "pinnace/promotion"
}

// begin writes the record of a new head of ours.
func (p *pass) begin(ctx context.Context, s *Settled, h head, sha, seal string) error {
	if p.App == 0 {
		return nil
	}
	memo := Memo{Record: record.Record{Repository: p.repo.ID, Base: p.base.Branch, Kind: s.Kind}}
	if h.open && h.known {
		memo.Record = h.memo.Record
		memo.Next = ""
	}
	memo.Request = s.Request
	memo.See(sha, seal, p.Now())
	return p.memory().Begin(ctx, sha, memo)
}
