package github

import (
	"context"
	"net/http"
)

// A Hook is the webhook of an App, as far as GitHub shows it: never whether it is active.
type Hook struct {
	URL         string // "" where the App has none
	ContentType string // json or form
	HasSecret   bool
	Insecure    bool // GitHub does not verify the certificate
}

const hookOp = "read the App's webhook"

// Hook returns the webhook of the App
// (https://docs.github.com/en/rest/apps/webhooks#get-a-webhook-configuration-for-an-app).
// An App without one has a zero Hook.
func (a *App) Hook(ctx context.Context) (Hook, error) {
	var w struct {
		URL         string `json:"url"`
		ContentType string `json:"content_type"`
		Secret      Secret `json:"secret"`       // GitHub sends asterisks
		InsecureSSL any    `json:"insecure_ssl"` // "0", "1", or the number
	}
	_, err := a.client.read(ctx, call{op: hookOp, path: at("/app/hook/config")}, &w)
	if ok, err := found(err); !ok {
		return Hook{}, err
	}
	return Hook{
		URL: w.URL, ContentType: w.ContentType, HasSecret: w.Secret != "",
		Insecure: w.InsecureSSL == "1" || w.InsecureSSL == float64(1),
	}, nil
}

// SetHookSecret gives the App's webhook a secret
// (https://docs.github.com/en/rest/apps/webhooks#update-a-webhook-configuration-for-an-app).
func (a *App) SetHookSecret(ctx context.Context, secret Secret) error {
	const op = "set the secret of the App's webhook"
	if len(secret) < 16 || !secret.usable() {
		return invalid(op, "it is shorter than 16 characters, or holds one that no header has")
	}
	return a.client.write(ctx, call{
		op: op, method: http.MethodPatch, path: at("/app/hook/config"), repeatable: true, unseen: true,
		body: map[string]string{"secret": secret.Reveal(), "content_type": "json"},
	}, nil)
}
