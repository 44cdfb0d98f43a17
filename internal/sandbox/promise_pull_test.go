package sandbox

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-github/v60/github"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

func TestCreatePullRequestRefusals(t *testing.T) {
	r := newRig(t, func(o *Options) { o.T = mute{} })
	r.branch("one", "a: 1")
	r.repo.Branch("same", "bob", r.repo.Tip("main"))
	bot := r.bot()
	open := func(c *github.Client, head, base string) error {
		_, _, err := c.PullRequests.Create(t.Context(), "acme", "config", &github.NewPullRequest{Title: github.String("T"), Head: &head, Base: &base})
		return err
	}
	refused(t, open(bot, "one", "gone"), 422, "Field:base Code:invalid")
	refused(t, open(bot, "gone", "main"), 422, "Field:head Code:invalid")
	refused(t, open(bot, "same", "main"), 422, "No commits between main and same")
	refused(t, open(r.user("carol"), "one", "main"), 403, "Must have push access")
	if err := open(bot, "one", "main"); err != nil {
		t.Fatal(err)
	}
	if v := r.Violations(); v != nil {
		t.Fatalf("got violations %q before the second pull request", v)
	}
	refused(t, open(bot, "one", "main"), 422, "A pull request already exists for acme:one.")
	if v := r.Violations(); len(v) != 1 || !strings.Contains(v[0], "second pull request from one to main beside #1") {
		t.Errorf("got violations %q", v)
	}
}

func TestHeadFollowsItsBranchWhileOpen(t *testing.T) {
	r := newRig(t)
	p := r.pull("pin", "a: 1")
	second := r.branch("pin", "b: 2")
	get := func() *github.PullRequest {
		return must[*github.PullRequest](t)(r.bot().PullRequests.Get(t.Context(), "acme", "config", p.GetNumber()))
	}
	if got := get().GetHead().GetSHA(); got != second || r.repo.Refs()["refs/pull/1/head"] != second {
		t.Errorf("head is %s, and refs/pull/1/head %s, want %s", got, r.repo.Refs()["refs/pull/1/head"], second)
	}
	r.repo.Close(p.GetNumber(), "bob")
	r.branch("pin", "c: 3")
	if got := get().GetHead().GetSHA(); got != second {
		t.Errorf("the head of a closed pull request moved to %s", got)
	}
}

func TestMergeAtExactlyTheHead(t *testing.T) {
	r := newRig(t)
	p := r.pull("pin", "a: 1")
	old := p.GetHead().GetSHA()
	head := r.branch("pin", "b: 2")
	merge := func(sha string) error {
		_, _, err := r.bot().PullRequests.Merge(t.Context(), "acme", "config", 1, "", &github.PullRequestOptions{SHA: sha})
		return err
	}
	refused(t, merge(old), http.StatusConflict, "Head branch was modified. Review and try the merge again.")
	if err := merge(head); err != nil {
		t.Fatal(err)
	}
	refused(t, merge(head), http.StatusMethodNotAllowed, "Pull Request is not mergeable")
}

func TestMergeMethods(t *testing.T) {
	for method, want := range map[string]struct{ commits, parents int }{"merge": {2, 2}, "squash": {2, 1}, "rebase": {3, 1}} {
		t.Run(method, func(t *testing.T) {
			r := newRig(t)
			r.pull("pin", "a: 1")
			r.repo.Commit("pin", "pinnace[bot]", "second", map[string]string{"new": "x"})
			r.repo.Commit("main", "bob", "meanwhile", map[string]string{"envs/prod/app.yaml": "a: 1\nb: 2\nc: 3\nd: 4\ne: 5\nf: 6\ng: 70\n"})
			before := r.repo.Tip("main")
			res := must[*github.PullRequestMergeResult](t)(r.bot().PullRequests.Merge(t.Context(), "acme", "config", 1, "", &github.PullRequestOptions{MergeMethod: method}))
			log := r.repo.Log("main")
			if log[0].SHA != res.GetSHA() || len(log[0].Parents) != want.parents || len(log) != 1+want.commits || log[want.commits-1].SHA != before {
				t.Errorf("got the first-parent log %v", log)
			}
			if text, _ := r.repo.File("main", "envs/prod/app.yaml"); text != "a: 10\nb: 2\nc: 3\nd: 4\ne: 5\nf: 6\ng: 70\n" {
				t.Errorf("got %q", text)
			}
			if _, ok := r.repo.File("main", "new"); !ok {
				t.Error("the second commit is lost")
			}
			p := r.repo.PullRequests()[0]
			if p.State != promotion.Merged || p.MergeCommit != res.GetSHA() || p.MergedBy != r.app.Bot() {
				t.Errorf("got %+v", p)
			}
		})
	}
}

func TestMergeRefusals(t *testing.T) {
	check := promotion.RequiredCheck{Context: "pinnace/promotion"}
	for name, tc := range map[string]struct {
		set  func(*rig)
		want string
	}{
		"draft":    {func(r *rig) { _ = r.repo.SetDraft(1, "bob", true) }, "Pull Request is still a draft"},
		"closed":   {func(r *rig) { r.repo.Close(1, "bob") }, "Pull Request is not mergeable"},
		"conflict": {func(r *rig) { r.repo.Commit("main", "bob", "m", map[string]string{"envs/prod/app.yaml": "a: 11\n"}) }, "Pull Request is not mergeable"},
		"review": {func(r *rig) {
			r.repo.Protect("main", Protection{Classic: true, Rules: promotion.Rules{Approvals: 1}})
		}, "At least 1 approving review is required by reviewers with write access."},
		"review by a reader": {func(r *rig) {
			r.repo.Protect("main", Protection{Classic: true, Rules: promotion.Rules{Approvals: 1}})
			_, _ = r.repo.Review(1, "carol", promotion.Approved, "")
		}, "At least 1 approving review is required"},
		"change request": {func(r *rig) {
			r.repo.Protect("main", Protection{Rules: promotion.Rules{PullRequest: true}})
			_, _ = r.repo.Review(1, "bob", promotion.ChangesRequested, "no")
		}, "Changes were requested"},
		"last push": {func(r *rig) {
			r.repo.Protect("main", Protection{Rules: promotion.Rules{Approvals: 1, LastPushApproval: true}})
			r.repo.Commit("pin", "bob", "mine", map[string]string{"x": "y"})
			_, _ = r.repo.Review(1, "bob", promotion.Approved, "")
		}, "someone other than the last pusher"},
		"no check": {func(r *rig) {
			r.repo.Protect("main", Protection{Rules: promotion.Rules{Checks: []promotion.RequiredCheck{check}}})
		}, `Required status check "pinnace/promotion" is expected.`},
		"failing check": {func(r *rig) {
			r.repo.Protect("main", Protection{Rules: promotion.Rules{Checks: []promotion.RequiredCheck{check}}})
			r.repo.Status(r.repo.Tip("pin"), "bob", check.Context, "failure")
		}, "is failing"},
		"check of another App": {func(r *rig) {
			r.repo.Protect("main", Protection{Rules: promotion.Rules{Checks: []promotion.RequiredCheck{{Context: check.Context, App: r.app.ID()}}}})
			r.repo.Status(r.repo.Tip("pin"), "bob", check.Context, "success")
		}, "is expected"},
		"behind, though green": {func(r *rig) {
			r.repo.Protect("main", Protection{Rules: promotion.Rules{Checks: []promotion.RequiredCheck{check}, UpToDate: true}})
			r.repo.Status(r.repo.Tip("pin"), "bob", check.Context, "success")
			r.repo.Commit("main", "bob", "m", map[string]string{"x": "y"})
		}, "is expected"},
		"unsigned": {func(r *rig) {
			r.repo.Protect("main", Protection{Rules: promotion.Rules{SignedCommits: true}})
		}, "Commits must have verified signatures."},
		"merge queue": {func(r *rig) {
			r.repo.Protect("main", Protection{Rules: promotion.Rules{MergeQueue: true}})
		}, "Changes must be made through the merge queue"},
		"method of a rule": {func(r *rig) {
			r.repo.Protect("main", Protection{Rules: promotion.Rules{PullRequest: true, MergeMethods: []string{"squash"}}})
		}, "Merge commits are not allowed on this repository."},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.pull("pin", "a: 1")
			tc.set(r)
			tip := r.repo.Tip("main")
			_, _, err := r.bot().PullRequests.Merge(t.Context(), "acme", "config", 1, "", nil)
			refused(t, err, http.StatusMethodNotAllowed, tc.want)
			if r.repo.Tip("main") != tip {
				t.Error("the base moved")
			}
		})
	}
}

func TestMergeNeedsContents(t *testing.T) {
	r := newRig(t)
	r.pull("pin", "a: 1")
	r.app.Permit("acme", map[string]string{"pull_requests": "write", "contents": "read"})
	_, _, err := r.bot().PullRequests.Merge(t.Context(), "acme", "config", 1, "", nil)
	refused(t, err, 403, "Resource not accessible by integration")
}

func TestMergeableStates(t *testing.T) {
	r := newRig(t)
	r.pull("pin", "a: 1")
	state := func() string { return r.repo.PullRequests()[0].MergeableState }
	for _, step := range []struct {
		do   func()
		want string
	}{
		{func() {}, "clean"},
		{func() { r.repo.Status(r.repo.Tip("pin"), "bob", "other", "pending") }, "unstable"},
		{func() {
			r.repo.Protect("main", Protection{Rules: promotion.Rules{Checks: []promotion.RequiredCheck{{Context: "ci"}}, UpToDate: true}})
		}, "blocked"},
		{func() { r.repo.Commit("README", "bob", "m", map[string]string{"x": "y"}) }, "blocked"},
		{func() { r.repo.Commit("main", "bob", "m", map[string]string{"x": "y"}) }, "behind"},
		{func() { _ = r.repo.UpdateBranch(1, "bob") }, "blocked"},
		{func() { r.repo.Commit("main", "bob", "m", map[string]string{"envs/prod/app.yaml": "z\n"}) }, "dirty"},
	} {
		step.do()
		if got := state(); got != step.want {
			t.Errorf("got %q, want %q", got, step.want)
		}
	}
}

func TestMergeabilityIsWorkedOutLater(t *testing.T) {
	r := newRig(t, func(o *Options) { o.SlowMergeability = true })
	r.pull("pin", "a: 1")
	r.branch("pin", "b: 2")
	var got []any
	for range 2 {
		p := must[*github.PullRequest](t)(r.bot().PullRequests.Get(t.Context(), "acme", "config", 1))
		got = append(got, p.Mergeable != nil, p.GetMergeableState())
	}
	if got[0] != false || got[1] != "unknown" || got[2] != true || got[3] != "clean" {
		t.Errorf("got %v", got)
	}
}

func TestMergeCommitSHAIsTheTestMergeUntilMerged(t *testing.T) {
	r := newRig(t)
	r.pull("pin", "a: 1")
	p := must[*github.PullRequest](t)(r.bot().PullRequests.Get(t.Context(), "acme", "config", 1))
	if sha := p.GetMergeCommitSHA(); sha == "" || sha != r.repo.Refs()["refs/pull/1/merge"] {
		t.Errorf("merge_commit_sha is %s and refs/pull/1/merge %s", sha, r.repo.Refs()["refs/pull/1/merge"])
	}
	r.repo.Commit("main", "bob", "m", map[string]string{"envs/prod/app.yaml": "z\n"})
	p = must[*github.PullRequest](t)(r.bot().PullRequests.Get(t.Context(), "acme", "config", 1))
	if _, there := r.repo.Refs()["refs/pull/1/merge"]; there || p.GetMergeCommitSHA() != "" {
		t.Errorf("a conflict leaves refs/pull/1/merge: %v, merge_commit_sha %q", there, p.GetMergeCommitSHA())
	}
}

func TestBaseSHAIsStale(t *testing.T) {
	r := newRig(t)
	r.pull("pin", "a: 1")
	old := r.repo.Tip("main")
	r.repo.Commit("main", "bob", "m", map[string]string{"x": "y"})
	if got := r.repo.PullRequests()[0].Base.SHA; got != old {
		t.Errorf("base.sha is %s, want that of the opening, %s", got, old)
	}
}

func TestPushToBaseMergesIndirectly(t *testing.T) {
	r := newRig(t)
	p := r.pull("pin", "a: 1")
	sha := p.GetHead().GetSHA()
	_, _, err := r.bot().Git.UpdateRef(t.Context(), "acme", "config", &github.Reference{Ref: github.String("refs/heads/main"), Object: &github.GitObject{SHA: &sha}}, false)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.repo.PullRequests()[0]; got.State != promotion.Merged || got.MergeCommit != sha || got.MergedBy != r.app.Bot() {
		t.Errorf("got %+v", got)
	}
}

func TestBranchAtItsBaseClosesThePullRequest(t *testing.T) {
	r := newRig(t)
	r.pull("pin", "a: 1")
	r.repo.Branch("pin", "bob", r.repo.Tip("main"))
	if got := r.repo.PullRequests()[0].State; got != promotion.Closed {
		t.Errorf("got %s, want closed", got)
	}
}

func TestReopen(t *testing.T) {
	for name, tc := range map[string]struct {
		set  func(*rig)
		want string
	}{
		"as it was":       {func(*rig) {}, ""},
		"pushed to":       {func(r *rig) { r.branch("pin", "b: 2") }, ""},
		"deleted":         {func(r *rig) { r.repo.DeleteBranch("pin", "bob") }, "state cannot be changed. The pin branch has been deleted."},
		"forced":          {func(r *rig) { r.repo.ForcePush("pin", "bob", "m", "", map[string]string{"x": "y"}) }, "The pin branch was force-pushed or recreated."},
		"another is open": {func(r *rig) { _, _ = r.repo.OpenPullRequest("bob", "T", "", "pin", "main") }, "There is already an open pull request from acme:pin to acme:main."},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.pull("pin", "a: 1")
			r.repo.Close(1, "bob")
			tc.set(r)
			p, _, err := r.bot().PullRequests.Edit(t.Context(), "acme", "config", 1, &github.PullRequest{State: github.String("open")})
			if tc.want != "" {
				refused(t, err, 422, tc.want)
				return
			}
			if err != nil || p.GetState() != "open" || p.GetHead().GetSHA() != r.repo.Tip("pin") {
				t.Errorf("got %v, %v", p, err)
			}
		})
	}
}

func TestDeletedBranchClosesThePullRequest(t *testing.T) {
	r := newRig(t)
	r.pull("pin", "a: 1")
	if _, err := r.bot().Git.DeleteRef(t.Context(), "acme", "config", "heads/pin"); err != nil {
		t.Fatal(err)
	}
	if got := r.repo.PullRequests()[0]; got.State != promotion.Closed || got.Head.SHA == "" {
		t.Errorf("got %+v", got)
	}
}

func TestListPullRequests(t *testing.T) {
	r := newRig(t)
	for i, line := range []string{"a: 1", "b: 2", "c: 3"} {
		r.pull("pin"+string(rune('0'+i)), line)
	}
	r.repo.Close(2, "bob")
	list := func(o github.PullRequestListOptions) (nums []int, next int) {
		t.Helper()
		got, resp, err := r.bot().PullRequests.List(t.Context(), "acme", "config", &o)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range got {
			nums = append(nums, p.GetNumber())
		}
		return nums, resp.NextPage
	}
	for name, tc := range map[string]struct {
		o    github.PullRequestListOptions
		want string
		next int
	}{
		"open, newest first":    {github.PullRequestListOptions{}, "3 1", 0},
		"all":                   {github.PullRequestListOptions{State: "all"}, "3 2 1", 0},
		"closed":                {github.PullRequestListOptions{State: "closed"}, "2", 0},
		"oldest first":          {github.PullRequestListOptions{State: "all", Direction: "asc"}, "1 2 3", 0},
		"of a head":             {github.PullRequestListOptions{State: "all", Head: "acme:pin1"}, "2", 0},
		"head without an owner": {github.PullRequestListOptions{Head: "pin0"}, "3 1", 0},
		"of a base":             {github.PullRequestListOptions{Base: "other"}, "", 0},
		"a page":                {github.PullRequestListOptions{State: "all", ListOptions: github.ListOptions{PerPage: 2}}, "3 2", 2},
		"the last page":         {github.PullRequestListOptions{State: "all", ListOptions: github.ListOptions{PerPage: 2, Page: 2}}, "1", 0},
	} {
		nums, next := list(tc.o)
		var words []string
		for _, n := range nums {
			words = append(words, itoa(int64(n)))
		}
		if got := strings.Join(words, " "); got != tc.want || next != tc.next {
			t.Errorf("%s: got %q and next page %d, want %q and %d", name, got, next, tc.want, tc.next)
		}
	}
}

func TestForkPullRequest(t *testing.T) {
	r := newRig(t)
	fork := r.repo.Fork("mallory")
	fork.Commit("evil", "mallory", "m", map[string]string{"envs/prod/app.yaml": "a: 2\n"})
	n, err := r.repo.OpenPullRequest("mallory", "T", "", "mallory:evil", "main")
	if err != nil {
		t.Fatal(err)
	}
	p := must[*github.PullRequest](t)(r.bot().PullRequests.Get(t.Context(), "acme", "config", n))
	if p.GetHead().GetRepo().GetFullName() != "mallory/config" || p.GetHead().GetLabel() != "mallory:evil" || r.repo.Refs()["refs/pull/1/head"] != fork.Tip("evil") {
		t.Errorf("got head %v", p.GetHead())
	}
}

func TestRetarget(t *testing.T) {
	r := newRig(t)
	r.repo.Branch("release", "bob", r.repo.Tip("main"))
	r.pull("pin", "a: 1")
	p := must[*github.PullRequest](t)(r.bot().PullRequests.Edit(t.Context(), "acme", "config", 1, &github.PullRequest{Base: &github.PullRequestBranch{Ref: github.String("release")}}))
	if p.GetBase().GetRef() != "release" {
		t.Errorf("got base %s", p.GetBase().GetRef())
	}
	_, _, err := r.bot().PullRequests.Edit(t.Context(), "acme", "config", 1, &github.PullRequest{Base: &github.PullRequestBranch{Ref: github.String("gone")}})
	refused(t, err, 422, "base")
}
