package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/dir"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
	"github.com/pinnace-dev/pinnace/internal/registry"
)

// configPath is where the configuration stands below the root of a repository.
const configPath = ".pinnace/config.yaml"

// registryFlags are the flags of every verb that asks registries.
type registryFlags struct {
	mirrors     []string
	insecure    []string
	concurrency int
}

func (f *registryFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.mirrors, "registry-map", nil, "look images of a registry up at a mirror: `HOST=MIRROR`, or *=MIRROR for all; what is written keeps its name")
	cmd.Flags().StringArrayVar(&f.insecure, "insecure-registry", nil, "speak plain HTTP to `HOST`, where it offers no TLS; loopback needs no leave")
	cmd.Flags().IntVar(&f.concurrency, "concurrency", 20, "requests in flight for one registry")
}

// client builds the registry client from flags and configuration; flags win.
func (f *registryFlags) client(c *config.Config) (*registry.Client, error) {
	o, err := f.options(c)
	if err != nil {
		return nil, err
	}
	client, err := registry.New(o)
	if err != nil {
		return nil, usageError{err}
	}
	return client, nil
}

func (f *registryFlags) options(c *config.Config) (registry.Options, error) {
	if f.concurrency < 1 || f.concurrency > 256 {
		return registry.Options{}, usage("--concurrency is %d: want 1 to 256", f.concurrency)
	}
	o := registry.Options{Map: map[string]string{}, Insecure: f.insecure, Concurrency: f.concurrency, UserAgent: "pinnace/" + versionNumber()}
	mapped := map[string]bool{}
	for _, m := range f.mirrors {
		host, mirror, ok := strings.Cut(m, "=")
		if !ok || host == "" || mirror == "" {
			return o, usage("--registry-map %q: want HOST=MIRROR", m)
		}
		o.Map[host], mapped[registryOf(host)] = mirror, true
	}
	if c != nil && !mapped["*"] {
		for host, mirror := range c.RegistryMap {
			if !mapped[registryOf(host)] {
				o.Map[host] = mirror
			}
		}
	}
	return o, nil
}

// registryOf returns the one spelling of a registry.
func registryOf(host string) string {
	host = strings.ToLower(host)
	if host == "registry-1.docker.io" {
		return image.DefaultRegistry
	}
	if r, err := image.Parse(host + "/a/b"); err == nil {
		return r.Registry()
	}
	return host
}

// A project is a directory with the configuration that governs it.
type project struct {
	config  *config.Config
	files   *dir.Dir
	file    string // the configuration, "" where there is none
	named   string // what the user named
	single  bool   // it is one file
	below   string // the path from the configuration's root to the directory, "" if it is that
	environ map[string]bool
}

// projectFlags are the flags of every verb that reads a directory.
type projectFlags struct {
	config       string
	environments []string
}

func (f *projectFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.config, "config", "", "the configuration `FILE`; default: the nearest "+configPath+" above PATH")
	cmd.Flags().StringArrayVar(&f.environments, "env", nil, "only files of environment `NAME`; may be repeated")
}

// open opens PATH, the first argument or the working directory.
func (f *projectFlags) open(args []string) (*project, error) {
	return f.openWith(args, loadConfig)
}

// openWith opens PATH and has its configuration, if there is one, read by load.
func (f *projectFlags) openWith(args []string, load func(file string) (*config.Config, error)) (*project, error) {
	named := "."
	if len(args) > 0 {
		named = args[0]
	}
	p := &project{named: named}
	var err error
	if p.files, err = dir.Open(named); err != nil {
		return nil, pathError(named, err)
	}
	info, err := os.Stat(named)
	if err != nil {
		return nil, pathError(named, err)
	}
	start := named
	if !info.IsDir() {
		p.single = true
		start = filepath.Dir(named)
	}
	start, err = filepath.Abs(start)
	if err != nil {
		return nil, err
	}
	file := f.config
	if file == "" {
		if file, err = findConfig(start); err != nil {
			return nil, err
		}
	}
	if p.config, err = load(file); err != nil {
		return nil, err
	}
	if p.file = file; file != "" {
		root, err := configRoot(file)
		if err != nil {
			return nil, err
		}
		real, err := filepath.EvalSymlinks(start)
		if err != nil {
			return nil, err
		}
		if root, err = filepath.EvalSymlinks(root); err != nil {
			return nil, err
		}
		below, err := filepath.Rel(root, real)
		if err != nil || !filepath.IsLocal(below) {
			return nil, usage("%s is not below %s, from which the paths of %s count", named, shown(root), shown(file))
		}
		if below != "." {
			p.below = filepath.ToSlash(below)
		}
	}
	return p, p.selectEnvironments(f.environments)
}

func (p *project) selectEnvironments(names []string) error {
	if len(names) == 0 {
		return nil
	}
	var known []string
	for _, e := range p.config.Environments {
		known = append(known, e.Name)
	}
	p.environ = map[string]bool{}
	for _, name := range names {
		if !slices.Contains(known, name) {
			if len(known) == 0 {
				return usage("--env %s: no environment is configured; pinnace config init writes %s", name, configPath)
			}
			return usage("--env %s: no such environment%s", name, didYouMean(name, known))
		}
		p.environ[name] = true
	}
	return nil
}

// pathError shortens the errors of the file system.
func pathError(named string, err error) error {
	if named == "-" {
		return usage("- is standard input, which only pinnace pin reads; ./- is a file of that name")
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: no such file or directory", named)
	}
	return err
}

// findConfig returns the nearest configuration at or above a directory, up to the root
// of its repository, or "". One that may be there and cannot be read is an error.
func findConfig(start string) (string, error) {
	for at := start; ; at = filepath.Dir(at) {
		file := filepath.Join(at, filepath.FromSlash(configPath))
		switch _, err := os.Stat(file); {
		case err == nil:
			return file, nil
		case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR):
			return "", fmt.Errorf("the configuration cannot be read: %w", err)
		}
		if _, err := os.Stat(filepath.Join(at, ".git")); err == nil || at == filepath.Dir(at) {
			return "", nil
		}
	}
}

// here loads the configuration that governs the working directory, or the one named.
func here(file string) (*config.Config, error) {
	if file == "" {
		wd, err := os.Getwd()
		if err != nil {
			return nil, err
		}
		if file, err = findConfig(wd); err != nil {
			return nil, err
		}
	}
	return loadConfig(file)
}

// configRoot returns the directory that a configuration's paths are relative to.
func configRoot(file string) (string, error) {
	file, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	root := filepath.Dir(file)
	if filepath.Base(root) == ".pinnace" {
		root = filepath.Dir(root)
	}
	return root, nil
}

// loadConfig reads a configuration; without a file it is the default.
func loadConfig(file string) (*config.Config, error) {
	if file == "" {
		return config.Default(), nil
	}
	if info, err := os.Stat(file); err == nil && info.IsDir() {
		return nil, usage("--config %s is a directory: name the file, %s", file, configPath)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, pathError(file, err)
	}
	c, problems := config.Parse(shown(file), data)
	if problems.HasErrors() {
		return nil, problems.Err()
	}
	return c, nil
}

// shown returns a path relative to the working directory where it is below it.
func shown(file string) string {
	if wd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(wd, file); err == nil && filepath.IsLocal(rel) {
			return filepath.ToSlash(rel)
		}
	}
	return filepath.ToSlash(file)
}

// inRepository returns the path that the configuration knows a file by.
func (p *project) inRepository(file string) string { return path.Join(p.below, file) }

// label returns the path that a person knows a file by.
func (p *project) label(file string) string {
	base := filepath.ToSlash(p.named)
	if p.single {
		base = path.Dir(base)
	}
	return path.Join(base, file)
}

// reconciler joins the directory, its configuration and a resolver.
func (p *project) reconciler(resolver reconcile.Resolver) *reconcile.Reconciler {
	r := &reconcile.Reconciler{Files: p.files, Resolver: resolver}
	r.Configure(p.config, p.inRepository)
	documents := r.Selected
	r.Selected = func(file string) bool {
		in := p.inRepository(file)
		if !documents(file) || !p.single && p.config.Excluded(in) {
			return false
		}
		return p.environ == nil || slices.ContainsFunc(p.config.EnvironmentsOf(in), func(e string) bool { return p.environ[e] })
	}
	if p.single {
		r.Format = func(file string) manifest.Format {
			if f := manifest.FormatOf(p.inRepository(file)); f != manifest.None {
				return f
			}
			return manifest.YAML
		}
	} else if p.below != "" {
		r.Format = func(file string) manifest.Format { return manifest.FormatOf(p.inRepository(file)) }
	}
	return r
}

// survey scans without asking anything.
func (p *project) survey(ctx context.Context) (*reconcile.Survey, error) {
	return p.reconciler(nil).Survey(ctx, nil)
}

// allPaths lists every file that could hold images, whatever the configuration excludes.
func (p *project) allPaths(ctx context.Context) ([]string, error) {
	var all []string
	err := p.files.Walk(ctx, func(file string, unreadable error) error {
		if in := p.inRepository(file); unreadable == nil && manifest.FormatOf(in) != manifest.None {
			all = append(all, in)
		}
		return nil
	})
	return all, err
}

// mustSelect is an error where --env selects no file, so that nothing looks clean that was
// not looked at.
func (p *project) mustSelect(s *reconcile.Survey) error {
	if p.environ == nil || s.Total > 0 {
		return nil
	}
	return fmt.Errorf("no file below %s belongs to environment %s; pinnace config validate shows what does", p.named, strings.Join(slices.Sorted(maps.Keys(p.environ)), ", "))
}
