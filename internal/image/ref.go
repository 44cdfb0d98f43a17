package image

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf8"
)

// DefaultRegistry is the registry of a name that gives none.
const DefaultRegistry = "docker.io"

// maxTag is the longest tag
// (https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests).
const maxTag = 128

// maxName is the longest repository name, in its canonical form, that
// distribution/reference accepts.
const maxName = 255

// A Ref is an image reference. Name is spelled as its author spelled it; Tag and
// Digest are empty where none is written.
type Ref struct {
	Name   string
	Tag    string
	Digest Digest
}

// Parse returns the reference that s spells: name[:tag][@digest]. The error says
// which part is wrong and does not repeat the whole of s.
func Parse(s string) (Ref, error) {
	if s == "" {
		return Ref{}, errors.New("image reference is empty")
	}
	var r Ref
	rest, digest, pinned := strings.Cut(s, "@")
	if pinned {
		d, err := ParseDigest(digest)
		if err != nil {
			return Ref{}, err
		}
		r.Digest = d
	}
	r.Name = rest
	if i := strings.LastIndexByte(rest, ':'); i >= 0 && !strings.Contains(rest[i:], "/") && !strings.HasSuffix(rest, "]") {
		r.Name, r.Tag = rest[:i], rest[i+1:]
		if err := checkTag(r.Tag); err != nil {
			return Ref{}, err
		}
	}
	if err := checkName(r.Name); err != nil {
		return Ref{}, err
	}
	return r, nil
}

// String spells the reference: name[:tag][@digest].
func (r Ref) String() string {
	s := r.Name
	if r.Tag != "" {
		s += ":" + r.Tag
	}
	if r.Digest != "" {
		s += "@" + string(r.Digest)
	}
	return s
}

// Pinned reports whether the reference carries a digest.
func (r Ref) Pinned() bool { return r.Digest != "" }

// TagOrLatest returns the tag that a registry is asked for: "latest" where none is
// written.
func (r Ref) TagOrLatest() string {
	if r.Tag == "" {
		return "latest"
	}
	return r.Tag
}

// WithDigest returns r with the digest set and an unwritten tag spelled out, so
// that what was resolved stays readable beside the digest.
func (r Ref) WithDigest(d Digest) Ref {
	if r.Tag == "" && r.Digest == "" {
		r.Tag = "latest"
	}
	r.Digest = d
	return r
}

// Registry returns the host, with its port if one is written, that serves the
// image; DefaultRegistry where none is named.
func (r Ref) Registry() string {
	host, _ := splitName(r.Name)
	return host
}

// Repository returns the canonical name, without tag and digest:
// "docker.io/library/nginx" for "nginx".
func (r Ref) Repository() string {
	host, path := splitName(r.Name)
	return host + "/" + path
}

// Path returns the canonical name within its registry: "library/nginx" for "nginx".
func (r Ref) Path() string {
	_, path := splitName(r.Name)
	return path
}

// Tagged returns the canonical name with its tag, the key under which two spellings
// of one image are one look-up: "docker.io/library/nginx:latest" for "nginx".
func (r Ref) Tagged() string { return r.Repository() + ":" + r.TagOrLatest() }

func splitName(name string) (host, path string) {
	host, path, ok := strings.Cut(name, "/")
	if !ok || !isHost(host) {
		host, path = DefaultRegistry, name
	}
	if host == "index.docker.io" {
		host = DefaultRegistry
	}
	if host == DefaultRegistry && !strings.Contains(path, "/") {
		path = "library/" + path
	}
	return host, path
}

// isHost says whether the first component of a name is a registry, by Docker's rule.
func isHost(s string) bool {
	return s == "localhost" || strings.ContainsAny(s, ".:[") || strings.ToLower(s) != s
}

func checkTag(tag string) error {
	switch {
	case tag == "":
		return errors.New("nothing follows the colon: want a tag")
	case len(tag) > maxTag:
		return fmt.Errorf("tag has %d characters, more than %d", len(tag), maxTag)
	case tag[0] == '.' || tag[0] == '-':
		return fmt.Errorf("tag %q starts with %q", clip(tag), tag[:1])
	}
	for i := range len(tag) {
		if c := tag[i]; !isAlnum(c) && c != '_' && c != '.' && c != '-' {
			return fmt.Errorf("tag %q holds %s", clip(tag), quoteAt(tag, i))
		}
	}
	return nil
}

func checkName(name string) error {
	if name == "" {
		return errors.New("image reference has no name")
	}
	path := name
	if host, rest, ok := strings.Cut(name, "/"); ok && isHost(host) {
		if err := checkHost(host); err != nil {
			return err
		}
		path = rest
	}
	if host, rest := splitName(name); len(host)+1+len(rest) > maxName {
		return fmt.Errorf("name has %d characters in its canonical form, more than %d", len(host)+1+len(rest), maxName)
	}
	for part := range strings.SplitSeq(path, "/") {
		if err := checkComponent(part); err != nil {
			return err
		}
	}
	if len(path) == 64 && path == name && isHex(path) {
		return errors.New("64 hexadecimal digits alone are an image id, not a name")
	}
	return nil
}

// checkComponent holds one part of a path to: alphanumerics joined by one period,
// one or two underscores, or any number of hyphens.
func checkComponent(part string) error {
	if part == "" {
		return errors.New("name has an empty component")
	}
	for i := 0; i < len(part); {
		c := part[i]
		if c >= 'A' && c <= 'Z' {
			return fmt.Errorf("name component %q holds upper case %q: repository names are lower case", clip(part), part[i:i+1])
		}
		if isAlnum(c) {
			i++
			continue
		}
		start := i
		for i < len(part) && part[i] == c {
			i++
		}
		run := part[start:i]
		separator := run == "." || run == "_" || run == "__" || c == '-'
		if !separator {
			return fmt.Errorf("name component %q holds %s", clip(part), quoteAt(part, start))
		}
		if start == 0 || i == len(part) || !isAlnum(part[i]) {
			return fmt.Errorf("name component %q must start and end with a letter or digit, and have one separator in a row", clip(part))
		}
	}
	return nil
}

func checkHost(host string) error {
	name, port := host, ""
	switch {
	case strings.HasPrefix(host, "["):
		end := strings.IndexByte(host, ']')
		if end < 0 {
			return fmt.Errorf("registry %q has no closing bracket", clip(host))
		}
		a, err := netip.ParseAddr(host[1:end])
		if err != nil || !a.Is6() || a.Zone() != "" {
			return fmt.Errorf("registry %q is not an IPv6 address in brackets", clip(host))
		}
		rest := host[end+1:]
		if rest == "" {
			return nil
		}
		if rest[0] != ':' {
			return fmt.Errorf("registry %q has text after its bracket", clip(host))
		}
		return checkPort(host, rest[1:])
	case strings.Contains(host, ":"):
		name, port, _ = strings.Cut(host, ":")
		if err := checkPort(host, port); err != nil {
			return err
		}
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || label[0] == '-' || label[len(label)-1] == '-' {
			return fmt.Errorf("registry %q is not a host name", clip(host))
		}
		for i := range len(label) {
			if c := label[i]; !isAlnum(c) && c != '-' {
				return fmt.Errorf("registry %q holds %s", clip(host), quoteAt(label, i))
			}
		}
	}
	return nil
}

func checkPort(host, port string) error {
	if port == "" || len(port) > 5 || strings.Trim(port, "0123456789") != "" {
		return fmt.Errorf("registry %q has a port that is not a number", clip(host))
	}
	return nil
}

func isAlnum(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }

// quoteAt quotes the character of s that holds byte i.
func quoteAt(s string, i int) string {
	r, _ := utf8.DecodeRuneInString(s[i:])
	return fmt.Sprintf("%q", r)
}

// clip shortens foreign text for a message.
func clip(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "..."
}
