package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"time"
)

// A login is a person who agreed that an App acts for them.
type login struct {
	app *App
	who *account
	at  time.Time
}

// Visit says who sits at the browser: the person that logs in next.
func (s *Sandbox) Visit(login string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.visitor = s.account(login, "User")
}

func (s *Sandbox) clientApp(id string) *App {
	for _, a := range s.apps {
		if a.ClientID() == id {
			return a
		}
	}
	return nil
}

// authorize is the visitor who agrees at once: the browser goes back with a code.
// https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app
func (s *Sandbox) authorize(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	app := s.clientApp(r.URL.Query().Get("client_id"))
	to, err := url.Parse(r.URL.Query().Get("redirect_uri"))
	if app == nil || s.visitor == nil || err != nil || !to.IsAbs() {
		http.NotFound(w, r)
		return
	}
	sum := sha256.Sum256([]byte("login " + itoa(s.next())))
	code := hex.EncodeToString(sum[:10])
	s.logins[code] = login{app, s.visitor, s.now()}
	q := to.Query()
	q.Set("code", code)
	q.Set("state", r.URL.Query().Get("state"))
	to.RawQuery = q.Encode()
	http.Redirect(w, r, to.String(), http.StatusFound)
}

// accessToken exchanges a code, once and within ten minutes; a wrong one is 200 with error.
// https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors
func (s *Sandbox) accessToken(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	id, secret, code := r.FormValue("client_id"), r.FormValue("client_secret"), r.FormValue("code")
	if user, password, ok := r.BasicAuth(); ok {
		id, secret = user, password
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	app, l := s.clientApp(id), s.logins[code]
	out := url.Values{}
	switch {
	case app == nil || secret != app.ClientSecret():
		out.Set("error", "incorrect_client_credentials")
	case l.app != app || s.now().Sub(l.at) >= 10*time.Minute:
		out.Set("error", "bad_verification_code")
	default:
		delete(s.logins, code)
		by := &actor{who: l.who, app: app, expires: s.now().Add(8 * time.Hour)}
		out.Set("access_token", s.grant("ghu_", by))
		out.Set("token_type", "bearer")
		out.Set("scope", "")
	}
	if r.Header.Get("Accept") != "application/json" {
		w.Header().Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
		_, _ = w.Write([]byte(out.Encode()))
		return
	}
	flat := fields{}
	for k := range out {
		flat[k] = out.Get(k)
	}
	text, _ := json.Marshal(flat)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(text)
}
