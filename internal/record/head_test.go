package record

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// TestSeal sees one head a minute from noon on. A letter is the seal of a head of its own,
// "-" a head without one.
func TestSeal(t *testing.T) {
	for seals, want := range map[string]struct {
		seal  string
		since int
	}{
		"A":      {"A", 0},
		"AA":     {"A", 0},
		"AAAA":   {"A", 0},
		"AB":     {"B", 1},
		"ABBB":   {"B", 1},
		"ABA":    {"A", 2},
		"AABAA":  {"A", 3},
		"ABCBA":  {"A", 4},
		"A-A":    {"A", 2},
		"A-":     {"", 0},
		"A--":    {"", 0},
		"-A":     {"A", 1},
		"AA-BBA": {"A", 5},
	} {
		t.Run(seals, func(t *testing.T) {
			r := sealed(seals)
			got, at := r.Seal()
			wantAt, wantSeal := minute(want.since), strings.Repeat(strings.ToLower(want.seal), 64)
			if want.seal == "" {
				wantAt = time.Time{}
			}
			if got != wantSeal || !at.Equal(wantAt) {
				t.Errorf("got %.3s since %v, want %.3s since %v", got, at, wantSeal, wantAt)
			}
		})
	}
	if got, at := new(Record).Seal(); got != "" || !at.IsZero() {
		t.Errorf("got %q since %v for no head, want nothing", got, at)
	}
}

func sealed(letters string) *Record {
	r := &Record{}
	for i, letter := range letters {
		hash := ""
		if letter != '-' {
			hash = seal(strings.ToLower(string(letter)))
		}
		r.See(sha(i+1), hash, minute(i))
	}
	return r
}

func TestSee(t *testing.T) {
	a, b := seal("a"), seal("b")
	var r Record
	r.See(sha(1), a, minute(0))
	r.See(sha(1), a, minute(1)) // again
	r.See(sha(2), b, minute(2))
	before := r.Heads
	r.See(sha(1), a, minute(3)) // it comes back
	r.See(sha(1), b, minute(4)) // and is retargeted
	want := []Head{{sha(1), a, minute(0)}, {sha(2), b, minute(2)}, {sha(1), a, minute(3)}, {sha(1), b, minute(4)}}
	if diff := cmp.Diff(want, r.Heads); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want[:2], before); diff != "" {
		t.Errorf("heads of before were written to (-want +got):\n%s", diff)
	}
	if h, ok := r.HeadAt(sha(1)); !ok || h != want[3] {
		t.Errorf("got %+v, want the newest entry", h)
	}
	if h, ok := r.HeadAt(sha(3)); ok {
		t.Errorf("got %+v of a head that was not there", h)
	}
	if got := r.SealOf(sha(2)); got != b {
		t.Errorf("got the seal %q", got)
	}
	if got := r.SealOf(sha(3)); got != "" {
		t.Errorf("got the seal %q of a head that was not there", got)
	}
	r.See(sha(4), "", minute(5))
	r.See(sha(2), "", minute(6))
	if diff := cmp.Diff(map[string]string{sha(1): b}, r.Seals()); diff != "" {
		t.Errorf("seals (-want +got):\n%s", diff)
	}
}

// TestManyHeads shows which heads are forgotten.
func TestManyHeads(t *testing.T) {
	t.Run("of different seals the oldest", func(t *testing.T) {
		r := sealed(strings.Repeat("AB", 150))
		if len(r.Heads) != 200 || r.Heads[0].SHA != sha(101) || r.Heads[199].SHA != sha(300) {
			t.Errorf("got %d heads from %s to %s", len(r.Heads), r.Heads[0].SHA, r.Heads[199].SHA)
		}
	})
	t.Run("of one seal none that matters", func(t *testing.T) {
		r := sealed("BAAAAA")
		r.Witness([]promotion.Review{says(1, carol, promotion.Approved, 4, 3)})
		for i := 7; i <= 500; i++ {
			r.See(sha(i), seal("a"), minute(i-1))
		}
		if _, at := r.Seal(); len(r.Heads) != 200 || !at.Equal(minute(1)) {
			t.Errorf("got %d heads, and a seal since %v, want 200 and %v", len(r.Heads), at, minute(1))
		}
		for _, n := range []int{4, 5, 499, 500} { // what carol approved, what came then, and the newest
			if r.SealOf(sha(n)) != seal("a") {
				t.Errorf("head %d is forgotten", n)
			}
		}
		if _, ok := r.HeadAt(sha(1)); ok {
			t.Error("the oldest head is there still")
		}
	})
	t.Run("never the end of a run", func(t *testing.T) {
		r := sealed("AB" + strings.Repeat("A", 300))
		if _, at := r.Seal(); len(r.Heads) != 200 || at.Before(minute(2)) {
			t.Errorf("got %d heads, and a seal since %v: the first A is not of this run", len(r.Heads), at)
		}
	})
	t.Run("reviewed ones where all are", func(t *testing.T) {
		r := sealed(strings.Repeat("AB", 100))
		for i := range 200 {
			r.Reviews = append(r.Reviews, Review{ID: int64(i + 1), By: carol, Commit: sha(i + 1)})
		}
		r.See(sha(201), seal("a"), minute(201))
		if len(r.Heads) != 200 || r.Heads[0].SHA != sha(2) {
			t.Errorf("got %d heads from %s, want 200 from the second", len(r.Heads), r.Heads[0].SHA)
		}
	})
}

// TestThinForgetsOnly holds whatever is kept to what was there: no run of one seal begins
// earlier, and the newest head stays.
func TestThinForgetsOnly(t *testing.T) {
	const letters = "ABAABBBA-AABA--AAABBAAAAA"
	for n := 1; n <= len(letters); n++ {
		r := sealed(letters[:n])
		_, since := r.Seal()
		for most := 1; most <= n; most++ {
			for reviewed := 1; reviewed <= n; reviewed++ {
				kept := Record{Heads: thin(r.Heads, []Review{{Commit: sha(reviewed)}}, most)}
				hash, at := kept.Seal()
				if want, _ := r.Seal(); len(kept.Heads) != most || hash != want || at.Before(since) {
					t.Fatalf("%d of %s, with %d reviewed: the seal %.1s is of %v, want %.1s of %v or later", most, letters[:n], reviewed, hash, at, want, since)
				}
			}
		}
	}
}
