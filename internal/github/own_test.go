package github

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

const checksOfA = "GET /repos/acme/config/commits/" + shaA + "/check-runs"

// wireRun is a check run of App 42.
func wireRun(id int, title string) string {
	return fmt.Sprintf(`{"id":%d,"name":"pinnace/promotion","head_sha":%q,"status":"completed","conclusion":"neutral","app":{"id":42},"output":{"title":%q}}`, id, shaA, title)
}

func wireRuns(runs ...string) string { return `{"check_runs":[` + strings.Join(runs, ",") + `]}` }

// A list of check runs that is of before our own writes is made whole; what is newer, or
// somebody else's, stays as it is, and after a while GitHub is believed again.
func TestOwnCheckRuns(t *testing.T) {
	r := newRig(t)
	c := r.client()
	r.on("POST /repos/acme/config/check-runs", 201, wireRun(5, "one"))
	r.on("PATCH /repos/acme/config/check-runs/5", 200, wireRun(5, "two"))
	run := promotion.CheckRun{ID: 5, Name: "pinnace/promotion", SHA: shaA, Conclusion: "neutral"}
	titles := func(listed ...string) string {
		t.Helper()
		r.on(checksOfA, 200, wireRuns(listed...))
		var all []string
		for _, x := range must[[]promotion.CheckRun](t)(c.CheckRuns(t.Context(), config, shaA, "pinnace/promotion")) {
			all = append(all, fmt.Sprint(x.ID, " ", x.Title))
		}
		return strings.Join(all, ", ")
	}
	is := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: got %s, want %s", what, got, want)
		}
	}
	is("before", titles(wireRun(4, "old")), "4 old")
	must[promotion.CheckRun](t)(c.CreateCheckRun(t.Context(), config, run))
	is("created, not listed", titles(wireRun(4, "old")), "5 one")
	is("created, nothing listed", titles(), "5 one")
	is("created, listed", titles(wireRun(5, "one")), "5 one")
	must[promotion.CheckRun](t)(c.UpdateCheckRun(t.Context(), config, run))
	is("changed, listed as it was", titles(wireRun(5, "one")), "5 two")
	is("changed, not listed at all", titles(wireRun(4, "old")), "5 two")
	is("changed, listed", titles(wireRun(5, "two")), "5 two")
	is("and again as it was", titles(wireRun(5, "one")), "5 two")
	is("a newer one of the name", titles(wireRun(6, "theirs")), "6 theirs")
	is("changed by another process", titles(wireRun(5, "three")), "5 three")
	is("which is believed from then on", titles(wireRun(5, "one")), "5 one")

	must[promotion.CheckRun](t)(c.UpdateCheckRun(t.Context(), config, run))
	r.pass(ownLife)
	is("long after", titles(wireRun(5, "one")), "5 one")
	must[promotion.CheckRun](t)(c.CreateCheckRun(t.Context(), config, run))
	if all := must[[]promotion.CheckRun](t)(r.client().CheckRuns(t.Context(), config, shaA, "")); len(all) != 1 {
		t.Errorf("another client knows of %+v", all)
	}
	r.on("GET /repos/acme/config/commits/"+shaB+"/check-runs", 200, wireRuns())
	r.on("GET /repos/acme/other/commits/"+shaA+"/check-runs", 200, wireRuns())
	other := promotion.Repository{ID: 8, Owner: "acme", Name: "other"}
	for repo, sha := range map[*promotion.Repository]string{&config: shaB, &other: shaA} {
		if all := must[[]promotion.CheckRun](t)(c.CheckRuns(t.Context(), *repo, sha, "")); len(all) != 0 {
			t.Errorf("%s of %s has %+v", sha, repo.Name, all)
		}
	}
	if all := must[[]promotion.CheckRun](t)(c.CheckRuns(t.Context(), config, shaA, "another")); len(all) != 0 {
		t.Errorf("of another name: %+v", all)
	}
}

// So are lists of comments, of a thread and of a repository.
func TestOwnComments(t *testing.T) {
	r := newRig(t)
	c := r.client()
	began := r.now()
	wire := func(id int, body string) string {
		at := began.Format(time.RFC3339)
		return fmt.Sprintf(`{"id":%d,"issue_url":"https://x/repos/acme/config/issues/3","user":{"id":1,"login":"pinnace[bot]"},"body":%q,"created_at":%q,"updated_at":%q}`, id, body, at, at)
	}
	r.on("POST /repos/acme/config/issues/3/comments", 201, wire(9, "mine"))
	r.on("PATCH /repos/acme/config/issues/comments/9", 200, wire(9, "mine, edited"))
	r.on("GET /repos/acme/config/issues/4/comments", 200, "[]")
	got := func(listed ...string) string {
		t.Helper()
		page := "[" + strings.Join(listed, ",") + "]"
		r.on("GET /repos/acme/config/issues/3/comments", 200, page)
		r.on("GET /repos/acme/config/issues/comments", 200, page)
		var all, since []string
		for _, x := range must[[]promotion.Comment](t)(c.Comments(t.Context(), config, 3)) {
			all = append(all, x.Body)
		}
		for _, x := range must[[]promotion.Comment](t)(c.CommentsSince(t.Context(), config, began)) {
			since = append(since, x.Body)
		}
		if diff := cmp.Diff(all, since); diff != "" {
			t.Errorf("of the thread and of the repository (-want +got):\n%s", diff)
		}
		return strings.Join(all, ", ")
	}
	is := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: got %s, want %s", what, got, want)
		}
	}
	is("before", got(wire(1, "theirs")), "theirs")
	must[promotion.Comment](t)(c.Comment(t.Context(), config, 3, "mine"))
	is("not listed", got(wire(1, "theirs")), "theirs, mine")
	is("listed", got(wire(1, "theirs"), wire(9, "mine")), "theirs, mine")
	must[promotion.Comment](t)(c.EditComment(t.Context(), config, 9, "mine, edited"))
	is("listed as it was", got(wire(9, "mine")), "mine, edited")
	is("listed as somebody made it", got(wire(9, "theirs now")), "theirs now")
	if all := must[[]promotion.Comment](t)(c.Comments(t.Context(), config, 4)); len(all) != 0 {
		t.Errorf("another thread has %+v", all)
	}
	must[promotion.Comment](t)(c.Comment(t.Context(), config, 3, "mine"))
	if all := must[[]promotion.Comment](t)(c.CommentsSince(t.Context(), config, began.Add(time.Hour))); len(all) != 0 {
		t.Errorf("since later: %+v", all)
	}
	r.pass(ownLife)
	is("long after, deleted", got(), "")
}

// A pull request that Pinnace opened is in the lists, unless GitHub knows that it was closed
// since; one that Pinnace merged is merged.
func TestOwnPullRequests(t *testing.T) {
	wire := func(state, head string) string {
		return fmt.Sprintf(`{"number":3,"state":%q,"head":{"ref":"b","sha":%q,"repo":{"id":7}},"base":{"ref":"main","repo":{"id":7}}}`, state, head)
	}
	const list, one, ofCommit = "GET /repos/acme/config/pulls", "GET /repos/acme/config/pulls/3", "GET /repos/acme/config/commits/" + shaC + "/pulls"
	r := newRig(t)
	c := r.client()
	r.on("POST /repos/acme/config/pulls", 201, wire("open", shaA))
	r.on("PUT /repos/acme/config/pulls/3/merge", 200, `{"merged":true,"sha":"`+shaC+`"}`)
	r.on(list, 200, "[]")
	states := func(q promotion.Query) string {
		t.Helper()
		var all []string
		for _, p := range must[[]promotion.PullRequest](t)(c.PullRequests(t.Context(), config, q)) {
			all = append(all, fmt.Sprint(p.Number, " ", p.State))
		}
		return strings.Join(all, ", ")
	}
	is := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: got %q, want %q", what, got, want)
		}
	}
	open := promotion.Query{State: promotion.Open, Base: "main"}
	must[promotion.PullRequest](t)(c.OpenPullRequest(t.Context(), config, promotion.Draft{Title: "t", Head: "b", Base: "main"}))
	r.on(one, 404, `{"message":"Not Found"}`)
	is("known to nobody yet", states(open), "3 open")
	r.on(one, 200, wire("open", shaB))
	is("not listed", states(open), "3 open")
	is("of its head", states(promotion.Query{Head: "b"}), "3 open")
	is("of another base", states(promotion.Query{State: promotion.Open, Base: "other"}), "")
	is("of another head", states(promotion.Query{Head: "x"}), "")
	r.on(one, 200, wire("closed", shaB))
	is("closed by somebody", states(open), "")
	is("closed by somebody, of all", states(promotion.Query{}), "3 closed")
	r.on(one, 502, "")
	if _, err := c.PullRequests(t.Context(), config, open); err == nil {
		t.Error("what cannot be read is left out")
	}

	r.on(one, 200, wire("open", shaA))
	r.on(list, 200, "["+wire("open", shaA)+"]")
	r.on(ofCommit, 200, "[]")
	if _, err := c.Merge(t.Context(), config, promotion.MergeRequest{Number: 3, SHA: shaA}); err != nil {
		t.Fatal(err)
	}
	is("merged, of the open ones", states(open), "")
	is("merged, of all", states(promotion.Query{}), "3 merged")
	if p, ok, err := c.PullRequest(t.Context(), config, 3); err != nil || !ok || p.State != promotion.Merged || p.MergeCommit != shaC || p.MergedAt.IsZero() {
		t.Errorf("got %+v, %v, %v", p, ok, err)
	}
	if all := must[[]promotion.PullRequest](t)(c.PullRequestsOfCommit(t.Context(), config, shaC)); len(all) != 1 || all[0].State != promotion.Merged {
		t.Errorf("of the commit: %+v", all)
	}
	r.on(one, 200, wire("open", shaB))
	if p, _, err := c.PullRequest(t.Context(), config, 3); err != nil || p.State != promotion.Open {
		t.Errorf("with another head: %+v, %v", p, err)
	}
	r.on(one, 200, wire("open", shaA))
	r.pass(ownLife)
	if p, _, err := c.PullRequest(t.Context(), config, 3); err != nil || p.State != promotion.Open {
		t.Errorf("long after: %+v, %v", p, err)
	}
	r.on(list, 200, "[]")
	is("long after", states(open), "")
}

// An issue that Pinnace opened is in the lists of its labels.
func TestOwnIssues(t *testing.T) {
	r := newRig(t)
	c := r.client()
	wire := func(state string) string {
		return `{"number":3,"state":"` + state + `","title":"t","labels":[{"name":"pinnace"}]}`
	}
	r.on("POST /repos/acme/config/issues", 201, wire("open"))
	r.on("GET /repos/acme/config/issues", 200, "[]")
	if _, err := c.OpenIssue(t.Context(), config, "t", "b", []string{"pinnace"}); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		what, label string
		status      int
		one, want   string
	}{
		{"known to nobody yet", "pinnace", 404, `{"message":"Not Found"}`, "3 true"},
		{"not listed", "pinnace", 200, wire("open"), "3 true"},
		{"closed by somebody", "pinnace", 200, wire("closed"), "3 false"},
		{"of another label", "other", 418, "", ""},
	} {
		r.on("GET /repos/acme/config/issues/3", x.status, x.one)
		var all []string
		for _, i := range must[[]promotion.Issue](t)(c.IssuesWithLabel(t.Context(), config, x.label)) {
			all = append(all, fmt.Sprint(i.Number, " ", i.Open))
		}
		if got := strings.Join(all, ", "); got != x.want {
			t.Errorf("%s: got %q, want %q", x.what, got, x.want)
		}
	}
	r.pass(ownLife)
	if all := must[[]promotion.Issue](t)(c.IssuesWithLabel(t.Context(), config, "pinnace")); len(all) != 0 {
		t.Errorf("long after: %+v", all)
	}
}

// What is remembered is bounded, whoever writes at once.
func TestOwnIsBounded(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	o := newOwn(func() time.Time { return now })
	var tasks sync.WaitGroup
	for k := range 4 {
		tasks.Go(func() {
			for i := range maxOwn {
				run := promotion.CheckRun{ID: int64(k*maxOwn + i + 1), Name: "n", SHA: shaA}
				o.wroteCheck(config, run, true)
				if i%100 == 0 {
					o.checkRuns(config, shaB, "", []promotion.CheckRun{run})
				}
			}
		})
	}
	tasks.Wait()
	for i := range 100 {
		o.wroteCheck(config, promotion.CheckRun{ID: 1, Title: fmt.Sprint(i)}, false)
	}
	if n, m, old := len(o.checks.wrote), len(o.checks.seen), len(o.checks.wrote[keyIn(config, 1)].older); n > maxOwn || m > maxOwn || old > 11 {
		t.Errorf("%d written, %d seen, %d versions", n, m, old)
	}
}
