package action

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pinnace-dev/pinnace/internal/image"
)

// The commands of the action.
const (
	Pin       = "pin"
	Check     = "check"
	Promote   = "promote"
	Decide    = "decide"
	Reconcile = "reconcile"
)

// Commands lists them in the order of our documentation.
func Commands() []string { return []string{Pin, Check, Promote, Decide, Reconcile} }

// What a step fails on.
const (
	FailOnNone     = "none"
	FailOnUnpinned = "unpinned" // PIN001
	FailOnStale    = "stale"    // PIN001, PIN002 and PIN003
	FailOnPolicy   = "policy"   // any finding; for promote, decide and reconcile: denied or blocked
)

// Inputs are the inputs of action.yml. A list is split at newlines and commas, space around
// its entries is left out, and so are empty ones.
type Inputs struct {
	Command       string
	Paths         []string // of pin and check, at least one; "." where none is named
	Config        string   // a file, "" = the one of the checkout; not with CreatePR
	CreatePR      bool
	FailOn        string // never "": what is not given is the command's own
	App           string
	To            []string
	From          string
	Image         string
	Branch        string // begins with pinnace/
	Title         string // one line
	Labels        []string
	CommitMessage string   // one line: the first of the commit's message
	RegistryMap   []string // HOST=MIRROR
	DryRun        bool
	SARIFFile     string
	PullRequest   int // 0 = those that the event is about
}

const (
	maxInput   = 64 << 10 // bytes of one input
	maxEntries = 1000     // of one list
	maxPath    = 4096     // bytes
	maxName    = 128      // bytes of an app's or an environment's name
	maxBranch  = 200      // bytes
	maxTitle   = 255      // characters, as GitHub has it
	maxLabel   = 50       // characters, as GitHub has it
	maxLabels  = 100      // of one pull request
	maxSubject = 200      // characters
	maxImage   = 1024     // bytes
)

// Variable is the name of the environment variable that holds an input.
func Variable(input string) string {
	return "PINNACE_INPUT_" + strings.ToUpper(strings.ReplaceAll(input, "-", "_"))
}

// ReadInputs reads the inputs from the environment; getenv is os.Getenv, and "" an input that
// is not given. The error names each mistake on a line of its own: the input, its value, and
// what is wanted. An input that the command makes no use of is a mistake, too.
func ReadInputs(getenv func(string) string) (Inputs, error) {
	r := &reader{getenv: getenv, given: map[string]string{}}
	i := Inputs{
		Command: r.word("command"), Paths: r.list("paths", maxEntries), Config: r.line("config", maxPath),
		CreatePR: r.truth("create-pr"), FailOn: r.word("fail-on"),
		App: r.line("app", maxName), To: r.list("to", 100), From: r.line("from", maxName), Image: r.line("image", maxImage),
		Branch: r.line("branch", maxBranch), Title: r.line("title", maxTitle), Labels: r.list("labels", maxLabels),
		CommitMessage: r.line("commit-message", maxSubject), RegistryMap: r.list("registry-map", 100),
		DryRun: r.truth("dry-run"), SARIFFile: r.line("sarif-file", maxPath), PullRequest: r.number("pull-request"),
	}
	for n, p := range i.Paths {
		if p == "-" {
			i.Paths[n] = "./-" // a file of that name: nobody writes to the standard input of a step
		}
	}
	if len(i.Paths) == 0 {
		i.Paths = []string{"."}
	}
	if slices.Equal(i.Paths, []string{"."}) {
		delete(r.given, "paths") // the default of action.yml
	}
	r.check(&i)
	if len(r.mistakes) > 0 {
		return Inputs{}, errors.Join(r.mistakes...)
	}
	return i, nil
}

// A reader reads inputs, and keeps what is wrong with them. Given holds those that ask for
// something, by name.
type reader struct {
	getenv   func(string) string
	given    map[string]string
	mistakes []error
}

// wrong keeps a mistake.
func (r *reader) wrong(input, format string, args ...any) {
	value := r.given[input]
	where := "input " + input
	if value != "" {
		where += ": " + quoted(value)
	}
	r.mistakes = append(r.mistakes, fmt.Errorf("%s: %s", where, fmt.Sprintf(format, args...)))
}

// quoted shows the beginning of a value.
func quoted(s string) string {
	const most = 80
	if utf8.RuneCountInString(s) > most {
		return strconv.Quote(string([]rune(s)[:most])) + "..."
	}
	return strconv.Quote(s)
}

// raw reads an input without the space around it.
func (r *reader) raw(input string) string {
	s := r.getenv(Variable(input))
	if len(s) > maxInput {
		r.wrong(input, "it has %d bytes: want at most %d", len(s), maxInput)
		return ""
	}
	if s = strings.TrimSpace(s); s != "" {
		r.given[input] = s
	}
	return s
}

// word reads a word of ours.
func (r *reader) word(input string) string { return strings.ToLower(r.raw(input)) }

// line reads one line of at most most characters.
func (r *reader) line(input string, most int) string {
	s := r.raw(input)
	switch n := utf8.RuneCountInString(s); {
	case !fit(s):
		r.wrong(input, "want one line of text without control characters")
		return ""
	case n > most:
		r.wrong(input, "it has %d characters: want at most %d", n, most)
		return ""
	}
	return s
}

// list reads entries, each of one line, at most most of them.
func (r *reader) list(input string, most int) []string {
	s := r.raw(input)
	var list []string
	for e := range strings.FieldsFuncSeq(s, func(c rune) bool { return c == '\n' || c == '\r' || c == ',' }) {
		e = strings.TrimSpace(e)
		switch {
		case e == "" || slices.Contains(list, e):
			continue
		case !fit(e) || len(e) > maxPath:
			r.wrong(input, "the entry %s: want text without control characters, of at most %d bytes", quoted(e), maxPath)
			return nil
		case len(list) == most:
			r.wrong(input, "it has more than %d entries: want fewer", most)
			return nil
		}
		list = append(list, e)
	}
	if len(list) == 0 {
		delete(r.given, input)
	}
	return list
}

// fit says whether s is one line of valid text.
func fit(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, func(c rune) bool { return unicode.IsControl(c) || c == 0x2028 || c == 0x2029 }) < 0
}

// truth reads a boolean as YAML 1.2 spells it. False asks for nothing.
func (r *reader) truth(input string) bool {
	switch r.raw(input) {
	case "true", "True", "TRUE":
		return true
	case "", "false", "False", "FALSE":
		delete(r.given, input)
		return false
	}
	r.wrong(input, "want true or false")
	delete(r.given, input)
	return false
}

// number reads a pull request's number.
func (r *reader) number(input string) int {
	s := r.raw(input)
	if s == "" {
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimPrefix(s, "#"), 10, 32)
	if err != nil || n < 1 {
		r.wrong(input, "want the number of a pull request, such as 12")
		return 0
	}
	return int(n)
}

// has says whether an input asks for something.
func (r *reader) has(input string) bool { return r.given[input] != "" }

// check holds the inputs to what the command takes, and to each other.
func (r *reader) check(i *Inputs) {
	switch {
	case i.Command == "":
		r.wrong("command", "it is missing: want one of %s", strings.Join(Commands(), ", "))
		return
	case !slices.Contains(Commands(), i.Command):
		r.wrong("command", "no such command%s", didYouMean(i.Command, Commands()))
		return
	}
	r.taken(i.Command)
	r.failOn(i)
	switch i.Command {
	case Pin:
		r.pin(i)
	case Promote:
		r.promote(i)
	}
	for _, m := range i.RegistryMap {
		if host, mirror, ok := strings.Cut(m, "="); !ok || host == "" || mirror == "" {
			r.wrong("registry-map", "the entry %s: want HOST=MIRROR", quoted(m))
		}
	}
}

// A use says which commands take an input, and what to do about it with another one.
type use struct {
	input    string
	commands []string
	instead  string
}

// uses lists the inputs that not each command takes.
var uses = []use{
	{"paths", []string{Pin, Check}, "it works on whole branches; leave it out"},
	{"config", []string{Pin, Check}, "it reads .pinnace/config.yaml of the branch; leave it out"},
	{"create-pr", []string{Pin}, "leave it out"},
	{"app", []string{Promote}, "leave it out"},
	{"to", []string{Promote}, "leave it out, or use command: promote"},
	{"from", []string{Promote}, "leave it out, or use command: promote"},
	{"image", []string{Promote}, "leave it out, or use command: promote"},
	{"branch", []string{Pin}, "its pull requests have branches of their own; leave it out"},
	{"title", []string{Pin}, "its pull requests have titles of their own; leave it out"},
	{"labels", []string{Pin}, "leave it out"},
	{"commit-message", []string{Pin}, "leave it out"},
	{"dry-run", []string{Pin, Promote, Decide, Reconcile}, "it writes nothing anyway; leave it out"},
	{"sarif-file", []string{Check}, "leave it out, or use command: check"},
	{"pull-request", []string{Decide}, "leave it out, or use command: decide"},
}

// taken refuses what the command makes no use of.
func (r *reader) taken(command string) {
	for _, u := range uses {
		if r.has(u.input) && !slices.Contains(u.commands, command) {
			r.wrong(u.input, "command %s takes no %s: %s", command, u.input, u.instead)
		}
	}
}

// failOn fills in the command's own, and refuses what the command cannot fail on.
func (r *reader) failOn(i *Inputs) {
	all := []string{FailOnNone, FailOnUnpinned, FailOnStale, FailOnPolicy}
	can := []string{FailOnNone, FailOnPolicy}
	switch i.Command {
	case Check:
		can = all
	case Pin:
		can = []string{FailOnNone}
	}
	switch {
	case i.FailOn == "" && i.Command == Check:
		i.FailOn = FailOnUnpinned
	case i.FailOn == "" && i.Command == Promote:
		i.FailOn = FailOnPolicy
	case i.FailOn == "":
		i.FailOn = FailOnNone
	case i.Command == Pin && i.FailOn != FailOnNone:
		r.wrong("fail-on", "command pin fails on errors only: leave it out, or add a step with command: check")
	case !slices.Contains(all, i.FailOn):
		r.wrong("fail-on", "no such value%s", didYouMean(i.FailOn, can))
	case !slices.Contains(can, i.FailOn):
		r.wrong("fail-on", "command %s takes %s", i.Command, strings.Join(can, ", "))
	}
}

// pin holds what belongs to a pull request to there being one.
func (r *reader) pin(i *Inputs) {
	if !i.CreatePR {
		for _, input := range []string{"branch", "title", "labels", "commit-message"} {
			if r.has(input) {
				r.wrong(input, "it is for the pull request: set create-pr: true, or leave it out")
			}
		}
		return
	}
	if r.has("config") {
		r.wrong("config", "with create-pr the configuration is .pinnace/config.yaml of the branch: leave config out")
	}
	for _, l := range i.Labels {
		if utf8.RuneCountInString(l) > maxLabel {
			r.wrong("labels", "the entry %s: GitHub takes at most %d characters", quoted(l), maxLabel)
		}
	}
	if !r.has("branch") {
		for _, input := range []string{"paths", "title", "commit-message"} {
			if r.has(input) {
				r.wrong(input, "with create-pr it is for one pull request: name its branch, such as branch: pinnace/pins, or leave it out")
			}
		}
		return
	}
	if i.Branch != "" && (!strings.HasPrefix(i.Branch, "pinnace/") || !branchName(i.Branch)) {
		r.wrong("branch", "want a branch that begins with pinnace/, such as pinnace/pins")
	}
}

// branchName says whether git takes a branch of that name
// (https://git-scm.com/docs/git-check-ref-format).
func branchName(s string) bool {
	if strings.Contains(s, "..") || strings.Contains(s, "@{") || strings.HasSuffix(s, ".") || strings.ContainsAny(s, " ~^:?*[\\") {
		return false
	}
	for part := range strings.SplitSeq(s, "/") {
		if part == "" || part[0] == '.' || strings.HasSuffix(part, ".lock") {
			return false
		}
	}
	return true
}

func (r *reader) promote(i *Inputs) {
	if !r.has("app") {
		r.wrong("app", "it is missing: want the app to promote, such as app: shop")
	}
	if !r.has("to") {
		r.wrong("to", "it is missing: want an environment, such as to: staging")
	}
	for _, e := range i.To {
		if len(e) > maxName || strings.ContainsAny(e, "\"'") {
			r.wrong("to", "the entry %s: want the name of an environment, of at most %d bytes", quoted(e), maxName)
		}
	}
	if i.From != "" && i.Image != "" {
		r.wrong("image", "an image comes from an environment or from the registry: leave image out, or from")
	}
	if i.Image != "" {
		if _, err := image.Parse(i.Image); err != nil {
			r.wrong("image", "%s", strings.ReplaceAll(err.Error(), "\n", " "))
		}
	}
}
