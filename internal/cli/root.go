package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/fatih/color"
	"github.com/spf13/cobra"

	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/registry"
	"github.com/pinnace-dev/pinnace/internal/report"
)

// Exit statuses.
const (
	exitDone     = 0
	exitError    = 1
	exitUsage    = 2
	exitFindings = 3
	exitAuth     = 4
)

// An exit carries a status out of a verb that has already said why.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// A runError is an error of a verb that was called correctly.
type runError struct{ error }

func (e runError) Unwrap() error { return e.error }

// Main runs the program and returns its exit status.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	setColor(os.Stdout)
	if isTerminal(os.Stdout) {
		report.Width = terminalWidth(os.Stdout)
	}
	if len(os.Args) < 2 || os.Args[1] != "serve" { // a server is not a short run
		tuneGC()
	}
	return Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
}

// Run runs one command and returns its exit status.
func Run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	latch := &latch{w: out}
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(latch)
	root.SetErr(errs)
	err := root.ExecuteContext(ctx)
	if latch.err != nil {
		fmt.Fprintf(errs, "pinnace: write standard output: %s\n", latch.err)
		return exitError
	}
	if err == nil {
		return exitDone
	}
	var status exit
	if errors.As(err, &status) {
		return int(status)
	}
	var run runError
	if !errors.As(err, &run) {
		fmt.Fprintf(errs, "pinnace: %s\n", report.Plain(unknownCommand(root, oneLine(err.Error()))))
		fmt.Fprintf(errs, "see: %s --help\n", commandPath(root, args))
		return exitUsage
	}
	if ctx.Err() != nil {
		fmt.Fprintln(errs, "pinnace: interrupted: what was written is complete; run it again to go on")
		return exitError
	}
	for line := range strings.Lines(run.Error()) {
		fmt.Fprintf(errs, "pinnace: %s\n", report.Plain(strings.TrimRight(line, "\n")))
	}
	return statusOf(err)
}

// A latch remembers the first error of a writer.
type latch struct {
	w   io.Writer
	err error
}

func (l *latch) Write(p []byte) (int, error) {
	n, err := l.w.Write(p)
	if err != nil && l.err == nil {
		l.err = err
	}
	return n, err
}

// oneLine joins the lines of cobra's messages.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func commandPath(root *cobra.Command, args []string) string {
	if cmd, _, err := root.Find(args); err == nil {
		return cmd.CommandPath()
	}
	return root.CommandPath()
}

// statusOf tells an authentication that is needed from other errors.
func statusOf(err error) int {
	var auth *registry.AuthError
	var token tokenError
	if errors.As(err, &auth) || errors.As(err, &token) || errors.Is(err, promotion.ErrUnauthenticated) || errors.Is(err, git.ErrAuth) {
		return exitAuth
	}
	return exitError
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "pinnace",
		Short: "Pin container images in git, and promote what was tested",
		Long: `Tags move. A manifest that says shop:1.4 does not say what runs.
Pinnace finds every image in a directory of manifests, resolves its tag to a digest, and
changes nothing but the image's own bytes.

What runs in one environment is promoted to the next by a pull request. Pinnace judges it by
the policies in .pinnace/, and merges exactly what was approved.`,
		Example: `  pinnace check .                       what is not pinned
  pinnace pin --dry-run .               what pinning would change
  pinnace pin .                         pin it
  kustomize build . | pinnace pin - | kubectl apply -f -
  pinnace reconcile --repo acme/config  open pull requests that pin it
  pinnace promote shop --to prod --repo acme/config
  pinnace approvals --repo acme/config  what waits for whom
  pinnace demo                          all of it, offline`,
		Version:       versionNumber(),
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetHelpCommand(newHelp())
	root.SetVersionTemplate("pinnace {{.Version}}\n")
	root.SetFlagErrorFunc(suggestFlag)
	root.AddCommand(newPin(), newCheck(), newResolve(), newImages(), newWhere(), newHistory(), newPromote(), newRollback(), newApprovals(), newDecide(), newReconcile(), newDemo(), newConfig(), newPolicy(), newServe(), newSetup(), newDoctor(), newAction(), newVersion())
	root.AddCommand(newMan(), newReference())
	root.SuggestionsMinimumDistance = 2
	root.CompletionOptions.HiddenDefaultCmd = false
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() == "completion" {
			cmd.Example = "  pinnace completion bash > /etc/bash_completion.d/pinnace\n  source <(pinnace completion zsh)"
			shorten(cmd)
			onlyChildren(cmd)
		}
		markRun(cmd)
	}
	completeNames(root)
	return root
}

func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Help about any command",
		RunE: func(cmd *cobra.Command, args []string) error {
			target, _, err := cmd.Root().Find(args)
			if err != nil {
				return usageError{err}
			}
			return target.Help()
		},
	}
}

// onlyChildren makes a command that does nothing by itself refuse a child that it does not
// have; alone it prints its help.
func onlyChildren(cmd *cobra.Command) {
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		var names []string
		for _, child := range cmd.Commands() {
			names = append(names, child.Name())
		}
		return fmt.Errorf("%s %s: no such command%s", cmd.Name(), args[0], didYouMean(args[0], names))
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
}

// markRun tells errors of a verb from errors of its usage.
func markRun(cmd *cobra.Command) {
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			err := run(cmd, args)
			var status exit
			var usage usageError
			if err == nil || errors.As(err, &status) || errors.As(err, &usage) {
				return err
			}
			return runError{err}
		}
	}
	for _, child := range cmd.Commands() {
		markRun(child)
	}
}

// A usageError is a mistake in the arguments that only the verb itself can see.
type usageError struct{ error }

func usage(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// inColorOf prints to a stream other than standard output, in colour if that is a terminal.
func inColorOf(w any, print func()) {
	was := color.NoColor
	setColor(w)
	print()
	color.NoColor = was
}

// setColor turns colour on for a terminal, as NO_COLOR (https://no-color.org),
// CLICOLOR and CLICOLOR_FORCE (https://bixense.com/clicolors) ask.
func setColor(out any) {
	color.NoColor = !isTerminal(out) || os.Getenv("TERM") == "dumb" || os.Getenv("CLICOLOR") == "0"
	if v := os.Getenv("CLICOLOR_FORCE"); v != "" && v != "0" {
		color.NoColor = false
	}
	if os.Getenv("NO_COLOR") != "" {
		color.NoColor = true
	}
}
