package fleet

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/github"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// floorName is the repository of an organisation whose .pinnace/ holds for all its others.
const floorName = ".github"

// A forge is GitHub for one visit. The repository is looked up once, by its number; the
// organisation's repository is not asked for where the installation sees all, and has none.
type forge struct {
	*github.Client
	fleet   *Fleet
	at      *installation
	subject event.Subject
	since   time.Time // of the oldest event that the visit is for; zero: none

	mu    sync.Mutex
	repo  *promotion.Repository // the visited one
	anew  bool
	stale bool // repo is of before Anew
}

// listLife is how long what the installation's list says of the organisation's repository is
// taken for what is so. Another process may have been the one to survey it since.
const listLife = 5 * time.Minute

// Anew has the visited repository and the organisation's asked for again, too.
func (f *forge) Anew() {
	f.Client.Anew()
	f.mu.Lock()
	f.anew, f.stale = true, true
	f.mu.Unlock()
}

// Repository returns a repository under the name that it has now.
func (f *forge) Repository(ctx context.Context, owner, name string) (promotion.Repository, bool, error) {
	if name == floorName {
		return f.floor(ctx, owner)
	}
	f.mu.Lock()
	repo, stale := f.repo, f.stale
	f.mu.Unlock()
	if repo != nil && strings.EqualFold(repo.Owner, owner) && strings.EqualFold(repo.Name, name) {
		if !stale {
			return *repo, true, nil
		}
		now, ok, err := f.RepositoryByID(ctx, f.subject.Repository) // another one may have its name by now
		if err == nil && ok {
			f.mu.Lock()
			f.repo, f.stale = &now, false
			f.mu.Unlock()
		}
		return now, ok, err
	}
	return f.Client.Repository(ctx, owner, name)
}

// visited returns the repository that is visited: another one may have its name by now.
func (f *forge) visited(ctx context.Context, owner, name string) (promotion.Repository, error) {
	var repo promotion.Repository
	var ok bool
	var err error
	if name != "" {
		repo, ok, err = f.Client.Repository(ctx, owner, name)
	}
	if err == nil && (!ok || repo.ID != f.subject.Repository) {
		repo, ok, err = f.RepositoryByID(ctx, f.subject.Repository)
	}
	if err != nil {
		return repo, err
	}
	if !ok {
		return repo, errGone
	}
	if repo.Permission != "" && !repo.Permission.AtLeast(promotion.PermissionWrite) { // what is public can be read by anybody
		of, ok, err := f.fleet.o.App.InstallationOf(ctx, repo.Owner, repo.Name)
		if err != nil {
			return repo, err
		}
		if !ok || of.ID != f.subject.Installation {
			return repo, errGone
		}
	}
	f.mu.Lock()
	f.repo = &repo
	f.mu.Unlock()
	return repo, nil
}

// floor returns the repository of an organisation's rules. One that was seen, or is on the
// installation's list, and cannot be read now is forbidden, not absent: what it demands is
// unknown then.
func (f *forge) floor(ctx context.Context, owner string) (promotion.Repository, bool, error) {
	owner = strings.ToLower(owner)
	f.mu.Lock()
	anew := f.anew
	f.mu.Unlock()
	f.fleet.mu.Lock()
	at := f.at.listedAt
	f.fleet.mu.Unlock()
	direct := anew || at.Before(f.since) // one question is cheaper than the list
	if !direct && f.fleet.o.Now().Sub(at) > listLife {
		if _, err := f.fleet.Repositories(ctx, f.subject.Installation); err != nil {
			return promotion.Repository{}, false, err
		}
	}
	f.fleet.mu.Lock()
	listed, known := f.at.listed[owner+"/"+floorName], f.at.listed != nil && !f.at.Selected
	seen := f.at.floored[owner]
	f.fleet.mu.Unlock()
	if known && !listed && !seen && !direct {
		return promotion.Repository{}, false, nil
	}
	repo, ok, err := f.Client.Repository(ctx, owner, floorName)
	if err == nil && !ok && (listed || seen) {
		return repo, false, fmt.Errorf("%s/%s was there and cannot be read now: %w", owner, floorName, promotion.ErrForbidden)
	}
	if ok {
		f.fleet.mu.Lock()
		f.at.floored[owner] = true
		f.fleet.mu.Unlock()
	}
	return repo, ok, err
}
