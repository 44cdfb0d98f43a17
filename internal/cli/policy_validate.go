package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/report"
)

func newPolicyValidate() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "validate [PATH]",
		Short: "Check policies, conditions and freezes against the configuration",
		Long: `Check policies, conditions and freezes against the configuration.

Read are config.yaml, freeze.yaml and policies/*.yaml of the nearest ` + pinnaceDir + `. Mistakes
are printed with file, line and column, those of a condition with a caret under their place.
The exit status is 1 where one of them is an error.`,
		Example: "  pinnace policy validate\n  pinnace policy validate -o json .",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if output != "text" && output != "json" {
				return unknownOutput(output, "text", "json")
			}
			b, err := openRules(cmd.Context(), pathOf(args))
			if err != nil {
				return err
			}
			out := report.Documents{Directory: b.dir, Files: b.files, Problems: b.problems}
			set, problems := b.load()
			if !b.broken() {
				out.Problems = append(out.Problems, problems...)
			}
			if set != nil {
				out.Documents = documentsOf(set)
			}
			if output == "json" {
				err = out.JSON(cmd.OutOrStdout())
			} else {
				out.Text(cmd.OutOrStdout())
			}
			if err == nil && hasErrors(out.Problems) {
				err = exit(exitError)
			}
			return err
		},
	}
	addOutput(cmd, &output, "text", "json")
	return cmd
}

// documentsOf lists the documents of a set, with where each holds.
func documentsOf(set *policy.Set) []report.Document {
	var all []report.Document
	add := func(kind string, o policy.Origin, description, bound string) {
		all = append(all, report.Document{Kind: kind, Name: o.Name, File: o.File, Line: o.Line, Description: description, Bound: bound})
	}
	for _, d := range set.Digests {
		add(policy.KindPullImageDigestPolicy, d.Origin, d.Description, where(d.AllEnvironments, false, d.Environments))
	}
	for _, d := range set.Promotions {
		var selectors []string
		for _, s := range d.ApplyTo {
			selectors = append(selectors, spelled(s))
		}
		if len(selectors) == 0 {
			selectors = []string{"nowhere"}
		}
		if n := len(selectors) - 3; n > 1 {
			selectors = append(selectors[:3], "and more")
		}
		add(policy.KindImagePromotionPolicy, d.Origin, d.Description, strings.Join(selectors, "; "))
	}
	for _, d := range set.Filters {
		add(policy.KindFilterCondition, d.Origin, d.Description, where(d.AllEnvironments, d.Production, d.Environments))
	}
	for _, d := range set.Freezes {
		add(policy.KindFreeze, d.Origin, d.Reason, where(d.AllEnvironments, d.Production, d.Environments)+", "+d.Window.String())
	}
	return all
}

func where(all, production bool, environments []string) string {
	switch {
	case all:
		return "all environments"
	case production && len(environments) == 0:
		return "production"
	case production:
		return "production, " + strings.Join(environments, ", ")
	}
	return strings.Join(environments, ", ")
}

// spelled says what a selector matches.
func spelled(s policy.Selector) string {
	what, at := "all apps", "everywhere"
	switch {
	case s.App != "" && s.Image != "":
		what = s.App + " as " + s.Image
	case s.App != "":
		what = s.App
	case s.Image != "":
		what = s.Image
	}
	switch {
	case s.Env != "":
		at = "in " + s.Env
	case s.Production != nil && *s.Production:
		at = "in production"
	case s.Production != nil:
		at = "outside production"
	}
	if s.Path != "" {
		at += " below " + s.Path
	}
	return what + " " + at
}
