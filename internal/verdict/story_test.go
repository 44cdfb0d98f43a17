package verdict_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// standing has shop 1.1 in dev and staging, and 1.0 in prod.
func standing() map[string]string {
	return map[string]string{
		".pinnace/config.yaml":        configuration,
		".pinnace/policies/prod.yaml": twoPeople,
		"envs/dev/shop.yaml":          deployment("{shop:1.1}"),
		"envs/staging/shop.yaml":      deployment("{shop:1.1}"),
		"envs/prod/shop.yaml":         deployment("{shop:1.0}"),
	}
}

// From a request to a merge: the pull request waits for an approval, the requester's own does
// not count, and it is merged at the head that was judged as soon as another one is there.
func TestStory(t *testing.T) {
	w := newWorld(t, standing(), "shop:1.0", "shop:1.1")
	step := func(want ...string) {
		t.Helper()
		if got := w.run(); !slices.Equal(got, want) {
			t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
		}
	}
	step()
	if got, want := w.run(w.promote("bob", "prod")), []string{"opened promote/prod/shop #1", "#1 waiting: 0 of 1 approval"}; !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	w.pass(time.Minute)
	w.review(1, "bob", promotion.Approved)
	step("#1 waiting: 0 of 1 approval")
	w.pass(time.Minute)
	w.review(1, "carol", promotion.Approved)
	step("#1 merged")
	step()
	writes := w.Writes()
	if step(); w.Writes() != writes {
		t.Errorf("a run at rest wrote %d times", w.Writes()-writes)
	}
	got, _ := w.repo.File("main", "envs/prod/shop.yaml")
	if want := w.expand(deployment("{shop:1.1}")); got != want {
		t.Errorf("prod holds\n%s\nwant\n%s", got, want)
	}
	last := w.repo.Log("main")[0].Message
	for _, trailer := range []string{"Pinnace-From: staging", "Requested-by: bob#", "Approved-by: carol#", "Policy: prod", "Pinnace-Seal: "} {
		if !strings.Contains(last, "\n"+trailer) {
			t.Errorf("the merge does not say %s:\n%s", trailer, last)
		}
	}
	if v := w.Violations(); len(v) > 0 {
		t.Error(v)
	}
}
