package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/message"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/record"
)

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
