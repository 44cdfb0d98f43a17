package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/fleet"
	"github.com/pinnace-dev/pinnace/internal/github"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/queue"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
	"github.com/pinnace-dev/pinnace/internal/registry"
	"github.com/pinnace-dev/pinnace/internal/server"
	"github.com/pinnace-dev/pinnace/internal/store"
	"github.com/pinnace-dev/pinnace/internal/telemetry"
	"github.com/pinnace-dev/pinnace/internal/verdict"
	"github.com/pinnace-dev/pinnace/internal/watch"
)

// run serves until ctx ends.
func (f *serveFlags) run(ctx context.Context, errs io.Writer) error {
	if err := f.check(); err != nil {
		return err
	}
	log, err := telemetry.Logger(errs, f.logFormat, f.logLevel)
	if err != nil {
		return usageError{err}
	}
	if f.setup != "" && f.hub.appID == 0 {
		if err := f.register(ctx, log); err != nil {
			return err
		}
	}
	secrets, err := secretsIn("--webhook-secret-file", f.secrets)
	if err != nil {
		return err
	}
	hints, token, err := f.further(log)
	if err != nil {
		return err
	}
	traces, err := telemetry.Trace(ctx, versionNumber(), log)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = traces.Stop(ctx)
	}()
	counts := telemetry.New(telemetry.Options{Version: versionNumber(), Hosts: f.private, Log: log})

	images, err := f.client(counts, traces)
	if err != nil {
		return err
	}
	defer images.Close()
	app, options, err := f.app(ctx, log, counts, traces)
	if err != nil {
		return err
	}
	db, err := f.open(ctx, log)
	if err != nil {
		return err
	}
	defer db.Close()
	etags := db.ETags(store.ETagOptions{Front: github.NewMemoryETags(8 << 20)})
	options.Cache = etags

	var watcher *watch.Watcher
	ships, err := f.fleet(log, counts, traces, app, options, images, &watcher)
	if err != nil {
		return err
	}
	defer ships.Close()
	jobs, err := queue.New(queue.Options{
		Store: db, Work: ships, Log: log, Observer: telemetry.Turns[queue.Outcome]{T: counts},
		Workers: f.workers, Lease: f.lease, Grace: f.grace, Resync: f.resync,
	})
	if err != nil {
		return err
	}
	counts.Watch(func(ctx context.Context) (telemetry.Queue, error) {
		s, err := jobs.Status(ctx)
		return telemetry.Queue{Waiting: s.Waiting, Running: s.Running, Quarantined: s.Quarantined, Oldest: time.Duration(s.Oldest), Lost: s.Lost}, err
	})
	first := &leader{store: db, name: "watch", ttl: f.lease, counts: counts}
	watcher, err = watch.New(watch.Options{
		Log: log, Ledger: db, Open: func() (watch.Registry, error) { return images.Anew(), nil }, Raise: jobs.Raise, Reporter: ships,
		Lead: first.leads, Observer: counts, Tags: f.watch,
	})
	if err != nil {
		return err
	}
	door, err := f.door(log, counts, db, jobs, watcher, secrets, hints, token)
	if err != nil {
		return err
	}
	listener, err := listen(ctx, f.listen)
	if err != nil {
		return err
	}
	log.InfoContext(ctx, "listening", slog.String("address", listener.Addr().String()), slog.String("database", store.Redact(f.location())), slog.String("version", versionNumber()))
	// The door is the last to open and the first to close: what it takes in is kept, and worked
	// off by whoever runs next.
	told := ctx
	all, ctx := errgroup.WithContext(ctx)
	all.Go(func() error { return jobs.Run(ctx) })
	all.Go(func() error { return etags.Run(ctx) })
	if f.watch > 0 {
		all.Go(func() error { return watcher.Run(ctx) })
	}
	all.Go(func() error { return door.Serve(ctx, listener) })
	err = all.Wait()
	first.leave()
	if err != nil && told.Err() != nil { // whoever runs next finds what was left
		log.Warn("stopped before all was written down", slog.String("error", err.Error()))
		err = nil
	}
	log.Info("stopped")
	return err
}

// check refuses what cannot be meant.
func (f *serveFlags) check() error {
	for _, d := range []struct {
		flag  string
		value time.Duration
		least time.Duration
	}{{"resync", f.resync, time.Second}, {"lease", f.lease, 2 * time.Second}, {"grace", f.grace, 0}, {"watch", f.watch, 0}, {"drain", f.drain, 0}} {
		if d.value < d.least {
			return usage("--%s is %s: want %s or more", d.flag, d.value, d.least)
		}
	}
	if f.workers < 1 || f.workers > 256 {
		return usage("--workers is %d: want 1 to 256", f.workers)
	}
	if _, err := net.ResolveTCPAddr("tcp", f.listen); err != nil {
		return usage("--listen %s: want HOST:PORT, or :PORT for all addresses of this machine", f.listen)
	}
	if err := f.hub.app(); err != nil {
		return err
	}
	switch {
	case f.hub.cache == "off":
		return usage("--cache off: a server keeps what it fetched; name a directory")
	case f.hub.appID != 0 && f.secrets == "":
		return usage("--webhook-secret-file is missing (PINNACE_WEBHOOK_SECRET_FILE): without the secret nothing that comes in can be believed")
	case f.hub.appID == 0 && f.setup == "":
		return usage("no App: name it with --app-id and --app-key (PINNACE_APP_ID, PINNACE_APP_KEY), or register one with pinnace setup, or with --setup from here")
	}
	return nil
}

// location is where the database is.
func (f *serveFlags) location() string {
	return cmp.Or(f.database, "sqlite:"+filepath.Join(stateDir(), "pinnace.db"))
}

// open opens the database. Its directory is made where nobody named one.
func (f *serveFlags) open(ctx context.Context, log *slog.Logger) (*store.Store, error) {
	if f.database == "" {
		if err := os.MkdirAll(stateDir(), 0o700); err != nil {
			return nil, fmt.Errorf("no --database is named, and there is no place for one: %w", err)
		}
	}
	db, err := store.Open(ctx, f.location(), store.Options{Log: log})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: make the directory first", err)
	case err != nil:
		return nil, inLine{err}
	}
	return db, nil
}

// An inLine error is one that is told in one line.
type inLine struct{ error }

func (e inLine) Error() string { return oneLine(e.error.Error()) }

func (e inLine) Unwrap() error { return e.error }

// listen listens on the address of --listen.
func listen(ctx context.Context, address string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	var of *net.OpError
	if errors.As(err, &of) {
		err = of.Err
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("--listen %s: %w: stop who listens there, or name another port", address, err)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("--listen %s: %w: ports below 1024 are for root, name a higher one", address, err)
	case err != nil:
		return nil, fmt.Errorf("--listen %s: %w", address, err)
	}
	return l, nil
}

// stateDir is where a server keeps what is its own
// (https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#RuntimeDirectory=,
// https://specifications.freedesktop.org/basedir/latest/).
func stateDir() string {
	if dir, _, _ := strings.Cut(os.Getenv("STATE_DIRECTORY"), ":"); dir != "" {
		return dir
	}
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "pinnace")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = "."
	}
	return filepath.Join(home, ".local", "state", "pinnace")
}

// secretsIn reads the file of secrets that a flag names, one on each line; none where it names
// no file.
func secretsIn(flag, file string) ([]github.Secret, error) {
	if file == "" {
		return nil, nil
	}
	data, err := readSmall(file)
	if err != nil {
		return nil, fmt.Errorf("%s %w", flag, err)
	}
	var out []github.Secret
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, github.Secret(line))
		}
	}
	switch {
	case len(out) == 0:
		return nil, fmt.Errorf("%s %s: it holds no secret; pwgen -s 40 1 makes one", flag, file)
	case len(out) > 2:
		return nil, fmt.Errorf("%s %s: it holds %d secrets: want the one of now, and on a second line the one before it", flag, file, len(out))
	}
	return out, nil
}

// client reaches registries as the operator says; what repositories configure has no say.
func (f *serveFlags) client(counts *telemetry.Telemetry, traces *telemetry.Traces) (*registry.Client, error) {
	o, err := f.registries.options(nil)
	if err != nil {
		return nil, err
	}
	o.Server, o.AllowPrivate = true, f.private
	o.Observe = func(ctx context.Context, host string, status int, took time.Duration) {
		counts.Registry(host, status)
		traces.Registry(ctx, host, status, took)
	}
	client, err := registry.New(o)
	if err != nil {
		return nil, usageError{err}
	}
	return client, nil
}

// app returns the App, whose key GitHub has taken, and how to speak to GitHub. Where GitHub does
// not answer the server starts all the same.
func (f *serveFlags) app(ctx context.Context, log *slog.Logger, counts *telemetry.Telemetry, traces *telemetry.Traces) (*github.App, github.Options, error) {
	var options github.Options
	api, root, err := apiAddress()
	if err != nil {
		return nil, options, err
	}
	key, err := readSmall(f.hub.appKey)
	if err != nil {
		return nil, options, fmt.Errorf("--app-key %w", err)
	}
	options = github.Options{Transport: traces.Transport(github.NewTransport()), URL: root, UserAgent: "pinnace/" + versionNumber(), Log: log, Spacing: spacing(api)}
	app, err := github.NewApp(github.AppOptions{
		ID: f.hub.appID, Key: key, Transport: options.Transport, URL: root, UserAgent: options.UserAgent, Log: log,
		Observe: func(c github.Call) { counts.GitHub(c.Method, c.Route, c.Status, c.Took) },
	})
	if err != nil {
		return nil, options, usageError{fmt.Errorf("--app-key %s: %w", f.hub.appKey, err)}
	}
	asked, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	switch _, err := app.Identity(asked); {
	case errors.Is(err, promotion.ErrUnauthenticated), errors.Is(err, promotion.ErrNotFound):
		return nil, options, tokenError{fmt.Errorf("%s does not take this key for App %d: take number and key from the App's own page, and see that the clock is right", api.Host, f.hub.appID)}
	case err != nil && ctx.Err() == nil:
		log.WarnContext(ctx, "GitHub does not answer: it is asked again and again, and meanwhile what comes in is kept", slog.String("error", err.Error()))
	}
	return app, options, nil
}

// fleet joins the App with its repositories. watcher is set before the first visit.
func (f *serveFlags) fleet(log *slog.Logger, counts *telemetry.Telemetry, traces *telemetry.Traces, app *github.App, options github.Options, images *registry.Client, watcher **watch.Watcher) (*fleet.Fleet, error) {
	dir := cmp.Or(f.hub.cache, filepath.Join(stateDir(), "git"))
	return fleet.New(fleet.Options{
		App: app, GitHub: options, Cache: dir, CacheSize: int64(f.cacheSize), Version: versionNumber(), Log: log, Observer: counts, Tracer: traces.Tracer(),
		Registries: func(*config.Config) (reconcile.Registries, error) { return images.Anew(), nil },
		Stands: func(ctx context.Context, r event.Repository, bases []verdict.ReadBase) error {
			if all := watched(bases); len(all) > 0 {
				return (*watcher).Standing(ctx, r.Subject, all)
			}
			return (*watcher).Forget(ctx, r.Subject) // so that nothing is written there any more
		},
		Gone: func(ctx context.Context, s event.Subject) error { return (*watcher).Forget(ctx, s) },
	})
}

// watched lists the images to watch.
func watched(bases []verdict.ReadBase) []event.Stands {
	var out []event.Stands
	for _, b := range bases {
		for _, s := range b.Running {
			x := event.Stands{Name: s.Image.Repository(), Tag: s.Image.Tag, Digest: string(s.Image.Digest), Place: fmt.Sprintf("%s:%d", s.Path, s.Line)}
			if e, ok := b.Config.Environment(s.Environment); ok {
				t, ok := e.TrackOf(s.Image)
				x.Tracked = ok && t.Follow == ""
			}
			out = append(out, x)
		}
	}
	return out
}

// further reads the secrets of registries that notify, and the token of those who look.
func (f *serveFlags) further(log *slog.Logger) (hints map[server.Registry][]github.Secret, token github.Secret, err error) {
	if f.registrySecrets != "" {
		hints = map[server.Registry][]github.Secret{}
		if _, err := os.ReadDir(f.registrySecrets); err != nil {
			return nil, "", fmt.Errorf("--registry-secrets %w", pathError(f.registrySecrets, err))
		}
		for _, kind := range []server.Registry{server.Distribution, server.Harbor, server.DockerHub, server.Generic} {
			file := filepath.Join(f.registrySecrets, string(kind))
			if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if hints[kind], err = secretsIn("--registry-secrets", file); err != nil {
				return nil, "", err
			}
		}
		if len(hints) == 0 {
			log.Warn("no registry may notify: no file of --registry-secrets is named distribution, harbor, dockerhub or generic")
		}
	}
	all, err := secretsIn("--status-token-file", f.token)
	if len(all) > 0 {
		token = all[0]
	}
	return hints, token, err
}

// door joins all that answers HTTP.
func (f *serveFlags) door(log *slog.Logger, counts *telemetry.Telemetry, db *store.Store, jobs *queue.Queue, watcher *watch.Watcher, secrets []github.Secret, hints map[server.Registry][]github.Secret, token github.Secret) (*server.Server, error) {
	pushed := watcher.Pushed
	if f.watch == 0 {
		pushed = nil // nobody asks
	}
	return server.New(server.Options{
		Secrets: secrets, Inbox: jobs, Pushed: pushed, RegistrySecrets: hints, Metrics: counts.Handler(), Token: token,
		Ready:  []server.Check{{Name: "database", Run: db.Ping}},
		Status: func(ctx context.Context) (any, error) { return jobs.Status(ctx) }, Release: jobs.Release,
		Log: log, Observer: counts, Version: versionNumber(), Drain: f.drain,
	})
}
