package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// A page is one file while it is written.
type page struct {
	*rand.Rand
	host string
	pool *pool
	app  string
	text strings.Builder
	// pinned writes digests with the images, where pinning would add them.
	pinned bool
	want   []string // the digests that pinning adds, in the order of the text
	keys   int      // for names that must differ within the file
}

func (p *page) line(format string, args ...any) {
	fmt.Fprintf(&p.text, format, args...)
	p.text.WriteByte('\n')
}

// once is true once in n times.
func (p *page) once(n int) bool { return p.IntN(n) == 0 }

func (p *page) pick(from ...string) string { return from[p.IntN(len(from))] }

func (p *page) name() string {
	p.keys++
	return fmt.Sprintf("%s-%d", p.pick(nouns...), p.keys)
}

// image draws an image of which one place is about to be written.
func (p *page) image() img {
	i := p.pool.next()
	p.want = append(p.want, i.digest())
	return i
}

// ref draws an image and spells it whole, some without the tag latest.
func (p *page) ref() string {
	i := p.image()
	if p.pinned {
		return p.host + "/" + i.repository + ":" + i.tag + "@sha256:" + i.digest()
	}
	if i.tag == "latest" && p.once(2) {
		return p.host + "/" + i.repository
	}
	return p.host + "/" + i.repository + ":" + i.tag
}

// quoted is ref in one of YAML's three simple styles.
func (p *page) quoted() string {
	switch r := p.ref(); p.IntN(6) {
	case 0:
		return `"` + r + `"`
	case 1:
		return "'" + r + "'"
	default:
		return r
	}
}

// tag spells a tag as a value of its own, in quotes where YAML would read a number or a
// date.
func (p *page) tag(i img) string {
	if (i.tag[0] == 'v' || strings.Count(i.tag, ".") == 2) && p.once(2) {
		return i.tag
	}
	return p.quote(i.tag)
}

func (p *page) quote(s string) string {
	if p.once(3) {
		return "'" + s + "'"
	}
	return `"` + s + `"`
}

// trail is a comment at the end of a line, or nothing.
func (p *page) trail() string {
	if p.once(8) {
		return p.pick(" # keep", "  # renovate: datasource=docker", " # do not bump before the migration", " # größer als 1.0 — vorsichtig")
	}
	return ""
}

// finish gives the text the traits that editing must keep.
func (p *page) finish(yaml bool) []byte {
	text := p.text.String()
	if p.once(25) {
		text = strings.TrimRight(text, "\n")
	}
	if p.once(12) {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	if yaml && p.once(50) {
		text = "\ufeff" + text
	}
	return []byte(text)
}
