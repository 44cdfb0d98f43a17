package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// A heard is a change that Pinnace made.
type heard struct {
	at   time.Time
	path string // of the request
	text string // of its body
}

// listen returns what an Exchange is told to, and a channel of check runs and pull requests.
func listen() (func(sandbox.Exchange), chan heard) {
	all := make(chan heard, 10_000)
	return func(x sandbox.Exchange) {
		path := x.Request.URL.Path
		check := strings.Contains(path, "/check-runs")
		pull := x.Request.Method == http.MethodPost && strings.HasSuffix(path, "/pulls")
		if x.Request.Method == http.MethodGet || x.Status/100 != 2 || !check && !pull {
			return
		}
		all <- heard{time.Now(), path, string(x.Body)}
	}, all
}

// until returns the first change that is what is waited for.
func until(ctx context.Context, all chan heard, is func(heard) bool) (heard, error) {
	end := time.NewTimer(patience)
	defer end.Stop()
	for {
		select {
		case h := <-all:
			if is(h) {
				return h, nil
			}
		case <-end.C:
			return heard{}, fmt.Errorf("nothing of the kind came within %s", patience)
		case <-ctx.Done():
			return heard{}, ctx.Err()
		}
	}
}

// latencies measures how long people wait where GitHub is far away.
func latencies(ctx context.Context, b *bench) (err error) {
	see, all := listen()
	var reviewed, pushed []*sandbox.Repository
	s, err := b.stage(ctx, "latency", see, func(w *world) {
		for i := range b.rounds {
			reviewed = append(reviewed, w.config(fmt.Sprintf("reviewed-%d", i)))
			pushed = append(pushed, w.config(fmt.Sprintf("pushed-%d", i)))
		}
		w.app.Install("acme")
		w.delay.Store(int64(b.latency))
	})
	if err != nil {
		return err
	}
	defer s.close(&err)
	if err := s.idle(2 * patience); err != nil {
		return err
	}
	stop := s.pumped(ctx)
	defer stop()
	if err := b.reviews(ctx, s.child, reviewed, all); err != nil {
		return fmt.Errorf("reviews: %w\n%s", err, s.tail())
	}
	if err := b.pushes(ctx, s.world, pushed, all); err != nil {
		return fmt.Errorf("pushes: %w\n%s", err, s.tail())
	}
	return nil
}

// reviews approves one pull request after the other, each in a repository of its own, and waits
// for the check run that says so.
func (b *bench) reviews(ctx context.Context, c *child, repos []*sandbox.Repository, all chan heard) error {
	for _, r := range repos {
		r.Comment(r.Issue("bob", "Requests", ""), "bob", "/promote shop to prod")
	}
	for range repos {
		if _, err := until(ctx, all, func(h heard) bool { return strings.HasSuffix(h.path, "/pulls") }); err != nil {
			return fmt.Errorf("a request leads to no pull request: %w", err)
		}
	}
	if err := c.idle(patience); err != nil {
		return err
	}
	var took sample
	for _, r := range repos {
		i := slices.IndexFunc(r.PullRequests(), func(q promotion.PullRequest) bool { return q.State == promotion.Open })
		if i < 0 {
			return fmt.Errorf("there is no pull request in %s", r.FullName())
		}
		began := time.Now()
		if _, err := r.Review(r.PullRequests()[i].Number, "carol", promotion.Approved, ""); err != nil {
			return err
		}
		h, err := until(ctx, all, func(h heard) bool {
			return strings.Contains(h.path, "/"+r.FullName()+"/") && strings.Contains(title(h), "1 of 2")
		})
		if err != nil {
			return fmt.Errorf("%s: %w", r.FullName(), err)
		}
		took = append(took, h.at.Sub(began))
	}
	b.spread(fmt.Sprintf("review to check run, GitHub %s away", b.latency), took, 0.95, 2*time.Second)
	return c.idle(patience)
}

// title is that of a check run, "" where a change is none.
func title(h heard) string {
	var in struct{ Output struct{ Title string } }
	if !strings.Contains(h.path, "/check-runs") || json.Unmarshal([]byte(h.text), &in) != nil {
		return ""
	}
	return in.Output.Title
}

// pushes commits an image without a digest to one repository after the other, and waits for the
// pull request that pins it.
func (b *bench) pushes(ctx context.Context, w *world, repos []*sandbox.Repository, all chan heard) error {
	var took sample
	for _, r := range repos {
		began := time.Now()
		r.Commit("main", "ada", "Another shop", map[string]string{"envs/dev/shop.yaml": deployment("ghcr.io/acme/shop:1.2")})
		h, err := until(ctx, all, func(h heard) bool { return strings.HasSuffix(h.path, "/"+r.FullName()+"/pulls") })
		if err != nil {
			return err
		}
		took = append(took, h.at.Sub(began))
	}
	b.spread(fmt.Sprintf("push to pull request, GitHub %s away", b.latency), took, 0.95, 5*time.Second)
	return w.broken()
}
