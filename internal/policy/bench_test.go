package policy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/policy/approval"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// manyPolicies are n policies with both conditions.
func manyPolicies(n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString("---\n")
		}
		fmt.Fprintf(&b, `apiVersion: pinnace.dev/v1alpha1
kind: ImagePromotionPolicy
name: p%d
approverCount: %d
passCondition: containerRepository.startsWith("ghcr.io/acme/") && isSemver(containerImageTag)
failCondition: '"wip" in imageLabels || containerImageTag.endsWith("-dirty-%d")'
applyTo: [{app: shop, env: prod}]
`, i, i%7, i)
	}
	return b.String()
}

// crowd is a change of ten images with fifty reviews.
func crowd(t testing.TB) Input {
	in := promote(t, manyPolicies(20))
	first := in.Changes[0]
	in.Changes = nil
	for i := range 10 {
		c := first
		c.Path = fmt.Sprintf("envs/prod/%d.yaml", i)
		c.New = ref(fmt.Sprintf("ghcr.io/acme/shop:1.5.%d@%s", i, newDigest))
		in.Changes = append(in.Changes, c)
	}
	in.Reviews = nil
	for i := range 50 {
		who := promotion.Identity{ID: int64(100 + i), Login: fmt.Sprintf("person-%d", i)}
		in.People[who.ID] = approval.Person{Permission: promotion.PermissionWrite}
		in.Reviews = append(in.Reviews, approves(who, time.Duration(i+1)*time.Minute))
	}
	return in
}

func BenchmarkDecide(b *testing.B) {
	in := crowd(b)
	if d := Decide(in); d.Status != promotion.Passed {
		b.Fatal(render(d))
	}
	b.ReportAllocs()
	for b.Loop() {
		Decide(in)
	}
}

func BenchmarkLoad(b *testing.B) {
	docs := documents("p.yaml", []byte(manyPolicies(20)))
	if _, ps := Load(docs, shopWorld()); len(ps) > 0 {
		b.Fatal(ps)
	}
	b.ReportAllocs()
	for b.Loop() {
		Load(docs, shopWorld())
	}
}
