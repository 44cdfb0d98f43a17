package sandbox

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// nodeID is the global identifier of GraphQL; it holds the kind and the number.
func nodeID(kind string, id int64) string {
	return kind + "_" + base64.RawURLEncoding.EncodeToString([]byte(itoa(id)))
}

func (s *Sandbox) renderUser(a *account) any {
	if a == nil {
		return nil
	}
	if a.gone {
		a = s.ghost()
	}
	u := s.api() + "/users/" + a.Login
	return fields{
		"login": a.Login, "id": a.ID, "node_id": nodeID("U", a.ID), "avatar_url": s.URL() + "/avatars/u/" + itoa(a.ID),
		"gravatar_id": "", "url": u, "html_url": s.URL() + "/" + strings.TrimSuffix(a.Login, "[bot]"),
		"followers_url": u + "/followers", "following_url": u + "/following{/other_user}", "gists_url": u + "/gists{/gist_id}",
		"starred_url": u + "/starred{/owner}{/repo}", "subscriptions_url": u + "/subscriptions", "organizations_url": u + "/orgs",
		"repos_url": u + "/repos", "events_url": u + "/events{/privacy}", "received_events_url": u + "/received_events",
		"type": a.kind, "site_admin": false,
	}
}

func (s *Sandbox) renderOrg(a *account) fields {
	u := s.api() + "/orgs/" + a.Login
	return fields{
		"login": a.Login, "id": a.ID, "node_id": nodeID("O", a.ID), "url": u, "repos_url": u + "/repos", "events_url": u + "/events",
		"hooks_url": u + "/hooks", "issues_url": u + "/issues", "members_url": u + "/members{/member}",
		"public_members_url": u + "/public_members{/member}", "avatar_url": s.URL() + "/avatars/u/" + itoa(a.ID), "description": nil,
	}
}

// renderRepo gives every field that GitHub's schemas of a repository demand; by adds what
// the actor may do there.
func (s *Sandbox) renderRepo(r *Repository, by *actor) fields {
	u, html := s.api()+"/repos/"+r.fullName(), s.URL()+"/"+r.fullName()
	out := fields{
		"id": r.id, "node_id": nodeID("R", r.id), "name": r.name, "full_name": r.fullName(), "owner": s.renderUser(r.owner),
		"private": r.o.Private, "visibility": map[bool]string{true: "private", false: "public"}[r.o.Private],
		"html_url": html, "description": nil, "fork": r.parent != nil, "url": u,
		"git_url": "git:" + strings.TrimPrefix(html, "http:") + ".git", "ssh_url": "git@localhost:" + r.fullName() + ".git",
		"clone_url": html + ".git", "svn_url": html, "mirror_url": nil, "homepage": nil, "language": nil, "license": nil,
		"forks": 0, "forks_count": 0, "stargazers_count": 0, "watchers": 0, "watchers_count": 0, "size": 1,
		"default_branch": r.o.DefaultBranch, "open_issues": r.openThreads(), "open_issues_count": r.openThreads(),
		"has_issues": true, "has_projects": true, "has_wiki": true, "has_pages": false, "has_downloads": true, "has_discussions": false,
		"archived": r.archived, "disabled": false, "topics": []any{}, "is_template": false, "web_commit_signoff_required": false,
		"pushed_at": stamp(r.pushed), "created_at": stamp(r.created), "updated_at": stamp(r.pushed),
	}
	for key, tail := range map[string]string{
		"archive": "{archive_format}{/ref}", "assignees": "assignees{/user}", "blobs": "git/blobs{/sha}", "branches": "branches{/branch}",
		"collaborators": "collaborators{/collaborator}", "comments": "comments{/number}", "commits": "commits{/sha}",
		"compare": "compare/{base}...{head}", "contents": "contents/{+path}", "contributors": "contributors", "deployments": "deployments",
		"downloads": "downloads", "events": "events", "forks": "forks", "git_commits": "git/commits{/sha}", "git_refs": "git/refs{/sha}",
		"git_tags": "git/tags{/sha}", "hooks": "hooks", "issue_comment": "issues/comments{/number}", "issue_events": "issues/events{/number}",
		"issues": "issues{/number}", "keys": "keys{/key_id}", "labels": "labels{/name}", "languages": "languages", "merges": "merges",
		"milestones": "milestones{/number}", "notifications": "notifications{?since,all,participating}", "pulls": "pulls{/number}",
		"releases": "releases{/id}", "stargazers": "stargazers", "statuses": "statuses/{sha}", "subscribers": "subscribers",
		"subscription": "subscription", "tags": "tags", "teams": "teams", "trees": "git/trees{/sha}",
	} {
		out[key+"_url"] = u + "/" + tail
	}
	if by != nil && by.who != nil {
		role := r.role(by.who)
		if by.install != nil {
			role = map[string]promotion.Permission{"read": promotion.PermissionRead, "write": promotion.PermissionWrite}[by.permissions["contents"]]
			if !by.inReach(r) {
				role = promotion.PermissionRead
			}
		}
		out["permissions"] = fields{
			"admin": role.AtLeast(promotion.PermissionAdmin), "maintain": role.AtLeast(promotion.PermissionMaintain),
			"push": role.AtLeast(promotion.PermissionWrite), "triage": role.AtLeast(promotion.PermissionTriage), "pull": role.AtLeast(promotion.PermissionRead),
		}
	}
	return out
}

// fullRepo is the answer of GET /repos/{owner}/{repo}.
func (s *Sandbox) fullRepo(r *Repository, by *actor) fields {
	out := s.renderRepo(r, by)
	out["network_count"], out["subscribers_count"] = 0, 0
	if r.owner.kind == "Organization" {
		out["organization"] = s.renderUser(r.owner)
	}
	out["allow_merge_commit"] = slices.Contains(r.o.MergeMethods, "merge")
	out["allow_squash_merge"] = slices.Contains(r.o.MergeMethods, "squash")
	out["allow_rebase_merge"] = slices.Contains(r.o.MergeMethods, "rebase")
	out["allow_auto_merge"], out["delete_branch_on_merge"] = false, false
	return out
}

func (s *Sandbox) briefRepo(r *Repository) any {
	return fields{"id": r.id, "node_id": nodeID("R", r.id), "name": r.name, "full_name": r.fullName(), "private": r.o.Private}
}

func (s *Sandbox) briefRepos(i *installation) []any {
	list := []any{}
	for _, id := range slices.Sorted(maps.Keys(s.repos)) {
		if r := s.repos[id]; i.covers(r) {
			list = append(list, s.briefRepo(r))
		}
	}
	return list
}

// openThreads counts the open issues and pull requests, anew after each write.
func (r *Repository) openThreads() int {
	if r.countedAt == r.s.version {
		return r.openCount
	}
	r.openCount, r.countedAt = 0, r.s.version
	for _, t := range r.threads {
		if t.open {
			r.openCount++
		}
	}
	return r.openCount
}

func (r *Repository) url(format string, args ...any) string {
	return r.s.api() + "/repos/" + r.fullName() + fmt.Sprintf(format, args...)
}

func (r *Repository) html(format string, args ...any) string {
	return r.s.URL() + "/" + r.fullName() + fmt.Sprintf(format, args...)
}

func (r *Repository) renderLabel(l *label) fields {
	return fields{"id": l.id, "node_id": nodeID("LA", l.id), "url": r.url("/labels/%s", l.name), "name": l.name, "color": l.color, "default": false, "description": l.description}
}

func (t *thread) renderLabels() []any {
	list := []any{}
	for _, l := range t.labels {
		list = append(list, t.r.renderLabel(l))
	}
	return list
}

func (s *Sandbox) renderUsers(list []*account) []any {
	out := []any{}
	for _, a := range list {
		out = append(out, s.renderUser(a))
	}
	return out
}

// render is the issue, or the issue's side of the pull request.
func (t *thread) render() fields {
	s := t.r.s
	u, html := t.r.url("/issues/%d", t.number), t.r.html("/issues/%d", t.number)
	out := fields{
		"id": t.id, "node_id": nodeID("I", t.id), "url": u, "repository_url": t.r.url(""), "labels_url": u + "/labels{/name}",
		"comments_url": u + "/comments", "events_url": u + "/events", "html_url": html, "number": t.number, "state": t.state(),
		"state_reason": nil, "title": t.title, "body": orNil(t.body), "user": s.renderUser(t.author), "labels": t.renderLabels(),
		"assignee": nil, "assignees": s.renderUsers(t.assignees), "milestone": nil, "locked": t.locked, "active_lock_reason": nil,
		"comments": len(t.comments), "closed_at": stamp(t.closed), "created_at": stamp(t.created), "updated_at": stamp(t.updated),
		"author_association": "NONE", "timeline_url": u + "/timeline", "performed_via_github_app": s.renderApp(t.app),
		"closed_by": s.renderUser(t.closedBy),
		"reactions": fields{"url": u + "/reactions", "total_count": 0, "+1": 0, "-1": 0, "laugh": 0, "hooray": 0, "confused": 0, "heart": 0, "rocket": 0, "eyes": 0},
	}
	if len(t.assignees) > 0 {
		out["assignee"] = s.renderUser(t.assignees[0])
	}
	if t.reason != "" {
		out["state_reason"] = t.reason
	}
	if p := t.pull; p != nil {
		pr := t.r.url("/pulls/%d", t.number)
		html := t.r.html("/pull/%d", t.number)
		out["html_url"], out["draft"] = html, p.draft
		out["pull_request"] = fields{"url": pr, "html_url": html, "diff_url": html + ".diff", "patch_url": html + ".patch", "merged_at": stamp(p.mergedAt)}
	}
	return out
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func (c *comment) render() fields {
	r := c.t.r
	page := "issues"
	if c.t.pull != nil {
		page = "pull"
	}
	u := r.url("/issues/comments/%d", c.id)
	return fields{
		"id": c.id, "node_id": nodeID("IC", c.id), "url": u, "html_url": r.html("/%s/%d#issuecomment-%d", page, c.t.number, c.id),
		"issue_url": r.url("/issues/%d", c.t.number), "body": c.body, "user": r.s.renderUser(c.author), "author_association": "NONE",
		"created_at": stamp(c.created), "updated_at": stamp(c.updated), "performed_via_github_app": r.s.renderApp(c.app),
	}
}

func (p *pull) renderSide(r *Repository, ref string, sha plumbing.Hash) fields {
	out := fields{"label": p.r.owner.Login + ":" + ref, "ref": ref, "sha": sha.String(), "repo": nil, "user": nil}
	if r != nil {
		out["label"], out["repo"], out["user"] = r.owner.Login+":"+ref, p.r.s.renderRepo(r, nil), p.r.s.renderUser(r.owner)
	}
	return out
}

// render is the pull request; full is the form of a single one, with mergeability.
func (p *pull) render(full bool) fields {
	s, r := p.r.s, p.r
	u, html, issue := r.url("/pulls/%d", p.number), r.html("/pull/%d", p.number), r.url("/issues/%d", p.number)
	statuses := r.url("/statuses/%s", p.head)
	link := func(href string) fields { return fields{"href": href} }
	out := fields{
		"id": p.id, "node_id": nodeID("PR", p.id), "url": u, "html_url": html, "diff_url": html + ".diff", "patch_url": html + ".patch",
		"issue_url": issue, "commits_url": u + "/commits", "review_comments_url": u + "/comments",
		"review_comment_url": r.url("/pulls/comments{/number}"), "comments_url": issue + "/comments", "statuses_url": statuses,
		"number": p.number, "state": p.thread.state(), "locked": p.locked, "title": p.title, "user": s.renderUser(p.author), "body": orNil(p.body),
		"labels": p.renderLabels(), "milestone": nil, "active_lock_reason": nil, "created_at": stamp(p.created), "updated_at": stamp(p.updated),
		"closed_at": stamp(p.closed), "merged_at": stamp(p.mergedAt), "merge_commit_sha": nil, "assignee": nil, "assignees": s.renderUsers(p.assignees),
		"requested_reviewers": s.renderUsers(p.asked), "requested_teams": p.renderTeams(), "draft": p.draft, "auto_merge": nil,
		"author_association": "NONE", "head": p.renderSide(p.from, p.headRef, p.head), "base": p.renderSide(r, p.baseRef, p.base),
		"_links": fields{
			"self": link(u), "html": link(html), "issue": link(issue), "comments": link(issue + "/comments"), "review_comments": link(u + "/comments"),
			"review_comment": link(r.url("/pulls/comments{/number}")), "commits": link(u + "/commits"), "statuses": link(statuses),
		},
	}
	if a := p.auto; a != nil {
		out["auto_merge"] = fields{"enabled_by": s.renderUser(a.by), "merge_method": a.method, "commit_title": a.title, "commit_message": a.message}
	}
	switch {
	case p.merged:
		out["merge_commit_sha"] = p.mergeCommit.String()
	case !p.test.IsZero():
		out["merge_commit_sha"] = p.test.String()
	}
	if full {
		ok, state := p.mergeability()
		p.detail(out, ok, state)
	}
	return out
}

// event is the form in webhooks, where GitHub has not worked out yet what merges.
func (p *pull) event() fields {
	out := p.render(false)
	p.detail(out, nil, "unknown")
	return out
}

// detail adds what only a single pull request tells.
func (p *pull) detail(out fields, ok *bool, state string) {
	s, r := p.r.s, p.r
	out["mergeable"], out["rebaseable"], out["mergeable_state"] = ok, ok, state
	if p.open && ok != nil {
		out["merge_commit_sha"] = nil
		if !p.test.IsZero() {
			out["merge_commit_sha"] = p.test.String()
		}
	}
	commits := r.between(p.since(), p.head)
	changes := r.changes(p.since(), p.head)
	added, removed := 0, 0
	for _, c := range changes {
		added, removed = added+c.added, removed+c.removed
	}
	out["merged"], out["merged_by"] = p.merged, s.renderUser(p.mergedBy)
	out["comments"], out["review_comments"], out["maintainer_can_modify"] = len(p.comments), 0, p.maintainers
	out["commits"], out["additions"], out["deletions"], out["changed_files"] = len(commits), added, removed, len(changes)
}

func (p *pull) minimal() fields {
	side := func(r *Repository, ref string, sha plumbing.Hash) fields {
		return fields{"ref": ref, "sha": sha.String(), "repo": fields{"id": r.id, "url": r.url(""), "name": r.name}}
	}
	from := p.from
	if from == nil {
		from = p.r
	}
	return fields{"id": p.id, "number": p.number, "url": p.r.url("/pulls/%d", p.number), "head": side(from, p.headRef, p.head), "base": side(p.r, p.baseRef, p.base)}
}

// pullsAt are the open pull requests whose head is a commit, in the short form.
func (r *Repository) pullsAt(sha string) []any {
	list := []any{}
	for t := range r.inOrder() {
		if p := t.pull; p != nil && p.open && p.from == r && p.head.String() == sha {
			list = append(list, p.minimal())
		}
	}
	return list
}

func (p *pull) renderTeams() []any {
	list := []any{}
	for _, t := range p.askedTeams {
		list = append(list, t.render())
	}
	return list
}

func (t *Team) render() fields {
	u := t.s.api() + "/organizations/" + itoa(t.org.ID) + "/team/" + itoa(t.id)
	out := fields{
		"id": t.id, "node_id": nodeID("T", t.id), "url": u, "html_url": t.s.URL() + "/orgs/" + t.org.Login + "/teams/" + t.slug,
		"name": t.slug, "slug": t.slug, "description": nil, "privacy": "closed", "permission": "pull", "notification_setting": "notifications_enabled",
		"members_url": u + "/members{/member}", "repositories_url": u + "/repos", "parent": nil, "type": "organization", "organization_id": t.org.ID,
	}
	if t.parent != nil {
		parent := t.parent.render()
		delete(parent, "parent")
		out["parent"] = parent
	}
	return out
}

func (v *review) render() fields {
	r := v.p.r
	html, pr := r.html("/pull/%d#pullrequestreview-%d", v.p.number, v.id), r.url("/pulls/%d", v.p.number)
	out := fields{
		"id": v.id, "node_id": nodeID("PRR", v.id), "user": r.s.renderUser(v.author), "body": v.body, "state": v.state, "html_url": html,
		"pull_request_url": pr, "author_association": "NONE", "commit_id": v.commit,
		"_links": fields{"html": fields{"href": html}, "pull_request": fields{"href": pr}},
	}
	if v.author.gone {
		out["user"] = nil
	}
	if !v.submitted.IsZero() {
		out["submitted_at"] = stamp(v.submitted)
	}
	return out
}

func (s *Sandbox) renderApp(a *App) any {
	if a == nil {
		return nil
	}
	return fields{
		"id": a.id, "slug": a.slug, "node_id": nodeID("A", a.id), "client_id": a.ClientID(), "owner": s.renderUser(a.owner),
		"name": a.o.Name, "description": "", "external_url": s.URL(), "html_url": s.URL() + "/apps/" + a.slug,
		"created_at": stamp(a.created), "updated_at": stamp(a.created), "permissions": a.o.Permissions, "events": a.events(),
	}
}

func (a *App) events() []string {
	if a.o.Events == nil {
		return []string{}
	}
	return a.o.Events
}

func (i *installation) selection() string {
	if i.repos == nil {
		return "all"
	}
	return "selected"
}

func (s *Sandbox) renderInstallation(i *installation) fields {
	u := s.api() + "/app/installations/" + itoa(i.id)
	out := fields{
		"id": i.id, "account": s.renderUser(i.account), "repository_selection": i.selection(), "access_tokens_url": u + "/access_tokens",
		"repositories_url": s.api() + "/installation/repositories", "html_url": s.URL() + "/settings/installations/" + itoa(i.id),
		"app_id": i.app.id, "app_slug": i.app.slug, "target_id": i.account.ID, "target_type": i.account.kind, "permissions": i.permissions,
		"events": i.app.events(), "created_at": stamp(i.created), "updated_at": stamp(i.created), "single_file_name": nil,
		"has_multiple_single_files": false, "single_file_paths": []any{}, "suspended_by": nil, "suspended_at": stamp(i.suspended),
	}
	if !i.suspended.IsZero() {
		out["suspended_by"] = s.renderUser(i.account)
	}
	return out
}

func (c *checkRun) render() fields {
	r, s := c.r, c.r.s
	u := r.url("/check-runs/%d", c.id)
	html := r.html("/runs/%d", c.id)
	details := c.details
	if details == "" {
		details = html
	}
	out := fields{
		"id": c.id, "node_id": nodeID("CR", c.id), "name": c.name, "head_sha": c.sha, "external_id": c.external, "url": u, "html_url": html,
		"details_url": details, "status": c.status, "conclusion": orNil(c.conclusion), "started_at": stamp(c.started), "completed_at": stamp(c.completed),
		"output":      fields{"title": text(c.title), "summary": text(c.summary), "text": text(c.text), "annotations_count": len(c.annotations), "annotations_url": u + "/annotations"},
		"check_suite": fields{"id": c.suite.id}, "app": s.renderApp(c.app), "pull_requests": r.pullsAt(c.sha),
	}
	return out
}

func text(s *string) any {
	if s == nil {
		return nil
	}
	return *s
}

func (x *suite) render() fields {
	r, s := x.r, x.r.s
	state, conclusion := "queued", any(nil)
	n, done := 0, 0
	for _, c := range r.latestChecks(x.sha) {
		if c.suite != x {
			continue
		}
		n++
		if c.status == "completed" {
			done++
			if conclusion == nil || conclusion == "success" {
				conclusion = c.conclusion
			}
		} else {
			state = c.status
		}
	}
	if n > 0 && n == done && !x.rerun {
		state = "completed"
	} else {
		conclusion = nil
	}
	u := r.url("/check-suites/%d", x.id)
	return fields{
		"id": x.id, "node_id": nodeID("CS", x.id), "head_branch": orNil(x.branch), "head_sha": x.sha, "status": state, "conclusion": conclusion,
		"url": u, "before": nil, "after": x.sha, "pull_requests": r.pullsAt(x.sha), "app": s.renderApp(x.app),
		"repository": s.renderRepo(r, nil), "created_at": stamp(x.created), "updated_at": stamp(x.updated),
		"head_commit": r.simpleCommit(plumbing.NewHash(x.sha)), "latest_check_runs_count": n, "check_runs_url": u + "/check-runs",
	}
}

func (r *Repository) simpleCommit(h plumbing.Hash) fields {
	c := r.mustAt(h)
	person := func(g object.Signature) fields { return fields{"name": g.Name, "email": g.Email} }
	return fields{
		"id": h.String(), "tree_id": c.TreeHash.String(), "message": c.Message, "timestamp": stamp(c.Committer.When),
		"author": person(c.Author), "committer": person(c.Committer),
	}
}

func (r *Repository) renderStatus(x *status) fields {
	return fields{
		"id": x.id, "node_id": nodeID("SC", x.id), "url": r.url("/statuses/%s", x.sha), "avatar_url": r.s.URL() + "/avatars/u/" + itoa(x.creator.ID),
		"state": x.state, "description": orNil(x.description), "target_url": orNil(x.target), "context": x.context,
		"created_at": stamp(x.at), "updated_at": stamp(x.at), "creator": r.s.renderUser(x.creator),
	}
}

func (d *deployment) render() fields {
	u := d.r.url("/deployments/%d", d.id)
	return fields{
		"id": d.id, "node_id": nodeID("DE", d.id), "url": u, "sha": d.sha, "ref": d.ref, "task": d.task, "payload": d.payload,
		"original_environment": d.environment, "environment": d.environment, "description": orNil(d.description), "creator": d.r.s.renderUser(d.creator),
		"created_at": stamp(d.created), "updated_at": stamp(d.updated), "statuses_url": u + "/statuses", "repository_url": d.r.url(""),
		"transient_environment": d.transient, "production_environment": d.production, "performed_via_github_app": d.r.s.renderApp(d.app),
	}
}

func (x *deploymentState) render() fields {
	u := x.d.r.url("/deployments/%d", x.d.id)
	return fields{
		"id": x.id, "node_id": nodeID("DES", x.id), "url": u + "/statuses/" + itoa(x.id), "state": x.state, "creator": x.d.r.s.renderUser(x.creator),
		"description": x.description, "environment": x.d.environment, "target_url": x.target, "log_url": x.log, "environment_url": x.environmentURL,
		"deployment_url": u, "repository_url": x.d.r.url(""), "created_at": stamp(x.at), "updated_at": stamp(x.at),
		"performed_via_github_app": x.d.r.s.renderApp(x.app),
	}
}

// verification is what GitHub says of a commit's signature: it vouches for what it signed,
// knows no key of anybody else's, and says so.
// https://docs.github.com/en/rest/git/commits#get-a-commit-object
func (r *Repository) verification(c *object.Commit) fields {
	out := fields{"verified": false, "reason": "unsigned", "signature": nil, "payload": nil, "verified_at": nil}
	if c.PGPSignature == "" {
		return out
	}
	bare := *c
	bare.PGPSignature = ""
	o := &plumbing.MemoryObject{}
	if err := bare.Encode(o); err == nil {
		if rd, err := o.Reader(); err == nil {
			raw := make([]byte, o.Size())
			_, _ = rd.Read(raw)
			out["payload"] = string(raw)
		}
	}
	out["signature"], out["reason"] = c.PGPSignature, "unknown_key"
	if at, ok := r.signed[c.Hash]; ok {
		out["verified"], out["reason"], out["verified_at"] = true, "valid", stamp(at)
	}
	return out
}

func person(g object.Signature) fields {
	return fields{"name": g.Name, "email": g.Email, "date": g.When.UTC().Format(time.RFC3339)}
}

// gitCommit is the commit as the git database has it.
func (r *Repository) gitCommit(c *object.Commit) fields {
	parents := []any{}
	for _, p := range c.ParentHashes {
		parents = append(parents, fields{"sha": p.String(), "url": r.url("/git/commits/%s", p), "html_url": r.html("/commit/%s", p)})
	}
	return fields{
		"sha": c.Hash.String(), "node_id": "C_" + c.Hash.String(), "url": r.url("/git/commits/%s", c.Hash), "html_url": r.html("/commit/%s", c.Hash),
		"author": person(c.Author), "committer": person(c.Committer), "message": c.Message, "parents": parents,
		"tree": fields{"sha": c.TreeHash.String(), "url": r.url("/git/trees/%s", c.TreeHash)}, "verification": r.verification(c),
	}
}

// renderCommit is the commit as the repository has it, with the accounts behind it.
func (r *Repository) renderCommit(c *object.Commit) fields {
	git := r.gitCommit(c)
	u := r.url("/commits/%s", c.Hash)
	parents := []any{}
	for _, p := range c.ParentHashes {
		parents = append(parents, fields{"sha": p.String(), "url": r.url("/commits/%s", p), "html_url": r.html("/commit/%s", p)})
	}
	return fields{
		"sha": c.Hash.String(), "node_id": git["node_id"], "url": u, "html_url": git["html_url"], "comments_url": u + "/comments",
		"author": r.s.byEmail(c.Author.Email), "committer": r.s.byEmail(c.Committer.Email), "parents": parents,
		"commit": fields{
			"url": git["url"], "author": git["author"], "committer": git["committer"], "message": c.Message, "tree": git["tree"],
			"comment_count": 0, "verification": git["verification"],
		},
	}
}

// byEmail is the account that commits with an address, null if GitHub knows none.
func (s *Sandbox) byEmail(email string) any {
	if email == "noreply@github.com" {
		return s.renderUser(s.flow)
	}
	for _, a := range s.accounts {
		if strings.EqualFold(a.email, email) {
			return s.renderUser(a)
		}
	}
	return nil
}
