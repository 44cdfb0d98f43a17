package sandbox

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// AppOptions describe a GitHub App.
type AppOptions struct {
	Name        string
	Owner       string            // "" is the account pinnace-dev
	Permissions map[string]string // such as "contents": "write"
	Events      []string          // webhook events that it subscribes to
	WebhookURL  string            // "" gets no deliveries
	Secret      string            // of the webhook
}

// An App of the sandbox.
type App struct {
	s       *Sandbox
	id      int64
	slug    string
	o       AppOptions
	owner   *account
	bot     *account
	key     *rsa.PrivateKey
	created time.Time
	actions bool // GitHub Actions
}

type installation struct {
	id          int64
	app         *App
	account     *account
	repos       map[int64]bool // nil: all of the account's
	permissions map[string]string
	suspended   time.Time
	created     time.Time
}

// An actor is who a request comes from, and what it may do.
type actor struct {
	who         *account
	app         *App          // behind any token but a person's own
	jwt         bool          // a JSON web token of the App itself
	install     *installation // of an installation token
	repos       map[int64]bool
	permissions map[string]string
	scopes      []string
	expires     time.Time
	created     time.Time
}

func (a *actor) name() string {
	if a.who == nil {
		return "anonymous"
	}
	return a.who.Login
}

// key names whose answers and limits these are.
func (a *actor) key() string {
	switch {
	case a.install != nil:
		return "installation " + itoa(a.install.id)
	case a.jwt:
		return "app " + itoa(a.app.id)
	case a.who != nil:
		return "user " + itoa(a.who.ID)
	}
	return "anonymous"
}

// named says whether a login or an App's slug is the actor's.
func (a *actor) named(name string) bool {
	return a.who != nil && strings.EqualFold(a.who.Login, name) || a.app != nil && a.app.slug == name
}

// viaApp is performed_via_github_app.
func (a *actor) viaApp() *App {
	if a.jwt {
		return nil
	}
	return a.app
}

// appKey is the key of every App of a process: making one takes a tenth of a second.
var appKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic("sandbox: making a key: " + err.Error())
	}
	return k
})

// App registers a GitHub App.
func (s *Sandbox) App(o AppOptions) *App {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.app(o)
}

func (s *Sandbox) app(o AppOptions) *App {
	if o.Owner == "" {
		o.Owner = "pinnace-dev"
	}
	slug := strings.ReplaceAll(strings.ToLower(o.Name), " ", "-")
	a := &App{s: s, id: s.next(), slug: slug, o: o, owner: s.account(o.Owner, "Organization"), bot: s.account(slug+"[bot]", "Bot"), key: appKey(), created: s.now()}
	a.o.Permissions = maps.Clone(o.Permissions)
	if a.o.Permissions == nil {
		a.o.Permissions = map[string]string{}
	}
	a.o.Permissions["metadata"] = "read"
	s.apps[a.id] = a
	return a
}

// ID returns the number of the App.
func (a *App) ID() int64 { return a.id }

// Slug returns the name of the App in URLs.
func (a *App) Slug() string { return a.slug }

// Bot returns the account that the App acts as.
func (a *App) Bot() promotion.Identity { return a.bot.Identity }

// PrivateKey returns the key in PEM, as GitHub hands it out.
func (a *App) PrivateKey() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(a.key)})
}

// ClientID names the App where people log in.
func (a *App) ClientID() string { return fmt.Sprintf("Iv1.%016x", a.id) }

// ClientSecret returns the secret that goes with ClientID.
func (a *App) ClientSecret() string { return fmt.Sprintf("secret%034x", a.id) }

// Secret returns the secret of the webhook.
func (a *App) Secret() string { return a.o.Secret }

// SetWebhook changes where deliveries go.
func (a *App) SetWebhook(url string) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.o.WebhookURL = url
}

// Install installs the App on an account, for the repositories named ("name", of that
// account), or all where there are none, and returns the number of the installation.
func (a *App) Install(owner string, repos ...string) int64 {
	s := a.s
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.install(a, s.account(owner, "User"), repos)
	s.emitTo(i, nil, &actor{who: i.account}, "installation", "created", fields{"repositories": s.briefRepos(i)})
	return i.id
}

func (s *Sandbox) install(a *App, owner *account, repos []string) *installation {
	i := &installation{id: s.next(), app: a, account: owner, permissions: maps.Clone(a.o.Permissions), created: s.now()}
	if len(repos) > 0 {
		i.repos = map[int64]bool{}
		for _, name := range repos {
			i.repos[s.mustRepo(owner.Login, name).id] = true
		}
	}
	s.installations[i.id] = i
	s.version++
	return i
}

func (s *Sandbox) mustRepo(owner, name string) *Repository {
	r := s.names[strings.ToLower(owner+"/"+name)]
	if r == nil {
		panic("sandbox: there is no repository " + owner + "/" + name)
	}
	return r
}

// Uninstall takes the App off an account; its tokens end.
func (a *App) Uninstall(owner string) {
	a.with(owner, func(i *installation) {
		a.s.emitTo(i, nil, &actor{who: i.account}, "installation", "deleted", fields{"repositories": a.s.briefRepos(i)})
		delete(a.s.installations, i.id)
		for token, by := range a.s.tokens {
			if by.install == i {
				delete(a.s.tokens, token)
			}
		}
	})
}

// Suspend suspends an installation, or lets it go on.
// https://docs.github.com/en/apps/maintaining-github-apps/suspending-a-github-app-installation
func (a *App) Suspend(owner string, suspended bool) {
	a.with(owner, func(i *installation) {
		i.suspended = time.Time{}
		action := "unsuspend"
		if suspended {
			i.suspended, action = a.s.now(), "suspend"
		}
		a.s.emitTo(i, nil, &actor{who: i.account}, "installation", action, fields{"repositories": a.s.briefRepos(i)})
	})
}

// Select replaces the repositories of an installation.
func (a *App) Select(owner string, repos ...string) {
	a.with(owner, func(i *installation) {
		old := i.repos
		i.repos = map[int64]bool{}
		var added, removed []any
		for _, name := range repos {
			r := a.s.mustRepo(owner, name)
			i.repos[r.id] = true
			if !old[r.id] {
				added = append(added, a.s.briefRepo(r))
			}
		}
		for id := range old {
			if r := a.s.repos[id]; r != nil && !i.repos[id] {
				removed = append(removed, a.s.briefRepo(r))
			}
		}
		send := func(action string, list []any) {
			if len(list) == 0 {
				return
			}
			payload := fields{"repository_selection": "selected", "repositories_added": []any{}, "repositories_removed": []any{}, "requester": nil}
			payload["repositories_"+action] = list
			a.s.emitTo(i, nil, &actor{who: i.account}, "installation_repositories", action, payload)
		}
		send("added", added)
		send("removed", removed)
	})
}

// Permit changes what an installation was granted: new permissions that the owner accepted.
func (a *App) Permit(owner string, permissions map[string]string) {
	a.with(owner, func(i *installation) {
		i.permissions = maps.Clone(permissions)
		i.permissions["metadata"] = "read"
		a.s.emitTo(i, nil, &actor{who: i.account}, "installation", "new_permissions_accepted", nil)
	})
}

func (a *App) with(owner string, do func(*installation)) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	for _, i := range a.s.installations {
		if i.app == a && strings.EqualFold(i.account.Login, owner) {
			do(i)
			a.s.version++
			return
		}
	}
	panic("sandbox: " + a.slug + " is not installed on " + owner)
}

// Token returns a personal token of a person, of the classic kind. Without scopes it has
// repo, read:org and workflow.
// https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps
func (s *Sandbox) Token(login string, scopes ...string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(scopes) == 0 {
		scopes = []string{"repo", "read:org", "workflow"}
	}
	return s.grant("ghp_", &actor{who: s.account(login, "User"), scopes: scopes})
}

// InstallationToken returns a token of an installation without asking for one: of all its
// repositories and permissions, for an hour.
func (a *App) InstallationToken(owner string) string {
	var token string
	a.with(owner, func(i *installation) {
		token = a.s.grant("ghs_", a.s.actorOf(i))
	})
	return token
}

func (s *Sandbox) actorOf(i *installation) *actor {
	return &actor{who: i.app.bot, app: i.app, install: i, permissions: i.permissions, expires: s.now().Add(time.Hour)}
}

// ActionsToken returns a GITHUB_TOKEN of a workflow run in a repository, with those
// permissions. What it does starts no workflow and sends no webhook to Actions.
// https://docs.github.com/en/actions/concepts/security/github_token
func (s *Sandbox) ActionsToken(r *Repository, permissions map[string]string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var app *App
	for _, a := range s.apps {
		if a.actions {
			app = a
		}
	}
	if app == nil {
		app = s.app(AppOptions{Name: "GitHub Actions", Owner: "github"})
		delete(s.apps, app.id)
		delete(s.people, "github-actions[bot]")
		app.id, app.actions = 15368, true
		app.bot.ID, app.bot.Login = 41898282, "github-actions[bot]"
		app.bot.email = "41898282+github-actions[bot]@users.noreply.github.com"
		s.apps[app.id], s.accounts[app.bot.ID], s.people["github-actions[bot]"] = app, app.bot, app.bot
	}
	i := s.install(app, r.owner, []string{r.name})
	i.permissions = maps.Clone(permissions)
	i.permissions["metadata"] = "read"
	by := s.actorOf(i)
	by.expires = s.now().Add(24 * time.Hour)
	return s.grant("ghs_", by)
}

func (s *Sandbox) grant(prefix string, by *actor) string {
	by.created = s.now()
	token := fmt.Sprintf("%s%036d", prefix, s.next())
	s.tokens[token] = by
	return token
}

// Revoke ends a token.
func (s *Sandbox) Revoke(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tokens, token)
}

// narrowed is a token of the installation with fewer repositories and permissions; what it
// does not have is refused.
// https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app
func (s *Sandbox) narrowed(i *installation, ids []int64, names []string, permissions map[string]string) (*actor, *refusal) {
	by := s.actorOf(i)
	if len(ids)+len(names) > 500 {
		return nil, unprocessable("There are too many repositories; the limit is 500.")
	}
	if ids != nil || names != nil {
		by.repos = map[int64]bool{}
		for _, name := range names {
			r := s.names[strings.ToLower(i.account.Login+"/"+name)]
			if r == nil {
				return nil, unprocessable("There is at least one repository that does not exist or is not accessible to the parent installation.")
			}
			ids = append(ids, r.id)
		}
		for _, id := range ids {
			if r := s.repos[id]; r == nil || !i.covers(r) {
				return nil, unprocessable("There is at least one repository that does not exist or is not accessible to the parent installation.")
			}
			by.repos[id] = true
		}
	}
	if permissions != nil {
		by.permissions = map[string]string{}
		for _, name := range slices.Sorted(maps.Keys(permissions)) {
			if !reaches(i.permissions[name], permissions[name]) {
				return nil, unprocessable("The permissions requested are not granted to this installation.")
			}
			by.permissions[name] = permissions[name]
		}
		by.permissions["metadata"] = "read"
	}
	return by, nil
}

var levels = map[string]int{"read": 1, "write": 2, "admin": 3}

func reaches(have, want string) bool { return levels[want] > 0 && levels[have] >= levels[want] }

func (i *installation) covers(r *Repository) bool {
	return r.owner == i.account && (i.repos == nil || i.repos[r.id])
}

// inReach says whether an actor's token is for a repository, the public side aside.
func (a *actor) inReach(r *Repository) bool {
	if a.install == nil {
		return true
	}
	return a.install.covers(r) && (a.repos == nil || a.repos[r.id])
}

// sees says whether a repository exists for an actor.
func (a *actor) sees(r *Repository) bool {
	if !r.o.Private {
		return true
	}
	if a.install != nil {
		return a.inReach(r)
	}
	return a.who != nil && (a.scoped("repo") || a.lent(r) != nil) && r.role(a.who) != promotion.PermissionNone
}

// lent is the installation whose permissions bound what a person does through an App.
func (a *actor) lent(r *Repository) *installation {
	if a.app == nil || a.jwt {
		return nil
	}
	for _, i := range r.s.installations {
		if i.app == a.app && i.covers(r) && i.suspended.IsZero() {
			return i
		}
	}
	return nil
}

func (a *actor) scoped(any ...string) bool {
	return slices.ContainsFunc(any, func(s string) bool { return slices.Contains(a.scopes, s) })
}

// may says whether an actor has one of some permissions, such as "issues:write|pull_requests:write",
// or as a person the role.
func (a *actor) may(r *Repository, needs string, role promotion.Permission) *refusal {
	if !a.sees(r) {
		return notFound()
	}
	reading := true
	for _, need := range strings.Split(needs, "|") {
		_, level, _ := strings.Cut(need, ":")
		reading = reading && level == "read"
	}
	switch {
	case a.install != nil:
		if !a.install.suspended.IsZero() {
			return refuse(http.StatusForbidden, "This installation has been suspended")
		}
		for _, need := range strings.Split(needs, "|") {
			name, level, _ := strings.Cut(need, ":")
			if a.inReach(r) && reaches(a.permissions[name], level) {
				return nil
			}
		}
		if reading && !r.o.Private && !strings.HasPrefix(needs, "administration") {
			return nil
		}
		return forbidden()
	case a.who == nil:
		if reading && role == promotion.PermissionRead {
			return nil
		}
		return refuse(http.StatusUnauthorized, "Requires authentication")
	case a.app != nil:
		// https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/authenticating-with-a-github-app-on-behalf-of-a-user
		granted := reading && !r.o.Private
		for _, need := range strings.Split(needs, "|") {
			name, level, _ := strings.Cut(need, ":")
			granted = granted || a.lent(r) != nil && reaches(a.lent(r).permissions[name], level)
		}
		if !granted {
			return forbidden()
		}
	case !reading && !a.scoped("repo") && (r.o.Private || !a.scoped("public_repo")):
		return notFound()
	}
	switch {
	case !r.role(a.who).AtLeast(role):
		if role == promotion.PermissionAdmin || role == promotion.PermissionMaintain {
			return refuse(http.StatusForbidden, "Must have admin rights to Repository.")
		}
		return refuse(http.StatusForbidden, "Must have push access to "+r.fullName()+".")
	}
	return nil
}

func secretText() string {
	b := make([]byte, 20)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}
