package config

import "github.com/pinnace-dev/pinnace/internal/document"

// Default returns what holds with no file at all.
func Default() *Config {
	var c Config
	if err := schema().Decode(map[string]any{"apiVersion": APIVersion, "kind": KindConfig}, &c); err != nil {
		panic("config: defaults of the embedded schema: " + err.Error()) // unreachable: a test reads them
	}
	return &c
}

// Parse reads the bytes of .pinnace/config.yaml. It returns all problems; the
// Config is nil where one of them is an error.
func Parse(file string, data []byte) (*Config, Problems) {
	docs, problems := split(file, data)
	r := &reader{document.Reader{File: file, Problems: problems}}
	var c *Config
	for _, d := range docs {
		switch {
		case d.Kind != KindConfig:
			line, column := d.Locate("/kind")
			r.Report(line, column, "a %s does not belong in this file: move it to %s", d.Kind, homeOf(d.Kind))
		case c == nil:
			c = r.config(d)
		}
	}
	if len(docs) == 0 && !r.Problems.HasErrors() {
		c = Default()
		c.file = file
		r.Problems = append(r.Problems, Problem{
			File: file, Line: 1, Column: 1, Severity: Warning,
			Message: "the file holds no document: the defaults hold; delete it, or write apiVersion, kind and what differs",
		})
	}
	problems = r.Problems.Tidy()
	if problems.HasErrors() {
		return nil, problems
	}
	return c, problems
}

func homeOf(kind string) string {
	switch kind {
	case KindConfig:
		return ".pinnace/config.yaml"
	case KindFreeze:
		return ".pinnace/freeze.yaml"
	}
	return ".pinnace/policies/"
}

// config reads the document, and checks what of it the schema lets pass.
func (r *reader) config(d Document) *Config {
	var c Config
	if !r.Decode(schema(), d.value, d.marks, &c) {
		return nil // unreachable: the schema has settled every type
	}
	c.file, c.marks = r.File, d.marks
	r.Problems = append(r.Problems, c.check()...)
	return &c
}
