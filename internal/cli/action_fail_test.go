package cli

import (
	"testing"

	"github.com/pinnace-dev/pinnace/internal/action"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/report"
)

// A step with fail-on: policy fails where the check of a pull request is red: a verdict that
// nobody can tell is no better than a "no".
func TestFails(t *testing.T) {
	verdict := func(s promotion.Status) result {
		return report.Verdicts{Verdicts: []report.Verdict{{Decision: promotion.Decision{Status: s}}}}
	}
	answer := func(action string, s promotion.Status) result {
		return report.Asked{Answers: []report.Answer{{Action: action, Decision: &promotion.Decision{Status: s}}}}
	}
	for name, test := range map[string]struct {
		result result
		want   bool
	}{
		"passed":             {verdict(promotion.Passed), false},
		"waiting":            {verdict(promotion.Waiting), false},
		"denied":             {verdict(promotion.Denied), true},
		"unknown":            {verdict(promotion.Unknown), true},
		"asked, waiting":     {answer("opened", promotion.Waiting), false},
		"asked, denied":      {answer("updated", promotion.Denied), true},
		"asked and declined": {answer("declined", promotion.Passed), true},
		"asked and diverged": {answer("diverged", promotion.Passed), true},
		"nothing to do":      {report.Asked{Answers: []report.Answer{{Action: "nothing"}}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := fails(test.result, action.FailOnPolicy); got != test.want {
				t.Errorf("got %t", got)
			}
			if fails(test.result, action.FailOnNone) {
				t.Error("it fails with fail-on: none")
			}
		})
	}
}
