package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// openFile opens or makes an SQLite database.
func (s *Store) openFile(ctx context.Context, path string) error {
	if path == "" || path == ":memory:" {
		return errors.New("sqlite: needs the path of a file, as in sqlite:/var/lib/pinnace/pinnace.db")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	// The file may have several names; the lock is beside the one that it really has.
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	} else if dir, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		path = filepath.Join(dir, filepath.Base(path))
	}
	// The lock is on a file of its own: closing any descriptor of the database would drop
	// SQLite's own locks (https://www.sqlite.org/howtocorrupt.html, 2.2).
	if s.lock, err = lockFile(path + ".lock"); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if s.db, err = sql.Open("sqlite", address(path)); err != nil {
		return err
	}
	s.db.SetMaxOpenConns(8)
	s.db.SetMaxIdleConns(8)
	if s.writer, err = sql.Open("sqlite", address(path)); err != nil {
		return err
	}
	s.writer.SetMaxOpenConns(1)
	return s.sound(ctx)
}

// address is what the driver is told of a file. Transactions take the write lock when they
// begin, so that none fails half-way because another one wrote meanwhile. Who waits for the
// lock gives up after 5 s, so that a webhook is answered within GitHub's 10.
func address(path string) string {
	q := url.Values{"_txlock": {"immediate"}}
	for _, p := range []string{"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "cache_size(-8000)"} {
		q.Add("_pragma", p)
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}
	return u.String()
}

// sound returns an error where the file is damaged, or cannot be written durably.
func (s *Store) sound(ctx context.Context) error {
	var mode string
	if err := s.db.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("its journal is %q where a write-ahead log is needed: the file system may not know shared memory, as a network's does not", mode)
	}
	var found string
	if err := s.db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&found); err != nil {
		return err
	}
	if found != "ok" {
		return fmt.Errorf("%w: %s", errDamaged, found)
	}
	return nil
}
