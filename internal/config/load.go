package config

import (
	"maps"
	"path"
	"slices"
	"strings"
)

// Load reads the files of .pinnace/, by name relative to the repository root. It
// returns the Config, which is Default where there is none and nil where it has an
// error, and the documents of other kinds, in the order of their files. Files that
// are not YAML are skipped.
func Load(files map[string][]byte) (*Config, []Document, Problems) {
	var (
		c        *Config
		docs     []Document
		problems Problems
		seen     bool
	)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if ext := path.Ext(name); ext != ".yaml" && ext != ".yml" {
			continue
		}
		if root, ok := strings.CutSuffix(name, homeOf(KindConfig)); ok && (root == "" || strings.HasSuffix(root, "/")) && !strings.Contains(root, ".pinnace/") {
			seen = true
			var ps Problems
			c, ps = Parse(name, files[name])
			problems = append(problems, ps...)
			continue
		}
		found, ps := Split(name, files[name])
		problems = append(problems, ps...)
		for _, d := range found {
			if d.Kind != KindConfig {
				docs = append(docs, d)
				continue
			}
			line, column := d.Locate("/kind")
			problems = append(problems, Problem{
				File: name, Line: line, Column: column,
				Message: "a Config document does not belong in this file: move it to " + homeOf(KindConfig),
			})
		}
	}
	if !seen {
		c = Default()
	}
	return c, docs, problems.Tidy()
}
