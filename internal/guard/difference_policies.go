package guard

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/pinnace-dev/pinnace/internal/document"
	"github.com/pinnace-dev/pinnace/internal/policy"
)

// set compares two sets of policies.
func (d *differ) set(base, head *policy.Set) {
	each(d, "pin policy", base.Digests, head.Digests, func(p *policy.PullImageDigestPolicy) policy.Origin { return p.Origin }, d.digests)
	each(d, "promotion policy", base.Promotions, head.Promotions, func(p *policy.ImagePromotionPolicy) policy.Origin { return p.Origin }, d.promotion)
	each(d, "filter condition", base.Filters, head.Filters, func(f *policy.FilterCondition) policy.Origin { return f.Origin }, d.filter)
	each(d, "freeze", base.Freezes, head.Freezes, func(f *policy.Freeze) policy.Origin { return f.Origin }, d.freeze)
}

// each pairs documents of one kind by name, and by whose they are.
func each[T any](d *differ, what string, base, head []T, origin func(T) policy.Origin, compare func(of string, was, is T)) {
	type key struct {
		name  string
		floor bool
	}
	keyOf := func(t T) key { o := origin(t); return key{o.Name, o.Floor} }
	index := map[key]T{}
	for _, t := range head {
		index[keyOf(t)] = t
	}
	for _, was := range base {
		k := keyOf(was)
		name := what + " " + cmp.Or(k.name, origin(was).File)
		if is, ok := index[k]; ok {
			compare(name+": ", was, is)
			delete(index, k)
			continue
		}
		d.add(looser, "%s is removed", name)
	}
	for _, is := range head {
		k := keyOf(is)
		if _, left := index[k]; left {
			d.add(tighter, "%s %s is added", what, cmp.Or(k.name, origin(is).File))
			delete(index, k)
		}
	}
}

func (d *differ) digests(of string, was, is *policy.PullImageDigestPolicy) {
	d.scope(of, scope{was.AllEnvironments, false, was.Environments}, scope{is.AllEnvironments, false, is.Environments})
	d.exceptions(of, was.Exceptions, is.Exceptions)
}

// A scope is where a document holds.
type scope struct {
	all, production bool
	environments    []string
}

func (d *differ) scope(of string, was, is scope) {
	if was.all != is.all {
		d.add(either(is.all, tighter, looser), "%sallEnvironments is %t", of, is.all)
	}
	if was.production != is.production {
		d.add(either(is.production, tighter, looser), "%sproduction is %t", of, is.production)
	}
	d.names(of+"environment", was.environments, is.environments, either(is.all, other, looser), tighter)
}

func (d *differ) exceptions(of string, was, is []policy.Exception) {
	until := func(list []policy.Exception) map[string]time.Time {
		out := map[string]time.Time{}
		for _, e := range list {
			if e.Expires.After(out[e.Path]) {
				out[e.Path] = e.Expires.Time
			}
		}
		return out
	}
	before, now := until(was), until(is)
	for _, e := range is {
		switch t, ok := before[e.Path]; {
		case !now[e.Path].Equal(e.Expires.Time):
		case !ok:
			d.add(looser, "%s%s is excepted until %s", of, document.Quote(e.Path), stamp(e.Expires.Time))
		case e.Expires.After(t):
			d.add(looser, "%s%s is excepted until %s, which was %s", of, document.Quote(e.Path), stamp(e.Expires.Time), stamp(t))
		case e.Expires.Before(t):
			d.add(tighter, "%s%s is excepted until %s, which was %s", of, document.Quote(e.Path), stamp(e.Expires.Time), stamp(t))
		}
	}
	for _, e := range was {
		if _, ok := now[e.Path]; !ok {
			d.add(tighter, "%s%s is excepted no more", of, document.Quote(e.Path))
		}
	}
}

func (d *differ) promotion(of string, was, is *policy.ImagePromotionPolicy) {
	d.needs(of, was.Needs, is.Needs)
	switch {
	case was.Rollback == nil && is.Rollback == nil:
	case was.Rollback == nil:
		d.needs(of+"rollback: ", was.Needs, *is.Rollback)
	case is.Rollback == nil:
		d.needs(of+"rollback: ", *was.Rollback, is.Needs)
	default:
		d.needs(of+"rollback: ", *was.Rollback, *is.Rollback)
	}
	d.condition(of+"passCondition", was.PassCondition, is.PassCondition)
	d.condition(of+"failCondition", was.FailCondition, is.FailCondition)
	if was.Sequential != is.Sequential {
		d.add(either(is.Sequential, tighter, looser), "%sit governs sequential promotions: %t", of, is.Sequential)
	}
	if was.Direct != is.Direct {
		// Governing direct promotions gives leave for them.
		d.add(looser, "%sit governs direct promotions: %t", of, is.Direct)
	}
	if was.ForbidDirect != is.ForbidDirect {
		d.add(either(is.ForbidDirect, tighter, looser), "%sit forbids direct promotions: %t", of, is.ForbidDirect)
	}
	if was.BypassSoak != is.BypassSoak {
		d.add(either(is.BypassSoak, looser, tighter), "%sbypassSoak is %t", of, is.BypassSoak)
	}
	if was.AcceptUnverified != is.AcceptUnverified {
		d.add(either(is.AcceptUnverified, looser, tighter), "%sit accepts sources that are not verified: %t", of, is.AcceptUnverified)
	}
	d.exceptions(of, was.Exceptions, is.Exceptions)
	d.names(of+"what it is bound to", selectors(was.ApplyTo), selectors(is.ApplyTo), looser, tighter)
}

func (d *differ) needs(of string, was, is policy.Needs) {
	if was.ApproverCount != is.ApproverCount {
		d.add(either(is.ApproverCount < was.ApproverCount, looser, tighter), "%sapproverCount is %d, which was %d", of, is.ApproverCount, was.ApproverCount)
	}
	for _, f := range []struct {
		key     string
		was, is bool
	}{
		{"allowRequestFromApprove", was.AllowRequestFromApprove, is.AllowRequestFromApprove},
		{"allowImageBuilderFromApprove", was.AllowImageBuilderFromApprove, is.AllowImageBuilderFromApprove},
		{"allowApproverFromDeploy", was.AllowApproverFromDeploy, is.AllowApproverFromDeploy},
	} {
		if f.was != f.is {
			d.add(either(f.is, looser, tighter), "%s%s is %t", of, f.key, f.is)
		}
	}
	if a, b := time.Duration(was.ApprovalTTL), time.Duration(is.ApprovalTTL); a != b {
		d.add(either(b > a, looser, tighter), "%sapprovalTTL is %s, which was %s", of, b, a)
	}
	for _, f := range []struct {
		key     string
		was, is policy.Leniency
	}{{"unknownBuilder", was.UnknownBuilder, is.UnknownBuilder}, {"unknownRequester", was.UnknownRequester, is.UnknownRequester}} {
		if f.was != f.is {
			d.add(either(f.is == policy.Deny || f.was == policy.Ignore, tighter, looser), "%s%s is %s, which was %s", of, f.key, leniency(f.is), leniency(f.was))
		}
	}
	a, b := circle{users: was.Approvers.Users, teams: was.Approvers.Teams}, circle{users: is.Approvers.Users, teams: is.Approvers.Teams}
	switch {
	case a.everybody() && b.everybody():
	case b.everybody():
		d.add(looser, "%swhoever holds the role promoter may approve, which was %s", of, few(a.beyond(b), 10))
	case a.everybody():
		d.add(other, "%s%s may approve, which was whoever holds the role promoter", of, few(b.beyond(a), 10))
	default:
		e, text := widened(a, b)
		d.add(e, "%swho may approve: %s", of, text)
	}
}

func leniency(l policy.Leniency) string { return cmp.Or(string(l), "the default") }

// condition compares two spellings: what a changed condition lets pass nobody can tell.
func (d *differ) condition(of, was, is string) {
	was, is = strings.TrimSpace(was), strings.TrimSpace(is)
	switch {
	case was == is:
	case is == "":
		d.add(looser, "%s is removed, which was %s", of, document.Quote(was))
	case was == "":
		d.add(tighter, "%s is %s", of, document.Quote(is))
	default:
		d.add(looser, "%s is %s, which was %s: perhaps more may pass", of, document.Quote(is), document.Quote(was))
	}
}

func selectors(list []policy.Selector) []string {
	var all []string
	for _, s := range list {
		var words []string
		for _, w := range [][2]string{{"app", s.App}, {"env", s.Env}, {"image", s.Image}, {"path", s.Path}} {
			if w[1] != "" {
				words = append(words, w[0]+" "+w[1])
			}
		}
		if s.Production != nil {
			words = append(words, map[bool]string{true: "production", false: "not production"}[*s.Production])
		}
		all = append(all, strings.Join(words, ", "))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (d *differ) filter(of string, was, is *policy.FilterCondition) {
	d.condition(of+"passCondition", was.PassCondition, is.PassCondition)
	d.condition(of+"failCondition", was.FailCondition, is.FailCondition)
	if was.UnverifiedSource != is.UnverifiedSource {
		d.add(either(was.UnverifiedSource == "accept", tighter, looser), "%sunverifiedSource is %s, which was %s", of, document.Quote(is.UnverifiedSource), document.Quote(was.UnverifiedSource))
	}
	d.scope(of, scope{was.AllEnvironments, was.Production, was.Environments}, scope{is.AllEnvironments, is.Production, is.Environments})
}

func (d *differ) freeze(of string, was, is *policy.Freeze) {
	if a, b := was.Window.String(), is.Window.String(); a != b {
		d.add(looser, "%sit holds %s, which was %s", of, b, a)
	}
	d.scope(of, scope{was.AllEnvironments, was.Production, was.Environments}, scope{is.AllEnvironments, is.Production, is.Environments})
}
