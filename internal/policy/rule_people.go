package policy

import (
	"slices"
	"time"

	"github.com/pinnace-dev/pinnace/internal/policy/approval"
	"github.com/pinnace-dev/pinnace/internal/policy/condition"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// count asks for the approvals of every policy that governs something.
func (j *judge) count(base *condition.Facts) {
	builders, unknown, named := j.builders()
	in := approval.Input{
		PullRequest: j.in.PullRequest, Draft: j.in.Draft, Seal: j.in.Seal.Hash, SealedAt: j.in.Seal.At,
		Reviews: j.in.Reviews, Moments: j.in.Moments, Heads: j.in.Heads, People: j.in.People,
		Requesters: j.in.Request.By, RequesterUnknown: j.in.Request.Unknown,
		Builders: builders, BuilderUnknown: unknown,
		Authors: j.in.Authors, AuthorUnknown: j.in.AuthorUnknown,
		Approvers: j.set.Grants(Promoter, j.env.Name, j.app()),
		Now:       j.in.Now,
	}
	bot := j.in.Request.Bot && j.in.Kind == promotion.ByHand
	if bot {
		in.Requesters, in.RequesterUnknown = j.standIns()
	}
	if j.in.Kind == promotion.ByHand && !bot { // somebody wrote it: of an unknown author it is said already
		in.RequesterUnknown = len(in.Requesters) == 0 && !in.AuthorUnknown
	}
	nobody := len(in.Requesters) == 0 && !in.RequesterUnknown && !bot
	askers := map[bool]func(*judged) *asking{}
	for _, r := range j.rules {
		if accept := r.policy.AcceptUnverified; len(r.needs.More) > 0 {
			if askers[accept] == nil {
				askers[accept] = j.asker(base, accept)
			}
			j.raise(r, askers[accept])
		}
		n := approval.Need{
			Policy: r.policy.Name, File: r.policy.File, Line: r.policy.at(r.raised + "/approverCount"),
			Count: r.needs.ApproverCount, AllowRequester: r.needs.AllowRequestFromApprove, AllowBuilder: r.needs.AllowImageBuilderFromApprove,
			TTL: time.Duration(r.needs.ApprovalTTL), UnknownRequester: approval.Unknowns(r.needs.UnknownRequester), UnknownBuilder: approval.Unknowns(r.needs.UnknownBuilder),
		}
		if n.UnknownBuilder == "" {
			n.UnknownBuilder = approval.Ignore
			if named || nobody {
				n.UnknownBuilder = approval.Deny
			}
		}
		for _, approvers := range j.approvers(r) {
			n.Approvers = approvers
			r.asks = append(r.asks, len(in.Needs))
			in.Needs = append(in.Needs, n)
		}
	}
	j.needs = in.Needs
	j.counted = approval.Count(in)
	j.until(j.counted.Recheck)
}

// standIns returns who says /deploy for a bot's pull request by hand: they count as having
// asked for it, and nothing is merged before one did. With a button nobody knows who will
// press it.
func (j *judge) standIns() (who []promotion.Identity, unknown bool) {
	if j.deployMode() != DeployCommand {
		return nil, true
	}
	for _, a := range j.in.Deploy.Asks {
		if !slices.Contains(who, a.By) {
			who = append(who, a.By)
		}
	}
	return who, false
}

// builders returns who built the new images, and whether some builder is unknown: of an
// image whose app names its source for one.
func (j *judge) builders() (who []promotion.Identity, unknown, named bool) {
	for i := range j.places {
		c := j.places[i].change
		if c.Removal() {
			continue
		}
		if !c.Image.Builder.Known {
			unknown = true
			named = named || slices.ContainsFunc(j.set.World.Apps, func(a App) bool { return a.Name == c.NewApp && a.Source != "" })
			continue
		}
		for _, b := range c.Image.Builder.Value.Users {
			if !slices.Contains(who, b) {
				who = append(who, b)
			}
		}
	}
	return who, unknown, named
}

// approvers returns who may approve for a rule: one list for each way that its apps' roles
// differ, all of which must be met.
func (j *judge) approvers(r *rule) [][]approval.Role {
	apps := slices.Sorted(slices.Values(r.apps))
	if len(apps) == 0 {
		apps = []string{""}
	}
	var all [][]approval.Role
	for _, app := range apps {
		roles := j.set.approvers(j.env.Name, app, r.needs)
		if !slices.ContainsFunc(all, func(other []approval.Role) bool { return spell(other) == spell(roles) }) {
			all = append(all, roles)
		}
	}
	return all
}

// approvers returns who may approve an app in an environment: those whom the needs list, else
// who holds the role promoter.
func (s *Set) approvers(env, app string, n Needs) []approval.Role {
	a := n.Approvers
	if len(a.Users)+len(a.Teams) == 0 {
		return s.Grants(Promoter, env, app)
	}
	role := approval.Role{Teams: a.Teams}
	for _, u := range a.Users {
		role.Users = append(role.Users, approval.User(u))
	}
	return []approval.Role{role}
}

// WhoApproves says who may approve an app in an environment, in the words of the verdict: "carol
// or anybody with admin".
func WhoApproves(s *Set, env, app string, n Needs) string {
	return approval.Who(s.approvers(env, app, n))
}

// tallied appends what counting said of a rule's needs.
func (j *judge) tallied(all []promotion.Result, r *rule) []promotion.Result {
	for _, i := range r.asks {
		all = append(all, j.waive(j.counted.Results[i]))
	}
	return all
}

// vetoes are the change requests that stand in the way. Nothing waives them.
func (j *judge) vetoes() {
	if len(j.counted.Vetoes) == 0 {
		return
	}
	children := make([]promotion.Result, len(j.counted.Vetoes))
	for i, v := range j.counted.Vetoes {
		children[i] = v.Result
	}
	j.add(group("vetoes", "nobody asks for changes", children))
}

// deployMode is how this change is deployed. By hand, in an environment where Pinnace
// merges, a person says so.
func (j *judge) deployMode() DeployMode {
	if j.in.Kind == promotion.ByHand && j.in.Deploy.Mode == DeployAuto {
		return DeployCommand
	}
	return j.in.Deploy.Mode
}

// deploy holds the merge to who may ask for it.
func (j *judge) deploy() {
	r := promotion.Result{Rule: "deploy", Status: promotion.Passed}
	var strict *rule // a policy whose approvers do not deploy
	for _, rule := range j.rules {
		if rule.needs.ApproverCount > 0 && !rule.needs.AllowApproverFromDeploy {
			strict = rule
			break
		}
	}
	j.merger = promotion.Pinnace
	switch mode := j.deployMode(); {
	case j.glass != nil:
		r.Status, r.Title = promotion.Skipped, "break-glass merges this seal"
	case mode == DeployAuto:
		r.Title = "Pinnace merges when all holds"
	case mode == DeployCommand:
		r = j.command(strict)
	default:
		j.merger = promotion.APerson
		r.Title = "a person merges"
		if strict != nil {
			r.Title = "a person merges who did not approve"
			r.Policy, r.File, r.Line = strict.policy.Name, strict.policy.File, strict.policy.at("/allowApproverFromDeploy")
			r.Wanted = "deploy: command, so that this is enforced and not detected only"
		}
	}
	j.add(r)
}

// command looks for a /deploy that counts.
func (j *judge) command(strict *rule) promotion.Result {
	r := promotion.Result{Rule: "deploy", Wanted: "a new, unedited comment /deploy after the last needed approval"}
	var deployers [][]approval.Role
	for _, app := range j.eachApp() {
		deployers = append(deployers, j.set.Grants(Deployer, j.env.Name, app))
	}
	r.Who = spell(deployers[0])
	if strict != nil {
		r.Policy, r.File, r.Line = strict.policy.Name, strict.policy.File, strict.policy.at("/allowApproverFromDeploy")
		r.Wanted += ", by somebody who did not approve"
		r.Who += ", but none of those who approved"
	}
	last, complete := j.lastNeeded()
	unknown := ""
	asks := slices.Clone(j.in.Deploy.Asks)
	slices.SortFunc(asks, func(a, b DeployAsk) int { return a.At.Compare(b.At) })
	for _, a := range asks {
		name := clip(a.By.Login)
		why := ""
		held := Is(true)
		for _, roles := range deployers {
			if h := holds(roles, a.By, j.in.People); h == approval.No || held != approval.No && h == approval.Unknown {
				held = h
			}
		}
		switch {
		case a.Edited:
			why = "it was edited"
		case a.At.After(j.in.Now):
			why = "it is of a later time"
		case j.in.Seal.At.IsZero() || !a.At.After(j.in.Seal.At):
			why = "it is not newer than what would be merged"
		case !complete:
			why = "approvals are still needed"
		case !a.At.After(last):
			why = "it is not newer than the last needed approval, of " + stamp(last)
		case held == approval.No:
			why = name + " is no deployer"
		case strict != nil && j.approved(a.By):
			why = name + " approved, and policy " + strict.policy.Name + " lets no approver deploy"
		case held != approval.Yes:
			why = "nobody knows whether " + name + " is a deployer"
			unknown = "role of " + name
		default:
			j.said = a.By
			r.Status, r.Title, r.Seen, r.Next = promotion.Passed, name+" said /deploy", name+", "+stamp(a.At), ""
			return r
		}
		r.Children = append(r.Children, promotion.Result{Rule: "deploy-ask", Status: promotion.Skipped, Title: "/deploy of " + name + " does not count: " + why})
	}
	r.Status, r.Title, r.Next = promotion.Waiting, "nobody said /deploy yet", "comment /deploy"
	if len(r.Children) > 0 {
		r.Title = r.Children[len(r.Children)-1].Title // of the newest
	}
	switch {
	case unknown != "" && complete:
		r.Status, r.Missing = promotion.Unknown, []string{unknown}
		r.Next = "give the App the permissions that docs/promotions.md lists"
	case !complete:
		r.Next = "once the approvals are there, comment /deploy"
	}
	return r
}

// approved reports whether a person's approval counts.
func (j *judge) approved(who promotion.Identity) bool {
	return slices.ContainsFunc(j.counted.Approvals, func(a promotion.Approval) bool { return a.By.ID == who.ID })
}

// lastNeeded returns when the needs were met: the latest of the times at which each had its
// count. complete is false while one lacks an approval.
func (j *judge) lastNeeded() (last time.Time, complete bool) {
	for i, n := range j.needs {
		if n.Count <= 0 {
			continue
		}
		met := j.counted.Met[i]
		if met.IsZero() {
			return time.Time{}, false
		}
		if met.After(last) {
			last = met
		}
	}
	return last, true
}
