package approval

import (
	"testing"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// What policy-bot was seen to answer differently: one approval of one user is asked, and
// somebody else wrote the pull request.
func TestPolicyBot(t *testing.T) {
	byHand := func(in *Input) {
		in.Requesters, in.Builders = []promotion.Identity{bob}, nil
		in.Authors = []promotion.Identity{bob}
		in.Approvers = []Role{{Users: []User{{Login: "alice"}}}}
	}
	run(t, []cell{
		{
			name: "changes requested after an approval",
			change: func(in *Input) {
				byHand(in)
				in.Reviews = []Review{approves(10, alice, 10), objects(11, alice, 20)}
			},
			status: promotion.Denied, vetoes: "alice", ignored: []string{"alice: reviewed again since"}, vetoSays: "alice reviews again",
		},
		{
			name: "a commit of the approver behind a second parent",
			change: func(in *Input) {
				byHand(in)
				in.Authors = append(in.Authors, alice)
				in.Reviews = []Review{approves(10, alice, 10)}
			},
			status: promotion.Waiting, ignored: []string{"alice: also wrote a commit"},
		},
		{
			name: "a commit of an e-mail that GitHub does not know",
			change: func(in *Input) {
				byHand(in)
				in.Authors = append(in.Authors, promotion.Identity{})
				in.Reviews = []Review{approves(10, alice, 10)}
			},
			status: promotion.Denied, ignored: []string{"alice: a commit is of nobody that GitHub knows"}, says: "unknownRequester: ignore in .pinnace/policies/prod.yaml:4",
		},
		{
			name: "a review of an older head",
			change: func(in *Input) {
				byHand(in)
				r := approves(10, alice, 10)
				r.SealAt, r.SubmittedCommit = sealB, headB
				in.Reviews = []Review{r}
			},
			status: promotion.Waiting, ignored: []string{"alice: it approved other content (seal bbbbbbb on b1b1b1b, now aaaaaaa): review again"},
		},
		{
			name: "Alice is alice",
			change: func(in *Input) {
				byHand(in)
				in.Reviews = []Review{approves(10, promotion.Identity{ID: 1, Login: "Alice"}, 10)}
			},
			status: promotion.Passed, counts: "Alice",
		},
	})
}

// Mistakes read in development versions of Devtron's promotion.
func TestDevtron(t *testing.T) {
	run(t, []cell{
		{
			name:   "polarity: who neither asked nor built may approve",
			change: func(in *Input) { in.Reviews = []Review{approves(10, carol, 10)} },
			status: promotion.Passed, counts: "carol", says: "1 of 1 approval",
		},
		{
			name:   "polarity: who asked may not",
			change: func(in *Input) { in.Reviews = []Review{approves(10, alice, 10)} },
			status: promotion.Waiting, ignored: []string{"alice: alice asked for this change, and policy prod lets nobody approve their own request"},
		},
		{
			name: "the builder is who built, not the account number 1",
			change: func(in *Input) {
				in.Requesters = []promotion.Identity{carol}
				in.Reviews = []Review{approves(10, alice, 10), approves(11, bob, 11)}
			},
			status: promotion.Passed, counts: "alice", ignored: []string{"bob: built the image"},
		},
		{
			name: "a refused approval is not counted all the same",
			change: func(in *Input) {
				in.Needs[0].Count = 2
				in.Reviews = []Review{approves(10, alice, 10), approves(11, carol, 11)}
			},
			status: promotion.Waiting, counts: "carol", ignored: []string{"alice: asked for this change"}, says: "1 of 2 approvals",
		},
		{
			name: "the reviewer is compared, when the requester built the image",
			change: func(in *Input) {
				in.Builders = []promotion.Identity{alice}
				in.Reviews = []Review{approves(10, carol, 10)}
			},
			status: promotion.Passed, counts: "carol",
		},
		{
			name: "a policy that is tightened binds approvals that were given before",
			change: func(in *Input) {
				in.Needs[0].Count, in.Needs[0].AllowRequester = 2, false
				in.Needs[0].Approvers = []Role{{Users: []User{{Login: "dave"}}}}
				in.Reviews = []Review{approves(10, alice, 10), approves(11, carol, 11), approves(12, dave, 12)}
			},
			status: promotion.Waiting, counts: "dave", ignored: []string{"alice: asked", "carol: carol is not an approver: dave approves"},
		},
		{
			name: "two approvals of one person are one",
			change: func(in *Input) {
				in.Needs[0].Count = 2
				in.Reviews = []Review{approves(10, carol, 10), approves(11, carol, 11)}
			},
			status: promotion.Waiting, counts: "carol", ignored: []string{"carol: reviewed again since"},
		},
	})
}
