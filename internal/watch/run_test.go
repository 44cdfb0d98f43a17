package watch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/image"
)

// A host that does not answer keeps no other host waiting, and a push wakes the watcher up.
func TestRun(t *testing.T) {
	w := lite(t, Options{})
	stuck, raised := make(chan struct{}), make(chan string, 10)
	w.Watcher = w.watcher(Options{
		Every: 10 * time.Millisecond,
		Open:  func() (Registry, error) { return tarpit{answers{w}, "stuck.test", stuck}, nil },
		Raise: func(_ context.Context, looks ...event.Look) error {
			for _, l := range looks {
				raised <- l.Image
			}
			return nil
		},
	})
	w.push("ghcr.io/acme/shop:main", "a")
	w.stand(1, 11, "stuck.test/acme/shop:main", "ghcr.io/acme/shop:main")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	<-stuck
	await(t, w, "the first sight", func(f []event.Watched) bool { return len(f) == 1 && f[0].Seen != "" })
	w.push("ghcr.io/acme/shop:main", "b")
	w.skip(time.Minute)
	if err := w.Pushed(ctx, "ghcr.io/acme/shop:main"); err != nil {
		t.Fatal(err)
	}
	if got := <-raised; got != "ghcr.io/acme/shop:main" {
		t.Errorf("got a look for %s", got)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run ended with %v", err)
	}
}

// await returns once what is known of ghcr.io is as wanted.
func await(t *testing.T, w *world, what string, ok func([]event.Watched) bool) {
	t.Helper()
	for {
		all, err := w.ledger.Due(t.Context(), "ghcr.io", w.now().Add(1000*time.Hour), 10)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if ok(all) {
			return
		}
	}
}

// A tarpit does not answer for one host until the asker gives up.
type tarpit struct {
	answers
	host  string
	asked chan struct{}
}

// Resolve waits.
func (p tarpit) Resolve(ctx context.Context, r image.Ref) (image.Resolution, error) {
	if r.Registry() != p.host {
		return p.answers.Resolve(ctx, r)
	}
	select {
	case <-p.asked:
	default:
		close(p.asked)
	}
	<-ctx.Done()
	return image.Resolution{}, fmt.Errorf("resolve %s: %w", r, ctx.Err())
}

// A look that takes too long is given up, and counts as a failure of its host.
func TestSlowLook(t *testing.T) {
	w := lite(t, Options{})
	synctest.Test(t, func(t *testing.T) {
		pit := tarpit{answers{w}, "slow.test", make(chan struct{})}
		w.take("slow.test", w.now())
		began := time.Now()
		for range strikesOut {
			s := w.look(t.Context(), pit, event.Watched{Installation: 1, Host: "slow.test", Name: "slow.test/acme/shop", Tag: "main"})
			if s == nil || s.Now.Failures != 1 || !s.Now.Due.After(w.now()) {
				t.Errorf("got %+v, want a failure, and another look later", s)
			}
		}
		if took := time.Since(began); took != strikesOut*lookTime {
			t.Errorf("the looks took %s, want %s", took, strikesOut*lookTime)
		}
		if !w.resting("slow.test", w.now()) {
			t.Error("a host that does not answer is asked on and on")
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if s := w.look(ctx, pit, event.Watched{Host: "slow.test", Name: "slow.test/acme/shop", Tag: "main"}); s != nil {
			t.Errorf("got %+v of a look that was called off", s)
		}
	})
}

// A batch that takes long leaves the rest for the next one.
func TestLongBatch(t *testing.T) {
	w := lite(t, Options{})
	w.Watcher = w.watcher(Options{Open: func() (Registry, error) { return slow{answers{w}}, nil }, Budgets: map[string]int{"": 1200}})
	var refs []string
	for i := range 50 {
		refs = append(refs, fmt.Sprintf("ghcr.io/acme/app-%02d:main", i))
		w.push(refs[i], "a")
	}
	w.stand(1, 11, refs...)
	w.tick()
	if n := len(w.questions()); n < 3 || n > 10 {
		t.Errorf("%d looks of 10 s each in a batch that begins none after 20 s, %d at a time", n, perHost)
	}
}

type slow struct{ answers }

// Resolve takes ten seconds.
func (s slow) Resolve(ctx context.Context, r image.Ref) (image.Resolution, error) {
	s.w.skip(10 * time.Second)
	return s.answers.Resolve(ctx, r)
}

// What the ledger or the registries refuse is told, and tried again.
func TestRoundFails(t *testing.T) {
	w := lite(t, Options{})
	failing := errors.New("no keychain")
	w.Watcher = w.watcher(Options{Open: func() (Registry, error) { return nil, failing }})
	w.push("ghcr.io/acme/shop:main", "a")
	w.stand(1, 11, "ghcr.io/acme/shop:main")
	if err := w.Tick(t.Context()); !errors.Is(err, failing) {
		t.Errorf("got %v, want %v", err, failing)
	}
	if w.take("ghcr.io", w.now()) == 0 {
		t.Error("the host counts as busy although nothing is asked")
	}
	w.Watcher = w.watcher(Options{})
	if err := w.Pushed(t.Context(), "ghcr.io/acme/shop:main"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.Tick(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	w.tick()
	if !slices.Contains(w.questions(), "ghcr.io/acme/shop:main") {
		t.Error("nothing is asked after the failure")
	}
}

// A header that lies moves nothing; a tag that moves during the look is what its bytes are.
func TestLyingHeader(t *testing.T) {
	w := lite(t, Options{})
	old := w.push("ghcr.io/acme/shop:1.0.0", "a")
	w.stand(1, 11, "ghcr.io/acme/shop:1.0.0@"+old)
	w.tick()
	w.Watcher = w.watcher(Options{Open: func() (Registry, error) { return liar{answers{w}}, nil }})
	w.pass(30 * time.Minute)
	same(t, "looks at a lie", w.looks(), nil)
	same(t, "alerts for a lie", w.alarms(), nil)
	w.push("ghcr.io/acme/shop:1.0.0", "b")
	w.fail("bytes of ghcr.io/acme/shop:1.0.0", errors.New("refused the manifest: the registry states another digest"))
	w.pass(30 * time.Minute)
	same(t, "looks at what contradicts itself", w.looks(), nil)
	w.fail("bytes of ghcr.io/acme/shop:1.0.0", nil)
	w.pass(6 * time.Hour)
	same(t, "looks", w.looks(), []string{"1/11 ghcr.io/acme/shop:1.0.0"})
	same(t, "alerts", w.alarms(), []string{"tag_moved"})
}

type liar struct{ answers }

// Resolve lies.
func (l liar) Resolve(context.Context, image.Ref) (image.Resolution, error) {
	return image.Resolution{Digest: image.Digest(digestOf("a lie"))}, nil
}
