package verdict_test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// The checker knows nothing of Pinnace's code. It reads the files that the simulation wrote, by
// lines, and what people did, which the play noted as it happened.

// A place is one image of a file.
type place struct{ name, ref string }

// images reads the images of a file, and what is left of it without them.
func images(text string) (all []place, rest string) {
	lines := strings.Split(text, "\n")
	in := -1 // of all: the entry of a kustomization
	for i, l := range lines {
		before, key, v, behind := span(l)
		switch {
		case key == "image":
			name, _, _ := strings.Cut(v, ":")
			all = append(all, place{name, v})
		case key == "- name" && strings.HasPrefix(v, "ghcr.io/"):
			in = len(all)
			all = append(all, place{v, v})
			continue
		case key == "newTag" && in >= 0:
			all[in].ref += ":" + v
		case key == "digest" && in >= 0:
			all[in].ref += "@" + v
		default:
			continue
		}
		lines[i] = before + "{}" + behind
	}
	return all, strings.Join(lines, "\n")
}

// span cuts the value of a key that may be an image's out of a line, without its quotes.
func span(line string) (before, key, value, behind string) {
	m := spanLine.FindStringSubmatch(line)
	if m == nil {
		return line, "", "", ""
	}
	return m[1], m[2], m[3], m[4]
}

var spanLine = regexp.MustCompile(`^( *(image|- name|newTag|digest):[ ]+["']?)([^\s"']+)(.*)$`)

// A change is one image that a commit changes.
type change struct {
	path     string
	n        int
	old, new place
}

func (p *play) scan(at, path string) []place {
	key := at + " " + path
	if all, ok := p.scans[key]; ok {
		return all
	}
	text, _ := p.repo.File(at, path)
	all, _ := images(text)
	p.scans[key] = all
	return all
}

// changes are the images that differ between two commits.
func (p *play) changes(from, to string) []change {
	var out []change
	for _, path := range p.paths {
		if !strings.HasPrefix(path, "envs/") {
			continue
		}
		before, after := p.scan(from, path), p.scan(to, path)
		for n := range max(len(before), len(after)) {
			c := change{path: path, n: n}
			if n < len(before) {
				c.old = before[n]
			}
			if n < len(after) {
				c.new = after[n]
			}
			if c.old != c.new {
				out = append(out, c)
			}
		}
	}
	return out
}

// elsewhere names the first file that differs between two commits in more than images.
func (p *play) elsewhere(from, to string) string {
	for _, path := range p.paths {
		a, had := p.repo.File(from, path)
		b, has := p.repo.File(to, path)
		_, restA := images(a)
		_, restB := images(b)
		if had != has || restA != restB || !strings.HasPrefix(path, "envs/") && a != b {
			return path
		}
	}
	return ""
}

// commit returns what is known of a commit.
func (p *play) commit(sha string) sandbox.Commit {
	if _, ok := p.commits[sha]; !ok {
		for _, c := range p.repo.Log(sha) {
			if _, ok := p.commits[c.SHA]; ok {
				break
			}
			p.commits[c.SHA] = c
		}
	}
	return p.commits[sha]
}

// trunk lists the first parents from a commit.
func (p *play) trunk(sha string) []string {
	var out []string
	for sha != "" {
		out = append(out, sha)
		parents := p.commit(sha).Parents
		if len(parents) == 0 {
			break
		}
		sha = parents[0]
	}
	return out
}

// forked is the newest commit that a head stands upon of those that main had at one of its own.
func (p *play) forked(head, main string) string {
	held := map[string]bool{}
	todo := []string{head}
	for len(todo) > 0 {
		sha := todo[0]
		todo = todo[1:]
		if !held[sha] {
			held[sha] = true
			todo = append(todo, p.commit(sha).Parents...)
		}
	}
	for _, sha := range p.trunk(main) {
		if held[sha] {
			return sha
		}
	}
	return head
}

// content is what a pull request changes, as reviews are bound to it.
func (p *play) content(q promotion.PullRequest) string {
	return p.proposal(q).content
}

// proposal is the claim of an open pull request.
func (p *play) proposal(q promotion.PullRequest) claim {
	tip := p.repo.Tip("main")
	return p.claimOf(q, tip, p.changes(p.forked(q.Head.SHA, tip), q.Head.SHA))
}

// difference is what differs between two commits: the lines that only one of them has.
func (p *play) difference(from, to string) string {
	var out strings.Builder
	for _, path := range p.paths {
		a, _ := p.repo.File(from, path)
		b, _ := p.repo.File(to, path)
		if a == b {
			continue
		}
		fmt.Fprintf(&out, "\n%s", path)
		old, now := strings.Split(a, "\n"), strings.Split(b, "\n")
		for _, l := range old {
			if i := slices.Index(now, l); i >= 0 {
				now = slices.Delete(now, i, i+1)
			} else {
				fmt.Fprintf(&out, "\n-%s", l)
			}
		}
		for _, l := range now {
			fmt.Fprintf(&out, "\n+%s", l)
		}
	}
	return out.String()
}

// A claim is that something may come, or might have come, to main.
type claim struct {
	pull    promotion.PullRequest
	base    string // the commit of main that it comes upon
	changes []change
	content string // that reviews are bound to: the images, and by hand the whole difference
	request string
}

func (p *play) claimOf(q promotion.PullRequest, base string, all []change) claim {
	c := claim{pull: q, base: base, changes: all, content: fmt.Sprint(all)}
	if q.Number != 0 && !isOurs(q) {
		c.content += p.difference(p.forked(q.Head.SHA, base), q.Head.SHA)
	}
	if isOurs(q) {
		for _, l := range strings.Split(p.commit(q.Head.SHA).Message, "\n") {
			if id, ok := strings.CutPrefix(l, "Pinnace-Request: "); ok {
				c.request = id
			}
		}
	}
	return c
}

func envOf(path string) string { return strings.Split(path, "/")[1] }

var (
	countLine = regexp.MustCompile(`approverCount: \d+\nunknownBuilder`)
	countOnly = regexp.MustCompile(`(?m)^approverCount: (\d+)$`)
)

// count is how many approvals the policy of an environment asks for, as of a commit of main.
func (p *play) count(at, env string) (int, bool) {
	text, ok := p.repo.File(at, ".pinnace/policies/"+env+".yaml")
	if !ok {
		return 0, false
	}
	n, _ := strconv.Atoi(countOnly.FindStringSubmatch(text)[1])
	return n, true
}

func (p *play) governed(all []change) bool {
	return slices.ContainsFunc(all, func(c change) bool { _, ok := p.v.count[envOf(c.path)]; return ok })
}

// promoter says whether a person may approve now.
func (p *play) promoter(i int) bool {
	listed := slices.Contains([]string{"carol", "dave", "erin"}, p.cast[i])
	if p.v.team {
		listed = p.team[i]
	}
	return p.roles[i] == promotion.PermissionAdmin || listed && p.roles[i].AtLeast(promotion.PermissionWrite)
}

// person finds the account of a number in the cast, -1 where it is none's.
func (p *play) person(id int64) int {
	for i := range p.cast {
		if p.id(i) == id {
			return i
		}
	}
	return -1
}

// An approval is one that counts.
type approval struct {
	by int
	at time.Time
}

// heard reads the reviews of a claim: who approves exactly that, and who stands in its way.
func (p *play) heard(c claim) (yes []approval, vetoes []string) {
	latest := map[int64]promotion.Review{}
	var order []int64
	for _, r := range p.repo.Reviews(c.pull.Number) {
		if r.State == promotion.Commented || r.State == promotion.Pending {
			continue
		}
		if _, ok := latest[r.Author.ID]; !ok {
			order = append(order, r.Author.ID)
		}
		latest[r.Author.ID] = r
	}
	asked := p.askers(c)
	for _, id := range order {
		r, i := latest[id], p.person(id)
		seen, known := p.reviews[r.ID]
		if i < 0 || !known {
			continue
		}
		if seen.objected {
			lifted := seen.dismissed != 0 && (seen.dismissed == id || !slices.Contains(asked, seen.dismissed))
			if (seen.standing || p.roles[i].AtLeast(promotion.PermissionWrite)) && !lifted {
				vetoes = append(vetoes, p.cast[i])
			}
			continue
		}
		switch {
		case seen.dismissed != 0, seen.content != c.content, !p.promoter(i), !p.now.Before(r.Submitted.Add(7 * 24 * time.Hour)):
		case r.State != promotion.Approved && !p.v.stale:
		case slices.Contains(asked, id) && (!p.v.asker || !isOurs(c.pull)):
		default:
			yes = append(yes, approval{i, r.Submitted})
		}
	}
	return yes, vetoes
}

// askers are those of whom it is certain that they asked.
func (p *play) askers(c claim) []int64 {
	if !isOurs(c.pull) {
		return []int64{c.pull.Author.ID}
	}
	if id, ok := p.asked[c.request]; ok {
		return []int64{id}
	}
	return nil
}

// unmet says which rule a claim breaks, "" for none. Who merges is not asked.
func (p *play) unmet(c claim) string {
	glass := slices.ContainsFunc(p.glasses[c.pull.Number], func(g said) bool {
		return p.roles[g.by] == promotion.PermissionAdmin && g.content == c.content
	})
	yes, vetoes := p.heard(c)
	var envs []string
	for _, x := range c.changes {
		if e := envOf(x.path); !slices.Contains(envs, e) {
			envs = append(envs, e)
		}
	}
	for _, e := range envs {
		needed, bound := p.count(c.base, e)
		if p.frozen(e) && !glass {
			return "a freeze of " + e
		}
		if !bound && !isOurs(c.pull) {
			continue
		}
		if len(vetoes) > 0 {
			return "the veto of " + strings.Join(vetoes, ", ")
		}
		rollback := strings.HasPrefix(c.pull.Head.Ref, "pinnace/rollback/")
		if rollback && p.v.rollback >= 0 {
			needed = min(needed, p.v.rollback)
		}
		if len(yes) < needed && !glass {
			return fmt.Sprintf("%d approvals where %d are needed in %s", len(yes), needed, e)
		}
		for _, x := range c.changes {
			if envOf(x.path) != e || x.new.name == "" {
				continue
			}
			if why := p.refuses(c, e, x, rollback, bound, glass); why != "" {
				return why
			}
		}
	}
	return ""
}

func (p *play) frozen(env string) bool {
	since := p.now.Sub(begin)
	return p.v.freeze && env == "prod" && since >= frozenFrom && since < frozenTo
}

// refuses says why one image may not come.
func (p *play) refuses(c claim, env string, x change, rollback, bound, glass bool) string {
	_, digest, _ := strings.Cut(x.new.ref, "@")
	if p.gone[digest] {
		return x.new.ref + " is in no registry"
	}
	if strings.HasPrefix(c.pull.Head.Ref, "pinnace/update/") || strings.HasPrefix(c.request, "auto-") {
		if p.held(c.base, env, x) {
			return "a rollback holds " + env
		}
	}
	i := slices.Index(p.v.envs, env)
	if i == 0 || rollback {
		return ""
	}
	from := p.v.envs[i-1]
	stood, stands := p.stands(c.base, from, x)
	switch {
	case !stands && (!bound || p.v.sequential):
		return fmt.Sprintf("%s has not %s, and nothing gives leave for direct promotions", from, x.new.ref)
	case stands && stood < p.v.soak[env] && !glass && !p.isDirect(c):
		return fmt.Sprintf("%s has stood in %s for %s only", x.new.ref, from, stood)
	}
	return ""
}

// isDirect says whether a promotion was asked for by image.
func (p *play) isDirect(c claim) bool { return strings.HasPrefix(c.request, "cli-") }

// stands says how long an image has stood in an environment as of a commit of main. One that
// gave way to something that had not been there before counts as well, and nothing that was
// rolled back does.
func (p *play) stands(at, env string, x change) (stood time.Duration, ok bool) {
	until := p.now
	var instead []string // what came behind it, the newest first
	trunk := p.trunk(at)
	for i, sha := range trunk {
		here := p.runs(sha, env, x.new.name)
		if here == x.new.ref[strings.Index(x.new.ref, "@"):] {
			for _, older := range trunk[i:] {
				if there := p.runs(older, env, x.new.name); len(instead) > 0 && there == instead[0] {
					return 0, false
				}
			}
			for _, older := range trunk[i:] {
				if p.runs(older, env, x.new.name) != here {
					break
				}
				stood = until.Sub(p.arrived[older])
			}
			return stood, true
		}
		instead, until = append(instead, here), p.arrived[sha]
	}
	return 0, false
}

// runs returns the one digest of an image in an environment at a commit, "" for none or several.
func (p *play) runs(at, env, name string) string {
	digest := ""
	for _, path := range p.paths {
		if !strings.HasPrefix(path, "envs/"+env+"/") {
			continue
		}
		for _, y := range p.scan(at, path) {
			_, d, _ := strings.Cut(y.ref, "@")
			if y.name == name && digest != "" && digest != "@"+d {
				return ""
			}
			if y.name == name {
				digest = "@" + d
			}
		}
	}
	return digest
}

// held says whether the last thing that came to an image's place was a rollback.
func (p *play) held(at, env string, x change) bool {
	trunk := p.trunk(at)
	for i := 0; i+1 < len(trunk); i++ {
		moved := slices.ContainsFunc(p.changes(trunk[i+1], trunk[i]), func(c change) bool {
			return envOf(c.path) == env && c.new.name == x.new.name
		})
		if moved {
			return slices.ContainsFunc(p.repo.PullRequests(), func(q promotion.PullRequest) bool {
				return q.MergeCommit == trunk[i] && strings.HasPrefix(q.Head.Ref, "pinnace/rollback/") && q.MergedBy.ID == p.bot().ID
			})
		}
	}
	return false
}

// bot is the account that Pinnace acts as.
func (p *play) bot() promotion.Identity { return p.world.app.Bot() }

// deploys says whether Pinnace may merge a claim itself.
func (p *play) deploys(c claim) string {
	for _, x := range c.changes {
		mode := p.v.deploy[envOf(x.path)]
		if !isOurs(c.pull) && mode == "auto" {
			mode = "command"
		}
		if slices.ContainsFunc(p.glasses[c.pull.Number], func(g said) bool { return g.content == c.content && p.roles[g.by] == promotion.PermissionAdmin }) {
			continue
		}
		switch mode {
		case "button":
			return "a person presses the button in " + envOf(x.path)
		case "command":
			if !slices.ContainsFunc(p.orders[c.pull.Number], func(o said) bool { return p.ordered(c, o, envOf(x.path)) }) {
				return "nobody said /deploy for " + envOf(x.path)
			}
		}
	}
	return ""
}

// ordered says whether a /deploy counts.
func (p *play) ordered(c claim, o said, env string) bool {
	if !p.roles[o.by].AtLeast(promotion.PermissionWrite) || o.content != c.content {
		return false
	}
	needed, bound := p.count(c.base, env)
	if strings.HasPrefix(c.pull.Head.Ref, "pinnace/rollback/") && p.v.rollback >= 0 {
		needed = min(needed, p.v.rollback)
	}
	yes, _ := p.heard(c)
	// Whose approval may not count, since they asked for it as well, may deploy.
	request := strings.TrimPrefix(strings.TrimPrefix(c.pull.Head.Ref, "pinnace/promote/"), "pinnace/rollback/")
	before := 0
	for _, a := range yes {
		if a.by == o.by && !p.v.deployer && bound && needed > 0 && !slices.Contains(p.joined[request], a.by) {
			return false
		}
		if a.at.Before(o.at) {
			before++
		}
	}
	return before >= needed
}

// A bypass is a commit of main that changed images under policy, and that Pinnace did not merge.
type bypass struct {
	shas []string // several of a rebase
	must bool     // it is against the rules
	why  string
	more int // incidents that two Pinnaces, or the network, wrote twice
}

// doubled says whether a violation is of what GitHub has no way to write only once.
func doubled(violation string) bool {
	return strings.Contains(violation, "second check run") || strings.Contains(violation, "duplicate comment") || strings.Contains(violation, "second pull request")
}

// doubles counts what a disturbance wrote twice: after it nothing more may come.
func (p *play) doubles() {
	for i := range p.bypass {
		b := &p.bypass[i]
		if n := p.reports(b.shas...) - len(b.shas); n > b.more && (p.twinned || p.echo != nil && p.echo.issues) {
			b.more = n
			if p.echo != nil && n > 1 {
				p.fault("%s: a request that arrived twice led to %d incidents more", b.shas[0][:7], n)
			}
		}
	}
}

// reports counts the incidents that tell of commits.
func (p *play) reports(shas ...string) int {
	n := 0
	for _, issue := range p.repo.Issues() {
		for _, sha := range shas {
			if slices.Contains(issue.Labels, "pinnace-incident") && strings.Contains(issue.Body, sha) {
				n++
			}
		}
	}
	return n
}

// check holds what is there to the invariants that need no rest.
func (p *play) check() {
	p.arrivals()
	p.ownCommits()
	open := map[string]int{}
	for _, q := range p.pulls(isOpen) {
		key := q.Head.Ref + " to " + q.Base.Ref
		if open[key]++; open[key] > 1 && isOurs(q) {
			p.fault("several open pull requests from %s", key)
		}
	}
	all := p.Violations()
	for i, x := range all[p.reported:] {
		if p.twinned && doubled(x) || p.excused[p.reported+i] {
			continue
		}
		p.fault("%s", x)
	}
	p.reported = len(all)
}

// arrivals judges the commits that came to main.
func (p *play) arrivals() {
	tip := p.repo.Tip("main")
	if tip == p.tip {
		return
	}
	merged := map[string]promotion.PullRequest{}
	for _, q := range p.repo.PullRequests() {
		if q.State == promotion.Merged {
			merged[q.MergeCommit] = q
		}
	}
	trunk := p.trunk(tip)
	fresh := trunk[:max(slices.Index(trunk, p.tip), 0)]
	if len(fresh) == 0 {
		p.fault("the history of main was rewritten")
	}
	for _, sha := range fresh {
		p.arrived[sha] = p.now
	}
	last := p.tip
	p.tip = tip
	var group []string
	for i, sha := range slices.Backward(fresh) {
		q, ok := merged[sha]
		group = append(group, sha)
		later := i > 0 && merged[fresh[0]].Number != 0 && !p.isBot(merged[fresh[0]].MergedBy)
		var next promotion.PullRequest // the first one merged behind it
		for n := i - 1; n >= 0 && next.Number == 0; n-- {
			next = merged[fresh[n]]
		}
		if !ok && (later || p.rebased(sha, next)) {
			continue // of a rebase
		}
		p.arrival(q, last, group)
		last, group = sha, nil
	}
}

// rebased says whether a commit of main is one of a change by hand, whose last one came behind it.
func (p *play) rebased(sha string, q promotion.PullRequest) bool {
	x := p.commit(sha)
	return q.Number != 0 && !isOurs(q) && slices.ContainsFunc(p.repo.Log(q.Head.SHA), func(c sandbox.Commit) bool {
		return strings.TrimSpace(c.Message) == strings.TrimSpace(x.Message) && c.AuthorName == x.AuthorName
	})
}

// isBot says whether Pinnace, or the merge queue, merges as an account.
func (p *play) isBot(who promotion.Identity) bool { return who.Bot }

func (p *play) arrival(q promotion.PullRequest, before string, group []string) {
	sha := group[len(group)-1]
	all := p.changes(before, sha)
	c := p.claimOf(q, before, all)
	if q.Number != 0 && p.ruling(before, sha) {
		p.ruled++
		if why := p.unguarded(q, before); why != "" && (p.isBot(q.MergedBy) || p.pressed[q.Number] && !p.guarded[q.Number]) {
			p.fault("#%d changes the rules, and was merged by a green check: %s", q.Number, why)
		}
	}
	why := "it was pushed"
	if q.Number != 0 {
		why = p.unmet(c)
	}
	if !p.isBot(q.MergedBy) {
		if p.governed(all) {
			p.bypass = append(p.bypass, bypass{shas: group, must: q.Number == 0 || why != "" && !p.passed[q.Number], why: why})
		}
		return
	}
	p.tell("   -> #%d merged as %s", q.Number, sha[:7])
	p.merges++
	for _, x := range all {
		if n, ok := p.count(before, envOf(x.path)); ok && n > 0 {
			p.approved++
			break
		}
	}
	if why != "" {
		p.fault("#%d was merged against %s", q.Number, why)
	}
	if q.MergedBy.ID == p.bot().ID {
		if why := p.deploys(c); why != "" {
			p.fault("#%d was merged by Pinnace: %s", q.Number, why)
		}
	}
	if !isOurs(q) {
		return
	}
	if path := p.elsewhere(before, sha); path != "" {
		p.fault("the merge of #%d changes more than images: %s", q.Number, path)
	}
	if sealed := p.changes(p.commit(q.Head.SHA).Parents[0], q.Head.SHA); fmt.Sprint(sealed) != fmt.Sprint(all) {
		p.fault("the merge of #%d changes %v, and its head %v", q.Number, all, sealed)
	}
}

// ownCommits holds what Pinnace wrote to its promise: nothing but images.
func (p *play) ownCommits() {
	refs := p.repo.Refs()
	for _, q := range p.repo.PullRequests() {
		sha := refs["refs/heads/"+q.Head.Ref]
		if !isOurs(q) || sha == "" || p.checked[sha] {
			continue
		}
		c := p.commit(sha)
		if !strings.Contains(c.AuthorEmail, "pinnace") || len(c.Parents) != 1 {
			continue
		}
		p.checked[sha] = true
		if path := p.elsewhere(c.Parents[0], sha); path != "" {
			p.fault("commit %s on %s changes more than images: %s", sha[:7], q.Head.Ref, path)
		}
	}
}

// ruling says whether the rules differ between two commits.
func (p *play) ruling(from, to string) bool {
	return slices.ContainsFunc(p.paths, func(path string) bool {
		a, _ := p.repo.File(from, path)
		b, _ := p.repo.File(to, path)
		return strings.HasPrefix(path, ".pinnace/") && a != b
	})
}

// unguarded says why a change of the rules may not come to main, "" where it may: an admin who
// wrote none of it has approved its very head, or the one admin who wrote it said so.
func (p *play) unguarded(q promotion.PullRequest, base string) string {
	fork := p.forked(q.Head.SHA, base)
	if len(p.changes(fork, q.Head.SHA)) > 0 {
		return "it changes images as well"
	}
	held := map[string]bool{}
	for _, c := range p.repo.Log(fork) {
		held[c.SHA] = true
	}
	authors := map[int]bool{p.person(q.Author.ID): true}
	for _, c := range p.repo.Log(q.Head.SHA) {
		if i, ok := p.names[c.AuthorName]; ok && !held[c.SHA] {
			authors[i] = true
		}
	}
	lapsed := func(at time.Time) bool { return !p.now.Before(at.Add(7 * 24 * time.Hour)) }
	_, vetoes := p.heard(claim{pull: q})
	if len(vetoes) > 0 {
		return "the veto of " + strings.Join(vetoes, ", ")
	}
	for _, r := range p.repo.Reviews(q.Number) {
		seen, known := p.reviews[r.ID]
		i := p.person(r.Author.ID)
		if known && i >= 0 && r.State == promotion.Approved && !seen.objected && seen.dismissed == 0 && seen.head == q.Head.SHA &&
			p.roles[i] == promotion.PermissionAdmin && !authors[i] && !lapsed(r.Submitted) {
			return ""
		}
	}
	admins := 0
	for _, role := range p.roles {
		if role == promotion.PermissionAdmin {
			admins++
		}
	}
	for _, c := range p.configs[q.Number] {
		if admins == 1 && p.roles[c.by] == promotion.PermissionAdmin && authors[c.by] && c.content == q.Head.SHA && !lapsed(c.at) {
			return ""
		}
	}
	return "no admin approved its head"
}

// green says whether a check at the head of a pull request is green.
func (p *play) green(q promotion.PullRequest, name string) bool {
	return slices.ContainsFunc(p.repo.Checks(q.Head.SHA), func(c promotion.CheckRun) bool {
		return c.Name == name && c.App == p.world.app.ID() && c.Conclusion == "success"
	})
}

// settled holds what is there to the invariants behind a whole run.
func (p *play) settled() {
	p.check()
	for _, b := range p.bypass {
		n := p.reports(b.shas...)
		if n > len(b.shas)+b.more || n == 0 && b.must {
			p.fault("%s came to main although %s, and %d incidents tell of it", b.shas[0][:7], b.why, n)
		}
	}
	for _, q := range p.repo.PullRequests() {
		if q.State == promotion.Merged && p.isBot(q.MergedBy) && p.reports(q.MergeCommit) > 0 {
			p.fault("#%d was merged by the rules, and an incident tells of it", q.Number)
		}
	}
	p.look(false)
	busy := map[string]int{}
	tip := p.repo.Tip("main")
	for _, q := range p.pulls(isOpen) {
		if q.Base.Ref != "main" {
			continue
		}
		c := p.proposal(q)
		why := p.unmet(c)
		if p.ruling(p.forked(q.Head.SHA, tip), q.Head.SHA) && (p.green(q, "pinnace/promotion") || p.green(q, "pinnace/config")) {
			if why := p.unguarded(q, tip); why != "" {
				p.fault("#%d changes the rules, and its check is green: %s", q.Number, why)
			}
		}
		if p.green(q, "pinnace/promotion") && p.governed(c.changes) {
			if why != "" {
				p.fault("the check of #%d is green against %s", q.Number, why)
			}
			button := slices.ContainsFunc(c.changes, func(x change) bool { return p.v.deploy[envOf(x.path)] == "button" })
			if !button && !p.v.queue {
				p.fault("the check of #%d stays green, and Pinnace is to merge it", q.Number)
			}
		}
		for _, kind := range []string{"update", "promotion", "rollback"} {
			prefix := "pinnace/" + strings.Replace(kind, "promotion", "promote", 1) + "/"
			if rest, ok := strings.CutPrefix(q.Head.Ref, prefix); ok && !p.isHeld(q) {
				if busy[rest]++; busy[rest] > 1 {
					p.fault("several open pull requests for %s are not held", rest)
				}
			}
		}
	}
}

// look notes which open pull requests meet the rules as Pinnace looks at them. Where it may not
// have come to its end, what it saw before may still be what it wrote.
func (p *play) look(broken bool) {
	tip := p.repo.Tip("main")
	for _, q := range p.pulls(isOpen) {
		p.passed[q.Number] = p.unmet(p.proposal(q)) == "" || broken && p.passed[q.Number]
		p.guarded[q.Number] = p.unguarded(q, tip) == "" || broken && p.guarded[q.Number]
	}
}

// isHeld says whether the check of a pull request tells that it waits for another one, or for a
// rollback; where something worse stands in its way as well, its title is of that. One with a
// commit of somebody else is nobody's turn.
func (p *play) isHeld(q promotion.PullRequest) bool {
	return slices.ContainsFunc(p.repo.Checks(q.Head.SHA), func(c promotion.CheckRun) bool {
		return c.Name == "pinnace/promotion" && c.Conclusion != "success" && (strings.Contains(strings.ToLower(c.Title+c.Summary+c.Text), "held by the ") || strings.Contains(c.Title, "seal is broken"))
	})
}
