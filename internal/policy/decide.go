package policy

import (
	"slices"
	"strings"
	"time"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/policy/approval"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A judge is one decision in the making.
type judge struct {
	in     *Input
	env    Env
	set    *Set
	policy bool // a promotion policy is bound in the environment, or to what is changed
	places []judged
	rules  []*rule
	apps   []string

	needs   []approval.Need
	counted approval.Output
	glass   *BreakGlass // that holds

	merger promotion.Merger
	said   promotion.Identity // who said /deploy

	spent   uint64 // cost of asking conditions of later instants
	results []promotion.Result
	again   time.Time
}

// A judged is one changed place, with the policies that it is judged under.
type judged struct {
	change   *Change
	question int // the first place with the same image of the same app instead of the same one
	way      Way
	missing  string
	bound    []*ImagePromotionPolicy
	governed []*ImagePromotionPolicy // those of bound that govern the way
}

// A rule is one policy, with what it judges.
type rule struct {
	policy *ImagePromotionPolicy
	needs  Needs
	asks   []int     // of judge.needs
	places []*judged // whose conditions are asked, one for each question
	asked  map[int]bool
	apps   []string

	unread bool               // a change that cannot be read is judged under it
	raised string             // pointer to the item of more that the count is of; "": approverCount
	more   []promotion.Result // what was asked of those items
}

// Decide says whether a change may be merged into one environment, and why.
func Decide(in Input) promotion.Decision {
	j := &judge{in: &in, set: in.Set}
	if j.configuration() {
		j.checks()
		// What stands on a broken seal is not known to be nothing.
		if len(in.Changes) > 0 || len(in.Opaque) > 0 || in.Kind != promotion.ByHand && in.Seal.Intact == approval.No {
			j.judge()
		}
	}
	return j.decision()
}

// configuration says whether there are documents to judge by.
func (j *judge) configuration() bool {
	r := promotion.Result{Rule: "configuration", Status: promotion.Passed, Title: "the rules in .pinnace/ can be read"}
	switch {
	case j.set == nil:
		r.Status, r.Title = promotion.Denied, "the documents of .pinnace/ have an error"
		r.Who, r.Next = "who may change .pinnace/", "pinnace policy validate"
	case j.in.Floor == FloorUnknown:
		r.Status, r.Title = promotion.Unknown, "the organisation's documents cannot be read"
		r.Missing = []string{"the organisation's floor"}
		r.Who, r.Next = "the operator of Pinnace", "let the App read the organisation's .github repository, or say that there is no floor"
	case j.in.Kind == "":
		r.Status, r.Title, r.Missing = promotion.Unknown, "nobody said what kind of change it is", []string{"kind"}
		r.Who = "Pinnace"
	case j.in.Env != "":
		env, ok := j.set.World.environment(j.in.Env)
		j.env = env
		if !ok {
			r.Status, r.Title = promotion.Denied, "the environment "+clip(j.in.Env)+" is not configured"
			r.Who, r.Next = "who may change .pinnace/", "add it to .pinnace/config.yaml"
		}
	case len(j.in.Changes)+len(j.in.Opaque) > 0 && j.in.Kind != promotion.ByHand && j.in.Kind != promotion.Pin:
		r.Status, r.Title, r.Missing = promotion.Unknown, "nobody said which environment is changed", []string{"environment"}
		r.Next = "pinnace config validate lists files of no environment"
	}
	j.add(r)
	return r.Status == promotion.Passed
}

// checks hold the verdict to the other checks of the head.
func (j *judge) checks() {
	check := func(name, title string, a Answer, next string) {
		r := promotion.Result{Rule: "check", Title: name + " is green", Wanted: "success", Who: "the author of the change", Next: next}
		switch a {
		case approval.Yes:
			r.Status, r.Who, r.Next = promotion.Passed, "", ""
		case approval.No:
			r.Status, r.Title, r.Seen = promotion.Denied, title, "failure"
		default:
			r.Status, r.Title, r.Missing = promotion.Unknown, "nobody knows yet what "+name+" says", []string{name}
		}
		j.add(r)
	}
	if j.in.Checks.ConfigWaits && j.in.Checks.Config != approval.Yes {
		j.add(promotion.Result{
			Rule: "check", Status: promotion.Waiting, Title: "pinnace/config of this head waits for an admin", Seen: "in progress", Wanted: "success",
			Who: spell(j.set.Grants(Admin, j.env.Name, "")), Next: "look at the check pinnace/config, and approve this head",
		})
	} else {
		check("pinnace/config", "pinnace/config of this head is red", j.in.Checks.Config, "look at the check pinnace/config")
	}
	if locks := j.set.Locking(j.in.Env); j.in.Env != "" && len(locks) > 0 {
		check("pinnace/pins", "pinnace/pins of this head is red, and policy "+locks[0].Name+" locks "+j.in.Env, j.in.Checks.Pins, "pinnace pin")
	}
}

// judge holds the change to every rule, in the order of the specification.
func (j *judge) judge() {
	j.place()
	j.policy = slices.ContainsFunc(j.set.Promotions, func(p *ImagePromotionPolicy) bool { return p.in(j.env) }) ||
		slices.ContainsFunc(j.places, func(p judged) bool { return len(p.bound) > 0 }) ||
		slices.ContainsFunc(j.in.Opaque, func(o Opaque) bool { return len(j.unread(&o)) > 0 })
	free := j.in.Kind == promotion.ByHand && !j.policy
	if !free {
		j.seal()
		j.digests()
		j.hold()
		j.requester()
		j.ways()
		j.current()
		j.leave()
		j.opaque()
	}
	j.emergency()
	base := j.facts()
	j.count(&base)
	base.Approvals = j.approvals()
	j.filters(&base)
	j.policies(&base)
	if !free {
		j.soak()
		j.gates()
	}
	j.freezes()
	if free {
		j.add(promotion.Result{
			Rule: "policies", Status: promotion.Passed,
			Title: "no promotion policy is bound in " + j.where() + ": a change by hand needs no approval",
		})
		return
	}
	j.vetoes()
	j.deploy()
}

// where names the environment, for people.
func (j *judge) where() string {
	if j.env.Name == "" {
		return "files of no environment"
	}
	return j.env.Name
}

// place says of each change how it comes and which policies judge it.
func (j *judge) place() {
	type question struct {
		app      string
		way      Way
		old, new image.Ref
	}
	first := map[question]int{}
	j.places = make([]judged, len(j.in.Changes))
	for i := range j.in.Changes {
		c := &j.in.Changes[i]
		p := &j.places[i]
		p.change = c
		p.way, p.missing = j.wayOf(c)
		q := question{c.NewApp, p.way, c.Old, c.New}
		if at, ok := first[q]; ok {
			p.question = at
		} else {
			first[q], p.question = i, i
		}
		w := where{env: j.env, path: c.Path}
		for _, app := range []string{c.OldApp, c.NewApp} {
			if app != "" && !slices.Contains(w.apps, app) {
				w.apps = append(w.apps, app)
			}
			if app != "" && !slices.Contains(j.apps, app) {
				j.apps = append(j.apps, app)
			}
		}
		for _, name := range []string{c.Old.Name, c.New.Name} {
			if name == "" {
				continue
			}
			ref := c.Old
			if name != c.Old.Name {
				ref = c.New
			}
			if r := ref.Repository(); !slices.Contains(w.repositories, r) {
				w.repositories = append(w.repositories, r)
			}
		}
		w.apps = append(w.apps, j.set.World.floorApps(w)...)
		p.bound = j.set.bound(w, c.Beside)
		for _, policy := range p.bound {
			if policy.governs(p.way, j.env) {
				p.governed = append(p.governed, policy)
				r := j.rule(policy)
				r.add(w.apps)
				if p.way.eligible() && !r.asked[p.question] {
					r.asked[p.question] = true
					r.places = append(r.places, p)
				}
			}
		}
	}
	slices.Sort(j.apps)
}

// rule returns the rule of a policy, made when first asked for.
func (j *judge) rule(p *ImagePromotionPolicy) *rule {
	for _, r := range j.rules {
		if r.policy == p {
			return r
		}
	}
	r := &rule{policy: p, needs: p.Needs, asked: map[int]bool{}}
	added := slices.ContainsFunc(j.in.Changes, func(c Change) bool { return c.Old.Name == "" })
	if j.in.Kind == promotion.Rollback && p.Rollback != nil && !added && j.in.Rollback.Stood == approval.Yes && j.in.Rollback.Verified == approval.Yes {
		r.needs = *p.Rollback
	}
	j.rules = append(j.rules, r)
	return r
}

func (r *rule) add(apps []string) {
	for _, a := range apps {
		if !slices.Contains(r.apps, a) {
			r.apps = append(r.apps, a)
		}
	}
}

// add keeps a result, and when it may change.
func (j *judge) add(r promotion.Result) {
	j.results = append(j.results, r)
	j.until(r.Until)
}

// until remembers when time alone may change something.
func (j *judge) until(t time.Time) {
	if t.After(j.in.Now) && (j.again.IsZero() || t.Before(j.again)) {
		j.again = t
	}
}

// group is a result made of others; it has the worst of their statuses.
func group(name, title string, children []promotion.Result) promotion.Result {
	r := promotion.Result{Rule: name, Title: title, Children: children}
	for _, c := range children {
		r.Status = promotion.Worst(r.Status, c.Status)
	}
	if r.Status == "" {
		r.Status = promotion.Skipped
	}
	return r
}

// decision sums up.
func (j *judge) decision() promotion.Decision {
	d := promotion.Decision{
		Results: j.results, Approvals: j.counted.Approvals, Ignored: j.counted.Ignored, Recheck: j.again,
	}
	statuses := make([]promotion.Status, len(d.Results))
	for i, r := range d.Results {
		statuses[i] = r.Status
	}
	d.Status = promotion.Worst(statuses...)
	if d.Status == promotion.Skipped {
		d.Status = promotion.Passed
	}
	d.Merger, d.Asked = j.merger, j.said
	if j.glass != nil {
		d.Glass, d.Broke = clip(j.glass.Reason), j.glass.By
	}
	d.Summary = summary(d)
	return d
}

// summary is the decision in one line: what stands in the way.
func summary(d promotion.Decision) string {
	if d.Status == promotion.Passed {
		if d.Glass != "" {
			return "break-glass of " + clip(d.Broke.Login) + ": rules are waived"
		}
		if len(d.Results) == 0 {
			return "nothing is to be judged"
		}
		return "all rules hold"
	}
	var words []string
	more := 0
	var collect func(r promotion.Result)
	collect = func(r promotion.Result) {
		if r.Status != d.Status {
			return
		}
		worse := slices.ContainsFunc(r.Children, func(c promotion.Result) bool { return c.Status == d.Status })
		if worse && r.Rule != "approvals" {
			for _, c := range r.Children {
				collect(c)
			}
			return
		}
		switch {
		case slices.Contains(words, r.Title):
		case len(words) == 3:
			more++
		default:
			words = append(words, r.Title)
		}
	}
	for _, r := range d.Results {
		collect(r)
	}
	text := string(d.Status) + ": " + strings.Join(words, "; ")
	if more > 0 {
		text += "; and more"
	}
	return text
}

// Together joins the decisions on the environments that one change touches. Names are
// those of the environments, in the order of the decisions.
func Together(names []string, all []promotion.Decision) promotion.Decision {
	if len(all) == 1 {
		return all[0]
	}
	var out promotion.Decision
	var persons, ours bool
	statuses := make([]promotion.Status, 0, len(all))
	for i, d := range all {
		statuses = append(statuses, d.Status)
		out.Results = append(out.Results, promotion.Result{Rule: "environment", Status: d.Status, Title: names[i] + ": " + d.Summary, Children: d.Results})
		for _, a := range d.Approvals {
			if !slices.Contains(out.Approvals, a) {
				out.Approvals = append(out.Approvals, a)
			}
		}
		for _, a := range d.Ignored {
			if !slices.Contains(out.Ignored, a) {
				out.Ignored = append(out.Ignored, a)
			}
		}
		persons, ours = persons || d.Merger == promotion.APerson, ours || d.Merger == promotion.Pinnace
		if d.Asked.ID != 0 {
			out.Asked = d.Asked
		}
		if d.Glass != "" {
			out.Glass, out.Broke = d.Glass, d.Broke
		}
		if !d.Recheck.IsZero() && (out.Recheck.IsZero() || d.Recheck.Before(out.Recheck)) {
			out.Recheck = d.Recheck
		}
	}
	// An approval that counts in one environment is not shown as ignored in another.
	out.Ignored = slices.DeleteFunc(out.Ignored, func(i promotion.Ignored) bool {
		return slices.ContainsFunc(out.Approvals, func(a promotion.Approval) bool { return a.Review == i.Review })
	})
	switch {
	case ours && (out.Asked.ID != 0 || !persons):
		out.Merger = promotion.Pinnace // who said /deploy said it of all: no green check is left standing
	case persons:
		out.Merger = promotion.APerson
	}
	out.Status = promotion.Worst(statuses...)
	if out.Status == promotion.Skipped {
		out.Status = promotion.Passed
	}
	out.Summary = summary(out)
	return out
}

// source returns what is known of an app in an environment that images come from.
func (j *judge) source(env, app string) (Source, bool) {
	for _, s := range j.in.Sources {
		if s.Env == env && s.App == app {
			return s, true
		}
	}
	return Source{}, false
}
