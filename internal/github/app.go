package github

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	gh "github.com/google/go-github/v60/github"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// AppOptions say which App asks. ID and one of Key and Signer are needed.
type AppOptions struct {
	// ID is the number of the App, which its settings page shows.
	ID int64
	// Key is the private key: the whole .pem file.
	Key []byte
	// Signer signs instead of Key, so that the key may stay in a vault.
	Signer crypto.Signer

	// The rest is as in Options.
	URL       string
	Transport http.RoundTripper
	UserAgent string
	Observe   func(Call)
	Log       *slog.Logger
	Now       func() time.Time
	Sleep     func(context.Context, time.Duration) error
	MaxWait   time.Duration
}

// An App speaks for a GitHub App itself: of its installations and its webhook. It is safe for
// use by several goroutines.
type App struct {
	client *Client
	tokens *appTokens

	mu   sync.Mutex
	self promotion.Self // zero until GitHub was asked; owned by mu
}

// NewApp returns an App, or an error that names the option that is wrong.
func NewApp(o AppOptions) (*App, error) {
	if o.ID <= 0 {
		return nil, errors.New("github App: give its number, which its settings page shows as App ID")
	}
	signer := o.Signer
	if signer == nil {
		var err error
		if signer, err = parseKey(o.Key); err != nil {
			return nil, fmt.Errorf("private key of github App %d: %w", o.ID, err)
		}
	}
	if err := checkSigner(signer); err != nil {
		return nil, fmt.Errorf("private key of github App %d: %w", o.ID, err)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	tokens := &appTokens{id: o.ID, signer: signer, now: o.Now}
	client, err := New(Options{
		URL: o.URL, Transport: o.Transport, Tokens: tokens, UserAgent: o.UserAgent, Observe: o.Observe, Log: o.Log,
		Now: o.Now, Sleep: o.Sleep, MaxWait: o.MaxWait,
	})
	if err != nil {
		return nil, err
	}
	return &App{client: client, tokens: tokens}, nil
}

// An AppIdentity is what GitHub knows of an App.
type AppIdentity struct {
	ID          int64
	Slug, Name  string
	URL         string
	Owner       promotion.Identity
	Permissions map[string]string // asked for, such as "contents": "write"
	Events      []string
}

// Bot returns the login of the account that acts for the App.
func (i AppIdentity) Bot() string { return i.Slug + "[bot]" }

// Identity asks GitHub who the App is; it also shows that number and key belong together.
func (a *App) Identity(ctx context.Context) (AppIdentity, error) {
	var w struct {
		ID          int64             `json:"id"`
		Slug        string            `json:"slug"`
		Name        string            `json:"name"`
		HTMLURL     string            `json:"html_url"`
		Owner       *gh.User          `json:"owner"`
		Permissions map[string]string `json:"permissions"`
		Events      []string          `json:"events"`
	}
	if _, err := a.client.read(ctx, call{op: "ask who the App is", path: at("/app")}, &w); err != nil {
		return AppIdentity{}, err
	}
	return AppIdentity{
		ID: w.ID, Slug: w.Slug, Name: w.Name, URL: w.HTMLURL, Owner: someone(w.Owner),
		Permissions: w.Permissions, Events: w.Events,
	}, nil
}

// An Installation is an App on an account.
type Installation struct {
	ID           int64
	Account      promotion.Identity
	Organization bool              // the account is one
	Permissions  map[string]string // granted, such as "contents": "write"
	Events       []string
	Selected     bool // it sees chosen repositories only
	Suspended    bool
}

type wireInstallation struct {
	ID                  int64             `json:"id"`
	Account             *gh.User          `json:"account"`
	TargetType          string            `json:"target_type"`
	Permissions         map[string]string `json:"permissions"`
	Events              []string          `json:"events"`
	RepositorySelection string            `json:"repository_selection"`
	SuspendedAt         *gh.Timestamp     `json:"suspended_at"`
}

func (w wireInstallation) noun() Installation {
	return Installation{
		ID: w.ID, Account: identity(w.Account), Organization: w.TargetType == "Organization", Permissions: w.Permissions,
		Events: w.Events, Selected: w.RepositorySelection == "selected", Suspended: w.SuspendedAt != nil,
	}
}

// Installations returns all installations of the App.
func (a *App) Installations(ctx context.Context) ([]Installation, error) {
	wire, err := collect[wireInstallation](ctx, a.client, call{op: "list the App's installations", path: at("/app/installations")})
	if err != nil {
		return nil, err
	}
	all := make([]Installation, 0, len(wire))
	for _, w := range wire {
		all = append(all, w.noun())
	}
	return all, nil
}

// InstallationOf returns the installation that sees a repository; ok is false where the App
// is not installed on it.
func (a *App) InstallationOf(ctx context.Context, owner, name string) (i Installation, ok bool, err error) {
	var w wireInstallation
	_, err = a.client.read(ctx, call{
		op:   "find the App's installation on " + clean(owner+"/"+name, ""),
		path: at("/repos").owner(owner).name(name).add("/installation"),
	}, &w)
	if ok, err := found(err); !ok {
		return Installation{}, false, err
	}
	return w.noun(), w.ID != 0, nil
}
