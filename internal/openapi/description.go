package openapi

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
)

// Environment names the variable that holds the folder of the npm package @octokit/openapi.
const Environment = "PINNACE_OPENAPI"

// File returns where the description of api.github.com lies in that folder, "" if the
// variable is not set.
func File() string {
	dir := os.Getenv(Environment)
	if dir == "" {
		return ""
	}
	return filepath.Join(dir, "generated", "api.github.com.json")
}

// A Description is GitHub's account of its REST API. Its methods may be called at once.
type Description struct {
	paths      []path // the most literal first
	components map[string]map[string]json.RawMessage

	mu    sync.Mutex
	known map[string]*openapi3.T // by template; owned by mu
}

type path struct {
	template string
	match    *regexp.Regexp
	names    []string // of its placeholders, in order
	raw      json.RawMessage
}

// several are the placeholders that may hold slashes.
var several = []string{"ref", "path", "branch", "basehead", "name", "sha"}

var placeholder = regexp.MustCompile(`\\\{[^}]+\}`) // as QuoteMeta leaves it

// Load reads a description, such as generated/api.github.com.json of
// https://www.npmjs.com/package/@octokit/openapi.
func Load(file string) (*Description, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the description of GitHub's API: %w", err)
	}
	var doc struct {
		Paths      map[string]json.RawMessage            `json:"paths"`
		Components map[string]map[string]json.RawMessage `json:"components"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("reading the description of GitHub's API: %s: %w", file, err)
	}
	if len(doc.Paths) == 0 {
		return nil, fmt.Errorf("reading the description of GitHub's API: %s: it has no paths", file)
	}
	d := &Description{components: doc.Components, known: map[string]*openapi3.T{}}
	for template, raw := range doc.Paths {
		d.paths = append(d.paths, compile(template, raw))
	}
	slices.SortFunc(d.paths, func(a, b path) int {
		if n := literals(b.template) - literals(a.template); n != 0 {
			return n
		}
		return strings.Compare(a.template, b.template)
	})
	return d, nil
}

func compile(template string, raw json.RawMessage) path {
	p := path{template: template, raw: raw}
	expr := placeholder.ReplaceAllStringFunc(regexp.QuoteMeta(template), func(s string) string {
		name := strings.Trim(s, `\{}`)
		p.names = append(p.names, name)
		if name == "path" {
			return "(.*)"
		}
		if slices.Contains(several, name) {
			return "(.+)"
		}
		return "([^/]+)"
	})
	p.match = regexp.MustCompile("^" + expr + "$")
	return p
}

func literals(template string) int {
	n := 0
	for _, s := range strings.Split(template, "/") {
		if s != "" && !strings.HasPrefix(s, "{") {
			n++
		}
	}
	return n
}

var reference = regexp.MustCompile(`"\$ref":\s*"#/components/([^/"]+)/([^"]+)"`)

// document returns the description of one path and of all that it reaches.
func (d *Description) document(p path) (*openapi3.T, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if doc := d.known[p.template]; doc != nil {
		return doc, nil
	}
	parts := map[string]map[string]json.RawMessage{}
	queue := []json.RawMessage{p.raw}
	for len(queue) > 0 {
		raw := queue[0]
		queue = queue[1:]
		for _, m := range reference.FindAllSubmatch(raw, -1) {
			kind, name := string(m[1]), string(m[2])
			if _, ok := parts[kind][name]; ok || kind == "examples" {
				continue
			}
			found, ok := d.components[kind][name]
			if !ok {
				return nil, fmt.Errorf("describing %s: components/%s/%s is not there", p.template, kind, name)
			}
			if parts[kind] == nil {
				parts[kind] = map[string]json.RawMessage{}
			}
			parts[kind][name] = found
			queue = append(queue, found)
		}
	}
	if err := withoutExamples(parts); err != nil {
		return nil, fmt.Errorf("describing %s: %w", p.template, err)
	}
	raw, err := dropExamples(p.raw)
	if err != nil {
		return nil, fmt.Errorf("describing %s: %w", p.template, err)
	}
	text, err := json.Marshal(map[string]any{
		"openapi": "3.0.3", "info": map[string]string{"title": "GitHub", "version": "1"},
		"paths": map[string]json.RawMessage{p.template: raw}, "components": parts,
	})
	if err != nil {
		return nil, fmt.Errorf("describing %s: %w", p.template, err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		return nil, fmt.Errorf("describing %s: %w", p.template, err)
	}
	d.known[p.template] = doc
	return doc, nil
}

func withoutExamples(parts map[string]map[string]json.RawMessage) error {
	for _, list := range parts {
		for name, raw := range list {
			lean, err := dropExamples(raw)
			if err != nil {
				return err
			}
			list[name] = lean
		}
	}
	return nil
}

// dropExamples removes the examples of media types, which are large and are not judged.
func dropExamples(raw json.RawMessage) (json.RawMessage, error) {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, err
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if _, media := v["schema"]; media {
				delete(v, "examples")
			}
			for _, x := range v {
				walk(x)
			}
		case []any:
			for _, x := range v {
				walk(x)
			}
		}
	}
	walk(v)
	return json.Marshal(v)
}
