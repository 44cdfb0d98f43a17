package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrating is the key of PostgreSQL's advisory lock under which one process at a time migrates.
const migrating = 0x70696e6e616365 // "pinnace"

// migrate brings the tables up to date: ours, and those of River.
func (s *Store) migrate(ctx context.Context) (err error) {
	unlock, err := s.exclude(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := s.migrateOurs(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if err := s.migrateRiver(ctx); err != nil {
		return fmt.Errorf("migrate the queue's tables: %w", err)
	}
	return nil
}

// exclude returns once no other process migrates. On SQLite the file's lock sees to that.
func (s *Store) exclude(ctx context.Context) (unlock func(), err error) {
	if s.lite {
		return func() {}, nil
	}
	c, err := s.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := c.ExecContext(ctx, "SELECT pg_advisory_lock($1)", migrating); err != nil {
		c.Close()
		return nil, fmt.Errorf("wait for another process to migrate: %w", err)
	}
	return func() {
		if _, err := c.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", migrating); err != nil {
			s.log.Warn("unlock the database after migrating", "error", err)
		}
		c.Close()
	}, nil
}

func (s *Store) migrateOurs(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	dialect := goose.DialectPostgres
	if s.lite {
		dialect = goose.DialectSQLite3
	}
	p, err := goose.NewProvider(dialect, s.db, files, goose.WithTableName("pinnace_version"), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return err
	}
	has, knows, err := p.GetVersions(ctx)
	if err != nil {
		return err
	}
	if has > knows {
		return fmt.Errorf("%w (its version is %d, this program knows %d)", ErrNewer, has, knows)
	}
	done, err := p.Up(ctx)
	for _, d := range done {
		s.log.Info("migrated the database", "migration", d.Source.Path, "duration_ms", d.Duration.Milliseconds())
	}
	return err
}

func (s *Store) migrateRiver(ctx context.Context) error {
	c := &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)} // its lines have keys of their own
	var (
		m   *rivermigrate.Migrator[*sql.Tx]
		err error
	)
	if s.lite {
		m, err = rivermigrate.New(riversqlite.New(s.db), c)
	} else {
		m, err = rivermigrate.New(riverdatabasesql.New(s.db), c)
	}
	if err != nil {
		return err
	}
	var knows, has int
	for _, v := range m.AllVersions() {
		knows = max(knows, v.Version)
	}
	// A new database has no such table; what else may be wrong Migrate says.
	if err := s.db.QueryRowContext(ctx, "SELECT MAX(version) FROM river_migration WHERE line = 'main'").Scan(&has); err == nil && has > knows {
		return fmt.Errorf("%w (the queue's version is %d, this program knows %d)", ErrNewer, has, knows)
	}
	done, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	if done != nil {
		for _, v := range done.Versions {
			s.log.InfoContext(ctx, "migrated the database", slog.String("migration", "river "+v.Name), slog.Int64("duration_ms", v.Duration.Milliseconds()))
		}
	}
	return err
}
