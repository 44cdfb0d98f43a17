package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/pinnace-dev/pinnace/internal/cli"
)

// TestReadme runs each command of the README's transcripts and compares what it prints.
// Registries are played by one in memory, to which a configuration maps all of them.
func TestReadme(t *testing.T) {
	file, err := filepath.Abs(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	if err := os.CopyFS(filepath.Join(work, "testdata", "demo"), os.DirFS(filepath.Join("..", "..", "testdata", "demo"))); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PINNACE_TEST_REGISTRY", "")
	t.Setenv("DOCKER_CONFIG", work)
	r := newRig(t)
	defer r.server.Close()
	for _, image := range []string{"bitnami/redis:7.2.4-debian-12-r9", "library/busybox:1.36"} {
		ref, err := name.ParseReference(r.host + "/" + image)
		if err != nil {
			t.Fatal(err)
		}
		index, _, err := madeUp(image)
		if err != nil {
			t.Fatal(err)
		}
		if err := remote.WriteIndex(ref, index); err != nil {
			t.Fatal(err)
		}
	}
	config := fmt.Sprintf("apiVersion: pinnace.dev/v1alpha1\nkind: Config\nregistryMap: {\"*\": %q}\n", r.host)
	if err := os.MkdirAll(filepath.Join(work, ".pinnace"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(work, ".pinnace", "config.yaml"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(work)
	got, ran := replay(t, string(text))
	if ran == 0 {
		t.Fatal("the README has no transcript")
	}
	if update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(text), got); diff != "" {
		t.Errorf("the README's transcript is not what happens (-README +now), make golden rewrites it:\n%s", diff)
	}
}

var (
	loopback = regexp.MustCompile(`127\.0\.0\.1:[0-9]+`)
	commits  = regexp.MustCompile(`\b[0-9a-f]{10}\b`)
	dates    = regexp.MustCompile(`\b20[0-9]{2}-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2})?\b`)
)

// steady replaces what differs from run to run: ports, commits and the time.
func steady(s string) string {
	s = loopback.ReplaceAllString(s, "127.0.0.1:40123")
	seen := map[string]string{}
	s = commits.ReplaceAllStringFunc(s, func(hash string) string {
		if seen[hash] == "" {
			seen[hash] = fmt.Sprintf("%x", sha256.Sum256([]byte{byte(len(seen))}))[:10]
		}
		return seen[hash]
	})
	return dates.ReplaceAllStringFunc(s, func(date string) string {
		if date == "2026-11-02" {
			return date // when the demo's images were made
		}
		return "2026-11-21 09:30"[:len(date)]
	})
}

var sed = regexp.MustCompile(`^(.*) \| sed -n '/([^/]*)/,\$p'$`)

// cutSed takes a sed off a command that prints from a line on, and returns what it does.
func cutSed(t *testing.T, command string) (string, func(string) string) {
	m := sed.FindStringSubmatch(command)
	if m == nil {
		return command, func(s string) string { return s }
	}
	from := regexp.MustCompile(`(?m)` + m[2])
	return m[1], func(s string) string {
		at := from.FindStringIndex(s)
		if at == nil {
			t.Errorf("no line of %q matches %s", m[1], m[2])
			return s
		}
		return s[at[0]:]
	}
}

// replay returns the text with the output of each "$ pinnace" line of its console blocks.
func replay(t *testing.T, text string) (string, int) {
	var out strings.Builder
	console, ran := false, 0
	for line := range strings.Lines(text) {
		command, isCommand := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "$ pinnace ")
		switch {
		case strings.HasPrefix(line, "```"):
			console = strings.HasPrefix(line, "```console")
			out.WriteString(line)
		case console && isCommand:
			out.WriteString(line)
			var printed bytes.Buffer
			command, part := cutSed(t, command)
			cli.Run(t.Context(), strings.Fields(command), strings.NewReader(""), &printed, &printed)
			out.WriteString(part(steady(printed.String())))
			ran++
		case !console:
			out.WriteString(line)
		}
	}
	return out.String(), ran
}
