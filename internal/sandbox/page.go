package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// page serves what people see in a browser: a pull request or an issue as text, the form that
// registers an App, and the login. It returns false for any other path.
func (s *Sandbox) page(w http.ResponseWriter, r *http.Request) bool {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/settings/apps/new") {
		owner := ""
		if parts[0] == "organizations" {
			owner = parts[1]
		}
		s.register(w, r, owner)
		return true
	}
	switch r.Method + " " + r.URL.Path {
	case "GET /login/oauth/authorize":
		s.authorize(w, r)
		return true
	case "POST /login/oauth/access_token":
		s.accessToken(w, r)
		return true
	}
	if r.Method != http.MethodGet || len(parts) != 4 || parts[2] != "pull" && parts[2] != "issues" {
		return false
	}
	n, err := strconv.Atoi(parts[3])
	if err != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	repo := s.names[strings.ToLower(parts[0]+"/"+parts[1])]
	if repo == nil || repo.threads[n] == nil || repo.o.Private {
		http.NotFound(w, r)
		return true
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte(repo.threads[n].text()))
	return true
}

// text is the thread for people.
func (t *thread) text() string {
	var b strings.Builder
	state := t.state()
	if t.pull != nil && t.pull.merged {
		state = "merged"
	}
	fmt.Fprintf(&b, "%s #%d (%s)\n", t.title, t.number, state)
	fmt.Fprintf(&b, "by %s in %s\n", t.author.Login, t.r.fullName())
	if p := t.pull; p != nil {
		fmt.Fprintf(&b, "%s -> %s, head %s\n", p.headRef, p.baseRef, p.head)
	}
	fmt.Fprintf(&b, "\n%s\n", t.body)
	for _, c := range t.comments {
		fmt.Fprintf(&b, "\n--- %s commented\n%s\n", c.author.Login, c.body)
	}
	if p := t.pull; p != nil {
		for _, v := range p.reviews {
			fmt.Fprintf(&b, "\n--- %s: %s\n%s\n", v.author.Login, v.state, v.body)
		}
		for _, c := range t.r.latestChecks(p.head.String()) {
			title := c.name
			if c.title != nil {
				title += ": " + *c.title
			}
			fmt.Fprintf(&b, "\n[%s %s] %s\n", c.status, c.conclusion, title)
		}
		for _, x := range t.r.changes(p.since(), p.head) {
			fmt.Fprintf(&b, "\n%s %s\n%s\n", x.status, x.path, x.patch)
		}
	}
	return b.String()
}

// register is the person who agrees to a manifest at once: the browser goes back to
// redirect_url with a code, and the state that it came with.
// https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest
func (s *Sandbox) register(w http.ResponseWriter, r *http.Request, owner string) {
	var m struct {
		Name        string            `json:"name"`
		URL         string            `json:"url"`
		RedirectURL string            `json:"redirect_url"`
		Permissions map[string]string `json:"default_permissions"`
		Events      []string          `json:"default_events"`
		Hook        struct {
			URL string `json:"url"`
		} `json:"hook_attributes"`
	}
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	if err := json.Unmarshal([]byte(r.FormValue("manifest")), &m); err != nil || m.URL == "" || m.RedirectURL == "" {
		http.Error(w, "Invalid GitHub App configuration", http.StatusUnprocessableEntity)
		return
	}
	to, err := url.Parse(m.RedirectURL)
	if err != nil {
		http.Error(w, "Invalid redirect_url", http.StatusUnprocessableEntity)
		return
	}
	if fault := faultOfManifest(m.Events, m.Permissions, m.Hook.URL); fault != "" {
		http.Error(w, "Invalid GitHub App configuration: "+fault, http.StatusUnprocessableEntity)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	name := m.Name
	if name == "" {
		name = "app-" + itoa(s.next())
	}
	app := s.app(AppOptions{Name: name, Owner: owner, Permissions: m.Permissions, Events: m.Events, WebhookURL: m.Hook.URL, Secret: secretText()})
	sum := sha256.Sum256([]byte("code " + itoa(app.id)))
	code := hex.EncodeToString(sum[:20])
	s.manifests[code] = app
	q := to.Query()
	q.Set("code", code)
	q.Set("state", r.URL.Query().Get("state"))
	to.RawQuery = q.Encode()
	http.Redirect(w, r, to.String(), http.StatusFound)
}

// RegisteredApp returns the App of that slug, such as one that was registered by its
// manifest; nil if there is none.
func (s *Sandbox) RegisteredApp(slug string) *App {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.apps {
		if a.slug == slug {
			return a
		}
	}
	return nil
}
