package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// step EVENT USER [KEY=VALUE...] makes what follows a step of a run of GitHub Actions in the
// repository, begun by an event that a user caused. Keys are ref (a branch; default main), pr
// (the number of a pull request that the event is about), fork (yes), attempt, by (who ran it
// again), and input.NAME, an input of the action. $GITHUB_OUTPUT and $GITHUB_STEP_SUMMARY are
// empty files. The token stays as it is.
func (h *hub) step(ts *testscript.TestScript, args []string) {
	event, user := args[0], h.world.User(args[1])
	owner, name, _ := strings.Cut(h.repo.FullName(), "/")
	branch, by, attempt := "main", args[1], "1"
	repository := map[string]any{"id": h.repo.ID(), "name": name, "full_name": h.repo.FullName(), "default_branch": "main", "owner": map[string]any{"login": owner}}
	kind := "User"
	if user.Bot {
		kind = "Bot"
	}
	payload := map[string]any{"repository": repository, "sender": map[string]any{"id": user.ID, "login": user.Login, "type": kind}}
	for _, input := range h.inputs {
		ts.Setenv(input, "")
	}
	h.inputs = nil
	for _, arg := range args[2:] {
		key, value, _ := strings.Cut(arg, "=")
		input, isInput := strings.CutPrefix(key, "input.")
		switch {
		case isInput:
			name := "PINNACE_INPUT_" + strings.ReplaceAll(strings.ToUpper(input), "-", "_")
			ts.Setenv(name, value)
			h.inputs = append(h.inputs, name)
		case key == "ref":
			branch = value
		case key == "by":
			by = value
		case key == "attempt":
			attempt = value
		case key == "pr":
			n, err := strconv.Atoi(value)
			ts.Check(err)
			p := h.pull(ts, n)
			head := map[string]any{"ref": p.Head.Ref, "sha": p.Head.SHA, "repo": repository}
			pull := map[string]any{"number": n, "head": head, "base": map[string]any{"ref": p.Base.Ref, "repo": repository}}
			payload["action"] = "submitted"
			payload["pull_request"] = pull
			if event == "workflow_run" {
				delete(payload, "pull_request")
				payload["action"] = "completed"
				payload["workflow_run"] = map[string]any{"head_sha": p.Head.SHA, "event": "pull_request_review", "pull_requests": []any{pull}}
			}
		case key == "fork":
			pull := payload["pull_request"].(map[string]any)
			pull["head"].(map[string]any)["repo"] = map[string]any{"id": 999999, "full_name": "eve/config"}
		default:
			ts.Fatalf("github step: no key %s", key)
		}
	}
	data, err := json.Marshal(payload)
	ts.Check(err)
	dir := filepath.Join(ts.Getenv("WORK"), ".runner")
	ts.Check(os.MkdirAll(dir, 0o755))
	for _, f := range []struct{ name, variable, content string }{
		{"event.json", "GITHUB_EVENT_PATH", string(data)},
		{"output", "GITHUB_OUTPUT", ""},
		{"summary.md", "GITHUB_STEP_SUMMARY", ""},
	} {
		file := filepath.Join(dir, f.name)
		ts.Check(os.WriteFile(file, []byte(f.content), 0o600))
		ts.Setenv(f.variable, file)
	}
	ts.Setenv("GITHUB_ACTIONS", "true")
	ts.Setenv("GITHUB_EVENT_NAME", event)
	ts.Setenv("GITHUB_REPOSITORY", h.repo.FullName())
	ts.Setenv("GITHUB_REF", "refs/heads/"+branch)
	ts.Setenv("GITHUB_SHA", h.repo.Tip("main"))
	ts.Setenv("GITHUB_WORKFLOW_REF", h.repo.FullName()+"/.github/workflows/pinnace.yaml@refs/heads/"+branch)
	ts.Setenv("GITHUB_RUN_ID", "42")
	ts.Setenv("GITHUB_RUN_ATTEMPT", attempt)
	ts.Setenv("GITHUB_ACTOR", args[1])
	ts.Setenv("GITHUB_TRIGGERING_ACTOR", by)
	ts.Setenv("GITHUB_SERVER_URL", h.world.URL())
}

// bearer sets $GH_TOKEN to one of Pinnace's App, granted all that it can use, as a step before
// took it with the App's key; there is no key.
func (h *hub) bearer(ts *testscript.TestScript, _ []string) {
	h.asApp(ts, nil)
	ts.Setenv("PINNACE_APP_ID", "")
	ts.Setenv("PINNACE_APP_KEY", "")
	owner, _, _ := strings.Cut(h.repo.FullName(), "/")
	ts.Setenv("GH_TOKEN", h.app.InstallationToken(owner))
}

// forge N NAME CONCLUSION writes a check run on the head of a pull request with $GH_TOKEN, as
// any workflow may that has it.
func (h *hub) forge(ts *testscript.TestScript, args []string) {
	body, err := json.Marshal(map[string]any{"name": args[1], "head_sha": h.pull(ts, number(ts, args[0])).Head.SHA, "status": "completed", "conclusion": args[2]})
	ts.Check(err)
	req, err := http.NewRequest(http.MethodPost, h.world.URL()+"/api/v3/repos/"+h.repo.FullName()+"/check-runs", bytes.NewReader(body))
	ts.Check(err)
	req.Header.Set("Authorization", "Bearer "+ts.Getenv("GH_TOKEN"))
	resp, err := http.DefaultClient.Do(req)
	ts.Check(err)
	resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		ts.Fatalf("the check is not written: %s", resp.Status)
	}
}

// pull is a pull request by its number.
func (h *hub) pull(ts *testscript.TestScript, n int) promotion.PullRequest {
	for _, p := range h.repo.PullRequests() {
		if p.Number == n {
			return p
		}
	}
	ts.Fatalf("there is no #%d", n)
	return promotion.PullRequest{}
}
