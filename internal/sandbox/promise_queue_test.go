package sandbox

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-github/v60/github"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// mutation sends GraphQL, and returns the data and the kinds of the errors.
func (r *rig) mutation(token, query string, variables fields) (string, []string) {
	r.t.Helper()
	status, _, text := r.ask(token, "POST", "/api/graphql", fields{"query": query, "variables": variables})
	var out struct {
		Data   json.RawMessage
		Errors []struct{ Type, Message string }
	}
	if err := json.Unmarshal([]byte(text), &out); err != nil || status != 200 {
		r.t.Fatalf("%d %s", status, text)
	}
	var kinds []string
	for _, e := range out.Errors {
		kinds = append(kinds, e.Type)
	}
	return string(out.Data), kinds
}

const enqueue = `mutation($id:ID!,$head:GitObjectID!){enqueuePullRequest(input:{pullRequestId:$id,expectedHeadOid:$head}){mergeQueueEntry{id}}}`

func TestMergeQueue(t *testing.T) {
	r := newRig(t)
	one, two := r.pull("one", "a: 1"), r.pull("two", "g: 7")
	token := r.app.InstallationToken("acme")
	put := func(p *github.PullRequest, head string) (string, []string) {
		return r.mutation(token, enqueue, fields{"id": p.GetNodeID(), "head": head})
	}
	if _, kinds := put(one, one.GetHead().GetSHA()); !slices.Equal(kinds, []string{"UNPROCESSABLE"}) {
		t.Errorf("without a queue: %v", kinds)
	}
	r.repo.Protect("main", Protection{Rules: promotion.Rules{MergeQueue: true, Checks: []promotion.RequiredCheck{{Context: "ci"}}}})
	for _, name := range []string{"one", "two"} {
		r.repo.Status(r.repo.Tip(name), "bob", "ci", "success")
	}
	if _, kinds := put(one, two.GetHead().GetSHA()); !slices.Equal(kinds, []string{"UNPROCESSABLE"}) {
		t.Errorf("another head: %v", kinds)
	}
	for _, p := range []*github.PullRequest{one, two} {
		if data, kinds := put(p, p.GetHead().GetSHA()); kinds != nil || !strings.Contains(data, `"id":"MQE_`) {
			t.Fatalf("got %s %v", data, kinds)
		}
	}
	if _, kinds := put(one, one.GetHead().GetSHA()); !slices.Equal(kinds, []string{"UNPROCESSABLE"}) {
		t.Errorf("twice: %v", kinds)
	}
	if done := r.repo.LandGroups(); done != nil {
		t.Errorf("merged %v before there was a group", done)
	}
	groups := r.repo.FormGroups()
	if len(groups) != 2 {
		t.Fatalf("got groups %v", groups)
	}
	if done := r.repo.LandGroups(); done != nil {
		t.Errorf("merged %v before the group's checks", done)
	}
	for ref, sha := range groups {
		if !strings.HasPrefix(ref, "refs/heads/gh-readonly-queue/main/pr-") {
			t.Errorf("got the group %s", ref)
		}
		r.repo.Status(sha, "bob", "ci", "success")
	}
	if done := r.repo.LandGroups(); !slices.Equal(done, []int{1, 2}) {
		t.Errorf("merged %v, want 1 and 2", done)
	}
	if text, _ := r.repo.File("main", "envs/prod/app.yaml"); text != "a: 10\nb: 2\nc: 3\nd: 4\ne: 5\nf: 6\ng: 70\n" {
		t.Errorf("got %q", text)
	}
}

func TestMergeQueueEjects(t *testing.T) {
	r := newRig(t)
	p := r.pull("one", "a: 1")
	r.repo.Protect("main", Protection{Rules: promotion.Rules{MergeQueue: true, Checks: []promotion.RequiredCheck{{Context: "ci"}}}})
	r.repo.Status(r.repo.Tip("one"), "bob", "ci", "success")
	token := r.app.InstallationToken("acme")
	r.mutation(token, enqueue, fields{"id": p.GetNodeID(), "head": p.GetHead().GetSHA()})
	for _, sha := range r.repo.FormGroups() {
		r.repo.Status(sha, "bob", "ci", "failure")
	}
	if done := r.repo.LandGroups(); done != nil || r.repo.PullRequests()[0].State != promotion.Open {
		t.Errorf("merged %v", done)
	}
	const dequeue = `mutation($id:ID!){dequeuePullRequest(input:{id:$id}){mergeQueueEntry{id}}}`
	if _, kinds := r.mutation(token, dequeue, fields{"id": p.GetNodeID()}); !slices.Equal(kinds, []string{"UNPROCESSABLE"}) {
		t.Errorf("what was ejected is not in the queue: %v", kinds)
	}
	r.mutation(token, enqueue, fields{"id": p.GetNodeID(), "head": p.GetHead().GetSHA()})
	if data, kinds := r.mutation(token, dequeue, fields{"id": p.GetNodeID()}); kinds != nil || !strings.Contains(data, "MQE_") {
		t.Errorf("got %s %v", data, kinds)
	}
}

func TestDraftMutations(t *testing.T) {
	r := newRig(t)
	p := r.pull("one", "a: 1")
	for name, want := range map[string]bool{"convertPullRequestToDraft": true, "markPullRequestReadyForReview": false} {
		query := `mutation($id:ID!){` + name + `(input:{pullRequestId:$id}){pullRequest{id number isDraft}}}`
		if data, kinds := r.mutation(r.app.InstallationToken("acme"), query, fields{"id": p.GetNodeID()}); kinds != nil || r.repo.PullRequests()[0].Draft != want {
			t.Errorf("%s: %s %v", name, data, kinds)
		}
		if _, kinds := r.mutation(r.app.InstallationToken("acme"), query, fields{"id": "PR_x"}); !slices.Equal(kinds, []string{"NOT_FOUND"}) {
			t.Errorf("%s of nothing: %v", name, kinds)
		}
		if _, kinds := r.mutation(r.Token("carol"), query, fields{"id": p.GetNodeID()}); !slices.Equal(kinds, []string{"FORBIDDEN"}) {
			t.Errorf("%s by a reader: %v", name, kinds)
		}
	}
}

func TestViewer(t *testing.T) {
	r := newRig(t)
	for token, want := range map[string]string{r.Token("alice"): "alice", r.app.InstallationToken("acme"): "pinnace[bot]", r.ActionsToken(r.repo, map[string]string{}): "github-actions[bot]"} {
		if data, kinds := r.mutation(token, `query{viewer{login}}`, nil); kinds != nil || data != `{"viewer":{"login":"`+want+`"}}` {
			t.Errorf("%s: got %s %v", want, data, kinds)
		}
	}
}

func TestUnknownGraphQLIsAViolation(t *testing.T) {
	for name, query := range map[string]string{
		"mutation": `mutation($id:ID!){deleteEverything(input:{id:$id}){id}}`,
		"field":    `mutation($id:ID!){convertPullRequestToDraft(input:{pullRequestId:$id}){pullRequest{colour}}}`,
		"query":    `query{rateLimit{limit}}`,
		"nonsense": `mutation{`,
	} {
		r := newRig(t, func(o *Options) { o.T = mute{} })
		p := r.pull("one", "a: 1")
		if _, kinds := r.mutation(r.Token("alice"), query, fields{"id": p.GetNodeID()}); len(kinds) != 1 {
			t.Errorf("%s: got errors %v, want one", name, kinds)
		}
		if v := r.Violations(); len(v) != 1 || !strings.HasPrefix(v[0], "GraphQL: ") {
			t.Errorf("%s: got violations %q", name, v)
		}
	}
}
