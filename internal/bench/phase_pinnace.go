package main

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/plan"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
)

var bot = git.Signature{Name: "Bench", Email: "bench@example.com", When: time.Unix(1700000000, 0).UTC()}

// wanted is what a Proposer fetches of a repository.
var wanted = git.Fetch{Refs: []string{"refs/heads/main"}, Prefixes: []string{"refs/heads/" + plan.Prefix}, Depth: 2}

// proposer is that of `pinnace reconcile --dry-run`, without GitHub.
func (p *phase) proposer(r *git.Repository) *reconcile.Proposer {
	return &reconcile.Proposer{
		Owner: "bench", Name: "origin", Forge: forge{}, Git: r, Author: bot, Now: time.Now, Version: "bench", DryRun: true,
		Remote:     func(promotion.Repository) git.Remote { return here(p.url) },
		Registries: func(*config.Config) (reconcile.Registries, error) { return shelves{}, nil },
		Indexes:    map[string]*reconcile.Index{},
	}
}

func (p *phase) open() (*git.Repository, error) {
	r, err := git.OpenMirror(p.dir, git.Limits{})
	if err == nil {
		p.reads = r.Reads
	}
	return r, err
}

// pinnaceCold fetches into an empty mirror, then scans and plans.
func (p *phase) pinnaceCold() (err error) {
	r, err := p.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if _, err := p.step("fetch", func() error {
		_, err := r.Fetch(p.ctx, here(p.url), wanted)
		return err
	}); err != nil {
		return err
	}
	return p.reconcile("scan and plan", p.proposer(r), 0)
}

func (p *phase) reconcile(name string, b *reconcile.Proposer, depth int64) error {
	var out *reconcile.Outcome
	s, err := p.step(name, func() (err error) {
		out, err = b.Reconcile(p.ctx)
		return err
	})
	if err == nil {
		s.Depth = depth
		s.Changes, err = proposals(out)
	}
	return err
}

// warmGC is the GOGC of a process that stays: what lives changes little, and what a pass
// leaves is collected soon.
const warmGC = 15

// pinnaceWarm opens a mirror, reads all of it once, and then follows main: where it has
// not moved, where one file changed, and where one file changed that has an image to pin.
func (p *phase) pinnaceWarm() (err error) {
	r, err := p.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	b := p.proposer(r)
	if err := p.reconcile("first", b, 0); err != nil {
		return err
	}
	debug.SetGCPercent(warmGC)
	for _, kind := range []string{"nothing", "one file", "one to pin"} {
		if err := settle(); err != nil {
			return err
		}
		for i := range p.rounds {
			var path string
			switch kind {
			case "one file":
				path, err = p.next(1+i, false)
			case "one to pin":
				path, err = p.next(0, true)
			}
			if err == nil {
				err = p.reconcile(kind, b, depth(path))
			}
			if err != nil {
				return err
			}
		}
	}
	_, err = p.next(0, false)
	return err
}

// pinnacePush commits one file on top of main, and pushes that to a branch of its own.
func (p *phase) pinnacePush() (err error) {
	r, err := p.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	path, err := p.next(0, false)
	if err != nil {
		return err
	}
	fetched, err := r.Fetch(p.ctx, here(p.url), wanted)
	if err != nil {
		return err
	}
	for i := range p.rounds {
		s, err := r.Snapshot(fetched.Refs["refs/heads/main"])
		if err != nil {
			return err
		}
		push := git.Push{Ref: fmt.Sprintf("%spinnace-%d-%d", pushed, time.Now().UnixNano(), i)}
		made, err := p.step("commit", func() error {
			w, err := s.WriteTree(map[string][]byte{path: deployment(uint64(time.Now().UnixNano()), true)})
			if err != nil {
				return err
			}
			push.Objects = w.Objects
			push.New, err = r.Commit(git.Commit{Tree: w.Tree, Parents: []git.Hash{s.Commit}, Author: bot, Committer: bot, Message: "pin images"})
			return err
		})
		if err != nil {
			return err
		}
		made.Depth = depth(path)
		if _, err := p.step("push", func() error { return r.Push(p.ctx, here(p.url), push) }); err != nil {
			return err
		}
	}
	return nil
}
