package policy

import (
	"slices"
	"strings"
	"time"

	"github.com/pinnace-dev/pinnace/internal/policy/approval"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// ways reports changes of which nobody can say how they come.
func (j *judge) ways() {
	for i := range j.places {
		if p := &j.places[i]; p.missing != "" {
			j.add(promotion.Result{
				Rule: "way", Status: promotion.Unknown, Title: "nobody knows " + p.missing, Missing: []string{p.missing},
				Who: "Pinnace", Next: "give the App the permissions that docs/promotions.md lists",
			})
		}
	}
}

// current holds images to standing in the environments that they come from.
func (j *judge) current() {
	var children []promotion.Result
	for i := range j.places {
		p := &j.places[i]
		envs, anyOne := j.sources(p)
		if len(envs) == 0 {
			continue
		}
		r := promotion.Result{Rule: "source", Status: promotion.Passed, Title: name(p.change.New) + " stands in " + list(envs, word(anyOne))}
		switch {
		case !p.change.Stands.Known:
			r.Status, r.Title = promotion.Unknown, "nobody knows where "+name(p.change.New)+" stands"
			r.Missing = []string{"images of " + list(envs, "and")}
			r.Next = "pinnace images shows what stands where"
		case j.movedOn(p, envs, anyOne) == approval.Yes:
			r.Title = name(p.change.New) + " stood in " + list(envs, word(anyOne)) + ", which has moved on to something newer since"
			r.Seen = "it stands in " + orNone(p.change.Stands.Value)
		case j.movedOn(p, envs, anyOne) == approval.Unknown:
			r.Status, r.Title = promotion.Unknown, list(envs, word(anyOne))+" no longer "+plural(len(envs), "runs", "run")+" "+name(p.change.New)+", and nobody knows whether it moved on or was rolled back"
			r.Missing = []string{"history of " + list(envs, "and")}
			r.Next = "pinnace history " + envs[0] + " " + p.change.NewApp
		case !stand(p.change.Stands.Value, envs, anyOne):
			r.Status, r.Title = promotion.Denied, list(envs, word(anyOne))+" no longer "+plural(len(envs), "runs", "run")+" "+name(p.change.New)
			r.Seen, r.Wanted = "it stands in "+orNone(p.change.Stands.Value), "it stands in "+list(envs, word(anyOne))
			r.Who = spell(j.set.Grants(Requester, j.env.Name, p.change.NewApp))
			r.Next = "close this pull request, or ask again: " + j.promote()
		}
		children = append(children, r)
	}
	if len(children) > 0 {
		j.add(group("source-current", "the source runs what is promoted, or has moved on from it", children))
	}
}

// movedOn says whether every source that no longer runs an image, which was asked for, ran it and
// has gone on to something newer. It is No where all still run it.
func (j *judge) movedOn(p *judged, envs []string, anyOne bool) Answer {
	if j.in.Kind != promotion.Promotion || stand(p.change.Stands.Value, envs, anyOne) {
		return approval.No
	}
	all := Is(true)
	for _, env := range envs {
		if slices.Contains(p.change.Stands.Value, env) {
			continue
		}
		s, _ := j.source(env, p.change.NewApp)
		switch {
		case s.Onward == approval.No, s.Until.IsZero():
			return approval.No
		case s.Onward == approval.Unknown:
			all = approval.Unknown
		}
	}
	return all
}

func stand(in, envs []string, anyOne bool) bool {
	n := 0
	for _, e := range envs {
		if slices.Contains(in, e) {
			n++
		}
	}
	return n == len(envs) || anyOne && n > 0
}

func word(anyOne bool) string {
	if anyOne {
		return "or"
	}
	return "and"
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "no environment"
	}
	return list(names, "and")
}

// leave holds direct changes to a policy that governs them, and to none that forbids them.
// Where nothing comes before the environment there is nothing to skip, and no leave is needed.
func (j *judge) leave() {
	var children []promotion.Result
	for i := range j.places {
		p := &j.places[i]
		if p.way != Direct || j.env.First() || len(p.bound) == 0 && (j.in.Kind == promotion.Update || j.in.Kind == promotion.ByHand) {
			continue
		}
		c := p.change
		from := "from the registry"
		if j.in.Request.From != "" && j.in.Kind == promotion.Promotion {
			from = "from " + j.in.Request.From
		}
		if len(j.in.Request.Skipped) > 0 {
			from += ", skipping " + list(j.in.Request.Skipped, "and")
		}
		r := promotion.Result{
			Rule: "direct", Status: promotion.Passed, Title: name(c.New) + " may come " + from,
			Seen: "a direct change, " + from, Wanted: "a bound policy that governs direct promotions, and none that forbids them",
		}
		governs := slices.IndexFunc(p.bound, func(x *ImagePromotionPolicy) bool { return x.Direct })
		forbids := slices.IndexFunc(p.bound, func(x *ImagePromotionPolicy) bool { return x.ForbidDirect })
		next := j.promote("--from " + strings.Join(slices.Concat(j.env.After, j.env.AfterAny)[:1], ""))
		switch {
		case forbids >= 0:
			x := p.bound[forbids]
			r.Status, r.Title = promotion.Denied, "policy "+x.Name+" forbids direct promotions, and "+name(c.New)+" comes "+from
			r.Policy, r.File, r.Line = x.Name, x.File, x.at("/forbid")
			r.Who, r.Next = j.owner(x), next
		case governs < 0:
			r.Status, r.Title = promotion.Denied, "no policy of "+j.env.Name+" governs direct promotions, and "+name(c.New)+" comes "+from
			r.Who, r.Next = "who may change .pinnace/", next
		default:
			r.Policy, r.File, r.Line = p.bound[governs].Name, p.bound[governs].File, p.bound[governs].Line
		}
		children = append(children, r)
	}
	if len(children) > 0 {
		j.add(group("direct", "a policy allows it to come straight from the registry", children))
	}
}

// owner says who can change a policy.
func (j *judge) owner(p *ImagePromotionPolicy) string {
	if p.Floor {
		return "the owners of the organisation's policies"
	}
	return "who may change .pinnace/: " + spell(j.set.Grants(Admin, j.env.Name, ""))
}

// opaque puts changes that cannot be read under the approvals of the bound policies.
func (j *judge) opaque() {
	if !j.policy {
		return
	}
	var children []promotion.Result
	for i := range j.in.Opaque {
		o := &j.in.Opaque[i]
		if o.Missing != "" {
			children = append(children, promotion.Result{
				Rule: "opaque", Status: promotion.Denied, Title: clip(o.Path) + " names " + clip(o.Missing) + ", which is not there",
				File: o.Path, Line: o.Line, Who: "the author of the change", Next: "add the file, or delete its line",
			})
			continue
		}
		bound := j.unread(o)
		r := promotion.Result{
			Rule: "opaque", Status: promotion.Passed, File: o.Path, Line: o.Line,
			Title: clip(o.What) + " in " + clip(o.Path) + " cannot be read for images",
		}
		var asked []string
		for _, p := range bound {
			if e, ok := excepts(p.Exceptions, o.Path, j.in.Now); ok {
				r.Children = append(r.Children, promotion.Result{
					Rule: "exception", Status: promotion.Skipped, Policy: p.Name, File: p.File, Line: p.at("/exceptions"),
					Title: "policy " + p.Name + " lets it pass until " + stamp(e.Expires.Time) + ": " + clip(e.Reason), Until: e.Expires.Time,
				})
				j.until(e.Expires.Time)
				continue
			}
			rule := j.rule(p)
			rule.add(o.Apps)
			rule.unread = true
			asked = append(asked, p.Name)
		}
		if len(asked) > 0 {
			r.Title += ": it needs the approvals of " + list(asked, "and")
		}
		children = append(children, r)
	}
	if len(children) > 0 {
		j.add(group("opaque", "what cannot be read is judged as a whole", children))
	}
}

// unread returns the policies that a change which cannot be read is judged under.
func (j *judge) unread(o *Opaque) []*ImagePromotionPolicy {
	return j.set.bound(where{env: j.env, apps: o.Apps, path: o.Path, opaque: true}, nil)
}

// soak holds images to their time in the source.
func (j *judge) soak() {
	if j.in.Soak <= 0 {
		return
	}
	children := j.eachSource(func(p *judged, env string) promotion.Result {
		s, _ := j.source(env, p.change.NewApp)
		r := promotion.Result{Rule: "soak", Status: promotion.Passed, Wanted: short(j.in.Soak) + " in " + env}
		place := p.change.NewApp + " in " + env
		if !s.Since.Known {
			r.Status, r.Title, r.Missing = promotion.Unknown, "nobody knows since when "+place+" runs these images", []string{"soak of " + place}
			r.Who, r.Next = "Pinnace", "wait: soak counts from when the change was first seen"
			return r
		}
		stood := s.stood(j.in.Now)
		r.Seen = "since " + stamp(s.Since.Value)
		r.Title = place + " has run for " + short(j.in.Soak) // how long exactly changes all the time
		if stood < j.in.Soak {
			r.Title = place + " has run for less than " + short(j.in.Soak)
			r.Status, r.Until = promotion.Waiting, s.Since.Value.Add(j.in.Soak)
			r.Who, r.Next = "time", "wait until "+stamp(r.Until)
			if !s.Until.IsZero() {
				r.Status, r.Until, r.Title = promotion.Denied, time.Time{}, place+" ran it for less than "+short(j.in.Soak)+", until "+stamp(s.Until)
				r.Who, r.Next = spell(j.set.Grants(Requester, j.env.Name, p.change.NewApp)), "ask for what it runs now: "+j.promote()
			}
		}
		if waiver := bypass(p); waiver != nil && r.Status != promotion.Passed {
			r.Status, r.Until, r.Who, r.Next = promotion.Skipped, time.Time{}, "", ""
			r.Policy, r.File, r.Line = waiver.Name, waiver.File, waiver.at("/bypassSoak")
			r.Title = "soak is waived by policy " + waiver.Name
		}
		return r
	})
	if len(children) > 0 {
		j.add(j.waive(j.latest(group("soak", "every image has soaked", children))))
	}
}

// bypass returns the policy that waives soak, where all that govern a change do.
func bypass(p *judged) *ImagePromotionPolicy {
	for _, x := range p.governed {
		if !x.BypassSoak {
			return nil
		}
	}
	if len(p.governed) == 0 {
		return nil
	}
	return p.governed[0]
}

// eachSource judges each source of each app once. Where one source is enough, the best counts.
func (j *judge) eachSource(of func(p *judged, env string) promotion.Result) []promotion.Result {
	type key struct {
		env, app string
		waived   bool
	}
	done := map[key]bool{}
	var all []promotion.Result
	for i := range j.places {
		p := &j.places[i]
		envs, anyOne := j.sources(p)
		if !anyOne {
			for _, env := range envs {
				if k := (key{env, p.change.NewApp, bypass(p) != nil}); !done[k] {
					done[k] = true
					all = append(all, of(p, env))
				}
			}
			continue
		}
		var best promotion.Result
		for n, env := range envs {
			r := of(p, env)
			if n == 0 || promotion.Worst(r.Status, best.Status) == best.Status && r.Status != best.Status {
				best = r
			}
		}
		if len(envs) > 0 {
			all = append(all, best)
		}
	}
	return all
}

// latest gives a group the time at which the last of those that wait has waited.
func (j *judge) latest(r promotion.Result) promotion.Result {
	for _, c := range r.Children {
		if c.Status == promotion.Waiting && !c.Until.IsZero() {
			j.until(c.Until)
			if c.Until.After(r.Until) {
				r.Until = c.Until
			}
		}
	}
	if r.Status == promotion.Waiting {
		for _, c := range r.Children {
			if c.Status == promotion.Waiting {
				r.Who, r.Next = c.Who, c.Next
			}
		}
	}
	return r
}

// gates hold the source to the newest verdicts of the named apps.
func (j *judge) gates() {
	children := j.eachSource(func(p *judged, env string) promotion.Result {
		s, ok := j.source(env, p.change.NewApp)
		if !ok {
			return promotion.Result{
				Rule: "gate", Status: promotion.Unknown, Title: "nobody knows the gates of " + env,
				Missing: []string{"gates of " + env}, Who: "Pinnace", Next: "give the App the permissions that docs/promotions.md lists",
			}
		}
		gates := make([]promotion.Result, len(s.Gates))
		for i, g := range s.Gates {
			gates[i] = j.gate(env, g)
		}
		return group("gates", "gates of "+env+" for "+p.change.NewApp, gates)
	})
	children = slices.DeleteFunc(children, func(r promotion.Result) bool { return r.Status == promotion.Skipped })
	if len(children) > 0 {
		j.add(j.waive(group("gates", "every gate is green", children)))
	}
}

// verdictOf says what a state of GitHub means to a gate.
// https://docs.github.com/en/rest/deployments/statuses, /checks/runs, /commits/statuses
func verdictOf(state string) Answer {
	switch strings.ToLower(state) {
	case "success":
		return approval.Yes
	case "failure", "error", "cancelled", "timed_out", "action_required", "startup_failure", "stale":
		return approval.No
	}
	return approval.Unknown // pending, queued, in_progress, inactive, neutral, skipped: no verdict
}

// newest returns the newest verdict of the named app, and the name of another App that gave
// one, which is not believed. Of two at once the worse counts.
func (g Gate) newest() (newest Verdict, foreign string) {
	for _, v := range g.Verdicts.Value {
		a := verdictOf(v.State)
		switch {
		case a == approval.Unknown:
		case v.App != g.App:
			foreign = max(foreign, v.App)
		case newest.App == "" || v.At.After(newest.At) || v.At.Equal(newest.At) && a == approval.No:
			newest = v
		}
	}
	return newest, foreign
}

func (j *judge) gate(env string, g Gate) promotion.Result {
	r := promotion.Result{
		Rule: "gate", Title: clip(g.What) + " by " + clip(g.App) + " is green", Wanted: "success, from " + clip(g.App),
		Who: clip(g.App), Next: "look at " + clip(g.What) + " in " + env,
	}
	if !g.Verdicts.Known {
		r.Status, r.Title, r.Missing = promotion.Unknown, "nobody knows what "+clip(g.App)+" says of "+clip(g.What), []string{clip(g.What)}
		return r
	}
	newest, foreign := g.newest()
	switch {
	case newest.App == "":
		r.Status, r.Title = promotion.Waiting, clip(g.App)+" has said nothing of "+clip(g.What)+" yet"
		if foreign != "" {
			r.Title += "; that of " + clip(foreign) + " is not believed"
		}
		return r
	case verdictOf(newest.State) == approval.No:
		r.Status, r.Title = promotion.Denied, clip(g.App)+" says "+clip(newest.State)+" of "+clip(g.What)
	default:
		r.Status, r.Who, r.Next = promotion.Passed, "", ""
	}
	r.Seen = clip(newest.State) + " of " + stamp(newest.At)
	return r
}

// freezes keep merges out of their windows.
func (j *judge) freezes() {
	var children []promotion.Result
	for _, f := range j.set.Freezes {
		if !f.Covers(j.env) {
			continue
		}
		r := promotion.Result{
			Rule: "freeze", Status: promotion.Passed, Policy: f.Name, File: f.File, Line: f.Line,
			Title: "freeze " + f.Name + " does not hold now", Wanted: "a time outside " + clip(f.Window.String()),
		}
		frozen, until := f.Window.State(j.in.Now)
		r.Until = until
		if frozen {
			r.Status, r.Title = promotion.Waiting, "freeze "+f.Name+" holds: "+clip(f.Reason)
			r.Who, r.Next = clip(f.Owner), "wait until "+f.Window.stamp(until)
			if until.IsZero() {
				r.Next = "ask " + clip(f.Owner)
			}
		}
		children = append(children, r)
	}
	if len(children) == 0 {
		return
	}
	g := group("freeze", "no freeze holds in "+j.env.Name, children)
	for _, c := range children {
		j.until(c.Until)
	}
	if g.Status == promotion.Waiting {
		g.Title = "a freeze holds in " + j.env.Name
		g = j.latest(g)
	}
	j.add(j.waive(g))
}
