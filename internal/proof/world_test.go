package proof

import (
	"fmt"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// A world is a GitHub with a registry, Pinnace's App, and a door that its webhooks go through.
type world struct {
	*sandbox.Sandbox
	t         testing.TB
	app       *sandbox.App
	door      *door
	home      string            // where the processes keep what they keep
	ahead     atomic.Int64      // nanoseconds that GitHub's clock is ahead of ours
	moves     atomic.Int64      // requests and commits so far
	digests   map[string]string // by name:tag
	trap      *trap
	installed []string // full names of the repositories that the App sees

	mu        sync.Mutex
	processes []*process // all that were ever started; owned by mu
	calls     asked      // owned by mu
	grip      *grip      // nil is none; owned by mu
	posting   sync.Mutex // held while deliveries are under way
}

// asked counts the calls about each repository, "acme/config".
type asked map[string]int

// count notes whom a call is about.
func (w *world) count(c sandbox.Call) {
	w.moves.Add(1)
	parts := strings.Split(strings.Trim(c.Path, "/"), "/")
	key := ""
	switch {
	case parts[0] == "repos" && len(parts) > 2:
		key = parts[1] + "/" + parts[2]
	case len(parts) > 1 && strings.HasSuffix(parts[1], ".git"):
		key = parts[0] + "/" + strings.TrimSuffix(parts[1], ".git")
	default:
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls[key]++
}

// asked returns what was counted.
func (w *world) asked() asked {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.calls)
}

// hasSurveyed says whether GitHub was asked, since the process began, about each repository that
// the App was installed on then.
func (p *process) hasSurveyed(now asked) bool {
	for _, key := range p.sees {
		if now[key] == p.base[key] {
			return false
		}
	}
	return true
}

// quiet says whether no delivery is on its way.
func (w *world) quiet() bool {
	if !w.posting.TryLock() {
		return false
	}
	defer w.posting.Unlock()
	return len(w.Pending()) == 0
}

// everything is what the App may do and hears of.
var everything = sandbox.AppOptions{
	Name: "Pinnace",
	Permissions: map[string]string{
		"contents": "write", "pull_requests": "write", "metadata": "read", "checks": "write", "issues": "write", "members": "read",
		"deployments": "read", "statuses": "read", "merge_queues": "write", "workflows": "write", "administration": "read", "packages": "read",
	},
	Events: []string{
		"push", "pull_request", "pull_request_review", "issue_comment", "check_run", "merge_group", "installation", "installation_repositories",
		"membership", "team", "organization", "package", "registry_package", "repository", "workflow_run", "issues", "deployment_status", "status",
	},
	Secret: "a secret of the webhook",
}

func newWorld(t testing.TB, o sandbox.Options) *world {
	t.Helper()
	w := &world{t: t, digests: map[string]string{}, home: t.TempDir(), calls: asked{}}
	o.Now = func() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }
	o.Ours = func(c sandbox.Commit) bool { return strings.Contains(c.AuthorEmail, "pinnace") }
	w.Sandbox = sandbox.New(o)
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	w.door = newDoor(t)
	w.Org("acme", "ada")
	options := everything
	options.WebhookURL = w.door.url()
	w.app = w.App(options)
	w.trap = &trap{w: w}
	w.Inject(w.trap.call)
	return w
}

// pass waits until another second begins, since GitHub's times are of whole ones.
func (w *world) pass() {
	now := time.Now()
	<-time.After(now.Truncate(time.Second).Add(time.Second).Sub(now))
}

// push pushes NAME:TAG and remembers its digest.
func (w *world) push(image string) string {
	w.t.Helper()
	d, err := w.PushImage("acme/"+image, sandbox.Image{Seed: image, Platforms: []string{"linux/amd64"}, Created: time.Date(2026, 11, 2, 8, 30, 0, 0, time.UTC)})
	if err != nil {
		w.t.Fatal(err)
	}
	w.digests[image] = d
	return d
}

// expand writes the reference of each pushed image, tag and digest, for {NAME:TAG}.
func (w *world) expand(text string) string {
	for image, d := range w.digests {
		text = strings.ReplaceAll(text, "{"+image+"}", "ghcr.io/acme/"+image+"@"+d)
	}
	return text
}

// deployment is a manifest with one image.
func deployment(name, image string) string {
	return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: " + name + "}\nspec:\n  template:\n    spec:\n      containers:\n        - name: " + name + "\n          image: " + image + "\n"
}

// configuration is that of a repository whose prod waits for an approval and for /deploy.
func (w *world) configuration() string {
	return fmt.Sprintf(`apiVersion: pinnace.dev/v1alpha1
kind: Config
environments:
  - {name: dev, paths: ["envs/dev/**"], deploy: auto, track: [{images: ["ghcr.io/acme/*"], semver: "1.x"}]}
  - {name: staging, paths: ["envs/staging/**"], after: [dev], deploy: auto}
  - {name: prod, paths: ["envs/prod/**"], after: [staging], production: true, deploy: command}
roles:
  promoter: {users: [carol, dave]}
  deployer: {users: [bob, dave, erin]}
  admin: {users: [ada, frank]}
github: {appID: %d}
registryMap: {"*": "%s"}
`, w.app.ID(), w.Registry())
}

const onePerson = `apiVersion: pinnace.dev/v1alpha1
kind: ImagePromotionPolicy
name: prod
approverCount: 1
unknownBuilder: ignore
applyTo: [{env: prod}]
`

// repository makes a config repository of acme, in which people have their roles.
func (w *world) repository(name string, files map[string]string) *sandbox.Repository {
	w.t.Helper()
	all := map[string]string{}
	for path, text := range files {
		all[path] = w.expand(text)
	}
	r := w.Repository("acme", name, sandbox.RepositoryOptions{Files: all})
	for _, login := range []string{"bob", "carol", "dave", "erin"} {
		w.User(login)
		r.Permission(login, promotion.PermissionWrite)
	}
	w.User("frank")
	r.Permission("frank", promotion.PermissionAdmin)
	return r
}
