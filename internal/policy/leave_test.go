package policy

import (
	"strings"
	"testing"
)

// TestLeave: a warning where a policy that asks for no approval alone lets images skip
// environments, and does not say so.
func TestLeave(t *testing.T) {
	const pass = "passCondition: isSemver(containerImageTag)\n"
	alone := policyDoc("a", pass+"applyTo: [{app: shop, env: prod}]\n")
	for _, row := range []struct{ name, docs, want string }{
		{"alone", alone, "the policy a alone lets shop come directly to prod, and asks for no approval: write approverCount, or promotions: [sequential]"},
		{"for some pair", policyDoc("a", "applyTo: [{env: \"*\"}]\n"), "the policy a alone lets shop come directly to staging"},
		{"of an image", policyDoc("a", "applyTo: [{env: prod, image: \"ghcr.io/acme/*\"}]\n"), "the policy a alone lets shop come directly to prod"},
		{"beside one that governs the rest", alone + "---\n" + policyDoc("b", "approverCount: 1\npromotions: [sequential]\napplyTo: [{env: prod}]\n"), "the policy a alone"},
		{"beside one that governs it", alone + "---\n" + policyDoc("b", "approverCount: 1\napplyTo: [{env: prod}]\n"), ""},
		{"beside one that forbids it", alone + "---\n" + policyDoc("b", "promotions: [sequential]\nforbid: [direct]\napplyTo: [{env: prod}]\n"), ""},
		{"promotions is written", policyDoc("a", pass+"promotions: [direct, sequential]\napplyTo: [{env: prod}]\n"), ""},
		{"approverCount is written", policyDoc("a", pass+"approverCount: 0\napplyTo: [{env: prod}]\n"), ""},
		{"nothing comes before", policyDoc("a", pass+"applyTo: [{env: dev}]\n"), ""},
	} {
		_, ps := Load(documents("p.yaml", []byte(row.docs)), shopWorld())
		text := ps.Error()
		if ps.HasErrors() || row.want == "" && len(ps) > 0 || !strings.Contains(text, row.want) {
			t.Errorf("%s: got %q, want %q", row.name, text, row.want)
		}
	}
}
