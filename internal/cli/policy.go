package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/policy/scenario"
	"github.com/pinnace-dev/pinnace/internal/report"
	"github.com/pinnace-dev/pinnace/internal/rulebook"
)

// The directories of a repository's documents.
const (
	pinnaceDir  = ".pinnace"
	policiesDir = pinnaceDir + "/policies"
)

// maxDocument is the largest file of documents or cases that is read, in bytes.
const maxDocument = 1 << 20

func newPolicy() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Write, validate, test and explain promotion policies",
		Example: `  pinnace policy list
  pinnace policy create --from two-people-for-production
  pinnace policy validate
  pinnace policy test
  pinnace policy explain --app shop --env prod --approve carol`,
	}
	cmd.AddCommand(newPolicyCreate(), newPolicyApply(), newPolicyList(), newPolicyValidate(), newPolicyTest(), newPolicyExplain())
	onlyChildren(cmd)
	return cmd
}

// A folder is the documents of a directory, with the configuration that they speak of.
type folder struct {
	root     string // of the repository, or the directory of the documents
	dir      string // that is shown to people
	config   *config.Config
	own      bool // the configuration is the repository's, and has environments
	found    []policy.App
	docs     []config.Document
	files    int
	problems []report.DocumentProblem
}

// findRoot returns the nearest directory at or above start that has a .pinnace, up to the
// root of its repository, or "".
func findRoot(start string) (string, error) {
	at, err := filepath.Abs(start)
	if err != nil {
		return "", err
	}
	for {
		info, err := os.Stat(filepath.Join(at, pinnaceDir))
		if err == nil && info.IsDir() {
			return at, nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("%s cannot be read: %w", pinnaceDir, err)
		}
		if _, err := os.Stat(filepath.Join(at, ".git")); err == nil || at == filepath.Dir(at) {
			return "", nil
		}
		at = filepath.Dir(at)
	}
}

// openRules reads the documents of the repository that a path is in. A directory outside of
// any .pinnace that holds documents and cases, as a library does, is read by itself.
func openRules(ctx context.Context, named string) (*folder, error) {
	info, err := os.Stat(named)
	if err != nil {
		return nil, pathError(named, err)
	}
	dir, err := filepath.Abs(named)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		dir = filepath.Dir(dir)
	}
	root, err := findRoot(dir)
	if err != nil {
		return nil, err
	}
	if root != "" {
		below, err := filepath.Rel(root, dir)
		if in, _, _ := strings.Cut(filepath.ToSlash(below), "/"); err == nil && (in == "." || in == pinnaceDir) {
			return readRules(ctx, root, root, pinnaceDir, policiesDir)
		}
	}
	if isLibrary(dir) {
		return readRules(ctx, dir, "", ".")
	}
	if root == "" {
		return nil, fmt.Errorf("no %s in %s or above; pinnace policy create writes a policy, pinnace config init a configuration", pinnaceDir, named)
	}
	return readRules(ctx, root, root, pinnaceDir, policiesDir)
}

// isLibrary reports whether a directory holds documents, and cases beside them.
func isLibrary(dir string) bool {
	documents, err := listed(dir, ".yaml")
	if err != nil {
		return false
	}
	cases, err := listed(dir, ".txtar")
	return err == nil && len(documents) > 0 && len(cases) > 0
}

// listed returns the files of a directory that have an ending; none where there is no such
// directory.
func listed(dir, ext string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var all []string
	for _, e := range entries {
		if !e.IsDir() && filepath.Ext(e.Name()) == ext {
			all = append(all, filepath.Join(dir, e.Name()))
		}
	}
	return all, nil
}

// readRules reads the files of some directories below root, and finds the repository's apps.
func readRules(ctx context.Context, root, repository string, dirs ...string) (*folder, error) {
	b := &folder{root: root, config: scenario.Default(), dir: shown(root)}
	files := map[string][]byte{}
	for _, d := range dirs {
		names, err := listed(filepath.Join(root, filepath.FromSlash(d)), ".yaml")
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			data, err := readSmall(name)
			if err != nil {
				return nil, err
			}
			files[shown(name)] = data
		}
	}
	b.files = len(files)
	c, docs, problems := config.Load(files)
	b.docs = docs
	for _, p := range problems {
		b.problems = append(b.problems, report.DocumentProblem{File: p.File, Line: p.Line, Column: p.Column, Severity: p.Severity.String(), Message: p.Message})
	}
	switch {
	case c == nil:
		b.config = config.Default()
	case repository != "":
		b.config, b.own = c, len(c.Environments) > 0
	}
	if repository == "" || problems.HasErrors() {
		return b, nil
	}
	return b, b.findApps(ctx)
}

// findApps scans the repository for the apps of its images.
func (b *folder) findApps(ctx context.Context) error {
	p, err := (&projectFlags{}).openWith([]string{b.root}, func(string) (*config.Config, error) { return b.config, nil })
	if err != nil {
		return err
	}
	defer p.files.Close()
	survey, err := p.survey(ctx)
	if err != nil {
		return err
	}
	names := p.config.AppNames(allRefs(survey.Files))
	apps := map[string]policy.App{}
	for _, f := range survey.Files {
		file := p.inRepository(f.Path)
		for _, ref := range refsOf(f) {
			for _, env := range append(p.config.EnvironmentsOf(file), "") {
				name := names.Of(env, file, ref)
				if a := apps[name]; name != "" && !slices.Contains(a.Images, ref.Repository()) {
					a.Name, a.Images = name, append(a.Images, ref.Repository())
					apps[name] = a
				}
			}
		}
	}
	for _, a := range apps {
		slices.Sort(a.Images)
		b.found = append(b.found, a)
	}
	slices.SortFunc(b.found, func(x, y policy.App) int { return cmp.Compare(x.Name, y.Name) })
	return nil
}

// broken reports whether a file cannot be read.
func (b *folder) broken() bool { return hasErrors(b.problems) }

func hasErrors(all []report.DocumentProblem) bool {
	return slices.ContainsFunc(all, func(p report.DocumentProblem) bool { return p.Severity == "error" })
}

// world returns what the documents may speak of.
func (b *folder) world() policy.World { return rulebook.WorldOf(b.config, b.found...) }

// load loads all documents.
func (b *folder) load() (*policy.Set, []report.DocumentProblem) {
	set, problems := policy.Load(scenario.Documents(b.docs), b.world())
	return set, reported(problems)
}

func reported(problems policy.Problems) []report.DocumentProblem {
	all := make([]report.DocumentProblem, len(problems))
	for i, p := range problems {
		all[i] = report.DocumentProblem{File: p.File, Line: p.Line, Column: p.Column, Severity: p.Severity.String(), Message: p.Message, Snippet: p.Snippet}
	}
	return all
}

// readSmall reads a file of bounded size.
func readSmall(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, pathError(name, err)
	}
	if !info.Mode().IsRegular() && !info.IsDir() {
		return nil, fmt.Errorf("%s is not a plain file, and is not read", shown(name))
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, pathError(name, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxDocument+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxDocument {
		return nil, fmt.Errorf("%s has more than 1 MiB, and is not read", shown(name))
	}
	return data, nil
}

// pathOf names the only argument, or the working directory.
func pathOf(args []string) string {
	if len(args) == 0 {
		return "."
	}
	return args[0]
}

// complain writes the errors among problems to a stream of their own, and returns the exit.
func complain(w io.Writer, problems []report.DocumentProblem) error {
	inColorOf(w, func() { report.WriteProblems(w, problems) })
	return exit(exitError)
}

// stem is a file's name without its directory and ending.
func stem(file string) string {
	base := filepath.Base(file)
	return strings.TrimSuffix(base, filepath.Ext(base))
}
