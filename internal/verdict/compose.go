package verdict

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/plan"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// maxJudged is how many changes of a pull request by hand are remembered one by one. Of one
// with more it is one hash of them all.
const maxJudged = 400

// judged spells what a verdict on a pull request by hand is about. Two pull requests may come
// to more together than each by itself, and that is found out by it.
func (h *hearing) judged() []string {
	if h.kind != promotion.ByHand {
		return nil
	}
	var each []string
	for _, c := range h.changed {
		for _, e := range c.Environments {
			each = append(each, judgedAs(c, e))
		}
	}
	for _, o := range h.opaque {
		for _, e := range o.Environments {
			each = append(each, unreadAs(o, e))
		}
	}
	slices.Sort(each)
	if each = slices.Compact(each); len(each) > maxJudged {
		return []string{mark(each...)}
	}
	return each
}

func judgedAs(c plan.Changed, environment string) string {
	return mark(environment, c.Path, c.New.String())
}

func unreadAs(o plan.Opaque, environment string) string {
	return mark(environment, o.Path, "", o.What)
}

// mark is a short hash.
func mark(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// composed says which change that a merge by hand brought was not what its verdict was about,
// "" where there is none.
func (b *base) composed(how bringing, got *brought) string {
	if slices.Equal(how.memo.Judged, got.judged) {
		return ""
	}
	for _, c := range got.changes {
		for _, e := range c.Environments {
			if slices.Contains(how.memo.Judged, judgedAs(c, e)) || !b.governed(e, c) {
				continue
			}
			what := "that " + c.Old.String() + " goes from " + e
			if c.New.Name != "" {
				what = "that " + c.New.String() + " comes to " + e
			}
			return fmt.Sprintf("The verdict on #%d did not know %s: what was merged besides made it so.", how.pull.Number, what)
		}
	}
	for _, o := range got.opaque {
		for _, e := range o.Environments {
			if !slices.Contains(how.memo.Judged, unreadAs(o, e)) {
				return fmt.Sprintf("The verdict on #%d did not know that %s in %s comes to %s: what was merged besides made it so.", how.pull.Number, o.What, o.Path, e)
			}
		}
	}
	return ""
}
