package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/pinnace-dev/pinnace/internal/reference"
)

// newMan is for those who make packages.
func newMan() *cobra.Command {
	return newPages("man", "Write the man pages to a directory", func(p reference.Program) map[string][]byte { return reference.Man(p) })
}

// newReference prints docs/reference.
func newReference() *cobra.Command {
	return newPages("reference", "Write the reference documentation, in Markdown, to a directory", func(p reference.Program) map[string][]byte {
		pages := map[string][]byte{}
		for _, page := range reference.Pages(p) {
			pages[page.Name] = page.Text
		}
		return pages
	})
}

// newPages is a hidden verb that writes pages, by the names of their files.
func newPages(verb, short string, pages func(reference.Program) map[string][]byte) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:     verb + " --dir DIR",
		Short:   short,
		Example: "  pinnace " + verb + " --dir " + verb,
		Hidden:  true,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dir == "" {
				return usage("--dir is missing: want the directory to write to, which is made where there is none")
			}
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
			all := pages(describe(cmd.Root()))
			for name, text := range all {
				if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
					return err
				}
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "wrote %d pages to %s\n", len(all), dir)
			return nil
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "the directory to write to, `DIR`")
	return cmd
}
