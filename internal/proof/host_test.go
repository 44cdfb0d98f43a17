package proof

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// A host runs processes of pinnace serve on one database.
type host struct {
	w        *world
	database string
	flags    []string
	env      []string
	before   string // a shell's command that runs the program: "$0" "$@"; "" is none
	revives  bool   // a process that is gone is started anew
	slots    []*process
	settled  func() bool // what else must be so at rest; nil is nothing
	unposted bool        // the test itself delivers
	paced    bool        // visits of one repository keep their pauses
}

// host prepares to run processes on a database, to which GitHub delivers by itself.
func (w *world) host(database string, flags ...string) *host {
	w.pump()
	h := w.unposted(database, flags...)
	h.unposted = false
	return h
}

// unposted prepares to run processes to which the test delivers.
func (w *world) unposted(database string, flags ...string) *host {
	secret := filepath.Join(w.home, "secret")
	if err := os.WriteFile(secret, []byte(w.app.Secret()+"\n"), 0o600); err != nil {
		w.t.Fatal(err)
	}
	h := &host{w: w, database: database, unposted: true}
	h.flags = append([]string{"--webhook-secret-file", secret, "--allow-private-registry", w.Registry(), "--registry-map", "*=" + w.Registry(), "--insecure-registry", w.Registry(), "--watch", "0"}, flags...)
	return h
}

// start starts a further process, and waits until it is ready, or gone.
func (h *host) start() *process {
	h.w.t.Helper()
	h.slots = append(h.slots, nil)
	return h.startAt(len(h.slots) - 1)
}

func (h *host) startAt(slot int) *process {
	h.w.t.Helper()
	base := h.w.asked()
	args := append([]string{"serve", "--listen", "127.0.0.1:0", "--database", h.database, "--cache", filepath.Join(h.w.home, fmt.Sprintf("cache%d", slot))}, h.flags...)
	p := h.w.launch(fmt.Sprintf("process %d", slot), h.before, h.env, args...)
	p.base, p.sees = base, slices.Clone(h.w.installed)
	h.slots[slot] = p
	h.w.await("the process to be ready", func() bool {
		return p.isGone() || p.at() != "" && answers("http://"+p.at()+"/readyz")
	})
	if !p.isGone() {
		if !h.paced {
			h.hurry()
		}
		if h.w.door.admit(p.at()); p.isGone() { // it was killed meanwhile
			h.w.door.bar(p.at())
		}
	} else if !h.revives {
		h.w.t.Fatalf("it did not start:\n%s", p.out)
	}
	return p
}

// hurry takes the pauses away that visits of one repository have between them: each looks as if
// the one before it had ended long ago.
func (h *host) hurry() {
	h.w.t.Helper()
	statements := []string{
		`CREATE OR REPLACE FUNCTION calm() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.ended := 0; RETURN NEW; END $$`,
		`CREATE OR REPLACE TRIGGER calm BEFORE UPDATE ON subjects FOR EACH ROW EXECUTE FUNCTION calm()`,
	}
	if strings.HasPrefix(h.database, "sqlite:") {
		statements = []string{`CREATE TRIGGER IF NOT EXISTS calm AFTER UPDATE OF ended ON subjects WHEN NEW.ended > 0
			BEGIN UPDATE subjects SET ended = 0 WHERE installation = NEW.installation AND repository = NEW.repository; END`}
	}
	db := h.open()
	defer db.Close()
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			h.w.t.Fatalf("hurry: %v", err)
		}
	}
}

// open opens the database of the processes.
func (h *host) open() *sql.DB {
	h.w.t.Helper()
	driver, location := "pgx", h.database
	if file, ok := strings.CutPrefix(h.database, "sqlite:"); ok {
		driver, location = "sqlite", "file:"+file+"?_pragma=busy_timeout(60000)"
	}
	db, err := sql.Open(driver, location)
	if err != nil {
		h.w.t.Fatal(err)
	}
	return db
}

// lease is the number of the last visit to a repository, and whether it still holds its lease.
func (h *host) lease(name string) (fence int64, held bool) {
	h.w.t.Helper()
	db := h.open()
	defer db.Close()
	if err := db.QueryRow("SELECT fence, ends > 0 FROM subjects WHERE name = $1", name).Scan(&fence, &held); err != nil {
		h.w.t.Fatalf("read the lease of %s: %v", name, err)
	}
	return fence, held
}

// answers says whether an address answers well.
func answers(address string) bool {
	resp, err := quick.Get(address)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

var quick = &http.Client{Timeout: 5 * time.Second}

// running are the processes that are up.
func (h *host) running() []*process {
	var out []*process
	for _, p := range h.slots {
		if !p.isGone() {
			out = append(out, p)
		}
	}
	return out
}

// replace has a process end as it is told to, and starts another one in its place.
func (h *host) replace(p *process) *process {
	h.w.t.Helper()
	h.stop(p)
	for slot := range h.slots {
		if h.slots[slot] == p {
			return h.startAt(slot)
		}
	}
	return nil
}

// stop tells a process to end, and waits until it has.
func (h *host) stop(p *process) {
	h.w.t.Helper()
	h.w.door.bar(p.at())
	p.signal(syscall.SIGTERM)
	h.w.await("the process to end after SIGTERM", p.isGone)
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		h.w.t.Errorf("after SIGTERM it ended with %d:\n%s", code, p.out)
	}
}

// A status is what /status tells of the queue, as far as it is asked here.
type status struct {
	Waiting     int `json:"waiting"`
	Running     int `json:"running"`
	Dirty       int `json:"dirty"`
	Quarantined int `json:"quarantined"`
}

// isIdle says whether nothing is left to be done: nothing is on its way, each repository was
// looked at since the processes began, and nothing waits.
func (h *host) isIdle() bool {
	before := h.w.asked()
	up := h.running()
	if len(up) == 0 || h.w.trap.dies() || !h.unposted && !h.w.quiet() {
		return false
	}
	for _, p := range up {
		var s status
		if !look("http://"+p.at()+"/status", &s) || s.Waiting+s.Running+s.Dirty > 0 {
			return false
		}
		if !p.hasSurveyed(before) {
			return false
		}
	}
	return cmp.Equal(before, h.w.asked()) && (h.settled == nil || h.settled())
}

func look(address string, into any) bool {
	resp, err := quick.Get(address)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK && json.NewDecoder(resp.Body).Decode(into) == nil
}

// rest waits until nothing is left to be done.
func (h *host) rest() { h.restOr(func() bool { return false }) }

// restOr waits until nothing is left to be done, or something is so, and says which.
func (h *host) restOr(so func() bool) (is bool) {
	h.w.t.Helper()
	idle := 0
	ok := h.w.comes(func() bool {
		if is = so(); is {
			return true
		}
		for slot, p := range h.slots {
			if p.isGone() {
				if !h.revives {
					h.w.t.Fatalf("%s ended by itself:\n%s", p.name, p.out)
				}
				h.startAt(slot)
				idle = 0
				return false
			}
		}
		if !h.isIdle() {
			idle = 0
			return false
		}
		idle++
		return idle >= 3
	})
	if !ok {
		h.w.t.Fatalf("it never came to rest:\n%s", h.w.said())
	}
	return is
}

// isAtRest requires that a further look at everything writes nothing.
func (h *host) isAtRest() {
	h.w.t.Helper()
	before := len(h.w.Requests())
	for _, p := range h.running() {
		h.replace(p)
	}
	h.rest()
	for _, q := range h.w.Requests()[before:] {
		if q.Write() && !strings.HasPrefix(q.Route, "/app/hook/deliveries") {
			h.w.t.Errorf("at rest it wrote: %s %s", q.Method, q.Path)
		}
	}
}

// difference shows where two states differ.
func difference(want, got string) string { return cmp.Diff(want, got) }

// onDisk is the URL of a fresh SQLite database.
func onDisk(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "pinnace.db") }
