package sandbox

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestLogin(t *testing.T) {
	r := newRig(t)
	r.pull("pin", "a: 1")
	r.Visit("bob")
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	code := func() string {
		t.Helper()
		q := url.Values{"client_id": {r.app.ClientID()}, "redirect_uri": {"http://127.0.0.1:1/done"}, "state": {"s"}}
		resp, err := client.Get(r.URL() + "/login/oauth/authorize?" + q.Encode())
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		to, err := resp.Location()
		if err != nil || to.Query().Get("state") != "s" {
			t.Fatalf("got %v, %v", to, err)
		}
		return to.Query().Get("code")
	}
	exchange := func(code, secret string) map[string]string {
		t.Helper()
		form := url.Values{"client_id": {r.app.ClientID()}, "client_secret": {secret}, "code": {code}}
		req, err := http.NewRequest("POST", r.URL()+"/login/oauth/access_token", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Accept", "application/json")
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		out := map[string]string{}
		if err := json.NewDecoder(resp.Body).Decode(&out); err != nil || resp.StatusCode != 200 {
			t.Fatalf("%d %v", resp.StatusCode, err)
		}
		return out
	}
	first := code()
	if got := exchange(first, "wrong")["error"]; got != "incorrect_client_credentials" {
		t.Errorf("a wrong secret: got %q", got)
	}
	token := exchange(first, r.app.ClientSecret())["access_token"]
	if got := exchange(first, r.app.ClientSecret())["error"]; got != "bad_verification_code" {
		t.Errorf("a code used twice: got %q", got)
	}
	late := code()
	r.clock.pass(10 * time.Minute)
	if got := exchange(late, r.app.ClientSecret())["error"]; got != "bad_verification_code" {
		t.Errorf("an old code: got %q", got)
	}
	if status, _, text := r.ask(token, "GET", "/user", nil); status != 200 || !strings.Contains(text, `"login":"bob"`) {
		t.Errorf("got %d %s", status, text)
	}
	if status, _, text := r.ask(token, "POST", "/repos/acme/config/pulls/1/reviews", fields{"event": "APPROVE"}); status != 200 || !strings.Contains(text, `"login":"bob"`) {
		t.Errorf("a review through the App: got %d %s", status, text)
	}
	if status, _, _ := r.ask(token, "POST", "/repos/acme/config/check-runs", fields{"name": "n", "head_sha": r.repo.Tip("main")}); status != 403 {
		t.Errorf("a check run by a person: got %d", status)
	}
	r.app.Permit("acme", map[string]string{"pull_requests": "read"})
	if status, _, _ := r.ask(token, "POST", "/repos/acme/config/pulls/1/reviews", fields{"event": "APPROVE"}); status != 403 {
		t.Errorf("more than the App may: got %d", status)
	}
}
