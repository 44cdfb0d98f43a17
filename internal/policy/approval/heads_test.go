package approval

import (
	"testing"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// Cases 13 to 24 and 54 to 57, as far as they are of counting: heads, pushes and bases come
// down to whether the seal on record for a review is the seal of now.
func TestHeads(t *testing.T) {
	other := func(in *Input) {
		r := approves(10, carol, 10)
		r.SealAt, r.SubmittedCommit = sealB, headB
		in.Reviews = []Review{r}
	}
	cells := []cell{
		{
			name: "13 a new commit with the same seal",
			change: func(in *Input) {
				r := approves(10, carol, 10)
				r.SubmittedCommit = "0123456789abcdef"
				in.Reviews = []Review{r}
			},
			status: promotion.Passed, counts: "carol",
		},
		{
			name: "14 our own push dismissed it, with the same seal",
			change: func(in *Input) {
				in.Reviews = []Review{dismissed(approves(10, carol, 10))}
				in.Moments = []promotion.Moment{dismissal(10, bot, headA)}
			},
			status: promotion.Passed, counts: "carol",
		},
		{
			name: "14 our own push dismissed it, with another seal",
			change: func(in *Input) {
				in.Reviews = []Review{dismissed(approves(10, carol, 10))}
				in.Moments = []promotion.Moment{dismissal(10, bot, headB)}
			},
			status: promotion.Waiting, ignored: []string{"carol: dismissed by the push of b1b1b1b, which is no head of ours with the same seal"},
		},
		{
			name: "14 our own push dismissed an approval of other content",
			change: func(in *Input) {
				r := dismissed(approves(10, carol, 10))
				r.SealAt = sealB
				in.Reviews = []Review{r}
				in.Moments = []promotion.Moment{dismissal(10, bot, headA)}
			},
			status: promotion.Waiting, ignored: []string{"carol: other content"},
		},
		{
			name: "15 somebody else's push dismissed it, though we pushed again",
			change: func(in *Input) {
				in.Reviews = []Review{dismissed(approves(10, carol, 10))}
				in.Moments = []promotion.Moment{dismissal(10, erin, headX)}
			},
			status: promotion.Waiting, ignored: []string{"carol: the push of f0f0f0f"},
		},
		{
			name: "15 who pushed to the branch does not approve",
			change: func(in *Input) {
				in.Authors = []promotion.Identity{carol}
				in.Reviews = []Review{approves(10, carol, 10)}
			},
			status: promotion.Waiting, ignored: []string{"carol: also wrote a commit"},
		},
		{
			name: "16 GitHub moved the commit of the review to the head, and nothing is on record",
			change: func(in *Input) {
				r := approves(10, carol, 10)
				r.Commit, r.SubmittedCommit, r.SealAt = headA, "", ""
				in.Reviews = []Review{r}
			},
			status: promotion.Waiting, ignored: []string{"carol: what it approved is not on record: review again"},
		},
		{
			name: "16 the same, of a head that has no seal",
			change: func(in *Input) {
				r := approves(10, carol, 10)
				r.SealAt = ""
				in.Seal, in.Reviews = "", []Review{r}
			},
			status: promotion.Waiting, ignored: []string{"carol: not on record"},
		},
		{
			name: "24 a review of another pull request with the same head and the same seal",
			change: func(in *Input) {
				r := approves(10, carol, 10)
				r.PullRequest++
				in.Reviews = []Review{r}
			},
			status: promotion.Waiting, ignored: []string{"carol: of pull request"},
		},
	}
	for _, name := range []string{
		"13 a new commit with another seal", "17 a force-push to another head", "19 the old value changed", "20 another base",
		"54 a newer digest was sealed", "56 a rollback's request", "57 a revert",
	} {
		cells = append(cells, cell{name: name, change: other, status: promotion.Waiting, ignored: []string{"carol: it approved other content"}})
	}
	for _, name := range []string{"17 a force-push to the approved head", "18 the base moved elsewhere"} {
		cells = append(cells, cell{
			name: name, change: func(in *Input) { in.Reviews = []Review{approves(10, carol, 10)} },
			status: promotion.Passed, counts: "carol",
		})
	}
	run(t, cells)
}
