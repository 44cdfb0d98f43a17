package verdict_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// A promoter lets a bot ask, and approves what it asked for. Who asked is then unknown, and an
// unknown requester could be anybody who approves.
func TestBypassRequesterThroughABot(t *testing.T) {
	w := attacked(t, nil)
	bot := w.App(sandbox.AppOptions{Name: "Chatops", Permissions: map[string]string{"issues": "write", "pull_requests": "write", "metadata": "read"}})
	bot.Install("acme")
	w.repo.Permission(bot.Bot().Login, promotion.PermissionWrite)
	thread := w.repo.Issue("carol", "Please", "")
	w.call(bot.InstallationToken("acme"), "POST", fmt.Sprintf("/repos/acme/config/issues/%d/comments", thread), `{"body":"/promote shop to prod"}`)
	w.run()
	w.nothingAsked()
	w.tells("the answer", w.answers(thread), "nobody can give them", "unknownRequester: ignore")
	w.harmless()
}

// A machine user asks on behalf of whoever has its password.
func TestBypassRequesterThroughAMachineUser(t *testing.T) {
	w := attacked(t, map[string]string{".pinnace/config.yaml": configuration + "serviceAccounts: [acme-ci]\n"})
	w.repo.Permission("acme-ci", promotion.PermissionWrite)
	thread := w.repo.Issue("carol", "Please", "")
	w.comment(thread, "acme-ci", "/promote shop to prod")
	w.run()
	w.nothingAsked()
	w.tells("the answer", w.answers(thread), "nobody can give them", "unknownRequester: ignore")
	w.harmless()
}

// A schedule asks: somebody wrote it, and nobody knows who.
func TestBypassRequesterThroughASchedule(t *testing.T) {
	w := attacked(t, nil)
	wish := w.promote("carol", "prod")
	wish.By, wish.Unknown = nil, true
	got := w.run(wish)
	if len(got) != 1 || !strings.Contains(got[0], "refused promote/prod/shop: denied: 1 approval asked, and nobody can give them") {
		t.Errorf("got %q", got)
	}
	w.nothingAsked()
	w.harmless()
}

// Somebody who may not ask does.
func TestBypassRequesterWithoutTheRole(t *testing.T) {
	w := attacked(t, nil)
	thread := w.repo.Issue("mallory", "Please", "")
	w.comment(thread, "mallory", "/promote shop to prod")
	w.run()
	w.nothingAsked()
	w.tells("the answer", w.answers(thread), "mallory does not hold the role requester", "somebody who does asks again")
	w.harmless()
}

// A comment is edited into a request of its author's, by somebody who may edit it.
func TestBypassRequesterByAnEdit(t *testing.T) {
	w := attacked(t, nil)
	thread := w.repo.Issue("carol", "Please", "")
	w.pass(time.Minute)
	id := w.repo.Comment(thread, "bob", "thanks")
	w.pass(time.Minute)
	if err := w.repo.EditComment(id, "carol", "/promote shop to prod"); err != nil {
		t.Fatal(err)
	}
	w.run()
	w.nothingAsked()
	w.tells("the answer", w.answers(thread), "was edited", "write a new one")
	w.harmless()
}

// nothingAsked asks that no pull request is open.
func (w *siege) nothingAsked() {
	w.Helper()
	if all := w.repo.PullRequests(); len(all) > 0 {
		w.Errorf("there are %d pull requests, such as %s", len(all), all[0].Title)
	}
}

// answers joins what Pinnace wrote in a thread.
func (w *siege) answers(thread int) string {
	var out []string
	for _, c := range w.repo.Comments(thread) {
		if c.Author.ID == w.app.Bot().ID {
			out = append(out, c.Body)
		}
	}
	return strings.Join(out, "\n\n")
}

// The requester approves, and joins in asking after having approved: neither counts.
func TestBypassRequesterApproves(t *testing.T) {
	w := attacked(t, nil)
	w.run(w.promote("carol", "prod"))
	w.approve(1, "carol")
	w.refuses(1, "carol asked for this change")
	w.harmless()
}

// What was approved was something else: the commit with the image comes after the review.
// GitHub says later that the review is of the newest head, since somebody pressed "Update
// branch"; what it was submitted on is on record.
func TestBypassReviewBeforeTheSeal(t *testing.T) {
	w := attacked(t, nil)
	n := w.hand("bob", "docs", map[string]string{"README.md": "how to\n"})
	w.run()
	w.approve(n, "carol")
	w.run()
	w.edit("bob", "docs", map[string]string{"envs/prod/shop.yaml": deployment("{shop:1.1}")})
	w.refuses(n, "0 of 1 approval", "it approved other content", "review again")
	w.harmless()
}

// The same before Pinnace looked at all: what was reviewed is on nobody's record.
func TestBypassReviewUnseen(t *testing.T) {
	w := attacked(t, nil)
	n := w.hand("bob", "docs", map[string]string{"README.md": "how to\n"})
	w.approve(n, "carol")
	w.edit("bob", "docs", map[string]string{"envs/prod/shop.yaml": deployment("{shop:1.1}")})
	w.edit("erin", "main", map[string]string{"README.md": "what for\n"})
	w.refuses(n, "0 of 1 approval", "review again")
	w.harmless()
}

// The review is moved by GitHub to a head that nobody reviewed.
func TestBypassReviewMoved(t *testing.T) {
	w := attacked(t, nil)
	n := w.hand("bob", "quick", map[string]string{"envs/prod/shop.yaml": deployment("{shop:1.1}")})
	w.run()
	w.approve(n, "carol")
	w.run()
	// Another line of the same file comes to main: what is merged now is another diff.
	w.edit("erin", "main", map[string]string{"envs/prod/shop.yaml": swap(t, deployment("{shop:1.0}"), "{name: shop}", "{name: shop, labels: {team: payments}}")})
	w.pass(time.Minute)
	if err := w.repo.UpdateBranch(n, "bob"); err != nil {
		t.Fatal(err)
	}
	if r := w.repo.Reviews(n)[0]; r.Commit != w.pullOf(n).Head.SHA {
		t.Fatalf("GitHub did not move the review: it is of %s", r.Commit)
	}
	w.refuses(n, "0 of 1 approval", "it approved other content")
}

// Somebody who is interested dismisses the change request that stands in the way.
func TestBypassDismissal(t *testing.T) {
	w := attacked(t, nil)
	w.run(w.promote("bob", "prod"))
	w.pass(time.Minute)
	veto, err := w.repo.Review(1, "erin", promotion.ChangesRequested, "not on a Friday")
	if err != nil {
		t.Fatal(err)
	}
	w.approve(1, "carol")
	w.refuses(1, "erin requested changes")
	w.pass(time.Minute)
	if err := w.repo.Dismiss(1, veto, "bob", "nonsense"); err != nil {
		t.Fatal(err)
	}
	w.refuses(1, "dismissed by bob, who asked for this change, which lifts nothing", "erin reviews again")
	w.harmless()
}

// Who approved loses the role, and then somebody asks for the merge.
func TestBypassRoleLost(t *testing.T) {
	w := attacked(t, map[string]string{".pinnace/config.yaml": swap(t, configuration, "deploy: auto", "deploy: command")})
	w.run(w.promote("bob", "prod"))
	w.approve(1, "carol")
	w.lines(w.run(), "#1 waiting: nobody said /deploy yet")
	w.repo.Permission("carol", promotion.PermissionRead)
	w.comment(1, "erin", "/deploy")
	w.refuses(1, "0 of 1 approval", "carol has read here, and write is needed")
	w.harmless()
}

// Who approved was taken off the list.
func TestBypassRoleTakenAway(t *testing.T) {
	w := attacked(t, map[string]string{".pinnace/config.yaml": swap(t, configuration, "deploy: auto", "deploy: button")})
	w.run(w.promote("bob", "prod"))
	w.approve(1, "carol")
	w.lines(w.run(), "#1 all rules hold")
	w.edit("ada", "main", map[string]string{".pinnace/config.yaml": swap(t, configuration, "deploy: auto", "deploy: button", "[carol, dave]", "[dave]")})
	w.refuses(1, "0 of 1 approval", "carol is not an approver: dave")
	w.harmless()
}

// A promoter changes the login, and somebody registers the old one. The number in the
// configuration is of the person.
func TestBypassReregisteredLogin(t *testing.T) {
	w := attacked(t, nil)
	id := strconv.FormatInt(w.User("carol").ID, 10)
	w.edit("ada", "main", map[string]string{".pinnace/config.yaml": swap(t, configuration, "[carol, dave]", `["carol#`+id+`"]`)})
	w.RenameUser("carol", "caroline")
	w.User("carol")
	w.repo.Permission("carol", promotion.PermissionWrite)
	w.run(w.promote("bob", "prod"))
	w.approve(1, "carol")
	w.refuses(1, "`carol#"+id+"` is another account than `carol#")
	w.harmless()
	w.approve(1, "caroline")
	w.lines(w.run(), "#1 merged")
}

// A machine user and a bot approve.
func TestBypassMachineApproves(t *testing.T) {
	w := attacked(t, map[string]string{".pinnace/config.yaml": swap(t, configuration, "users: [carol, dave]", "permission: write") + "serviceAccounts: [acme-ci]\n"})
	w.repo.Permission("acme-ci", promotion.PermissionWrite)
	w.run(w.promote("bob", "prod"))
	w.approve(1, "acme-ci")
	w.refuses(1, "of a service account of the configuration, and those never approve")
	w.harmless()
}

// A commit in the name of somebody else keeps nobody but that person from approving: who
// opened the pull request stays its requester.
func TestBypassForgedAuthor(t *testing.T) {
	w := attacked(t, nil)
	w.edit("dave", "typo", map[string]string{"envs/prod/shop.yaml": deployment("{shop:1.1}")}) // bob typed dave's address
	n, err := w.repo.OpenPullRequest("carol", "A small change", "", "typo", "main")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.repo.Review(n, "carol", promotion.Approved, ""); err == nil {
		t.Error("GitHub let the author approve")
	}
	w.approve(n, "dave")
	w.refuses(n, "0 of 1 approval", "dave also wrote a commit of this pull request")
	w.harmless()
}

// Who approved presses the button as well. GitHub does not ask who does, so that it is
// reported.
func TestBypassApproverDeploys(t *testing.T) {
	w := attacked(t, map[string]string{".pinnace/config.yaml": swap(t, configuration, "deploy: auto", "deploy: button")})
	w.run(w.promote("bob", "prod"))
	w.approve(1, "carol")
	w.lines(w.run(), "#1 all rules hold")
	w.pass(time.Minute)
	if _, err := w.repo.Merge(1, "carol", "squash"); err != nil {
		t.Fatal(err)
	}
	w.reports("was merged by carol, who approved it, and policy prod lets no approver deploy")
	w.still()
	w.reports()
}
