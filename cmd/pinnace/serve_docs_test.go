package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestServer holds docs/server.md to what happens: its transcripts are those of the scripts.
func TestServer(t *testing.T) {
	file := filepath.Join("..", "..", "docs", "server.md")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got := transcripts(t, string(text))
	if update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(text), got); diff != "" {
		t.Errorf("docs/server.md is not what happens (-page +now), make golden rewrites it:\n%s", diff)
	}
}
