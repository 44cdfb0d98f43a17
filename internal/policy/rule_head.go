package policy

import (
	"slices"
	"strings"
	"unicode"

	"github.com/pinnace-dev/pinnace/internal/policy/approval"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// seal holds the head to its seal, the request to standing, and the pull request to being ready.
func (j *judge) seal() {
	if j.in.Kind != promotion.ByHand {
		if j.in.Fork {
			j.add(promotion.Result{
				Rule: "seal", Status: promotion.Denied, Title: "the head is in a fork, where no change of Pinnace's ever is",
				Wanted: "a head in this repository", Who: spell(j.set.Grants(Requester, j.env.Name, j.app())), Next: "close this pull request, and ask: " + j.promote(),
			})
		}
		r := promotion.Result{Rule: "seal", Title: "the head is the sealed change and nothing else", Wanted: "the sealed edits on their own parent"}
		switch j.in.Seal.Intact {
		case approval.Yes:
			r.Status = promotion.Passed
		case approval.No:
			r.Status, r.Title = promotion.Denied, "the seal is broken"
			if j.in.Seal.Where != "" {
				r.Title += " at " + clip(j.in.Seal.Where)
				r.Seen = clip(j.in.Seal.Where)
			}
			r.Who, r.Next = "anybody with write", "comment /reseal: the change is made anew on the base, and a foreign commit is kept under a saved ref"
		default:
			r.Status, r.Title, r.Missing = promotion.Unknown, "nobody knows whether the seal is intact", []string{"seal"}
			r.Who, r.Next = "Pinnace", "wait for the next look at the head"
		}
		j.add(r)
	}
	if j.in.Cancelled {
		j.add(promotion.Result{
			Rule: "request", Status: promotion.Denied, Title: "the request was cancelled", Wanted: "a request that nobody took back",
			Who: spell(j.set.Grants(Requester, j.env.Name, j.app())), Next: "ask again: " + j.promote(),
		})
	}
	if j.in.Draft {
		j.add(promotion.Result{
			Rule: "draft", Status: promotion.Waiting, Title: "the pull request is a draft",
			Who: "its author, or anybody with write", Next: "mark it as ready for review",
		})
	}
}

// digests hold each new digest to being in its registry still.
func (j *judge) digests() {
	var children []promotion.Result
	seen := map[string]bool{}
	for i := range j.places {
		c := j.places[i].change
		key := c.New.Repository() + "@" + string(c.New.Digest)
		if !c.Removal() && !c.New.Pinned() && j.in.Kind != promotion.ByHand {
			children = append(children, promotion.Result{
				Rule: "digest", Status: promotion.Denied, Title: name(c.New) + " has no digest, and what is promoted is a digest",
				Who: "who asks", Next: "pinnace resolve " + c.New.Tagged(),
			})
			continue
		}
		if c.Removal() || !c.New.Pinned() || seen[key] && c.Exists == approval.Yes {
			continue
		}
		seen[key] = true
		r := promotion.Result{Rule: "digest", Status: promotion.Passed, Title: name(c.New) + " is in its registry"}
		switch c.Exists {
		case approval.Yes:
		case approval.No:
			r.Status, r.Title = promotion.Denied, name(c.New)+" is no longer in its registry"
			r.Who, r.Next = "who pushes the image", "push the same digest again, or promote another one"
		default:
			r.Status, r.Title, r.Missing = promotion.Unknown, "nobody knows whether "+name(c.New)+" is in its registry", []string{"digest of " + c.New.Repository()}
			r.Who, r.Next = "who runs the registry", "pinnace resolve "+c.New.Tagged()
		}
		children = append(children, r)
	}
	if len(children) > 0 {
		j.add(group("digests", "every digest is in its registry", children))
	}
}

// hold keeps what nobody asked for since a rollback away, and what comes after an open pull
// request of the same app.
func (j *judge) hold() {
	h := j.in.Hold
	if h == nil {
		return
	}
	if h.Open != "" {
		j.add(promotion.Result{
			Rule: "hold", Status: promotion.Waiting, Title: "held by the open " + string(h.Open) + " " + clip(h.What),
			Wanted: clip(h.What) + " merged or closed", Who: "who may merge or close " + clip(h.What), Next: "merge " + clip(h.What) + ", or close it",
		})
		return
	}
	late := j.in.Request.At.After(h.Since) && !j.in.Request.Auto
	if j.in.Kind != promotion.Update && (j.in.Kind != promotion.Promotion || late) {
		return
	}
	what := "the rollback"
	if h.What != "" {
		what += " " + clip(h.What)
	}
	j.add(promotion.Result{
		Rule: "hold", Status: promotion.Waiting,
		Title: "held by " + what + " of " + stamp(h.Since),
		Seen:  "rolled back by " + clip(h.By.Login), Wanted: "a promotion that somebody asked for since",
		Who:  spell(j.set.Grants(Requester, j.env.Name, j.app())),
		Next: j.promote(),
	})
}

// app returns the first app of the change.
func (j *judge) app() string {
	if len(j.apps) == 0 {
		return ""
	}
	return j.apps[0]
}

// promote is the command that asks for this promotion, with further flags.
func (j *judge) promote(flags ...string) string {
	app := j.app()
	if app == "" {
		app = "APP"
	}
	if j.in.Repository != "" {
		flags = append(slices.Clip(flags), "--repo "+j.in.Repository)
	}
	return strings.Join(append([]string{"pinnace promote " + app + " --to " + j.env.Name}, flags...), " ")
}

// requester holds who asked last to the role: each re-seal is of its own asker, and those
// before were judged then. A machine needs the role by its own permission; who is behind it
// is what unknownRequester speaks of.
func (j *judge) requester() {
	if j.in.Kind != promotion.Promotion && j.in.Kind != promotion.Rollback || j.in.Request.Auto {
		return
	}
	r := promotion.Result{Rule: "requester", Status: promotion.Passed, Title: "who asked holds the role requester"}
	if len(j.in.Request.By) == 0 {
		if !j.in.Request.Unknown {
			r.Status, r.Title, r.Missing = promotion.Unknown, "nobody knows who asked", []string{"requester"}
			r.Next = j.promote()
			j.add(r)
		}
		return
	}
	who := j.in.Request.By[len(j.in.Request.By)-1]
	name := who.String()
	if who.Login != "" {
		name = clip(who.Login)
	}
	if name == "" || who.ID == 0 {
		r.Status, r.Title, r.Missing = promotion.Unknown, "nobody knows which account asked", []string{"account of who asked"}
		if name != "" {
			r.Title, r.Missing = "nobody knows which account "+name+" is, who asked", []string{"account of " + name}
		}
		r.Who, r.Next = spell(j.set.Grants(Requester, j.env.Name, j.app())), "somebody with an account asks again: "+j.promote()
		j.add(r)
		return
	}
	for _, app := range j.eachApp() {
		roles := j.set.Grants(Requester, j.env.Name, app)
		switch asks(roles, who, j.in.People) {
		case approval.Yes:
			continue
		case approval.No:
			r.Status, r.Title = promotion.Denied, name+" does not hold the role requester"
			r.Next = "somebody who does asks again: " + j.promote()
		default:
			if r.Status == promotion.Denied {
				continue
			}
			r.Status, r.Title = promotion.Unknown, "nobody knows whether "+name+" holds the role requester"
			r.Missing = []string{"role of " + name}
			r.Next = "give the App the permissions that docs/promotions.md lists"
		}
		r.Seen, r.Wanted, r.Who = name, spell(roles), spell(roles)
	}
	j.add(r)
}

// eachApp returns the apps of the change, or the nameless one.
func (j *judge) eachApp() []string {
	if len(j.apps) == 0 {
		return []string{""}
	}
	return j.apps
}

// emergency looks for a break-glass that holds.
func (j *judge) emergency() {
	for i := range j.in.Emergency {
		b := &j.in.Emergency[i]
		r := promotion.Result{Rule: "break-glass", Status: promotion.Skipped, Seen: clip(b.Reason), Wanted: "an admin's own unedited words, on this seal"}
		name := clip(b.By.Login)
		admin := Is(true)
		for _, app := range j.eachApp() {
			if a := holds(j.set.Grants(Admin, j.env.Name, app), b.By, j.in.People); a != approval.Yes && admin != approval.No {
				admin = a
			}
		}
		why := ""
		switch {
		case b.Edited:
			why = "it was edited"
		case clip(b.Reason) == "" || onlyBlanks(b.Reason):
			why = "it gives no reason"
		case b.Seal == "" || b.Seal != j.in.Seal.Hash:
			why = "it is for another seal"
		case b.At.After(j.in.Now):
			why = "it is of a later time"
		case b.At.IsZero() || b.At.Before(j.in.Seal.At):
			why = "it is older than what it is for"
		case admin == approval.No:
			why = name + " is no admin"
		case admin != approval.Yes:
			why = "nobody knows whether " + name + " is an admin"
			r.Missing = []string{"role of " + name}
		}
		if why != "" {
			r.Title = "break-glass of " + name + " waives nothing: " + why
			r.Who, r.Next = spell(j.set.Grants(Admin, j.env.Name, j.app())), `comment /break-glass "reason"`
			j.add(r)
			continue
		}
		if j.glass == nil {
			j.glass = b
		}
		r.Title = "break-glass of " + name + ": approval counts, soak, gates and freezes are waived"
		j.add(r)
	}
}

func onlyBlanks(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return unicode.IsGraphic(c) && !unicode.IsSpace(c) })
}

// waive turns a result that stands in the way into one that does not, under break-glass.
func (j *judge) waive(r promotion.Result) promotion.Result {
	if j.glass == nil || r.Status == promotion.Passed || r.Status == promotion.Skipped {
		return r
	}
	r.Status, r.Title = promotion.Skipped, "waived by break-glass: "+r.Title
	r.Who, r.Next = "", ""
	return r
}
