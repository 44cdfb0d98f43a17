package guard

import (
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/policy/approval"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/rulebook"
)

// The cast: alice writes the pull request and is an admin; bob and carol are admins; dave has
// write, erin reads only.
var (
	alice = promotion.Identity{ID: 1, Login: "alice"}
	bob   = promotion.Identity{ID: 2, Login: "bob"}
	carol = promotion.Identity{ID: 3, Login: "carol"}
	dave  = promotion.Identity{ID: 4, Login: "dave"}
	erin  = promotion.Identity{ID: 5, Login: "erin"}
	robot = promotion.Identity{ID: 50, Login: "acme-bot[bot]", Bot: true}
	ci    = promotion.Identity{ID: 51, Login: "acme-ci"}
)

var (
	head  = strings.Repeat("1a", 20)
	older = strings.Repeat("2b", 20)
	noon  = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
)

const tipConfig = `apiVersion: pinnace.dev/v1alpha1
kind: Config
environments:
  - {name: staging, paths: ["envs/staging/**"]}
  - {name: prod, paths: ["envs/prod/**"], after: [staging], production: true, soak: 1h, deploy: command}
roles:
  admin: {permission: admin}
serviceAccounts: [acme-ci]
`

// book reads documents; config is the text of .pinnace/config.yaml, "" for none.
func book(t *testing.T, config string, policies ...string) *rulebook.Rulebook {
	t.Helper()
	return bookOn(t, nil, config, policies...)
}

func bookOn(t *testing.T, floor rulebook.Files, config string, policies ...string) *rulebook.Rulebook {
	t.Helper()
	files := rulebook.Files{}
	if config != "" {
		files[".pinnace/config.yaml"] = []byte(config)
	}
	if len(policies) > 0 {
		files[".pinnace/policies/all.yaml"] = []byte(strings.Join(policies, "---\n"))
	}
	state := policy.FloorNone
	if floor != nil {
		state = policy.FloorRead
	}
	return rulebook.Read(files, floor, state, nil)
}

// world is pull request 7 by alice, which changes the configuration; it is an hour after noon.
func world(t *testing.T) Input {
	t.Helper()
	tip := book(t, tipConfig)
	if tip.Problems.HasErrors() {
		t.Fatal(tip.Problems)
	}
	admin := approval.Person{Permission: promotion.PermissionAdmin}
	return Input{
		Touched: []string{".pinnace/config.yaml"}, Base: tip, Head: tip, HasConfig: true, HeadSHA: head,
		PullRequest: 7, Author: alice, Writers: []promotion.Identity{alice},
		People: map[int64]approval.Person{
			1: admin, 2: admin, 3: admin, 4: {Permission: promotion.PermissionWrite}, 5: {Permission: promotion.PermissionRead}, 50: admin, 51: admin,
		},
		Admins: 3, AdminsKnown: true, Now: noon.Add(time.Hour),
	}
}

func review(id int64, who promotion.Identity, state promotion.ReviewState, sha string) approval.Review {
	return approval.Review{
		Review:      promotion.Review{ID: id, Author: who, State: state, Submitted: noon.Add(time.Duration(id) * time.Second), Commit: head},
		PullRequest: 7, SubmittedCommit: sha, SealAt: head, HadStanding: approval.No,
	}
}

func approves(who promotion.Identity) approval.Review {
	return review(who.ID, who, promotion.Approved, head)
}

func comments(who promotion.Identity) Comment { return Comment{By: who, At: noon, SHA: head} }
