package reconcile

import (
	"context"
	"errors"
	"fmt"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/message"
	"github.com/pinnace-dev/pinnace/internal/plan"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A Deriver works out what the branches of Pinnace hold.
type Deriver struct {
	Git        *git.Repository
	Repository int64  // of GitHub
	Base       string // the branch that they go to
}

// A Derivation is what a branch of Pinnace holds, worked out from its trees alone. Whose
// request it is for is what its commit says of itself.
type Derivation struct {
	Ours    bool   // one commit, whose tree is its own parent's with exactly the edits that its seal names
	Why     string // what it holds else, where it is not ours
	Author  string
	Parent  *git.Snapshot
	Style   config.Style // that its parent asks for
	Changes []promotion.Change
	Seal    string
	Sealing promotion.Sealing // zero for kinds that nobody asks for
	Before  string            // the head that it replaced, "" for none
}

// asked says whether changes of a kind are asked for, so that a request is sealed with them.
func asked(kind promotion.Kind) bool {
	return kind == promotion.Promotion || kind == promotion.Rollback
}

// Derive works out what a head holds. A head that is ours can be replaced without loss,
// since Pinnace can make it again.
func (x Deriver) Derive(ctx context.Context, hash git.Hash, kind promotion.Kind) (Derivation, error) {
	c, err := x.Git.ReadCommit(hash)
	if err != nil {
		return Derivation{}, fmt.Errorf("read commit %s: %w", hash, err)
	}
	d := Derivation{Author: c.Author.Name}
	if len(c.Parents) != 1 {
		d.Why = "a merge"
		return d, nil
	}
	trailers := message.ParseTrailers(c.Message)
	seals, bases := trailers[message.TrailerSeal], trailers[message.TrailerBase]
	if len(seals) != 1 {
		d.Why = "a commit by " + c.Author.Name
		return d, nil
	}
	if len(bases) != 1 || bases[0] != c.Parents[0].String() {
		d.Why = "a commit of Pinnace that was moved"
		return d, nil
	}
	now, err := x.Git.Snapshot(hash)
	if err != nil {
		return d, fmt.Errorf("read commit %s: %w", hash, err)
	}
	if d.Parent, err = x.Git.Snapshot(c.Parents[0]); err != nil {
		if errors.Is(err, git.ErrMissing) {
			d.Why = "more commits than one"
			return d, nil
		}
		return d, fmt.Errorf("read commit %s: %w", c.Parents[0], err)
	}
	rules, err := configAt(d.Parent)
	if err != nil {
		return d, err
	}
	d.Style = rules.Pin.Style
	deltas, err := git.Diff(ctx, d.Parent, now)
	if err != nil {
		return d, fmt.Errorf("compare commit %s with its parent: %w", hash, err)
	}
	for _, delta := range deltas {
		changes, ok, err := deriveFile(rules, d.Parent, now, delta)
		if err != nil {
			return d, err
		}
		if !ok {
			d.Why = "a change of " + delta.Path + " that is more than its images"
			return d, nil
		}
		d.Changes = append(d.Changes, changes...)
	}
	promotion.SortChanges(d.Changes)
	d.Before = only(trailers[TrailerBefore])
	d.Seal = promotion.Digest(kind, d.Changes)
	if asked(kind) {
		d.Sealing = promotion.Sealing{
			Repository: x.Repository, Base: x.Base, Kind: kind, Changes: d.Changes,
			Request: only(trailers[message.TrailerRequest]), App: only(trailers[message.TrailerApp]), Env: only(trailers[message.TrailerEnv]),
			From: only(trailers[message.TrailerFrom]), Skipped: trailers[message.TrailerSkipped],
		}
		if d.Sealing.From == message.Registry {
			d.Sealing.From = ""
		}
		d.Seal = d.Sealing.Hash()
	}
	if d.Seal != seals[0] || len(d.Changes) == 0 {
		d.Why = "images that its commit does not name"
		return d, nil
	}
	d.Ours = true
	return d, nil
}

// TrailerBefore names the head that a commit of Pinnace replaced on its branch.
const TrailerBefore = "Pinnace-Before"

func only(values []string) string {
	if len(values) != 1 {
		return ""
	}
	return values[0]
}

func deriveFile(c *config.Config, before, after *git.Snapshot, d git.Delta) ([]promotion.Change, bool, error) {
	if d.Old.Path == "" || d.New.Path == "" || d.Old.Mode != d.New.Mode || d.Old.Problem != nil || d.New.Problem != nil {
		return nil, false, nil
	}
	old, err := before.Blob(d.Old.Blob, manifest.MaxFile)
	if err != nil {
		return nil, false, fmt.Errorf("read %s: %w", d.Path, err)
	}
	data, err := after.Blob(d.New.Blob, manifest.MaxFile)
	if err != nil {
		return nil, false, fmt.Errorf("read %s: %w", d.Path, err)
	}
	f := manifest.FormatOf(d.Path)
	if f == manifest.None {
		f = manifest.YAML // one that a kustomization names
	}
	changes, ok := plan.Derive(d.Path, old, data, f, extras(c, d.Path)...)
	return changes, ok, nil
}

// configAt reads the configuration of a commit; one with errors is the default, since it
// was another one that wrote from it.
func configAt(s *git.Snapshot) (*config.Config, error) {
	e, ok, err := s.Lookup(configFile)
	if err != nil {
		return nil, err
	}
	if !ok || e.Problem != nil {
		return config.Default(), nil
	}
	data, err := s.Blob(e.Blob, manifest.MaxFile)
	if err != nil {
		return nil, err
	}
	c, problems := config.Parse(configFile, data)
	if problems.HasErrors() {
		return config.Default(), nil
	}
	return c, nil
}

// none is the hash of what is not there.
var none git.Hash

func (p *pass) deriver() Deriver {
	return Deriver{Git: p.Git, Repository: p.repo.ID, Base: p.base.Branch}
}
