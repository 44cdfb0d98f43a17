package fleet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/github"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
	"github.com/pinnace-dev/pinnace/internal/verdict"
)

// Options say whose repositories are looked after, and how. App, GitHub.URL, Cache and
// Registries are needed.
type Options struct {
	App *github.App
	// GitHub is how each installation's client asks; tokens and tenant are set here.
	GitHub github.Options
	// Cache is the directory of the mirrors, which may be lost at any time.
	Cache string
	// CacheSize is how many bytes the mirrors may take together while none is in use; those that
	// were visited longest ago are removed first. 0 means any number.
	CacheSize int64
	// Registries reaches registries as a configuration says.
	Registries func(*config.Config) (reconcile.Registries, error)
	// Stands is told what a repository holds after each visit; it may be nil.
	Stands func(context.Context, event.Repository, []verdict.ReadBase) error
	// Gone is told of repositories that are no longer there; it may be nil.
	Gone func(context.Context, event.Subject) error
	// Observer counts; it may be nil.
	Observer Observer
	// Tracer begins a span of each visit; nil begins none.
	Tracer  trace.Tracer
	Now     func() time.Time // nil: time.Now
	Version string
	Log     *slog.Logger // nil: none
	// Warm is how many repositories are kept as they were read last; 0 means 32.
	Warm int
}

// An Observer counts what visits do. It may be called from several goroutines.
type Observer interface {
	// Decided counts a verdict: approved, denied, pending or error.
	Decided(outcome string)
	// Alert counts an alert by its kind; "incident" is what came past the rules.
	Alert(kind string)
	// GitHub counts a request to GitHub.
	GitHub(method, route string, status int, took time.Duration)
	// Limit says what an installation may still ask of GitHub until a time.
	Limit(installation int64, remaining int, until time.Time)
	// Mirrors says how many bytes the mirrors take, and how many were removed for room since it
	// was last called.
	Mirrors(bytes int64, evicted int)
}

// A Fleet is all repositories of an App. It is safe for use by several goroutines; one
// repository is visited once at a time, which the caller sees to.
type Fleet struct {
	o     Options
	web   *url.URL
	ports *port

	mu            sync.Mutex
	installations map[int64]*installation
}

// An installation is what is known of one.
type installation struct {
	github.Installation
	client *github.Client
	tokens github.TokenSource
	// listed are the repositories by owner/name in lower case, as they were at listedAt; nil until
	// they were listed.
	listed   map[string]bool
	listedAt time.Time
	// floored are the owners whose repository of rules was seen.
	floored map[string]bool
}

// New returns a Fleet, or an error that names the option that is wrong.
func New(o Options) (*Fleet, error) {
	api, err := url.Parse(o.GitHub.URL)
	if err != nil || api.Host == "" {
		return nil, fmt.Errorf("the address of GitHub's API, %q, is none", o.GitHub.URL)
	}
	if o.App == nil || o.Registries == nil || o.Cache == "" {
		return nil, errors.New("a fleet needs an App, registries and a directory for its mirrors")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Tracer == nil {
		o.Tracer = noop.NewTracerProvider().Tracer("")
	}
	if o.Warm == 0 {
		o.Warm = 32
	}
	f := &Fleet{o: o, web: Web(api), installations: map[int64]*installation{}}
	told := func(int64, int) {}
	if o.Observer != nil {
		told = o.Observer.Mirrors
	}
	f.ports, err = newPort(o.Cache, o.CacheSize, o.Warm, o.Now, o.Log, told)
	return f, err
}

// Close lets go of the mirrors. No visit may be under way.
func (f *Fleet) Close() { f.ports.close() }

// Installations lists those that are not suspended.
func (f *Fleet) Installations(ctx context.Context) ([]int64, error) {
	all, err := f.o.App.Installations(ctx)
	if err != nil {
		return nil, err
	}
	var out []int64
	f.mu.Lock()
	defer f.mu.Unlock()
	seen := map[int64]bool{}
	for _, i := range all {
		if i.Suspended {
			continue
		}
		seen[i.ID] = true
		out = append(out, i.ID)
		if err := f.know(i); err != nil {
			return nil, err
		}
	}
	for id := range f.installations {
		if !seen[id] {
			delete(f.installations, id)
		}
	}
	return out, nil
}

// know keeps what GitHub says of an installation; where its permissions changed it gets new
// tokens. f.mu is held.
func (f *Fleet) know(i github.Installation) error {
	old := f.installations[i.ID]
	permissions := Permissions(i.Permissions)
	if old != nil && maps.Equal(Permissions(old.Permissions), permissions) {
		return nil // visits under way read it
	}
	now := &installation{Installation: i, tokens: f.o.App.Tokens(i.ID, nil, permissions), floored: map[string]bool{}}
	if old != nil {
		now.listed, now.listedAt, now.floored = old.listed, old.listedAt, old.floored
	}
	o := f.o.GitHub
	o.Tokens, o.Tenant, o.Observe = now.tokens, fmt.Sprint(i.ID), f.observe(i.ID)
	var err error
	if now.client, err = github.New(o); err != nil {
		return err
	}
	f.installations[i.ID] = now
	return nil
}

// observe counts the requests of an installation.
func (f *Fleet) observe(installation int64) func(github.Call) {
	if f.o.Observer == nil {
		return nil
	}
	return func(c github.Call) {
		f.o.Observer.GitHub(c.Method, c.Route, c.Status, c.Took)
		if c.Resource == "core" {
			f.o.Observer.Limit(installation, c.Remaining, c.Reset)
		}
	}
}

// installation returns what is known of one, asking GitHub where that is nothing.
func (f *Fleet) installation(ctx context.Context, id int64) (*installation, error) {
	f.mu.Lock()
	i := f.installations[id]
	f.mu.Unlock()
	if i != nil {
		return i, nil
	}
	if _, err := f.Installations(ctx); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if i = f.installations[id]; i == nil {
		return nil, errGone
	}
	return i, nil
}

// errGone says that an installation or a repository is no longer there for the App.
var errGone = fmt.Errorf("the App is not installed there any more: %w", promotion.ErrNotFound)

// Repositories lists what an installation sees, but for what is archived or disabled.
func (f *Fleet) Repositories(ctx context.Context, id int64) ([]event.Repository, error) {
	i, err := f.installation(ctx, id)
	if err != nil {
		return nil, err
	}
	began := f.o.Now()
	all, err := i.client.Repositories(ctx)
	if errors.Is(err, promotion.ErrInvalid) { // a token with what was granted once and is no more
		if _, err := f.Installations(ctx); err != nil {
			return nil, err
		}
		if i, err = f.installation(ctx, id); err != nil {
			return nil, err
		}
		all, err = i.client.Repositories(ctx)
	}
	if err != nil {
		return nil, err
	}
	if i, err = f.granted(ctx, i, all); err != nil {
		return nil, err
	}
	listed := map[string]bool{}
	var out []event.Repository
	for _, r := range all {
		listed[strings.ToLower(r.FullName())] = true
		if r.Archived || r.Disabled {
			continue
		}
		out = append(out, event.Repository{Subject: event.Subject{Installation: id, Repository: r.ID}, Owner: r.Owner, Name: r.Name})
	}
	f.mu.Lock()
	news := i.listed == nil || len(listed) != len(i.listed)
	i.listed, i.listedAt = listed, began
	f.mu.Unlock()
	if news {
		f.o.Log.InfoContext(ctx, "repositories of an installation", slog.Int64("installation", id), slog.Int("count", len(out)))
	}
	return out, nil
}

// granted returns an installation with the permissions that it has now: an owner may have
// accepted further ones.
func (f *Fleet) granted(ctx context.Context, i *installation, all []promotion.Repository) (*installation, error) {
	if len(all) == 0 {
		return i, nil
	}
	now, ok, err := f.o.App.InstallationOf(ctx, all[0].Owner, all[0].Name)
	if err != nil || !ok || now.ID != i.ID {
		return i, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.know(now); err != nil {
		return nil, err
	}
	return f.installations[i.ID], nil
}

// Attempts lists GitHub's attempts to deliver webhooks since a time.
func (f *Fleet) Attempts(ctx context.Context, since time.Time) ([]event.Attempt, error) {
	all, err := f.o.App.Deliveries(ctx, since)
	if err != nil {
		return nil, err
	}
	out := make([]event.Attempt, 0, len(all))
	for _, d := range all {
		out = append(out, event.Attempt{ID: d.ID, GUID: d.GUID, At: d.At, OK: d.OK})
	}
	return out, nil
}

// Redeliver asks GitHub to deliver once more what an attempt carried.
func (f *Fleet) Redeliver(ctx context.Context, id int64) error { return f.o.App.Redeliver(ctx, id) }

// identity returns who the App is, and the author of its commits.
func (f *Fleet) identity(ctx context.Context, c *github.Client) (promotion.Self, git.Signature, error) {
	self, known, err := c.Self(ctx)
	if err != nil {
		return self, git.Signature{}, err
	}
	if !known {
		return self, git.Signature{}, errors.New("GitHub does not say who the App is")
	}
	return self, Author(f.web, self.Bot), nil
}
