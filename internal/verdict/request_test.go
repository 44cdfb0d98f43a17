package verdict_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/verdict"
)

// expect compares what Pinnace did with what it was to do, line by line.
func (w *world) expect(got []string, want ...string) {
	w.Helper()
	if !slices.Equal(got, want) {
		w.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// rest requires that a further run says and writes nothing but the verdicts that stand, and
// that nothing was ever done against the rules.
func (w *world) rest(want ...string) {
	w.Helper()
	w.expect(w.run(), want...)
	w.ForgetRequests()
	w.expect(w.run(), want...)
	for _, r := range w.Requests() {
		if r.Write() {
			w.Errorf("at rest Pinnace wrote: %s %s", r.Method, r.Path)
		}
	}
	if v := w.Violations(); len(v) > 0 {
		w.Errorf("violations:\n  %s", strings.Join(v, "\n  "))
	}
}

// wish is what somebody asks on the command line.
func (w *world) wish(by, app, env string, more ...func(*verdict.Wish)) verdict.Wish {
	x := verdict.Wish{ID: "cli-" + by + "-" + env + w.now.Format("150405"), Kind: promotion.Promotion, App: app, Env: env, By: []promotion.Identity{w.User(by)}}
	for _, f := range more {
		f(&x)
	}
	return x
}

func from(env string) func(*verdict.Wish)   { return func(x *verdict.Wish) { x.From = env } }
func straight(ref string) func(*verdict.Wish) { return func(x *verdict.Wish) { x.Image = ref } }

// reply returns what Pinnace answered to a thread, comment by comment.
func (w *world) replies(thread int) []string {
	var out []string
	for _, c := range w.repo.Comments(thread) {
		if c.Author.ID == w.app.Bot().ID {
			out = append(out, c.Body)
		}
	}
	return out
}

func TestRequestSources(t *testing.T) {
	for name, test := range map[string]struct {
		wish verdict.Wish
		want []string
	}{} {
		_ = name
		_ = test
	}
	w := newWorld(t, standing(), "shop:1.0", "shop:1.1", "shop:1.2")
	w.pass(time.Minute)
	t.Log(w.run(w.wish("bob", "shop", "prod", from("dev"))))
	t.Log(w.run(w.wish("bob", "shop", "prod", straight("ghcr.io/acme/shop:1.2"))))
	t.Log(w.run(w.wish("bob", "shopp", "prod")))
	t.Log(w.run(w.wish("bob", "shop", "prodd")))
	t.Log(w.run(w.wish("bob", "shop", "dev")))
	t.Log(w.run(w.wish("bob", "shop", "staging")))
	t.Log(w.run(w.wish("bob", "shop", "prod")))
	t.Log(w.run(w.wish("erin", "shop", "prod")))
	for _, q := range w.repo.PullRequests() {
		t.Log(q.Number, q.State, q.Title, q.Body)
		for _, c := range w.repo.Checks(q.Head.SHA) {
			t.Log(c.Name, c.Status, c.Conclusion, c.Title, c.Summary, c.Text)
		}
	}
	n := w.repo.Issue("bob", "Requests", "")
	for _, c := range []struct{ by, text string }{
		{"bob", "/promote shop to prod"}, {"bob", "/promot shop"}, {"bob", "/promote shopp to prod"}, {"mallory", "/promote shop to prod"},
	} {
		w.pass(time.Minute)
		w.repo.Comment(n, c.by, c.text)
	}
	t.Log(w.run())
	for _, r := range w.replies(n) {
		t.Log(r)
	}
	w.rest("#1 waiting")
}
