package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pinnace-dev/pinnace/internal/action"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/report"
)

func newAction() *cobra.Command {
	return &cobra.Command{
		Use:   "action",
		Short: "Do what the inputs of a step of GitHub Actions say",
		Long: `Do what the inputs of a step of GitHub Actions say.

action.yml calls it. The inputs come as PINNACE_INPUT_..., the event as the runner tells it.
One of pin, check, promote, decide and reconcile is run; its outputs, its summary and its
annotations go to the runner. docs/action.md shows how it is used.`,
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s := &step{log: action.Muzzle(cmd.OutOrStdout())}
			run, err := action.ReadRun(os.Getenv, os.ReadFile)
			if err != nil {
				s.fail(err.Error())
				return exit(exitUsage)
			}
			if run == nil {
				return usage("pinnace action is a step of GitHub Actions (GITHUB_ACTIONS is not true): on a command line use pinnace pin, check, promote, decide or reconcile")
			}
			s.run = run
			if s.in, err = action.ReadInputs(os.Getenv); err == nil {
				err = run.Allows(s.in)
			}
			if err != nil {
				s.fail(err.Error())
				return cmp.Or(s.summarize(false), error(exit(exitUsage)))
			}
			return s.do(cmd.Context())
		},
	}
}

// A step is one of GitHub Actions.
type step struct {
	in      action.Inputs
	run     *action.Run
	log     *action.Muzzled
	results []result
	several bool           // more than one verb is run
	bearer  promotion.Self // whose token was used, where that is known
	failed  []string       // what went wrong, where no result says so
}

// do runs the verbs, and tells the runner what came of them.
func (s *step) do(ctx context.Context) error {
	if err := s.checkedOut(); err != nil {
		s.fail(err.Error())
		return cmp.Or(s.summarize(false), error(exit(exitError)))
	}
	if why := s.run.ReadOnly(); why != "" && s.in.Command != action.Check && (s.in.Command != action.Pin || s.in.CreatePR) {
		s.in.DryRun = true
		s.note(why)
	}
	status := exitDone
	verbs := s.verbs()
	s.several = len(verbs) > 1
	for _, args := range verbs {
		c := &collection{event: s.in.PullRequest == 0}
		var said bytes.Buffer
		fmt.Fprintln(s.log, "pinnace", spoken(args))
		got := Run(c.under(ctx), args, strings.NewReader(""), s.log, io.MultiWriter(s.log, &said))
		s.results = append(s.results, c.results...)
		if c.bearer.App != 0 {
			s.bearer = c.bearer
		}
		if slices.ContainsFunc(c.results, unanswered) {
			if got == exitFindings { // there are findings, too, which fail-on may let pass
				got = exitError
			}
		} else if got != exitDone && got != exitFindings {
			text, why := s.explained(said.String(), c.results)
			s.annotate(action.Error, cmp.Or(why, text))
			if len(c.results) == 0 {
				s.failed = append(s.failed, strings.TrimSpace(why+"\n"+text))
			}
		}
		status = worse(status, got)
	}
	if err := s.tell(); err != nil {
		return err
	}
	if status = s.failOn(status); status != exitDone {
		return exit(status)
	}
	return nil
}

// checkedOut says whether there is anything to read.
func (s *step) checkedOut() error {
	if s.in.Command != action.Check && (s.in.Command != action.Pin || s.in.CreatePR) {
		return nil
	}
	if all, err := os.ReadDir("."); err == nil && len(all) == 0 {
		return errors.New("the workspace is empty: add a step with uses: actions/checkout before this one")
	}
	return nil
}

// token says whose token the step has.
func (s *step) token() action.Token {
	token := cmp.Or(os.Getenv("GH_TOKEN"), os.Getenv("GITHUB_TOKEN"))
	switch {
	case strings.HasPrefix(token, "ghp_"), strings.HasPrefix(token, "github_pat_"):
		return action.PersonToken
	case s.bearer.App != 0 && s.bearer.Bot.Login != action.Bot:
		return action.AppToken
	}
	return action.WorkflowToken
}

// explained is what a verb said of its failure, in its results or else on standard error, and
// what is known of the token's limits, "" where it is about something else.
func (s *step) explained(said string, results []result) (text, why string) {
	var lines []string
	for _, r := range results {
		lines = append(lines, problems(r)...)
	}
	if len(lines) == 0 {
		for line := range strings.Lines(said) {
			line = strings.TrimPrefix(strings.TrimSpace(line), "pinnace: ")
			if line != "" && !strings.HasPrefix(line, "see: pinnace") && !strings.HasPrefix(line, advisory) {
				lines = append(lines, line)
			}
		}
	}
	text = cmp.Or(strings.Join(lines, "\n"), "it failed: the log of the step says why")
	return text, action.Explain(errors.New(text), s.token())
}

// fail shows an error with the run, and note something to know.
func (s *step) fail(text string) {
	s.annotate(action.Error, text)
	s.failed = append(s.failed, text)
}

func (s *step) note(text string) { s.annotate(action.Notice, text) }

func (s *step) annotate(level action.Level, text string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			_ = s.log.Annotate(action.Annotation{Level: level, Title: "Pinnace", Message: report.Plain(line)})
		}
	}
}
