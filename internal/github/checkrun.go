package github

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"
	"unicode/utf8"

	gh "github.com/google/go-github/v60/github"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// https://docs.github.com/en/rest/checks/runs#create-a-check-run
const (
	maxAnnotations = 50 // a request
	maxText        = 65535
	maxTitle       = 255
	maxDetail      = 64 << 10
	maxActions     = 3
)

// CheckRuns returns the newest check runs of a name ("" = any) on a commit, whoever wrote
// them: CheckRun.App says who.
func (c *Client) CheckRuns(ctx context.Context, repo promotion.Repository, sha, name string) ([]promotion.CheckRun, error) {
	query := url.Values{"filter": {"latest"}}
	if name != "" {
		query.Set("check_name", name)
	}
	wire, err := collectIn[*gh.CheckRun](ctx, c, call{
		op: "list the check runs of " + clean(sha, "") + " in " + repo.FullName(), path: in(repo).add("/commits").sha(sha).add("/check-runs"),
		query: query, need: "checks=read",
	}, "check_runs")
	if err != nil {
		return nil, err
	}
	var all []promotion.CheckRun
	for _, w := range wire {
		if name == "" || w.GetName() == name {
			all = append(all, checkRun(w))
		}
	}
	return c.mine.checkRuns(repo, sha, name, all), nil
}

// CreateCheckRun writes a new check run on r.SHA. Only an App's token may. Long texts are cut
// with a note. More than 50 annotations take several requests; the conclusion goes with the
// last, so that a run is completed only when it is whole.
func (c *Client) CreateCheckRun(ctx context.Context, repo promotion.Repository, r promotion.CheckRun) (promotion.CheckRun, error) {
	return c.writeCheckRun(ctx, repo, r, call{op: "create check run " + clean(r.Name, "") + " in " + repo.FullName(), method: http.MethodPost, path: in(repo).add("/check-runs")})
}

// UpdateCheckRun rewrites the check run r.ID, as CreateCheckRun does. GitHub adds the
// annotations to those that are there.
func (c *Client) UpdateCheckRun(ctx context.Context, repo promotion.Repository, r promotion.CheckRun) (promotion.CheckRun, error) {
	return c.writeCheckRun(ctx, repo, r, call{op: "update check run " + clean(r.Name, "") + " in " + repo.FullName(), method: http.MethodPatch, path: in(repo).add("/check-runs").number(r.ID)})
}

func (c *Client) writeCheckRun(ctx context.Context, repo promotion.Repository, r promotion.CheckRun, q call) (promotion.CheckRun, error) {
	q.need = "checks=write"
	if err := checkRunFault(q, r); err != nil {
		return promotion.CheckRun{}, err
	}
	rest := r.Annotations
	for {
		batch := rest[:min(len(rest), maxAnnotations)]
		rest = rest[len(batch):]
		q.body = checkRunBody(r, q.method == http.MethodPost, batch, len(rest) == 0)
		var w gh.CheckRun
		if err := c.write(ctx, q, &w); err != nil {
			return promotion.CheckRun{}, err
		}
		if w.GetID() == 0 {
			return promotion.CheckRun{}, malformed(q.op)
		}
		c.mine.wroteCheck(repo, checkRun(&w), q.method == http.MethodPost)
		if len(rest) == 0 {
			return checkRun(&w), nil
		}
		q.method, q.path = http.MethodPatch, in(repo).add("/check-runs").number(w.GetID())
	}
}

func checkRunFault(q call, r promotion.CheckRun) error {
	switch {
	case r.Name == "" || len(r.Name) > maxTitle:
		return invalid(q.op, "a check run needs a name, of at most %d bytes", maxTitle)
	case q.method == http.MethodPost && !shaForm.MatchString(r.SHA):
		return invalid(q.op, "a check run stands on a commit, named by its whole hash")
	case len(r.Actions) > maxActions:
		return invalid(q.op, "a check run has at most %d buttons, not %d", maxActions, len(r.Actions))
	}
	for _, a := range r.Actions {
		if utf8.RuneCountInString(a.Label) > 20 || utf8.RuneCountInString(a.Description) > 40 || utf8.RuneCountInString(a.Identifier) > 20 {
			return invalid(q.op, "the button %q is longer than GitHub's 20, 40 and 20 characters", a.Label)
		}
	}
	return nil
}

func checkRunBody(r promotion.CheckRun, create bool, batch []promotion.Annotation, last bool) map[string]any {
	body := map[string]any{"name": r.Name}
	if create {
		body["head_sha"] = r.SHA
	}
	for key, value := range map[string]string{"external_id": r.ExternalID, "details_url": r.DetailsURL} {
		if value != "" {
			body[key] = value
		}
	}
	if !r.Started.IsZero() {
		body["started_at"] = r.Started.UTC().Format(time.RFC3339)
	}
	switch {
	case last && r.Conclusion != "":
		body["status"], body["conclusion"] = "completed", r.Conclusion
		if !r.Completed.IsZero() {
			body["completed_at"] = r.Completed.UTC().Format(time.RFC3339)
		}
	case last && r.Status != "":
		body["status"] = r.Status
	case create:
		body["status"] = "in_progress"
	}
	if r.Title != "" || r.Summary != "" || r.Text != "" || len(batch) > 0 {
		output := map[string]any{"title": shorten(orName(r.Title, r.Name), maxTitle, "..."), "summary": shorten(r.Summary, maxText, tooLong)}
		if r.Text != "" {
			output["text"] = shorten(r.Text, maxText, tooLong)
		}
		if len(batch) > 0 {
			output["annotations"] = annotations(batch)
		}
		body["output"] = output
	}
	if len(r.Actions) > 0 && last {
		var actions []map[string]string
		for _, a := range r.Actions {
			actions = append(actions, map[string]string{"label": a.Label, "description": a.Description, "identifier": a.Identifier})
		}
		body["actions"] = actions
	}
	return body
}

const tooLong = "\n\n*(cut here: GitHub takes no longer text)*\n"

func orName(title, name string) string {
	if title == "" {
		return name
	}
	return title
}

func annotations(batch []promotion.Annotation) []map[string]any {
	var all []map[string]any
	for _, a := range batch {
		w := map[string]any{
			"path": a.Path, "start_line": max(a.Start, 1), "end_line": max(a.End, a.Start, 1),
			"annotation_level": a.Level, "message": shorten(a.Message, maxDetail, "..."),
		}
		if a.Title != "" {
			w["title"] = shorten(a.Title, maxTitle, "...")
		}
		if a.Details != "" {
			w["raw_details"] = shorten(a.Details, maxDetail, "...")
		}
		if a.StartCol > 0 && max(a.End, a.Start) == a.Start { // GitHub takes columns on one line only
			w["start_column"], w["end_column"] = a.StartCol, max(a.EndCol, a.StartCol)
		}
		all = append(all, w)
	}
	return all
}

// shorten cuts s to at most n bytes, at a rune's boundary, with a note at its end.
func shorten(s string, n int, note string) string {
	if len(s) <= n {
		return s
	}
	end := n - len(note)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return fmt.Sprint(s[:end], note)
}

func checkRun(w *gh.CheckRun) promotion.CheckRun {
	return promotion.CheckRun{
		ID: w.GetID(), Name: w.GetName(), SHA: w.GetHeadSHA(), App: w.GetApp().GetID(), AppSlug: w.GetApp().GetSlug(), Status: w.GetStatus(), Conclusion: w.GetConclusion(),
		ExternalID: w.GetExternalID(), DetailsURL: w.GetDetailsURL(), URL: w.GetHTMLURL(),
		Title: w.GetOutput().GetTitle(), Summary: w.GetOutput().GetSummary(), Text: w.GetOutput().GetText(),
		Started: w.GetStartedAt().Time, Completed: w.GetCompletedAt().Time,
	}
}
