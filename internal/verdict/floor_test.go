package verdict_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// floorPolicy asks for two approvals in production, in all repositories of the organisation.
const floorPolicy = `apiVersion: pinnace.dev/v1alpha1
kind: ImagePromotionPolicy
name: everywhere
approverCount: 2
unknownBuilder: ignore
applyTo: [{production: true}]
`

func withFloor(t *testing.T, files map[string]string) *world {
	t.Helper()
	w := newWorld(t, nil, "shop:1.0", "shop:1.1")
	w.Repository("acme", ".github", sandbox.RepositoryOptions{Files: map[string]string{".pinnace/policies/everywhere.yaml": floorPolicy}})
	w.start(files)
	return w
}

// The organisation's policies bind a repository that has none, and join those of one that has.
func TestFloorBinds(t *testing.T) {
	for name, files := range map[string]map[string]string{"without policies": standing(), "with its own": standing()} {
		t.Run(name, func(t *testing.T) {
			if name == "without policies" {
				delete(files, ".pinnace/policies/prod.yaml")
			}
			w := withFloor(t, files)
			w.opens("bob", "ship", map[string]string{"envs/prod/shop.yaml": deployment("{shop:1.1}")})
			w.run()
			w.pass(time.Minute)
			w.review(1, "carol", promotion.Approved)
			w.sees("#1 waiting: 1 of 2 approvals; nobody said /deploy yet")
			if c := w.checked(1, "pinnace/promotion"); !strings.Contains(c.Summary, "organisation/.github/.pinnace/policies/everywhere.yaml") {
				t.Errorf("whose policy it is is not said:\n%s", c.Summary)
			}
			w.rests()
			w.pass(time.Minute)
			w.review(1, "dave", promotion.Approved)
			w.pass(time.Minute)
			w.repo.Comment(1, "bob", "/deploy")
			w.sees("#1 merged")
			w.rests()
		})
	}
}

// A floor that names prod as a production environment is loosened by a repository in which prod
// is none: an error with its place, in the check of every pull request.
func TestFloorDroppedProduction(t *testing.T) {
	w := newWorld(t, nil, "shop:1.0", "shop:1.1")
	w.Repository("acme", ".github", sandbox.RepositoryOptions{Files: map[string]string{
		".pinnace/config.yaml":              "apiVersion: pinnace.dev/v1alpha1\nkind: Config\nenvironments:\n  - {name: prod, production: true, paths: [\"envs/prod/**\"]}\n",
		".pinnace/policies/everywhere.yaml": floorPolicy,
	}})
	files := standing()
	files[".pinnace/config.yaml"] = strings.Replace(configuration, "production: true, ", "", 1)
	w.start(files)
	w.opens("bob", "ship", map[string]string{"envs/prod/shop.yaml": deployment("{shop:1.1}")})
	w.opens("bob", "words", map[string]string{"README.md": "# Config"})
	w.sees("#1 denied: the documents of .pinnace/ have an error", "#2 denied: the documents of .pinnace/ have an error")
	for n := 1; n <= 2; n++ {
		if c := w.checked(n, "pinnace/promotion"); c.Conclusion != "failure" || !strings.Contains(c.Summary, ".pinnace/config.yaml:6") || !strings.Contains(c.Summary, "dropped production: the organisation marks prod as production: write production: true") {
			t.Errorf("#%d is %s:\n%s", n, c.Conclusion, c.Summary)
		}
	}
	w.rests()
}

// What cannot be read of the organisation is unknown, whatever the repository says itself; the
// next look may know it.
func TestFloorUnreadable(t *testing.T) {
	w := withFloor(t, standing())
	w.opens("bob", "ship", map[string]string{"envs/prod/shop.yaml": deployment("{shop:1.1}")})
	w.run()
	w.pass(time.Minute)
	w.review(1, "carol", promotion.Approved)
	w.review(1, "dave", promotion.Approved)
	w.pass(time.Minute)
	w.repo.Comment(1, "bob", "/deploy")
	w.Inject(func(c sandbox.Call) sandbox.Fault {
		if c.Route == "git-upload-pack" && strings.Contains(c.Path, "acme/.github") {
			return sandbox.Fault{Before: sandbox.Status(http.StatusForbidden)}
		}
		return sandbox.Fault{}
	})
	w.sees("#1 unknown: the organisation's documents cannot be read")
	w.rests()
	w.Inject(nil)
	w.sees("#1 merged")
	w.rests()
}

// A team that the token may not read is neither yes nor no: it is unknown who may approve.
func TestTeamUnreadable(t *testing.T) {
	files := standing()
	files[".pinnace/config.yaml"] = strings.Replace(configuration, "users: [carol, dave]", "teams: [acme/release]", 1)
	w := newWorld(t, nil, "shop:1.0", "shop:1.1")
	w.Team("acme", "release", "carol")
	w.start(files)
	permissions := map[string]string{
		"contents": "write", "pull_requests": "write", "metadata": "read", "checks": "write", "issues": "write",
		"deployments": "read", "statuses": "read", "merge_queues": "write", "workflows": "write",
	}
	w.app.Permit("acme", permissions)
	w.opens("bob", "ship", map[string]string{"envs/prod/shop.yaml": deployment("{shop:1.1}")})
	w.sees("#1 waiting: 0 of 1 approval; nobody said /deploy yet")
	w.pass(time.Minute)
	w.review(1, "carol", promotion.Approved)
	w.sees("#1 unknown: 0 of 1 approval")
	c := w.checked(1, "pinnace/promotion")
	if c.Conclusion == "success" || !strings.Contains(c.Summary, "acme/release") {
		t.Errorf("the check is %q and says\n%s", c.Conclusion, c.Summary)
	}
	w.rests()
	permissions["members"] = "read"
	w.app.Permit("acme", permissions)
	w.sees("#1 waiting: nobody said /deploy yet")
	w.rests()
}

// A look-up that fails for the moment decides nothing: the check stays what it was, and the
// next look goes on.
func TestPermissionFailsForTheMoment(t *testing.T) {
	w := newWorld(t, standing(), "shop:1.0", "shop:1.1")
	w.opens("bob", "ship", map[string]string{"envs/prod/shop.yaml": deployment("{shop:1.1}")})
	w.run()
	w.pass(time.Minute)
	w.review(1, "carol", promotion.Approved)
	w.pass(time.Minute)
	w.repo.Comment(1, "bob", "/deploy")
	before := w.checked(1, "pinnace/promotion")
	w.Inject(func(c sandbox.Call) sandbox.Fault {
		if strings.HasSuffix(c.Route, "/permission") {
			return sandbox.Fault{Before: sandbox.Status(http.StatusBadGateway)}
		}
		return sandbox.Fault{}
	})
	got := w.run()
	if len(got) != 1 || !strings.HasPrefix(got[0], "#1 failed: ") {
		t.Errorf("got %q", got)
	}
	if after := w.checked(1, "pinnace/promotion"); after.Text != before.Text || after.Conclusion != before.Conclusion {
		t.Errorf("the check is another one:\n%s", after.Text)
	}
	w.Inject(nil)
	w.sees("#1 merged")
	w.rests()
}
