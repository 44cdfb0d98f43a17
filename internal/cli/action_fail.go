package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/action"
	"github.com/pinnace-dev/pinnace/internal/check"
	"github.com/pinnace-dev/pinnace/internal/plan"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/report"
)

// fails says whether a step that fails on something fails on a result.
func fails(r result, on string) bool {
	if on == action.FailOnNone {
		return false
	}
	switch r := r.(type) {
	case report.Check:
		return slices.ContainsFunc(r.Findings, func(f check.Finding) bool {
			switch f.Code {
			case check.Unpinned:
				return true
			case check.Moved, check.Gone:
				return on != action.FailOnUnpinned
			}
			return on == action.FailOnPolicy
		})
	case report.Asked:
		return slices.ContainsFunc(r.Answers, func(a report.Answer) bool {
			return slices.Contains([]string{"refused", "declined", "diverged"}, a.Action) || a.Decision != nil && stopped(a.Decision.Status)
		})
	case report.Verdicts:
		return slices.ContainsFunc(r.Verdicts, denied)
	case report.Reconcile:
		return slices.ContainsFunc(r.Verdicts, denied) || len(r.Incidents) > 0
	}
	return false
}

// unanswered says whether images of a check could not be looked up, which its annotations say.
func unanswered(r result) bool {
	c, ok := r.(report.Check)
	return ok && len(c.Unanswered) > 0
}

func denied(v report.Verdict) bool { return stopped(v.Decision.Status) }

// stopped says whether a check is red: waiting changes nothing, or nobody can tell.
func stopped(s promotion.Status) bool { return s == promotion.Denied || s == promotion.Unknown }

// problems are the errors that a result holds. Those of a check are shown where they are.
func problems(r result) []string {
	var all []string
	add := func(where, text string) {
		if text != "" && where != "" {
			text = where + ": " + text
		}
		if text != "" && !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	switch r := r.(type) {
	case report.Pin:
		for _, f := range r.Files {
			add(f.Path, f.Error)
			for _, p := range f.Steps {
				if p.Action == plan.Fail {
					add(fmt.Sprintf("%s:%d", f.Path, p.Position.Line), p.Reason)
				}
			}
		}
	case report.Asked:
		for _, a := range r.Answers {
			if a.Action == "failed" {
				add(a.App+" in "+a.Environment, strings.Join(a.Reasons, "; "))
			}
		}
	case report.Verdicts:
		for _, v := range r.Verdicts {
			add(fmt.Sprintf("#%d", v.PullRequest), v.Error)
		}
	case report.Reconcile:
		for _, b := range r.Bases {
			add(b.Branch, b.Error)
			for _, p := range b.Proposals {
				add(p.Branch, p.Error)
				for _, l := range p.Failed {
					add(fmt.Sprintf("%s:%d", l.Path, l.Line), l.Reason)
				}
			}
		}
		for _, v := range r.Verdicts {
			add(fmt.Sprintf("#%d", v.PullRequest), v.Error)
		}
	}
	return all
}

// worse is the status that says more: an error than a finding, a finding than nothing.
func worse(a, b int) int {
	weight := map[int]int{exitDone: 0, exitFindings: 1, exitError: 2, exitUsage: 3, exitAuth: 4}
	if weight[b] > weight[a] {
		return b
	}
	return a
}

// failOn turns findings into success where the step is not to fail on them.
func (s *step) failOn(status int) int {
	if status != exitFindings && status != exitDone {
		return status
	}
	for _, r := range s.results {
		if fails(r, s.in.FailOn) {
			return exitFindings
		}
	}
	return exitDone
}
