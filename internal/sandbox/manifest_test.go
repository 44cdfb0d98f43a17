package sandbox

import "testing"

// TestManifest: GitHub takes a manifest whole or not at all.
func TestManifest(t *testing.T) {
	all := map[string]string{"contents": "write", "members": "read", "packages": "read"}
	for _, row := range []struct {
		name   string
		events []string
		hook   string
		want   string
	}{
		{"no events", nil, "", ""},
		{"events", []string{"push", "repository", "organization", "registry_package"}, "https://a.example/hook", ""},
		{"without a permission", []string{"push", "issues"}, "https://a.example/hook", "Default events are not supported by permissions: issues"},
		{"that Apps hear of anyway", []string{"installation"}, "https://a.example/hook", "Default events are not supported by permissions: installation"},
		{"that Apps cannot hear of", []string{"package"}, "https://a.example/hook", "Default events are not supported by permissions: package"},
		{"without a webhook", []string{"push"}, "", "Hook url cannot be blank"},
	} {
		if got := faultOfManifest(row.events, all, row.hook); got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
	}
}
