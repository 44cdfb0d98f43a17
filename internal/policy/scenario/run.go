package scenario

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// An Outcome is what a case came to.
type Outcome struct {
	Case     Case
	Decision promotion.Decision
	Failures []string        // what differs from what is wanted; none: it holds
	Problems policy.Problems // why it could not be judged
}

// Run judges all cases by a set that was loaded for the suite's World.
func Run(s Suite, set *policy.Set) []Outcome {
	all := make([]Outcome, len(s.Cases))
	for i, c := range s.Cases {
		all[i] = c.Run(s, set)
	}
	return all
}

// Run judges one case.
func (c Case) Run(s Suite, set *policy.Set) Outcome {
	o := Outcome{Case: c}
	in, err := c.Input(s.Config, set)
	if err != nil {
		if !errors.As(err, &o.Problems) {
			o.Problems = policy.Problems{{File: c.File, Line: c.Line, Column: 1, Message: err.Error()}} // unreachable: Input returns problems
		}
		return o
	}
	o.Decision = policy.Decide(in)
	o.Failures = c.compare(o.Decision)
	return o
}

// compare says how a decision differs from what is wanted.
func (c Case) compare(d promotion.Decision) []string {
	var all []string
	fail := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	if c.Want != "" && d.Status != c.Want {
		fail("got %s, want %s", d.Status, c.Want)
	}
	rules := map[string]promotion.Status{}
	worst(d.Results, rules)
	for _, name := range slices.Sorted(maps.Keys(c.Rules)) {
		want := c.Rules[name]
		got, there := rules[name]
		switch {
		case !there && want != absent:
			asked := slices.Sorted(maps.Keys(rules))
			near := hint(name, asked)
			if near == "" {
				near = ": there are " + list(asked, "and")
			}
			fail("rule %s: want %s, and no such rule was asked%s", name, want, near)
		case there && string(got) != want:
			fail("rule %s: got %s, want %s", name, got, want)
		}
	}
	text := Explanation(d)
	for _, s := range c.Says {
		if !strings.Contains(text, s) {
			fail("the explanation does not say %q", s)
		}
	}
	for _, s := range c.Not {
		if strings.Contains(text, s) {
			fail("the explanation says %q", s)
		}
	}
	return all
}

// worst collects the worst status of the results of each rule.
func worst(results []promotion.Result, into map[string]promotion.Status) {
	for _, r := range results {
		into[r.Rule] = promotion.Worst(into[r.Rule], r.Status)
		worst(r.Children, into)
	}
}

// Explanation is every text of a decision, one on each line: what says and not are held to.
func Explanation(d promotion.Decision) string {
	var b strings.Builder
	line := func(texts ...string) {
		for _, t := range texts {
			if t != "" {
				b.WriteString(t + "\n")
			}
		}
	}
	line(d.Summary)
	var walk func(results []promotion.Result)
	walk = func(results []promotion.Result) {
		for _, r := range results {
			line(r.Title, r.Seen, r.Wanted, r.Who, r.Next, strings.Join(r.Missing, ", "))
			walk(r.Children)
		}
	}
	walk(d.Results)
	for _, i := range d.Ignored {
		line(i.By.Login + ": " + i.Reason)
	}
	return b.String()
}
