package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pinnace-dev/pinnace/internal/document"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// Join lays a repository's set upon the organisation's. All documents of both hold. What the
// organisation's configuration says of environments, apps and roles can be tightened by the
// repository and never loosened: each attempt is an error, and then there is no Set. A nil
// floor is none.
func Join(floor, repo *Set) (*Set, Problems) {
	joined := &Set{
		Digests: slices.Clone(repo.Digests), Promotions: slices.Clone(repo.Promotions),
		Filters: slices.Clone(repo.Filters), Freezes: slices.Clone(repo.Freezes), World: repo.World,
	}
	if floor == nil {
		return joined, nil
	}
	j := joiner{floor: floor, repo: repo}
	j.environments()
	j.renamed()
	j.uncovered()
	j.apps()
	j.grants()
	j.direct()
	j.names()
	problems := j.problems.Tidy()
	if problems.HasErrors() {
		return nil, problems
	}
	joined.Digests = slices.Concat(floor.Digests, joined.Digests)
	joined.Filters = slices.Concat(floor.Filters, joined.Filters)
	joined.Freezes = slices.Concat(floor.Freezes, joined.Freezes)
	joined.Promotions = slices.Concat(j.extended(), joined.Promotions)
	joined.World.floor = &floor.World
	joined.World.Apps = j.sources()
	return joined, problems
}

type joiner struct {
	floor, repo *Set
	problems    Problems
}

func (j *joiner) problem(file string, line int, format string, args ...any) {
	p := Problem{File: file, Line: line, Message: fmt.Sprintf(format, args...) + ": the organisation's rules can be tightened only"}
	if line > 0 {
		p.Column = 1
	}
	j.problems = append(j.problems, p)
}

// environments holds each environment to what the organisation says of it.
func (j *joiner) environments() {
	theirs := j.floor.World.environmentNames()
	for _, f := range j.floor.World.Environments {
		e, ok := j.repo.World.environment(f.Name)
		if !ok {
			for _, e := range j.repo.World.Environments {
				switch {
				case slices.Contains(theirs, e.Name):
				case slices.ContainsFunc(e.Paths, func(p string) bool { return overlapsAny(f.Paths, p) }):
					j.problem(e.File, e.Line, "renamed environment: %s has the files of the organisation's %s: name it %s", e.Name, f.Name, f.Name)
				case f.Production && e.Production:
					j.problem(e.File, e.Line, "renamed environment: %s is a production environment, as the organisation's %s, which is not there: name it %s", e.Name, f.Name, f.Name)
				}
			}
			continue
		}
		if f.Production && !e.Production {
			j.problem(e.File, e.Line, "dropped production: the organisation marks %s as production: write production: true", f.Name)
		}
		for _, p := range f.Paths {
			if !slices.ContainsFunc(e.Paths, func(q string) bool { return inside(p, q) }) {
				j.problem(e.File, e.Line, "narrowed paths: %s leaves out the organisation's %s: add it to paths", f.Name, document.Quote(p))
			}
		}
		for _, a := range f.After {
			if !slices.Contains(e.After, a) {
				j.problem(e.File, e.Line, "dropped order: the organisation puts %s after %s: write after: [%s]", f.Name, a, strings.Join(f.After, ", "))
				break
			}
		}
		if len(f.After) > 0 && len(e.AfterAny) > 0 {
			j.problem(e.File, e.Line, "dropped order: the organisation puts %s after all of %s, and afterAny asks for one: delete afterAny", f.Name, list(f.After, "and"))
		}
		if len(f.AfterAny) > 0 && (len(e.AfterAny) == 0 && !slices.ContainsFunc(e.After, func(a string) bool { return slices.Contains(f.AfterAny, a) }) || slices.ContainsFunc(e.AfterAny, func(a string) bool { return !slices.Contains(f.AfterAny, a) })) {
			j.problem(e.File, e.Line, "dropped order: the organisation puts %s after one of %s: write afterAny: [%s]", f.Name, list(f.AfterAny, "and"), strings.Join(f.AfterAny, ", "))
		}
	}
}

// renamed finds production environments that no policy of the organisation reaches, where one
// names an environment that is not there.
func (j *joiner) renamed() {
	var open []Env
	for _, e := range j.repo.World.Environments {
		if e.Production && !slices.ContainsFunc(j.floor.Promotions, func(p *ImagePromotionPolicy) bool {
			return slices.ContainsFunc(p.ApplyTo, func(s Selector) bool { return s.environment(e) })
		}) {
			open = append(open, e)
		}
	}
	for _, p := range j.floor.Promotions {
		var gone []string
		for _, s := range p.ApplyTo {
			if s.Env == "" || isGlob(s.Env) || slices.Contains(j.repo.World.environmentNames(), s.Env) {
				gone = nil
				break
			}
			gone = append(gone, s.Env)
		}
		for _, e := range open {
			if len(gone) > 0 && !slices.ContainsFunc(j.floor.World.Environments, func(f Env) bool { return slices.Contains(gone, f.Name) }) {
				j.problem(e.File, e.Line, "renamed environment: the organisation's policy %s is bound to %s, which is not there, and none is bound to the production environment %s: name it %s, or bind the policy by production: true",
					p.Name, list(gone, "and"), e.Name, gone[0])
			}
		}
	}
}

// uncovered warns of production environments that the organisation does not reach though it
// seems to mean them: where it binds another one by its name, or all by a mark that none has.
func (j *joiner) uncovered() {
	warn := func(file string, line int, format string, args ...any) {
		j.problems = append(j.problems, Problem{File: file, Line: line, Column: min(line, 1), Severity: Warning, Message: fmt.Sprintf(format, args...)})
	}
	production := slices.DeleteFunc(slices.Clone(j.repo.World.Environments), func(e Env) bool { return !e.Production })
	bound := j.extended()
	for _, e := range production {
		byName, of := "", ""
		covered := slices.ContainsFunc(bound, func(p *ImagePromotionPolicy) bool {
			return slices.ContainsFunc(p.ApplyTo, func(s Selector) bool {
				if s.Env != "" && byName == "" {
					if i := slices.IndexFunc(production, s.environment); i >= 0 {
						byName, of = p.Name, production[i].Name
					}
				}
				return s.environment(e)
			})
		})
		if !covered && byName != "" {
			warn(e.File, e.Line, "no policy of the organisation covers the production environment %s, and its policy %s binds the production environment %s by name: in the organisation's policy bind by production: true, or by image", e.Name, byName, of)
		}
	}
	if len(production) > 0 || len(j.repo.World.Environments) == 0 {
		return
	}
	for _, p := range j.floor.Promotions {
		if slices.ContainsFunc(p.ApplyTo, func(s Selector) bool { return s.Production != nil && *s.Production }) {
			warn(p.File, p.at("/applyTo"), "the organisation's policy %s is bound by production: true, and of the environments %s none is marked production: mark one in .pinnace/config.yaml, or bind the policy by image", p.Name, list(j.repo.World.environmentNames(), "and"))
		}
	}
}

// inside reports whether all that the glob p matches is matched by q, as far as that can be
// told: they are equal, or q ends in ** and p begins as q does.
func inside(p, q string) bool {
	if p == q || q == "**" {
		return true
	}
	head, ok := strings.CutSuffix(q, "**")
	return ok && !isGlob(head) && strings.HasPrefix(p, head)
}

// overlapsAny reports whether a glob certainly matches what one of others does.
func overlapsAny(others []string, p string) bool {
	return slices.ContainsFunc(others, func(q string) bool { return inside(p, q) || inside(q, p) })
}

// apps holds each app to its source and to its name.
func (j *joiner) apps() {
	for _, f := range j.floor.World.Apps {
		for _, a := range j.repo.World.Apps {
			shared := slices.ContainsFunc(a.Images, func(i string) bool { return slices.Contains(f.Images, i) })
			if a.Line == 0 || a.Name != f.Name && !shared {
				continue
			}
			if f.Source != "" && !strings.EqualFold(a.Source, f.Source) {
				j.problem(a.File, a.Line, "dropped source: the organisation says that %s is built in %s: write source: %s", f.Name, f.Source, f.Source)
			}
			if a.Name != f.Name {
				j.problem(a.File, a.Line, "renamed app: %s has an image of the organisation's app %s: name it %s", a.Name, f.Name, f.Name)
			}
		}
	}
}

// sources returns the repository's apps, with the organisation's source for those that are
// not configured.
func (j *joiner) sources() []App {
	apps := slices.Clone(j.repo.World.Apps)
	for i, a := range apps {
		for _, f := range j.floor.World.Apps {
			if a.Line == 0 && a.Source == "" && (a.Name == f.Name || slices.ContainsFunc(a.Images, func(i string) bool { return slices.Contains(f.Images, i) })) {
				apps[i].Source = f.Source
			}
		}
	}
	return apps
}

// grants holds each role, of each pair, to those who hold it for the organisation.
func (j *joiner) grants() {
	apps := append([]string{""}, j.repo.World.appNames()...)
	envs := append([]string{""}, j.repo.World.environmentNames()...)
	type key struct {
		file string
		line int
		role Role
	}
	told := map[key]bool{}
	said := func(role Role) bool {
		return slices.ContainsFunc(j.floor.World.Grants, func(g Grant) bool { return g.Role == role })
	}
	floor := j.floor.World
	if said(Promoter) && !said(Admin) {
		// Who is admin is promoter too: where that is said, so is this.
		floor.Grants = append(slices.Clone(floor.Grants), Grant{Role: Admin, Permission: promotion.PermissionAdmin})
	}
	for _, role := range []Role{Requester, Promoter, Deployer, Admin} {
		if !slices.ContainsFunc(floor.Grants, func(g Grant) bool { return g.Role == role }) {
			continue
		}
		for _, env := range envs {
			for _, app := range apps {
				f, ok := floor.grant(role, env, app)
				r, explicit := j.repo.World.grant(role, env, app)
				k := key{r.File, r.Line, role}
				if !ok || !explicit || r.Line == 0 || told[k] {
					continue
				}
				if why := wider(f, r); why != "" {
					told[k] = true
					where := ""
					if env != "" {
						where += " in " + env
					}
					if app != "" {
						where += " for " + app
					}
					j.problem(r.File, r.Line, "widened role: %s%s: %s", role, where, why)
				}
			}
		}
	}
}

// wider says in which way r is held by more people than f may be, "" if it is not.
func wider(f, r Grant) string {
	want, got := f.Permission, r.Permission
	if want == "" {
		want = promotion.PermissionWrite
	}
	if got == "" {
		got = promotion.PermissionWrite
	}
	if !got.AtLeast(want) {
		return fmt.Sprintf("permission %s is less than the organisation's %s", got, want)
	}
	return widerLists(f.Users, f.Teams, r.Users, r.Teams)
}

func widerLists(wantUsers, wantTeams, users, teams []string) string {
	if len(wantUsers)+len(wantTeams) == 0 {
		return ""
	}
	if len(users)+len(teams) == 0 {
		return "nobody is listed, and the organisation lists " + list(slices.Concat(wantUsers, wantTeams), "and")
	}
	for _, t := range teams {
		if !slices.ContainsFunc(wantTeams, func(w string) bool { return strings.EqualFold(w, t) }) {
			return "team " + t + " is not one of the organisation's"
		}
	}
	for _, u := range users {
		login, _, _ := strings.Cut(u, "#")
		if !slices.ContainsFunc(wantUsers, func(w string) bool { return strings.EqualFold(w, u) || strings.EqualFold(w, login) }) {
			return "user " + u + " is not one of the organisation's"
		}
	}
	return ""
}

// direct keeps a repository from opening direct promotions where the organisation's policies
// govern a pair and none of them governs direct ones.
func (j *joiner) direct() {
	apps := append([]string{""}, j.repo.World.appNames()...)
	policies := slices.Clone(j.repo.Promotions)
	for _, more := range j.repo.further {
		if p, ok := j.floor.Promotion(more.policy); ok && len(more.selectors) > 0 {
			bound := *p
			bound.ApplyTo, bound.Origin = more.selectors, Origin{Name: p.Name, File: more.selectors[0].File, Line: more.selectors[0].Line}
			policies = append(policies, &bound)
		}
	}
	for _, p := range policies {
		if !p.Direct {
			continue
		}
		at := p.at("/promotions")
		for _, e := range j.repo.World.Environments {
			closed := slices.IndexFunc(apps, func(app string) bool {
				bound, direct := "", false
				for _, f := range j.floor.Promotions {
					if f.reaches(e, app) {
						bound, direct = f.Name, direct || f.Direct
					}
				}
				return bound != "" && !direct && p.reaches(e, app)
			})
			if closed >= 0 {
				pair := e.Name
				if apps[closed] != "" {
					pair = apps[closed] + " in " + e.Name
				}
				j.problem(p.File, at, "second policy for direct: the organisation's policies for %s govern no direct promotion, and %s does: write promotions: [sequential]", pair, p.Name)
				break
			}
		}
	}
}

// reaches reports whether the policy can be bound to a change of an app, "" for one that is
// not known, in an environment.
func (p *ImagePromotionPolicy) reaches(e Env, app string) bool {
	return slices.ContainsFunc(p.ApplyTo, func(s Selector) bool {
		return s.environment(e) && (s.App == "" || app == "" && isGlob(s.App) || app != "" && matches(s.App, app))
	})
}

// names holds documents of the organisation's names to being as strict. Both hold, so that
// nothing would be loosened; but their author meant to.
func (j *joiner) names() {
	for _, p := range j.repo.Promotions {
		if f, ok := j.floor.Promotion(p.Name); ok {
			for _, why := range looser(f, p) {
				j.problem(p.File, p.at("/"+why.key), "%s: %s is the organisation's policy, and %s", document.Dotted("/"+why.key), p.Name, why.text)
			}
		}
	}
	own := func(kind string, o Origin) {
		j.problem(o.File, o.at("/name"), "%s is the name of the organisation's %s, which holds besides: choose another name", document.Quote(o.Name), kind)
	}
	for _, f := range j.repo.Freezes {
		if slices.ContainsFunc(j.floor.Freezes, func(x *Freeze) bool { return x.Name == f.Name }) {
			own(KindFreeze, f.Origin)
		}
	}
	for _, f := range j.repo.Filters {
		if slices.ContainsFunc(j.floor.Filters, func(x *FilterCondition) bool { return x.Name == f.Name }) {
			own(KindFilterCondition, f.Origin)
		}
	}
	for _, d := range j.repo.Digests {
		if d.marks["/name"].Line > 0 && slices.ContainsFunc(j.floor.Digests, func(x *PullImageDigestPolicy) bool { return x.Name == d.Name }) {
			own(KindPullImageDigestPolicy, d.Origin)
		}
	}
}

// A slack is a key in which one policy asks less than another.
type slack struct{ key, text string }

// looser says in which keys p asks less than f.
func looser(f, p *ImagePromotionPolicy) []slack {
	var all []slack
	add := func(is bool, key, format string, args ...any) {
		// What a rollback block leaves out is as for a promotion, and said there.
		if _, written := p.marks["/"+key]; is && (written || !strings.Contains(key, "/")) {
			all = append(all, slack{key, fmt.Sprintf(format, args...)})
		}
	}
	needs := func(block string, f, p Needs) {
		add(p.ApproverCount < f.ApproverCount, block+"approverCount", "%d is less than %d", p.ApproverCount, f.ApproverCount)
		for _, m := range f.More {
			if p.ApproverCount < m.ApproverCount && !slices.ContainsFunc(p.More, func(x More) bool { return x.When == m.When && x.ApproverCount >= m.ApproverCount }) {
				add(true, block+"more", "it needs %d approvals where %s", m.ApproverCount, clipTo(m.When, maxPart))
			}
		}
		add(p.AllowRequestFromApprove && !f.AllowRequestFromApprove, block+"allowRequestFromApprove", "it says false")
		add(p.AllowImageBuilderFromApprove && !f.AllowImageBuilderFromApprove, block+"allowImageBuilderFromApprove", "it says false")
		add(p.AllowApproverFromDeploy && !f.AllowApproverFromDeploy, block+"allowApproverFromDeploy", "it says false")
		add(p.ApprovalTTL > f.ApprovalTTL, block+"approvalTTL", "%s is longer than %s", short(time.Duration(p.ApprovalTTL)), short(time.Duration(f.ApprovalTTL)))
		add(p.UnknownBuilder == Ignore && f.UnknownBuilder != Ignore, block+"unknownBuilder", "it does not ignore that")
		add(p.UnknownRequester == Ignore && f.UnknownRequester != Ignore, block+"unknownRequester", "it does not ignore that")
		why := widerLists(f.Approvers.names(), f.Approvers.Teams, p.Approvers.names(), p.Approvers.Teams)
		add(why != "", block+"approvers", "%s", why)
	}
	needs("", f.Needs, p.Needs)
	if p.Rollback != nil {
		of := f.Needs
		if f.Rollback != nil {
			of = *f.Rollback
		}
		needs("rollback/", of, *p.Rollback)
	}
	add(f.Pass != nil && (p.Pass == nil || p.Pass.Source != f.Pass.Source), "passCondition", "it has another condition")
	add(f.Fail != nil && (p.Fail == nil || p.Fail.Source != f.Fail.Source), "failCondition", "it has another condition")
	add(f.Direct && !p.Direct || f.Sequential && !p.Sequential, "promotions", "it governs %s", list(f.Promotions, "and"))
	add(f.ForbidDirect && !p.ForbidDirect, "forbid", "it forbids direct")
	add(p.BypassSoak && !f.BypassSoak, "bypassSoak", "it does not waive soak")
	add(p.AcceptUnverified && !f.AcceptUnverified, "unverifiedSource", "it does not accept that")
	for _, e := range p.Exceptions {
		if !slices.ContainsFunc(f.Exceptions, func(x Exception) bool { return x.Path == e.Path && !x.Expires.Before(e.Expires.Time) }) {
			add(true, "exceptions", "it has no exception for %s", document.Quote(e.Path))
		}
	}
	return all
}

func (a Approvers) names() []string {
	names := make([]string, len(a.Users))
	for i, u := range a.Users {
		names[i] = u.String()
	}
	return names
}

// extended returns the organisation's policies, bound to the pairs besides that the
// repository binds them to.
func (j *joiner) extended() []*ImagePromotionPolicy {
	all := slices.Clone(j.floor.Promotions)
	for _, more := range j.repo.further {
		for i, p := range all {
			if p.Name == more.policy {
				bound := *p
				bound.ApplyTo = slices.Concat(p.ApplyTo, more.selectors)
				all[i] = &bound
			}
		}
	}
	return all
}
