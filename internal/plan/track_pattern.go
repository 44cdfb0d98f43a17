package plan

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/config"
)

// pattern makes the rule one for tags that match a regular expression as a whole.
func (r *rule) pattern(text string, order config.Order) error {
	if _, err := regexp.Compile(text); err != nil {
		return fmt.Errorf("%q is not a regular expression: %w", text, err)
	}
	re, err := regexp.Compile("^(?:" + text + ")$")
	if err != nil {
		return fmt.Errorf("%q is not a regular expression: %w", text, err) // unreachable: the groups are balanced
	}
	var groups []int
	var names []string
	for i, name := range re.SubexpNames() {
		if name != "" {
			groups, names = append(groups, i), append(names, name)
		}
	}
	r.scope = "matching " + text
	switch order {
	case config.OrderNumeric:
		r.compare = byGroups(compareNumbers)
	case config.OrderAlphabetical:
		r.compare = byGroups(strings.Compare)
	case config.OrderNewest:
		r.newest = true
		r.compare = func(a, b candidate) int { return compareNatural(a.tag, b.tag) }
	default:
		return fmt.Errorf("%q is not an order: numeric, alphabetical and newest are", order)
	}
	r.read = func(tag string) (candidate, string) {
		m := re.FindStringSubmatch(tag)
		if m == nil {
			return candidate{}, "it does not match " + text
		}
		c := candidate{tag: tag}
		for _, g := range groups {
			c.groups = append(c.groups, m[g])
		}
		if len(groups) == 0 {
			c.groups = m[:1]
		}
		if order != config.OrderNumeric {
			return c, ""
		}
		for i, g := range c.groups {
			switch {
			case digits(g) == len(g) && (g != "" || len(groups) > 1):
			case len(groups) == 0:
				return candidate{}, "not a number, and the pattern names no group that is one"
			default:
				return candidate{}, "its group " + names[i] + " is not a number"
			}
		}
		return c, ""
	}
	return nil
}

// byGroups compares group by group. A group that is not there comes first.
func byGroups(compare func(a, b string) int) func(a, b candidate) int {
	return func(a, b candidate) int {
		for i := range a.groups {
			x, y := a.groups[i], b.groups[i]
			if (x == "") != (y == "") {
				return cmp.Compare(len(x), len(y))
			}
			if c := compare(x, y); c != 0 {
				return c
			}
		}
		return 0
	}
}
