package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/pinnace-dev/pinnace/internal/config"
)

func newPolicyApply() *cobra.Command {
	var file, name, output string
	var force bool
	cmd := &cobra.Command{
		Use:   "apply -p FILE",
		Short: "Bind promotion policies to apps and environments",
		Long: `Bind promotion policies to apps and environments.

FILE is of kind artifactPromotionPolicy: applicationEnvironments lists apps and environments,
applyToPolicyNames the policies that hold there. It is copied as it is to
` + policiesDir + `, under its own name, if it validates.`,
		Example: "  pinnace policy apply -p=\"path/to/applyPolicy.yaml\"",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if output != "text" && output != "json" {
				return unknownOutput(output, "text", "json")
			}
			if file == "" {
				return usage("-p is missing: name a file of kind %s", config.KindArtifactPromotionPolicy)
			}
			data, err := readSmall(file)
			if err != nil {
				return err
			}
			docs, problems := config.Split(shown(absolute(file)), data)
			if problems.HasErrors() {
				return problems.Err()
			}
			for _, d := range docs {
				if d.Kind != config.KindArtifactPromotionPolicy {
					return fmt.Errorf("%s:%d: the document is a %s, and apply takes %s: put policies in %s yourself, or use pinnace policy create",
						d.File, d.Node.Line, d.Kind, config.KindArtifactPromotionPolicy, policiesDir)
				}
			}
			if len(docs) == 0 {
				return fmt.Errorf("%s holds no document of kind %s", shown(absolute(file)), config.KindArtifactPromotionPolicy)
			}
			if name == "" {
				name = stem(file)
			}
			return writer{cmd: cmd, force: force, same: true, output: output}.write(name, data, nil)
		},
	}
	cmd.Flags().StringVarP(&file, "path", "p", "", "the `FILE` that says what applies where")
	cmd.Flags().StringVar(&name, "name", "", "`NAME` of the file that is written; default: as FILE")
	cmd.Flags().BoolVar(&force, "force", false, "replace a file that exists")
	addOutput(cmd, &output, "text", "json")
	return cmd
}
