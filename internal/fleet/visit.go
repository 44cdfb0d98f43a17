package fleet

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"syscall"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/github"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
	"github.com/pinnace-dev/pinnace/internal/verdict"
)

// maxFirst is how many pull requests are judged before the whole repository is looked at.
const maxFirst = 5

// unanswered is when a registry that gave no answer is asked again.
const unanswered = 5 * time.Minute

// Visit looks at one repository: the pull requests that events were about first, then all that
// is to be proposed, judged and merged there. The error is that of the first thing which could
// not be done; it stopped nothing else.
func (f *Fleet) Visit(ctx context.Context, v event.Visit) (event.Visited, error) {
	ctx, span := f.o.Tracer.Start(ctx, "visit", trace.WithAttributes(
		attribute.Int64("pinnace.installation", v.Installation), attribute.Int64("pinnace.repository", v.Repository.Repository), attribute.IntSlice("pinnace.pulls", v.Pulls)))
	defer span.End()
	out, err := f.visit(ctx, v)
	if errors.Is(err, errGone) {
		out, err = event.Visited{Gone: true}, f.Forget(ctx, v.Subject)
	}
	if errors.Is(err, promotion.ErrForbidden) { // what was granted may be more by now, or less
		_, again := f.Installations(ctx)
		err = errors.Join(err, again)
	}
	if full(err) {
		f.ports.room()
	}
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
	}
	return out, err
}

// full says whether a disk has no room: the next visit may have some where mirrors go.
func full(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
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
	if damaged(err) {
		return out, errors.Join(err, f.ports.remove(v.Subject))
	}
	if err != nil {
		return out, err
	}
	defer func() {
		if damaged(err) {
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

// damaged says whether a mirror has to be made anew: it is malformed, incomplete, or gone.
func damaged(err error) bool {
	return errors.Is(err, git.ErrCorrupt) || errors.Is(err, git.ErrMissing) || errors.Is(err, fs.ErrNotExist)
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
		for _, b := range round.Proposed.Bases {
			if b.Err != nil {
				errs = append(errs, b.Err)
			}
			for _, p := range b.Settled {
				if p.Err != nil {
					errs = append(errs, p.Err)
				}
				for _, l := range p.Failed {
					// An image that nobody answers for holds up nothing else: no pause of the repository.
					log.tell(ctx, slog.LevelWarn, "an image could not be resolved", slog.String("image", l.Image), slog.String("reason", l.Reason))
					if l.Unanswered() && (out.Again == 0 || out.Again > unanswered) {
						out.Again = unanswered
					}
				}
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
		again := max(judged.Again.Sub(f.o.Now()), time.Second)
		if out.Again == 0 || again < out.Again {
			out.Again = again
		}
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
