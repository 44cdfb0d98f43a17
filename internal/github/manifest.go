package github

import (
	"context"
	"net/http"
	"regexp"

	gh "github.com/google/go-github/v60/github"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A Registration is an App that was just registered, with the credentials that GitHub shows
// this once.
type Registration struct {
	ID            int64
	Slug, Name    string
	URL           string             // of its page for people
	Owner         promotion.Identity // zero where GitHub does not say
	Key           Secret             // the private key: a whole .pem file
	WebhookSecret Secret             // "" where the App was registered without a webhook
}

// codeForm is what GitHub's codes are made of, and a bound.
var codeForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,200}$`)

// Convert exchanges the code that GitHub gave when an App was registered from a manifest. A
// code serves once and for an hour; another one is promotion.ErrNotFound
// (https://docs.github.com/en/rest/apps/apps#create-a-github-app-from-a-manifest).
func (c *Client) Convert(ctx context.Context, code string) (Registration, error) {
	const op = "take the credentials of the registered App"
	if !codeForm.MatchString(code) {
		return Registration{}, invalid(op, "what came back is not a code of GitHub's")
	}
	var w struct {
		ID            int64    `json:"id"`
		Slug          string   `json:"slug"`
		Name          string   `json:"name"`
		HTMLURL       string   `json:"html_url"`
		Owner         *gh.User `json:"owner"`
		PEM           Secret   `json:"pem"`
		WebhookSecret *Secret  `json:"webhook_secret"`
	}
	err := c.write(ctx, call{op: op, method: http.MethodPost, path: at("/app-manifests").add("/" + code + "/conversions"), unseen: true}, &w)
	if err != nil {
		return Registration{}, err
	}
	if w.ID <= 0 {
		return Registration{}, malformed(op)
	}
	if _, err := parseKey([]byte(w.PEM.Reveal())); err != nil {
		return Registration{}, malformed(op)
	}
	r := Registration{ID: w.ID, Slug: w.Slug, Name: w.Name, URL: w.HTMLURL, Owner: someone(w.Owner), Key: w.PEM}
	if w.WebhookSecret != nil {
		r.WebhookSecret = *w.WebhookSecret
	}
	return r, nil
}
