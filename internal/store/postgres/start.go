package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// patience bounds the making and the starting of a server; a busy machine takes seconds.
const patience = 60 * time.Second

// errMissing says that no PostgreSQL is installed.
var errMissing = errors.New("PostgreSQL is not installed: apt-get install postgresql")

var (
	server    = sync.OnceValues(start)
	databases atomic.Int64
)

// Start returns the URL of a fresh, empty database of PostgreSQL, which is dropped when the
// test ends. All tests of a process share one server, started by the first.
func Start(t testing.TB) string {
	t.Helper()
	dir, err := server()
	switch {
	case errors.Is(err, errMissing) && os.Getenv("CI") == "":
		t.Skip(err)
	case err != nil:
		t.Fatalf("start PostgreSQL: %v", err)
	}
	name := fmt.Sprintf("test%d", databases.Add(1))
	if err := execute(dir, "CREATE DATABASE "+name+" TEMPLATE template0"); err != nil {
		t.Fatalf("create database %s: %v", name, err)
	}
	t.Cleanup(func() {
		if err := execute(dir, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("drop database %s: %v", name, err)
		}
	})
	return address(dir, name)
}

func address(dir, database string) string {
	u := url.URL{Scheme: "postgres", User: url.User("pinnace"), Path: "/" + database, RawQuery: url.Values{"host": {dir}}.Encode()}
	return u.String()
}

func execute(dir, statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := pgx.Connect(ctx, address(dir, "postgres"))
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	_, err = c.Exec(ctx, statement)
	return err
}

// supervise runs a server until its standard input ends, which it does when the test process
// does, in whatever way; then it stops the server and removes all that it wrote.
// $1 is the directory, $2 the folder of the programs.
const supervise = `
"$2/initdb" -D "$1/data" -U pinnace -A trust -E UTF8 --locale=C --no-sync >"$1/log" 2>&1 || exit 1
"$2/postgres" -D "$1/data" -k "$1" -c listen_addresses= -c fsync=off -c full_page_writes=off -c synchronous_commit=on \
  -c max_connections=300 -c shared_buffers=32MB -c autovacuum=off >>"$1/log" 2>&1 &
server=$!
cat >/dev/null
kill -QUIT $server
wait $server
rm -rf "$1"
`

// start makes a server and returns the directory of its socket.
func start() (string, error) {
	bin, err := programs()
	if err != nil {
		return "", err
	}
	// The path of a socket has at most 107 bytes, so that TMPDIR is not asked.
	dir, err := os.MkdirTemp("/tmp", "pinnace-postgres-")
	if err != nil {
		return "", err
	}
	c := exec.Command("/bin/sh", "-c", supervise, "sh", dir, bin)
	c.Dir = "/"
	// A group of its own, so that Ctrl-C of a test does not stop it before the tests are done.
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if os.Geteuid() == 0 {
		// initdb refuses to run as root.
		uid, gid, err := unprivileged()
		if err != nil {
			return "", err
		}
		if err := os.Chown(dir, int(uid), int(gid)); err != nil {
			return "", err
		}
		c.SysProcAttr.Credential = &syscall.Credential{Uid: uid, Gid: gid}
	}
	lifeline, err := c.StdinPipe()
	if err != nil {
		return "", err
	}
	if err := c.Start(); err != nil {
		return "", err
	}
	ended := make(chan error, 1)
	go func() {
		ended <- c.Wait()
		// Held until here, so that the server's standard input does not end before the process.
		_ = lifeline.Close()
	}()
	return dir, await(dir, ended)
}

// await returns once the server answers, or has ended instead.
func await(dir string, ended <-chan error) error {
	failed := func(err error) error {
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		return fmt.Errorf("%w; it said:\n%s", err, log)
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for {
		err := execute(dir, "SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case err := <-ended:
			return failed(fmt.Errorf("the server ended: %w", err))
		case <-deadline:
			return failed(fmt.Errorf("no answer within %s: %w", patience, err))
		case <-tick.C:
		}
	}
}

// programs returns the folder of the newest server's programs.
func programs() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	best, version := "", 0
	for _, f := range found {
		bin := filepath.Dir(f)
		if v, err := strconv.Atoi(filepath.Base(filepath.Dir(bin))); err == nil && v > version {
			best, version = bin, v
		}
	}
	if best != "" {
		return best, nil
	}
	f, err := exec.LookPath("initdb")
	if err != nil {
		return "", errMissing
	}
	if f, err = filepath.EvalSymlinks(f); err != nil {
		return "", err
	}
	return filepath.Dir(f), nil
}

// unprivileged returns the user that runs the server where the tests run as root.
func unprivileged() (uid, gid uint32, err error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			continue
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			continue
		}
		return uint32(uid), uint32(gid), nil
	}
	return 0, 0, errors.New("a server does not run as root, and neither user postgres nor user nobody exists")
}
