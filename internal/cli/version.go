package cli

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// version is set when a release is built.
var version = ""

// A versionReport is what `pinnace version -o json` prints.
type versionReport struct {
	Version  string            `json:"version"`
	Commit   string            `json:"commit,omitempty"`
	Date     string            `json:"date,omitempty"`
	Modified bool              `json:"modified,omitempty"`
	Go       string            `json:"go"`
	Platform string            `json:"platform"`
	Modules  map[string]string `json:"modules"`
}

func versionNumber() string { return readVersion().Version }

func readVersion() versionReport {
	v := versionReport{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Modules: map[string]string{}}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if v.Version == "" {
		v.Version = strings.TrimPrefix(info.Main.Version, "v")
	}
	if v.Version == "" || v.Version == "(devel)" {
		v.Version = "0.0.0-dev"
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Commit = s.Value
		case "vcs.time":
			v.Date = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	for _, m := range info.Deps {
		v.Modules[m.Path] = m.Version
	}
	return v
}

func newVersion() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version, the commit and, as JSON, every module",
		Example: "  pinnace version\n  pinnace version -o json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v := readVersion()
			switch output {
			case "text":
				line := "pinnace " + v.Version
				if v.Commit != "" {
					line += " (" + v.Commit[:min(12, len(v.Commit))] + ")"
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s %s %s\n", line, v.Go, v.Platform)
				return nil
			case "json":
				e := json.NewEncoder(cmd.OutOrStdout())
				e.SetIndent("", "  ")
				return e.Encode(v)
			}
			return unknownOutput(output, "text", "json")
		},
	}
	addOutput(cmd, &output, "text", "json")
	return cmd
}

// addOutput adds -o with the forms that a verb knows.
func addOutput(cmd *cobra.Command, output *string, forms ...string) {
	cmd.Flags().StringVarP(output, "output", "o", forms[0], "the form: "+strings.Join(forms, ", "))
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(forms, cobra.ShellCompDirectiveNoFileComp))
}

func unknownOutput(given string, forms ...string) error {
	return usage("-o %s: no such form%s", given, didYouMean(given, forms))
}
