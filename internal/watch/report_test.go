package watch

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

var repo11 = event.Subject{Installation: 1, Repository: 11}

func (w *world) says(parts ...string) {
	w.t.Helper()
	body := w.desk.body(repo11)
	for _, part := range parts {
		if !strings.Contains(body, part) {
			w.t.Errorf("the issue does not say %q:\n%s", part, body)
		}
	}
}

// The life of a report: opened with the first alert, changed once a day, closed when nothing is
// left, opened again.
func TestReport(t *testing.T) {
	w := lite(t, Options{})
	old := w.push("ghcr.io/acme/shop:1.4.2", "old")
	tool := w.push("ghcr.io/acme/tool:2.0.0", "old")
	w.stand(1, 11, "ghcr.io/acme/shop:1.4.2@"+old, "ghcr.io/acme/tool:2.0.0@"+tool)
	w.stand(1, 12, "ghcr.io/acme/shop:1.4.2")
	w.pass(49 * time.Hour)
	same(t, "writes while nothing is wrong", w.desk.writes(), nil)
	if w.desk.lists != 2 {
		t.Errorf("issues were listed %d times, want once for each repository", w.desk.lists)
	}

	w.push("ghcr.io/acme/shop:1.4.2", "new")
	w.pass(10 * time.Minute)
	same(t, "writes", w.desk.writes(), []string{"open 1/11#1"})
	w.says("`ghcr.io/acme/shop:1.4.2` meant", "`a.yaml:1`")

	w.push("ghcr.io/acme/tool:2.0.0", "new")
	w.pass(23 * time.Hour)
	same(t, "writes within a day", w.desk.writes(), nil)
	w.pass(2 * time.Hour)
	same(t, "writes after a day", w.desk.writes(), []string{"edit 1/11#1"})
	w.says("ghcr.io/acme/shop:1.4.2", "ghcr.io/acme/tool:2.0.0")
	w.pass(49 * time.Hour)
	same(t, "writes while nothing changes", w.desk.writes(), nil)

	// A person accepts one, and the other moves back.
	w.stand(1, 11, "ghcr.io/acme/shop:1.4.2@"+digestOf("new"), "ghcr.io/acme/tool:2.0.0@"+tool)
	w.push("ghcr.io/acme/tool:2.0.0", "old")
	w.pass(25 * time.Hour)
	same(t, "writes when nothing is left", w.desk.writes(), []string{"edit 1/11#1", "close 1/11#1"})
	w.says("Nothing is left")

	w.push("ghcr.io/acme/tool:2.0.0", "newer")
	w.pass(25 * time.Hour)
	same(t, "writes after another move", w.desk.writes(), []string{"reopen 1/11#1", "edit 1/11#1"})
	w.says("ghcr.io/acme/tool:2.0.0")
}

// miss lets time pass until something was asked for once.
func (w *world) miss(ref string) {
	w.t.Helper()
	w.questions()
	for range 200 {
		w.skip(10 * time.Minute)
		w.tick()
		if slices.Contains(w.questions(), ref) {
			return
		}
	}
	w.t.Fatalf("%s is not asked for", ref)
}

// A digest counts as gone when two looks in a row, an hour apart, do not find what was there.
func TestVanished(t *testing.T) {
	w := lite(t, Options{})
	d := w.push("ghcr.io/acme/shop:main", "a")
	w.stand(1, 11, "ghcr.io/acme/shop:main@"+d, "ghcr.io/acme/never:main@"+digestOf("never"))
	w.pass(25 * time.Hour)
	ref := "ghcr.io/acme/shop@" + d
	w.remove(ref)
	w.miss(ref)
	same(t, "alerts after one look", w.alarms(), nil)
	w.pass(70 * time.Minute)
	same(t, "alerts after the second", w.alarms(), []string{"digest_vanished"})
	if w.vanished != 1 {
		t.Errorf("%d digests count as gone, want 1", w.vanished)
	}
	w.leads = false
	if w.tick(); w.vanished != 0 {
		t.Errorf("a replica that leads no more counts %d digests as gone", w.vanished)
	}
	w.leads = true
	if w.tick(); w.vanished != 1 {
		t.Errorf("a replica that leads again counts %d digests as gone, want 1", w.vanished)
	}
	w.pass(25 * time.Hour)
	same(t, "writes", w.desk.writes(), []string{"open 1/11#1"})
	w.says("Digests that are gone", "`ghcr.io/acme/shop:main`")
	if strings.Contains(w.desk.body(repo11), "never") {
		t.Error("what was never seen is said to be gone")
	}
	w.fail(ref, fmt.Errorf("answered 503: %w", image.ErrTransient))
	w.alarms()
	w.pass(50 * time.Hour)
	same(t, "alerts while it stays gone", w.alarms(), nil)
	same(t, "writes while it stays gone", w.desk.writes(), nil)
	w.fail(ref, nil)
	w.push("ghcr.io/acme/shop", "a")
	w.pass(50 * time.Hour)
	same(t, "writes when it is back", w.desk.writes(), []string{"edit 1/11#1", "close 1/11#1"})
	if w.vanished != 0 {
		t.Errorf("%d digests count as gone, want none", w.vanished)
	}
}

// One miss is none: the registry may have been behind.
func TestMissedOnce(t *testing.T) {
	w := lite(t, Options{})
	d := w.push("ghcr.io/acme/shop:main", "a")
	w.stand(1, 11, "ghcr.io/acme/shop:main@"+d)
	w.pass(25 * time.Hour)
	ref := "ghcr.io/acme/shop@" + d
	w.remove(ref)
	w.miss(ref)
	w.push("ghcr.io/acme/shop", "a")
	w.pass(72 * time.Hour)
	same(t, "alerts", w.alarms(), nil)
	same(t, "writes", w.desk.writes(), nil)
}

// An issue of before the ledger was lost is found, is not closed while its reason may stand, and
// is closed once everything was looked at and is well.
func TestReportWithoutLedger(t *testing.T) {
	w := lite(t, Options{})
	old := w.push("ghcr.io/acme/shop:1.4.2", "old")
	w.stand(1, 11, "ghcr.io/acme/shop:1.4.2@"+old)
	w.pass(10 * time.Minute)
	w.push("ghcr.io/acme/shop:1.4.2", "new")
	w.pass(10 * time.Minute)
	same(t, "writes", w.desk.writes(), []string{"open 1/11#1"})
	lose := func() {
		w.open(newFile(t))
		w.Watcher = w.watcher(Options{})
		w.stand(1, 11, "ghcr.io/acme/shop:1.4.2@"+old)
	}
	lose()
	w.pass(50 * time.Hour)
	same(t, "writes while the tag means something else", w.desk.writes(), nil)
	w.push("ghcr.io/acme/shop:1.4.2", "newer")
	w.pass(25 * time.Hour)
	same(t, "writes after a move that nothing pins", w.desk.writes(), nil)
	w.push("ghcr.io/acme/shop:1.4.2", "old")
	w.pass(25 * time.Hour)
	w.push("ghcr.io/acme/shop:1.4.2", "new")
	w.pass(25 * time.Hour)
	same(t, "writes", w.desk.writes(), []string{"edit 1/11#1", "close 1/11#1", "reopen 1/11#1", "edit 1/11#1"})
	lose()
	w.push("ghcr.io/acme/shop:1.4.2", "old")
	w.pass(50 * time.Hour)
	same(t, "writes when all is well", w.desk.writes(), []string{"edit 1/11#1", "close 1/11#1"})
}

// What a person closes stays closed until there is something new to say.
func TestClosedByHand(t *testing.T) {
	w := lite(t, Options{})
	old := w.push("ghcr.io/acme/shop:1.4.2", "old")
	tool := w.push("ghcr.io/acme/tool:2.0.0", "old")
	w.stand(1, 11, "ghcr.io/acme/shop:1.4.2@"+old, "ghcr.io/acme/tool:2.0.0@"+tool)
	w.pass(10 * time.Minute)
	w.push("ghcr.io/acme/shop:1.4.2", "new")
	w.pass(10 * time.Minute)
	if _, err := w.desk.CloseIssue(t.Context(), repo11, 1); err != nil {
		t.Fatal(err)
	}
	w.desk.writes()
	w.pass(72 * time.Hour)
	same(t, "writes with nothing new to say", w.desk.writes(), nil)
	w.push("ghcr.io/acme/tool:2.0.0", "new")
	w.pass(25 * time.Hour)
	same(t, "writes", w.desk.writes(), []string{"reopen 1/11#1", "edit 1/11#1"})
}

// Issues of others with our label are left alone.
func TestOtherIssues(t *testing.T) {
	w := lite(t, Options{})
	w.desk.issues[repo11] = []promotion.Issue{{Number: 1, Body: "A break-glass", Open: true}}
	old := w.push("ghcr.io/acme/shop:1.4.2", "old")
	w.stand(1, 11, "ghcr.io/acme/shop:1.4.2@"+old)
	w.pass(25 * time.Hour)
	w.push("ghcr.io/acme/shop:1.4.2", "new")
	w.pass(25 * time.Hour)
	same(t, "writes", w.desk.writes(), []string{"open 1/11#2"})
}

// A report that cannot be written is tried again: soon, or in a day where nobody lets us.
func TestReportFails(t *testing.T) {
	for name, tc := range map[string]struct {
		err   error
		tries int // in 12 hours
	}{
		"GitHub is down": {promotion.ErrTransient, 12},
		"not permitted":  {fmt.Errorf("issues are off: %w", promotion.ErrForbidden), 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := lite(t, Options{})
			old := w.push("ghcr.io/acme/shop:1.4.2", "old")
			w.stand(1, 11, "ghcr.io/acme/shop:1.4.2@"+old)
			w.pass(25 * time.Hour)
			w.desk.lists, w.desk.err = 0, tc.err
			w.push("ghcr.io/acme/shop:1.4.2", "new")
			w.pass(12 * time.Hour)
			if n := w.desk.lists; n > tc.tries || n < tc.tries/2 || n == 0 {
				t.Errorf("%d tries in 12 hours, want about %d", n, tc.tries)
			}
			w.desk.err = nil
			w.pass(25 * time.Hour)
			same(t, "writes", w.desk.writes(), []string{"open 1/11#1"})
		})
	}
	if got := later(errors.Join(delayed{}), 24*time.Hour); got != 90*time.Minute {
		t.Errorf("got %s after an error that says 90 minutes", got)
	}
}

type delayed struct{}

func (delayed) Error() string             { return "rate limited" }
func (delayed) RetryAfter() time.Duration { return 90 * time.Minute }
