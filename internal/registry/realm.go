package registry

import (
	"net/netip"
	"net/url"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// realmOf returns the token server that a registry named, or an error where no
// request may go there. The message does not repeat the address, which may hold a
// secret.
func realmOf(t target, d *door) (*url.URL, error) {
	text, ok := d.challenge.Parameters["realm"]
	if !ok {
		return nil, refuse("%s wants a token and names no server for it", t.host)
	}
	realm, err := url.Parse(text)
	if err != nil || realm.Host == "" {
		return nil, refuse("%s wants a token from something that is not an address", t.host)
	}
	if realm.Scheme != "https" && !(realm.Scheme == "http" && d.scheme == "http") {
		return nil, refuse("%s wants a token over %q: want https", t.host, clean(realm.Scheme))
	}
	if a, err := netip.ParseAddr(realm.Hostname()); err == nil && reserved(a) != "" && originOf(realm) != originOf(d.url(t)) {
		return nil, refuse("%s wants a token from %s, a %s address", t.host, a, reserved(a))
	}
	return realm, nil
}

// trusted reports whether the token server at realm may have the credentials of a
// registry: it is the same server, or is reached by https within the same
// registrable domain.
func trusted(registry, realm *url.URL) bool {
	if originOf(registry) == originOf(realm) {
		return true
	}
	domain := registrable(registry.Hostname())
	return realm.Scheme == "https" && domain != "" && domain == registrable(realm.Hostname())
}

// registrable returns the domain that one owner registered, by the Public Suffix List
// (https://publicsuffix.org/list/), or "" for an address or a name that has none.
func registrable(host string) string {
	host = strings.ToLower(host)
	last := host[strings.LastIndexByte(host, '.')+1:]
	if last == "" || strings.Contains(host, ":") || last[0] >= '0' && last[0] <= '9' {
		return ""
	}
	if strings.ContainsFunc(host, func(r rune) bool { return r > '~' }) {
		return ""
	}
	domain, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil {
		return ""
	}
	return domain
}
