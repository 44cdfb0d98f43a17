package setup

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// ServerOptions say how a server without an App is set up.
type ServerOptions struct {
	Options
	// Root is the address that people reach the server by, such as https://pinnace.example.com;
	// https, or http on the loopback address. GitHub sends the browser back to it. Where it is
	// App.Webhook, too, that is completed with [HookPath].
	Root string
	// Lifetime is how long the link serves; 0 = an hour.
	Lifetime time.Duration
	Now      func() time.Time // nil: time.Now
	// Done is called once, after the credentials are stored.
	Done func(Result)
}

// The paths below which [Handler] serves.
const (
	Prefix = "/setup/"
	cookie = "pinnace_setup"
)

// Handler serves [Prefix] of a server that has no App yet. The link that it returns belongs
// in the server's log and nowhere else: the first browser that opens it, within the lifetime,
// may register the App, and no other.
func Handler(o ServerOptions) (h http.Handler, link string, err error) {
	root, err := url.Parse(o.Root)
	if err != nil || root.Host == "" || root.User != nil || root.RawQuery != "" || root.Fragment != "" {
		return nil, "", fmt.Errorf("the server's address is %q: want one such as https://pinnace.example.com", o.Root)
	}
	ip := net.ParseIP(root.Hostname())
	if local := root.Hostname() == "localhost" || ip != nil && ip.IsLoopback(); root.Scheme != "https" && (root.Scheme != "http" || !local) {
		return nil, "", errors.New("the server's address must begin with https://: the code that GitHub sends back opens the App's key to whoever reads it on the way")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Lifetime == 0 {
		o.Lifetime = time.Hour
	}
	root.Path = strings.TrimRight(root.Path, "/")
	if w := strings.TrimRight(o.App.Webhook, "/"); w == root.String() {
		o.App.Webhook = root.JoinPath(HookPath).String()
	}
	d := &door{token: random(), session: random(), secure: root.Scheme == "https", until: o.Now().Add(o.Lifetime), now: o.Now, told: o.Done}
	if d.flow, err = newFlow(o.Options, root.JoinPath(Prefix, "done").String(), root.Path+Prefix+"app"); err != nil {
		return nil, "", err
	}
	d.below = root.Path
	return d, root.JoinPath(Prefix, d.token).String(), nil
}

// A door lets one browser in.
type door struct {
	flow    *flow
	token   string // of the link
	session string // of the browser that opened it
	below   string // the path of the server's root
	secure  bool
	until   time.Time
	now     func() time.Time
	told    func(Result)

	mu     sync.Mutex
	opened bool // the link has served
	said   bool
}

// ServeHTTP takes requests with the server's own paths, without what a proxy put before them.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", "GET")
		http.Error(w, "This page is read with GET.", http.StatusMethodNotAllowed)
		return
	}
	rest, ok := strings.CutPrefix(r.URL.Path, Prefix)
	switch {
	case !ok:
		http.NotFound(w, r)
	case rest == "app" && d.inside(r):
		d.flow.form(w)
	case rest == "done" && d.inside(r):
		d.flow.back(w, r)
		d.tell()
	case rest == "app" || rest == "done":
		d.flow.fail(w, http.StatusForbidden, "This page is for the browser that opened the link", "The link is in the server's log. It serves one browser, once; a restart of the server makes another.", "", "")
	default:
		d.open(w, r, rest)
	}
}

// open spends the link.
func (d *door) open(w http.ResponseWriter, r *http.Request, token string) {
	right := same(token, d.token)
	d.mu.Lock()
	late, opened := !d.now().Before(d.until), d.opened
	if right && !late {
		d.opened = true
	}
	d.mu.Unlock()
	switch {
	case !right:
		http.NotFound(w, r)
	case late, opened && !d.inside(r):
		d.flow.fail(w, http.StatusGone, "This link has served", "It serves one browser, once, and for a time. If that was not you, look for who registered the App; a restart of the server makes another link.", "", "")
	default:
		// Lax lets it go with the browser that GitHub sends back.
		http.SetCookie(w, &http.Cookie{
			Name: cookie, Value: d.session, Path: d.below + Prefix, HttpOnly: true, Secure: d.secure, SameSite: http.SameSiteLaxMode,
			MaxAge: max(1, int(d.until.Sub(d.now()).Seconds())),
		})
		guard(w.Header(), d.flow.o.Web)
		http.Redirect(w, r, d.below+Prefix+"app", http.StatusSeeOther)
	}
}

// inside says whether a request comes from the browser that opened the link, in time.
func (d *door) inside(r *http.Request) bool {
	c, err := r.Cookie(cookie)
	d.mu.Lock()
	defer d.mu.Unlock()
	return err == nil && d.opened && same(c.Value, d.session) && d.now().Before(d.until)
}

// tell says once that the App is registered.
func (d *door) tell() {
	d.flow.mu.Lock()
	result := d.flow.result
	d.flow.mu.Unlock()
	d.mu.Lock()
	first := result != nil && !d.said
	d.said = d.said || first
	d.mu.Unlock()
	if first && d.told != nil {
		d.told(*result)
	}
}
