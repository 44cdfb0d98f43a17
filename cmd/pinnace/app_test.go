package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// The words of "github WORD ..." about the App and the rules of branches.
func init() {
	for word, c := range map[string]struct {
		usage string
		least int
		run   func(*hub, *testscript.TestScript, []string)
	}{
		"webhook":   {"URL|off [SECRET]", 1, (*hub).webhook},
		"subscribe": {"EVENT...", 0, (*hub).subscribe},
		"grant":     {"PERMISSION=LEVEL...", 1, (*hub).grant},
		"suspend":   {"", 0, (*hub).suspend},
		"uninstall": {"", 0, (*hub).uninstall},
		"hear":      {"STATUS|nobody", 1, (*hub).hear},
		"ruleset":   {"PATTERN RULE...", 2, (*hub).ruleset},
	} {
		hubCommands[word] = c
	}
}

// webhook URL|off [SECRET] says where the App's deliveries go.
func (h *hub) webhook(_ *testscript.TestScript, args []string) {
	h.app.SetWebhook(strings.TrimSuffix(args[0], "off"))
	h.app.SetSecret(strings.Join(args[1:], " "))
}

// subscribe EVENT... replaces the events that the App hears of.
func (h *hub) subscribe(_ *testscript.TestScript, args []string) { h.app.Subscribe(args...) }

// grant PERMISSION=LEVEL... replaces what the installation was granted; what the App asks for
// stays.
func (h *hub) grant(_ *testscript.TestScript, args []string) {
	owner, _, _ := strings.Cut(h.repo.FullName(), "/")
	h.app.Permit(owner, permissions(args))
}

func (h *hub) suspend(*testscript.TestScript, []string) {
	owner, _, _ := strings.Cut(h.repo.FullName(), "/")
	h.app.Suspend(owner, true)
}

func (h *hub) uninstall(*testscript.TestScript, []string) {
	owner, _, _ := strings.Cut(h.repo.FullName(), "/")
	h.app.Uninstall(owner)
}

// hear STATUS|nobody delivers what is pending to a server that answers so, and leaves the
// address of the webhook as it is.
func (h *hub) hear(ts *testscript.TestScript, args []string) {
	status := http.StatusOK
	if args[0] != "nobody" {
		status = number(ts, args[0])
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	address := server.URL
	if args[0] == "nobody" {
		server.Close()
	} else {
		defer server.Close()
	}
	was := h.app.Webhook()
	h.app.SetWebhook(address)
	defer h.app.SetWebhook(was)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	n, err := h.world.Deliver(ctx)
	ts.Check(err)
	fmt.Fprintln(ts.Stdout(), n, "delivered")
}

// ruleset PATTERN RULE... is github protect with the rules that people write around Pinnace:
// pull-request, no-force-push, no-deletion, no-update, no-creation, linear-history, signed-commits, up-to-date, merge-queue,
// dismiss-stale, code-owners, last-push, conversations, classic, approvals=N, method=NAME,
// check=NAME (from the App), any-check=NAME (from anybody), and bypass=NAME.
func (h *hub) ruleset(ts *testscript.TestScript, args []string) {
	var p sandbox.Protection
	flags := map[string]*bool{
		"pull-request": &p.PullRequest, "no-force-push": &p.NoForcePush, "no-deletion": &p.NoDeletion, "no-update": &p.NoUpdate,
		"no-creation": &p.NoCreation, "linear-history": &p.LinearHistory, "signed-commits": &p.SignedCommits, "up-to-date": &p.UpToDate,
		"merge-queue": &p.MergeQueue, "dismiss-stale": &p.DismissStale, "code-owners": &p.CodeOwners, "last-push": &p.LastPushApproval,
		"conversations": &p.ThreadsResolved, "classic": &p.Classic,
	}
	for _, rule := range args[1:] {
		key, value, _ := strings.Cut(rule, "=")
		switch {
		case flags[rule] != nil:
			*flags[rule] = true
		case key == "approvals":
			p.Approvals = number(ts, value)
		case key == "method":
			p.MergeMethods = append(p.MergeMethods, value)
		case key == "check":
			p.Checks = append(p.Checks, promotion.RequiredCheck{Context: value, App: h.app.ID()})
		case key == "any-check":
			p.Checks = append(p.Checks, promotion.RequiredCheck{Context: value})
		case key == "bypass":
			p.Bypass = append(p.Bypass, value)
		default:
			ts.Fatalf("github ruleset: unknown rule %s", rule)
		}
	}
	h.repo.Protect(args[0], p)
}
