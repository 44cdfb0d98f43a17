package verdict_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/message"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
	"github.com/pinnace-dev/pinnace/internal/record"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// forged is an attack in which bob asked for shop 1.1 in prod, carol approved that as #1, and
// Pinnace has not merged it yet.
func forged(t *testing.T) *siege {
	w := attacked(t, map[string]string{".pinnace/config.yaml": swap(t, configuration, "deploy: auto", "deploy: command")})
	w.run(w.promote("bob", "prod"))
	w.approve(1, "carol")
	w.lines(w.run(), "#1 waiting: nobody said /deploy yet")
	w.pass(time.Minute)
	return w
}

// forge replaces the head of #1 by a commit as Pinnace would have made it of shop 6.6: its
// author, its trailers with a right seal, the head before. It returns the commit and the seal.
func (w *siege) forge() (sha, seal string) {
	w.Helper()
	head := w.repo.Log("pinnace/promote/prod/shop")[0]
	parse := func(name string) image.Ref {
		ref, err := image.Parse(w.expand("{" + name + "}"))
		if err != nil {
			w.Fatal(err)
		}
		return ref
	}
	sealing := promotion.Sealing{
		Repository: w.repo.ID(), Base: "main", Kind: promotion.Promotion, App: "shop", Env: "prod", From: "staging",
		Changes: []promotion.Change{{Path: "envs/prod/shop.yaml", Pointer: "/spec/template/spec/containers/0/image", Old: parse("shop:1.0"), New: parse("shop:6.6")}},
	}
	var text []string
	for line := range strings.Lines(head.Message) {
		switch name, value, _ := strings.Cut(strings.TrimSpace(line), ": "); name {
		case message.TrailerRequest:
			sealing.Request = value
		case message.TrailerSeal:
			line = name + ": SEAL\n"
		case reconcile.TrailerBefore:
			continue
		}
		text = append(text, line)
	}
	seal = sealing.Hash()
	forgery := strings.TrimRight(swap(w, strings.Join(text, ""), "SEAL", seal), "\n") + "\n" + reconcile.TrailerBefore + ": " + head.SHA + "\n"
	return w.repo.ForcePush("pinnace/promote/prod/shop", w.app.Bot().Login, forgery, head.Parents[0], map[string]string{"envs/prod/shop.yaml": w.expand(deployment("{shop:6.6}"))}), seal
}

// Author, trailers and seal of a commit are what anybody types. A head that Pinnace did not
// announce before it pushed is not its own, and the approval was of another seal.
func TestBypassForgedTrailers(t *testing.T) {
	w := forged(t)
	w.forge()
	w.refuses(1, "shop:6.6", "what it approved is not on record")
	w.approve(1, "carol") // who may have forged it
	w.comment(1, "erin", "/deploy")
	w.refuses(1, "1 approval asked, and nobody can give them")
	w.harmless()
}

// The same while main moves, so that promotions are written anew: whoever's the commit is
// then, nobody knows who asked for it.
func TestBypassForgedTrailersRendered(t *testing.T) {
	w := forged(t)
	w.forge()
	w.edit("erin", "main", map[string]string{"envs/prod/shop.yaml": swap(t, deployment("{shop:1.0}"), "{name: shop}", "{name: shop, labels: {team: payments}}")})
	w.run()
	w.approve(1, "carol")
	w.comment(1, "erin", "/deploy")
	w.refuses(1, "1 approval asked, and nobody can give them")
	w.still()
}

// A commit on main says that it is the merge of an approved promotion.
func TestBypassForgedMergeMessage(t *testing.T) {
	w := forged(t)
	w.repo.Commit("main", w.app.Bot().Login, "Promote shop to prod (#1)\n\nPinnace-App: shop\nPinnace-Env: prod\nPinnace-From: staging\nPinnace-Seal: "+zeros+"\nRequested-by: bob#1\nApproved-by: carol#2\nPolicy: prod\n", map[string]string{"envs/prod/shop.yaml": w.expand(deployment("{shop:6.6}"))})
	w.reports("without a pull request", "6.6")
	w.still()
	w.reports()
}

// Another App writes a check run of our name, with our words and a record that says that
// carol approved this very head. It is not read, and a rule that asks for ours is not content.
func TestBypassForgedCheckRun(t *testing.T) {
	w := forged(t)
	other := w.App(sandbox.AppOptions{Name: "Pinnacle", Permissions: map[string]string{"checks": "write", "metadata": "read"}})
	other.Install("acme")
	before := w.pullOf(1).Head.SHA
	ours, _ := w.checkAt(before, "pinnace/promotion")
	memory, ok, err := record.Parse(ours.Text)
	if err != nil || !ok {
		t.Fatal("there is no record: ", err)
	}
	sha, seal := w.forge()
	memory.Heads = append(memory.Heads, record.Head{SHA: sha, Seal: seal, At: memory.Heads[0].At})
	for i := range memory.Reviews {
		memory.Reviews[i].Commit = sha
	}
	for _, at := range []string{sha, before} {
		memory.Next = ""
		if at == before {
			memory.Next = sha
		}
		body, _ := json.Marshal(map[string]any{
			"name": "pinnace/promotion", "head_sha": at, "status": "completed", "conclusion": "success",
			"output": map[string]string{"title": "All rules hold", "summary": ours.Summary, "text": "**Rules**\n" + memory.Line()},
		})
		w.call(other.InstallationToken("acme"), "POST", "/repos/acme/config/check-runs", string(body))
	}
	if _, err := w.repo.Merge(1, "bob", "squash"); err == nil {
		t.Error("GitHub took the other App's check for ours")
	}
	w.comment(1, "erin", "/deploy")
	w.refuses(1, "shop:6.6", "what it approved is not on record")
	w.harmless()
}

// Another App says that it has seen to a push already.
func TestBypassForgedAudit(t *testing.T) {
	w := attacked(t, nil)
	other := w.App(sandbox.AppOptions{Name: "Pinnacle", Permissions: map[string]string{"checks": "write", "metadata": "read"}})
	other.Install("acme")
	sha := w.edit("bob", "main", map[string]string{"envs/prod/shop.yaml": deployment("{shop:6.6}")})
	if err := other.Check(w.repo, sha, "pinnace/audit", "success"); err != nil {
		t.Fatal(err)
	}
	w.reports("without a pull request")
	w.still()
	w.reports()
}

// Somebody opens the incident beforehand, with the line by which Pinnace knows its own.
func TestBypassForgedIncident(t *testing.T) {
	w := attacked(t, nil)
	sha := w.edit("bob", "main", map[string]string{"envs/prod/shop.yaml": deployment("{shop:6.6}")})
	fake := w.repo.Issue("bob", "Nothing to see", message.Bypass{Key: "commit-" + sha, Base: "main", Commit: sha}.Body())
	w.repo.AddLabel(fake, "bob", "pinnace-incident")
	w.run()
	if all := w.incidents(); len(all) != 2 || all[1].Author.ID != w.app.Bot().ID {
		t.Errorf("there are %d issues, want the forged one and ours", len(all))
	}
	w.still()
}

// Somebody answers in Pinnace's place, so that a request is never looked at.
func TestBypassForgedAnswer(t *testing.T) {
	w := attacked(t, nil)
	thread := w.repo.Issue("carol", "Please", "")
	w.pass(time.Minute)
	id := w.repo.Comment(thread, "carol", "/promote shop to prod")
	w.repo.Comment(thread, "bob", message.Refused(fmt.Sprintf("comment-%d", id), promotion.Request{App: "shop", Env: "prod"}, nil, []string{"no"}))
	w.lines(w.run(), "opened promote/prod/shop #2", "#2 waiting: 0 of 1 approval")
	w.harmless()
}

// A gate is believed of the App that the configuration names, and of nobody who calls a check
// the same.
func TestBypassForgedGate(t *testing.T) {
	w := attacked(t, map[string]string{".pinnace/config.yaml": swap(t, configuration, "after: [dev]}", "after: [dev], gates: [{checkRun: smoke, app: smoker}]}")})
	other := w.App(sandbox.AppOptions{Name: "Smoke Er", Permissions: map[string]string{"checks": "write", "metadata": "read"}})
	other.Install("acme")
	if err := other.Check(w.repo, w.repo.Tip("main"), "smoke", "success"); err != nil {
		t.Fatal(err)
	}
	w.run(w.promote("bob", "prod"))
	w.approve(1, "carol")
	w.refuses(1, "smoker has said nothing of check run smoke yet")
	w.harmless()
}
