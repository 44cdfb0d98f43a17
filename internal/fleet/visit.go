package fleet

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/github"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
	"github.com/pinnace-dev/pinnace/internal/verdict"
)

// maxFirst is how many pull requests are judged before the whole repository is looked at.
const maxFirst = 5

// Visit looks at one repository: the pull requests that events were about first, then all that
// is to be proposed, judged and merged there. The error is that of the first thing which could
// not be done; it stopped nothing else.
func (f *Fleet) Visit(ctx context.Context, v event.Visit) (event.Visited, error) {
	out, err := f.visit(ctx, v)
	if errors.Is(err, errGone) {
		out, err = event.Visited{Gone: true}, f.Forget(ctx, v.Subject)
	}
	return out, err
}

// Forget drops what is kept of a repository, or with Repository 0 of an installation, that is
// no longer there.
func (f *Fleet) Forget(ctx context.Context, s event.Subject) error {
	if f.o.Gone != nil {
		if err := f.o.Gone(ctx, s); err != nil {
			return err
		}
	}
	return f.ports.drop(s)
}

func (f *Fleet) visit(ctx context.Context, v event.Visit) (out event.Visited, err error) {
	at, err := f.installation(ctx, v.Installation)
	if err == nil && Permissions(at.Permissions)["checks"] != "write" {
		// Another process may have been the one to hear that the owner accepted.
		if _, err = f.Installations(ctx); err == nil {
			at, err = f.installation(ctx, v.Installation)
		}
	}
	if err != nil {
		return out, err
	}
	self, author, err := f.identity(ctx, at.client)
	if err != nil {
		return out, err
	}
	b, err := f.ports.take(v.Subject)
	if errors.Is(err, git.ErrCorrupt) {
		return out, errors.Join(err, f.ports.scrap(v.Subject, b))
	}
	if err != nil {
		return out, err
	}
	defer func() {
		if errors.Is(err, git.ErrCorrupt) {
			err = errors.Join(err, f.ports.scrap(v.Subject, b))
			return
		}
		f.ports.leave(v.Subject, b)
	}()
	client := at.client.Visit(ctx, github.VisitOptions{Fence: v.Fence, Ahead: b.reads})
	defer func() {
		client.Close()
		b.reads, out.Writes = client.Reads(), client.Writes()
	}()
	hub := &forge{Client: client, fleet: f, at: at, subject: v.Subject, since: v.Since}
	repo, err := hub.visited(ctx, v.Owner, v.Name)
	if err != nil {
		return out, err
	}
	if repo.Archived || repo.Disabled {
		return out, f.standing(ctx, v.Repository, nil)
	}
	s := f.steward(at, hub, b, repo, self, author, func() error {
		hub.Anew()
		return v.Fence()
	})
	err = f.look(ctx, v, s, b, &out)
	return out, err
}

// steward joins all that acts on one repository.
func (f *Fleet) steward(at *installation, hub *forge, b *berth, repo promotion.Repository, self promotion.Self, author git.Signature, fence func() error) *verdict.Steward {
	permissions := Permissions(at.Permissions)
	remote := func(r promotion.Repository) git.Remote {
		return git.Remote{
			URL: f.web.JoinPath(r.Owner, r.Name+".git").String(), Fence: fence,
			Auth: func(ctx context.Context) (string, string, error) {
				token, err := at.tokens.Token(ctx)
				return "x-access-token", token.Reveal(), err
			},
		}
	}
	j := &verdict.Judge{
		Owner: repo.Owner, Name: repo.Name, Forge: hub, Git: b.git, Remote: remote, Registries: f.o.Registries, Now: f.o.Now,
		Version: f.o.Version, Indexes: b.indexes, Configured: true, Buttons: true,
	}
	if permissions["checks"] == "write" {
		j.App, j.Bot = self.App, self.Bot
	}
	return &verdict.Steward{
		Judge: j,
		Proposer: &reconcile.Proposer{
			Owner: repo.Owner, Name: repo.Name, Forge: hub, Git: b.git, Remote: remote, Registries: f.o.Registries, Author: author, Now: f.o.Now,
			Version: f.o.Version, Workflows: Workflows(permissions), Indexes: b.indexes,
		},
	}
}

// look does what is to be done.
func (f *Fleet) look(ctx context.Context, v event.Visit, s *verdict.Steward, b *berth, out *event.Visited) error {
	var errs []error
	log := f.teller(v, b)
	defer log.end()
	if s.Judge.App == 0 {
		log.tell(ctx, slog.LevelWarn, "nothing is done where no checks may be written", slog.String("fix", "let an owner accept the App's permissions; pinnace doctor shows which"))
		return nil
	}
	if len(v.Pulls) <= maxFirst {
		for _, n := range v.Pulls {
			first, err := s.Judge.Run(ctx, n)
			if first != nil {
				f.report(ctx, log, first.Cases, first.Incidents, nil)
			}
			if err != nil {
				errs = append(errs, err)
				break // the whole look that follows says the same, or mends it
			}
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	round, err := s.Run(ctx)
	if errors.Is(err, verdict.ErrUnconfigured) {
		return errors.Join(f.standing(ctx, v.Repository, nil), f.onboard(ctx, log, s))
	}
	if err != nil {
		return err
	}
	if round.Proposed != nil {
		if err := round.Proposed.Failed(); err != nil {
			errs = append(errs, err)
		}
		for _, b := range round.Proposed.Bases {
			for _, p := range b.Settled {
				if p.Action != reconcile.Clean && p.Action != reconcile.Unchanged {
					log.proposed(ctx, slog.LevelInfo, b.Observe, p.Action, p.Kind, p.Branch, p.PullRequest.Number, p.Reason)
				}
			}
		}
	}
	judged := round.Judged
	f.report(ctx, log, append(round.Merged, judged.Cases...), judged.Incidents, judged.Warnings)
	for _, c := range judged.Cases {
		if c.Err != nil {
			errs = append(errs, c.Err)
		}
	}
	if !judged.Again.IsZero() {
		out.Again = max(judged.Again.Sub(f.o.Now()), time.Second)
	}
	if err := f.standing(ctx, v.Repository, judged.Bases); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// standing tells what a repository holds; without a base, that nothing there is to be watched.
func (f *Fleet) standing(ctx context.Context, r event.Repository, bases []verdict.ReadBase) error {
	if f.o.Stands == nil {
		return nil
	}
	return f.o.Stands(ctx, r, bases)
}
