package action

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

const head, tip = "2ffea6db159f6b6c47a24e778fb9ef40cf6b1c7d", "5779607b49aab1200488439f02372c57b4f75444"

// runner is what the runner sets for an event, changed by pairs of a variable and its value.
func runner(event string, changes ...string) map[string]string {
	env := map[string]string{
		"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": event, "GITHUB_EVENT_PATH": "/event.json", "GITHUB_REPOSITORY": "acme/config", "GITHUB_REPOSITORY_ID": "42",
		"GITHUB_REF": "refs/heads/main", "GITHUB_SHA": tip, "GITHUB_WORKFLOW_REF": "acme/config/.github/workflows/pinnace.yml@refs/heads/main",
		"GITHUB_RUN_ID": "77", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_TRIGGERING_ACTOR": "carol", "GITHUB_SERVER_URL": "https://github.com",
		"GITHUB_OUTPUT": "/out", "GITHUB_STEP_SUMMARY": "/summary",
	}
	for i := 0; i < len(changes); i += 2 {
		env[changes[i]] = changes[i+1]
	}
	return env
}

const (
	repo  = `"repository":{"id":42,"full_name":"acme/config","default_branch":"main"}`
	carol = `"sender":{"id":583231,"login":"carol","type":"User"}`
)

// read reads a run whose event has a payload; "" is no file.
func read(env map[string]string, payload string) (*Run, error) {
	return ReadRun(func(k string) string { return env[k] }, func(path string) ([]byte, error) {
		if path != env["GITHUB_EVENT_PATH"] || payload == "" {
			return nil, &os.PathError{Op: "open", Path: path, Err: os.ErrNotExist}
		}
		return []byte(payload), nil
	})
}

// about is a payload of the repository, sent by carol.
func about(members string) string { return "{" + members + "," + repo + "," + carol + "}" }

func pull(n int, from, to string) string {
	return fmt.Sprintf(`"action":"opened","pull_request":{"number":%d,"head":{"sha":%q,"repo":%s},"base":{"repo":%s}}`, n, head, from, to)
}

func TestReadRun(t *testing.T) {
	base := Run{
		Repository: 42, Owner: "acme", Name: "config", DefaultBranch: "main", Ref: "refs/heads/main", SHA: tip, Workflow: "acme/config/.github/workflows/pinnace.yml@refs/heads/main",
		Attempt: 1, Sender: promotion.Identity{ID: 583231, Login: "carol"}, TriggeringActor: "carol", Server: "https://github.com", URL: "https://github.com/acme/config/actions/runs/77",
		OutputFile: "/out", SummaryFile: "/summary",
	}
	with := func(f func(*Run)) Run {
		r := base
		f(&r)
		return r
	}
	for name, test := range map[string]struct {
		env     map[string]string
		payload string
		want    Run
	}{
		"a schedule, which nobody sends": {
			runner("schedule"), `{"schedule":"0 6 * * *",` + repo + `}`,
			with(func(r *Run) { r.Event, r.Sender = "schedule", promotion.Identity{} }),
		},
		"a schedule of an old runner": {
			runner("schedule", "GITHUB_REPOSITORY_ID", "", "GITHUB_WORKFLOW_REF", ""), `{"schedule":"0 6 * * *"}`,
			with(func(r *Run) {
				r.Event, r.Sender, r.Repository, r.DefaultBranch, r.Workflow = "schedule", promotion.Identity{}, 0, "", ""
			}),
		},
		"a pull request": {
			runner("pull_request", "GITHUB_REF", "refs/pull/12/merge"), about(pull(12, `{"id":42}`, `{"id":42}`)),
			with(func(r *Run) {
				r.Event, r.Action, r.Ref, r.Pulls, r.HeadSHA = "pull_request", "opened", "refs/pull/12/merge", []int{12}, head
			}),
		},
		"one of a fork": {
			runner("pull_request_target"), about(pull(12, `{"id":43}`, `{"id":42}`)),
			with(func(r *Run) {
				r.Event, r.Action, r.Pulls, r.HeadSHA, r.Fork = "pull_request_target", "opened", []int{12}, head, true
			}),
		},
		"one of a fork that was deleted": {
			runner("pull_request_review"), about(pull(12, `null`, `{"id":42}`)),
			with(func(r *Run) {
				r.Event, r.Action, r.Pulls, r.HeadSHA, r.Fork = "pull_request_review", "opened", []int{12}, head, true
			}),
		},
		"a comment on a pull request": {
			runner("issue_comment"), about(`"action":"created","issue":{"number":12,"pull_request":{}}`),
			with(func(r *Run) { r.Event, r.Action, r.Pulls = "issue_comment", "created", []int{12} }),
		},
		"a comment on an issue": {
			runner("issue_comment"), about(`"action":"created","issue":{"number":12}`),
			with(func(r *Run) { r.Event, r.Action, r.Comment = "issue_comment", "created", true }),
		},
		"a run after a review": {
			runner("workflow_run"), about(`"action":"completed","workflow_run":{"event":"pull_request_review","head_sha":"` + head + `","head_repository":{"id":42},"repository":{"id":42},
				"pull_requests":[{"number":12,"base":{"repo":{"id":42}}},{"number":5,"base":{"repo":{"id":7}}},{"number":12,"base":{"repo":{"id":42}}},{"number":13,"base":{"repo":{"id":42}}}]}`),
			with(func(r *Run) {
				r.Event, r.Action, r.Pulls, r.HeadSHA = "workflow_run", "completed", []int{12, 13}, head
			}),
		},
		"a run for a fork's pull request names none": {
			runner("workflow_run"), about(`"action":"completed","workflow_run":{"event":"pull_request","head_sha":"` + head + `","head_repository":{"id":9},"repository":{"id":42},"pull_requests":[]}`),
			with(func(r *Run) {
				r.Event, r.Action, r.HeadSHA, r.Fork = "workflow_run", "completed", head, true
			}),
		},
		"a check": {
			runner("check_run"), about(`"action":"completed","check_run":{"head_sha":"` + head + `","pull_requests":[{"number":3,"base":{"repo":{"id":42}}}]}`),
			with(func(r *Run) { r.Event, r.Action, r.HeadSHA, r.Pulls = "check_run", "completed", head, []int{3} }),
		},
		"a status": {
			runner("status"), about(`"sha":"` + head + `"`), with(func(r *Run) { r.Event, r.HeadSHA = "status", head }),
		},
		"a merge queue": {
			runner("merge_group", "GITHUB_REF", "refs/heads/gh-readonly-queue/main/pr-104-"+tip),
			about(`"action":"checks_requested","merge_group":{"head_sha":"` + head + `","head_ref":"refs/heads/gh-readonly-queue/main/pr-104-` + tip + `"}`),
			with(func(r *Run) {
				r.Event, r.Action, r.HeadSHA, r.Pulls, r.Ref = "merge_group", "checks_requested", head, []int{104}, "refs/heads/gh-readonly-queue/main/pr-104-"+tip
			}),
		},
		"a bot's, run again by another": {
			runner("push", "GITHUB_RUN_ATTEMPT", "3", "GITHUB_TRIGGERING_ACTOR", "dave"),
			"{" + repo + `,"sender":{"id":5,"login":"renovate[bot]","type":"Bot"}}`,
			with(func(r *Run) {
				r.Event, r.Sender, r.Attempt, r.TriggeringActor = "push", promotion.Identity{ID: 5, Login: "renovate[bot]", Bot: true}, 3, "dave"
				r.URL += "/attempts/3"
			}),
		},
		"what is of no good form is left out": {
			runner("pull_request"), `{"action":"x\ny",` + repo + `,"sender":{"id":-5,"login":"a b"},"pull_request":{"number":"12","head":[],"base":7}}`,
			with(func(r *Run) { r.Event, r.Sender, r.Fork = "pull_request", promotion.Identity{}, true }),
		},
	} {
		got, err := read(test.env, test.payload)
		if err != nil || got.Err != nil {
			t.Errorf("%s: %v, %v", name, err, got)
			continue
		}
		if diff := cmp.Diff(*got, test.want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", name, diff)
		}
	}
}

// Outside of Actions there is no run; an environment that no runner makes is an error, in which
// each variable has its line.
func TestReadRunEnvironment(t *testing.T) {
	if r, err := read(map[string]string{"GITHUB_REPOSITORY": "a/b"}, ""); r != nil || err != nil {
		t.Errorf("got %v, %v; want nothing", r, err)
	}
	for name, test := range map[string]struct {
		env  map[string]string
		want []string
	}{
		"nothing":  {map[string]string{"GITHUB_ACTIONS": "true"}, []string{"GITHUB_REPOSITORY: it is missing", "GITHUB_EVENT_NAME: it is missing"}},
		"odd":      {runner("push", "GITHUB_REPOSITORY", "acme", "GITHUB_RUN_ATTEMPT", "one"), []string{"GITHUB_RUN_ATTEMPT", "GITHUB_REPOSITORY"}},
		"hostile":  {runner("push", "GITHUB_REF", "refs/heads/x\n::error::", "GITHUB_SERVER_URL", "https://u:p@evil/"), []string{"GITHUB_REF", "GITHUB_SERVER_URL"}},
		"no sha":   {runner("push", "GITHUB_SHA", "main"), []string{"GITHUB_SHA"}},
		"no event": {runner("pull request"), []string{`GITHUB_EVENT_NAME: "pull request"`}},
	} {
		r, err := read(test.env, "{}")
		if err == nil || r != nil {
			t.Errorf("%s: got %v", name, r)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q is not in %v", name, want, err)
			}
		}
		for line := range strings.SplitSeq(err.Error(), "\n") {
			if !strings.HasPrefix(line, "environment variable GITHUB_") {
				t.Errorf("%s: a line is %q", name, line)
			}
		}
	}
}

// A payload that is none of GitHub's leaves nothing behind but the reason.
func TestReadRunPayload(t *testing.T) {
	deep := strings.Repeat("[", 1<<20) + strings.Repeat("]", 1<<20)
	for name, test := range map[string]struct{ payload, want string }{
		"no file":           {"", "file does not exist"},
		"no JSON":           {`{"action":`, "it is no JSON object"},
		"a list":            {`[]`, "it is no JSON object"},
		"a key twice":       {about(`"action":"opened","action":"closed"`), "a key stands there twice"},
		"a nested key":      {about(`"pull_request":{"number":1,"number":2,"head":{},"base":{}}`), "a key stands there twice"},
		"of another place":  {`{"repository":{"id":43}}`, "it is of repository 43, and the run is of 42"},
		"too deep":          {`{"pull_request":` + deep + `}`, "it is no JSON object"},
		"too large":         {strings.Repeat(" ", maxPayload) + "{}", "GitHub's have at most"},
		"escaped, it is it": {about(`"action":"a","\u0061ction":"b"`), "a key stands there twice"},
	} {
		r, err := read(runner("pull_request"), test.payload)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if r.Err == nil || !strings.Contains(r.Err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", name, r.Err, test.want)
		}
		if r.Action != "" || r.Pulls != nil || r.DefaultBranch != "" || r.Sender.ID != 0 {
			t.Errorf("%s: something is left: %+v", name, r)
		}
		if err := r.Allows(Inputs{Command: Promote, App: "a", To: []string{"b"}}); !errors.Is(err, r.Err) {
			t.Errorf("%s: promote is let through: %v", name, err)
		}
		if err := r.Allows(Inputs{Command: Check}); err != nil {
			t.Errorf("%s: check needs no event: %v", name, err)
		}
		if r.ReadOnly() == "" || r.Unprotected() == "" {
			t.Errorf("%s: writes, or is protected", name)
		}
	}
	env := runner("push", "GITHUB_EVENT_PATH", "")
	if r, err := read(env, "{}"); err != nil || r.Err == nil {
		t.Errorf("without a path: %v %v", r, err)
	}
}

// Pull requests of one event, and entries of a list, are bounded.
func TestReadRunBounds(t *testing.T) {
	var all []string
	for n := range 5000 {
		all = append(all, fmt.Sprintf(`{"number":%d,"base":{"repo":{"id":42}}}`, n+1))
	}
	r, err := read(runner("check_suite"), about(`"check_suite":{"pull_requests":[`+strings.Join(all, ",")+`]}`))
	if err != nil || r.Err != nil {
		t.Fatal(err, r.Err)
	}
	if len(r.Pulls) != maxPulls || r.Pulls[0] != 1 {
		t.Errorf("got %v", r.Pulls)
	}
}

func TestRequesters(t *testing.T) {
	r := &Run{Attempt: 1, Sender: promotion.Identity{ID: 1, Login: "carol"}, TriggeringActor: "dave"}
	if who, again := r.Requesters(); who.Login != "carol" || again != "" {
		t.Errorf("a first attempt: %v %q", who, again)
	}
	r.Attempt = 2
	if who, again := r.Requesters(); who.Login != "carol" || again != "dave" {
		t.Errorf("a second attempt: %v %q", who, again)
	}
	r.TriggeringActor = "Carol"
	if _, again := r.Requesters(); again != "" {
		t.Errorf("by the same: %q", again)
	}
}

// examples returns the payloads that GitHub publishes, by event; none where
// PINNACE_WEBHOOK_EXAMPLES does not name the folder of npm's @octokit/webhooks-examples@7.6.1.
func examples(t testing.TB) map[string][]json.RawMessage {
	t.Helper()
	all, err := published()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var published = sync.OnceValues(func() (map[string][]json.RawMessage, error) {
	dir := os.Getenv("PINNACE_WEBHOOK_EXAMPLES")
	if dir == "" {
		return nil, nil
	}
	data, err := os.ReadFile(filepath.Join(dir, "api.github.com", "index.json"))
	if err != nil {
		return nil, err
	}
	var events []struct {
		Name     string
		Examples []json.RawMessage
	}
	if err := json.Unmarshal(data, &events); err != nil {
		return nil, err
	}
	all := map[string][]json.RawMessage{}
	for _, e := range events {
		all[e.Name] = append(all[e.Name], e.Examples...)
	}
	return all, nil
})

// Every example of GitHub's is read, and says what encoding/json says.
func TestExamples(t *testing.T) {
	all := examples(t)
	if all == nil {
		t.Skip("PINNACE_WEBHOOK_EXAMPLES does not name the folder of npm's @octokit/webhooks-examples@7.6.1")
	}
	pulls, senders := 0, 0
	for _, event := range slices.Sorted(maps.Keys(all)) {
		for i, x := range all[event] {
			var p struct {
				Repository struct {
					DefaultBranch string `json:"default_branch"`
				}
				Sender struct {
					ID    int64
					Login string
					Type  string
				}
				PullRequest struct {
					Number int
					Head   struct{ Repo *struct{ ID int64 } }
					Base   struct{ Repo struct{ ID int64 } }
				} `json:"pull_request"`
			}
			_ = json.Unmarshal(x, &p) // some events have these keys for other things
			r, err := read(runner(event, "GITHUB_REPOSITORY_ID", ""), string(x))
			if err != nil || r.Err != nil {
				t.Errorf("%s %d: %v, %v", event, i, err, r)
				continue
			}
			if want := (promotion.Identity{ID: p.Sender.ID, Login: p.Sender.Login, Bot: p.Sender.Type == "Bot"}); r.Sender != want {
				t.Errorf("%s %d: sent by %+v, want %+v", event, i, r.Sender, want)
			} else if want.ID != 0 {
				senders++
			}
			if r.DefaultBranch != p.Repository.DefaultBranch {
				t.Errorf("%s %d: default branch %q, want %q", event, i, r.DefaultBranch, p.Repository.DefaultBranch)
			}
			switch event {
			case "pull_request", "pull_request_review", "pull_request_review_comment":
				if !slices.Equal(r.Pulls, []int{p.PullRequest.Number}) || r.HeadSHA == "" {
					t.Errorf("%s %d: %+v", event, i, r)
				}
				if want := p.PullRequest.Head.Repo == nil || p.PullRequest.Head.Repo.ID != p.PullRequest.Base.Repo.ID; r.Fork != want {
					t.Errorf("%s %d: of a fork: %v, want %v", event, i, r.Fork, want)
				}
				pulls++
			case "workflow_run", "check_run", "check_suite", "status", "merge_group":
				if r.HeadSHA == "" {
					t.Errorf("%s %d: no head", event, i)
				}
			}
		}
	}
	if pulls < 30 || senders < 300 {
		t.Errorf("got %d of pull requests and %d senders", pulls, senders)
	}
	t.Logf("%d of pull requests, %d senders", pulls, senders)
}

// FuzzReadRun: whatever the file holds, what comes of it is of a good form.
func FuzzReadRun(f *testing.F) {
	events := []string{"pull_request", "pull_request_target", "issue_comment", "workflow_run", "check_run", "check_suite", "status", "merge_group", "schedule", "push"}
	for i, e := range events {
		for _, x := range examples(f)[e] {
			f.Add(uint8(i), []byte(x))
		}
	}
	f.Add(uint8(0), []byte(about(pull(12, `{"id":43}`, `{"id":42}`))))
	f.Add(uint8(3), []byte(about(`"workflow_run":{"event":"pull_request","head_repository":{"id":9},"repository":{"id":42},"pull_requests":[{"number":3,"base":{"repo":{"id":42}}}]}`)))
	f.Fuzz(func(t *testing.T, event uint8, body []byte) {
		env := runner(events[int(event)%len(events)])
		r, err := ReadRun(func(k string) string { return env[k] }, func(string) ([]byte, error) { return body, nil })
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range r.Pulls {
			if n < 1 {
				t.Fatalf("pull request %d", n)
			}
		}
		if r.Repository != 42 || !word(r.Action) || !login(r.Sender.Login) || r.Sender.ID < 0 || r.HeadSHA != "" && !commit(r.HeadSHA) || !refLike(r.DefaultBranch) || len(r.Pulls) > maxPulls {
			t.Fatalf("got %+v", r)
		}
		for _, said := range []string{r.Unprotected(), r.ReadOnly()} {
			if !fit(said) {
				t.Fatalf("said %q", said)
			}
		}
		if r.DefaultBranch != "main" && r.Event == "push" && r.Unprotected() == "" {
			t.Fatalf("protected on %q", r.DefaultBranch)
		}
	})
}
