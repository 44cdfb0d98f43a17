package setup

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pinnace-dev/pinnace/internal/github"
)

func TestValidate(t *testing.T) {
	for _, row := range []struct {
		name string
		app  App
		want string
	}{
		{"the least", App{Name: "Pinnace"}, ""},
		{"all of it", App{Name: "Pinnace", Org: "acme-inc", Webhook: webhook, With: []string{"administration"}, Without: []string{"workflows"}}, ""},
		{"no name", App{}, "empty"},
		{"a long name", App{Name: strings.Repeat("é", 35)}, "35 characters"},
		{"a longest name", App{Name: strings.Repeat("é", 34)}, ""},
		{"a hidden character", App{Name: "a\u202eb"}, "cannot be seen"},
		{"an address as organisation", App{Name: "a", Org: "github.com/acme"}, "not the name of an organisation"},
		{"plain http", App{Name: "a", Webhook: "http://pinnace.example.com/webhooks/github"}, "want https"},
		{"no host", App{Name: "a", Webhook: "/webhooks/github"}, "want an address"},
		{"a password", App{Name: "a", Webhook: "https://a:b@host/webhooks/github"}, "want an address"},
		{"this machine", App{Name: "a", Webhook: "https://127.0.0.1/webhooks/github"}, "cannot reach"},
		{"no path", App{Name: "a", Webhook: "https://pinnace.example.com/"}, "listens at https://pinnace.example.com/webhooks/github"},
		{"an unknown permission", App{Name: "a", With: []string{"secrets"}}, "uses none of that name"},
		{"a needed permission", App{Name: "a", Without: []string{"contents"}}, "does not run without it"},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := row.app.Validate()
			if row.want == "" && err != nil || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
				t.Errorf("got %v, want %q", err, row.want)
			}
		})
	}
}

func TestWebhook(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "https://a.b": "https://a.b/webhooks/github", "https://a.b/": "https://a.b/webhooks/github", "https://a.b/hook": "https://a.b/hook", "a.b": "a.b",
	} {
		if got := Webhook(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// TestPermissions: each has words, and each event a permission that the App asks for.
func TestPermissions(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range Permissions() {
		if seen[p.Name] || p.Title == "" || p.Loss == "" || !strings.HasSuffix(p.Reason, ".") || strings.HasSuffix(p.Loss, ".") || p.Level != "read" && p.Level != "write" {
			t.Errorf("got %+v", p)
		}
		seen[p.Name] = true
	}
	for _, e := range Events(Permissions()) {
		if !seen[e.Needs] || e.Reason == "" {
			t.Errorf("got %+v", e)
		}
	}
	without, err := App{Name: "a", Without: []string{"packages", "issues"}}.Permissions()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range Events(without) {
		if e.Needs == "packages" || e.Needs == "issues" {
			t.Errorf("%s needs %s, which is not asked for", e.Name, e.Needs)
		}
	}
}

// TestNothingLeaks: a result can be printed.
func TestNothingLeaks(t *testing.T) {
	r := Result{App: github.Registration{Key: "-----BEGIN RSA PRIVATE KEY-----", WebhookSecret: "hush"}}
	if text := fmt.Sprintf("%v %+v %#v %s", r, r, r, r.App.Key); leaks(text) || strings.Contains(text, "hush") {
		t.Errorf("got %s", text)
	}
}
