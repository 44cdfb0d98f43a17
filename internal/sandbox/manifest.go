package sandbox

import (
	"slices"
	"strings"
)

// needs are the permissions without which GitHub refuses a manifest's events, any of them
// (https://docs.github.com/en/webhooks/webhook-events-and-payloads).
var needs = map[string][]string{
	"push": {"contents"}, "pull_request": {"pull_requests"}, "pull_request_review": {"pull_requests"}, "issue_comment": {"issues"}, "issues": {"issues"},
	"check_run": {"checks"}, "check_suite": {"checks"}, "status": {"statuses"}, "deployment_status": {"deployments"}, "merge_group": {"merge_queues"},
	"repository": {"metadata"}, "membership": {"members"}, "team": {"members"}, "member": {"members"}, "organization": {"members"},
	"registry_package": {"packages"}, "workflow_run": {"actions"},
}

// faultOfManifest is what GitHub says of a manifest that it refuses as a whole; "" where it
// takes it. Events that Apps hear of anyway, or cannot hear of, are none that it takes.
func faultOfManifest(events []string, permissions map[string]string, hook string) string {
	var without []string
	for _, e := range events {
		if !slices.ContainsFunc(needs[e], func(p string) bool { return p == "metadata" || reaches(permissions[p], "read") }) {
			without = append(without, e)
		}
	}
	switch {
	case without != nil:
		return "Default events are not supported by permissions: " + strings.Join(without, ", ")
	case len(events) > 0 && hook == "":
		return "Hook url cannot be blank"
	}
	return ""
}
