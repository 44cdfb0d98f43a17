package config

import (
	"strings"
	"testing"
)

// Only .pinnace/config.yaml is the Config: another file of that name is no way to replace it.
func TestLoadExactPath(t *testing.T) {
	const text = "apiVersion: pinnace.dev/v1alpha1\nkind: Config\nenvironments:\n  - {name: NAME, paths: [\"x/**\"]}\n"
	files := map[string][]byte{".pinnace/config.yaml": []byte(strings.Replace(text, "NAME", "prod", 1))}
	for _, path := range []string{".pinnace/x/.pinnace/config.yaml", ".pinnace/policies/config.yaml"} {
		t.Run(path, func(t *testing.T) {
			with := map[string][]byte{path: []byte(strings.Replace(text, "NAME", "other", 1))}
			for name, data := range files {
				with[name] = data
			}
			c, _, problems := Load(with)
			if c == nil || len(c.Environments) != 1 || c.Environments[0].Name != "prod" {
				t.Errorf("the configuration is %+v", c)
			}
			if err := problems.Err(); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "move it to .pinnace/config.yaml") {
				t.Errorf("problems: %v", err)
			}
		})
	}
}
