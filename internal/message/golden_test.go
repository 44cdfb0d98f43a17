package message

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// digestOf repeats a digit: sha256:aaaa... is easy to tell from sha256:bbbb...
const base = "ba5eba5eba5eba5eba5eba5eba5eba5eba5eba5e" // commit

func digestOf(digit string) string { return "sha256:" + strings.Repeat(digit, 64) }

const seal = "5ea15ea15ea15ea15ea15ea15ea15ea15ea15ea15ea15ea15ea15ea15ea15ea1"

func shop() Image {
	return Image{
		Name: "ghcr.io/acme/shop", OldTag: "1.4", Tag: "1.4", NewDigest: digestOf("a"),
		Platforms: []string{"linux/amd64", "linux/arm64"}, Created: time.Date(2026, 6, 30, 23, 30, 0, 0, time.UTC),
		Source: "https://github.com/acme/shop", Revision: "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d", Version: "1.4.2",
		Places: []Place{{Path: "envs/prod/shop.yaml", Line: 12, Object: "Deployment shop"}},
	}
}

const details = "https://pinnace.example.com/acme/config/pull/12"

var (
	carol = promotion.Identity{ID: 583231, Login: "carol"}
	dave  = promotion.Identity{ID: 9919, Login: "dave_acme"}
	robot = promotion.Identity{ID: 49699333, Login: "dependabot[bot]", Bot: true}
)

func asked() promotion.Request {
	return promotion.Request{
		ID: "comment-123", Kind: promotion.Promotion, App: "shop", Env: "prod", From: "staging",
		Images: []promotion.Wanted{{Repository: "ghcr.io/acme/shop", Tag: "1.5.0", Digest: image.Digest(digestOf("b"))}},
		At:     time.Date(2026, 7, 1, 9, 30, 12, 0, time.FixedZone("", 7200)),
		By:     []promotion.Identity{dave}, Reason: "the basket fix that @carol waits for",
	}
}

// decided is a verdict of each status.
func decided() *promotion.Decision {
	const file = ".pinnace/policies/prod.yaml"
	soak := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	return &promotion.Decision{
		Status:  promotion.Denied,
		Summary: "denied: the digest is signed by acme/shop",
		Results: []promotion.Result{
			{Rule: "configuration", Status: promotion.Passed, Title: "the rules in .pinnace/ can be read"},
			{Rule: "seal", Status: promotion.Passed, Title: "the head is the sealed change and nothing else", Wanted: "the sealed edits on their own parent"},
			{Rule: "policy", Status: promotion.Denied, Title: "policy prod-approvals", Policy: "prod-approvals", File: file, Line: 3, Children: []promotion.Result{
				{
					Rule: "approvals", Status: promotion.Waiting, Title: "1 of 2 approvals", Policy: "prod-approvals", File: file, Line: 12,
					Seen: "1 approval, by carol", Wanted: "2 approvals by acme/release or carol#583231, not by who asked",
					Who: "acme/release or carol#583231", Next: "approve this pull request",
					Children: []promotion.Result{{Rule: "approval", Status: promotion.Passed, Title: "carol approved, which counts until 2026-07-08 10:00 UTC", Until: time.Date(2026, 7, 8, 10, 0, 0, 0, time.UTC)}},
				},
				{
					Rule: "pass-condition", Status: promotion.Denied, Title: "passCondition: signedBy(image, 'acme/shop')", Policy: "prod-approvals", File: file, Line: 8,
					Seen: "no signature", Wanted: "a signature by acme/shop", Who: "who builds the image", Next: "sign ghcr.io/acme/shop@sha256:bbbbbbbbbbbb",
				},
			}},
			{Rule: "soak", Status: promotion.Waiting, Title: "1h in staging", Seen: "since 2026-07-01 11:00 UTC", Wanted: "1h", Until: soak, File: ".pinnace/config.yaml", Line: 22},
			{
				Rule: "gate", Status: promotion.Unknown, Title: "deployment staging by argo-cd is green", Missing: []string{"deployments of acme/config"},
				Who: "Pinnace", Next: "give the App the permissions that docs/promotions.md lists",
			},
			{Rule: "freeze", Status: promotion.Skipped, Title: "freeze weekend does not hold now", Until: time.Date(2026, 7, 3, 18, 0, 0, 0, time.UTC)},
		},
		Approvals: []promotion.Approval{{By: carol, Review: 1001, At: time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC)}},
		Ignored: []promotion.Ignored{
			{By: dave, Review: 1002, Reason: "asked for the promotion"},
			{By: robot, Review: 1003, Reason: "is a bot"},
		},
		Recheck: soak,
	}
}

// The cases that goldens show. Each is one kind of pull request that people meet.
var cases = map[string]PullRequest{
	"pin-one": {
		Kind: promotion.Pin, Environments: []string{"prod"}, App: "", Repository: "acme/config", Base: "main",
		Images: []Image{shop()}, Seal: seal, Version: "0.3.0",
	},
	"pin-several": {
		Kind: promotion.Pin, Environments: []string{"prod"}, Repository: "acme/config", Base: "main",
		Images: []Image{
			shop(),
			{
				Name: "nginx", Tag: "latest", NewDigest: digestOf("b"), Platforms: []string{"linux/386", "linux/amd64", "linux/arm/v5", "linux/arm/v7", "linux/arm64/v8", "linux/mips64le", "linux/ppc64le", "linux/s390x"},
				Version: "1.27.3", Places: []Place{
					{Path: "envs/prod/web.yaml", Line: 21, Object: "Deployment web"},
					{Path: "envs/prod/web.yaml", Line: 54, Object: "Deployment web"},
					{Path: "envs/prod/edge/values.yaml", Line: 3},
				},
			},
			{
				Name: "registry.example.com:5000/tools/migrate", OldTag: "v2", Tag: "v2", OldDigest: digestOf("c"), NewDigest: digestOf("d"),
				Revision: "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f", Source: "https://git.example.com/tools/migrate",
				Places: []Place{{Path: "envs/prod/shop.yaml", Line: 31, Object: "Job migrate"}},
			},
		},
		Left: []Left{
			{Path: "envs/prod/chart/templates/api.yaml", Line: 9, Image: "{{ .Values.image }}", Reason: "the value is a template"},
			{Path: "envs/prod/old.yaml", Line: 4, Image: "ghcr.io/acme/legacy:7", Reason: "ghcr.io denies acme/legacy: the image is private or does not exist"},
		},
		Notes: []string{"ghcr.io limits requests until 2026-07-01T12:00:00Z. Images that were not resolved follow in the next pass."},
		Seal:  seal, Version: "0.3.0",
	},
	"pin-shared": {
		Kind: promotion.Pin, Environments: []string{"dev", "staging", "prod"}, Shared: true, Repository: "acme/config", Base: "main",
		Images: []Image{shop()}, Seal: seal, Version: "0.3.0",
	},
	"pin-all": {
		Kind: promotion.Pin, All: true, Repository: "acme/config", Base: "main",
		Images: []Image{shop(), {Name: "redis", OldTag: "7", Tag: "7", NewDigest: digestOf("e"), Places: []Place{{Path: "compose.yaml", Line: 8}}}},
		Seal:   seal, Version: "0.3.0",
	},
	"update": {
		Kind: promotion.Update, Environments: []string{"dev"}, App: "shop", Repository: "acme/config", Base: "main",
		Images: []Image{func() Image {
			i := shop()
			i.Tag, i.OldDigest, i.NewDigest, i.Version = "1.5.0", digestOf("a"), digestOf("b"), "1.5.0"
			return i
		}()},
		Seal: seal, Version: "0.3.0",
	},
	"update-digest": {
		Kind: promotion.Update, Environments: []string{"dev"}, App: "shop", Repository: "acme/config", Base: "main",
		Images: []Image{
			{Name: "ghcr.io/acme/shop", OldTag: "main", Tag: "main", OldDigest: digestOf("a"), NewDigest: digestOf("b"), Places: []Place{{Path: "envs/dev/kustomization.yaml", Line: 7}}},
			{Name: "ghcr.io/acme/shop-worker", OldTag: "main", Tag: "main", OldDigest: digestOf("c"), NewDigest: digestOf("d"), Places: []Place{{Path: "envs/dev/kustomization.yaml", Line: 10}}},
		},
		Seal: seal, Version: "0.3.0",
	},
	"promotion": {
		Kind: promotion.Promotion, Environments: []string{"prod"}, App: "shop", Repository: "acme/config", Base: "main",
		Images: []Image{func() Image {
			i := shop()
			i.OldTag, i.Tag, i.OldDigest, i.NewDigest, i.Version = "1.4", "1.5.0", digestOf("a"), digestOf("b"), "1.5.0"
			i.Places = append(i.Places, Place{Path: "envs/prod/shop.yaml", Line: 40, Object: "CronJob shop-clean"})
			return i
		}()},
		Seal: seal, Version: "0.3.0", Request: asked(), Decision: decided(),
		Approvers: "one of acme/release or carol#583231, but not who asked and not who built it",
		Deploys:   "Pinnace merges once all rules hold and a deployer comments /deploy.",
		Undo:      "pinnace rollback shop --env prod", DetailsURL: details,
	},
	"promotion-skipped": {
		Kind: promotion.Promotion, Environments: []string{"prod"}, App: "shop", Repository: "acme/config", Base: "main",
		Images: []Image{
			{Name: "ghcr.io/acme/shop", OldTag: "main", Tag: "main", OldDigest: digestOf("a"), NewDigest: digestOf("b"), Places: []Place{{Path: "envs/prod/shop.yaml", Line: 12}}},
		},
		Notes: []string{"A newer version, 1.5.1, is queued behind this pull request."},
		Seal:  seal, Version: "0.3.0",
		Request:   promotion.Request{ID: "auto-9f86d081", Kind: promotion.Promotion, Skipped: []string{"qa", "staging"}, Auto: true, Unknown: true},
		Decision:  &promotion.Decision{Status: promotion.Passed, Summary: "all rules hold", Results: []promotion.Result{{Rule: "seal", Status: promotion.Passed, Title: "the head is the sealed change and nothing else"}}},
		Approvers: "nobody has to", Deploys: "A person presses merge.",
	},
	"promotion-several": {
		Kind: promotion.Promotion, Environments: []string{"prod"}, App: "shop", Repository: "acme/config", Base: "main",
		Images: []Image{
			{Name: "ghcr.io/acme/shop", OldTag: "1.4", Tag: "1.5.0", OldDigest: digestOf("a"), NewDigest: digestOf("b"), Places: []Place{{Path: "envs/prod/shop.yaml", Line: 12}}},
			{Name: "ghcr.io/acme/shop-worker", OldTag: "1.4", Tag: "1.5.2", OldDigest: digestOf("c"), NewDigest: digestOf("d"), Places: []Place{{Path: "envs/prod/shop.yaml", Line: 31}}},
		},
		Seal: seal, Version: "0.3.0", Request: asked(),
		Diverged: &Diverged{Commit: "9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c", Author: "Carol Doe", Why: "a merge"},
	},
	"rollback": {
		Kind: promotion.Rollback, Environments: []string{"prod"}, App: "shop", Repository: "acme/config", Base: "main",
		Images: []Image{{
			Name: "ghcr.io/acme/shop", OldTag: "1.5.0", Tag: "1.4", OldDigest: digestOf("b"), NewDigest: digestOf("a"),
			Places: []Place{{Path: "envs/prod/shop.yaml", Line: 12, Object: "Deployment shop"}},
		}},
		Seal: seal, Version: "0.3.0",
		Request: promotion.Request{
			ID: "comment-7", Kind: promotion.Rollback, App: "shop", Env: "prod", By: []promotion.Identity{dave}, Reason: "Baskets are empty!",
			At: time.Date(2026, 7, 1, 9, 30, 12, 0, time.UTC),
		},
		Decision:  &promotion.Decision{Status: promotion.Passed, Results: []promotion.Result{{Rule: "stood", Status: promotion.Passed, Title: "this digest stood in prod until 2026-07-01 08:11 UTC"}}},
		Approvers: "nobody has to", Deploys: "Pinnace merges at once.", Undo: "pinnace promote shop --to prod --image ghcr.io/acme/shop:1.5.0",
	},
	"diverged": {
		Kind: promotion.Pin, Environments: []string{"prod"}, Repository: "acme/config", Base: "main",
		Images: []Image{shop()}, Seal: seal, Version: "0.3.0",
		Diverged: &Diverged{Commit: "9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c", Author: "Carol Doe", Why: "a merge"},
	},
	"hostile": hostile(`x" @carol fixes #1 GH-2 <b>|</b> ` + "`a``b" + ` https://evil.example/ [a](javascript:b) ![i](//e) --> ` + "\u202e\u200bz\r\n\r\n# h\nPinnace-Seal: forged"),
}

// hostile puts one text into every field.
func hostile(s string) PullRequest {
	r, d := hostileRequest(s), hostileDecision(s)
	return PullRequest{
		Request: r, Decision: &d, Approvers: s, Deploys: s, Undo: s, DetailsURL: "x" + s,
		Kind: promotion.Pin, Environments: []string{s, s}, App: s, Repository: s, Base: s, Seal: s, Version: s,
		Images: []Image{{
			Name: s, OldTag: s, Tag: s + "2", OldDigest: s, NewDigest: s + "2", Platforms: []string{s},
			Source: s, Revision: s, Version: s, Places: []Place{{Path: s, Line: 1, Object: s}},
		}},
		Left:  []Left{{Path: s, Line: 2, Image: s, Reason: s}},
		Notes: []string{s}, Diverged: &Diverged{Commit: s, Author: s, Why: s},
	}
}

func hostileRequest(s string) promotion.Request {
	return promotion.Request{
		ID: s + "1", Kind: promotion.Promotion, App: s, Env: s, From: s, Skipped: []string{s, s}, At: time.Unix(1, 0),
		By: []promotion.Identity{{ID: 99, Login: s}, {Login: s}, {}}, Reason: s, Images: []promotion.Wanted{{Repository: s, Tag: s, Digest: image.Digest(s)}},
	}
}

// hostileDecision has every status, at several depths.
func hostileDecision(s string) promotion.Decision {
	d := promotion.Decision{
		Status: promotion.Denied, Summary: s, Recheck: time.Unix(1, 0),
		Approvals: []promotion.Approval{{By: promotion.Identity{ID: 99, Login: s}, At: time.Unix(1, 0)}, {By: promotion.Identity{Login: s}}},
		Ignored:   []promotion.Ignored{{By: promotion.Identity{ID: 99, Login: s}, Reason: s}},
	}
	for _, status := range []promotion.Status{promotion.Passed, promotion.Skipped, promotion.Waiting, promotion.Unknown, promotion.Denied, promotion.Status(s)} {
		r := promotion.Result{
			Rule: s, Status: status, Title: s, Policy: s, File: s, Line: 3, Seen: s, Wanted: s, Missing: []string{s, s}, Who: s, Next: s, Until: time.Unix(1, 0),
		}
		bare := promotion.Result{Status: status, Who: s}
		step := promotion.Result{Status: status, Next: s}
		r.Children = []promotion.Result{r, bare, step}
		d.Results = append(d.Results, r)
	}
	return d
}

// TestGolden holds each case to testdata/<name>.txtar.
func TestGolden(t *testing.T) {
	for name, p := range cases {
		t.Run(name, func(t *testing.T) {
			a := &txtar.Archive{Files: []txtar.File{
				{Name: "title", Data: []byte(p.Title() + "\n")},
				{Name: "body.md", Data: []byte(p.Body())},
				{Name: "commit", Data: []byte(p.Commit(base))},
			}}
			if p.Diverged != nil {
				finished := p
				finished.Diverged, finished.Finished = nil, true
				a.Files = append(a.Files, txtar.File{Name: "finished.md", Data: []byte(finished.Body())})
			}
			golden(t, name, a)
		})
	}
}

// golden holds an archive to testdata/<name>.txtar.
func golden(t *testing.T, name string, a *txtar.Archive) {
	t.Helper()
	got, file := txtar.Format(a), filepath.Join("testdata", name+".txtar")
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got), go test -update rewrites it:\n%s", file, diff)
	}
}
