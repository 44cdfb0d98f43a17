package sandbox

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

func repoGet(c *call) (any, error) { return c.s.fullRepo(c.repo, c.by), nil }

func (r *Repository) branchNames() []string {
	var names []string
	for name := range r.store.ReferenceStorage {
		if name.IsBranch() {
			names = append(names, name.Short())
		}
	}
	slices.Sort(names)
	return names
}

func (r *Repository) protected(name string) bool { return len(r.rules(name).sources) > 0 }

func branchList(c *call) (any, error) {
	r := c.repo
	names := r.branchNames()
	if c.query("protected") == "true" {
		names = slices.DeleteFunc(names, func(n string) bool { return !r.protected(n) })
	}
	return page(c, names, func(name string) any {
		h := r.tip(name)
		return fields{"name": name, "commit": fields{"sha": h.String(), "url": r.url("/commits/%s", h)}, "protected": r.protected(name)}
	}), nil
}

func branchGet(c *call) (any, error) {
	r, name := c.repo, c.args["branch"]
	h := r.tip(name)
	if h.IsZero() {
		return nil, refuse(404, "Branch not found")
	}
	d := r.rules(name)
	contexts, checks := d.contexts()
	level := "off"
	if len(checks) > 0 {
		level = "non_admins"
	}
	return fields{
		"name": name, "commit": r.renderCommit(r.mustAt(h)), "protected": r.protected(name), "protection_url": r.url("/branches/%s/protection", name),
		"_links":     fields{"self": r.url("/branches/%s", name), "html": r.html("/tree/%s", name)},
		"protection": fields{"enabled": d.classic(), "required_status_checks": fields{"enforcement_level": level, "contexts": contexts, "checks": checks}},
	}, nil
}

func (d demands) classic() bool {
	return slices.ContainsFunc(d.sources, func(g guarded) bool { return g.Classic })
}

func (d demands) contexts() (contexts []string, checks []any) {
	contexts, checks = []string{}, []any{}
	for _, x := range d.Checks {
		contexts = append(contexts, x.Context)
		var app any
		if x.App != 0 {
			app = x.App
		}
		checks = append(checks, fields{"context": x.Context, "app_id": app})
	}
	return contexts, checks
}

// protectionGet is branch protection, which rulesets are no part of.
// https://docs.github.com/en/rest/branches/branch-protection#get-branch-protection
func protectionGet(c *call) (any, error) {
	r, name := c.repo, c.args["branch"]
	if r.tip(name).IsZero() {
		return nil, refuse(404, "Branch not found")
	}
	var d demands
	for _, g := range r.rules(name).sources {
		if g.Classic {
			d.sources = append(d.sources, g)
			d.Rules = g.Rules
		}
	}
	if len(d.sources) == 0 {
		return nil, refuse(404, "Branch not protected")
	}
	u := r.url("/branches/%s/protection", name)
	on := func(b bool) fields { return fields{"enabled": b} }
	out := fields{
		"url": u, "enforce_admins": fields{"url": u + "/enforce_admins", "enabled": true}, "required_linear_history": on(d.LinearHistory),
		"allow_force_pushes": on(false), "allow_deletions": on(false), "block_creations": on(d.NoCreation),
		"required_conversation_resolution": on(d.ThreadsResolved), "lock_branch": on(d.NoUpdate), "allow_fork_syncing": on(false),
		"required_signatures": fields{"url": u + "/required_signatures", "enabled": d.SignedCommits},
	}
	if len(d.Checks) > 0 || d.UpToDate {
		contexts, checks := d.contexts()
		out["required_status_checks"] = fields{
			"url": u + "/required_status_checks", "strict": d.UpToDate, "contexts": contexts,
			"contexts_url": u + "/required_status_checks/contexts", "checks": checks,
		}
	}
	if d.PullRequest || d.Approvals > 0 {
		out["required_pull_request_reviews"] = fields{
			"url": u + "/required_pull_request_reviews", "dismiss_stale_reviews": d.DismissStale, "require_code_owner_reviews": d.CodeOwners,
			"required_approving_review_count": d.Approvals, "require_last_push_approval": d.LastPushApproval,
		}
	}
	return out, nil
}

// rulesGet lists the rules of rulesets that bind a branch, also one that does not exist.
// https://docs.github.com/en/rest/repos/rules#get-rules-for-a-branch
func rulesGet(c *call) (any, error) {
	r := c.repo
	list := []any{}
	for i, g := range r.protections {
		if ok, _ := path.Match(g.pattern, c.args["branch"]); !ok || g.Classic {
			continue
		}
		add := func(on bool, kind string, parameters fields) {
			if !on {
				return
			}
			rule := fields{"type": kind, "ruleset_source_type": "Repository", "ruleset_source": r.fullName(), "ruleset_id": r.id*100 + int64(i)}
			if parameters != nil {
				rule["parameters"] = parameters
			}
			list = append(list, rule)
		}
		add(g.NoCreation, "creation", nil)
		add(g.NoUpdate, "update", nil)
		add(g.NoDeletion, "deletion", nil)
		add(g.LinearHistory, "required_linear_history", nil)
		add(g.SignedCommits, "required_signatures", nil)
		add(g.NoForcePush, "non_fast_forward", nil)
		methods := g.MergeMethods
		if methods == nil {
			methods = []string{"merge", "squash", "rebase"}
		}
		add(g.PullRequest || g.Approvals > 0, "pull_request", fields{
			"required_approving_review_count": g.Approvals, "dismiss_stale_reviews_on_push": g.DismissStale, "require_code_owner_review": g.CodeOwners,
			"require_last_push_approval": g.LastPushApproval, "required_review_thread_resolution": g.ThreadsResolved, "allowed_merge_methods": methods,
		})
		checks := []any{}
		for _, x := range g.Checks {
			check := fields{"context": x.Context}
			if x.App != 0 {
				check["integration_id"] = x.App
			}
			checks = append(checks, check)
		}
		add(len(checks) > 0, "required_status_checks", fields{
			"required_status_checks": checks, "strict_required_status_checks_policy": g.UpToDate, "do_not_enforce_on_create": false,
		})
		method := strings.ToUpper(g.MergeQueueMethod)
		if method == "" {
			method = "MERGE"
		}
		add(g.MergeQueue, "merge_queue", fields{
			"check_response_timeout_minutes": 60, "grouping_strategy": "ALLGREEN", "max_entries_to_build": 5, "max_entries_to_merge": 5,
			"merge_method": method, "min_entries_to_merge": 1, "min_entries_to_merge_wait_minutes": 5,
		})
	}
	return page(c, list, func(x any) any { return x }), nil
}

// permissionGet tells the legacy permission, of which there are four, and the role.
// https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user
func permissionGet(c *call) (any, error) {
	a := c.s.people[strings.ToLower(c.args["username"])]
	if a == nil {
		return nil, notFound()
	}
	if c.by.install == nil && !c.repo.role(c.by.who).AtLeast(promotion.PermissionWrite) {
		return nil, refuse(403, "Must have push access to view collaborator permission.")
	}
	if c.by.install != nil && !c.by.inReach(c.repo) {
		return nil, forbidden()
	}
	role := c.repo.role(a)
	legacy := role
	switch role {
	case promotion.PermissionMaintain:
		legacy = promotion.PermissionWrite
	case promotion.PermissionTriage:
		legacy = promotion.PermissionRead
	}
	user := c.s.renderUser(a).(fields)
	user["role_name"] = role
	user["permissions"] = fields{
		"admin": role.AtLeast(promotion.PermissionAdmin), "maintain": role.AtLeast(promotion.PermissionMaintain), "push": role.AtLeast(promotion.PermissionWrite),
		"triage": role.AtLeast(promotion.PermissionTriage), "pull": role.AtLeast(promotion.PermissionRead),
	}
	return fields{"permission": legacy, "role_name": role, "user": user}, nil
}

func (r *Repository) renderRef(name plumbing.ReferenceName) fields {
	h := r.ref(name)
	kind := "commit"
	if o, err := r.store.EncodedObject(plumbing.AnyObject, h); err == nil {
		kind = o.Type().String()
	}
	return fields{
		"ref": name.String(), "node_id": "REF_" + name.String(), "url": r.url("/git/%s", name),
		"object": fields{"type": kind, "sha": h.String(), "url": r.url("/git/%ss/%s", kind, h)},
	}
}

// refGet finds exactly one ref; the test merges are brought up to date first.
// https://docs.github.com/en/rest/git/refs#get-a-reference
func refGet(c *call) (any, error) {
	c.repo.settle()
	if c.repo.tip(c.repo.o.DefaultBranch).IsZero() && len(c.repo.branchNames()) == 0 {
		return nil, refuse(409, "Git Repository is empty.")
	}
	name := plumbing.ReferenceName("refs/" + c.args["ref"])
	if c.repo.ref(name).IsZero() {
		return nil, notFound()
	}
	return c.repo.renderRef(name), nil
}

func refMatching(c *call) (any, error) {
	c.repo.settle()
	var names []plumbing.ReferenceName
	for _, name := range slices.Sorted(maps.Keys(c.repo.store.ReferenceStorage)) {
		if name != plumbing.HEAD && strings.HasPrefix(name.String(), "refs/"+c.args["ref"]) {
			names = append(names, name)
		}
	}
	return page(c, names, func(n plumbing.ReferenceName) any { return c.repo.renderRef(n) }), nil
}

// change judges and applies an update of a ref, as the API answers.
func (c *call) change(u update) *refusal {
	switch why := c.repo.allowed(c.by, u); {
	case strings.Contains(why, "`workflows` permission"):
		return forbidden()
	case why != "":
		return unprocessable("Repository rule violations found\n\n" + why + "\n\n")
	}
	c.repo.apply(c.by, u)
	return nil
}

func refCreate(c *call) (any, error) {
	var in struct{ Ref, SHA string }
	if no := c.read(&in); no != nil {
		return nil, no
	}
	name := plumbing.ReferenceName(in.Ref)
	if !strings.HasPrefix(in.Ref, "refs/") || strings.Count(in.Ref, "/") < 2 || name.Validate() != nil {
		return nil, unprocessable("Reference name must start with 'refs/' and contain at least two slashes.")
	}
	if len(c.repo.branchNames()) == 0 {
		return nil, refuse(409, "Git Repository is empty.")
	}
	if !c.repo.ref(name).IsZero() {
		return nil, unprocessable("Reference already exists")
	}
	h := plumbing.NewHash(in.SHA)
	if c.repo.store.HasEncodedObject(h) != nil || len(in.SHA) != 40 {
		return nil, unprocessable("Object does not exist")
	}
	if c.repo.nested(name) {
		return nil, unprocessable("Reference update failed")
	}
	if no := c.change(update{ref: name, now: h}); no != nil {
		return nil, no
	}
	return c.created(c.repo.renderRef(name))
}

// nested says whether a ref would be a folder of another, or in one.
func (r *Repository) nested(name plumbing.ReferenceName) bool {
	for other := range r.store.ReferenceStorage {
		if strings.HasPrefix(other.String(), name.String()+"/") || strings.HasPrefix(name.String(), other.String()+"/") {
			return true
		}
	}
	return false
}

func refUpdate(c *call) (any, error) {
	var in struct {
		SHA   string
		Force bool
	}
	if no := c.read(&in); no != nil {
		return nil, no
	}
	name := plumbing.ReferenceName("refs/" + c.args["ref"])
	old := c.repo.ref(name)
	if old.IsZero() {
		return nil, unprocessable("Reference does not exist")
	}
	h := plumbing.NewHash(in.SHA)
	if _, err := c.repo.at(h); err != nil {
		return nil, unprocessable("Object does not exist")
	}
	u := update{ref: name, old: old, now: h}
	if u.forced(c.repo) && !in.Force {
		return nil, unprocessable("Update is not a fast forward")
	}
	if no := c.change(u); no != nil {
		return nil, no
	}
	return c.repo.renderRef(name), nil
}

func refDelete(c *call) (any, error) {
	name := plumbing.ReferenceName("refs/" + c.args["ref"])
	old := c.repo.ref(name)
	if old.IsZero() {
		return nil, unprocessable("Reference does not exist")
	}
	if no := c.change(update{ref: name, old: old}); no != nil {
		return nil, no
	}
	return c.empty()
}
