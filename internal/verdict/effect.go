package verdict

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/plan"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/rulebook"
)

// maxEffects is how many lines of one sort say what other rules would do.
const maxEffects = 20

// An effect is one difference that other rules make.
type effect struct {
	text    string
	loosens bool
}

// results are effects as rules show them, those that loosen one first.
func results(all []effect) []promotion.Result {
	slices.SortStableFunc(all, func(a, b effect) int {
		switch {
		case a.loosens == b.loosens:
			return 0
		case a.loosens:
			return -1
		}
		return 1
	})
	var out []promotion.Result
	for _, e := range all {
		r := promotion.Result{Rule: "difference", Status: promotion.Passed, Title: e.text}
		if e.loosens {
			r.Seen = "it loosens a rule"
		}
		out = append(out, r)
	}
	return out
}

// resettled says which files with images would affect other environments by another
// configuration.
func (b *base) resettled(c *config.Config) []effect {
	files := b.reading.Files()
	reach := plan.NewReach(c, files, b.reading.Has)
	type move struct{ from, to string }
	byMove := map[move][]string{}
	var order []move
	lost := map[move]bool{}
	for _, f := range files {
		was, is := b.reading.Environments(f.Path), reach.Environments(f.Path)
		if len(f.Result.Findings) == 0 || slices.Equal(was, is) {
			continue
		}
		m := move{cmp.Or(strings.Join(was, " and "), "no environment"), cmp.Or(strings.Join(is, " and "), "no environment")}
		if byMove[m] == nil {
			order = append(order, m)
		}
		byMove[m] = append(byMove[m], f.Path)
		lost[m] = lost[m] || slices.ContainsFunc(was, func(e string) bool { return !slices.Contains(is, e) })
	}
	var out []effect
	for i, m := range order {
		if i == maxEffects {
			out = append(out, effect{fmt.Sprintf("and %s go elsewhere, too", counted(len(order)-i, "more group of files", "more groups of files")), true})
			break
		}
		names := byMove[m]
		if n := len(names); n > 3 {
			names = append(slices.Clone(names[:3]), fmt.Sprintf("%d more", n-3))
		}
		out = append(out, effect{fmt.Sprintf("images of %s are in %s, which was %s", strings.Join(names, ", "), m.to, m.from), lost[m]})
	}
	return out
}

// overlaps are what another configuration would make of the files that there are: one that is
// in the paths of two environments stops everything.
func (b *base) overlaps(c *config.Config) config.Problems {
	files := b.reading.Files()
	paths := make([]string, len(files))
	for i, f := range files {
		paths[i] = f.Path
	}
	return c.Overlaps(paths)
}

// redecided says of which open promotions the verdict would be another one by other rules, with
// all else as it was heard.
func (b *base) redecided(ctx context.Context, head *rulebook.Rulebook, heard []*hearing) ([]effect, error) {
	if head == nil || head.Config == nil || head.Set == nil {
		return nil, nil
	}
	other := *b
	other.book, other.config, other.people = head, head.Config, map[int64]*person{}
	var out []effect
	for _, h := range heard {
		if h.kind == promotion.ByHand {
			continue
		}
		again := *h
		d, err := other.decide(ctx, &again)
		if err != nil {
			return nil, err
		}
		if d.Status == h.decision.Status {
			continue
		}
		if len(out) == maxEffects {
			return append(out, effect{"and more open pull requests would be judged otherwise", true}), nil
		}
		out = append(out, effect{
			fmt.Sprintf("#%d, %s, would be %s, and is %s", h.pull.Number, b.subject(h), d.Status, h.decision.Status),
			promotion.Worst(d.Status, h.decision.Status) == h.decision.Status,
		})
	}
	return out, nil
}
