package rulebook

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/document"
	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

const repoConfig = `apiVersion: pinnace.dev/v1alpha1
kind: Config
environments:
  - {name: staging, paths: ["envs/staging/**"]}
  - {name: prod, paths: ["envs/prod/**"], after: [staging], production: true}
apps:
  - {name: shop, images: [ghcr.io/acme/shop]}
`

// policyOf is a promotion policy that is bound as the keys say.
func policyOf(name, keys string) []byte {
	return fmt.Appendf(nil, "apiVersion: pinnace.dev/v1alpha1\nkind: ImagePromotionPolicy\nname: %s\n%s\n", name, keys)
}

func binding(policy string) []byte {
	return fmt.Appendf(nil, "apiVersion: v1\nkind: artifactPromotionPolicy\nspec: {payload: {applicationEnvironments: [{appName: shop, envName: prod}], applyToPolicyNames: [%s]}}\n", policy)
}

// TestRead: what each state of both directories comes to.
func TestRead(t *testing.T) {
	mine := Files{
		".pinnace/config.yaml":       []byte(repoConfig),
		".pinnace/policies/two.yaml": policyOf("two", "approverCount: 2\npromotions: [sequential]\napplyTo: [{env: prod}]"),
	}
	theirs := Files{".pinnace/policies/org.yaml": policyOf("org", "approverCount: 1\npromotions: [sequential]\napplyTo: [{production: true}]")}
	with := func(f Files, name, text string) Files {
		more := Files{name: []byte(text)}
		for n, data := range f {
			if n != name {
				more[n] = data
			}
		}
		return more
	}
	const none, read, unknown = policy.FloorNone, policy.FloorRead, policy.FloorUnknown
	for _, row := range []struct {
		name        string
		repo, floor Files
		state       policy.FloorState
		want        string   // the names of the promotion policies; "-" for no Set
		problems    []string // beginnings, in order
	}{
		{"nothing at all", nil, nil, none, "", nil},
		{"no floor", mine, nil, none, "two", nil},
		{"a floor that is not there is not read", mine, with(nil, ".pinnace/config.yaml", "broken: ["), none, "two", nil},
		{"joined with the floor", mine, theirs, read, "org two", nil},
		{"a floor of nothing", mine, nil, read, "two", nil},
		{"a floor that cannot be read", mine, theirs, unknown, "two", nil},
		{
			"what the organisation does not say of a role it leaves to the repository",
			with(mine, ".pinnace/config.yaml", repoConfig+"roles: {requester: {permission: read}}\n"), theirs, read, "org two", nil,
		},
		{
			"a binding to the organisation's policy", with(mine, ".pinnace/policies/more.yaml", string(binding("org"))), theirs, read, "org two", nil,
		},
		{
			"a binding to a policy that may be the organisation's", with(mine, ".pinnace/policies/more.yaml", string(binding("org"))), nil, unknown, "two", nil,
		},
		{
			"a binding to nobody's policy", with(mine, ".pinnace/policies/more.yaml", string(binding("gone"))), theirs, read, "-",
			[]string{`.pinnace/policies/more.yaml:3:98: spec.payload.applyToPolicyNames[0]: unknown promotion policy "gone"`},
		},
		{
			"an error of the configuration, and another of a policy",
			with(with(mine, ".pinnace/config.yaml", repoConfig+"rolls: {}\n"), ".pinnace/policies/two.yaml", string(policyOf("two", "approverCount: 9\napplyTo: [{env: prod}]"))), theirs, read, "-",
			[]string{`.pinnace/config.yaml:8:1: unknown key "rolls"`, ".pinnace/policies/two.yaml:4:16: approverCount"},
		},
		{
			"what loosens the floor has the repository's file", with(mine, ".pinnace/policies/org.yaml", string(policyOf("org", "applyTo: [{env: prod}]\npromotions: [sequential]"))), theirs, read, "-",
			[]string{".pinnace/policies/org.yaml:1:1: approverCount: org is the organisation's policy, and 0 is less than 1"},
		},
		{
			"an error of the floor has the organisation's file", mine, with(theirs, ".pinnace/policies/org.yaml", string(policyOf("org", "approverCount: 7\napplyTo: [{env: prod}]"))), read, "-",
			[]string{Organisation + ".pinnace/policies/org.yaml:4:16: approverCount"},
		},
		{
			"an error of the floor's configuration, and no unknown policy for it", with(mine, ".pinnace/policies/more.yaml", string(binding("org"))), with(theirs, ".pinnace/config.yaml", "kind: Config\n"), read, "-",
			[]string{Organisation + ".pinnace/config.yaml:1:1: apiVersion is missing"},
		},
		{
			"files elsewhere", with(with(with(mine, ".pinnace/policies/eu/x.yaml", "[not: read"), ".pinnace/tests/two.txtar", "-- x --"), "envs/prod/shop.yaml", "[not: read"), nil, none, "two",
			[]string{".pinnace/policies/eu/x.yaml: warning: the file is not read: documents stand in .pinnace/ and .pinnace/policies/"},
		},
		{
			"documents of the other ending", with(mine, ".pinnace/policies/three.yml", string(policyOf("three", "applyTo: [{env: prod}]\npromotions: [sequential]"))), nil, none, "three two", nil,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := Read(row.repo, row.floor, row.state, nil)
			got := "-"
			if b.Set != nil {
				var names []string
				for _, p := range b.Set.Promotions {
					names = append(names, p.Name)
				}
				got = strings.Join(names, " ")
			}
			if got != row.want {
				t.Errorf("got %q, want %q:\n%v", got, row.want, b.Problems)
			}
			if (b.Set == nil) != b.Problems.HasErrors() {
				t.Errorf("set %v with %v", b.Set, b.Problems)
			}
			if len(b.Problems) != len(row.problems) {
				t.Fatalf("got %d problems, want %d:\n%v", len(b.Problems), len(row.problems), b.Problems)
			}
			for i, p := range b.Problems {
				if !strings.HasPrefix(p.Error(), row.problems[i]) {
					t.Errorf("got %s, want %s", p, row.problems[i])
				}
			}
			if b.Floor != row.state {
				t.Errorf("floor %v, want %v", b.Floor, row.state)
			}
		})
	}
}

// TestFloorJudges: by what was read, a change is judged under the policies of both, with the
// file of each, and under none while the floor is unknown.
func TestFloorJudges(t *testing.T) {
	theirs := Files{".pinnace/policies/org.yaml": policyOf("org", "approverCount: 1\npromotions: [sequential]\napplyTo: [{production: true}]")}
	found := policy.App{Name: "web", Images: []string{"ghcr.io/acme/web"}}
	judge := func(state policy.FloorState) promotion.Decision {
		b := Read(Files{".pinnace/config.yaml": []byte(repoConfig)}, theirs, state, []policy.App{found})
		if len(b.Problems) > 0 {
			t.Fatal(b.Problems)
		}
		return policy.Decide(policy.Input{
			Set: b.Set, Floor: b.Floor, Kind: promotion.Promotion, Env: "prod",
			Changes: []policy.Change{{Change: promotion.Change{Path: "envs/prod/web.yaml"}, OldApp: "web"}},
		})
	}
	d := judge(policy.FloorRead)
	var files []string
	for _, r := range d.Results {
		for _, c := range r.Children {
			if c.Rule == "policy" {
				files = append(files, c.File)
			}
		}
	}
	if diff := cmp.Diff([]string{Organisation + ".pinnace/policies/org.yaml"}, files); diff != "" {
		t.Errorf("files of the policies (-want +got):\n%s", diff)
	}
	if d := judge(policy.FloorUnknown); d.Status != promotion.Unknown || len(d.Results) != 1 {
		t.Errorf("while the floor is unknown: %s, %d results", d.Status, len(d.Results))
	}
}

// TestBounds: a directory of any size is read no further than its bounds.
func TestBounds(t *testing.T) {
	many := Files{}
	for i := range maxFiles + 1 {
		many[fmt.Sprintf(".pinnace/policies/%d.yaml", i)] = nil
	}
	for name, files := range map[string]Files{
		"more than 500 files":         many,
		"more than 1 MiB is not read": {".pinnace/config.yaml": make([]byte, document.MaxBytes+1)},
	} {
		if b := Read(files, nil, policy.FloorNone, nil); b.Set != nil || !strings.Contains(b.Problems.Error(), name) {
			t.Errorf("of the repository: want %q, got %v", name, b.Problems)
		}
		if b := Read(nil, files, policy.FloorRead, nil); b.Set != nil || !strings.Contains(b.Problems.Error(), name) {
			t.Errorf("of the floor: want %q, got %v", name, b.Problems)
		}
	}
}
