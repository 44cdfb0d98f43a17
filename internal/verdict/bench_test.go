package verdict_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
	"github.com/pinnace-dev/pinnace/internal/verdict"
)

// large is a repository of n files that Pinnace keeps pinned, with shop among them.
func large(n int) map[string]string {
	files := standing()
	for i := range n {
		env := []string{"dev", "staging", "prod"}[i%3]
		files[fmt.Sprintf("envs/%s/team-%03d/app-%05d.yaml", env, i/300, i)] = deployment("{shop:1.0}")
	}
	return files
}

// reviewed has a promotion of shop in a repository of n files, looked at once.
func reviewed(t testing.TB, n int) (*world, *verdict.Judge) {
	files := large(n)
	// The other files are of another app, so that the promotion is of one file.
	w := newWorld(t, nil, "shop:1.0", "shop:1.1", "web:1.0")
	for name, text := range files {
		if strings.Contains(name, "/team-") {
			text = deployment("{web:1.0}")
		}
		files[name] = w.expand(text)
	}
	w.start(files)
	indexes := map[string]*reconcile.Index{}
	s := w.steward()
	s.Judge.Indexes, s.Proposer.Indexes = indexes, indexes
	if _, err := s.Run(context.Background(), w.promote("bob", "prod")); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Minute)
	w.review(1, "erin", promotion.Approved) // erin's does not count, so that nothing is merged
	j := w.steward().Judge
	j.Indexes = indexes
	return w, j
}

// A review is judged without reading what base and head share, so that it reads as much in a
// large repository as in a small one.
func TestReviewReadsLittle(t *testing.T) {
	reads := func(files int) (blobs, trees int64) {
		w, j := reviewed(t, files)
		blobs, trees = w.git.Reads()
		out, err := j.Run(context.Background(), 1)
		if err != nil || len(out.Cases) != 1 || out.Cases[0].Decision.Status != promotion.Waiting {
			t.Fatalf("got %+v, %v", out, err)
		}
		b, t := w.git.Reads()
		return b - blobs, t - trees
	}
	small, _ := reads(30)
	large, trees := reads(3000)
	if large != small || large > 10 || trees > 30 {
		t.Errorf("read %d blobs and %d trees of 3,000 files, and %d blobs of 30", large, trees, small)
	}
}

// BenchmarkReview is the time from a review to its verdict, GitHub's included, on a warm mirror.
func BenchmarkReview(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			_, j := reviewed(b, n)
			for b.Loop() {
				if _, err := j.Run(context.Background(), 1); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
