package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// register lets a person agree to a manifest and returns the code.
func (h *harbour) register(manifest string) string {
	h.t.Helper()
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.PostForm(h.URL()+"/settings/apps/new?state=s", url.Values{"manifest": {manifest}})
	if err != nil {
		h.t.Fatal(err)
	}
	_ = resp.Body.Close()
	to, err := resp.Location()
	if err != nil {
		h.t.Fatal(err)
	}
	return to.Query().Get("code")
}

// TestSandboxRegistration: a code is exchanged once, for credentials that work and are not shown.
func TestSandboxRegistration(t *testing.T) {
	h := newHarbour(t)
	ctx := t.Context()
	code := h.register(`{"name":"New App","url":"https://a.example","redirect_url":"http://127.0.0.1:1/","default_permissions":{"contents":"write"},"hook_attributes":{"url":"https://a.example/hook"}}`)
	anybody := h.client(nil)
	r, err := anybody.Convert(ctx, code)
	if err != nil {
		t.Fatal(err)
	}
	app := h.RegisteredApp("new-app")
	if r.ID != app.ID() || r.Slug != "new-app" || r.Name != "New App" || r.Key.Reveal() != string(app.PrivateKey()) || r.WebhookSecret.Reveal() != app.Secret() || r.Owner.Login == "" {
		t.Errorf("got %+v", r)
	}
	if text := fmt.Sprintf("%v %+v %#v", r, r, r); strings.Contains(text, "PRIVATE KEY") || strings.Contains(text, app.Secret()) {
		t.Errorf("it shows itself: %s", text)
	}
	_, err = anybody.Convert(ctx, code)
	isOnly(t, err, promotion.ErrNotFound)
	for _, bad := range []string{"", "a/b", "../x", "a b", "a?b", strings.Repeat("a", 201)} {
		_, err := anybody.Convert(ctx, bad)
		isOnly(t, err, promotion.ErrInvalid)
		if bad != "" && err != nil && strings.Contains(err.Error(), bad) {
			t.Errorf("the error repeats the code: %v", err)
		}
	}
	late := h.register(`{"name":"Late","url":"https://a.example","redirect_url":"http://127.0.0.1:1/"}`)
	h.clock.pass(time.Hour)
	_, err = anybody.Convert(ctx, late)
	isOnly(t, err, promotion.ErrNotFound)
}

// TestConvertedWithoutKey: an App without a key is no registration.
func TestConvertedWithoutKey(t *testing.T) {
	for _, body := range []string{`{"id":7}`, `{"id":7,"pem":"no key"}`, `{"pem":""}`, `null`} {
		c, err := New(Options{URL: "http://127.0.0.1:1", MaxWait: -1, Transport: answering(says(201, body))})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Convert(t.Context(), "code")
		isOnly(t, err, promotion.ErrTransient)
	}
}

func TestSandboxHook(t *testing.T) {
	h := newHarbour(t)
	ctx := t.Context()
	if got := must[Hook](t)(h.our.Hook(ctx)); got != (Hook{}) {
		t.Errorf("without a webhook: got %+v", got)
	}
	h.app.SetWebhook("https://pinnace.example.com/webhooks/github")
	want := Hook{URL: "https://pinnace.example.com/webhooks/github", ContentType: "json", HasSecret: true}
	if got := must[Hook](t)(h.our.Hook(ctx)); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	const secret = "0123456789abcdef"
	if err := h.our.SetHookSecret(ctx, secret); err != nil || h.app.Secret() != secret {
		t.Errorf("got %q, %v", h.app.Secret(), err)
	}
	for _, bad := range []Secret{"", "short", "0123456789abcdef\n"} {
		isOnly(t, h.our.SetHookSecret(ctx, bad), promotion.ErrInvalid)
	}
}

func TestHookForms(t *testing.T) {
	for body, want := range map[string]Hook{
		`{"url":"https://a.b","content_type":"form","insecure_ssl":"1"}`:                   {URL: "https://a.b", ContentType: "form", Insecure: true},
		`{"url":"https://a.b","content_type":"json","insecure_ssl":1,"secret":"********"}`: {URL: "https://a.b", ContentType: "json", Insecure: true, HasSecret: true},
		`{"url":"https://a.b","content_type":"json","insecure_ssl":0}`:                     {URL: "https://a.b", ContentType: "json"},
		`{}`: {},
	} {
		a := newHarbour(t).our
		a.client.next = answering(says(200, body))
		if got := must[Hook](t)(a.Hook(t.Context())); got != want {
			t.Errorf("%s: got %+v, want %+v", body, got, want)
		}
	}
}

func TestSandboxLimits(t *testing.T) {
	h := newHarbour(t)
	ctx := t.Context()
	rest, graphql, limited, err := h.bot.Limits(ctx)
	if err != nil || !limited || rest.Limit != 5000 || rest.Remaining < 4900 || graphql.Limit != 5000 || !rest.Reset.After(h.clock.now()) {
		t.Errorf("got %+v, %+v, %v, %v", rest, graphql, limited, err)
	}
	now, took, err := h.bot.Clock(ctx)
	if err != nil || !now.Equal(h.clock.now()) || took != 0 {
		t.Errorf("got %v, %v, %v", now, took, err)
	}
}

// TestNoLimits: a GitHub Enterprise Server may have none.
func TestNoLimits(t *testing.T) {
	c, err := New(Options{URL: "http://127.0.0.1:1", MaxWait: -1, Transport: answering(says(404, `{"message":"Rate limiting is not enabled."}`))})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, limited, err := c.Limits(t.Context()); limited || err != nil {
		t.Errorf("got %v, %v", limited, err)
	}
}

func TestNoDate(t *testing.T) {
	c, err := New(Options{URL: "http://127.0.0.1:1", MaxWait: -1, Transport: answering(says(200, `{}`, "Date", "today"))})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = c.Clock(t.Context())
	isOnly(t, err, promotion.ErrTransient)
}

func TestSandboxRulesets(t *testing.T) {
	h := newHarbour(t)
	ctx := t.Context()
	if got := must[[]Ruleset](t)(h.bot.Rulesets(ctx, h.noun, "main")); got != nil {
		t.Errorf("without rules: got %+v", got)
	}
	h.repo.Protect("main", sandbox.Protection{Rules: promotion.Rules{LinearHistory: true, NoForcePush: true}, Bypass: []string{"bob", h.app.Slug()}})
	h.repo.Protect("*", sandbox.Protection{Rules: promotion.Rules{NoDeletion: true}})
	bob, _, err := h.alice.UserByLogin(ctx, "bob")
	if err != nil {
		t.Fatal(err)
	}
	actors := []Bypass{{Kind: "User", Name: fmt.Sprint(bob.ID), Mode: "always"}, {Kind: "Integration", Name: fmt.Sprint(h.app.ID()), Mode: "always"}}
	all := []Ruleset{
		{Name: "main", Rules: []string{"required_linear_history", "non_fast_forward"}, Shown: true, Bypass: actors, Ours: "never"},
		{Name: "*", Rules: []string{"deletion"}, Shown: true, Ours: "never"},
	}
	if diff := cmp.Diff(must[[]Ruleset](t)(h.alice.Rulesets(ctx, h.noun, "main")), all); diff != "" {
		t.Errorf("an admin (-got +want)\n%s", diff)
	}
	for i := range all {
		all[i].Bypass, all[i].Shown = nil, false
	}
	all[0].Ours = "always"
	if diff := cmp.Diff(must[[]Ruleset](t)(h.bot.Rulesets(ctx, h.noun, "main")), all); diff != "" {
		t.Errorf("the App (-got +want)\n%s", diff)
	}
	h.repo.Unprotect("main")
	h.repo.Unprotect("*")
	h.repo.Protect("main", sandbox.Protection{Classic: true, Rules: promotion.Rules{PullRequest: true, Approvals: 1}})
	classic := []Ruleset{{Name: "branch protection", Classic: true, Shown: true}}
	if diff := cmp.Diff(must[[]Ruleset](t)(h.bot.Rulesets(ctx, h.noun, "main")), classic); diff != "" {
		t.Errorf("classic (-got +want)\n%s", diff)
	}
	h.app.Permit("acme", map[string]string{"contents": "read"})
	blind := h.client(h.our.Tokens(h.inst, nil, nil))
	classic[0].Shown = false
	if diff := cmp.Diff(must[[]Ruleset](t)(blind.Rulesets(ctx, h.noun, "main")), classic); diff != "" {
		t.Errorf("classic, unreadable (-got +want)\n%s", diff)
	}
}

// TestClassicBypass: administrators, unless they are bound as well, and who is named.
func TestClassicBypass(t *testing.T) {
	r := newRig(t)
	r.on("GET /repos/acme/config/rules/branches/main", 200, `[]`)
	r.on("GET /repos/acme/config/branches/main/protection", 200, `{"enforce_admins":{"enabled":false},"required_pull_request_reviews":{"bypass_pull_request_allowances":{
		"users":[{"login":"ann"}],"teams":[{"slug":"ops"}],"apps":[{"slug":"renovate"}]}}}`)
	c, err := New(Options{URL: r.server.URL, Spacing: -1})
	if err != nil {
		t.Fatal(err)
	}
	want := []Ruleset{{Name: "branch protection", Classic: true, Shown: true, Bypass: []Bypass{
		{"RepositoryRole", "admin", "always"}, {"User", "ann", "pull_request"}, {"Team", "ops", "pull_request"}, {"Integration", "renovate", "pull_request"},
	}}}
	if diff := cmp.Diff(must[[]Ruleset](t)(c.Rulesets(t.Context(), config, "main")), want); diff != "" {
		t.Errorf("(-got +want)\n%s", diff)
	}
}

// TestHiddenRuleset: one of an organisation may be hidden, and still binds.
func TestHiddenRuleset(t *testing.T) {
	r := newRig(t)
	r.on("GET /repos/acme/config/rules/branches/main", 200, `[{"type":"deletion","ruleset_id":9},{"type":"creation","ruleset_id":9}]`)
	r.on("GET /repos/acme/config/rulesets/9", 404, `{"message":"Not Found"}`)
	r.on("GET /repos/acme/config/branches/main/protection", 404, `{"message":"Branch not protected"}`)
	c, err := New(Options{URL: r.server.URL, Spacing: -1})
	if err != nil {
		t.Fatal(err)
	}
	want := []Ruleset{{Name: "number 9", Rules: []string{"deletion", "creation"}}}
	if diff := cmp.Diff(must[[]Ruleset](t)(c.Rulesets(t.Context(), config, "main")), want); diff != "" {
		t.Errorf("(-got +want)\n%s", diff)
	}
}

func TestSandboxTeamReadable(t *testing.T) {
	h := newHarbour(t)
	h.Team("acme", "ops", "bob")
	for name, want := range map[string]bool{"ops": true, "nobody": false} {
		if got, err := h.bot.TeamReadable(t.Context(), "acme", name); got != want || err != nil {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
	h.app.Permit("acme", map[string]string{"contents": "read"})
	if got, err := h.client(h.our.Tokens(h.inst, nil, nil)).TeamReadable(t.Context(), "acme", "ops"); got || err != nil {
		t.Errorf("without members: got %v, %v", got, err)
	}
	_, err := h.bot.TeamReadable(t.Context(), "acme", "../x")
	isOnly(t, err, promotion.ErrInvalid)
}

// diagnoses are the questions of this file, for tests that hold of all of them.
func diagnoses(c *Client) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"Convert":      func(x context.Context) error { _, err := c.Convert(x, "code"); return err },
		"Limits":       func(x context.Context) error { _, _, _, err := c.Limits(x); return err },
		"Clock":        func(x context.Context) error { _, _, err := c.Clock(x); return err },
		"Rulesets":     func(x context.Context) error { _, err := c.Rulesets(x, config, "main"); return err },
		"TeamReadable": func(x context.Context) error { _, err := c.TeamReadable(x, "acme", "ops"); return err },
	}
}

// What fails is never taken for something that is not there.
func TestDiagnosesFail(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		want   error
		except string
	}{
		{"server error", says(500, `{"message":"Server Error"}`), promotion.ErrTransient, ""},
		{"hang-up", hangup, promotion.ErrTransient, ""},
		{"no JSON", says(200, `nonsense`), promotion.ErrTransient, "Clock"},
		{"credentials", says(401, `{"message":"Bad credentials"}`), promotion.ErrUnauthenticated, ""},
		{"permission", says(403, `{"message":"Resource not accessible by integration"}`), promotion.ErrForbidden, "TeamReadable"},
		{"limit", says(429, `{}`, "Retry-After", "3600"), promotion.ErrRateLimited, ""},
	} {
		client, err := New(Options{URL: "http://127.0.0.1:1", Tokens: StaticToken(canary), MaxWait: -1, Spacing: -1, Transport: answering(c.answer)})
		if err != nil {
			t.Fatal(err)
		}
		for name, do := range diagnoses(client) {
			t.Run(c.name+"/"+name, func(t *testing.T) {
				if !strings.Contains(c.except, name) {
					isOnly(t, do(t.Context()), c.want)
				}
			})
		}
	}
	for _, body := range []string{`null`, `{}`, `[null]`, `0`, `"x"`, `[{"ruleset_id":1}]`, `{"bypass_actors":[null]}`, `{"resources":null}`, `{"required_pull_request_reviews":{"bypass_pull_request_allowances":{"users":[null]}}}`} {
		client, err := New(Options{URL: "http://127.0.0.1:1", MaxWait: -1, Spacing: -1, Transport: answering(says(200, body))})
		if err != nil {
			t.Fatal(err)
		}
		for name, do := range diagnoses(client) {
			var e *Error
			if err := do(t.Context()); err != nil && !errors.As(err, &e) {
				t.Errorf("%s %s: got %T: %v", name, body, err, err)
			}
		}
	}
}
