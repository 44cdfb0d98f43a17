package sandbox

import (
	"maps"
	"slices"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// PullRequests lists all, by number, in the form that the other rooms speak of.
func (r *Repository) PullRequests() []promotion.PullRequest {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	var list []promotion.PullRequest
	for _, n := range slices.Sorted(maps.Keys(r.threads)) {
		if p := r.threads[n].pull; p != nil {
			list = append(list, p.noun())
		}
	}
	return list
}

func (p *pull) noun() promotion.PullRequest {
	out := promotion.PullRequest{
		Number: p.number, NodeID: nodeID("PR", p.id), URL: p.r.html("/pull/%d", p.number), Title: p.title, Body: p.body, State: promotion.Open,
		Draft: p.draft, Locked: p.locked, Author: p.author.noun(), Created: p.created, Updated: p.updated, Closed: p.closed, MergedAt: p.mergedAt,
		Head: promotion.Branch{Ref: p.headRef, SHA: p.head.String()}, AutoMerge: p.auto != nil,
		Base:    promotion.Branch{Repository: p.r.id, Owner: p.r.owner.Login, Ref: p.baseRef, SHA: p.base.String()},
		Commits: len(p.r.between(p.since(), p.head)), ChangedFiles: len(p.r.changes(p.since(), p.head)),
	}
	if p.from != nil {
		out.Head.Repository, out.Head.Owner = p.from.id, p.from.owner.Login
	}
	for _, l := range p.labels {
		out.Labels = append(out.Labels, l.name)
	}
	for _, a := range p.asked {
		out.Reviewers = append(out.Reviewers, a.noun())
	}
	for _, t := range p.askedTeams {
		out.ReviewTeams = append(out.ReviewTeams, t.slug)
	}
	switch {
	case p.merged:
		out.State, out.MergedBy, out.MergeCommit = promotion.Merged, p.mergedBy.noun(), p.mergeCommit.String()
	case !p.open:
		out.State = promotion.Closed
	}
	if p.open {
		out.Mergeable, out.MergeableState = p.mergeability()
	}
	return out
}

// Comments lists the comments of an issue or pull request, oldest first.
func (r *Repository) Comments(number int) []promotion.Comment {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	var list []promotion.Comment
	for _, c := range r.threads[number].comments {
		u, _ := c.render()["html_url"].(string)
		list = append(list, promotion.Comment{ID: c.id, Thread: number, URL: u, Author: c.author.noun(), Body: c.body, Created: c.created, Updated: c.updated})
	}
	return list
}

// Reviews lists the reviews of a pull request, oldest first.
func (r *Repository) Reviews(number int) []promotion.Review {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	var list []promotion.Review
	for _, v := range r.mustPull(number).reviews {
		u, _ := v.render()["html_url"].(string)
		list = append(list, promotion.Review{
			ID: v.id, URL: u, Author: v.author.noun(), State: promotion.ReviewState(v.state), Body: v.body, Commit: v.commit, Submitted: v.submitted,
		})
	}
	return list
}

// Issues lists the issues that are no pull requests, by number.
func (r *Repository) Issues() []promotion.Issue {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	var list []promotion.Issue
	for _, n := range slices.Sorted(maps.Keys(r.threads)) {
		t := r.threads[n]
		if t.pull != nil {
			continue
		}
		i := promotion.Issue{Number: n, URL: r.html("/issues/%d", n), Title: t.title, Body: t.body, Open: t.open, Author: t.author.noun(), Created: t.created}
		if t.closedBy != nil {
			i.ClosedBy = t.closedBy.noun()
		}
		for _, l := range t.labels {
			i.Labels = append(i.Labels, l.name)
		}
		list = append(list, i)
	}
	return list
}

// Checks lists every check run on a commit, oldest first.
func (r *Repository) Checks(sha string) []promotion.CheckRun {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	var list []promotion.CheckRun
	for _, c := range r.checks {
		if c.sha != sha {
			continue
		}
		x := promotion.CheckRun{
			ID: c.id, Name: c.name, SHA: c.sha, App: c.app.id, AppSlug: c.app.slug, Status: c.status, Conclusion: c.conclusion, ExternalID: c.external, DetailsURL: c.details,
			URL: r.html("/runs/%d", c.id), Title: deref(c.title), Summary: deref(c.summary), Text: deref(c.text), Started: c.started, Completed: c.completed,
		}
		word := func(m fields, key string) string { s, _ := m[key].(string); return s }
		line := func(m fields, key string) int { n, _ := m[key].(float64); return int(n) }
		for _, a := range c.annotations {
			x.Annotations = append(x.Annotations, promotion.Annotation{
				Path: word(a, "path"), Start: line(a, "start_line"), End: line(a, "end_line"), StartCol: line(a, "start_column"), EndCol: line(a, "end_column"),
				Level: word(a, "annotation_level"), Title: word(a, "title"), Message: word(a, "message"), Details: word(a, "raw_details"),
			})
		}
		for _, a := range c.actions {
			x.Actions = append(x.Actions, promotion.Action{Label: word(a, "label"), Description: word(a, "description"), Identifier: word(a, "identifier")})
		}
		list = append(list, x)
	}
	return list
}
