package condition

import (
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// now is a Thursday.
var now = time.Date(2026, 12, 24, 17, 30, 0, 0, time.UTC)

func parse(t testing.TB, s string) image.Ref {
	t.Helper()
	r, err := image.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// everything returns facts of which none is unknown.
func everything(t testing.TB) Facts {
	digest := image.Digest("sha256:" + strings.Repeat("a", 64))
	old := image.Digest("sha256:" + strings.Repeat("b", 64))
	shop := Image{
		Ref:         parse(t, "ghcr.io/acme/shop:v1.10.0@"+string(digest)),
		Created:     Known(now.Add(-48 * time.Hour)),
		Size:        Known(int64(1234)),
		Platforms:   Known([]string{"linux/amd64", "linux/arm64"}),
		Labels:      Known(map[string]string{"team": "payments", "org.opencontainers.image.revision": "c0ffee"}),
		Annotations: Known(map[string]string{"org.opencontainers.image.source": "https://github.com/acme/shop"}),
		Tags:        Known([]string{"prod", "v1.10.0", "main-123"}),
		Signatures: Known([]Signature{
			{Verified: false, Identity: "https://evil.example/", Issuer: "https://evil.example", Integrated: Known(now.Add(-47 * time.Hour))},
			{
				Verified: true, Keyless: true, Identity: "https://github.com/acme/shop/.github/workflows/release.yml@refs/heads/main",
				Issuer: "https://token.actions.githubusercontent.com", Integrated: Known(now.Add(-47 * time.Hour)),
			},
		}),
		Attestations: Known([]Attestation{{
			Verified: true, PredicateType: "https://slsa.dev/provenance/v1", Issuer: "https://token.actions.githubusercontent.com",
			Predicate: Known[any](map[string]any{"scanner": map[string]any{"critical": 0.0}}),
		}}),
		Provenance: Known(Provenance{
			Verified: true, BuilderID: "https://github.com/actions/runner/github-hosted", SourceRepo: "https://github.com/acme/shop",
			SourceRef: "refs/heads/main", SourceDigest: "c0ffee", Event: "push", Started: Known(now.Add(-48 * time.Hour)),
		}),
		Builder:  Known(Builder{Users: []promotion.Identity{{ID: 7, Login: "bob"}}, Workflow: ".github/workflows/release.yml"}),
		Previous: Known(parse(t, "ghcr.io/acme/shop:v1.9.0@"+string(old))),
	}
	worker := shop
	worker.Ref = parse(t, "ghcr.io/acme/shop-worker:v1.10.0@"+string(digest))
	place := func(env string) Place {
		return Place{
			Env: Known(env), Current: Known(old), Since: Known(now.Add(-30 * time.Hour)), Soak: Known(30 * time.Hour), LongestSoak: Known(50 * time.Hour),
			Verified: Known(true), VerifiedAt: Known(now.Add(-29 * time.Hour)), Checks: Known(map[string]string{"smoke": "success"}),
			Health: Known("success"), PreviousDigests: Known([]string{string(old), string(digest)}),
		}
	}
	return Facts{
		App: Known("shop"), Env: Known("prod"), Production: Known(true),
		GitCommitDetails: Known(map[string]Commit{
			"https://github.com/acme/shop": {Branch: "main", Message: "fix", SHA: "c0ffee", Author: "bob"},
		}),
		Image: shop, Images: Known([]Image{shop, worker}),
		Source: place("staging"), Target: place("prod"),
		Request: Request{
			ID: Known("r1"), Kind: Known(promotion.Promotion), By: Known(promotion.Identity{ID: 5, Login: "alice"}), Auto: Known(false),
			Rollback: Known(false), Hotfix: Known(false), SkippedEnvs: Known([]string{}), Reason: Known("INC-42 payments fail"),
			Created: Known(now.Add(-time.Hour)), Labels: Known([]string{"ship-it"}),
		},
		Requester: Known(Requester{People: []promotion.Identity{{ID: 4, Login: "zoe"}, {ID: 5, Login: "alice"}}, Teams: Known([]string{"acme/on-call"})}),
		Approvals: Known([]Approval{
			{By: promotion.Identity{ID: 8, Login: "carol"}, Teams: Known([]string{"acme/sre"}), At: Known(now.Add(-time.Hour))},
			{By: promotion.Identity{ID: 9, Login: "dan"}, Teams: Known([]string{"acme/release"}), At: Known(now.Add(-time.Minute))},
		}),
		Change:  Change{Kind: Known(ChangeMinor), Files: Known([]string{"envs/prod/shop.yaml"}), Kinds: Known([]string{"Deployment"})},
		Now:     Known(now),
		Members: map[Membership]bool{MembershipOf("alice", "acme/release"): true},
	}
}

// compiled returns a condition that compiles; warnings are allowed.
func compiled(t testing.TB, source string) *Condition {
	t.Helper()
	c, problems := Compile(source)
	if problems.HasErrors() {
		t.Fatalf("Compile(%s): %s", source, spelled(problems))
	}
	return c
}

func spelled(ps Problems) string {
	var b strings.Builder
	for _, p := range ps {
		b.WriteString(string(p.Severity) + ": " + p.Message + "\n" + p.Snippet + "\n")
	}
	return b.String()
}
