package store

import (
	"bytes"
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fill writes rows until one is refused, and returns how many were not and why the last was.
func fill(t *testing.T, s *Store) (kept int, err error) {
	t.Helper()
	for i := range 100_000 {
		if _, err := s.Writer().Exec("INSERT INTO leases (name, fence, holder, ends) VALUES ($1, 1, $2, 0)", i, strings.Repeat("x", 4000)); err != nil {
			return i, Explain(err)
		}
	}
	t.Fatal("it never fills")
	return 0, nil
}

// count is how many leases a database has, which is opened anew for it.
func count(t *testing.T, url string) (n int) {
	t.Helper()
	s := open(t, url, Options{})
	if err := s.DB().QueryRow("SELECT COUNT(*) FROM leases").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A full disk refuses; what was not refused is there afterwards, and nothing else.
func TestFull(t *testing.T) {
	url := "sqlite:" + filepath.Join(t.TempDir(), "pinnace.db")
	s := open(t, url, Options{})
	if _, err := s.Writer().Exec("PRAGMA max_page_count = 400"); err != nil {
		t.Fatal(err)
	}
	kept, err := fill(t, s)
	if err == nil || !strings.Contains(err.Error(), "no space left for the database") {
		t.Errorf("the error is %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := count(t, url); got != kept {
		t.Errorf("%d rows are there, %d were written", got, kept)
	}
}

// Damage is found when the database is opened, and the error says what to do.
func TestDamaged(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func(b []byte) []byte
	}{
		{"the first page", func(b []byte) []byte { copy(b, bytes.Repeat([]byte("x"), 100)); return b }},
		{"pages in the middle", func(b []byte) []byte { copy(b[4096*3:], bytes.Repeat([]byte{0xa5}, 4096*20)); return b }},
		{"the end is missing", func(b []byte) []byte { return b[:len(b)/2] }},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := filepath.Join(t.TempDir(), "pinnace.db")
			s := open(t, "sqlite:"+p, Options{})
			for i := range 200 {
				if _, err := s.Writer().Exec("INSERT INTO leases (name, fence, holder, ends) VALUES ($1, 1, $2, 0)", i, strings.Repeat("x", 1000)); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(p)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(p, c.damage(b), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err = Open(t.Context(), "sqlite:"+p, Options{})
			if err == nil || !strings.Contains(err.Error(), "the database is damaged: move the file") {
				t.Errorf("the error is %v", err)
			}
			// As the error says: without the file it starts anew.
			for _, end := range []string{"", "-wal", "-shm"} {
				if err := os.Remove(p + end); err != nil && !os.IsNotExist(err) {
					t.Fatal(err)
				}
			}
			if got := count(t, "sqlite:"+p); got != 0 {
				t.Errorf("%d rows in a new database", got)
			}
		})
	}
}

// Another program that holds the file locked makes writes fail, after a while and clearly.
func TestLocked(t *testing.T) {
	t.Parallel()
	p := filepath.Join(t.TempDir(), "pinnace.db")
	s := open(t, "sqlite:"+p, Options{})
	other, err := sql.Open("sqlite", address(p))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	tx, err := other.BeginTx(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, ok, err := s.Lease(t.Context(), "x", time.Minute)
	if ok || err == nil || !strings.Contains(err.Error(), "another program holds the database locked") {
		t.Errorf("took a lease: %v, %v", ok, err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("reading waits for a writer: %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := s.Lease(t.Context(), "x", time.Minute); !ok || err != nil {
		t.Errorf("after the other program let go: %v, %v", ok, err)
	}
}
