package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

type hubKey struct{}

// A hub is the GitHub of one script, with a registry of its own. It starts with the first
// command of its own.
type hub struct {
	t     *testing.T
	world *sandbox.Sandbox
	app   *sandbox.App
	repo  *sandbox.Repository // that the words after init are about

	mu     sync.Mutex
	now    time.Time // on GitHub; zero: the clock is the machine's
	faults []*fault

	digests     map[string]string // by NAME:TAG, of what was pushed
	filed       chan struct{}     // gets one for each comment that was written
	polled      chan struct{}     // gets one for each look at a thread
	annotations map[string][]any  // by the name of the check run
	spoken      int64             // the comment that somebody wrote last

	serving  *serving // its server; nil until serve start
	surveyed int      // how often the App's installations were listed
	inputs   []string // variables of the inputs of the step
}

// A fault befalls the nth call of a path, or with nth 0 each.
type fault struct {
	method, path string
	after        bool
	failure      *sandbox.Failure
	nth, seen    int
	first        func() // what is done before that; may be nil
}

// hubCommands are the words of "github WORD ...".
var hubCommands = map[string]struct {
	usage string
	least int
	run   func(*hub, *testscript.TestScript, []string)
}{
	"init":          {"OWNER/NAME [DIR] [private] [actions-prs]", 1, (*hub).init},
	"image":         {"NAME:TAG [SEED] [KEY=VALUE...]", 1, (*hub).image},
	"other":         {"OWNER/NAME DIR", 2, (*hub).other},
	"token":         {"USER LEVEL", 2, (*hub).token},
	"workflow":      {"[PERMISSION=LEVEL...]", 0, (*hub).workflow},
	"app":           {"[PERMISSION=LEVEL...]", 0, (*hub).useApp},
	"date":          {"YYYY-MM-DD", 1, (*hub).date},
	"commit":        {"BRANCH USER MESSAGE DIR", 4, (*hub).commit},
	"branch":        {"BRANCH FROM", 2, (*hub).branch},
	"delete-branch": {"BRANCH USER", 2, (*hub).deleteBranch},
	"protect":       {"PATTERN RULE...", 2, (*hub).protect},
	"archive":       {"", 0, (*hub).archive},
	"rename":        {"NAME", 1, (*hub).rename},
	"merge":         {"N USER METHOD", 3, (*hub).merge},
	"refuses":       {"N USER METHOD", 3, (*hub).refuses},
	"close":         {"N USER", 2, (*hub).close},
	"reopen":        {"N USER", 2, (*hub).reopen},
	"edit":          {"N USER TITLE BODY", 4, (*hub).edit},
	"review":        {"N USER STATE", 3, (*hub).review},
	"fault":         {"METHOD PATH before|after STATUS|hangup [NTH|all]", 4, (*hub).fault},
	"heal":          {"", 0, (*hub).heal},
	"writes":        {"COUNT|any", 1, (*hub).writes},
	"prs":           {"", 0, (*hub).pullRequests},
	"pr":            {"N", 1, (*hub).pullRequest},
	"file":          {"BRANCH PATH", 2, (*hub).file},
	"log":           {"BRANCH", 1, (*hub).log},
	"message":       {"BRANCH", 1, (*hub).message},
	"branches":      {"", 0, (*hub).branches},
	"tip":           {"BRANCH", 1, (*hub).tip},

	"step":            {"EVENT USER [KEY=VALUE...]", 2, (*hub).step},
	"bearer":          {"", 0, (*hub).bearer},
	"forge":           {"N NAME CONCLUSION", 3, (*hub).forge},
	"as-app":          {"", 0, (*hub).asApp},
	"as":              {"USER [LEVEL]", 1, (*hub).as},
	"writers":         {"USER...", 1, (*hub).writers},
	"team":            {"SLUG USER...", 1, (*hub).team},
	"approve":         {"N USER", 2, (*hub).approve},
	"request-changes": {"N USER", 2, (*hub).requestChanges},
	"dismiss":         {"N REVIEWER USER", 3, (*hub).dismiss},
	"comment":         {"N USER LINE...", 3, (*hub).comment},
	"edit-comment":    {"USER LINE...", 2, (*hub).editComment},
	"open":            {"BRANCH USER TITLE", 3, (*hub).openPullRequest},
	"revert":          {"N USER", 2, (*hub).revert},
	"deploy":          {"ENVIRONMENT STATE", 2, (*hub).deploy},
	"ci":              {"NAME pending|CONCLUSION", 2, (*hub).ci},
	"groups":          {"", 0, (*hub).formGroups},
	"land":            {"", 0, (*hub).landGroups},
	"suggestions":     {"N", 1, (*hub).suggestions},
	"press":           {"N USER", 2, (*hub).press},
	"filed":           {"", 0, (*hub).awaitFiled},
	"polled":          {"", 0, (*hub).awaitPolled},
	"later":           {"", 0, (*hub).later},
	"comments":        {"N", 1, (*hub).comments},
	"checks":          {"N|BRANCH|group:N", 1, (*hub).checks},
	"check":           {"N|BRANCH|group:N NAME", 2, (*hub).check},
	"issue-by":        {"USER TITLE", 2, (*hub).issueBy},
	"refs":            {"", 0, (*hub).refs},
	"issues":          {"", 0, (*hub).issues},
	"issue":           {"N", 1, (*hub).issue},
	"await-issue":     {"TITLE", 1, (*hub).awaitIssue},
}

// github WORD ... acts in the GitHub of the script, as people do, or looks at it.
func github(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: github WORD ..., with one of %s", strings.Join(slices.Sorted(maps.Keys(hubCommands)), ", "))
	}
	c, ok := hubCommands[args[0]]
	if !ok || len(args)-1 < c.least {
		ts.Fatalf("usage: github %s %s", args[0], c.usage)
	}
	h := ts.Value(hubKey{}).(*hub)
	if h.world == nil {
		h.start(ts)
	}
	if h.repo == nil && args[0] != "init" && args[0] != "image" {
		ts.Fatalf("github init comes first")
	}
	c.run(h, ts, args[1:])
}

// clock is the time on GitHub: that of a morning which does not pass.
func (h *hub) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.now.IsZero() {
		return time.Now()
	}
	return h.now
}

// date YYYY-MM-DD lets it be nine o'clock of that day. $GH_TOKEN is a new one, since those of
// an App end after an hour.
func (h *hub) date(ts *testscript.TestScript, args []string) {
	day, err := time.Parse(time.DateOnly, args[0])
	ts.Check(err)
	h.setClock(day.Add(9 * time.Hour))
	owner, _, _ := strings.Cut(h.repo.FullName(), "/")
	ts.Setenv("GH_TOKEN", h.app.InstallationToken(owner))
}

func (h *hub) setClock(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = now
}

// start sets $GITHUB_API_URL, and $REGISTRY to the registry of github image.
func (h *hub) start(ts *testscript.TestScript) {
	h.setClock(time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC))
	h.digests, h.filed, h.polled, h.annotations = map[string]string{}, make(chan struct{}, 100), make(chan struct{}, 100), map[string][]any{}
	h.world = sandbox.New(sandbox.Options{T: blame{h.t, ts.Name()}, Now: h.clock, Observe: h.observe, Ours: func(c sandbox.Commit) bool {
		return c.AuthorEmail == "bot@pinnace.dev" || strings.Contains(c.AuthorEmail, "+pinnace")
	}})
	ts.Check(h.world.Start())
	ts.Defer(h.world.Close)
	h.world.Inject(h.befall)
	h.world.Org("acme", "ada")
	h.app = h.world.App(sandbox.AppOptions{Name: "Pinnace", Permissions: map[string]string{"contents": "write", "pull_requests": "write", "metadata": "read"}})
	ts.Setenv("REGISTRY", h.world.Registry())
	ts.Setenv("APP_ID", strconv.FormatInt(h.app.ID(), 10))
	ts.Setenv("GITHUB", h.world.URL())
	ts.Setenv("GITHUB_API_URL", h.world.URL()+"/api/v3")
}

// A blame says which script a violation is of.
type blame struct {
	*testing.T
	script string
}

// Errorf fails the test.
func (b blame) Errorf(format string, args ...any) {
	b.Helper()
	b.T.Errorf(b.script+": "+format, args...)
}

// init OWNER/NAME [DIR] [private] [actions-prs] makes a repository of the files of a directory, in which
// $NAME is replaced by the environment's value; without DIR it is empty. ada owns it, bob
// may write. It sets $GH_TOKEN to a token of Pinnace's App.
func (h *hub) init(ts *testscript.TestScript, args []string) {
	owner, name, ok := strings.Cut(args[0], "/")
	if !ok {
		ts.Fatalf("github init %s: want OWNER/NAME", args[0])
	}
	o := sandbox.RepositoryOptions{Private: slices.Contains(args[1:], "private"), ActionsPRs: slices.Contains(args[1:], "actions-prs")}
	if len(args) > 1 && args[1] != "private" {
		o.Files = h.files(ts, args[1])
	}
	h.repo = h.world.Repository(owner, name, o)
	h.repo.Permission("bob", promotion.PermissionWrite)
	h.app.Install(owner)
	ts.Setenv("GH_TOKEN", h.app.InstallationToken(owner))
}

// other OWNER/NAME DIR makes a further repository of the files of a directory.
func (h *hub) other(ts *testscript.TestScript, args []string) {
	owner, name, ok := strings.Cut(args[0], "/")
	if !ok {
		ts.Fatalf("github other %s: want OWNER/NAME", args[0])
	}
	h.world.Repository(owner, name, sandbox.RepositoryOptions{Files: h.files(ts, args[1])})
}

// pinned is an image whose digest the rig writes.
var pinned = regexp.MustCompile(`ghcr\.io/([a-z0-9./-]+:[A-Za-z0-9._-]+)@\{digest\}`)

// files reads a directory. NAME:TAG@{digest} gets the digest of what was pushed there last.
func (h *hub) files(ts *testscript.TestScript, dir string) map[string]string {
	root := ts.MkAbs(dir)
	out := map[string]string{}
	ts.Check(filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		out[filepath.ToSlash(name)] = pinned.ReplaceAllStringFunc(expanded(ts, string(data)), func(ref string) string {
			image := pinned.FindStringSubmatch(ref)[1]
			if h.digests[image] == "" {
				ts.Fatalf("%s: no github image pushed %s", path, image)
			}
			return "ghcr.io/" + image + "@" + h.digests[image]
		})
		return err
	}))
	return out
}

// image NAME:TAG [SEED] [KEY=VALUE...] pushes an image. The same seed, which is NAME:TAG
// where none is given, and the same keys give the same digest.
// Keys are source, revision, version, created and platforms. It sets $DIGEST.
func (h *hub) image(ts *testscript.TestScript, args []string) {
	i := sandbox.Image{Seed: args[0], Created: time.Date(2026, 11, 2, 8, 30, 0, 0, time.UTC)}
	for _, arg := range args[1:] {
		key, value, _ := strings.Cut(arg, "=")
		switch key {
		case "source":
			i.Source = value
		case "revision":
			i.Revision = value
		case "version":
			i.Version = value
		case "created":
			created, err := time.Parse(time.DateOnly, value)
			ts.Check(err)
			i.Created = created
		case "platforms":
			i.Platforms = strings.Split(value, ",")
		default:
			i.Seed = arg
		}
	}
	digest, err := h.world.PushImage(args[0], i)
	ts.Check(err)
	ts.Setenv("DIGEST", digest)
	h.digests[args[0]] = digest
}

// token USER LEVEL sets $GH_TOKEN to one of a person who has that permission.
func (h *hub) token(ts *testscript.TestScript, args []string) {
	h.world.User(args[0])
	h.repo.Permission(args[0], promotion.Permission(args[1]))
	ts.Setenv("GH_TOKEN", h.world.Token(args[0]))
}

// app [PERMISSION=LEVEL...] sets $APP_ID and $APP_KEY, the name of a file, to Pinnace's App,
// with the permissions named in the place of all, and takes $GH_TOKEN away. Since Apps sign
// the time, the clock is the machine's from now on.
func (h *hub) useApp(ts *testscript.TestScript, args []string) {
	if len(args) > 0 {
		owner, _, _ := strings.Cut(h.repo.FullName(), "/")
		h.app.Permit(owner, permissions(args))
	}
	h.setClock(time.Time{})
	key := ts.MkAbs("app.pem")
	ts.Check(os.WriteFile(key, h.app.PrivateKey(), 0o600))
	ts.Setenv("APP_ID", strconv.FormatInt(h.app.ID(), 10))
	ts.Setenv("APP_KEY", key)
	ts.Setenv("GH_TOKEN", "")
}

// workflow PERMISSION=LEVEL... sets $GH_TOKEN to that of a run of GitHub Actions, whose
// workflow asks for these permissions.
func (h *hub) workflow(ts *testscript.TestScript, args []string) {
	ts.Setenv("GH_TOKEN", h.world.ActionsToken(h.repo, permissions(args)))
}

func permissions(args []string) map[string]string {
	out := map[string]string{}
	for _, arg := range args {
		key, level, _ := strings.Cut(arg, "=")
		out[key] = level
	}
	return out
}

// commit BRANCH USER MESSAGE DIR commits the files of a directory, in which $NAME is
// replaced, onto a branch. \n in the message is the end of a line.
func (h *hub) commit(ts *testscript.TestScript, args []string) {
	h.world.User(args[1])
	h.repo.Commit(args[0], args[1], strings.ReplaceAll(args[2], `\n`, "\n"), h.files(ts, args[3]))
}

// branch BRANCH FROM makes a branch where another one stands.
func (h *hub) branch(ts *testscript.TestScript, args []string) {
	h.repo.Branch(args[0], "bob", h.repo.Tip(args[1]))
}

func (h *hub) deleteBranch(ts *testscript.TestScript, args []string) {
	h.repo.DeleteBranch(args[0], args[1])
}

// protect PATTERN RULE... binds branches by a ruleset: signed-commits, pull-request,
// no-creation, up-to-date, merge-queue, linear-history, threads-resolved, check=NAME, approvals=N.
func (h *hub) protect(ts *testscript.TestScript, args []string) {
	var rules promotion.Rules
	for _, rule := range args[1:] {
		switch rule {
		case "signed-commits":
			rules.SignedCommits = true
		case "pull-request":
			rules.PullRequest = true
		case "no-creation":
			rules.NoCreation = true
		case "up-to-date":
			rules.UpToDate, rules.Checks = true, []promotion.RequiredCheck{{Context: "ci"}}
		case "merge-queue":
			rules.MergeQueue = true
		case "linear-history":
			rules.LinearHistory = true
		case "threads-resolved":
			rules.ThreadsResolved = true
		default:
			key, value, _ := strings.Cut(rule, "=")
			switch key {
			case "check":
				rules.Checks = append(rules.Checks, promotion.RequiredCheck{Context: value, App: h.app.ID()})
				continue
			case "approvals":
				rules.PullRequest, rules.Approvals = true, number(ts, value)
				continue
			}
			ts.Fatalf("github protect: unknown rule %s", rule)
		}
	}
	h.repo.Protect(args[0], sandbox.Protection{Rules: rules})
}

func (h *hub) archive(*testscript.TestScript, []string) { h.repo.Archive(true) }

func (h *hub) rename(_ *testscript.TestScript, args []string) { h.repo.Rename(args[0]) }

// merge N USER METHOD merges by merge, squash or rebase.
func (h *hub) merge(ts *testscript.TestScript, args []string) {
	_, err := h.repo.Merge(number(ts, args[0]), args[1], args[2])
	ts.Check(err)
}

// refuses N USER METHOD holds that GitHub does not let somebody merge, and prints why.
func (h *hub) refuses(ts *testscript.TestScript, args []string) {
	_, err := h.repo.Merge(number(ts, args[0]), args[1], args[2])
	if err == nil {
		ts.Fatalf("#%s was merged", args[0])
	}
	fmt.Fprintln(ts.Stdout(), strings.TrimSpace(err.Error()))
}

func (h *hub) close(ts *testscript.TestScript, args []string) {
	h.repo.Close(number(ts, args[0]), args[1])
}

func (h *hub) reopen(ts *testscript.TestScript, args []string) {
	ts.Check(h.repo.Reopen(number(ts, args[0]), args[1]))
}

// edit N USER TITLE BODY replaces the text of a pull request.
func (h *hub) edit(ts *testscript.TestScript, args []string) {
	h.repo.Edit(number(ts, args[0]), args[1], args[2], args[3])
}

// review N USER STATE reviews: approved, changes-requested or commented.
func (h *hub) review(ts *testscript.TestScript, args []string) {
	state := promotion.ReviewState(strings.ToUpper(strings.ReplaceAll(args[2], "-", "_")))
	_, err := h.repo.Review(number(ts, args[0]), args[1], state, "I have read it.")
	ts.Check(err)
}

// fault METHOD PATH before|after STATUS|hangup [NTH|all] fails a call before its effect, or
// loses its answer after it: the first of the path, the nth, or all until github heal.
func (h *hub) fault(ts *testscript.TestScript, args []string) {
	f := &fault{method: args[0], path: args[1], after: args[2] == "after", failure: sandbox.Hangup(), nth: 1}
	if args[3] != "hangup" {
		f.failure = sandbox.Status(number(ts, args[3]))
	}
	if len(args) > 4 {
		f.nth = 0
		if args[4] != "all" {
			f.nth = number(ts, args[4])
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.faults = append(h.faults, f)
}

// heal ends every fault. One that never came fails the script.
func (h *hub) heal(ts *testscript.TestScript, _ []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, f := range h.faults {
		if f.seen < max(f.nth, 1) {
			ts.Fatalf("%s %s was asked %d times: the fault never came", f.method, f.path, f.seen)
		}
	}
	h.faults = nil
}

func (h *hub) befall(c sandbox.Call) sandbox.Fault {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, f := range h.faults {
		if f.method != c.Method || f.path != c.Path {
			continue
		}
		if f.seen++; f.nth != 0 && f.seen != f.nth {
			continue
		}
		if f.after {
			return sandbox.Fault{After: f.failure, Delay: f.first}
		}
		return sandbox.Fault{Before: f.failure, Delay: f.first}
	}
	return sandbox.Fault{}
}

// writes COUNT|any holds how many requests to GitHub have asked to change something since the
// last time. Taking a token is none, nor is asking for a webhook's delivery again.
func (h *hub) writes(ts *testscript.TestScript, args []string) {
	var made []string
	for _, q := range h.world.Requests() {
		if q.Write() && !strings.HasSuffix(q.Path, "/access_tokens") && !strings.HasPrefix(q.Path, "/app/hook/deliveries/") {
			made = append(made, fmt.Sprintf("%s %s: %d", q.Method, q.Path, q.Status))
		}
	}
	if args[0] != "any" && len(made) != number(ts, args[0]) {
		ts.Fatalf("%d writes, want %s:\n%s", len(made), args[0], strings.Join(made, "\n"))
	}
	h.world.ForgetRequests()
}

// prs prints a line for each pull request.
func (h *hub) pullRequests(ts *testscript.TestScript, _ []string) {
	out := ts.Stdout()
	for _, p := range h.repo.PullRequests() {
		fmt.Fprintf(out, "#%d %s %s <- %s: %s\n", p.Number, p.State, p.Base.Ref, p.Head.Ref, p.Title)
	}
}

// pr N prints a pull request.
func (h *hub) pullRequest(ts *testscript.TestScript, args []string) {
	for _, p := range h.repo.PullRequests() {
		if p.Number == number(ts, args[0]) {
			reviewers := ""
			for _, who := range p.Reviewers {
				reviewers += " @" + who.Login
			}
			for _, team := range p.ReviewTeams {
				reviewers += " @" + team
			}
			if reviewers != "" {
				reviewers = ", review asked of" + reviewers
			}
			fmt.Fprintf(ts.Stdout(), "#%d %s\n%s, %s <- %s, labels %v%s\n\n%s", p.Number, p.Title, p.State, p.Base.Ref, p.Head.Ref, p.Labels, reviewers, strings.TrimSuffix(p.Body, "\n")+"\n")
			return
		}
	}
	ts.Fatalf("there is no pull request %s", args[0])
}

// file BRANCH PATH prints a file.
func (h *hub) file(ts *testscript.TestScript, args []string) {
	text, ok := h.repo.File(args[0], args[1])
	if !ok {
		ts.Fatalf("%s does not hold %s", args[0], args[1])
	}
	fmt.Fprint(ts.Stdout(), text)
}

// log BRANCH prints the commits of a branch, the newest first.
func (h *hub) log(ts *testscript.TestScript, args []string) {
	out := ts.Stdout()
	for _, c := range h.repo.Log(args[0]) {
		verified := ""
		if c.Verified {
			verified = " (verified)"
		}
		subject, _, _ := strings.Cut(c.Message, "\n")
		fmt.Fprintf(out, "%s%s: %s\n", c.AuthorName, verified, subject)
	}
}

// message BRANCH prints the message of the newest commit.
func (h *hub) message(ts *testscript.TestScript, args []string) {
	fmt.Fprint(ts.Stdout(), h.repo.Log(args[0])[0].Message)
}

// branches prints the names of all.
func (h *hub) branches(ts *testscript.TestScript, _ []string) {
	out := ts.Stdout()
	for _, ref := range slices.Sorted(maps.Keys(h.repo.Refs())) {
		if name, ok := strings.CutPrefix(ref, "refs/heads/"); ok {
			fmt.Fprintln(out, name)
		}
	}
}

// tip BRANCH sets $COMMIT to where the branch stands, and $TIP to the first ten digits of it.
func (h *hub) tip(ts *testscript.TestScript, args []string) {
	ts.Setenv("COMMIT", h.repo.Tip(args[0]))
	ts.Setenv("TIP", (h.repo.Tip(args[0]) + "          ")[:10])
}

func number(ts *testscript.TestScript, s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		ts.Fatalf("%s is no number: %v", s, errors.Unwrap(err))
	}
	return n
}
