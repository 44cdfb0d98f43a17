package github

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

func wirePull(number int, state, merged, head string, headRepo string) string {
	return fmt.Sprintf(`{"number":%d,"node_id":"PR_%d","html_url":"https://github.com/acme/config/pull/%d","title":"T","body":null,"state":%q,
		"draft":true,"locked":true,"user":{"id":9,"login":"pinnace[bot]","type":"Bot"},"created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-02T00:00:00Z",
		"closed_at":null,"merged_at":%s,"merge_commit_sha":%q,"labels":[{"name":"env/prod"},null],
		"head":{"ref":%q,"sha":%q,"user":{"login":"acme"},"repo":%s},"base":{"ref":"main","sha":%q,"repo":{"id":7,"owner":{"login":"acme"}}},
		"requested_reviewers":[{"id":1,"login":"ann","type":"User"}],"requested_teams":[{"slug":"ops"}],"auto_merge":null}`,
		number, number, number, state, merged, shaC, head, shaA, headRepo, shaB)
}

const ours = `{"id":7,"owner":{"login":"acme"}}`

func TestPullRequests(t *testing.T) {
	r := newRig(t)
	r.on("GET /repos/acme/config/pulls?base=main&direction=desc&head=acme%3Apinnace%2Fprod&per_page=100&sort=created&state=all", 200, "["+strings.Join([]string{
		wirePull(9, "open", "null", "pinnace/prod", ours),
		wirePull(8, "closed", `"2026-01-03T00:00:00Z"`, "pinnace/prod", ours),
		wirePull(7, "open", "null", "pinnace/prod", `{"id":99,"owner":{"login":"acme"}}`), // a fork's
		wirePull(6, "open", "null", "pinnace/prod", "null"),                               // a deleted fork's
		wirePull(5, "open", "null", "pinnace/production", ours),
		wirePull(9, "open", "null", "pinnace/prod", ours), // pushed to the next page meanwhile
		"null",
	}, ",")+"]")
	got := must[[]promotion.PullRequest](t)(r.client().PullRequests(t.Context(), config, promotion.Query{Head: "pinnace/prod", Base: "main"}))
	want := promotion.PullRequest{
		Number: 9, NodeID: "PR_9", URL: "https://github.com/acme/config/pull/9", Title: "T", State: promotion.Open, Draft: true, Locked: true,
		Author: promotion.Identity{ID: 9, Login: "pinnace[bot]", Bot: true},
		Head:   promotion.Branch{Repository: 7, Owner: "acme", Ref: "pinnace/prod", SHA: shaA}, Base: promotion.Branch{Repository: 7, Owner: "acme", Ref: "main", SHA: shaB},
		Labels: []string{"env/prod", ""}, Created: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Updated: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC),
		Reviewers: []promotion.Identity{{ID: 1, Login: "ann"}}, ReviewTeams: []string{"ops"},
	}
	merged := want
	merged.Number, merged.NodeID, merged.URL = 8, "PR_8", "https://github.com/acme/config/pull/8"
	merged.State, merged.MergedAt, merged.MergeCommit = promotion.Merged, time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC), shaC
	if diff := cmp.Diff([]promotion.PullRequest{want, merged}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPullRequestStates(t *testing.T) {
	all := "[" + wirePull(3, "open", "null", "a", ours) + "," + wirePull(2, "closed", "null", "b", "null") + "," + wirePull(1, "closed", `"2026-01-03T00:00:00Z"`, "c", "{}") + "]"
	for state, want := range map[promotion.State]string{"": "all [3 2 1]", promotion.Open: "open [3]", promotion.Closed: "closed [2 1]", promotion.Merged: "closed [1]"} {
		r := newRig(t)
		r.on("GET /repos/acme/config/pulls", 200, all)
		got := must[[]promotion.PullRequest](t)(r.client().PullRequests(t.Context(), config, promotion.Query{State: state}))
		var numbers []int
		for _, pr := range got {
			numbers = append(numbers, pr.Number)
		}
		line := r.lines()[0]
		if text := fmt.Sprint(line[strings.LastIndex(line, "=")+1:], " ", numbers); text != want {
			t.Errorf("%q: got %s, want %s", state, text, want)
		}
	}
}

// A renamed repository keeps the pull requests of its old owner's head from being found.
func TestPullRequestsAfterRename(t *testing.T) {
	r := newRig(t)
	r.handle("GET /repos/acme/config/pulls", says(301, "", "Location", "/repositories/7/pulls"))
	r.on("GET /repositories/7/pulls", 200, `[]`)
	_, err := r.client().PullRequests(t.Context(), config, promotion.Query{Head: "a"})
	isOnly(t, err, promotion.ErrConflict)
	if _, err := r.client().PullRequests(t.Context(), config, promotion.Query{}); err != nil {
		t.Error(err)
	}
}

func TestPullRequest(t *testing.T) {
	r := newRig(t)
	body := strings.Replace(wirePull(3, "closed", `"2026-01-03T00:00:00Z"`, "a", "null"), "{", `{"merged":true,"merged_by":null,"mergeable":false,"mergeable_state":"dirty","commits":2,"changed_files":4,`, 1)
	r.on("GET /repos/acme/config/pulls/3", 200, body)
	r.on("GET /repos/acme/config/pulls/4", 404, `{"message":"Not Found"}`)
	r.on("GET /repos/acme/config/pulls/5", 200, body)
	r.on("GET /repos/acme/config/pulls/6", 200, `{"number":6}`)
	c := r.client()
	got, ok, err := c.PullRequest(t.Context(), config, 3)
	if err != nil || !ok || got.State != promotion.Merged || *got.Mergeable || got.MergeableState != "dirty" || got.Commits != 2 || got.ChangedFiles != 4 ||
		got.Head != (promotion.Branch{Owner: "acme", Ref: "a", SHA: shaA}) || got.MergedBy != (promotion.Identity{}) {
		t.Errorf("got %+v, %v, %v", got, ok, err)
	}
	if _, ok, err := c.PullRequest(t.Context(), config, 4); ok || err != nil {
		t.Errorf("got %v, %v, want that there is none", ok, err)
	}
	_, _, err = c.PullRequest(t.Context(), config, 5)
	isOnly(t, err, promotion.ErrTransient) // another one than was asked for
	got, ok, err = c.PullRequest(t.Context(), config, 6)
	if err != nil || !ok || got.Author != (promotion.Identity{Login: "ghost"}) {
		t.Errorf("got %+v, %v, %v", got, ok, err)
	}
}

func TestOpenPullRequest(t *testing.T) {
	r := newRig(t)
	r.on("POST /repos/acme/config/pulls", 201, wirePull(3, "open", "null", "a", ours))
	c := r.client()
	pr := must[promotion.PullRequest](t)(c.OpenPullRequest(t.Context(), config, promotion.Draft{Title: "T <x>", Body: "B", Head: "a", Base: "main"}))
	if diff := cmp.Diff(map[string]any{"title": "T <x>", "body": "B", "head": "a", "base": "main"}, r.body()); diff != "" || pr.Number != 3 {
		t.Errorf("got %d (-want +got):\n%s", pr.Number, diff)
	}
	r.on("POST /repos/acme/config/pulls", 201, `{}`)
	_, err := c.OpenPullRequest(t.Context(), config, promotion.Draft{Head: "a", Base: "main"})
	isOnly(t, err, promotion.ErrTransient)
}

func TestAmendPullRequest(t *testing.T) {
	title, body, base, closed := "T", "", "release", promotion.Closed
	for _, c := range []struct {
		name, method string
		a            promotion.Amendment
		want         map[string]any
	}{
		{"all", "PATCH", promotion.Amendment{Title: &title, Body: &body, Base: &base, State: &closed}, map[string]any{"title": "T", "body": "", "base": "release", "state": "closed"}},
		{"one", "PATCH", promotion.Amendment{Body: &body}, map[string]any{"body": ""}},
		{"nothing", "GET", promotion.Amendment{}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.on(c.method+" /repos/acme/config/pulls/3", 200, wirePull(3, "open", "null", "a", ours))
			pr := must[promotion.PullRequest](t)(r.client().AmendPullRequest(t.Context(), config, 3, c.a))
			if pr.Number != 3 {
				t.Errorf("got %+v", pr)
			}
			if c.want == nil {
				return
			}
			if diff := cmp.Diff(c.want, r.body()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestMerge(t *testing.T) {
	for _, c := range []struct {
		name string
		m    promotion.MergeRequest
		want map[string]any
	}{
		{"default", promotion.MergeRequest{Number: 3, SHA: shaA}, map[string]any{"sha": shaA, "merge_method": "merge"}},
		{"squash", promotion.MergeRequest{Number: 3, SHA: shaA, Method: "squash", Title: "T", Message: "M"}, map[string]any{"sha": shaA, "merge_method": "squash", "commit_title": "T", "commit_message": "M"}},
		{"rebase", promotion.MergeRequest{Number: 3, SHA: shaA, Method: "rebase", Title: "T", Message: "M"}, map[string]any{"sha": shaA, "merge_method": "rebase"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.on("PUT /repos/acme/config/pulls/3/merge", 200, `{"sha":"`+shaB+`","merged":true}`)
			if got := must[string](t)(r.client().Merge(t.Context(), config, c.m)); got != shaB {
				t.Errorf("got %s", got)
			}
			if diff := cmp.Diff(c.want, r.body()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	r := newRig(t)
	r.on("PUT /repos/acme/config/pulls/3/merge", 200, `{"merged":false,"message":"queued"}`)
	_, err := r.client().Merge(t.Context(), config, promotion.MergeRequest{Number: 3, SHA: shaA})
	isOnly(t, err, promotion.ErrTransient)
}

func TestFilesAndCommits(t *testing.T) {
	r := newRig(t)
	r.on("GET /repos/acme/config/pulls/3/files?per_page=100", 200, `[{"sha":"`+shaA+`","filename":"b.yaml","previous_filename":"a.yaml","status":"renamed","patch":"@@"},null]`)
	got := must[[]promotion.File](t)(r.client().Files(t.Context(), config, 3))
	if diff := cmp.Diff([]promotion.File{{Path: "b.yaml", Previous: "a.yaml", Status: "renamed", Blob: shaA, Patch: "@@"}, {}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	r.on("GET /repos/acme/config/pulls/3/commits?per_page=100", 200, `[{"sha":"`+shaA+`","author":{"id":1,"login":"ann","type":"User"},"committer":null,"parents":[{"sha":"`+shaB+`"}],
		"commit":{"message":"M","verification":{"verified":true,"reason":"valid"}}},null]`)
	commits := must[[]promotion.CommitAuthor](t)(r.client().Commits(t.Context(), config, 3))
	if diff := cmp.Diff([]promotion.CommitAuthor{{SHA: shaA, Author: promotion.Identity{ID: 1, Login: "ann"}, Verified: true, Reason: "valid", Message: "M", Parents: []string{shaB}}, {}}, commits); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// GitHub cuts long lists without a word; the pull request's own count shows it.
func TestCutLists(t *testing.T) {
	for _, c := range []struct {
		count int
		want  error
	}{{250, nil}, {251, promotion.ErrInvalid}} {
		r := newRig(t)
		row := `{"sha":"` + shaA + `"}`
		r.on("GET /repos/acme/config/pulls/3/commits?per_page=100", 200, "["+strings.Repeat(row+",", 249)+row+"]")
		r.on("GET /repos/acme/config/pulls/3", 200, fmt.Sprintf(`{"number":3,"commits":%d}`, c.count))
		got, err := r.client().Commits(t.Context(), config, 3)
		if c.want != nil {
			isOnly(t, err, c.want)
		} else if err != nil || len(got) != 250 {
			t.Errorf("%d: got %d, %v", c.count, len(got), err)
		}
	}
}

func TestRequestReviewers(t *testing.T) {
	r := newRig(t)
	r.on("POST /repos/acme/config/pulls/3/requested_reviewers", 201, `{}`)
	if err := r.client().RequestReviewers(t.Context(), config, 3, []string{"ann"}, nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"reviewers": []any{"ann"}, "team_reviewers": []any{}}, r.body()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := r.client().RequestReviewers(t.Context(), config, 3, nil, nil); err != nil || len(r.lines()) != 1 {
		t.Errorf("asking nobody: %v, %d requests", err, len(r.lines()))
	}
}

func TestPullRequestsOfCommit(t *testing.T) {
	r := newRig(t)
	r.on("GET /repos/acme/config/commits/"+shaA+"/pulls?per_page=100", 200, "["+wirePull(3, "open", "null", "a", ours)+"]")
	got := must[[]promotion.PullRequest](t)(r.client().PullRequestsOfCommit(t.Context(), config, shaA))
	if len(got) != 1 || got[0].Number != 3 {
		t.Errorf("got %+v", got)
	}
}

func TestReviews(t *testing.T) {
	r := newRig(t)
	r.on("GET /repos/acme/config/pulls/3/reviews?per_page=100", 200, `[
		{"id":1,"html_url":"u","user":{"id":1,"login":"ann","type":"User"},"state":"APPROVED","body":"ok","commit_id":"`+shaA+`","submitted_at":"2026-01-01T00:00:00Z"},
		{"id":2,"user":null,"state":"commented","commit_id":null}]`)
	want := []promotion.Review{
		{ID: 1, URL: "u", Author: promotion.Identity{ID: 1, Login: "ann"}, State: promotion.Approved, Body: "ok", Commit: shaA, Submitted: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)},
		{ID: 2, Author: promotion.Identity{Login: "ghost"}, State: promotion.Commented},
	}
	if diff := cmp.Diff(want, must[[]promotion.Review](t)(r.client().Reviews(t.Context(), config, 3))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	r.on("PUT /repos/acme/config/pulls/3/reviews/1/dismissals", 200, `{}`)
	if err := r.client().DismissReview(t.Context(), config, 3, 1, "moved on"); err != nil || r.body()["message"] != "moved on" {
		t.Errorf("got %v, %v", err, r.body())
	}
}

func TestLineComments(t *testing.T) {
	r := newRig(t)
	r.on("GET /repos/acme/config/pulls/3/comments?per_page=100", 200, `[
		{"id":7,"user":{"id":1,"login":"ann","type":"User"},"path":"a.yaml","body":"why","commit_id":"`+shaB+`","original_commit_id":"`+shaA+`","line":null,"original_line":4,"original_start_line":2}]`)
	want := []promotion.LineComment{{ID: 7, Path: "a.yaml", Start: 2, Line: 4, Commit: shaA, Author: promotion.Identity{ID: 1, Login: "ann"}, Body: "why"}}
	if diff := cmp.Diff(want, must[[]promotion.LineComment](t)(r.client().LineComments(t.Context(), config, 3))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	r.on("POST /repos/acme/config/pulls/3/reviews", 200, `{}`)
	err := r.client().ReviewLines(t.Context(), config, 3, shaA, "see below", []promotion.LineComment{{Path: "a.yaml", Line: 4, Body: "one"}, {Path: "b.yaml", Start: 2, Line: 5, Body: "two"}})
	sent := map[string]any{
		"commit_id": shaA, "event": "COMMENT", "body": "see below", "comments": []any{
			map[string]any{"path": "a.yaml", "line": 4.0, "side": "RIGHT", "body": "one"},
			map[string]any{"path": "b.yaml", "start_line": 2.0, "start_side": "RIGHT", "line": 5.0, "side": "RIGHT", "body": "two"},
		},
	}
	if diff := cmp.Diff(sent, r.body()); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestTimeline(t *testing.T) {
	r := newRig(t)
	r.on("GET /repos/acme/config/issues/3/timeline?per_page=100", 200, `[
		{"event":"committed","sha":"`+shaA+`","author":{"date":"2020-01-01T00:00:00Z"},"committer":{"date":"2020-01-01T00:00:00Z"}},
		{"event":"reviewed","id":1,"user":{"id":1,"login":"ann"},"submitted_at":"2026-01-01T00:00:00Z","commit_id":"`+shaA+`"},
		{"event":"review_dismissed","actor":{"id":2,"login":"bob"},"created_at":"2026-01-02T00:00:00Z","dismissed_review":{"review_id":1,"state":"approved","dismissal_message":"no","dismissal_commit_id":"`+shaB+`"}},
		{"event":"head_ref_force_pushed","actor":null,"created_at":"2026-01-03T00:00:00Z","commit_id":"`+shaB+`"},
		{"event":"unheard-of"}]`)
	day := func(d int) time.Time { return time.Date(2026, 1, d, 0, 0, 0, 0, time.UTC) }
	ghost := promotion.Identity{Login: "ghost"}
	want := []promotion.Moment{
		{Event: "committed", Commit: shaA},
		{Event: "reviewed", At: day(1), Actor: promotion.Identity{ID: 1, Login: "ann"}, Commit: shaA, Review: 1},
		{Event: "review_dismissed", At: day(2), Actor: promotion.Identity{ID: 2, Login: "bob"}, Review: 1, DismissalCommit: shaB, Message: "no", Was: promotion.Approved},
		{Event: "head_ref_force_pushed", At: day(3), Actor: ghost, Commit: shaB},
		{Event: "unheard-of", Actor: ghost},
	}
	if diff := cmp.Diff(want, must[[]promotion.Moment](t)(r.client().Timeline(t.Context(), config, 3))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestComments(t *testing.T) {
	r := newRig(t)
	wire := `{"id":5,"html_url":"u","issue_url":"https://api.github.com/repos/acme/config/issues/3","user":{"id":9,"login":"pinnace[bot]"},"body":"hi","created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-02T00:00:00Z"}`
	want := promotion.Comment{ID: 5, Thread: 3, URL: "u", Author: promotion.Identity{ID: 9, Login: "pinnace[bot]", Bot: true}, Body: "hi", Created: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Updated: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)}
	r.on("GET /repos/acme/config/issues/3/comments?per_page=100", 200, "["+wire+"]")
	r.on("POST /repos/acme/config/issues/3/comments", 201, wire)
	r.on("PATCH /repos/acme/config/issues/comments/5", 200, wire)
	c := r.client()
	got := must[[]promotion.Comment](t)(c.Comments(t.Context(), config, 3))
	got = append(got, must[promotion.Comment](t)(c.Comment(t.Context(), config, 3, "hi")), must[promotion.Comment](t)(c.EditComment(t.Context(), config, 5, "hi")))
	if diff := cmp.Diff([]promotion.Comment{want, want, want}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLabels(t *testing.T) {
	r := newRig(t)
	c := r.client()
	ctx := t.Context()
	r.on("PUT /repos/acme/config/issues/3/labels", 200, `[]`)
	r.on("POST /repos/acme/config/issues/3/labels", 200, `[]`)
	if err := c.SetLabels(ctx, config, 3); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(map[string]any{"labels": []any{}}, r.body()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := c.AddLabels(ctx, config, 3, "a", "b"); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(map[string]any{"labels": []any{"a", "b"}}, r.body()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := c.AddLabels(ctx, config, 3); err != nil || len(r.lines()) != 2 {
		t.Errorf("adding none: %v, %q", err, r.lines())
	}
	for body, gone := range map[string]bool{`{"message":"Label does not exist"}`: true, `{"message":"Not Found"}`: false} {
		r.on("DELETE /repos/acme/config/issues/3/labels/a", 404, body)
		if err := c.RemoveLabel(ctx, config, 3, "a"); (err == nil) != gone {
			t.Errorf("%s: got %v", body, err)
		}
	}
	for _, e := range []struct {
		name        string
		there, made int
		answer      string
		requests    int
		want        error
	}{
		{"there", 200, 0, "", 1, nil},
		{"made", 404, 201, `{}`, 2, nil},
		{"somebody was faster", 404, 422, `{"message":"Validation Failed","errors":[{"resource":"Label","code":"already_exists","field":"name"}]}`, 2, nil},
		{"refused", 404, 403, `{"message":"Resource not accessible by integration"}`, 2, promotion.ErrForbidden},
		{"nobody knows", 500, 0, "", 1, promotion.ErrTransient},
	} {
		t.Run(e.name, func(t *testing.T) {
			r := newRig(t)
			r.on("GET /repos/acme/config/labels/env", e.there, `{"name":"env"}`)
			if e.made != 0 {
				r.on("POST /repos/acme/config/labels", e.made, e.answer)
			}
			err := r.client().EnsureLabel(ctx, config, "env", "0e8a16", "what")
			if e.want != nil {
				isOnly(t, err, e.want)
			} else if err != nil {
				t.Error(err)
			}
			if n := len(r.lines()); n != e.requests {
				t.Errorf("%d requests, want %d", n, e.requests)
			}
		})
	}
}

func TestIssues(t *testing.T) {
	r := newRig(t)
	c := r.client()
	ctx := t.Context()
	wire := func(state string) string {
		return `{"number":4,"html_url":"u","title":"T","body":"B","state":"` + state + `","user":{"id":1,"login":"ann"},"closed_by":null,"labels":[{"name":"x"}],"created_at":"2026-01-01T00:00:00Z"}`
	}
	want := promotion.Issue{Number: 4, URL: "u", Title: "T", Body: "B", Open: true, Author: promotion.Identity{ID: 1, Login: "ann"}, Labels: []string{"x"}, Created: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	r.on("POST /repos/acme/config/issues", 201, wire("open"))
	r.handle("PATCH /repos/acme/config/issues/4", func(w http.ResponseWriter, req *http.Request) {
		state := "open"
		if r.body()["state"] == "closed" {
			state = "closed"
		}
		says(200, wire(state))(w, req)
	})
	r.on("GET /repos/acme/config/issues/4", 200, wire("open"))
	r.on("GET /repos/acme/config/issues?direction=desc&labels=x&per_page=100&sort=created&state=all", 200, "["+wire("open")+`,{"number":5,"pull_request":{}},null]`)
	if diff := cmp.Diff(want, must[promotion.Issue](t)(c.OpenIssue(ctx, config, "T", "B", []string{"x"}))); diff != "" {
		t.Errorf("opened (-want +got):\n%s", diff)
	}
	if got := must[promotion.Issue](t)(c.CloseIssue(ctx, config, 4)); got.Open {
		t.Errorf("closed: %+v", got)
	}
	for name, do := range map[string]func() (promotion.Issue, error){
		"reopened": func() (promotion.Issue, error) { return c.ReopenIssue(ctx, config, 4) },
		"edited":   func() (promotion.Issue, error) { return c.EditIssue(ctx, config, 4, "B") },
	} {
		if diff := cmp.Diff(want, must[promotion.Issue](t)(do())); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if diff := cmp.Diff([]promotion.Issue{want}, must[[]promotion.Issue](t)(c.IssuesWithLabel(ctx, config, "x"))); diff != "" {
		t.Errorf("listed (-want +got):\n%s", diff)
	}
	for name, e := range map[string]struct {
		status int
		body   string
		ok     bool
	}{
		"there":        {200, wire("open"), true},
		"pull request": {200, `{"number":4,"pull_request":{}}`, false},
		"transferred":  {200, `{"number":77}`, false},
		"not there":    {404, `{"message":"Not Found"}`, false},
		"deleted":      {410, `{"message":"This issue was deleted"}`, false},
	} {
		r.on("GET /repos/acme/config/issues/4", e.status, e.body)
		if _, ok, err := c.Issue(ctx, config, 4); ok != e.ok || err != nil {
			t.Errorf("%s: got %v, %v", name, ok, err)
		}
	}
	r.on("GET /repos/acme/config/issues/4", 410, `{"message":"Issues are disabled for this repo"}`)
	_, _, err := c.Issue(ctx, config, 4)
	isOnly(t, err, promotion.ErrBlocked)
}
