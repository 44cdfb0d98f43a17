package verdict_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// sees lets Pinnace do what is to be done, and holds it to what that is.
func (w *world) sees(want ...string) {
	w.Helper()
	if got := w.run(); !slices.Equal(got, want) {
		w.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// rests holds Pinnace to writing nothing more, and the whole story to the rules of GitHub.
func (w *world) rests() {
	w.Helper()
	before, requests := w.Writes(), len(w.Requests())
	w.run()
	if w.Writes() != before {
		var what []string
		for _, r := range w.Requests()[requests:] {
			if r.Write() {
				what = append(what, r.Method+" "+r.Path)
			}
		}
		w.Errorf("a run at rest wrote: %s", strings.Join(what, ", "))
	}
	if v := w.Violations(); len(v) > 0 {
		w.Error(v)
	}
}

// opens opens a pull request by a person, of one commit by the same person.
func (w *world) opens(by, branch string, edits map[string]string) int {
	w.Helper()
	for path, text := range edits {
		edits[path] = w.expand(text)
	}
	w.repo.Commit(branch, by, "change "+branch, edits)
	number, err := w.repo.OpenPullRequest(by, "Change "+branch, "", branch, "main")
	if err != nil {
		w.Fatal(err)
	}
	return number
}

// pull returns a pull request as it is now.
func (w *world) pull(number int) promotion.PullRequest {
	w.Helper()
	for _, q := range w.repo.PullRequests() {
		if q.Number == number {
			return q
		}
	}
	w.Fatalf("there is no #%d", number)
	return promotion.PullRequest{}
}

// check spells the newest check run of a name on the head of a pull request.
func (w *world) checked(number int, name string) promotion.CheckRun {
	w.Helper()
	return w.checkedAt(w.pull(number).Head.SHA, name)
}

func (w *world) checkedAt(sha, name string) promotion.CheckRun {
	w.Helper()
	var out promotion.CheckRun
	for _, c := range w.repo.Checks(sha) {
		if c.Name == name {
			out = c
		}
	}
	return out
}

// conclusion says how the check run of a name on the head of a pull request ended, or what it
// does.
func (w *world) conclusion(number int, name string) string {
	w.Helper()
	c := w.checked(number, name)
	if c.Conclusion != "" {
		return c.Conclusion
	}
	return c.Status
}

func (w *world) holds(path, want string) {
	w.Helper()
	got, _ := w.repo.File("main", path)
	if want = w.expand(want); got != want {
		w.Errorf("main has %s\n%s\nwant\n%s", path, got, want)
	}
}

func (w *world) show(number int) {
	for _, c := range w.repo.Checks(w.pull(number).Head.SHA) {
		fmt.Printf("---- %s %s %s\n%s\n\n%s\n..\n%s\n", c.Name, c.Status, c.Conclusion, c.Title, c.Summary, c.Text)
		for _, a := range c.Annotations {
			fmt.Printf("   @ %+v\n", a)
		}
	}
	for _, c := range w.repo.Comments(number) {
		fmt.Printf("---- comment %s: %s\n", c.Author.Login, c.Body)
	}
}

func TestByHandProbe(t *testing.T) {
	w := newWorld(t, standing(), "shop:1.0", "shop:1.1", "shop:2.0", "side:1.0")
	fmt.Println(strings.Join(w.run(), "\n"))
	a := w.opens("bob", "seq", map[string]string{"envs/prod/shop.yaml": deployment("{shop:1.1}")})
	b := w.opens("bob", "direct", map[string]string{"envs/prod/shop.yaml": deployment("{shop:2.0}")})
	c := w.opens("bob", "readme", map[string]string{"README.md": "hello"})
	d := w.opens("bob", "dev", map[string]string{"envs/dev/shop.yaml": deployment("{shop:2.0}")})
	fmt.Println(strings.Join(w.run(), "\n"))
	for _, n := range []int{a, b, c, d} {
		w.show(n)
	}
	w.pass(time.Minute)
	w.review(a, "bob", promotion.Approved)
	w.review(a, "carol", promotion.Approved)
	fmt.Println(strings.Join(w.run(), "\n"))
	w.show(a)
	w.pass(time.Minute)
	w.repo.Comment(a, "dave", "/deploy")
	fmt.Println(strings.Join(w.run(), "\n"))
	w.rests()
}
