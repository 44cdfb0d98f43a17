package cli

import (
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pinnace-dev/pinnace/internal/config"
)

// completeNames has shells complete the names of environments and apps, from the configuration
// of the directory that is read. Nothing is asked of anybody.
func completeNames(root *cobra.Command) {
	none := cobra.ShellCompDirectiveNoFileComp
	environments := func(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		return environmentNames(cmd, typed), none
	}
	for _, cmd := range allCommands(root) {
		switch path := strings.TrimPrefix(cmd.CommandPath(), root.Name()+" "); path {
		case "pin", "check", "images", "approvals", "policy explain":
			_ = cmd.RegisterFlagCompletionFunc("env", environments)
		case "rollback":
			_ = cmd.RegisterFlagCompletionFunc("env", environments)
			cmd.ValidArgsFunction = completeArgs(appNames)
		case "promote":
			_ = cmd.RegisterFlagCompletionFunc("to", environments)
			_ = cmd.RegisterFlagCompletionFunc("from", environments)
			cmd.ValidArgsFunction = completeArgs(appNames)
		case "history":
			cmd.ValidArgsFunction = completeArgs(environmentNames, appNames)
		}
		if cmd.Flags().Lookup("app") != nil {
			_ = cmd.RegisterFlagCompletionFunc("app", func(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
				return appNames(cmd, typed), none
			})
		}
	}
}

func allCommands(cmd *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{cmd}
	for _, child := range cmd.Commands() {
		all = append(all, allCommands(child)...)
	}
	return all
}

// completeArgs completes one argument by each function, and none after them.
func completeArgs(by ...func(cmd *cobra.Command, typed string) []string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) >= len(by) {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return by[len(args)](cmd, typed), cobra.ShellCompDirectiveNoFileComp
	}
}

// environmentNames are those that a word may go on with; behind a comma, those not yet in it.
func environmentNames(cmd *cobra.Command, typed string) []string {
	before := typed[:strings.LastIndexByte(typed, ',')+1]
	var names []string
	for _, e := range completed(cmd).Environments {
		if !slices.Contains(strings.Split(before, ","), e.Name) {
			names = append(names, before+e.Name)
		}
	}
	return names
}

func appNames(cmd *cobra.Command, _ string) []string {
	var names []string
	for _, a := range completed(cmd).Apps {
		names = append(names, a.Name)
	}
	return names
}

// completed is the configuration that a command would read, or the default where it cannot be
// read: a completion says nothing else.
func completed(cmd *cobra.Command) *config.Config {
	file, dir := "", "."
	if f := cmd.Flags().Lookup("config"); f != nil {
		file = f.Value.String()
	}
	if dirs, err := cmd.Flags().GetStringArray("dir"); err == nil && len(dirs) > 0 {
		dir = dirs[0]
	} else if one, err := cmd.Flags().GetString("dir"); err == nil && one != "" {
		dir = one
	}
	dir, err := filepath.Abs(dir)
	if err == nil && file == "" {
		file, err = findConfig(dir)
	}
	if err == nil {
		if c, err := loadConfig(file); err == nil {
			return c
		}
	}
	return config.Default()
}

// shorten replaces cobra's texts of the completion command, which are long and in Markdown, and
// its writing, which goes to standard output whatever SetOut says.
func shorten(cmd *cobra.Command) {
	cmd.Short = "Print the script that completes commands in a shell"
	cmd.Long = `Print the script that completes commands in a shell.

Commands, flags and forms of output are completed, and the names of environments and apps, from
the configuration of the working directory.`
	for _, child := range cmd.Commands() {
		load, ok := loading[child.Name()]
		if !ok {
			continue
		}
		child.Short = "Print the script for " + load.shell
		child.Long = child.Short + ".\n\n" + load.needs + "In this shell:\n\n  " + load.now + "\n\nIn every new one:\n\n  " + load.always
		child.Run = nil
		child.RunE = func(cmd *cobra.Command, _ []string) error {
			plain, err := cmd.Flags().GetBool("no-descriptions")
			if err != nil {
				return err
			}
			return load.write(cmd.Root(), cmd.OutOrStdout(), !plain)
		}
	}
}

// loading says how each shell loads its script, and writes it.
var loading = map[string]struct {
	shell, needs, now, always string
	write                     func(root *cobra.Command, w io.Writer, descriptions bool) error
}{
	"bash": {
		"bash", "It needs the package bash-completion. ", "source <(pinnace completion bash)",
		"pinnace completion bash > /etc/bash_completion.d/pinnace\n  pinnace completion bash > $(brew --prefix)/etc/bash_completion.d/pinnace   # macOS",
		(*cobra.Command).GenBashCompletionV2,
	},
	"zsh": {
		"zsh", "It needs `autoload -U compinit; compinit` in ~/.zshrc. ", "source <(pinnace completion zsh)",
		"pinnace completion zsh > \"${fpath[1]}/_pinnace\"",
		func(root *cobra.Command, w io.Writer, descriptions bool) error {
			if descriptions {
				return root.GenZshCompletion(w)
			}
			return root.GenZshCompletionNoDesc(w)
		},
	},
	"fish": {
		"fish", "", "pinnace completion fish | source",
		"pinnace completion fish > ~/.config/fish/completions/pinnace.fish",
		(*cobra.Command).GenFishCompletion,
	},
	"powershell": {
		"PowerShell", "", "pinnace completion powershell | Out-String | Invoke-Expression",
		"pinnace completion powershell >> $PROFILE",
		func(root *cobra.Command, w io.Writer, descriptions bool) error {
			if descriptions {
				return root.GenPowerShellCompletionWithDesc(w)
			}
			return root.GenPowerShellCompletion(w)
		},
	},
}
