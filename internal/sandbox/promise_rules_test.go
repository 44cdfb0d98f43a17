package sandbox

import (
	"strings"
	"testing"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// TestHookConfig: an App reads where its deliveries go, and sets the secret, which nobody reads.
func TestHookConfig(t *testing.T) {
	r := newRig(t)
	if status, _, _ := r.ask(r.door(), "GET", "/app/hook/config", nil); status != 404 {
		t.Errorf("without a webhook: got %d", status)
	}
	r.app.SetWebhook("https://pinnace.example/hook")
	status, _, text := r.ask(r.door(), "GET", "/app/hook/config", nil)
	if status != 200 || !strings.Contains(text, `"url":"https://pinnace.example/hook"`) || !strings.Contains(text, `"secret":"********"`) {
		t.Errorf("got %d %s", status, text)
	}
	status, _, text = r.ask(r.door(), "PATCH", "/app/hook/config", fields{"secret": "another one", "url": "https://pinnace.example/other"})
	if status != 200 || strings.Contains(text, "another one") || r.app.Secret() != "another one" || !strings.Contains(text, "/other") {
		t.Errorf("got %d %s", status, text)
	}
	if status, _, _ := r.ask(r.app.InstallationToken("acme"), "GET", "/app/hook/config", nil); status != 401 {
		t.Errorf("an installation: got %d", status)
	}
}

// TestRuleset: who may bypass it is shown to those who may edit it, and each is told of itself.
func TestRuleset(t *testing.T) {
	r := newRig(t)
	r.repo.Protect("main", Protection{Rules: promotion.Rules{LinearHistory: true}, Bypass: []string{"bob", r.app.Slug()}})
	r.repo.Protect("old", Protection{Classic: true})
	id := itoa(r.repo.id * 100)
	for login, want := range map[string][]string{
		"alice": {`"current_user_can_bypass":"never"`, `"actor_type":"Integration"`, `"actor_type":"User"`},
		"bob":   {`"current_user_can_bypass":"always"`},
	} {
		status, _, text := r.ask(r.Token(login), "GET", "/repos/acme/config/rulesets/"+id, nil)
		if status != 200 || strings.Contains(text, "bypass_actors") != (login == "alice") {
			t.Errorf("%s: got %d %s", login, status, text)
		}
		for _, part := range want {
			if !strings.Contains(text, part) {
				t.Errorf("%s: got %s, want it to hold %s", login, text, part)
			}
		}
	}
	if status, _, text := r.ask(r.app.InstallationToken("acme"), "GET", "/repos/acme/config/rulesets/"+id, nil); status != 200 || !strings.Contains(text, `"always"`) {
		t.Errorf("the App: got %d %s", status, text)
	}
	for _, other := range []string{itoa(r.repo.id*100 + 1), itoa(r.repo.id*100 + 2), "1"} {
		if status, _, _ := r.ask(r.Token("alice"), "GET", "/repos/acme/config/rulesets/"+other, nil); status != 404 {
			t.Errorf("%s: got %d", other, status)
		}
	}
}
