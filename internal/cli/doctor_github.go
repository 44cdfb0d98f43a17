package cli

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/pinnace-dev/pinnace/internal/doctor"
	"github.com/pinnace-dev/pinnace/internal/github"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A doctorHub is GitHub as the doctor asks it: for reading only.
type doctorHub struct {
	api     *url.URL
	app     *github.App // nil: none was named
	id      int64
	token   github.Secret
	options github.Options
	tokens  github.TokenSource // once open was called
}

// open joins GitHub without asking it anything.
func (f *doctorFlags) open() (*doctorHub, error) {
	root := cmp.Or(os.Getenv("GITHUB_API_URL"), "https://api.github.com")
	h := &doctorHub{options: github.Options{URL: root, UserAgent: "pinnace/" + versionNumber(), Spacing: -1}}
	var err error
	if h.api, err = url.Parse(root); err != nil || h.api.Host == "" {
		return nil, usage("GITHUB_API_URL is %q: want an address such as https://api.github.com or https://HOST/api/v3", root)
	}
	if err := f.hub.app(); err != nil {
		return nil, err
	}
	if f.hub.appID != 0 {
		key, err := os.ReadFile(f.hub.appKey)
		if err != nil {
			return nil, pathError(f.hub.appKey, err)
		}
		h.id = f.hub.appID
		if h.app, err = github.NewApp(github.AppOptions{ID: h.id, Key: key, URL: root, UserAgent: h.options.UserAgent}); err != nil {
			return nil, usageError{fmt.Errorf("--app-key %s: %w", f.hub.appKey, err)}
		}
	}
	h.token = github.Secret(cmp.Or(os.Getenv("GH_TOKEN"), os.Getenv("GITHUB_TOKEN")))
	if _, err := github.New(h.options); err != nil {
		return nil, usageError{err}
	}
	return h, nil
}

// readable are the permissions that the doctor's token has, where they are granted.
var readable = []string{"contents", "members", "administration", "checks", "pull_requests"}

// open returns what a token sees that reads the repository and, beside it, the
// organisation's rules.
func (h *doctorHub) open(ctx context.Context, owner, name string) (doctor.Forge, error) {
	port := &forgePort{app: h.id}
	o := h.options
	switch {
	case h.app != nil && name != "":
		i, ok, err := h.app.InstallationOf(ctx, owner, name)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, fmt.Errorf("no installation of App %d covers %s/%s: %w", h.id, owner, name, promotion.ErrNotFound)
		}
		permissions := map[string]string{"metadata": "read"}
		for _, p := range readable {
			if i.Permissions[p] != "" {
				permissions[p] = "read"
			}
		}
		o.Tokens = h.app.Tokens(i.ID, nil, permissions)
	case h.app == nil && h.token != "":
		o.Tokens = github.StaticToken(h.token)
	case name != "":
		return nil, fmt.Errorf("%w: set GH_TOKEN (gh auth token prints one) or GITHUB_TOKEN, or name an App with --app-id and --app-key", promotion.ErrUnauthenticated)
	default:
		port.anonymous = true
	}
	h.tokens = o.Tokens
	var err error
	if port.Client, err = github.New(o); err != nil {
		return nil, err
	}
	return port, nil
}

// A forgePort lets the doctor ask a client.
type forgePort struct {
	*github.Client
	app       int64
	anonymous bool
}

// Rulesets returns the rulesets of a branch, with bypass lists in words.
func (p *forgePort) Rulesets(ctx context.Context, repo promotion.Repository, branch string) ([]doctor.Ruleset, error) {
	all, err := p.Client.Rulesets(ctx, repo, branch)
	if err != nil {
		return nil, err
	}
	var out []doctor.Ruleset
	for _, s := range all {
		r := doctor.Ruleset{Name: s.Name, Classic: s.Classic, Shown: s.Shown}
		may := s.Ours == "always" || s.Ours == "pull_requests_only" || s.Ours == "exempt"
		for _, b := range s.Bypass {
			if b.Kind == "Integration" && p.app != 0 && b.Name == fmt.Sprint(p.app) {
				may = true
				continue
			}
			r.Bypass = append(r.Bypass, bypassWords(b))
		}
		switch {
		case p.app != 0:
			r.Ours = may
		case may && !s.Shown:
			r.Bypass, r.Shown = []string{"the account of this token"}, true
		}
		out = append(out, r)
	}
	return out, nil
}

// bypassRoles are GitHub's numbers of the repository roles
// (https://docs.github.com/en/rest/repos/rules#create-a-repository-ruleset).
var bypassRoles = map[string]string{"2": "maintain", "4": "write", "5": "admin", "admin": "admin"}

func bypassWords(b github.Bypass) string {
	text := b.Kind + " " + b.Name
	switch b.Kind {
	case "OrganizationAdmin":
		text = "owners of the organisation"
	case "RepositoryRole":
		text = "everybody with " + cmp.Or(bypassRoles[b.Name], "role "+b.Name)
	case "Team":
		text = "team " + b.Name
	case "Integration":
		text = "App " + b.Name
	case "DeployKey":
		text = "deploy keys"
	case "User":
		text = "user " + b.Name
	}
	if b.Mode == "pull_request" {
		text += ", for pull requests"
	}
	return text
}

// Limits returns what is left for the token.
func (p *forgePort) Limits(ctx context.Context) ([]doctor.Limit, error) {
	if p.anonymous {
		return nil, doctor.Skip("they are a token's: give --repo, or set GH_TOKEN")
	}
	rest, graphql, limited, err := p.Client.Limits(ctx)
	if err != nil || !limited {
		return nil, err
	}
	return []doctor.Limit{
		{Name: "REST", Limit: rest.Limit, Remaining: rest.Remaining, Reset: rest.Reset},
		{Name: "GraphQL", Limit: graphql.Limit, Remaining: graphql.Remaining, Reset: graphql.Reset},
	}, nil
}

// Clock compares in the middle of the question; GitHub's date has whole seconds.
func (p *forgePort) Clock(ctx context.Context) (time.Duration, error) {
	now, took, err := p.Client.Clock(ctx)
	if err != nil {
		return 0, err
	}
	return now.Add(time.Second / 2).Sub(time.Now().Add(-took / 2)), nil
}

// An appPort lets the doctor ask an App of itself.
type appPort struct{ app *github.App }

// Identity returns who the App is.
func (p appPort) Identity(ctx context.Context) (doctor.App, error) {
	i, err := p.app.Identity(ctx)
	return doctor.App{ID: i.ID, Slug: i.Slug, Permissions: i.Permissions, Events: i.Events}, err
}

func installationFact(i github.Installation) doctor.Installation {
	return doctor.Installation{Account: i.Account.Login, Organization: i.Organization, Permissions: i.Permissions, Suspended: i.Suspended}
}

// Installations returns all of the App.
func (p appPort) Installations(ctx context.Context) ([]doctor.Installation, error) {
	all, err := p.app.Installations(ctx)
	var out []doctor.Installation
	for _, i := range all {
		out = append(out, installationFact(i))
	}
	return out, err
}

// InstallationOf returns the one that sees a repository.
func (p appPort) InstallationOf(ctx context.Context, owner, name string) (doctor.Installation, bool, error) {
	i, ok, err := p.app.InstallationOf(ctx, owner, name)
	return installationFact(i), ok, err
}

// Hook returns the webhook.
func (p appPort) Hook(ctx context.Context) (doctor.Hook, error) {
	h, err := p.app.Hook(ctx)
	return doctor.Hook{URL: h.URL, ContentType: h.ContentType, HasSecret: h.HasSecret, Insecure: h.Insecure}, err
}

// Deliveries returns attempts since a time.
func (p appPort) Deliveries(ctx context.Context, since time.Time) ([]doctor.Delivery, error) {
	all, err := p.app.Deliveries(ctx, since)
	var out []doctor.Delivery
	for _, d := range all {
		out = append(out, doctor.Delivery{GUID: d.GUID, At: d.At, OK: d.OK, Status: d.StatusCode})
	}
	return out, err
}
