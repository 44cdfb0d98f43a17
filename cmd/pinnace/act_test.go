package main

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// shelf are the images that the stages' registry holds.
var shelf = []string{"acme/shop:1.4", "acme/shop:1.5", "acme/web:2.0"}

const stageConfig = `apiVersion: pinnace.dev/v1alpha1
kind: Config
environments:
  - {name: dev, paths: ["envs/dev/**"]}
  - {name: staging, paths: ["envs/staging/**"], after: [dev]}
  - {name: prod, paths: ["envs/prod/**"], after: [staging], production: true, deploy: auto}
roles:
  promoter: {users: [carol, dave]}
registryMap: {"*": "${REGISTRY}"}
`

const stagePolicy = `apiVersion: pinnace.dev/v1alpha1
kind: ImagePromotionPolicy
name: prod
approverCount: 1
unknownBuilder: ignore
applyTo: [{env: prod}]
`

// unpinned is a repository with tags to pin; shop stands in it once per environment.
func unpinned() map[string]string {
	return map[string]string{
		".pinnace/config.yaml":   stageConfig,
		"envs/dev/shop.yaml":     "image: ghcr.io/acme/shop:1.5\n",
		"envs/staging/shop.yaml": "image: ghcr.io/acme/shop:1.5\n",
		"envs/prod/shop.yaml":    "image: ghcr.io/acme/shop:1.4\nsidecar:\n  image: ghcr.io/acme/web:2.0\n",
	}
}

// ready is a repository where shop 1.5 runs in staging, and prod may get it with one approval.
func ready() map[string]string {
	return map[string]string{
		".pinnace/config.yaml":        stageConfig,
		".pinnace/policies/prod.yaml": stagePolicy,
		"envs/dev/shop.yaml":          "image: ghcr.io/acme/shop:1.5@{digest}\n",
		"envs/staging/shop.yaml":      "image: ghcr.io/acme/shop:1.5@{digest}\n",
		"envs/prod/shop.yaml":         "image: ghcr.io/acme/shop:1.4@{digest}\n",
	}
}

// outputs returns all but json, which has to be a document of its own.
func (p played) outputsBut(t *testing.T) map[string]string {
	t.Helper()
	if !json.Valid([]byte(p.outputs["json"])) {
		t.Errorf("the output json is none: %q", p.outputs["json"])
	}
	out := maps.Clone(p.outputs)
	for _, key := range []string{"json", "path", "token"} {
		delete(out, key)
	}
	return out
}

// holds fails the test where a text lacks words.
func holds(t *testing.T, what, text string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("%s does not say %q:\n%s", what, w, text)
		}
	}
}

func (p played) ends(t *testing.T, passed bool) {
	t.Helper()
	if p.passed != passed {
		t.Fatalf("the workflow passed: %v, want %v:\n%s", p.passed, passed, p)
	}
}

func TestActPin(t *testing.T) {
	s := newStage(t, shelf, unpinned())
	s.prepared()
	p := s.play(run{workflow: "pin.yaml", event: "schedule", by: "ada"})
	p.ends(t, true)
	want := map[string]string{
		"changed": "true", "changed-files": "envs/dev/shop.yaml\nenvs/prod/shop.yaml\nenvs/staging/shop.yaml", "findings": "0",
		"pull-request-number": "1", "pull-request-url": s.world.URL() + "/acme/config/pull/1", "digest": "", "sarif-file": "",
	}
	got := p.outputsBut(t)
	got["changed-files"] = strings.Join(slices.Sorted(strings.Lines(got["changed-files"]+"\n")), "")
	want["changed-files"] += "\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
	holds(t, "the summary", p.summary, "pull requests: 3 opened", "`envs/prod/shop.yaml:1`", "`envs/prod/shop.yaml:3`")
	holds(t, "a notice", strings.Join(p.told, "\n"), "::notice title=Pinnace::Pull requests and commits of GITHUB_TOKEN start no workflow by themselves")
	if got := len(s.repo.PullRequests()); got != 3 {
		t.Errorf("%d pull requests, want one per environment", got)
	}
	text, _ := s.repo.File("pinnace/pin/prod", "envs/prod/shop.yaml")
	if want := "image: ghcr.io/acme/shop:1.4@" + s.digests["acme/shop:1.4"] + "\nsidecar:\n  image: ghcr.io/acme/web:2.0@" + s.digests["acme/web:2.0"] + "\n"; text != want {
		t.Errorf("prod is\n%swant\n%s", text, want)
	}

	again := s.play(run{workflow: "pin.yaml", event: "schedule", by: "ada"})
	again.ends(t, true)
	if again.outputs["changed"] != "false" || strings.Contains(strings.Join(again.told, "\n"), "start no workflow") {
		t.Errorf("a second run changes something: %v, %v", again.outputs, again.told)
	}
}

func TestActPinOne(t *testing.T) {
	s := newStage(t, shelf, unpinned())
	s.prepared()
	p := s.play(run{workflow: "pin_one.yaml", event: "workflow_dispatch", by: "bob"})
	p.ends(t, true)
	want := map[string]string{
		"changed": "true", "changed-files": "envs/dev/shop.yaml\nenvs/staging/shop.yaml", "findings": "0", "pull-request-number": "1",
		"pull-request-url": s.world.URL() + "/acme/config/pull/1", "digest": s.digests["acme/shop:1.5"], "sarif-file": "",
	}
	if diff := cmp.Diff(want, p.outputsBut(t)); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
	all := s.repo.PullRequests()
	if len(all) != 1 {
		t.Fatalf("%d pull requests, want one", len(all))
	}
	if all[0].Head.Ref != "pinnace/pins" || all[0].Title != "Pin the images of dev and staging" || !slices.Contains(all[0].Labels, "images") || !slices.Contains(all[0].Labels, "automated") {
		t.Errorf("the pull request is %+v", all[0])
	}
	subject, _, _ := strings.Cut(s.repo.Log("pinnace/pins")[0].Message, "\n")
	if subject != "chore: pin images" {
		t.Errorf("the commit says %q", subject)
	}
	if text, _ := s.repo.File("pinnace/pins", "envs/prod/shop.yaml"); strings.Contains(text, "@") {
		t.Errorf("prod was pinned, too:\n%s", text)
	}
}

func TestActPinFiles(t *testing.T) {
	s := newStage(t, shelf, unpinned())
	s.prepared()
	p := s.play(run{workflow: "pin_files.yaml", event: "workflow_dispatch", by: "bob"})
	p.ends(t, true)
	want := map[string]string{
		"changed": "true", "changed-files": "envs/prod/shop.yaml", "findings": "0", "pull-request-number": "", "pull-request-url": "", "digest": "", "sarif-file": "",
	}
	if diff := cmp.Diff(want, p.outputsBut(t)); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
	holds(t, "the log", strings.Join(p.log, "\n"), "1 file changed, 2 insertions(+), 2 deletions(-)", "changed: envs/prod/shop.yaml")
	if got := len(s.repo.PullRequests()); got != 0 {
		t.Errorf("%d pull requests, want none", got)
	}
}

func TestActCheck(t *testing.T) {
	s := newStage(t, shelf, ready())
	s.prepared()
	s.repo.Branch("change", "bob", s.repo.Tip("main"))
	s.repo.Commit("change", "bob", "A tag", map[string]string{"envs/prod/shop.yaml": "replicas: 2\nimage: ghcr.io/acme/shop:1.5\n"})
	number, err := s.repo.OpenPullRequest("bob", "A tag", "", "change", "main")
	if err != nil {
		t.Fatal(err)
	}
	p := s.play(run{workflow: "check.yaml", event: "pull_request", by: "bob", pull: number})
	p.ends(t, false)
	want := map[string]string{"changed": "false", "changed-files": "", "findings": "1", "pull-request-number": "", "pull-request-url": "", "digest": "", "sarif-file": "pinnace.sarif"}
	if diff := cmp.Diff(want, p.outputsBut(t)); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
	holds(t, "an annotation", strings.Join(p.told, "\n"), "::error file=envs/prod/shop.yaml,line=2,", "title=PIN001::ghcr.io/acme/shop:1.5 has no digest")
	holds(t, "the summary", p.summary, "PIN001", "envs/prod/shop.yaml")
	holds(t, "the log", strings.Join(p.log, "\n"), "uploaded pinnace.sarif")

	// The same on a tree without findings.
	s.repo.Commit("change", "bob", "A digest", map[string]string{"envs/prod/shop.yaml": "image: ghcr.io/acme/shop:1.5@" + s.digests["acme/shop:1.5"] + "\n"})
	p = s.play(run{workflow: "check.yaml", event: "pull_request", by: "bob", pull: number})
	p.ends(t, true)
	if p.outputs["findings"] != "0" {
		t.Errorf("%s findings, want 0", p.outputs["findings"])
	}
}

// verdictOf returns the check pinnace/promotion of a pull request's head.
func (s *stage) verdictOf(number int) promotion.CheckRun {
	s.t.Helper()
	for _, c := range slices.Backward(s.repo.Checks(s.pull(number).Head.SHA)) {
		if c.Name == "pinnace/promotion" {
			return c
		}
	}
	s.t.Fatalf("#%d has no check pinnace/promotion", number)
	return promotion.CheckRun{}
}

// promoted lets bob ask for shop in prod, by the workflow of the page.
func (s *stage) promoted(app string) played {
	s.t.Helper()
	inputs := map[string]any{"inputs": map[string]any{"app": "shop", "to": "prod", "image": ""}, "ref": "refs/heads/main"}
	p := s.play(run{workflow: "promote.yaml", event: "workflow_dispatch", by: "bob", payload: inputs, app: app})
	p.ends(s.t, true)
	return p
}

func TestActPromote(t *testing.T) {
	s := newStage(t, shelf, ready())
	s.prepared()
	p := s.promoted(s.app.InstallationToken("acme"))
	want := map[string]string{
		"changed": "true", "changed-files": "envs/prod/shop.yaml", "findings": "0", "pull-request-number": "1",
		"pull-request-url": s.world.URL() + "/acme/config/pull/1", "digest": s.digests["acme/shop:1.5"], "sarif-file": "",
	}
	if diff := cmp.Diff(want, p.outputsBut(t)); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
	holds(t, "the summary", p.summary, "shop", "prod", "#1")
	holds(t, "the commit", s.repo.Log("pinnace/promote/prod/shop")[0].Message, "Requested-by: bob#")
	if c := s.verdictOf(1); c.App != s.app.ID() || c.Conclusion == "success" {
		t.Errorf("the check is %+v", c)
	}
}

// TestActDecide is the strong set-up: a review rings, a workflow of the default branch decides
// with an App's token that an environment keeps from every other workflow.
func TestActDecide(t *testing.T) {
	s := newStage(t, shelf, ready())
	s.prepared()
	s.promoted(s.app.InstallationToken("acme"))
	review := func(by string) {
		t.Helper()
		if _, err := s.repo.Review(1, by, promotion.Approved, "I have read it."); err != nil {
			t.Fatal(err)
		}
		s.play(run{workflow: "bell.yaml", event: "pull_request_review", by: by, pull: 1}).ends(t, true)
	}
	decide := func(by string) played {
		t.Helper()
		p := s.play(run{workflow: "decide.yaml", event: "workflow_run", by: by, pull: 1, app: s.app.InstallationToken("acme")})
		p.ends(t, true)
		return p
	}

	// Who asked does not count.
	review("bob")
	p := decide("bob")
	holds(t, "the log", strings.Join(p.log, "\n"), "waiting 0 of 1 approval", "bob approved, which does not count")
	holds(t, "the summary", p.summary, "0 of 1 approval")
	if c := s.verdictOf(1); c.App != s.app.ID() || c.Conclusion == "success" || strings.Contains(c.Title+c.Summary, "advi") {
		t.Errorf("the check is %+v", c)
	}

	// Nor does a check that another workflow forged, record and all: branch rules ask for that
	// of the App, and Pinnace believes no other.
	s.repo.Protect("main", sandbox.Protection{Rules: promotion.Rules{Checks: []promotion.RequiredCheck{{Context: "pinnace/promotion", App: s.app.ID()}}}})
	s.forge(1)
	if _, err := s.repo.Merge(1, "bob", "merge"); err == nil || !strings.Contains(err.Error(), "pinnace/promotion") {
		t.Errorf("GitHub merges on the forged check: %v", err)
	}
	p = decide("bob")
	holds(t, "the log", strings.Join(p.log, "\n"), "waiting 0 of 1 approval")
	if got := s.pull(1).State; got != promotion.Open {
		t.Fatalf("#1 is %s, want it open", got)
	}

	// Another one's review does.
	review("carol")
	p = decide("carol")
	if got := s.pull(1).State; got != promotion.Merged {
		t.Errorf("#1 is %s, want it merged:\n%s", got, p)
	}
	if got := p.outputs["pull-request-number"]; got != "1" {
		t.Errorf("the output says #%s", got)
	}
	text, _ := s.repo.File("main", "envs/prod/shop.yaml")
	if want := "image: ghcr.io/acme/shop:1.5@" + s.digests["acme/shop:1.5"] + "\n"; text != want {
		t.Errorf("prod is\n%swant\n%s", text, want)
	}
}

// TestActAdvisory is the weak set-up: what GITHUB_TOKEN writes could have been written by any
// workflow of any branch, so it says that it is advice, and nothing is merged.
func TestActAdvisory(t *testing.T) {
	s := newStage(t, shelf, ready())
	s.prepared()
	s.promoted(s.app.InstallationToken("acme"))
	if _, err := s.repo.Review(1, "carol", promotion.Approved, "I have read it."); err != nil {
		t.Fatal(err)
	}
	p := s.play(run{workflow: "decide_advisory.yaml", event: "pull_request_review", by: "carol", pull: 1})
	p.ends(t, true)
	holds(t, "the log", strings.Join(p.log, "\n"), "verdicts are advisory, and nothing is merged that needs approvals", "docs/action.md")
	c := s.verdictOf(1)
	if c.AppSlug != "github-actions" {
		t.Errorf("the check is %+v", c)
	}
	holds(t, "the check", c.Title+"\n"+c.Summary+"\n"+c.Text, "dvi")
	if got := s.pull(1).State; got != promotion.Open {
		t.Errorf("#1 is %s, want it open", got)
	}
}

// TestActPromoteBuild promotes what a step before has built and pushed.
func TestActPromoteBuild(t *testing.T) {
	s := newStage(t, shelf, ready())
	s.prepared()
	s.push("acme/shop:1.6")
	p := s.play(run{
		workflow: "promote_build.yaml", event: "push", by: "bob", payload: map[string]any{"ref": "refs/heads/main"},
		env: []string{"GITHUB_RUN_NUMBER=6", "STAGE_DIGEST=" + s.digests["acme/shop:1.6"]},
	})
	p.ends(t, true)
	if got, want := p.outputs["digest"], s.digests["acme/shop:1.6"]; got != want {
		t.Errorf("the digest is %s, want that of the build, %s", got, want)
	}
	text, _ := s.repo.File("pinnace/promote/dev/shop", "envs/dev/shop.yaml")
	if want := "image: ghcr.io/acme/shop:1.6@" + s.digests["acme/shop:1.6"] + "\n"; text != want {
		t.Errorf("dev is\n%swant\n%s", text, want)
	}
}

// TestActFork holds that a fork's pull request is only read, whatever the token may do.
func TestActFork(t *testing.T) {
	s := newStage(t, shelf, ready())
	s.prepared()
	s.promoted(s.app.InstallationToken("acme"))
	everything := s.world.ActionsToken(s.repo, map[string]string{"contents": "write", "pull_requests": "write", "checks": "write", "issues": "write"})
	s.world.ForgetRequests()
	for _, workflow := range []string{"check.yaml", "decide_advisory.yaml"} {
		p := s.play(run{workflow: workflow, event: "pull_request", by: "bob", pull: 1, fork: true, token: everything})
		p.ends(t, true)
		if strings.Contains(strings.Join(p.log, "\n"), "uploaded") {
			t.Errorf("%s: findings of a fork were uploaded", workflow)
		}
	}
	for _, q := range s.world.Requests() {
		if q.Write() {
			t.Errorf("written: %s %s", q.Method, q.Path)
		}
	}
}

// TestActBuild lets the action build the program from its own source, as where its commit is no
// release.
func TestActBuild(t *testing.T) {
	if os.Getenv("CI") != "true" {
		t.Skip("builds the program with flags of its own, for a minute: set CI=true")
	}
	s := newStage(t, shelf, ready())
	for _, dir := range []string{"cmd/pinnace", "internal", "policies", "testdata"} {
		if err := os.CopyFS(filepath.Join(s.action, dir), os.DirFS(filepath.Join("..", "..", dir))); err != nil {
			t.Fatal(err)
		}
	}
	s.write(filepath.Join(s.action, "go.sum"), s.source("go.sum"))
	var caches []string
	for _, key := range []string{"GOCACHE", "GOMODCACHE", "GOPROXY"} {
		value, err := exec.Command("go", "env", key).Output()
		if err != nil {
			t.Fatal(err)
		}
		caches = append(caches, key+"="+strings.TrimSpace(string(value)))
	}
	p := s.play(run{workflow: "pin_files.yaml", event: "workflow_dispatch", by: "bob", env: caches})
	p.ends(t, true)
	holds(t, "a notice", strings.Join(p.told, "\n"), "::notice title=Pinnace::pinnace is built from the action's own source")
	again := s.play(run{workflow: "pin_files.yaml", event: "workflow_dispatch", by: "bob"})
	again.ends(t, true)
	if told := strings.Join(again.told, "\n"); strings.Contains(told, "built") {
		t.Errorf("the second run builds it again: %s", told)
	}
	if again.outputs["path"] != p.outputs["path"] {
		t.Errorf("the second run uses %s, the first %s", again.outputs["path"], p.outputs["path"])
	}
}

func TestActReconcile(t *testing.T) {
	files := ready()
	files["envs/dev/web.yaml"] = "image: ghcr.io/acme/web:2.0\n"
	s := newStage(t, shelf, files)
	s.prepared()
	p := s.play(run{workflow: "reconcile.yaml", event: "schedule", by: "ada", app: s.app.InstallationToken("acme")})
	p.ends(t, true)
	want := map[string]string{
		"changed": "true", "changed-files": "envs/dev/web.yaml", "findings": "0", "pull-request-number": "1",
		"pull-request-url": s.world.URL() + "/acme/config/pull/1", "digest": s.digests["acme/web:2.0"], "sarif-file": "",
	}
	if diff := cmp.Diff(want, p.outputsBut(t)); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
	holds(t, "the summary", p.summary, "#1", "envs/dev/web.yaml")
	if strings.Contains(strings.Join(p.told, "\n"), "start no workflow") {
		t.Errorf("an App's pull requests start workflows, but it says\n%s", p.told)
	}
	if c := s.verdictOf(1); c.App != s.app.ID() {
		t.Errorf("the check is %+v", c)
	}
}

// TestActHostile holds that what others write is text, and nothing else, on its way through the
// action: a title that a workflow hands over, paths, tags and what the registry answers.
func TestActHostile(t *testing.T) {
	for name, title := range map[string]string{
		"substitution":     "$(touch \"$GITHUB_WORKSPACE/x\")`touch x`",
		"end of a string":  `"; touch x; echo "`,
		"command":          "::set-output name=changed::forged",
		"option":           "--title=x --dry-run",
		"percent":          "%0A::set-env name=PATH::/tmp",
		"end of a heredoc": "EOF",
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, shelf, unpinned())
			s.prepared()
			p := s.play(run{workflow: "hostile.yaml", event: "workflow_dispatch", by: "bob", payload: map[string]any{"inputs": map[string]any{"title": title}, "ref": "refs/heads/main"}})
			all := s.repo.PullRequests()
			if !p.passed || len(all) != 1 || all[0].Head.Ref != "pinnace/hostile" {
				t.Fatalf("the pull requests are %+v:\n%s", all, p)
			}
			if p.outputs["changed"] != "true" || p.outputs["pull-request-number"] != "1" {
				t.Errorf("outputs: %v", p.outputs)
			}
			s.untouched(p)
		})
	}
	t.Run("a newline", func(t *testing.T) {
		s := newStage(t, shelf, unpinned())
		s.prepared()
		p := s.play(run{workflow: "hostile.yaml", event: "workflow_dispatch", by: "bob", payload: map[string]any{"inputs": map[string]any{"title": "a\n::set-output name=changed::forged\nb"}, "ref": "refs/heads/main"}})
		p.ends(t, false)
		holds(t, "an error", strings.Join(p.told, "\n"), "::error title=Pinnace::input title: ", "want one line of text")
		if got := len(s.repo.PullRequests()); got != 0 {
			t.Errorf("%d pull requests, want none", got)
		}
		s.untouched(p)
	})
	t.Run("a path", func(t *testing.T) {
		s := newStage(t, shelf, ready())
		s.prepared()
		s.repo.Branch("change", "bob", s.repo.Tip("main"))
		s.repo.Commit("change", "bob", "A tag", map[string]string{
			"envs/dev/a\n::set-output name=findings::forged\n.yaml": "image: ghcr.io/acme/shop:1.5\n",
			"envs/dev/%0A::set-env name=PATH::forged,line=1.yaml":   "apiVersion: v1\nkind: Pod\nspec: {containers: [{name: a, image: \"ghcr.io/acme/shop:1.5::error::forged\"}]}\n",
		})
		number, err := s.repo.OpenPullRequest("bob", "A tag", "", "change", "main")
		if err != nil {
			t.Fatal(err)
		}
		p := s.play(run{workflow: "check.yaml", event: "pull_request", by: "bob", pull: number})
		p.ends(t, false)
		if got := p.outputs["findings"]; got != "3" {
			t.Errorf("%s findings, want 3:\n%s", got, p)
		}
		s.obeyed(p)
	})
}

// untouched holds that the workspace is as it was, and that nobody else was obeyed.
func (s *stage) untouched(p played) {
	s.t.Helper()
	s.obeyed(p)
	holds(s.t, "the log", strings.Join(p.log, "\n"), "nothing was made")
}

// obeyed holds that no command of somebody else was obeyed.
func (s *stage) obeyed(p played) {
	s.t.Helper()
	for key, value := range p.outputs {
		if strings.Contains(value, "forged") && key != "json" {
			s.t.Errorf("the output %s is %q", key, value)
		}
	}
	for _, line := range p.told {
		if strings.HasPrefix(line, "::set-") || strings.HasPrefix(line, "::add-") {
			s.t.Errorf("obeyed: %s", line)
		}
	}
}
