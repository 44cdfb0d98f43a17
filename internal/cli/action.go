package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
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
			run, err := action.ReadRun(os.Getenv, os.ReadFile)
			if err != nil {
				_ = action.Muzzle(cmd.OutOrStdout()).Annotate(action.Annotation{Title: "Pinnace", Message: report.Plain(err.Error())})
				return usageError{err}
			}
			if run == nil {
				return usage("pinnace action is a step of GitHub Actions (GITHUB_ACTIONS is not true): on a command line use pinnace pin, check, promote, decide or reconcile")
			}
			s := &step{run: run, log: action.Muzzle(cmd.OutOrStdout())}
			if s.in, err = action.ReadInputs(os.Getenv); err == nil {
				err = run.Allows(s.in)
			}
			if err != nil {
				s.fail(err.Error())
				return cmp.Or(s.summarize(), error(exit(exitUsage)))
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
		return cmp.Or(s.summarize(), error(exit(exitError)))
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

// verbs are the command lines to run.
func (s *step) verbs() [][]string {
	in := s.in
	var common []string
	for _, m := range in.RegistryMap {
		common = append(common, "--registry-map="+m)
	}
	if in.DryRun {
		common = append(common, "--dry-run")
	}
	switch in.Command {
	case action.Pin, action.Check:
		if in.CreatePR {
			return [][]string{s.pinned(common)}
		}
		if in.Config != "" {
			common = append(common, "--config="+in.Config)
		}
		var all [][]string
		for i, p := range in.Paths {
			if !slices.ContainsFunc(in.Paths[:i], func(q string) bool { return within(p, q) && within(q, p) }) &&
				!slices.ContainsFunc(in.Paths, func(q string) bool { return within(p, q) && !within(q, p) }) {
				all = append(all, append(append([]string{in.Command}, common...), "--", p))
			}
		}
		return all
	case action.Promote:
		args := append([]string{"promote"}, common...)
		args = append(args, "--to="+strings.Join(in.To, ","))
		if in.From != "" {
			args = append(args, "--from="+in.From)
		}
		if in.Image != "" {
			args = append(args, "--image="+in.Image)
		}
		return [][]string{append(args, "--", in.App)}
	case action.Decide:
		args := append([]string{"decide", "--merge"}, common...)
		pulls := s.run.Pulls
		if in.PullRequest != 0 {
			pulls = []int{in.PullRequest}
		}
		if len(pulls) == 0 {
			return [][]string{append(args, "--all")}
		}
		var all [][]string
		for _, n := range pulls {
			all = append(all, append(args[:len(args):len(args)], strconv.Itoa(n)))
		}
		return all
	}
	return [][]string{append([]string{"reconcile"}, common...)}
}

// within says whether a path that is there is another one or below it, so that looking at that one
// is enough.
func within(p, q string) bool {
	below, err := filepath.Rel(q, p)
	if err != nil || !filepath.IsLocal(below) {
		return false
	}
	_, err = os.Lstat(p)
	return err == nil
}

// spoken is a command line as the log shows it, without what a mirror is logged in with.
func spoken(args []string) string {
	args = slices.Clone(args)
	for i, a := range args {
		if at := strings.LastIndex(a, "@"); at >= 0 && strings.HasPrefix(a, "--registry-map=") {
			args[i] = "--registry-map=..." + a[at:]
		}
	}
	return strings.Join(args, " ")
}

// pinned is the command line that opens pull requests of pins.
func (s *step) pinned(common []string) []string {
	in := s.in
	args := append([]string{"reconcile", "--only=pins"}, common...)
	for flag, value := range map[string]string{"branch": in.Branch, "title": in.Title, "commit-message": in.CommitMessage} {
		if value != "" {
			args = append(args, "--"+flag+"="+value)
		}
	}
	for _, l := range in.Labels {
		args = append(args, "--label="+l)
	}
	if in.Branch != "" {
		for _, p := range in.Paths {
			args = append(args, "--path="+p)
		}
	}
	return args
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
