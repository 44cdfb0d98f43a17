package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// Options are what Open may be told besides where the database is.
type Options struct {
	Log *slog.Logger // nil = none
	// Connections bounds those to a PostgreSQL server, 0 = 20; there may always be 4.
	Connections int
	// Now is the clock, nil = the database's: the machine's own on SQLite, the server's on
	// PostgreSQL, so that replicas agree.
	Now func() time.Time
}

// A Store is an open database. Its methods may be called concurrently.
type Store struct {
	db     *sql.DB // any number of readers
	writer *sql.DB // of SQLite one connection, so that writers wait in line; else db
	url    string  // without password
	lite   bool
	now    func() time.Time
	log    *slog.Logger
	lock   io.Closer // of an SQLite file
	close  sync.Once
}

// ErrNewer says that a database was migrated by a newer Pinnace.
var ErrNewer = errors.New("the database was migrated by a newer version of Pinnace: start that version, or one newer still")

// Open opens the database at a URL, "sqlite:PATH" or "postgres://...", and brings its tables up
// to date. An SQLite file that does not exist is made, with the permissions 0600.
func Open(ctx context.Context, location string, o Options) (*Store, error) {
	s := &Store{url: Redact(location), now: o.Now, log: o.Log}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	var err error
	path, lite := strings.CutPrefix(location, "sqlite:")
	switch {
	case lite:
		s.lite = true
		err = s.openFile(ctx, path)
	case strings.HasPrefix(location, "postgres://"), strings.HasPrefix(location, "postgresql://"):
		err = s.openServer(ctx, location, o.Connections)
	default:
		err = errors.New("not a database's URL: write sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE")
	}
	if err == nil {
		err = s.migrate(ctx)
	}
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("open database: %s: %w", s.url, Explain(err))
	}
	return s, nil
}

// idle is how long a transaction may stand still until the server undoes it: a process that is
// stopped, or that a cut network keeps from going on, holds no rows that others wait for.
// A URL may say otherwise (https://www.postgresql.org/docs/current/runtime-config-client.html).
const (
	idle      = 10 * time.Second
	idleParam = "idle_in_transaction_session_timeout"
)

// openServer connects to PostgreSQL.
func (s *Store) openServer(ctx context.Context, location string, connections int) error {
	c, err := pgx.ParseConfig(location)
	if err != nil {
		// What ParseConfig says names neither user nor password.
		return err
	}
	if c.RuntimeParams["application_name"] == "" {
		c.RuntimeParams["application_name"] = "pinnace"
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = 10 * time.Second
	}
	s.db = stdlib.OpenDB(*c, stdlib.OptionAfterConnect(func(ctx context.Context, conn *pgx.Conn) error {
		if c.RuntimeParams[idleParam] != "" {
			return nil
		}
		_, err := conn.Exec(ctx, fmt.Sprintf("SET %s = %d", idleParam, idle.Milliseconds()))
		return err
	}))
	if connections == 0 {
		connections = 20
	}
	// Migrating takes two at a time.
	connections = max(connections, 4)
	s.db.SetMaxOpenConns(connections)
	s.db.SetMaxIdleConns(connections)
	s.db.SetConnMaxIdleTime(5 * time.Minute)
	// A server that failed over is found again.
	s.db.SetConnMaxLifetime(30 * time.Minute)
	s.writer = s.db
	var durable, version string
	if err := s.db.QueryRowContext(ctx, "SELECT current_setting('synchronous_commit'), current_setting('server_version_num')").Scan(&durable, &version); err != nil {
		return err
	}
	if durable == "off" {
		return errors.New("synchronous_commit is off, and so a commit may be lost: ALTER ROLE ... SET synchronous_commit = on")
	}
	if len(version) < 6 || version < "130000" {
		return fmt.Errorf("PostgreSQL %s is too old: 13 or newer is needed", version)
	}
	return nil
}

// Redact returns a database's URL without its password.
func Redact(location string) string {
	if !strings.Contains(location, "://") {
		return location
	}
	u, err := url.Parse(location)
	if err != nil {
		return "postgres://..."
	}
	if q := u.Query(); q.Has("password") || q.Has("sslpassword") {
		q.Del("password")
		q.Del("sslpassword")
		u.RawQuery = q.Encode()
	}
	if u.User != nil {
		u.User = url.User(u.User.Username())
	}
	return u.String()
}

// DB is for statements of any kind. A transaction on it that writes should be short.
func (s *Store) DB() *sql.DB { return s.db }

// Writer is DB, or on SQLite a single connection, on which those that write often wait for
// one another in line. Who holds a transaction or rows of it must not ask it for more.
func (s *Store) Writer() *sql.DB { return s.writer }

// SQLite says that the database is a file, which this process alone has opened.
func (s *Store) SQLite() bool { return s.lite }

// A Querier is a *sql.DB, a *sql.Conn or a *sql.Tx.
type Querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Now is the time that all replicas agree on, in whole microseconds.
func (s *Store) Now(ctx context.Context, q Querier) (time.Time, error) {
	switch {
	case s.now != nil:
		return s.now().Truncate(time.Microsecond), nil
	case s.lite:
		return time.Now().Truncate(time.Microsecond), nil
	}
	var micro int64
	if err := q.QueryRowContext(ctx, "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)").Scan(&micro); err != nil {
		return time.Time{}, fmt.Errorf("read the database's clock: %w", err)
	}
	return time.UnixMicro(micro), nil
}

// Ping says whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	if err := s.db.QueryRowContext(ctx, "SELECT 1").Scan(&one); err != nil {
		return fmt.Errorf("ask the database: %s: %w", s.url, Explain(err))
	}
	return nil
}

// Close closes the database; what is under way on it fails.
func (s *Store) Close() error {
	var errs []error
	s.close.Do(func() {
		if s.db != nil {
			errs = append(errs, s.db.Close())
		}
		if s.writer != nil && s.writer != s.db {
			errs = append(errs, s.writer.Close())
		}
		if s.lock != nil {
			errs = append(errs, s.lock.Close())
		}
	})
	return errors.Join(errs...)
}
