package reconcile

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/plan"
)

// maxDated is the most images whose creation time is asked for one rule with order
// newest.
const maxDated = 100

// A pursuit is what a track rule asks for a place.
type pursuit struct {
	track config.Track
	now   image.Ref // with its tag
	key   pursuitKey
}

type pursuitKey struct{ repository, tag, rule string }

func pursue(t config.Track, f *manifest.Finding) pursuit {
	now := plan.Tagged(f)
	rule := string(t.Follow) + "\x00" + t.Semver + "\x00" + t.Pattern + "\x00" + string(t.Order)
	return pursuit{track: t, now: now, key: pursuitKey{now.Repository(), now.Tag, rule}}
}

// selections answers which tag each pursuit leads to: one list of tags for each
// repository, one selection for each pursuit.
type selections struct {
	facts   Facts
	mu      sync.Mutex
	of      map[pursuitKey]plan.Selection
	errs    map[pursuitKey]error
	pursued []pursuit
}

// add notes a pursuit of versions. One that follows a digest needs no list of tags.
func (s *selections) add(p pursuit) {
	if p.track.Follow == config.FollowDigest {
		return
	}
	if _, twice := s.of[p.key]; !twice {
		s.of[p.key] = plan.Selection{}
		s.pursued = append(s.pursued, p)
	}
}

// ask fills the selections.
func (s *selections) ask(ctx context.Context, concurrency int) error {
	byRepository := map[string][]pursuit{}
	var order []string
	for _, p := range s.pursued {
		if byRepository[p.key.repository] == nil {
			order = append(order, p.key.repository)
		}
		byRepository[p.key.repository] = append(byRepository[p.key.repository], p)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(concurrency)
	for _, repository := range order {
		g.Go(func() error {
			all := byRepository[repository]
			tags, err := s.facts.Tags(ctx, all[0].now)
			for _, p := range all {
				s.settle(ctx, p, tags, err)
			}
			return ctx.Err()
		})
	}
	return g.Wait()
}

func (s *selections) settle(ctx context.Context, p pursuit, tags []string, err error) {
	var chosen plan.Selection
	if err == nil {
		chosen, err = s.choose(ctx, p, tags)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.of[p.key] = chosen
	if err != nil {
		s.errs[p.key] = err
	}
}

func (s *selections) choose(ctx context.Context, p pursuit, tags []string) (plan.Selection, error) {
	if p.track.Order != config.OrderNewest {
		return plan.Select(p.track, p.now.Tag, tags, nil), nil
	}
	candidates, err := plan.Candidates(p.track, p.now.Tag, tags)
	if err != nil {
		return plan.Selection{}, err
	}
	if len(candidates) > maxDated {
		return plan.Selection{Reason: fmt.Sprintf("%d tags match, and the creation time of at most %d is looked at: narrow the pattern", len(candidates), maxDated)}, nil
	}
	created := map[string]time.Time{}
	for _, tag := range candidates {
		ref := p.now
		ref.Tag, ref.Digest = tag, ""
		facts, err := s.facts.Facts(ctx, ref)
		if err != nil {
			return plan.Selection{}, err
		}
		created[tag] = facts.Created
	}
	return plan.Select(p.track, p.now.Tag, tags, created), nil
}

// target says what a pursuit leads to, once everything is answered.
func (s *selections) target(p pursuit, a *asker) plan.Target {
	if p.track.Follow == config.FollowDigest {
		if p.now.Tag == "" {
			return plan.Target{Reason: "no tag is written that could be followed"}
		}
		answer, _ := a.answer(inquiry{p.now, true, true})
		return plan.Target{Tag: p.now.Tag, Answer: answer}
	}
	if err := s.errs[p.key]; err != nil {
		return plan.Target{Err: err}
	}
	chosen := s.of[p.key]
	if chosen.Tag == "" {
		return plan.Target{Reason: chosen.Reason}
	}
	answer, _ := a.answer(s.inquiry(p, chosen.Tag))
	return plan.Target{Tag: chosen.Tag, Reason: chosen.Reason, Answer: answer}
}

// inquiry asks for the meaning of the tag that a pursuit leads to.
func (s *selections) inquiry(p pursuit, tag string) inquiry {
	ref := p.now
	ref.Tag, ref.Digest = tag, ""
	return inquiry{ref, true, false}
}
