package cli

import (
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
	"github.com/pinnace-dev/pinnace/internal/report"
)

var checkForms = []string{"text", "json", "sarif", "github", "rdjson"}

func newCheck() *cobra.Command {
	var (
		registries registryFlags
		projects   projectFlags
		offline    bool
		output     string
	)
	cmd := &cobra.Command{
		Use:   "check [PATH]",
		Short: "Report images that are not pinned, or whose pins are not what they seem",
		Long: `Report images that are not pinned, or whose pins are not what they seem.

  PIN001  the image has no digest
  PIN002  the tag means another image than the digest beside it
  PIN003  the registry no longer has the digest
  PIN004  the value is not an image reference
  PIN005  the digest is that of one platform, not of the index
  PIN006  Pinnace cannot read or edit the image here
  PIN007  the kustomization drops the digest of its base

Exit status 3 means that there are findings. PATH is a file or a directory; the default is
the working directory. With --offline no registry is asked, and PIN002, PIN003 and PIN005
are not looked for.`,
		Example: `  pinnace check .
  pinnace check --offline -o sarif . > pinnace.sarif
  pinnace check -o github envs/prod`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(checkForms, output) {
				return unknownOutput(output, checkForms...)
			}
			p, err := projects.open(args)
			if err != nil {
				return err
			}
			defer p.files.Close()
			var resolver reconcile.Resolver
			if !offline {
				client, err := registries.client(p.config)
				if err != nil {
					return err
				}
				defer client.Close()
				resolver = client
			}
			r := p.reconciler(resolver)
			r.Concurrency = registries.concurrency
			r.Progress = &reconcile.Progress{}
			stop := showProgress(cmd.Context(), cmd.ErrOrStderr(), r.Progress)
			checked, err := r.Check(cmd.Context())
			stop()
			if err != nil {
				return err
			}
			if err := p.mustSelect(checked.Survey); err != nil {
				return err
			}
			if err := p.printCheck(cmd, checked, output, offline); err != nil {
				return err
			}
			if len(checked.Findings) > 0 {
				return exit(exitFindings)
			}
			if len(checked.Unanswered) > 0 {
				var all []error
				for _, u := range checked.Unanswered {
					all = append(all, u.Err)
				}
				return exit(statusOf(errors.Join(all...)))
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&offline, "offline", false, "ask no registry")
	addOutput(cmd, &output, checkForms...)
	projects.add(cmd)
	registries.add(cmd)
	return cmd
}

func (p *project) printCheck(cmd *cobra.Command, c *reconcile.Checked, output string, offline bool) error {
	out := report.Check{Findings: c.Findings, Files: c.Survey.Total, Offline: offline, Root: p.named}
	for i := range out.Findings {
		f := &out.Findings[i]
		// The command in Fix ends with the path as the root knows it.
		f.Fix = p.relabel(f.Fix, f.Path)
		f.Path = p.label(f.Path)
	}
	for _, u := range c.Unanswered {
		out.Unanswered = append(out.Unanswered, report.Unanswered{Image: u.Image.String(), Error: u.Err.Error()})
	}
	for _, f := range c.Survey.Files {
		for _, found := range f.Result.Findings {
			if found.Image != (image.Ref{}) {
				out.Images++
			}
		}
	}
	collect(cmd.Context(), out)
	w := cmd.OutOrStdout()
	switch output {
	case "json":
		return out.JSON(w)
	case "sarif":
		return out.SARIF(w, versionNumber())
	case "github":
		return out.GitHub(w)
	case "rdjson":
		return out.RDJSON(w)
	}
	out.Text(w)
	return nil
}
