package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
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

func newConfig() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Write, validate and describe the configuration, " + configPath,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return fmt.Errorf("config %s: no such command%s", args[0], didYouMean(args[0], []string{"init", "validate", "schema"}))
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Example: `  pinnace config init
  pinnace config validate
  pinnace config schema > config.schema.json`,
	}
	cmd.AddCommand(newConfigInit(), newConfigValidate(), newConfigSchema())
	return cmd
}

func newConfigSchema() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:     "schema",
		Short:   "Print the JSON schema of the configuration",
		Example: "  pinnace config schema > config.schema.json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if output != "json" {
				return unknownOutput(output, "json")
			}
			_, err := cmd.OutOrStdout().Write(config.Schema())
			return err
		},
	}
	addOutput(cmd, &output, "json")
	return cmd
}

func newConfigInit() *cobra.Command {
	var force, print bool
	var output string
	cmd := &cobra.Command{
		Use:   "init [PATH]",
		Short: "Write a configuration for the environments and apps that are found",
		Long: `Write a configuration for the environments and apps that are found.

Environments are told by the names of directories (envs/prod, overlays/staging), apps by
images that stand in more than one of them. What is guessed is written as a comment. A
configuration that exists is kept, unless --force is given.`,
		Example: "  pinnace config init\n  pinnace config init --print .",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if output != "text" && output != "json" {
				return unknownOutput(output, "text", "json")
			}
			p, err := (&projectFlags{}).openUnconfigured(args)
			if err != nil {
				return err
			}
			defer p.files.Close()
			survey, err := p.survey(cmd.Context())
			if err != nil {
				return err
			}
			detected := detect(survey)
			data := config.Init(detected)
			if output == "json" && print {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(initReport(detected, ""))
			}
			if print {
				_, err := cmd.OutOrStdout().Write(data)
				return err
			}
			file := filepath.Join(p.named, filepath.FromSlash(configPath))
			if err := writeNew(file, data, force); err != nil {
				return err
			}
			if output == "json" {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(initReport(detected, filepath.ToSlash(file)))
			}
			fmt.Fprintf(cmd.OutOrStdout(), "wrote %s; next: pinnace config validate %s\n", filepath.ToSlash(file), p.named)
			return nil
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "replace a configuration that exists")
	cmd.Flags().BoolVar(&print, "print", false, "print it, write nothing")
	addOutput(cmd, &output, "text", "json")
	return cmd
}

// An initialised configuration is what `pinnace config init -o json` prints; File is ""
// where it was not written.
type initialised struct {
	File         string              `json:"file"`
	Environments []string            `json:"environments"`
	Apps         map[string][]string `json:"apps"`
}

func initReport(d config.Detected, file string) initialised {
	out := initialised{File: file, Environments: []string{}, Apps: map[string][]string{}}
	for _, e := range d.Environments {
		out.Environments = append(out.Environments, e.Name)
	}
	for _, a := range d.Apps {
		out.Apps[a.Name] = append(out.Apps[a.Name], a.Images...)
	}
	return out
}

func writeNew(file string, data []byte, force bool) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if force {
		flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	f, err := os.OpenFile(file, flags, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists; --force replaces it", filepath.ToSlash(file))
	}
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// detect finds environments by the paths of the files that hold images, and apps by the
// images that stand in more than one environment.
func detect(s *reconcile.Survey) config.Detected {
	var paths []string
	for _, f := range s.Files {
		if len(f.Result.Findings) > 0 {
			paths = append(paths, f.Path)
		}
	}
	d := config.Detected{Environments: config.Detect(paths)}
	environments := (&config.Config{Environments: environmentsOf(d)}).EnvironmentsOf
	stands := map[string]map[string]bool{}
	for _, f := range s.Files {
		for _, found := range f.Result.Findings {
			if found.Image == (image.Ref{}) {
				continue
			}
			for _, e := range environments(f.Path) {
				repository := found.Image.Repository()
				if stands[repository] == nil {
					stands[repository] = map[string]bool{}
				}
				stands[repository][e] = true
			}
		}
	}
	for repository, in := range stands {
		if len(in) > 1 {
			name := repository[strings.LastIndexByte(repository, '/')+1:]
			d.Apps = append(d.Apps, config.DetectedApp{Name: name, Images: []string{repository}})
		}
	}
	slices.SortFunc(d.Apps, func(a, b config.DetectedApp) int { return strings.Compare(a.Images[0], b.Images[0]) })
	return d
}

func environmentsOf(d config.Detected) []config.Environment {
	var out []config.Environment
	for _, e := range d.Environments {
		out = append(out, config.Environment{Name: e.Name, Paths: e.Paths})
	}
	return out
}

// openUnconfigured opens PATH as if it had no configuration yet.
func (f *projectFlags) openUnconfigured(args []string) (*project, error) {
	p, err := f.openWith(args, func(string) (*config.Config, error) { return config.Default(), nil })
	if err == nil && p.single {
		return nil, usage("%s is a file: name the directory of the repository", p.named)
	}
	return p, err
}

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
