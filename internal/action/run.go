package action

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A Run is what the runner says of the run that the step is part of
// (https://docs.github.com/en/actions/reference/workflows-and-actions/variables#default-environment-variables).
// What is not known is zero. A workflow that another one calls sees the run of its caller.
type Run struct {
	Event         string // pull_request, schedule, ...
	Action        string // of the event: opened, submitted, ...
	Repository    int64
	Owner, Name   string
	DefaultBranch string
	Ref           string // refs/heads/main, refs/pull/12/merge, ...
	SHA           string
	Workflow      string // OWNER/NAME/PATH@REF of the workflow's file; "" where the runner does not say
	Attempt       int    // from 1
	// Sender is who caused the event, as GitHub authenticated them; zero where nobody did, as
	// with a schedule.
	Sender promotion.Identity
	// TriggeringActor is the login of who started this attempt.
	TriggeringActor string
	// Pulls are the pull requests of the repository that the event is about.
	Pulls []int
	// HeadSHA is the commit that the event is about, where that is another one than SHA: the
	// head of a pull request, of a workflow's run, of a check or a status.
	HeadSHA string
	// Comment says that the event is a comment on an issue that is no pull request.
	Comment bool
	// Fork says that the event is about a pull request whose head is in another repository than
	// its base, or in one that was deleted; or about the run of a workflow for such a one.
	Fork bool

	Server      string // https://github.com
	URL         string // of the run, for people; "" where the runner does not say
	OutputFile  string // GITHUB_OUTPUT
	SummaryFile string // GITHUB_STEP_SUMMARY

	// Err says why nothing is known of the event's payload: there is no file, or it is none of
	// GitHub's. [Run.Allows] returns it where the payload is needed.
	Err error
}

// FullName returns owner/name.
func (r *Run) FullName() string { return r.Owner + "/" + r.Name }

// Requesters are who asked for what the run does: the sender, and on a further attempt the one
// who started it, by login only unless they are the same.
func (r *Run) Requesters() (sender promotion.Identity, again string) {
	if r.Attempt > 1 && !strings.EqualFold(r.TriggeringActor, r.Sender.Login) {
		again = r.TriggeringActor
	}
	return r.Sender, again
}

// ReadRun reads the run from the environment and the event's payload; getenv is os.Getenv and
// readFile os.ReadFile. It is nil outside of GitHub Actions: where GITHUB_ACTIONS is not "true".
// The error says which variable is not as the runner sets it. A payload that cannot be read is
// no error here, see Err.
func ReadRun(getenv func(string) string, readFile func(string) ([]byte, error)) (*Run, error) {
	if getenv("GITHUB_ACTIONS") != "true" {
		return nil, nil
	}
	e := &environment{getenv: getenv}
	r := &Run{
		Event: e.made("GITHUB_EVENT_NAME", word), Ref: e.made("GITHUB_REF", refLike), SHA: e.made("GITHUB_SHA", commit),
		Workflow: e.made("GITHUB_WORKFLOW_REF", refLike), Repository: e.number("GITHUB_REPOSITORY_ID"), Attempt: int(max(e.number("GITHUB_RUN_ATTEMPT"), 1)),
		TriggeringActor: e.made("GITHUB_TRIGGERING_ACTOR", login),
		Server:          e.made("GITHUB_SERVER_URL", server),
		OutputFile:      e.made("GITHUB_OUTPUT", fit), SummaryFile: e.made("GITHUB_STEP_SUMMARY", fit),
	}
	full := e.made("GITHUB_REPOSITORY", fullName)
	r.Owner, r.Name, _ = strings.Cut(full, "/")
	if full == "" {
		e.wrong("GITHUB_REPOSITORY", "it is missing: want OWNER/NAME")
	}
	if r.Event == "" {
		e.wrong("GITHUB_EVENT_NAME", "it is missing: want the name of an event")
	}
	if r.Server == "" {
		r.Server = "https://github.com"
	}
	if id := e.number("GITHUB_RUN_ID"); id > 0 {
		r.URL = fmt.Sprintf("%s/%s/actions/runs/%d", r.Server, full, id)
		if r.Attempt > 1 {
			r.URL += fmt.Sprintf("/attempts/%d", r.Attempt)
		}
	}
	if len(e.mistakes) > 0 {
		return nil, errors.Join(e.mistakes...)
	}
	r.Err = r.event(getenv("GITHUB_EVENT_PATH"), readFile)
	return r, nil
}

// event reads the payload.
func (r *Run) event(path string, readFile func(string) ([]byte, error)) error {
	if path == "" {
		return errors.New("read the event: GITHUB_EVENT_PATH is not set, which the runner does for each step")
	}
	body, err := readFile(path)
	if err != nil {
		return fmt.Errorf("read the event of GITHUB_EVENT_PATH: %w", err)
	}
	known := *r
	if err := r.payload(body); err != nil {
		*r = known
		return fmt.Errorf("read the event of GITHUB_EVENT_PATH (%s): %w", r.Event, err)
	}
	return nil
}

// An environment reads variables of the runner, and keeps what is wrong with them.
type environment struct {
	getenv   func(string) string
	mistakes []error
}

func (e *environment) wrong(name, why string) {
	e.mistakes = append(e.mistakes, fmt.Errorf("environment variable %s: %s", name, why))
}

// made reads a variable that is "" or as good says.
func (e *environment) made(name string, good func(string) bool) string {
	s := e.getenv(name)
	if s != "" && (len(s) > maxPath || !good(s)) {
		e.wrong(name, quoted(s)+": GitHub's runner sets no such value")
		return ""
	}
	return s
}

// number reads a whole number above 0; 0 where there is none.
func (e *environment) number(name string) int64 {
	s := e.getenv(name)
	if s == "" {
		return 0
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		e.wrong(name, quoted(s)+": want a whole number")
		return 0
	}
	return n
}

// word says whether s is made of what GitHub makes names of.
func word(s string) bool { return len(s) <= 100 && made(s, "-_.") }

// login allows the ending of a bot's, too.
func login(s string) bool { return word(strings.TrimSuffix(s, "[bot]")) }

func fullName(s string) bool {
	owner, name, ok := strings.Cut(s, "/")
	return ok && owner != "" && name != "" && word(owner) && word(name)
}

func refLike(s string) bool { return fit(s) && len(s) <= 1024 }

func commit(s string) bool {
	return (len(s) == 40 || len(s) == 64) && strings.Trim(s, "0123456789abcdef") == ""
}

// server is the address of a GitHub, without a path.
func server(s string) bool {
	host, ok := strings.CutPrefix(s, "https://")
	if !ok {
		host, ok = strings.CutPrefix(s, "http://")
	}
	return ok && host != "" && made(host, "-.:[]")
}

// made says whether s is made of ASCII letters, digits and the bytes of more.
func made(s, more string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && strings.IndexByte(more, c) < 0 {
			return false
		}
	}
	return true
}
