package verdict_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/github"
	"github.com/pinnace-dev/pinnace/internal/plan"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
	"github.com/pinnace-dev/pinnace/internal/verdict"
)

// do lets one step happen, and checks every invariant behind it.
func (p *play) do(i int, s step) {
	p.pass(time.Minute)
	p.tell("%d %s %s", i, p.now.Format("02 15:04"), s)
	p.act(s)
	p.check()
}

func (p *play) app1(n int) string { return p.v.apps[n%len(p.v.apps)] }
func (p *play) env1(n int) string { return p.v.envs[n%len(p.v.envs)] }
func (p *play) who(n int) int     { return n % len(p.cast) }

// pulls are the pull requests that a test selects.
func (p *play) pulls(want func(promotion.PullRequest) bool) []promotion.PullRequest {
	return slices.DeleteFunc(p.repo.PullRequests(), func(q promotion.PullRequest) bool { return !want(q) })
}

func isOpen(q promotion.PullRequest) bool   { return q.State == promotion.Open }
func isClosed(q promotion.PullRequest) bool { return q.State == promotion.Closed }
func isOurs(q promotion.PullRequest) bool   { return strings.HasPrefix(q.Head.Ref, plan.Prefix) }

// onPull chooses an open pull request, and says which.
func (p *play) onPull(n int, want func(promotion.PullRequest) bool, do func(promotion.PullRequest) error) {
	all := p.pulls(want)
	if len(all) == 0 {
		p.tell("   none")
		return
	}
	q := all[n%len(all)]
	err := do(q)
	p.tell("   #%d %s: %v", q.Number, q.Head.Ref, err)
}

func (p *play) act(s step) {
	by := p.cast[p.who(s.b)]
	switch s.verb {
	case "run":
		p.whole(s.c%4 == 0)
	case "crash", "lose", "race", "twin":
		p.disturbed(s)
	case "snatch":
		p.usual(s)
		p.pass(time.Minute)
		p.disturbed(s)
	case "withdraw":
		p.usual(s)
		p.pass(time.Minute)
		if !p.whole(false) {
			return
		}
		p.pass(time.Minute)
		p.withdraw(s)
		p.whole(false)
	case "unrelated":
		p.write("main", by, "README.md", func(text string) string { return text + "More.\n" })
	case "beside":
		p.write("main", by, p.v.file(p.env1(s.a), p.app1(s.c)), besideImages)
	case "bypass":
		p.bypassed(s)
	case "release":
		app := p.app1(s.a)
		p.release(app, fmt.Sprintf("1.%d.0", len(p.images[app])))
	case "move-tag":
		app := p.app1(s.a)
		tags := p.images[app]
		from, to := tags[s.b%len(tags)], tags[s.c%len(tags)]
		p.tell("   %s:%s to that of %s: %v", app, from, to, p.MoveTag("acme/"+app+":"+from, p.digests[app+":"+to]))
	case "delete-image":
		app := p.app1(s.a)
		tags := p.images[app]
		d := p.digests[app+":"+tags[len(tags)-1]]
		p.gone[d] = true
		p.tell("   %s:%s: %v", app, tags[len(tags)-1], p.DeleteImage("acme/"+app, d))
	case "promote":
		p.comment(1, p.who(s.b), fmt.Sprintf("/promote %s to %s", p.app1(s.a), p.env1(1+s.c%(len(p.v.envs)-1))))
	case "usual":
		p.usual(s)
	case "rollback":
		p.comment(1, p.who(s.b), fmt.Sprintf("/rollback %s in %s", p.app1(s.a), p.env1(s.c)))
	case "wish", "direct":
		p.wish(s)
	case "approve", "object", "remark":
		p.opine(s)
	case "dismiss":
		p.dismiss(s)
	case "update-branch":
		p.onPull(s.a, isOpen, func(q promotion.PullRequest) error { return p.repo.UpdateBranch(q.Number, by) })
	case "foreign":
		p.onPull(s.a, func(q promotion.PullRequest) bool { return isOpen(q) && isOurs(q) }, func(q promotion.PullRequest) error {
			p.meddle(q.Head.Ref, by, s.c)
			return nil
		})
	case "force":
		p.onPull(s.a, func(q promotion.PullRequest) bool { return isOpen(q) && isOurs(q) }, func(q promotion.PullRequest) error {
			path := p.v.file(p.env1(s.c), p.app1(s.b))
			text, _ := p.repo.File("main", path)
			p.repo.ForcePush(q.Head.Ref, by, "Mine", "", map[string]string{path: p.otherImage(text, p.app1(s.b), s.c)})
			return nil
		})
	case "reseal", "cancel":
		p.onPull(s.a, isOpen, func(q promotion.PullRequest) error { p.comment(q.Number, p.who(s.b), "/"+s.verb); return nil })
	case "deploy":
		p.onPull(s.a, isOpen, func(q promotion.PullRequest) error {
			p.comment(q.Number, p.who(s.b), "/deploy")
			p.orders[q.Number] = append(p.orders[q.Number], said{p.who(s.b), p.now, p.content(q)})
			return nil
		})
	case "glass":
		p.onPull(s.a, isOpen, func(q promotion.PullRequest) error {
			p.comment(q.Number, p.who(s.b%2), `/break-glass "the shop is down"`)
			p.glasses[q.Number] = append(p.glasses[q.Number], said{p.who(s.b % 2), p.now, p.content(q)})
			return nil
		})
	case "close":
		p.onPull(s.a, isOpen, func(q promotion.PullRequest) error { p.repo.Close(q.Number, by); return nil })
	case "reopen":
		p.onPull(s.a, isClosed, func(q promotion.PullRequest) error { return p.repo.Reopen(q.Number, by) })
	case "retarget":
		p.onPull(s.a, isOpen, func(q promotion.PullRequest) error {
			to := "release"
			if q.Base.Ref == to {
				to = "main"
			}
			return p.repo.Retarget(q.Number, by, to)
		})
	case "permission":
		i := 1 + s.b%(len(p.cast)-1)
		p.roles[i] = []promotion.Permission{"read", "write", "maintain", "admin"}[s.c%4]
		p.repo.Permission(p.cast[i], p.roles[i])
		p.tell("   %s has %s", p.cast[i], p.roles[i])
	case "team":
		i := 1 + s.b%(len(p.cast)-1)
		if p.team[i] = !p.team[i]; p.team[i] {
			p.Team("acme", "release", p.cast[i])
		} else {
			p.crew.Remove(p.cast[i])
		}
		p.tell("   %s in it: %v", p.cast[i], p.team[i])
	case "pass":
		d := []time.Duration{time.Hour, 3 * time.Hour, 8 * time.Hour, 26 * time.Hour, 8 * 24 * time.Hour}[s.a%5]
		p.tell("   %s", d)
		p.pass(d)
	case "by-hand", "by-hand-other", "by-hand-rules":
		p.byHand(s)
	case "rename":
		i := p.who(s.b)
		if i == 0 {
			return // the owner's name stands in protections
		}
		to := p.cast[i] + "x"
		p.RenameUser(p.cast[i], to)
		p.cast[i] = to
	case "press":
		p.onPull(s.a, isOpen, func(q promotion.PullRequest) error {
			method := []string{"merge", "squash", "rebase"}[s.c%3]
			if q.Base.Ref != "main" || !p.green(q) {
				return fmt.Errorf("not green")
			}
			_, err := p.repo.Merge(q.Number, by, method)
			return err
		})
	case "force-merge":
		p.onPull(s.a, isOpen, func(q promotion.PullRequest) error {
			_, err := p.repo.MergeByForce(q.Number, "ada", []string{"merge", "squash", "rebase"}[s.c%3])
			return err
		})
	case "queue":
		if p.v.queue {
			p.whole(false)
			p.tell("   groups: %d", len(p.repo.FormGroups()))
			if p.whole(false) {
				p.tell("   landed: %v", p.repo.LandGroups())
			}
		}
	default:
		p.Fatalf("no verb %s", s.verb)
	}
}

// write commits a change of one file.
func (p *play) write(branch, by, path string, edit func(string) string) {
	at := branch
	if p.repo.Tip(branch) == "" {
		at = "main" // which it will be made from
	}
	text, _ := p.repo.File(at, path)
	p.repo.Commit(branch, by, "Change "+path, map[string]string{path: edit(text)})
}

// besideImages changes a file, and none of its images.
func besideImages(text string) string { return text + "# a note\n" }

// otherImage puts another version of an app into a file.
func (p *play) otherImage(text, app string, n int) string {
	tag := p.images[app][n%len(p.images[app])]
	digest := p.digests[app+":"+tag]
	lines := strings.Split(text, "\n")
	inside := false
	for i, l := range lines {
		switch trimmed := strings.TrimSpace(l); {
		case strings.HasPrefix(trimmed, "image: ghcr.io/acme/"+app+":"):
			lines[i] = l[:strings.Index(l, "image:")] + "image: ghcr.io/acme/" + app + ":" + tag + "@" + digest
		case strings.HasPrefix(trimmed, "- name: "):
			inside = trimmed == "- name: ghcr.io/acme/"+app
		case inside && strings.HasPrefix(trimmed, "newTag:"):
			lines[i] = "    newTag: " + tag
		case inside && strings.HasPrefix(trimmed, "digest:"):
			lines[i] = "    digest: " + digest
		}
	}
	return strings.Join(lines, "\n")
}

func (p *play) bypassed(s step) {
	env, app := p.env1(s.a), p.app1(s.b)
	p.write("main", p.cast[1+s.b%4], p.v.file(env, app), func(text string) string { return p.otherImage(text, app, s.c) })
	p.tell("   %s in %s", app, env)
}

// meddle puts a person's commit on a branch of Pinnace.
func (p *play) meddle(branch, by string, n int) {
	app := p.app1(n / 8)
	path := p.v.file(p.env1(n/4), app)
	switch n % 4 {
	case 0:
		p.write(branch, by, "README.md", besideImages)
	case 1:
		p.write(branch, by, path, besideImages)
	default:
		p.write(branch, by, path, func(text string) string { return p.otherImage(text, app, n/16) })
	}
}

// comment writes a comment, and remembers whom its requests are of.
func (p *play) comment(thread, by int, body string) {
	id := p.repo.Comment(thread, p.cast[by], body)
	p.tell("   %s on #%d: %s", p.cast[by], thread, body)
	for _, e := range p.v.envs {
		p.asked[fmt.Sprintf("comment-%d-1-%s", id, e)] = p.id(by)
	}
}

func (p *play) id(person int) int64 { return p.User(p.cast[person]).ID }

// wish asks at the command line.
func (p *play) wish(s step) {
	env, app, by := p.env1(s.a), p.app1(s.b), p.who(s.c)
	if s.verb == "wish" {
		env = p.env1(1 + s.a%(len(p.v.envs)-1))
	}
	w := verdict.Wish{ID: fmt.Sprintf("cli-%d", p.now.Unix()), Kind: promotion.Promotion, App: app, Env: env, By: []promotion.Identity{p.User(p.cast[by])}}
	if s.verb == "direct" {
		w.Image = "ghcr.io/acme/" + app + ":" + p.images[app][s.a%len(p.images[app])]
	}
	p.asked[w.ID] = p.id(by)
	p.tell("   %s: %s to %s %s", p.cast[by], app, env, w.Image)
	if p.steer(w) {
		p.settled()
	}
}

// usual is how it should go: somebody asks, and others approve.
func (p *play) usual(s step) {
	env, app := p.env1(1+s.a%(len(p.v.envs)-1)), p.app1(s.b)
	p.comment(1, 1+s.c%4, fmt.Sprintf("/promote %s to %s", app, env))
	if !p.whole(false) {
		return
	}
	p.pass(time.Minute)
	for _, q := range p.pulls(isOpen) {
		if q.Head.Ref != "pinnace/promote/"+env+"/"+app {
			continue
		}
		for i := range p.cast {
			if by := (i + s.c/4) % len(p.cast); p.promoter(by) && by != 1+s.c%4 {
				content := p.content(q)
				id, err := p.repo.Review(q.Number, p.cast[by], promotion.Approved, "")
				p.tell("   %s approves #%d: %v", p.cast[by], q.Number, err)
				p.reviews[id] = seenReview{content: content, standing: true}
				if i > 3 {
					break
				}
			}
		}
	}
}

func (p *play) opine(s step) {
	state := map[string]promotion.ReviewState{"approve": promotion.Approved, "object": promotion.ChangesRequested, "remark": promotion.Commented}[s.verb]
	p.onPull(s.a, isOpen, func(q promotion.PullRequest) error {
		by := p.who(s.b)
		content := p.content(q)
		id, err := p.repo.Review(q.Number, p.cast[by], state, "So I think.")
		if err == nil {
			p.reviews[id] = seenReview{content: content, standing: p.roles[by].AtLeast(promotion.PermissionWrite), objected: s.verb == "object"}
		}
		return err
	})
}

// withdraw takes back every approval of one of Pinnace's pull requests: it is dismissed, or its
// author asks for changes.
func (p *play) withdraw(s step) {
	approved := func(q promotion.PullRequest) bool {
		return isOpen(q) && isOurs(q) && slices.ContainsFunc(p.repo.Reviews(q.Number), func(r promotion.Review) bool { return r.State == promotion.Approved })
	}
	p.onPull(s.a, approved, func(q promotion.PullRequest) error {
		for _, r := range p.repo.Reviews(q.Number) {
			if by := p.person(r.Author.ID); r.State == promotion.Approved && s.c%2 == 0 {
				id, err := p.repo.Review(q.Number, p.cast[by], promotion.ChangesRequested, "I was wrong.")
				if err != nil {
					return err
				}
				p.reviews[id] = seenReview{objected: true, standing: p.roles[by].AtLeast(promotion.PermissionWrite)}
			} else if r.State == promotion.Approved {
				seen := p.reviews[r.ID]
				seen.dismissed = p.id(0)
				p.reviews[r.ID] = seen
				if err := p.repo.Dismiss(q.Number, r.ID, p.cast[0], "no longer"); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (p *play) dismiss(s step) {
	p.onPull(s.a, isOpen, func(q promotion.PullRequest) error {
		all := slices.DeleteFunc(p.repo.Reviews(q.Number), func(r promotion.Review) bool {
			return r.State != promotion.Approved && r.State != promotion.ChangesRequested
		})
		if len(all) == 0 {
			return nil
		}
		r := all[s.c%len(all)]
		seen := p.reviews[r.ID]
		seen.dismissed = p.id(p.who(s.b))
		p.reviews[r.ID] = seen
		p.tell("   %s dismisses %s of %s", p.cast[p.who(s.b)], r.State, r.Author.Login)
		return p.repo.Dismiss(q.Number, r.ID, p.cast[p.who(s.b)], "no longer")
	})
}

func (p *play) byHand(s step) {
	by := p.cast[1+s.b%4]
	branch := fmt.Sprintf("hand-%d", p.now.Unix())
	path := "README.md"
	edit := besideImages
	switch s.verb {
	case "by-hand":
		app := p.app1(s.a)
		path = p.v.file(p.env1(s.c), app)
		edit = func(text string) string { return p.otherImage(text, app, s.a) }
	case "by-hand-rules":
		path = ".pinnace/policies/prod.yaml"
		edit = func(text string) string {
			return countLine.ReplaceAllString(text, fmt.Sprintf("approverCount: %d\nunknownBuilder", s.c%3))
		}
	}
	text, _ := p.repo.File("main", path)
	if edit(text) == text {
		p.tell("   nothing to change")
		return
	}
	p.write(branch, by, path, edit)
	n, err := p.repo.OpenPullRequest(by, "By hand", "", branch, "main")
	p.tell("   #%d by %s: %s: %v", n, by, path, err)
}

// steer runs Pinnace once, in calm. It returns whether it came to its end.
func (p *play) steer(wishes ...verdict.Wish) bool {
	round, err := p.pinnace(p.git).Run(context.Background(), wishes...)
	if err != nil {
		p.fault("a run in calm failed: %v", err)
		return false
	}
	for _, line := range tell(round) {
		p.tell("   | %s", line)
	}
	for _, b := range round.Proposed.Bases {
		if b.Err != nil {
			p.fault("a run in calm failed: %v", b.Err)
		}
		for _, x := range b.Settled {
			if x.Err != nil {
				p.fault("%s in calm failed: %v", x.Branch, x.Err)
			}
		}
	}
	for _, c := range round.Cases() {
		if c.Err != nil {
			p.fault("#%d in calm failed: %v", c.PullRequest.Number, c.Err)
		}
	}
	return len(p.faults) == 0
}

func (p *play) pinnace(r *git.Repository) *verdict.Steward {
	s := p.steward()
	token := p.world.app.InstallationToken("acme")
	hub, err := github.New(github.Options{
		URL: p.URL(), Tokens: github.StaticToken(github.Secret(token)), Spacing: -1, MaxWait: -1, Transport: door{p.Sandbox},
		Now: func() time.Time { return p.now }, Sleep: func(context.Context, time.Duration) error { return nil },
	})
	if err != nil {
		p.Fatal(err)
	}
	remote := s.Judge.Remote
	far := func(r promotion.Repository) git.Remote {
		x := remote(r)
		x.Transport = door{p.Sandbox}
		return x
	}
	var f verdict.Forge = hub
	if p.wrap != nil {
		f = p.wrap(f)
	}
	s.Proposer.Git, s.Proposer.Forge, s.Proposer.Remote = r, f, far
	s.Judge.Git, s.Judge.Forge, s.Judge.Remote = r, f, far
	return s
}

// A door leads to a server in the same process, without a network.
type door struct{ http.Handler }

func (d door) RoundTrip(r *http.Request) (answer *http.Response, err error) {
	defer func() {
		if x := recover(); x == http.ErrAbortHandler {
			answer, err = nil, io.ErrUnexpectedEOF
		} else if x != nil {
			panic(x)
		}
	}()
	if r.Body == nil {
		r.Body = http.NoBody
	}
	defer r.Body.Close()
	inside := r.Clone(r.Context())
	inside.RequestURI = r.URL.RequestURI()
	w := httptest.NewRecorder()
	d.ServeHTTP(w, inside)
	answer = w.Result()
	answer.Request = r
	return answer, nil
}

// mostRuns is how many runs it may take to come to rest.
const mostRuns = 5

// whole runs Pinnace to its end and, where that is asked for, until it writes nothing.
func (p *play) whole(rest bool) bool {
	p.ForgetRequests()
	if !p.steer() {
		return false
	}
	for n := 1; rest && p.Writes() > 0; n++ {
		if n > mostRuns {
			p.fault("no rest after %d runs: %s", n, p.lastWrites())
			return false
		}
		p.ForgetRequests()
		if !p.steer() {
			return false
		}
	}
	p.settled()
	return len(p.faults) == 0
}

func (p *play) lastWrites() string {
	var out []string
	for _, q := range p.Requests() {
		if q.Write() {
			out = append(out, q.Method+" "+q.Path)
		}
	}
	return strings.Join(out, ", ")
}

// disturbed runs Pinnace while something happens at one of its writes: it crashes before or
// after it, its answer is lost, somebody pushes before it, or a second Pinnace runs.
func (p *play) disturbed(s step) {
	at := int32(1 + s.a%12)
	var writes atomic.Int32
	var nested atomic.Bool
	p.Inject(func(c sandbox.Call) sandbox.Fault {
		q := sandbox.Request{Method: c.Method, Route: c.Route}
		if s.verb == "snatch" && !nested.Load() && strings.HasSuffix(c.Path, "/merge") && writes.Swap(1) == 0 {
			return sandbox.Fault{Delay: func() {
				nested.Store(true)
				defer nested.Store(false)
				p.snatch(s, c)
			}}
		}
		if s.verb == "snatch" || nested.Load() || strings.HasPrefix(c.Route, "/v2") {
			return sandbox.Fault{}
		}
		n := writes.Load()
		if q.Write() {
			n = writes.Add(1)
		}
		switch {
		case s.verb == "crash" && n == at && q.Write() && s.b%2 == 0:
			return sandbox.Fault{After: sandbox.Hangup()}
		case s.verb == "crash" && n >= at:
			return sandbox.Fault{Before: sandbox.Hangup()}
		case n != at || !q.Write():
			return sandbox.Fault{}
		case s.verb == "lose":
			return sandbox.Fault{After: sandbox.Hangup()}
		case s.verb == "race" || s.verb == "twin":
			return sandbox.Fault{Delay: func() {
				nested.Store(true)
				defer nested.Store(false)
				p.intrude(s, c)
			}}
		}
		return sandbox.Fault{}
	})
	if s.verb == "twin" {
		p.twinned = true
	}
	round, err := p.pinnace(p.git).Run(context.Background())
	p.Inject(nil)
	p.check()
	p.look(true)
	p.tell("   at write %d of %d: %v", at, writes.Load(), err)
	if err == nil {
		for _, line := range tell(round) {
			p.tell("   | %s", line)
		}
	}
}

// snatch pushes to a pull request right before Pinnace merges it.
func (p *play) snatch(s step, c sandbox.Call) {
	for _, q := range p.pulls(isOpen) {
		if strings.HasSuffix(c.Path, fmt.Sprintf("/pulls/%d/merge", q.Number)) {
			p.meddle(q.Head.Ref, p.cast[p.who(s.b)], s.c/5)
			p.tell("   || push to #%d before its merge", q.Number)
		}
	}
}

// intrude is what happens at a write of Pinnace.
func (p *play) intrude(s step, c sandbox.Call) {
	p.tell("   before %s %s:", c.Method, c.Path)
	if s.verb == "twin" {
		round, err := p.pinnace(git.NewMemory(git.Limits{})).Run(context.Background())
		if err != nil {
			p.tell("   || %v", err)
			return
		}
		for _, line := range tell(round) {
			p.tell("   || %s", line)
		}
		return
	}
	by := p.cast[p.who(s.b)]
	switch s.c % 5 {
	case 0:
		p.write("main", by, "README.md", besideImages)
		p.tell("   || push to README.md")
	case 1:
		path := p.v.file(p.env1(s.b), p.app1(s.b))
		p.write("main", by, path, besideImages)
		p.tell("   || push to %s", path)
	case 2:
		p.onPull(s.b, isOpen, func(q promotion.PullRequest) error { return p.repo.UpdateBranch(q.Number, by) })
	default:
		p.onPull(s.b, isOpen, func(q promotion.PullRequest) error { p.meddle(q.Head.Ref, by, s.c/5); return nil })
	}
}
