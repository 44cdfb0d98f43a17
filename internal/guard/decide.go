package guard

import (
	"strconv"
	"strings"
	"time"

	"github.com/pinnace-dev/pinnace/internal/document"
	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/policy/approval"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/rulebook"
)

// Decide judges a pull request. Where nothing is touched it has passed.
func Decide(in Input) promotion.Decision {
	if len(in.Touched) == 0 {
		return promotion.Decision{
			Status: promotion.Passed, Summary: "neither .pinnace/ nor a workflow that runs Pinnace is changed",
			Results: []promotion.Result{}, Approvals: []promotion.Approval{}, Ignored: []promotion.Ignored{},
		}
	}
	j := newJudge(in)
	d := promotion.Decision{Results: []promotion.Result{j.touched()}}
	add := func(r promotion.Result, ok bool) {
		if ok {
			d.Results = append(d.Results, r)
		}
	}
	add(j.tip())
	add(j.documents(), true)
	add(j.images())
	add(j.approvals(), true)
	for _, v := range j.out.Vetoes {
		add(v.Result, true)
	}
	statuses := make([]promotion.Status, len(d.Results))
	for i, r := range d.Results {
		statuses[i] = r.Status
	}
	d.Status = promotion.Worst(statuses...)
	d.Summary = j.summary(d)
	d.Approvals, d.Ignored = j.out.Approvals, j.out.Ignored
	d.Recheck = j.recheck
	d.Results = append(d.Results, j.difference()...)
	return d
}

// A judge is one call of [Decide].
type judge struct {
	in      Input
	people  map[int64]approval.Person
	roles   []approval.Role // by the tip
	authors []promotion.Identity
	unknown bool // somebody wrote it whom nobody knows
	out     approval.Output
	recheck time.Time
}

func newJudge(in Input) *judge {
	j := &judge{in: in, roles: roles(in.Base)}
	j.people = people(in)
	j.authors = append(append(j.authors, in.Author), in.Writers...)
	j.unknown = in.WritersUnknown
	for _, a := range j.authors {
		j.unknown = j.unknown || a.ID == 0 || a.ID == ghost || j.people[a.ID].Ghost
	}
	j.count()
	return j
}

// touched says what is guarded.
func (j *judge) touched() promotion.Result {
	r := promotion.Result{Rule: "guarded", Status: promotion.Passed, Title: "it changes " + few(j.in.Touched, 5) + ", which the guard is for"}
	if j.in.Fork {
		r.Seen = "its head is of a fork, which changes nothing here"
	}
	return r
}

// tip says what of the base's tip could not be read.
func (j *judge) tip() (promotion.Result, bool) {
	r := promotion.Result{Rule: "tip", Status: promotion.Unknown}
	switch {
	case j.in.HeadSHA == "":
		r.Title, r.Missing = "which head is judged is unknown", []string{"the head's SHA"}
		r.Who, r.Next = "Pinnace", "judge it again: it is judged by itself with the next event"
	case j.in.Base == nil:
		r.Title, r.Missing = "the documents at the base's tip could not be read, and they say who may approve", []string{"the documents at the base's tip"}
		r.Who, r.Next = "Pinnace", "judge it again: it is judged by itself with the next event"
	case j.in.Base.Floor == policy.FloorUnknown:
		r.Title, r.Missing = "the organisation's documents cannot be read, and they bind who is an admin", []string{"the organisation's documents"}
		r.Who, r.Next = "who operates Pinnace", "give the App Contents: read of that repository"
	default:
		return promotion.Result{}, false
	}
	return r, true
}

// documents says whether the documents of the head can be used.
func (j *judge) documents() promotion.Result {
	r := promotion.Result{Rule: "documents", Wanted: "documents without an error", Who: "an author of this pull request"}
	if j.in.Head == nil {
		r.Status, r.Title, r.Missing = promotion.Unknown, "the documents of the head could not be read", []string{"the documents of the head"}
		r.Who, r.Next = "Pinnace", "judge it again: it is judged by itself with the next event"
		return r
	}
	errors, theirs, warnings := 0, 0, 0
	for _, p := range j.in.Head.Problems {
		child := promotion.Result{Rule: "problem", Status: promotion.Denied, Title: line(p.Error(), maxProblem), File: p.File, Line: p.Line}
		if p.Severity == document.Error {
			errors++
			if strings.HasPrefix(p.File, rulebook.Organisation) {
				theirs++
			}
		} else {
			warnings++
			child.Status = promotion.Passed
		}
		r.Children = append(r.Children, child)
	}
	if errors == 0 && j.in.Head.Config != nil && j.in.Head.Set != nil {
		r.Status, r.Title, r.Who = promotion.Passed, "the documents of the head have no error", ""
		if warnings > 0 {
			r.Title += ", and " + number(warnings, "warning")
		}
		return r
	}
	r.Status, r.Title = promotion.Denied, "the documents of the head have "+number(errors, "error")
	r.Next = "pinnace config validate shows them; mend them and push"
	switch {
	case errors == 0:
		r.Title = "the documents of the head cannot be used"
	case errors == theirs:
		r.Title = "the documents of the organisation have " + number(errors, "error")
		r.Who, r.Next = "who maintains the organisation's repository .github", "mend them there"
	}
	return r
}

// images keeps a change of the rules apart from one that they would judge.
func (j *judge) images() (promotion.Result, bool) {
	return promotion.Result{
		Rule: "apart", Status: promotion.Denied, Title: "it changes an image, too: rules and what they judge are changed apart",
		Seen: few(j.in.Touched, 5) + ", and an image", Wanted: "a pull request for the rules, and another for the images",
		Who: "an author of this pull request", Next: "move the change of images to another pull request",
	}, j.in.Images
}

// difference lists what the head does to the rules.
func (j *judge) difference() []promotion.Result {
	d := Compare(j.in.Base, j.in.Head)
	out := make([]promotion.Result, 0, len(d.Lines))
	for i, l := range d.Lines {
		r := promotion.Result{Rule: "difference", Status: promotion.Passed, Title: l}
		if i < d.Loosened {
			r.Seen = "it loosens a rule"
		}
		out = append(out, r)
	}
	return out
}

func (j *judge) summary(d promotion.Decision) string {
	if d.Status == promotion.Passed {
		return "this change of the rules may be merged"
	}
	for _, r := range d.Results {
		if r.Status == d.Status {
			return "this change of the rules may not be merged: " + r.Title
		}
	}
	return "" // unreachable: the worst status is that of a result
}

func number(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return strconv.Itoa(n) + " " + word + "s"
}
