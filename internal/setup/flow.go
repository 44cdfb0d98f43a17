package setup

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/pinnace-dev/pinnace/internal/github"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// Options say what is registered, where, and who keeps the credentials.
type Options struct {
	App  App
	API  string   // root of GitHub's REST API; "" = https://api.github.com
	Web  *url.URL // GitHub for people; nil = https://github.com
	Keep Keeper
	// Where says in the page where credentials are written, such as "to /etc/pinnace, which
	// nobody else reads".
	Where string
	// Next is a sentence for the last page; "" has none.
	Next      string
	UserAgent string
	Transport http.RoundTripper // nil: our own
	Log       *slog.Logger      // nil: none
}

// A Result is an App that was registered, and where its credentials are.
type Result struct {
	App    github.Registration
	Places []string
}

// Install returns where an owner chooses the repositories of the App.
func (r Result) Install(web *url.URL) string {
	if web == nil {
		web = publicGitHub
	}
	return web.JoinPath("apps", r.App.Slug, "installations", "new").String()
}

var publicGitHub = &url.URL{Scheme: "https", Host: "github.com"}

// A flow is one registration: from the form to the stored credentials.
type flow struct {
	o        Options
	state    string
	manifest string
	start    string // path of the form
	client   *github.Client
	done     chan struct{} // closed when the credentials are stored

	mu         sync.Mutex // held while GitHub is asked, so that a code is exchanged once
	registered *github.Registration
	secretSet  bool
	result     *Result
}

func newFlow(o Options, redirect, start string) (*flow, error) {
	if o.Web == nil {
		o.Web = publicGitHub
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := o.App.Validate(); err != nil {
		return nil, err
	}
	if err := o.Keep.Ready(); err != nil {
		return nil, err
	}
	manifest, err := o.App.manifest(redirect)
	if err != nil {
		return nil, err
	}
	client, err := github.New(github.Options{URL: o.API, Transport: o.Transport, UserAgent: o.UserAgent, Log: o.Log, Spacing: -1})
	if err != nil {
		return nil, err
	}
	return &flow{o: o, state: random(), manifest: manifest, start: start, client: client, done: make(chan struct{})}, nil
}

// random returns 256 bits as 43 characters that a path and a header hold.
func random() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: https://pkg.go.dev/crypto/rand#Read
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// same compares in a time that says nothing of where two texts differ.
func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// form shows what is asked for, or that it was done.
func (f *flow) form(w http.ResponseWriter) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.result != nil {
		f.showDone(w)
		return
	}
	granted, err := f.o.App.Permissions()
	if err != nil {
		f.fail(w, http.StatusInternalServerError, "The App cannot be registered", err.Error(), "", "") // unreachable: newFlow asked
		return
	}
	action := f.o.Web.JoinPath("settings", "apps", "new")
	if f.o.App.Org != "" {
		action = f.o.Web.JoinPath("organizations", f.o.App.Org, "settings", "apps", "new")
	}
	action.RawQuery = url.Values{"state": {f.state}}.Encode()
	show(w, http.StatusOK, f.o.Web, "register", struct {
		head
		App         App
		Host        string
		Action      string
		Manifest    string
		Permissions []Permission
		Events      []Event
		Where       string
	}{head{"Register the GitHub App · Pinnace"}, f.o.App, f.o.Web.Host, action.String(), f.manifest, granted, Events(granted), f.o.Where})
}

func (f *flow) showDone(w http.ResponseWriter) {
	show(w, http.StatusOK, f.o.Web, "done", struct {
		head
		Name, ID, Host, Install, Next string
	}{head{"The App is registered · Pinnace"}, f.result.App.Name, strconv.FormatInt(f.result.App.ID, 10), f.o.Web.Host, f.result.Install(f.o.Web), f.o.Next})
}

func (f *flow) fail(w http.ResponseWriter, status int, title, message, again, text string) {
	show(w, status, f.o.Web, "failed", struct {
		head
		Message, Again, AgainText string
	}{head{title}, message, again, text})
}

// exchangeTime is how long the exchange may take; it goes on when the browser leaves, since a
// code serves once.
const exchangeTime = time.Minute

// back is where GitHub sends the browser: with the state that the form went with, and a code.
func (f *flow) back(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if !same(q.Get("state"), f.state) {
		f.fail(w, http.StatusForbidden, "This answer belongs to another page", "The state that came with it is not the one that this page gave. Nothing was stored.", f.start, "Begin again")
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), exchangeTime)
	defer cancel()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.result != nil {
		f.showDone(w)
		return
	}
	err := f.finish(ctx, q.Get("code"))
	switch {
	case err == nil:
		f.showDone(w)
		close(f.done)
	case f.registered == nil && (errors.Is(err, promotion.ErrNotFound) || errors.Is(err, promotion.ErrInvalid)):
		f.o.Log.Warn("setup: GitHub does not know the code", "error", err.Error())
		f.fail(w, http.StatusBadGateway, "GitHub does not know this code",
			"A code serves once, and for an hour. If GitHub shows the App, delete it there, since its key cannot be had any more, and begin again.", f.start, "Begin again")
	case f.registered == nil:
		f.o.Log.Warn("setup: the code could not be exchanged", "error", err.Error())
		f.fail(w, http.StatusBadGateway, "GitHub gave no credentials", err.Error()+". The code may still serve: load this page again.", "", "")
	default:
		f.o.Log.Warn("setup: the credentials could not be stored", "error", err.Error())
		f.fail(w, http.StatusInternalServerError, "The App is registered, but its credentials are not stored yet",
			err.Error()+". Pinnace holds them in memory: put that right, and load this page again.", "", "")
	}
}

// finish exchanges the code and stores what it gives, from where an earlier attempt ended.
func (f *flow) finish(ctx context.Context, code string) error {
	if f.registered == nil {
		r, err := f.client.Convert(ctx, code)
		if err != nil {
			return err
		}
		f.registered = &r
		f.o.Log.Info("setup: GitHub registered the App", "app", r.ID, "slug", r.Slug)
	}
	if f.o.App.Webhook == "" {
		f.registered.WebhookSecret = "" // of a webhook that nobody hears
	} else if f.registered.WebhookSecret == "" && !f.secretSet {
		if err := f.giveSecret(ctx); err != nil {
			return err
		}
	}
	places, err := f.o.Keep.Keep(*f.registered)
	if err != nil {
		return err
	}
	f.result = &Result{App: *f.registered, Places: places}
	return nil
}

// giveSecret makes a secret for a webhook that GitHub made none for.
func (f *flow) giveSecret(ctx context.Context) error {
	app, err := github.NewApp(github.AppOptions{
		ID: f.registered.ID, Key: []byte(f.registered.Key.Reveal()), URL: f.o.API, Transport: f.o.Transport, UserAgent: f.o.UserAgent, Log: f.o.Log,
	})
	if err != nil {
		return err
	}
	secret := github.Secret(random())
	if err := app.SetHookSecret(ctx, secret); err != nil {
		return fmt.Errorf("give the webhook a secret: %w", err)
	}
	f.registered.WebhookSecret, f.secretSet = secret, true
	return nil
}
