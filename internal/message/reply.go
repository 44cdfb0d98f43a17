package message

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
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

// Updated answers a request that took the place of another one in an open pull request, whose
// images are those before, nil where nobody knows.
func Updated(key string, r promotion.Request, number int, before []promotion.Wanted) string {
	was, now := code(tagOf(before), 128), code(tagOf(r.Images), 128)
	to := wish(r)
	if now != "" && r.Kind != promotion.Rollback {
		to = now
		if straight(r) {
			to += ", straight from the registry"
		}
	}
	if was != "" && was != now {
		to += ", in place of " + was
	}
	return replied(key, fmt.Sprintf("%s Updated #%d to %s.", mark(promotion.Passed), number, to))
}

// Joined answers a request for what an open pull request is for already.
func Joined(key string, number int) string {
	return replied(key, fmt.Sprintf("%s #%d asks for it already.", mark(promotion.Passed), number))
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

// A Named is a pull request that an answer names.
type Named struct {
	Number int
	Action string // opened, updated, or unchanged: what was asked for before, too
}

var answering = regexp.MustCompile("^" + mark(promotion.Passed) + ` (?:(Opened|Updated) #([0-9]{1,9}) to |#([0-9]{1,9}) asks for it already\.$)`)

// Outcome reads what [Opened], [Updated], [Joined] and [Refused] say in a comment of Pinnace:
// the pull requests, and whether anything was refused or not understood. The text is what is
// left for people.
func Outcome(body string) (pulls []Named, refused bool, text string) {
	var lines []string
	for line := range strings.Lines(body) {
		line = strings.TrimRight(line, "\r\n")
		if strings.HasPrefix(line, replyStart) {
			continue
		}
		lines = append(lines, line)
		if m := answering.FindStringSubmatch(line); m != nil {
			number, _ := strconv.Atoi(m[2] + m[3])
			n := Named{number, cmp.Or(strings.ToLower(m[1]), "unchanged")}
			if !slices.ContainsFunc(pulls, func(p Named) bool { return p.Number == number }) {
				pulls = append(pulls, n)
			}
		}
		refused = refused || strings.HasPrefix(line, mark(promotion.Denied)+" ") || strings.HasPrefix(line, mark(promotion.Unknown)+" ")
	}
	return pulls, refused, strings.TrimSpace(strings.Join(lines, "\n"))
}

// Waits answers a request whose time comes later, by itself: the reasons say when. They may
// refer to the pull request of that number.
func Waits(key string, r promotion.Request, number int, reasons []string) string {
	text := bullets(reasons)
	if number != 0 {
		ref := "#" + strconv.Itoa(number)
		text = strings.ReplaceAll(text, "`"+ref+"`", ref)
	}
	return replied(key, mark(promotion.Waiting)+" Waits to "+wish(r)+".", text)
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

// wish is what a request asks, as a part of a sentence.
func wish(r promotion.Request) string {
	app, env := code(r.App, 100), code(r.Env, 63)
	if app == "" {
		app = "an app"
	}
	if t := code(tagOf(r.Images), 128); t != "" && r.Kind == promotion.Rollback {
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
	} else if straight(r) {
		s += " straight from the registry"
	}
	return s
}

// straight says that images come from no environment. A request without images was refused
// before anybody knew where they come from.
func straight(r promotion.Request) bool {
	return r.Kind != promotion.Rollback && r.From == "" && len(r.Images) > 0
}

// tagOf is the tag of all images, "" where they differ.
func tagOf(images []promotion.Wanted) string {
	tag := ""
	for n, w := range images {
		if n > 0 && w.Tag != tag {
			return ""
		}
		tag = w.Tag
	}
	return tag
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
