package server

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/github"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// TestAgainstTheSandbox: what GitHub sends while people work leads to where they did.
func TestAgainstTheSandbox(t *testing.T) {
	r := newRig(t, nil).serve()
	s := sandbox.New(sandbox.Options{T: t})
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	s.Org("acme", "alice")
	repo := s.Repository("acme", "config", sandbox.RepositoryOptions{Files: map[string]string{"a.yaml": "image: shop:1\n"}})
	repo.Permission("bob", promotion.PermissionWrite)
	app := s.App(sandbox.AppOptions{
		Name: "Pinnace", Secret: key, WebhookURL: r.url + "/webhooks/github",
		Permissions: map[string]string{"contents": "write", "pull_requests": "write", "issues": "write", "checks": "write", "statuses": "read", "deployments": "read", "members": "read"},
		Events:      []string{"push", "pull_request", "pull_request_review", "issues", "issue_comment", "check_run", "status", "repository", "membership"},
	})
	installation := app.Install("acme")
	repo.Branch("pin", "bob", repo.Tip("main"))
	repo.Commit("pin", "bob", "pin", map[string]string{"a.yaml": "image: shop:2\n"})
	number, err := repo.OpenPullRequest("bob", "pin", "", "pin", "main")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := repo.Review(number, "alice", promotion.Approved, ""); err != nil {
		t.Fatal(err)
	}
	repo.Comment(number, "bob", "/promote")
	issue := repo.Issue("bob", "an issue", "")
	repo.Comment(issue, "bob", "hello")
	repo.Status(repo.Tip("pin"), "bob", "ci", "success")
	if _, err := repo.Merge(number, "alice", "merge"); err != nil {
		t.Fatal(err)
	}
	s.Team("acme", "release", "bob")
	app.Suspend("acme", true)
	app.Suspend("acme", false)
	repo.Rename("settings")
	if n, err := s.Deliver(t.Context()); err != nil || n < 12 {
		t.Fatalf("sent %d, %v", n, err)
	}
	got := map[string][]event.Look{}
	for _, d := range s.Deliveries() {
		if d.Status != http.StatusAccepted {
			t.Errorf("%s.%s: got %d, want 202", d.Event, d.Action, d.Status)
		}
		kept := r.box.all()[d.GUID]
		if kept.Event != d.Event || kept.Action != d.Action {
			t.Errorf("kept %+v of %s.%s", kept, d.Event, d.Action)
		}
		got[strings.TrimSuffix(d.Event+"."+d.Action, ".")] = kept.Looks
	}
	in := event.Subject{Installation: installation}
	at := func(pull int) event.Look {
		return event.Look{Subject: event.Subject{Installation: installation, Repository: repo.ID()}, Owner: "acme", Name: "config", Pull: pull}
	}
	renamed := at(0)
	renamed.Name = "settings"
	want := map[string][]event.Look{
		"push": {at(0)}, "pull_request.opened": {at(number)}, "pull_request.closed": {at(number)}, "pull_request_review.submitted": {at(number)},
		"issue_comment.created": {at(0)}, // the last one, on the issue
		"issues.opened":         {at(0)}, "status": {at(0)}, "membership.added": {{Subject: in, Everywhere: true}},
		"installation.created": {{Subject: in, Everywhere: true}}, "installation.suspend": {{Subject: in, Gone: true}}, "installation.unsuspend": {{Subject: in, Everywhere: true}},
		"repository.renamed": {renamed, {Subject: in}},
	}
	for name, looks := range want {
		if d := cmp.Diff(looks, got[name]); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}

	// What could not be kept is delivered again under the same GUID, and is new then.
	r.box.fail(errors.New("disk full"))
	repo.Issue("bob", "another", "")
	if _, err := s.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	all := s.Deliveries()
	lost := all[len(all)-1]
	if lost.Status != http.StatusServiceUnavailable {
		t.Errorf("got %d, want 503", lost.Status)
	}
	r.box.fail(nil)
	our, err := github.NewApp(github.AppOptions{ID: app.ID(), Key: app.PrivateKey(), URL: s.URL()})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := our.Redeliver(t.Context(), lost.ID); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	all = s.Deliveries()
	first, second := all[len(all)-2], all[len(all)-1]
	if first.GUID != lost.GUID || first.Status != http.StatusAccepted || second.GUID != lost.GUID || second.Status != http.StatusOK {
		t.Errorf("got %d of %s and %d of %s, want 202 and 200 of %s", first.Status, first.GUID, second.Status, second.GUID, lost.GUID)
	}
}

// TestExamples: every payload that GitHub publishes comes through the door.
func TestExamples(t *testing.T) {
	dir := os.Getenv("PINNACE_WEBHOOK_EXAMPLES")
	if dir == "" {
		t.Skip("PINNACE_WEBHOOK_EXAMPLES does not name the folder of npm's @octokit/webhooks-examples@7.6.1")
	}
	data, err := os.ReadFile(filepath.Join(dir, "api.github.com", "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	var events []struct {
		Name     string
		Examples []json.RawMessage
	}
	if err := json.Unmarshal(data, &events); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, nil).serve()
	n := 0
	for _, e := range events {
		for _, x := range e.Examples {
			n++
			if status, _, text := r.send(delivery(r.url, e.Name, strconv.Itoa(n), x)); status != http.StatusAccepted {
				t.Errorf("%s: got %d %s", e.Name, status, text)
			}
		}
	}
	if kept := len(r.box.all()); n < 300 || kept != n {
		t.Errorf("kept %d of %d, want all of more than 300", kept, n)
	}
}
