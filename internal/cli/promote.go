package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
	"github.com/pinnace-dev/pinnace/internal/report"
	"github.com/pinnace-dev/pinnace/internal/verdict"
)

// askFlags are the flags of the verbs that ask for something.
type askFlags struct {
	registries registryFlags
	hub        githubFlags
	reason     string
	base       string
	dryRun     bool
	wait       time.Duration
	output     string
}

func (f *askFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.reason, "reason", "", "why, for those who approve, `TEXT`")
	cmd.Flags().StringVar(&f.base, "base", "", "the `BRANCH`, where the configuration manages several; default: the default branch")
	cmd.Flags().BoolVarP(&f.dryRun, "dry-run", "n", false, "judge, and print the plan and the diff; write nothing")
	cmd.Flags().DurationVar(&f.wait, "wait", 2*time.Minute, "how long to wait for the App's answer to a request that was filed; 0: not at all")
	addOutput(cmd, &f.output, "text", "json")
	f.hub.add(cmd)
	f.registries.add(cmd)
}

func newPromote() *cobra.Command {
	var (
		f           askFlags
		to          []string
		from, image string
	)
	cmd := &cobra.Command{
		Use:   "promote APP --to ENV[,ENV]",
		Short: "Ask that an app's images stand in an environment, by a pull request",
		Long: `Ask that an app's images stand in an environment, by a pull request.

The images are those that the environment before runs, or that --from names; with --image one
comes straight from the registry. What is asked for is judged first: where policy denies it, the
rule, its values and who may change them are printed, and nothing is opened. Else there is one
pull request for each environment, whose reviews are the approvals.

Who asks is the owner of the token. Where github.appID of the configuration names Pinnace's
App, a person's token only files the request, as a comment on the issue that is labelled
pinnace-requests. The command waits for the App's answer, up to --wait, and prints the pull
request. Interrupted, it leaves the request filed.

The exit status is 3 where policy denies it, where it has to wait behind another request, or
where the App did not answer in time.`,
		Example: `  pinnace promote shop --to staging --repo acme/config
  pinnace promote shop --to eu,us --repo acme/config --dry-run
  pinnace promote shop --to prod --from staging --reason "release 1.5" --repo acme/config
  pinnace promote shop --to prod --image ghcr.io/acme/shop:1.5.1 --repo acme/config`,
		Args: oneApp("promote"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(to) == 0 {
				return usage("--to is missing: want the environment, such as --to prod")
			}
			if from != "" && image != "" {
				return usage("--from and --image: an image comes from an environment or from the registry")
			}
			if image != "" {
				if err := checkReference(image); err != nil {
					return err
				}
			}
			var wishes []verdict.Wish
			for i, env := range to {
				if slices.Contains(to[:i], env) {
					continue
				}
				wishes = append(wishes, verdict.Wish{Kind: promotion.Promotion, App: args[0], Env: env, From: from, Image: image})
			}
			return f.ask(cmd, wishes)
		},
	}
	cmd.Flags().StringSliceVar(&to, "to", nil, "the environment, `ENV`, or several: ENV,ENV")
	cmd.Flags().StringVar(&from, "from", "", "the environment, `ENV`, that the images come from; default: the one before")
	cmd.Flags().StringVar(&image, "image", "", "an image of the app, straight from the registry, `REF`")
	f.add(cmd)
	return cmd
}

func checkReference(s string) error {
	if _, err := image.Parse(s); err != nil {
		return usage("--image %s: %s", s, err)
	}
	return nil
}

func newRollback() *cobra.Command {
	var (
		f       askFlags
		env, to string
	)
	cmd := &cobra.Command{
		Use:   "rollback APP --env ENV",
		Short: "Bring back what an app ran in an environment before, by a pull request",
		Long: `Bring back what an app ran in an environment before, by a pull request.

Without --to it is what stood there last. The digest has to have stood there; another one is a
promotion. Until somebody asks for a promotion again, what tracks or promotes by itself leaves
the app in that environment alone.

Who asks, and how, is as for pinnace promote. The exit status is 3 where policy denies it,
where it has to wait behind another request, or where the App did not answer in time.`,
		Example: `  pinnace rollback shop --env prod --repo acme/config
  pinnace rollback shop --env prod --to sha256:4f53... --reason "errors at checkout" --repo acme/config`,
		Args: oneApp("rollback"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if env == "" {
				return usage("--env is missing: want the environment, such as --env prod")
			}
			if to != "" {
				if _, err := image.ParseDigest(to); err != nil {
					return usage("--to %s: %s", to, err)
				}
			}
			return f.ask(cmd, []verdict.Wish{{Kind: promotion.Rollback, App: args[0], Env: env, Digest: to}})
		},
	}
	cmd.Flags().StringVar(&env, "env", "", "the environment, `ENV`")
	cmd.Flags().StringVar(&to, "to", "", "a digest that stood there, `DIGEST`")
	f.add(cmd)
	return cmd
}

// oneApp holds the arguments to one app.
func oneApp(verb string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return fmt.Errorf("%s takes an app, such as pinnace %s shop", verb, verb)
		case len(args) > 1:
			return fmt.Errorf("%s takes one app, not %d arguments", verb, len(args))
		}
		return nil
	}
}

// ask files what is wished for, and prints what became of it.
func (f *askFlags) ask(cmd *cobra.Command, wishes []verdict.Wish) error {
	if !slices.Contains([]string{"text", "json"}, f.output) {
		return unknownOutput(f.output, "text", "json")
	}
	if f.wait < 0 {
		return usage("--wait %s: want a duration such as 2m, or 0 not to wait", f.wait)
	}
	owner, name, err := f.hub.repository()
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	s, a, done, err := f.hub.steward(ctx, owner, name, &f.registries)
	if err != nil {
		return err
	}
	defer done()
	a.warn(cmd.ErrOrStderr())
	by, err := a.requesters(ctx)
	if err != nil {
		return err
	}
	now := strconv.FormatInt(time.Now().UnixNano(), 36)
	for i := range wishes {
		w := &wishes[i]
		w.ID, w.Reason, w.Base, w.Flags = "cli-"+now+"-"+w.Env, f.reason, f.base, true
		w.By, w.Unknown = slices.Clone(by), len(by) == 0
	}
	app := int64(0)
	if a.viewer.ID != 0 || f.base != "" {
		at, err := s.Judge.Counter(ctx, wishes)
		if err != nil {
			return err
		}
		switch {
		case f.base != "" && len(at.Branches) > 0 && !slices.Contains(at.Branches, f.base):
			there := "there are "
			if len(at.Branches) == 1 {
				there = "there is "
			}
			return usage("--base %s: no such managed branch; %s%s", f.base, there, strings.Join(at.Branches, ", "))
		case a.viewer.ID != 0:
			app = at.App
		}
		if app != 0 && !f.dryRun {
			switch {
			case len(by) > 1:
				return usage("the token is that of %s, and %s began this run: a request that is filed with it would be of %[1]s alone; use an App's token, whose requests name who began the run", by[0].Login, by[len(by)-1].Login)
			case f.base != "" && f.base != at.Branches[0]:
				return usage("--base %s: a filed request is for the default branch; the App's own token asks for others", f.base)
			case len(at.Refused) > 0:
				var refused []verdict.Wish
				for _, r := range at.Refused {
					refused = append(refused, r.Wish)
				}
				fmt.Fprintln(cmd.ErrOrStderr(), "pinnace: nothing was filed")
				return f.tell(cmd, owner+"/"+name, &verdict.Round{Refused: at.Refused}, refused)
			}
			return f.file(cmd, s.Judge, wishes)
		}
	}
	s.Proposer.DryRun, s.Judge.DryRun, s.Proposer.Progress = f.dryRun, f.dryRun, &reconcile.Progress{}
	s.Asking = true
	stop := showProgress(ctx, cmd.ErrOrStderr(), s.Proposer.Progress)
	round, err := s.Run(ctx, wishes...)
	stop()
	if err != nil {
		return err
	}
	switch {
	case s.Judge.App == 0 && app == 0:
		fmt.Fprintln(cmd.ErrOrStderr(), "pinnace: without an App (github.appID, --app-id) no check is written, and Pinnace merges nothing")
	case app != 0:
		fmt.Fprintf(cmd.ErrOrStderr(), "pinnace: without --dry-run this would be filed as a comment, for App %d\n", app)
	}
	return f.tell(cmd, round.Repository(), round, wishes)
}

// tell prints what became of each wish.
func (f *askFlags) tell(cmd *cobra.Command, repository string, round *verdict.Round, wishes []verdict.Wish) error {
	out := report.Asked{Repository: repository}
	status := 0
	for _, w := range wishes {
		a := report.Answer{App: w.App, Environment: w.Env, Kind: string(w.Kind), From: w.From, DryRun: f.dryRun}
		for _, r := range round.Refused {
			if r.Wish.ID == w.ID {
				a.Action, a.Reasons = string(reconcile.Refused), r.Reasons
			}
		}
		if s, ok := round.Settled(w.ID); ok {
			a.From, a.Skipped = s.Request.From, s.Request.Skipped
			a.Action, a.PullRequest, a.URL = string(s.Action), s.PullRequest.Number, s.PullRequest.URL
			if s.Reason != "" && s.Decision == nil {
				a.Reasons = append(a.Reasons, s.Reason)
			}
			if s.Action == reconcile.Refused || f.dryRun {
				a.Decision = s.Decision
			}
			if s.Err != nil {
				a.Reasons = append(a.Reasons, s.Err.Error())
				status = max(status, statusOf(s.Err))
			}
			for _, c := range s.Changes {
				a.Changes = append(a.Changes, report.ImageChange{Path: c.Path, Line: c.Line, Pointer: c.Pointer, Object: c.Object, Old: c.Old.String(), New: c.New.String()})
			}
			if f.dryRun {
				for _, file := range s.Files {
					a.Diffs = append(a.Diffs, report.Diff(file.Path, file.Old, file.Data))
				}
			}
		}
		for _, c := range round.Cases() {
			if c.PullRequest.Number == a.PullRequest && a.PullRequest != 0 && a.Decision == nil {
				a.Decision = &c.Decision
				if c.Action != verdict.Judged {
					a.Action = string(c.Action)
				}
			}
		}
		switch reconcile.Action(a.Action) {
		case reconcile.Refused, reconcile.Waiting, reconcile.Diverged, reconcile.Declined, "":
			status = max(status, 3)
		}
		a.Action = cmp.Or(a.Action, "nothing")
		out.Answers = append(out.Answers, a)
	}
	collect(cmd.Context(), out)
	if f.output == "json" {
		if err := out.JSON(cmd.OutOrStdout()); err != nil {
			return err
		}
	} else {
		out.Text(cmd.OutOrStdout())
	}
	if status != 0 {
		return exit(status)
	}
	return nil
}
