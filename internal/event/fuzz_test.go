package event

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"testing"
)

func FuzzPush(f *testing.F)                          { fuzz(f, "push") }
func FuzzCreate(f *testing.F)                        { fuzz(f, "create") }
func FuzzDelete(f *testing.F)                        { fuzz(f, "delete") }
func FuzzPublic(f *testing.F)                        { fuzz(f, "public") }
func FuzzStatus(f *testing.F)                        { fuzz(f, "status") }
func FuzzDeploymentStatus(f *testing.F)              { fuzz(f, "deployment_status") }
func FuzzRepositoryDispatch(f *testing.F)            { fuzz(f, "repository_dispatch") }
func FuzzMember(f *testing.F)                        { fuzz(f, "member") }
func FuzzTeamAdd(f *testing.F)                       { fuzz(f, "team_add") }
func FuzzIssues(f *testing.F)                        { fuzz(f, "issues") }
func FuzzBranchProtectionConfiguration(f *testing.F) { fuzz(f, "branch_protection_configuration") }
func FuzzBranchProtectionRule(f *testing.F)          { fuzz(f, "branch_protection_rule") }
func FuzzRepositoryRuleset(f *testing.F)             { fuzz(f, "repository_ruleset") }
func FuzzTeam(f *testing.F)                          { fuzz(f, "team") }
func FuzzMembership(f *testing.F)                    { fuzz(f, "membership") }
func FuzzInstallationTarget(f *testing.F)            { fuzz(f, "installation_target") }
func FuzzOrganization(f *testing.F)                  { fuzz(f, "organization") }
func FuzzInstallation(f *testing.F)                  { fuzz(f, "installation") }
func FuzzInstallationRepositories(f *testing.F)      { fuzz(f, "installation_repositories") }
func FuzzRepository(f *testing.F)                    { fuzz(f, "repository") }
func FuzzPullRequest(f *testing.F)                   { fuzz(f, "pull_request") }
func FuzzPullRequestReview(f *testing.F)             { fuzz(f, "pull_request_review") }
func FuzzPullRequestReviewComment(f *testing.F)      { fuzz(f, "pull_request_review_comment") }
func FuzzPullRequestReviewThread(f *testing.F)       { fuzz(f, "pull_request_review_thread") }
func FuzzIssueComment(f *testing.F)                  { fuzz(f, "issue_comment") }
func FuzzCheckRun(f *testing.F)                      { fuzz(f, "check_run") }
func FuzzCheckSuite(f *testing.F)                    { fuzz(f, "check_suite") }
func FuzzWorkflowRun(f *testing.F)                   { fuzz(f, "workflow_run") }
func FuzzMergeGroup(f *testing.F)                    { fuzz(f, "merge_group") }
func FuzzPackage(f *testing.F)                       { fuzz(f, "package") }
func FuzzRegistryPackage(f *testing.F)               { fuzz(f, "registry_package") }
func FuzzPing(f *testing.F)                          { fuzz(f, "ping") }
func FuzzGithubAppAuthorization(f *testing.F)        { fuzz(f, "github_app_authorization") }
func FuzzMarketplacePurchase(f *testing.F)           { fuzz(f, "marketplace_purchase") }
func FuzzSecurityAdvisory(f *testing.F)              { fuzz(f, "security_advisory") }

func TestEveryEventIsFuzzed(t *testing.T) {
	src, err := os.ReadFile("fuzz_test.go")
	if err != nil {
		t.Fatal(err)
	}
	fuzzed := map[string]bool{}
	for _, m := range regexp.MustCompile(`fuzz\(f, "([a-z_]+)"\)`).FindAllSubmatch(src, -1) {
		fuzzed[string(m[1])] = true
	}
	for name := range kinds {
		if !fuzzed[name] {
			t.Errorf("%s has no fuzz target", name)
		}
	}
	if len(fuzzed) != len(kinds) {
		t.Errorf("got targets of %d events, want %d", len(fuzzed), len(kinds))
	}
}

// fuzz holds Parse to what holds for every payload: no panic, and no look that leads astray.
func fuzz(f *testing.F, event string) {
	for _, x := range examples(f)[event] {
		f.Add([]byte(x))
		f.Add(installed(f, x))
	}
	f.Add([]byte(`{"action":"completed",` + both + `}`))
	f.Add(fmt.Appendf(nil, `{"action":"completed",%s,"check_run":{"pull_requests":[{"number":3,"base":{"repo":{"id":42}}}]},"pull_request":{"number":3},"issue":{"number":3,"pull_request":{}}}`, both))
	f.Add(fmt.Appendf(nil, `{"action":"published",%s,%q:{"name":"a","package_type":"container","owner":{"login":"A"},"package_version":{"package_url":"ghcr.io/a/a:1"}}}`, both, event))
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		action, looks, err := Parse(event, body)
		if !bytes.Equal(before, body) {
			t.Fatal("the body was changed")
		}
		if err != nil && (action != "" || looks != nil) {
			t.Fatalf("an error, and %q %v", action, looks)
		}
		if word(action) != action {
			t.Fatalf("action %q", action)
		}
		if len(looks) > 2*maxRepositories+1 {
			t.Fatalf("%d looks", len(looks))
		}
		for _, l := range looks {
			if event == "merge_group" {
				l.Pull = 0 // from a name, whose digits may be escaped
			}
			sound(t, body, l)
		}
	})
}

var imageForm = regexp.MustCompile(`^(ghcr\.io|containers\.[a-z0-9.-]+)/[a-z0-9._-]+(/[a-z0-9._-]*)+:[A-Za-z0-9._-]{1,128}$`)

func sound(t *testing.T, body []byte, l Look) {
	t.Helper()
	if l.Installation <= 0 || l.Repository < 0 || l.Pull < 0 {
		t.Fatalf("numbers of %+v", l)
	}
	// What is not in the body came from nowhere.
	for _, n := range []int64{l.Installation, l.Repository, int64(l.Pull)} {
		if n != 0 && !bytes.Contains(body, fmt.Append(nil, n)) {
			t.Fatalf("%d stands nowhere", n)
		}
	}
	if (l.Owner == "") != (l.Name == "") || word(l.Owner) != l.Owner || word(l.Name) != l.Name {
		t.Fatalf("name of %+v", l)
	}
	if l.Repository == 0 && (l.Pull != 0 || l.Owner != "") || l.Everywhere && (l.Repository != 0 || l.Gone) {
		t.Fatalf("parts of %+v do not fit", l)
	}
	if l.Image != "" && !imageForm.MatchString(l.Image) {
		t.Fatalf("image %q", l.Image)
	}
}
