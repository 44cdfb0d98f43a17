package setup

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// An App is what a person wants registered.
type App struct {
	Name    string   // on GitHub, where it is the only one of it; at most 34 characters
	Org     string   // the organisation that owns it; "" = the person's own account
	Webhook string   // https address of the server's /webhooks/github; "" = no webhook
	With    []string // permissions besides the usual ones
	Without []string // usual permissions that it shall not ask for
}

const (
	maxName  = 34 // https://docs.github.com/en/apps/creating-github-apps/registering-a-github-app/registering-a-github-app
	homepage = "https://github.com/pinnace-dev/pinnace"
)

// Permissions returns those that the App asks for, or an error that names the mistake.
func (a App) Permissions() ([]Permission, error) {
	for _, name := range slices.Concat(a.With, a.Without) {
		i := slices.IndexFunc(permissions, func(p Permission) bool { return p.Name == name })
		switch {
		case i < 0:
			return nil, fmt.Errorf("permission %q: Pinnace uses none of that name; it knows %s", name, strings.Join(names(), ", "))
		case permissions[i].Needed && slices.Contains(a.Without, name):
			return nil, fmt.Errorf("permission %s: Pinnace does not run without it: %s", name, permissions[i].Loss)
		}
	}
	return slices.DeleteFunc(Permissions(), func(p Permission) bool {
		return slices.Contains(a.Without, p.Name) || p.Extra && !slices.Contains(a.With, p.Name)
	}), nil
}

func names() []string {
	var all []string
	for _, p := range permissions {
		all = append(all, p.Name)
	}
	return all
}

// Validate says what is wrong with the App, before GitHub does.
func (a App) Validate() error {
	switch n := len([]rune(a.Name)); {
	case n == 0 || strings.TrimSpace(a.Name) != a.Name:
		return errors.New("the App's name is empty, or begins or ends with a space")
	case n > maxName:
		return fmt.Errorf("the App's name has %d characters; GitHub takes at most %d", n, maxName)
	case strings.ContainsFunc(a.Name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return errors.New("the App's name holds a character that cannot be seen")
	}
	if a.Org != "" && (len(a.Org) > 100 || strings.Trim(a.Org, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" || a.Org[0] == '-') {
		return fmt.Errorf("%q is not the name of an organisation: write it as in github.com/NAME", a.Org)
	}
	if a.Webhook != "" {
		if err := CheckWebhook(a.Webhook); err != nil {
			return err
		}
	}
	_, err := a.Permissions()
	return err
}

// HookPath is where a server takes GitHub's deliveries.
const HookPath = "/webhooks/github"

// Webhook returns the address of a server's webhook: the server's own, with [HookPath] where
// it has no path.
func Webhook(text string) string {
	if u, err := url.Parse(text); err == nil && u.Host != "" && strings.Trim(u.Path, "/") == "" {
		return u.JoinPath(HookPath).String()
	}
	return text
}

// CheckWebhook says why GitHub could not deliver to an address, or should not.
func CheckWebhook(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || u.Opaque != "":
		return fmt.Errorf("webhook URL %q: want an address such as https://pinnace.example.com/webhooks/github", text)
	case u.Scheme != "https":
		return fmt.Errorf("webhook URL %s: want https, so that nobody on the way reads or changes what is delivered", text)
	case strings.Trim(u.Path, "/") == "":
		return fmt.Errorf("webhook URL %s: the server listens at %s", text, u.JoinPath(HookPath))
	}
	host := u.Hostname()
	if ip := net.ParseIP(host); ip != nil && (ip.IsLoopback() || ip.IsUnspecified() || ip.IsLinkLocalUnicast()) || host == "localhost" {
		return fmt.Errorf("webhook URL %s: GitHub cannot reach this machine by that address: give the one that the Internet, or your GitHub Enterprise Server, knows it by", text)
	}
	return nil
}

// manifest is the JSON that GitHub makes an App of
// (https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest#github-app-manifest-parameters).
func (a App) manifest(redirect string) (string, error) {
	granted, err := a.Permissions()
	if err != nil {
		return "", err
	}
	type hook struct {
		URL    string `json:"url"`
		Active bool   `json:"active"`
	}
	m := struct {
		Name        string            `json:"name"`
		Description string            `json:"description"`
		URL         string            `json:"url"`
		Hook        *hook             `json:"hook_attributes,omitempty"`
		Redirect    string            `json:"redirect_url"`
		Public      bool              `json:"public"`
		Permissions map[string]string `json:"default_permissions"`
		Events      []string          `json:"default_events"`
	}{
		Name: a.Name, Description: "Pins container images in git, and promotes what was tested.", URL: homepage,
		Redirect: redirect, Permissions: map[string]string{}, Events: []string{},
	}
	for _, p := range granted {
		m.Permissions[p.Name] = p.Level
	}
	if a.Webhook != "" { // without one GitHub takes no events
		m.Hook = &hook{a.Webhook, true}
		for _, e := range Events(granted) {
			m.Events = append(m.Events, e.Name)
		}
	}
	text, err := json.Marshal(m)
	return string(text), err
}
