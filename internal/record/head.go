package record

import (
	"slices"
	"time"
)

// mostHeads is how many heads are kept.
const mostHeads = 200

// See puts a head on record as the newest one, unless it is that already with the same
// seal. A head that comes back is seen anew. The seal is "" where the head has none, as
// one with a foreign commit. The time is by GitHub's clock or later: reviews from then on
// are believed to be of this head, so one that is pushed is seen after the push.
//
// At most 200 heads are kept. Of those that follow one of their own seal the oldest go
// first, then the oldest of all.
func (r *Record) See(head, seal string, at time.Time) {
	if n := len(r.Heads); n > 0 && r.Heads[n-1].SHA == head && r.Heads[n-1].Seal == seal {
		return
	}
	r.Heads = thin(append(slices.Clip(r.Heads), Head{SHA: head, Seal: seal, At: stamp(at)}), r.Reviews, mostHeads)
}

// Seal returns the seal of the newest head, and since when, without a break, each head on
// record had it: "" and the zero time where the newest has none.
func (r *Record) Seal() (hash string, at time.Time) {
	for i := len(r.Heads) - 1; i >= 0; i-- {
		h := r.Heads[i]
		if i == len(r.Heads)-1 {
			hash = h.Seal
		}
		if h.Seal != hash || hash == "" {
			break
		}
		at = h.At
	}
	return hash, at
}

// HeadAt returns the newest entry of a commit, and whether it is on record.
func (r Record) HeadAt(sha string) (Head, bool) {
	for _, h := range slices.Backward(r.Heads) {
		if h.SHA == sha {
			return h, true
		}
	}
	return Head{}, false
}

// SealOf returns the seal that a commit had last, "" where none is on record.
func (r Record) SealOf(sha string) string {
	h, _ := r.HeadAt(sha)
	return h.Seal
}

// Seals returns the seal that each commit had last, without those that have none.
func (r Record) Seals() map[string]string {
	seals := make(map[string]string, len(r.Heads))
	for _, h := range r.Heads {
		seals[h.SHA] = h.Seal
	}
	for sha, seal := range seals {
		if seal == "" {
			delete(seals, sha)
		}
	}
	return seals
}

// thin returns at most so many heads, the newest among them. It never joins two runs of
// heads with one seal, nor moves the beginning of one back; and while others are there, it
// spares the heads that were reviewed and those that came right after, which dismissed the
// reviews.
func thin(heads []Head, reviews []Review, most int) []Head {
	if len(heads) <= most {
		return heads
	}
	reviewed := make(map[string]bool, len(reviews))
	for _, v := range reviews {
		reviewed[v.Commit] = true
	}
	heads = slices.Clone(heads)
	for len(heads) > most {
		oldest := 0
		for i := range len(heads) - 1 {
			first := i == 0 || heads[i-1].Seal != heads[i].Seal
			last := heads[i+1].Seal != heads[i].Seal
			spared := reviewed[heads[i].SHA] || i > 0 && reviewed[heads[i-1].SHA]
			if !spared && (!first || i == 0 && last) {
				oldest = i
				break
			}
		}
		heads = slices.Delete(heads, oldest, oldest+1)
	}
	return heads
}
