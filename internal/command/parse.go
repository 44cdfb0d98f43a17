package command

import (
	"fmt"
	"slices"
	"strings"
)

const (
	maxBody     = 64 << 10 // bytes that are looked at
	maxLine     = 4 << 10  // bytes of a command
	maxCommands = 20
	maxProblems = 20
)

// Parse returns the commands of a comment, in order, and what is wrong with the lines that
// are meant as one. It looks at the first 64 KiB, and takes at most 20 commands; of a line
// that goes beyond either nothing is taken.
func Parse(body string) ([]Command, []Problem) {
	var commands []Command
	var problems []Problem
	all := lines(body)
	if !slices.ContainsFunc(all, begins) {
		return nil, nil // which is most comments
	}
	for i, shown := range standings(all) {
		verb, rest, ok := cutVerb(all[i])
		known := slices.Contains(verbs, verb)
		if !ok || shown == hidden || !known && shown != plain {
			continue
		}
		c, err := Command{}, error(nil)
		switch {
		case !known:
			near, ok := nearest(verb)
			if !ok {
				continue
			}
			err = fmt.Errorf("/%s is no command: did you mean %s?", strings.Trim(clip(string(verb)), `"`), forms[near])
		case shown == lazy:
			err = fmt.Errorf("/%s stands right below a quote, which makes it a part of it: leave an empty line above", verb)
		case shown == doubtful || spanned(all, i):
			err = fmt.Errorf("/%s may be inside of code or of HTML: write it as the first line of a comment", verb)
		case len(all[i]) > maxLine:
			err = fmt.Errorf("/%s has more than %d characters: make it shorter", verb, maxLine)
		case len(commands) == maxCommands:
			err = fmt.Errorf("a comment may hold %d commands: write this one and the rest into another", maxCommands)
		default:
			c, err = parse(verb, rest)
		}
		if err == nil {
			c.Line = i + 1
			commands = append(commands, c)
			continue
		}
		problems = append(problems, Problem{Line: i + 1, Text: err.Error()})
		if len(problems) == maxProblems || len(commands) == maxCommands {
			break
		}
	}
	return commands, problems
}

// lines returns the lines of a comment, by CommonMark's line endings
// (https://spec.commonmark.org/0.31.2/#line-ending), without those.
func lines(body string) []string {
	cut := len(body) > maxBody
	body = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(body[:min(len(body), maxBody)])
	all := strings.Split(body, "\n")
	if cut {
		all = all[:len(all)-1]
	}
	return all
}

// cutVerb splits a line that begins with a slash and a word, after at most three spaces.
func cutVerb(line string) (verb Verb, rest string, ok bool) {
	text := strings.TrimLeft(line, " ")
	if len(line)-len(text) > 3 || !strings.HasPrefix(text, "/") {
		return "", "", false
	}
	word := text[1:]
	if i := strings.IndexAny(word, " \t"); i >= 0 {
		word, rest = word[:i], strings.Trim(word[i:], " \t")
	}
	return Verb(word), rest, word != ""
}

// begins says whether a line begins like a command.
func begins(line string) bool {
	_, _, ok := cutVerb(line)
	return ok
}

// nearest returns the verb that a word is but for one character or its case. A path is none.
func nearest(word Verb) (Verb, bool) {
	if strings.Contains(string(word), "/") {
		return "", false
	}
	folded := Verb(strings.ToLower(string(word[:min(len(word), 40)])))
	for _, v := range verbs {
		if folded == v || oneApart(string(folded), string(v)) {
			return v, true
		}
	}
	return "", false
}

// oneApart says whether one character put in, left out, replaced or changed with its
// neighbour makes a of b.
func oneApart(a, b string) bool {
	x, y := []rune(a), []rune(b)
	for len(x) > 0 && len(y) > 0 && x[0] == y[0] {
		x, y = x[1:], y[1:]
	}
	for len(x) > 0 && len(y) > 0 && x[len(x)-1] == y[len(y)-1] {
		x, y = x[:len(x)-1], y[:len(y)-1]
	}
	return len(x) <= 1 && len(y) <= 1 || len(x) == 2 && len(y) == 2 && x[0] == y[1] && x[1] == y[0]
}
