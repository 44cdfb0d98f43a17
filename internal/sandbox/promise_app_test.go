package sandbox

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// jwt signs claims as the App.
func jwt(t *testing.T, a *App, claims fields) string {
	t.Helper()
	part := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	text := part(fields{"alg": "RS256", "typ": "JWT"}) + "." + part(claims)
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, a.key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(sig)
}

// door is the App's own client.
func (r *rig) door() string {
	now := r.clock.now()
	return jwt(r.t, r.app, fields{"iss": itoa(r.app.ID()), "iat": now.Add(-time.Minute).Unix(), "exp": now.Add(9 * time.Minute).Unix()})
}

func TestWebTokens(t *testing.T) {
	r := newRig(t)
	now := r.clock.now()
	claims := func(iat, exp time.Duration) fields {
		return fields{"iss": r.app.ID(), "iat": now.Add(iat).Unix(), "exp": now.Add(exp).Unix()}
	}
	forged := strings.Split(jwt(t, r.app, claims(0, time.Minute)), ".")
	forged[1] = base64.RawURLEncoding.EncodeToString([]byte(`{"iss":` + itoa(r.app.ID()) + `,"iat":1,"exp":9999999999}`))
	for name, tc := range map[string]struct {
		token  string
		status int
		want   string
	}{
		"good":            {jwt(t, r.app, claims(-time.Minute, 9*time.Minute)), 200, `"slug":"pinnace"`},
		"ten minutes":     {jwt(t, r.app, claims(0, 10*time.Minute)), 200, ""},
		"too long":        {jwt(t, r.app, claims(0, 11*time.Minute)), 401, "'exp') is too far in the future"},
		"expired":         {jwt(t, r.app, claims(-time.Hour, 0)), 401, "'exp') must be a numeric value"},
		"from the future": {jwt(t, r.app, claims(time.Second, time.Minute)), 401, "'Issued at' claim ('iat')"},
		"forged":          {strings.Join(forged, "."), 401, "could not be decoded"},
		"no such App":     {jwt(t, r.app, fields{"iss": 1, "iat": now.Unix(), "exp": now.Unix() + 60}), 404, "Integration not found"},
		"a person's":      {r.Token("bob"), 401, "JSON web token"},
	} {
		status, h, text := r.ask(tc.token, "GET", "/app", nil)
		if status != tc.status || !strings.Contains(text, tc.want) {
			t.Errorf("%s: got %d %s, want %d %q", name, status, text, tc.status, tc.want)
		}
		if h.Get("Date") != now.Format(http.TimeFormat) {
			t.Errorf("%s: Date is %q, want the clock's", name, h.Get("Date"))
		}
	}
	if status, _, _ := r.ask(r.door(), "GET", "/repos/acme/config", nil); status != 403 {
		t.Errorf("a JSON web token reads a repository: %d", status)
	}
}

func TestInstallationTokens(t *testing.T) {
	r := newRig(t)
	r.Repository("acme", "secret", RepositoryOptions{Private: true, Files: map[string]string{"a": "b"}})
	r.Repository("umbrella", "secret", RepositoryOptions{Private: true, Files: map[string]string{"a": "b"}})
	mint := func(in fields) (int, string, string) {
		status, _, text := r.ask(r.door(), "POST", "/app/installations/"+itoa(r.inst)+"/access_tokens", in)
		var out struct{ Token string }
		_ = json.Unmarshal([]byte(text), &out)
		return status, out.Token, text
	}
	status, all, text := mint(fields{})
	if status != 201 {
		t.Fatalf("%d %s", status, text)
	}
	_, narrow, _ := mint(fields{"repository_ids": []int64{r.repo.ID()}, "permissions": fields{"contents": "read"}})
	for name, tc := range map[string]struct {
		token, method, path string
		body                any
		status              int
	}{
		"all reads private":         {all, "GET", "/repos/acme/secret", nil, 200},
		"all writes":                {all, "POST", "/repos/acme/secret/issues", fields{"title": "x"}, 201},
		"not another owner's":       {all, "GET", "/repos/umbrella/secret", nil, 404},
		"narrow reads its own":      {narrow, "GET", "/repos/acme/config/contents/README.md", nil, 200},
		"narrow does not write":     {narrow, "POST", "/repos/acme/config/issues", fields{"title": "x"}, 403},
		"narrow does not see other": {narrow, "GET", "/repos/acme/secret", nil, 404},
		"an App is no user":         {all, "GET", "/user", nil, 403},
	} {
		if status, _, text := r.ask(tc.token, tc.method, tc.path, tc.body); status != tc.status {
			t.Errorf("%s: got %d %s, want %d", name, status, text, tc.status)
		}
	}
	for name, in := range map[string]fields{
		"a permission it lacks":     {"permissions": fields{"workflows": "write"}},
		"more than it has":          {"permissions": fields{"members": "write"}},
		"a repository out of reach": {"repositories": []string{"nowhere"}},
	} {
		if status, _, text := mint(in); status != 422 {
			t.Errorf("%s: got %d %s, want 422", name, status, text)
		}
	}
	r.clock.pass(time.Hour)
	if status, _, _ := r.ask(all, "GET", "/repos/acme/config", nil); status != 401 {
		t.Errorf("after an hour: got %d, want 401", status)
	}
}

func TestInstallations(t *testing.T) {
	r := newRig(t)
	token := r.app.InstallationToken("acme")
	status := func(token, path string) int { s, _, _ := r.ask(token, "GET", path, nil); return s }
	for path, want := range map[string]int{
		"/app/installations": 200, "/app/installations/" + itoa(r.inst): 200, "/repos/acme/config/installation": 200, "/orgs/acme/installation": 200,
		"/repos/acme/nowhere/installation": 404, "/app/installations/1": 404, "/users/nobody/installation": 404,
	} {
		if got := status(r.door(), path); got != want {
			t.Errorf("%s: got %d, want %d", path, got, want)
		}
	}
	r.app.Suspend("acme", true)
	if got := status(token, "/repos/acme/config"); got != 403 {
		t.Errorf("suspended: got %d, want 403", got)
	}
	if got, _, _ := r.ask(r.door(), "POST", "/app/installations/"+itoa(r.inst)+"/access_tokens", nil); got != 403 {
		t.Errorf("a token for a suspended installation: got %d, want 403", got)
	}
	r.app.Suspend("acme", false)
	r.Repository("acme", "other", RepositoryOptions{Private: true, Files: map[string]string{"a": "b"}})
	r.app.Select("acme", "other")
	if got, _, _ := r.ask(token, "POST", "/repos/acme/config/issues", fields{"title": "x"}); got != 403 {
		t.Errorf("no longer selected: got %d, want 403", got)
	}
	if got := must[*github.ListRepositories](t)(r.bot().Apps.ListRepos(t.Context(), nil)); got.GetTotalCount() != 1 {
		t.Errorf("got %d repositories, want 1", got.GetTotalCount())
	}
	r.app.Uninstall("acme")
	if got := status(token, "/repos/acme/config"); got != 401 {
		t.Errorf("uninstalled: got %d, want 401", got)
	}
}

func TestTeamsNeedMembersRead(t *testing.T) {
	r := newRig(t)
	release := r.Team("acme", "release", "bob")
	release.Invite("dave")
	r.Team("acme", "night", "erin").Under(release)
	ask := func(token, user string) (int, string) {
		status, _, text := r.ask(token, "GET", "/orgs/acme/teams/release/memberships/"+user, nil)
		return status, text
	}
	token := r.app.InstallationToken("acme")
	for user, want := range map[string]string{"bob": `"state":"active"`, "dave": `"state":"pending"`, "erin": `"state":"active"`} {
		if status, text := ask(token, user); status != 200 || !strings.Contains(text, want) {
			t.Errorf("%s: got %d %s, want %s", user, status, text, want)
		}
	}
	if status, _ := ask(token, "carol"); status != 404 {
		t.Errorf("no member: got %d, want 404", status)
	}
	release.Remove("bob")
	if status, _ := ask(token, "bob"); status != 404 {
		t.Errorf("removed: got %d, want 404", status)
	}
	r.app.Permit("acme", map[string]string{"contents": "write"})
	if status, _ := ask(r.app.InstallationToken("acme"), "erin"); status != 403 {
		t.Errorf("without members: read: got %d, want 403", status)
	}
	if status, _ := ask(r.Token("erin", "repo"), "erin"); status != 404 {
		t.Errorf("without read:org: got %d, want 404", status)
	}
}

func TestPermissionLevels(t *testing.T) {
	r := newRig(t)
	r.Team("acme", "release", "frank")
	r.repo.TeamPermission("release", promotion.PermissionMaintain)
	r.repo.Permission("tina", promotion.PermissionTriage)
	for user, want := range map[string][2]string{
		"alice": {"admin", "admin"}, "bob": {"write", "write"}, "carol": {"read", "read"}, "frank": {"write", "maintain"}, "tina": {"read", "triage"}, "web-flow": {"read", "read"},
	} {
		got := must[*github.RepositoryPermissionLevel](t)(r.bot().Repositories.GetPermissionLevel(t.Context(), "acme", "config", user))
		if got.GetPermission() != want[0] || got.GetUser().GetRoleName() != want[1] {
			t.Errorf("%s: got %s, %s, want %v", user, got.GetPermission(), got.GetUser().GetRoleName(), want)
		}
	}
	if status, _, _ := r.ask(r.app.InstallationToken("acme"), "GET", "/repos/acme/config/collaborators/nobody/permission", nil); status != 404 {
		t.Errorf("nobody: got %d, want 404", status)
	}
}

func TestAccountsAreNumbers(t *testing.T) {
	r := newRig(t)
	id := r.User("bob").ID
	r.RenameUser("bob", "robert")
	if now := r.User("bob"); now.ID == id {
		t.Error("who took the old login has the old number")
	}
	u := must[*github.User](t)(r.bot().Users.GetByID(t.Context(), id))
	if u.GetLogin() != "robert" {
		t.Errorf("got %s", u.GetLogin())
	}
}

func TestPrivateIsNotFound(t *testing.T) {
	r := newRig(t)
	r.Repository("acme", "secret", RepositoryOptions{Private: true, Files: map[string]string{"a": "b"}})
	for name, tc := range map[string]struct {
		token string
		want  int
	}{"anonymous": {"", 404}, "outsider": {r.Token("mallory"), 404}, "owner": {r.Token("alice"), 200}, "owner without the scope": {r.Token("alice", "read:org"), 404}} {
		if status, _, text := r.ask(tc.token, "GET", "/repos/acme/secret", nil); status != tc.want {
			t.Errorf("%s: got %d %s, want %d", name, status, text, tc.want)
		}
	}
	if status, _, _ := r.ask("", "POST", "/repos/acme/config/issues", fields{"title": "x"}); status != 401 {
		t.Errorf("anonymous write: got %d, want 401", status)
	}
}

func TestActionsToken(t *testing.T) {
	r := newRig(t)
	r.branch("pin", "a: 1")
	token := r.ActionsToken(r.repo, map[string]string{"contents": "write", "pull_requests": "write", "checks": "write"})
	open := fields{"title": "T", "head": "pin", "base": "main"}
	if status, _, text := r.ask(token, "POST", "/repos/acme/config/pulls", open); status != 403 || !strings.Contains(text, "not permitted to create or approve pull requests") {
		t.Errorf("got %d %s", status, text)
	}
	if status, _, text := r.ask(token, "POST", "/repos/acme/config/check-runs", fields{"name": "n", "head_sha": r.repo.Tip("pin")}); status != 201 || !strings.Contains(text, `"id":15368`) {
		t.Errorf("got %d %s", status, text)
	}
	if status, _, text := r.ask(token, "GET", "/installation/repositories", nil); status != 200 || !strings.Contains(text, "acme/config") {
		t.Errorf("got %d %s", status, text)
	}
}

func TestManifestFlow(t *testing.T) {
	r := newRig(t)
	manifest, _ := json.Marshal(fields{
		"name": "Pinnace of acme", "url": "https://pinnace.example", "redirect_url": "http://127.0.0.1:1/done",
		"hook_attributes": fields{"url": "https://pinnace.example/hook"}, "default_permissions": fields{"contents": "write"}, "default_events": []string{"push"},
	})
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.PostForm(r.URL()+"/organizations/acme/settings/apps/new?state=s1", url.Values{"manifest": {string(manifest)}})
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	to, err := resp.Location()
	if err != nil || to.Query().Get("state") != "s1" {
		t.Fatalf("got %v, %v", to, err)
	}
	path := "/app-manifests/" + to.Query().Get("code") + "/conversions"
	status, _, text := r.ask("", "POST", path, nil)
	if status != 201 || !strings.Contains(text, "BEGIN RSA PRIVATE KEY") || !strings.Contains(text, "webhook_secret") {
		t.Fatalf("got %d %s", status, text)
	}
	if status, _, _ := r.ask("", "POST", path, nil); status != 404 {
		t.Errorf("a code serves once: got %d", status)
	}
	if a := r.RegisteredApp("pinnace-of-acme"); a == nil || a.o.Permissions["contents"] != "write" {
		t.Errorf("got %v", a)
	}
}
