package verdict

import (
	"cmp"
	"context"
	"time"

	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A Chronicle says of commits of a branch what is on record of how they came there.
type Chronicle struct{ base *base }

// A Proof is what is on record of a commit. Whatever a commit says of itself, anybody can have
// typed; this is what our own App wrote of the pull request that was merged.
type Proof struct {
	PullRequest int       // 0 for a push
	At          time.Time // when it was merged, or seen first; zero where nobody knows
	Verified    bool      // the rest is on record
	Kind        promotion.Kind
	Request     promotion.Request // zero where nobody asked through Pinnace
	Verdict     promotion.Status
	Approved    []promotion.Identity
	Policies    []string
	Seal        string
	Glass       string // why the rules were waived
	Breaker     promotion.Identity
}

// Chronicle reads a managed branch, "" for the default one. Close it when done.
func (j *Judge) Chronicle(ctx context.Context, branch string) (*Chronicle, error) {
	repo, ok, err := j.Forge.Repository(ctx, j.Owner, j.Name)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, promotion.ErrNotFound
	}
	b, err := j.open(ctx, repo, cmp.Or(branch, repo.DefaultBranch), nil)
	if err != nil {
		return nil, err
	}
	return &Chronicle{b}, nil
}

// Recorded says whether there is an App whose records are believed.
func (c *Chronicle) Recorded() bool { return c.base.memory.App != 0 }

// Close lets go of what was opened.
func (c *Chronicle) Close() { c.base.close() }

// Proof returns what is on record of a commit.
func (c *Chronicle) Proof(ctx context.Context, commit git.Hash) (Proof, error) {
	how, err := c.base.bringing(ctx, commit)
	if err != nil {
		return Proof{}, err
	}
	p := Proof{PullRequest: how.pull.Number, At: how.at.Value}
	if !how.known {
		return p, nil
	}
	m := how.memo
	p.Verified, p.Kind, p.Request, p.Verdict, p.Approved, p.Policies, p.Glass = true, m.Kind, m.Request, m.Decided, m.Approved, m.Policies, m.Glass
	p.Breaker = m.Breaker
	p.Seal, _ = m.Seal()
	return p, nil
}
