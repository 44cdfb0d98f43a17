package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/onboard"
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
			detected := onboard.Detect(survey.Files, func(path string) bool {
				_, err := p.files.Read(path, manifest.MaxFile)
				return err == nil
			})
			data := detected.File(0)
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

func initReport(d onboard.Layout, file string) initialised {
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

// openUnconfigured opens PATH as if it had no configuration yet.
func (f *projectFlags) openUnconfigured(args []string) (*project, error) {
	p, err := f.openWith(args, func(string) (*config.Config, error) { return config.Default(), nil })
	if err == nil && p.single {
		return nil, usage("%s is a file: name the directory of the repository", p.named)
	}
	return p, err
}
