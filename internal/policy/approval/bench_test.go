package approval

import (
	"fmt"
	"testing"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// crowd is a world of fifty reviews, of every sort, and twenty needs.
func crowd() Input {
	in := world()
	in.Needs = nil
	for i := range 20 {
		in.Needs = append(in.Needs, Need{
			Policy: fmt.Sprint("policy", i), File: ".pinnace/policies/all.yaml", Line: 10 * i, Count: i % 7,
			Approvers: []Role{{Teams: []string{"acme/release", fmt.Sprint("acme/team", i)}, Users: []User{{Login: "carol", ID: 3}}}},
		})
	}
	states := []promotion.ReviewState{promotion.Approved, promotion.Approved, promotion.Commented, promotion.Approved, promotion.ChangesRequested}
	for i := range int64(50) {
		who := promotion.Identity{ID: 100 + i*2/3, Login: fmt.Sprint("person", i*2/3)}
		in.People[who.ID] = member([]promotion.Permission{"write", "read", "admin"}[i%3], Answer(i%3))
		in.Reviews = append(in.Reviews, says(i+1, who, states[i%5], int(i)))
	}
	return in
}

func BenchmarkCount(b *testing.B) {
	in := crowd()
	b.ReportAllocs()
	for b.Loop() {
		Count(in)
	}
}
