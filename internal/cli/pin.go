package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/plan"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
	"github.com/pinnace-dev/pinnace/internal/report"
)

// pinFlags are what `pinnace pin` can be asked.
type pinFlags struct {
	registries registryFlags
	projects   projectFlags
	dryRun     bool
	check      bool
	update     bool
	lift       bool
	style      string
	platform   string
	output     string
}

func newPin() *cobra.Command {
	var f pinFlags
	cmd := &cobra.Command{
		Use:   "pin [PATH|-]",
		Short: "Add digests to the images of a directory, changing only their bytes",
		Long: `Add digests to the images of a directory, changing only their bytes.

Every image is found by structure, its tag is resolved to a digest, and the digest is
spliced into the file: nothing else in it changes. Each file is proved after the edit and
replaced at once. What cannot be edited exactly is reported and left alone. An image that
cannot be resolved is reported and stops no other.

With "-" a stream of manifests is read from standard input and written to standard output;
if an image in it cannot be resolved nothing is written.

Exit status 1 means that something failed, 3 that --check found something to change, and 4
that a registry wants a login.`,
		Example: `  pinnace pin .
  pinnace pin --dry-run envs/prod
  pinnace pin --check .
  pinnace pin --update --env dev .
  kustomize build . | pinnace pin - | kubectl apply -f -`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	flags := cmd.Flags()
	flags.BoolVarP(&f.dryRun, "dry-run", "n", false, "print a unified diff, write nothing")
	flags.BoolVar(&f.check, "check", false, "write nothing, exit 3 if something would change")
	flags.BoolVar(&f.update, "update", false, "move pinned tags to what they mean now")
	flags.BoolVar(&f.lift, "lift", false, "replace the digest of one platform by that of its index")
	flags.StringVar(&f.style, "style", "", "tag-and-digest or digest-only; default: the configuration's")
	flags.StringVar(&f.platform, "platform", "", "index, or an `OS/ARCH` whose digest is pinned; default: the configuration's")
	addOutput(cmd, &f.output, "text", "json")
	f.projects.add(cmd)
	f.registries.add(cmd)
	return cmd
}

func (f *pinFlags) run(cmd *cobra.Command, args []string) error {
	if f.output != "text" && f.output != "json" {
		return unknownOutput(f.output, "text", "json")
	}
	if len(args) == 1 && args[0] == "-" {
		return f.stream(cmd)
	}
	p, err := f.projects.open(args)
	if err != nil {
		return err
	}
	defer p.files.Close()
	r, o, done, err := f.prepare(p)
	if err != nil {
		return err
	}
	defer done()
	o.Write = !f.dryRun && !f.check
	if f.dryRun && f.output == "text" {
		o.Change = func(path string, old, data []byte) {
			fmt.Fprint(cmd.OutOrStdout(), report.Diff(p.label(path), old, data))
		}
	}
	pinned, err := f.pin(cmd, r, o)
	if err != nil {
		return err
	}
	if err := p.mustSelect(pinned.Survey); err != nil {
		return err
	}
	out := pinReport(pinned, p.label)
	out.DryRun = !o.Write
	collect(cmd.Context(), out)
	if f.output == "json" {
		err = out.JSON(cmd.OutOrStdout())
	} else if f.dryRun {
		inColorOf(cmd.ErrOrStderr(), func() { out.Text(cmd.ErrOrStderr()) })
	} else {
		out.Text(cmd.OutOrStdout())
	}
	if err != nil {
		return err
	}
	if failed := pinned.Failed(); failed != nil {
		return exit(statusOf(failed))
	}
	if f.check && out.Counts.Changed > 0 {
		return exit(exitFindings)
	}
	return nil
}

// prepare builds the reconciler and what it is asked from flags and configuration.
func (f *pinFlags) prepare(p *project) (*reconcile.Reconciler, reconcile.PinOptions, func(), error) {
	var o reconcile.PinOptions
	c := p.config
	style := f.style
	if style == "" {
		style = string(c.Pin.Style)
	}
	styles := []string{string(manifest.TagAndDigest), string(manifest.DigestOnly)}
	if !slices.Contains(styles, style) {
		return nil, o, nil, usage("--style %s: no such style%s", style, didYouMean(style, styles))
	}
	o.Options = plan.Options{Style: manifest.Style(style), Update: f.update, Lift: f.lift}
	client, err := f.registries.client(c)
	if err != nil {
		return nil, o, nil, err
	}
	r := p.reconciler(client)
	r.Concurrency = f.registries.concurrency
	switch f.platform {
	case "":
	case config.PlatformIndex:
		r.Platform = image.Platform{}
	default:
		platform, ok := image.ParsePlatform(f.platform)
		if !ok {
			return nil, o, nil, usage("--platform %s: want index or OS/ARCH[/VARIANT]", f.platform)
		}
		r.Platform = platform
	}
	if f.lift && r.Platform != (image.Platform{}) {
		return nil, o, nil, usage("--lift replaces a platform's digest by that of the index, and --platform %s asks for the contrary", r.Platform)
	}
	return r, o, client.Close, nil
}

func (f *pinFlags) pin(cmd *cobra.Command, r *reconcile.Reconciler, o reconcile.PinOptions) (*reconcile.Pinned, error) {
	r.Progress = &reconcile.Progress{}
	stop := showProgress(cmd.Context(), cmd.ErrOrStderr(), r.Progress)
	defer stop()
	return r.Pin(cmd.Context(), o)
}

// pinReport turns what was done into what is said of it.
func pinReport(p *reconcile.Pinned, label func(string) string) report.Pin {
	out := report.Pin{Looked: p.Survey.Total}
	for _, f := range p.Files {
		file := report.PinFile{Path: label(f.Path), Changed: f.Changed}
		switch {
		case f.Err != nil:
			file.Error = f.Err.Error()
		case f.Problem != nil:
			file.Steps = append(file.Steps, report.PinStep{Action: plan.Leave, Position: orFirst(f.Problem.Position), Reason: f.Problem.Text})
		}
		for _, s := range f.Steps {
			file.Steps = append(file.Steps, report.NewPinStep(s))
		}
		if file.Error != "" || len(file.Steps) > 0 {
			out.Files = append(out.Files, file)
		}
	}
	out.Count()
	return out
}

func orFirst(p manifest.Position) manifest.Position {
	if p == (manifest.Position{}) {
		return manifest.Position{Line: 1, Column: 1}
	}
	return p
}

// maxStream is the most bytes that are read from standard input.
const maxStream = 64 << 20

// A stream is standard input as a set of one file.
type stream struct {
	data, out []byte
}

const streamName = "stdin"

func (s *stream) Walk(_ context.Context, visit func(string, error) error) error {
	return visit(streamName, nil)
}

func (s *stream) Read(_ string, limit int64) ([]byte, error) {
	if int64(len(s.data)) > limit {
		return nil, fmt.Errorf("standard input holds more than %d MiB", limit>>20)
	}
	return s.data, nil
}

func (s *stream) Replace(_ string, _, data []byte) error {
	s.out = data
	return nil
}

// stream pins standard input to standard output. What follows it in a pipe acts on what
// it prints, so it prints all or nothing.
func (f *pinFlags) stream(cmd *cobra.Command) error {
	p := &project{named: ".", below: ""}
	var err error
	if p.config, err = here(f.projects.config); err != nil {
		return err
	}
	if len(f.projects.environments) > 0 {
		return usage("--env cannot be used with standard input")
	}
	data, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), maxStream+1))
	if err != nil {
		return fmt.Errorf("read standard input: %w", err)
	}
	s := &stream{data: data, out: data}
	r, o, done, err := f.prepare(p)
	if err != nil {
		return err
	}
	defer done()
	r.Files, r.Selected, r.Limit = s, nil, maxStream
	r.Format = func(string) manifest.Format { return manifest.YAML }
	r.Extra = nil
	o.Write = !f.dryRun && !f.check
	if f.dryRun {
		o.Change = func(_ string, old, data []byte) {
			fmt.Fprint(cmd.OutOrStdout(), report.Diff(streamName, old, data))
		}
	}
	pinned, err := f.pin(cmd, r, o)
	if err != nil {
		return err
	}
	out := pinReport(pinned, func(file string) string { return file })
	out.DryRun = !o.Write
	if f.output == "json" {
		err = out.JSON(cmd.ErrOrStderr())
	} else {
		inColorOf(cmd.ErrOrStderr(), func() { out.Text(cmd.ErrOrStderr()) })
	}
	if err != nil {
		return err
	}
	failed, why := pinned.Failed(), "not every image could be resolved"
	for _, file := range pinned.Files {
		if file.Problem != nil {
			failed, why = errors.Join(failed, file.Problem), "the stream could not be read"
		}
	}
	if failed != nil {
		fmt.Fprintln(cmd.ErrOrStderr(), "pinnace: nothing was written: "+why)
		return exit(statusOf(failed))
	}
	if f.check && out.Counts.Changed > 0 {
		return exit(exitFindings)
	}
	if !o.Write {
		return nil
	}
	_, err = io.Copy(cmd.OutOrStdout(), bytes.NewReader(s.out))
	return err
}

// relabel replaces a path at the end of a command by what the person knows it by.
func (p *project) relabel(fix, path string) string {
	if before, ok := strings.CutSuffix(fix, path); ok {
		return before + report.Shell(p.label(path))
	}
	return fix
}
