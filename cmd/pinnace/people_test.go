package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// granted is what Pinnace's App may be granted.
var granted = map[string]string{
	"contents": "write", "pull_requests": "write", "metadata": "read", "checks": "write", "issues": "write", "members": "read",
	"deployments": "read", "statuses": "read", "merge_queues": "write", "workflows": "write",
}

// as-app makes Pinnace act as its App from now on, which is granted all that it can use:
// $PINNACE_APP_ID and $PINNACE_APP_KEY name it, $APP_ID as well, and there is no other token.
func (h *hub) asApp(ts *testscript.TestScript, _ []string) {
	owner, _, _ := strings.Cut(h.repo.FullName(), "/")
	h.app.Permit(owner, granted)
	h.useApp(ts, nil)
	ts.Setenv("PINNACE_APP_ID", ts.Getenv("APP_ID"))
	ts.Setenv("PINNACE_APP_KEY", ts.Getenv("APP_KEY"))
}

// as USER [LEVEL] makes Pinnace act by a token of a person, who gets that permission.
func (h *hub) as(ts *testscript.TestScript, args []string) {
	h.setClock(time.Time{})
	h.world.User(args[0])
	if len(args) > 1 {
		h.repo.Permission(args[0], promotion.Permission(args[1]))
	}
	ts.Setenv("GH_TOKEN", h.world.Token(args[0]))
	ts.Setenv("PINNACE_APP_ID", "")
	ts.Setenv("PINNACE_APP_KEY", "")
}

// writers USER... lets people write to the repository.
func (h *hub) writers(_ *testscript.TestScript, args []string) {
	for _, who := range args {
		h.world.User(who)
		h.repo.Permission(who, promotion.PermissionWrite)
	}
}

// team SLUG USER... makes a team of the organisation, whose members may write.
func (h *hub) team(_ *testscript.TestScript, args []string) {
	owner, _, _ := strings.Cut(h.repo.FullName(), "/")
	for _, who := range args[1:] {
		h.world.User(who)
	}
	h.world.Team(owner, args[0], args[1:]...)
	h.repo.TeamPermission(args[0], promotion.PermissionWrite)
}

// approve N USER, and request-changes N USER, review a pull request.
func (h *hub) approve(ts *testscript.TestScript, args []string) {
	h.review(ts, append(args, "approved"))
}

func (h *hub) requestChanges(ts *testscript.TestScript, args []string) {
	h.review(ts, append(args, "changes-requested"))
}

// dismiss N REVIEWER USER lets a user dismiss the last review of a reviewer.
func (h *hub) dismiss(ts *testscript.TestScript, args []string) {
	n := number(ts, args[0])
	for _, r := range slices.Backward(h.repo.Reviews(n)) {
		if r.Author.Login == args[1] {
			ts.Check(h.repo.Dismiss(n, r.ID, args[2], "no longer"))
			return
		}
	}
	ts.Fatalf("%s did not review #%d", args[1], n)
}

// comment N USER LINE... writes a comment, each argument a line.
func (h *hub) comment(ts *testscript.TestScript, args []string) {
	h.spoken = h.repo.Comment(number(ts, args[0]), args[1], strings.Join(args[2:], "\n"))
}

// edit-comment USER LINE... changes the last comment.
func (h *hub) editComment(ts *testscript.TestScript, args []string) {
	ts.Check(h.repo.EditComment(h.spoken, args[0], strings.Join(args[1:], "\n")))
}

// open BRANCH USER TITLE opens a pull request by hand.
func (h *hub) openPullRequest(ts *testscript.TestScript, args []string) {
	_, err := h.repo.OpenPullRequest(args[1], args[2], "", args[0], "main")
	ts.Check(err)
}

// revert N USER presses the button of that name.
func (h *hub) revert(ts *testscript.TestScript, args []string) {
	_, err := h.repo.Revert(number(ts, args[0]), args[1])
	ts.Check(err)
}

// deploy ENVIRONMENT STATE lets another App, argocd, say what became of main there.
func (h *hub) deploy(ts *testscript.TestScript, args []string) {
	app := h.world.RegisteredApp("argocd")
	if app == nil {
		owner, _, _ := strings.Cut(h.repo.FullName(), "/")
		app = h.world.App(sandbox.AppOptions{Name: "argocd", Permissions: map[string]string{"deployments": "write", "metadata": "read"}})
		app.Install(owner)
	}
	app.Deploy(h.repo, h.repo.Tip("main"), args[0], args[1])
}

// ci NAME pending|CONCLUSION lets another App, ci, report a check run on the tip of main.
func (h *hub) ci(ts *testscript.TestScript, args []string) {
	app := h.world.RegisteredApp("ci")
	if app == nil {
		owner, _, _ := strings.Cut(h.repo.FullName(), "/")
		app = h.world.App(sandbox.AppOptions{Name: "ci", Permissions: map[string]string{"checks": "write", "metadata": "read"}})
		app.Install(owner)
	}
	ts.Check(app.Check(h.repo, h.repo.Tip("main"), args[0], strings.TrimPrefix(args[1], "pending")))
}

// groups forms the groups of the merge queue, and prints a line for each.
func (h *hub) formGroups(ts *testscript.TestScript, _ []string) {
	for _, ref := range slices.Sorted(maps.Keys(h.repo.FormGroups())) {
		fmt.Fprintln(ts.Stdout(), strings.TrimPrefix(ref, "refs/heads/"))
	}
}

// land merges the groups whose required checks pass, and prints a line for each.
func (h *hub) landGroups(ts *testscript.TestScript, _ []string) {
	for _, n := range h.repo.LandGroups() {
		fmt.Fprintf(ts.Stdout(), "#%d landed\n", n)
	}
}

// observe notes comments, and the annotations of checks.
func (h *hub) observe(x sandbox.Exchange) {
	path := x.Request.URL.Path
	switch {
	case strings.HasSuffix(path, "/app/installations"):
		h.mu.Lock()
		h.surveyed++
		h.mu.Unlock()
	case x.Request.Method == http.MethodPost && strings.HasSuffix(path, "/comments") && x.Status == http.StatusCreated:
		select {
		case h.filed <- struct{}{}:
		default:
		}
	case x.Request.Method == http.MethodGet && strings.HasSuffix(path, "/comments"):
		select {
		case h.polled <- struct{}{}:
		default:
		}
	case strings.Contains(path, "/check-runs"):
		var run struct {
			Name   string `json:"name"`
			Output struct {
				Annotations []any `json:"annotations"`
			} `json:"output"`
		}
		if json.Unmarshal(x.Body, &run) == nil && len(run.Output.Annotations) > 0 {
			h.mu.Lock()
			h.annotations[run.Name] = run.Output.Annotations
			h.mu.Unlock()
		}
	}
}

// filed waits until somebody's program has written a comment.
func (h *hub) awaitFiled(*testscript.TestScript, []string) {
	<-h.filed
	for len(h.polled) > 0 {
		<-h.polled
	}
}

// polled waits until somebody's program has looked at a thread since.
func (h *hub) awaitPolled(*testscript.TestScript, []string) { <-h.polled }

// later lets a second pass, since GitHub counts in seconds: what follows is newer than what was
// done before.
func (h *hub) later(*testscript.TestScript, []string) {
	now := time.Now()
	<-time.After(now.Truncate(time.Second).Add(time.Second).Sub(now))
}

// comments N prints what was said in a thread.
func (h *hub) comments(ts *testscript.TestScript, args []string) {
	out := ts.Stdout()
	for i, c := range h.repo.Comments(number(ts, args[0])) {
		if i > 0 {
			fmt.Fprintln(out)
		}
		fmt.Fprintf(out, "%s:\n%s\n", c.Author.Login, strings.TrimRight(c.Body, "\n"))
	}
}

// suggestions N prints the comments on lines of a pull request.
func (h *hub) suggestions(ts *testscript.TestScript, args []string) {
	for _, c := range h.repo.LineComments(number(ts, args[0])) {
		fmt.Fprintf(ts.Stdout(), "%s:%d\n%s\n", c.Path, c.Line, strings.TrimRight(c.Body, "\n"))
	}
}

// press N USER presses "Commit suggestion" on all of them.
func (h *hub) press(ts *testscript.TestScript, args []string) {
	var all []int64
	for _, c := range h.repo.LineComments(number(ts, args[0])) {
		all = append(all, c.ID)
	}
	_, err := h.repo.PressSuggestion(number(ts, args[0]), args[1], all...)
	ts.Check(err)
}

// head returns the commit of a pull request, of a branch, or of a pull request's merge group.
func (h *hub) head(ts *testscript.TestScript, what string) string {
	if number, ok := strings.CutPrefix(what, "group:"); ok {
		for ref, sha := range h.repo.Refs() {
			if strings.Contains(ref, "gh-readonly-queue/main/pr-"+number+"-") {
				return sha
			}
		}
		ts.Fatalf("#%s is in no merge group", number)
	}
	n, err := strconv.Atoi(what)
	if err != nil {
		return h.repo.Tip(what)
	}
	for _, q := range h.repo.PullRequests() {
		if q.Number == n {
			return q.Head.SHA
		}
	}
	ts.Fatalf("there is no pull request %s", what)
	return ""
}

func state(c promotion.CheckRun) string {
	if c.Conclusion != "" {
		return c.Conclusion
	}
	return c.Status
}

// checks N|BRANCH|group:N prints a line for each check run of a head.
func (h *hub) checks(ts *testscript.TestScript, args []string) {
	out := ts.Stdout()
	for _, c := range h.repo.Checks(h.head(ts, args[0])) {
		fmt.Fprintf(out, "%s %s: %s\n", c.Name, state(c), c.Title)
	}
}

// check N|BRANCH|group:N NAME prints all that a check run says.
func (h *hub) check(ts *testscript.TestScript, args []string) {
	for _, c := range h.repo.Checks(h.head(ts, args[0])) {
		if c.Name != args[1] {
			continue
		}
		text, _, _ := strings.Cut(c.Text, "<!-- pinnace-record")
		fmt.Fprintf(ts.Stdout(), "%s %s: %s\n\n%s\n\n%s\n", c.Name, state(c), c.Title, strings.TrimSpace(c.Summary), strings.TrimSpace(text))
		h.mu.Lock()
		notes := h.annotations[c.Name]
		h.mu.Unlock()
		for _, n := range notes {
			line, _ := json.Marshal(n)
			fmt.Fprintf(ts.Stdout(), "\n%s\n", line)
		}
		return
	}
	ts.Fatalf("%s has no check %s", args[0], args[1])
}

// issue-by USER TITLE opens an issue.
func (h *hub) issueBy(_ *testscript.TestScript, args []string) {
	h.repo.Issue(args[0], args[1], "")
}

// refs prints the names of all refs.
func (h *hub) refs(ts *testscript.TestScript, _ []string) {
	for _, ref := range slices.Sorted(maps.Keys(h.repo.Refs())) {
		fmt.Fprintln(ts.Stdout(), ref)
	}
}

// issues prints a line for each.
func (h *hub) issues(ts *testscript.TestScript, _ []string) {
	out := ts.Stdout()
	for _, i := range h.repo.Issues() {
		state := "closed"
		if i.Open {
			state = "open"
		}
		fmt.Fprintf(out, "#%d %s %v: %s\n", i.Number, state, i.Labels, i.Title)
	}
}

// await-issue TITLE waits until there is one.
func (h *hub) awaitIssue(ts *testscript.TestScript, args []string) {
	h.serving.until(ts, args[0], func() bool {
		return slices.ContainsFunc(h.repo.Issues(), func(i promotion.Issue) bool { return i.Title == args[0] })
	})
}

// issue N prints one.
func (h *hub) issue(ts *testscript.TestScript, args []string) {
	for _, i := range h.repo.Issues() {
		if i.Number == number(ts, args[0]) {
			fmt.Fprintf(ts.Stdout(), "#%d %s\n\n%s\n", i.Number, i.Title, strings.TrimRight(i.Body, "\n"))
			return
		}
	}
	ts.Fatalf("there is no issue %s", args[0])
}
