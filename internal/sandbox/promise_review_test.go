package sandbox

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-github/v60/github"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

func TestReviewRefusals(t *testing.T) {
	r := newRig(t)
	r.pull("pin", "a: 1")
	send := func(c *github.Client, event, body string) error {
		in := &github.PullRequestReviewRequest{Body: &body}
		if event != "" {
			in.Event = &event
		}
		_, _, err := c.PullRequests.CreateReview(t.Context(), "acme", "config", 1, in)
		return err
	}
	refused(t, send(r.bot(), "APPROVE", ""), 422, "")
	_, _, text := r.ask(r.app.InstallationToken("acme"), "POST", "/repos/acme/config/pulls/1/reviews", fields{"event": "APPROVE"})
	if !strings.Contains(text, "Can not approve your own pull request") {
		t.Errorf("got %s", text)
	}
	refused(t, send(r.user("bob"), "REQUEST_CHANGES", ""), 422, "")
	refused(t, send(r.user("bob"), "COMMENT", ""), 422, "")
	if err := send(r.user("bob"), "", "later"); err != nil {
		t.Fatal(err)
	}
	refused(t, send(r.user("bob"), "", "again"), 422, "")
	list := must[[]*github.PullRequestReview](t)(r.bot().PullRequests.ListReviews(t.Context(), "acme", "config", 1, nil))
	if len(list) != 0 {
		t.Errorf("others see the pending review: %v", list)
	}
}

func TestReaderMayApprove(t *testing.T) {
	r := newRig(t)
	r.pull("pin", "a: 1")
	v := must[*github.PullRequestReview](t)(r.user("carol").PullRequests.CreateReview(t.Context(), "acme", "config", 1, &github.PullRequestReviewRequest{Event: github.String("APPROVE")}))
	if v.GetState() != "APPROVED" || v.GetCommitID() != r.repo.Tip("pin") {
		t.Errorf("got %v", v)
	}
}

// TestReviewStates walks what counts: a comment changes nothing, a newer opinion replaces the
// older, and a dismissed one revives none.
func TestReviewStates(t *testing.T) {
	for name, tc := range map[string]struct {
		steps []promotion.ReviewState
		drop  bool // dismiss the last
		ok    bool
	}{
		"approved":                         {[]promotion.ReviewState{promotion.Approved}, false, true},
		"approved, commented":              {[]promotion.ReviewState{promotion.Approved, promotion.Commented}, false, true},
		"approved, changes requested":      {[]promotion.ReviewState{promotion.Approved, promotion.ChangesRequested}, false, false},
		"changes requested, approved":      {[]promotion.ReviewState{promotion.ChangesRequested, promotion.Approved}, false, true},
		"approved, dismissed":              {[]promotion.ReviewState{promotion.Approved}, true, false},
		"approved, changes, dismissed":     {[]promotion.ReviewState{promotion.Approved, promotion.ChangesRequested}, true, false},
		"approved, approved and dismissed": {[]promotion.ReviewState{promotion.Approved, promotion.Approved}, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.pull("pin", "a: 1")
			r.repo.Protect("main", Protection{Rules: promotion.Rules{Approvals: 1}})
			var last int64
			for _, s := range tc.steps {
				id, err := r.repo.Review(1, "bob", s, "text")
				if err != nil {
					t.Fatal(err)
				}
				last = id
			}
			if tc.drop {
				if err := r.repo.Dismiss(1, last, "alice", "no"); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := r.repo.Merge(1, "alice", "merge"); (err == nil) != tc.ok {
				t.Errorf("merging: %v, want ok %v", err, tc.ok)
			}
		})
	}
}

func TestPushDismissesStaleApprovals(t *testing.T) {
	r := newRig(t)
	r.pull("pin", "a: 1")
	r.repo.Protect("main", Protection{Rules: promotion.Rules{Approvals: 1, DismissStale: true}})
	id, err := r.repo.Review(1, "bob", promotion.Approved, "")
	if err != nil {
		t.Fatal(err)
	}
	head := r.branch("pin", "b: 2")
	if got := r.repo.Reviews(1)[0].State; got != promotion.Dismissed {
		t.Errorf("the review is %s", got)
	}
	_, _, text := r.ask(r.app.InstallationToken("acme"), "GET", "/repos/acme/config/issues/1/timeline", nil)
	var events []struct {
		Event     string
		Actor     struct{ Login string }
		Dismissed struct {
			State    string
			ReviewID int64  `json:"review_id"`
			Commit   string `json:"dismissal_commit_id"`
		} `json:"dismissed_review"`
	}
	if err := json.Unmarshal([]byte(text), &events); err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if e.Event == "review_dismissed" {
			if d := e.Dismissed; d.ReviewID != id || d.State != "approved" || d.Commit != head || e.Actor.Login != "pinnace[bot]" {
				t.Errorf("got %+v", e)
			}
			return
		}
	}
	t.Errorf("the timeline has no dismissal: %s", text)
}

func TestUpdateBranchMovesTheReviewsCommit(t *testing.T) {
	r := newRig(t)
	r.pull("pin", "a: 1")
	if _, err := r.repo.Review(1, "bob", promotion.Approved, ""); err != nil {
		t.Fatal(err)
	}
	r.repo.Commit("main", "bob", "m", map[string]string{"x": "y"})
	if err := r.repo.UpdateBranch(1, "bob"); err != nil {
		t.Fatal(err)
	}
	if got, tip := r.repo.Reviews(1)[0].Commit, r.repo.Tip("pin"); got != tip {
		t.Errorf("the review names %s, want the new head %s", got, tip)
	}
}

func TestDismissal(t *testing.T) {
	r := newRig(t)
	r.pull("pin", "a: 1")
	id, _ := r.repo.Review(1, "alice", promotion.Approved, "")
	said, _ := r.repo.Review(1, "alice", promotion.Commented, "hm")
	dismiss := func(c *github.Client, id int64, text string) error {
		_, _, err := c.PullRequests.DismissReview(t.Context(), "acme", "config", 1, id, &github.PullRequestReviewDismissalRequest{Message: &text})
		return err
	}
	refused(t, dismiss(r.user("carol"), id, "no"), 403, "push access")
	refused(t, dismiss(r.bot(), id, ""), 422, "message")
	refused(t, dismiss(r.bot(), said, "no"), 422, "")
	if err := dismiss(r.bot(), id, "no"); err != nil {
		t.Fatal(err)
	}
}

func TestTimelineTellsInOrder(t *testing.T) {
	r := newRig(t)
	r.pull("pin", "a: 1")
	r.repo.Comment(1, "bob", "hello")
	_, _ = r.repo.Review(1, "bob", promotion.ChangesRequested, "no")
	r.repo.ForcePush("pin", "pinnace[bot]", "again", "", map[string]string{"x": "y"})
	r.repo.AddLabel(1, "bob", "urgent")
	r.repo.Close(1, "bob")
	if err := r.repo.Reopen(1, "bob"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.repo.Merge(1, "bob", "squash"); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range must[[]*github.Timeline](t)(r.bot().Issues.ListIssueTimeline(t.Context(), "acme", "config", 1, nil)) {
		got = append(got, e.GetEvent())
	}
	want := []string{"committed", "commented", "reviewed", "head_ref_force_pushed", "labeled", "closed", "reopened", "merged", "closed"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
