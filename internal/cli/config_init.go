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

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
)

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
