package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAccessors(t *testing.T) {
	c, ps := Parse(".pinnace/config.yaml", []byte(`apiVersion: pinnace.dev/v1alpha1
kind: Config
environments:
  - {name: dev, paths: [a/**]}
  - {name: qa, paths: [b/**]}
  - {name: all, paths: [c/**], after: [dev, qa]}
  - {name: any, paths: [d/**], afterAny: [dev, qa]}
apps: [{name: shop, images: [shop]}]
registryMap: {"*": mirror.example, ghcr.io: ghcr.example}
`))
	if len(ps) > 0 {
		t.Fatal(ps.Error())
	}
	if c.File() != ".pinnace/config.yaml" {
		t.Errorf("File = %q", c.File())
	}
	for name, want := range map[string]bool{"all": false, "any": true} {
		e, ok := c.Environment(name)
		got, one := e.Sources()
		if diff := cmp.Diff(got, []string{"dev", "qa"}); !ok || one != want || diff != "" {
			t.Errorf("Sources of %s: one %v (-got +want):\n%s", name, one, diff)
		}
	}
	if a, ok := c.App("shop"); !ok || a.Images[0] != "shop" {
		t.Errorf("App = %+v, %v", a, ok)
	}
	if _, ok := c.App("other"); ok {
		t.Error("there is no app other")
	}
	for registry, want := range map[string]string{"ghcr.io": "ghcr.example", "quay.io": "mirror.example"} {
		if got, ok := c.MirrorOf(registry); got != want || !ok {
			t.Errorf("MirrorOf(%s) = %q, %v, want %q", registry, got, ok, want)
		}
	}
	if line, column := c.Locate("/apps/0/name"); line != 8 || column != 15 {
		t.Errorf("Locate: got %d:%d, want 8:15", line, column)
	}
	if line, column := c.Locate("/pin"); line != 0 || column != 0 {
		t.Errorf("Locate of a default: got %d:%d, want none", line, column)
	}
}

func TestChain(t *testing.T) {
	if got := chain(strings.Split("abcdefghijka", "")); got != "a -> b -> c -> d -> e -> f -> ... -> a" {
		t.Errorf("got %s", got)
	}
}
