package setup

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

var pages = template.Must(template.New("").Parse(pageText))

// styleHash lets the one style of the pages in, and no other
// (https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Content-Security-Policy/style-src).
var styleHash = func() string {
	sum := sha256.Sum256([]byte(pageStyle))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}()

// A head is what every page has.
type head struct{ Title string }

// Style is the style sheet.
func (head) Style() template.CSS { return template.CSS(pageStyle) } // ours alone

// show writes a page that loads nothing and runs nothing.
func show(w http.ResponseWriter, status int, github *url.URL, name string, data any) {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, data); err != nil {
		http.Error(w, "the page cannot be written", http.StatusInternalServerError) // unreachable: the templates are tested
		return
	}
	guard(w.Header(), github)
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

// guard sets the headers of a page. Its form may lead to any https address, since browsers
// hold redirects to form-action as well, and a GitHub may send people to log in elsewhere first
// (https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Content-Security-Policy/form-action).
func guard(h http.Header, github *url.URL) {
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src "+styleHash+"; form-action 'self' https: "+github.Scheme+"://"+github.Host+"; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "origin") // the path is a secret
	h.Set("Cache-Control", "no-store")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
}
