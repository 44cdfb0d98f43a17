package verdict_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
	"github.com/pinnace-dev/pinnace/internal/verdict"
)

// A variant is what a world of the simulation is made of; its seed alone decides it.
type variant struct {
	envs       []string          // in the order of promoting
	apps       []string          // shop, and perhaps web
	deploy     map[string]string // by environment
	promote    map[string]string
	onNewer    map[string]string
	soak       map[string]time.Duration
	count      map[string]int // approverCount of the environments with a policy
	rollback   int            // its approverCount for rollbacks, -1 as else
	sequential bool           // policies govern no direct promotions
	asker      bool           // allowRequestFromApprove
	deployer   bool           // allowApproverFromDeploy
	team       bool           // promoters are a team
	track      bool           // dev follows versions
	method     string
	required   bool // the check is required
	stale      bool // pushes dismiss approvals
	current    bool // branches must be up to date
	queue      bool
	freeze     bool // of the last environment, from the 6th to the 30th hour
	layout     string
	quoted     bool // images stand in quotes, with comments behind them
}

var begin = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

const (
	frozenFrom = 6 * time.Hour
	frozenTo   = 30 * time.Hour
)

func pick[T any](r *rand.Rand, all ...T) T { return all[r.IntN(len(all))] }

// one says yes once in n times.
func one(r *rand.Rand, n int) bool { return r.IntN(n) == 0 }

func newVariant(seed uint64) variant {
	r := rand.New(rand.NewPCG(seed, 2))
	v := variant{
		envs: []string{"dev", "staging", "prod"}, apps: []string{"shop"}, deploy: map[string]string{}, promote: map[string]string{},
		onNewer: map[string]string{}, soak: map[string]time.Duration{}, count: map[string]int{}, rollback: -1,
	}
	if one(r, 2) {
		v.envs = []string{"dev", "prod"}
	}
	if one(r, 2) {
		v.apps = append(v.apps, "web")
	}
	for i, e := range v.envs {
		v.deploy[e] = pick(r, "auto", "auto", "auto", "command", "button")
		v.onNewer[e] = pick(r, "queue", "update", "supersede")
		if i == 0 {
			continue
		}
		if one(r, 3) {
			v.promote[e] = "auto"
		}
		if one(r, 5) {
			v.soak[e] = 2 * time.Hour
		}
		if e == "prod" || one(r, 3) {
			v.count[e] = pick(r, 0, 1, 1, 1, 2)
		}
	}
	if one(r, 3) {
		v.rollback = r.IntN(2)
	}
	v.sequential, v.asker, v.deployer, v.team = one(r, 3), one(r, 4), one(r, 2), one(r, 2)
	v.track = one(r, 2)
	v.method = pick(r, "squash", "squash", "merge", "rebase", "fast-forward")
	v.required, v.stale, v.current = one(r, 2), one(r, 5), one(r, 6)
	v.freeze = one(r, 5)
	v.layout = pick(r, "files", "files", "shared", "kustomize")
	if v.method != "fast-forward" && one(r, 6) {
		v.queue, v.required, v.method = true, true, "squash"
	}
	v.quoted = one(r, 2)
	return v
}

// files are those of the first commit.
func (v variant) files() map[string]string {
	var c strings.Builder
	c.WriteString("apiVersion: pinnace.dev/v1alpha1\nkind: Config\nenvironments:\n")
	out := map[string]string{"README.md": "Our clusters.\n"}
	for i, e := range v.envs {
		fmt.Fprintf(&c, "  - name: %s\n    paths: [\"envs/%s/**\"]\n    deploy: %s\n    onNewer: %s\n", e, e, v.deploy[e], v.onNewer[e])
		if i > 0 {
			fmt.Fprintf(&c, "    after: [%s]\n", v.envs[i-1])
		} else if v.track {
			c.WriteString("    track:\n      - {images: [\"ghcr.io/acme/*\"], semver: \"1.x\"}\n")
		}
		if v.promote[e] != "" {
			fmt.Fprintf(&c, "    promote: %s\n", v.promote[e])
		}
		if v.soak[e] > 0 {
			fmt.Fprintf(&c, "    soak: %dh\n", v.soak[e]/time.Hour)
		}
		if n, ok := v.count[e]; ok {
			out[".pinnace/policies/"+e+".yaml"] = v.policy(e, n)
		}
		var shared strings.Builder
		for _, app := range v.apps {
			tag := "1.1.0"
			if i == len(v.envs)-1 {
				tag = "1.0.0"
			}
			text := strings.ReplaceAll(deployment("{"+app+":"+tag+"}"), "shop}", app+"}")
			text = strings.ReplaceAll(text, "name: shop\n", "name: "+app+"\n") + "          env: []\n# the end\n"
			q := ""
			if v.quoted {
				q = `"`
				text = strings.ReplaceAll(text, "{"+app+":"+tag+"}", `  "{`+app+":"+tag+`}"   # of `+e)
			}
			switch v.layout {
			case "shared":
				if shared.Len() > 0 {
					shared.WriteString("---\n")
				}
				shared.WriteString(text)
			case "kustomize":
				out["base/"+app+".yaml"] = strings.ReplaceAll(text, "{"+app+":"+tag+"}", "{"+app+":1.0.0}")
				if shared.Len() == 0 {
					shared.WriteString("resources:\n")
					for _, a := range v.apps {
						shared.WriteString("  - ../../base/" + a + ".yaml\n")
					}
					shared.WriteString("images:\n")
				}
				fmt.Fprintf(&shared, "  - name: ghcr.io/acme/%s\n    newTag: %s%s%s\n    digest:  %s<%s:%s>%s # %s\n", app, q, tag, q, q, app, tag, q, e)
			default:
				out["envs/"+e+"/"+app+".yaml"] = text
			}
		}
		switch v.layout {
		case "shared":
			out["envs/"+e+"/apps.yaml"] = shared.String()
		case "kustomize":
			out["envs/"+e+"/kustomization.yaml"] = shared.String() + "# the end\n"
		}
	}
	if v.team {
		c.WriteString("roles:\n  promoter: {teams: [acme/release]}\n")
	} else {
		c.WriteString("roles:\n  promoter: {users: [carol, dave, erin]}\n")
	}
	fmt.Fprintf(&c, "merge: {method: %s}\n", v.method)
	out[".pinnace/config.yaml"] = c.String()
	if v.freeze {
		out[".pinnace/freeze.yaml"] = fmt.Sprintf("apiVersion: pinnace.dev/v1alpha1\nkind: Freeze\nname: night\nenvironments: [prod]\nwindow: {from: \"%s\", to: \"%s\"}\nreason: Nobody is there\nowner: ada\n",
			begin.Add(frozenFrom).Format(time.RFC3339), begin.Add(frozenTo).Format(time.RFC3339))
	}
	return out
}

func (v variant) policy(env string, count int) string {
	text := fmt.Sprintf("apiVersion: pinnace.dev/v1alpha1\nkind: ImagePromotionPolicy\nname: %s\napproverCount: %d\nunknownBuilder: ignore\nallowRequestFromApprove: %v\nallowApproverFromDeploy: %v\n", env, count, v.asker, v.deployer)
	if v.sequential {
		text += "promotions: [sequential]\n"
	}
	if v.rollback >= 0 {
		text += fmt.Sprintf("rollback:\n  approverCount: %d\n", v.rollback)
	}
	return text + "applyTo: [{env: " + env + "}]\n"
}

// file is where the image of an app stands in an environment.
func (v variant) file(env, app string) string {
	switch v.layout {
	case "shared":
		return "envs/" + env + "/apps.yaml"
	case "kustomize":
		return "envs/" + env + "/kustomization.yaml"
	}
	return "envs/" + env + "/" + app + ".yaml"
}

// A step is one thing that happens. Its numbers choose among what is there then, so that a
// schedule stays one when steps are left out.
type step struct {
	verb    string
	a, b, c int
}

func (s step) String() string { return fmt.Sprintf("%s(%d,%d,%d)", s.verb, s.a, s.b, s.c) }

// weights are how often each verb is drawn.
var weights = []struct {
	verb string
	n    int
}{
	{"run", 24},
	{"crash", 7},
	{"lose", 4},
	{"race", 5},
	{"snatch", 3},
	{"withdraw", 3},
	{"twin", 4},
	{"repeat", 5},
	{"unrelated", 4},
	{"beside", 4},
	{"bypass", 3},
	{"release", 5},
	{"move-tag", 1},
	{"delete-image", 1},
	{"usual", 9},
	{"promote", 10},
	{"wish", 6},
	{"direct", 3},
	{"rollback", 4},
	{"approve", 16},
	{"object", 4},
	{"remark", 2},
	{"dismiss", 4},
	{"update-branch", 3},
	{"foreign", 5},
	{"force", 2},
	{"reseal", 4},
	{"deploy", 8},
	{"cancel", 2},
	{"glass", 2},
	{"close", 2},
	{"reopen", 2},
	{"retarget", 1},
	{"permission", 3},
	{"team", 3},
	{"pass", 6},
	{"by-hand", 5},
	{"by-hand-other", 2},
	{"by-hand-rules", 1},
	{"rules", 4},
	{"revise", 3},
	{"approve-config", 2},
	{"rename", 1},
	{"press", 6},
	{"force-merge", 2},
	{"queue", 4},
}

func draw(seed uint64) []step {
	r := rand.New(rand.NewPCG(seed, 1))
	total := 0
	for _, w := range weights {
		total += w.n
	}
	var out []step
	for range 15 + r.IntN(26) {
		n := r.IntN(total)
		for _, w := range weights {
			if n -= w.n; n < 0 {
				out = append(out, step{w.verb, r.IntN(1 << 20), r.IntN(1 << 20), r.IntN(1 << 20)})
				break
			}
		}
	}
	return out
}

// A forge makes what Pinnace sees of GitHub another one.
type forge func(verdict.Forge) verdict.Forge

// A play is one schedule while it runs.
type play struct {
	*world
	v     variant
	wrap  forge
	cast  []string // logins of now; the place is the person
	roles []promotion.Permission
	team  []bool
	crew  *sandbox.Team

	log      []string
	faults   []string
	paths    []string // of every file that ever was
	images   map[string][]string
	asked    map[string]int64 // who asked, by the id of the request
	joined   map[string][]int // persons who ever asked for it, by ENV/APP: they may share an open request
	reviews  map[int64]seenReview
	orders   map[int][]said // /deploy, by pull request
	glasses  map[int][]said
	gone     map[string]bool // digests that were deleted
	arrived  map[string]time.Time
	twinned  bool         // two Pinnaces are at work at the same time
	excused  map[int]bool // violations that nobody but the network is to blame for
	echo     *echo
	merges   int // by Pinnace
	approved int // of those, where approvals are asked
	ruled    int // changes of the rules that were merged by a green check
	reported int // violations of the sandbox that were told

	tip     string
	checked map[string]bool // heads of ours whose bytes were compared
	commits map[string]sandbox.Commit
	scans   map[string][]place
	bypass  []bypass
	passed  map[int]bool // whether the rules held at the last whole run
	guarded map[int]bool // whether a change of the rules was approved at the last whole run

	configs map[int][]said // /approve-config, by pull request; the content is the commit
	pressed map[int]bool   // merged by the green button
	names   map[string]int // every login that ever was
}

// A seenReview is what a person saw when reviewing.
type seenReview struct {
	by        int
	content   string
	head      string
	standing  bool  // when Pinnace looked first: what a person may do is known of no earlier time
	looked    bool  // it did
	dismissed int64 // the person who dismissed it
	objected  bool
}

// A said is a comment that counts.
type said struct {
	by      int
	at      time.Time
	content string
}

// runSchedule runs a schedule in the world of its seed, and returns its log and what was broken;
// it ends at the first fault.
func runSchedule(t testing.TB, seed uint64, steps []step, wrap forge) *play {
	return runIn(t, newVariant(seed), steps, wrap)
}

func runIn(t testing.TB, v variant, steps []step, wrap forge) *play {
	p := newPlay(t, v, wrap)
	defer p.Close()
	p.do(-1, step{verb: "run"})
	for i, s := range steps {
		if len(p.faults) > 0 {
			return p
		}
		p.do(i, s)
	}
	if len(p.faults) == 0 {
		p.do(len(steps), step{verb: "run", c: 0})
	}
	return p
}

func newPlay(t testing.TB, v variant, wrap forge) *play {
	w := &world{TB: t, now: begin, digests: map[string]string{}}
	p := &play{
		world: w, v: v, wrap: wrap, images: map[string][]string{}, asked: map[string]int64{}, joined: map[string][]int{}, reviews: map[int64]seenReview{},
		orders: map[int][]said{}, glasses: map[int][]said{}, gone: map[string]bool{}, arrived: map[string]time.Time{}, checked: map[string]bool{},
		commits: map[string]sandbox.Commit{}, scans: map[string][]place{}, passed: map[int]bool{}, guarded: map[int]bool{}, configs: map[int][]said{},
		excused: map[int]bool{}, pressed: map[int]bool{}, names: map[string]int{},
	}
	w.Sandbox = sandbox.New(sandbox.Options{Now: func() time.Time { return w.now }, Ours: func(c sandbox.Commit) bool { return strings.Contains(c.AuthorEmail, "pinnace") }})
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	w.Org("acme", "ada")
	for _, app := range []string{"shop", "web"} {
		for _, tag := range []string{"1.0.0", "1.1.0"} {
			p.release(app, tag)
		}
	}
	files := map[string]string{}
	for path, text := range v.files() {
		for image, d := range w.digests {
			text = strings.ReplaceAll(text, "<"+image+">", d)
		}
		files[path] = w.expand(text)
		p.paths = append(p.paths, path)
	}
	slices.Sort(p.paths)
	w.repo = w.Repository("acme", "config", sandbox.RepositoryOptions{Files: files})
	w.repo.Branch("release", "ada", w.repo.Tip("main"))
	p.cast = []string{"ada", "bob", "carol", "dave", "erin", "frank"}
	p.roles = []promotion.Permission{"admin", "write", "write", "write", "write", "read"}
	p.team = []bool{false, false, true, true, true, true}
	for i, login := range p.cast {
		w.User(login)
		p.names[login] = i
		if i > 0 {
			w.repo.Permission(login, p.roles[i])
		}
	}
	p.crew = w.Team("acme", "release", "carol", "dave", "erin", "frank")
	w.app = w.App(sandbox.AppOptions{Name: "Pinnace", Permissions: map[string]string{
		"contents": "write", "pull_requests": "write", "metadata": "read", "checks": "write", "issues": "write", "members": "read",
		"deployments": "read", "statuses": "read", "merge_queues": "write", "workflows": "write",
	}})
	w.app.Install("acme")
	w.git = git.NewMemory(git.Limits{})
	if v.required || v.stale || v.current {
		rules := promotion.Rules{DismissStale: v.stale, UpToDate: v.current, MergeQueue: v.queue}
		if v.queue {
			rules.MergeQueueMethod = "squash"
		}
		if v.required {
			rules.Checks = []promotion.RequiredCheck{{Context: "pinnace/promotion", App: w.app.ID()}}
		}
		w.repo.Protect("main", sandbox.Protection{Rules: rules, Bypass: []string{"ada"}})
	}
	w.repo.Issue("ada", "Requests", "Ask here.")
	p.tip = w.repo.Tip("main")
	p.arrived[p.tip] = p.now
	return p
}

// tell adds a line to the log, which does not depend on where the servers listen.
func (p *play) tell(format string, args ...any) {
	line := strings.ReplaceAll(fmt.Sprintf(format, args...), strings.TrimPrefix(p.URL(), "http://"), "github.test")
	p.log = append(p.log, strings.ReplaceAll(line, p.Registry(), "registry.test"))
}

func (p *play) fault(format string, args ...any) {
	p.faults = append(p.faults, fmt.Sprintf(format, args...))
	p.tell("BROKEN: "+format, args...)
}

// release pushes a version of an app.
func (p *play) release(app, tag string) {
	p.push(app + ":" + tag)
	p.images[app] = append(p.images[app], tag)
}
