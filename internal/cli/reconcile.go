package cli

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pinnace-dev/pinnace/internal/message"
	"github.com/pinnace-dev/pinnace/internal/plan"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
	"github.com/pinnace-dev/pinnace/internal/report"
	"github.com/pinnace-dev/pinnace/internal/verdict"
)

func newReconcile() *cobra.Command {
	var (
		registries registryFlags
		hub        githubFlags
		dryRun     bool
		ask        bool
		maxOpen    int
		pins       pinsFlags
		output     string
	)
	cmd := &cobra.Command{
		Use:   "reconcile --repo OWNER/NAME",
		Short: "Open, judge and merge the pull requests of a config repository on GitHub",
		Long: `Open and update the pull requests of a config repository on GitHub.

The configuration is read from .pinnace/ at the tip of the default branch. Images that are
not pinned are pinned by one pull request for each environment, by one for the files that
several environments reach, and by one in all where no environment is configured. Where an
environment tracks new versions, each app that has one is moved by a pull request of its
own.

A second run with nothing new writes nothing. What people push onto a branch of Pinnace is
never overwritten. A pull request that was closed unmerged is a "no" until its content
changes.

With the key of Pinnace's App it also answers the commands in comments, opens the promotions
and rollbacks that were asked for, judges every open pull request and writes its checks,
merges what Pinnace is to merge, and reports what came past the rules.

With --onboard a repository without a configuration is asked first, as the server asks: one
pull request adds .pinnace/config.yaml, and nothing else is done until it is merged.

With --only pins nothing else is proposed, judged or merged. --branch puts all pins into one
pull request, whose title, labels and commit may be named, and which --path narrows.

With mode: observe in the configuration, and with --dry-run, nothing is written at all.

The token is read from GH_TOKEN or GITHUB_TOKEN, the address of GitHub from GITHUB_API_URL,
and the repository, where --repo does not name it, from GITHUB_REPOSITORY. Exit status 1
means that something failed, and 4 that a token or a login is needed.`,
		Example: `  pinnace reconcile --repo acme/config --dry-run
  GH_TOKEN=$(gh auth token) pinnace reconcile --repo acme/config
  pinnace reconcile --repo acme/config --app-id 123456 --app-key app.pem`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("reconcile takes no argument: did you mean --repo %s?", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains([]string{"text", "json"}, output) {
				return unknownOutput(output, "text", "json")
			}
			if maxOpen < 1 {
				return usage("--max-open is %d: want 1 or more", maxOpen)
			}
			narrowed, err := pins.pins()
			if err != nil {
				return err
			}
			owner, name, err := hub.repository()
			if err != nil {
				return err
			}
			if client, err := registries.client(nil); err != nil {
				return err
			} else {
				client.Close()
			}
			s, a, done, err := hub.steward(cmd.Context(), owner, name, &registries)
			if err != nil {
				return err
			}
			defer done()
			if narrowed == nil {
				a.warn(cmd.ErrOrStderr())
			}
			p := s.Proposer
			p.DryRun, s.Judge.DryRun, p.MaxOpen, p.Pins, p.Progress = dryRun, dryRun, maxOpen, narrowed, &reconcile.Progress{}
			stop := showProgress(cmd.Context(), cmd.ErrOrStderr(), p.Progress)
			var (
				round   *verdict.Round
				outcome *reconcile.Outcome
				out     report.Reconcile
				leave   = true
			)
			if ask {
				p.App = s.Judge.App
				var o reconcile.Onboarded
				o, err = p.Onboard(cmd.Context())
				out, leave = onboardReport(o, owner+"/"+name), o.Configured
				if o.Action == reconcile.Refused {
					err = errors.New(o.Reason)
				}
			}
			if err == nil && leave {
				if round, outcome, err = run(cmd.Context(), s); err == nil {
					out = reconcileReport(outcome)
				}
			}
			stop()
			if err != nil {
				return err
			}
			if round != nil {
				judgedReport(&out, round)
			}
			collect(cmd.Context(), out)
			if output == "json" {
				err = out.JSON(cmd.OutOrStdout())
			} else {
				diffs := ""
				for _, b := range out.Bases {
					for _, q := range b.Proposals {
						diffs += strings.Join(q.Diffs, "")
					}
				}
				if diffs != "" {
					fmt.Fprintln(cmd.OutOrStdout(), diffs)
				}
				out.Text(cmd.OutOrStdout())
			}
			if err != nil {
				return err
			}
			if outcome == nil {
				return nil
			}
			if failed := outcome.Failed(); failed != nil {
				return exit(statusOf(failed))
			}
			if round != nil {
				for _, c := range round.Judged.Cases {
					if c.Err != nil {
						return exit(statusOf(c.Err))
					}
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVarP(&dryRun, "dry-run", "n", false, "print the plan and the diff, write nothing")
	cmd.Flags().IntVar(&maxOpen, "max-open", 10, "how many update pull requests, `N`, may be open at a time")
	cmd.Flags().BoolVar(&ask, "onboard", false, "without a configuration, open the pull request that adds one, and do nothing else")
	pins.add(cmd)
	addOutput(cmd, &output, "text", "json")
	hub.add(cmd)
	registries.add(cmd)
	return cmd
}

// pinsFlags are those that narrow reconcile to pins.
type pinsFlags struct {
	only                   string
	branch, title, message string
	paths, labels          []string
}

func (f *pinsFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.only, "only", "", "`WHAT` to propose, and nothing else: pins; nothing is judged")
	cmd.Flags().StringVar(&f.branch, "branch", "", "with --only pins: one pull request from `BRANCH`, which begins with "+plan.Prefix+", holds all")
	cmd.Flags().StringVar(&f.title, "title", "", "with --branch: the title of the pull request, `TEXT`")
	cmd.Flags().StringVar(&f.message, "commit-message", "", "with --branch: the first line of the commit, `TEXT`")
	cmd.Flags().StringArrayVar(&f.labels, "label", nil, "with --only pins: a further `LABEL` of the pull requests; may be repeated")
	cmd.Flags().StringArrayVar(&f.paths, "path", nil, "with --branch: only the file or directory `PATH` of the repository; may be repeated")
}

// pins returns what the run is narrowed to, nil for nothing.
func (f *pinsFlags) pins() (*reconcile.Pins, error) {
	switch {
	case f.only == "" && f.branch+f.title+f.message == "" && len(f.labels)+len(f.paths) == 0:
		return nil, nil
	case f.only == "":
		return nil, usage("--branch, --title, --commit-message, --label and --path are for --only pins")
	case f.only != "pins":
		return nil, usage("--only %s: want pins", f.only)
	}
	x := &reconcile.Pins{Branch: f.branch, Title: f.title, Subject: f.message, Labels: f.labels}
	var below []string
	for _, p := range f.paths {
		p = path.Clean(filepath.ToSlash(p))
		if p == "." {
			below = nil
			break
		}
		if !filepath.IsLocal(p) {
			return nil, usage("--path %s: want a path below the root of the repository", p)
		}
		below = append(below, p)
	}
	if len(below) > 0 {
		x.Paths = func(file string) bool {
			return slices.ContainsFunc(below, func(p string) bool { return file == p || strings.HasPrefix(file, p+"/") })
		}
	}
	if err := x.Check(); err != nil {
		return nil, usageError{err}
	}
	return x, nil
}

// onboardReport turns what became of asking for leave into what is said of it.
func onboardReport(o reconcile.Onboarded, asked string) report.Reconcile {
	s := reconcile.Settled{
		Proposal: plan.Proposal{Kind: message.Configure, Branch: reconcile.OnboardBranch},
		Action:   o.Action, Reason: o.Reason, PullRequest: o.PullRequest, Files: o.Files,
	}
	b := report.Base{Branch: o.Branch, Commit: o.Commit, DryRun: o.DryRun, Proposals: []report.Proposal{proposalReport(s, o.DryRun)}}
	if o.Action == reconcile.Clean {
		b.Warnings = append(b.Warnings, o.Reason)
	}
	return report.Reconcile{Repository: o.Repository.FullName(), Asked: asked, Bases: []report.Base{b}}
}

// run proposes, and where the token is an App's judges and merges.
func run(ctx context.Context, s *verdict.Steward) (*verdict.Round, *reconcile.Outcome, error) {
	if s.Judge.App == 0 || s.Proposer.Pins != nil {
		outcome, err := s.Proposer.Reconcile(ctx)
		return nil, outcome, err
	}
	round, err := s.Run(ctx)
	if err != nil {
		return nil, nil, err
	}
	return round, round.Proposed, nil
}

// judgedReport adds the verdicts of a round.
func judgedReport(out *report.Reconcile, r *verdict.Round) {
	for _, c := range r.Judged.Cases {
		out.Verdicts = append(out.Verdicts, verdictReport(c))
	}
	for _, c := range r.Merged {
		out.Verdicts = append(out.Verdicts, verdictReport(c))
	}
	if len(out.Bases) > 0 {
		out.Bases[0].Warnings = append(out.Bases[0].Warnings, r.Judged.Warnings...)
	}
	for _, i := range r.Judged.Incidents {
		out.Incidents = append(out.Incidents, report.Incident{Base: i.Base, Commit: i.Commit, PullRequest: i.Pull, Why: i.Why, Issue: i.Issue.Number, URL: i.Issue.URL})
	}
}

func verdictReport(c verdict.Case) report.Verdict {
	v := report.Verdict{
		PullRequest: c.PullRequest.Number, URL: c.PullRequest.URL, Title: c.PullRequest.Title, Base: c.Base, Kind: string(c.Kind),
		App: c.Request.App, Environments: c.Environments, Action: string(c.Action), Reason: c.Reason, Seal: c.Seal, Decision: c.Decision,
	}
	for _, i := range c.Request.By {
		v.Requesters = append(v.Requesters, i.String())
	}
	if c.Err != nil {
		v.Error = c.Err.Error()
	}
	return v
}

// reconcileReport turns what was done into what is said of it.
func reconcileReport(o *reconcile.Outcome) report.Reconcile {
	out := report.Reconcile{Repository: o.Repository.FullName(), Asked: o.Asked}
	for _, b := range o.Bases {
		base := report.Base{Branch: b.Branch, Commit: b.Commit, DryRun: b.DryRun, Observe: b.Observe, Warnings: b.Warnings, Unreached: leftOvers(b.Unreached)}
		if b.Err != nil {
			base.Error = b.Err.Error()
		}
		for _, s := range b.Settled {
			base.Proposals = append(base.Proposals, proposalReport(s, b.DryRun))
		}
		out.Bases = append(out.Bases, base)
	}
	return out
}

func proposalReport(s reconcile.Settled, dryRun bool) report.Proposal {
	q := report.Proposal{
		Action: string(s.Action), Kind: string(s.Kind), Environments: s.Environments, App: s.App, Branch: s.Branch,
		Reason: s.Reason, Left: leftOvers(s.Left), Failed: leftOvers(s.Failed),
	}
	if s.PullRequest.State == promotion.Open || s.Action == reconcile.Finished || s.Action == reconcile.Declined {
		q.PullRequest, q.URL = s.PullRequest.Number, s.PullRequest.URL // else it is one of before
	}
	if s.Err != nil {
		q.Error = s.Err.Error()
	}
	for _, c := range s.Changes {
		q.Changes = append(q.Changes, report.ImageChange{Path: c.Path, Line: c.Line, Pointer: c.Pointer, Object: c.Object, Old: c.Old.String(), New: c.New.String()})
	}
	if dryRun {
		for _, f := range s.Files {
			q.Diffs = append(q.Diffs, report.Diff(f.Path, f.Old, f.Data))
		}
	}
	return q
}

func leftOvers(all []plan.Left) []report.LeftOver {
	var out []report.LeftOver
	for _, l := range all {
		out = append(out, report.LeftOver{Path: l.Path, Line: l.Line, Image: l.Image, Reason: l.Reason})
	}
	return out
}
