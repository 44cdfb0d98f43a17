package reconcile_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// asApp gives the bot the token of an App: then the sandbox fails the test where it moves or
// deletes a branch so that the commit of a person is lost.
func (w *world) asApp() {
	app := w.App(sandbox.AppOptions{Name: "Pinnace", Permissions: map[string]string{"contents": "write", "pull_requests": "write", "metadata": "read"}})
	app.Install("acme", "config")
	w.token, w.bot = app.InstallationToken("acme"), "pinnace[bot]"
}

// outage fails what is asked of the registry below a path.
func (w *world) outage(path string, how func() *sandbox.Failure) {
	w.Inject(func(c sandbox.Call) sandbox.Fault {
		if strings.HasPrefix(c.Path, path) {
			return sandbox.Fault{Before: how()}
		}
		return sandbox.Fault{}
	})
}

func down() *sandbox.Failure { return sandbox.Status(503) }

// settled runs once and returns what became of each proposal.
func (w *world) settled() []reconcile.Settled {
	w.Helper()
	out, err := w.proposer().Reconcile(context.Background())
	if err != nil {
		w.Fatal(err)
	}
	var all []reconcile.Settled
	for _, b := range out.Bases {
		if b.Err != nil {
			w.Fatal(b.Err)
		}
		all = append(all, b.Settled...)
	}
	return all
}

// reasons joins all that a run says of a branch and of its places.
func (w *world) reasons(branch string) string {
	w.Helper()
	var out []string
	for _, s := range w.settled() {
		if s.Branch == branch {
			out = append(out, s.Reason)
			for _, l := range s.Left {
				out = append(out, l.Reason)
			}
		}
	}
	return strings.Join(out, "; ")
}

// stays fails where act moves a branch.
func (w *world) stays(branch string, act func()) {
	w.Helper()
	before := w.repo.Tip(branch)
	act()
	if now := w.repo.Tip(branch); now != before {
		w.Errorf("%s moved from %s to %s", branch, before, now)
	}
}

func (w *world) contains(text, part string) {
	w.Helper()
	if !strings.Contains(text, part) {
		w.Errorf("%q is not in:\n%s", part, text)
	}
}

func (w *world) lacks(text, part string) {
	w.Helper()
	if strings.Contains(text, part) {
		w.Errorf("%q is in:\n%s", part, text)
	}
}

// shop is a world in which dev runs 1.4.0 of an image whose 1.5.0 is out. It returns the
// digest that stands there.
func shop(t *testing.T, config string) (*world, string) {
	w := newWorld(t, map[string]string{".pinnace/config.yaml": config})
	old := w.push("ghcr.io/acme/shop:1.4.0", sandbox.Image{})
	w.push("ghcr.io/acme/shop:1.5.0", sandbox.Image{})
	w.repo.Commit("main", "bob", "shop", map[string]string{"envs/dev/shop.yaml": deployment("ghcr.io/acme/shop:1.4.0@" + old)})
	return w, old
}

const update = "pinnace/update/dev/shop"

// pinned is a world of one file and one image, whose pin is proposed as #1.
func pinned(t *testing.T) (*world, string) {
	w := newWorld(t, map[string]string{"shop.yaml": deployment("ghcr.io/acme/shop:1.4")})
	d := w.push("ghcr.io/acme/shop:1.4", sandbox.Image{})
	w.asApp()
	w.want(w.reconcile(), "opened pinnace/pin-all #1")
	return w, d
}

func (w *world) approve(number int, by string) {
	w.Helper()
	if _, err := w.repo.Review(number, by, promotion.Approved, ""); err != nil {
		w.Fatal(err)
	}
}

// forge is the message of a commit of ours, for a change that Pinnace never made.
func forge(kind promotion.Kind, parent, path, old, now string) string {
	was, _ := image.Parse(old)
	is, _ := image.Parse(now)
	seal := promotion.Digest(kind, []promotion.Change{{Path: path, Pointer: "/spec/template/spec/containers/0/image", Old: was, New: is}})
	return "Pin\n\nx\n\nPinnace-Seal: " + seal + "\nPinnace-Base: " + parent + "\n"
}

var evil = "sha256:" + strings.Repeat("e", 64)

// A place that cannot be edited is named, and what can be is written once.
func TestUneditablePlaceIsWrittenOnce(t *testing.T) {
	anchored := "defaults: &d {image: \"ghcr.io/acme/shop%s\"}\napiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  containers:\n    - <<: *d\n      name: a\n"
	for name, bad := range map[string]string{
		"an image of an anchor":               fmt.Sprintf(anchored, ":1.4"),
		"an image of an anchor without a tag": fmt.Sprintf(anchored, ""),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, map[string]string{"bad.yaml": bad, "shop.yaml": deployment("ghcr.io/acme/shop:1.4")})
			w.push("ghcr.io/acme/shop:1.4", sandbox.Image{})
			w.push("ghcr.io/acme/shop:latest", sandbox.Image{})
			w.want(w.reconcile(), "opened pinnace/pin-all #1")
			w.contains(w.pull(1).Body, "bad.yaml")
			w.now = w.now.Add(time.Hour)
			w.quiet()
			w.repo.Close(1, "ada")
			w.want(w.reconcile(), "declined pinnace/pin-all #1")
			w.quiet()
		})
	}
	t.Run("an entry without a tag", func(t *testing.T) {
		w, old := shop(t, environments)
		w.repo.Commit("main", "bob", "overlay", map[string]string{
			"envs/dev/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [shop.yaml]\nimages:\n- name: ghcr.io/acme/shop\n  digest: " + old + "\n",
		})
		w.want(w.reconcile(), "opened "+update+" #1")
		w.now = w.now.Add(time.Hour)
		w.quiet()
	})
}

// What was merged and then reverted is proposed anew, however it was merged.
func TestRevertedMergeIsProposedAnew(t *testing.T) {
	for _, method := range []string{"merge", "squash", "rebase"} {
		t.Run(method, func(t *testing.T) {
			w, _ := pinned(t)
			if _, err := w.repo.Merge(1, "ada", method); err != nil {
				t.Fatal(err)
			}
			w.repo.Commit("main", "bob", "Revert", map[string]string{"shop.yaml": deployment("ghcr.io/acme/shop:1.4")})
			w.want(w.reconcile(), "opened pinnace/pin-all #2")
			w.quiet()
		})
	}
}

// A commit that somebody made up in our form becomes no pull request and no commit of ours
// while the registry gives no answer, or answers that there is no such image.
func TestForgedCommitIsNotAdopted(t *testing.T) {
	for name, known := range map[string]bool{"outage": true, "no such image": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, map[string]string{"shop.yaml": deployment("ghcr.io/acme/shop:1.4")})
			if known {
				w.push("ghcr.io/acme/shop:1.4", sandbox.Image{})
				w.outage("/v2/acme/shop/", down)
			}
			main := w.repo.Tip("main")
			w.repo.Branch("pinnace/pin-all", "bob", main)
			w.repo.Commit("pinnace/pin-all", "bob", forge(promotion.Pin, main, "shop.yaml", "ghcr.io/acme/shop:1.4", "ghcr.io/acme/shop:1.4@"+evil), map[string]string{"shop.yaml": deployment("ghcr.io/acme/shop:1.4@" + evil)})
			w.stays("pinnace/pin-all", func() {
				w.want(w.reconcile(), "waiting pinnace/pin-all")
				w.repo.Commit("main", "bob", "the base moves", map[string]string{"shop.yaml": "# x\n" + deployment("ghcr.io/acme/shop:1.4")})
				w.want(w.reconcile(), "waiting pinnace/pin-all")
			})
			if n := len(w.repo.PullRequests()); n > 0 {
				t.Errorf("%d pull requests were opened", n)
			}
		})
	}
}

// Nor does it become one of ours by a pull request of somebody that has the text of ours.
func TestForgedPullRequestIsNotAdopted(t *testing.T) {
	w := newWorld(t, map[string]string{"shop.yaml": deployment("ghcr.io/acme/shop:1.4")})
	w.push("ghcr.io/acme/shop:1.4", sandbox.Image{})
	w.outage("/v2/acme/shop/", down)
	main := w.repo.Tip("main")
	message := forge(promotion.Pin, main, "shop.yaml", "ghcr.io/acme/shop:1.4", "ghcr.io/acme/shop:1.4@"+evil)
	w.repo.Branch("pinnace/pin-all", "bob", main)
	w.repo.Commit("pinnace/pin-all", "bob", message, map[string]string{"shop.yaml": deployment("ghcr.io/acme/shop:1.4@" + evil)})
	body := `<!-- pinnace:v1 {"kind":"pin","seal":"` + sealOf(message) + `","state":"x","title":"x","text":"e3b0c44298fc1c14"} -->`
	if _, err := w.repo.OpenPullRequest("bob", "Pin", body, "pinnace/pin-all", "main"); err != nil {
		t.Fatal(err)
	}
	w.quiet()
	if p := w.pull(1); p.Body != body || len(p.Labels) > 0 {
		t.Errorf("#1 has labels %v and says\n%s", p.Labels, p.Body)
	}
	w.Inject(nil)
	w.want(w.reconcile(), "updated pinnace/pin-all #1")
	w.lacks(w.file("pinnace/pin-all", "shop.yaml"), evil)
}

// A commit that somebody made up is replaced although the pull request was approved: what was
// approved is another one. That holds whatever its text says.
func TestForgedHeadUnderAnApproval(t *testing.T) {
	for name, edit := range map[string]func(*world, string){
		"the text stays":    func(*world, string) {},
		"the text is gone":  func(w *world, _ string) { w.repo.Edit(1, "bob", "mine", "x") },
		"the seal is in it": func(w *world, text string) { w.repo.Edit(1, "bob", w.pull(1).Title, text) },
	} {
		t.Run(name, func(t *testing.T) {
			w, old := shop(t, environments)
			w.want(w.reconcile(), "opened "+update+" #1")
			w.approve(1, "ada")
			real, was, is := w.repo.Log(update)[0].Message, "ghcr.io/acme/shop:1.4.0@"+old, "ghcr.io/acme/shop:1.5.0@"+evil
			forged := forge(promotion.Update, w.repo.Tip("main"), "envs/dev/shop.yaml", was, is)
			w.repo.ForcePush(update, "bob", forged, w.repo.Tip("main"), map[string]string{"envs/dev/shop.yaml": deployment(is)})
			edit(w, strings.ReplaceAll(w.pull(1).Body, sealOf(real), sealOf(forged)))
			w.want(w.reconcile(), "updated "+update+" #1")
			w.lacks(w.file(update, "envs/dev/shop.yaml"), evil)
			w.quiet()
		})
	}
}

func sealOf(message string) string {
	_, rest, _ := strings.Cut(message, "Pinnace-Seal: ")
	seal, _, _ := strings.Cut(rest, "\n")
	return seal
}

// What was approved and is rendered again on a base that moved on is approved still.
func TestApprovalOutlivesRendering(t *testing.T) {
	w, old := shop(t, environments)
	w.want(w.reconcile(), "opened "+update+" #1")
	w.approve(1, "ada")
	w.repo.Commit("main", "bob", "same file", map[string]string{"envs/dev/shop.yaml": "# the shop\n" + deployment("ghcr.io/acme/shop:1.4.0@"+old)})
	w.want(w.reconcile(), "updated "+update+" #1")
	w.push("ghcr.io/acme/shop:1.6.0", sandbox.Image{})
	w.want(w.reconcile(), "waiting "+update+" #1")
}

// An approved pin waits for what the tag means now, so that nothing is merged unseen.
func TestApprovedPinWaits(t *testing.T) {
	w, _ := pinned(t)
	w.approve(1, "ada")
	w.stays("pinnace/pin-all", func() {
		w.push("ghcr.io/acme/shop:1.4", sandbox.Image{Seed: "next"})
		w.want(w.reconcile(), "waiting pinnace/pin-all #1")
	})
	w.quiet()
}

// An approval of somebody who may not write neither holds nor supersedes anything.
func TestApprovalOfAStranger(t *testing.T) {
	for _, policy := range []string{"queue", "supersede"} {
		t.Run(policy, func(t *testing.T) {
			w, _ := shop(t, strings.Replace(environments, "    track:", "    onNewer: "+policy+"\n    track:", 1))
			w.want(w.reconcile(), "opened "+update+" #1")
			w.User("stranger")
			w.repo.Permission("stranger", promotion.PermissionRead)
			w.approve(1, "stranger")
			w.push("ghcr.io/acme/shop:1.6.0", sandbox.Image{})
			w.want(w.reconcile(), "updated "+update+" #1")
		})
	}
}

// Pull requests from forks do not fill the limit.
func TestForksDoNotFillTheLimit(t *testing.T) {
	w, _ := shop(t, environments)
	w.most = 1
	w.User("mallory")
	fork := w.repo.Fork("mallory")
	fork.Branch("pinnace/update/dev/x", "mallory", fork.Tip("main"))
	fork.Commit("pinnace/update/dev/x", "mallory", "x", map[string]string{"x.txt": "x"})
	if _, err := w.repo.OpenPullRequest("mallory", "x", "x", "mallory:pinnace/update/dev/x", "main"); err != nil {
		t.Fatal(err)
	}
	w.want(w.reconcile(), "opened "+update+" #2")
}

// A token that may not change workflows proposes everything else, and says so. Where nobody
// knows what it may, a push is tried each time, so that a permission that is given counts.
func TestWorkflowsAreLeft(t *testing.T) {
	for name, known := range map[string]reconcile.Answer{"known": reconcile.No, "unknown": reconcile.Unknown} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, map[string]string{
				"shop.yaml":                 deployment("ghcr.io/acme/shop:1.4"),
				".github/workflows/ci.yaml": "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    container: ghcr.io/acme/shop:1.4\n    steps: []\n",
			})
			w.push("ghcr.io/acme/shop:1.4", sandbox.Image{})
			w.asApp()
			w.workflows = known
			w.want(w.reconcile(), "opened pinnace/pin-all #1")
			w.contains(w.file("pinnace/pin-all", "shop.yaml"), "@sha256:")
			w.lacks(w.file("pinnace/pin-all", ".github/workflows/ci.yaml"), "@sha256:")
			w.contains(w.pull(1).Body, "Workflows: write")
			w.stays("pinnace/pin-all", func() { w.want(w.reconcile(), "unchanged pinnace/pin-all #1") })
			if known == reconcile.No {
				w.quiet()
			}
		})
	}
}

// Nothing of an app is moved while one of its images gives no answer.
func TestAppWaitsForAllOfItsImages(t *testing.T) {
	w, _ := shop(t, environments+"apps:\n  - name: shop\n    images: [\"ghcr.io/acme/shop\", \"ghcr.io/acme/worker\"]\n")
	worker := w.push("ghcr.io/acme/worker:1.4.0", sandbox.Image{})
	w.repo.Commit("main", "bob", "worker", map[string]string{"envs/dev/worker.yaml": deployment("ghcr.io/acme/worker:1.4.0@" + worker)})
	w.outage("/v2/acme/worker/", down)
	w.want(w.reconcile())
	w.Inject(nil)
	w.want(w.reconcile(), "opened "+update+" #1")
}

// A pull request that a person opened from our branch keeps its text and is not closed.
func TestPullRequestOfAPerson(t *testing.T) {
	w := newWorld(t, map[string]string{"shop.yaml": deployment("ghcr.io/acme/shop:1.4")})
	d := w.push("ghcr.io/acme/shop:1.4", sandbox.Image{})
	w.Inject(func(c sandbox.Call) sandbox.Fault {
		if c.Method == "POST" && strings.HasSuffix(c.Path, "/pulls") {
			return sandbox.Fault{Before: sandbox.Status(403)}
		}
		return sandbox.Fault{}
	})
	w.reconcile()
	w.Inject(nil)
	n, err := w.repo.OpenPullRequest("bob", "My title", "My long careful text", "pinnace/pin-all", "main")
	if err != nil {
		t.Fatal(err)
	}
	w.reconcile()
	w.repo.Commit("main", "bob", "by hand", map[string]string{"shop.yaml": deployment("ghcr.io/acme/shop:1.4@" + d)})
	w.want(w.reconcile(), "unchanged pinnace/pin-all #1")
	if p := w.pull(n); p.State != promotion.Open || p.Title != "My title" || p.Body != "My long careful text" {
		t.Errorf("#%d is %s: %q\n%s", n, p.State, p.Title, p.Body)
	}
	w.quiet()
}

// What people write into our title and text survives our updates.
func TestNotesOfPeople(t *testing.T) {
	w, _ := pinned(t)
	w.repo.Edit(1, "ada", "[HOLD until Monday] pins", w.pull(1).Body+"\n\n## Risk\nNot before CHG-77.\n")
	w.push("ghcr.io/acme/shop:1.4", sandbox.Image{Seed: "next"})
	w.want(w.reconcile(), "updated pinnace/pin-all #1")
	if p := w.pull(1); p.Title != "[HOLD until Monday] pins" || !strings.Contains(p.Body, "CHG-77") {
		t.Errorf("the text became %q\n%s", p.Title, p.Body)
	}
	w.quiet()
}

// Our pull request is closed without its branch where somebody's hangs on that.
func TestPullRequestsOnOurBranchStayOpen(t *testing.T) {
	w, d := pinned(t)
	w.repo.Branch("bobs", "bob", w.repo.Tip("pinnace/pin-all"))
	w.repo.Commit("bobs", "bob", "x", map[string]string{"x.txt": "x"})
	onto, err := w.repo.OpenPullRequest("bob", "stacked", "x", "bobs", "pinnace/pin-all")
	if err != nil {
		t.Fatal(err)
	}
	w.repo.Commit("main", "bob", "by hand", map[string]string{"shop.yaml": deployment("ghcr.io/acme/shop:1.4@" + d)})
	w.want(w.reconcile(), "finished pinnace/pin-all #1")
	if ours, theirs := w.pull(1).State, w.pull(onto).State; ours != promotion.Closed || theirs != promotion.Open {
		t.Errorf("ours is %s, theirs %s", ours, theirs)
	}
	w.quiet()
	w.want(w.reconcile())
}

// A branch that is open to another base as well, or was moved there, is not touched.
func TestBranchThatIsOpenToAnotherBase(t *testing.T) {
	for name, arrange := range map[string]func(*world) error{
		"moved": func(w *world) error { return w.repo.Retarget(1, "ada", "release") },
		"a second one": func(w *world) error {
			_, err := w.repo.OpenPullRequest("ada", "pins for the release", "x", "pinnace/pin-all", "release")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, _ := pinned(t)
			w.repo.Branch("release", "ada", w.repo.Tip("main"))
			if err := arrange(w); err != nil {
				t.Fatal(err)
			}
			w.push("ghcr.io/acme/shop:1.4", sandbox.Image{Seed: "next"})
			w.repo.Commit("main", "bob", "unfinished", map[string]string{"unfinished.txt": "x", "shop.yaml": "# new\n" + deployment("ghcr.io/acme/shop:1.4")})
			w.stays("pinnace/pin-all", func() { w.contains(w.reasons("pinnace/pin-all"), "to release") })
			w.quiet()
		})
	}
}

// However the answers of a registry that is down differ, nothing is written a second time,
// and no host is named.
func TestOutagesAreToldOnce(t *testing.T) {
	n := 0
	for name, how := range map[string]func() *sandbox.Failure{
		"another text each time": func() *sandbox.Failure {
			n++
			return &sandbox.Failure{Status: 500, Body: fmt.Sprintf(`{"errors":[{"code":"UNKNOWN","message":"request id 7f%04d at 10.0.0.7"}]}`, n)}
		},
		"a limit": func() *sandbox.Failure {
			n++
			return &sandbox.Failure{Status: 429, Header: http.Header{"Retry-After": {fmt.Sprint(3600 + n)}}, Body: `{"errors":[{"code":"TOOMANYREQUESTS","message":"slow"}]}`}
		},
		"no answer": sandbox.Hangup,
	} {
		for when, before := range map[string]bool{"from the beginning": true, "later": false} {
			t.Run(name+" "+when, func(t *testing.T) {
				w := newWorld(t, map[string]string{"a.yaml": deployment("ghcr.io/acme/shop:1.4"), "b.yaml": deployment("quay.io/acme/web:2")})
				w.push("ghcr.io/acme/shop:1.4", sandbox.Image{})
				w.push("quay.io/acme/web:2", sandbox.Image{})
				if before {
					w.outage("/v2/acme/web/", how)
				}
				w.want(w.reconcile(), "opened pinnace/pin-all #1")
				w.outage("/v2/acme/web/", how)
				for range 3 {
					w.now = w.now.Add(time.Hour)
					w.quiet()
				}
				body := w.pull(1).Body
				for _, host := range []string{"127.0.0.1", "10.0.0.7", "localhost", "request id"} {
					w.lacks(body, host)
				}
				if says := strings.Contains(body, "the registry gave no answer"); says != before {
					t.Errorf("the text speaks of the outage: %t, want %t\n%s", says, before, body)
				}
			})
		}
	}
}

// A "no" outlives an outage.
func TestDeclinedThroughAnOutage(t *testing.T) {
	w := newWorld(t, map[string]string{"a.yaml": deployment("ghcr.io/acme/shop:1.4"), "b.yaml": deployment("quay.io/acme/web:2")})
	w.push("ghcr.io/acme/shop:1.4", sandbox.Image{})
	w.push("quay.io/acme/web:2", sandbox.Image{})
	w.want(w.reconcile(), "opened pinnace/pin-all #1")
	w.repo.Close(1, "ada")
	w.repo.DeleteBranch("pinnace/pin-all", "ada")
	w.want(w.reconcile(), "declined pinnace/pin-all #1")
	w.outage("/v2/acme/web/", down)
	w.want(w.reconcile(), "waiting pinnace/pin-all #1")
	w.quiet()
	w.Inject(nil)
	w.want(w.reconcile(), "declined pinnace/pin-all #1")
	w.quiet()
}

// An image of no environment names no app: a declined update stays declined, an approved one
// stays open.
func TestImagesElsewhereNameNoApp(t *testing.T) {
	for name, closed := range map[string]bool{"declined": true, "approved": false} {
		t.Run(name, func(t *testing.T) {
			w, _ := shop(t, environments)
			w.want(w.reconcile(), "opened "+update+" #1")
			if closed {
				w.repo.Close(1, "ada")
			} else {
				w.approve(1, "ada")
			}
			w.repo.Commit("main", "bob", "docs", map[string]string{"docs/Dockerfile": "FROM quay.io/other/shop:1\n"})
			w.want(w.reconcile(), map[bool]string{true: "declined ", false: "unchanged "}[closed]+update+" #1")
			w.quiet()
		})
	}
}

// A commit of a person that lives on below ours only, since the base was reset, is kept.
func TestCommitBelowOursIsKept(t *testing.T) {
	w := newWorld(t, map[string]string{"shop.yaml": deployment("ghcr.io/acme/shop:1.4")})
	w.push("ghcr.io/acme/shop:1.4", sandbox.Image{})
	w.asApp()
	before := w.repo.Tip("main")
	w.repo.Commit("main", "bob", "a day's work", map[string]string{"work.txt": "x"})
	w.want(w.reconcile(), "opened pinnace/pin-all #1")
	w.api("PATCH", "/repos/acme/config/git/refs/heads/main", map[string]any{"sha": before, "force": true})
	w.push("ghcr.io/acme/shop:1.4", sandbox.Image{Seed: "next"})
	w.stays("pinnace/pin-all", func() { w.want(w.reconcile(), "diverged pinnace/pin-all #1") })
	w.contains(w.pull(1).Body, "commits that main no longer has")
	w.quiet()
}

// api asks GitHub for something as ada.
func (w *world) api(method, path string, body any) map[string]any {
	w.Helper()
	text, _ := json.Marshal(body)
	req, err := http.NewRequest(method, w.URL()+path, bytes.NewReader(text))
	if err != nil {
		w.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+w.Token("ada"))
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var out map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil || resp.StatusCode >= 300 {
		w.Fatal(resp.Status, err, out)
	}
	return out
}

// Where more images match than are asked for their time, none is called the newest.
func TestTooManyToDate(t *testing.T) {
	w := newWorld(t, map[string]string{".pinnace/config.yaml": strings.Replace(environments, `semver: "^1"`, `pattern: "^sha-[a-z]+$", order: newest`, 1)})
	old := w.push("ghcr.io/acme/shop:sha-cc", sandbox.Image{})
	for i := range 101 {
		w.push(fmt.Sprintf("ghcr.io/acme/shop:sha-f%c%c", 'a'+i/26, 'a'+i%26), sandbox.Image{})
	}
	w.repo.Commit("main", "bob", "shop", map[string]string{"envs/dev/shop.yaml": deployment("ghcr.io/acme/shop:sha-cc@" + old)})
	w.contains(w.reasons(update), "102 tags match, and the creation time of at most 100 is looked at: narrow the pattern")
	if n := len(w.repo.PullRequests()); n > 0 {
		t.Errorf("%d pull requests were opened", n)
	}
}

// What is read grows with the files, not with their square: each directory is parsed a few
// times, however many of its files are edited.
func TestReadsOfOneDirectory(t *testing.T) {
	reads := func(n int, dirs bool) (blobs, trees int64) {
		files := map[string]string{}
		for i := range n {
			name := fmt.Sprintf("d/f%03d.yaml", i)
			if dirs {
				name = fmt.Sprintf("d/f%03d/x.yaml", i)
			}
			files[name] = deployment("ghcr.io/acme/shop:1.4")
		}
		w := newWorld(t, files)
		w.push("ghcr.io/acme/shop:1.4", sandbox.Image{})
		w.want(w.reconcile(), "opened pinnace/pin-all #1")
		w.repo.Commit("main", "bob", "notes", map[string]string{"notes.txt": "x"})
		w.want(w.reconcile(), "unchanged pinnace/pin-all #1")
		return w.git.Reads()
	}
	_, few := reads(10, false)
	if _, many := reads(100, false); many != few {
		t.Errorf("%d trees were read for 100 files of a directory, %d for 10", many, few)
	}
	_, few = reads(10, true)
	if _, many := reads(100, true); many > 12*few {
		t.Errorf("%d trees were read for 100 directories, %d for 10", many, few)
	}
}

// A branch that a person added to, and that was merged with that, does not block what comes
// next.
func TestDivergedBranchThatWasMerged(t *testing.T) {
	w, _ := pinned(t)
	w.repo.Commit("pinnace/pin-all", "bob", "also", map[string]string{"x.txt": "1"})
	w.want(w.reconcile(), "diverged pinnace/pin-all #1")
	if _, err := w.repo.Merge(1, "ada", "squash"); err != nil {
		t.Fatal(err)
	}
	w.want(w.reconcile())
	w.push("quay.io/acme/new:1", sandbox.Image{})
	w.repo.Commit("main", "bob", "new app", map[string]string{"new.yaml": deployment("quay.io/acme/new:1")})
	w.want(w.reconcile(), "opened pinnace/pin-all #2")
	w.quiet()
}

// A digest that was declined stays declined when the tag means it again.
func TestAlternatingDigestsStayDeclined(t *testing.T) {
	w := newWorld(t, map[string]string{"shop.yaml": deployment("ghcr.io/acme/shop:1.4")})
	var digests []string
	for i := range 2 {
		digests = append(digests, w.push("ghcr.io/acme/shop:1.4", sandbox.Image{Seed: fmt.Sprint(i)}))
		w.want(w.reconcile(), fmt.Sprintf("opened pinnace/pin-all #%d", i+1))
		w.repo.Close(i+1, "ada")
	}
	for i := range 4 {
		if err := w.MoveTag("acme/shop:1.4", digests[i%2]); err != nil {
			t.Fatal(err)
		}
		for _, line := range w.reconcile() {
			w.contains(line, "declined pinnace/pin-all")
		}
		w.quiet()
	}
}

// A commit that arrives between reading a branch and finishing it keeps the pull request open.
func TestPushWhileFinishing(t *testing.T) {
	w, d := pinned(t)
	w.repo.Commit("main", "bob", "by hand", map[string]string{"shop.yaml": deployment("ghcr.io/acme/shop:1.4@" + d)})
	once := false
	w.Inject(func(c sandbox.Call) sandbox.Fault {
		if c.Method != "PATCH" || once {
			return sandbox.Fault{}
		}
		once = true
		return sandbox.Fault{Delay: func() { w.repo.Commit("pinnace/pin-all", "bob", "my fix", map[string]string{"fix.txt": "1"}) }}
	})
	w.want(w.reconcile(), "diverged pinnace/pin-all #1")
	p := w.pull(1)
	if w.contains(w.file("pinnace/pin-all", "fix.txt"), "1"); p.State != promotion.Open {
		t.Errorf("#1 is %s", p.State)
	}
	w.lacks(p.Body, "Nothing is left to do")
	w.quiet()
}

// A configuration with mode: observe needs no token that may write.
func TestObserveWithATokenThatMayRead(t *testing.T) {
	w := newWorld(t, map[string]string{"shop.yaml": deployment("ghcr.io/acme/shop:1.4"), ".pinnace/config.yaml": "apiVersion: pinnace.dev/v1alpha1\nkind: Config\nmode: observe\n"})
	w.push("ghcr.io/acme/shop:1.4", sandbox.Image{})
	w.repo.Permission(w.bot, promotion.PermissionRead)
	w.want(w.reconcile(), "opened pinnace/pin-all")
	w.quiet()
}

// Where a rule keeps branches from being deleted, the pull request is closed and the branch
// stays.
func TestBranchThatMayNotBeDeleted(t *testing.T) {
	w, d := pinned(t)
	w.repo.Protect("pinnace/**", sandbox.Protection{Rules: promotion.Rules{NoDeletion: true}})
	w.repo.Commit("main", "bob", "by hand", map[string]string{"shop.yaml": deployment("ghcr.io/acme/shop:1.4@" + d)})
	w.contains(w.reasons("pinnace/pin-all"), "a rule keeps the branch")
	if p := w.pull(1); p.State != promotion.Closed {
		t.Errorf("#1 is %s", p.State)
	}
	w.quiet()
	w.want(w.reconcile())
	w.repo.Commit("main", "bob", "back", map[string]string{"shop.yaml": deployment("ghcr.io/acme/shop:1.4")})
	w.want(w.reconcile(), "opened pinnace/pin-all #2")
}

// A file that would grow beyond what is read is left.
func TestFileThatWouldGrowTooLarge(t *testing.T) {
	big := deployment("ghcr.io/acme/shop:1.4")
	big += strings.Repeat("#", 8<<20-len(big)-10) + "\n"
	w := newWorld(t, map[string]string{"big.yaml": big, "shop.yaml": deployment("ghcr.io/acme/shop:1.4")})
	w.push("ghcr.io/acme/shop:1.4", sandbox.Image{})
	w.want(w.reconcile(), "opened pinnace/pin-all #1")
	w.contains(w.pull(1).Body, "the file would have more than 8 MiB")
	w.now = w.now.Add(time.Hour)
	w.quiet()
}

// Another pin.style is written into what is open.
func TestStyleChangeIsRenderedAgain(t *testing.T) {
	w, d := pinned(t)
	w.repo.Commit("main", "bob", "style", map[string]string{".pinnace/config.yaml": "apiVersion: pinnace.dev/v1alpha1\nkind: Config\npin: {style: digest-only}\n"})
	w.want(w.reconcile(), "updated pinnace/pin-all #1")
	w.contains(w.file("pinnace/pin-all", "shop.yaml"), "ghcr.io/acme/shop@"+d)
	w.quiet()
}

// What a pass did stays told when another one follows.
func TestOutcomeOfSeveralPasses(t *testing.T) {
	w := newWorld(t, map[string]string{".pinnace/config.yaml": environments, "envs/dev/shop.yaml": deployment("ghcr.io/acme/shop:1.4"), "envs/prod/shop.yaml": deployment("ghcr.io/acme/shop:1.4")})
	w.push("ghcr.io/acme/shop:1.4", sandbox.Image{})
	once := false
	w.Inject(func(c sandbox.Call) sandbox.Fault {
		if c.Route != "git-receive-pack" || c.Method != "POST" || c.N != 2 || once {
			return sandbox.Fault{}
		}
		once = true
		return sandbox.Fault{Delay: func() {
			w.repo.Branch("pinnace/pin/prod", "bob", w.repo.Tip("main"))
			w.repo.Commit("pinnace/pin/prod", "bob", "mine", map[string]string{"x": "x"})
		}}
	})
	w.want(w.reconcile(), "opened pinnace/pin/dev #1", "diverged pinnace/pin/prod")
}

// A version below the one that stands is called so.
func TestDowngradeIsCalledSo(t *testing.T) {
	w := newWorld(t, map[string]string{".pinnace/config.yaml": environments})
	old := w.push("ghcr.io/acme/shop:2.0.0", sandbox.Image{})
	w.push("ghcr.io/acme/shop:1.5.0", sandbox.Image{})
	w.repo.Commit("main", "bob", "shop", map[string]string{"envs/dev/shop.yaml": deployment("ghcr.io/acme/shop:2.0.0@" + old)})
	w.want(w.reconcile(), "opened "+update+" #1")
	w.contains(w.pull(1).Body, "downgrade")
	w.quiet()
}

// The button "Update branch" makes a merge commit, which is not overwritten. The text says how
// to go on, and that is true. Who closes before reading it says no.
func TestUpdateBranchButton(t *testing.T) {
	for name, told := range map[string]bool{"told": true, "closed before that": false} {
		t.Run(name, func(t *testing.T) {
			w, _ := pinned(t)
			w.repo.Commit("main", "bob", "notes", map[string]string{"n": "2"})
			if err := w.repo.UpdateBranch(1, "ada"); err != nil {
				t.Fatal(err)
			}
			if told {
				w.want(w.reconcile(), "diverged pinnace/pin-all #1")
				w.contains(w.pull(1).Body, "close it and delete the branch: Pinnace then opens a new one")
			}
			w.repo.Close(1, "ada")
			w.repo.DeleteBranch("pinnace/pin-all", "ada")
			if !told {
				w.want(w.reconcile(), "declined pinnace/pin-all #1")
				return
			}
			w.want(w.reconcile(), "opened pinnace/pin-all #2")
			w.quiet()
		})
	}
}

// A file that prod uses by a link or as values of Argo CD is not moved by a rule of dev.
func TestFilesThatProdUses(t *testing.T) {
	for name, arrange := range map[string]func(w *world, old string){
		"a link to a file": func(w *world, _ string) { w.link("envs/prod/shop.yaml", "../dev/shop.yaml") },
		"a link to a directory": func(w *world, _ string) {
			w.repo.Commit("main", "bob", "base", map[string]string{"envs/dev/kustomization.yaml": "resources: [shop.yaml]\n", "envs/prod/kustomization.yaml": "resources: [base]\n"})
			w.link("envs/prod/base", "../dev")
		},
		"values of Argo CD": func(w *world, old string) {
			w.repo.Commit("main", "bob", "argo", map[string]string{
				"envs/dev/shop.yaml": "image:\n  repository: ghcr.io/acme/shop\n  tag: 1.4.0\n  digest: " + old + "\n",
				"envs/prod/app.yaml": "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: shop}\nspec:\n  sources:\n    - repoURL: https://charts.example\n      chart: shop\n      helm:\n        valueFiles: [\"$values/envs/dev/shop.yaml\"]\n    - repoURL: https://github.com/acme/config\n      ref: values\n",
			})
		},
	} {
		for how, indexes := range map[string]map[string]*reconcile.Index{"read anew": nil, "read before": {}} {
			t.Run(name+", "+how, func(t *testing.T) {
				w, old := shop(t, environments)
				w.indexes, w.dry = indexes, true
				w.want(w.reconcile(), "opened "+update)
				arrange(w, old)
				w.dry = false
				w.contains(w.reasons(update), "environments dev, prod share the file")
				if n := len(w.repo.PullRequests()); n > 0 {
					t.Errorf("%d pull requests were opened", n)
				}
			})
		}
	}
}

// link commits a symbolic link.
func (w *world) link(path, target string) {
	w.Helper()
	tree := w.api("POST", "/repos/acme/config/git/trees", map[string]any{
		"base_tree": w.repo.Tree("main"), "tree": []any{map[string]any{"path": path, "mode": "120000", "type": "blob", "content": target}},
	})
	c := w.api("POST", "/repos/acme/config/git/commits", map[string]any{"message": "link", "tree": tree["sha"], "parents": []string{w.repo.Tip("main")}})
	w.api("PATCH", "/repos/acme/config/git/refs/heads/main", map[string]any{"sha": c["sha"]})
}

// Whatever people and registries do, in any order: no run fails, the next one has nothing to
// do, and no commit of a person is lost.
func TestWalk(t *testing.T) {
	for seed := range int64(24) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			walk(t, rand.New(rand.NewSource(seed)))
		})
	}
}

func walk(t *testing.T, r *rand.Rand) {
	policy := []string{"queue", "update", "supersede"}[r.Intn(3)]
	w, old := shop(t, strings.Replace(environments, "    track:", "    onNewer: "+policy+"\n    track:", 1))
	w.asApp()
	web := deployment("ghcr.io/acme/web:2")
	w.push("ghcr.io/acme/web:2", sandbox.Image{})
	w.repo.Commit("main", "bob", "web", map[string]string{"envs/dev/web.yaml": web, "envs/prod/web.yaml": web})
	kept := map[string]bool{} // commits that bob put on our branches
	trace := []string{policy}
	for step := range 14 {
		w.now = w.now.Add(time.Minute)
		var pr promotion.PullRequest
		if all := w.repo.PullRequests(); len(all) > 0 {
			pr = all[r.Intn(len(all))]
		}
		open := pr.State == promotion.Open
		branch := ""
		if ours := slices.DeleteFunc(branches(w.repo), func(b string) bool { return !strings.HasPrefix(b, "refs/heads/pinnace/") }); len(ours) > 0 {
			branch = strings.TrimPrefix(ours[r.Intn(len(ours))], "refs/heads/")
		}
		did := ""
		switch n := r.Intn(13); {
		case n == 0:
			did = fmt.Sprintf("release 1.%d.0", 6+step)
			w.push(fmt.Sprintf("ghcr.io/acme/shop:1.%d.0", 6+step), sandbox.Image{Seed: fmt.Sprint(step)})
		case n == 1:
			did = "move web"
			w.push("ghcr.io/acme/web:2", sandbox.Image{Seed: fmt.Sprint(step)})
		case n == 2 && open:
			did = fmt.Sprint("close #", pr.Number)
			w.repo.Close(pr.Number, "ada")
		case n == 3 && pr.State == promotion.Closed:
			did = fmt.Sprint("reopen #", pr.Number, ": ", w.repo.Reopen(pr.Number, "ada"))
		case n == 4 && open, n == 5 && open:
			method := []string{"merge", "squash", "rebase"}[r.Intn(3)]
			_, err := w.repo.Merge(pr.Number, "ada", method)
			did = fmt.Sprint(method, " #", pr.Number, ": ", err)
		case n == 6 && branch != "":
			did = "delete " + branch
			for _, c := range w.repo.Log(branch) {
				delete(kept, c.SHA)
			}
			w.repo.DeleteBranch(branch, "ada")
		case n == 7 && open:
			did = fmt.Sprint("approve #", pr.Number)
			w.approve(pr.Number, "ada")
		case n == 8 && branch != "":
			did = "bob on " + branch
			kept[w.repo.Commit(branch, "bob", "mine", map[string]string{"b.txt": fmt.Sprint(step)})] = true
		case n == 9:
			did = "notes"
			w.repo.Commit("main", "bob", did, map[string]string{"notes.txt": fmt.Sprint(step)})
		case n == 10:
			did = "unpin web in dev"
			w.repo.Commit("main", "bob", did, map[string]string{"envs/dev/web.yaml": fmt.Sprintf("# %d\n", r.Intn(2)) + web})
		case n == 11:
			did = "roll the shop back"
			w.repo.Commit("main", "bob", did, map[string]string{"envs/dev/shop.yaml": deployment("ghcr.io/acme/shop:1.4.0@" + old)})
		case n == 12 && open:
			did = fmt.Sprint("update branch of #", pr.Number, ": ", w.repo.UpdateBranch(pr.Number, "ada"))
		default:
			continue
		}
		w.git = git.NewMemory(git.Limits{})
		got := strings.Join(w.reconcile(), " | ")
		trace = append(trace, did+" => "+got)
		w.ForgetRequests()
		again := w.reconcile()
		if n := w.Writes(); n > 0 || strings.Contains(got, "failed") || strings.Contains(got, "error") {
			t.Fatalf("the second run made %d writes: %v\n%s", n, again, strings.Join(trace, "\n"))
		}
	}
	for sha := range kept {
		if !w.reaches(sha) {
			t.Errorf("the commit %s is lost\n%s", sha, strings.Join(trace, "\n"))
		}
	}
}

// reaches says whether a branch or a merged pull request has a commit.
func (w *world) reaches(sha string) bool {
	var tips []string
	for _, b := range branches(w.repo) {
		tips = append(tips, strings.TrimPrefix(b, "refs/heads/"))
	}
	for _, p := range w.repo.PullRequests() {
		if p.State == promotion.Merged {
			tips = append(tips, p.Head.SHA)
		}
	}
	return slices.ContainsFunc(tips, func(tip string) bool {
		return slices.ContainsFunc(w.repo.Log(tip), func(c sandbox.Commit) bool { return c.SHA == sha })
	})
}
