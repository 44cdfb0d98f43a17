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
// with more it is the environments.
const maxJudged = 400

// judged spells what a verdict on a pull request by hand is about. Two pull requests may come
// to more together than each by itself, and that is found out by it.
func (h *hearing) judged() []string {
	if h.kind != promotion.ByHand {
		return nil
	}
	var each, environments []string
	for _, c := range h.changed {
		for _, e := range c.Environments {
			each = append(each, judgedAs(c, e))
			environments = append(environments, mark(e))
		}
	}
	for _, o := range h.opaque {
		for _, e := range o.Environments {
			each = append(each, unreadAs(o, e))
			environments = append(environments, mark(e))
		}
	}
	if len(each) > maxJudged {
		each = environments
	}
	slices.Sort(each)
	return slices.Compact(each)
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
	return base64.RawURLEncoding.EncodeToString(sum[:6])
}

// composed says which change that a merge by hand brought was not what its verdict was about,
// "" where there is none.
func (b *base) composed(how bringing, changes []plan.Changed) string {
	for _, c := range changes {
		for _, e := range c.Environments {
			known := slices.Contains(how.memo.Judged, judgedAs(c, e)) || slices.Contains(how.memo.Judged, mark(e))
			if known || !b.governed(e, c) {
				continue
			}
			what := "that " + c.Old.String() + " goes from " + e
			if c.New.Name != "" {
				what = "that " + c.New.String() + " comes to " + e
			}
			return fmt.Sprintf("The verdict on #%d did not know %s: what was merged besides made it so.", how.pull.Number, what)
		}
	}
	return ""
}

// composedUnread says the same of what cannot be read.
func composedUnread(how bringing, all []plan.Opaque) string {
	for _, o := range all {
		for _, e := range o.Environments {
			if !slices.Contains(how.memo.Judged, unreadAs(o, e)) && !slices.Contains(how.memo.Judged, mark(e)) {
				return fmt.Sprintf("The verdict on #%d did not know that %s in %s comes to %s: what was merged besides made it so.", how.pull.Number, o.What, o.Path, e)
			}
		}
	}
	return ""
}
