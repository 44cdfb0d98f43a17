package verdict_test

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// With several managed bases a comment on a pull request is about that pull request's base: what
// is asked for there goes there, and /cancel closes it.
func TestCommentsOfAnotherBase(t *testing.T) {
	files := standing()
	files[".pinnace/config.yaml"] = strings.Replace(configuration, "environments:", "branches: [release]\nenvironments:", 1)
	w := newWorld(t, files, "shop:1.0", "shop:1.1")
	w.repo.Branch("release", "ada", w.repo.Tip("main"))
	wish := w.promote("bob", "prod")
	wish.Base = "release"
	opened := []string{"opened base/release/promote/prod/shop #1", "#1 waiting: 0 of 1 approval"}
	if got := w.run(wish); !slices.Equal(got, opened) {
		t.Fatalf("got %q, want %q", got, opened)
	}
	w.pass(time.Minute)
	w.repo.Comment(1, "bob", "/cancel")
	w.run()
	if state := w.repo.PullRequests()[0].State; state != "closed" {
		t.Errorf("#1 is %s", state)
	}
	w.pass(time.Minute)
	thread, err := w.repo.OpenPullRequest("bob", "notes", "", w.branchOf("notes", "release"), "release")
	if err != nil {
		t.Fatal(err)
	}
	w.repo.Comment(thread, "bob", "/promote shop to prod")
	got := w.run()
	if !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, "opened base/release/promote/prod/shop #") }) {
		t.Errorf("got %q", got)
	}
	if v := w.Violations(); len(v) > 0 {
		t.Error(v)
	}
}

// branchOf makes a branch with a note.
func (w *world) branchOf(name, base string) string {
	w.repo.Branch(name, "bob", w.repo.Tip(base))
	w.repo.Commit(name, "bob", "a note", map[string]string{"NOTES.md": "note\n"})
	return name
}
