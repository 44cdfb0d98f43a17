package sandbox

import (
	"maps"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// An update moves a ref; a zero hash is its absence.
type update struct {
	ref      plumbing.ReferenceName
	old, now plumbing.Hash
}

func (u update) forced(r *Repository) bool {
	return !u.old.IsZero() && !u.now.IsZero() && !r.isAncestor(u.old, u.now)
}

// allowed returns what a rule of the repository says against an update, "" if nothing.
// The texts are those that GitHub prints for a push.
// https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/managing-rulesets/available-rules-for-rulesets
func (r *Repository) allowed(by *actor, u update) string {
	name, isBranch := strings.CutPrefix(u.ref.String(), "refs/heads/")
	if strings.HasPrefix(u.ref.String(), "refs/pull/") {
		return "deny updating a hidden ref"
	}
	if !u.now.IsZero() {
		if p := r.workflowsTouched(by, u); p != "" {
			return "refusing to allow a GitHub App to create or update workflow `" + p + "` without `workflows` permission"
		}
	}
	if !isBranch {
		return ""
	}
	rules := r.rules(name)
	if u.now.IsZero() && name == r.o.DefaultBranch {
		return "refusing to delete the current branch: " + u.ref.String()
	}
	if rules.bypassed(by) {
		return ""
	}
	var list []string
	switch {
	case u.old.IsZero():
		if rules.NoCreation {
			list = append(list, "Cannot create ref due to creations being restricted.")
		}
	case u.now.IsZero():
		if rules.NoDeletion {
			list = append(list, "Cannot delete this branch")
		}
		return strings.Join(list, "\n")
	}
	if rules.NoForcePush && u.forced(r) {
		list = append(list, "Cannot force-push to this branch")
	}
	if rules.NoUpdate && !u.old.IsZero() {
		list = append(list, "Cannot update this protected ref.")
	}
	if rules.PullRequest && !u.old.IsZero() {
		list = append(list, "Changes must be made through a pull request.")
	}
	if rules.MergeQueue && !u.old.IsZero() {
		list = append(list, "Changes must be made through the merge queue")
	}
	if !u.old.IsZero() {
		list = append(list, r.checksMissing(rules, u.now)...)
	}
	since := u.old
	if since.IsZero() {
		since = r.tip(r.o.DefaultBranch)
	}
	for _, c := range r.between(since, u.now) {
		if rules.SignedCommits {
			if _, ok := r.signed[c.Hash]; !ok {
				list = append(list, "Commits must have verified signatures.")
				break
			}
		}
		if rules.LinearHistory && c.NumParents() > 1 {
			list = append(list, "This branch must not contain merge commits.")
			break
		}
	}
	return strings.Join(list, "\n")
}

// workflowsTouched returns a workflow file that an App without the permission would bring
// in: one whose content no branch has at that path.
// https://docs.github.com/en/rest/authentication/permissions-required-for-github-apps
func (r *Repository) workflowsTouched(by *actor, u update) string {
	if by.install == nil || by.permissions["workflows"] == "write" {
		return ""
	}
	c, err := r.at(u.now)
	if err != nil {
		return ""
	}
	brought := r.workflows(c.TreeHash)
	for _, name := range append([]string{r.o.DefaultBranch}, r.branchNames()...) {
		if len(brought) == 0 {
			return ""
		}
		if h := r.tip(name); !h.IsZero() {
			for p, blob := range r.workflows(r.mustAt(h).TreeHash) {
				if brought[p] == blob {
					delete(brought, p)
				}
			}
		}
	}
	for _, p := range slices.Sorted(maps.Keys(brought)) {
		return p
	}
	return ""
}

// workflows are the files that GitHub Actions would run, with their blobs.
func (r *Repository) workflows(tree plumbing.Hash) map[string]plumbing.Hash {
	found := map[string]plumbing.Hash{}
	t, err := object.GetTree(r.objects, tree)
	if err != nil {
		return found
	}
	const dir = ".github/workflows"
	if t, err = t.Tree(dir); err != nil {
		return found
	}
	for _, e := range t.Entries {
		found[dir+"/"+e.Name] = e.Hash
	}
	return found
}

// apply moves refs, polices who did it, and lets everything follow that hangs on them: the
// heads and bases of pull requests, and the events. The caller holds mu and has judged the
// updates.
func (r *Repository) apply(by *actor, updates ...update) {
	for _, u := range updates {
		if u.now.IsZero() {
			delete(r.store.ReferenceStorage, u.ref)
		} else {
			r.store.ReferenceStorage[u.ref] = plumbing.NewHashReference(u.ref, u.now)
		}
	}
	r.s.version++
	r.pushed = r.s.now()
	for _, u := range updates {
		r.police(by, u)
	}
	tags := 0
	for _, u := range updates {
		if u.ref.IsTag() {
			tags++
		}
	}
	for _, u := range updates {
		if u.old == u.now {
			continue
		}
		// https://docs.github.com/en/webhooks/webhook-events-and-payloads#push (more than three tags)
		if !u.ref.IsTag() || tags <= 3 {
			r.pushEvent(by, u)
		}
		if name, ok := strings.CutPrefix(u.ref.String(), "refs/heads/"); ok {
			r.follow(by, name, u)
		}
	}
}

// police records the loss of a person's commit by an App: a forced push or a deletion after
// which no ref but those of pull requests reaches it.
func (r *Repository) police(by *actor, u update) {
	if by.install == nil || u.old.IsZero() || !u.now.IsZero() && !u.forced(r) {
		return
	}
	var heads []plumbing.Hash
	for name, ref := range r.store.ReferenceStorage {
		if ref.Type() == plumbing.HashReference && !strings.HasPrefix(name.String(), "refs/pull/") {
			heads = append(heads, ref.Hash())
		}
	}
	kept := r.ancestors(heads...)
	var lost []string
	for h := range r.ancestors(u.old) {
		if !kept[h] && !r.s.ours(by, r.seen(h)) && !r.landed(h) {
			lost = append(lost, h.String())
		}
	}
	slices.Sort(lost)
	for _, sha := range lost {
		c := r.seen(plumbing.NewHash(sha))
		r.s.violation("%s: %s moved %s from %s and lost the commit %s of %s <%s>", r.fullName(), by.name(), u.ref, short(u.old), sha[:7], c.AuthorName, c.AuthorEmail)
	}
}

// landed says whether a commit belongs to a pull request that was merged, so that its
// content is in the base though the commit is not.
func (r *Repository) landed(h plumbing.Hash) bool {
	for _, t := range r.threads {
		if p := t.pull; p != nil && p.merged && r.isAncestor(h, p.head) {
			return true
		}
	}
	return false
}

func (r *Repository) pushEvent(by *actor, u update) {
	if r.s.heard(r, "push") {
		r.s.emit(r, by, "push", "", r.pushPayload(by, u))
	}
}

func refName(s string) plumbing.ReferenceName { return plumbing.ReferenceName(s) }

// pushPayload is the event of a push.
// https://docs.github.com/en/webhooks/webhook-events-and-payloads#push
func (r *Repository) pushPayload(by *actor, u update) fields {
	out := fields{
		"ref": u.ref.String(), "before": u.old.String(), "after": u.now.String(), "created": u.old.IsZero(), "deleted": u.now.IsZero(),
		"forced": u.forced(r), "base_ref": nil, "compare": r.html("/compare/%s...%s", u.old, u.now), "commits": []any{}, "head_commit": nil,
		"pusher": fields{"name": by.name(), "email": nil},
	}
	if u.now.IsZero() {
		return out
	}
	commits := []any{}
	list := r.between(u.old, u.now)
	if u.old.IsZero() {
		list = r.between(r.tip(r.o.DefaultBranch), u.now)
	}
	for _, c := range list[max(0, len(list)-2048):] {
		commits = append(commits, r.pushCommit(c.Hash))
	}
	out["commits"], out["head_commit"] = commits, r.pushCommit(u.now)
	return out
}

func (r *Repository) pushCommit(h plumbing.Hash) fields {
	c := r.mustAt(h)
	var parent plumbing.Hash
	if len(c.ParentHashes) > 0 {
		parent = c.ParentHashes[0]
	}
	paths := map[string][]string{"added": {}, "removed": {}, "modified": {}}
	for _, x := range r.changes(parent, h) {
		switch x.status {
		case "renamed":
			paths["added"], paths["removed"] = append(paths["added"], x.path), append(paths["removed"], x.previous)
		default:
			paths[x.status] = append(paths[x.status], x.path)
		}
	}
	out := r.simpleCommit(h)
	out["distinct"], out["url"] = true, r.html("/commit/%s", h)
	for k, v := range paths {
		out[k] = v
	}
	return out
}
