package verdict_test

import (
	"bytes"
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
	case "repeat":
		switch s.c % 3 {
		case 0:
			p.usual(s)
		case 1:
			p.comment(1, p.who(s.b), fmt.Sprintf("/promote %s to %s", p.app1(s.a), p.env1(1+s.c%(len(p.v.envs)-1))))
		}
		p.pass(time.Minute)
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
		p.onPull(s.a, isOpen, func(q promotion.PullRequest) error { return p.updateBranch(q.Number, by) })
	case "foreign":
		p.onPull(s.a, isOpen, func(q promotion.PullRequest) error {
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
	case "approve-config":
		p.onPull(s.a, isOpen, func(q promotion.PullRequest) error { p.approveConfig(q, p.who(s.b), s.c%4 == 0); return nil })
	case "rules":
		p.rules(s)
	case "revise":
		p.revise(s)
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
		for id, seen := range p.reviews {
			if seen.by == i && !seen.looked {
				seen.standing = p.roles[i].AtLeast(promotion.PermissionWrite)
				p.reviews[id] = seen
			}
		}
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
		p.names[to] = i
	case "press":
		p.onPull(s.a, isOpen, func(q promotion.PullRequest) error { return p.press(q, by, s.c) })
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
		before, key, value, behind := span(l)
		switch {
		case key == "image" && strings.HasPrefix(value, "ghcr.io/acme/"+app+":"):
			lines[i] = before + "ghcr.io/acme/" + app + ":" + tag + "@" + digest + behind
		case key == "- name":
			inside = value == "ghcr.io/acme/"+app
		case inside && key == "newTag":
			lines[i] = before + tag + behind
		case inside && key == "digest":
			lines[i] = before + digest + behind
		}
	}
	return strings.Join(lines, "\n")
}

// press merges by the button, which is green.
func (p *play) press(q promotion.PullRequest, by string, n int) error {
	if q.Base.Ref != "main" || !p.green(q, "pinnace/promotion") {
		return fmt.Errorf("not green")
	}
	p.pressed[q.Number] = true
	_, err := p.repo.Merge(q.Number, by, []string{"merge", "squash", "rebase"}[n%3])
	if err != nil {
		p.pressed[q.Number] = false
	}
	return err
}

// approveConfig writes /approve-config, of the head or of another commit.
func (p *play) approveConfig(q promotion.PullRequest, by int, wrong bool) {
	sha := q.Head.SHA
	if wrong {
		sha = p.repo.Tip("main")
	}
	p.comment(q.Number, by, "/approve-config "+sha)
	p.configs[q.Number] = append(p.configs[q.Number], said{by, p.now, sha})
}

// review reviews, and remembers what was seen.
func (p *play) review(q promotion.PullRequest, by int, state promotion.ReviewState) error {
	seen := seenReview{by: by, content: p.content(q), head: q.Head.SHA, standing: p.roles[by].AtLeast(promotion.PermissionWrite), objected: state == promotion.ChangesRequested}
	id, err := p.repo.Review(q.Number, p.cast[by], state, "So I think.")
	if err == nil {
		p.reviews[id] = seen
	}
	return err
}

// rules is how a change of the rules goes: somebody opens it, an admin approves it or its
// author comments, and somebody presses the button; or something comes between.
func (p *play) rules(s step) {
	n := p.byHand(step{"by-hand-rules", s.a, s.b, s.c})
	if n == 0 || !p.whole(false) {
		return
	}
	p.pass(time.Minute)
	pull := func() promotion.PullRequest {
		return p.pulls(func(q promotion.PullRequest) bool { return q.Number == n })[0]
	}
	author := p.person(pull().Author.ID)
	by := p.who(s.a)
	switch s.c / 3 % 6 {
	case 0, 1:
		by = 0
		fallthrough
	case 2:
		p.tell("   %s approves #%d: %v", p.cast[by], n, p.review(pull(), by, promotion.Approved))
	case 3, 4:
		p.approveConfig(pull(), author, s.c/18%4 == 0)
	}
	if s.c/72%4 == 0 {
		p.meddle(pull().Head.Ref, p.cast[p.who(s.c/288)], s.c/1728)
		p.tell("   %s pushes to it", p.cast[p.who(s.c/288)])
	}
	if s.c/72%4 == 1 {
		p.tell("   a push of the same: %v", p.updateBranch(n, p.cast[p.who(s.c/288)]))
	}
	p.pass(time.Minute)
	if p.whole(false) && isOpen(pull()) {
		p.tell("   %s presses: %v", p.cast[by], p.press(pull(), p.cast[by], s.b))
	}
}

func (p *play) bypassed(s step) {
	env, app := p.env1(s.a), p.app1(s.b)
	p.write("main", p.cast[1+s.b%4], p.v.file(env, app), func(text string) string { return p.otherImage(text, app, s.c) })
	p.tell("   %s in %s", app, env)
}

// updateBranch merges main into a branch. Where main is moved on by fast-forward nobody does: its
// first parents would no longer be what main was, which is what the play reads.
func (p *play) updateBranch(number int, by string) error {
	if p.v.method == "fast-forward" {
		return nil
	}
	return p.repo.UpdateBranch(number, by)
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
	if words := strings.Fields(body); len(words) == 4 { // /promote APP to ENV, /rollback APP in ENV
		key := words[3] + "/" + words[1]
		p.joined[key] = append(p.joined[key], by)
	}
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
	p.joined[env+"/"+app] = append(p.joined[env+"/"+app], by)
	p.tell("   %s: %s to %s %s", p.cast[by], app, env, w.Image)
	if p.steer(w) {
		p.settled()
	}
}

// revise is a change by hand that is approved, gets another commit then, which is beside its
// images, and is to be deployed.
func (p *play) revise(s step) {
	n := p.byHand(step{"by-hand", s.a, s.b, len(p.v.envs) - 1})
	if n == 0 || !p.whole(false) {
		return
	}
	p.pass(time.Minute)
	i := slices.IndexFunc(p.repo.PullRequests(), func(q promotion.PullRequest) bool { return q.Number == n && isOpen(q) })
	if i < 0 {
		return
	}
	q := p.repo.PullRequests()[i]
	for by := range p.cast {
		if p.promoter(by) && p.id(by) != q.Author.ID {
			p.tell("   %s approves #%d: %v", p.cast[by], n, p.review(q, by, promotion.Approved))
		}
	}
	p.meddle(q.Head.Ref, p.cast[1+s.b%4], s.c/2*4+s.c%2)
	p.pass(time.Minute)
	if !p.whole(false) {
		return
	}
	p.pass(time.Minute)
	by := p.person(q.Author.ID)
	p.comment(n, by, "/deploy")
	p.orders[n] = append(p.orders[n], said{by, p.now, p.content(p.repo.PullRequests()[i])})
	p.whole(false)
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
				p.tell("   %s approves #%d: %v", p.cast[by], q.Number, p.review(q, by, promotion.Approved))
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
		return p.review(q, p.who(s.b), state)
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
				if err := p.review(q, by, promotion.ChangesRequested); err != nil {
					return err
				}
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

// byHand opens a pull request, and returns its number, 0 where there is nothing to change.
func (p *play) byHand(s step) int {
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
		by = p.cast[s.b%5]
		path = ".pinnace/policies/prod.yaml"
		edit = func(text string) string {
			return countLine.ReplaceAllString(text, fmt.Sprintf("approverCount: %d\nunknownBuilder", s.c%3))
		}
	}
	text, _ := p.repo.File("main", path)
	if edit(text) == text {
		p.tell("   nothing to change")
		return 0
	}
	p.write(branch, by, path, edit)
	n, err := p.repo.OpenPullRequest(by, "By hand", "", branch, "main")
	p.tell("   #%d by %s: %s: %v", n, by, path, err)
	return n
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
		URL: p.URL(), Tokens: github.StaticToken(github.Secret(token)), Spacing: -1, MaxWait: -1, Transport: door{p},
		Now: func() time.Time { return p.now }, Sleep: func(context.Context, time.Duration) error { return nil },
	})
	if err != nil {
		p.Fatal(err)
	}
	remote := s.Judge.Remote
	far := func(r promotion.Repository) git.Remote {
		x := remote(r)
		x.Transport = door{p}
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
type door struct{ p *play }

// An echo is a request that the network delivers twice.
type echo struct {
	due    bool // the request that is under way is the one
	when   int  // at once, and its first or its second answer arrives; before the next request; at the end
	later  func()
	issues bool // it opened an issue
}

// again delivers it again.
func (e *echo) again(p *play) {
	if e == nil || e.later == nil {
		return
	}
	again := e.later
	e.later = nil
	told := len(p.Violations())
	again()
	for i, x := range p.Violations()[told:] {
		if doubled(x) {
			p.excused[told+i] = true
		}
	}
}

func (d door) RoundTrip(r *http.Request) (*http.Response, error) {
	e := d.p.echo
	if e == nil {
		return d.serve(r)
	}
	if e.when != atTheEnd {
		e.again(d.p)
	}
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	answer, err := d.serve(r)
	if !e.due {
		return answer, err
	}
	e.due = false
	twin := r.Clone(context.WithoutCancel(r.Context()))
	twin.Body = io.NopCloser(bytes.NewReader(body))
	var second *http.Response
	e.later = func() {
		var failure error
		if second, failure = d.serve(twin); failure != nil {
			d.p.Errorf("repeat a request: %v", failure)
			return
		}
		e.issues = twin.Method == http.MethodPost && strings.HasSuffix(twin.URL.Path, "/issues")
		d.p.tell("   once more %s %s: %s", twin.Method, twin.URL.Path, second.Status)
	}
	if e.when == atOnce || e.when == instead {
		e.again(d.p)
	}
	if e.when == instead {
		return second, nil
	}
	return answer, err
}

// When a request is repeated.
const (
	atOnce   = iota
	instead  // at once, and the second answer arrives
	next     // before the next request
	atTheEnd // of the run
)

func (d door) serve(r *http.Request) (answer *http.Response, err error) {
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
	d.p.ServeHTTP(w, inside)
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
	for id, seen := range p.reviews {
		seen.looked = true
		p.reviews[id] = seen
	}
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
// after it, its answer is lost, it arrives twice, somebody pushes before it, or a second Pinnace
// runs.
func (p *play) disturbed(s step) {
	at := int32(1 + s.a%12)
	if s.verb == "repeat" {
		at = int32(1 + s.a%5)
	}
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
		case s.verb == "repeat":
			if p.echo.later == nil {
				p.echo.due = true
			}
		case s.verb == "race" || s.verb == "twin":
			return sandbox.Fault{Delay: func() {
				nested.Store(true)
				defer nested.Store(false)
				p.intrude(s, c)
			}}
		}
		return sandbox.Fault{}
	})
	p.twinned = s.verb == "twin"
	if s.verb == "repeat" {
		p.echo = &echo{when: s.b % 4}
	}
	round, err := p.pinnace(p.git).Run(context.Background())
	p.Inject(nil)
	p.echo.again(p)
	p.check()
	p.doubles()
	p.twinned, p.echo = false, nil
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
		p.onPull(s.b, isOpen, func(q promotion.PullRequest) error { return p.updateBranch(q.Number, by) })
	default:
		p.onPull(s.b, isOpen, func(q promotion.PullRequest) error { p.meddle(q.Head.Ref, by, s.c/5); return nil })
	}
}
