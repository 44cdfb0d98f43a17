package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/document"
)

// checkOrder holds the promotion order to known environments without a circle.
func (c *Config) checkOrder() Problems {
	var ps Problems
	names := c.environmentNames()
	known := map[string]bool{}
	for _, name := range names {
		known[name] = true
	}
	for i, e := range c.Environments {
		at := fmt.Sprintf("/environments/%d", i)
		if len(e.After) > 0 && len(e.AfterAny) > 0 {
			ps = append(ps, c.problem(Error, at+"/afterAny", "after and afterAny exclude each other: keep after where all must come before, afterAny where one is enough"))
		}
		for key, sources := range map[string][]string{"after": e.After, "afterAny": e.AfterAny} {
			for j, name := range sources {
				place := fmt.Sprintf("%s/%s/%d", at, key, j)
				switch {
				case name == "":
				case name == e.Name:
					ps = append(ps, c.problem(Error, place, "environment %s cannot come after itself: delete it here", name))
				case !known[name]:
					ps = append(ps, c.problem(Error, place, "unknown environment %s%s", document.Quote(name), document.HintUnless(len(ps) > document.MaxProblems, name, names)))
				}
			}
		}
		if len(e.After) > 0 || len(e.AfterAny) > 0 {
			continue
		}
		if e.Promote == PromoteAuto && c.marks.Has(at+"/promote") {
			ps = append(ps, c.problem(Error, at+"/promote", "auto needs an environment to promote from: add after, or delete promote; new versions from the registry arrive by track"))
		}
		if e.Soak > 0 {
			ps = append(ps, c.problem(Error, at+"/soak", "a soak needs an environment to soak in: add after, or delete soak"))
		}
	}
	return append(ps, c.checkCircles()...)
}

// checkCircles reports each circle of the promotion order once, at the name that
// closes it.
func (c *Config) checkCircles() Problems {
	const (
		unseen = iota
		open
		done
	)
	index := map[string]int{}
	for i, e := range slices.Backward(c.Environments) {
		index[e.Name] = i // the first of a name
	}
	var ps Problems
	state := make([]int, len(c.Environments))
	// visit walks on a stack of its own: a long chain is legal.
	type frame struct{ env, next int }
	for start := range c.Environments {
		if state[start] != unseen {
			continue
		}
		stack := []frame{{env: start}}
		state[start] = open
		for len(stack) > 0 {
			f := &stack[len(stack)-1]
			e := c.Environments[f.env]
			sources := slices.Concat(e.After, e.AfterAny)
			if f.next == len(sources) {
				state[f.env] = done
				stack = stack[:len(stack)-1]
				continue
			}
			k := f.next
			f.next++
			to, known := index[sources[k]]
			if !known || sources[k] == "" || sources[k] == e.Name {
				continue
			}
			switch state[to] {
			case unseen:
				state[to] = open
				stack = append(stack, frame{env: to})
			case open:
				at := fmt.Sprintf("/environments/%d/after/%d", f.env, k)
				if k >= len(e.After) {
					at = fmt.Sprintf("/environments/%d/afterAny/%d", f.env, k-len(e.After))
				}
				var circle []string
				for _, g := range stack[slices.IndexFunc(stack, func(g frame) bool { return g.env == to }):] {
					circle = append(circle, c.Environments[g.env].Name)
				}
				circle = append(circle, sources[k])
				if len(ps) > document.MaxProblems {
					return ps
				}
				ps = append(ps, c.problem(Error, at, "the promotion order goes in a circle: %s (each after the next); delete one of them", chain(circle)))
			}
		}
	}
	return ps
}

// chain spells a circle, without its middle where it is long.
func chain(names []string) string {
	const most = 8
	if len(names) > most {
		names = slices.Concat(names[:most-2], []string{"..."}, names[len(names)-1:])
	}
	return strings.Join(names, " -> ")
}
