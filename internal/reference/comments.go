package reference

import (
	"strings"

	"github.com/pinnace-dev/pinnace/internal/command"
)

func comments() string {
	var b strings.Builder
	b.WriteString("A command is a line of a comment that begins with a slash. What is quoted, in code, or in a comment that was edited is no command. A line that is meant as a command and cannot be read is answered with what was expected. Who may do what is in [promotions.md](../promotions.md#who-may-do-what), roles are in [configuration.md](configuration.md#roles).\n\n")
	b.WriteString("## Commands\n\n")
	var rows [][]string
	for _, v := range command.Verbs() {
		rows = append(rows, []string{code(v.Syntax()), code(v.Example())})
	}
	table(&b, []string{"command", "example"}, rows)
	b.WriteString("`[...]` may be left out. `APP` is the name of an app, `ENV` of an environment, `IMAGE` an image with its registry, `DIGEST` a `sha256:...`, `COMMIT` a commit in full, and `REASON` some words up to the end of the line. The flags of the command line are understood, too: `--to`, `--from`, `--image`, `--env` and `--reason`.\n\n")
	b.WriteString("## Every way to act\n\n`writer` is who may write to the repository, and `anyone` whom GitHub lets. Nothing that is not in this table does anything: no label, no title, no reaction.\n\n")
	rows = nil
	for _, w := range command.Ways() {
		rows = append(rows, []string{deed(w), w.Role, w.Where, prose(w.What)})
	}
	table(&b, []string{"do this", "who", "where", "what it does"}, rows)
	return b.String()
}

// deed is what somebody does.
func deed(w command.Way) string {
	switch {
	case w.Door == "comment":
		return "comment " + code("/"+string(w.Verb))
	case w.Door == "cli" && w.Verb == command.Deploy:
		return "`pinnace decide PR --merge`"
	case w.Door == "cli":
		return code("pinnace " + string(w.Verb))
	case w.Door == "button":
		return "press the button of the check"
	}
	return w.Door
}
