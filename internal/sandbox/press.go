package sandbox

import (
	"fmt"
	"net/http"

	"github.com/go-git/go-git/v5/plumbing"
)

// Revert presses the button "Revert" of a merged pull request: GitHub takes all that it
// brought back on the base's tip, in a commit that it signs, and opens a pull request by the
// person. Where that conflicts with what came later there is no button's way.
// https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/incorporating-changes-from-a-pull-request/reverting-a-pull-request
func (r *Repository) Revert(number int, by string) (int, error) {
	var opened int
	err := r.act(number, func(p *pull) *refusal {
		name := fmt.Sprintf("revert-%d-%s", p.number, p.headRef)
		tip := r.tip(p.baseRef)
		switch {
		case !p.merged:
			return refuse(http.StatusUnprocessableEntity, "Pull request has not been merged")
		case !r.tip(name).IsZero():
			return unprocessable("Reference already exists")
		}
		tree, ok := r.mergedTrees(r.mustAt(p.mergeCommit).TreeHash, r.mustAt(tip).TreeHash, r.mustAt(p.before).TreeHash)
		if !ok || tree == r.mustAt(tip).TreeHash {
			return unprocessable("Sorry, this pull request couldn’t be reverted automatically. It may have already been reverted, or the content may have changed since it was merged.")
		}
		who := r.person(by)
		title := fmt.Sprintf("Revert %q", p.title)
		message := fmt.Sprintf("%s\n\nThis reverts commit %s.", title, p.mergeCommit)
		h := r.commit(tree, []plumbing.Hash{tip}, r.s.signatureOf(who.who), r.s.github(), message, true)
		r.apply(who, update{ref: branch(name), now: h})
		q, no := r.openPull(who, title, fmt.Sprintf("Reverts %s#%d", r.fullName(), p.number), name, p.baseRef, false)
		if no == nil {
			opened = q.number
		}
		return no
	})
	return opened, err
}

// ApplySuggestion presses "Commit suggestion" beside what somebody suggested in a review: the
// edits are committed to the pull request's branch by the person who pressed, with the other
// as a co-author by trailer, and GitHub signs. It returns the new head.
// https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/reviewing-changes-in-pull-requests/incorporating-feedback-in-your-pull-request
func (r *Repository) ApplySuggestion(number int, by, suggester string, edits map[string]string) (string, error) {
	var sha string
	err := r.act(number, func(p *pull) *refusal {
		if !p.open || p.from == nil {
			return unprocessable("Suggestions cannot be applied while the pull request is closed.")
		}
		who, other := r.person(by), r.s.account(suggester, "User")
		message := fmt.Sprintf("Apply suggestions from code review\n\nCo-authored-by: %s <%s>", other.Login, other.email)
		tree := p.from.edited(r.mustAt(p.head).TreeHash, edits)
		h := p.from.commit(tree, []plumbing.Hash{p.head}, r.s.signatureOf(who.who), r.s.github(), message, true)
		p.from.apply(who, update{ref: branch(p.headRef), old: p.head, now: h})
		sha = h.String()
		return nil
	})
	return sha, err
}
