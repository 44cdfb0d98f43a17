package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

const (
	question   = reconcile.OnboardBranch
	configPath = ".pinnace/config.yaml"
)

// overlays is a repository with three environments and no configuration.
func overlays() map[string]string {
	return map[string]string{
		"envs/dev/shop.yaml":     deployment("ghcr.io/acme/shop:1.4"),
		"envs/staging/shop.yaml": deployment("ghcr.io/acme/shop:1.3"),
		"envs/prod/shop.yaml":    deployment("ghcr.io/acme/shop:1.3"),
		"tools/job.yaml":         deployment("ghcr.io/acme/tool:1"),
	}
}

// unasked is a world with a repository that Pinnace has just been installed on.
func unasked(t *testing.T, files map[string]string) *world {
	t.Helper()
	w := newWorld(t, files)
	w.asApp()
	return w
}

// asking is what asks for leave. No registry is to be asked.
func (w *world) asking() *reconcile.Proposer {
	w.Helper()
	p := w.proposer()
	p.App = 4711
	p.Registries = func(*config.Config) (reconcile.Registries, error) {
		w.Error("a registry is asked before anybody said yes")
		return nil, errors.New("no registry")
	}
	return p
}

// onboard asks once, and says what became of it.
func (w *world) onboard() string {
	w.Helper()
	o, err := w.asking().Onboard(context.Background())
	if err != nil {
		return "error: " + err.Error()
	}
	line := string(o.Action)
	if o.PullRequest.Number > 0 {
		line += fmt.Sprintf(" #%d", o.PullRequest.Number)
	}
	if o.Configured {
		line += " configured"
	}
	if o.Reason != "" {
		line += ": " + o.Reason
	}
	return line
}

// asks holds what became of it to what is wanted.
func (w *world) asks(want string) {
	w.Helper()
	if got := w.onboard(); got != want {
		w.Fatalf("got  %s\nwant %s", got, want)
	}
}

// still asks again and fails where anything is written.
func (w *world) still(want string) {
	w.Helper()
	w.ForgetRequests()
	w.asks(want)
	if n := w.Writes(); n > 0 {
		w.Errorf("a run with nothing new made %d writes", n)
	}
}

func (w *world) merge(number int) {
	w.Helper()
	if _, err := w.repo.Merge(number, "ada", "squash"); err != nil {
		w.Fatal(err)
	}
}

func TestOnboardingIsOnePullRequest(t *testing.T) {
	w := unasked(t, overlays())
	w.ForgetRequests()
	w.asks("opened #1")
	var writes []string
	for _, q := range w.Requests() {
		if q.Write() {
			writes = append(writes, q.Method+" "+q.Route)
		}
	}
	if diff := cmp.Diff([]string{"POST /repos/{owner}/{repo}/git/trees", "POST /repos/{owner}/{repo}/git/commits", "POST git-receive-pack", "POST /repos/{owner}/{repo}/pulls", "POST /repos/{owner}/{repo}/issues/{issue_number}/labels"}, writes); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
	p := w.pull(1)
	if p.Head.Ref != question || p.Base.Ref != "main" || p.Title != "Configure Pinnace" || !slices.Equal(p.Labels, []string{"pinnace"}) {
		t.Errorf("got %s to %s, %q, labels %v", p.Head.Ref, p.Base.Ref, p.Title, p.Labels)
	}
	for _, want := range []string{
		"**Found**: 3 images in 4 files, none of them pinned", "| `staging` | `envs/staging/**` | `dev` | 1 | 1 |", "`prod` (production)",
		"Pinnace opens 3 pull requests", "- `pinnace/pin/prod`: pins 1 image at 1 place in 1 file", "- `tools/job.yaml`: 1 image", "**To say no**, close it",
	} {
		w.contains(p.Body, want)
	}
	text := w.file(question, configPath)
	c, problems := config.Parse(configPath, []byte(text))
	if len(problems) > 0 || c.GitHub.AppID != 4711 || c.Mode != config.ModeAct || len(c.Environments) != 3 || !c.Environments[2].Production {
		t.Errorf("%v\n%s", problems, text)
	}
	if n := len(w.repo.Log(question)); n != 2 {
		t.Errorf("the branch has %d commits, want one on top of the base", n)
	}
	if runs := w.repo.Checks(p.Head.SHA); len(runs) > 0 {
		t.Errorf("checks were written: %v", runs)
	}
	if got := branches(w.repo); !slices.Equal(got, []string{"refs/heads/main", "refs/heads/" + question}) {
		t.Errorf("branches %v", got)
	}
	w.still("unchanged #1")
}

// What the pull request said would be opened is opened once it is merged.
func TestOnboardingTellsWhatComes(t *testing.T) {
	w := unasked(t, overlays())
	for _, image := range []string{"ghcr.io/acme/shop:1.4", "ghcr.io/acme/shop:1.3", "ghcr.io/acme/tool:1"} {
		w.push(image, sandbox.Image{})
	}
	w.asks("opened #1")
	w.merge(1)
	w.still("clean configured: .pinnace/config.yaml is there")
	w.want(w.reconcile(), "opened pinnace/pin/dev #2", "opened pinnace/pin/staging #3", "opened pinnace/pin/prod #4")
	w.quiet()
}

// A pull request that was closed is a no, whatever changes, until it is reopened or somebody
// adds a configuration.
func TestOnboardingTakesNoForAnAnswer(t *testing.T) {
	const no = "declined #1: #1 was closed without merging: reopen it, or add .pinnace/config.yaml"
	for name, deleted := range map[string]bool{"the branch is kept": false, "the branch is deleted": true} {
		t.Run(name, func(t *testing.T) {
			w := unasked(t, overlays())
			w.asks("opened #1")
			w.repo.Close(1, "ada")
			if deleted {
				w.repo.DeleteBranch(question, "ada")
			}
			w.still(no)
			w.repo.Commit("main", "bob", "more", map[string]string{"envs/qa/shop.yaml": deployment("ghcr.io/acme/shop:1.4")})
			w.still(no)
			w.git = git.NewMemory(git.Limits{})
			w.still(no)
			if !deleted {
				if err := w.repo.Reopen(1, "bob"); err != nil {
					t.Fatal(err)
				}
				w.asks("updated #1")
				w.contains(w.file(question, configPath), "qa")
				w.still("unchanged #1")
				w.repo.Close(1, "bob")
				w.still(no)
			}
			w.repo.Commit("main", "bob", "yes", map[string]string{configPath: environments})
			w.still("clean configured: .pinnace/config.yaml is there")
		})
	}
}

// A no that was said after the pull request was pointed elsewhere is one, too.
func TestOnboardingPointedElsewhere(t *testing.T) {
	w := unasked(t, overlays())
	w.repo.Commit("trunk", "bob", "trunk", map[string]string{"README.md": "trunk\n"})
	w.asks("opened #1")
	if err := w.repo.Retarget(1, "bob", "trunk"); err != nil {
		t.Fatal(err)
	}
	w.still("waiting #1: #1 proposes pinnace/configure to trunk, which is not the default branch: point it to main, or close it")
	w.repo.Close(1, "bob")
	w.still("declined #1: #1 was closed without merging: reopen it, or add .pinnace/config.yaml")
}

// Who takes the configuration away again is not asked anew.
func TestOnboardingTakenBack(t *testing.T) {
	w := unasked(t, overlays())
	w.asks("opened #1")
	w.merge(1)
	w.repo.Commit("main", "ada", "no, after all", map[string]string{configPath: sandbox.Removed})
	w.still("declined #1: #1 was merged, and .pinnace/config.yaml is not there any more: add it again")
}

func TestOnboardingFollowsTheFiles(t *testing.T) {
	w := unasked(t, overlays())
	w.asks("opened #1")
	head := w.repo.Tip(question)
	w.repo.Commit("main", "bob", "elsewhere", map[string]string{"README.md": "hello\n"})
	w.still("unchanged #1")

	// More images in an environment that is there change the text alone.
	w.repo.Commit("main", "bob", "more", map[string]string{"envs/dev/proxy.yaml": deployment("ghcr.io/acme/proxy:2")})
	w.asks("updated #1")
	w.contains(w.pull(1).Body, "| `dev` | `envs/dev/**` | – | 2 | 2 |")
	if now := w.repo.Tip(question); now != head {
		t.Error("the branch moved for a change of the text")
	}
	w.still("unchanged #1")

	// Another environment changes the file.
	w.repo.Commit("main", "bob", "qa", map[string]string{"envs/qa/shop.yaml": deployment("ghcr.io/acme/shop:1.4")})
	w.asks("updated #1")
	w.contains(w.file(question, configPath), `paths: ["envs/qa/**"]`)
	if n := len(w.repo.Log(question)); n != len(w.repo.Log("main"))+1 {
		t.Errorf("the branch has %d commits, want one on top of the base", n)
	}
	w.still("unchanged #1")
	if len(w.repo.PullRequests()) != 1 {
		t.Error("a second pull request was opened")
	}
}

// The branch is for people to edit: what they push stays, and the text tells of it.
func TestOnboardingKeepsWhatPeoplePush(t *testing.T) {
	w := unasked(t, overlays())
	w.asks("opened #1")
	ours := w.repo.Tip(question)
	edit := func(text string) string {
		return w.repo.Commit(question, "bob", "mine", map[string]string{configPath: text})[:10]
	}
	kept := func(sha string) string {
		return "diverged #1: branch pinnace/configure holds a commit by bob (" + sha + "): it is kept as it is"
	}
	const follows = "; the text of the pull request follows it"

	sha := edit(strings.Replace(environments, "envs/dev/**", "envs/{dev,staging}/**", 1))
	w.asks(kept(sha) + follows)
	body := w.pull(1).Body
	w.contains(body, "by `bob`, is not what Pinnace wrote. It is kept")
	w.contains(body, "| `dev` | `envs/{dev,staging}/**` | – | 2 | 2 |")
	w.contains(body, "Updates and promotions that the file asks for come besides.")
	w.still(kept(sha))

	// The files go on, and the text with them, but not the branch.
	w.repo.Commit("main", "bob", "more", map[string]string{"envs/dev/proxy.yaml": deployment("ghcr.io/acme/proxy:2")})
	w.stays(question, func() { w.asks(kept(sha) + follows) })
	w.contains(w.pull(1).Body, "| `dev` | `envs/{dev,staging}/**` | – | 3 | 3 |")

	sha = edit("apiVersion: pinnace.dev/v1alpha1\nkind: Config\nenviroments: []\n")
	w.asks(kept(sha) + follows)
	w.contains(w.pull(1).Body, "The file on it cannot be used")
	w.contains(w.pull(1).Body, ".pinnace/config.yaml:3:1")
	w.lacks(w.pull(1).Body, "**Once it is merged**")

	sha = edit(strings.Replace(environments, "envs/prod/**", "envs/**", 1))
	w.asks(kept(sha) + follows)
	w.contains(w.pull(1).Body, "envs/dev/proxy.yaml and 1 more")

	sha = edit(strings.Replace(environments, "kind: Config\n", "kind: Config\nmode: observe\n", 1))
	w.asks(kept(sha) + follows)
	w.contains(w.pull(1).Body, "Pinnace only reports")

	sha = edit(sandbox.Removed)
	w.asks(kept(sha) + follows)
	w.contains(w.pull(1).Body, "merging it configures nothing")
	w.still(kept(sha))

	// Put back to what Pinnace wrote, it is Pinnace's again.
	w.repo.Branch(question, "bob", ours)
	w.asks("updated #1")
	w.lacks(w.pull(1).Body, "is not what Pinnace wrote")
	w.still("unchanged #1")
}

// A commit of a person is nobody's to replace, however it is spelled.
func TestOnboardingIsNotFooled(t *testing.T) {
	for name, meddle := range map[string]func(w *world, own sandbox.Commit){
		"another file besides": func(w *world, own sandbox.Commit) {
			w.repo.ForcePush(question, "bob", own.Message, w.repo.Tip("main"), map[string]string{configPath: w.file(own.SHA, configPath), "notes.txt": "mine\n"})
		},
		"the same message over another file": func(w *world, own sandbox.Commit) {
			w.repo.ForcePush(question, "bob", own.Message, w.repo.Tip("main"), map[string]string{configPath: environments})
		},
		"moved onto another commit": func(w *world, own sandbox.Commit) {
			on := w.repo.Commit("theirs", "bob", "mine", map[string]string{"notes.txt": "mine\n"})
			w.repo.ForcePush(question, "bob", own.Message, on, map[string]string{configPath: w.file(own.SHA, configPath)})
		},
		"a message of their own": func(w *world, own sandbox.Commit) {
			w.repo.ForcePush(question, "bob", "mine", w.repo.Tip("main"), map[string]string{configPath: w.file(own.SHA, configPath)})
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := unasked(t, overlays())
			w.asks("opened #1")
			meddle(w, w.repo.Log(question)[0])
			w.repo.Commit("main", "bob", "qa", map[string]string{"envs/qa/shop.yaml": deployment("ghcr.io/acme/shop:1.4")})
			w.stays(question, func() { w.contains(w.onboard(), "diverged #1") })
			w.stays(question, func() { w.still(w.onboard()) })
		})
	}
}

// A file that this version would not write, under a seal that holds, is replaced only after it
// was kept under a ref of its own.
func TestOnboardingOfAnotherVersion(t *testing.T) {
	w := newWorld(t, overlays())
	w.asks("opened #1")
	own := w.repo.Log(question)[0]
	old := "# written by an earlier version\n" + w.file(question, configPath)
	message := strings.Replace(own.Message, sealOf(own.Message), reconcile.SealOfConfiguration(w.repo.ID(), "main", old), 1)
	sha := w.repo.ForcePush(question, w.bot, message, w.repo.Tip("main"), map[string]string{configPath: old})
	w.asks("updated #1")
	w.lacks(w.file(question, configPath), "earlier version")
	if kept := w.repo.Refs()[reconcile.SavedPrefix+sha]; kept != sha {
		t.Errorf("the head %s is not kept: %v", sha, w.repo.Refs())
	}
	w.still("unchanged #1")
}

func TestOnboardingKeepsTheTextOfPeople(t *testing.T) {
	w := unasked(t, overlays())
	w.asks("opened #1")
	w.repo.Edit(1, "ada", "Shall we?", "See the runbook.")
	w.repo.Commit("main", "bob", "qa", map[string]string{"envs/qa/shop.yaml": deployment("ghcr.io/acme/shop:1.4")})
	w.asks("updated #1")
	if p := w.pull(1); p.Title != "Shall we?" || p.Body != "See the runbook." {
		t.Errorf("the text became %q\n%s", p.Title, p.Body)
	}
	w.still("unchanged #1")
}

// A configuration that comes in another way makes the question moot.
func TestOnboardingIsRetired(t *testing.T) {
	arrange := func(t *testing.T) *world {
		w := unasked(t, overlays())
		w.asks("opened #1")
		w.repo.Commit("main", "ada", "mine", map[string]string{configPath: "apiVersion: pinnace.dev/v1alpha1\nkind: Config\npin: {exclude: [\"**\"]}\n"})
		return w
	}
	gone := func(w *world) {
		w.Helper()
		if p := w.pull(1); p.State != promotion.Closed || !strings.Contains(p.Body, "Nothing is left to do here") || w.repo.Tip(question) != "" {
			w.Errorf("#1 is %s, the branch at %q:\n%s", p.State, w.repo.Tip(question), p.Body)
		}
	}
	t.Run("when asking", func(t *testing.T) {
		w := arrange(t)
		w.asks("finished #1 configured: main holds a configuration")
		gone(w)
		w.still("clean configured: .pinnace/config.yaml is there")
	})
	t.Run("when working", func(t *testing.T) {
		w := arrange(t)
		w.want(w.reconcile(), "finished pinnace/configure #1")
		gone(w)
		w.quiet()
	})
	t.Run("not what people pushed", func(t *testing.T) {
		w := arrange(t)
		w.repo.Commit(question, "bob", "mine", map[string]string{configPath: environments})
		w.stays(question, func() {
			w.still("clean #1 configured: main holds a configuration; #1 holds what people wrote: close it by hand")
			w.want(w.reconcile())
			w.quiet()
		})
	})
	t.Run("no image is left", func(t *testing.T) {
		w := unasked(t, map[string]string{"shop.yaml": deployment("ghcr.io/acme/shop:1.4"), "README.md": "hello\n"})
		w.asks("opened #1")
		w.repo.Commit("main", "ada", "gone", map[string]string{"shop.yaml": sandbox.Removed})
		w.asks("finished #1: no manifest holds an image any more")
		gone(w)
		w.still("clean #1: no manifest holds an image")
		w.repo.Commit("main", "ada", "back", map[string]string{"shop.yaml": deployment("ghcr.io/acme/shop:1.4")})
		w.asks("opened #2") // nobody said no
		w.still("unchanged #2")
	})
}

// Where nothing can be asked, nothing is written, and the reason is told.
func TestOnboardingRefusals(t *testing.T) {
	for name, test := range map[string]struct {
		files   map[string]string
		arrange func(*world)
		want    string
	}{
		"archived": {overlays(), func(w *world) { w.repo.Archive(true) }, "refused: repository acme/config is archived and cannot change: unarchive it in its settings, or leave it out"},
		"empty":    {nil, nil, "refused: repository acme/config has no commit on main: push a first one"},
		"may only read": {
			overlays(), func(w *world) { w.repo.Permission(w.bot, promotion.PermissionRead) },
			"refused: the token may only read acme/config: it needs Contents: write to push a branch and Pull requests: write to open one",
		},
		"gone": {overlays(), func(w *world) { w.repo.Delete() }, "error: repository acme/config: it does not exist, or the token may not see it: check the name, and that the token or the App's installation covers it"},
		"a rule protects our branches": {
			overlays(), func(w *world) {
				w.repo.Protect("pinnace/**", sandbox.Protection{Rules: promotion.Rules{NoCreation: true}})
			},
			"refused: pushing refs/heads/pinnace/configure: ",
		},
		"no image":            {map[string]string{"README.md": "hello\n", "envs/dev/map.yaml": "apiVersion: v1\nkind: ConfigMap\n"}, nil, "clean: no manifest holds an image"},
		"images of builds":    {map[string]string{"Dockerfile": "FROM golang:1.26\n", ".github/workflows/ci.yaml": "jobs: {a: {runs-on: x, container: golang:1.26}}\n", ".devcontainer/devcontainer.json": `{"image": "golang:1.26"}`}, nil, "clean: no manifest holds an image"},
		"configured":          {map[string]string{configPath: environments, "envs/dev/shop.yaml": deployment("a/b:1")}, nil, "clean configured: .pinnace/config.yaml is there"},
		"broken":              {map[string]string{configPath: "kind: [\n", "envs/dev/shop.yaml": deployment("a/b:1")}, nil, "clean configured: .pinnace/config.yaml is there"},
		"in the wrong place":  {map[string]string{".pinnace/config.yml": environments, "envs/dev/shop.yaml": deployment("a/b:1")}, nil, "clean configured: .pinnace/config.yml:2:7: a Config document does not belong in this file: move it to .pinnace/config.yaml"},
		"a broken policy":     {map[string]string{".pinnace/policies/a.yaml": "kind: Policy\n", "envs/dev/shop.yaml": deployment("a/b:1")}, nil, "clean configured: .pinnace/policies/a.yaml:1:1: "},
		"a file in the way":   {map[string]string{".pinnace": "hello\n", "envs/dev/shop.yaml": deployment("a/b:1")}, nil, "clean configured: .pinnace is no directory"},
		"a directory instead": {map[string]string{configPath + "/README.md": "hello\n", "envs/dev/shop.yaml": deployment("a/b:1")}, nil, "clean configured: .pinnace/config.yaml is no file"},
		"somebody's branch": {
			overlays(), func(w *world) { w.repo.Commit(question, "bob", "mine", map[string]string{"a": "b"}) },
			"diverged: branch pinnace/configure holds a commit by bob",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, test.files)
			if test.arrange != nil {
				test.arrange(w)
			}
			if got := w.onboard(); !strings.HasPrefix(got, test.want) {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if len(w.repo.PullRequests()) > 0 {
				t.Error("a pull request was opened")
			}
		})
	}
}

func TestOnboardingOfAFork(t *testing.T) {
	w := newWorld(t, overlays())
	fork := w.repo.Fork("bob")
	fork.Permission(w.bot, promotion.PermissionWrite)
	p := w.asking()
	p.Owner = "bob"
	o, err := p.Onboard(context.Background())
	if err != nil || o.Action != reconcile.Refused || !strings.Contains(o.Reason, "bob/config is a fork") || len(fork.PullRequests()) > 0 {
		t.Errorf("%v: %s, %s", err, o.Action, o.Reason)
	}
}

// Policies without a configuration are no configuration.
func TestOnboardingBesidesPolicies(t *testing.T) {
	files := overlays()
	files[".pinnace/policies/pins.yaml"] = "apiVersion: pinnace.dev/v1alpha1\nkind: PullImageDigestPolicy\nname: pins\nallEnvironments: true\n"
	w := unasked(t, files)
	w.asks("opened #1")
	w.file(question, ".pinnace/policies/pins.yaml")
	w.still("unchanged #1")
}

func TestOnboardingDryRun(t *testing.T) {
	w := unasked(t, overlays())
	p := w.asking()
	p.DryRun = true
	w.ForgetRequests()
	o, err := p.Onboard(context.Background())
	if err != nil || o.Action != reconcile.Opened || len(o.Files) != 1 || o.Files[0].Path != configPath || len(o.Text.Opens) != 3 {
		t.Errorf("%v: %+v", err, o)
	}
	if w.Writes() > 0 {
		t.Error("a dry run wrote")
	}
}

// The commit of an App is one that GitHub made and signed, so that nobody else can have written
// it; that of a person only where the branch demands it.
func TestOnboardingIsVerified(t *testing.T) {
	w := unasked(t, overlays())
	w.asks("opened #1")
	if log := w.repo.Log(question); !log[0].Verified {
		t.Errorf("the commit is not verified: %+v", log[0])
	}
	w.still("unchanged #1")
	for _, demanded := range []bool{false, true} {
		w := newWorld(t, overlays())
		w.repo.Protect("main", sandbox.Protection{Rules: promotion.Rules{SignedCommits: demanded}})
		p := w.asking()
		p.App = 0
		w.ForgetRequests()
		if _, err := p.Onboard(context.Background()); err != nil {
			t.Fatal(err)
		}
		made := slices.ContainsFunc(w.Requests(), func(q sandbox.Request) bool { return strings.HasSuffix(q.Route, "/git/commits") })
		if made != demanded {
			t.Errorf("verified commits are demanded: %v, and GitHub made it: %v", demanded, made)
		}
	}
}

// Where branches have to be up to date the commit is made anew on each tip.
func TestOnboardingIsUpToDate(t *testing.T) {
	w := unasked(t, overlays())
	w.repo.Protect("main", sandbox.Protection{Rules: promotion.Rules{UpToDate: true, Checks: []promotion.RequiredCheck{{Context: "ci"}}}})
	w.asks("opened #1")
	w.repo.Commit("main", "bob", "elsewhere", map[string]string{"README.md": "hello\n"})
	w.asks("updated #1")
	if log := w.repo.Log(question); log[1].SHA != w.repo.Tip("main") {
		t.Errorf("the branch stands on %s", log[1].SHA)
	}
	w.still("unchanged #1")
}

// Without an App's key the file keeps the App that it names.
func TestOnboardingKeepsTheApp(t *testing.T) {
	w := unasked(t, overlays())
	w.asks("opened #1")
	p := w.asking()
	p.App = 0
	w.ForgetRequests()
	if o, err := p.Onboard(context.Background()); err != nil || o.Action != reconcile.Unchanged || w.Writes() > 0 {
		t.Errorf("%v: %s with %d writes", err, o.Action, w.Writes())
	}
}

// Every write is failed once before its effect and once after it, as in TestFaultsConverge.
func TestOnboardingFaultsConverge(t *testing.T) {
	faults(t, overlays(), []func(*world){
		func(w *world) { w.leave = true },
		func(w *world) {
			w.repo.Commit("main", "bob", "qa", map[string]string{"envs/qa/shop.yaml": deployment("ghcr.io/acme/shop:1.4")})
		},
		func(w *world) {
			w.repo.Commit("main", "bob", "mine", map[string]string{configPath: environments})
		},
	}, 6)
}

// Names of directories, files and images are anybody's: none of them mentions, links, or
// breaks out of where it stands.
func TestOnboardingHostileNames(t *testing.T) {
	w := unasked(t, map[string]string{
		"envs/@ada/a.yaml":                          deployment("ghcr.io/acme/shop:1"),
		"envs/#1 | x/a.yaml":                        deployment("ghcr.io/acme/shop:1"),
		"envs/prod`\n<img src=x>/a.yaml":            deployment("ghcr.io/acme/shop:1"),
		"envs/${{ secrets.X }}/a.yaml":              deployment("ghcr.io/acme/shop:1"),
		"envs/<!-- pinnace:v1 {} -->/a.yaml":        deployment("ghcr.io/acme/shop:1"),
		"envs/**/a.yaml":                            deployment("ghcr.io/acme/shop:1"),
		"envs/\"]\nmode: observe/a.yaml":            deployment("ghcr.io/acme/shop:1"),
		"envs/" + strings.Repeat("long", 60) + "/a": deployment("ghcr.io/acme/shop:1"),
		"@ada/fixes #1.yaml":                        deployment("ghcr.io/acme/shop:1"),
	})
	w.asks("opened #1")
	c, problems := config.Parse(configPath, []byte(w.file(question, configPath)))
	if len(problems) > 0 || c.Mode != config.ModeAct {
		t.Errorf("%v\n%s", problems, w.file(question, configPath))
	}
	body := w.pull(1).Body
	for line := range strings.Lines(body) {
		for i, part := range strings.Split(line, "`") {
			if i%2 == 0 && strings.ContainsAny(strings.TrimPrefix(strings.TrimSpace(part), "<!-- pinnace:v1"), "@#") && !strings.HasPrefix(line, "<!-- pinnace:v1") {
				t.Errorf("foreign text stands outside of code: %s", line)
			}
		}
	}
	if n := strings.Count(body, "<!-- "); n != 1 {
		t.Errorf("%d comments in\n%s", n, body)
	}
	w.still("unchanged #1")
}

// Other runs at the same time end with one pull request.
func TestOnboardingAtOnce(t *testing.T) {
	w := unasked(t, overlays())
	done := make(chan error)
	for range 4 {
		p := w.asking()
		p.Git = git.NewMemory(git.Limits{})
		go func() { _, err := p.Onboard(context.Background()); done <- err }()
	}
	for range 4 {
		if err := <-done; err != nil && !errors.Is(err, promotion.ErrConflict) && !errors.Is(err, git.ErrLease) && !errors.Is(err, promotion.ErrInvalid) {
			t.Error(err)
		}
	}
	w.asks("unchanged #1")
	if all := w.repo.PullRequests(); len(all) != 1 {
		t.Errorf("%d pull requests", len(all))
	}
}
