package guard

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/pinnace-dev/pinnace/internal/document"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// The limits of foreign words, in runes, and of lists.
const (
	maxName     = 60
	maxProblem  = 600
	maxComments = 10
)

// line makes one line of foreign words.
func line(s string, limit int) string {
	var b strings.Builder
	n := 0
	for _, r := range strings.ToValidUTF8(s, "") {
		if n == limit {
			b.WriteString("...")
			break
		}
		if !unicode.IsPrint(r) {
			r = ' '
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}

// name is how a person is called.
func name(i promotion.Identity) string {
	switch {
	case i.Login != "":
		return line(i.Login, maxName)
	case i.ID != 0:
		return "#" + strconv.FormatInt(i.ID, 10)
	}
	return "somebody"
}

// names are the people of a list, in brackets; "" where it has none.
func names(list []promotion.Identity) string {
	var all []string
	for _, i := range list {
		if i != (promotion.Identity{}) {
			all = append(all, name(i))
		}
	}
	slices.Sort(all)
	all = slices.Compact(all)
	if len(all) == 0 {
		return ""
	}
	return " (" + few(all, 5) + ")"
}

// few lists the first of some words, and counts the others.
func few(words []string, most int) string {
	shown := make([]string, 0, most+1)
	for i, w := range words {
		if i == most {
			shown = append(shown, strconv.Itoa(len(words)-most)+" more")
			break
		}
		shown = append(shown, line(w, maxName))
	}
	return document.List(shown, "and")
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// short is how much of a SHA people read.
func short(sha string) string {
	sha = line(sha, maxName)
	return strings.ToValidUTF8(sha[:min(7, len(sha))], "")
}
