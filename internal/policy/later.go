package policy

import (
	"regexp"
	"time"

	"github.com/pinnace-dev/pinnace/internal/policy/condition"
)

// tick is how soon a condition that reads the time is asked again.
const tick = 5 * time.Minute

// What a condition reads, by the words in it.
var (
	timed  = regexp.MustCompile(`\b(now|age|soak|longestSoak)\b`)
	clocks = regexp.MustCompile(`\bnow\b`)
	counts = regexp.MustCompile(`\bapprovals\b`)
)

// patience is the cost that one decision may spend on asking conditions of later instants:
// about 20 ms.
const patience = 200_000

// later asks a condition of later instants, and returns about the first at which it comes to
// what is wanted. Of how much time has passed, ever longer spans are asked; of the time itself
// also the hours of the next week and the days of the next year. A match that none of them
// meets is not found, and a condition is asked again each tick whatever comes of it. Where
// asking costs too much, it may be met at a time that nobody knows, which is zero.
func (j *judge) later(e *Expression, f condition.Facts, cost uint64, wanted condition.Verdict) (at time.Time, ok bool) {
	if !f.Now.Known {
		return time.Time{}, false
	}
	met := func(after time.Duration) bool {
		j.spent += cost + 1
		g := f
		pass(&g, after)
		return e.Condition.Verdict(condition.About(&g)) == wanted
	}
	spans := growing
	if e.clocks {
		spans = calendar
	}
	before := time.Duration(0)
	for _, span := range spans {
		if j.spent+cost > patience {
			return time.Time{}, true
		}
		if !met(span) {
			before = span
			continue
		}
		for span-before > time.Minute && j.spent+cost <= patience {
			if half := (before + (span-before)/2).Truncate(time.Second); met(half) {
				span = half
			} else {
				before = half
			}
		}
		return f.Now.Value.Add(span).Truncate(time.Minute).Add(time.Minute), true
	}
	return time.Time{}, false
}

// pass lets time pass.
func pass(f *condition.Facts, by time.Duration) {
	f.Now.Value = f.Now.Value.Add(by)
	for _, p := range []*condition.Place{&f.Source, &f.Target} {
		if p.Soak.Known {
			p.Soak.Value += by
			p.LongestSoak.Value = max(p.LongestSoak.Value, p.Soak.Value)
		}
	}
}

// The spans after which conditions are asked.
var (
	growing  = spans(nil)
	calendar = spans([]span{{25 * time.Minute, 8 * day}, {25 * time.Hour, 400 * day}})
)

// A span is a step, up to a length.
type span struct{ step, length time.Duration }

// spans returns those that grow by a quarter, up to a hundred years, after the even ones.
func spans(even []span) []time.Duration {
	var all []time.Duration
	at := time.Duration(0)
	for _, s := range even {
		for at+s.step <= s.length {
			at += s.step
			all = append(all, at)
		}
	}
	for at = max(at, 4*time.Minute); at < 100*365*day; {
		at += at / 4
		all = append(all, at.Truncate(time.Second))
	}
	return all
}
