package action

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// tools are the programs of the system that install.sh may use.
var tools = []string{
	"bash", "sh", "awk", "cat", "chmod", "cp", "cut", "dirname", "env", "find", "gzip", "head", "mkdir", "mktemp",
	"mv", "rm", "sed", "sort", "tail", "tar", "tr", "uname", "xargs",
}

// A rig is a runner: the directories that it has, and the programs on its PATH.
type rig struct {
	t                            *testing.T
	root, bin, web, cache, calls string
	env                          []string
}

// newRig returns a runner for linux/amd64 with the action at v1.2.3 of pinnace-dev/pinnace, a
// player of curl that finds nothing, and no cosign, gh or go.
func newRig(t *testing.T) *rig {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the rig is made of shell scripts and links")
	}
	root := filepath.Join(t.TempDir(), "with a space")
	r := &rig{t: t, root: root, bin: root + "/bin", web: root + "/web", cache: root + "/tools", calls: root + "/calls"}
	for _, dir := range []string{r.bin, r.web, root + "/temp", root + "/action/cmd/pinnace", root + "/work"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, tool := range tools {
		r.link(tool)
	}
	if _, err := exec.LookPath("sha256sum"); err == nil {
		r.link("sha256sum")
	} else {
		r.link("shasum")
	}
	r.write("action/go.mod", "module github.com/pinnace-dev/pinnace\n")
	r.write("action/cmd/pinnace/main.go", "package main\n")
	r.env = []string{
		"PATH=" + r.bin, "HOME=" + root, "CALLS=" + r.calls, "WEB=" + r.web, "RUNNER_OS=Linux", "RUNNER_ARCH=X64",
		"RUNNER_TOOL_CACHE=" + r.cache, "RUNNER_TEMP=" + root + "/temp", "GITHUB_OUTPUT=" + root + "/output",
		"GITHUB_ACTION_PATH=" + root + "/action", "GH_TOKEN=sesame",
		"PINNACE_ACTION_REPOSITORY=pinnace-dev/pinnace", "PINNACE_ACTION_REF=v1.2.3",
	}
	// The web: a file NAME of $WEB is what every address answers that ends in /NAME, after as
	// many failures as the file NAME.fails has lines.
	r.play("curl", `
for last; do url=$last; done
while [ $# -gt 0 ]; do if [ "$1" = -o ]; then out=$2; fi; shift; done
name=${url##*/}
if [ -s "$WEB/$name.fails" ]; then sed -i.old 1d "$WEB/$name.fails"; printf 503; exit 0; fi
if [ ! -f "$WEB/$name" ]; then printf 404; exit 0; fi
cat "$WEB/$name" >"$out"
printf 200`)
	r.play("sleep", "")
	r.play("git", `cat "$WEB/refs" 2>/dev/null || exit 128`)
	return r
}

func (r *rig) link(tool string) {
	r.t.Helper()
	path, err := exec.LookPath(tool)
	if err != nil {
		r.t.Fatal(err)
	}
	if err := os.Symlink(path, filepath.Join(r.bin, tool)); err != nil {
		r.t.Fatal(err)
	}
}

// play puts a program on PATH, which notes its arguments and whether it was given the token.
func (r *rig) play(name, script string) {
	r.t.Helper()
	text := "#!/bin/sh\n{ printf '%s' " + name + `; printf ' %s' "$@"; [ -z "$GH_TOKEN$GITHUB_TOKEN" ] || printf ' (token)'; echo; } >>"$CALLS"` + "\n" + script + "\n"
	if err := os.WriteFile(filepath.Join(r.bin, name), []byte(text), 0o755); err != nil {
		r.t.Fatal(err)
	}
}

// playGo puts a Go on PATH that builds a program which says how it was made.
func (r *rig) playGo() {
	r.play("go", `
case $1 in
build) while [ $# -gt 0 ]; do if [ "$1" = -o ]; then out=$2; fi; shift; done ;;
install) out=$GOBIN/pinnace ;;
esac
printf '#!/bin/sh\necho built\n' >"$out"
chmod 755 "$out"`)
}

const (
	cosignPasses = `case "$*" in *--help*) echo "--bundle --new-bundle-format" ;; esac`
	ghPasses     = `case "$*" in *--help*) echo "--cert-identity --source-digest" ;; esac`
)

func (r *rig) write(name, text string) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.root, name), []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// A member is an entry of an archive.
type member struct{ name, text, link string }

// program is what a release of these tests holds.
var program = member{name: "pinnace", text: "#!/bin/sh\necho released\n"}

// release puts an archive of pinnace 1.2.3 onto the web, with its checksum and signature.
func (r *rig) release(members ...member) {
	r.t.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	w := tar.NewWriter(zipped)
	for _, m := range members {
		h := &tar.Header{Name: m.name, Mode: 0o755, Size: int64(len(m.text)), Typeflag: tar.TypeReg}
		if m.link != "" {
			h.Typeflag, h.Linkname = tar.TypeSymlink, m.link
		}
		if err := w.WriteHeader(h); err != nil {
			r.t.Fatal(err)
		}
		if _, err := w.Write([]byte(m.text)); err != nil {
			r.t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		r.t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		r.t.Fatal(err)
	}
	const archive = "pinnace_1.2.3_linux_amd64.tar.gz"
	r.write("web/"+archive, out.String())
	r.write("web/checksums.txt", fmt.Sprintf("%064d  pinnace_1.2.3_darwin_arm64.tar.gz\n%x  %s\n", 0, sha256.Sum256(out.Bytes()), archive))
	r.write("web/checksums.txt.sigstore.json", "{}")
}

// run runs install.sh and returns what it printed, without the directories of this rig, and
// the program that it names, "" where it fails.
func (r *rig) run(env ...string) (printed, path string) {
	r.t.Helper()
	if err := os.RemoveAll(r.root + "/output"); err != nil {
		r.t.Fatal(err)
	}
	script, err := filepath.Abs("install.sh")
	if err != nil {
		r.t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(r.bin, "bash"), script)
	cmd.Dir, cmd.Env = r.root+"/work", slices.Concat(r.env, env)
	out, err := cmd.CombinedOutput()
	output, _ := os.ReadFile(r.root + "/output")
	path, named := strings.CutPrefix(strings.TrimSuffix(string(output), "\n"), "path=")
	if failed := err != nil; failed == named {
		r.t.Fatalf("the script ended with %v, and the output is %q:\n%s", err, output, out)
	}
	left, err := os.ReadDir(r.root + "/temp")
	if err != nil || len(left) > 0 {
		r.t.Errorf("left behind in RUNNER_TEMP: %v, %v", left, err)
	}
	if work, err := os.ReadDir(r.root + "/work"); err != nil || len(work) > 0 {
		r.t.Errorf("left behind in the workspace: %v, %v", work, err)
	}
	return strings.ReplaceAll(string(out), r.root, "ROOT"), path
}

// called returns the calls of the players since the last time, without the temporary names.
func (r *rig) called() []string {
	r.t.Helper()
	data, err := os.ReadFile(r.calls)
	if err != nil && !os.IsNotExist(err) {
		r.t.Fatal(err)
	}
	if err := os.RemoveAll(r.calls); err != nil {
		r.t.Fatal(err)
	}
	var out []string
	for line := range strings.Lines(strings.ReplaceAll(string(data), r.root, "ROOT")) {
		words := strings.Fields(line)
		for i, word := range words {
			if before, after, ok := strings.Cut(word, "temp/pinnace."); ok {
				_, name, _ := strings.Cut(after, "/")
				words[i] = before + "temp/" + name
			}
		}
		out = append(out, strings.Join(words, " "))
	}
	return out
}
