package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// A serving is the server of one script: a process of its own, with its database and mirrors
// where they are by default, below $HOME.
type serving struct {
	home    string
	address string // host:port
	token   string // that opens /status; "" is none
	began   int    // lists of installations that GitHub was asked for before
	cmd     *exec.Cmd
	gone    chan struct{} // closed once the process has ended

	mu   sync.Mutex
	said bytes.Buffer // all that it wrote to standard error; owned by mu
	read int          // how much of it scripts have seen; owned by mu
}

// heard is what the App's webhook tells of.
var heard = []string{
	"push", "pull_request", "pull_request_review", "issue_comment", "check_run", "merge_group", "installation", "installation_repositories",
	"membership", "team", "organization", "package", "registry_package", "repository", "workflow_run", "issues", "deployment_status", "status",
}

const (
	webhookSecret = "a secret of the webhook"
	patience      = time.Minute // bounds every wait; what takes that long hangs
)

// serveCommands are the words of "serve WORD ...".
var serveCommands = map[string]struct {
	usage string
	least int
	run   func(*hub, *testscript.TestScript, []string)
}{
	"start":   {"[FLAG...]", 0, (*hub).serveStart},
	"settle":  {"", 0, (*hub).serveSettle},
	"deliver": {"", 0, (*hub).serveDeliver},
	"stop":    {"", 0, (*hub).serveStop},
	"kill":    {"[METHOD PATH]", 0, (*hub).serveKill},
	"log":     {"[MESSAGE]", 0, (*hub).serveLog},
	"await":   {"PATTERN", 1, (*hub).serveAwait},
	"see":     {"PATH PATTERN", 2, (*hub).serveSee},
	"get":     {"PATH [HEADER...]", 1, (*hub).serveGet},
	"notify":  {"IMAGE SECRET", 2, (*hub).serveNotify},
	"knows":   {"NAME TAG", 2, (*hub).serveKnows},
	"sql":     {"STATEMENT", 1, (*hub).serveSQL},
}

// serve WORD ... runs pinnace serve for the GitHub of the script.
func serve(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: serve WORD ..., with one of %s", strings.Join(slices.Sorted(maps.Keys(serveCommands)), ", "))
	}
	c, ok := serveCommands[args[0]]
	if !ok || len(args)-1 < c.least {
		ts.Fatalf("usage: serve %s %s", args[0], c.usage)
	}
	h := ts.Value(hubKey{}).(*hub)
	if h.repo == nil {
		ts.Fatalf("github init comes first")
	}
	if h.serving == nil && args[0] != "start" {
		ts.Fatalf("serve start comes first")
	}
	c.run(h, ts, args[1:])
}

// start [FLAG...] starts the server and leads the App's webhook to it. It returns once it
// listens, and sets $SERVER to where.
func (h *hub) serveStart(ts *testscript.TestScript, args []string) {
	if h.serving != nil && !h.serving.isGone() {
		ts.Fatalf("it runs already")
	}
	if ts.Getenv("PINNACE_APP_ID") == "" {
		h.asApp(ts, nil)
	}
	secret := ts.MkAbs("webhook-secret")
	ts.Check(os.WriteFile(secret, []byte(webhookSecret+"\n"), 0o600))
	s := &serving{home: ts.Getenv("HOME"), gone: make(chan struct{}), began: h.surveys()}
	registry := h.world.Registry()
	s.cmd = exec.Command(os.Args[0], append([]string{
		"serve", "--listen", "127.0.0.1:0", "--webhook-secret-file", secret,
		"--registry-map", "*=" + registry, "--insecure-registry", registry, "--allow-private-registry", registry,
	}, args...)...)
	s.cmd.Dir = ts.MkAbs(".")
	s.cmd.Env = []string{asPinnace + "=1"}
	for _, key := range []string{"PATH", "HOME", "TMPDIR", "DOCKER_CONFIG", "GITHUB_API_URL", "PINNACE_APP_ID", "PINNACE_APP_KEY"} {
		s.cmd.Env = append(s.cmd.Env, key+"="+ts.Getenv(key))
	}
	if i := slices.Index(args, "--status-token-file"); i >= 0 {
		s.token = strings.TrimSpace(ts.ReadFile(args[i+1]))
	}
	s.cmd.Stderr = s
	ts.Check(s.cmd.Start())
	go func() {
		_ = s.cmd.Wait()
		close(s.gone)
	}()
	ts.Defer(s.kill)
	h.serving = s
	listening := regexp.MustCompile(`listening\b.*?\baddress"?[=:]"?([0-9.]+:[0-9]+)`)
	s.until(ts, "listening", func() bool {
		if m := listening.FindSubmatch(s.text()); m != nil {
			s.address = string(m[1])
		}
		return s.address != ""
	})
	ts.Setenv("SERVER", s.address)
	h.app.SetSecret(webhookSecret)
	h.app.Subscribe(heard...)
	h.app.SetWebhook("http://" + s.address + "/webhooks/github")
	s.hurry(ts)
}

// hurry takes the pauses away that looks at one repository, and at one tag, have between them.
func (s *serving) hurry(ts *testscript.TestScript) {
	for _, statement := range []string{
		`CREATE TRIGGER IF NOT EXISTS calm AFTER UPDATE OF ended ON subjects WHEN NEW.ended > 0
			BEGIN UPDATE subjects SET ended = 0 WHERE installation = NEW.installation AND repository = NEW.repository; END`,
		`CREATE TRIGGER IF NOT EXISTS eager AFTER UPDATE OF asked ON watched WHEN NEW.asked > 1
			BEGIN UPDATE watched SET asked = 1 WHERE installation = NEW.installation AND name = NEW.name AND tag = NEW.tag AND digest = NEW.digest; END`,
	} {
		s.exec(ts, statement)
	}
}

// exec changes the database.
func (s *serving) exec(ts *testscript.TestScript, statement string) {
	db := s.database(ts)
	defer db.Close()
	_, err := db.Exec(statement)
	ts.Check(err)
}

func (s *serving) database(ts *testscript.TestScript) *sql.DB {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.home, ".local", "state", "pinnace", "pinnace.db")+"?_pragma=busy_timeout(10000)")
	ts.Check(err)
	return db
}

// sql STATEMENT changes the server's database.
func (h *hub) serveSQL(ts *testscript.TestScript, args []string) { h.serving.exec(ts, args[0]) }

// knows NAME TAG waits until the server has noted what a tag means.
func (h *hub) serveKnows(ts *testscript.TestScript, args []string) {
	db := h.serving.database(ts)
	defer db.Close()
	h.serving.until(ts, "the digest of "+args[0]+":"+args[1], func() bool {
		n := 0
		return db.QueryRow("SELECT COUNT(*) FROM watched WHERE name = $1 AND tag = $2 AND seen <> ''", args[0], args[1]).Scan(&n) == nil && n > 0
	})
}

// Write keeps what the process says.
func (s *serving) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.said.Write(p)
}

// text is what was said that no script has seen yet, in whole lines.
func (s *serving) text() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	fresh := s.said.Bytes()[s.read:]
	return bytes.Clone(fresh[:bytes.LastIndexByte(fresh, '\n')+1])
}

func (s *serving) isGone() bool {
	select {
	case <-s.gone:
		return true
	default:
		return false
	}
}

// until waits until something is so, which a process that has ended cannot make so.
func (s *serving) until(ts *testscript.TestScript, what string, so func() bool) {
	end := time.Now().Add(patience)
	tick := time.NewTicker(3 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		switch {
		case s.isGone() && !so():
			ts.Fatalf("the server ended (%s):\n%s", s.cmd.ProcessState, s.text())
		case time.Now().After(end):
			ts.Fatalf("this never came: %s\n%s", what, s.text())
		}
		<-tick.C
	}
}

// settle delivers the webhooks that wait, and returns once the server has looked at all
// installations since it began and nothing is left to do for anybody.
func (h *hub) serveSettle(ts *testscript.TestScript, _ []string) {
	calm, before := 0, -1
	h.serving.until(ts, "rest", func() bool {
		sent := h.deliver(ts)
		now := len(h.world.Requests())
		if sent > 0 || now != before || h.surveys() == h.serving.began || !h.serving.isIdle() || len(h.world.Pending()) > 0 {
			calm, before = 0, now
			return false
		}
		calm++
		return calm == 2
	})
}

// deliver sends the webhooks that wait, and does not wait for what comes of them.
func (h *hub) serveDeliver(ts *testscript.TestScript, _ []string) { h.deliver(ts) }

func (h *hub) deliver(ts *testscript.TestScript) int {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	n, err := h.world.Deliver(ctx)
	ts.Check(err)
	return n
}

// surveys is how often GitHub was asked for the App's installations.
func (h *hub) surveys() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.surveyed
}

// isIdle says whether the queue has nothing to do.
func (s *serving) isIdle() bool {
	var q struct{ Waiting, Running, Dirty int }
	status, text, err := s.page("/status", "Authorization: Bearer "+s.token)
	return err == nil && status == http.StatusOK && json.Unmarshal([]byte(text), &q) == nil && q.Waiting+q.Running+q.Dirty == 0
}

// stop ends the server as systemd and Kubernetes do, by SIGTERM.
func (h *hub) serveStop(ts *testscript.TestScript, _ []string) {
	s := h.serving
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.gone:
	case <-time.After(patience):
		ts.Fatalf("it does not end after SIGTERM:\n%s", s.text())
	}
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		ts.Fatalf("after SIGTERM it ended with %d:\n%s", code, s.text())
	}
}

// kill [METHOD PATH] ends the server at once by SIGKILL: now, or as soon as GitHub has done
// what such a call asks for and before it answers. What waits is delivered first.
func (h *hub) serveKill(ts *testscript.TestScript, args []string) {
	if len(args) == 2 {
		h.mu.Lock()
		h.faults = append(h.faults, &fault{method: args[0], path: args[1], after: true, failure: sandbox.Hangup(), nth: 1, first: h.serving.kill})
		h.mu.Unlock()
		before := h.asked(args[0], args[1])
		h.deliver(ts)
		end := time.Now().Add(patience)
		tick := time.NewTicker(3 * time.Millisecond)
		defer tick.Stop()
		for !h.serving.isGone() || h.asked(args[0], args[1]) == before {
			if time.Now().After(end) {
				ts.Fatalf("%s %s never came:\n%s", args[0], args[1], h.serving.text())
			}
			<-tick.C
		}
		return
	}
	h.serving.kill()
}

// asked counts the requests of a path that GitHub is done with.
func (h *hub) asked(method, path string) int {
	n := 0
	for _, q := range h.world.Requests() {
		if q.Method == method && q.Path == path {
			n++
		}
	}
	return n
}

func (s *serving) kill() {
	_ = s.cmd.Process.Kill()
	<-s.gone
}

// What differs from run to run in a line of the log or a page.
var varying = []struct {
	what *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`(duration_ms"?[=:])[0-9.]+`), "${1}1.5"},
	{regexp.MustCompile(`\b(m?s"?[=:])[0-9.]+`), "${1}7"},
	{regexp.MustCompile(`(bytes"?[=:])[0-9]+`), "${1}8000"},
	{regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`), "72d3162e-cc78-11e3-81ab-4c9367dc0958"},
	{regexp.MustCompile(`127\.0\.0\.1:[0-9]+`), "127.0.0.1:8080"},
	{regexp.MustCompile(`("oldest_seconds": )[0-9.]*[1-9]`), "${1}0.15"},
}

var fraction = regexp.MustCompile(`(T09:30:00)[.0-9]*`)

func (s *serving) steady(text string) string {
	text = strings.ReplaceAll(text, s.home, "/home/pinnace")
	for _, v := range varying {
		text = v.what.ReplaceAllString(text, v.with)
	}
	return fraction.ReplaceAllString(likeGitHub(text), "${1}")
}

// aside tells the lines that serve log leaves out: those about deliveries, whose order among all
// others nobody knows, and those about the tables of the database.
var aside = regexp.MustCompile(`\bdoor"?[=:]|migrat`)

// log [MESSAGE] prints what the server has written since the last time, each line once and those
// of one kind together, but for those about deliveries and migrations. With MESSAGE it prints the
// lines of that message instead, and they are there the next time, too.
func (h *hub) serveLog(ts *testscript.TestScript, args []string) {
	fresh := h.serving.text()
	wanted := func(line string) bool { return !aside.MatchString(line) }
	if len(args) > 0 {
		message := regexp.MustCompile(`\bmsg"?[=:]"?` + regexp.QuoteMeta(args[0]) + `\b`)
		wanted = message.MatchString
	} else {
		h.serving.mu.Lock()
		h.serving.read += len(fresh)
		h.serving.mu.Unlock()
	}
	seen := map[string]bool{}
	var lines []string
	for line := range strings.Lines(h.serving.steady(string(fresh))) {
		if wanted(line) && !seen[line] {
			seen[line] = true
			lines = append(lines, line)
		}
	}
	slices.SortStableFunc(lines, func(a, b string) int {
		return cmp.Or(cmp.Compare(turn(a), turn(b)), cmp.Compare(about(a), about(b)))
	})
	fmt.Fprint(ts.Stdout(), strings.Join(lines, ""))
}

// turns are the messages in the order that serve log has, since looks at several things are made
// at once.
var turns = []string{"GitHub does not answer", "listening", "deliveries did not come", "repositories of", "a tag moved", "proposed", "judged"}

// turn is the place of a line's message among them; what is none of them comes last.
func turn(line string) int {
	i := slices.IndexFunc(turns, func(t string) bool { return strings.Contains(line, t) })
	return (i + len(turns) + 1) % (len(turns) + 1)
}

var subject = regexp.MustCompile(`pull_request"?[=:]([0-9]+)`)

// about is the number of the pull request that a line is about, 0 for none.
func about(line string) int {
	if m := subject.FindStringSubmatch(line); m != nil {
		n, _ := strconv.Atoi(m[1])
		return n
	}
	return 0
}

// await PATTERN waits until a line matches of those that serve log has not printed.
func (h *hub) serveAwait(ts *testscript.TestScript, args []string) {
	pattern := regexp.MustCompile(args[0])
	h.serving.until(ts, args[0], func() bool { return pattern.Match(h.serving.text()) })
}

// see PATH PATTERN waits until a page matches.
func (h *hub) serveSee(ts *testscript.TestScript, args []string) {
	pattern := regexp.MustCompile("(?m)" + args[1])
	h.serving.until(ts, args[0]+" with "+args[1], func() bool {
		_, text, err := h.serving.page(args[0])
		return err == nil && pattern.MatchString(text)
	})
}

// get PATH [HEADER...] prints a page, and above it the status where that is not 200.
func (h *hub) serveGet(ts *testscript.TestScript, args []string) {
	status, text, err := h.serving.page(args[0], args[1:]...)
	ts.Check(err)
	if status != http.StatusOK {
		fmt.Fprintln(ts.Stdout(), status, http.StatusText(status))
	}
	fmt.Fprint(ts.Stdout(), h.serving.steady(text))
}

func (s *serving) page(path string, headers ...string) (int, string, error) {
	req, err := http.NewRequest(http.MethodGet, "http://"+s.address+path, nil)
	if err != nil {
		return 0, "", err
	}
	for _, line := range headers {
		key, value, _ := strings.Cut(line, ": ")
		req.Header.Set(key, value)
	}
	return do(req)
}

func do(req *http.Request) (int, string, error) {
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

// notify IMAGE SECRET tells the server of a push, as somebody's script at a registry does, and
// prints the answer.
func (h *hub) serveNotify(ts *testscript.TestScript, args []string) {
	body, err := json.Marshal(map[string]string{"image": args[0]})
	ts.Check(err)
	mac := hmac.New(sha256.New, []byte(args[1]))
	mac.Write(body)
	req, err := http.NewRequest(http.MethodPost, "http://"+h.serving.address+"/webhooks/registry/generic", bytes.NewReader(body))
	ts.Check(err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	status, text, err := do(req)
	ts.Check(err)
	fmt.Fprint(ts.Stdout(), status, " ", text)
}
