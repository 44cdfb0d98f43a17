package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/report"
	"github.com/pinnace-dev/pinnace/internal/verdict"
)

func newDecide() *cobra.Command {
	var (
		registries registryFlags
		hub        githubFlags
		merge, all bool
		dryRun     bool
		output     string
	)
	cmd := &cobra.Command{
		Use:   "decide PR",
		Short: "Judge a pull request, and say why",
		Long: `Judge a pull request, or with --all every open one, and say why.

Everything is read anew: the documents at the tip of the base, what the pull request changes,
reviews, roles, registries and gates. The whole tree of rules is printed, with the values that
were seen and wanted, who can change them, and the next step.

With the key of Pinnace's App the check of the pull request is written as well, and with
--merge it is merged where the decision allows it. With a person's token nothing is written.
pinnace reconcile does both for all that is open.

In a workflow of GitHub Actions the token of an App is enough: whose it is, is asked of GitHub.
With GITHUB_TOKEN, or in a run of a branch that any writer may change, the verdict is advisory:
the check says so, and nothing is merged that needs approvals.

The exit status is 0 where it may be merged, and with --merge where it was merged or queued,
else 3; with --all, 0 where that is so of each.`,
		Example: `  pinnace decide 12 --repo acme/config
  pinnace decide 12 --merge --repo acme/config --app-id 123456 --app-key app.pem
  pinnace decide --all --dry-run --repo acme/config
  pinnace decide 12 --repo acme/config -o json | jq .decision.status`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 && !all {
				return fmt.Errorf("decide takes the number of a pull request, such as pinnace decide 12, or --all")
			}
			if len(args) > 0 && all {
				return fmt.Errorf("decide takes the number of a pull request or --all, not both")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains([]string{"text", "json"}, output) {
				return unknownOutput(output, "text", "json")
			}
			number := 0
			if !all {
				var err error
				if number, err = strconv.Atoi(strings.TrimPrefix(args[0], "#")); err != nil || number < 1 {
					return usage("%s is not the number of a pull request", args[0])
				}
			}
			owner, name, err := hub.repository()
			if err != nil {
				return err
			}
			s, a, done, err := hub.steward(cmd.Context(), owner, name, &registries)
			if err != nil {
				return err
			}
			defer done()
			a.warn(cmd.ErrOrStderr())
			s.Judge.NoMerge, s.Judge.DryRun = !merge, dryRun
			if merge && !dryRun && s.Judge.App == 0 && a.run != nil {
				return usage("decide writes a check, which a person's token cannot: hand over an App's token or ${{ github.token }} (input token), or set dry-run: true")
			}
			if merge && !dryRun && s.Judge.App == 0 {
				return usage("--merge needs the key of Pinnace's App: give --app-id and --app-key (PINNACE_APP_ID, PINNACE_APP_KEY)")
			}
			out, err := s.Judge.Run(cmd.Context(), number)
			if err != nil {
				return err
			}
			if len(out.Cases) == 0 && !all && ofEvent(cmd.Context()) {
				fmt.Fprintf(cmd.OutOrStdout(), "#%d is no open pull request to a managed branch of %s/%s any more: nothing is judged\n", number, owner, name)
				collect(cmd.Context(), report.Verdicts{Repository: out.Repository.FullName(), Verdicts: []report.Verdict{}})
				return nil
			}
			if len(out.Cases) == 0 && !all {
				return fmt.Errorf("#%d is no open pull request to a managed branch of %s/%s: pinnace approvals lists those that wait", number, owner, name)
			}
			v, status := verdictsReport(out, merge)
			v.Advisory = a.advisory
			collect(cmd.Context(), v)
			switch {
			case output == "json" && all:
				err = v.JSON(cmd.OutOrStdout())
			case output == "json":
				err = v.Verdicts[0].JSON(cmd.OutOrStdout())
			default:
				v.Text(cmd.OutOrStdout(), s.Judge.App == 0)
			}
			if err != nil {
				return err
			}
			if status != exitDone {
				return exit(status)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "judge every open pull request")
	cmd.Flags().BoolVarP(&dryRun, "dry-run", "n", false, "write no check, and merge nothing")
	cmd.Flags().BoolVar(&merge, "merge", false, "merge it where the decision allows it")
	addOutput(cmd, &output, "text", "json")
	hub.add(cmd)
	registries.add(cmd)
	return cmd
}

// verdictsReport turns what was judged into what is said of it, and the exit status.
func verdictsReport(out *verdict.Outcome, merge bool) (report.Verdicts, int) {
	said := report.Verdicts{Repository: out.Repository.FullName(), Verdicts: []report.Verdict{}}
	status := exitDone
	for _, c := range out.Cases {
		v := verdictReport(c)
		unmerged := merge && c.Action == verdict.Judged
		if unmerged {
			v.Reason = "not merged: " + c.Unmerged()
		}
		said.Verdicts = append(said.Verdicts, v)
		switch {
		case c.Err != nil && (status == exitDone || status == exitFindings):
			status = statusOf(c.Err)
		case (v.Decision.Status != promotion.Passed || unmerged) && status == exitDone:
			status = exitFindings
		}
	}
	return said, status
}

// pending says whether a pull request waits for somebody. Where nobody can tell, or looking
// failed, somebody has to look.
func pending(c verdict.Case) bool {
	return c.Waits() || c.Err != nil || c.Decision.Status == promotion.Unknown
}

// order says where environments stand among all.
func order(all, some []string) []int {
	var out []int
	for _, e := range some {
		out = append(out, slices.Index(all, e))
	}
	return out
}

func newApprovals() *cobra.Command {
	var (
		registries registryFlags
		hub        githubFlags
		env        string
		mine       bool
		output     string
	)
	cmd := &cobra.Command{
		Use:   "approvals",
		Short: "List the pull requests that wait for somebody",
		Long: `List the pull requests that wait for somebody: those that you can approve first, then the
others, by environment. What stands in your way is said beside them. Nothing is written.`,
		Example: `  pinnace approvals --repo acme/config
  pinnace approvals --env prod --mine --repo acme/config`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains([]string{"text", "json"}, output) {
				return unknownOutput(output, "text", "json")
			}
			owner, name, err := hub.repository()
			if err != nil {
				return err
			}
			s, a, done, err := hub.steward(cmd.Context(), owner, name, &registries)
			if err != nil {
				return err
			}
			defer done()
			s.Judge.DryRun, s.Judge.Viewer = true, a.viewer
			outcome, err := s.Judge.Run(cmd.Context(), 0)
			if err != nil {
				return err
			}
			out := report.Approvals{Repository: outcome.Repository.FullName(), Pending: []report.PendingApproval{}}
			if env != "" && !slices.Contains(outcome.Environments, env) {
				return usage("environment %s: no such environment%s", env, didYouMean(env, outcome.Environments))
			}
			for _, c := range outcome.Cases {
				if env != "" && !slices.Contains(c.Environments, env) || mine && c.Mine != verdict.MineYes || !pending(c) {
					continue
				}
				v := verdictReport(c)
				out.Pending = append(out.Pending, report.PendingApproval{Verdict: v, Mine: c.Mine == verdict.MineYes, Why: c.MineWhy})
			}
			slices.SortStableFunc(out.Pending, func(x, y report.PendingApproval) int {
				switch {
				case x.Mine == y.Mine:
					return slices.Compare(order(outcome.Environments, x.Environments), order(outcome.Environments, y.Environments))
				case x.Mine:
					return -1
				}
				return 1
			})
			if output == "json" {
				return out.JSON(cmd.OutOrStdout())
			}
			out.Text(cmd.OutOrStdout())
			return nil
		},
	}
	cmd.Flags().StringVar(&env, "env", "", "only of environment `NAME`")
	cmd.Flags().BoolVar(&mine, "mine", false, "only those that you can approve")
	addOutput(cmd, &output, "text", "json")
	hub.add(cmd)
	registries.add(cmd)
	return cmd
}
