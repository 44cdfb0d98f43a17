package policy

import (
	"fmt"
	"strings"
	"time"

	"github.com/pinnace-dev/pinnace/internal/document"
	"github.com/pinnace-dev/pinnace/internal/image"
)

const day = 24 * time.Hour

// short spells a length of time as people do: 2d, 90m, 1h30m.
func short(d time.Duration) string {
	if d >= time.Minute {
		d = d.Round(time.Second)
	}
	var b strings.Builder
	if d < 0 {
		b.WriteByte('-')
		d = -d
	}
	for _, u := range []struct {
		letter string
		length time.Duration
	}{{"d", day}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}} {
		if n := d / u.length; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u.letter)
			d -= n * u.length
		}
	}
	if b.Len() == 0 || b.String() == "-" {
		return "0s"
	}
	return b.String()
}

// name spells a reference with its digest cut short.
func name(r image.Ref) string {
	s := r.Name
	if r.Tag != "" {
		s += ":" + r.Tag
	}
	if r.Digest != "" {
		s += "@" + r.Digest.Short()
	}
	return s
}

// stamp spells a time in UTC.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }

// clip shortens foreign text to one line that can be shown.
func clip(s string) string { return clipTo(s, 300) }

// clipTo shortens it to some bytes.
func clipTo(s string, most int) string {
	s = strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f || c == 0x85 || c == 0x2028 || c == 0x2029 {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(s, "?"))
	if len(s) > most {
		cut := most
		for cut > 0 && s[cut]&0xC0 == 0x80 {
			cut--
		}
		s = s[:cut] + "..."
	}
	return s
}

// list spells "a, b or c".
func list(words []string, last string) string { return document.List(words, last) }
