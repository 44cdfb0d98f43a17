package github

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

func TestRepository(t *testing.T) {
	r := newRig(t)
	wire := `{"id":7,"name":"config","owner":{"id":5,"login":"acme","type":"Organization"},"default_branch":"main","html_url":"h","clone_url":"c","private":true,"archived":true,
		"disabled":true,"size":%d,"permissions":{"admin":false,"maintain":true,"push":true,"pull":true},"allow_merge_commit":false,"allow_squash_merge":true,"allow_rebase_merge":true}`
	want := promotion.Repository{
		ID: 7, Owner: "acme", Name: "config", DefaultBranch: "main", URL: "h", CloneURL: "c", Private: true, Archived: true, Disabled: true, OwnerIsOrg: true,
		Permission: promotion.PermissionMaintain, MergeMethods: []string{"squash", "rebase"},
	}
	c := r.client()
	r.on("GET /repos/acme/config", 200, fmt.Sprintf(wire, 9))
	r.on("GET /repositories/7", 200, fmt.Sprintf(wire, 9))
	got, ok, err := c.Repository(t.Context(), "acme", "config")
	if diff := cmp.Diff(want, got); diff != "" || !ok || err != nil {
		t.Errorf("%v, %v (-want +got):\n%s", ok, err, diff)
	}
	got, ok, err = c.RepositoryByID(t.Context(), 7)
	if diff := cmp.Diff(want, got); diff != "" || !ok || err != nil {
		t.Errorf("by number: %v, %v (-want +got):\n%s", ok, err, diff)
	}
	for name, e := range map[string]struct {
		status int
		body   string
		empty  bool
	}{
		"no commit": {409, `{"message":"Git Repository is empty."}`, true},
		"no branch": {404, `{"message":"Not Found"}`, true},
		"small":     {200, `{"ref":"refs/heads/main","object":{"sha":"` + shaA + `"}}`, false},
	} {
		r.on("GET /repos/acme/config", 200, fmt.Sprintf(wire, 0))
		r.on("GET /repos/acme/config/git/ref/heads/main", e.status, e.body)
		if got, ok, err := c.Repository(t.Context(), "acme", "config"); got.Empty != e.empty || !ok || err != nil {
			t.Errorf("%s: got %v, %v, %v", name, got.Empty, ok, err)
		}
	}
	r.on("GET /repos/acme/config", 404, `{"message":"Not Found"}`)
	if _, ok, err := c.Repository(t.Context(), "acme", "config"); ok || err != nil {
		t.Errorf("none: got %v, %v", ok, err)
	}
	r.on("GET /repos/acme/config", 200, `{"id":7,"name":"..","owner":{"login":"acme"}}`)
	_, _, err = c.Repository(t.Context(), "acme", "config")
	isOnly(t, err, promotion.ErrTransient)
	r.on("GET /repos/acme/config", 200, fmt.Sprintf(wire, 0))
	r.on("GET /repos/acme/config/git/ref/heads/main", 500, `{}`)
	_, _, err = c.Repository(t.Context(), "acme", "config")
	isOnly(t, err, promotion.ErrTransient)
}

func TestPermissionWords(t *testing.T) {
	for word, want := range map[string]promotion.Permission{
		"admin": promotion.PermissionAdmin, "maintain": promotion.PermissionMaintain, "push": promotion.PermissionWrite,
		"triage": promotion.PermissionTriage, "pull": promotion.PermissionRead, "other": "",
	} {
		if got := highest(map[string]bool{word: true, "admin2": true}); got != want {
			t.Errorf("%s: got %s, want %s", word, got, want)
		}
	}
}

func TestBranch(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		body   string
		ok     bool
		want   error
	}{
		{"there", 200, `{"ref":"refs/heads/main","object":{"type":"commit","sha":"` + shaA + `"}}`, true, nil},
		{"not there", 404, `{"message":"Not Found"}`, false, nil},
		{"empty repository", 409, `{"message":"Git Repository is empty."}`, false, nil},
		{"another one", 200, `{"ref":"refs/heads/main2","object":{"sha":"` + shaA + `"}}`, false, promotion.ErrTransient},
		{"several", 200, `[{"ref":"refs/heads/main2"}]`, false, promotion.ErrTransient},
		{"no hash", 200, `{"ref":"refs/heads/main","object":{"sha":"main"}}`, false, promotion.ErrTransient},
		{"nobody knows", 500, `{}`, false, promotion.ErrTransient},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.on("GET /repos/acme/config/git/ref/heads/main", c.status, c.body)
			sha, ok, err := r.client().Branch(t.Context(), config, "main")
			if c.want != nil {
				isOnly(t, err, c.want)
				return
			}
			if ok != c.ok || err != nil || ok && sha != shaA {
				t.Errorf("got %q, %v, %v", sha, ok, err)
			}
		})
	}
}

func TestRefs(t *testing.T) {
	r := newRig(t)
	c := r.client()
	ctx := t.Context()
	r.on("POST /repos/acme/config/git/refs", 201, `{}`)
	r.on("PATCH /repos/acme/config/git/refs/heads/a/b", 200, `{}`)
	r.on("DELETE /repos/acme/config/git/refs/heads/a/b", 204, ``)
	if err := c.CreateRef(ctx, config, "a/b", shaA); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(map[string]any{"ref": "refs/heads/a/b", "sha": shaA}, r.body()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := c.UpdateRef(ctx, config, "a/b", shaA, true); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(map[string]any{"sha": shaA, "force": true}, r.body()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := c.DeleteRef(ctx, config, "a/b"); err != nil {
		t.Error(err)
	}
	r.on("DELETE /repos/acme/config/git/refs/heads/a/b", 422, `{"message":"Reference does not exist"}`)
	if err := c.DeleteRef(ctx, config, "a/b"); err != nil {
		t.Errorf("one that is not there: %v", err)
	}
	r.on("DELETE /repos/acme/config/git/refs/heads/a/b", 422, `{"message":"Cannot delete this protected branch"}`)
	isOnly(t, c.DeleteRef(ctx, config, "a/b"), promotion.ErrBlocked)
	r.on("PATCH /repos/acme/config/git/refs/heads/a/b", 422, `{"message":"Update is not a fast forward"}`)
	isOnly(t, c.UpdateRef(ctx, config, "a/b", shaA, false), promotion.ErrConflict)
	r.on("POST /repos/acme/config/git/refs", 422, `{"message":"Reference already exists"}`)
	isOnly(t, c.CreateRef(ctx, config, "a/b", shaA), promotion.ErrConflict)
}

func TestBranchRules(t *testing.T) {
	rulesets := `[{"type":"required_signatures"},{"type":"required_linear_history"},{"type":"non_fast_forward"},{"type":"creation"},{"type":"deletion"},{"type":"update"},
		{"type":"pull_request","parameters":{"required_approving_review_count":1,"dismiss_stale_reviews_on_push":true,"require_code_owner_review":true,"require_last_push_approval":true,"required_review_thread_resolution":true,"allowed_merge_methods":["squash","rebase"]}},
		{"type":"pull_request","parameters":{"required_approving_review_count":2,"allowed_merge_methods":["merge","squash"]}},
		{"type":"required_status_checks","parameters":{"strict_required_status_checks_policy":true,"required_status_checks":[{"context":"ci","integration_id":15368},{"context":"ci","integration_id":15368},{"context":"lint"}]}},
		{"type":"merge_queue","parameters":{"merge_method":"SQUASH"}},{"type":"commit_message_pattern","parameters":{"operator":"starts_with"}}]`
	everything := promotion.Rules{
		SignedCommits: true, LinearHistory: true, NoForcePush: true, NoCreation: true, NoDeletion: true, NoUpdate: true, PullRequest: true, Approvals: 2, DismissStale: true,
		LastPushApproval: true, CodeOwners: true, ThreadsResolved: true, MergeMethods: []string{"squash"}, Checks: []promotion.RequiredCheck{{Context: "ci", App: 15368}, {Context: "lint"}},
		UpToDate: true, MergeQueue: true, MergeQueueMethod: "squash",
	}
	protection := `{"required_signatures":{"enabled":true},"required_linear_history":{"enabled":true},"allow_force_pushes":{"enabled":false},"allow_deletions":{"enabled":false},"lock_branch":{"enabled":false},
		"required_conversation_resolution":{"enabled":true},"required_pull_request_reviews":{"required_approving_review_count":1,"dismiss_stale_reviews":true,"require_code_owner_reviews":true,"require_last_push_approval":true},
		"required_status_checks":{"strict":true,"contexts":["ci","any"],"checks":[{"context":"ci","app_id":15368},{"context":"any","app_id":-1},null]},"restrictions":{"users":[],"teams":[],"apps":[]}}`
	protected := promotion.Rules{
		SignedCommits: true, LinearHistory: true, NoForcePush: true, NoDeletion: true, NoUpdate: true, PullRequest: true, Approvals: 1, DismissStale: true, LastPushApproval: true, CodeOwners: true,
		ThreadsResolved: true, Checks: []promotion.RequiredCheck{{Context: "ci", App: 15368}, {Context: "any"}}, UpToDate: true,
	}
	branch := `{"name":"main","protected":true}`
	for _, c := range []struct {
		name                         string
		rules, branch, protection    string
		rulesAt, branchAt, classicAt int
		want                         promotion.Rules
		fails                        error
	}{
		{name: "rulesets", rules: rulesets, rulesAt: 200, branch: `{"name":"main","protected":false}`, branchAt: 200, want: everything},
		{name: "rulesets, no branch yet", rules: `[]`, rulesAt: 200, branch: `{"message":"Branch not found"}`, branchAt: 404},
		{name: "renamed branch", rules: `[]`, rulesAt: 200, branch: `{"name":"trunk","protected":true}`, branchAt: 200},
		{name: "classic", rules: `[]`, rulesAt: 200, branch: branch, branchAt: 200, protection: protection, classicAt: 200, want: protected},
		{name: "classic, contexts only", rules: `[]`, rulesAt: 200, branch: branch, branchAt: 200, protection: `{"required_status_checks":{"contexts":["ci"]},"allow_force_pushes":{"enabled":true},"allow_deletions":{"enabled":true}}`, classicAt: 200, want: promotion.Rules{Checks: []promotion.RequiredCheck{{Context: "ci"}}}},
		{name: "classic, may not be read", rules: `[]`, rulesAt: 200, branch: branch, branchAt: 200, protection: `{"message":"Resource not accessible by integration"}`, classicAt: 403, want: promotion.Rules{ProtectionUnknown: true}},
		{name: "classic, may not be seen", rules: `[]`, rulesAt: 200, branch: branch, branchAt: 200, protection: `{"message":"Not Found"}`, classicAt: 404, want: promotion.Rules{ProtectionUnknown: true}},
		{name: "protected by rulesets", rules: `[{"type":"deletion"}]`, rulesAt: 200, branch: branch, branchAt: 200, protection: `{"message":"Branch not protected"}`, classicAt: 404, want: promotion.Rules{NoDeletion: true}},
		{name: "plan without rules", rules: `{"message":"Upgrade to GitHub Pro or make this repository public to enable this feature."}`, rulesAt: 403, branch: `{"name":"main","protected":false}`, branchAt: 200},
		{name: "rules fail", rules: `{}`, rulesAt: 500, fails: promotion.ErrTransient},
		{name: "repository is not there", rules: `{"message":"Not Found"}`, rulesAt: 404, fails: promotion.ErrNotFound},
		{name: "branch fails", rules: `[]`, rulesAt: 200, branch: `{}`, branchAt: 500, fails: promotion.ErrTransient},
		{name: "classic fails", rules: `[]`, rulesAt: 200, branch: branch, branchAt: 200, protection: `{}`, classicAt: 500, fails: promotion.ErrTransient},
		{name: "odd parameters", rules: `[{"type":"pull_request","parameters":[]}]`, rulesAt: 200, fails: promotion.ErrTransient},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.on("GET /repos/acme/config/rules/branches/main", c.rulesAt, c.rules)
			if c.branchAt != 0 {
				r.on("GET /repos/acme/config/branches/main", c.branchAt, c.branch)
			}
			if c.classicAt != 0 {
				r.on("GET /repos/acme/config/branches/main/protection", c.classicAt, c.protection)
			}
			got, err := r.client().BranchRules(t.Context(), config, "main")
			if c.fails != nil {
				isOnly(t, err, c.fails)
				return
			}
			if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestViewer(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		body   string
		want   promotion.Identity
		ok     bool
		fails  error
	}{
		{"person", 200, `{"id":1,"login":"ann","type":"User"}`, promotion.Identity{ID: 1, Login: "ann"}, true, nil},
		{"installation", 403, `{"message":"Resource not accessible by integration"}`, promotion.Identity{}, false, nil},
		{"bad token", 401, `{"message":"Bad credentials"}`, promotion.Identity{}, false, promotion.ErrUnauthenticated},
		{"limit", 429, `{}`, promotion.Identity{}, false, promotion.ErrRateLimited},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.on("GET /user", c.status, c.body)
			got, ok, err := r.client().Viewer(t.Context())
			if c.fails != nil {
				isOnly(t, err, c.fails)
			} else if got != c.want || ok != c.ok || err != nil {
				t.Errorf("got %v, %v, %v", got, ok, err)
			}
		})
	}
}

func TestUsers(t *testing.T) {
	r := newRig(t)
	r.on("GET /user/1", 200, `{"id":1,"login":"ann","type":"User"}`)
	r.on("GET /user/2", 404, `{"message":"Not Found"}`)
	r.on("GET /users/bob", 404, `{"message":"Not Found"}`)
	if got, ok, err := r.client().UserByID(t.Context(), 1); got.Login != "ann" || !ok || err != nil {
		t.Errorf("got %v, %v, %v", got, ok, err)
	}
	if _, ok, err := r.client().UserByID(t.Context(), 2); ok || err != nil {
		t.Errorf("got %v, %v", ok, err)
	}
	if _, ok, err := r.client().UserByLogin(t.Context(), "bob"); ok || err != nil {
		t.Errorf("got %v, %v", ok, err)
	}
}

func TestPermission(t *testing.T) {
	ann := promotion.Identity{ID: 1, Login: "ann"}
	wire := func(permission, role string, id int) string {
		return fmt.Sprintf(`{"permission":%q,"role_name":%q,"user":{"id":%d,"login":"ann"}}`, permission, role, id)
	}
	for _, c := range []struct {
		name   string
		status int
		body   string
		want   promotion.Permission
		fails  error
	}{
		{"admin", 200, wire("admin", "admin", 1), promotion.PermissionAdmin, nil},
		{"maintain", 200, wire("write", "maintain", 1), promotion.PermissionMaintain, nil},
		{"write", 200, wire("write", "write", 1), promotion.PermissionWrite, nil},
		{"triage", 200, wire("read", "triage", 1), promotion.PermissionTriage, nil},
		{"read", 200, wire("read", "read", 1), promotion.PermissionRead, nil},
		{"none", 200, wire("none", "", 1), promotion.PermissionNone, nil},
		{"custom role on write", 200, wire("write", "release manager", 1), promotion.PermissionWrite, nil},
		{"a role above its base", 200, wire("read", "admin", 1), promotion.PermissionRead, nil},
		{"an unknown one", 200, wire("owner", "owner", 1), promotion.PermissionNone, nil},
		{"the login is another's now", 200, wire("admin", "admin", 2) + ` renamed`, promotion.PermissionWrite, nil},
		{"the login is another's now, the account gone", 200, wire("admin", "admin", 2) + ` gone`, promotion.PermissionNone, nil},
		{"the login is another's now, and nobody knows about the account", 200, wire("admin", "admin", 2) + ` fails`, promotion.PermissionNone, promotion.ErrTransient},
		{"an answer about somebody else, under the same login", 200, wire("admin", "admin", 2) + ` here`, promotion.PermissionNone, nil},
		{"the new login is another's, too", 200, wire("admin", "admin", 2) + ` moving`, promotion.PermissionNone, nil},
		{"an answer without a user", 200, `{"permission":"admin"} here`, promotion.PermissionNone, nil},
		{"the login is nobody's", 404, `{"message":"ann is not a user"} here`, promotion.PermissionNone, nil},
		{"the repository is not seen", 404, `{"message":"Not Found"} here`, promotion.PermissionNone, promotion.ErrNotFound},
		{"the account has another login now", 404, `{"message":"Not Found"} renamed`, promotion.PermissionWrite, nil},
		{"the account is gone", 404, `{"message":"Not Found"} gone`, promotion.PermissionNone, nil},
		{"nobody knows about the account", 404, `{"message":"Not Found"} fails`, promotion.PermissionNone, promotion.ErrTransient},
		{"may not ask", 403, `{"message":"Must have push access to view collaborator permission."}`, promotion.PermissionNone, promotion.ErrForbidden},
		{"nobody knows", 500, `{}`, promotion.PermissionNone, promotion.ErrTransient},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			body, account, _ := strings.Cut(c.body, "} ")
			if account != "" {
				body += "}"
			}
			r.on("GET /repos/acme/config/collaborators/ann/permission", c.status, body)
			if account != "" {
				r.handle("GET /user/1", map[string]http.HandlerFunc{
					"here": says(200, `{"id":1,"login":"Ann"}`), "gone": says(404, `{"message":"Not Found"}`), "fails": says(500, `{}`),
					"renamed": says(200, `{"id":1,"login":"anna"}`), "moving": says(200, `{"id":1,"login":"annabel"}`),
				}[account])
				r.on("GET /repos/acme/config/collaborators/anna/permission", 200, wire("write", "write", 1))
				r.on("GET /repos/acme/config/collaborators/annabel/permission", 200, wire("admin", "admin", 3))
			}
			got, err := r.client().Permission(t.Context(), config, ann)
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if c.fails != nil {
				isOnly(t, err, c.fails)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestIsMember(t *testing.T) {
	const user, membership, team = "GET /user/1", "GET /orgs/acme/teams/ops/memberships/ann-new", "GET /orgs/acme/teams/ops"
	here, gone := `{"id":1,"login":"ann-new"}`, `{"message":"Not Found"}`
	type answers map[string]string // "404 body" by route
	for _, c := range []struct {
		name          string
		a             answers
		member, known bool
		fails         error
	}{
		{"member, under the new login", answers{user: "200 " + here, membership: `200 {"state":"active"}`}, true, true, nil},
		{"invited", answers{user: "200 " + here, membership: `200 {"state":"pending"}`}, false, true, nil},
		{"not one", answers{user: "200 " + here, membership: "404 " + gone, team: `200 {"slug":"ops"}`}, false, true, nil},
		{"team is not seen", answers{user: "200 " + here, membership: "404 " + gone, team: "404 " + gone}, false, false, nil},
		{"teams may not be read", answers{user: "200 " + here, membership: `403 {"message":"Resource not accessible by integration"}`}, false, false, nil},
		{"teams may not be read, told late", answers{user: "200 " + here, membership: "404 " + gone, team: `403 {"message":"Resource not accessible by integration"}`}, false, false, nil},
		{"account is gone", answers{user: "404 " + gone, team: `200 {"slug":"ops"}`}, false, true, nil},
		{"another team answers", answers{user: "404 " + gone, team: `200 {"slug":"dev"}`}, false, false, nil},
		{"user fails", answers{user: `500 {}`}, false, false, promotion.ErrTransient},
		{"membership fails", answers{user: "200 " + here, membership: `500 {}`}, false, false, promotion.ErrTransient},
		{"membership is limited", answers{user: "200 " + here, membership: `429 {}`}, false, false, promotion.ErrRateLimited},
		{"team fails", answers{user: "200 " + here, membership: "404 " + gone, team: `500 {}`}, false, false, promotion.ErrTransient},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			for route, a := range c.a {
				status, body, _ := strings.Cut(a, " ")
				n := 0
				_, _ = fmt.Sscan(status, &n)
				r.on(route, n, body)
			}
			member, known, err := r.client().IsMember(t.Context(), "acme", "ops", promotion.Identity{ID: 1, Login: "ann"})
			if member != c.member || known != c.known {
				t.Errorf("got %v, %v, want %v, %v", member, known, c.member, c.known)
			}
			if c.fails != nil {
				isOnly(t, err, c.fails)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestFile(t *testing.T) {
	file := func(size int, content string) string {
		return fmt.Sprintf(`{"type":"file","encoding":"base64","size":%d,"sha":%q,"content":%q}`, size, shaA, base64.StdEncoding.EncodeToString([]byte(content)))
	}
	for _, c := range []struct {
		name             string
		file, repo, blob string // "404 body"
		want             string
		ok               bool
		fails            error
	}{
		{name: "there", file: "200 " + file(3, "a\r\n"), want: "a\r\n", ok: true},
		{name: "empty", file: "200 " + file(0, ""), ok: true},
		{name: "not there", file: `404 {"message":"Not Found"}`, repo: `200 {"id":7}`},
		{name: "the repository is not seen", file: `404 {"message":"Not Found"}`, repo: `404 {"message":"Not Found"}`, fails: promotion.ErrNotFound},
		{name: "nobody knows about the repository", file: `404 {"message":"Not Found"}`, repo: `500 {}`, fails: promotion.ErrTransient},
		{name: "no such ref", file: `404 {"message":"No commit found for the ref main"}`, fails: promotion.ErrNotFound},
		{name: "empty repository", file: `404 {"message":"This repository is empty."}`, fails: promotion.ErrNotFound},
		{name: "directory", file: `200 {"type":"dir","entries":[]}`, fails: promotion.ErrInvalid},
		{name: "directory as a list", file: `200 [{"type":"file"}]`, fails: promotion.ErrInvalid},
		{name: "no type", file: `200 {}`, fails: promotion.ErrInvalid},
		{name: "submodule", file: `200 {"type":"submodule"}`, fails: promotion.ErrInvalid},
		{name: "too large", file: `200 {"type":"file","encoding":"none","size":5000000}`, fails: promotion.ErrInvalid},
		{name: "large", file: `200 {"type":"file","encoding":"none","size":2,"sha":"` + shaA + `"}`, blob: `200 {"encoding":"base64","content":"aGk="}`, want: "hi", ok: true},
		{name: "large, not what was told", file: `200 {"type":"file","encoding":"none","size":3,"sha":"` + shaA + `"}`, blob: `200 {"encoding":"base64","content":"aGk="}`, fails: promotion.ErrTransient},
		{name: "large, gone", file: `200 {"type":"file","encoding":"none","size":3,"sha":"` + shaA + `"}`, blob: `404 {"message":"Not Found"}`, fails: promotion.ErrNotFound},
		{name: "cut", file: "200 " + file(9, "short"), fails: promotion.ErrTransient},
		{name: "other encoding", file: `200 {"type":"file","encoding":"utf-8","size":1,"content":"x"}`, fails: promotion.ErrTransient},
		{name: "bad encoding", file: `200 {"type":"file","encoding":"base64","size":1,"content":"%"}`, fails: promotion.ErrTransient},
		{name: "fails", file: `500 {}`, fails: promotion.ErrTransient},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			for route, a := range map[string]string{"contents/a.yaml?ref=main": c.file, "": c.repo, "git/blobs/" + shaA: c.blob} {
				if status, body, ok := strings.Cut(a, " "); ok {
					n := 0
					_, _ = fmt.Sscan(status, &n)
					r.on(strings.TrimSuffix("GET /repos/acme/config/"+route, "/"), n, body)
				}
			}
			got, ok, err := r.client().File(t.Context(), config, "a.yaml", "main")
			if c.fails != nil {
				isOnly(t, err, c.fails)
				return
			}
			if string(got) != c.want || ok != c.ok || err != nil {
				t.Errorf("got %q, %v, %v", got, ok, err)
			}
		})
	}
}

func TestCreateTreeCommit(t *testing.T) {
	r := newRig(t)
	r.on("POST /repos/acme/config/git/blobs", 201, `{"sha":"`+shaC+`"}`)
	r.on("POST /repos/acme/config/git/trees", 201, `{"sha":"`+shaB+`"}`)
	r.on("POST /repos/acme/config/git/commits", 201, `{"sha":"`+shaA+`","tree":{"sha":"`+shaB+`"}}`)
	good := promotion.TreeCommit{
		BaseTree: shaC, Parents: []string{shaC}, Message: "M",
		Files: map[string][]byte{"b/text.yaml": []byte("\ufeffa: <b>\r\n"), "a.bin": {0xff, 0}, "nul": {'a', 0}},
		Modes: map[string]string{"b/text.yaml": "100644", "a.bin": "100755", "nul": "100644"},
	}
	commit, tree, err := r.client().CreateTreeCommit(t.Context(), config, good)
	if commit != shaA || tree != shaB || err != nil {
		t.Errorf("got %s, %s, %v", commit, tree, err)
	}
	var bodies []string
	for _, s := range r.requests() {
		bodies = append(bodies, strings.TrimPrefix(s.line, "POST /repos/acme/config/git/")+" "+strings.TrimSpace(s.body))
	}
	want := []string{
		`blobs {"content":"/wA=","encoding":"base64"}`,
		`blobs {"content":"YQA=","encoding":"base64"}`,
		`trees {"base_tree":"` + shaC + `","tree":[{"mode":"100755","path":"a.bin","sha":"` + shaC + `","type":"blob"},` +
			"{\"content\":\"\ufeffa: <b>\\r\\n\",\"mode\":\"100644\",\"path\":\"b/text.yaml\",\"type\":\"blob\"}," +
			`{"mode":"100644","path":"nul","sha":"` + shaC + `","type":"blob"}]}`,
		`commits {"message":"M","parents":["` + shaC + `"],"tree":"` + shaB + `"}`, // neither author nor committer
	}
	if diff := cmp.Diff(want, bodies); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	asked := len(r.lines())
	for name, spoil := range map[string]func(*promotion.TreeCommit){
		"no file": func(c *promotion.TreeCommit) { c.Files = nil },
		"base":    func(c *promotion.TreeCommit) { c.BaseTree = "main" },
		"parent":  func(c *promotion.TreeCommit) { c.Parents = []string{"HEAD"} },
		"message": func(c *promotion.TreeCommit) { c.Message = " \n" },
		"path":    func(c *promotion.TreeCommit) { c.Files = map[string][]byte{"../x": nil} },
		"symlink": func(c *promotion.TreeCommit) { c.Modes = map[string]string{"b/text.yaml": "120000"} },
		"too large": func(c *promotion.TreeCommit) {
			c.Files, c.Modes = map[string][]byte{"x": make([]byte, maxFile+1)}, map[string]string{"x": "100644"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			bad := good
			spoil(&bad)
			_, _, err := r.client().CreateTreeCommit(t.Context(), config, bad)
			isOnly(t, err, promotion.ErrInvalid)
		})
	}
	if n := len(r.lines()); n != asked {
		t.Errorf("%d requests for what is refused", n-asked)
	}
	r.on("POST /repos/acme/config/git/commits", 201, `{"sha":"`+shaA+`","tree":{"sha":"`+shaC+`"}}`)
	_, _, err = r.client().CreateTreeCommit(t.Context(), config, good)
	isOnly(t, err, promotion.ErrTransient)
	r.on("POST /repos/acme/config/git/trees", 201, `{}`)
	_, _, err = r.client().CreateTreeCommit(t.Context(), config, good)
	isOnly(t, err, promotion.ErrTransient)
	r.on("POST /repos/acme/config/git/blobs", 201, `{}`)
	_, _, err = r.client().CreateTreeCommit(t.Context(), config, good)
	isOnly(t, err, promotion.ErrTransient)
}

func TestCommitMessage(t *testing.T) {
	r := newRig(t)
	r.on("GET /repos/acme/config/git/commits/"+shaA, 200, `{"sha":"`+shaA+`","message":"M\n\nX: y"}`)
	r.on("GET /repos/acme/config/git/commits/"+shaB, 404, `{"message":"Not Found"}`)
	r.on("GET /repos/acme/config/git/commits/"+shaC, 200, `{"sha":"`+shaA+`","message":"M"}`)
	if got, ok, err := r.client().CommitMessage(t.Context(), config, shaA); got != "M\n\nX: y" || !ok || err != nil {
		t.Errorf("got %q, %v, %v", got, ok, err)
	}
	if _, ok, err := r.client().CommitMessage(t.Context(), config, shaB); ok || err != nil {
		t.Errorf("got %v, %v", ok, err)
	}
	_, _, err := r.client().CommitMessage(t.Context(), config, shaC)
	isOnly(t, err, promotion.ErrTransient)
}

func TestStatuses(t *testing.T) {
	r := newRig(t)
	r.on("GET /repos/acme/config/commits/"+shaA+"/statuses?per_page=100", 200, `[
		{"context":"ci","state":"success","description":null,"target_url":"u","creator":{"id":1,"login":"ann"},"updated_at":"2026-01-02T00:00:00Z"},
		{"context":"CI","state":"failure"},{"context":"lint","state":"pending","creator":null}]`)
	want := []promotion.CommitStatus{
		{Context: "ci", State: "success", TargetURL: "u", Creator: promotion.Identity{ID: 1, Login: "ann"}, At: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)},
		{Context: "lint", State: "pending", Creator: promotion.Identity{Login: "ghost"}},
	}
	if diff := cmp.Diff(want, must[[]promotion.CommitStatus](t)(r.client().CommitStatuses(t.Context(), config, shaA))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDeployments(t *testing.T) {
	r := newRig(t)
	r.on("GET /repos/acme/config/deployments?environment=prod&per_page=100&sha="+shaA, 200, `[
		{"id":2,"environment":"prod","sha":"`+shaA+`","ref":"main","performed_via_github_app":{"id":42},"creator":{"id":9,"login":"x[bot]"},"created_at":"2026-01-01T00:00:00Z"},
		{"id":1,"environment":"prod","sha":"`+shaA+`","performed_via_github_app":null},{"id":3,"environment":"production","sha":"`+shaA+`"}]`)
	r.on("GET /repos/acme/config/deployments/2/statuses?per_page=1", 200, `[{"state":"success","performed_via_github_app":{"id":42},"created_at":"2026-01-02T00:00:00Z"}]`)
	r.on("GET /repos/acme/config/deployments/1/statuses?per_page=1", 200, `[]`)
	want := []promotion.Deployment{
		{ID: 2, Environment: "prod", SHA: shaA, Ref: "main", App: 42, Creator: promotion.Identity{ID: 9, Login: "x[bot]", Bot: true}, Created: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), State: "success", StateApp: 42, StateAt: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)},
		{ID: 1, Environment: "prod", SHA: shaA, Creator: promotion.Identity{Login: "ghost"}},
	}
	if diff := cmp.Diff(want, must[[]promotion.Deployment](t)(r.client().Deployments(t.Context(), config, "prod", shaA))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	r.on("GET /repos/acme/config/deployments/2/statuses?per_page=1", 500, `{}`)
	_, err := r.client().Deployments(t.Context(), config, "prod", shaA)
	isOnly(t, err, promotion.ErrTransient)
}

func TestGraphQL(t *testing.T) {
	r := newRig(t)
	c := r.client()
	for name, do := range map[string]func() error{
		"enqueuePullRequest":            func() error { return c.Enqueue(t.Context(), "PR_x", shaA) },
		"dequeuePullRequest":            func() error { return c.Dequeue(t.Context(), "PR_x") },
		"convertPullRequestToDraft":     func() error { return c.ConvertToDraft(t.Context(), "PR_x") },
		"markPullRequestReadyForReview": func() error { return c.MarkReady(t.Context(), "PR_x") },
	} {
		r.on("POST /graphql", 200, `{"data":{"`+name+`":{"pullRequest":{"id":"PR_x"}}}}`)
		if err := do(); err != nil {
			t.Error(err)
		}
		body := r.body()
		if query, _ := body["query"].(string); !strings.Contains(query, name+"(") || body["variables"].(map[string]any)["id"] != "PR_x" {
			t.Errorf("%s: got %v", name, body)
		}
		if name == "enqueuePullRequest" && body["variables"].(map[string]any)["head"] != shaA {
			t.Errorf("the head is not sent: %v", body)
		}
		for _, e := range []struct {
			status int
			body   string
			want   error
		}{
			{200, `{"data":{"` + name + `":null},"errors":[{"type":"FORBIDDEN","message":"Resource not accessible by integration"}]}`, promotion.ErrForbidden},
			{200, `{"data":null}`, promotion.ErrTransient},
			{502, `<html>`, promotion.ErrTransient},
		} {
			r.on("POST /graphql", e.status, e.body)
			asked := len(r.lines())
			isOnly(t, do(), e.want)
			if n := len(r.lines()) - asked; n != 1 {
				t.Errorf("%s was sent %d times", name, n)
			}
		}
	}
}
