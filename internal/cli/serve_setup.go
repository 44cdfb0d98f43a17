package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/fleet"
	"github.com/pinnace-dev/pinnace/internal/server"
	"github.com/pinnace-dev/pinnace/internal/setup"
)

// register has the App registered by whoever opens the link in the log, and returns once its
// credentials are stored. Those that are stored already are taken as they are.
func (f *serveFlags) register(ctx context.Context, log *slog.Logger) error {
	dir := filepath.Join(stateDir(), "app")
	if err := f.stored(dir); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	api, root, err := apiAddress()
	if err != nil {
		return err
	}
	app := setup.App{Name: f.name, Org: f.org, Webhook: setup.Webhook(f.setup)}
	if err := app.Validate(); err != nil {
		return usageError{err}
	}
	keep := setup.Files{Dir: dir}
	if err := keep.Ready(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := false
	page, link, err := setup.Handler(setup.ServerOptions{
		Options: setup.Options{
			App: app, API: root, Web: fleet.Web(api), Keep: keep, Where: "to " + dir + " on the server, where nobody else may read it",
			Next: "The server goes on by itself.", UserAgent: "pinnace/" + versionNumber(), Log: log,
		},
		Root: f.setup, Done: func(setup.Result) { done = true; cancel() },
	})
	if err != nil {
		return usageError{err}
	}
	door, err := server.New(server.Options{Setup: page, Log: log, Version: versionNumber()})
	if err != nil {
		return err
	}
	listener, err := listen(ctx, f.listen)
	if err != nil {
		return err
	}
	log.InfoContext(ctx, "no App yet: open this link within an hour to register it; it serves one browser", slog.String("link", link))
	if err := door.Serve(ctx, listener); err != nil {
		return err
	}
	if !done {
		return errors.New("stopped before an App was registered")
	}
	return f.stored(dir)
}

// stored takes the App from a directory of credentials.
func (f *serveFlags) stored(dir string) error {
	data, err := os.ReadFile(filepath.Join(dir, setup.EnvFile))
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(data)) {
		if id, ok := strings.CutPrefix(strings.TrimSpace(line), "PINNACE_APP_ID="); ok {
			f.hub.appID, err = strconv.ParseInt(id, 10, 64)
		}
	}
	if err != nil || f.hub.appID == 0 {
		return fmt.Errorf("%s names no App: move it away to register one anew", filepath.Join(dir, setup.EnvFile))
	}
	f.hub.appKey, f.secrets = filepath.Join(dir, setup.KeyFile), filepath.Join(dir, setup.SecretFile)
	return nil
}
