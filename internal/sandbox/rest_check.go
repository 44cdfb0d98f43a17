package sandbox

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
)

// mayWriteChecks: Apps only.
// https://docs.github.com/en/rest/checks/runs#create-a-check-run
func (c *call) mayWriteChecks() *refusal {
	if c.by.install == nil {
		return refuse(http.StatusForbidden, "You must authenticate via a GitHub App.")
	}
	return nil
}

func checkCreate(c *call) (any, error) {
	if no := c.mayWriteChecks(); no != nil {
		return nil, no
	}
	var in checkInput
	if no := c.read(&in); no != nil {
		return nil, no
	}
	x, no := c.repo.createCheck(c.by, in)
	if no != nil {
		return nil, no
	}
	return c.created(x.render())
}

func (c *call) check() (*checkRun, *refusal) {
	for _, x := range c.repo.checks {
		if x.id == c.number("check_run_id") {
			return x, nil
		}
	}
	return nil, notFound()
}

func checkGet(c *call) (any, error) {
	x, no := c.check()
	if no != nil {
		return nil, no
	}
	return x.render(), nil
}

func checkUpdate(c *call) (any, error) {
	if no := c.mayWriteChecks(); no != nil {
		return nil, no
	}
	x, no := c.check()
	if no != nil {
		return nil, no
	}
	var in checkInput
	if no := c.read(&in); no != nil {
		return nil, no
	}
	if no := x.change(c.by, in); no != nil {
		return nil, no
	}
	return x.render(), nil
}

// checkRerequest asks the App that made the check run to run it again.
// https://docs.github.com/en/rest/checks/runs#rerequest-a-check-run
func checkRerequest(c *call) (any, error) {
	x, no := c.check()
	if no != nil {
		return nil, no
	}
	x.rerequest(c.by)
	return c.created(fields{})
}

func checkAnnotations(c *call) (any, error) {
	x, no := c.check()
	if no != nil {
		return nil, no
	}
	return page(c, x.annotations, func(a fields) any {
		out := fields{"start_column": nil, "end_column": nil, "title": nil, "raw_details": nil}
		for k, v := range a {
			out[k] = v
		}
		path, _ := a["path"].(string)
		out["blob_href"] = c.repo.html("/blob/%s/%s", x.sha, path)
		return out
	}), nil
}

// filtered is the list of check runs by check_name, status, app_id and filter: the latest
// of each name, or all.
func (c *call) filtered(sha string) []*checkRun {
	list := c.repo.latestChecks(sha)
	if c.query("filter") == "all" {
		list = slices.DeleteFunc(slices.Clone(c.repo.checks), func(x *checkRun) bool { return x.sha != sha })
	}
	list = slices.DeleteFunc(slices.Clone(list), func(x *checkRun) bool {
		name, status, app := c.query("check_name"), c.query("status"), c.query("app_id")
		return name != "" && x.name != name || status != "" && x.status != status || app != "" && itoa(x.app.id) != app
	})
	slices.Reverse(list)
	return list
}

func (c *call) checksOf(list []*checkRun) any {
	return fields{"total_count": len(list), "check_runs": page(c, list, func(x *checkRun) any { return x.render() })}
}

// sha resolves {ref}; GitHub answers 422 for one that it does not know.
func (c *call) sha() (string, *refusal) {
	h, ok := c.repo.resolve(c.args["ref"])
	if !ok {
		return "", unprocessable("No commit found for SHA: " + c.args["ref"])
	}
	return h.String(), nil
}

func checkList(c *call) (any, error) {
	sha, no := c.sha()
	if no != nil {
		return nil, no
	}
	return c.checksOf(c.filtered(sha)), nil
}

func (c *call) suite() (*suite, *refusal) {
	for _, x := range c.repo.suites {
		if x.id == c.number("check_suite_id") {
			return x, nil
		}
	}
	return nil, notFound()
}

func suiteGet(c *call) (any, error) {
	x, no := c.suite()
	if no != nil {
		return nil, no
	}
	return x.render(), nil
}

func suiteChecks(c *call) (any, error) {
	x, no := c.suite()
	if no != nil {
		return nil, no
	}
	list := slices.DeleteFunc(c.filtered(x.sha), func(r *checkRun) bool { return r.suite != x })
	return c.checksOf(list), nil
}

func suiteList(c *call) (any, error) {
	sha, no := c.sha()
	if no != nil {
		return nil, no
	}
	list := slices.DeleteFunc(slices.Clone(c.repo.suites), func(x *suite) bool {
		app := c.query("app_id")
		return x.sha != sha || app != "" && itoa(x.app.id) != app
	})
	return fields{"total_count": len(list), "check_suites": page(c, list, func(x *suite) any { return x.render() })}, nil
}

func statusCombined(c *call) (any, error) {
	sha, no := c.sha()
	if no != nil {
		return nil, no
	}
	list := c.repo.latestStatuses(sha)
	return fields{
		"state": combined(list), "sha": sha, "total_count": len(list), "repository": c.s.renderRepo(c.repo, nil),
		"commit_url": c.repo.url("/commits/%s", sha), "url": c.repo.url("/commits/%s/status", sha),
		"statuses": page(c, list, func(x *status) any { return c.repo.renderStatus(x) }),
	}, nil
}

func statusList(c *call) (any, error) {
	sha, no := c.sha()
	if no != nil {
		return nil, no
	}
	list := slices.DeleteFunc(slices.Clone(c.repo.statuses), func(x *status) bool { return x.sha != sha })
	slices.Reverse(list)
	return page(c, list, func(x *status) any { return c.repo.renderStatus(x) }), nil
}

func statusCreate(c *call) (any, error) {
	var in struct {
		State, Description, Context string
		TargetURL                   string `json:"target_url"`
	}
	if no := c.read(&in); no != nil {
		return nil, no
	}
	h, ok := c.repo.resolve(c.args["sha"])
	if !ok || h.String() != c.args["sha"] {
		return nil, unprocessable("No commit found for SHA: " + c.args["sha"])
	}
	if !slices.Contains([]string{"error", "failure", "pending", "success"}, in.State) {
		return nil, invalid(fault("Status", "state", "invalid"))
	}
	if len([]rune(in.Description)) > 140 {
		return nil, invalid(fields{"resource": "Status", "code": "custom", "field": "description", "message": "description is too long (maximum is 140 characters)"})
	}
	x := c.repo.setStatus(c.by, h.String(), cmp.Or(in.Context, "default"), in.State, in.Description, in.TargetURL)
	return c.created(c.repo.renderStatus(x))
}

func (r *Repository) setStatus(by *actor, sha, context, state, description, target string) *status {
	x := &status{id: r.s.next(), sha: sha, context: context, state: state, description: description, target: target, creator: by.who, app: by.viaApp(), at: r.s.now()}
	r.statuses = append(r.statuses, x)
	r.s.version++
	commit, _ := r.resolve(sha)
	r.s.emit(r, by, "status", "", fields{
		"id": x.id, "sha": sha, "name": r.fullName(), "state": state, "context": context, "description": orNil(description), "target_url": orNil(target),
		"branches": []any{}, "commit": r.renderCommit(r.mustAt(commit)), "created_at": stamp(x.at), "updated_at": stamp(x.at),
	})
	return x
}

// dispatch sends an event of the caller's own kind.
// https://docs.github.com/en/rest/repos/repos#create-a-repository-dispatch-event
func dispatch(c *call) (any, error) {
	var in struct {
		Type    string `json:"event_type"`
		Payload fields `json:"client_payload"`
	}
	if no := c.read(&in); no != nil {
		return nil, no
	}
	if in.Type == "" || len(in.Type) > 100 || len(in.Payload) > 10 {
		return nil, unprocessable("Invalid request.\n\nevent_type has 1 to 100 characters, client_payload at most 10 keys.")
	}
	c.s.emit(c.repo, c.by, "repository_dispatch", in.Type, fields{"branch": c.repo.o.DefaultBranch, "client_payload": in.Payload})
	return c.empty()
}

func deploymentList(c *call) (any, error) {
	list := slices.DeleteFunc(slices.Clone(c.repo.deployments), func(d *deployment) bool {
		for key, have := range map[string]string{"sha": d.sha, "ref": d.ref, "task": d.task, "environment": d.environment} {
			if want := c.query(key); want != "" && want != have {
				return true
			}
		}
		return false
	})
	slices.Reverse(list)
	return page(c, list, func(d *deployment) any { return d.render() }), nil
}

// deploymentCreate refuses a commit whose statuses are not green, unless required_contexts
// says which to look at.
// https://docs.github.com/en/rest/deployments/deployments#create-a-deployment
func deploymentCreate(c *call) (any, error) {
	in := struct {
		Ref, Task, Environment, Description string
		Payload                             any
		RequiredContexts                    *[]string `json:"required_contexts"`
		Transient                           bool      `json:"transient_environment"`
		Production                          *bool     `json:"production_environment"`
	}{Task: "deploy", Environment: "production"}
	if no := c.read(&in); no != nil {
		return nil, no
	}
	h, ok := c.repo.resolve(in.Ref)
	if !ok {
		return nil, unprocessable("No ref found for: " + in.Ref)
	}
	for _, x := range c.repo.latestStatuses(h.String()) {
		if x.state != "success" && (in.RequiredContexts == nil || slices.Contains(*in.RequiredContexts, x.context)) {
			return nil, &refusal{status: http.StatusConflict, message: "Conflict: Commit status checks failed for " + in.Ref + "."}
		}
	}
	if in.RequiredContexts != nil {
		for _, name := range *in.RequiredContexts {
			if !slices.ContainsFunc(c.repo.latestStatuses(h.String()), func(x *status) bool { return x.context == name }) {
				return nil, refuse(http.StatusConflict, "Conflict: Commit status checks failed for "+in.Ref+".")
			}
		}
	}
	d := &deployment{
		sha: h.String(), ref: in.Ref, task: in.Task, environment: in.Environment, description: in.Description, payload: in.Payload,
		transient: in.Transient, production: in.Environment == "production",
	}
	if in.Production != nil {
		d.production = *in.Production
	}
	return c.created(c.repo.deploy(c.by, d).render())
}

func (r *Repository) deploy(by *actor, d *deployment) *deployment {
	d.id, d.r, d.creator, d.app, d.created, d.updated = r.s.next(), r, by.who, by.viaApp(), r.s.now(), r.s.now()
	if d.payload == nil {
		d.payload = fields{}
	}
	r.deployments = append(r.deployments, d)
	r.s.version++
	r.s.emit(r, by, "deployment", "created", fields{"deployment": d.render()})
	return d
}

func (c *call) deployment() (*deployment, *refusal) {
	for _, d := range c.repo.deployments {
		if d.id == c.number("deployment_id") {
			return d, nil
		}
	}
	return nil, notFound()
}

func deploymentGet(c *call) (any, error) {
	d, no := c.deployment()
	if no != nil {
		return nil, no
	}
	return d.render(), nil
}

func deploymentStates(c *call) (any, error) {
	d, no := c.deployment()
	if no != nil {
		return nil, no
	}
	list := slices.Clone(d.states)
	slices.Reverse(list)
	return page(c, list, func(x *deploymentState) any { return x.render() }), nil
}

// deploymentStateCreate: a success makes what was deployed there before inactive, unless
// auto_inactive is off or either environment is transient or production as asked.
// https://docs.github.com/en/rest/deployments/statuses#create-a-deployment-status
func deploymentStateCreate(c *call) (any, error) {
	d, no := c.deployment()
	if no != nil {
		return nil, no
	}
	var in struct {
		State, Description string
		TargetURL          string `json:"target_url"`
		LogURL             string `json:"log_url"`
		EnvironmentURL     string `json:"environment_url"`
		AutoInactive       *bool  `json:"auto_inactive"`
	}
	if no := c.read(&in); no != nil {
		return nil, no
	}
	if !slices.Contains(strings.Fields("error failure inactive in_progress queued pending success"), in.State) {
		return nil, invalid(fault("DeploymentStatus", "state", "invalid"))
	}
	x := d.report(c.by, in.State, in.Description, in.AutoInactive == nil || *in.AutoInactive)
	x.target, x.log, x.environmentURL = cmp.Or(in.LogURL, in.TargetURL), in.LogURL, in.EnvironmentURL
	return c.created(x.render())
}

// report adds a state, and where replace says so ends what a success takes the place of.
func (d *deployment) report(by *actor, state, description string, replace bool) *deploymentState {
	x := d.state(by, state, description)
	if state != "success" || !replace {
		return x
	}
	for _, old := range d.r.deployments {
		if old != d && old.environment == d.environment && !old.transient && !old.production && len(old.states) > 0 && old.states[len(old.states)-1].state == "success" {
			old.state(by, "inactive", "")
		}
	}
	return x
}

func (d *deployment) state(by *actor, state, description string) *deploymentState {
	x := &deploymentState{id: d.r.s.next(), d: d, state: state, description: description, creator: by.who, app: by.viaApp(), at: d.r.s.now()}
	d.states = append(d.states, x)
	d.updated = x.at
	d.r.s.version++
	d.r.s.emit(d.r, by, "deployment_status", "created", fields{"deployment": d.render(), "deployment_status": x.render()})
	return x
}
