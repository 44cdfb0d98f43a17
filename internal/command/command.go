package command

import (
	"slices"
	"strings"
)

// A Verb is what a command asks for, as it is written after the slash.
type Verb string

// The verbs.
const (
	Promote       Verb = "promote"        // an app to environments
	Rollback      Verb = "rollback"       // an app in an environment
	Deploy        Verb = "deploy"         // merge what is approved
	Reseal        Verb = "reseal"         // drop foreign commits
	BreakGlass    Verb = "break-glass"    // merge without approvals, soak, gates and freezes
	ApproveConfig Verb = "approve-config" // pass one's own change of the rules
	Cancel        Verb = "cancel"         // withdraw a request
	Judge         Verb = "judge"          // look again
)

// Verbs are all verbs.
var verbs = []Verb{Promote, Rollback, Deploy, Reseal, BreakGlass, ApproveConfig, Cancel, Judge}

// forms show how each verb is written.
var forms = map[Verb]string{
	Promote:       "/promote shop to prod",
	Rollback:      "/rollback shop in prod",
	Deploy:        "/deploy",
	Reseal:        "/reseal",
	BreakGlass:    `/break-glass "the shop is down, fixed in 1.4.2"`,
	ApproveConfig: "/approve-config 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
	Cancel:        "/cancel",
	Judge:         "/judge",
}

// grammar says what may stand behind each verb.
var grammar = map[Verb]string{
	Promote:       "/promote APP to ENV[,ENV] [from ENV] [image IMAGE] [because REASON]",
	Rollback:      "/rollback APP in ENV [to DIGEST] [because REASON]",
	Deploy:        "/deploy",
	Reseal:        "/reseal",
	BreakGlass:    "/break-glass REASON",
	ApproveConfig: "/approve-config COMMIT",
	Cancel:        "/cancel [because REASON]",
	Judge:         "/judge",
}

// Verbs returns all verbs.
func Verbs() []Verb { return slices.Clone(verbs) }

// Syntax says how a verb is written: words in capitals stand for values, and what is in
// brackets may be left out.
func (v Verb) Syntax() string { return grammar[v] }

// Example is a line with the verb that Parse reads.
func (v Verb) Example() string { return forms[v] }

// A Command is one line of a comment. What was not given is empty.
type Command struct {
	Verb   Verb
	App    string
	Envs   []string // Rollback: exactly one
	From   string   // Promote: the environment that the images come from
	Image  string   // Promote: a reference, as image.Parse takes it
	To     string   // Rollback: a digest, as image.ParseDigest takes it
	Reason string   // one line of at most 500 characters
	SHA    string   // ApproveConfig: 40 hexadecimal digits
	Line   int      // in the comment, from 1
}

// String spells the command so that Parse reads it back.
func (c Command) String() string {
	words := []string{"/" + string(c.Verb)}
	add := func(keyword, value string) {
		if value != "" {
			words = append(words, keyword, value)
		}
	}
	if c.App != "" {
		words = append(words, c.App)
	}
	if c.Verb == Rollback {
		add("in", strings.Join(c.Envs, ","))
	} else {
		add("to", strings.Join(c.Envs, ","))
	}
	add("from", c.From)
	add("image", c.Image)
	add("to", c.To)
	if c.SHA != "" {
		words = append(words, c.SHA)
	}
	add("because", c.Reason)
	return strings.Join(words, " ")
}

// A Problem is a line that is meant as a command and is none. The text says what was
// expected, with an example; it is one line, and may quote foreign words.
type Problem struct {
	Line int // from 1
	Text string
}
