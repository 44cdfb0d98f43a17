package setup

import "slices"

// A Permission is one that the App asks for, with the reason that a person reads.
type Permission struct {
	Name   string // as GitHub's API has it, such as pull_requests
	Title  string // as GitHub's pages have it
	Level  string // read or write
	Reason string // what it is used for
	Loss   string // what does not work without it
	Needed bool   // Pinnace does not run without it
	Extra  bool   // it is asked for where a person says so only
}

// permissions are those of the verbs and of the server; package cli narrows every token to
// them.
var permissions = []Permission{
	{Name: "metadata", Title: "Metadata", Level: "read", Needed: true, Reason: "GitHub asks every App for it: names of repositories and branches, branch rules, who may do what.", Loss: "nothing can be read"},
	{Name: "contents", Title: "Contents", Level: "write", Needed: true, Reason: "To read manifests and .pinnace/, and to write branches of its own and merge what was approved.", Loss: "no branch can be pushed and nothing merged"},
	{Name: "pull_requests", Title: "Pull requests", Level: "write", Needed: true, Reason: "To open pull requests, and to read their reviews, which are the approvals.", Loss: "no pull request can be opened"},
	{Name: "checks", Title: "Checks", Level: "write", Needed: true, Reason: "To write the checks pinnace/promotion, pinnace/pins and pinnace/config, and to read checks that are gates.", Loss: "no verdict can be written, so nothing is judged or merged"},
	{Name: "issues", Title: "Issues", Level: "write", Reason: "To answer commands in comments, and to open an issue when a rule was broken.", Loss: "requests have no issue to be asked in, incidents are not reported, and commands in comments are heard late"},
	{Name: "members", Title: "Members (organisation)", Level: "read", Reason: "To see who is in a team that a role or a policy names.", Loss: "a rule that names a team cannot be judged, and what it governs is not merged"},
	{Name: "deployments", Title: "Deployments", Level: "read", Reason: "To read gates that Argo CD, Flux or a workflow writes as deployments.", Loss: "a gate that is a deployment never opens"},
	{Name: "statuses", Title: "Commit statuses", Level: "read", Reason: "To read gates that are commit statuses.", Loss: "a gate that is a commit status never opens"},
	{Name: "merge_queues", Title: "Merge queues", Level: "write", Reason: "To merge through a merge queue, and to judge its groups.", Loss: "a branch with a merge queue merges nothing of Pinnace's"},
	{Name: "workflows", Title: "Workflows", Level: "write", Reason: "To pin images in .github/workflows; GitHub refuses a push that touches them without it.", Loss: "images in .github/workflows are not pinned"},
	{Name: "packages", Title: "Packages", Level: "read", Reason: "To hear of images that are pushed to ghcr.io.", Loss: "pushes to ghcr.io are found by polling, minutes later"},
	{Name: "actions", Title: "Actions", Level: "read", Reason: "To hear of workflow runs that end: they may be gates, or have built an image.", Loss: "what a run decided or built is found minutes later"},
	{Name: "administration", Title: "Administration", Level: "read", Extra: true, Reason: "To let pinnace doctor read classic branch protection.", Loss: "rules of classic branch protection are unknown"},
}

// Permissions returns every permission that the App may ask for, in the order of their weight.
func Permissions() []Permission { return slices.Clone(permissions) }

// An Event is one that the App subscribes to.
type Event struct {
	Name   string
	Needs  string // the permission without which GitHub does not offer it
	Reason string
}

// GitHub refuses a manifest with an event that Apps cannot subscribe to: package is not for
// them, and of installation and installation_repositories they hear without asking
// (https://docs.github.com/en/webhooks/webhook-events-and-payloads).
var events = []Event{
	{"push", "contents", "a branch moved"},
	{"pull_request", "pull_requests", "a pull request was opened, changed or merged"},
	{"pull_request_review", "pull_requests", "somebody approved, or took it back"},
	{"issue_comment", "issues", "somebody gave a command"},
	{"issues", "issues", "a request or an incident was opened or closed"},
	{"check_run", "checks", "a gate's verdict, a re-run, or a button"},
	{"status", "statuses", "a gate's verdict"},
	{"deployment_status", "deployments", "a gate's verdict"},
	{"merge_group", "merge_queues", "the merge queue wants a verdict"},
	{"repository", "metadata", "a repository was renamed, archived or deleted"},
	{"membership", "members", "somebody joined or left a team"},
	{"team", "members", "a team got or lost a permission"},
	{"member", "members", "somebody's permission changed"},
	{"organization", "members", "somebody joined or left the organisation"},
	{"registry_package", "packages", "an image was pushed to ghcr.io"},
	{"workflow_run", "actions", "a workflow ended"},
}

// Events returns the events that an App with these permissions subscribes to.
func Events(granted []Permission) []Event {
	return slices.DeleteFunc(slices.Clone(events), func(e Event) bool {
		return !slices.ContainsFunc(granted, func(p Permission) bool { return p.Name == e.Needs })
	})
}
