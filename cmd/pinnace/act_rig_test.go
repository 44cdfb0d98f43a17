package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// act is nektos/act, which plays workflows on this machine without containers
// (https://nektosact.com). PINNACE_ACT names it where it is not on PATH.
func act(t *testing.T) string {
	t.Helper()
	program := os.Getenv("PINNACE_ACT")
	if program == "" {
		program = "act"
	}
	path, err := exec.LookPath(program)
	if err != nil {
		const how = "go install github.com/nektos/act@v0.2.89"
		if os.Getenv("CI") == "true" {
			t.Fatalf("no act to play the workflows of testdata/action: %v; %s", err, how)
		}
		t.Skipf("no act to play the workflows of testdata/action: %s", how)
	}
	return path
}

// A stage is GitHub with one config repository, acme/config, and a runner for its workflows.
type stage struct {
	t       *testing.T
	act     string
	world   *sandbox.Sandbox
	repo    *sandbox.Repository
	app     *sandbox.App // Pinnace's, granted all that it can use
	digests map[string]string
	runner  string // keeps the runner's tool cache
	action  string // the action's own repository
}

// newStage makes the repository of files, in which ${REGISTRY} and ${APP_ID} are replaced, and
// @{digest} behind an image of ghcr.io by its digest. The images are there before. Bob, carol
// and dave may write, and ada owns all.
func newStage(t *testing.T, images []string, files map[string]string) *stage {
	t.Helper()
	s := &stage{t: t, act: act(t), digests: map[string]string{}, runner: t.TempDir(), action: t.TempDir()}
	s.world = sandbox.New(sandbox.Options{T: t, Ours: func(c sandbox.Commit) bool {
		return strings.Contains(c.AuthorEmail, "+pinnace") || strings.Contains(c.AuthorEmail, "+github-actions")
	}})
	if err := s.world.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.world.Close)
	s.world.Org("acme", "ada")
	s.app = s.world.App(sandbox.AppOptions{Name: "Pinnace", Permissions: granted})
	for _, image := range images {
		s.push(image)
	}
	s.repo = s.world.Repository("acme", "config", sandbox.RepositoryOptions{Files: s.expand(files), ActionsPRs: true})
	for _, who := range []string{"bob", "carol", "dave"} {
		s.world.User(who)
		s.repo.Permission(who, promotion.PermissionWrite)
	}
	s.app.Install("acme")
	for _, file := range []string{"action.yml", "deploy/action/install.sh", "go.mod"} {
		s.write(filepath.Join(s.action, file), s.source(file))
	}
	return s
}

// push puts an image into the registry; the same words give the same digest.
func (s *stage) push(image string) {
	s.t.Helper()
	digest, err := s.world.PushImage(image, sandbox.Image{Seed: image, Created: time.Date(2026, 11, 2, 8, 30, 0, 0, time.UTC)})
	if err != nil {
		s.t.Fatal(err)
	}
	s.digests[image] = digest
}

func (s *stage) expand(files map[string]string) map[string]string {
	out := map[string]string{}
	for path, text := range files {
		text = strings.NewReplacer("${REGISTRY}", s.world.Registry(), "${APP_ID}", strconv.FormatInt(s.app.ID(), 10)).Replace(text)
		out[path] = pinned.ReplaceAllStringFunc(text, func(m string) string {
			image := pinned.FindStringSubmatch(m)[1]
			return "ghcr.io/" + image + "@" + s.digests[image]
		})
	}
	return out
}

// source reads a file of our repository.
func (s *stage) source(file string) string {
	s.t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", file))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(data)
}

func (s *stage) write(path, text string) {
	s.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		s.t.Fatal(err)
	}
}

// prepared brings the program into the runner's tool cache, as a run before does, with a Go
// that builds this test binary, so that no run waits for a build.
func (s *stage) prepared() {
	s.t.Helper()
	dir := s.t.TempDir()
	self, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	s.write(filepath.Join(dir, "pinnace"), "#!/bin/sh\n"+asPinnace+"=1 exec '"+self+"' \"$@\"\n")
	s.write(filepath.Join(dir, "go"), "#!/bin/sh\nwhile [ $# -gt 0 ]; do if [ \"$1\" = -o ]; then out=$2; fi; shift; done\ncp '"+dir+"/pinnace' \"$out\"\n")
	cmd := exec.Command("bash", filepath.Join(s.action, "deploy", "action", "install.sh"))
	cmd.Env = []string{
		"PATH=" + dir + ":" + os.Getenv("PATH"), "GITHUB_OUTPUT=" + dir + "/output", "GITHUB_ACTION_PATH=" + s.action,
		"RUNNER_TEMP=" + dir, "RUNNER_TOOL_CACHE=" + filepath.Join(s.runner, "tool_cache"),
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("%v: %s", err, out)
	}
}

// A run of a workflow is caused by an event.
type run struct {
	workflow string // a file of testdata/action
	event    string
	by       string         // the event's sender
	pull     int            // that the event is about; 0 is none
	fork     bool           // its head is in a fork
	payload  map[string]any // besides what every event says
	ref      string         // default: that of the event
	token    string         // the workflow's own; default: one with the permissions that it asks for
	app      string         // what actions/create-github-app-token gives
	env      []string
}

// A played run is what was seen of it.
type played struct {
	passed  bool
	outputs map[string]string // of all steps
	summary string
	log     []string // what steps print that is no command
	told    []string // annotations, in their raw form
	raw     string   // all that act said
}

func (p played) String() string { return p.raw }

// play plays a workflow on a checkout of the commit that the event is about.
func (s *stage) play(r run) played {
	s.t.Helper()
	if r.token == "" {
		r.token = s.world.ActionsToken(s.repo, permissionsOf(s.t, s.source("testdata/action/"+r.workflow)))
	}
	dir := s.t.TempDir()
	work := filepath.Join(dir, "config")
	s.git(dir, "clone", "--quiet", strings.Replace(s.repo.CloneURL(), "://", "://x:"+s.world.Token("ada")+"@", 1), work)
	ref, payload := "refs/heads/main", s.payload(r)
	if r.pull != 0 && strings.HasPrefix(r.event, "pull_request") {
		ref = "refs/pull/" + strconv.Itoa(r.pull) + "/merge"
		s.git(work, "fetch", "--quiet", "origin", ref)
		s.git(work, "checkout", "--quiet", "FETCH_HEAD")
	}
	if r.ref != "" {
		ref = r.ref
	}
	s.git(work, "remote", "set-url", "origin", "https://github.example/acme/config.git")
	data, err := json.Marshal(payload)
	if err != nil {
		s.t.Fatal(err)
	}
	s.write(filepath.Join(dir, "event.json"), string(data))
	s.write(filepath.Join(dir, "workflows", r.workflow), s.source("testdata/action/"+r.workflow))
	// Actions of others are played by ones that do what the workflow needs of them.
	s.write(filepath.Join(dir, "token", "action.yml"), player(`echo "token=$STAGE_APP_TOKEN" >> "$GITHUB_OUTPUT"`, "token", "app-id", "private-key"))
	s.write(filepath.Join(dir, "sarif", "upload-sarif", "action.yml"), player(`test -s "$INPUT" && echo "uploaded $INPUT"`, "", "sarif_file"))
	s.write(filepath.Join(dir, "login", "action.yml"), player(`true`, "", "registry", "username", "password"))
	s.write(filepath.Join(dir, "build", "action.yml"), player(`echo "digest=$STAGE_DIGEST" >> "$GITHUB_OUTPUT"`, "digest", "context", "push", "tags"))

	args := []string{
		r.event, "--directory", work, "--workflows", filepath.Join(dir, "workflows"), "--eventpath", filepath.Join(dir, "event.json"),
		"--platform", "ubuntu-latest=-self-hosted", "--no-cache-server", "--json", "--action-cache-path", s.runner,
		"--local-repository", "pinnace-dev/pinnace@v1=" + s.action,
		"--local-repository", "actions/create-github-app-token@v2=" + filepath.Join(dir, "token"),
		"--local-repository", "github/codeql-action@v4=" + filepath.Join(dir, "sarif"),
		"--local-repository", "docker/login-action@v3=" + filepath.Join(dir, "login"),
		"--local-repository", "docker/build-push-action@v6=" + filepath.Join(dir, "build"),
		"--actor", r.by, "--secret", "GITHUB_TOKEN=" + r.token, "--secret", "PINNACE_APP_KEY=key", "--var", "PINNACE_APP_ID=" + strconv.FormatInt(s.app.ID(), 10),
	}
	for key, value := range map[string]string{
		"GITHUB_API_URL": s.world.URL() + "/api/v3", "GITHUB_SERVER_URL": s.world.URL(), "GITHUB_GRAPHQL_URL": s.world.URL() + "/api/graphql",
		"GITHUB_REPOSITORY": "acme/config", "GITHUB_REPOSITORY_ID": strconv.FormatInt(s.repo.ID(), 10), "GITHUB_REPOSITORY_OWNER": "acme",
		"GITHUB_REF": ref, "GITHUB_WORKFLOW_REF": "acme/config/.github/workflows/" + r.workflow + "@" + ref, "GITHUB_TRIGGERING_ACTOR": r.by,
		"NO_COLOR": "1", // act gives each step a terminal, GitHub's runner none
	} {
		args = append(args, "--env", key+"="+value)
	}
	for _, e := range r.env {
		args = append(args, "--env", e)
	}
	cmd := exec.Command(s.act, args...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "XDG_CACHE_HOME=" + filepath.Join(dir, "cache"), "STAGE_APP_TOKEN=" + r.app}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	p := seen(s.t, out)
	p.passed = err == nil
	return p
}

func (s *stage) git(dir string, args ...string) {
	s.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "GIT_TERMINAL_PROMPT=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("git %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// payload is the event's, as GitHub sends it.
func (s *stage) payload(r run) map[string]any {
	s.t.Helper()
	sender := s.world.User(r.by)
	repository := map[string]any{"id": s.repo.ID(), "name": "config", "full_name": "acme/config", "default_branch": "main", "owner": map[string]any{"login": "acme"}}
	out := map[string]any{
		"repository": repository,
		"sender":     map[string]any{"id": sender.ID, "login": sender.Login, "type": "User"},
	}
	if r.pull != 0 {
		p := s.pull(r.pull)
		side := func(ref, sha string) map[string]any {
			return map[string]any{"ref": ref, "sha": sha, "repo": repository}
		}
		head := side(p.Head.Ref, p.Head.SHA)
		if r.fork {
			head["repo"] = map[string]any{"id": 999999, "name": "config", "full_name": "eve/config", "owner": map[string]any{"login": "eve"}}
		}
		pull := map[string]any{"number": r.pull, "title": p.Title, "head": head, "base": side(p.Base.Ref, p.Base.SHA)}
		switch r.event {
		case "workflow_run":
			out["action"] = "completed"
			out["workflow_run"] = map[string]any{"head_sha": p.Head.SHA, "event": "pull_request_review", "pull_requests": []any{pull}}
		default:
			out["action"], out["number"], out["pull_request"] = "synchronize", r.pull, pull
		}
	}
	maps.Copy(out, r.payload)
	return out
}

func (s *stage) pull(number int) promotion.PullRequest {
	s.t.Helper()
	for _, p := range s.repo.PullRequests() {
		if p.Number == number {
			return p
		}
	}
	s.t.Fatalf("there is no pull request %d", number)
	return promotion.PullRequest{}
}

// player is a composite action with one output, "" for none, which runs a line of shell that
// finds the last input in $INPUT.
func player(line, output string, inputs ...string) string {
	var b strings.Builder
	b.WriteString("name: player\ndescription: plays another action\ninputs:\n")
	for _, input := range inputs {
		b.WriteString("  " + input + ": {description: an input, required: true}\n")
	}
	if output != "" {
		b.WriteString("outputs:\n  " + output + ": {description: an output, value: \"${{ steps.play.outputs." + output + " }}\"}\n")
	}
	b.WriteString("runs:\n  using: composite\n  steps:\n    - id: play\n      shell: bash\n      env: {INPUT: \"${{ inputs." + inputs[len(inputs)-1] + " }}\"}\n      run: |\n        " + line + "\n")
	return b.String()
}

// permissionsOf reads the permissions of a workflow, in the words of Apps.
func permissionsOf(t *testing.T, workflow string) map[string]string {
	t.Helper()
	m := regexp.MustCompile(`(?m)^permissions: \{(.*)\}$`).FindStringSubmatch(workflow)
	if m == nil {
		t.Fatalf("the workflow says no permissions:\n%s", workflow)
	}
	out := map[string]string{}
	for entry := range strings.SplitSeq(m[1], ",") {
		if key, level, ok := strings.Cut(strings.TrimSpace(entry), ": "); ok {
			out[strings.ReplaceAll(key, "-", "_")] = level
		}
	}
	return out
}

// seen reads act's log.
func seen(t *testing.T, out []byte) played {
	t.Helper()
	p := played{outputs: map[string]string{}}
	for text := range bytes.Lines(out) {
		if !bytes.HasPrefix(text, []byte("{")) { // act itself, about the run
			p.raw += string(text)
			continue
		}
		var line struct {
			Command, Name, Arg, Raw, Content, Msg string
			RawOutput                             bool `json:"raw_output"`
		}
		if err := json.Unmarshal(text, &line); err != nil {
			t.Fatalf("act says what is no JSON: %v\n%s", err, text)
		}
		p.raw += line.Msg + "\n"
		switch {
		case line.Command == "set-output":
			p.outputs[line.Name] = line.Arg
		case line.Command == "summary":
			p.summary += line.Content
		case line.Command != "":
			p.told = append(p.told, strings.TrimSpace(line.Raw))
		case line.RawOutput:
			p.log = append(p.log, strings.TrimRight(line.Msg, "\r\n"))
		}
	}
	return p
}

// forge writes a green check pinnace/promotion on the head of a pull request, which says all that
// the App's says, with the token that every workflow of every branch has.
func (s *stage) forge(number int) {
	s.t.Helper()
	c := s.verdictOf(number)
	body, err := json.Marshal(map[string]any{
		"name": c.Name, "head_sha": c.SHA, "status": "completed", "conclusion": "success", "external_id": c.ExternalID,
		"output": map[string]any{"title": "all rules hold", "summary": c.Summary, "text": c.Text},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	q, err := http.NewRequest(http.MethodPost, s.world.URL()+"/api/v3/repos/acme/config/check-runs", bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	q.Header.Set("Authorization", "Bearer "+s.world.ActionsToken(s.repo, map[string]string{"checks": "write"}))
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		s.t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusCreated {
		s.t.Fatalf("the check is not written: %s", answer.Status)
	}
}
