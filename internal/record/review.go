package record

import (
	"cmp"
	"slices"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

const (
	mostReviews = 500 // that are kept
	mostOfOne   = 3   // of one author
)

// Witness puts reviews on record that are not there yet, in the order of their submission;
// those that are there stay as they were seen first. What a review said is unknown where
// it was dismissed before, and so is its commit unless it is on record as a head since the
// second of the submission or before: else GitHub may have moved the review there.
//
// At most three reviews of one author are kept, the newest that are no mere comments, and
// at most 500 of all: those of authors with standing first and of those without it last,
// opinions before comments, one of each author before a second of any. Deleted accounts
// are one author.
func (r *Record) Witness(reviews []promotion.Review) {
	known := make(map[int64]bool, len(r.Reviews))
	for _, v := range r.Reviews {
		known[v.ID] = true
	}
	all := slices.Clone(r.Reviews)
	for _, v := range reviews {
		if v.ID <= 0 || known[v.ID] || v.State == promotion.Pending {
			continue
		}
		known[v.ID] = true
		all = append(all, r.firstSight(v))
	}
	r.Reviews = keep(all, mostReviews)
}

func (r Record) firstSight(v promotion.Review) Review {
	seen := Review{ID: v.ID, By: v.Author, Submitted: stamp(v.Submitted)}
	switch v.State {
	case promotion.Approved, promotion.ChangesRequested, promotion.Commented:
		seen.As = v.State
	}
	if h, ok := r.HeadAt(v.Commit); ok && !seen.Submitted.Before(h.At.Truncate(time.Second)) {
		seen.Commit = v.Commit
	}
	return seen
}

// ReviewOf returns a review as it was seen first, and whether it is on record.
func (r Record) ReviewOf(id int64) (Review, bool) {
	for _, v := range r.Reviews {
		if v.ID == id {
			return v, true
		}
	}
	return Review{}, false
}

// keep returns at most so many reviews, in the order of their submission, whatever order
// they were in.
func keep(reviews []Review, most int) []Review {
	reviews = slices.Clone(reviews)
	slices.SortFunc(reviews, func(a, b Review) int { return cmp.Or(remark(a)-remark(b), byTime(b, a)) })
	type ranked struct {
		Review
		round int
	}
	round := map[int64]int{} // reviews of each author so far
	var list []ranked
	for _, v := range reviews {
		if n := round[v.By.ID]; n < mostOfOne {
			list = append(list, ranked{v, n})
			round[v.By.ID]++
		}
	}
	slices.SortStableFunc(list, func(a, b ranked) int {
		return cmp.Or(rank(a.Review)-rank(b.Review), remark(a.Review)-remark(b.Review), a.round-b.round)
	})
	var kept []Review
	for _, v := range list[:min(len(list), most)] {
		kept = append(kept, v.Review)
	}
	slices.SortFunc(kept, byTime)
	return kept
}

// rank puts authors with standing first, and those without it last.
func rank(v Review) int {
	switch v.HadStanding {
	case "yes":
		return 0
	case "no":
		return 2
	}
	return 1
}

// remark is 1 for a review that is no opinion. One of which it is unknown what it said
// was an opinion, since GitHub dismisses no other.
func remark(v Review) int {
	if v.As == promotion.Commented {
		return 1
	}
	return 0
}

func byTime(a, b Review) int {
	return cmp.Or(a.Submitted.Compare(b.Submitted), cmp.Compare(a.ID, b.ID))
}
