package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
	"github.com/pinnace-dev/pinnace/internal/report"
)

func newHistory() *cobra.Command {
	var (
		sources    sourceFlags
		registries registryFlags
		limit      int
		built      bool
		output     string
	)
	cmd := &cobra.Command{
		Use:   "history ENV APP",
		Short: "Show who brought which image of an app to an environment, and when",
		Long: `Show who brought which image of an app to an environment, and when.

What is shown is read from the commits of the branch, the newest first, by comparing each
with its first parent. Authors, dates and pull request numbers are what the commits say.

With --repo each is held to what Pinnace's App wrote on GitHub: who asked, who approved, under
which policies, and the seal. Anybody can type a trailer, so that what has no such record is
unverified. The App is the one that github.appID of the configuration names.`,
		Example: `  pinnace history prod shop
  pinnace history prod shop --repo acme/config
  pinnace history prod shop --repo acme/config -o json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return fmt.Errorf("history takes an environment and an app, not %d arguments", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains([]string{"text", "json"}, output) {
				return unknownOutput(output, "text", "json")
			}
			if limit < 0 {
				return usage("--limit is %d: want 0 for all, or more", limit)
			}
			if len(sources.dirs)+len(sources.repos) > 1 {
				return usage("a history is that of one repository: name one")
			}
			all, done, err := sources.open(cmd.Context())
			defer done()
			if err != nil {
				return err
			}
			s := all[0]
			if err := knownEnvironment(all, args[0]); err != nil {
				return err
			}
			out := report.History{Environment: args[0], App: args[1]}
			out.Cut, err = s.History(cmd.Context(), args[0], args[1], func(a reconcile.Arrival) bool {
				return appendArrival(&out, a, limit)
			})
			if err != nil {
				return err
			}
			if len(out.Arrivals) == 0 {
				if known := appsOf(s, args[0]); !slices.Contains(known, args[1]) {
					return usage("app %s: no such app in %s%s", args[1], args[0], didYouMean(args[1], known))
				}
			}
			if err := prove(cmd.Context(), &sources, s.Config, &out, &registries, built); err != nil {
				return err
			}
			if output == "json" {
				return out.JSON(cmd.OutOrStdout())
			}
			out.Text(cmd.OutOrStdout())
			return nil
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 30, "show at most `N` changes, 0 for all")
	addOutput(cmd, &output, "text", "json")
	cmd.Flags().BoolVar(&built, "sources", false, "ask registries where each image was built")
	sources.add(cmd, false)
	registries.add(cmd)
	return cmd
}

// prove adds what is on record on GitHub, and on request what registries say.
func prove(ctx context.Context, f *sourceFlags, rules *config.Config, out *report.History, registries *registryFlags, built bool) error {
	if built {
		client, err := registries.client(rules)
		if err != nil {
			return err
		}
		defer client.Close()
		for i := range out.Arrivals {
			a := &out.Arrivals[i]
			ref, err := image.Parse(a.New)
			if err != nil {
				continue
			}
			if facts, err := client.Facts(ctx, ref); err == nil {
				a.Source, a.Revision = facts.Source(), facts.Revision()
			} else if ctx.Err() != nil {
				return ctx.Err()
			}
		}
	}
	if len(f.repos) == 0 || len(out.Arrivals) == 0 {
		return nil
	}
	owner, name, err := parseRepository(f.repos[0])
	if err != nil {
		return err
	}
	s, _, done, err := f.hub.steward(ctx, owner, name, registries)
	if err != nil {
		return err
	}
	defer done()
	c, err := s.Judge.Chronicle(ctx, f.rev)
	if err != nil {
		return err
	}
	defer c.Close()
	if !c.Recorded() {
		return nil
	}
	for i := range out.Arrivals {
		a := &out.Arrivals[i]
		hash, err := git.ParseHash(a.Commit)
		if err != nil {
			continue
		}
		p, err := c.Proof(ctx, hash)
		if err != nil {
			return err
		}
		a.Asked = true
		if !p.Verified {
			continue
		}
		r := &report.Record{PullRequest: p.PullRequest, At: p.At, Kind: string(p.Kind), From: p.Request.From, Verdict: string(p.Verdict), Seal: p.Seal, BreakGlass: p.Glass, Policies: p.Policies, Requesters: []string{}, Approvers: []string{}}
		if p.Glass != "" {
			r.Breaker = p.Breaker.String()
		}
		for _, who := range p.Request.By {
			r.Requesters = append(r.Requesters, who.String())
		}
		for _, who := range p.Approved {
			r.Approvers = append(r.Approvers, who.String())
		}
		if r.Policies == nil {
			r.Policies = []string{}
		}
		a.Record = r
	}
	return nil
}

// appendArrival adds an arrival, or counts it to the last one where that is of the same
// commit and images. It returns false once there are limit of them.
func appendArrival(out *report.History, a reconcile.Arrival, limit int) bool {
	next := report.Arrival{When: a.When, Commit: a.Commit.String(), Author: a.Author, PullRequest: a.PullRequest, Kind: a.Kind, Subject: a.Subject, New: a.Standing.Image.String(), Places: 1}
	if a.Old.Name != "" {
		next.Old = a.Old.String()
	}
	if a.Gone {
		next.Old, next.New = next.New, ""
	}
	for i := range out.Arrivals {
		same := out.Arrivals[i]
		same.Places = 1
		if same == next {
			out.Arrivals[i].Places++
			return true
		}
	}
	if limit > 0 && len(out.Arrivals) == limit {
		out.More = true
		return false
	}
	out.Arrivals = append(out.Arrivals, next)
	return true
}

func appsOf(s source, environment string) []string {
	var out []string
	for _, one := range s.Inventory() {
		if one.Environment == environment && !slices.Contains(out, one.App) {
			out = append(out, one.App)
		}
	}
	return out
}
