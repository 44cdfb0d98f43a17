package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestTutorial does what docs/tutorial.md says, word for word, in one shell: it runs each line
// of its sh blocks, which must succeed, and each "$" line of its console blocks, whose output
// must be the one shown, and saves the blocks that begin with a file's name. No network is
// reached: the go that installs the program installs the one under test.
func TestTutorial(t *testing.T) {
	file := filepath.Join("..", "..", "docs", "tutorial.md")
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sh := newShell(t)
	var got strings.Builder
	for _, b := range blocks(string(page)) {
		got.WriteString(b.before)
		switch name := b.file(); {
		case name != "":
			sh.save(name, b.text)
		case b.language == "sh":
			for line := range strings.Lines(b.text) {
				if out, status := sh.run(line); status != 0 {
					t.Fatalf("line %d: %sexit status %d\n%s", b.line, line, status, out)
				}
			}
		case b.language == "console":
			b.text = sh.transcript(b)
		case b.language != "":
			t.Fatalf("line %d: a block of %q, which nobody can do", b.line, b.language)
		}
		got.WriteString(b.text)
	}
	if update {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(page), got.String()); diff != "" {
		t.Errorf("docs/tutorial.md is not what happens (-page +now), make golden rewrites it:\n%s", diff)
	}
}

// A block is a fenced block of a page, with the prose before it and its opening fence. The last
// one of a page is prose alone.
type block struct {
	before   string
	language string
	text     string // without fences
	line     int    // of its first line
}

var fence = regexp.MustCompile("^\\s*```(.*)")

// blocks parts a page; what is before the first fence and after the last one is kept.
func blocks(page string) []block {
	var out []block
	var now block
	inside, number := false, 0
	for line := range strings.Lines(page) {
		number++
		m := fence.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		switch {
		case m != nil && inside:
			out = append(out, now)
			now, inside = block{before: line}, false
		case m != nil:
			now.before += line
			now.language, now.line, inside = strings.TrimSpace(m[1]), number+1, true
		case inside:
			now.text += line
		default:
			now.before += line
		}
	}
	return append(out, now)
}

var fileName = regexp.MustCompile(`^\s*# ([\w.-]+(?:/[\w.-]+)*\.[a-z]+)\n`)

// file returns the name of the file that the block is, from its first line.
func (b block) file() string {
	if m := fileName.FindStringSubmatch(b.text); m != nil && b.language != "sh" && b.language != "console" {
		return m[1]
	}
	return ""
}

// A shell runs one line after the other, as somebody who types them.
type shell struct {
	t   *testing.T
	in  io.Writer
	out *bufio.Reader
}

// installer plays go, as far as a tutorial needs it: it installs the program under test.
const installer = `#!/bin/sh
case "$*" in
"env GOPATH") echo "$HOME/go" ;;
"install github.com/pinnace-dev/pinnace/cmd/pinnace@latest")
	mkdir -p "$HOME/go/bin"
	cp "$PROGRAM" "$HOME/go/bin/pinnace"
	chmod +x "$HOME/go/bin/pinnace" ;;
*) echo "go $*: not in this test" >&2; exit 1 ;;
esac
`

func newShell(t *testing.T) *shell {
	t.Helper()
	for _, tool := range []string{"sh", "git"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	home, work, tools := t.TempDir(), t.TempDir(), t.TempDir()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"go": installer, "program": fmt.Sprintf("#!/bin/sh\n%s=1 exec %q \"$@\"\n", asPinnace, program)} {
		if err := os.WriteFile(filepath.Join(tools, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 3*time.Minute) // it outlives the test, to clean up
	cmd := exec.CommandContext(ctx, "sh")
	cmd.Dir = work
	cmd.Env = []string{
		"HOME=" + home,
		"PROGRAM=" + filepath.Join(tools, "program"),
		"PATH=" + tools + string(os.PathListSeparator) + os.Getenv("PATH"),
		"HTTP_PROXY=http://127.0.0.1:1", "HTTPS_PROXY=http://127.0.0.1:1", "NO_PROXY=127.0.0.1", // no network
		"GIT_CONFIG_NOSYSTEM=1", "TZ=UTC",
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = write, write
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	write.Close()
	t.Cleanup(func() {
		fmt.Fprintln(in, "kill $! 2>/dev/null; exit") // what the page left running, where it was not done to its end
		in.Close()
		_ = cmd.Wait()
		cancel()
		read.Close()
	})
	return &shell{t: t, in: in, out: bufio.NewReader(read)}
}

const end = "the-line-has-run"

// run runs a line, and returns what it printed and its exit status.
func (s *shell) run(line string) (string, int) {
	s.t.Helper()
	fmt.Fprintf(s.in, "{\n%s\n} </dev/null\nran=$?; printf '\\n%s %%d\\n' $ran; (exit $ran)\n", strings.TrimSuffix(line, "\n"), end)
	var out strings.Builder
	for {
		text, err := s.out.ReadString('\n')
		if err != nil {
			s.t.Fatalf("%s: the shell ended, or no answer came: %v\n%s", line, err, &out)
		}
		if code, ok := strings.CutPrefix(text, end+" "); ok {
			status, err := strconv.Atoi(strings.TrimSpace(code))
			if err != nil {
				s.t.Fatal(err)
			}
			return strings.TrimSuffix(out.String(), "\n"), status
		}
		out.WriteString(text)
	}
}

// save writes a file below the shell's working directory.
func (s *shell) save(name, text string) {
	s.t.Helper()
	at, _ := s.run("pwd")
	if err := os.WriteFile(filepath.Join(strings.TrimSpace(at), filepath.FromSlash(name)), []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// transcript runs the "$" lines of a block, and returns it with what they print now. Output
// that is shown with "..." for some of its lines stays, where the rest of it is so.
func (s *shell) transcript(b block) string {
	s.t.Helper()
	var out strings.Builder
	for _, part := range regexp.MustCompile(`(?m)^\$ `).Split(b.text, -1)[1:] {
		command, shown, _ := strings.Cut(part, "\n")
		printed, _ := s.run(command)
		now := steady(printed)
		if elided(shown, now) {
			now = shown
		}
		if now != "" && !strings.HasSuffix(now, "\n") {
			now += "\n"
		}
		out.WriteString("$ " + command + "\n" + now)
	}
	return out.String()
}

// elided says whether the output is the one shown, where a line of "..." stands for any number
// of lines.
func elided(shown, now string) bool {
	var pattern strings.Builder
	for line := range strings.Lines(shown) {
		if line == "...\n" {
			pattern.WriteString(`(?:.*\n)*`)
		} else {
			pattern.WriteString(regexp.QuoteMeta(line))
		}
	}
	return strings.Contains(shown, "...\n") && regexp.MustCompile("^"+pattern.String()+"$").MatchString(now)
}
