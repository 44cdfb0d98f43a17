package policy

import (
	"fmt"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// TestFlags is the truth table of the flags that keep people apart, over who approves, who
// deploys and how many are asked. The oracle knows nothing of how Decide works: alice asks,
// bob built the image, carol and dave are neither. Where no approval is asked nobody is an
// approver.
func TestFlags(t *testing.T) {
	everybody := []promotion.Identity{alice, bob, carol, dave}
	cases, passes := 0, 0
	for flags := range 8 {
		requester, builder, deployer := flags&1 != 0, flags&2 != 0, flags&4 != 0
		for count := range 5 {
			in := promote(t, policyDoc("flags", fmt.Sprintf("approverCount: %d\nallowRequestFromApprove: %v\nallowImageBuilderFromApprove: %v\nallowApproverFromDeploy: %v\napplyTo: [{env: prod}]", count, requester, builder, deployer)))
			for who := range 1 << len(everybody) {
				in.Reviews = nil
				counted := map[int64]bool{}
				for i, p := range everybody {
					if who&(1<<i) == 0 {
						continue
					}
					in.Reviews = append(in.Reviews, approves(p, time.Duration(i+1)*time.Hour))
					if (p != alice || requester) && (p != bob || builder) {
						counted[p.ID] = true
					}
				}
				for _, by := range everybody {
					in.Deploy = Deploy{DeployCommand, []DeployAsk{{By: by, At: now.Add(-time.Minute)}}}
					want := len(counted) >= count && (deployer || count == 0 || !counted[by.ID])
					got := Decide(in)
					cases++
					if got.Status == promotion.Passed {
						passes++
					}
					if (got.Status == promotion.Passed) != want {
						t.Fatalf("flags %03b, count %d, approvals of %04b, /deploy by %s: %s, want passed %v\n%s", flags, count, who, by.Login, got.Status, want, render(got))
					}
				}
			}
		}
	}
	if passes == 0 || passes == cases {
		t.Errorf("%d of %d pass: the table tells nothing", passes, cases)
	}
}
