package sandbox

import (
	"net/http"
	"time"
	"unicode/utf8"
)

// A checkRun belongs to the App that made it; only that App changes it.
// https://docs.github.com/en/rest/checks/runs
type checkRun struct {
	id                 int64
	r                  *Repository
	suite              *suite
	app                *App
	name, sha          string
	status, conclusion string
	external, details  string
	started, completed time.Time
	title              *string
	summary, text      *string
	annotations        []fields
	actions            []fields
}

// A suite holds the runs of one App on one commit.
// https://docs.github.com/en/rest/checks/suites
type suite struct {
	id      int64
	r       *Repository
	app     *App
	sha     string
	branch  string
	created time.Time
	updated time.Time
	rerun   bool // somebody pressed "Re-run", and the App has written nothing since
}

func (r *Repository) suite(app *App, sha string) *suite {
	for _, x := range r.suites {
		if x.app == app && x.sha == sha {
			return x
		}
	}
	x := &suite{id: r.s.next(), r: r, app: app, sha: sha, created: r.s.now(), updated: r.s.now()}
	for name, ref := range r.store.ReferenceStorage {
		if name.IsBranch() && ref.Hash().String() == sha {
			x.branch = name.Short()
		}
	}
	r.suites = append(r.suites, x)
	return x
}

// The request's form of a check run. Nil leaves as it is.
type checkInput struct {
	Name        *string    `json:"name"`
	HeadSHA     *string    `json:"head_sha"`
	DetailsURL  *string    `json:"details_url"`
	ExternalID  *string    `json:"external_id"`
	Status      *string    `json:"status"`
	Conclusion  *string    `json:"conclusion"`
	StartedAt   *time.Time `json:"started_at"`
	CompletedAt *time.Time `json:"completed_at"`
	Output      *struct {
		Title       *string  `json:"title"`
		Summary     *string  `json:"summary"`
		Text        *string  `json:"text"`
		Annotations []fields `json:"annotations"`
	} `json:"output"`
	Actions []fields `json:"actions"`
}

var (
	checkStatuses    = map[string]bool{"queued": true, "in_progress": true, "completed": true, "waiting": true, "requested": true, "pending": true}
	checkConclusions = map[string]bool{
		"action_required": true, "cancelled": true, "failure": true, "neutral": true, "success": true,
		"skipped": true, "stale": true, "timed_out": true,
	}
)

// refused says which limit of a check run the input breaks.
// https://docs.github.com/en/rest/checks/runs#create-a-check-run
func (in checkInput) refused() *refusal {
	bad := func(text string) *refusal { return unprocessable("Invalid request.\n\n" + text) }
	if in.Status != nil && !checkStatuses[*in.Status] {
		return bad("status is not a member of the list.")
	}
	if in.Conclusion != nil && !checkConclusions[*in.Conclusion] {
		return bad("conclusion is not a member of the list.")
	}
	if in.Status != nil && *in.Status == "completed" && in.Conclusion == nil {
		return bad("Missing conclusion.")
	}
	if len(in.Actions) > 3 {
		return bad("No more than 3 items are allowed; actions has more.")
	}
	for _, a := range in.Actions {
		for key, most := range map[string]int{"label": 20, "description": 40, "identifier": 20} {
			text, _ := a[key].(string)
			if text == "" || utf8.RuneCountInString(text) > most {
				return bad("actions: " + key + " is missing or too long.")
			}
		}
	}
	o := in.Output
	if o == nil {
		return nil
	}
	if o.Summary == nil {
		return bad("\"summary\" wasn't supplied.")
	}
	if o.Title != nil && utf8.RuneCountInString(*o.Title) > 255 {
		return bad("Only 255 characters are allowed; title has more.")
	}
	for _, text := range []*string{o.Summary, o.Text} {
		if text != nil && len(*text) > 65535 {
			return bad("Only 65535 characters are allowed; the output has more.")
		}
	}
	if len(o.Annotations) > 50 {
		return bad("No more than 50 items are allowed; annotations has more.")
	}
	for _, a := range o.Annotations {
		level, _ := a["annotation_level"].(string)
		message, _ := a["message"].(string)
		path, _ := a["path"].(string)
		_, start := a["start_line"].(float64)
		_, end := a["end_line"].(float64)
		_, col := a["start_column"]
		if path == "" || !start || !end || message == "" || len(message) > 64<<10 || level != "notice" && level != "warning" && level != "failure" {
			return bad("annotations: path, start_line, end_line, annotation_level and message are required.")
		}
		if col && a["start_line"] != a["end_line"] {
			return bad("annotations: start_column and end_column are for annotations of one line.")
		}
	}
	return nil
}

func (c *checkRun) set(in checkInput) {
	put := func(to *string, from *string) {
		if from != nil {
			*to = *from
		}
	}
	put(&c.name, in.Name)
	put(&c.details, in.DetailsURL)
	put(&c.external, in.ExternalID)
	put(&c.status, in.Status)
	now := c.r.s.now()
	if in.Status != nil && *in.Status != "completed" {
		c.conclusion, c.completed = "", time.Time{}
	}
	if in.Conclusion != nil {
		c.status, c.conclusion, c.completed = "completed", *in.Conclusion, now
	}
	if in.StartedAt != nil {
		c.started = *in.StartedAt
	}
	if in.CompletedAt != nil && c.status == "completed" {
		c.completed = *in.CompletedAt
	}
	if in.Actions != nil {
		c.actions = in.Actions
	}
	if o := in.Output; o != nil {
		if o.Title != nil {
			c.title = o.Title
		}
		c.summary = o.Summary
		if o.Text != nil {
			c.text = o.Text
		}
		c.annotations = append(c.annotations, o.Annotations...)
	}
	c.suite.updated, c.suite.rerun = now, false
	c.r.s.version++
}

// createCheck makes a check run. Two of one name on one commit are GitHub's to keep and
// ours to avoid: which one is required is then anybody's guess.
func (r *Repository) createCheck(by *actor, in checkInput) (*checkRun, *refusal) {
	if in.Name == nil || *in.Name == "" || in.HeadSHA == nil || *in.HeadSHA == "" {
		return nil, unprocessable("Invalid request.\n\n\"name\", \"head_sha\" weren't supplied.")
	}
	if bad := in.refused(); bad != nil {
		return nil, bad
	}
	h, ok := r.resolve(*in.HeadSHA)
	if !ok || h.String() != *in.HeadSHA {
		return nil, unprocessable("No commit found for SHA: " + *in.HeadSHA)
	}
	for _, c := range r.checks {
		if c.app == by.app && c.name == *in.Name && c.sha == *in.HeadSHA && !by.app.actions {
			r.s.violation("%s: %s made a second check run %q on %s", r.fullName(), by.name(), c.name, c.sha[:7])
			break
		}
	}
	c := &checkRun{id: r.s.next(), r: r, suite: r.suite(by.app, *in.HeadSHA), app: by.app, sha: *in.HeadSHA, status: "queued", started: r.s.now()}
	c.set(in)
	r.checks = append(r.checks, c)
	c.emit(by, "created", nil)
	if c.status == "completed" {
		c.emit(by, "completed", nil)
	}
	return c, nil
}

func (c *checkRun) change(by *actor, in checkInput) *refusal {
	if by.app != c.app {
		return refuse(http.StatusForbidden, "Invalid app_id `"+itoa(by.app.id)+"` - check run can only be modified by the GitHub App that created it.")
	}
	if bad := in.refused(); bad != nil {
		return bad
	}
	was := c.status
	c.set(in)
	if c.status == "completed" && was != "completed" {
		c.emit(by, "completed", nil)
	}
	return nil
}

// rerequest asks the App to run a check again: its suite is queued until the App writes one of
// its runs, and the run stays as it is.
// https://docs.github.com/en/rest/checks/runs#rerequest-a-check-run
func (c *checkRun) rerequest(by *actor) {
	c.suite.updated, c.suite.rerun = c.r.s.now(), true
	c.r.s.version++
	c.emit(by, "rerequested", nil)
}

func (c *checkRun) emit(by *actor, action string, more fields) {
	payload := fields{"check_run": c.render()}
	for k, v := range more {
		payload[k] = v
	}
	c.r.s.emit(c.r, by, "check_run", action, payload)
}

// latestChecks are the newest of each name and App on a commit, in order of making.
func (r *Repository) latestChecks(sha string) []*checkRun {
	type key struct {
		app  *App
		name string
	}
	newest := map[key]*checkRun{}
	for _, c := range r.checks {
		if c.sha == sha {
			newest[key{c.app, c.name}] = c
		}
	}
	var list []*checkRun
	for _, c := range r.checks {
		if c.sha == sha && newest[key{c.app, c.name}] == c {
			list = append(list, c)
		}
	}
	return list
}

// A status of a commit: the newest of each context counts.
// https://docs.github.com/en/rest/commits/statuses
type status struct {
	id                  int64
	sha, context, state string
	description, target string
	creator             *account
	app                 *App
	at                  time.Time
}

func (r *Repository) latestStatuses(sha string) []*status {
	newest := map[string]*status{}
	for _, x := range r.statuses {
		if x.sha == sha {
			newest[x.context] = x
		}
	}
	var list []*status
	for _, x := range r.statuses {
		if x.sha == sha && newest[x.context] == x {
			list = append(list, x)
		}
	}
	return list
}

// combined is the state of all contexts together.
// https://docs.github.com/en/rest/commits/statuses#get-the-combined-status-for-a-specific-reference
func combined(list []*status) string {
	state := "success"
	if len(list) == 0 {
		return "pending"
	}
	for _, x := range list {
		switch x.state {
		case "failure", "error":
			return "failure"
		case "pending":
			state = "pending"
		}
	}
	return state
}

// A deployment and what became of it.
// https://docs.github.com/en/rest/deployments/deployments
type deployment struct {
	id                    int64
	r                     *Repository
	sha, ref, task        string
	environment           string
	description           string
	payload               any
	production, transient bool
	creator               *account
	app                   *App
	created, updated      time.Time
	states                []*deploymentState
}

type deploymentState struct {
	id                          int64
	d                           *deployment
	state, description          string
	target, log, environmentURL string
	creator                     *account
	app                         *App
	at                          time.Time
}
