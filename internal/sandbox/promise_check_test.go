package sandbox

import (
	"strings"
	"testing"

	"github.com/google/go-github/v60/github"
)

func TestCheckRunsAreOfApps(t *testing.T) {
	r := newRig(t, func(o *Options) { o.T = mute{} })
	sha := r.repo.Tip("main")
	in := fields{"name": "pinnace/promotion", "head_sha": sha, "status": "queued"}
	if status, _, text := r.ask(r.Token("alice"), "POST", "/repos/acme/config/check-runs", in); status != 403 || !strings.Contains(text, "must authenticate via a GitHub App") {
		t.Errorf("a person: %d %s", status, text)
	}
	run := must[*github.CheckRun](t)(r.bot().Checks.CreateCheckRun(t.Context(), "acme", "config", github.CreateCheckRunOptions{Name: "pinnace/promotion", HeadSHA: sha}))
	other := r.App(AppOptions{Name: "Other", Permissions: allPermissions})
	other.Install("acme")
	token := other.InstallationToken("acme")
	status, _, text := r.ask(token, "PATCH", "/repos/acme/config/check-runs/"+itoa(run.GetID()), fields{"status": "in_progress"})
	if status != 403 || !strings.Contains(text, "can only be modified by the GitHub App that created it") {
		t.Errorf("another App: %d %s", status, text)
	}
	if status, _, text := r.ask(token, "POST", "/repos/acme/config/check-runs", in); status != 201 || r.Violations() != nil {
		t.Errorf("the same name by another App: %d %s, violations %q", status, text, r.Violations())
	}
	if status, _, _ := r.ask(r.app.InstallationToken("acme"), "POST", "/repos/acme/config/check-runs", in); status != 201 {
		t.Errorf("a second of one name: GitHub takes it, got %d", status)
	}
	if v := r.Violations(); len(v) != 1 || !strings.Contains(v[0], `second check run "pinnace/promotion"`) {
		t.Errorf("got violations %q", v)
	}
	list := must[*github.ListCheckRunsResults](t)(r.bot().Checks.ListCheckRunsForRef(t.Context(), "acme", "config", "main", &github.ListCheckRunsOptions{AppID: github.Int64(r.app.ID())}))
	if list.GetTotal() != 1 || list.CheckRuns[0].GetID() == run.GetID() {
		t.Errorf("the latest of a name counts: got %v", list)
	}
}

func TestCheckRunLimits(t *testing.T) {
	r := newRig(t)
	long := strings.Repeat("x", 65536)
	note := fields{"path": "a", "start_line": 1, "end_line": 1, "annotation_level": "notice", "message": "m"}
	for name, change := range map[string]fields{
		"51 annotations":  {"output": fields{"title": "t", "summary": "s", "annotations": repeat(note, 51)}},
		"long title":      {"output": fields{"title": long[:256], "summary": "s"}},
		"long summary":    {"output": fields{"title": "t", "summary": long}},
		"long text":       {"output": fields{"title": "t", "summary": "s", "text": long}},
		"no summary":      {"output": fields{"title": "t"}},
		"4 actions":       {"actions": repeat(fields{"label": "l", "description": "d", "identifier": "i"}, 4)},
		"long label":      {"actions": []any{fields{"label": long[:21], "description": "d", "identifier": "i"}}},
		"no such state":   {"status": "done"},
		"no conclusion":   {"status": "completed"},
		"unknown commit":  {"head_sha": strings.Repeat("1", 40)},
		"columns of two":  {"output": fields{"title": "t", "summary": "s", "annotations": []any{fields{"path": "a", "start_line": 1, "end_line": 2, "start_column": 1, "annotation_level": "notice", "message": "m"}}}},
		"unknown outcome": {"conclusion": "great"},
	} {
		in := fields{"name": "n", "head_sha": r.repo.Tip("main")}
		for k, v := range change {
			in[k] = v
		}
		if status, _, text := r.ask(r.app.InstallationToken("acme"), "POST", "/repos/acme/config/check-runs", in); status != 422 {
			t.Errorf("%s: got %d %s, want 422", name, status, text)
		}
	}
}

func repeat(v any, n int) []any {
	var list []any
	for range n {
		list = append(list, v)
	}
	return list
}

func TestAnnotationsAccumulate(t *testing.T) {
	r := newRig(t)
	token := r.app.InstallationToken("acme")
	note := fields{"path": "a", "start_line": 1, "end_line": 1, "annotation_level": "notice", "message": "m"}
	out := fields{"output": fields{"title": "t", "summary": "s", "annotations": repeat(note, 50)}}
	in := fields{"name": "n", "head_sha": r.repo.Tip("main"), "output": out["output"]}
	r.ask(token, "POST", "/repos/acme/config/check-runs", in)
	id := r.repo.Checks(r.repo.Tip("main"))[0].ID
	r.ask(token, "PATCH", "/repos/acme/config/check-runs/"+itoa(id), out)
	if got := len(r.repo.Checks(r.repo.Tip("main"))[0].Annotations); got != 100 {
		t.Errorf("got %d annotations, want 100", got)
	}
}

func TestDeployments(t *testing.T) {
	r := newRig(t)
	token := r.Token("bob")
	post := func(path string, in fields) (int, string) {
		status, _, text := r.ask(token, "POST", "/repos/acme/config"+path, in)
		return status, text
	}
	r.repo.Status(r.repo.Tip("main"), "bob", "ci", "pending")
	if status, text := post("/deployments", fields{"ref": "main", "environment": "dev"}); status != 409 {
		t.Errorf("with a pending status: %d %s", status, text)
	}
	for range 2 {
		if status, text := post("/deployments", fields{"ref": "main", "environment": "dev", "required_contexts": []any{}}); status != 201 {
			t.Fatalf("%d %s", status, text)
		}
	}
	list := must[[]*github.Deployment](t)(r.bot().Repositories.ListDeployments(t.Context(), "acme", "config", &github.DeploymentsListOptions{Environment: "dev"}))
	for _, d := range []*github.Deployment{list[1], list[0]} {
		if status, text := post("/deployments/"+itoa(d.GetID())+"/statuses", fields{"state": "success"}); status != 201 {
			t.Fatalf("%d %s", status, text)
		}
	}
	for i, want := range []string{"success", "inactive"} {
		states := must[[]*github.DeploymentStatus](t)(r.bot().Repositories.ListDeploymentStatuses(t.Context(), "acme", "config", list[i].GetID(), nil))
		if states[0].GetState() != want {
			t.Errorf("deployment %d is %s, want %s", i, states[0].GetState(), want)
		}
	}
}

func TestCombinedStatus(t *testing.T) {
	r := newRig(t)
	sha := r.repo.Tip("main")
	for _, step := range []struct{ context, state, want string }{{"", "", "pending"}, {"a", "success", "success"}, {"b", "pending", "pending"}, {"b", "error", "failure"}, {"b", "success", "success"}} {
		if step.context != "" {
			r.repo.Status(sha, "bob", step.context, step.state)
		}
		got := must[*github.CombinedStatus](t)(r.bot().Repositories.GetCombinedStatus(t.Context(), "acme", "config", sha, nil))
		if got.GetState() != step.want {
			t.Errorf("after %s %s: got %s, want %s", step.context, step.state, got.GetState(), step.want)
		}
	}
}
