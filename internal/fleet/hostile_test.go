package fleet_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/fleet"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

const everywhere = `apiVersion: pinnace.dev/v1alpha1
kind: ImagePromotionPolicy
name: everywhere
approverCount: 2
unknownBuilder: ignore
applyTo: [{production: true}]
`

// of two replicas the one that did not survey the installation never hears of the
// organisation's repository of rules, for as long as it runs: its check is green, and where
// deploy is auto it merges.
func TestHostileFloorOfOtherReplica(t *testing.T) {
	w := newWorld(t)
	i, err := w.PushImage("acme/shop:1.5", sandbox.Image{Seed: "1.5"})
	if err != nil {
		t.Fatal(err)
	}
	repo := w.Repository("acme", "config", sandbox.RepositoryOptions{Files: map[string]string{
		"envs/prod/shop.yaml":  deployment("ghcr.io/acme/shop:1.4"),
		".pinnace/config.yaml": "apiVersion: pinnace.dev/v1alpha1\nkind: Config\nenvironments:\n  - {name: prod, paths: [\"envs/prod/**\"], production: true, deploy: auto}\n",
	}})
	w.app.Install("acme")
	r := w.surveyed()[0] // replica A lists, once, when it starts
	a := w.fleet
	w.cache = t.TempDir()
	w.open() // replica B
	b := w.fleet
	// An admin gives the organisation rules. Its event's survey, and those of the resyncs, are B's.
	w.Repository("acme", ".github", sandbox.RepositoryOptions{Files: map[string]string{".pinnace/policies/everywhere.yaml": everywhere}})
	w.surveyed()
	repo.Commit("ship", "ada", "ship", map[string]string{"envs/prod/shop.yaml": deployment("ghcr.io/acme/shop:1.5@" + string(i))})
	n, err := repo.OpenPullRequest("ada", "ship", "", "ship", "main")
	if err != nil {
		t.Fatal(err)
	}
	see := func(name string, f *fleet.Fleet) (state, check string) {
		if _, err := f.Visit(t.Context(), event.Visit{Repository: r, Since: time.Now(), Fence: func() error { return nil }}); err != nil {
			t.Fatal(err)
		}
		for _, q := range repo.PullRequests() {
			if q.Number == n {
				for _, c := range repo.Checks(q.Head.SHA) {
					if c.Name == "pinnace/promotion" {
						check = string(c.Conclusion) + " " + c.Title
					}
				}
				state = string(q.State)
			}
		}
		t.Log(name, state, check)
		return state, check
	}
	see("B", b)
	if s, c := see("A", a); s == "merged" || strings.Contains(c, "success") {
		t.Errorf("replica A judges without the organisation's rules: %s %s", s, c)
	}
}

// the owner accepts the App's permission for checks; the survey is B's. A goes on doing
// nothing, and says that it has done what the events asked for.
func TestHostilePermissionsOfOtherReplica(t *testing.T) {
	w := newWorld(t)
	repo := w.config("acme", "config", true)
	w.app.Install("acme")
	all := map[string]string{"contents": "write", "pull_requests": "write", "metadata": "read", "checks": "write", "issues": "write", "members": "read", "workflows": "write"}
	w.app.Permit("acme", map[string]string{"contents": "write", "pull_requests": "write", "metadata": "read"})
	r := w.surveyed()[0]
	a := w.fleet
	w.cache = t.TempDir()
	w.open()
	w.app.Permit("acme", all)
	w.surveyed() // B hears of it
	for range 3 {
		if _, err := a.Visit(t.Context(), event.Visit{Repository: r, Fence: func() error { return nil }}); err != nil {
			t.Fatal(err)
		}
	}
	if len(branches(repo)) == 0 {
		t.Error("three visits of replica A after the permission was given: nothing was done, and no error: the events are thought to be seen to")
	}
}

// the configuration is taken away; what stood there is watched, and issues are written.
func TestHostileUnconfiguredStandsStay(t *testing.T) {
	w := newWorld(t)
	repo := w.config("acme", "config", true)
	w.app.Install("acme")
	r := w.surveyed()[0]
	w.visit(r)
	if w.stands["acme/config"] == 0 {
		t.Fatal("nothing stands")
	}
	repo.Commit("main", "ada", "no more Pinnace", map[string]string{".pinnace/config.yaml": sandbox.Removed})
	w.mu.Lock()
	w.stands["acme/config"] = -1
	w.mu.Unlock()
	w.visit(r)
	if w.stands["acme/config"] == -1 {
		t.Error("nobody was told that nothing is to be watched there any more")
	}
}

// the mirror of a repository that is gone stays on disk.
func TestHostileMirrorStays(t *testing.T) {
	w := newWorld(t)
	w.config("acme", "config", true)
	w.app.Install("acme")
	r := w.surveyed()[0]
	w.visit(r)
	w.app.Uninstall("acme")
	w.surveyed()
	if out := w.visit(r); !out.Gone {
		t.Fatal("not gone")
	}
	w.fleet.Close()
	var left []string
	_ = filepath.WalkDir(w.cache, func(p string, d os.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(p, ".pack") {
			left = append(left, p)
		}
		return nil
	})
	if len(left) > 0 {
		t.Errorf("the App was uninstalled, and the tenant's source is still on disk: %v", left)
	}
}

var _ context.Context
