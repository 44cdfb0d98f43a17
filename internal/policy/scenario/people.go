package scenario

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/policy/approval"
	"github.com/pinnace-dev/pinnace/internal/policy/condition"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// firstID is the number of the first account that is made up.
const firstID = 1001

// A cast is everybody who plays a part in a case.
type cast struct {
	stated map[string]Person
	ids    map[string]int64 // by login in lower case
	teams  []string         // that a document lists
	asked  []string         // logins that conditions name
}

func newCast(c *Case, set *policy.Set) *cast {
	t := &cast{stated: map[string]Person{}, ids: map[string]int64{}}
	for login, p := range c.People {
		t.stated[strings.ToLower(login)] = p
	}
	t.read(set)
	names := map[string]bool{}
	add := func(logins ...string) {
		for _, l := range logins {
			names[strings.ToLower(l)] = true
		}
	}
	add(slices.Collect(maps.Keys(c.People))...)
	add(defaultRequester)
	add(t.asked...)
	add(c.Authors...)
	for _, p := range []*People{c.Requester} {
		if p != nil {
			add(p.Logins...)
		}
	}
	for _, i := range c.Images {
		if i.Builder != nil {
			add(i.Builder.Logins...)
		}
	}
	for _, r := range slices.Concat(c.Approvals, c.Vetoes) {
		add(r.By, r.Dismissed)
	}
	for _, a := range slices.Concat(c.Deploy, c.BreakGlass) {
		add(a.By)
	}
	if c.Hold != nil {
		add(c.Hold.By)
	}
	delete(names, "")
	for i, login := range slices.Sorted(maps.Keys(names)) {
		if p := t.stated[login]; p.ID != 0 {
			t.ids[login] = p.ID
		} else if t.ids[login] == 0 {
			t.ids[login] = int64(firstID + i)
		}
	}
	for login := range t.ids {
		if !names[login] {
			delete(t.ids, login) // a role names it, the case does not
		}
	}
	return t
}

var (
	teamInCondition  = regexp.MustCompile(`["']([A-Za-z0-9-]+/[A-Za-z0-9._-]+)["']`)
	loginInCondition = regexp.MustCompile(`isMember\(\s*["']([^"']+)["']`)
)

// read takes the teams and numbered logins of documents and roles.
func (t *cast) read(set *policy.Set) {
	teams := func(list []string) {
		for _, x := range list {
			if x = strings.ToLower(x); !slices.Contains(t.teams, x) {
				t.teams = append(t.teams, x)
			}
		}
	}
	user := func(login string, id int64) {
		if id != 0 {
			t.ids[strings.ToLower(login)] = id
		}
	}
	source := func(e *policy.Expression) {
		if e == nil {
			return
		}
		for _, m := range teamInCondition.FindAllStringSubmatch(e.Source, -1) {
			teams(m[1:])
		}
		for _, m := range loginInCondition.FindAllStringSubmatch(e.Source, -1) {
			t.asked = append(t.asked, m[1])
		}
	}
	for _, g := range set.World.Grants {
		teams(g.Teams)
		for _, name := range g.Users {
			var u policy.User
			if u.UnmarshalText([]byte(name)) == nil {
				user(u.Login, u.ID)
			}
		}
	}
	for _, p := range set.Promotions {
		source(p.Pass)
		source(p.Fail)
		needs := []policy.Needs{p.Needs}
		if p.Rollback != nil {
			needs = append(needs, *p.Rollback)
		}
		for _, n := range needs {
			teams(n.Approvers.Teams)
			for _, u := range n.Approvers.Users {
				user(u.Login, u.ID)
			}
		}
	}
	for _, f := range set.Filters {
		source(f.Pass)
		source(f.Fail)
	}
}

func (t *cast) identity(login string) promotion.Identity {
	l := strings.ToLower(login)
	p := t.stated[l]
	if p.Deleted {
		return promotion.Identity{Login: "ghost"}
	}
	return promotion.Identity{ID: t.ids[l], Login: login, Bot: p.Bot || strings.HasSuffix(l, "[bot]")}
}

func (t *cast) identities(logins []string) []promotion.Identity {
	var all []promotion.Identity
	for _, l := range logins {
		all = append(all, t.identity(l))
	}
	return all
}

// memberships returns what is known of the teams of a login.
func (t *cast) memberships(login string) map[string]policy.Answer {
	p, all := t.stated[login], map[string]policy.Answer{}
	if p.Unknown {
		return all
	}
	for _, team := range t.teams {
		all[team] = policy.Is(p.Teams == nil)
	}
	for _, team := range p.Teams {
		all[strings.ToLower(team)] = policy.Is(true)
	}
	return all
}

// people returns what is known of everybody.
func (t *cast) people() map[int64]approval.Person {
	all := map[int64]approval.Person{}
	for login, id := range t.ids {
		p := t.stated[login]
		person := approval.Person{
			Permission: promotion.Permission(p.Permission), Teams: t.memberships(login),
			Bot: p.Bot || strings.HasSuffix(login, "[bot]"), ServiceAccount: p.Service, Ghost: p.Deleted,
		}
		switch p.Permission {
		case "":
			person.Permission = promotion.PermissionWrite
		case unknown:
			person.Permission = ""
		}
		all[id] = person
	}
	return all
}

// members answers isMember for everybody and each team.
func (t *cast) members() map[condition.Membership]bool {
	all := map[condition.Membership]bool{}
	for login := range t.ids {
		for team, a := range t.memberships(login) {
			all[condition.MembershipOf(login, team)] = a == approval.Yes
		}
	}
	return all
}

// teamsOf returns the teams of a login.
func (t *cast) teamsOf(login string) policy.Fact[[]string] {
	login = strings.ToLower(login)
	if t.stated[login].Unknown {
		return policy.Fact[[]string]{}
	}
	var teams []string
	for team, a := range t.memberships(login) {
		if a == approval.Yes {
			teams = append(teams, team)
		}
	}
	slices.Sort(teams)
	return policy.Known(teams)
}

// standing says whether somebody had write when reviewing.
func (t *cast) standing(login string) policy.Answer {
	switch p := t.stated[strings.ToLower(login)]; p.Permission {
	case unknown:
		return approval.Unknown
	case "":
		return approval.Yes
	default:
		return policy.Is(promotion.Permission(p.Permission).AtLeast(promotion.PermissionWrite))
	}
}
