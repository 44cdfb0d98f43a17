package action

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

const (
	maxPayload = 26 << 20 // bytes; GitHub's own bound is 25 MB
	maxPulls   = 20       // pull requests of one event that are looked at
)

// payload reads an event's payload
// (https://docs.github.com/en/webhooks/webhook-events-and-payloads).
func (r *Run) payload(body []byte) error {
	if len(body) > maxPayload {
		return fmt.Errorf("it has %d bytes: GitHub's have at most %d", len(body), maxPayload)
	}
	top, err := members(body)
	if err != nil {
		return err
	}
	p := &payload{run: r}
	p.read(top)
	if p.err != nil {
		return p.err
	}
	return nil
}

// A payload is taken apart into its run.
type payload struct {
	run *Run
	err error
}

// An object is a JSON object by its keys, exactly as they are spelt.
type object map[string]json.RawMessage

// members reads an object of which no key stands twice, since two readers could read it
// differently.
func members(raw []byte) (object, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || raw[0] != '{' || !json.Valid(raw) {
		return nil, errors.New("it is no JSON object")
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	if _, err := d.Token(); err != nil {
		return nil, err // unreachable: it is valid
	}
	o := object{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err // unreachable: it is valid
		}
		name, _ := key.(string)
		if _, twice := o[name]; twice {
			return nil, errors.New("a key stands there twice, which GitHub does not send")
		}
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return nil, err // unreachable: it is valid
		}
		o[name] = v
	}
	return o, nil
}

// in returns an object that is a member, empty where it is absent or none.
func (p *payload) in(o object, key string) object {
	raw := o[key]
	if len(raw) == 0 || raw[0] != '{' {
		return nil
	}
	m, err := members(raw)
	if err != nil {
		p.err = err
	}
	return m
}

// id returns a whole number above 0, or 0.
func (o object) id(key string) int64 {
	n, err := strconv.ParseInt(string(o[key]), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// text returns a string that good takes, or "".
func (o object) text(key string, good func(string) bool) string {
	raw := o[key]
	var s string
	if len(raw) > 8192 || json.Unmarshal(raw, &s) != nil || !good(s) {
		return ""
	}
	return s
}

func (p *payload) read(top object) {
	r := p.run
	r.Action = top.text("action", word)
	if repo := p.in(top, "repository"); repo != nil {
		if id := repo.id("id"); id != 0 && r.Repository != 0 && id != r.Repository {
			p.err = fmt.Errorf("it is of repository %d, and the run is of %d", id, r.Repository)
			return
		} else if id != 0 {
			r.Repository = id
		}
		r.DefaultBranch = repo.text("default_branch", refLike)
	}
	if who := p.in(top, "sender"); who != nil {
		r.Sender = promotion.Identity{ID: who.id("id"), Login: who.text("login", login)}
		r.Sender.Bot = who.text("type", word) == "Bot" || strings.HasSuffix(r.Sender.Login, "[bot]")
	}
	switch r.Event {
	case "pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment":
		p.pull(p.in(top, "pull_request"))
	case "issue_comment", "issues":
		issue := p.in(top, "issue")
		if is := issue["pull_request"]; len(is) > 0 && is[0] == '{' {
			p.number(issue)
		} else {
			r.Comment = r.Event == "issue_comment"
		}
	case "workflow_run", "check_run", "check_suite":
		about := p.in(top, r.Event)
		r.HeadSHA = about.text("head_sha", commit)
		p.pulls(about["pull_requests"])
		if r.Event == "workflow_run" && r.Repository != 0 {
			// The head of a fork's run is in another repository.
			head, base := p.in(about, "head_repository").id("id"), p.in(about, "repository").id("id")
			r.Fork = isPull(about.text("event", word)) && head != base
		}
	case "status":
		r.HeadSHA = top.text("sha", commit)
	case "merge_group":
		group := p.in(top, "merge_group")
		r.HeadSHA = group.text("head_sha", commit)
		if m := queued.FindStringSubmatch(group.text("head_ref", refLike)); m != nil {
			p.add(object{"number": json.RawMessage(m[1])}.id("number"))
		}
	}
}

// queued matches the branch of a merge queue's group.
var queued = regexp.MustCompile(`^refs/heads/gh-readonly-queue/.+/pr-([1-9][0-9]{0,9})-[0-9a-f]{40}$`)

// isPull says whether an event is one of those whose workflow is the pull request's own.
func isPull(event string) bool {
	return slices.Contains([]string{"pull_request", "pull_request_review", "pull_request_review_comment"}, event)
}

// pull reads the pull request that the event is about.
func (p *payload) pull(pr object) {
	if pr == nil {
		return
	}
	p.number(pr)
	head, base := p.in(pr, "head"), p.in(pr, "base")
	p.run.HeadSHA = head.text("sha", commit)
	from, to := p.in(head, "repo").id("id"), p.in(base, "repo").id("id")
	p.run.Fork = from == 0 || from != to
}

// pulls reads a list of pull requests, without those of other repositories: a fork has the
// same commits.
func (p *payload) pulls(raw json.RawMessage) {
	if len(raw) == 0 || raw[0] != '[' {
		return
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	if _, err := d.Token(); err != nil {
		return // unreachable: it is valid
	}
	for n := 0; n < 100 && d.More(); n++ {
		var one json.RawMessage
		if d.Decode(&one) != nil {
			return // unreachable: it is valid
		}
		pr, err := members(one)
		if err != nil {
			p.err = err
			return
		}
		if p.in(p.in(pr, "base"), "repo").id("id") == p.run.Repository {
			p.number(pr)
		}
	}
}

func (p *payload) number(o object) { p.add(o.id("number")) }

func (p *payload) add(n int64) {
	if n > 0 && n <= math.MaxInt32 && len(p.run.Pulls) < maxPulls && !slices.Contains(p.run.Pulls, int(n)) {
		p.run.Pulls = append(p.run.Pulls, int(n))
	}
}
