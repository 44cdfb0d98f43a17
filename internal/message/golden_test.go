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
		Images: []Image{{
			Name: "ghcr.io/acme/shop", OldTag: "1.4", Tag: "1.5.0", OldDigest: digestOf("a"), NewDigest: digestOf("b"),
			Places: []Place{{Path: "envs/prod/shop.yaml", Line: 12, Object: "Deployment shop"}, {Path: "envs/prod/shop.yaml", Line: 40, Object: "CronJob shop-clean"}},
		}},
		Seal: seal, Version: "0.3.0",
	},
	"rollback": {
		Kind: promotion.Rollback, Environments: []string{"prod"}, App: "shop", Repository: "acme/config", Base: "main",
		Images: []Image{{
			Name: "ghcr.io/acme/shop", OldTag: "1.5.0", Tag: "1.4", OldDigest: digestOf("b"), NewDigest: digestOf("a"),
			Places: []Place{{Path: "envs/prod/shop.yaml", Line: 12, Object: "Deployment shop"}},
		}},
		Seal: seal, Version: "0.3.0",
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
	return PullRequest{
		Kind: promotion.Pin, Environments: []string{s, s}, App: s, Repository: s, Base: s, Seal: s, Version: s,
		Images: []Image{{
			Name: s, OldTag: s, Tag: s + "2", OldDigest: s, NewDigest: s + "2", Platforms: []string{s},
			Source: s, Revision: s, Version: s, Places: []Place{{Path: s, Line: 1, Object: s}},
		}},
		Left:  []Left{{Path: s, Line: 2, Image: s, Reason: s}},
		Notes: []string{s}, Diverged: &Diverged{Commit: s, Author: s, Why: s},
	}
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
		})
	}
}
