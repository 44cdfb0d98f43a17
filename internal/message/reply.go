package message

import (
	"fmt"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

const (
	replyStart = "<!-- pinnace:reply "
	maxKey     = 100
)

// replied ends a comment with a line that does not show, by which [ReplyKey] finds it.
// Of a key, only letters, digits, dots, hyphens and underscores are written.
func replied(key string, sections ...string) string {
	key = strings.Map(func(r rune) rune {
		if keyed(r) {
			return r
		}
		return '_'
	}, key)
	key = key[:min(len(key), maxKey)]
	return paragraphs(append(sections, replyStart+key+markEnd)...)
}

// ReplyKey returns the key that a comment or an issue of Pinnace was written with: letters,
// digits, dots, hyphens and underscores, at most 100. It is "" for any other text. Anybody
// can write such a line, so it says something only of what our own account wrote.
func ReplyKey(body string) string {
	key := ""
	for line := range strings.Lines(body) {
		line, start := strings.CutPrefix(strings.TrimRight(line, "\r\n"), replyStart)
		line, end := strings.CutSuffix(line, markEnd)
		if start && end && line != "" && len(line) <= maxKey && strings.IndexFunc(line, func(r rune) bool { return !keyed(r) }) < 0 {
			key = line
		}
	}
	return key
}

func keyed(r rune) bool { return r <= '~' && (wordly(r) || strings.ContainsRune("._-", r)) }

// Opened answers a request: its pull request is that one.
func Opened(key string, r promotion.Request, number int) string {
	return replied(key, fmt.Sprintf("%s Opened #%d to %s.", mark(promotion.Passed), number, wish(r)))
}

// Refused answers a request that leads to no pull request: for the rules of a decision, for
// reasons, which are sentences, or for both.
func Refused(key string, r promotion.Request, d *promotion.Decision, reasons []string) string {
	sections := []string{mark(promotion.Denied) + " Refused to " + wish(r) + ".", bullets(reasons)}
	if d != nil {
		sections = append(sections, inTheWay(*d)...)
	}
	return replied(key, sections...)
}

// Outcome reads what [Opened] and [Refused] say in a comment of Pinnace: the numbers of the
// pull requests, and whether anything was refused or not understood. The text is what is left
// for people.
func Outcome(body string) (opened []int, refused bool, text string) {
	var lines []string
	for line := range strings.Lines(body) {
		line = strings.TrimRight(line, "\r\n")
		if strings.HasPrefix(line, replyStart) {
			continue
		}
		lines = append(lines, line)
		number := 0
		if said, ok := strings.CutPrefix(line, mark(promotion.Passed)+" Opened #"); ok {
			if _, err := fmt.Sscanf(said, "%d to ", &number); err == nil {
				opened = append(opened, number)
			}
		}
		refused = refused || strings.HasPrefix(line, mark(promotion.Denied)+" ") || strings.HasPrefix(line, mark(promotion.Unknown)+" ")
	}
	return opened, refused, strings.TrimSpace(strings.Join(lines, "\n"))
}

// Waits answers a request whose time comes later, by itself: the reasons say when.
func Waits(key string, r promotion.Request, reasons []string) string {
	return replied(key, mark(promotion.Waiting)+" Waits to "+wish(r)+".", bullets(reasons))
}

// NotDone answers commands that are not for who wrote them, or not for where they were written.
func NotDone(key string, reasons []string) string {
	return replied(key, mark(promotion.Denied)+" Not done.", bullets(reasons))
}

// Problem answers a comment that could not be understood. The texts say what is wrong and
// what would do.
func Problem(key string, texts []string) string {
	return replied(key, mark(promotion.Unknown)+" Nothing was done: the command could not be understood.", bullets(texts))
}

// Deployed answers the command that led to a merge.
func Deployed(key string, by promotion.Identity, commit string) string {
	s := mark(promotion.Passed) + " Merged"
	if sha := shortSHA(commit); sha != "" {
		s += " as " + sha
	}
	if who := person(by); who != "" {
		s += ", as " + who + " asked"
	}
	return replied(key, s+".")
}

// NotDeployed answers the command that led to no merge: for the rules of a decision, for
// reasons, which are sentences, or for both.
func NotDeployed(key string, by promotion.Identity, d *promotion.Decision, reasons []string) string {
	s := mark(promotion.Denied) + " Not merged"
	if d != nil && len(reasons) == 0 && d.Status != promotion.Denied {
		s = mark(d.Status) + " Not merged yet"
	}
	if who := person(by); who != "" {
		s += ", though " + who + " asked"
	}
	sections := []string{s + ".", bullets(reasons)}
	if d != nil {
		sections = append(sections, inTheWay(*d)...)
	}
	return replied(key, sections...)
}

// wish is what a request asks, as a part of a sentence.
func wish(r promotion.Request) string {
	app, env := code(r.App, 100), code(r.Env, 63)
	if app == "" {
		app = "an app"
	}
	tag := ""
	for n, w := range r.Images {
		if n > 0 && w.Tag != tag {
			tag = ""
			break
		}
		tag = w.Tag
	}
	if t := code(tag, 128); t != "" && r.Kind == promotion.Rollback {
		app += " back to " + t
	} else if t != "" {
		app += " " + t
	} else if r.Kind == promotion.Rollback {
		app += " back"
	}
	switch {
	case r.Kind == promotion.Rollback && env == "":
		return "roll " + app
	case r.Kind == promotion.Rollback:
		return "roll " + app + " in " + env
	}
	s := "promote " + app
	if env != "" {
		s += " to " + env
	}
	if from := code(r.From, 63); from != "" {
		s += " from " + from
	}
	return s
}

// bullets lists sentences.
func bullets(texts []string) string {
	var rows []string
	for _, s := range texts {
		if s = Text(s); s != "" {
			rows = append(rows, "- "+s+"\n")
		}
	}
	return listed(rows, stepsRoom, "line")
}
