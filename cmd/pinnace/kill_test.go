package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// TestKill kills the program while it writes: each file is either old or new, and the
// next run finishes the work.
func TestKill(t *testing.T) {
	const files = 400
	t.Setenv("PINNACE_TEST_REGISTRY", "")
	r := newRig(t)
	defer r.server.Close()
	ref, err := name.ParseReference(r.host + "/acme/shop:1")
	if err != nil {
		t.Fatal(err)
	}
	index, _, err := madeUp("kill")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(ref, index); err != nil {
		t.Fatal(err)
	}
	digest, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	old := []byte(strings.Repeat(fmt.Sprintf("- image: %s/acme/shop:1\n", r.host), 50))
	want := bytes.ReplaceAll(old, []byte("shop:1"), []byte("shop:1@"+digest.String()))

	cut := 0 // runs that were killed between two files
	for range 20 {
		work := t.TempDir()
		for i := range files {
			if err := os.WriteFile(filepath.Join(work, fmt.Sprintf("f%03d.yaml", i)), old, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.Command(os.Args[0], "pin", work)
		cmd.Env = append(os.Environ(), asPinnace+"=1")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for done := false; !done; { // until the first file is new
			data, err := os.ReadFile(filepath.Join(work, "f000.yaml"))
			done = err == nil && bytes.Equal(data, want)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		olds, news := 0, 0
		for i := range files {
			data, err := os.ReadFile(filepath.Join(work, fmt.Sprintf("f%03d.yaml", i)))
			switch {
			case err != nil:
				t.Fatal(err)
			case bytes.Equal(data, old):
				olds++
			case bytes.Equal(data, want):
				news++
			default:
				t.Fatalf("file %d is neither old nor new: %d bytes", i, len(data))
			}
		}
		again := exec.Command(os.Args[0], "pin", work)
		again.Env = append(os.Environ(), asPinnace+"=1")
		if out, err := again.CombinedOutput(); err != nil {
			t.Fatalf("the next run: %v\n%s", err, out)
		}
		if data, err := os.ReadFile(filepath.Join(work, fmt.Sprintf("f%03d.yaml", files-1))); err != nil || !bytes.Equal(data, want) {
			t.Fatalf("the next run did not finish: %v", err)
		}
		if olds > 0 && news > 0 {
			if cut++; cut == 3 {
				return
			}
		}
	}
	t.Errorf("only %d runs were killed in the middle", cut)
}
