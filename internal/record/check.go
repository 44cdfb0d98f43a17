package record

import (
	"fmt"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

const (
	maxHeads   = 1_000
	maxReviews = 5_000
	maxImages  = 200
	maxBy      = 500
	maxSkipped = 200
	maxJudged  = 1_000
	maxWaived  = 100
	maxWhy     = 4_000 // bytes
)

// check holds a record that was read to what can be written.
func (r Record) check() error {
	for _, c := range []struct {
		what       string
		have, most int
	}{
		{"heads", len(r.Heads), maxHeads},
		{"reviews", len(r.Reviews), maxReviews},
		{"images", len(r.Request.Images), maxImages},
		{"requesters", len(r.Request.By), maxBy},
		{"skipped environments", len(r.Request.Skipped), maxSkipped},
		{"waived rules", len(r.Waived), maxWaived},
		{"judged changes", len(r.Judged), maxJudged},
	} {
		if c.have > c.most {
			return fmt.Errorf("it has %d %s, more than %d", c.have, c.what, c.most)
		}
	}
	switch {
	case !isKind(r.Kind):
		return fmt.Errorf("%.20q is no kind", r.Kind)
	case r.Request.Kind != "" && !isKind(r.Request.Kind):
		return fmt.Errorf("%.20q is no kind of a request", r.Request.Kind)
	case r.Repository < 0 || r.PullRequest < 0:
		return fmt.Errorf("repository %d and pull request %d: a number is negative", r.Repository, r.PullRequest)
	case len(r.Refused.Why) > maxWhy:
		return fmt.Errorf("what a merge was refused for has %d bytes, more than %d", len(r.Refused.Why), maxWhy)
	case r.Refused.Given != "" && !isHex(r.Refused.Given, 64):
		return fmt.Errorf("%.70q, which a merge was refused with, is no hash", r.Refused.Given)
	case r.Next != "" && !isHex(r.Next, 40):
		return fmt.Errorf("the next head %.50q is no commit", r.Next)
	}
	switch r.Decided {
	case "", promotion.Passed, promotion.Skipped, promotion.Waiting, promotion.Unknown, promotion.Denied:
	default:
		return fmt.Errorf("%.20q is no status", r.Decided)
	}
	for _, w := range r.Request.Images {
		if _, err := image.ParseDigest(string(w.Digest)); w.Digest != "" && err != nil {
			return err
		}
	}
	for _, h := range r.Heads {
		if err := h.check(); err != nil {
			return err
		}
	}
	seen := make(map[int64]bool, len(r.Reviews))
	for _, v := range r.Reviews {
		if err := v.check(); err != nil {
			return err
		}
		if seen[v.ID] {
			return fmt.Errorf("review %d is there twice", v.ID)
		}
		seen[v.ID] = true
	}
	return nil
}

func (h Head) check() error {
	switch {
	case !isHex(h.SHA, 40):
		return fmt.Errorf("head %.50q is no commit", h.SHA)
	case h.Seal != "" && !isHex(h.Seal, 64):
		return fmt.Errorf("%.70q of head %s is no seal", h.Seal, h.SHA)
	}
	return nil
}

func (v Review) check() error {
	switch {
	case v.ID <= 0:
		return fmt.Errorf("%d is no review", v.ID)
	case v.Commit != "" && !isHex(v.Commit, 40):
		return fmt.Errorf("%.50q of review %d is no commit", v.Commit, v.ID)
	}
	switch v.As {
	case "", promotion.Approved, promotion.ChangesRequested, promotion.Commented:
	default:
		return fmt.Errorf("review %d was submitted as %.20q", v.ID, v.As)
	}
	switch v.HadStanding {
	case "", "yes", "no":
	default:
		return fmt.Errorf("the standing of review %d is %.20q, not yes or no", v.ID, v.HadStanding)
	}
	return nil
}

func isKind(k promotion.Kind) bool {
	switch k {
	case promotion.Pin, promotion.Update, promotion.Promotion, promotion.Rollback, promotion.ByHand:
		return true
	}
	return false
}

func isHex(s string, digits int) bool {
	return len(s) == digits && strings.Trim(s, "0123456789abcdef") == ""
}
