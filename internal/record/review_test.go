package record

import (
	"math/rand"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// TestWitness has the heads 1 at noon, 2 ten minutes and 3 twenty minutes later, then 1
// again at thirty minutes and a half.
func TestWitness(t *testing.T) {
	heads := func() *Record {
		r := &Record{}
		r.See(sha(1), seal("a"), minute(0))
		r.See(sha(2), seal("b"), minute(10))
		r.See(sha(3), seal("c"), minute(20))
		r.See(sha(1), seal("a"), minute(30).Add(500*time.Millisecond))
		return r
	}
	for name, tc := range map[string]struct {
		says promotion.Review
		want Review // ID, By and Submitted are those of the review
	}{
		"an approval":               {says(1, carol, promotion.Approved, 2, 11), Review{As: promotion.Approved, Commit: sha(2)}},
		"a change request":          {says(1, carol, promotion.ChangesRequested, 2, 11), Review{As: promotion.ChangesRequested, Commit: sha(2)}},
		"a comment":                 {says(1, carol, promotion.Commented, 2, 11), Review{As: promotion.Commented, Commit: sha(2)}},
		"dismissed before":          {says(1, carol, promotion.Dismissed, 2, 11), Review{Commit: sha(2)}},
		"a new word of GitHub":      {says(1, carol, "ENDORSED", 2, 11), Review{Commit: sha(2)}},
		"in the second of the head": {says(1, carol, promotion.Approved, 2, 10), Review{As: promotion.Approved, Commit: sha(2)}},
		"in the same half second":   {says(1, carol, promotion.Approved, 1, 30), Review{As: promotion.Approved, Commit: sha(1)}},
		"moved to a later head":     {says(1, carol, promotion.Approved, 3, 11), Review{As: promotion.Approved}},
		"moved by a second":         {promotion.Review{ID: 1, Author: carol, State: promotion.Approved, Commit: sha(2), Submitted: minute(10).Add(-time.Second)}, Review{As: promotion.Approved}},
		"of an older head, late":    {says(1, carol, promotion.Approved, 2, 25), Review{As: promotion.Approved, Commit: sha(2)}},
		"of a head that came back":  {says(1, carol, promotion.Approved, 1, 5), Review{As: promotion.Approved}},
		"since it came back":        {says(1, carol, promotion.Approved, 1, 31), Review{As: promotion.Approved, Commit: sha(1)}},
		"of an unknown head":        {says(1, carol, promotion.Approved, 4, 25), Review{As: promotion.Approved}},
		"of no head":                {promotion.Review{ID: 1, Author: carol, State: promotion.Approved, Submitted: minute(25)}, Review{As: promotion.Approved}},
		"at no time":                {promotion.Review{ID: 1, Author: carol, State: promotion.Approved, Commit: sha(1)}, Review{As: promotion.Approved}},
		"of a deleted account":      {says(1, ghost, promotion.Approved, 2, 11), Review{As: promotion.Approved, Commit: sha(2)}},
	} {
		t.Run(name, func(t *testing.T) {
			r := heads()
			r.Witness([]promotion.Review{tc.says})
			tc.want.ID, tc.want.By, tc.want.Submitted = tc.says.ID, tc.says.Author, tc.says.Submitted
			if diff := cmp.Diff([]Review{tc.want}, r.Reviews); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	r := heads()
	r.Witness([]promotion.Review{{ID: 1, Author: carol, State: promotion.Pending}, {ID: 0, Author: carol, State: promotion.Approved}})
	if len(r.Reviews) > 0 {
		t.Errorf("got %v of a pending review and one without a number", r.Reviews)
	}
}

func TestFirstSightStays(t *testing.T) {
	var r Record
	r.See(sha(1), seal("a"), minute(0))
	r.Witness([]promotion.Review{says(1, carol, promotion.Approved, 1, 1), says(1, carol, promotion.Commented, 1, 1)})
	want := r.Reviews
	r.See(sha(2), seal("b"), minute(2))
	for name, later := range map[string]promotion.Review{
		"moved":     says(1, carol, promotion.Approved, 2, 3),
		"dismissed": says(1, carol, promotion.Dismissed, 2, 1),
		"deleted":   says(1, ghost, promotion.Approved, 1, 1),
		"pending":   {ID: 1, Author: carol, State: promotion.Pending},
	} {
		if r.Witness([]promotion.Review{later}); !cmp.Equal(want, r.Reviews) {
			t.Errorf("once it is %s, it is on record as %+v, want %+v", name, r.Reviews, want)
		}
	}
	r.Reviews[0].HadStanding = "no"
	r.Witness(nil)
	got, ok := r.ReviewOf(1)
	if !ok || got.HadStanding != "no" || got.Commit != sha(1) || got.As != promotion.Approved {
		t.Errorf("got %+v", got)
	}
	if got, ok := r.ReviewOf(2); ok {
		t.Errorf("got %+v of a review that was not there", got)
	}
}

func ids(reviews []Review) []int64 {
	var all []int64
	for _, v := range reviews {
		all = append(all, v.ID)
	}
	return all
}

func TestThreeOfEach(t *testing.T) {
	var r Record
	r.Witness([]promotion.Review{
		says(1, carol, promotion.Approved, 1, 1), says(2, carol, promotion.Commented, 1, 2), says(3, carol, promotion.Dismissed, 1, 3),
		says(4, carol, promotion.Commented, 1, 4), says(5, dave, promotion.Commented, 1, 5), says(6, carol, promotion.Commented, 1, 6),
		says(7, ghost, promotion.Approved, 1, 7), says(8, ghost, promotion.Approved, 1, 8), says(9, ghost, promotion.Approved, 1, 8), says(10, ghost, promotion.Approved, 1, 8),
	})
	if diff := cmp.Diff([]int64{1, 3, 5, 6, 8, 9, 10}, ids(r.Reviews)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	r.Witness([]promotion.Review{says(11, carol, promotion.ChangesRequested, 1, 9), says(12, carol, promotion.Approved, 1, 10)})
	if diff := cmp.Diff([]int64{3, 5, 8, 9, 10, 11, 12}, ids(r.Reviews)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestCrowd shows that a crowd of strangers pushes nobody with standing off the record, nor
// anybody's opinion by comments, nor the first review of one by three of another.
func TestCrowd(t *testing.T) {
	var r Record
	r.Witness([]promotion.Review{says(1, carol, promotion.Approved, 1, 1), says(2, dave, promotion.Approved, 1, 2)})
	r.Reviews[0].HadStanding, r.Reviews[1].HadStanding = "yes", "no"
	var crowd []promotion.Review
	for i := range int64(300) {
		who := promotion.Identity{ID: 1000 + i}
		crowd = append(crowd, says(1000+i, who, promotion.Approved, 1, 10), says(2000+i, who, promotion.Approved, 1, 20), says(3000+i, promotion.Identity{ID: 5000 + i}, promotion.Commented, 1, 30))
	}
	r.Witness(crowd)
	if len(r.Reviews) != 500 {
		t.Errorf("got %d reviews, want 500", len(r.Reviews))
	}
	for id, want := range map[int64]bool{1: true, 2: false, 2000: true, 2299: true, 3000: false} {
		if _, ok := r.ReviewOf(id); ok != want {
			t.Errorf("review %d is on record: %v, want %v", id, ok, want)
		}
	}
	again := r
	again.Witness(crowd)
	if diff := cmp.Diff(r.Reviews, again.Reviews); diff != "" {
		t.Errorf("the same reviews once more (-want +got):\n%s", diff)
	}
}

func TestWitnessInAnyOrder(t *testing.T) {
	random := rand.New(rand.NewSource(3))
	var reviews []promotion.Review
	for i := range int64(900) {
		states := []promotion.ReviewState{promotion.Approved, promotion.Commented, promotion.Dismissed, promotion.Pending}
		reviews = append(reviews, says(i+1, promotion.Identity{ID: random.Int63n(400)}, states[random.Intn(4)], random.Intn(3), random.Intn(60)))
	}
	var want Record
	want.See(sha(1), seal("a"), minute(10))
	first := want
	want.Witness(reviews)
	for range 5 {
		random.Shuffle(len(reviews), func(i, j int) { reviews[i], reviews[j] = reviews[j], reviews[i] })
		before := slices.Clone(reviews)
		got := first
		got.Witness(reviews)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(before, reviews); diff != "" {
			t.Errorf("the reviews that were given changed (-want +got):\n%s", diff)
		}
	}
}
