package sandbox

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// An account is a person, an organisation or a bot.
type account struct {
	promotion.Identity
	kind   string    // User, Organization, Bot
	email  string    // noreply
	gone   bool      // deleted: shown as ghost
	halted time.Time // when it was suspended
	owners map[int64]bool
	member map[int64]bool
	teams  map[string]*Team // by slug
}

// A Team of an organisation.
type Team struct {
	s       *Sandbox
	org     *account
	id      int64
	slug    string
	parent  *Team
	members map[int64]string // state: active or pending
}

// account returns the account of that login, made if there is none. The caller holds mu, or
// is New.
func (s *Sandbox) account(login, kind string) *account {
	if a := s.people[strings.ToLower(login)]; a != nil {
		return a
	}
	a := &account{
		Identity: promotion.Identity{ID: s.next(), Login: login, Bot: kind == "Bot"}, kind: kind,
		owners: map[int64]bool{}, member: map[int64]bool{}, teams: map[string]*Team{},
	}
	// https://docs.github.com/en/account-and-profile/reference/email-addresses-reference#your-noreply-email-address
	a.email = fmt.Sprintf("%d+%s@users.noreply.github.com", a.ID, login)
	s.accounts[a.ID], s.people[strings.ToLower(login)] = a, a
	return a
}

// User returns the person of that login, made if there is none.
func (s *Sandbox) User(login string) promotion.Identity {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.account(login, "User").Identity
}

// Email returns the address that the account commits with.
func (s *Sandbox) Email(login string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.account(login, "User").email
}

// RenameUser gives an account another login; its number stays, and the old login is free
// for anybody to take.
// https://docs.github.com/en/account-and-profile/concepts/username-changes
func (s *Sandbox) RenameUser(login, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.account(login, "User")
	if other := s.people[strings.ToLower(to)]; other != nil && other != a {
		panic("sandbox: the login " + to + " is taken")
	}
	delete(s.people, strings.ToLower(login))
	a.Login = to
	s.people[strings.ToLower(to)] = a
	for _, id := range slices.Sorted(maps.Keys(s.repos)) {
		if r := s.repos[id]; r.owner == a {
			s.rekey(r, strings.ToLower(login+"/"+r.name))
		}
	}
	s.version++
}

// Suspend suspends a person, or lets the person go on: the account and all that it did stay,
// and each of its tokens is refused.
// https://docs.github.com/en/enterprise-server@latest/admin/managing-accounts-and-repositories/managing-users-in-your-enterprise/suspending-and-unsuspending-users
func (s *Sandbox) Suspend(login string, suspended bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.account(login, "User")
	a.halted = time.Time{}
	if suspended {
		a.halted = s.now()
	}
	s.version++
}

// DeleteUser deletes a person: the login is free, the number is nobody's, and what the person
// wrote is the ghost's. Who owns repositories must give them away first.
// https://docs.github.com/en/account-and-profile/concepts/personal-account-deletion
func (s *Sandbox) DeleteUser(login string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.people[strings.ToLower(login)]
	if a == nil || a.kind != "User" {
		panic("sandbox: there is no person " + login)
	}
	for _, r := range s.repos {
		if r.owner == a {
			panic("sandbox: " + login + " owns " + r.fullName())
		}
		delete(r.people, a.ID)
		for _, t := range r.threads {
			drop := func(x *account) bool { return x == a }
			t.assignees = slices.DeleteFunc(t.assignees, drop)
			if t.pull != nil {
				t.pull.asked = slices.DeleteFunc(t.pull.asked, drop)
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(s.accounts)) {
		if o := s.accounts[id]; o.member[a.ID] || o.owners[a.ID] {
			o.drop(a)
		}
	}
	for token, by := range s.tokens {
		if by.who == a {
			delete(s.tokens, token)
		}
	}
	delete(s.accounts, a.ID)
	delete(s.people, strings.ToLower(a.Login))
	a.gone = true
	s.version++
}

// LeaveOrg takes a person out of an organisation and of its teams.
// https://docs.github.com/en/organizations/managing-membership-in-your-organization/removing-a-member-from-your-organization
func (s *Sandbox) LeaveOrg(org, login string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.account(org, "Organization").drop(s.account(login, "User"))
	s.version++
}

// drop ends a membership of an organisation, with those of its teams.
func (a *account) drop(member *account) {
	delete(a.owners, member.ID)
	delete(a.member, member.ID)
	for _, slug := range slices.Sorted(maps.Keys(a.teams)) {
		if t := a.teams[slug]; t.members[member.ID] != "" {
			delete(t.members, member.ID)
			t.emit(member, "removed")
		}
	}
}

// ghost is the account that GitHub shows in the place of all that were deleted.
// https://github.com/ghost
func (s *Sandbox) ghost() *account {
	return s.known(10137, "ghost", "User")
}

// known returns one of GitHub's own accounts, which have their numbers on github.com.
func (s *Sandbox) known(id int64, login, kind string) *account {
	a := s.accounts[id]
	if a == nil {
		a = &account{Identity: promotion.Identity{ID: id, Login: login, Bot: kind == "Bot"}, kind: kind}
		a.email = fmt.Sprintf("%d+%s@users.noreply.github.com", id, login)
		s.accounts[id], s.people[login] = a, a
	}
	return a
}

// noun is the account as the other rooms speak of it.
func (a *account) noun() promotion.Identity {
	if a.gone {
		return promotion.Identity{Login: "ghost"}
	}
	return a.Identity
}

// Org returns the organisation of that login, made if there is none; owners become its owners.
func (s *Sandbox) Org(login string, owners ...string) promotion.Identity {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.account(login, "Organization")
	for _, login := range owners {
		u := s.account(login, "User")
		o.owners[u.ID], o.member[u.ID] = true, true
	}
	return o.Identity
}

// Team adds active members to a team of an organisation, both made if there are none.
func (s *Sandbox) Team(org, slug string, members ...string) *Team {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.account(org, "Organization")
	t := o.teams[slug]
	if t == nil {
		t = &Team{s: s, org: o, id: s.next(), slug: slug, members: map[int64]string{}}
		o.teams[slug] = t
	}
	for _, login := range members {
		u := s.account(login, "User")
		t.members[u.ID], o.member[u.ID] = "active", true
		t.emit(u, "added")
	}
	s.version++
	return t
}

// Invite gives a person a membership that is pending until accepted.
// https://docs.github.com/en/rest/teams/members#get-team-membership-for-a-user
func (t *Team) Invite(login string) {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	t.members[t.s.account(login, "User").ID] = "pending"
}

// Remove takes a person out of the team.
func (t *Team) Remove(login string) {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	u := t.s.account(login, "User")
	delete(t.members, u.ID)
	t.s.version++
	t.emit(u, "removed")
}

// emit tells the organisation's Apps of a change of the members.
// https://docs.github.com/en/webhooks/webhook-events-and-payloads#membership
func (t *Team) emit(member *account, action string) {
	for _, id := range slices.Sorted(maps.Keys(t.s.installations)) {
		if i := t.s.installations[id]; i.account == t.org && slices.Contains(i.app.o.Events, "membership") {
			t.s.emitTo(i, nil, &actor{who: t.org}, "membership", action, fields{
				"scope": "team", "member": t.s.renderUser(member), "team": t.render(), "organization": t.s.renderOrg(t.org),
			})
		}
	}
}

// Under makes the team a child: its members are the parent's, too.
// https://docs.github.com/en/organizations/organizing-members-into-teams/about-teams#nested-teams
func (t *Team) Under(parent *Team) {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	t.parent = parent
}

// state returns active, pending or "". The caller holds mu.
func (t *Team) state(id int64) string {
	if st := t.members[id]; st != "" {
		return st
	}
	for _, child := range t.org.teams {
		if child.parent == t {
			if st := child.state(id); st != "" {
				return st
			}
		}
	}
	return ""
}

// role says what an account may do in a repository. The caller holds mu.
func (r *Repository) role(a *account) promotion.Permission {
	if a == nil {
		if r.o.Private {
			return promotion.PermissionNone
		}
		return promotion.PermissionRead
	}
	best := promotion.PermissionNone
	if !r.o.Private {
		best = promotion.PermissionRead
	}
	if a.ID == r.owner.ID || r.owner.owners[a.ID] {
		return promotion.PermissionAdmin
	}
	if p := r.people[a.ID]; p.AtLeast(best) && p != "" {
		best = p
	}
	for _, slug := range slices.Sorted(maps.Keys(r.teams)) {
		if t := r.owner.teams[slug]; t != nil && t.state(a.ID) == "active" && r.teams[slug].AtLeast(best) {
			best = r.teams[slug]
		}
	}
	return best
}
