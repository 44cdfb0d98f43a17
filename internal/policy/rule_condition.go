package policy

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/policy/approval"
	"github.com/pinnace-dev/pinnace/internal/policy/condition"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// approvals returns those that count.
func (j *judge) approvals() Fact[[]condition.Approval] {
	all := make([]condition.Approval, len(j.counted.Approvals))
	for i, a := range j.counted.Approvals {
		all[i] = condition.Approval{By: a.By, Teams: j.teams(a.By), At: Known(a.At)}
	}
	return Known(all)
}

// facts returns what conditions may ask of the change as a whole, before anybody's approval
// is counted.
func (j *judge) facts() condition.Facts {
	in := j.in
	f := condition.Facts{
		Env: Known(j.env.Name), Production: Known(j.env.Production), Now: Known(in.Now), Members: in.Members,
		Request: condition.Request{
			ID: Known(in.Request.ID), Kind: Known(in.Kind), Auto: Known(in.Request.Auto), Rollback: j.returns(),
			SkippedEnvs: Known(in.Request.Skipped), Reason: Known(in.Request.Reason), Labels: in.Request.Labels,
			Created: Fact[time.Time]{Value: in.Request.At, Known: !in.Request.At.IsZero()},
		},
	}
	if !in.Request.Unknown {
		f.Requester = Known(condition.Requester{People: in.Request.By, Teams: in.Request.Teams})
		f.Request.By = Known(promotion.Identity{})
		if n := len(in.Request.By); n > 0 {
			f.Request.By.Value = in.Request.By[n-1]
		}
	}
	var files, kinds []string
	images := make([]condition.Image, 0, len(j.places))
	for i := range j.places {
		c := j.places[i].change
		files = append(files, c.Path)
		if kind, _, _ := strings.Cut(c.Object, " "); kind != "" {
			kinds = append(kinds, kind)
		}
		if !c.Removal() {
			images = append(images, j.imageOf(c))
		}
	}
	slices.Sort(files)
	slices.Sort(kinds)
	f.Change.Files, f.Change.Kinds = Known(slices.Compact(files)), Known(slices.Compact(kinds))
	f.Images = Known(images)
	return f
}

// returns says whether the change is a rollback that is judged as one: to what stood here.
func (j *judge) returns() Fact[bool] {
	if j.in.Kind != promotion.Rollback {
		return Known(false)
	}
	return Fact[bool]{Value: j.in.Rollback.Stood == approval.Yes, Known: j.in.Rollback.Stood != approval.Unknown}
}

func (j *judge) imageOf(c *Change) condition.Image {
	i := c.Image
	i.Ref, i.Previous = c.New, Known(c.Old)
	i.TagUnknown = j.doubt(c) != ""
	return i
}

// doubt names the fact without which nobody can say that a tag is one of the digest beside
// it; "" where there is no doubt. A person can type any tag before any digest: the pair is
// believed where the tag means the digest now, and where it stands in an environment that
// the image comes from.
func (j *judge) doubt(c *Change) string {
	n := c.New
	if j.in.Kind != promotion.ByHand || n.Tag == "" || !n.Pinned() || c.TagStands == approval.Yes || c.TagNow.Known && c.TagNow.Value == n.Digest {
		return ""
	}
	text := "what tag " + clip(n.Tag) + " of " + clip(n.Repository()) + " means"
	if c.TagNow.Known {
		text += " (it is now " + c.TagNow.Value.Short() + ")"
	}
	return text
}

// lacking spells the facts that an outcome lacks, those of a tag in doubt by the doubt.
func (j *judge) lacking(missing []string, p *judged) []string {
	of := func(name string) string {
		if name == "containerImage" || name == "containerImageTag" || name == "image.tag" || name == "change.kind" {
			return j.doubt(p.change)
		}
		at, field, _ := strings.Cut(strings.TrimPrefix(name, "images["), "]")
		if n, err := strconv.Atoi(at); err == nil && field == ".tag" {
			for i := range j.places {
				if c := j.places[i].change; !c.Removal() {
					if n == 0 {
						return j.doubt(c)
					}
					n--
				}
			}
		}
		return ""
	}
	var all []string
	for _, name := range missing {
		if doubt := of(name); doubt != "" {
			name = doubt
		}
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

// teams returns the teams of a person, unknown where some answer is.
func (j *judge) teams(who promotion.Identity) Fact[[]string] {
	p, known := j.in.People[who.ID]
	var teams []string
	for t, a := range p.Teams {
		if a == approval.Yes {
			teams = append(teams, t)
		}
		known = known && a != approval.Unknown
	}
	slices.Sort(teams)
	return Fact[[]string]{Value: teams, Known: known}
}

// of returns the facts of one place.
func (j *judge) of(base *condition.Facts, p *judged, accept bool) condition.Facts {
	c := p.change
	f := *base
	f.App = Known(c.NewApp)
	f.Image = j.imageOf(c)
	f.GitCommitDetails = c.Commits
	if !c.Commits.Known && accept {
		f.GitCommitDetails = claimed(c.Image)
	}
	f.Change.Kind = Fact[condition.ChangeKind]{Value: condition.KindOfChange(c.Old, c.New), Known: !f.Image.TagUnknown}
	f.Request.Hotfix = Known(p.way == Direct)
	if place, ok := j.in.Target[c.NewApp]; ok {
		f.Target = place
	}
	f.Target.Env = Known(j.env.Name)
	if !f.Target.Current.Known && c.Old.Pinned() {
		f.Target.Current = Known(c.Old.Digest)
	}
	envs, _ := j.sources(p)
	if len(envs) == 0 {
		if p.missing == "" {
			f.Source = condition.Place{Env: Known("")} // the registry
		}
		return f
	}
	env := envs[0]
	if slices.Contains(envs, j.in.Request.From) {
		env = j.in.Request.From
	}
	if s, ok := j.source(env, c.NewApp); ok {
		f.Source = s.place(j.in.Now)
	}
	f.Source.Env = Known(env)
	return f
}

// stood is how long the images have stood there, or stood until they gave way.
func (s Source) stood(now time.Time) time.Duration {
	if !s.Until.IsZero() && s.Until.Before(now) {
		now = s.Until
	}
	return now.Sub(s.Since.Value)
}

// place returns what conditions may ask of a source: what was given, and what follows from
// the rest.
func (s Source) place(now time.Time) condition.Place {
	p := s.Place
	if s.Since.Known {
		if !p.Since.Known {
			p.Since = s.Since
		}
		if !p.Soak.Known {
			p.Soak = Known(max(0, s.stood(now)))
		}
	}
	states, sure, green := map[string]string{}, true, true
	var last time.Time
	for _, g := range s.Gates {
		newest, _ := g.newest()
		sure = sure && g.Verdicts.Known
		switch {
		case newest.App == "":
			states[g.What], green = "pending", false
		case verdictOf(newest.State) == approval.Yes:
			states[g.What] = "success"
		default:
			states[g.What], green = "failure", false
		}
		if newest.At.After(last) {
			last = newest.At
		}
	}
	if !sure {
		return p
	}
	if !p.Checks.Known {
		p.Checks = Known(states)
	}
	if !p.Verified.Known {
		p.Verified = Known(green)
	}
	if !p.VerifiedAt.Known && green && !last.IsZero() {
		p.VerifiedAt = Known(last)
	}
	return p
}

// claimed returns the source that an image's own labels name.
func claimed(i condition.Image) Fact[map[string]condition.Commit] {
	if !i.Labels.Known {
		return Fact[map[string]condition.Commit]{}
	}
	source := i.Labels.Value[image.AnnotationSource]
	if source == "" {
		return Fact[map[string]condition.Commit]{}
	}
	return Known(map[string]condition.Commit{strings.TrimSuffix(source, ".git"): {SHA: i.Labels.Value[image.AnnotationRevision]}})
}

// filters hold every image to the conditions of its environment.
func (j *judge) filters(base *condition.Facts) {
	var all []*judged
	for i := range j.places {
		if p := &j.places[i]; p.way != Removal && p.question == i {
			all = append(all, p)
		}
	}
	if len(all) == 0 {
		return
	}
	var children []promotion.Result
	for _, f := range j.set.Filters {
		if !f.Holds(j.env) {
			continue
		}
		accept := f.UnverifiedSource == "accept"
		of := j.asker(base, accept)
		r := group("filter", "filter "+f.Name, j.conditions(f.Origin, f.Fail, f.Pass, all, of))
		r.Policy, r.File, r.Line = f.Name, f.File, f.Line
		children = append(children, r)
	}
	if len(children) > 0 {
		j.add(group("filters", "every image meets the conditions of "+j.env.Name, children))
	}
}

// policies hold the change to each policy that governs it.
func (j *judge) policies(base *condition.Facts) {
	askers := map[bool]func(*judged) *asking{false: j.asker(base, false), true: j.asker(base, true)}
	children := make([]promotion.Result, 0, len(j.rules))
	for _, rule := range j.rules {
		p := rule.policy
		parts := j.conditions(p.Origin, p.Fail, p.Pass, rule.places, askers[p.AcceptUnverified])
		for _, c := range rule.more {
			parts = append(parts, j.waive(c))
		}
		parts = j.tallied(parts, rule)
		r := group("policy", "policy "+p.Name, parts)
		r.Policy, r.File, r.Line = p.Name, p.File, p.Line
		if p.Floor {
			r.Title += " of the organisation"
		}
		children = append(children, r)
	}
	if len(children) > 0 {
		j.add(group("policies", "every policy for it holds", children))
	}
}

// An asking is one image of the change, as conditions are asked of it.
type asking struct {
	facts   condition.Facts
	subject *condition.Subject
}

// asker returns the facts of a place, made once.
func (j *judge) asker(base *condition.Facts, accept bool) func(*judged) *asking {
	made := make([]*asking, len(j.places))
	return func(p *judged) *asking {
		if made[p.question] == nil {
			a := &asking{facts: j.of(base, p, accept)}
			a.subject = condition.About(&a.facts)
			made[p.question] = a
		}
		return made[p.question]
	}
}

// conditions ask the fail condition first, and then the pass condition.
func (j *judge) conditions(o Origin, fail, pass *Expression, places []*judged, of func(*judged) *asking) []promotion.Result {
	if len(places) == 0 {
		return nil
	}
	all := make([]promotion.Result, 0, 4) // what is asked of approvals follows
	if fail != nil {
		all = append(all, j.ask(o, "fail-condition", fail, condition.False, places, of))
	}
	if pass != nil {
		all = append(all, j.ask(o, "pass-condition", pass, condition.True, places, of))
	}
	return all
}

// maxShown is how many images a condition's result speaks of.
const maxShown = 20

// ask evaluates one condition for each image.
func (j *judge) ask(o Origin, rule string, e *Expression, wanted condition.Verdict, places []*judged, of func(*judged) *asking) promotion.Result {
	r := promotion.Result{Rule: rule, Status: promotion.Passed, Policy: o.Name, File: o.File, Line: e.Line, Wanted: string(wanted) + ": " + e.shown}
	for _, p := range places {
		asked := of(p)
		if e.Condition.Verdict(asked.subject) == wanted {
			continue
		}
		outcome := e.Condition.Explain(asked.subject)
		c := promotion.Result{Rule: rule, Policy: o.Name, File: o.File, Line: e.Line, Wanted: string(wanted), Seen: steps(outcome)}
		ref := name(p.change.New)
		switch {
		case outcome.Verdict == condition.Indeterminate:
			c.Status, c.Missing = promotion.Unknown, j.lacking(outcome.Missing, p)
			c.Title = "nobody can say the " + words(rule) + " of " + o.Name + " for " + ref
			if outcome.Err != "" {
				c.Title += ": " + clip(outcome.Err)
			}
			if len(c.Missing) > 0 {
				c.Title += ": " + clip(list(c.Missing, "and")) + plural(len(c.Missing), " is", " are") + " unknown"
			} else if outcome.Err == "" {
				c.Missing = []string{words(rule) + " of " + o.Name}
			}
			c.Next = "pinnace policy explain shows each value; give the App the permissions that docs/promotions.md lists"
		default:
			c.Status = promotion.Denied
			c.Title = ref + " does not meet the pass condition of " + o.Name
			if wanted == condition.False {
				c.Title = ref + " meets the fail condition of " + o.Name
			}
			c.Next = "promote another image, or change the condition"
			if why := j.mayChange(e, asked.facts, wanted, outcome.Cost); why != "" {
				c.Status = promotion.Waiting
				c.Title += " now"
				c.Next = why
			}
		}
		c.Who = "the owner of " + o.File
		if r.Status = promotion.Worst(r.Status, c.Status); len(r.Children) < maxShown {
			r.Children = append(r.Children, c)
		}
	}
	n := len(places)
	if r.Status == promotion.Passed {
		r.Title = "the " + words(rule) + " of " + o.Name + " is " + string(wanted) + " for " + strconv.Itoa(n) + plural(n, " image", " images")
	} else {
		r.Title = "the " + words(rule) + " of " + o.Name + " is not " + string(wanted) + " for every image"
	}
	if e.timed {
		j.until(j.in.Now.Truncate(tick).Add(tick))
	}
	if e.counts {
		for _, lapses := range j.counted.Lapses {
			j.until(lapses)
		}
	}
	return r
}

func words(rule string) string { return strings.ReplaceAll(rule, "-", " ") }

// mayChange says what changes the outcome of a condition without another image: time, or
// approvals that are still to come, or both. A condition depends on who approves when nobody
// can say it without the approvals.
func (j *judge) mayChange(e *Expression, f condition.Facts, wanted condition.Verdict, cost uint64) string {
	if e.timed {
		if at, ok := j.later(e, f, cost, wanted); ok {
			if at.IsZero() {
				return "wait: the condition depends on the time"
			}
			return "wait: the condition depends on the time, and is met on " + stamp(at)
		}
	}
	if !e.counts {
		return ""
	}
	f.Approvals = Fact[[]condition.Approval]{}
	if e.Condition.Evaluate(f).Verdict == condition.Indeterminate {
		return "approve: the condition depends on who approved"
	}
	if e.timed {
		if _, ok := j.later(e, f, cost, condition.Indeterminate); ok {
			return "wait, and approve: the condition depends on the time and on who approved"
		}
	}
	return ""
}

// steps says what the parts of a condition came to: the last of them, which decide.
func steps(o condition.Outcome) string {
	const most = 8
	var parts []string
	for _, s := range o.Steps {
		if s.Source != s.Value { // not a literal
			parts = append(parts, clipTo(s.Source, maxPart)+" = "+clipTo(s.Value, maxPart))
		}
	}
	if n := len(parts); n > most {
		parts = append([]string{"..."}, parts[n-most:]...)
	}
	return strings.Join(parts, ", ")
}

// maxPart is how many bytes are shown of a part of a condition, and of its value.
const maxPart = 80
