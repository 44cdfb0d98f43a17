package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/document"
	"github.com/pinnace-dev/pinnace/internal/image"
)

// Ignored reports whether pin.ignore matches a reference. A glob matches the name
// as its author spelled it, the canonical name ("docker.io/library/nginx") or the
// short name of Docker's registry ("nginx"); with a tag in the glob ("nginx:1.*"),
// the reference's tag must match as well, where none is written and no digest
// either that is latest.
func (c *Config) Ignored(ref image.Ref) bool {
	for _, glob := range c.Pin.Ignore {
		if matchImage(glob, ref) {
			return true
		}
	}
	return false
}

func matchImage(glob string, ref image.Ref) bool {
	name, tag, tagged := cutTag(glob)
	if tagged {
		if ref.Tag == "" && ref.Pinned() || !matches(tag, ref.TagOrLatest()) {
			return false
		}
	}
	canonical := ref.Repository()
	if matches(name, ref.Name) || matches(name, canonical) {
		return true
	}
	short, docker := strings.CutPrefix(canonical, image.DefaultRegistry+"/")
	return docker && matches(name, strings.TrimPrefix(short, "library/"))
}

// cutTag parts name:tag of a glob. A colon before a slash belongs to a port.
func cutTag(glob string) (name, tag string, ok bool) {
	i := strings.LastIndexByte(glob, ':')
	if i < 0 || strings.Contains(glob[i:], "/") {
		return glob, "", false
	}
	return glob[:i], glob[i+1:], true
}

func checkImageGlob(s string) error {
	switch {
	case s == "":
		return errors.New("the image glob is empty: write one such as ghcr.io/acme/*")
	case strings.Contains(s, "://"):
		return fmt.Errorf("%s is an address: write the image without %s", document.Quote(s), s[:strings.Index(s, "://")+3])
	case strings.Contains(s, "@"):
		return fmt.Errorf("%s holds a digest: write the image without it, such as ghcr.io/acme/* or nginx:1.*", document.Quote(s))
	case strings.ContainsAny(s, " \t\r\n\\"):
		return fmt.Errorf("%s holds a space or a backslash: write an image such as ghcr.io/acme/*", document.Quote(s))
	}
	name, tag, tagged := cutTag(s)
	if tagged && (name == "" || tag == "") {
		return fmt.Errorf("%s has nothing on one side of the colon: write name:tag, or the name alone", document.Quote(s))
	}
	if err := document.CheckGlob(name); err != nil {
		return err
	}
	return document.CheckGlob(tag)
}

func checkRepositoryGlob(s string) error {
	if err := checkImageGlob(s); err != nil {
		return err
	}
	if name, _, tagged := cutTag(s); tagged {
		return fmt.Errorf("%s holds a tag: the rule chooses the tag; write %s", document.Quote(s), name)
	}
	return nil
}

func checkRepository(s string) error {
	ref, err := image.Parse(s)
	switch {
	case strings.ContainsAny(s, "*?[{"):
		return fmt.Errorf("%s is a glob: an app names its repositories one by one", document.Quote(s))
	case err != nil:
		return fmt.Errorf("%s is not an image repository: %w", document.Quote(s), err)
	case ref.Pinned():
		return fmt.Errorf("%s holds a digest: an app names repositories; write %s", document.Quote(s), ref.Name)
	case ref.Tag != "":
		return fmt.Errorf("%s holds a tag: an app names repositories; write %s", document.Quote(s), ref.Name)
	}
	return nil
}

func checkRegistry(s string) error {
	if s == "*" {
		return nil
	}
	const want = "expected a registry host such as ghcr.io or localhost:5000, or * for all"
	switch {
	case strings.Contains(s, "://"):
		return fmt.Errorf("%s is an address: %s", document.Quote(s), want)
	case strings.Contains(s, "/"):
		return fmt.Errorf("%s has a path: %s", document.Quote(s), want)
	case s == "index.docker.io" || s == "registry-1.docker.io":
		return fmt.Errorf("%s is Docker's registry: write %s", document.Quote(s), image.DefaultRegistry)
	case strings.ToLower(s) != s:
		return fmt.Errorf("%s holds upper case: write %s", document.Quote(s), strings.ToLower(s))
	}
	if ref, err := image.Parse(s + "/x"); err != nil || ref.Registry() != s {
		return fmt.Errorf("%s is not a host: %s", document.Quote(s), want)
	}
	return nil
}

func checkMirror(s string) error {
	const want = "expected host[:port][/path], such as mirror.acme.example/ghcr"
	switch {
	case strings.Contains(s, "://"):
		return fmt.Errorf("%s is an address: %s", document.Quote(s), want)
	case strings.HasSuffix(s, "/"):
		return fmt.Errorf("%s ends in /: %s", document.Quote(s), want)
	}
	host, _, _ := strings.Cut(s, "/")
	ref, err := image.Parse(s + "/x")
	if err != nil {
		return fmt.Errorf("%s is not a mirror: %w; %s", document.Quote(s), err, want)
	}
	if ref.Registry() != host && host != "index.docker.io" {
		return fmt.Errorf("%s has no host: %s", document.Quote(s), want)
	}
	return nil
}
