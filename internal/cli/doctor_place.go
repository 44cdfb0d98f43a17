package cli

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pinnace-dev/pinnace/internal/doctor"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/plan"
	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/registry"
	"github.com/pinnace-dev/pinnace/internal/store"
)

// standingApps are the apps of what stands, by name.
func standingApps(standing []plan.Standing) []policy.App {
	byName := map[string]*policy.App{}
	var out []*policy.App
	for _, s := range standing {
		if s.App == "" {
			continue
		}
		a := byName[s.App]
		if a == nil {
			a = &policy.App{Name: s.App}
			byName[s.App], out = a, append(out, a)
		}
		if r := s.Image.Repository(); !slices.Contains(a.Images, r) {
			a.Images = append(a.Images, r)
		}
	}
	slices.SortFunc(out, func(a, b *policy.App) int { return strings.Compare(a.Name, b.Name) })
	var all []policy.App
	for _, a := range out {
		all = append(all, *a)
	}
	return all
}

// mostRegistries is how many hosts are asked.
const mostRegistries = 30

// registriesOf asks each registry that stands in the repository for one image of it.
func (f *doctorFlags) registriesOf(ctx context.Context, t doctor.Tree) ([]doctor.Place, error) {
	client, err := f.registries.client(t.Book.Config)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	sample := map[string]image.Ref{}
	var hosts []string
	for _, s := range t.Standing {
		host := s.Image.Registry()
		if _, there := sample[host]; !there && len(hosts) < mostRegistries {
			sample[host], hosts = s.Image, append(hosts, host)
		}
	}
	slices.Sort(hosts)
	out := make([]doctor.Place, len(hosts))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(8)
	for i, host := range hosts {
		g.Go(func() error {
			ask := client.Stat
			if sample[host].Digest == "" {
				ask = client.Resolve
			}
			_, err := ask(ctx, sample[host])
			if errors.Is(err, image.ErrUnknown) {
				err = nil // it answers; that the image is gone is check's to say
			}
			var auth *registry.AuthError
			out[i] = doctor.Place{Name: host, Err: err, Auth: errors.As(err, &auth)}
			return ctx.Err()
		})
	}
	return out, g.Wait()
}

// cacheOf writes a file into the cache of git and deletes it.
func (f *doctorFlags) cacheOf(context.Context) (string, error) {
	dir := f.hub.cache
	if dir == "" {
		below, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("there is no directory for caches: %w", err)
		}
		dir = filepath.Join(below, "pinnace", "git")
	}
	if err := writable(dir); err != nil {
		return "", err
	}
	return dir, nil
}

func writable(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return pathError(dir, err)
	}
	file, err := os.CreateTemp(dir, ".doctor-")
	if err != nil {
		return pathError(dir, err)
	}
	_, err = file.WriteString("pinnace doctor\n")
	if e := file.Close(); err == nil {
		err = e
	}
	if e := os.Remove(file.Name()); err == nil {
		err = e
	}
	if err != nil {
		return pathError(dir, err)
	}
	return nil
}

// databaseOf looks at a database without changing it.
func databaseOf(ctx context.Context, location string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	name := store.Redact(location)
	if path, ok := strings.CutPrefix(location, "sqlite:"); ok {
		if err := sqliteFile(path); err != nil {
			return "", err
		}
		return name + " can be written", nil
	}
	if !strings.HasPrefix(location, "postgres://") && !strings.HasPrefix(location, "postgresql://") {
		return "", errors.New("want sqlite:FILE or postgres://USER@HOST/DATABASE")
	}
	db, err := sql.Open("pgx", location)
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, store.Explain(err))
	}
	defer db.Close()
	var version string
	var may bool
	if err := db.QueryRowContext(ctx, `SELECT current_setting('server_version'), has_schema_privilege(current_schema(), 'CREATE')`).Scan(&version, &may); err != nil {
		return "", fmt.Errorf("%s: %w", name, store.Explain(err))
	}
	if !may {
		return "", fmt.Errorf("%s: the account may not create tables there", name)
	}
	return fmt.Sprintf("%s answers: PostgreSQL %s", name, version), nil
}

// sqliteFile looks at the file of a database, which a server may have open.
func sqliteFile(path string) error {
	path, _, _ = strings.Cut(path, "?")
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return writable(filepath.Dir(path))
	case err != nil:
		return pathError(path, err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is no file", path)
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return pathError(path, err)
	}
	defer file.Close()
	head := make([]byte, 16)
	n, err := io.ReadFull(file, head)
	if err != nil && n > 0 || n == len(head) && !bytes.Equal(head, []byte("SQLite format 3\x00")) { // https://www.sqlite.org/fileformat.html
		return fmt.Errorf("%s is no database of SQLite", path)
	}
	return writable(filepath.Dir(path)) // for its journal
}

// serverOf asks a server whether it is ready.
func serverOf(ctx context.Context, root *url.URL) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	at := root.JoinPath("readyz")
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("User-Agent", "pinnace/"+versionNumber())
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return "", fmt.Errorf("%s: %w", at, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 2<<10))
	if err != nil {
		return "", fmt.Errorf("%s: %w", at, err)
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s answers %d: %s", at, resp.StatusCode, oneLine(string(text)))
	}
	return at.String() + " answers", nil
}
