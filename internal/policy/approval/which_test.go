package approval

import (
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// Cases 1 to 12: which review counts.
func TestWhichReview(t *testing.T) {
	run(t, []cell{
		{
			name: "01 a comment after an approval changes nothing",
			change: func(in *Input) {
				in.Reviews = []Review{approves(10, carol, 10), says(11, carol, promotion.Commented, 20)}
			},
			status: promotion.Passed, counts: "carol",
		},
		{
			name: "01 a comment is no approval, and says so once",
			change: func(in *Input) {
				in.Reviews = []Review{says(10, carol, promotion.Commented, 10), says(11, carol, promotion.Commented, 20)}
			},
			status: promotion.Waiting, ignored: []string{"carol: a comment is no approval: choose Approve"},
		},
		{
			name: "02 changes requested after an approval veto and void it",
			change: func(in *Input) {
				in.Reviews = []Review{approves(10, carol, 10), objects(11, carol, 20), approves(12, dave, 30)}
			},
			status: promotion.Denied, counts: "dave", vetoes: "carol", ignored: []string{"carol: reviewed again since"},
		},
		{
			name:   "02 an approval after changes requested lifts them",
			change: func(in *Input) { in.Reviews = []Review{objects(10, carol, 10), approves(11, carol, 20)} },
			status: promotion.Passed, counts: "carol", ignored: []string{"carol: reviewed again since"},
		},
		{
			name: "02 so does one that counts for nothing",
			change: func(in *Input) {
				stale := approves(11, carol, 20)
				stale.SealAt = sealB
				in.Reviews = []Review{objects(10, carol, 10), stale, approves(12, dave, 30)}
			},
			status: promotion.Passed, counts: "dave", ignored: []string{"carol: reviewed again since", "carol: other content"},
		},
		{
			name: "02 a change request outlives the content it was made on",
			change: func(in *Input) {
				r := objects(10, carol, -30)
				r.SealAt = sealB
				in.Reviews = []Review{r, approves(11, dave, 30)}
			},
			status: promotion.Denied, counts: "dave", vetoes: "carol",
		},
		{
			name:   "02 the requester vetoes too",
			change: func(in *Input) { in.Reviews = []Review{objects(10, alice, 10), approves(11, carol, 20)} },
			status: promotion.Denied, counts: "carol", vetoes: "alice",
		},
		{
			name:   "02 write is enough for a veto",
			change: func(in *Input) { in.Reviews = []Review{objects(10, erin, 10), approves(11, carol, 20)} },
			status: promotion.Denied, counts: "carol", vetoes: "erin", vetoSays: "erin reviews again, or somebody who neither asked, built nor wrote this dismisses",
		},
		{
			name: "02 so is an approver's role without write",
			change: func(in *Input) {
				in.Needs[0].Approvers = []Role{{Permission: "read", Users: []User{{Login: "frank", ID: 6}}}}
				in.Reviews = []Review{objects(10, frank, 10)}
			},
			status: promotion.Denied, vetoes: "frank",
		},
		{
			name:   "02 a stranger vetoes nothing",
			change: func(in *Input) { in.Reviews = []Review{objects(10, frank, 10), approves(11, carol, 20)} },
			status: promotion.Passed, counts: "carol", ignored: []string{"frank: stops nothing"},
		},
		{
			name: "02 who had write then still vetoes",
			change: func(in *Input) {
				r := objects(10, frank, 10)
				r.HadStanding = Yes
				in.Reviews = []Review{r, approves(11, carol, 20)}
			},
			status: promotion.Denied, counts: "carol", vetoes: "frank",
		},
		{
			name: "02 whether somebody had write is not on record",
			change: func(in *Input) {
				r := objects(10, frank, 10)
				r.HadStanding = Unknown
				in.Reviews = []Review{r, approves(11, carol, 20)}
			},
			status: promotion.Unknown, counts: "carol", vetoes: "frank", vetoSays: "whether frank had write or an approver's role then",
		},
		{
			name: "02 a veto holds where no approval is asked",
			change: func(in *Input) {
				in.Needs[0].Count = 0
				in.Reviews = []Review{objects(10, erin, 10)}
			},
			status: promotion.Denied, vetoes: "erin",
		},
		{
			name: "02 a veto holds where no policy asks",
			change: func(in *Input) {
				in.Needs = nil
				in.Reviews = []Review{objects(10, erin, 10), approves(11, carol, 20)}
			},
			status: promotion.Denied, vetoes: "erin", ignored: []string{"carol: no policy asks"},
		},
		{
			name: "02 a bot with write vetoes, and a person lifts it",
			change: func(in *Input) {
				in.Reviews = []Review{objects(10, bot, 10), dismissed(objects(11, ci, 11)), approves(12, carol, 20)}
				in.Moments = []promotion.Moment{dismissal(11, dave, "")}
			},
			status: promotion.Denied, counts: "carol", vetoes: "acme-bot[bot]", ignored: []string{"acme-ci: lifted: dave dismissed it: \"no longer true\""},
		},
		{
			name: "03 a dismissed change request revives no older approval",
			change: func(in *Input) {
				in.Reviews = []Review{approves(10, carol, 10), dismissed(objects(11, carol, 20))}
				in.Moments = []promotion.Moment{dismissal(11, dave, "")}
			},
			status: promotion.Waiting, ignored: []string{"carol: reviewed again since", "carol: lifted: dave dismissed it"},
		},
		{
			name: "03 a dismissed approval revives neither an approval nor a change request",
			change: func(in *Input) {
				in.Reviews = []Review{approves(10, carol, 10), dismissed(approves(11, carol, 20)), objects(12, heidi, 10), dismissed(approves(13, heidi, 20))}
				in.Moments = []promotion.Moment{dismissal(11, dave, ""), dismissal(13, dave, "")}
			},
			status: promotion.Waiting, ignored: []string{"carol: reviewed again since", "heidi: reviewed again since", "carol: dismissed by dave: \"no longer true\": review again", "heidi: dismissed by dave"},
		},
		{
			name: "04 the requester lifts nobody's veto",
			change: func(in *Input) {
				in.Reviews = []Review{dismissed(objects(10, carol, 10)), approves(11, dave, 20)}
				in.Moments = []promotion.Moment{dismissal(10, alice, "")}
			},
			status: promotion.Denied, counts: "dave", vetoes: "carol", vetoSays: "dismissed by alice, who asked for this change, which lifts nothing",
		},
		{
			name: "04 nor does the builder",
			change: func(in *Input) {
				in.Reviews = []Review{dismissed(objects(10, carol, 10)), approves(11, dave, 20)}
				in.Moments = []promotion.Moment{dismissal(10, bob, "")}
			},
			status: promotion.Denied, counts: "dave", vetoes: "carol", vetoSays: "bob, who built the image",
		},
		{
			name: "04 nor an author, whatever the policy allows",
			change: func(in *Input) {
				in.Needs[0].AllowRequester, in.Needs[0].AllowBuilder = true, true
				in.Authors = []promotion.Identity{erin}
				in.Reviews = []Review{dismissed(objects(10, carol, 10)), approves(11, dave, 20)}
				in.Moments = []promotion.Moment{dismissal(10, erin, "")}
			},
			status: promotion.Denied, counts: "dave", vetoes: "carol", vetoSays: "erin, who wrote a commit",
		},
		{
			name: "04 nor a bot, behind which anybody may be",
			change: func(in *Input) {
				in.Reviews = []Review{dismissed(objects(10, carol, 10)), approves(11, dave, 20)}
				in.Moments = []promotion.Moment{dismissal(10, bot, "")}
			},
			status: promotion.Denied, counts: "dave", vetoes: "carol", vetoSays: "the bot acme-bot[bot], which lifts nothing",
		},
		{
			name: "04 nor a service account",
			change: func(in *Input) {
				in.Reviews = []Review{dismissed(objects(10, carol, 10))}
				in.Moments = []promotion.Moment{dismissal(10, ci, "")}
			},
			status: promotion.Denied, vetoes: "carol", vetoSays: "the service account acme-ci",
		},
		{
			name: "04 nor a deleted account, nor a push",
			change: func(in *Input) {
				r := dismissed(objects(12, nobody, 12))
				r.HadStanding = Yes
				in.Reviews = []Review{dismissed(objects(10, carol, 10)), dismissed(objects(11, dave, 11)), r}
				in.Moments = []promotion.Moment{dismissal(10, nobody, ""), dismissal(11, erin, headA), dismissal(12, nobody, "")}
			},
			status: promotion.Denied, vetoes: "carol dave ghost", vetoSays: "dismissed by a deleted account",
		},
		{
			name: "04 its author lifts it by dismissing it, the requester too",
			change: func(in *Input) {
				in.Reviews = []Review{dismissed(objects(10, alice, 10)), approves(11, dave, 20)}
				in.Moments = []promotion.Moment{dismissal(10, alice, "")}
			},
			status: promotion.Passed, counts: "dave", ignored: []string{"alice: lifted: its author dismissed it"},
		},
		{
			name: "04 who dismissed it is not on record",
			change: func(in *Input) {
				in.Reviews = []Review{dismissed(objects(10, carol, 10)), approves(11, dave, 20)}
			},
			status: promotion.Unknown, counts: "dave", vetoes: "carol", vetoSays: "who dismissed carol's change request",
		},
		{
			name: "04 nothing is known of who dismissed it",
			change: func(in *Input) {
				in.Reviews = []Review{dismissed(objects(10, carol, 10)), approves(11, dave, 20)}
				in.Moments = []promotion.Moment{dismissal(10, promotion.Identity{ID: 99, Login: "zoe"}, "")}
			},
			status: promotion.Unknown, counts: "dave", vetoes: "carol", vetoSays: "dismissed by zoe, of whom nothing is known",
		},
		{
			name: "04 what a dismissed review said is not on record",
			change: func(in *Input) {
				r := dismissed(objects(10, carol, 10))
				r.As = ""
				in.Reviews = []Review{r, approves(11, dave, 20)}
				in.Moments = []promotion.Moment{dismissal(10, alice, "")}
			},
			status: promotion.Unknown, counts: "dave", vetoes: "carol", vetoSays: "what carol's dismissed review said",
		},
		{
			name: "04 what it said does not matter once it is lifted",
			change: func(in *Input) {
				r := dismissed(objects(10, carol, 10))
				r.As = ""
				in.Reviews = []Review{r, approves(11, dave, 20)}
				in.Moments = []promotion.Moment{dismissal(10, erin, "")}
			},
			status: promotion.Passed, counts: "dave", ignored: []string{"carol: dismissed by erin"},
		},
		{
			name: "04 the timeline says what it said",
			change: func(in *Input) {
				r := dismissed(approves(10, carol, 10))
				r.As = ""
				m := dismissal(10, alice, "")
				m.Was = promotion.Approved
				in.Reviews, in.Moments = []Review{r, approves(11, dave, 20)}, []promotion.Moment{m}
			},
			status: promotion.Passed, counts: "dave", ignored: []string{"carol: dismissed by alice"},
		},
		{
			name: "05 a dismissed approval is gone",
			change: func(in *Input) {
				in.Reviews = []Review{dismissed(approves(10, carol, 10))}
				in.Moments = []promotion.Moment{dismissal(10, alice, "")}
			},
			status: promotion.Waiting, ignored: []string{"carol: dismissed by alice: \"no longer true\": review again"},
		},
		{
			name: "05 even before the list of reviews shows it",
			change: func(in *Input) {
				in.Reviews = []Review{approves(10, carol, 10)}
				in.Moments = []promotion.Moment{dismissal(10, dave, "")}
			},
			status: promotion.Waiting, ignored: []string{"carol: dismissed by dave"},
		},
		{
			name: "06 one account under two logins is one person",
			change: func(in *Input) {
				in.Needs[0].Count = 2
				in.Reviews = []Review{approves(10, carol, 10), approves(11, promotion.Identity{ID: 3, Login: "caroline"}, 20)}
			},
			status: promotion.Waiting, counts: "caroline", ignored: []string{"carol: reviewed again since"},
		},
		{
			name: "06 two accounts that had one login are two people",
			change: func(in *Input) {
				in.Needs[0].Count = 2
				in.Reviews = []Review{approves(10, carol, 10), approves(11, promotion.Identity{ID: 4, Login: "carol"}, 20)}
			},
			status: promotion.Passed, counts: "carol carol",
		},
		{
			name:   "06 one review on two pages is one",
			change: func(in *Input) { in.Reviews = []Review{approves(10, carol, 10), approves(10, carol, 10)} },
			status: promotion.Passed, counts: "carol",
		},
		{
			name: "06 of one instant the higher number is the newer",
			change: func(in *Input) {
				in.Reviews = []Review{objects(11, carol, 10), approves(10, carol, 10)}
			},
			status: promotion.Denied, vetoes: "carol", ignored: []string{"carol: reviewed again since"},
		},
		{
			name: "07 pending reviews and unheard-of states are nothing",
			change: func(in *Input) {
				in.Reviews = []Review{says(10, carol, promotion.Pending, 10), says(11, dave, "PONDERED", 10)}
			},
			status: promotion.Waiting,
		},
		{
			name: "08 the body is not read",
			change: func(in *Input) {
				r := approves(10, carol, 10)
				r.Body = "on reflection: no"
				in.Reviews = []Review{r}
			},
			status: promotion.Passed, counts: "carol",
		},
		{
			name:   "11 before the seal",
			change: func(in *Input) { in.Reviews = []Review{approves(10, carol, -1)} },
			status: promotion.Waiting, ignored: []string{"carol: given on 2026-11-20 11:59 UTC, before this content was sealed on 2026-11-20 12:00 UTC"},
		},
		{
			name: "11 within the second of the seal",
			change: func(in *Input) {
				in.SealedAt = noon.Add(900 * time.Millisecond)
				in.Reviews = []Review{approves(10, carol, 0)}
			},
			status: promotion.Passed, counts: "carol",
		},
		{
			name: "11 a seal that is not on record",
			change: func(in *Input) {
				in.SealedAt = time.Time{}
				in.Reviews = []Review{approves(10, carol, 10)}
			},
			status: promotion.Waiting, ignored: []string{"carol: when this content was sealed is not on record"},
		},
		{
			name: "11 a draft collects, and is never satisfied",
			change: func(in *Input) {
				in.Draft = true
				in.Reviews = []Review{approves(10, carol, 10)}
			},
			status: promotion.Waiting, counts: "carol", says: "mark the pull request as ready for review",
		},
		{
			name: "11 a draft that lacks approvals says both",
			change: func(in *Input) {
				in.Draft = true
			},
			status: promotion.Waiting, says: "ready for review; then a member of acme/release or anybody with admin approves this pull request",
		},
		{
			name: "12 a review of another pull request, an objection too",
			change: func(in *Input) {
				a, b := approves(10, carol, 10), objects(11, dave, 11)
				a.PullRequest, b.PullRequest = 13, 13
				in.Reviews = []Review{a, b}
			},
			status: promotion.Waiting, ignored: []string{"carol: of pull request #13", "dave: of pull request #13"},
		},
	})
}
