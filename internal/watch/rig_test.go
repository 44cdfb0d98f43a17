package watch

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/message"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/store"
	"github.com/pinnace-dev/pinnace/internal/store/postgres"
)

// A world is a ledger in a real database, registries whose answers the test says, GitHub issues,
// and a clock that only the test moves.
type world struct {
	*Watcher
	t      *testing.T
	ledger Ledger
	store  *store.Store

	mu     sync.Mutex
	clock  time.Time
	images map[string]string // reference without registry alias to what it means; a name with a digest to itself
	errs   map[string]error  // by host or by reference
	asked  []string
	rounds int
	leads  bool

	raised   []event.Look
	raiseErr error
	alerts   []string
	moves    int
	vanished int
	log      bytes.Buffer
	desk     desk
}

// eachStore runs a test on each kind of database.
func eachStore(t *testing.T, run func(*testing.T, *world)) {
	for kind, url := range map[string]func(*testing.T) string{
		"sqlite":   newFile,
		"postgres": func(t *testing.T) string { return postgres.Start(t) },
	} {
		t.Run(kind, func(t *testing.T) { run(t, newWorld(t, url(t), Options{})) })
	}
}

func lite(t *testing.T, o Options) *world { return newWorld(t, newFile(t), o) }

// empty is an SQLite database with its tables, made once, since that takes longer than most
// tests do.
var empty = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "pinnace-watch-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "pinnace.db")
	s, err := store.Open(context.Background(), "sqlite:"+path, store.Options{})
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

func newFile(t *testing.T) string {
	t.Helper()
	b, err := empty()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "pinnace.db")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return "sqlite:" + path
}

func newWorld(t *testing.T, url string, o Options) *world {
	t.Helper()
	w := &world{
		t: t, clock: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), leads: true,
		images: map[string]string{}, errs: map[string]error{}, desk: desk{issues: map[event.Subject][]promotion.Issue{}},
	}
	w.open(url)
	w.desk.w = w
	w.Watcher = w.watcher(o)
	return w
}

// open takes another ledger.
func (w *world) open(url string) {
	w.t.Helper()
	s, err := store.Open(w.t.Context(), url, store.Options{Now: w.now})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { s.Close() })
	w.ledger, w.store = s, s
}

// watcher returns another replica.
func (w *world) watcher(o Options) *Watcher {
	w.t.Helper()
	o.Log = slog.New(slog.NewTextHandler(&lockedBuffer{w: w}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	o.Now, o.Observer = w.now, w
	o.Ledger = cmp.Or(o.Ledger, w.ledger)
	if o.Reporter == nil {
		o.Reporter = &w.desk
	}
	if o.Open == nil {
		o.Open = func() (Registry, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.rounds++
			return answers{w}, nil
		}
	}
	if o.Lead == nil {
		o.Lead = func(context.Context) bool { return w.leads }
	}
	if o.Raise == nil {
		o.Raise = func(_ context.Context, looks ...event.Look) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.raiseErr != nil {
				return w.raiseErr
			}
			w.raised = append(w.raised, looks...)
			return nil
		}
	}
	x, err := New(o)
	if err != nil {
		w.t.Fatal(err)
	}
	return x
}

type lockedBuffer struct{ w *world }

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.w.mu.Lock()
	defer b.w.mu.Unlock()
	return b.w.log.Write(p)
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.clock
}

// pass lets time pass, tick by tick: at most about 30 of them.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	for end := w.now().Add(d); w.now().Before(end); {
		step := max(w.Every, d/30)
		w.skip(step)
		w.tick()
	}
}

func (w *world) skip(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock = w.clock.Add(d)
}

func (w *world) tick() {
	w.t.Helper()
	if err := w.Tick(w.t.Context()); err != nil {
		w.t.Fatalf("tick: %v", err)
	}
}

// push makes a tag, or with @ a digest, mean something, and returns what.
func (w *world) push(ref, seed string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	d := digestOf(seed)
	r := parse(w.t, ref)
	w.images[r.Repository()+"@"+d] = d
	if r.Tag != "" {
		w.images[r.Tagged()] = d
	}
	return d
}

// remove deletes what a reference names.
func (w *world) remove(ref string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.images, ref)
}

// fail makes every look at a host, or at one reference, fail; nil ends that.
func (w *world) fail(at string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.errs[at] = err
}

func digestOf(seed string) string {
	h := fnv.New64a()
	h.Write([]byte(seed))
	return "sha256:" + strings.Repeat(fmt.Sprintf("%016x", h.Sum64()), 4)
}

func parse(t *testing.T, ref string) image.Ref {
	t.Helper()
	r, err := image.Parse(ref)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// stand says that images stand in a repository; "+" before one says that it is tracked.
func (w *world) stand(installation, repository int64, refs ...string) {
	w.t.Helper()
	var all []event.Stands
	for i, ref := range refs {
		ref, tracked := strings.CutPrefix(ref, "+")
		r := parse(w.t, ref)
		all = append(all, event.Stands{Name: r.Name, Tag: r.Tag, Digest: string(r.Digest), Tracked: tracked, Place: fmt.Sprintf("a.yaml:%d", i+1)})
	}
	if err := w.Standing(w.t.Context(), event.Subject{Installation: installation, Repository: repository}, all); err != nil {
		w.t.Fatal(err)
	}
}

// looks returns and forgets the looks that were raised, as "installation/repository image".
func (w *world) looks() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []string
	for _, l := range w.raised {
		all = append(all, fmt.Sprintf("%d/%d %s", l.Installation, l.Repository, l.Image))
	}
	w.raised = nil
	slices.Sort(all)
	return all
}

// questions returns and forgets what registries were asked.
func (w *world) questions() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := w.asked
	w.asked = nil
	slices.Sort(all)
	return all
}

// alarms returns and forgets the alerts.
func (w *world) alarms() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := w.alerts
	w.alerts = nil
	return all
}

func (w *world) said() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.String()
}

// TagMoved counts.
func (w *world) TagMoved() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.moves++
}

// Alert notes an alert.
func (w *world) Alert(kind string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.alerts = append(w.alerts, kind)
}

// Vanished notes a number.
func (w *world) Vanished(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.vanished = n
}

// answers are the registries.
type answers struct{ w *world }

func (a answers) ask(ref, host string) (string, error) {
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	a.w.asked = append(a.w.asked, ref)
	for _, at := range []string{host, ref} {
		if err := a.w.errs[at]; err != nil {
			return "", err
		}
	}
	if d, ok := a.w.images[ref]; ok {
		return d, nil
	}
	return "", fmt.Errorf("resolve %s: %w", ref, image.ErrUnknown)
}

// Resolve returns what a tag means.
func (a answers) Resolve(_ context.Context, r image.Ref) (image.Resolution, error) {
	d, err := a.ask(r.Tagged(), r.Registry())
	return image.Resolution{Digest: image.Digest(d)}, err
}

// Index returns what a tag means, although nobody asks twice for it.
func (a answers) Index(_ context.Context, r image.Ref) (image.Resolution, error) {
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	if err := a.w.errs["bytes of "+r.Tagged()]; err != nil {
		return image.Resolution{}, err
	}
	return image.Resolution{Digest: image.Digest(a.w.images[r.Tagged()])}, nil
}

// Stat looks for a digest.
func (a answers) Stat(_ context.Context, r image.Ref) (image.Resolution, error) {
	d, err := a.ask(r.Repository()+"@"+string(r.Digest), r.Registry())
	return image.Resolution{Digest: image.Digest(d)}, err
}

// Tags lists the tags of a repository.
func (a answers) Tags(_ context.Context, r image.Ref) ([]string, error) {
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	a.w.asked = append(a.w.asked, r.Repository())
	if err := a.w.errs[r.Registry()]; err != nil {
		return nil, err
	}
	var tags []string
	for ref := range a.w.images {
		if tag, ok := strings.CutPrefix(ref, r.Repository()+":"); ok {
			tags = append(tags, tag)
		}
	}
	slices.Sort(tags)
	return tags, nil
}

type limit struct{ until time.Time }

func (l limit) Error() string      { return "limited" }
func (l limit) Resumes() time.Time { return l.until }

// A desk keeps the issues of repositories, and lists what was done to them.
type desk struct {
	w      *world
	issues map[event.Subject][]promotion.Issue
	did    []string
	lists  int
	err    error // of every write
}

// writes returns and forgets what was done.
func (d *desk) writes() []string {
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	all := d.did
	d.did = nil
	return all
}

// body is the text of the first issue of a repository.
func (d *desk) body(s event.Subject) string {
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	if len(d.issues[s]) == 0 {
		return ""
	}
	return d.issues[s][0].Body
}

// IssuesWithLabel lists the issues.
func (d *desk) IssuesWithLabel(_ context.Context, s event.Subject, label string) ([]promotion.Issue, error) {
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	d.lists++
	if label != "pinnace" {
		d.w.t.Errorf("issues with label %q were asked for", label)
	}
	return slices.Clone(d.issues[s]), d.err
}

func (d *desk) change(s event.Subject, did string, number int, f func(*promotion.Issue)) (promotion.Issue, error) {
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	if d.err != nil {
		return promotion.Issue{}, d.err
	}
	if d.did = append(d.did, fmt.Sprintf("%s %d/%d#%d", did, s.Installation, s.Repository, number)); number > len(d.issues[s]) {
		d.issues[s] = append(d.issues[s], promotion.Issue{Number: number})
	}
	f(&d.issues[s][number-1])
	if i := d.issues[s][number-1]; message.ReplyKey(i.Body) == "" {
		d.w.t.Errorf("issue %d has a body without key: %q", number, i.Body)
	}
	return d.issues[s][number-1], nil
}

// OpenIssue opens one.
func (d *desk) OpenIssue(_ context.Context, s event.Subject, title, body string, labels []string) (promotion.Issue, error) {
	d.w.mu.Lock()
	number := len(d.issues[s]) + 1
	d.w.mu.Unlock()
	return d.change(s, "open", number, func(i *promotion.Issue) { i.Title, i.Body, i.Labels, i.Open = title, body, labels, true })
}

// EditIssue changes its text.
func (d *desk) EditIssue(_ context.Context, s event.Subject, number int, body string) (promotion.Issue, error) {
	return d.change(s, "edit", number, func(i *promotion.Issue) { i.Body = strings.ReplaceAll(body, "\n", "\r\n") })
}

// CloseIssue closes it.
func (d *desk) CloseIssue(_ context.Context, s event.Subject, number int) (promotion.Issue, error) {
	return d.change(s, "close", number, func(i *promotion.Issue) { i.Open = false })
}

// ReopenIssue opens it again.
func (d *desk) ReopenIssue(_ context.Context, s event.Subject, number int) (promotion.Issue, error) {
	return d.change(s, "reopen", number, func(i *promotion.Issue) { i.Open = true })
}
