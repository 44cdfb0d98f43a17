package cli

import (
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/policy/scenario"
	"github.com/pinnace-dev/pinnace/internal/report"
	"github.com/pinnace-dev/pinnace/internal/rulebook"
	"github.com/pinnace-dev/pinnace/policies"
)

func newPolicyList() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the policies of the library, which create --from copies",
		Example: "  pinnace policy list\n  pinnace policy create --from signed-images-only --print",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if output != "text" && output != "json" {
				return unknownOutput(output, "text", "json")
			}
			l, err := library()
			if err != nil {
				return err
			}
			if output == "json" {
				return l.JSON(cmd.OutOrStdout())
			}
			l.Text(cmd.OutOrStdout())
			return nil
		},
	}
	addOutput(cmd, &output, "text", "json")
	return cmd
}

// libraryNames are the policies of the library, in order.
func libraryNames() []string {
	files, err := fs.Glob(policies.FS, "*.yaml")
	if err != nil {
		return nil // unreachable: the pattern is sound
	}
	for i := range files {
		files[i] = stem(files[i])
	}
	return files
}

// library reads the policies that can be copied.
func library() (report.Library, error) {
	var l report.Library
	for _, name := range libraryNames() {
		data, err := fs.ReadFile(policies.FS, name+".yaml")
		if err != nil {
			return l, err
		}
		docs, problems := config.Split(name+".yaml", data)
		if problems.HasErrors() {
			return l, problems.Err()
		}
		set, found := policy.Load(scenario.Documents(docs), rulebook.WorldOf(scenario.Default()))
		if found.HasErrors() {
			return l, found.Err()
		}
		p := report.LibraryPolicy{Name: name, Use: use(string(data))}
		for _, d := range documentsOf(set) {
			p.Kind, p.Description = d.Kind, d.Description
		}
		l.Policies = append(l.Policies, p)
	}
	return l, nil
}

// use returns the first paragraph of the comment at a file's top: when to use it.
func use(text string) string {
	var words []string
	for line := range strings.Lines(text) {
		rest, comment := strings.CutPrefix(strings.TrimSpace(line), "#")
		if !comment || rest == "" {
			break
		}
		words = append(words, strings.TrimSpace(rest))
	}
	return strings.Join(words, " ")
}
