package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestOrigin fetches, plans and pushes on a small repository, and counts.
func TestOrigin(t *testing.T) {
	dir := t.TempDir()
	home := filepath.Join(dir, "home")
	if err := os.Mkdir(home, 0o755); err != nil {
		t.Fatal(err)
	}
	const files, commits = 600, 10
	o, err := openOrigin(filepath.Join(dir, "git"), home, 1, files, commits, 30, 348)
	if errors.Is(err, errNoGit) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer o.server.Close()
	h := &history{bench: &bench{}, origin: o}
	for _, who := range []string{pinnace, gogitName} {
		if err := os.Mkdir(h.place(who), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, run := range []struct{ who, what string }{{pinnace, "cold"}, {gogitName, "cold"}, {gogitName, "warm"}, {pinnace, "warm"}, {pinnace, "push"}} {
		p := &phase{ctx: context.Background(), url: o.url, dir: h.place(run.who), rounds: 2}
		if err := phases[run.who+" "+run.what](p); err != nil {
			t.Fatalf("%s %s: %v", run.who, run.what, err)
		}
		for _, s := range p.samples {
			s.Name = run.what + ": " + s.Name
			h.add(run.who, s)
		}
	}
	h.counts()
	if len(h.claims) < 16 {
		t.Errorf("%d things were counted, want at least 16", len(h.claims))
	}
	for _, c := range h.claims {
		if !c.met {
			t.Errorf("%s: %s, want %s", c.what, c.measured, c.bound)
		}
	}
	if s := h.step(gogitName, "cold: read all blobs"); s.Blobs != files {
		t.Errorf("go-git reads %d blobs, want %d", s.Blobs, files)
	}
	again, err := openOrigin(o.dir, home, 1, files, commits, 30, 348)
	if err != nil {
		t.Fatal(err)
	}
	defer again.server.Close()
	refs, err := again.git(nil, again.bare, "for-each-ref", "--format=%(refname)")
	if err != nil || string(refs) != "refs/heads/main\n" {
		t.Errorf("the kept repository has refs %q (%v), want main alone", refs, err)
	}
}
