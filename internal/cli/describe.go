package cli

import (
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pinnace-dev/pinnace/internal/doctor"
	"github.com/pinnace-dev/pinnace/internal/queue"
	"github.com/pinnace-dev/pinnace/internal/reference"
	"github.com/pinnace-dev/pinnace/internal/telemetry"
)

// describe is the program as its reference shows it.
func describe(root *cobra.Command) reference.Program {
	v := readVersion()
	p := reference.Program{Version: v.Version, Root: describeCommand(root), Env: variables(), Exits: exits()}
	if len(v.Date) >= len("2006-01-02") {
		p.Date = v.Date[:len("2006-01-02")]
	}
	for _, r := range queue.Rows() {
		p.Outcomes = append(p.Outcomes, reference.Outcome{Name: string(r.Outcome), Of: r.Of, Next: r.Next})
	}
	for _, m := range telemetry.Metrics() {
		metric := reference.Metric{Name: m.Name, Type: m.Type, Help: m.Help}
		for _, l := range m.Labels {
			metric.Labels = append(metric.Labels, reference.Label(l))
		}
		p.Metrics = append(p.Metrics, metric)
	}
	for _, k := range telemetry.Keys() {
		p.LogKeys = append(p.LogKeys, reference.Key(k))
	}
	for _, c := range doctor.Checks() {
		p.Checks = append(p.Checks, reference.Check{ID: c.ID, Title: c.Title, About: c.About})
	}
	return p
}

// describeCommand leaves out what help leaves out, and the flags --help, which every command
// has, and --version of the program.
func describeCommand(cmd *cobra.Command) reference.Command {
	c := reference.Command{Path: cmd.CommandPath(), Usage: cmd.UseLine(), Short: cmd.Short, Long: cmd.Long, Examples: examples(cmd.Example)}
	if cmd.HasAvailableSubCommands() {
		c.Usage = cmd.CommandPath() + " COMMAND"
	}
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" || f.Name == "version" {
			return
		}
		flag := reference.Flag{Name: f.Name, Letter: f.Shorthand}
		flag.Value, flag.Text = pflag.UnquoteUsage(f)
		if !slices.Contains([]string{"", "0", "0s", "false", "[]"}, f.DefValue) {
			flag.Default = f.DefValue
		}
		c.Flags = append(c.Flags, flag)
	})
	for _, child := range cmd.Commands() {
		if child.IsAvailableCommand() && child.Name() != "help" {
			c.Children = append(c.Children, describeCommand(child))
		}
	}
	return c
}

// aside is what an example says of itself, behind some spaces.
var aside = regexp.MustCompile(`^(\S.*?\S)( {2,})(\S.*)$`)

// examples are the lines of an example, as a shell reads them.
func examples(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(strings.TrimPrefix(line, "  "), "\n")
		all = append(all, aside.ReplaceAllString(line, "$1$2# $3"))
	}
	return all
}
