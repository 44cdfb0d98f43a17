package doctor

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/plan"
	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/rulebook"
)

const app = 41

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const wellConfigured = `apiVersion: pinnace.dev/v1alpha1
kind: Config
environments:
  - {name: dev, paths: ["envs/dev/**"], deploy: auto}
  - {name: prod, paths: ["envs/prod/**"], after: [dev], production: true, deploy: command}
github: {appID: 41}
`

const onePolicy = `apiVersion: pinnace.dev/v1alpha1
kind: ImagePromotionPolicy
name: two-people
approverCount: 2
applyTo: [{env: prod}]
`

// tree reads documents, in which one image stands in each environment.
func tree(files map[string]string) Tree {
	raw := rulebook.Files{}
	for name, text := range files {
		raw[name] = []byte(text)
	}
	digest := image.Digest("sha256:" + strings.Repeat("a", 64))
	ref := image.Ref{Name: "ghcr.io/acme/shop", Tag: "1.4", Digest: digest}
	standing := []plan.Standing{
		{Environment: "dev", App: "shop", Image: ref, Path: "envs/dev/shop.yaml"},
		{Environment: "prod", App: "shop", Image: ref, Path: "envs/prod/shop.yaml"},
	}
	found := []policy.App{{Name: "shop", Images: []string{"ghcr.io/acme/shop"}}}
	return Tree{
		Book: rulebook.Read(raw, nil, policy.FloorNone, found), Configured: len(files) > 0, Standing: standing,
		Check: func(base string) string { return "pinnace/promotion" },
	}
}

func configured(text string) Tree {
	return tree(map[string]string{".pinnace/config.yaml": text, ".pinnace/policies/prod.yaml": onePolicy})
}

// healthy are facts that nothing is wrong with.
func healthy() *Facts {
	all := map[string]string{
		"metadata": "read", "contents": "write", "pull_requests": "write", "checks": "write", "issues": "write", "members": "read",
		"deployments": "read", "statuses": "read", "merge_queues": "write",
	}
	f := &Facts{AppID: app, Public: true, Now: now, Subscriptions: []string{"push", "pull_request", "merge_group"}}
	for _, name := range []string{"metadata", "contents", "pull_requests", "checks"} {
		f.Needed = append(f.Needed, Need{Name: name, Level: all[name], Loss: "nothing works", Needed: true})
	}
	for _, name := range []string{"members", "deployments", "statuses", "merge_queues", "issues"} {
		f.Needed = append(f.Needed, Need{Name: name, Level: all[name], Loss: "something does not work"})
	}
	f.App = Seen(App{ID: app, Slug: "pinnace", Permissions: all, Events: []string{"push", "pull_request", "merge_group"}})
	acme := Installation{Account: "acme", Organization: true, Permissions: all}
	f.Installations, f.Installation = Seen([]Installation{acme}), Seen(acme)
	f.Hook = Seen(Hook{URL: "https://pinnace.acme.dev/webhooks/github", ContentType: "json", HasSecret: true})
	f.Deliveries = Seen([]Delivery{{GUID: "b", At: now.Add(-5 * time.Minute), OK: true, Status: 202}, {GUID: "a", At: now.Add(-time.Hour), OK: true, Status: 202}})
	f.Clock = Seen(-500 * time.Millisecond)
	f.Limits = Seen([]Limit{{Name: "REST", Limit: 5000, Remaining: 4000, Reset: now}})
	f.Repository = Seen(promotion.Repository{
		Owner: "acme", Name: "config", DefaultBranch: "main", OwnerIsOrg: true, MergeMethods: []string{"merge", "squash", "rebase"},
	})
	t := configured(wellConfigured)
	t.Book.Floor = policy.FloorRead
	f.Tree = Seen(t)
	f.Bases = Seen([]Base{{
		Branch: "main", Rulesets: Seen([]Ruleset{{Name: "main", Shown: true}}),
		Rules: promotion.Rules{
			PullRequest: true, NoForcePush: true, NoDeletion: true, MergeQueue: true, MergeQueueMethod: "squash",
			Checks: []promotion.RequiredCheck{{Context: "pinnace/promotion", App: app}},
		},
	}})
	f.NewBranch = Seen(promotion.Rules{})
	f.Owners = Seen(OwnersFile{Path: "CODEOWNERS", Text: "/.pinnace/ @acme/admins\n"})
	f.Admins = Seen([]promotion.Identity{{ID: 1, Login: "ada"}, {ID: 2, Login: "bob"}})
	f.Teams = Seen([]Team{{Name: "acme/release", Readable: true}})
	f.Registries = Seen([]Place{{Name: "ghcr.io"}})
	f.Cache, f.Database, f.Server = Seen("/var/cache/pinnace"), Seen("postgres://db/pinnace answers"), Seen("https://pinnace.acme.dev/readyz answers")
	return f
}

// rules changes what the base demands.
func rules(change func(*promotion.Rules)) func(*Facts) {
	return func(f *Facts) {
		b := slices.Clone(f.Bases.value)
		b[0].Rules.Checks = slices.Clone(b[0].Rules.Checks)
		change(&b[0].Rules)
		f.Bases = Seen(b)
	}
}

// written replaces the configuration, or parts of its text.
func written(pairs ...string) func(*Facts) {
	return func(f *Facts) {
		f.Tree = Seen(configured(strings.NewReplacer(pairs...).Replace(wellConfigured)))
	}
}

func bypass(all ...Ruleset) func(*Facts) {
	return func(f *Facts) {
		b := slices.Clone(f.Bases.value)
		b[0].Rulesets = Seen(all)
		f.Bases = Seen(b)
	}
}

// after applies changes one after the other.
func after(changes ...func(*Facts)) func(*Facts) {
	return func(f *Facts) {
		for _, c := range changes {
			c(f)
		}
	}
}

type row struct {
	name   string
	check  string
	change func(*Facts)
	want   Status
	seen   string // a part of what was seen, or of the details
	fix    string // a part of the fix
}

// rows are the manual of the checks: what is changed in a healthy installation, and what is
// said then.
var rows = []row{
	{"no App", "app.key", func(f *Facts) { f.AppID = 0 }, Skipped, "no App was named", ""},
	{"another's key", "app.key", func(f *Facts) {
		f.App = Unanswered[App](fmt.Errorf("ask who the App is: %w", promotion.ErrUnauthenticated))
	}, Problem, "GitHub refuses them", "the number given is 41"},
	{"no such App", "app.key", func(f *Facts) { f.App = Unanswered[App](promotion.ErrNotFound) }, Problem, "not found", "Generate a private key"},
	{"GitHub is away", "app.key", func(f *Facts) { f.App = Unanswered[App](promotion.ErrTransient) }, Problem, "no answer", "the way to it"},
	{"the number of another", "app.key", func(f *Facts) { f.AppID = 7 }, Problem, "that of App 41 (pinnace), not of 7", "--app-id 41"},

	{"an optional permission", "app.permissions", without("issues"), Warning, "issues: write is missing: something does not work", "Permissions & events"},
	{"a level too low", "app.permissions", grant("issues", "read"), Warning, "issues: write is read", ""},
	{"a needed permission", "app.permissions", without("checks"), Problem, "checks: write is missing", ""},
	{"a team and no members", "app.permissions", without("members"), Problem, "members: read is missing", ""},
	{"no team and no members", "app.permissions", after(without("members"), func(f *Facts) { f.Teams = Seen[[]Team](nil) }), Warning, "members", ""},
	{"a queue and no permission", "app.permissions", without("merge_queues"), Problem, "merge_queues", ""},
	{"a gate that is a status", "app.permissions", after(without("statuses"), written("deploy: auto", `deploy: auto, gates: [{commitStatus: e2e, app: ci}]`)), Problem, "statuses", ""},
	{"a gate that is a deployment", "app.permissions", after(without("deployments"), written("deploy: auto", `deploy: auto, gates: [{deployment: dev, app: argo-cd}]`)), Problem, "deployments", ""},
	{"without a repository, the App's own", "app.permissions", func(f *Facts) { f.Installation = Unasked[Installation](noRepository) }, OK, "all 9", ""},

	{"asked for, not accepted", "app.accepted", func(f *Facts) {
		f.Installations = Seen([]Installation{{Account: "acme", Permissions: map[string]string{"contents": "read"}}})
	}, Warning, "contents: write", "accept"},
	{"installed nowhere", "app.accepted", func(f *Facts) { f.Installations = Seen[[]Installation](nil) }, Skipped, "not installed", ""},

	{"an event that matters", "app.events", func(f *Facts) { f.App = Seen(App{ID: app, Events: []string{"merge_group"}}) }, Problem, "push, pull_request", "Subscribe to events"},
	{"an event that helps", "app.events", func(f *Facts) { f.App = Seen(App{ID: app, Events: []string{"push", "pull_request"}}) }, Warning, "merge_group", "tick"},
	{"no webhook, no events", "app.events", func(f *Facts) { f.Hook = Seen(Hook{}) }, Skipped, "no webhook", ""},

	{"a little off", "github.clock", func(f *Facts) { f.Clock = Seen(30 * time.Second) }, Warning, "30s behind", "NTP"},
	{"ahead by an hour", "github.clock", func(f *Facts) { f.Clock = Seen(-time.Hour) }, Problem, "1h0m0s ahead of", "NTP"},
	{"a few seconds", "github.clock", func(f *Facts) { f.Clock = Seen(5 * time.Second) }, OK, "5s behind", ""},

	{"no answer", "github.clock", func(f *Facts) { f.Clock = Unanswered[time.Duration](errors.New("no date")) }, Problem, "no date", "again"},

	{"nearly used up", "github.limits", limit(100), Warning, "100 of 5000", "--resync"},
	{"used up", "github.limits", limit(0), Problem, "0 of 5000", "--resync"},
	{"none", "github.limits", func(f *Facts) { f.Limits = Seen[[]Limit](nil) }, OK, "none", ""},

	{"no webhook", "webhook.url", address(""), Warning, "no webhook", "pinnace serve"},
	{"no address", "webhook.url", address("pinnace"), Problem, "no address", ""},
	{"loopback", "webhook.url", address("http://localhost:8080/webhooks/github"), Problem, "to itself", ""},
	{"a private address", "webhook.url", address("https://10.1.2.3/webhooks/github"), Problem, "private", "on the Internet"},
	{"a name of one's own", "webhook.url", address("https://pinnace.internal/webhooks/github"), Problem, "private", ""},
	{"the same on one's own GitHub", "webhook.url", after(address("https://pinnace.internal/webhooks/github"), func(f *Facts) { f.Public = false }), OK, "pinnace.internal", ""},
	{"plain http", "webhook.url", address("http://pinnace.acme.dev/webhooks/github"), Problem, "not https", "https"},
	{"no certificate", "webhook.url", func(f *Facts) {
		f.Hook = Seen(Hook{URL: "https://pinnace.acme.dev/webhooks/github", Insecure: true})
	}, Problem, "does not verify", "SSL"},
	{"another path", "webhook.url", address("https://pinnace.acme.dev/hook"), Warning, "not the server's own", "https://pinnace.acme.dev/webhooks/github"},
	{"as a form", "webhook.format", func(f *Facts) { f.Hook = Seen(Hook{URL: "https://a.b/", ContentType: "form"}) }, Problem, "form", "application/json"},
	{"no secret", "webhook.secret", address("https://pinnace.acme.dev/webhooks/github"), Problem, "none", "--webhook-secret-file"},
	{"no webhook, no secret", "webhook.secret", address(""), Skipped, "no webhook", ""},

	{"nothing came", "webhook.deliveries", func(f *Facts) { f.Deliveries = Seen[[]Delivery](nil) }, Warning, "in three days", "push"},
	{"the last was refused", "webhook.deliveries", func(f *Facts) {
		f.Deliveries = Seen([]Delivery{{GUID: "b", At: now.Add(-time.Second), Status: 401}, {GUID: "a", At: now.Add(-time.Hour), OK: true}})
	}, Problem, "answered with 401; 1 of 2", "the secret that the webhook has"},
	{"nobody answered", "webhook.deliveries", func(f *Facts) { f.Deliveries = Seen([]Delivery{{GUID: "b", At: now.Add(-time.Hour)}}) }, Problem, "1h0m ago, was not answered", "Advanced"},
	{"one of before is lost", "webhook.deliveries", func(f *Facts) {
		f.Deliveries = Seen([]Delivery{{GUID: "b", At: now, OK: true}, {GUID: "a", At: now.Add(-time.Hour), Status: 500}})
	}, Warning, "1 of 2 did not", "pinnace serve"},
	{"redelivered since", "webhook.deliveries", func(f *Facts) {
		f.Deliveries = Seen([]Delivery{{GUID: "a", At: now, OK: true}, {GUID: "a", At: now.Add(-time.Hour), Status: 500}})
	}, OK, "all 1", ""},

	{"installed nowhere", "installation.active", func(f *Facts) { f.Installations = Seen[[]Installation](nil) }, Problem, "not installed", "install it"},
	{"suspended", "installation.active", func(f *Facts) {
		f.Installations, f.Installation = Seen([]Installation{{Account: "acme", Suspended: true}, {Account: "other"}}), Seen(Installation{Account: "acme", Suspended: true})
	}, Problem, "suspended: acme", "unsuspend"},
	{"another is suspended", "installation.active", func(f *Facts) {
		f.Installations = Seen([]Installation{{Account: "acme"}, {Account: "other", Suspended: true}})
	}, Warning, "1 installation is active; suspended: other", "unsuspend"},

	{"not covered", "installation.repository", func(f *Facts) { f.Installation = Unanswered[Installation](promotion.ErrNotFound) }, Problem, "not found", "Repository access"},
	{"not seen by the token", "installation.repository", func(f *Facts) {
		f.AppID, f.Repository = 0, Unanswered[promotion.Repository](promotion.ErrNotFound)
	}, Problem, "not found", "check the name"},
	{"seen by a token", "installation.repository", func(f *Facts) { f.AppID, f.Installation = 0, Unasked[Installation](noApp) }, OK, "the token sees acme/config", ""},
	{"none named", "installation.repository", func(f *Facts) {
		f.Installation, f.Repository = Unasked[Installation](noRepository), Unasked[promotion.Repository](noRepository)
	}, Skipped, "no repository was named", ""},

	{"archived", "repository.state", repository(func(r *promotion.Repository) { r.Archived = true }), Problem, "archived", "unarchive"},
	{"disabled", "repository.state", repository(func(r *promotion.Repository) { r.Disabled = true }), Problem, "disabled", "page"},
	{"empty", "repository.state", repository(func(r *promotion.Repository) { r.Empty = true }), Warning, "no commit", "push"},

	{"git gave no answer", "repository.files", func(f *Facts) { f.Tree = Unanswered[Tree](errors.New("connection refused")) }, Problem, "connection refused", "run this again"},

	{"a person", "floor", repository(func(r *promotion.Repository) { r.OwnerIsOrg = false }), OK, "a person", ""},
	{"the repository itself", "floor", repository(func(r *promotion.Repository) { r.Name = ".github" }), OK, "this is", ""},
	{"none", "floor", floor(policy.FloorNone), Warning, "acme/.github", "installation"},
	{"unreadable", "floor", floor(policy.FloorUnknown), Problem, "cannot be read", "nothing is merged until then"},
	{"with a mistake", "floor", func(f *Facts) {
		t := f.Tree.value
		t.Book = rulebook.Read(nil, rulebook.Files{".pinnace/policies/a.yaml": []byte("kind: Freeze\n")}, policy.FloorRead, nil)
		f.Tree = Seen(t)
	}, Problem, "mistakes", "checkout"},

	{"a mistake", "config.valid", written("environments:", "enviroments:"), Problem, ".pinnace/config.yaml:3:1", "pinnace config validate"},
	{"no .pinnace", "config.valid", func(f *Facts) { f.Tree = Seen(tree(nil)) }, Warning, "there is no .pinnace/", "config init"},
	{"no environment", "config.valid", func(f *Facts) {
		f.Tree = Seen(tree(map[string]string{".pinnace/config.yaml": "apiVersion: pinnace.dev/v1alpha1\nkind: Config\n"}))
	}, Warning, "without an environment", "config init"},
	{"git gave no answer", "config.valid", func(f *Facts) { f.Tree = Unanswered[Tree](errors.New("connection refused")) }, Skipped, "could not be read", ""},

	{"not named", "config.app", written("github: {appID: 41}\n", ""), Warning, "not set", "appID: 41"},
	{"another App", "config.app", written("appID: 41", "appID: 99"), Problem, "is 99, and this is App 41", "run Pinnace as App 99"},
	{"no App was named", "config.app", func(f *Facts) { f.AppID = 0 }, Skipped, "names 41", ""},
	{"observe", "config.mode", written("kind: Config", "kind: Config\nmode: observe"), Warning, "observe", "mode: act"},

	{"a mistake", "policies.valid", policies(strings.Replace(onePolicy, "approverCount", "aproverCount", 1)), Problem, ".pinnace/policies/prod.yaml:4:1", "pinnace policy validate"},
	{"a warning", "policies.valid", policies(strings.Replace(onePolicy, "approverCount: 2", "passCondition: 'containerImageTag > \"v1\"'", 1)), Warning, "warning", "policy validate"},
	{"none", "policies.valid", func(f *Facts) { f.Tree = Seen(tree(map[string]string{".pinnace/config.yaml": wellConfigured})) }, OK, "none", ""},

	{"a button", "deploy.button", written("deploy: command", "deploy: button"), Warning, "prod: deploy is button, and policy two-people", "deploy: command"},

	{"hidden", "people.teams", func(f *Facts) { f.Teams = Seen([]Team{{Name: "acme/release"}}) }, Problem, "acme/release", "Members: read"},
	{"none", "people.teams", func(f *Facts) { f.Teams = Seen[[]Team](nil) }, OK, "names one", ""},

	{"nobody", "people.admins", admins(0), Problem, "nobody", "roles.admin"},
	{"one", "people.admins", admins(1), Warning, "one person", "second person"},
	{"too few", "people.admins", after(admins(2), written("github:", "guard: {approverCount: 2}\ngithub:")), Problem, "2 admins besides its author, and there are 2", "guard.approverCount"},
	{"one, who may pass alone", "people.admins", after(admins(1), written("github:", "guard: {approverCount: 1, allowAuthor: true}\ngithub:")), OK, "1 admin", ""},
	{"named ones", "people.admins", written("github:", "roles: {admin: {users: [ada, bob, cyd]}}\ngithub:"), OK, "3 admins", ""},
	{"a team", "people.admins", written("github:", "roles: {admin: {teams: [acme/admins]}}\ngithub:"), Skipped, "teams", ""},
	{"everybody", "people.admins", written("github:", "roles: {admin: {permission: write}}\ngithub:"), Skipped, "everybody with write", ""},

	{"no file", "people.owners", func(f *Facts) { f.Owners = Seen(OwnersFile{}) }, Warning, "no CODEOWNERS", "/.pinnace/ @ORG/TEAM"},
	{"a part", "people.owners", owned("/.pinnace/* @acme/admins\n"), Warning, ".pinnace/policies/any.yaml", "CODEOWNERS"},
	{"taken back", "people.owners", owned("* @acme/all\n.pinnace\n"), Warning, ".pinnace/config.yaml", ""},
	{"required", "people.owners", rules(func(r *promotion.Rules) { r.CodeOwners = true }), OK, "must approve", ""},

	{"classic protection", "rules.readable", rules(func(r *promotion.Rules) { r.ProtectionUnknown = true }), Warning, "classic", "Administration: read"},

	{"not required", "rules.required", rules(func(r *promotion.Rules) { r.Checks = nil }), Problem, "no rule requires pinnace/promotion", "Require status checks"},
	{"maybe by classic protection", "rules.required", rules(func(r *promotion.Rules) { r.Checks, r.ProtectionUnknown = nil, true }), Skipped, "cannot be read", ""},
	{"the name of several bases", "rules.required", func(f *Facts) {
		t := f.Tree.value
		t.Check = func(base string) string { return "pinnace/promotion (" + base + ")" }
		f.Tree = Seen(t)
	}, Problem, "pinnace/promotion (main)", ""},
	{"the second base", "rules.required", func(f *Facts) {
		f.Bases = Seen(append(slices.Clone(f.Bases.value), Base{Branch: "release"}))
	}, Problem, "release: no rule requires", ""},

	{"from anybody", "rules.pinned", rules(func(r *promotion.Rules) { r.Checks[0].App = 0 }), Problem, "anybody who may write", "source"},
	{"from another App", "rules.pinned", rules(func(r *promotion.Rules) { r.Checks[0].App = 15368 }), Problem, "App 15368, and this is App 41", "no other can make it green"},
	{"twice, once right", "rules.pinned", rules(func(r *promotion.Rules) {
		r.Checks = append(r.Checks, promotion.RequiredCheck{Context: "pinnace/promotion"})
	}), OK, "App 41", ""},
	{"not required", "rules.pinned", rules(func(r *promotion.Rules) { r.Checks = nil }), Skipped, "not required", ""},

	{"a direct push", "rules.pull-request", rules(func(r *promotion.Rules) { *r = promotion.Rules{} }), Problem, "push directly", "pull request before merging"},
	{"stopped by the check", "rules.pull-request", rules(func(r *promotion.Rules) { r.PullRequest, r.MergeQueue = false, false }), Warning, "without a green check is refused", ""},

	{"force pushes", "rules.history", rules(func(r *promotion.Rules) { r.NoForcePush = false }), Warning, "overwritten", "Block force pushes"},
	{"deletion", "rules.history", rules(func(r *promotion.Rules) { r.NoDeletion = false }), Warning, "deleted", "Restrict deletions"},

	{"somebody may", "rules.bypass", bypass(Ruleset{Name: "main", Shown: true, Bypass: []string{"everybody with admin"}}), Warning, "main: everybody with admin", "bypass list"},
	{"hidden", "rules.bypass", bypass(Ruleset{Name: "main"}), Skipped, "an admin's GH_TOKEN", ""},
	{"no rules", "rules.bypass", bypass(), Skipped, "no rule binds main", ""},

	{"more than the policy", "rules.reviews", rules(func(r *promotion.Rules) { r.Approvals = 1 }), Problem, "waits: dev", "ask for none"},
	{"more, and people merge", "rules.reviews", after(written("deploy: auto", "deploy: button"), rules(func(r *promotion.Rules) { r.Approvals = 1 })), Warning, "policies for 0 to 2", ""},
	{"no more than the policy", "rules.reviews", after(func(f *Facts) {
		f.Tree = Seen(tree(map[string]string{".pinnace/config.yaml": wellConfigured, ".pinnace/policies/a.yaml": strings.Replace(onePolicy, "env: prod", `env: "*"`, 1)}))
	}, rules(func(r *promotion.Rules) { r.Approvals = 1 })), OK, "policies for 2", ""},

	{"dismissed", "rules.stale", rules(func(r *promotion.Rules) { r.DismissStale, r.Approvals = true, 1 }), Warning, "must review again", "Dismiss stale"},
	{"dismissed, none needed", "rules.stale", rules(func(r *promotion.Rules) { r.DismissStale = true }), OK, "asks for none", ""},

	{"owners of manifests", "rules.code-owners", after(owned("* @acme/all\n"), rules(func(r *promotion.Rules) { r.CodeOwners = true })), Problem, "waits: dev", "no owner"},
	{"owners of manifests, people merge", "rules.code-owners", after(written("deploy: auto", "deploy: button"), owned("* @acme/all\n"), rules(func(r *promotion.Rules) { r.CodeOwners = true })), Warning, "besides those", ""},
	{"owners of the rules alone", "rules.code-owners", rules(func(r *promotion.Rules) { r.CodeOwners = true }), OK, "no file with an image has an owner", ""},

	{"asked for", "rules.last-push", rules(func(r *promotion.Rules) { r.LastPushApproval = true }), Warning, "pins included", "most recent reviewable push"},
	{"asked for", "rules.conversations", rules(func(r *promotion.Rules) { r.ThreadsResolved = true }), Warning, "open conversation", "conversation resolution"},

	{"rebased", "rules.signatures", after(written("github:", "merge: {method: rebase}\ngithub:"), rules(func(r *promotion.Rules) { r.SignedCommits = true })), Problem, "signs no commit that it rebases", "squash"},
	{"squashed", "rules.signatures", rules(func(r *promotion.Rules) { r.SignedCommits = true }), OK, "signs Pinnace's", ""},

	{"not allowed by the repository", "rules.method", after(noQueue, repository(func(r *promotion.Repository) { r.MergeMethods = []string{"merge"} })), Problem, "squash, and allowed is merge", "method: merge"},
	{"not allowed by a rule", "rules.method", after(noQueue, rules(func(r *promotion.Rules) { r.MergeMethods = []string{"rebase"} })), Problem, "allowed is rebase", "method: rebase"},
	{"a linear history", "rules.method", after(noQueue, written("github:", "merge: {method: merge}\ngithub:"), rules(func(r *promotion.Rules) { r.LinearHistory = true })), Problem, "linear", "squash"},
	{"fast-forward", "rules.method", after(noQueue, written("github:", "merge: {method: fast-forward}\ngithub:")), Problem, "the push is refused", "bypass"},
	{"squash", "rules.method", noQueue, OK, "squash", ""},

	{"up to date", "rules.up-to-date", after(noQueue, rules(func(r *promotion.Rules) { r.UpToDate = true })), Warning, "wait for their turn", "merge queue"},
	{"neither", "rules.up-to-date", noQueue, OK, "neither", ""},

	{"no permission", "rules.queue", without("merge_queues"), Problem, "may not enqueue", "Merge queues: write"},
	{"no event", "rules.queue", func(f *Facts) { f.App = Seen(App{ID: app, Events: []string{"push"}}) }, Problem, "merge_group", "Merge group"},
	{"not waited for", "rules.queue", rules(func(r *promotion.Rules) { r.Checks = nil }), Warning, "does not wait", "require"},
	{"none", "rules.queue", noQueue, Skipped, "no merge queue", ""},

	{"restricted", "rules.update", rules(func(r *promotion.Rules) { r.NoUpdate = true }), Problem, "not seen to be excepted", "bypass list"},
	{"restricted, and excepted", "rules.update", after(bypass(Ruleset{Name: "main", Ours: true}), rules(func(r *promotion.Rules) { r.NoUpdate = true })), OK, "may bypass", ""},
	{"restricted, and people merge", "rules.update", after(written("deploy: auto", "deploy: button", "deploy: command", "deploy: button"), rules(func(r *promotion.Rules) { r.NoUpdate = true })), OK, "people merge", ""},

	{"no creation", "rules.branches", func(f *Facts) { f.NewBranch = Seen(promotion.Rules{NoCreation: true}) }, Problem, "creation", "pinnace/**"},
	{"no update", "rules.branches", func(f *Facts) { f.NewBranch = Seen(promotion.Rules{NoUpdate: true}) }, Problem, "updates", ""},
	{"pull requests", "rules.branches", func(f *Facts) { f.NewBranch = Seen(promotion.Rules{PullRequest: true}) }, Problem, "pull requests", ""},
	{"no deletion", "rules.branches", func(f *Facts) { f.NewBranch = Seen(promotion.Rules{NoDeletion: true}) }, Warning, "deleted", ""},

	{"nothing", "rules.enforced", rules(func(r *promotion.Rules) { *r = promotion.Rules{} }), Warning, "only detected: no direct push", "above"},
	{"a button", "rules.enforced", written("deploy: command", "deploy: button"), Warning, "only detected: who deploys to prod (deploy is button)", ""},
	{"an exception", "rules.enforced", bypass(Ruleset{Name: "main", Shown: true, Bypass: []string{"user 7"}}), Warning, "only detected: nobody is excepted", ""},
	{"what nobody shows", "rules.enforced", bypass(Ruleset{Name: "main"}), OK, "unknown: who is excepted", ""},
	{"all of it", "rules.enforced", func(*Facts) {}, OK, "enforced: who deploys to prod", ""},

	{"a tag", "images.pinned", func(f *Facts) {
		t := f.Tree.value
		t.Standing = append(slices.Clone(t.Standing), plan.Standing{Image: image.Ref{Name: "nginx", Tag: "1"}, Path: "a.yaml"})
		f.Tree = Seen(t)
	}, Warning, "nginx:1 in a.yaml", "pinnace pin"},
	{"no answer", "registries", func(f *Facts) { f.Registries = Seen([]Place{{Name: "ghcr.io", Err: errors.New("dial: no route")}}) }, Problem, "ghcr.io: dial: no route", "reaches it"},
	{"a login", "registries", func(f *Facts) {
		f.Registries = Seen([]Place{{Name: "ghcr.io", Err: errors.New("denied"), Auth: true}})
	}, Problem, "denied", "docker login"},
	{"offline", "registries", func(f *Facts) { f.Registries = Unasked[[]Place]("--offline") }, Skipped, "--offline", ""},
	{"read-only", "cache", func(f *Facts) { f.Cache = Unanswered[string](errors.New("/cache: permission denied")) }, Problem, "permission denied", "--cache"},
	{"off", "cache", func(f *Facts) { f.Cache = Unasked[string]("the cache is off") }, Skipped, "off", ""},
	{"down", "database", func(f *Facts) { f.Database = Unanswered[string](errors.New("connection refused")) }, Problem, "refused", "create tables"},
	{"not ready", "server", func(f *Facts) { f.Server = Unanswered[string](errors.New("/readyz answers 503: database")) }, Problem, "503", "readyz"},
}

func without(permission string) func(*Facts) { return grant(permission, "") }

func grant(permission, level string) func(*Facts) {
	return func(f *Facts) {
		i := f.Installation.value
		has := map[string]string{}
		for name, l := range i.Permissions {
			has[name] = l
		}
		if has[permission] = level; level == "" {
			delete(has, permission)
		}
		i.Permissions = has
		f.Installation = Seen(i)
	}
}

func limit(left int) func(*Facts) {
	return func(f *Facts) { f.Limits = Seen([]Limit{{Name: "REST", Limit: 5000, Remaining: left, Reset: now}}) }
}

func address(url string) func(*Facts) { return func(f *Facts) { f.Hook = Seen(Hook{URL: url}) } }

func repository(change func(*promotion.Repository)) func(*Facts) {
	return func(f *Facts) {
		r := f.Repository.value
		change(&r)
		f.Repository = Seen(r)
	}
}

func floor(state policy.FloorState) func(*Facts) {
	return func(f *Facts) {
		book := *f.Tree.value.Book
		book.Floor = state
		t := f.Tree.value
		t.Book = &book
		f.Tree = Seen(t)
	}
}

func policies(text string) func(*Facts) {
	return func(f *Facts) {
		f.Tree = Seen(tree(map[string]string{".pinnace/config.yaml": wellConfigured, ".pinnace/policies/prod.yaml": text}))
	}
}

func admins(n int) func(*Facts) {
	return func(f *Facts) { f.Admins = Seen(make([]promotion.Identity, n)) }
}

func owned(text string) func(*Facts) {
	return func(f *Facts) { f.Owners = Seen(OwnersFile{Path: "CODEOWNERS", Text: text}) }
}

func noQueue(f *Facts) { rules(func(r *promotion.Rules) { r.MergeQueue = false })(f) }

func TestChecks(t *testing.T) {
	byID := map[string]Check{}
	for _, c := range Checks() {
		byID[c.ID] = c
	}
	for _, row := range rows {
		t.Run(row.check+"/"+row.name, func(t *testing.T) {
			f := healthy()
			row.change(f)
			got := byID[row.check].judge(f)
			if got.Status != row.want {
				t.Fatalf("got %s: %s %q, want %s", got.Status, got.Seen, got.Details, row.want)
			}
			if all := got.Seen + "\n" + strings.Join(got.Details, "\n"); !strings.Contains(all, row.seen) {
				t.Errorf("got %q, want it to hold %q", all, row.seen)
			}
			if !strings.Contains(got.Fix, row.fix) {
				t.Errorf("the fix is %q, want it to hold %q", got.Fix, row.fix)
			}
		})
	}
}

// TestHealthy: nothing is wrong with facts that nothing is wrong with, so that each check has
// been seen to be ok.
func TestHealthy(t *testing.T) {
	r := Examine(healthy())
	for _, c := range r.Results {
		if c.Status != OK {
			t.Errorf("%s: got %s: %s %q", c.ID, c.Status, c.Seen, c.Details)
		}
	}
	if r.Counts.OK != len(Checks()) || r.Repository != "acme/config" || r.App != app || r.Refused {
		t.Errorf("got %+v", r)
	}
}

// TestEveryCheck: each has a row in which it is not ok, an id of its own, and words.
func TestEveryCheck(t *testing.T) {
	if n := len(Checks()); n < 20 {
		t.Errorf("got %d checks, want 20 or more", n)
	}
	seen := map[string]bool{}
	for _, c := range Checks() {
		if seen[c.ID] || c.ID == "" || c.Title == "" || !strings.HasSuffix(c.About, ".") || strings.Contains(c.About, "\n") {
			t.Errorf("check %q: its id, title or description is missing or used twice", c.ID)
		}
		seen[c.ID] = true
		if !slices.ContainsFunc(rows, func(r row) bool { return r.check == c.ID && (r.want == Problem || r.want == Warning) }) {
			t.Errorf("no row in which %s is not ok", c.ID)
		}
	}
	for _, r := range rows {
		if !seen[r.check] {
			t.Errorf("row %q is about no check", r.check+"/"+r.name)
		}
	}
}

// TestWords: what is not ok has one line of fix, what is ok or skipped has none, and every
// finding says what was seen.
func TestWords(t *testing.T) {
	worlds := []*Facts{{}, healthy()}
	for _, row := range rows {
		f := healthy()
		row.change(f)
		worlds = append(worlds, f)
	}
	for i, f := range worlds {
		for _, c := range Examine(f).Results {
			bad := c.Status == Warning || c.Status == Problem
			if c.Seen == "" || strings.Contains(c.Seen, "\n") || bad != (c.Fix != "") || strings.Contains(c.Fix, "\n") || len(c.Details) > 12 {
				t.Errorf("world %d, %s: got %s, %q, %q, %q", i, c.ID, c.Status, c.Seen, c.Details, c.Fix)
			}
		}
	}
}

// TestNothingAsked: facts that nobody gathered are no reason to call anything wrong, or ok.
func TestNothingAsked(t *testing.T) {
	r := Examine(&Facts{})
	if r.Counts.Skipped != len(Checks()) {
		t.Errorf("got %+v, want all of %d skipped", r.Counts, len(Checks()))
	}
}

// TestRefused: an exit status of its own for a key or token that GitHub does not take.
func TestRefused(t *testing.T) {
	f := healthy()
	f.App = Unanswered[App](fmt.Errorf("ask: %w", promotion.ErrUnauthenticated))
	if !Examine(f).Refused {
		t.Error("a key that was refused is not told")
	}
}
