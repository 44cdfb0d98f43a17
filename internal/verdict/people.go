package verdict

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/policy/approval"
	"github.com/pinnace-dev/pinnace/internal/policy/condition"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A person is what is known of an account, once it was asked for.
type person struct {
	approval.Person
	identity promotion.Identity
}

// person asks what an account may do, and which of the teams that the documents name it is in.
// What GitHub does not say is unknown.
func (b *base) person(ctx context.Context, who promotion.Identity) (approval.Person, error) {
	if p, ok := b.people[who.ID]; ok {
		return p.Person, nil
	}
	p := &person{identity: who, Person: approval.Person{Bot: who.Bot, ServiceAccount: b.isServiceAccount(who), Teams: map[string]approval.Answer{}}}
	if who.ID == 0 {
		p.Ghost = true
		return p.Person, nil
	}
	permission, err := b.Forge.Permission(ctx, b.repo, who)
	switch {
	case err == nil:
		p.Permission = permission
	case passing(err):
		return p.Person, err
	}
	for _, team := range b.teams() {
		org, slug := cutTeam(team)
		member, known, err := b.Forge.IsMember(ctx, org, slug, who)
		switch {
		case err != nil && passing(err):
			return p.Person, err
		case err != nil || !known:
			p.Teams[strings.ToLower(team)] = approval.Unknown
		default:
			p.Teams[strings.ToLower(team)] = policy.Is(member)
		}
	}
	b.people[who.ID] = p
	return p.Person, nil
}

// passing says whether asking again later may be answered, so that nothing is to be decided
// now.
func passing(err error) bool {
	return errors.Is(err, promotion.ErrTransient) || errors.Is(err, promotion.ErrRateLimited) || errors.Is(err, promotion.ErrUnauthenticated) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

func (b *base) isServiceAccount(who promotion.Identity) bool {
	for _, u := range b.config.ServiceAccounts {
		if u.ID != 0 && u.ID == who.ID || u.ID == 0 && strings.EqualFold(u.Login, who.Login) {
			return true
		}
	}
	return false
}

// teams lists the teams that the documents name.
func (b *base) teams() []string {
	var out []string
	if b.book.Set == nil {
		return nil
	}
	for _, t := range b.book.Set.Teams() {
		if t = strings.ToLower(t); !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}

// known returns what was learned of people.
func (b *base) known() map[int64]approval.Person {
	out := map[int64]approval.Person{}
	for id, p := range b.people {
		out[id] = p.Person
	}
	return out
}

// members answers what conditions ask by isMember().
func (b *base) members() map[condition.Membership]bool {
	out := map[condition.Membership]bool{}
	for _, p := range b.people {
		for team, a := range p.Teams {
			if a != approval.Unknown {
				out[condition.MembershipOf(p.identity.Login, team)] = a == approval.Yes
			}
		}
	}
	return out
}
