package verdict_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/command"
	"github.com/pinnace-dev/pinnace/internal/github"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
	"github.com/pinnace-dev/pinnace/internal/verdict"
)

// An agent is somebody who tries every way to act.
type agent struct {
	what  string // for people
	login string
	holds []string // of the roles in the table
	write bool     // what GitHub lets
}

// agents are one of each role. The machines are on every list, and hold nothing by it.
var agents = []agent{
	{"nobody", "mallory", nil, false},
	{"writer", "erin", []string{"writer"}, true},
	{"requester", "rita", []string{"writer", "requester"}, true},
	{"promoter", "pia", []string{"writer", "promoter"}, true},
	{"deployer", "dan", []string{"writer", "deployer"}, true},
	{"admin", "ada", []string{"writer", "admin", "promoter"}, true},
	{"bot", "robo[bot]", nil, true},
	{"service account", "acme-ci", nil, true},
	{"author", "arthur", []string{"writer", "promoter"}, true},
	{"approver", "abby", []string{"writer", "promoter", "deployer"}, true},
}

const waysConfig = `apiVersion: pinnace.dev/v1alpha1
kind: Config
environments:
  - {name: dev, paths: ["envs/dev/**"]}
  - {name: staging, paths: ["envs/staging/**"], after: [dev]}
  - {name: prod, paths: ["envs/prod/**"], after: [staging], production: true, deploy: DEPLOY}
roles:
  requester: {users: [rita, acme-ci]}
  promoter: {users: [pia, arthur, abby, acme-ci]}
  deployer: {users: [dan, abby, acme-ci]}
serviceAccounts: [acme-ci]
guard: {allowAuthor: true}
`

// A stage is a world in which one agent acts.
type stage struct {
	*siege
	who    agent
	bot    *sandbox.App
	number int // of the pull request or issue that it is about
}

func newStage(t *testing.T, who agent, deploy string) *stage {
	t.Helper()
	s := &stage{siege: &siege{newWorld(t, map[string]string{
		".pinnace/config.yaml":        strings.Replace(waysConfig, "DEPLOY", deploy, 1),
		".pinnace/policies/prod.yaml": twoPeople,
		"envs/dev/shop.yaml":          deployment("{shop:1.1}"),
		"envs/staging/shop.yaml":      deployment("{shop:1.1}"),
		"envs/prod/shop.yaml":         deployment("{shop:0.9}"),
	}, "shop:0.9", "shop:1.0", "shop:1.1")}, who: who}
	for _, a := range agents {
		if a.write && a.what != "bot" && a.what != "admin" {
			s.repo.Permission(a.login, promotion.PermissionWrite)
		}
	}
	s.bot = s.App(sandbox.AppOptions{Name: "Robo", Permissions: map[string]string{"contents": "write", "pull_requests": "write", "issues": "write", "metadata": "read", "checks": "write"}})
	s.bot.Install("acme")
	s.demand(promotion.Rules{})
	s.edit("ada", "main", map[string]string{"envs/prod/shop.yaml": deployment("{shop:1.0}")})
	s.edit("ada", "main", map[string]string{"README.md": "what runs where\n"})
	s.run()
	s.pass(time.Minute)
	return s
}

// token is what the agent asks GitHub with.
func (s *stage) token() string {
	if s.who.what == "bot" {
		return s.bot.InstallationToken("acme")
	}
	return s.Token(s.who.login)
}

// try lets the agent ask GitHub for something, which may refuse.
func (s *stage) try(method, path string, body map[string]any) int {
	s.Helper()
	s.pass(time.Minute)
	text, _ := json.Marshal(body)
	r, err := http.NewRequest(method, s.URL()+"/api/v3/repos/acme/config"+path, strings.NewReader(string(text)))
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.token())
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	a.Body.Close()
	return a.StatusCode
}

func (s *stage) says(body string) {
	s.Helper()
	if code := s.try("POST", fmt.Sprintf("/issues/%d/comments", s.number), map[string]any{"body": body}); code != http.StatusCreated {
		s.Fatalf("GitHub takes no comment of the %s: %d", s.who.what, code)
	}
}

// files is what pinnace promote does with a person's token.
func (s *stage) files(text string) {
	s.Helper()
	s.pass(time.Minute)
	hub, err := github.New(github.Options{URL: s.URL(), Tokens: github.StaticToken(github.Secret(s.token())), Spacing: -1, MaxWait: -1})
	if err != nil {
		s.Fatal(err)
	}
	j := &verdict.Judge{Owner: "acme", Name: "config", Forge: hub}
	if _, _, err := j.File(context.Background(), text); err != nil {
		s.Fatal(err)
	}
}

// thread opens an issue to write in.
func (s *stage) thread() {
	s.number = s.repo.Issue("ada", "Releases", "")
	s.repo.AddLabel(s.number, "ada", verdict.RequestLabel)
}

// asked has shop 1.1 asked for in prod, as rita wished.
func (s *stage) asked() {
	s.Helper()
	s.lines(s.run(s.promote("rita", "prod")), "opened promote/prod/shop #1", "#1 waiting: 0 of 1 approval"+map[bool]string{true: "; nobody said /deploy yet"}[s.mode() == "command"])
	s.number = 1
	s.pass(time.Minute)
}

func (s *stage) mode() string {
	text, _ := s.repo.File("main", ".pinnace/config.yaml")
	_, rest, _ := strings.Cut(text, "deploy: ")
	mode, _, _ := strings.Cut(rest, "}")
	return mode
}

// approved has it approved by abby, too.
func (s *stage) approved() {
	s.Helper()
	s.asked()
	s.approve(1, "abby")
	s.run()
}

// written opens a pull request by hand: rita's, with a commit of arthur's.
func (s *stage) written() {
	s.Helper()
	s.edit("arthur", "hand", map[string]string{"envs/prod/shop.yaml": deployment("{shop:1.1}")})
	n, err := s.repo.OpenPullRequest("rita", "By hand", "", "hand", "main")
	if err != nil {
		s.Fatal(err)
	}
	s.number = n
	s.run()
}

// ruled opens a pull request by the agent that changes the rules.
func (s *stage) ruled() {
	s.Helper()
	from, head := s.repo, "rules"
	if s.who.what == "nobody" {
		from, head = s.repo.Fork("mallory"), "mallory:rules"
	}
	s.pass(time.Second)
	from.Commit("rules", s.who.login, "tighter", map[string]string{".pinnace/policies/prod.yaml": strings.Replace(twoPeople, "approverCount: 1", "approverCount: 2", 1)})
	if code := s.try("POST", "/pulls", map[string]any{"title": "Tighter", "head": head, "base": "main"}); code != http.StatusCreated {
		s.Fatalf("GitHub opens no pull request of the %s: %d", s.who.what, code)
	}
	s.number = 1
	s.run()
}

func (s *stage) state() promotion.State { return s.pullOf(s.number).State }

// proposes says whether a branch is proposed to main.
func (s *stage) proposes(branch string) bool {
	return slices.ContainsFunc(s.repo.PullRequests(), func(q promotion.PullRequest) bool {
		return q.Head.Ref == branch && q.State == promotion.Open
	})
}

func (s *stage) title(check string) string {
	c, _ := s.checkAt(s.pullOf(s.number).Head.SHA, check)
	return c.Conclusion + " " + c.Title
}

// A trial is a way to act, with what it does where it may be done.
type trial struct {
	deploy string // of prod
	set    func(*stage)
	act    func(*stage)
	done   func(*stage) bool
	// but says who is not as the roles say, and why.
	but map[string]string
	own bool // each agent needs a world of their own
	// looks is set where all it does is that Pinnace looks, which it does in every run: it
	// changes nothing, whoever does it.
	looks bool
}

// trials holds each way by its verb, its door and the first word of what it does.
var trials = map[string]trial{
	"promote comment asks": {
		deploy: "auto", set: (*stage).thread,
		act:  func(s *stage) { s.says("/promote shop to prod") },
		done: func(s *stage) bool { return s.proposes("pinnace/promote/prod/shop") },
	},
	"promote cli asks": {
		deploy: "auto", set: (*stage).thread,
		act:  func(s *stage) { s.files("/promote shop to prod") },
		done: func(s *stage) bool { return s.proposes("pinnace/promote/prod/shop") },
	},
	"rollback comment asks": {
		deploy: "auto", set: (*stage).thread,
		act:  func(s *stage) { s.says("/rollback shop in prod") },
		done: func(s *stage) bool { return s.proposes("pinnace/rollback/prod/shop") },
	},
	"rollback cli asks": {
		deploy: "auto", set: (*stage).thread,
		act:  func(s *stage) { s.files("/rollback shop in prod") },
		done: func(s *stage) bool { return s.proposes("pinnace/rollback/prod/shop") },
	},
	"deploy comment merges": {
		deploy: "command", set: (*stage).approved,
		act:  func(s *stage) { s.says("/deploy") },
		done: func(s *stage) bool { return s.state() == promotion.Merged },
		but:  map[string]string{"approver": "approved it"},
	},
	"deploy cli judges": { // with a token of one's own it merges nothing
		deploy: "command", set: (*stage).approved,
		act: func(s *stage) {
			hub, err := github.New(github.Options{URL: s.URL(), Tokens: github.StaticToken(github.Secret(s.token())), Spacing: -1, MaxWait: -1})
			if err != nil {
				s.Fatal(err)
			}
			j := *s.steward().Judge
			j.Forge, j.App, j.Bot = hub, 0, promotion.Identity{}
			if _, err := j.Run(context.Background(), s.number); err != nil {
				s.Fatal(err)
			}
		},
		done: func(s *stage) bool { return s.state() == promotion.Merged },
	},
	"reseal comment drops": {
		deploy: "auto",
		set: func(s *stage) {
			s.asked()
			s.edit("erin", "pinnace/promote/prod/shop", map[string]string{"NOTES.md": "by the way\n"})
			s.run()
		},
		act: func(s *stage) { s.says("/reseal") },
		done: func(s *stage) bool {
			_, there := s.repo.File(s.pullOf(1).Head.SHA, "NOTES.md")
			return !there
		},
	},
	"break-glass comment merges": {
		deploy: "auto", set: (*stage).asked,
		act:  func(s *stage) { s.says(`/break-glass "the shop is down"`) },
		done: func(s *stage) bool { return s.state() == promotion.Merged },
	},
	"approve-config comment passes": {
		deploy: "auto", set: (*stage).ruled, own: true,
		act:  func(s *stage) { s.says("/approve-config " + s.pullOf(s.number).Head.SHA) },
		done: func(s *stage) bool { return strings.HasPrefix(s.title("pinnace/config"), "success") },
	},
	"cancel comment closes": {
		deploy: "auto", set: (*stage).asked,
		act:  func(s *stage) { s.says("/cancel") },
		done: func(s *stage) bool { return s.state() == promotion.Closed },
	},
	"judge comment looks": {
		deploy: "auto", set: (*stage).asked, looks: true,
		act: func(s *stage) { s.says("/judge") },
	},
	"judge button looks": {
		deploy: "auto", set: (*stage).asked, looks: true,
		act: func(s *stage) {
			c, _ := s.checkAt(s.pullOf(1).Head.SHA, "pinnace/promotion")
			if err := s.repo.Rerequest(c.ID, s.who.login); err != nil {
				s.Fatal(err)
			}
		},
	},
	" review approves": {
		deploy: "command", set: (*stage).written,
		act: func(s *stage) {
			s.try("POST", fmt.Sprintf("/pulls/%d/reviews", s.number), map[string]any{"event": "APPROVE"})
		},
		done: func(s *stage) bool { return !strings.Contains(s.title("pinnace/promotion"), "0 of 1 approval") },
		but:  map[string]string{"author": "wrote a commit of it"},
	},
	" review requests": {
		deploy: "auto", set: (*stage).asked,
		act: func(s *stage) {
			s.try("POST", fmt.Sprintf("/pulls/%d/reviews", s.number), map[string]any{"event": "REQUEST_CHANGES", "body": "not yet"})
		},
		done: func(s *stage) bool { return strings.Contains(s.title("pinnace/promotion"), "requested changes") },
		but:  map[string]string{"service account": "has write, and to stop something takes no more"},
	},
	" merge merges": {
		deploy: "button", set: (*stage).approved,
		act: func(s *stage) {
			s.try("PUT", fmt.Sprintf("/pulls/%d/merge", s.number), map[string]any{"merge_method": "squash"})
		},
		done: func(s *stage) bool { return s.state() == promotion.Merged && len(s.incidents()) == 0 },
		but:  map[string]string{"approver": "approved it: that is reported"},
	},
	" close declines": {
		deploy: "auto", set: (*stage).asked,
		act: func(s *stage) {
			s.try("PATCH", fmt.Sprintf("/pulls/%d", s.number), map[string]any{"state": "closed"})
		},
		done: func(s *stage) bool { return s.state() == promotion.Closed },
	},
}

// keyOf names the trial of a way.
func keyOf(w command.Way) string {
	does, _, _ := strings.Cut(w.What, " ")
	return string(w.Verb) + " " + w.Door + " " + strings.TrimRight(does, ":,;")
}

// Every way to act is open to those whom the table names, and to nobody else. A way without a
// trial fails, and so does a trial without a way.
func TestWays(t *testing.T) {
	roles := map[string][]string{}
	for _, w := range command.Ways() {
		roles[keyOf(w)] = append(roles[keyOf(w)], w.Role)
	}
	for key := range trials {
		if roles[key] == nil {
			t.Errorf("%q is no way to act", key)
		}
	}
	for key, roles := range roles {
		x, ok := trials[key]
		if !ok {
			t.Errorf("nobody tries the way %q", key)
			continue
		}
		t.Run(strings.TrimSpace(key), func(t *testing.T) {
			// Those who may not act after each other, since nothing comes of it, and each of the
			// others in a world of their own.
			var shared *stage
			for _, who := range agents {
				if x.may(who, roles) {
					continue
				}
				if shared == nil || x.own {
					shared = newStage(t, who, x.deploy)
					x.set(shared)
				}
				shared.who = who
				shared.acts(x, false)
			}
			for _, who := range agents {
				if x.may(who, roles) {
					s := newStage(t, who, x.deploy)
					x.set(s)
					s.acts(x, true)
				}
			}
		})
	}
}

// may says whether an agent may do what is tried.
func (x trial) may(who agent, roles []string) bool {
	if x.looks {
		return false // nobody changes anything by it
	}
	may := slices.ContainsFunc(roles, func(role string) bool {
		return slices.Contains(who.holds, role) || role == "anyone" && who.write
	})
	return may != (x.but[who.what] != "")
}

// acts lets the agent act, and asks whether anything came of it.
func (s *stage) acts(x trial, want bool) {
	s.Helper()
	refs, pulls := len(s.repo.Refs()), len(s.repo.PullRequests())
	x.act(s)
	s.run()
	switch {
	case x.looks:
		if len(s.repo.Refs()) != refs || len(s.repo.PullRequests()) != pulls || s.state() != promotion.Open {
			s.Errorf("by the %s: something changed", s.who.what)
		}
	case x.done(s) != want:
		s.Errorf("by the %s: %t, want %t", s.who.what, !want, want)
	}
	writes := s.Writes()
	if s.run(); s.Writes() != writes {
		s.Errorf("after the %s, a run at rest wrote %d times", s.who.what, s.Writes()-writes)
	}
	if v := s.Violations(); len(v) > 0 {
		s.Error(v)
	}
}

// The App's key merges what holds, and is nobody who could say /deploy.
func TestWaysOfTheKey(t *testing.T) {
	s := newStage(t, agents[slices.IndexFunc(agents, func(a agent) bool { return a.what == "deployer" })], "command")
	s.approved()
	for _, want := range []struct {
		action verdict.Action
		reason string
	}{{verdict.Judged, ""}, {verdict.Merged, ""}} {
		out, err := s.steward().Judge.Run(context.Background(), s.number)
		if err != nil {
			t.Fatal(err)
		}
		if c := out.Cases[0]; c.Action != want.action || c.Reason != want.reason {
			t.Errorf("%s, %q, and %s, want %s", c.Action, c.Reason, c.Decision.Summary, want.action)
		}
		if s.state() == promotion.Open {
			s.says("/deploy")
		}
	}
}
