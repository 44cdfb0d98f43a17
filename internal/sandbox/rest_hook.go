package sandbox

// hookGet shows where the App's deliveries go, and that there is a secret, never which.
// https://docs.github.com/en/rest/apps/webhooks#get-a-webhook-configuration-for-an-app
func hookGet(c *call) (any, error) {
	o := c.by.app.o
	if o.WebhookURL == "" {
		return nil, notFound()
	}
	out := fields{"content_type": "json", "insecure_ssl": "0", "url": o.WebhookURL}
	if o.Secret != "" {
		out["secret"] = "********"
	}
	return out, nil
}

// hookUpdate changes the keys that are given.
// https://docs.github.com/en/rest/apps/webhooks#update-a-webhook-configuration-for-an-app
func hookUpdate(c *call) (any, error) {
	var in struct{ URL, Secret *string }
	if no := c.read(&in); no != nil {
		return nil, no
	}
	if in.URL != nil {
		c.by.app.o.WebhookURL = *in.URL
	}
	if in.Secret != nil {
		c.by.app.o.Secret = *in.Secret
	}
	return hookGet(c)
}

// Subscribe replaces the events that the App subscribes to.
func (a *App) Subscribe(events ...string) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.o.Events = events
	a.s.version++
}

// SetSecret changes the secret of the webhook; "" takes it away.
func (a *App) SetSecret(secret string) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.o.Secret = secret
}

// Webhook returns where deliveries go.
func (a *App) Webhook() string {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	return a.o.WebhookURL
}
