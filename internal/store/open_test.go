package store

import (
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pressly/goose/v3"

	"github.com/pinnace-dev/pinnace/internal/store/postgres"
)

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return "sqlite:" + p
	}
	for _, c := range []struct{ name, url, want string }{
		{"no kind", "pinnace.db", "write sqlite:PATH or postgres://"},
		{"another kind", "mysql://u:hunter2@h/d", "write sqlite:PATH or postgres://"},
		{"no path", "sqlite:", "needs the path of a file"},
		{"memory", "sqlite::memory:", "needs the path of a file"},
		{"no folder", "sqlite:" + filepath.Join(dir, "none", "x.db"), "no such file or directory"},
		{"a folder", "sqlite:" + dir, "is a directory"},
		{"another file", file("text", strings.Repeat("This is no database at all. ", 300)), "the database is damaged"},
		{"no server", "postgres://u:hunter2@127.0.0.1:1/d?connect_timeout=2", "refused"},
		{"no URL", "postgres://u:hunter2@[/d", "open database"},
		{"a password elsewhere", "postgres://127.0.0.1:1/d?password=hunter2", "refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := Open(t.Context(), c.url, Options{})
			if err == nil {
				s.Close()
				t.Fatal("it opens")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error shows the password: %v", err)
			}
		})
	}
}

// A process that is stopped in the middle of a transaction keeps nobody from its rows for long.
func TestTransactionThatStandsStill(t *testing.T) {
	u := postgres.Start(t)
	var set string
	if err := open(t, u, Options{}).DB().QueryRow("SHOW idle_in_transaction_session_timeout").Scan(&set); err != nil || set != "10s" {
		t.Errorf("it may stand still for %q (%v), want 10s", set, err)
	}
	stopped, other := open(t, u+"&idle_in_transaction_session_timeout=100", Options{}), open(t, u, Options{})
	if _, err := other.DB().Exec("INSERT INTO leases VALUES ('x', 1, '', 0)"); err != nil {
		t.Fatal(err)
	}
	tx, err := stopped.DB().Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("UPDATE leases SET fence = 2"); err != nil {
		t.Fatal(err)
	}
	if _, err := other.DB().Exec("UPDATE leases SET fence = 3"); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err == nil {
		t.Error("the transaction that stood still is committed")
	}
}

func TestOpenMakesAPrivateFile(t *testing.T) {
	p := filepath.Join(t.TempDir(), "a b%20?#.db")
	s := open(t, "sqlite:"+p, Options{})
	if _, err := s.DB().Exec("INSERT INTO leases VALUES ('x', 1, '', 0)"); err != nil {
		t.Fatal(err)
	}
	i, err := os.Stat(p)
	if err != nil {
		t.Fatal(err)
	}
	if i.Mode().Perm() != 0o600 || i.Size() == 0 {
		t.Errorf("mode %v, size %d", i.Mode(), i.Size())
	}
}

// A commit is on disk when it returns.
func TestDurable(t *testing.T) {
	s := open(t, "sqlite:"+filepath.Join(t.TempDir(), "pinnace.db"), Options{})
	for name, db := range map[string]*sql.DB{"DB": s.DB(), "Writer": s.Writer()} {
		var synchronous int
		var journal string
		if err := db.QueryRow("PRAGMA synchronous").Scan(&synchronous); err != nil {
			t.Fatal(err)
		}
		if err := db.QueryRow("PRAGMA journal_mode").Scan(&journal); err != nil {
			t.Fatal(err)
		}
		if synchronous != 2 || journal != "wal" {
			t.Errorf("%s: synchronous %d, journal %s; want 2 (FULL) and wal", name, synchronous, journal)
		}
	}
	t.Run("postgres", func(t *testing.T) {
		url := postgres.Start(t)
		p := open(t, url, Options{})
		var user string
		if err := p.DB().QueryRow("SELECT current_user").Scan(&user); err != nil {
			t.Fatal(err)
		}
		if _, err := p.DB().Exec("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$"); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), url, Options{}); err == nil || !strings.Contains(err.Error(), "synchronous_commit is off") {
			t.Errorf("opened a server that may lose commits: %v", err)
		}
	})
}

func TestOneProcess(t *testing.T) {
	url := "sqlite:" + filepath.Join(t.TempDir(), "pinnace.db")
	first := open(t, url, Options{})
	if _, err := Open(t.Context(), url, Options{}); err == nil || !strings.Contains(err.Error(), "another process has this database open") {
		t.Errorf("opened it twice: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, url, Options{})
}

// A database of a newer version is left alone; one of the same version opens as it is.
func TestNewer(t *testing.T) {
	for _, c := range []struct{ name, statement string }{
		{"our tables", "INSERT INTO pinnace_version (version_id, is_applied) VALUES (9999, true)"},
		{"River's tables", "INSERT INTO river_migration (line, version) VALUES ('main', 9999)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			databases(t, func(t *testing.T, url string) {
				s := open(t, url, Options{})
				if _, err := s.DB().Exec(c.statement); err != nil {
					t.Fatal(err)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				if _, err := Open(t.Context(), url, Options{}); !errors.Is(err, ErrNewer) || !strings.Contains(err.Error(), "9999") {
					t.Errorf("%v, want ErrNewer", err)
				}
			})
		})
	}
}

// A database of an older version is brought up to date, and what it held is still there.
func TestOlder(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		s := open(t, url, Options{})
		if _, err := s.DB().Exec("INSERT INTO leases VALUES ('kept', 7, '', 0)"); err != nil {
			t.Fatal(err)
		}
		files, err := fs.Sub(migrations, "migrations")
		if err != nil {
			t.Fatal(err)
		}
		dialect := goose.DialectPostgres
		if s.SQLite() {
			dialect = goose.DialectSQLite3
		}
		p, err := goose.NewProvider(dialect, s.DB(), files, goose.WithTableName("pinnace_version"), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.DownTo(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		if _, err := s.DB().Exec("SELECT COUNT(*) FROM subjects"); err == nil {
			t.Fatal("the older version has the newer one's tables")
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, url, Options{})
		var subjects, fence int
		if err := s.DB().QueryRow("SELECT (SELECT COUNT(*) FROM subjects), fence FROM leases WHERE name = 'kept'").Scan(&subjects, &fence); err != nil || fence != 7 {
			t.Errorf("after the migration: fence %d, %v", fence, err)
		}
	})
}

// Replicas that start together migrate once.
func TestMigrateTogether(t *testing.T) {
	url := postgres.Start(t)
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() {
			s, err := Open(t.Context(), url, Options{Connections: 1})
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	var versions []int
	s := open(t, url, Options{})
	rows, err := s.DB().Query("SELECT version_id FROM pinnace_version ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var v int
		if err := rows.Scan(&v); err != nil {
			t.Fatal(err)
		}
		versions = append(versions, v)
	}
	if want := slices.Compact(slices.Sorted(slices.Values(versions))); !slices.Equal(versions, want) || len(versions) < 3 {
		t.Errorf("migrations applied: %v, want each once and in order", versions)
	}
}

// Both kinds have the same tables with the same columns.
func TestSameTables(t *testing.T) {
	lite := open(t, "sqlite:"+filepath.Join(t.TempDir(), "pinnace.db"), Options{})
	server := open(t, postgres.Start(t), Options{})
	columns := func(s *Store, query string) (all []string) {
		rows, err := s.DB().Query(query)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var table, column string
			if err := rows.Scan(&table, &column); err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(table, "river_") && !strings.HasPrefix(table, "sqlite_") {
				all = append(all, table+"."+column)
			}
		}
		slices.Sort(all)
		return all
	}
	a := columns(lite, "SELECT m.name, p.name FROM sqlite_master m, pragma_table_info(m.name) p WHERE m.type = 'table'")
	b := columns(server, "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'")
	if !slices.Equal(a, b) {
		t.Errorf("columns of SQLite:\n%v\nof PostgreSQL:\n%v", a, b)
	}
}

func TestRedact(t *testing.T) {
	for in, want := range map[string]string{
		"sqlite:/var/lib/x.db":                      "sqlite:/var/lib/x.db",
		"postgres://u:secret@h:5432/d?sslmode=off":  "postgres://u@h:5432/d?sslmode=off",
		"postgres://h/d?password=secret&sslmode=on": "postgres://h/d?sslmode=on",
		"postgres://u:secret@[/d":                   "postgres://...",
	} {
		if got := Redact(in); got != want {
			t.Errorf("Redact(%q) = %q, want %q", in, got, want)
		}
	}
}
