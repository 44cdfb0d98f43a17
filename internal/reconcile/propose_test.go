package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/github"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
	"github.com/pinnace-dev/pinnace/internal/registry"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

const environments = `apiVersion: pinnace.dev/v1alpha1
kind: Config
environments:
  - name: dev
    paths: ["envs/dev/**"]
    track:
      - {images: ["ghcr.io/acme/*"], semver: "^1"}
  - name: prod
    paths: ["envs/prod/**"]
    after: [dev]
`

func deployment(image string) string {
	return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop}\nspec:\n  template:\n    spec:\n      containers:\n        - name: shop\n          image: " + image + "\n"
}

// A world is a GitHub with one config repository, a registry, and a bot with a token.
type world struct {
	*testing.T
	*sandbox.Sandbox
	repo  *sandbox.Repository
	git   *git.Repository
	token string
	bot   string // whose token it is
	now   time.Time
	dry   bool
	most  int  // update pull requests that may be open
	leave bool // asks for leave to work instead of working

	workflows reconcile.Answer
	indexes   map[string]*reconcile.Index
}

func newWorld(t *testing.T, files map[string]string) *world {
	t.Helper()
	w := &world{T: t, now: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)}
	w.Sandbox = sandbox.New(sandbox.Options{T: t, Now: func() time.Time { return w.now }, Observe: observe(t)})
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	w.Org("acme", "ada")
	w.User("bob")
	w.repo = w.Repository("acme", "config", sandbox.RepositoryOptions{Files: files})
	w.repo.Permission("bob", promotion.PermissionWrite)
	w.bot = "pinnace-bot"
	w.User(w.bot)
	w.repo.Permission(w.bot, promotion.PermissionWrite)
	w.token = w.Token(w.bot)
	w.git = git.NewMemory(git.Limits{})
	return w
}

func (w *world) push(ref string, i sandbox.Image) string {
	w.Helper()
	_, path, _ := strings.Cut(ref, "/") // every registry is looked up at the sandbox's
	d, err := w.PushImage(path, i)
	if err != nil {
		w.Fatal(err)
	}
	return d
}

func (w *world) proposer() *reconcile.Proposer {
	w.Helper()
	hub, err := github.New(github.Options{
		URL: w.URL(), Tokens: github.StaticToken(github.Secret(w.token)), Spacing: -1, MaxWait: -1,
		Now: func() time.Time { return w.now }, Sleep: func(context.Context, time.Duration) error { return nil },
	})
	if err != nil {
		w.Fatal(err)
	}
	web := strings.TrimSuffix(w.URL(), "/api/v3")
	return &reconcile.Proposer{
		Owner: "acme", Name: "config", Forge: hub, Git: w.git, DryRun: w.dry, MaxOpen: w.most, Workflows: w.workflows, Indexes: w.indexes,
		Remote: func(r promotion.Repository) git.Remote {
			return git.Remote{URL: web + "/" + r.FullName() + ".git", Auth: func(context.Context) (string, string, error) { return "x-access-token", w.token, nil }}
		},
		Registries: func(*config.Config) (reconcile.Registries, error) {
			return registry.New(registry.Options{Map: map[string]string{"*": w.Registry()}, Wait: func(context.Context, time.Duration) error { return nil }})
		},
		Version: "test",
		Author:  git.Signature{Name: w.bot, Email: w.Email(w.bot)},
		Now:     func() time.Time { return w.now },
	}
}

// reconcile runs once and says what became of each proposal that is not clean.
func (w *world) reconcile() []string {
	w.Helper()
	if w.leave {
		return []string{w.onboard()}
	}
	out, err := w.proposer().Reconcile(context.Background())
	if err != nil {
		return []string{"error: " + err.Error()}
	}
	return outcome(out)
}

func outcome(o *reconcile.Outcome) []string {
	var lines []string
	for _, b := range o.Bases {
		if b.Err != nil {
			lines = append(lines, b.Branch+": "+b.Err.Error())
		}
		for _, s := range b.Settled {
			if s.Action == reconcile.Clean {
				continue
			}
			line := fmt.Sprintf("%s %s", s.Action, s.Branch)
			if s.PullRequest.Number > 0 {
				line += fmt.Sprintf(" #%d", s.PullRequest.Number)
			}
			if s.Err != nil {
				line += ": " + s.Err.Error()
			}
			lines = append(lines, line)
		}
	}
	return lines
}

func (w *world) want(got []string, want ...string) {
	w.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		w.Fatalf("outcome differs (-want +got):\n%s", diff)
	}
}

// quiet runs again and fails where anything is written.
func (w *world) quiet() {
	w.Helper()
	w.ForgetRequests()
	got := w.reconcile()
	if n := w.Writes(); n > 0 {
		w.Errorf("a run with nothing new made %d writes, and said %v", n, got)
	}
}

func (w *world) pull(number int) promotion.PullRequest {
	w.Helper()
	all := w.repo.PullRequests()
	i := slices.IndexFunc(all, func(p promotion.PullRequest) bool { return p.Number == number })
	if i < 0 {
		w.Fatalf("there is no pull request #%d", number)
	}
	return all[i]
}

func (w *world) file(at, path string) string {
	w.Helper()
	text, ok := w.repo.File(at, path)
	if !ok {
		w.Fatalf("%s does not hold %s", at, path)
	}
	return text
}

func TestPinPullRequest(t *testing.T) {
	w := newWorld(t, map[string]string{
		".pinnace/config.yaml": environments,
		"envs/dev/shop.yaml":   deployment("ghcr.io/acme/shop:1.4"),
		"envs/prod/shop.yaml":  deployment("ghcr.io/acme/shop:1.3 # stable"),
		"README.md":            "image: nginx\n",
	})
	digest := w.push("ghcr.io/acme/shop:1.4", sandbox.Image{Source: "https://github.com/acme/shop", Revision: strings.Repeat("a1", 20), Version: "1.4.0"})
	stable := w.push("ghcr.io/acme/shop:1.3", sandbox.Image{Version: "1.3.9"})
	w.want(w.reconcile(), "opened pinnace/pin/dev #1", "opened pinnace/pin/prod #2")
	p := w.pull(1)
	if got, want := w.file(p.Head.Ref, "envs/dev/shop.yaml"), deployment("ghcr.io/acme/shop:1.4@"+digest); got != want {
		t.Errorf("the branch holds\n%s", got)
	}
	if got, want := w.file("pinnace/pin/prod", "envs/prod/shop.yaml"), deployment("ghcr.io/acme/shop:1.3@"+stable+" # stable"); got != want {
		t.Errorf("the branch holds\n%s", got)
	}
	for _, want := range []string{"ghcr.io/acme/shop", digest[7:19], "amd64", "https://github.com/acme/shop/commit/a1a1"} {
		if !strings.Contains(p.Body, want) {
			t.Errorf("the body lacks %s:\n%s", want, p.Body)
		}
	}
	if !slices.Equal(p.Labels, []string{"pinnace"}) || !strings.Contains(p.Title, "in dev") {
		t.Errorf("labels %v, title %q", p.Labels, p.Title)
	}
	w.quiet()
}

func TestMergedPinLeavesNothingToDo(t *testing.T) {
	w := newWorld(t, map[string]string{"shop.yaml": deployment("ghcr.io/acme/shop:1.4")})
	w.push("ghcr.io/acme/shop:1.4", sandbox.Image{})
	w.want(w.reconcile(), "opened pinnace/pin-all #1")
	if _, err := w.repo.Merge(1, "ada", "squash"); err != nil {
		t.Fatal(err)
	}
	w.want(w.reconcile())
	w.quiet()
}

func TestMovedTagUpdatesTheSamePullRequest(t *testing.T) {
	w := newWorld(t, map[string]string{"shop.yaml": deployment("ghcr.io/acme/shop:1.4")})
	w.push("ghcr.io/acme/shop:1.4", sandbox.Image{})
	w.want(w.reconcile(), "opened pinnace/pin-all #1")
	next := w.push("ghcr.io/acme/shop:1.4", sandbox.Image{Seed: "next"})
	w.want(w.reconcile(), "updated pinnace/pin-all #1")
	if got := w.file("pinnace/pin-all", "shop.yaml"); !strings.Contains(got, next) {
		t.Errorf("the branch holds\n%s", got)
	}
	if !strings.Contains(w.pull(1).Body, next) {
		t.Error("the body does not name the new digest")
	}
	if n := len(w.repo.Log("pinnace/pin-all")); n != 2 {
		t.Errorf("the branch has %d commits, want one on top of the base", n)
	}
	w.quiet()
}

// A commit of somebody else on our branch, before ours, after it or instead of it, is never
// overwritten, and the pull request says so.
func TestForeignCommitsAreKept(t *testing.T) {
	for name, meddle := range map[string]func(*world){
		"on top": func(w *world) {
			w.repo.Commit("pinnace/pin-all", "bob", "also this", map[string]string{"notes.txt": "mine\n"})
		},
		"on top, in the same file": func(w *world) {
			w.repo.Commit("pinnace/pin-all", "bob", "tune", map[string]string{"shop.yaml": deployment("ghcr.io/acme/shop:1.5")})
		},
		"amended": func(w *world) {
			own := w.repo.Log("pinnace/pin-all")[0]
			w.repo.ForcePush("pinnace/pin-all", "bob", own.Message, w.repo.Tip("main"), map[string]string{"shop.yaml": deployment("ghcr.io/acme/shop:1.4@sha256:" + strings.Repeat("e", 64))})
		},
		"below ours": func(w *world) {
			own := w.repo.Log("pinnace/pin-all")[0]
			text := w.file("pinnace/pin-all", "shop.yaml")
			w.repo.ForcePush("pinnace/pin-all", "bob", "first", w.repo.Tip("main"), map[string]string{"notes.txt": "mine\n"})
			w.repo.Commit("pinnace/pin-all", "pinnace-bot", own.Message, map[string]string{"shop.yaml": text})
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, map[string]string{"shop.yaml": deployment("ghcr.io/acme/shop:1.4")})
			w.push("ghcr.io/acme/shop:1.4", sandbox.Image{})
			w.want(w.reconcile(), "opened pinnace/pin-all #1")
			meddle(w)
			tip := w.repo.Tip("pinnace/pin-all")
			w.push("ghcr.io/acme/shop:1.4", sandbox.Image{Seed: "next"})
			w.want(w.reconcile(), "diverged pinnace/pin-all #1")
			if now := w.repo.Tip("pinnace/pin-all"); now != tip {
				t.Errorf("the branch moved from %s to %s", tip, now)
			}
			if body := w.pull(1).Body; !strings.Contains(body, "Nothing was overwritten") {
				t.Errorf("the body does not say so:\n%s", body)
			}
			w.quiet()
		})
	}
}

func TestClosedMeansNo(t *testing.T) {
	for name, deleted := range map[string]bool{"the branch stays": false, "the branch is deleted": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, map[string]string{"shop.yaml": deployment("ghcr.io/acme/shop:1.4")})
			w.push("ghcr.io/acme/shop:1.4", sandbox.Image{})
			w.want(w.reconcile(), "opened pinnace/pin-all #1")
			w.repo.Close(1, "ada")
			if deleted {
				w.repo.DeleteBranch("pinnace/pin-all", "ada")
			}
			w.want(w.reconcile(), "declined pinnace/pin-all #1")
			w.quiet()
			w.push("ghcr.io/acme/shop:1.4", sandbox.Image{Seed: "next"})
			w.want(w.reconcile(), "opened pinnace/pin-all #2")
			w.quiet()
		})
	}
}

func TestFinishedPullRequestIsClosed(t *testing.T) {
	w := newWorld(t, map[string]string{"shop.yaml": deployment("ghcr.io/acme/shop:1.4")})
	digest := w.push("ghcr.io/acme/shop:1.4", sandbox.Image{})
	w.want(w.reconcile(), "opened pinnace/pin-all #1")
	w.repo.Commit("main", "bob", "by hand", map[string]string{"shop.yaml": deployment("ghcr.io/acme/shop:1.4@" + digest)})
	w.want(w.reconcile(), "finished pinnace/pin-all #1")
	if p := w.pull(1); p.State != promotion.Closed || !strings.Contains(p.Body, "Nothing is left to do") {
		t.Errorf("#1 is %s:\n%s", p.State, p.Body)
	}
	w.quiet()
	// That was Pinnace, and is nobody's "no".
	w.repo.Commit("main", "bob", "back", map[string]string{"shop.yaml": deployment("ghcr.io/acme/shop:1.4")})
	w.want(w.reconcile(), "opened pinnace/pin-all #2")
}

func TestBaseThatMovesOnElsewhereMovesNothing(t *testing.T) {
	w := newWorld(t, map[string]string{"shop.yaml": deployment("ghcr.io/acme/shop:1.4"), "notes.txt": "a\n"})
	w.push("ghcr.io/acme/shop:1.4", sandbox.Image{})
	w.want(w.reconcile(), "opened pinnace/pin-all #1")
	w.repo.Commit("main", "bob", "notes", map[string]string{"notes.txt": "b\n"})
	w.quiet()
	w.repo.Commit("main", "bob", "same file", map[string]string{"shop.yaml": "# the shop\n" + deployment("ghcr.io/acme/shop:1.4")})
	w.want(w.reconcile(), "updated pinnace/pin-all #1")
	if log := w.repo.Log("pinnace/pin-all"); !strings.HasPrefix(w.file("pinnace/pin-all", "shop.yaml"), "# the shop\n") || len(log) != 4 {
		t.Errorf("the branch was not rendered again on the base: %d commits", len(log))
	}
	w.quiet()
}

// An outage of the registry changes no pull request.
func TestOutageKeepsWhatWasAnswered(t *testing.T) {
	w := newWorld(t, map[string]string{"a.yaml": deployment("ghcr.io/acme/shop:1.4"), "b.yaml": deployment("quay.io/acme/web:2")})
	w.push("ghcr.io/acme/shop:1.4", sandbox.Image{})
	w.push("quay.io/acme/web:2", sandbox.Image{})
	w.want(w.reconcile(), "opened pinnace/pin-all #1")
	tip := w.repo.Tip("pinnace/pin-all")
	w.Inject(func(c sandbox.Call) sandbox.Fault {
		if strings.HasPrefix(c.Path, "/v2/acme/web/") {
			return sandbox.Fault{Before: sandbox.Status(503)}
		}
		return sandbox.Fault{}
	})
	out, err := w.proposer().Reconcile(context.Background())
	if err != nil || out.Failed() == nil {
		t.Errorf("the outage is not told: %v", err)
	}
	if now := w.repo.Tip("pinnace/pin-all"); now != tip {
		t.Error("the branch moved")
	}
}

func TestTrackedVersionOpensAnUpdate(t *testing.T) {
	w := newWorld(t, map[string]string{".pinnace/config.yaml": environments})
	old := w.push("ghcr.io/acme/shop:1.4.0", sandbox.Image{})
	w.repo.Commit("main", "bob", "shop", map[string]string{"envs/dev/shop.yaml": deployment("ghcr.io/acme/shop:1.4.0@" + old)})
	w.want(w.reconcile())
	next := w.push("ghcr.io/acme/shop:1.5.0", sandbox.Image{})
	w.push("ghcr.io/acme/shop:2.0.0", sandbox.Image{})
	w.want(w.reconcile(), "opened pinnace/update/dev/shop #1")
	if got := w.file("pinnace/update/dev/shop", "envs/dev/shop.yaml"); !strings.Contains(got, "shop:1.5.0@"+next) {
		t.Errorf("the branch holds\n%s", got)
	}
	w.quiet()
	// A newer one replaces it, unless somebody approved: then it waits.
	w.push("ghcr.io/acme/shop:1.6.0", sandbox.Image{})
	w.want(w.reconcile(), "updated pinnace/update/dev/shop #1")
	if _, err := w.repo.Review(1, "ada", promotion.Approved, ""); err != nil {
		t.Fatal(err)
	}
	tip := w.repo.Tip("pinnace/update/dev/shop")
	w.push("ghcr.io/acme/shop:1.7.0", sandbox.Image{})
	w.want(w.reconcile(), "waiting pinnace/update/dev/shop #1")
	if now := w.repo.Tip("pinnace/update/dev/shop"); now != tip {
		t.Error("an approved pull request changed")
	}
	w.quiet()
}

// With onNewer: supersede an approved update gives way to a new pull request.
func TestNewerSupersedes(t *testing.T) {
	w := newWorld(t, map[string]string{".pinnace/config.yaml": strings.Replace(environments, "    track:", "    onNewer: supersede\n    track:", 1)})
	old := w.push("ghcr.io/acme/shop:1.4.0", sandbox.Image{})
	w.push("ghcr.io/acme/shop:1.5.0", sandbox.Image{})
	w.repo.Commit("main", "bob", "shop", map[string]string{"envs/dev/shop.yaml": deployment("ghcr.io/acme/shop:1.4.0@" + old)})
	w.want(w.reconcile(), "opened pinnace/update/dev/shop #1")
	if _, err := w.repo.Review(1, "ada", promotion.Approved, ""); err != nil {
		t.Fatal(err)
	}
	w.push("ghcr.io/acme/shop:1.6.0", sandbox.Image{})
	w.want(w.reconcile(), "opened pinnace/update/dev/shop #2")
	if p := w.pull(1); p.State != promotion.Closed {
		t.Errorf("#1 is %s", p.State)
	}
	w.quiet()
}

// Only what is open counts for the limit.
func TestUpdateLimit(t *testing.T) {
	w := newWorld(t, map[string]string{".pinnace/config.yaml": environments})
	files := map[string]string{}
	for _, name := range []string{"a", "b", "c"} {
		files["envs/dev/"+name+".yaml"] = deployment("ghcr.io/acme/" + name + ":1.0.0@" + w.push("ghcr.io/acme/"+name+":1.0.0", sandbox.Image{}))
		w.push("ghcr.io/acme/"+name+":1.1.0", sandbox.Image{})
	}
	w.repo.Commit("main", "bob", "apps", files)
	w.most = 2
	w.want(w.reconcile(), "opened pinnace/update/dev/a #1", "opened pinnace/update/dev/b #2", "waiting pinnace/update/dev/c")
	w.quiet()
	w.repo.Close(1, "ada")
	w.want(w.reconcile(), "declined pinnace/update/dev/a #1", "unchanged pinnace/update/dev/b #2", "opened pinnace/update/dev/c #3")
}

// A person who opens a pull request from our branch keeps its text.
func TestTextOfPeopleIsKept(t *testing.T) {
	w := newWorld(t, map[string]string{"shop.yaml": deployment("ghcr.io/acme/shop:1.4")})
	w.push("ghcr.io/acme/shop:1.4", sandbox.Image{})
	w.want(w.reconcile(), "opened pinnace/pin-all #1")
	w.repo.Edit(1, "ada", "Pin the shop, please", "See the runbook.")
	w.push("ghcr.io/acme/shop:1.4", sandbox.Image{Seed: "next"})
	w.want(w.reconcile(), "updated pinnace/pin-all #1")
	if p := w.pull(1); p.Title != "Pin the shop, please" || p.Body != "See the runbook." {
		t.Errorf("the text became %q\n%s", p.Title, p.Body)
	}
	w.quiet()
}

func TestVerifiedCommitsAreMadeByGitHub(t *testing.T) {
	w := newWorld(t, map[string]string{"shop.yaml": deployment("ghcr.io/acme/shop:1.4")})
	w.repo.Protect("main", sandbox.Protection{Rules: promotion.Rules{SignedCommits: true, PullRequest: true}})
	app := w.App(sandbox.AppOptions{Name: "Pinnace", Permissions: map[string]string{"contents": "write", "pull_requests": "write", "metadata": "read"}})
	app.Install("acme", "config")
	w.token = app.InstallationToken("acme")
	w.push("ghcr.io/acme/shop:1.4", sandbox.Image{})
	w.want(w.reconcile(), "opened pinnace/pin-all #1")
	if log := w.repo.Log("pinnace/pin-all"); !log[0].Verified {
		t.Errorf("the commit is not verified: %+v", log[0])
	}
	w.quiet()
	w.push("ghcr.io/acme/shop:1.4", sandbox.Image{Seed: "next"})
	w.want(w.reconcile(), "updated pinnace/pin-all #1")
}

func TestDryRunWritesNothing(t *testing.T) {
	w := newWorld(t, map[string]string{"shop.yaml": deployment("ghcr.io/acme/shop:1.4")})
	w.push("ghcr.io/acme/shop:1.4", sandbox.Image{})
	w.dry = true
	w.want(w.reconcile(), "opened pinnace/pin-all")
	if w.Writes() > 0 || len(w.repo.PullRequests()) > 0 {
		t.Error("a dry run wrote")
	}
}

// Every write is failed once before its effect and once after it. What is left in between is
// found by the next run, which ends in the same state: one branch, one pull request, one
// label.
func TestFaultsConverge(t *testing.T) {
	next := func(seed string) func(*world) {
		return func(w *world) { w.push("ghcr.io/acme/shop:1.4", sandbox.Image{Seed: seed}) }
	}
	for name, story := range map[string]struct {
		files map[string]string
		steps []func(*world)
		least int // writes
	}{
		"opened, updated, finished": {
			map[string]string{"shop.yaml": deployment("ghcr.io/acme/shop:1.4")},
			[]func(*world){next(""), next("next"), func(w *world) {
				w.repo.Commit("main", "bob", "by hand", map[string]string{"shop.yaml": w.file("pinnace/pin-all", "shop.yaml")})
			}},
			7,
		},
		"opened, diverged": {
			map[string]string{"shop.yaml": deployment("ghcr.io/acme/shop:1.4")},
			[]func(*world){next(""), func(w *world) {
				w.repo.Commit("pinnace/pin-all", "bob", "also this", map[string]string{"notes.txt": "mine\n"})
			}, next("next")},
			4,
		},
		"an update, superseded": {
			map[string]string{".pinnace/config.yaml": strings.Replace(environments, "    track:", "    onNewer: supersede\n    track:", 1)},
			[]func(*world){func(w *world) {
				old := w.push("ghcr.io/acme/shop:1.4.0", sandbox.Image{})
				w.push("ghcr.io/acme/shop:1.5.0", sandbox.Image{})
				w.repo.Commit("main", "bob", "shop", map[string]string{"envs/dev/shop.yaml": deployment("ghcr.io/acme/shop:1.4.0@" + old)})
			}, func(w *world) {
				if _, err := w.repo.Review(1, "ada", promotion.Approved, ""); err != nil {
					w.Fatal(err)
				}
				w.push("ghcr.io/acme/shop:1.6.0", sandbox.Image{})
			}},
			8,
		},
	} {
		t.Run(name, func(t *testing.T) { faults(t, story.files, story.steps, story.least) })
	}
}

func faults(t *testing.T, files map[string]string, steps []func(*world), least int) {
	for _, verified := range []bool{false, true} {
		clean := newWorld(t, files)
		if verified {
			clean.repo.Protect("main", sandbox.Protection{Rules: promotion.Rules{SignedCommits: true}})
		}
		var writes int
		for _, step := range steps {
			step(clean)
			clean.ForgetRequests()
			clean.reconcile()
			writes += clean.Writes()
		}
		if writes < least {
			t.Fatalf("only %d writes to fail", writes)
		}
		for at := range writes {
			for _, after := range []bool{false, true} {
				for _, how := range []*sandbox.Failure{sandbox.Status(502), sandbox.Hangup()} {
					t.Run(fmt.Sprintf("verified %v, write %d, after %v, %v", verified, at, after, *how), func(t *testing.T) {
						faulty(t, files, steps, verified, at, after, how, clean)
					})
				}
			}
		}
	}
}

func faulty(t *testing.T, files map[string]string, steps []func(*world), verified bool, at int, after bool, how *sandbox.Failure, clean *world) {
	w := newWorld(t, files)
	if verified {
		w.repo.Protect("main", sandbox.Protection{Rules: promotion.Rules{SignedCommits: true}})
	}
	seen, failed := 0, false
	w.Inject(func(c sandbox.Call) sandbox.Fault {
		if !isWrite(c) {
			return sandbox.Fault{}
		}
		seen++
		if seen != at+1 {
			return sandbox.Fault{}
		}
		failed = true
		if after {
			return sandbox.Fault{After: how}
		}
		return sandbox.Fault{Before: how}
	})
	for _, step := range steps {
		step(w)
		for range 3 {
			w.git = git.NewMemory(git.Limits{})
			w.reconcile()
		}
	}
	if !failed {
		t.Fatalf("write %d never came: %d did", at, seen)
	}
	w.quiet()
	want, got := clean.repo.PullRequests(), w.repo.PullRequests()
	if len(got) != len(want) {
		t.Fatalf("%d pull requests, want %d", len(got), len(want))
	}
	for i := range got {
		if got[i].State != want[i].State || got[i].Title != want[i].Title || !slices.Equal(got[i].Labels, want[i].Labels) || got[i].Body != want[i].Body {
			t.Errorf("#%d is %s %q %v, want %s %q %v", got[i].Number, got[i].State, got[i].Title, got[i].Labels, want[i].State, want[i].Title, want[i].Labels)
		}
	}
	if a, b := branches(w.repo), branches(clean.repo); !slices.Equal(a, b) {
		t.Errorf("branches are %v, want %v", a, b)
	}
}

func branches(r *sandbox.Repository) []string {
	var out []string
	for name := range r.Refs() {
		if strings.HasPrefix(name, "refs/heads/") {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

func isWrite(c sandbox.Call) bool {
	return c.Method != "GET" && c.Method != "HEAD" && !strings.HasPrefix(c.Route, "/v2/") && c.Route != "git-upload-pack"
}

// What cannot be reconciled is refused in words that name the next step, and nothing is
// written.
func TestRefusals(t *testing.T) {
	files := map[string]string{"shop.yaml": deployment("ghcr.io/acme/shop:1.4")}
	for name, test := range map[string]struct {
		arrange func(*world)
		want    string
		class   error
	}{
		"archived":            {func(w *world) { w.repo.Archive(true) }, "acme/config is archived and cannot change: unarchive it", promotion.ErrBlocked},
		"gone":                {func(w *world) { w.repo.Delete() }, "acme/config: it does not exist, or the token may not see it", promotion.ErrNotFound},
		"token may only read": {func(w *world) { w.repo.Permission("pinnace-bot", promotion.PermissionRead) }, "may only read acme/config: it needs Contents: write", promotion.ErrForbidden},
		"unreadable configuration": {func(w *world) {
			w.repo.Commit("main", "bob", "oops", map[string]string{".pinnace/config.yaml": "apiVersion: pinnace.dev/v1alpha1\nkind: Config\nenviroments: []\n"})
		}, ".pinnace/config.yaml:3:1", promotion.ErrInvalid},
		"a file of two environments": {func(w *world) {
			w.repo.Commit("main", "bob", "oops", map[string]string{".pinnace/config.yaml": strings.Replace(environments, "envs/prod/**", "envs/**", 1), "envs/dev/shop.yaml": deployment("nginx:1")})
		}, "envs/dev/shop.yaml", promotion.ErrInvalid},
		"a base that is not there": {func(w *world) {
			w.repo.Commit("main", "bob", "oops", map[string]string{".pinnace/config.yaml": environments + "branches: [release]\n"})
		}, "branch release does not exist in acme/config", promotion.ErrNotFound},
		"a rule protects our branches": {func(w *world) {
			w.repo.Protect("pinnace/**", sandbox.Protection{Rules: promotion.Rules{NoCreation: true}})
		}, "narrow the rule so that it leaves pinnace/* alone", promotion.ErrBlocked},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, files)
			w.push("ghcr.io/acme/shop:1.4", sandbox.Image{})
			test.arrange(w)
			out, err := w.proposer().Reconcile(context.Background())
			if err == nil {
				err = out.Failed()
			}
			if err == nil || !strings.Contains(err.Error(), test.want) || !errors.Is(err, test.class) {
				t.Errorf("got %v, want %s", err, test.want)
			}
			if name != "a base that is not there" && len(w.repo.PullRequests()) > 0 {
				t.Error("a pull request was opened")
			}
		})
	}
}

func TestEmptyRepository(t *testing.T) {
	w := newWorld(t, nil)
	w.want(w.reconcile(), "error: repository acme/config has no commit on main: push a first one")
}

func TestRenamedRepositoryIsFollowed(t *testing.T) {
	w := newWorld(t, map[string]string{"shop.yaml": deployment("ghcr.io/acme/shop:1.4")})
	w.push("ghcr.io/acme/shop:1.4", sandbox.Image{})
	w.repo.Rename("gitops")
	out, err := w.proposer().Reconcile(context.Background())
	if err != nil || out.Repository.FullName() != "acme/gitops" || out.Asked != "acme/config" {
		t.Fatalf("%v: %+v", err, out)
	}
	w.want(outcome(out), "opened pinnace/pin-all #1")
}
