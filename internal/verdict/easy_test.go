package verdict_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
	"github.com/pinnace-dev/pinnace/internal/verdict"
)

// An ordinary day has no attacker in it. What people have to do is counted: every review,
// comment and click that they would not have made without Pinnace is a reason not to use it.
type day struct {
	*siege
	acts  int // of people
	spoke int // lines that Pinnace said of what it did
}

func ordinary(t *testing.T, files map[string]string, images ...string) *day {
	t.Helper()
	d := &day{siege: &siege{newWorld(t, files, images...)}}
	d.demand(promotion.Rules{})
	d.look()
	d.pass(time.Minute)
	return d
}

// look lets Pinnace do what is to be done.
func (d *day) look(want ...string) {
	d.Helper()
	got := d.run()
	d.spoke += len(got)
	if len(want) > 0 && !slices.Equal(got, want) {
		d.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// act is what one person does.
func (d *day) act(do func() error) {
	d.Helper()
	d.acts++
	d.pass(time.Minute)
	if err := do(); err != nil {
		d.Fatal(err)
	}
}

// over ends the day: it took so many acts of people, Pinnace said no more than so many lines,
// and nothing is left to do.
func (d *day) over(acts, lines int) {
	d.Helper()
	if d.acts != acts || d.spoke > lines {
		d.Errorf("it took %d acts of people and %d lines, want %d and at most %d", d.acts, d.spoke, acts, lines)
	}
	for _, q := range d.repo.PullRequests() {
		if q.State != promotion.Merged {
			d.Errorf("#%d is %s: %s", q.Number, q.State, q.Title)
		}
	}
	if all := d.repo.Issues(); len(all) > 0 {
		d.Errorf("there are %d issues, such as %s", len(all), all[0].Title)
	}
	d.still()
}

// holds asks that an environment runs an image.
func (d *day) holds(env, image string) {
	d.Helper()
	got, _ := d.repo.File("main", "envs/"+env+"/shop.yaml")
	if want := d.expand(deployment(image)); got != want {
		d.Errorf("%s holds\n%s\nwant\n%s", env, got, want)
	}
}

// The first day: a repository without .pinnace/ gets its configuration from its only
// administrator, who has nobody to ask. One comment says that the change is meant.
func TestEasyFirstInstall(t *testing.T) {
	d := ordinary(t, map[string]string{"envs/dev/shop.yaml": deployment("{shop:1.0}"), "envs/prod/shop.yaml": deployment("{shop:1.0}")}, "shop:1.0")
	var n int
	d.act(func() error {
		n = d.hand("ada", "pinnace", map[string]string{
			".pinnace/config.yaml":        swap(t, configuration, "  - {name: staging, paths: [\"envs/staging/**\"], after: [dev]}\n", "", "after: [staging]", "after: [dev]"),
			".pinnace/policies/prod.yaml": twoPeople,
		})
		return nil
	})
	d.look()
	d.act(func() error {
		d.repo.Comment(n, "ada", "/approve-config "+d.pullOf(n).Head.SHA)
		return nil
	})
	d.look("#1 all rules hold")
	d.act(func() error { _, err := d.repo.Merge(n, "ada", "squash"); return err })
	d.look()
	d.over(3, 2)
}

// Who maintains a repository alone asks, and Pinnace does it: there is nobody to wait for. The
// way back is as short.
func TestEasyAlone(t *testing.T) {
	files := standing()
	files[".pinnace/policies/prod.yaml"] = lax
	d := ordinary(t, files, "shop:1.0", "shop:1.1")
	d.act(func() error {
		d.look1(d.promote("ada", "prod"), "opened promote/prod/shop #1", "#1 merged")
		return nil
	})
	d.holds("prod", "{shop:1.1}")
	d.act(func() error {
		w := verdict.Wish{ID: "cli-back", Kind: promotion.Rollback, App: "shop", Env: "prod", By: []promotion.Identity{d.User("ada")}}
		d.look1(w, "opened rollback/prod/shop #2", "#2 merged")
		return nil
	})
	d.holds("prod", "{shop:1.0}")
	d.over(2, 4)
}

// Who maintains a repository alone, and wants to look twice, approves what they asked for.
func TestEasyAloneTwice(t *testing.T) {
	files := standing()
	files[".pinnace/policies/prod.yaml"] = swap(t, twoPeople, "approverCount: 1", "approverCount: 1\nallowRequestFromApprove: true\nallowImageBuilderFromApprove: true\nallowApproverFromDeploy: true")
	d := ordinary(t, files, "shop:1.0", "shop:1.1")
	d.act(func() error {
		d.look1(d.promote("ada", "prod"), "opened promote/prod/shop #1", "#1 waiting: 0 of 1 approval")
		return nil
	})
	d.act(func() error { _, err := d.repo.Review(1, "ada", promotion.Approved, ""); return err })
	d.look("#1 merged")
	d.holds("prod", "{shop:1.1}")
	d.over(2, 3)
}

// Renovate, or another App of its kind, keeps dev up to date by pull requests of its own. No
// policy is bound there: the check is green at once, and the App merges by itself.
func TestEasyRenovateBeside(t *testing.T) {
	d := ordinary(t, standing(), "shop:1.0", "shop:1.1", "shop:1.2")
	other := d.App(sandbox.AppOptions{Name: "Renovate", Permissions: map[string]string{"contents": "write", "pull_requests": "write", "metadata": "read"}})
	other.Install("acme")
	token := other.InstallationToken("acme")
	d.edit(other.Bot().Login, "renovate/shop", map[string]string{"envs/dev/shop.yaml": deployment("{shop:1.2}")})
	d.call(token, "POST", "/repos/acme/config/pulls", `{"title":"Update shop to 1.2","head":"renovate/shop","base":"main","body":""}`)
	d.look("#1 all rules hold")
	d.call(token, "PUT", "/repos/acme/config/pulls/1/merge", `{"merge_method":"squash"}`)
	d.holds("dev", "{shop:1.2}")
	d.look()
	d.over(0, 1)
}

// Dev follows its tag: what is pushed there is deployed, and nobody does anything.
func TestEasyFollowing(t *testing.T) {
	files := standing()
	files[".pinnace/config.yaml"] = swap(t, configuration, `paths: ["envs/dev/**"]}`, `paths: ["envs/dev/**"], deploy: auto, track: [{images: ["ghcr.io/acme/*"], semver: "^1"}]}`)
	d := ordinary(t, files, "shop:1.0", "shop:1.1")
	d.push("shop:1.2")
	d.look("opened update/dev/shop #1", "#1 merged")
	d.holds("dev", "{shop:1.2}")
	d.over(0, 2)
}

// A tag by itself is written where digests are demanded. A click on what Pinnace suggests is
// all that it takes.
func TestEasySuggestion(t *testing.T) {
	files := standing()
	files[".pinnace/policies/pins.yaml"] = "apiVersion: pinnace.dev/v1alpha1\nkind: PullImageDigestPolicy\nname: pinned\nallEnvironments: true\n"
	d := ordinary(t, files, "shop:1.0", "shop:1.1", "shop:1.2")
	var n int
	d.act(func() error {
		n = d.hand("bob", "try", map[string]string{"envs/dev/shop.yaml": deployment("ghcr.io/acme/shop:1.2")})
		return nil
	})
	d.look()
	c, _ := d.checkAt(d.pullOf(n).Head.SHA, "pinnace/pins")
	if c.Conclusion != "failure" || !strings.Contains(c.Title+c.Summary, "digest") {
		t.Errorf("the check is %q: %s", c.Conclusion, c.Title)
	}
	d.act(func() error {
		_, err := d.repo.ApplySuggestion(n, "bob", d.app.Bot().Login, map[string]string{"envs/dev/shop.yaml": d.expand(deployment("{shop:1.2}"))})
		return err
	})
	d.look("#1 all rules hold")
	d.act(func() error { _, err := d.repo.Merge(n, "bob", "squash"); return err })
	d.holds("dev", "{shop:1.2}")
	d.look()
	d.over(3, 2)
}

// look1 lets Pinnace do what one person asks.
func (d *day) look1(w verdict.Wish, want ...string) {
	d.Helper()
	got := d.run(w)
	d.spoke += len(got)
	d.lines(got, want...)
}
