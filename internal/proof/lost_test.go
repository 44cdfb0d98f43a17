package proof

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// A thousand promotions wait for their approvals. The database and the mirrors are deleted. The
// next process brings everything back: nothing is written, and no more is asked of GitHub than
// an installation may ask in an hour.
func TestLostDatabase(t *testing.T) {
	t.Parallel()
	const (
		repositories = 20
		apps         = 50
		perHour      = 5000
	)
	w := newWorld(t, sandbox.Options{T: t})
	for n := range apps {
		w.push(fmt.Sprintf("app%02d:1.0", n))
		w.push(fmt.Sprintf("app%02d:1.1", n))
	}
	var names []string
	next := map[string]string{} // what stands in staging, and is to go to prod
	var all []*sandbox.Repository
	for i := range repositories {
		files := map[string]string{".pinnace/policies/prod.yaml": onePerson}
		for n := range apps {
			name := fmt.Sprintf("app%02d", n)
			files["envs/staging/"+name+".yaml"] = deployment(name, "{"+name+":1.0}")
			next["envs/staging/"+name+".yaml"] = w.expand(deployment(name, "{"+name+":1.1}"))
			files["envs/prod/"+name+".yaml"] = deployment(name, "{"+name+":1.0}")
		}
		files[".pinnace/config.yaml"] = fmt.Sprintf(`apiVersion: pinnace.dev/v1alpha1
kind: Config
environments:
  - {name: staging, paths: ["envs/staging/**"]}
  - {name: prod, paths: ["envs/prod/**"], after: [staging], production: true, promote: auto, deploy: auto}
roles:
  promoter: {users: [carol, dave]}
github: {appID: %d}
registryMap: {"*": "%s"}
`, w.app.ID(), w.Registry())
		name := fmt.Sprintf("config%02d", i)
		all = append(all, w.repository(name, files))
		names = append(names, name)
		w.installed = append(w.installed, "acme/"+name)
	}
	w.app.Install("acme", names...)
	database := filepath.Join(w.home, "pinnace.db")
	h := w.unposted("sqlite:"+database, "--workers", "4")
	open := func() int {
		n := 0
		for _, r := range all {
			for _, q := range r.PullRequests() {
				if q.State == promotion.Open {
					n++
				}
			}
		}
		return n
	}
	for _, r := range all {
		r.Commit("next", "erin", "1.1 everywhere", next)
		number, err := r.OpenPullRequest("erin", "1.1 everywhere", "", "next", "main")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Merge(number, "erin", "squash"); err != nil {
			t.Fatal(err)
		}
	}
	h.start()
	h.rest()
	h.replace(h.running()[0]) // what was opened last was not judged twice yet
	h.rest()
	if n := open(); n != repositories*apps {
		t.Fatalf("%d promotions are open, want %d:\n%s", n, repositories*apps, w.said())
	}
	before := make([]string, len(all))
	for i, r := range all {
		before[i] = w.state(r)
	}

	h.stop(h.running()[0])
	for _, pattern := range []string{database + "*", filepath.Join(w.home, "cache*")} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range found {
			if err := os.RemoveAll(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.ForgetRequests()
	h.startAt(0)
	h.rest()
	calls, by := 0, map[string]int{}
	for _, q := range w.Requests() {
		if q.Write() {
			t.Errorf("after the database was lost it wrote: %s %s", q.Method, q.Path)
		}
		if strings.HasPrefix(q.Route, "/") && !strings.HasPrefix(q.Route, "/v2/") && q.Status != 304 {
			calls++
			by[q.Method+" "+q.Route]++
		}
	}
	for _, name := range slices.Sorted(maps.Keys(by)) {
		t.Logf("%5d %s", by[name], name)
	}
	t.Logf("%d calls of GitHub's API to bring %d open promotions back", calls, open())
	if calls > perHour {
		t.Errorf("%d calls, where an installation has %d in an hour", calls, perHour)
	}
	for i, r := range all {
		if got := w.state(r); got != before[i] {
			t.Errorf("%s is another one (-before +after):\n%s", r.FullName(), difference(before[i], got))
		}
	}
}
