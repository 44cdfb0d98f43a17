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
