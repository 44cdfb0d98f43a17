package sandbox

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

type gitCommit = object.Commit

var methodNames = map[string]string{"merge": "Merge commits", "squash": "Squash merges", "rebase": "Rebase merges"}

// merge brings a pull request into its base.
//
// What is relied on, from https://docs.github.com/en/rest/pulls/pulls#merge-a-pull-request:
// a head that is not sha is 409; what cannot be merged, now or ever, is 405 with the reason.
func (p *pull) merge(by *actor, method, sha, title, message string) (plumbing.Hash, *refusal) {
	not := func(text string) (plumbing.Hash, *refusal) {
		return plumbing.ZeroHash, refuse(http.StatusMethodNotAllowed, text)
	}
	if sha != "" && sha != p.head.String() {
		return plumbing.ZeroHash, refuse(http.StatusConflict, "Head branch was modified. Review and try the merge again.")
	}
	if method == "" {
		method = "merge"
	}
	allowed := p.r.o.MergeMethods
	if m := p.r.rules(p.baseRef).MergeMethods; m != nil {
		allowed = slices.DeleteFunc(slices.Clone(allowed), func(x string) bool { return !slices.Contains(m, x) })
	}
	switch {
	case methodNames[method] == "":
		return plumbing.ZeroHash, unprocessable("Invalid request.\n\nmerge_method is not a member of [\"merge\", \"squash\", \"rebase\"].")
	case !p.open:
		return not("Pull Request is not mergeable")
	case p.draft:
		return not("Pull Request is still a draft")
	case !slices.Contains(allowed, method):
		return not(methodNames[method] + " are not allowed on this repository.")
	}
	p.settle()
	if p.test.IsZero() {
		return not("Pull Request is not mergeable")
	}
	why := p.obstacles(by)
	if d := p.r.rules(p.baseRef); !d.bypassed(by) {
		if d.LinearHistory && method == "merge" {
			why = append(why, "This branch must not contain merge commits.")
		}
		if d.SignedCommits && method == "rebase" {
			why = append(why, "Base branch requires signed commits. Rebase merges cannot be automatically signed by GitHub")
		}
	}
	if len(why) > 0 {
		return not(p.r.broken(p.baseRef, why))
	}
	h, ok := p.joined(by, method, title, message)
	if !ok {
		return not("This branch can't be rebased")
	}
	p.finish(by, h)
	return h, nil
}

// broken puts reasons in the form that a ruleset or branch protection gives them.
func (r *Repository) broken(name string, why []string) string {
	for _, g := range r.rules(name).sources {
		if !g.Classic {
			return "Repository rule violations found\n\n" + strings.Join(why, "\n\n") + "\n\n"
		}
	}
	return why[0]
}

// finish moves the base to a commit that brings the pull request in.
func (p *pull) finish(by *actor, h plumbing.Hash) {
	old := p.r.tip(p.baseRef)
	u := update{ref: branch(p.baseRef), old: old, now: h}
	p.land(by, old, h)
	p.r.apply(by, u)
}

// joined makes the commit, or the commits, of a method on the base's tip.
// https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/incorporating-changes-from-a-pull-request/about-pull-request-merges
func (p *pull) joined(by *actor, method, title, message string) (plumbing.Hash, bool) {
	r := p.r
	base := r.tip(p.baseRef)
	tree := r.mustAt(p.test).TreeHash
	author := r.s.signatureOf(by.who)
	switch method {
	case "squash":
		return r.commit(tree, []plumbing.Hash{base}, r.s.signatureOf(p.author), r.s.github(), p.squashMessage(title, message), true), true
	case "rebase":
		at := base
		for _, c := range r.between(base, p.head) {
			if c.NumParents() != 1 {
				continue
			}
			before := r.mustAt(c.ParentHashes[0]).TreeHash
			tree, ok := r.mergedTrees(before, r.mustAt(at).TreeHash, c.TreeHash)
			if !ok {
				return plumbing.ZeroHash, false
			}
			at = r.commit(tree, []plumbing.Hash{at}, c.Author, author, c.Message, false)
		}
		return at, true
	}
	if title == "" {
		title = fmt.Sprintf("Merge pull request #%d from %s", p.number, strings.Replace(p.headLabel, ":", "/", 1))
	}
	if message == "" {
		message = p.title
	}
	return r.commit(tree, []plumbing.Hash{base, p.head}, author, r.s.github(), title+"\n\n"+message, true), true
}

func (p *pull) squashMessage(title, message string) string {
	commits := p.r.between(p.since(), p.head)
	if title == "" {
		title = fmt.Sprintf("%s (#%d)", p.title, p.number)
		if len(commits) == 1 {
			first, _, _ := strings.Cut(commits[0].Message, "\n")
			title = fmt.Sprintf("%s (#%d)", first, p.number)
		}
	}
	if message == "" {
		if len(commits) == 1 {
			_, message, _ = strings.Cut(commits[0].Message, "\n")
		} else {
			for _, c := range commits {
				message += "* " + strings.TrimSpace(c.Message) + "\n\n"
			}
		}
	}
	return strings.TrimRight(title+"\n\n"+strings.TrimSpace(message), "\n")
}

// update merges the base into the head, as the button "Update branch" does. GitHub then
// says of the reviews before it that they are reviews of the new head.
// https://docs.github.com/en/rest/pulls/pulls#update-a-pull-request-branch
func (p *pull) update(by *actor, expected string) *refusal {
	base := p.r.tip(p.baseRef)
	switch {
	case expected != "" && expected != p.head.String():
		return unprocessable("expected head sha didn’t match current head ref.")
	case !p.open || p.from == nil:
		return unprocessable("Cannot update pull request branch")
	case p.r.isAncestor(base, p.head):
		return unprocessable("There are no new commits on the base branch.")
	}
	tree, ok := p.r.merged(p.head, base)
	if !ok {
		return unprocessable("merge conflict between base and head")
	}
	old := p.head
	message := fmt.Sprintf("Merge branch '%s' into %s", p.baseRef, p.headRef)
	h := p.r.commit(tree, []plumbing.Hash{p.head, base}, p.r.s.signatureOf(by.who), p.r.s.github(), message, true)
	p.from.apply(by, update{ref: branch(p.headRef), old: old, now: h})
	for _, v := range p.reviews {
		if v.commit == old.String() {
			v.commit = h.String()
		}
	}
	return nil
}
