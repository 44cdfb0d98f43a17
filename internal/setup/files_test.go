package setup

import (
	"bytes"
	"encoding/base64"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/pinnace-dev/pinnace/internal/github"
)

var registered = github.Registration{ID: 7, Name: "Pinnace", Slug: "pinnace", Key: "a key\n", WebhookSecret: "a secret"}

// contents reads a directory: each file with its permissions.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		out[e.Name()] = info.Mode().String() + " " + strings.ReplaceAll(string(text), dir, "DIR")
	}
	return out
}

func TestFiles(t *testing.T) {
	above := t.TempDir()
	dir := filepath.Join(above, "new", "app")
	f := Files{Dir: dir}
	places, err := f.Keep(registered)
	if err != nil || len(places) != 3 {
		t.Fatalf("got %v, %v", places, err)
	}
	want := map[string]string{
		KeyFile:    "-rw------- a key\n",
		SecretFile: "-rw------- a secret\n",
		EnvFile:    "-rw------- PINNACE_APP_ID=7\nPINNACE_APP_KEY=DIR/private-key.pem\nPINNACE_WEBHOOK_SECRET_FILE=DIR/webhook-secret\n",
	}
	if diff := cmp.Diff(contents(t, dir), want); diff != "" {
		t.Errorf("(-got +want)\n%s", diff)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("got %v, %v", info.Mode(), err)
	}
	if _, err := f.Keep(registered); err == nil || !strings.Contains(err.Error(), "--force") {
		t.Errorf("a second time: got %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "mine"), []byte("keep"), 0o600); err != nil {
		t.Fatal(err)
	}
	f.Force = true
	other := registered
	other.ID, other.WebhookSecret = 8, ""
	if _, err := f.Keep(other); err != nil {
		t.Fatal(err)
	}
	delete(want, SecretFile)
	want["mine"], want[EnvFile] = "-rw------- keep", "-rw------- PINNACE_APP_ID=8\nPINNACE_APP_KEY=DIR/private-key.pem\n"
	if diff := cmp.Diff(contents(t, dir), want); diff != "" {
		t.Errorf("by force (-got +want)\n%s", diff)
	}
	if left := contents(t, filepath.Dir(dir)+"/app"); len(left) != 3 {
		t.Errorf("left over: %v", left)
	}
	if rest, err := os.ReadDir(filepath.Dir(dir)); err != nil || len(rest) != 1 {
		t.Errorf("left over: %v, %v", rest, err)
	}
}

// TestFilesRefused: nothing is asked of GitHub where nothing could be kept, and nothing is
// left behind.
func TestFilesRefused(t *testing.T) {
	at := t.TempDir()
	for name, text := range map[string]string{"full/a": "x", "file": "x"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(at, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(at, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(at, "link"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(at, "link", KeyFile)); err != nil {
		t.Fatal(err)
	}
	for _, f := range []Files{{Dir: filepath.Join(at, "full")}, {Dir: filepath.Join(at, "file")}, {Dir: filepath.Join(at, "file", "below")}, {Dir: filepath.Join(at, "link"), Force: true}} {
		if err := f.Ready(); err == nil {
			t.Errorf("%s: it is ready", f.Dir)
		}
		if _, err := f.Keep(registered); err == nil {
			t.Errorf("%s: it was kept", f.Dir)
		}
	}
	entries, err := os.ReadDir(at)
	if err != nil || len(entries) != 3 {
		t.Errorf("got %v, %v", entries, err)
	}
	if _, err := Listen(Options{App: App{Name: "a"}, Keep: Files{Dir: filepath.Join(at, "full")}}); err == nil {
		t.Error("the page was opened")
	}
}

// TestQuoted: a shell reads back what was written.
func TestQuoted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b'c\"d$e`f\\g")
	if _, err := (Files{Dir: dir}).Keep(registered); err != nil {
		t.Fatal(err)
	}
	c := exec.Command("/bin/sh", "-c", `. "$1/pinnace.env" && cat "$PINNACE_APP_KEY" && cat "$PINNACE_WEBHOOK_SECRET_FILE"`, "sh", dir)
	if out, err := c.CombinedOutput(); err != nil || string(out) != "a key\na secret\n" {
		t.Errorf("got %q, %v", out, err)
	}
}

func TestEmptyDirectory(t *testing.T) {
	dir := t.TempDir()
	if _, err := (Files{Dir: dir}).Keep(registered); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, dir); len(got) != 3 {
		t.Errorf("got %v", got)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("got %v, %v", info, err)
	}
}

func TestSecret(t *testing.T) {
	var out bytes.Buffer
	s := Secret{Name: "123", Namespace: "on", Out: &out}
	if _, err := s.Keep(registered); err != nil {
		t.Fatal(err)
	}
	var got struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Metadata   map[string]string
		Type       string
		Data       map[string]string
	}
	if err := kyaml.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if got.APIVersion != "v1" || got.Kind != "Secret" || got.Metadata["name"] != "123" || got.Metadata["namespace"] != "on" || got.Type != "Opaque" {
		t.Errorf("got %+v", got)
	}
	for key, want := range map[string]string{IDKey: "7", KeyFile: "a key\n", SecretFile: "a secret"} {
		if text, err := base64.StdEncoding.DecodeString(got.Data[key]); err != nil || string(text) != want {
			t.Errorf("%s: got %q, %v", key, text, err)
		}
	}
	file := filepath.Join(t.TempDir(), "k8s", "secret.yaml")
	s = Secret{Name: "pinnace", File: file}
	places, err := s.Keep(registered)
	if err != nil || !slices.Equal(places, []string{file}) {
		t.Fatalf("got %v, %v", places, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 {
		t.Errorf("got %v, %v", info.Mode(), err)
	}
	if _, err := s.Keep(registered); err == nil {
		t.Error("it was overwritten")
	}
	s.Force = true
	if _, err := s.Keep(registered); err != nil {
		t.Error(err)
	}
	if rest, err := os.ReadDir(filepath.Dir(file)); err != nil || len(rest) != 1 {
		t.Errorf("left over: %v, %v", rest, err)
	}
	for _, bad := range []Secret{{Name: "", Out: &out}, {Name: "A", Out: &out}, {Name: "a-", Out: &out}, {Name: "a", Namespace: "b c", Out: &out}, {Name: "a"}} {
		if bad.Ready() == nil {
			t.Errorf("%+v is ready", bad)
		}
	}
	if _, err := (Secret{Name: "a", Out: broken{}}).Keep(registered); err == nil {
		t.Error("a stream that is closed is no error")
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("closed") }
