package approval

import (
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// ghostID is the account that GitHub shows in place of every deleted one
// (https://github.com/ghost). Its reviews are of several people.
const ghostID = 10137

// nameless says whether an identity stands for any deleted account.
func nameless(i promotion.Identity) bool { return i.ID == 0 || i.ID == ghostID }

// deleted says whether an identity is of an account that is no more.
func deleted(i promotion.Identity, p *Person) bool {
	return nameless(i) || p.Ghost
}

// A level is a permission's rank; unheard is the one of a permission that nobody knows.
type level int8

const unheard level = -1

var ladder = []promotion.Permission{
	promotion.PermissionNone, promotion.PermissionRead, promotion.PermissionTriage, promotion.PermissionWrite, promotion.PermissionMaintain, promotion.PermissionAdmin,
}

var writing = levelOf(promotion.PermissionWrite)

func levelOf(p promotion.Permission) level { return level(slices.Index(ladder, p)) }

// reaches says whether a permission is at least the floor. Nobody reaches an unheard one.
func (l level) reaches(floor level) Answer {
	switch {
	case l == unheard:
		return Unknown
	case floor == unheard || l < floor:
		return No
	}
	return Yes
}

// floor is the permission without which nobody holds a role.
func (r *Role) floor() promotion.Permission {
	if r.Permission == "" {
		return promotion.PermissionWrite
	}
	return r.Permission
}

// lists says whether a role lists the person. A role without a list lists everybody.
func (r *Role) lists(i promotion.Identity, p *Person) Answer {
	if len(r.Users) == 0 && len(r.Teams) == 0 {
		return Yes
	}
	for _, u := range r.Users {
		if u.ID != 0 && u.ID == i.ID || u.ID == 0 && u.Login != "" && strings.EqualFold(u.Login, i.Login) {
			return Yes
		}
	}
	listed := No
	for _, t := range r.Teams {
		listed = listed.or(p.in(t))
	}
	return listed
}

// in says whether a person is an active member of a team.
func (p *Person) in(team string) Answer {
	if a, ok := p.Teams[team]; ok {
		return a
	}
	return p.Teams[strings.ToLower(team)]
}

// Holds says whether a person holds one of the roles.
func Holds(roles []Role, who promotion.Identity, p Person) Answer {
	return heldBy(roles, &opinion{review: &Review{Review: promotion.Review{Author: who}}, person: p, level: levelOf(p.Permission)})
}

// heldBy says whether the author of an opinion holds one of the roles.
func heldBy(roles []Role, o *opinion) Answer {
	held := No
	for i := range roles {
		may := o.level.reaches(levelOf(roles[i].floor()))
		if may != No {
			may = may.and(roles[i].lists(o.review.Author, &o.person))
		}
		if held = held.or(may); held == Yes {
			break
		}
	}
	return held
}

// A party is a set of people, of whom some may be unknown.
type party struct {
	ids     map[int64]bool
	logins  []string // of those without a number
	names   []string // for people
	unknown bool
}

func newParty(list []promotion.Identity, people map[int64]Person, unknown bool) party {
	p := party{ids: map[int64]bool{}, unknown: unknown}
	for _, i := range list {
		switch {
		case i.ID == ghostID || people[i.ID].Ghost || i.ID == 0 && (i.Login == "" || i.Login == "ghost"):
			p.unknown = true
			continue
		case i.ID == 0:
			p.logins = append(p.logins, i.Login)
		default:
			p.ids[i.ID] = true
		}
		p.names = append(p.names, name(i))
	}
	slices.Sort(p.names)
	p.names = slices.Compact(p.names)
	if p.unknown {
		p.names = append(p.names, "somebody unknown")
	}
	return p
}

// has says whether somebody is of the party for certain.
func (p party) has(i promotion.Identity) bool {
	if i.ID != 0 && p.ids[i.ID] {
		return true
	}
	for _, l := range p.logins {
		if strings.EqualFold(l, i.Login) {
			return true
		}
	}
	return false
}

// onlyMachines says whether a list has somebody, and only bots and service accounts.
func onlyMachines(list []promotion.Identity, people map[int64]Person) bool {
	for _, i := range list {
		if p := people[i.ID]; !i.Bot && !p.Bot && !p.ServiceAccount {
			return false
		}
	}
	return len(list) > 0
}
