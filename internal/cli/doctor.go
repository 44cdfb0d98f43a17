package cli

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/fatih/color"
	"github.com/spf13/cobra"

	"github.com/pinnace-dev/pinnace/internal/doctor"
	"github.com/pinnace-dev/pinnace/internal/report"
	"github.com/pinnace-dev/pinnace/internal/setup"
)

func newDoctor() *cobra.Command {
	var f doctorFlags
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look over the App, a repository, its rules and this machine, and say what to put right",
		Long: `Look over the App, a repository, its rules and this machine, and say what to put right.

Nothing is changed, and tokens are taken for reading only. What is not ok carries one line
that says how to put it right; what could not be seen is skipped, with the reason. Without an
App the token in GH_TOKEN or GITHUB_TOKEN is used; an admin's sees who may bypass the rules.
docs/doctor.md describes every check.

Exit status 0 means that all is well, or warnings only, 3 that there are problems, and 4 that
GitHub did not take the key or the token, or that there is none.`,
		Example: `  pinnace doctor --repo acme/config --app-id 123456 --app-key app.pem
  pinnace doctor --server http://localhost:8080 --database postgres://pinnace@db/pinnace
  GH_TOKEN=$(gh auth token) pinnace doctor --repo acme/config -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.hub.add(cmd)
	f.registries.add(cmd)
	cmd.Flags().BoolVar(&f.offline, "offline", false, "ask no registry")
	cmd.Flags().StringVar(&f.database, "database", os.Getenv("PINNACE_DATABASE"), "the `URL` of the server's database; default: PINNACE_DATABASE")
	cmd.Flags().Lookup("database").DefValue = ""
	cmd.Flags().StringVar(&f.server, "server", "", "the `URL` of a running pinnace serve")
	addOutput(cmd, &f.output, "text", "json")
	return cmd
}

type doctorFlags struct {
	hub        githubFlags
	registries registryFlags
	offline    bool
	database   string
	server     string
	output     string
}

func (f *doctorFlags) run(cmd *cobra.Command) error {
	if !slices.Contains([]string{"text", "json"}, f.output) {
		return unknownOutput(f.output, "text", "json")
	}
	ctx := cmd.Context()
	q := doctor.Question{Now: time.Now(), Needed: needs()}
	if f.hub.repo != "" {
		var err error
		if q.Owner, q.Name, err = f.hub.repository(); err != nil {
			return err
		}
	}
	hub, err := f.open()
	if err != nil {
		return err
	}
	q.AppID, q.Public = f.hub.appID, hub.api.Hostname() == "api.github.com"
	for _, e := range setup.Events(usual()) {
		q.Subscriptions = append(q.Subscriptions, e.Name)
	}
	p := doctor.Ports{Open: hub.open, Tree: hub.tree}
	if hub.app != nil {
		p.App = appPort{hub.app}
	}
	if !f.offline {
		p.Registries = f.registriesOf
	}
	if f.hub.cache != "off" {
		p.Cache = f.cacheOf
	}
	if f.database != "" {
		p.Database = func(ctx context.Context) (string, error) { return databaseOf(ctx, f.database) }
	}
	if f.server != "" {
		u, err := url.Parse(f.server)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
			return usage("--server: want an address such as https://pinnace.example.com, without a password")
		}
		p.Server = func(ctx context.Context) (string, error) { return serverOf(ctx, u) }
	}
	facts, err := doctor.Gather(ctx, q, p)
	if err != nil {
		return err
	}
	out := doctor.Examine(facts)
	if f.output == "json" {
		err = out.JSON(cmd.OutOrStdout())
	} else {
		writeDoctor(cmd.OutOrStdout(), out)
	}
	switch {
	case err != nil:
		return err
	case out.Refused:
		return exit(exitAuth)
	case out.Counts.Problems > 0:
		return exit(exitFindings)
	}
	return nil
}

// usual are the permissions that setup asks for, where nobody says otherwise.
func usual() []setup.Permission {
	return slices.DeleteFunc(setup.Permissions(), func(p setup.Permission) bool { return p.Extra })
}

func needs() []doctor.Need {
	var all []doctor.Need
	for _, p := range usual() {
		all = append(all, doctor.Need{Name: p.Name, Level: p.Level, Loss: p.Loss, Needed: p.Needed})
	}
	return all
}

// writeDoctor writes a line for each check, and below it what there is more to say.
func writeDoctor(w io.Writer, r doctor.Report) {
	marks := map[doctor.Status]struct {
		sign  string
		paint color.Attribute
	}{
		doctor.OK: {"✓", color.FgGreen}, doctor.Warning: {"!", color.FgYellow}, doctor.Problem: {"✗", color.FgRed}, doctor.Skipped: {"-", color.Faint},
	}
	const margin = "            "
	for i := 0; i < len(r.Results); i++ {
		c := r.Results[i]
		m := marks[c.Status]
		status := color.New(m.paint).Sprintf("%s %-7s", m.sign, c.Status)
		if n := alike(r.Results[i:]); n > 1 {
			var titles []string
			for _, other := range r.Results[i : i+n] {
				titles = append(titles, other.Title)
			}
			fmt.Fprintf(w, "%s %d checks: %s\n%s%s\n", status, n, report.Plain(c.Seen), margin, strings.Join(titles, "; "))
			i += n - 1
			continue
		}
		fmt.Fprintf(w, "%s %s: %s\n", status, c.Title, report.Plain(c.Seen))
		for _, d := range c.Details {
			for line := range strings.Lines(d) {
				fmt.Fprintf(w, "%s%s\n", margin, report.Plain(strings.TrimRight(line, "\n")))
			}
		}
		if c.Fix != "" {
			fmt.Fprintf(w, "%s%s %s %s\n", margin, color.New(color.Bold).Sprint("fix:"), report.Plain(c.Fix), color.New(color.Faint).Sprintf("[%s]", c.ID))
		}
	}
	s := func(n int) string {
		if n == 1 {
			return ""
		}
		return "s"
	}
	n := r.Counts
	fmt.Fprintf(w, "\n%d ok, %d warning%s, %d problem%s, %d skipped\n", n.OK, n.Warnings, s(n.Warnings), n.Problems, s(n.Problems), n.Skipped)
}

// alike is how many checks, from the first on, are skipped for one reason.
func alike(all []doctor.Result) int {
	n := 0
	for n < len(all) && all[n].Status == doctor.Skipped && all[n].Seen == all[0].Seen {
		n++
	}
	return n
}
