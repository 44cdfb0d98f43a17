package sandbox

import (
	"strings"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

const (
	anyone = promotion.PermissionRead
	triage = promotion.PermissionTriage
	writer = promotion.PermissionWrite
	admin  = promotion.PermissionAdmin
)

// routes is the REST API as far as the sandbox has it; the templates are those of GitHub's
// description, and the permissions those of
// https://docs.github.com/en/rest/authentication/permissions-required-for-github-apps.
func routes() []route {
	var list []route
	repo := func(method, tail, needs string, role promotion.Permission, do func(*call) (any, error)) {
		list = append(list, route{method: method, template: "/repos/{owner}/{repo}" + tail, needs: needs, role: role, do: do})
	}
	other := func(method, template string, d door, do func(*call) (any, error)) {
		list = append(list, route{method: method, template: template, door: d, do: do})
	}
	const (
		thread      = "issues:write|pull_requests:write"
		threadRead  = "issues:read|pull_requests:read"
		contents    = "contents:write"
		contentRead = "contents:read"
		pulls       = "pull_requests:write"
		pullsRead   = "pull_requests:read"
	)
	repo("GET", "", "metadata:read", anyone, repoGet)
	repo("GET", "/branches", contentRead, anyone, branchList)
	repo("GET", "/branches/{branch}", contentRead, anyone, branchGet)
	repo("GET", "/branches/{branch}/protection", "administration:read", admin, protectionGet)
	repo("GET", "/rules/branches/{branch}", "metadata:read", anyone, rulesGet)
	repo("GET", "/rulesets/{ruleset_id}", "metadata:read", anyone, rulesetGet)
	repo("GET", "/collaborators", "metadata:read", anyone, collaboratorList)
	repo("GET", "/collaborators/{username}/permission", "metadata:read", anyone, permissionGet)

	repo("GET", "/git/ref/{ref}", contentRead, anyone, refGet)
	repo("GET", "/git/matching-refs/{ref}", contentRead, anyone, refMatching)
	repo("POST", "/git/refs", contents, writer, refCreate)
	repo("PATCH", "/git/refs/{ref}", contents, writer, refUpdate)
	repo("DELETE", "/git/refs/{ref}", contents, writer, refDelete)
	repo("POST", "/git/blobs", contents, writer, blobCreate)
	repo("GET", "/git/blobs/{file_sha}", contentRead, anyone, blobGet)
	repo("POST", "/git/trees", contents, writer, treeCreate)
	repo("GET", "/git/trees/{tree_sha}", contentRead, anyone, treeGet)
	repo("POST", "/git/commits", contents, writer, commitCreate)
	repo("GET", "/git/commits/{commit_sha}", contentRead, anyone, gitCommitGet)
	repo("GET", "/contents/{path}", contentRead, anyone, contentsGet)
	repo("GET", "/commits", contentRead, anyone, commitList)
	repo("GET", "/commits/{ref}", contentRead, anyone, commitGet)
	repo("GET", "/commits/{commit_sha}/pulls", "pull_requests:read|contents:read", anyone, commitPulls)
	repo("GET", "/compare/{basehead}", contentRead, anyone, compare)

	repo("GET", "/pulls", pullsRead, anyone, pullList)
	repo("POST", "/pulls", pulls, anyone, pullCreate)
	repo("GET", "/pulls/{pull_number}", pullsRead, anyone, pullGet)
	repo("PATCH", "/pulls/{pull_number}", pulls, anyone, pullUpdate)
	repo("GET", "/pulls/{pull_number}/commits", pullsRead, anyone, pullCommits)
	repo("GET", "/pulls/{pull_number}/files", pullsRead, anyone, pullFiles)
	repo("GET", "/pulls/{pull_number}/merge", pullsRead, anyone, pullMerged)
	repo("PUT", "/pulls/{pull_number}/merge", contents, writer, pullMerge)
	repo("PUT", "/pulls/{pull_number}/update-branch", pulls, writer, pullUpdateBranch)
	repo("GET", "/pulls/{pull_number}/requested_reviewers", pullsRead, anyone, reviewersGet)
	repo("POST", "/pulls/{pull_number}/requested_reviewers", pulls, triage, reviewersAdd)
	repo("DELETE", "/pulls/{pull_number}/requested_reviewers", pulls, triage, reviewersRemove)
	repo("GET", "/pulls/{pull_number}/comments", pullsRead, anyone, lineComments)
	repo("GET", "/pulls/{pull_number}/reviews", pullsRead, anyone, reviewList)
	repo("POST", "/pulls/{pull_number}/reviews", pulls, anyone, reviewCreate)
	repo("GET", "/pulls/{pull_number}/reviews/{review_id}", pullsRead, anyone, reviewGet)
	repo("POST", "/pulls/{pull_number}/reviews/{review_id}/events", pulls, anyone, reviewSubmit)
	repo("PUT", "/pulls/{pull_number}/reviews/{review_id}/dismissals", pulls, writer, reviewDismiss)

	repo("GET", "/issues", "issues:read", anyone, issueList)
	repo("POST", "/issues", "issues:write", anyone, issueCreate)
	repo("GET", "/issues/{issue_number}", threadRead, anyone, issueGet)
	repo("PATCH", "/issues/{issue_number}", thread, anyone, issueUpdate)
	repo("GET", "/issues/{issue_number}/comments", threadRead, anyone, commentList)
	repo("POST", "/issues/{issue_number}/comments", thread, anyone, commentCreate)
	repo("GET", "/issues/comments", threadRead, anyone, commentsOfRepo)
	repo("GET", "/issues/comments/{comment_id}", threadRead, anyone, commentGet)
	repo("PATCH", "/issues/comments/{comment_id}", thread, anyone, commentUpdate)
	repo("DELETE", "/issues/comments/{comment_id}", thread, anyone, commentDelete)
	repo("GET", "/issues/{issue_number}/labels", threadRead, anyone, threadLabels)
	repo("POST", "/issues/{issue_number}/labels", thread, triage, threadLabelsAdd)
	repo("PUT", "/issues/{issue_number}/labels", thread, triage, threadLabelsSet)
	repo("DELETE", "/issues/{issue_number}/labels/{name}", thread, triage, threadLabelRemove)
	repo("GET", "/issues/{issue_number}/timeline", threadRead, anyone, timeline)
	repo("GET", "/labels", threadRead, anyone, labelList)
	repo("POST", "/labels", thread, writer, labelCreate)
	repo("GET", "/labels/{name}", threadRead, anyone, labelGet)
	repo("PATCH", "/labels/{name}", thread, writer, labelUpdate)
	repo("DELETE", "/labels/{name}", thread, writer, labelDelete)

	repo("POST", "/check-runs", "checks:write", anyone, checkCreate)
	repo("GET", "/check-runs/{check_run_id}", "checks:read", anyone, checkGet)
	repo("PATCH", "/check-runs/{check_run_id}", "checks:write", anyone, checkUpdate)
	repo("GET", "/check-runs/{check_run_id}/annotations", "checks:read", anyone, checkAnnotations)
	repo("POST", "/check-runs/{check_run_id}/rerequest", "checks:write", writer, checkRerequest)
	repo("GET", "/check-suites/{check_suite_id}", "checks:read", anyone, suiteGet)
	repo("GET", "/check-suites/{check_suite_id}/check-runs", "checks:read", anyone, suiteChecks)
	repo("GET", "/commits/{ref}/check-runs", "checks:read", anyone, checkList)
	repo("GET", "/commits/{ref}/check-suites", "checks:read", anyone, suiteList)
	repo("GET", "/commits/{ref}/status", "statuses:read", anyone, statusCombined)
	repo("GET", "/commits/{ref}/statuses", "statuses:read", anyone, statusList)
	repo("POST", "/statuses/{sha}", "statuses:write", writer, statusCreate)
	repo("POST", "/dispatches", contents, writer, dispatch)
	repo("GET", "/deployments", "deployments:read", anyone, deploymentList)
	repo("POST", "/deployments", "deployments:write", writer, deploymentCreate)
	repo("GET", "/deployments/{deployment_id}", "deployments:read", anyone, deploymentGet)
	repo("GET", "/deployments/{deployment_id}/statuses", "deployments:read", anyone, deploymentStates)
	repo("POST", "/deployments/{deployment_id}/statuses", "deployments:write", writer, deploymentStateCreate)

	other("GET", "/repos/{owner}/{repo}/installation", byApp, installationOfRepo)
	other("GET", "/orgs/{org}", byAnybody, orgGet)
	other("GET", "/orgs/{org}/installation", byApp, installationOfOwner)
	other("GET", "/users/{username}/installation", byApp, installationOfOwner)
	other("GET", "/orgs/{org}/teams/{team_slug}", byToken, teamGet)
	other("GET", "/orgs/{org}/teams/{team_slug}/memberships/{username}", byToken, teamMembership)
	other("GET", "/orgs/{org}/teams/{team_slug}/members", byToken, teamMembers)
	other("GET", "/users/{username}", byAnybody, userGet)
	other("GET", "/user/{account_id}", byAnybody, userGetByID)
	other("GET", "/user", byToken, userSelf)
	other("GET", "/app", byApp, appGet)
	other("GET", "/apps/{app_slug}", byAnybody, appBySlug)
	other("GET", "/app/installations", byApp, installationList)
	other("GET", "/app/installations/{installation_id}", byApp, installationGet)
	other("POST", "/app/installations/{installation_id}/access_tokens", byApp, installationToken)
	other("GET", "/app/hook/config", byApp, hookGet)
	other("PATCH", "/app/hook/config", byApp, hookUpdate)
	other("GET", "/app/hook/deliveries", byApp, deliveryList)
	other("GET", "/app/hook/deliveries/{delivery_id}", byApp, deliveryGet)
	other("POST", "/app/hook/deliveries/{delivery_id}/attempts", byApp, deliveryAgain)
	other("POST", "/app-manifests/{code}/conversions", byAnybody, manifestConvert)
	other("GET", "/installation/repositories", byInstallation, installationRepos)
	other("DELETE", "/installation/token", byInstallation, installationTokenRevoke)
	other("GET", "/rate_limit", byAnybody, rateLimit)
	other("GET", "/meta", byAnybody, meta)
	for i := range list {
		rt := &list[i]
		rt.parts = strings.Split(strings.Trim(rt.template, "/"), "/")
		rt.literals = len(rt.parts) - strings.Count(rt.template, "{")
	}
	return list
}
