package github

import (
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A path is what follows the API's root, escaped. It grows by segments only; the first one
// that GitHub could not have makes an error of it.
type path struct {
	text string
	err  error
}

// at begins a path with literal segments of ours, such as "/user".
func at(literal string) path { return path{text: literal} }

// in begins the path of a repository.
func in(r promotion.Repository) path {
	return at("/repos").owner(r.Owner).name(r.Name)
}

func (p path) bad(what, value, why string) path {
	if p.err == nil {
		p.err = fmt.Errorf("%s %q %s", what, cut(value, 80), why)
	}
	return p
}

// add appends literal segments.
func (p path) add(literal string) path {
	p.text += literal
	return p
}

// number appends one positive number.
func (p path) number(n int64) path {
	if n <= 0 {
		return p.bad("number", strconv.FormatInt(n, 10), "is not one that GitHub gives")
	}
	return p.add("/" + strconv.FormatInt(n, 10))
}

var (
	ownerForm = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,99})$`)
	nameForm  = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)
	loginForm = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,99})(?:\[bot\])?$`)
	slugForm  = regexp.MustCompile(`^[\pL\pN_-][\pL\pN._-]*$`)
	shaForm   = regexp.MustCompile(`^(?:[0-9a-f]{40}|[0-9a-f]{64})$`)
	encoded   = regexp.MustCompile(`(?i)%(?:2e|2f|5c|25|00|0a|0d)`)
)

func (p path) owner(s string) path {
	if !ownerForm.MatchString(s) {
		return p.bad("owner", s, "is not a name of an account on GitHub")
	}
	return p.add("/" + s)
}

func (p path) name(s string) path {
	if !nameForm.MatchString(s) || s == "." || s == ".." {
		return p.bad("repository", s, "is not a name of a repository on GitHub")
	}
	return p.add("/" + s)
}

func (p path) login(s string) path {
	if !loginForm.MatchString(s) {
		return p.bad("login", s, "is not a name of an account on GitHub")
	}
	return p.add("/" + url.PathEscape(s))
}

func (p path) slug(s string) path {
	if utf8.RuneCountInString(s) > 255 || !slugForm.MatchString(s) {
		return p.bad("team", s, "is not a team's slug: write the last part of its address")
	}
	return p.add("/" + url.PathEscape(s))
}

func (p path) sha(s string) path {
	if !shaForm.MatchString(s) {
		return p.bad("commit", s, "is not a whole hash of 40 or 64 small hexadecimal digits")
	}
	return p.add("/" + s)
}

// branch appends a branch as one segment.
func (p path) branch(s string) path {
	if why := branchFault(s); why != "" {
		return p.bad("branch", s, why)
	}
	return p.add("/" + url.PathEscape(s))
}

// ref appends a branch as refs/heads/... is written: its slashes stay.
func (p path) ref(s string) path {
	if why := branchFault(s); why != "" {
		return p.bad("branch", s, why)
	}
	return p.segments(s)
}

// file appends the path of a file.
func (p path) file(s string) path {
	if why := fileFault(s); why != "" {
		return p.bad("file", s, why)
	}
	return p.segments(s)
}

// label appends the name of a label.
func (p path) label(s string) path {
	if why := labelFault(s); why != "" {
		return p.bad("label", s, why)
	}
	return p.add("/" + url.PathEscape(s))
}

func (p path) segments(s string) path {
	for part := range strings.SplitSeq(s, "/") {
		p.text += "/" + url.PathEscape(part)
	}
	return p
}

// hostile says what in s could lead a URL astray, whoever decodes it on the way.
func hostile(s string) string {
	switch {
	case s == "":
		return "is empty"
	case len(s) > 4096:
		return "is too long"
	case !utf8.ValidString(s):
		return "is not UTF-8"
	case strings.ContainsFunc(s, unicode.IsControl):
		return "holds control characters"
	case strings.ContainsAny(s, "?#\\"):
		return `holds one of ? # \, which addresses do not bear`
	case encoded.MatchString(s):
		return "holds characters in percent encoding; write them as they are"
	}
	for part := range strings.SplitSeq(s, "/") {
		if part == "." || part == ".." {
			return "holds a step . or .."
		}
	}
	return ""
}

// branchFault says why git would not have the branch
// (https://git-scm.com/docs/git-check-ref-format).
func branchFault(s string) string {
	if why := hostile(s); why != "" {
		return why
	}
	if strings.ContainsAny(s, " ~^:*[") || strings.Contains(s, "..") || strings.Contains(s, "@{") || s == "@" ||
		strings.HasPrefix(s, "-") || strings.HasSuffix(s, ".") {
		return "is not a name that git allows for a branch"
	}
	for part := range strings.SplitSeq(s, "/") {
		if part == "" || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".lock") {
			return "is not a name that git allows for a branch"
		}
	}
	return ""
}

func fileFault(s string) string {
	if why := hostile(s); why != "" {
		return why
	}
	for part := range strings.SplitSeq(s, "/") {
		if part == "" {
			return "is not a path from the repository's root, such as apps/web/values.yaml"
		}
		if strings.EqualFold(part, ".git") {
			return "leads into .git"
		}
	}
	return ""
}

func labelFault(s string) string {
	if why := hostile(s); why != "" {
		return why
	}
	if utf8.RuneCountInString(s) > 50 {
		return "is longer than the 50 characters of a label"
	}
	return ""
}

// refFault says why s is neither a hash nor a branch.
func refFault(s string) string {
	if shaForm.MatchString(s) {
		return ""
	}
	return branchFault(strings.TrimPrefix(s, "refs/heads/"))
}

// to appends the second commit of a comparison.
func (p path) to(s string) path {
	if !shaForm.MatchString(s) {
		return p.bad("commit", s, "is not a whole hash of 40 or 64 small hexadecimal digits")
	}
	return p.add("..." + s)
}
