package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/policy/scenario"
	"github.com/pinnace-dev/pinnace/internal/report"
	"github.com/pinnace-dev/pinnace/internal/rulebook"
)

func newPolicyTest() *cobra.Command {
	var output, run string
	var keys bool
	cmd := &cobra.Command{
		Use:   "test [PATH...]",
		Short: "Judge the cases that stand beside policies, and compare",
		Long: `Judge the cases that stand beside policies, and compare.

PATH is a directory of policies, or a file of cases; by default it is ` + policiesDir + `.
A file of cases is a txtar archive: a line such as -- two approvals.yaml -- begins each case,
which states some facts and what is wanted. What it does not state is known and favourable,
but for who built the image. A file config.yaml in the archive gives environments, apps and
roles; else those of the repository hold.

NAME.txtar beside NAME.yaml is judged by that file's documents alone, with what binds them;
any other file of cases by all documents. --keys lists what a case may state.

The exit status is 3 where a case fails, and 1 where a file is broken.`,
		Example: `  pinnace policy test
  pinnace policy test --run 'two people' .pinnace/policies/prod.txtar
  pinnace policy test -o junit > policies.xml`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains([]string{"text", "json", "junit"}, output) {
				return unknownOutput(output, "text", "json", "junit")
			}
			if keys {
				return printKeys(cmd, output)
			}
			only, err := regexp.Compile(run)
			if err != nil {
				return usage("--run %q: %s", run, err)
			}
			if len(args) == 0 {
				if args, err = defaultCases(); err != nil {
					return err
				}
			}
			out, err := testPolicies(cmd.Context(), args, only)
			if err != nil {
				return err
			}
			switch output {
			case "json":
				err = out.JSON(cmd.OutOrStdout())
			case "junit":
				err = out.JUnit(cmd.OutOrStdout())
			default:
				out.Text(cmd.OutOrStdout())
			}
			switch {
			case err != nil:
				return err
			case out.Broken > 0:
				return exit(exitError)
			case out.Failed > 0:
				return exit(exitFindings)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&run, "run", "", "only cases whose name matches `REGEXP`")
	cmd.Flags().BoolVar(&keys, "keys", false, "list what a case may state, and what holds where it does not")
	addOutput(cmd, &output, "text", "json", "junit")
	return cmd
}

// printKeys lists the keys of a case.
func printKeys(cmd *cobra.Command, output string) error {
	var out report.CaseKeys
	for _, k := range scenario.Keys() {
		out.Keys = append(out.Keys, report.CaseKey{Name: k.Name, Default: k.Default, Meaning: k.Doc})
	}
	switch output {
	case "json":
		return out.JSON(cmd.OutOrStdout())
	case "junit":
		return usage("--keys has no form junit: want text or json")
	}
	out.Text(cmd.OutOrStdout())
	return nil
}

// defaultCases returns the directory of policies of the repository.
func defaultCases() ([]string, error) {
	root, err := findRoot(".")
	if err != nil {
		return nil, err
	}
	if root == "" {
		return nil, fmt.Errorf("no %s here or above; pinnace policy create --from NAME writes a policy with its cases", pinnaceDir)
	}
	return []string{filepath.Join(root, filepath.FromSlash(policiesDir))}, nil
}

// testPolicies runs the cases of some directories and files.
func testPolicies(ctx context.Context, paths []string, only *regexp.Regexp) (report.PolicyTest, error) {
	var out report.PolicyTest
	books := map[string]*bench{}
	seen := map[string]bool{}
	for _, named := range paths {
		files, err := caseFiles(named)
		if err != nil {
			return out, err
		}
		for _, file := range files {
			if seen[file] {
				continue
			}
			seen[file] = true
			dir := filepath.Dir(file)
			b := books[dir]
			if b == nil {
				rules, err := openRules(ctx, file)
				if err != nil {
					return out, err
				}
				b = &bench{folder: rules}
				books[dir] = b
			}
			suite, skipped, err := b.suite(file, only)
			if err != nil {
				return out, err
			}
			out.Suites = append(out.Suites, suite)
			out.Skipped += skipped
			out.Cases += len(suite.Cases)
			if hasErrors(suite.Problems) {
				out.Broken++
			}
			for _, c := range suite.Cases {
				if !c.Passed {
					out.Failed++
				}
			}
		}
	}
	switch {
	case out.Cases == 0 && out.Broken == 0 && out.Skipped > 0:
		return out, fmt.Errorf("--run matches none of %d cases", out.Skipped)
	case len(out.Suites) == 0:
		return out, fmt.Errorf("no cases in %s: write NAME.txtar beside NAME.yaml; pinnace policy create --from NAME writes a policy with cases", strings.Join(shownAll(paths), ", "))
	}
	return out, nil
}

func shownAll(paths []string) []string {
	all := make([]string, len(paths))
	for i, p := range paths {
		if all[i] = p; filepath.IsAbs(p) {
			all[i] = shown(p)
		}
	}
	return all
}

// caseFiles returns the files of cases that a path names.
func caseFiles(named string) ([]string, error) {
	info, err := os.Stat(named)
	if err != nil {
		return nil, pathError(shownAll([]string{named})[0], err)
	}
	abs, err := filepath.Abs(named)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		if filepath.Ext(abs) != ".txtar" {
			return nil, usage("%s holds no cases: name a directory, or a file NAME.txtar", named)
		}
		return []string{abs}, nil
	}
	var files []string
	for _, dir := range []string{"", pinnaceDir, policiesDir, "policies"} {
		if dir == "policies" && filepath.Base(abs) != pinnaceDir {
			continue
		}
		found, err := listed(filepath.Join(abs, filepath.FromSlash(dir)), ".txtar")
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	return files, nil
}

// A bench is a folder whose documents are loaded once for suites that share them.
type bench struct {
	*folder
	all      *policy.Set
	problems []report.DocumentProblem
	loaded   bool
}

// loadFor returns the documents that judge a suite, and the names of their files.
func (b *bench) loadFor(s *scenario.Suite) (*policy.Set, []string, []report.DocumentProblem) {
	if !s.Own && b.own {
		s.Config, s.BuiltIn = b.config, false
	}
	found := b.found
	if s.Own || !b.own {
		found = nil
	}
	if b.broken() {
		return nil, nil, b.folder.problems
	}
	document := strings.TrimSuffix(s.File, ".txtar") + ".yaml"
	if !slices.ContainsFunc(b.docs, func(d config.Document) bool { return d.File == document }) {
		files := filesOf(b.docs)
		if !s.Own {
			if !b.loaded {
				b.loaded = true
				b.all, b.problems = loaded(b.docs, rulebook.WorldOf(s.Config, found...), nil)
			}
			return b.all, files, b.problems
		}
		set, problems := loaded(b.docs, s.World(), nil)
		return set, files, problems
	}
	docs, left := scenario.Only(b.docs, document)
	set, problems := loaded(docs, rulebook.WorldOf(s.Config, found...), left)
	return set, filesOf(docs), problems
}

func loaded(docs []config.Document, w policy.World, left []string) (*policy.Set, []report.DocumentProblem) {
	w.Policies = left
	set, problems := policy.Load(scenario.Documents(docs), w)
	return set, reported(problems)
}

func filesOf(docs []config.Document) []string {
	var files []string
	for _, d := range docs {
		if !slices.Contains(files, d.File) {
			files = append(files, d.File)
		}
	}
	return files
}

// suite runs the cases of one file.
func (b *bench) suite(file string, only *regexp.Regexp) (report.TestSuite, int, error) {
	data, err := readSmall(file)
	if err != nil {
		return report.TestSuite{}, 0, err
	}
	s, found := scenario.Parse(shown(file), data)
	out := report.TestSuite{File: s.File, Description: s.Description, Problems: reported(found)}
	set, documents, problems := b.loadFor(&s)
	out.Documents = documents
	if set == nil {
		out.Problems = append(out.Problems, problems...)
		return out, 0, nil
	}
	all := len(s.Cases)
	s.Cases = slices.DeleteFunc(s.Cases, func(c scenario.Case) bool { return !only.MatchString(c.Name) })
	for _, o := range scenario.Run(s, set) {
		if len(o.Problems) > 0 {
			out.Problems = append(out.Problems, reported(o.Problems)...)
			continue
		}
		result := report.TestCase{Name: o.Case.Name, Line: o.Case.Line, Passed: len(o.Failures) == 0, Want: o.Case.Want, Got: o.Decision.Status, Failures: o.Failures}
		if !result.Passed {
			result.Decision = &o.Decision
		}
		out.Cases = append(out.Cases, result)
	}
	return out, all - len(s.Cases), nil
}
