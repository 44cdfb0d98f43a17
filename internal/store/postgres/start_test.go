package postgres

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Each call has a database of its own, on one server.
func TestStart(t *testing.T) {
	ctx := context.Background()
	open := func(url string) *pgx.Conn {
		c, err := pgx.Connect(ctx, url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close(ctx) })
		return c
	}
	one, two := open(Start(t)), open(Start(t))
	if _, err := one.Exec(ctx, "CREATE TABLE here (n int)"); err != nil {
		t.Fatal(err)
	}
	var exists bool
	if err := two.QueryRow(ctx, "SELECT to_regclass('here') IS NOT NULL").Scan(&exists); err != nil || exists {
		t.Fatalf("the second database has the first one's table: %v, %v", exists, err)
	}
	var name string
	if err := two.QueryRow(ctx, "SELECT current_database()").Scan(&name); err != nil || name != "test2" {
		t.Fatalf("second database: %q, %v", name, err)
	}
}
