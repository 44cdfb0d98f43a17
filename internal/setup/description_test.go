package setup

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestDescription holds permissions and events to GitHub's own description, where
// PINNACE_OPENAPI names the folder of https://www.npmjs.com/package/@octokit/openapi: GitHub
// refuses a whole manifest for one event that Apps cannot subscribe to.
func TestDescription(t *testing.T) {
	dir := os.Getenv("PINNACE_OPENAPI")
	if dir == "" {
		t.Skip("PINNACE_OPENAPI does not name the folder of npm's @octokit/openapi@23.0.2")
	}
	data, err := os.ReadFile(filepath.Join(dir, "generated", "api.github.com.json"))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Webhooks map[string]struct {
			Post struct {
				GitHub struct {
					Subcategory string
					Types       []string `json:"supported-webhook-types"`
				} `json:"x-github"`
			}
		} `json:"x-webhooks"`
		Components struct {
			Schemas struct {
				Permissions struct {
					Properties map[string]struct{ Enum []string }
				} `json:"app-permissions"`
			}
		}
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	for _, p := range Permissions() {
		if levels := doc.Components.Schemas.Permissions.Properties[p.Name].Enum; !slices.Contains(levels, p.Level) {
			t.Errorf("GitHub offers %s at %v, not at %s", p.Name, levels, p.Level)
		}
	}
	offered := map[string]bool{}
	for _, w := range doc.Webhooks {
		if slices.Contains(w.Post.GitHub.Types, "app") {
			offered[strings.ReplaceAll(w.Post.GitHub.Subcategory, "-", "_")] = true
		}
	}
	for _, e := range Events(Permissions()) {
		if !offered[e.Name] {
			t.Errorf("GitHub does not offer %s to Apps", e.Name)
		}
	}
	if offered["package"] || len(offered) < 30 {
		t.Errorf("the description says %d events are for Apps, package: %v", len(offered), offered["package"])
	}
}
