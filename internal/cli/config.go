package cli

import (
	"github.com/spf13/cobra"

	"github.com/pinnace-dev/pinnace/internal/config"
)

func newConfig() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Write, validate and describe the configuration, " + configPath,
		Example: `  pinnace config init
  pinnace config validate
  pinnace config schema > config.schema.json`,
	}
	cmd.AddCommand(newConfigInit(), newConfigValidate(), newConfigSchema())
	onlyChildren(cmd)
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
