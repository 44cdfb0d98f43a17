package verdict

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/policy"
)

// maxGated is how many commits are asked for the verdicts of gates: the newest ones, and the
// one that brought the image.
const maxGated = 20

func gate(g config.Gate) policy.Gate {
	switch {
	case g.Deployment != "":
		return policy.Gate{What: "deployment " + g.Deployment, App: g.App}
	case g.CheckRun != "":
		return policy.Gate{What: "check run " + g.CheckRun, App: g.App}
	}
	return policy.Gate{What: "commit status " + g.CommitStatus, App: g.App}
}

// gates reads what the gates of an environment say of the commit that brought an image, and of
// those after it, up to the one that took it away again, if one did.
func (b *base) gates(ctx context.Context, s *policy.Source, from config.Environment, since, until git.Hash) error {
	trail, err := b.trail(ctx, 0)
	if err != nil {
		return err
	}
	at := slices.Index(trail, since)
	if at < 0 {
		return nil
	}
	commits := trail[:at+1]
	if i := slices.Index(commits, until); i >= 0 {
		commits = commits[i+1:]
	}
	if len(commits) > maxGated {
		commits = append(slices.Clone(commits[:maxGated-1]), since)
	}
	for i, g := range from.Gates {
		var all []policy.Verdict
		for _, c := range commits {
			more, err := b.verdicts(ctx, g, c.String())
			if err != nil {
				if passing(err) {
					return err
				}
				all = nil
				break // the token may not read it: nobody knows
			}
			all = append(all, more...)
			s.Gates[i].Verdicts.Known = c == commits[len(commits)-1]
		}
		if s.Gates[i].Verdicts.Known {
			s.Gates[i].Verdicts.Value = all
		}
	}
	return nil
}

// verdicts returns what is said of a commit for one gate, by whomever: policy says whose counts.
func (b *base) verdicts(ctx context.Context, g config.Gate, sha string) ([]policy.Verdict, error) {
	var out []policy.Verdict
	switch {
	case g.Deployment != "":
		all, err := b.Forge.Deployments(ctx, b.repo, g.Deployment, sha)
		if err != nil {
			return nil, err
		}
		for _, d := range all {
			if d.State != "" {
				out = append(out, policy.Verdict{App: d.StateSlug, State: d.State, At: d.StateAt})
			}
		}
	case g.CheckRun != "":
		all, err := b.Forge.CheckRuns(ctx, b.repo, sha, g.CheckRun)
		if err != nil {
			return nil, err
		}
		for _, r := range all {
			at := r.Completed
			if at.IsZero() {
				at = r.Started
			}
			out = append(out, policy.Verdict{App: r.AppSlug, State: cmp.Or(r.Conclusion, r.Status), At: at})
		}
	default:
		all, err := b.Forge.CommitStatuses(ctx, b.repo, sha)
		if err != nil {
			return nil, err
		}
		for _, s := range all {
			app, bot := strings.CutSuffix(s.Creator.Login, "[bot]")
			if !bot {
				app = "@" + app // a person of an App's name is not the App
			}
			if s.Context == g.CommitStatus {
				out = append(out, policy.Verdict{App: app, State: s.State, At: s.At})
			}
		}
	}
	return out, nil
}
