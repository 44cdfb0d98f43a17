package report

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// The pull requests of an answer are shown by what became of them; what was refused is shown as
// the App said it.
func TestFiledAnswer(t *testing.T) {
	pulls := []FiledPullRequest{
		{Number: 4, Title: "Promote shop 1.6 to prod", URL: "https://github.example/4", Action: "updated"},
		{Number: 5, Title: "Promote shop 1.6 to eu", URL: "https://github.example/5", Action: "unchanged"},
	}
	for name, test := range map[string]struct {
		filed Filed
		want  string
	}{
		"done":    {Filed{Answer: "✅ Updated #4", PullRequests: pulls}, "\nupdated #4 Promote shop 1.6 to prod\nhttps://github.example/4\nunchanged #5 Promote shop 1.6 to eu\nhttps://github.example/5\n"},
		"refused": {Filed{Answer: "❌ Refused to promote `shop`.", Refused: true}, "\n❌ Refused to promote shop.\n"},
	} {
		var b strings.Builder
		test.filed.AnswerText(&b)
		if diff := cmp.Diff(test.want, b.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// Who can only merge a pull request is told where it is.
func TestApprovalsToMerge(t *testing.T) {
	var b strings.Builder
	Approvals{Repository: "acme/config", Pending: []PendingApproval{{Verdict: Verdict{
		PullRequest: 3, URL: "https://github.example/3", Title: "Promote shop", Environments: []string{"prod"},
		Decision: promotion.Decision{Status: promotion.Passed, Merger: promotion.APerson},
	}}}}.Text(&b)
	if want := "a person's merge  https://github.example/3"; !strings.Contains(b.String(), want) {
		t.Errorf("got\n%swant %q in it", b.String(), want)
	}
}
