package cli

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/plan"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
	"github.com/pinnace-dev/pinnace/internal/registry"
	"github.com/pinnace-dev/pinnace/internal/report"
)

func newImages() *cobra.Command {
	var f imageFlags
	cmd := &cobra.Command{
		Use:   "images",
		Short: "List which image stands in which environment, since when, and whether its tag moved",
		Long: `List which image stands in which environment, since when, and whether its tag moved.

What is read is a commit, not the files beside it: the tip of a checkout, or of a branch on
GitHub. SINCE is the date of the commit that brought the image, as the commit has it. MOVED
says whether the tag means another image now; --offline asks no registry. Exit status 1
means that something gave no answer, and 4 that a token or a login is needed.`,
		Example: `  pinnace images
  pinnace images --env prod -o json
  pinnace images --repo acme/config --offline`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.run(cmd, func(s plan.Standing) bool { return len(f.envs) == 0 || slices.Contains(f.envs, s.Environment) }, false)
		},
	}
	cmd.Flags().StringArrayVar(&f.envs, "env", nil, "only environment `NAME`; may be repeated")
	f.add(cmd)
	return cmd
}

func newWhere() *cobra.Command {
	var f imageFlags
	cmd := &cobra.Command{
		Use:   "where DIGEST|IMAGE",
		Short: "Find every place that holds an image, over several repositories",
		Long: `Find every place that holds an image, over several repositories.

DIGEST is sha256:... or at least its first seven digits. IMAGE is a name, with a tag and a
digest or without: nginx finds every tag of it. Exit status 3 means that nothing holds it,
1 that something gave no answer, and 4 that a token or a login is needed.`,
		Example: `  pinnace where sha256:4bcff63911fc
  pinnace where ghcr.io/acme/shop:1.4 --repo acme/config --repo acme/edge`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			match, err := matcher(args[0])
			if err != nil {
				return err
			}
			return f.run(cmd, match, true)
		},
	}
	f.add(cmd)
	return cmd
}

// imageFlags are the flags of images and where.
type imageFlags struct {
	sources    sourceFlags
	registries registryFlags
	offline    bool
	envs       []string
	output     string
}

func (f *imageFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.offline, "offline", false, "ask no registry")
	addOutput(cmd, &f.output, "text", "json")
	f.sources.add(cmd, true)
	f.registries.add(cmd)
}

// matcher reads what `where` looks for.
func matcher(what string) (func(plan.Standing) bool, error) {
	if hex, ok := strings.CutPrefix(strings.ToLower(what), "sha256:"); ok || isDigits(what) {
		if len(hex) < 7 || len(hex) > 64 || !isDigits(hex) {
			return nil, usage("%s: want sha256: and at least seven of its hexadecimal digits", what)
		}
		return func(s plan.Standing) bool { return strings.HasPrefix(string(s.Image.Digest), "sha256:"+hex) }, nil
	}
	want, err := image.Parse(what)
	if err != nil {
		return nil, usageError{err}
	}
	return func(s plan.Standing) bool {
		return s.Image.Repository() == want.Repository() && (want.Tag == "" || s.Image.TagOrLatest() == want.Tag) &&
			(want.Digest == "" || s.Image.Digest == want.Digest)
	}, nil
}

// isDigits says whether s can be the beginning of a digest that was copied without sha256:.
func isDigits(s string) bool {
	return len(s) >= 7 && strings.Trim(s, "0123456789abcdef") == ""
}

func (f *imageFlags) run(cmd *cobra.Command, match func(plan.Standing) bool, places bool) error {
	if !slices.Contains([]string{"text", "json"}, f.output) {
		return unknownOutput(f.output, "text", "json")
	}
	ctx := cmd.Context()
	sources, done, err := f.sources.open(ctx)
	defer done()
	if err != nil {
		return err
	}
	for _, name := range f.envs {
		if err := knownEnvironment(sources, name); err != nil {
			return err
		}
	}
	out := report.Images{Repositories: len(sources) > 1, Missing: f.offline}
	for _, s := range sources {
		out.Skipped = append(out.Skipped, leftOvers(s.Skipped())...)
		found, cut, err := standing(ctx, s, match, places)
		if err != nil {
			return err
		}
		out.Cut = out.Cut || cut
		out.Images = append(out.Images, found...)
	}
	failed, err := f.ask(ctx, sources, out.Images)
	if err != nil {
		return err
	}
	out.Notes(cmd.ErrOrStderr())
	if f.output == "json" {
		err = out.JSON(cmd.OutOrStdout())
	} else {
		out.Text(cmd.OutOrStdout(), places)
	}
	switch {
	case err != nil:
		return err
	case failed != nil:
		return exit(statusOf(failed))
	case places && len(out.Images) == 0:
		return exit(exitFindings)
	}
	return nil
}

func knownEnvironment(sources []source, name string) error {
	var known []string
	for _, s := range sources {
		for _, e := range s.Config.Environments {
			known = append(known, e.Name)
		}
	}
	if slices.Contains(known, name) {
		return nil
	}
	if len(known) == 0 {
		return usage("--env %s: no environment is configured; pinnace config init writes %s", name, configPath)
	}
	return usage("environment %s: no such environment%s", name, didYouMean(name, known))
}

// standing groups what stands in a source by environment, app and image.
func standing(ctx context.Context, s source, match func(plan.Standing) bool, overridden bool) ([]report.StandingImage, bool, error) {
	var all []plan.Standing
	for _, one := range s.Inventory() {
		if match(one) && (overridden || !one.Overridden) {
			all = append(all, one)
		}
	}
	since, cut, err := s.Since(ctx, all)
	if err != nil {
		return nil, false, err
	}
	type key struct {
		environment, app string
		image            image.Ref
	}
	index := map[key]int{}
	var out []report.StandingImage
	for _, one := range all {
		k := key{one.Environment, one.App, one.Image}
		i, ok := index[k]
		if !ok {
			i = len(out)
			index[k] = i
			out = append(out, report.StandingImage{Repository: s.name, Environment: one.Environment, App: one.App, Image: one.Image.Name, Tag: one.Image.Tag, Digest: one.Image.Digest})
		}
		row := &out[i]
		row.Places = append(row.Places, report.ImagePlace{Path: one.Path, Line: one.Line, Object: one.Object, Overridden: one.Overridden})
		if a, ok := since[one]; ok && (row.Since == nil || a.When.Before(*row.Since)) {
			when := a.When
			row.Since, row.Commit = &when, a.Commit.String()
		}
	}
	return out, cut, nil
}

// ask says of each image whether its tag has moved. The error that it returns first joins
// those of registries that gave no answer.
func (f *imageFlags) ask(ctx context.Context, sources []source, images []report.StandingImage) (failed, err error) {
	for i := range images {
		images[i].Moved = "unknown"
		if images[i].Digest == "" {
			images[i].Moved = "unpinned"
		}
	}
	if f.offline {
		return nil, nil
	}
	clients := map[string]*registry.Client{}
	for _, s := range sources {
		client, err := f.registries.client(s.Config)
		if err != nil {
			return nil, err
		}
		defer client.Close()
		clients[s.name] = client
	}
	errs := make([]error, len(images))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(f.registries.concurrency)
	for i := range images {
		row := &images[i]
		if row.Digest == "" || row.Tag == "" {
			continue
		}
		g.Go(func() error {
			row.Now, row.Moved, errs[i] = hasMoved(ctx, clients[row.Repository], image.Ref{Name: row.Image, Tag: row.Tag}, row.Digest)
			return ctx.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for i, e := range errs {
		if e != nil {
			images[i].Error = e.Error()
		}
	}
	return errors.Join(errs...), nil
}

func hasMoved(ctx context.Context, r reconcile.Resolver, tag image.Ref, pinned image.Digest) (image.Digest, string, error) {
	now, err := r.Resolve(ctx, tag)
	switch {
	case errors.Is(err, image.ErrUnknown):
		return "", "gone", nil
	case err != nil:
		return "", "unknown", err
	case now.Digest == pinned:
		return now.Digest, "no", nil
	}
	if index, err := r.Index(ctx, tag); err == nil {
		for _, child := range index.Children {
			if child.Digest == pinned {
				return now.Digest, "no", nil
			}
		}
	}
	return now.Digest, "yes", nil
}
