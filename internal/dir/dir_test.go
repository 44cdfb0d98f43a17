package dir

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/format/index"
	"github.com/google/go-cmp/cmp"
)

// tree writes files below a new directory; a name that ends in " -> target" is a link.
func tree(t *testing.T, files map[string]string) (*Dir, string) {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		link, target, isLink := strings.Cut(name, " -> ")
		path := filepath.Join(root, filepath.FromSlash(link))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if isLink {
			err = os.Symlink(target, path)
		} else {
			err = os.WriteFile(path, []byte(text), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	d, err := Open(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d, root
}

func walk(t *testing.T, d *Dir) []string {
	t.Helper()
	var got []string
	err := d.Walk(context.Background(), func(path string, unreadable error) error {
		var l Link
		if errors.As(unreadable, &l) {
			path += " -> " + l.Target
		}
		got = append(got, path)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestWalk(t *testing.T) {
	d, _ := tree(t, map[string]string{
		"b.yaml": "", "a/c.yaml": "", "a/l.yaml -> ../b.yaml": "", "a/dir -> ..": "", ".git/config": "", "node_modules/x/y.yaml": "",
		".gitignore": "# comment\n/out/\r\n*.tmp\n!keep.tmp\n", "out/x.yaml": "", "a/out/x.yaml": "", "x.tmp": "", "keep.tmp": "",
		"sub/.gitignore": "local.yaml\n", "sub/local.yaml": "", "sub/deep/local.yaml": "", "local.yaml": "",
	})
	want := []string{".gitignore", "a/c.yaml", "a/l.yaml -> b.yaml", "a/out/x.yaml", "b.yaml", "keep.tmp", "local.yaml", "sub/.gitignore"}
	if diff := cmp.Diff(want, walk(t, d)); diff != "" {
		t.Error(diff)
	}
}

// TestIgnore: patterns of the directories above hold, and what git tracks is never ignored.
func TestIgnore(t *testing.T) {
	_, root := tree(t, map[string]string{
		".gitignore": "vendor/\n/sub/generated.yaml\n", ".git/info/exclude": "private.yaml\n", "sub/generated.yaml": "", "sub/vendor/a.yaml": "",
		"sub/vendor/tracked.yaml": "", "sub/b.yaml": "", "sub/private.yaml": "", "sub/node_modules/x.yaml": "", "generated.yaml": "", "sub/out -> /etc": "",
	})
	entry := func(name string) *index.Entry { return &index.Entry{Name: name, Mode: filemode.Regular} }
	f, err := os.Create(filepath.Join(root, ".git", "index"))
	if err != nil {
		t.Fatal(err)
	}
	err = index.NewEncoder(f).Encode(&index.Index{Version: 2, Entries: []*index.Entry{entry("sub/node_modules/x.yaml"), entry("sub/vendor/tracked.yaml")}})
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	d, err := Open(filepath.Join(root, "sub"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if diff := cmp.Diff([]string{"b.yaml", "node_modules/x.yaml", "out/ -> ", "vendor/tracked.yaml"}, walk(t, d)); diff != "" {
		t.Error(diff)
	}
}

func TestOneFile(t *testing.T) {
	_, root := tree(t, map[string]string{"a.yaml": "x", "b.yaml": "", "l -> a.yaml": ""})
	d, err := Open(filepath.Join(root, "a.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if diff := cmp.Diff([]string{"a.yaml"}, walk(t, d)); diff != "" {
		t.Error(diff)
	}
	if _, err := Open(filepath.Join(root, "l")); err == nil || !strings.Contains(err.Error(), "symbolic link") {
		t.Errorf("a link: %v", err)
	}
}

func TestRead(t *testing.T) {
	d, root := tree(t, map[string]string{"a": "0123456789", "out -> /etc": "", "dir/x": ""})
	if data, err := d.Read("a", 10); err != nil || string(data) != "0123456789" {
		t.Errorf("%q, %v", data, err)
	}
	if _, err := d.Read("a", 9); !errors.As(err, new(TooLarge)) {
		t.Errorf("over the limit: %v", err)
	}
	for _, name := range []string{"../a", "out/passwd", "dir", "none", filepath.Join(root, "a")} {
		if data, err := d.Read(name, 1<<20); err == nil {
			t.Errorf("read %q: %q", name, data)
		}
	}
}

func TestReplace(t *testing.T) {
	d, root := tree(t, map[string]string{"sub/a.sh": "old"})
	path := filepath.Join(root, "sub", "a.sh")
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := d.Replace("sub/a.sh", []byte("old"), []byte("new and longer")); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	info, _ := os.Stat(path)
	if err != nil || string(data) != "new and longer" || info.Mode().Perm() != 0o755 {
		t.Errorf("%q, mode %v, %v", data, info.Mode(), err)
	}
	for _, old := range []string{"old", "new and longe", "new and longer!"} {
		if err := d.Replace("sub/a.sh", []byte(old), []byte("x")); !errors.Is(err, ErrChanged) {
			t.Errorf("the file does not hold %q: %v", old, err)
		}
	}
	entries, err := os.ReadDir(filepath.Join(root, "sub"))
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

// TestReplaceFails shows that a failure leaves the old file and nothing else.
func TestReplaceFails(t *testing.T) {
	d, root := tree(t, map[string]string{"sub/a": "old", "victim": "v", "link -> victim": ""})
	if err := d.Replace("link", []byte("v"), []byte("x")); err == nil {
		t.Error("replaced a link")
	}
	if os.Geteuid() == 0 {
		t.Log("as root a directory without write permission is no obstacle: the read-only case is not tried")
		return
	}
	if err := os.Chmod(filepath.Join(root, "sub"), 0o555); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(filepath.Join(root, "sub"), 0o755)
	if err := d.Replace("sub/a", []byte("old"), []byte("new")); err == nil {
		t.Error("replaced a file in a read-only directory")
	}
	if data, err := os.ReadFile(filepath.Join(root, "sub", "a")); err != nil || string(data) != "old" {
		t.Errorf("%q, %v", data, err)
	}
}

func TestWalkStops(t *testing.T) {
	d, _ := tree(t, map[string]string{"a": "", "b": ""})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := d.Walk(ctx, func(string, error) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled walk: %v", err)
	}
	stop := errors.New("stop")
	if err := d.Walk(context.Background(), func(string, error) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("a visit that fails: %v", err)
	}
}
