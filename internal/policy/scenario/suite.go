package scenario

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"

	"golang.org/x/tools/txtar"
	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/policy"
)

// configName is the file of an archive that holds the configuration.
const configName = "config.yaml"

// A Suite is the cases of one file.
type Suite struct {
	File        string
	Description string
	Config      *config.Config // [Default] where the file gives none
	Own         bool           // the file gives it
	BuiltIn     bool           // it is [Default], since nothing gives one
	Cases       []Case
}

// Parse reads a suite. Cases with a problem are left out.
func Parse(file string, data []byte) (Suite, policy.Problems) {
	s := Suite{File: file, Config: Default(), BuiltIn: true}
	if len(data) > maxBytes {
		return s, policy.Problems{{File: file, Line: 1, Column: 1, Message: fmt.Sprintf("the file has %d bytes: more than 1 MiB is not read", len(data))}}
	}
	archive := txtar.Parse(data)
	s.Description = strings.TrimSpace(string(archive.Comment))
	line := bytes.Count(archive.Comment, []byte("\n")) + 1
	var problems policy.Problems
	seen := map[string]int{}
	for _, f := range archive.Files {
		marker := line
		line += 1 + bytes.Count(f.Data, []byte("\n"))
		report := func(format string, args ...any) {
			problems = append(problems, policy.Problem{File: file, Line: marker, Column: 1, Message: fmt.Sprintf(format, args...)})
		}
		name, isCase := strings.CutSuffix(f.Name, ".yaml")
		first, twice := seen[f.Name]
		seen[f.Name] = marker
		switch {
		case twice:
			report("a second file %s, the first is in line %d: rename one", f.Name, first)
		case len(s.Cases) == maxCases:
			report("more than %d cases: part the file", maxCases)
			return s, problems
		case f.Name == configName:
			c, ps := readConfig(file, f.Data, marker+1)
			problems = append(problems, ps...)
			if c != nil {
				s.Config, s.Own, s.BuiltIn = c, true, false
			}
		case !isCase || name == "" || strings.Contains(name, "/") && path.Clean(name) != name:
			report("the file %q is no case: name it CASE.yaml", f.Name)
		default:
			c, ps := parse(file, name, f.Data, marker+1)
			problems = append(problems, ps...)
			if len(ps) == 0 {
				s.Cases = append(s.Cases, c)
			}
		}
	}
	if len(archive.Files) == 0 {
		problems = append(problems, policy.Problem{File: file, Line: 1, Column: 1, Message: "the file holds no case: begin each with a line such as -- two approvals.yaml --"})
	}
	return s, problems
}

// ParseCase reads one case in a file of its own. It may leave out what is wanted.
func ParseCase(file string, data []byte) (Case, policy.Problems) {
	if len(data) > maxBytes {
		return Case{}, policy.Problems{{File: file, Line: 1, Column: 1, Message: fmt.Sprintf("the file has %d bytes: more than 1 MiB is not read", len(data))}}
	}
	r := &reader{file: file}
	return r.parse(strings.TrimSuffix(path.Base(file), path.Ext(file)), data, 1), r.problems
}

func parse(file, name string, data []byte, line int) (Case, policy.Problems) {
	r := &reader{file: file}
	c := r.parse(name, data, line)
	if len(r.problems) == 0 && c.Want == "" {
		r.report(&yaml.Node{Line: line, Column: 1}, "want is missing: expected %s", list(verdicts, "or"))
	}
	return c, r.problems
}

func (r *reader) parse(name string, data []byte, line int) Case {
	c := Case{Name: name, File: r.file, Line: line, at: map[string]place{}}
	root := r.document(data, line)
	if root == nil {
		return c
	}
	keys := make([]key, len(caseKeys))
	for i, k := range caseKeys {
		keys[i] = key{k.name, func(r *reader, n *yaml.Node) {
			c.at[k.name] = place{n.Line, n.Column}
			k.read(&c, r, n)
		}}
	}
	r.mapping(root, keys)
	return c
}

// readConfig reads the configuration of a suite, whose positions count from the archive's start.
func readConfig(file string, data []byte, line int) (*config.Config, policy.Problems) {
	c, found := config.Parse(file, append(bytes.Repeat([]byte("\n"), line-1), data...))
	var problems policy.Problems
	for _, p := range found {
		problems = append(problems, policy.Problem{File: p.File, Line: p.Line, Column: p.Column, Message: p.Message, Severity: policy.Severity(p.Severity)})
	}
	if problems.HasErrors() {
		return nil, problems
	}
	return c, slices.DeleteFunc(problems, func(p policy.Problem) bool { return p.Severity == policy.Warning })
}
