package command

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pinnace-dev/pinnace/internal/image"
)

const (
	maxEnvs   = 20
	maxApp    = 255 // bytes
	maxReason = 500 // characters
)

// parse reads what stands behind a verb.
func parse(verb Verb, rest string) (Command, error) {
	c := Command{Verb: verb}
	var err error
	switch {
	case strings.Contains(rest, "<!--"):
		err = errors.New("may not hold an HTML comment")
	case verb == Promote || verb == Rollback || verb == Cancel:
		err = c.clauses(rest)
	case verb == BreakGlass:
		c.Reason, err = reason(unmarked(rest))
	case verb == ApproveConfig:
		c.SHA = rest
		if len(rest) != 40 || strings.Trim(rest, "0123456789abcdef") != "" {
			err = errors.New("wants the full commit that it approves, 40 hexadecimal digits, and nothing else")
		}
	case rest != "":
		err = fmt.Errorf("takes nothing after it, and %s follows: leave that out, or write it on a line of its own", clip(rest))
	}
	if err != nil {
		return Command{}, fmt.Errorf("/%s %w; for example: %s", verb, err, forms[verb])
	}
	return c, nil
}

// clauses reads an app and what follows it, as words or as the flags of the command line.
func (c *Command) clauses(rest string) error {
	given := map[string]bool{}
	for first := true; rest != ""; first = false {
		var word string
		word, rest = cutWord(rest)
		flag, value, joined := word, "", false
		if strings.HasPrefix(word, "--") {
			flag, value, joined = strings.Cut(word, "=")
		}
		field := c.field(flag)
		if c.Verb != Cancel && (first && !strings.HasPrefix(word, "--") || field == "" && c.App == "") {
			if err := checkApp(word); err != nil {
				return err
			}
			c.App = word
			continue
		}
		switch {
		case field == "":
			return fmt.Errorf("does not know what to do with %s", clip(word))
		case given[field]:
			return fmt.Errorf("has %s twice", flag)
		}
		given[field] = true
		if joined {
			rest = strings.TrimLeft(value+" "+rest, " \t")
		}
		if rest == "" {
			return fmt.Errorf("has nothing after %s", flag)
		}
		var err error
		if rest, err = c.take(field, flag, rest); err != nil {
			return err
		}
	}
	switch {
	case c.Verb == Cancel:
		return nil
	case c.App == "":
		return errors.New("wants to know which app")
	case len(c.Envs) == 0 && c.Verb == Promote:
		return errors.New(`wants to know which environment, after "to"`)
	case len(c.Envs) == 0:
		return errors.New(`wants to know which environment, after "in"`)
	case len(c.Envs) > 1 && c.Verb == Rollback:
		return errors.New("takes one environment: write a line for each")
	}
	return nil
}

// field returns what a word announces: envs, from, image, to, because, or "" for nothing.
func (c *Command) field(word string) string {
	switch {
	case word == "because" || word == "--reason":
		return "because"
	case c.Verb == Promote:
		switch word {
		case "to", "--to":
			return "envs"
		case "from", "--from":
			return "from"
		case "image", "--image":
			return "image"
		}
	case c.Verb == Rollback:
		switch word {
		case "in", "--env":
			return "envs"
		case "to", "--to":
			return "to"
		}
	}
	return ""
}

// take reads the value of a field and returns the rest.
func (c *Command) take(field, flag, rest string) (string, error) {
	var err error
	if field == "because" {
		text := rest
		rest = ""
		if flag == "--reason" {
			if text, rest, err = cutQuoted(text); err != nil {
				return "", err
			}
		}
		c.Reason, err = reason(text)
		return rest, err
	}
	var word string
	word, rest = cutWord(rest)
	switch field {
	case "envs":
		for strings.HasSuffix(word, ",") && rest != "" {
			var more string
			more, rest = cutWord(rest)
			word += more
		}
		c.Envs, err = environments(word)
	case "from":
		c.From, err = word, checkEnv(word)
	case "image":
		c.Image = word
		_, err = image.Parse(word)
	case "to":
		c.To = word
		_, err = image.ParseDigest(word)
	}
	if err != nil {
		err = fmt.Errorf("cannot read %s: %w", flag, err)
	}
	return rest, err
}

func environments(list string) ([]string, error) {
	envs := strings.Split(list, ",")
	if len(envs) > maxEnvs {
		return nil, fmt.Errorf("%d environments are more than %d", len(envs), maxEnvs)
	}
	for i, e := range envs {
		if err := checkEnv(e); err != nil {
			return nil, err
		}
		if slices.Contains(envs[:i], e) {
			return nil, fmt.Errorf("%s is there twice", e)
		}
	}
	return envs, nil
}

// checkEnv holds a name to a lowercase DNS label.
func checkEnv(name string) error {
	ok := name != "" && len(name) <= 63 && name[0] != '-' && name[len(name)-1] != '-'
	if !ok || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return fmt.Errorf("%s is no name of an environment, which has lower case letters, digits and hyphens", clip(name))
	}
	return nil
}

// checkApp holds a name to the characters of a configured app and of an image repository.
func checkApp(name string) error {
	for i := range len(name) {
		b := name[i]
		alnum := b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9'
		if !alnum && (!strings.Contains("/:._-[]", string(rune(b))) || i == 0 && b != '[') {
			return fmt.Errorf("cannot take %s for an app", clip(name))
		}
	}
	if len(name) > maxApp {
		return fmt.Errorf("cannot take %s for an app: more than %d characters", clip(name), maxApp)
	}
	return nil
}

func cutWord(s string) (word, rest string) {
	if i := strings.IndexAny(s, " \t"); i >= 0 {
		return s[:i], strings.TrimLeft(s[i:], " \t")
	}
	return s, ""
}

// quotes are the pairs that a reason may stand in.
var quotes = [][2]string{{`"`, `"`}, {"'", "'"}, {"“", "”"}}

// cutQuoted splits off a word, or what stands in quotes.
func cutQuoted(s string) (text, rest string, err error) {
	for _, q := range quotes {
		inner, ok := strings.CutPrefix(s, q[0])
		if !ok {
			continue
		}
		text, rest, ok = strings.Cut(inner, q[1])
		if !ok || rest != "" && !strings.ContainsAny(rest[:1], " \t") {
			return "", "", fmt.Errorf("has no end of the quote %s", clip(s))
		}
		return text, strings.TrimLeft(rest, " \t"), nil
	}
	text, rest = cutWord(s)
	return text, rest, nil
}

// unmarked returns a reason without the word that may announce it.
func unmarked(s string) string {
	word, rest := cutWord(s)
	if flag, value, ok := strings.Cut(word, "="); ok && flag == "--reason" {
		return strings.TrimLeft(value+" "+rest, " ")
	}
	if word == "because" || word == "--reason" {
		return rest
	}
	return s
}

// reason returns a text as one line without the quotes around it. It must say something.
func reason(text string) (string, error) {
	if !utf8.ValidString(text) {
		return "", errors.New("has a reason that is not in UTF-8")
	}
	for _, r := range text {
		joiner := r == '\u200c' || r == '\u200d' // of Persian, and of emoji
		if r != '\t' && !joiner && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
			return "", fmt.Errorf("has a character in its reason that does not show: %+q", r)
		}
	}
	text = strings.Join(strings.Fields(text), " ")
	for bare := unquoted(text); bare != text; bare = unquoted(text) {
		text = bare
	}
	switch {
	case !strings.ContainsFunc(text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }), text == "reason":
		return "", errors.New("wants a reason, in words")
	case utf8.RuneCountInString(text) > maxReason:
		return "", fmt.Errorf("has a reason of %d characters, more than %d", utf8.RuneCountInString(text), maxReason)
	}
	return text, nil
}

func unquoted(s string) string {
	for _, q := range quotes {
		inner, opened := strings.CutPrefix(s, q[0])
		inner, closed := strings.CutSuffix(inner, q[1])
		if opened && closed && !strings.Contains(inner, q[0]) && !strings.Contains(inner, q[1]) {
			return strings.TrimSpace(inner)
		}
	}
	return s
}

// clip quotes the beginning of foreign text.
func clip(s string) string {
	const most = 40
	if r := []rune(s[:min(len(s), 4*most+4)]); len(r) > most {
		return fmt.Sprintf("%q...", string(r[:most]))
	}
	return fmt.Sprintf("%q", s)
}
