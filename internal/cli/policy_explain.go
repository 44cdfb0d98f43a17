package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/policy/scenario"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/report"
	"github.com/pinnace-dev/pinnace/internal/rulebook"
)

// explainFlags state and change facts.
type explainFlags struct {
	app, env, from, kind, image, previous, reason, since, at string
	requester, builder, approve, veto, label, tag, unknown   []string
}

func newPolicyExplain() *cobra.Command {
	var f explainFlags
	var output string
	cmd := &cobra.Command{
		Use:   "explain [SCENARIO.yaml | FILE.txtar[#CASE]]",
		Short: "Show how the policies judge a change, and what would be if",
		Long: `Show how the policies judge a change, and what would be if.

The facts come from a case of ` + "`pinnace policy test`" + `, from a file with one case, or from flags
alone; then it is judged now. Flags change the facts of a case. With --at the facts of a case
that states its own now keep their times; those of any other move along. What is nowhere
stated is known and favourable, but for who built the image. Nothing is fetched.

The exit status is 0 where the change may be merged, else 3.`,
		Example: `  pinnace policy explain --app shop --env prod --builder bob --approve carol
  pinnace policy explain cases.yaml --approve carol --at 2026-12-24T18:00:00+01:00 --label prod
  pinnace policy explain '.pinnace/policies/prod.txtar#two people' --veto erin`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if output != "text" && output != "json" {
				return unknownOutput(output, "text", "json")
			}
			var set *policy.Set
			var s scenario.Suite
			var c scenario.Case
			var problems []report.DocumentProblem
			var err error
			now := time.Time{}
			switch {
			case len(args) == 0:
				now = time.Now()
				set, s, problems, err = rulesHere(cmd.Context(), ".")
			case strings.Contains(args[0], ".txtar"):
				set, s, c, problems, err = caseOf(cmd.Context(), args[0])
			default:
				set, s, c, problems, err = caseIn(cmd.Context(), args[0])
			}
			if err != nil {
				return err
			}
			if set == nil || hasErrors(problems) {
				return complain(cmd.ErrOrStderr(), problems)
			}
			w, err := f.whatIf(cmp.Or(c.At, c.Now, now, scenario.DefaultNow), now)
			if err != nil {
				return err
			}
			if c, err = c.Apply(w); err != nil {
				return usage("--unknown: %s", err)
			}
			return explain(cmd, c, s, set, output)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.app, "app", "", "the `APP`; default: that of the image, or the first")
	fl.StringVar(&f.env, "env", "", "the environment `NAME` that the image goes to; default: the last")
	fl.StringVar(&f.from, "from", "", "the environment `NAME` that it comes from, or registry; default: the one before")
	fl.StringVar(&f.kind, "kind", "", "`KIND` of change: pin, update, promotion, rollback or by-hand; default promotion")
	fl.StringVar(&f.image, "image", "", "the new `IMAGE`; a digest is made up where none is written")
	fl.StringVar(&f.previous, "previous", "", "the `IMAGE` that stands there, or none")
	fl.StringVar(&f.reason, "reason", "", "what the requester wrote")
	fl.StringVar(&f.since, "since", "", "how `LONG` the image has stood where it comes from, such as 48h")
	fl.StringVar(&f.at, "at", "", "judge at `TIME`, such as 2026-12-24T18:00:00+01:00 or +3h")
	fl.StringSliceVar(&f.requester, "requester", nil, "`LOGIN` of who asked, unknown, or none; may be repeated; default alice")
	fl.StringSliceVar(&f.builder, "builder", nil, "`LOGIN` of who built the image, unknown, or none; may be repeated; default unknown")
	fl.StringSliceVar(&f.approve, "approve", nil, "as if `LOGIN` had approved an hour before; may be repeated")
	fl.StringSliceVar(&f.veto, "veto", nil, "as if `LOGIN` had asked for changes; may be repeated")
	fl.StringArrayVar(&f.label, "label", nil, "as if the pull request had the label `NAME`; NAME=VALUE is a label of the image; may be repeated")
	fl.StringArrayVar(&f.tag, "tag", nil, "as if `TAG` named the same digest, too; may be repeated")
	fl.StringSliceVar(&f.unknown, "unknown", nil, "as if nobody knew `FACT`, such as image.signatures; may be repeated")
	addOutput(cmd, &output, "text", "json")
	return cmd
}

// whatIf reads the flags. Relative times count from base; now is zero where a case is judged.
func (f *explainFlags) whatIf(base, now time.Time) (scenario.WhatIf, error) {
	w := scenario.WhatIf{
		App: f.app, Env: f.env, From: f.from, Kind: promotion.Kind(f.kind), Image: f.image, Previous: f.previous, Reason: f.reason,
		Requester: peopleOf(f.requester), Builder: peopleOf(f.builder), Approve: f.approve, Veto: f.veto, Tags: f.tag, Unknown: f.unknown, At: now,
	}
	kinds := []string{string(promotion.Pin), string(promotion.Update), string(promotion.Promotion), string(promotion.Rollback), string(promotion.ByHand)}
	if f.kind != "" && !slices.Contains(kinds, f.kind) {
		return w, usage("--kind %s: no such kind%s", f.kind, didYouMean(f.kind, kinds))
	}
	if f.at != "" {
		t, err := scenario.ParseTime(f.at)
		if err != nil {
			return w, usage("--at: %s", err)
		}
		if w.At = t.At; t.Relative {
			w.At = base.Add(t.Since)
		}
	}
	if f.since != "" {
		d, err := policy.ParseDuration(f.since)
		if err != nil {
			return w, usage("--since: %s", err)
		}
		since := time.Duration(d)
		w.Since = &since
	}
	for flag, text := range map[string]string{"image": f.image, "previous": f.previous} {
		if err := scenario.CheckImage(text); err != nil {
			return w, usage("--%s %s: %s", flag, text, err)
		}
	}
	for _, l := range f.label {
		name, value, ofImage := strings.Cut(l, "=")
		switch {
		case name == "":
			return w, usage("--label %q: want NAME, or NAME=VALUE", l)
		case !ofImage:
			w.PRLabels = append(w.PRLabels, name)
		default:
			if w.Labels == nil {
				w.Labels = map[string]string{}
			}
			w.Labels[name] = value
		}
	}
	return w, nil
}

// peopleOf reads logins, unknown or none.
func peopleOf(logins []string) *scenario.People {
	switch {
	case len(logins) == 0:
		return nil
	case len(logins) == 1 && logins[0] == "unknown":
		return &scenario.People{Unknown: true}
	case len(logins) == 1 && logins[0] == "none":
		return &scenario.People{}
	}
	return &scenario.People{Logins: logins}
}

// rulesHere returns the documents of the repository that a directory is in.
func rulesHere(ctx context.Context, dir string) (*policy.Set, scenario.Suite, []report.DocumentProblem, error) {
	root, err := findRoot(dir)
	if err == nil && root == "" {
		root, err = findRoot(".")
	}
	if err != nil {
		return nil, scenario.Suite{}, nil, err
	}
	if root == "" {
		return nil, scenario.Suite{}, nil, fmt.Errorf("no %s here or above; pinnace policy create writes a policy, pinnace config init a configuration", pinnaceDir)
	}
	b, err := openRules(ctx, root)
	if err != nil {
		return nil, scenario.Suite{}, nil, err
	}
	if b.broken() {
		return nil, scenario.Suite{}, b.problems, nil
	}
	s := scenario.Suite{Config: b.config}
	if !b.own {
		s.Config, s.BuiltIn = scenario.Default(), true
	}
	set, problems := loaded(b.docs, rulebook.WorldOf(s.Config, b.found...), nil)
	return set, s, problems, nil
}

// caseIn reads a file with one case.
func caseIn(ctx context.Context, file string) (*policy.Set, scenario.Suite, scenario.Case, []report.DocumentProblem, error) {
	data, err := readSmall(file)
	if err != nil {
		return nil, scenario.Suite{}, scenario.Case{}, nil, err
	}
	c, found := scenario.ParseCase(shown(absolute(file)), data)
	if len(found) > 0 {
		return nil, scenario.Suite{}, c, reported(found), nil
	}
	set, s, problems, err := rulesHere(ctx, filepath.Dir(file))
	return set, s, c, problems, err
}

// absolute returns the path from the root of the file system, where it can be told.
func absolute(file string) string {
	if abs, err := filepath.Abs(file); err == nil {
		return abs
	}
	return file
}

// caseOf finds a case FILE.txtar#CASE; the only one of a file needs no name.
func caseOf(ctx context.Context, named string) (*policy.Set, scenario.Suite, scenario.Case, []report.DocumentProblem, error) {
	file, name, _ := strings.Cut(named, "#")
	fail := func(err error) (*policy.Set, scenario.Suite, scenario.Case, []report.DocumentProblem, error) {
		return nil, scenario.Suite{}, scenario.Case{}, nil, err
	}
	data, err := readSmall(file)
	if err != nil {
		return fail(err)
	}
	s, found := scenario.Parse(shown(absolute(file)), data)
	if found.HasErrors() {
		return nil, s, scenario.Case{}, reported(found), nil
	}
	var names []string
	for _, c := range s.Cases {
		names = append(names, c.Name)
	}
	at := slices.Index(names, strings.TrimSuffix(name, ".yaml"))
	switch {
	case name == "" && len(names) == 1:
		at = 0
	case name == "":
		return fail(usage("%s has %d cases: name one, %s#%s", file, len(names), file, names[0]))
	case at < 0:
		return fail(usage("%s has no case %q%s", file, name, didYouMean(name, names)))
	}
	rules, err := openRules(ctx, file)
	if err != nil {
		return fail(err)
	}
	set, _, problems := (&bench{folder: rules}).loadFor(&s)
	return set, s, s.Cases[at], problems, nil
}

// builtIn says that the environments are nobody's.
func builtIn(c *config.Config) string {
	names := make([]string, len(c.Environments))
	for i, e := range c.Environments {
		names[i] = e.Name
	}
	return "no environment is configured here: " + strings.Join(names, ", ") + " are built in, for trying policies out; next: pinnace config init"
}

// explain judges a case and prints the decision.
func explain(cmd *cobra.Command, c scenario.Case, s scenario.Suite, set *policy.Set, output string) error {
	in, err := c.Input(s.Config, set)
	var problems policy.Problems
	switch {
	case errors.As(err, &problems) && problems[0].File == "": // it stands in a flag of that name
		return usage("--%s", problems[0].Message)
	case err != nil:
		return err
	}
	if s.BuiltIn {
		w := cmd.OutOrStdout()
		if output == "json" {
			w = cmd.ErrOrStderr()
		}
		fmt.Fprintln(w, builtIn(s.Config))
	}
	out := report.Decision{Case: c.Name, Subject: scenario.Subject(in), At: in.Now, Decision: policy.Decide(in)}
	if output == "json" {
		err = out.JSON(cmd.OutOrStdout())
	} else {
		out.Text(cmd.OutOrStdout())
	}
	if err == nil && out.Decision.Status != promotion.Passed {
		err = exit(exitFindings)
	}
	return err
}
