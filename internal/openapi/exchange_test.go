package openapi

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// small is a description with what matters of GitHub's: placeholders that hold slashes, a
// shared schema with an example, and two paths that overlap.
const small = `{
 "openapi": "3.0.3", "info": {"title": "small", "version": "1"},
 "paths": {
  "/repos/{owner}/{repo}": {"get": {"responses": {"200": {"description": "ok", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/repository"}}}}}}},
  "/repos/{owner}/{repo}/git/ref/{ref}": {"get": {
   "parameters": [{"name": "ref", "in": "path", "required": true, "schema": {"type": "string"}}, {"name": "page", "in": "query", "schema": {"type": "integer"}}],
   "responses": {"200": {"description": "ok", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ref"}}}}}}},
  "/repos/{owner}/{repo}/issues": {"post": {
   "requestBody": {"required": true, "content": {"application/json": {"schema": {"type": "object", "required": ["title"], "properties": {"title": {"type": "string"}}}}}},
   "responses": {"201": {"description": "made"}}}},
  "/repos/{owner}/{repo}/issues/{issue_number}/labels": {"post": {
   "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}},
   "responses": {"200": {"description": "ok"}}}}
 },
 "components": {"schemas": {
  "repository": {"type": "object", "required": ["id", "full_name"], "properties": {"id": {"type": "integer"}, "full_name": {"type": "string"}, "pushed_at": {"type": "string", "format": "date-time", "nullable": true}}},
  "ref": {"type": "object", "required": ["ref", "repository"], "properties": {"ref": {"type": "string"}, "repository": {"$ref": "#/components/schemas/repository"}}}
 }}
}`

func load(t *testing.T) *Description {
	t.Helper()
	file := filepath.Join(t.TempDir(), "small.json")
	if err := os.WriteFile(file, []byte(small), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestExchange(t *testing.T) {
	d := load(t)
	const repo = `{"id": 1, "full_name": "a/b", "pushed_at": null}`
	for name, tc := range map[string]struct {
		method, path, in string
		status           int
		out, want        string
	}{
		"good":                    {"GET", "/repos/a/b", "", 200, repo, ""},
		"below /api/v3":           {"GET", "/api/v3/repos/a/b", "", 200, repo, ""},
		"by number":               {"GET", "/repositories/7", "", 200, repo, ""},
		"by number, below":        {"GET", "/repositories/7/git/ref/heads/main", "", 200, `{"ref": "x", "repository": ` + repo + `}`, ""},
		"a field is missing":      {"GET", "/repos/a/b", "", 200, `{"id": 1}`, `answer 200: response body doesn't match schema`},
		"a field is of another":   {"GET", "/repos/a/b", "", 200, `{"id": "1", "full_name": "a/b"}`, `"/id"`},
		"a time that is none":     {"GET", "/repos/a/b", "", 200, `{"id": 1, "full_name": "a/b", "pushed_at": "noon"}`, `"/pushed_at"`},
		"not JSON":                {"GET", "/repos/a/b", "", 200, `<html>`, "answer 200"},
		"a ref with slashes":      {"GET", "/repos/a/b/git/ref/heads/x/y", "", 200, `{"ref": "x", "repository": ` + repo + `}`, ""},
		"a ref that is escaped":   {"GET", "/repos/a/b/git/ref/heads%2Fx", "", 200, `{"ref": "x", "repository": ` + repo + `}`, ""},
		"deep in a shared schema": {"GET", "/repos/a/b/git/ref/x", "", 200, `{"ref": "x", "repository": {"id": 1}}`, `/repository/full_name`},
		"a wrong query":           {"GET", "/repos/a/b/git/ref/x?page=one", "", 200, `{"ref": "x", "repository": ` + repo + `}`, "request: "},
		"a body without a field":  {"POST", "/repos/a/b/issues", `{}`, 201, ``, `request: request body has an error: doesn't match schema: Error at "/title"`},
		"no body":                 {"POST", "/repos/a/b/issues", ``, 201, ``, "request: "},
		"refused, so not judged":  {"POST", "/repos/a/b/issues", `{}`, 422, `{"message": "no"}`, ""},
		"an error of any kind":    {"GET", "/repos/a/b", "", 503, `x`, ""},
		"a status of no kind":     {"GET", "/repos/a/b", "", 418, `{}`, "answer 418"},
		"not modified":            {"GET", "/repos/a/b", "", 304, ``, ""},
		"allowed against it":      {"POST", "/repos/a/b/issues/1/labels", `["x"]`, 200, ``, ""},
	} {
		t.Run(name, func(t *testing.T) {
			req := httptest.NewRequest(tc.method, tc.path, strings.NewReader(tc.in))
			req.Header.Set("Content-Type", "application/json")
			err := d.Exchange(req, []byte(tc.in), tc.status, http.Header{"Content-Type": {"application/json"}}, []byte(tc.out))
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

func TestUnknownOperation(t *testing.T) {
	d := load(t)
	for _, at := range []string{"/repos/a/b/hooks", "/repos/a", "/"} {
		err := d.Exchange(httptest.NewRequest("GET", at, nil), nil, 200, http.Header{}, nil)
		if !errors.Is(err, ErrUnknown) {
			t.Errorf("%s: got %v", at, err)
		}
	}
	if err := d.Exchange(httptest.NewRequest("DELETE", "/repos/a/b", nil), nil, 204, http.Header{}, nil); !errors.Is(err, ErrUnknown) {
		t.Errorf("another method: got %v", err)
	}
}

func TestLoadRefusals(t *testing.T) {
	if _, err := Load(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	for text, want := range map[string]string{"{": "unexpected end", `{"paths": {}}`: "it has no paths"} {
		file := filepath.Join(t.TempDir(), "x.json")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

func TestDanglingReference(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.json")
	text := strings.Replace(small, `"ref": {"type"`, `"fer": {"type"`, 1)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	err = d.Exchange(httptest.NewRequest("GET", "/repos/a/b/git/ref/x", nil), nil, 200, http.Header{}, nil)
	if err == nil || !strings.Contains(err.Error(), "components/schemas/ref is not there") {
		t.Errorf("got %v", err)
	}
}

// TestDescription reads GitHub's own, and compiles what lies below two of its roots.
func TestDescription(t *testing.T) {
	if File() == "" {
		t.Skip(Environment + " does not name the folder of npm's @octokit/openapi@23.0.2")
	}
	d, err := Load(File())
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, p := range d.paths {
		if !strings.HasPrefix(p.template, "/repos/{owner}/{repo}/pulls") && !strings.HasPrefix(p.template, "/app") {
			continue
		}
		n++
		if _, err := d.document(p); err != nil {
			t.Errorf("%s: %v", p.template, err)
		}
	}
	if n < 20 {
		t.Errorf("found %d operations", n)
	}
	for _, e := range allowed {
		if e.reason == "" {
			t.Errorf("%s %s is allowed without a reason", e.method, e.template)
		}
		if _, _, _, _, err := d.operation(e.method, strings.NewReplacer("{", "", "}", "").Replace(e.template)); err != nil {
			t.Errorf("%s %s is allowed and not there: %v", e.method, e.template, err)
		}
	}
}
