package approval

import (
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// The limits of foreign words, in runes, and of lists.
const (
	maxName    = 60
	maxMessage = 120
	maxListed  = 6
)

const onlyComment = "a comment is no approval: choose Approve"

// line makes one line of foreign words.
func line(s string, limit int) string {
	s = strings.ToValidUTF8(s, "")
	n, clean := 0, true
	for _, r := range s {
		n++
		clean = clean && unicode.IsPrint(r)
	}
	if clean && n <= limit {
		return s
	}
	var b strings.Builder
	n = 0
	for _, r := range s {
		if n == limit {
			b.WriteString("...")
			break
		}
		if !unicode.IsPrint(r) {
			r = ' '
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}

// name is how a person is called.
func name(i promotion.Identity) string {
	if i.Login == "" {
		if i.ID == 0 {
			return "somebody"
		}
		return "#" + strconv.FormatInt(i.ID, 10)
	}
	return line(i.Login, maxName)
}

func when(t time.Time) string {
	if t.IsZero() {
		return "an unknown day"
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}

// span spells a duration in days where it is of whole ones.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d == day:
		return "1 day"
	case d%day == 0:
		return strconv.Itoa(int(d/day)) + " days"
	}
	s := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zero) {
			s = s[:len(s)-2]
		}
	}
	return s
}

func on(commit string) string {
	if commit == "" {
		return ""
	}
	return " on " + short(commit)
}

// short is how much of a hash people read.
func short(hash string) string {
	hash = line(hash, maxName)
	return strings.ToValidUTF8(hash[:min(7, len(hash))], "")
}

func said(message string) string {
	if message = strings.TrimSpace(line(message, maxMessage)); message == "" {
		return ""
	}
	return ": " + strconv.Quote(message)
}

func approvals(n int) string {
	if n == 1 {
		return "1 approval"
	}
	return strconv.Itoa(n) + " approvals"
}

// policyOf names the policy of a need.
func policyOf(n Need) string {
	if n.Policy == "" {
		return "the policy"
	}
	return "policy " + line(n.Policy, maxName)
}

// at says where a need stands.
func at(n Need) string {
	if n.File == "" {
		return ""
	}
	if n.Line == 0 {
		return " in " + line(n.File, maxMessage)
	}
	return " in " + line(n.File, maxMessage) + ":" + strconv.Itoa(n.Line)
}

// owner says who can change a need.
func owner(n Need) string { return "an admin, who changes " + policyOf(n) + at(n) }

func seen(counted, unsure []string) string {
	s := "none"
	if len(counted) > 0 {
		s = list(counted, "and")
	}
	if len(unsure) > 0 {
		s += "; perhaps " + list(unsure, "and")
	}
	return s
}

// list joins words, and counts what is too much.
func list(words []string, last string) string {
	if len(words) > maxListed {
		words = append(append([]string(nil), words[:maxListed-1]...), strconv.Itoa(len(words)-maxListed+1)+" more")
	}
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " " + last + " " + words[len(words)-1]
}

// Who says who holds one of the roles: carol or a member of acme/release.
func Who(roles []Role) string {
	var words []string
	for _, r := range roles {
		floor := r.floor()
		if len(r.Users) == 0 && len(r.Teams) == 0 {
			words = append(words, "anybody with "+line(string(floor), maxName))
			continue
		}
		with := ""
		if floor != promotion.PermissionWrite {
			with = " with " + line(string(floor), maxName)
		}
		for _, u := range r.Users {
			words = append(words, name(promotion.Identity{ID: u.ID, Login: u.Login})+with)
		}
		for _, t := range r.Teams {
			words = append(words, "a member of "+line(t, maxName)+with)
		}
	}
	return list(words, "or")
}

// exclusions says who approves in vain, as the end of what a need asks.
func (c *count) exclusions(n *Need) string {
	var not []string
	if !n.AllowRequester {
		not = append(not, "by who asked"+bracket(c.requesters))
	}
	nobody := c.builders.unknown && n.UnknownBuilder == Ignore && len(c.builders.names) == 1
	if !n.AllowBuilder && !nobody {
		not = append(not, "by who built the image"+bracket(c.builders))
	}
	if len(not) == 0 {
		return ""
	}
	return ", not " + list(not, "or")
}

func bracket(p party) string {
	if len(p.names) == 0 {
		return ""
	}
	return " (" + list(p.names, "and") + ")"
}

func nextApproval(who string, n int) string {
	if n == 1 {
		return who + " approves this pull request"
	}
	return strconv.Itoa(n) + " different people approve this pull request: " + who
}

func superseded(newer *Review) string {
	return name(newer.Author) + " has reviewed again since, on " + when(newer.Submitted) + ": the newest review is the one that is read"
}

func otherPull(r *Review, number int) string {
	return "of pull request #" + strconv.Itoa(r.PullRequest) + ": approvals of #" + strconv.Itoa(number) + " are given there"
}

func otherContent(r *Review, seal string) string {
	return "it approved other content (seal " + short(r.SealAt) + on(r.SubmittedCommit) + ", now " + short(seal) + "): review again"
}

func tooEarly(r *Review, sealed time.Time) string {
	return "given on " + when(r.Submitted) + ", before this content was sealed on " + when(sealed) + ": review again"
}

func fromFuture(r *Review, now time.Time) string {
	return "it is dated " + when(r.Submitted) + ", and it is " + when(now) + " now"
}

func dismissedBy(o *opinion) string {
	if len(o.moments) == 0 {
		return "dismissed, and the timeline does not say by whom: review again"
	}
	m := o.moments[len(o.moments)-1]
	if m.DismissalCommit != "" {
		return "dismissed by the push of " + short(m.DismissalCommit) + ", which is no head of ours with the same seal: review again"
	}
	return "dismissed by " + name(m.Actor) + said(m.Message) + ": review again"
}

// notHeld says why a person holds none of the roles.
func notHeld(roles []Role, o *opinion, who string) string {
	by := o.review.Author
	names := false // whether a role names its holders, so that a permission alone is not it
	for _, r := range roles {
		names = names || len(r.Users)+len(r.Teams) > 0
	}
	for _, r := range roles {
		for _, u := range r.Users {
			if u.ID != 0 && u.ID != by.ID && strings.EqualFold(u.Login, by.Login) {
				return "the approver " + name(by) + "#" + strconv.FormatInt(u.ID, 10) + " is another account than " + by.String() + ": " + who + " approves"
			}
		}
	}
	for _, r := range roles {
		if names && len(r.Users)+len(r.Teams) == 0 || r.lists(by, &o.person) == No {
			continue
		}
		return o.who + " has " + line(string(o.person.Permission), maxName) + " here, and " + line(string(r.floor()), maxName) + " is needed: " + who + " approves"
	}
	return o.who + " is not an approver: " + who + " approves"
}

// unsureOf says what is unknown of a person.
func unsureOf(roles []Role, o *opinion) string {
	var facts []string
	permission := false
	for _, r := range roles {
		may, listed := o.level.reaches(levelOf(r.floor())), r.lists(o.review.Author, &o.person)
		if may.and(listed) != Unknown {
			continue
		}
		permission = permission || may == Unknown
		for _, t := range r.Teams {
			if listed == Unknown && o.person.in(t) == Unknown {
				facts = append(facts, "whether "+o.who+" is in "+line(t, maxName))
			}
		}
	}
	if permission {
		facts = append(facts, "the permission of "+o.who)
	}
	return list(facts, "and")
}

// eachReason says policy by policy why an approval counts for none.
func eachReason(needs []Need, reason func(need int) string) string {
	const most = 3
	var parts []string
	for i, n := range needs {
		if i == most {
			parts = append(parts, strconv.Itoa(len(needs)-most)+" more policies")
			break
		}
		parts = append(parts, policyOf(n)+": "+reason(i))
	}
	return strings.Join(parts, "; ")
}
