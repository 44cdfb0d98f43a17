package event

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	inst = `"installation":{"id":7,"node_id":"x"}`
	repo = `"repository":{"id":42,"name":"config","full_name":"acme/config","owner":{"login":"acme"}}`
	both = inst + "," + repo
)

var (
	here = Look{Subject: Subject{7, 42}, Owner: "acme", Name: "config"}
	all  = Look{Subject: Subject{7, 0}, Everywhere: true}
	list = Look{Subject: Subject{7, 0}}
)

func at(n int) Look {
	l := here
	l.Pull = n
	return l
}

func gone(l Look) Look {
	l.Gone = true
	return l
}

func pushed(image string) Look {
	l := here
	l.Image = image
	return l
}

func TestParse(t *testing.T) {
	for _, tc := range []struct {
		name, event, body, action string
		want                      []Look
	}{
		{"push", "push", both + `,"ref":"refs/heads/main"`, "", []Look{here}},
		{"branch deleted", "delete", both, "", []Look{here}},
		{"status", "status", both + `,"state":"success"`, "", []Look{here}},
		{"deployment status", "deployment_status", both + `,"action":"created"`, "created", []Look{here}},
		{"dispatch", "repository_dispatch", both + `,"action":"image built"`, "", []Look{here}},
		{"issue", "issues", both + `,"action":"opened","issue":{"number":3}`, "opened", []Look{here}},
		{"pull request", "pull_request", both + `,"action":"opened","number":9,"pull_request":{"number":3}`, "opened", []Look{at(3)}},
		{"review", "pull_request_review", both + `,"action":"submitted","pull_request":{"number":3},"review":{"state":"approved"}`, "submitted", []Look{at(3)}},
		{"review dismissed", "pull_request_review", both + `,"action":"dismissed","pull_request":{"number":3}`, "dismissed", []Look{at(3)}},
		{"line comment", "pull_request_review_comment", both + `,"action":"created","pull_request":{"number":3}`, "created", []Look{at(3)}},
		{"thread", "pull_request_review_thread", both + `,"action":"resolved","pull_request":{"number":3}`, "resolved", []Look{at(3)}},
		{"comment on a pull request", "issue_comment", both + `,"action":"created","issue":{"number":3,"pull_request":{"url":""}}`, "created", []Look{at(3)}},
		{"comment on an issue", "issue_comment", both + `,"action":"created","issue":{"number":3}`, "created", []Look{here}},
		{"comment on an issue, null", "issue_comment", both + `,"issue":{"number":3,"pull_request":null}`, "", []Look{here}},
		{
			"check run", "check_run", both + `,"action":"completed","check_run":{"pull_requests":[{"number":3,"base":{"repo":{"id":42}}},{"number":4,"base":{"repo":{"id":42}}}]}`,
			"completed",
			[]Look{at(3), at(4)},
		},
		{
			"check run of another repository's pull request", "check_run", both + `,"action":"completed","check_run":{"pull_requests":[{"number":3,"base":{"repo":{"id":41}}}]}`,
			"completed",
			[]Look{here},
		},
		{"button", "check_run", both + `,"action":"requested_action","check_run":{"pull_requests":[]},"requested_action":{"identifier":"recheck"}`, "requested_action", []Look{here}},
		{"check run begun", "check_run", both + `,"action":"created","check_run":{}`, "created", nil},
		{"suite again", "check_suite", both + `,"action":"rerequested","check_suite":{"pull_requests":[{"number":5,"base":{"repo":{"id":42}}}]}`, "rerequested", []Look{at(5)}},
		{"suite requested", "check_suite", both + `,"action":"requested"`, "requested", nil},
		{"workflow ended", "workflow_run", both + `,"action":"completed","workflow_run":{"pull_requests":[{"number":5,"base":{"repo":{"id":42}}}]}`, "completed", []Look{at(5)}},
		{"workflow begun", "workflow_run", both + `,"action":"requested"`, "requested", nil},
		{"merge group", "merge_group", both + `,"action":"checks_requested","merge_group":{"head_ref":"refs/heads/gh-readonly-queue/main/pr-104-929f8209"}`, "checks_requested", []Look{at(104)}},
		{"merge group of a branch with an odd name", "merge_group", both + `,"action":"destroyed","merge_group":{"head_ref":"refs/heads/gh-readonly-queue/pr-7-x/pr-104-929f"}`, "destroyed", []Look{at(104)}},
		{"merge group of no known form", "merge_group", both + `,"merge_group":{"head_ref":"refs/heads/pr-x-1"}`, "", []Look{here}},

		{"installed", "installation", inst + `,"action":"created","repositories":[{"id":1,"full_name":"a/b"}]`, "created", []Look{all}},
		{"uninstalled", "installation", inst + `,"action":"deleted"`, "deleted", []Look{gone(list)}},
		{"suspended", "installation", inst + `,"action":"suspend"`, "suspend", []Look{gone(list)}},
		{"no longer suspended", "installation", inst + `,"action":"unsuspend"`, "unsuspend", []Look{all}},
		{"permissions", "installation", inst + `,"action":"new_permissions_accepted"`, "new_permissions_accepted", []Look{all}},
		{
			"repositories", "installation_repositories", inst + `,"action":"added","repositories_added":[{"id":42,"full_name":"acme/config"}],"repositories_removed":[{"id":5,"full_name":"acme/old"}]`,
			"added",
			[]Look{list, here, {Subject: Subject{7, 5}, Owner: "acme", Name: "old", Gone: true}},
		},
		{"many repositories", "installation_repositories", inst + `,"action":"added","repositories_added":[` + strings.Repeat(`{"id":1},`, maxRepositories) + `{"id":1}]`, "added", []Look{all}},
		{"account renamed", "installation_target", inst + `,"action":"renamed","account":{"login":"x"}`, "renamed", []Look{all}},
		{"into a team", "membership", inst + `,"action":"added","team":{"id":1}`, "added", []Look{all}},
		{"team gone", "team", inst + `,"action":"deleted"`, "deleted", []Look{all}},
		{"team on a repository", "team", both + `,"action":"added_to_repository"`, "added_to_repository", []Look{here}},
		{"team added", "team_add", both, "", []Look{here}},
		{"collaborator", "member", both + `,"action":"removed"`, "removed", []Look{here}},
		{"member", "organization", inst + `,"action":"member_removed"`, "member_removed", []Look{all}},
		{"invitation", "organization", inst + `,"action":"member_invited"`, "member_invited", nil},
		{"organization gone", "organization", inst + `,"action":"deleted"`, "deleted", []Look{gone(list)}},
		{"repository renamed", "repository", both + `,"action":"renamed"`, "renamed", []Look{here, list}},
		{"repository transferred", "repository", both + `,"action":"transferred"`, "transferred", []Look{gone(here), list}},
		{"repository deleted", "repository", both + `,"action":"deleted"`, "deleted", []Look{gone(here), list}},
		{"repository archived", "repository", both + `,"action":"archived"`, "archived", []Look{here, list}},
		{"repository edited", "repository", both + `,"action":"edited"`, "edited", []Look{here}},
		{"branch protection", "branch_protection_rule", both + `,"action":"edited"`, "edited", []Look{here}},
		{"ruleset", "repository_ruleset", both + `,"action":"edited"`, "edited", []Look{here}},
		{"ruleset of the organization", "repository_ruleset", inst + `,"action":"edited","organization":{"id":1}`, "edited", []Look{all}},

		{"ping", "ping", `"zen":"x","hook_id":1`, "", nil},
		{"authorization", "github_app_authorization", `"action":"revoked"`, "revoked", nil},
		{"purchase", "marketplace_purchase", `"action":"purchased"`, "purchased", nil},
		{"unknown event", "balloon", both, "", nil},
		{"unknown action", "pull_request", both + `,"action":"admired","pull_request":{"number":3}`, "admired", []Look{at(3)}},
		{"no installation", "push", repo, "", nil},
		{"no repository", "push", inst, "", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			action, looks, err := Parse(tc.event, []byte("{"+tc.body+"}"))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tc.want, looks); d != "" || action != tc.action {
				t.Errorf("action %q, want %q; looks %s", action, tc.action, d)
			}
		})
	}
}

func TestParseImage(t *testing.T) {
	version := func(url, tag string) string {
		return fmt.Sprintf(`"package_version":{"version":"sha256:feed","package_url":%q,"container_metadata":{"tag":{"name":%q}}}`, url, tag)
	}
	owner := `"owner":{"login":"Acme"},"namespace":"acme"`
	for name, tc := range map[string]struct{ action, body, want string }{
		"with an address":              {"published", `"name":"Shop","package_type":"CONTAINER",` + owner + "," + version("ghcr.io/Acme/Shop:1.4", "1.4"), "ghcr.io/acme/shop:1.4"},
		"a name of two parts":          {"updated", `"name":"shop/api","package_type":"container",` + owner + "," + version("ghcr.io/acme/shop/api:V1", ""), "ghcr.io/acme/shop/api:V1"},
		"without an address":           {"published", `"name":"shop","package_type":"container",` + owner + "," + version("", "1.4"), "ghcr.io/acme/shop:1.4"},
		"without an owner":             {"published", `"name":"shop","package_type":"container","namespace":"acme",` + version("", "1.4"), "ghcr.io/acme/shop:1.4"},
		"of a server of one's own":     {"published", `"name":"shop","package_type":"container",` + owner + "," + version("containers.ghe.example.com/acme/shop:1.4", "1.4"), "containers.ghe.example.com/acme/shop:1.4"},
		"another host's address":       {"published", `"name":"shop","package_type":"container",` + owner + "," + version("evil.example.com/acme/shop:1.4", "1.4"), "ghcr.io/acme/shop:1.4"},
		"another image's address":      {"published", `"name":"shop","package_type":"container",` + owner + "," + version("ghcr.io/acme/bank:1.4", ""), ""},
		"another image's tag":          {"published", `"name":"shop","package_type":"container",` + owner + "," + version("ghcr.io/acme/bank:9", "1.4"), "ghcr.io/acme/shop:1.4"},
		"a host that is none":          {"published", `"name":"shop","package_type":"container",` + owner + "," + version("containers.x@evil/acme/shop:1.4", "1.4"), "ghcr.io/acme/shop:1.4"},
		"no tag":                       {"published", `"name":"shop","package_type":"container",` + owner + "," + version("ghcr.io/acme/shop:", ""), ""},
		"a tag that is none":           {"published", `"name":"shop","package_type":"container",` + owner + "," + version("", "a b"), ""},
		"a long tag":                   {"published", `"name":"shop","package_type":"container",` + owner + "," + version("", strings.Repeat("a", 129)), ""},
		"a name that climbs out":       {"published", `"name":"../x:1@y","package_type":"container",` + owner + "," + version("", "1"), ""},
		"no name":                      {"published", `"package_type":"container",` + owner + "," + version("", "1"), ""},
		"no owner":                     {"published", `"name":"shop","package_type":"container",` + version("", "1"), ""},
		"another kind of package":      {"published", `"name":"shop","package_type":"npm",` + owner + "," + version("", "1"), ""},
		"deleted":                      {"deleted", `"name":"shop","package_type":"container",` + owner + "," + version("", "1"), ""},
		"a version of the wrong type":  {"published", `"name":"shop","package_type":"container",` + owner + `,"package_version":[1]`, ""},
		"metadata of the wrong type":   {"published", `"name":"shop","package_type":"container",` + owner + `,"package_version":{"container_metadata":"x"}`, ""},
		"a namespace beside an object": {"published", `"name":"shop","package_type":"container","owner":{},"namespace":"acme",` + version("", "1"), ""},
	} {
		for _, event := range []string{"package", "registry_package"} {
			t.Run(event+" "+name, func(t *testing.T) {
				_, looks, err := Parse(event, fmt.Appendf(nil, `{"action":%q,%s,%q:{%s}}`, tc.action, both, event, tc.body))
				if err != nil {
					t.Fatal(err)
				}
				var want []Look
				if tc.want != "" {
					want = []Look{pushed(tc.want)}
				}
				if d := cmp.Diff(want, looks); d != "" {
					t.Error(d)
				}
			})
		}
	}
	_, looks, err := Parse("registry_package", []byte(`{"action":"published",`+inst+`,"registry_package":{"name":"shop","package_type":"container",`+owner+","+version("", "1")+`}}`))
	if d := cmp.Diff([]Look{{Subject: Subject{7, 0}, Image: "ghcr.io/acme/shop:1"}}, looks); d != "" || err != nil {
		t.Errorf("of no repository: %v %s", err, d)
	}
}

// TestParseRefuses: what is none of GitHub's payloads is an error, and says nothing.
func TestParseRefuses(t *testing.T) {
	for name, body := range map[string]string{
		"nothing":                ``,
		"no JSON":                `{`,
		"two values":             `{} {}`,
		"a list":                 `[1]`,
		"a string":               `"x"`,
		"a form":                 `payload=%7B%7D`,
		"a byte order mark":      "\xef\xbb\xbf{}",
		"nested too deep":        `{"x":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`,
		"the repository twice":   `{` + both + `,"repository":{"id":1}}`,
		"an escaped key twice":   `{` + both + `,"repositor\u0079":{"id":1}}`,
		"the installation twice": `{` + both + `,"installation":{"id":1}}`,
		"an id twice":            `{"installation":{"id":1,"id":2},` + repo + `}`,
		"a repository's id":      `{` + inst + `,"repository":{"id":1,"full_name":"a/b","id":2}}`,
		"the pull request twice": `{` + both + `,"pull_request":{"number":1},"pull_request":{"number":2}}`,
		"its number twice":       `{` + both + `,"pull_request":{"number":1,"number":2}}`,
	} {
		t.Run(name, func(t *testing.T) {
			action, looks, err := Parse("pull_request", []byte(body))
			if err == nil || action != "" || looks != nil {
				t.Errorf("got %q %v %v, want an error and nothing else", action, looks, err)
			}
			if err != nil && !strings.HasPrefix(err.Error(), "read the payload of pull_request: ") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestParseOdd: what cannot be told is left out, whatever stands beside it.
func TestParseOdd(t *testing.T) {
	long := strings.Repeat("a", 1<<20)
	nested := strings.Repeat(`{"repository":`, 5000) + "{}" + strings.Repeat("}", 5000)
	for name, tc := range map[string]struct {
		body string
		want []Look
	}{
		"a negative installation":          {`"installation":{"id":-7},` + repo, nil},
		"an installation of zero":          {`"installation":{"id":0},` + repo, nil},
		"an installation too large":        {`"installation":{"id":9223372036854775808},` + repo, nil},
		"the largest":                      {`"installation":{"id":9223372036854775807},"repository":{"id":9223372036854775807}`, []Look{{Subject: Subject{1<<63 - 1, 1<<63 - 1}}}},
		"an installation with a fraction":  {`"installation":{"id":7.0},` + repo, nil},
		"an installation with an exponent": {`"installation":{"id":7e0},` + repo, nil},
		"an installation in quotes":        {`"installation":{"id":"7"},` + repo, nil},
		"an installation that is a list":   {`"installation":[7],` + repo, nil},
		"an installation that is null":     {`"installation":null,` + repo, nil},
		"another capital":                  {`"Installation":{"id":7},` + repo, nil},
		"a repository in quotes":           {inst + `,"repository":"acme/config"`, nil},
		"a negative repository":            {inst + `,"repository":{"id":-42,"full_name":"acme/config"}`, nil},
		"no repository id":                 {inst + `,"repository":{"full_name":"acme/config"}`, nil},
		"no name":                          {inst + `,"repository":{"id":42}`, []Look{{Subject: here.Subject}}},
		"a name that is a number":          {inst + `,"repository":{"id":42,"full_name":1}`, []Look{{Subject: here.Subject}}},
		"a name of three parts":            {inst + `,"repository":{"id":42,"full_name":"a/b/c"}`, []Look{{Subject: here.Subject}}},
		"a name with a line end":           {inst + `,"repository":{"id":42,"full_name":"acme/con\nfig"}`, []Look{{Subject: here.Subject}}},
		"a long name":                      {inst + `,"repository":{"id":42,"full_name":"acme/` + long + `"}`, []Look{{Subject: here.Subject}}},
		"an escaped name":                  {inst + `,"repository":{"id":42,"full_name":"acme\/\u0063onfig"}`, []Look{here}},
		"an escaped key":                   {`"\u0069nstallation":{"id":7},` + repo, []Look{here}},
		"a name that is no UTF-8":          {inst + `,"repository":{"id":42,"full_name":"acme/` + "\xff" + `"}`, []Look{{Subject: here.Subject}}},
		"a negative pull request":          {both + `,"pull_request":{"number":-3}`, []Look{here}},
		"a pull request too large":         {both + `,"pull_request":{"number":4294967299}`, []Look{here}},
		"a pull request that is a list":    {both + `,"pull_request":[{"number":3}]`, []Look{here}},
		"a long action":                    {both + `,"action":"` + long + `"`, []Look{here}},
		"an action that is an object":      {both + `,"action":{"action":"opened"}`, []Look{here}},
		"the same keys further down":       {both + `,"x":` + nested + `,"y":[{"installation":{"id":1}}]`, []Look{here}},
		"braces and quotes in strings":     {`"x":"}]\"\\",` + both + `,"y":["{[\\\\\""]`, []Look{here}},
		"space":                            {" \n\t\r" + strings.ReplaceAll(strings.ReplaceAll(both, ":", " \n:\t"), ",", " , ") + " ", []Look{here}},
		"empty things":                     {`"a":{},"b":[],"c":"",` + both, []Look{here}},
	} {
		t.Run(name, func(t *testing.T) {
			action, looks, err := Parse("pull_request", []byte("{"+tc.body+"}"))
			if err != nil || action != "" {
				t.Fatalf("got %q %v", action, err)
			}
			if d := cmp.Diff(tc.want, looks); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestParseBounds: no payload makes more work than there is room for.
func TestParseBounds(t *testing.T) {
	var b strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&b, `,{"number":%d,"base":{"repo":{"id":42}}}`, i+1)
	}
	_, looks, err := Parse("check_run", []byte(`{`+both+`,"action":"completed","check_run":{"pull_requests":[`+b.String()[1:]+`]}}`))
	if err != nil || len(looks) != maxPulls {
		t.Errorf("got %d looks, %v; want %d", len(looks), err, maxPulls)
	}
}
