package fleet_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/fleet"
	"github.com/pinnace-dev/pinnace/internal/github"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
	"github.com/pinnace-dev/pinnace/internal/registry"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
	"github.com/pinnace-dev/pinnace/internal/verdict"
)

const configuration = `apiVersion: pinnace.dev/v1alpha1
kind: Config
environments:
  - {name: dev, paths: ["envs/dev/**"]}
  - {name: prod, paths: ["envs/prod/**"], after: [dev], production: true}
`

func deployment(image string) string {
	return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop}\nspec:\n  template:\n    spec:\n      containers:\n        - name: shop\n          image: " + image + "\n"
}

// A world is a GitHub with an App, and a fleet that looks after what it is installed on.
type world struct {
	*testing.T
	*sandbox.Sandbox
	app   *sandbox.App
	fleet *fleet.Fleet
	cache string

	log *slog.Logger // nil: none

	mu     sync.Mutex
	stands map[string]int // images that stand in each repository
	calls  []string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, cache: t.TempDir(), stands: map[string]int{}}
	w.Sandbox = sandbox.New(sandbox.Options{T: t, Ours: func(c sandbox.Commit) bool { return strings.Contains(c.AuthorEmail, "pinnace") }})
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	w.Inject(func(c sandbox.Call) sandbox.Fault {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.calls = append(w.calls, c.Method+" "+c.Path)
		return sandbox.Fault{}
	})
	w.Org("acme", "ada")
	if _, err := w.PushImage("acme/shop:1.4", sandbox.Image{Seed: "1.4"}); err != nil {
		t.Fatal(err)
	}
	w.app = w.App(sandbox.AppOptions{Name: "Pinnace", Permissions: map[string]string{
		"contents": "write", "pull_requests": "write", "metadata": "read", "checks": "write", "issues": "write", "members": "read", "workflows": "write",
	}})
	w.open()
	return w
}

// open starts a fleet, as a new process does.
func (w *world) open() {
	w.Helper()
	app, err := github.NewApp(github.AppOptions{ID: w.app.ID(), Key: w.app.PrivateKey(), URL: w.URL()})
	if err != nil {
		w.Fatal(err)
	}
	images, err := registry.New(registry.Options{Map: map[string]string{"*": w.Registry()}})
	if err != nil {
		w.Fatal(err)
	}
	w.fleet, err = fleet.New(fleet.Options{
		App: app, GitHub: github.Options{URL: w.URL(), Spacing: -1, MaxWait: -1}, Cache: w.cache, Version: "test", Log: w.log,
		Registries: func(*config.Config) (reconcile.Registries, error) { return images.Anew(), nil },
		Stands: func(_ context.Context, r event.Repository, bases []verdict.ReadBase) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			if len(bases) == 0 {
				w.stands[r.Owner+"/"+r.Name] = 0
			}
			for _, b := range bases {
				w.stands[r.Owner+"/"+r.Name] = len(b.Running)
			}
			return nil
		},
	})
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(w.fleet.Close)
}

// config makes a config repository, in which shop is not pinned.
func (w *world) config(owner, name string, configured bool) *sandbox.Repository {
	files := map[string]string{"envs/dev/shop.yaml": deployment("ghcr.io/acme/shop:1.4"), "envs/prod/shop.yaml": deployment("ghcr.io/acme/shop:1.4")}
	if configured {
		files[".pinnace/config.yaml"] = configuration
	}
	return w.Repository(owner, name, sandbox.RepositoryOptions{Files: files})
}

// surveyed lists what the fleet sees.
func (w *world) surveyed() []event.Repository {
	w.Helper()
	installations, err := w.fleet.Installations(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	var out []event.Repository
	for _, i := range installations {
		all, err := w.fleet.Repositories(w.Context(), i)
		if err != nil {
			w.Fatal(err)
		}
		out = append(out, all...)
	}
	return out
}

func (w *world) visit(r event.Repository, pulls ...int) event.Visited {
	w.Helper()
	out, err := w.fleet.Visit(w.Context(), event.Visit{Repository: r, Pulls: pulls, Fence: func() error { return nil }})
	if err != nil {
		w.Fatal(err)
	}
	return out
}

// branches are the heads of the open pull requests.
func branches(r *sandbox.Repository) []string {
	var out []string
	for _, q := range r.PullRequests() {
		if q.State == promotion.Open {
			out = append(out, q.Head.Ref)
		}
	}
	return out
}

// TestVisit: a repository that is configured gets its pull requests, and a second visit finds
// nothing to do.
func TestVisit(t *testing.T) {
	w := newWorld(t)
	repo := w.config("acme", "config", true)
	w.app.Install("acme")
	all := w.surveyed()
	if len(all) != 1 || all[0].Repository != repo.ID() || all[0].Owner != "acme" || all[0].Name != "config" {
		t.Fatalf("surveyed %+v", all)
	}
	if out := w.visit(all[0]); out.Writes == 0 || len(branches(repo)) != 2 {
		t.Errorf("the visit wrote %d things, open are %v", out.Writes, branches(repo))
	}
	if out := w.visit(all[0]); out.Writes != 0 {
		t.Errorf("the second visit wrote %d things", out.Writes)
	}
	if w.stands["acme/config"] != 2 {
		t.Errorf("%d images stand there", w.stands["acme/config"])
	}
	w.open() // what a process kept in memory is not needed
	w.surveyed()
	if out := w.visit(all[0]); out.Writes != 0 {
		t.Errorf("a new process wrote %d things", out.Writes)
	}
}

// TestVisitUnconfigured: who has not configured Pinnace is asked to, and nothing else happens.
func TestVisitUnconfigured(t *testing.T) {
	w := newWorld(t)
	repo := w.config("acme", "config", false)
	w.app.Install("acme")
	r := w.surveyed()[0]
	w.visit(r)
	if got := branches(repo); len(got) != 1 || got[0] != "pinnace/configure" {
		t.Fatalf("open are %v", got)
	}
	repo.Commit("hand", "ada", "hand", map[string]string{"envs/dev/shop.yaml": deployment("ghcr.io/acme/shop:1.5")})
	n, err := repo.OpenPullRequest("ada", "by hand", "", "hand", "main")
	if err != nil {
		t.Fatal(err)
	}
	w.visit(r, n)
	for _, q := range repo.PullRequests() {
		if q.Number == n && len(repo.Checks(q.Head.SHA)) != 0 {
			t.Error("a check was written before anybody configured Pinnace")
		}
	}
	if _, err := repo.Merge(1, "ada", "squash"); err != nil {
		t.Fatal(err)
	}
	w.visit(r)
	if got := branches(repo); len(got) < 3 {
		t.Errorf("configured, open are %v", got)
	}
}

// TestVisitRenamed: a repository is its number. It is found under its new name, and another one
// that took the old name is not taken for it.
func TestVisitRenamed(t *testing.T) {
	w := newWorld(t)
	repo := w.config("acme", "config", true)
	w.app.Install("acme")
	r := w.surveyed()[0]
	repo.Rename("deploy")
	other := w.config("acme", "config", true)
	w.visit(r)
	if len(branches(repo)) != 2 || len(branches(other)) != 0 {
		t.Errorf("open are %v, and %v in the other one", branches(repo), branches(other))
	}
}

// TestVisitGone: what is deleted, uninstalled or taken off the list is gone, not an error.
func TestVisitGone(t *testing.T) {
	for name, lose := range map[string]func(*world, *sandbox.Repository){
		"deleted":     func(_ *world, r *sandbox.Repository) { r.Delete() },
		"uninstalled": func(w *world, _ *sandbox.Repository) { w.app.Uninstall("acme"); w.surveyed() },
		"deselected":  func(w *world, _ *sandbox.Repository) { w.app.Select("acme", "other") },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			repo := w.config("acme", "config", true)
			w.config("acme", "other", true)
			w.app.Install("acme")
			r := w.surveyed()[0]
			lose(w, repo)
			if out := w.visit(r); !out.Gone {
				t.Error("it is still thought to be there")
			}
		})
	}
}

// TestVisitFenced: a visitor whose time is over writes nothing more.
func TestVisitFenced(t *testing.T) {
	w := newWorld(t)
	repo := w.config("acme", "config", true)
	w.app.Install("acme")
	r := w.surveyed()[0]
	over := errors.New("another process has begun")
	asked := 0
	_, err := w.fleet.Visit(t.Context(), event.Visit{Repository: r, Fence: func() error { asked++; return over }})
	if !errors.Is(err, over) && !errors.Is(err, promotion.ErrConflict) {
		t.Errorf("got %v", err)
	}
	if asked == 0 || len(repo.PullRequests()) != 0 || len(repo.Refs()) != 1 {
		t.Errorf("asked %d times, %d pull requests, refs %v", asked, len(repo.PullRequests()), repo.Refs())
	}
}

// TestPermissions: what an owner grants or takes back counts from the next list of the
// installation's repositories on, which GitHub's event of it asks for.
func TestPermissions(t *testing.T) {
	w := newWorld(t)
	repo := w.config("acme", "config", true)
	some := map[string]string{"contents": "write", "pull_requests": "write", "metadata": "read"}
	all := map[string]string{"contents": "write", "pull_requests": "write", "metadata": "read", "checks": "write", "issues": "write"}
	w.app.Install("acme")
	w.app.Permit("acme", some)
	r := w.surveyed()[0]
	relist := func() {
		t.Helper()
		if got, err := w.fleet.Repositories(t.Context(), r.Installation); err != nil || len(got) != 1 {
			t.Fatalf("listed %v, %v", got, err)
		}
	}
	if w.visit(r); len(branches(repo)) != 0 {
		t.Errorf("without checks, open are %v", branches(repo))
	}
	w.app.Permit("acme", all)
	relist()
	if w.visit(r); len(branches(repo)) != 2 {
		t.Errorf("with checks, open are %v", branches(repo))
	}
	w.app.Permit("acme", some)
	relist()
	repo.Commit("main", "ada", "more", map[string]string{"envs/dev/web.yaml": deployment("ghcr.io/acme/shop:1.4")})
	if out := w.visit(r); out.Writes != 0 {
		t.Errorf("without checks again, it wrote %d things", out.Writes)
	}
}

// TestTold: what a visit found is told once, until something else is found.
func TestTold(t *testing.T) {
	w := newWorld(t)
	repo := w.config("acme", "config", true)
	w.app.Install("acme")
	var told strings.Builder
	w.log = slog.New(slog.NewTextHandler(&told, nil))
	w.open()
	r := w.surveyed()[0]
	w.visit(r)
	if n := strings.Count(told.String(), "msg=judged"); n != 2 {
		t.Fatalf("%d verdicts are told, want 2:\n%s", n, told.String())
	}
	told.Reset()
	if w.visit(r); told.Len() != 0 {
		t.Errorf("a visit that found nothing new says\n%s", told.String())
	}
	repo.Close(1, "ada")
	w.visit(r)
	w.visit(r)
	if n := strings.Count(told.String(), "msg=proposed"); n != 1 || strings.Contains(told.String(), "msg=judged") {
		t.Errorf("of a pull request that was closed it says\n%s", told.String())
	}
}

// TestFloor: whether the organisation has rules of its own is not asked where the installation's
// list says no; where it says yes, and they cannot be read, nothing is known of them.
func TestFloor(t *testing.T) {
	w := newWorld(t)
	w.config("acme", "config", true)
	w.app.Install("acme")
	r := w.surveyed()[0]
	w.visit(r)
	for _, c := range w.calls {
		if strings.Contains(c, "/repos/acme/.github") {
			t.Errorf("asked %s", c)
		}
	}
	rules := w.Repository("acme", ".github", sandbox.RepositoryOptions{Files: map[string]string{"README.md": "rules"}})
	w.surveyed()
	w.calls = nil
	w.visit(r)
	if !strings.Contains(strings.Join(w.calls, "\n"), "/repos/acme/.github") {
		t.Error("the organisation's repository was not read")
	}
	rules.Delete()
	repo := w.config("acme", "late", true)
	repo.Commit("hand", "ada", "hand", map[string]string{"envs/dev/shop.yaml": deployment("ghcr.io/acme/shop:1.5")})
	n, err := repo.OpenPullRequest("ada", "by hand", "", "hand", "main")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range w.surveyed() {
		w.visit(r)
	}
	judged := false
	for _, q := range repo.PullRequests() {
		for _, c := range repo.Checks(q.Head.SHA) {
			judged = judged || q.Number == n && c.Name == "pinnace/promotion"
			if q.Number == n && c.Name == "pinnace/promotion" && !strings.Contains(c.Summary+c.Text, "organisation") {
				t.Errorf("its rules cannot be read, and the check says\n%s", c.Summary)
			}
		}
	}
	if !judged {
		t.Error("it was not judged")
	}
}

// TestDamagedMirror: a mirror that is damaged is thrown away, and the next visit fetches anew.
func TestDamagedMirror(t *testing.T) {
	w := newWorld(t)
	repo := w.config("acme", "config", true)
	w.app.Install("acme")
	r := w.surveyed()[0]
	w.visit(r)
	w.fleet.Close()
	packs, err := filepath.Glob(filepath.Join(w.cache, "*", "*.git", "objects", "pack", "*"))
	if err != nil || len(packs) == 0 {
		t.Fatalf("packs %v, %v", packs, err)
	}
	for _, p := range packs {
		if err := os.Chmod(p, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte("damaged"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w.open()
	w.surveyed()
	repo.Commit("main", "ada", "more", map[string]string{"envs/dev/web.yaml": deployment("ghcr.io/acme/shop:1.4")})
	visit := event.Visit{Repository: r, Fence: func() error { return nil }}
	if _, err := w.fleet.Visit(t.Context(), visit); err != nil {
		t.Logf("the first visit: %v", err)
	}
	w.visit(r)
	if w.stands["acme/config"] != 3 {
		t.Errorf("%d images stand there", w.stands["acme/config"])
	}
}
