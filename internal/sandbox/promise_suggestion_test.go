package sandbox

import (
	"strings"
	"testing"

	"github.com/google/go-github/v60/github"
)

// A comment stands on lines that the pull request shows, in one piece; a suggestion of it takes
// their place by a click, as long as they are what they were.
// https://docs.github.com/en/rest/pulls/reviews#create-a-review-for-a-pull-request
func TestSuggestions(t *testing.T) {
	r := newRig(t)
	long := func(changes ...string) string {
		return strings.NewReplacer(changes...).Replace("l1\nl2\nl3\nl4\nl5\nl6\nl7\nl8\nl9\nl10x\nl11\nl12\nl13\nl14\nl15\nl16\nl17\nl18\nl19\nl20x\n")
	}
	r.repo.Commit("main", "alice", "long", map[string]string{"long": long()})
	r.repo.Commit("edit", "alice", "edit", map[string]string{"long": long("l10x", "L10", "l20x", "L20")})
	number, err := r.repo.OpenPullRequest("alice", "Edit", "", "edit", "main")
	if err != nil {
		t.Fatal(err)
	}
	comment := func(start, line int, body string) error {
		c := &github.DraftReviewComment{Path: github.String("long"), Line: &line, Side: github.String("RIGHT"), Body: &body}
		if start != line {
			c.StartLine, c.StartSide = &start, github.String("RIGHT")
		}
		_, _, err := r.bot().PullRequests.CreateReview(t.Context(), "acme", "config", number, &github.PullRequestReviewRequest{
			Event: github.String("COMMENT"), Body: github.String("see"), Comments: []*github.DraftReviewComment{c},
		})
		return err
	}
	for _, lines := range [][2]int{{6, 6}, {14, 14}, {16, 16}, {13, 17}, {6, 8}, {0, 0}, {21, 21}} {
		refused(t, comment(lines[0], lines[1], "x"), 422, "line must be part of the diff")
	}
	for _, lines := range [][2]int{{7, 7}, {13, 13}, {17, 20}, {10, 10}} {
		if err := comment(lines[0], lines[1], strings.Repeat("y", lines[0])); err != nil {
			t.Errorf("lines %v: %v", lines, err)
		}
	}
	if err := comment(10, 10, "do\n\n```suggestion\nM10\nM11\n```\n"); err != nil {
		t.Fatal(err)
	}
	if err := comment(19, 20, "````suggestion\n```\n````"); err != nil {
		t.Fatal(err)
	}
	all := r.repo.LineComments(number)
	wire := must[[]*github.PullRequestComment](t)(r.bot().PullRequests.ListComments(t.Context(), "acme", "config", number, nil))
	if len(all) != 6 || len(wire) != 6 || wire[5].GetOriginalStartLine() != 19 || wire[5].GetOriginalLine() != 20 || wire[5].GetOriginalCommitID() != r.repo.Tip("edit") {
		t.Fatalf("got %+v and %v", all, wire)
	}
	if _, err := r.repo.PressSuggestion(number, "bob", all[0].ID); err == nil {
		t.Error("a comment without a suggestion was pressed")
	}
	if _, err := r.repo.PressSuggestion(number, "bob", all[4].ID, all[5].ID); err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(long("l10x", "M10\nM11"), "l19\nl20x\n", "```\n", 1)
	if got, _ := r.repo.File("edit", "long"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, err := r.repo.PressSuggestion(number, "bob", all[4].ID); err == nil {
		t.Error("an outdated suggestion was pressed")
	}
	if got := r.repo.Log("edit")[0]; got.AuthorName != "bob" || !strings.Contains(got.Message, "Co-authored-by: pinnace[bot]") {
		t.Errorf("the click made %+v", got)
	}
	if v := r.Violations(); len(v) != 0 {
		t.Error(v)
	}
}
