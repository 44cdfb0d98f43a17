package onboard

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/config"
)

func TestEnvironments(t *testing.T) {
	for name, tc := range map[string]struct {
		paths []string
		want  []Environment
	}{
		"none":  {[]string{"a.yaml", "k8s/b.yaml", "x/env.yaml"}, nil},
		"envs":  {[]string{"envs/prod/a.yaml", "envs/dev/x/a.yaml", "envs/base/a.yaml", "envs/eu-1/a.yaml"}, []Environment{{"eu-1", []string{"envs/eu-1/**"}, false}, {"dev", []string{"envs/dev/**"}, false}, {"prod", []string{"envs/prod/**"}, true}}},
		"apps":  {[]string{"apps/a/overlays/dev/k.yaml", "apps/b/overlays/dev/k.yaml", "apps/a/overlays/prod-eu/k.yaml"}, []Environment{{"dev", []string{"apps/*/overlays/dev/**"}, false}, {"prod-eu", []string{"apps/a/overlays/prod-eu/**"}, true}}},
		"flux":  {[]string{"apps/production/a.yaml", "clusters/production/b.yaml", "apps/base/c.yaml", "infrastructure/staging/d.yaml"}, []Environment{{"staging", []string{"infrastructure/staging/**"}, false}, {"production", []string{"apps/production/**", "clusters/production/**"}, true}}},
		"outer": {[]string{"envs/dev/overlays/prod/a.yaml", "envs/dev/prod/values-qa.yaml"}, []Environment{{"dev", []string{"envs/dev/**"}, false}}},
		"helm":  {[]string{"charts/shop/values-prod.yaml", "charts/shop/values.yaml", "charts/shop/values-dev.yaml", "charts/shop/values-extra.yaml"}, []Environment{{"dev", []string{"charts/shop/values-dev.yaml"}, false}, {"prod", []string{"charts/shop/values-prod.yaml"}, true}}},
		"odd":   {[]string{"envs/Dev_EU/a.yaml", "envs/[x]/a.yaml", "envs/...../a.yaml"}, []Environment{{"x", []string{"envs/[[]x]/**"}, false}, {"dev-eu", []string{"envs/Dev_EU/**"}, false}}},
		// The wide glob apps/*/overlays/dev/** would reach into envs/overlays/dev, which is another environment's.
		"clash": {[]string{"x/a/overlays/dev/k.yaml", "x/b/overlays/dev/k.yaml", "x/envs/overlays/dev/k.yaml"}, []Environment{{"overlays", []string{"x/envs/overlays/**"}, false}, {"dev", []string{"x/a/overlays/dev/**", "x/b/overlays/dev/**"}, false}}},
	} {
		t.Run(name, func(t *testing.T) {
			got := environments(tc.paths)
			if diff := cmp.Diff(got, tc.want); diff != "" {
				t.Errorf("(-got +want):\n%s", diff)
			}
			c, ps := config.Parse("config.yaml", (Layout{Environments: got}).File(0))
			if len(ps) > 0 {
				t.Fatalf("%s", ps.Error())
			}
			if ps := append(c.Overlaps(tc.paths), c.Unmatched(tc.paths)...); len(ps) > 0 {
				t.Errorf("%s", ps.Error())
			}
		})
	}
}

func TestFile(t *testing.T) {
	text := string((Layout{
		Environments: []Environment{{"prod", []string{"envs/prod/**"}, true}, {"dev", []string{"envs/dev/**"}, false}, {"staging", []string{"envs/staging/**"}, false}},
		Apps:         []App{{"shop", []string{"ghcr.io/acme/shop", "ghcr.io/acme/shop-worker"}}},
	}).File(0))
	c, ps := config.Parse("config.yaml", []byte(text))
	if len(ps) > 0 {
		t.Fatalf("%s\n%s", text, ps.Error())
	}
	if !strings.HasPrefix(text, "# yaml-language-server: $schema="+config.SchemaID+"\n") {
		t.Errorf("the first line names no schema:\n%s", text)
	}
	var order []string
	for _, e := range c.Environments {
		order = append(order, e.Name+" after "+strings.Join(e.After, ","))
	}
	if diff := cmp.Diff(order, []string{"dev after ", "staging after dev", "prod after staging"}); diff != "" {
		t.Errorf("order (-got +want):\n%s", diff)
	}
	if len(c.Apps) != 1 || len(c.Apps[0].Images) != 2 || !c.Environments[2].Production {
		t.Errorf("got %+v", c)
	}
}

// TestFileGuesses shows that a guess is a comment, and that the text parses with the
// guess taken, too.
func TestFileGuesses(t *testing.T) {
	text := string((Layout{Environments: []Environment{
		{"dev", []string{"a/**"}, false}, {"qa", []string{"b/**"}, false}, {"test", []string{"c/**"}, false}, {"prod-eu", []string{"d/**"}, true}, {"blue", []string{"e/**"}, false},
	}}).File(0))
	if c, ps := config.Parse("config.yaml", []byte(text)); len(ps) > 0 || len(c.Environments[4].After) > 0 {
		t.Errorf("%s\n%s", text, ps.Error())
	}
	taken := strings.ReplaceAll(text, "# after:", "after:")
	c, ps := config.Parse("config.yaml", []byte(taken))
	if len(ps) > 0 {
		t.Fatalf("%s\n%s", taken, ps.Error())
	}
	prod, _ := c.Environment("prod-eu")
	if diff := cmp.Diff(prod.After, []string{"qa", "test"}); diff != "" {
		t.Errorf("prod-eu (-got +want):\n%s", diff)
	}
}

func FuzzFile(f *testing.F) {
	f.Add("dev", "envs/dev/**", "shop", "ghcr.io/acme/shop")
	f.Add("on", "a\"b\n", "123", "nginx:1")
	f.Add("Ünïcode", "{a,b}/\x1b", "a.lock", "x")
	f.Add("1e5", "\u0085\u2028", "1e5", "1e5")
	f.Fuzz(func(t *testing.T, env, path, app, img string) {
		found := append(environments([]string{path, "envs/" + env + "/" + path}), Environment{env, []string{path}, true}, Environment{path, []string{path, env + "/**"}, false})
		text := (Layout{Environments: found, Apps: []App{{app, []string{img, img}}, {img, []string{img, app}}}}).File(7)
		if _, ps := config.Parse("config.yaml", text); len(ps) > 0 {
			t.Errorf("%s\n%s", text, ps.Error())
		}
	})
}
