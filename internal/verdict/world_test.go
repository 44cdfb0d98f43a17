package verdict_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/git"
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
  - {name: staging, paths: ["envs/staging/**"], after: [dev]}
  - {name: prod, paths: ["envs/prod/**"], after: [staging], production: true, deploy: auto}
roles:
  promoter: {users: [carol, dave]}
`

const twoPeople = `apiVersion: pinnace.dev/v1alpha1
kind: ImagePromotionPolicy
name: prod
approverCount: 1
unknownBuilder: ignore
applyTo: [{env: prod}]
`

// A world is a GitHub with one config repository, a registry, and Pinnace's App.
type world struct {
	testing.TB
	*sandbox.Sandbox
	repo    *sandbox.Repository
	app     *sandbox.App
	git     *git.Repository
	now     time.Time
	digests map[string]string // by name:tag
}

// deployment is a manifest with one image.
func deployment(image string) string {
	return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop}\nspec:\n  template:\n    spec:\n      containers:\n        - name: shop\n          image: " + image + "\n"
}

// newWorld makes a repository of files, in which $NAME:TAG@ is the digest of an image that is
// pushed as ghcr.io/acme/NAME:TAG.
func newWorld(t testing.TB, files map[string]string, images ...string) *world {
	t.Helper()
	w := &world{TB: t, now: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC), digests: map[string]string{}}
	w.Sandbox = sandbox.New(sandbox.Options{T: t, Now: func() time.Time { return w.now }, Ours: func(c sandbox.Commit) bool { return strings.Contains(c.AuthorEmail, "pinnace") }})
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	w.Org("acme", "ada")
	for _, image := range images {
		w.push(image)
	}
	if files != nil {
		w.start(files)
	}
	return w
}

// start makes the repository.
func (w *world) start(files map[string]string) {
	w.Helper()
	all := map[string]string{}
	for name, text := range files {
		all[name] = w.expand(text)
	}
	w.repo = w.Repository("acme", "config", sandbox.RepositoryOptions{Files: all})
	for _, login := range []string{"bob", "carol", "dave", "erin"} {
		w.User(login)
		w.repo.Permission(login, promotion.PermissionWrite)
	}
	w.app = w.App(sandbox.AppOptions{Name: "Pinnace", Permissions: map[string]string{
		"contents": "write", "pull_requests": "write", "metadata": "read", "checks": "write", "issues": "write", "members": "read",
		"deployments": "read", "statuses": "read", "merge_queues": "write", "workflows": "write",
	}})
	w.app.Install("acme")
	w.git = git.NewMemory(git.Limits{})
}

// push pushes NAME:TAG and remembers its digest.
func (w *world) push(image string) string {
	w.Helper()
	d, err := w.PushImage("acme/"+image, sandbox.Image{Seed: image, Created: w.now.Add(-time.Hour)})
	if err != nil {
		w.Fatal(err)
	}
	w.digests[image] = d
	return d
}

// expand writes the reference of each pushed image for {NAME:TAG}.
func (w *world) expand(text string) string {
	for image, d := range w.digests {
		text = strings.ReplaceAll(text, "{"+image+"}", "ghcr.io/acme/"+image+"@"+d)
	}
	return text
}

// pass lets time pass.
func (w *world) pass(d time.Duration) { w.now = w.now.Add(d) }

func (w *world) steward() *verdict.Steward {
	w.Helper()
	token := w.app.InstallationToken("acme")
	hub, err := github.New(github.Options{
		URL: w.URL(), Tokens: github.StaticToken(github.Secret(token)), Spacing: -1, MaxWait: -1,
		Now: func() time.Time { return w.now }, Sleep: func(context.Context, time.Duration) error { return nil },
	})
	if err != nil {
		w.Fatal(err)
	}
	remote := func(r promotion.Repository) git.Remote {
		return git.Remote{URL: w.URL() + "/" + r.FullName() + ".git", Auth: func(context.Context) (string, string, error) { return "x-access-token", token, nil }}
	}
	registries := func(*config.Config) (reconcile.Registries, error) {
		return registry.New(registry.Options{Map: map[string]string{"*": w.Registry()}, Wait: func(context.Context, time.Duration) error { return nil }})
	}
	now := func() time.Time { return w.now }
	return &verdict.Steward{
		Proposer: &reconcile.Proposer{
			Owner: "acme", Name: "config", Forge: hub, Git: w.git, Remote: remote, Registries: registries, Version: "test", Now: now,
			Author: git.Signature{Name: w.app.Bot().Login, Email: "1+pinnace[bot]@users.noreply.github.com"},
		},
		Judge: &verdict.Judge{
			Owner: "acme", Name: "config", Forge: hub, Git: w.git, Remote: remote, Registries: registries, Version: "test", Now: now,
			App: w.app.ID(), Bot: w.app.Bot(),
		},
	}
}

// run lets Pinnace do what is to be done, and tells of it line by line.
func (w *world) run(wishes ...verdict.Wish) []string {
	w.Helper()
	round, err := w.steward().Run(context.Background(), wishes...)
	if err != nil {
		return []string{"error: " + err.Error()}
	}
	return tell(round)
}

func tell(r *verdict.Round) []string {
	var out []string
	for _, x := range r.Refused {
		out = append(out, "refused: "+strings.Join(x.Reasons, "; "))
	}
	for _, b := range r.Proposed.Bases {
		if b.Err != nil {
			out = append(out, "error: "+b.Err.Error())
		}
		for _, s := range b.Settled {
			if s.Action == reconcile.Clean || s.Action == reconcile.Unchanged {
				continue
			}
			line := fmt.Sprintf("%s %s", s.Action, strings.TrimPrefix(s.Branch, "pinnace/"))
			if s.PullRequest.Number != 0 {
				line += fmt.Sprintf(" #%d", s.PullRequest.Number)
			}
			if s.Err != nil {
				line += ": " + s.Err.Error()
			} else if s.Reason != "" {
				line += ": " + s.Reason
			}
			out = append(out, line)
		}
	}
	for _, c := range r.Cases() {
		line := fmt.Sprintf("#%d %s", c.PullRequest.Number, c.Decision.Summary)
		if c.Action != verdict.Judged {
			line = fmt.Sprintf("#%d %s", c.PullRequest.Number, c.Action)
		}
		if c.Err != nil {
			line += ": " + c.Err.Error()
		} else if c.Reason != "" {
			line += ": " + c.Reason
		}
		out = append(out, line)
	}
	for _, i := range r.Judged.Incidents {
		out = append(out, "incident: "+i.Why)
	}
	return out
}

// promote is a wish of a person.
func (w *world) promote(by, env string) verdict.Wish {
	return verdict.Wish{ID: "cli-" + by + "-" + env + w.now.Format("150405"), Kind: promotion.Promotion, App: "shop", Env: env, By: []promotion.Identity{w.User(by)}}
}

func (w *world) review(number int, by string, state promotion.ReviewState) int64 {
	w.Helper()
	id, err := w.repo.Review(number, by, state, "")
	if err != nil {
		w.Fatal(err)
	}
	return id
}
