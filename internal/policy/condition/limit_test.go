package condition

import "testing"

func TestLimits(t *testing.T) {
	seen := map[string]bool{}
	for _, l := range Limits() {
		if l.Of == "" || l.Most == "" || seen[l.Of] {
			t.Errorf("%+v says nothing, or is there twice", l)
		}
		seen[l.Of] = true
	}
	for n, want := range map[int]string{4: "4", 999: "999", 1024: "1,024", maxCost: "1,000,000"} {
		if got := grouped(n); got != want {
			t.Errorf("grouped(%d) = %s, want %s", n, got, want)
		}
	}
}
