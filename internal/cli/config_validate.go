package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pinnace-dev/pinnace/internal/check"
	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
	"github.com/pinnace-dev/pinnace/internal/report"
)

func newConfigValidate() *cobra.Command {
	var projects projectFlags
	var output string
	cmd := &cobra.Command{
		Use:   "validate [PATH]",
		Short: "Check the configuration, and which files and images its environments hold",
		Long: `Check the configuration, and which files and images its environments hold.

Mistakes are printed with file, line and column. Then the files are scanned: a file in
two environments' paths is an error; globs that match nothing, and files with images that
belong to no environment, are warnings.`,
		Example: "  pinnace config validate\n  pinnace config validate -o json .",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if output != "text" && output != "json" {
				return unknownOutput(output, "text", "json")
			}
			var found config.Problems
			p, err := projects.openWith(args, func(file string) (*config.Config, error) {
				c, problems, err := loadAll(file)
				found = problems
				return c, err
			})
			if err != nil {
				return err
			}
			defer p.files.Close()
			out := report.Config{File: shown(p.file)}
			var survey *reconcile.Survey
			if !found.HasErrors() {
				every, err := p.allPaths(cmd.Context())
				if err != nil {
					return err
				}
				if survey, err = p.survey(cmd.Context()); err != nil {
					return err
				}
				found = append(found, p.validate(survey, every, &out)...)
			}
			for _, problem := range found {
				out.Problems = append(out.Problems, report.ConfigProblem{
					File: problem.File, Line: problem.Line, Column: problem.Column, Message: problem.Message,
					Severity: strings.ToLower(problem.Severity.String()), Text: problem.String(),
				})
			}
			if output == "json" {
				err = out.JSON(cmd.OutOrStdout())
			} else {
				out.Text(cmd.OutOrStdout())
			}
			if err != nil {
				return err
			}
			if found.HasErrors() {
				return exit(exitError)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&projects.config, "config", "", "the configuration `FILE`; default: the nearest "+configPath+" above PATH")
	addOutput(cmd, &output, "text", "json")
	return cmd
}

// loadAll reads a configuration and, where it stands in .pinnace, the documents beside
// it.
func loadAll(file string) (*config.Config, config.Problems, error) {
	if file == "" {
		return nil, nil, fmt.Errorf("no %s here or above; pinnace config init writes one", configPath)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, pathError(file, err)
	}
	files := map[string][]byte{shown(file): data}
	base := filepath.Dir(file)
	if filepath.Base(base) == ".pinnace" {
		for _, pattern := range []string{"*.yaml", "policies/*.yaml"} {
			names, err := filepath.Glob(filepath.Join(base, filepath.FromSlash(pattern)))
			if err != nil {
				return nil, nil, err
			}
			for _, name := range names {
				if files[shown(name)], err = os.ReadFile(name); err != nil {
					return nil, nil, err
				}
			}
		}
		c, _, problems := config.Load(files)
		if c == nil {
			c = config.Default()
		}
		return c, problems, nil
	}
	c, problems := config.Parse(shown(file), data)
	if c == nil {
		c = config.Default()
	}
	return c, problems, nil
}

// validate compares the configuration with the files; every lists all that could hold
// images.
func (p *project) validate(s *reconcile.Survey, every []string, out *report.Config) config.Problems {
	var bearing []string
	apps := p.config.AppNames(allRefs(s.Files))
	environments := map[string]*report.ConfigEnvironment{}
	for _, e := range p.config.Environments {
		out.Environments = append(out.Environments, &report.ConfigEnvironment{Name: e.Name, Production: e.Production})
		environments[e.Name] = out.Environments[len(out.Environments)-1]
	}
	for _, f := range s.Files {
		refs := refsOf(f)
		if len(refs) == 0 {
			continue
		}
		file := p.inRepository(f.Path)
		bearing = append(bearing, file)
		in := p.config.EnvironmentsOf(file)
		if len(in) == 0 {
			out.Unassigned = append(out.Unassigned, file)
		}
		for _, name := range in {
			e := environments[name]
			e.Files++
			for _, r := range refs {
				e.Images++
				if r.Pinned() {
					e.Pinned++
				}
				if app := apps.Of(name, file, r); app != "" && !slices.Contains(e.Apps, app) {
					e.Apps = append(e.Apps, app)
				}
			}
		}
	}
	for _, e := range out.Environments {
		slices.Sort(e.Apps)
	}
	problems := p.config.Overlaps(bearing)
	if p.below == "" {
		problems = append(problems, p.config.Unmatched(every)...)
	}
	return problems
}

func allRefs(files []check.File) []image.Ref {
	var all []image.Ref
	for _, f := range files {
		all = append(all, refsOf(f)...)
	}
	return all
}

func refsOf(f check.File) []image.Ref {
	var all []image.Ref
	for _, found := range f.Result.Findings {
		if found.Image != (image.Ref{}) {
			all = append(all, found.Image)
		}
	}
	return all
}
