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

// A derivation is what a branch of ours holds, worked out from its trees alone.
type derivation struct {
	ours    bool   // one commit, whose tree is its own parent's with exactly the edits that its seal names
	why     string // what it holds else, where it is not ours
	author  string
	parent  *git.Snapshot
	style   config.Style // that its parent asks for
	changes []promotion.Change
	seal    string
}

// derive works out what a head holds. A head that is ours can be replaced without loss,
// since Pinnace can make it again.
func (p *pass) derive(ctx context.Context, hash git.Hash, kind promotion.Kind) (derivation, error) {
	c, err := p.Git.ReadCommit(hash)
	if err != nil {
		return derivation{}, fmt.Errorf("read commit %s: %w", hash, err)
	}
	d := derivation{author: c.Author.Name}
	if len(c.Parents) != 1 {
		d.why = "a merge"
		return d, nil
	}
	trailers := message.ParseTrailers(c.Message)
	seals, bases := trailers[message.TrailerSeal], trailers[message.TrailerBase]
	if len(seals) != 1 {
		d.why = "a commit by " + c.Author.Name
		return d, nil
	}
	if len(bases) != 1 || bases[0] != c.Parents[0].String() {
		d.why = "a commit of Pinnace that was moved"
		return d, nil
	}
	now, err := p.Git.Snapshot(hash)
	if err != nil {
		return d, fmt.Errorf("read commit %s: %w", hash, err)
	}
	if d.parent, err = p.Git.Snapshot(c.Parents[0]); err != nil {
		if errors.Is(err, git.ErrMissing) {
			d.why = "more commits than one"
			return d, nil
		}
		return d, fmt.Errorf("read commit %s: %w", c.Parents[0], err)
	}
	rules, err := configAt(d.parent)
	if err != nil {
		return d, err
	}
	d.style = rules.Pin.Style
	deltas, err := git.Diff(ctx, d.parent, now)
	if err != nil {
		return d, fmt.Errorf("compare commit %s with its parent: %w", hash, err)
	}
	for _, delta := range deltas {
		changes, ok, err := p.deriveFile(rules, d.parent, now, delta)
		if err != nil {
			return d, err
		}
		if !ok {
			d.why = "a change of " + delta.Path + " that is more than its images"
			return d, nil
		}
		d.changes = append(d.changes, changes...)
	}
	promotion.SortChanges(d.changes)
	d.seal = promotion.Digest(kind, d.changes)
	if d.seal != seals[0] || len(d.changes) == 0 {
		d.why = "images that its commit does not name"
		return d, nil
	}
	d.ours = true
	return d, nil
}

func (p *pass) deriveFile(c *config.Config, before, after *git.Snapshot, d git.Delta) ([]promotion.Change, bool, error) {
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
