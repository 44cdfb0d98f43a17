package action

import (
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
)

// obeyed returns what the runner reads as a command: lines that begin with :: after space, and
// lines with ##[ anywhere, in a comparison that overlooks what does not show
// (https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs). Other
// runners look for the same at the beginning of a line
// (https://github.com/nektos/act/blob/master/pkg/runner/command.go).
func obeyed(log string) []string {
	var found []string
	for _, line := range regexp.MustCompile(`\r\n|[\n\r\v\f\x{85}\x{2028}\x{2029}]`).Split(log, -1) {
		seen := strings.Map(func(r rune) rune {
			if r != ' ' && (!unicode.IsPrint(r) || unicode.IsSpace(r)) {
				return -1
			}
			return r
		}, line)
		if strings.HasPrefix(strings.TrimLeft(seen, " "), "::") || strings.Contains(seen, "##[") {
			found = append(found, line)
		}
	}
	return found
}

// hostile is what a file, an image, a title or an error may hold.
var hostile = []string{
	"::set-env name=PATH::/evil", "::add-mask::a", "  \t::error::x", "x\n::stop-commands::x", "x\r::error::x", "x\r\n::error::x", "\u2028::error::x", "a\u2029::error::x",
	"\u00a0::error::x", "\ufeff::error::x", "\u200b::error::x", ":\u200d:error::x", "\v::error::x", "\x85::error::x", "##[add-mask]a", "x ##[command]y", "#\u00ad##[group]x", "#####[endgroup]",
	"##\u200b[error]x", "a\n##[set-env name=a;]b", "::::", ":::", "::", "##[", "\x00::debug::x", "\x1b::notice::x", "::Error::x", "\u180e::error::x", "#\n#[x]", "ü::error::x",
}

// No text that is written, in whatever pieces, is a command to the runner, and everything that
// was written can still be read.
func TestMuzzle(t *testing.T) {
	for _, s := range hostile {
		for size := 1; size <= len(s); size++ {
			var b strings.Builder
			m := Muzzle(&b)
			for i := 0; i < len(s); i += size {
				part := s[i:min(i+size, len(s))]
				if n, err := m.Write([]byte(part)); n != len(part) || err != nil {
					t.Fatalf("wrote %d, %v", n, err)
				}
			}
			if found := obeyed(b.String()); found != nil {
				t.Errorf("%q in pieces of %d: the runner obeys %q", s, size, found)
			}
			if got := strings.ReplaceAll(b.String(), `\`, ""); got != s {
				t.Errorf("%q became %q", s, b.String())
			}
		}
	}
	if len(obeyed(strings.Join(hostile, "\n"))) < 20 {
		t.Error("what the test looks for is not there unmuzzled")
	}
}

// Honest text is as it was.
func TestMuzzleHonest(t *testing.T) {
	for _, s := range []string{"pinned ghcr.io/acme/shop:1.4@sha256:abc\n", "a::b std::vector ## [x] #[derive] [::1]:5000\n", "key: value\n: x\n", "✓ passed  every digest\n", "\x1b[31mfailed:\x1b[0m x\n"} {
		var b strings.Builder
		if _, err := Muzzle(&b).Write([]byte(s)); err != nil || b.String() != s {
			t.Errorf("%q became %q, %v", s, b.String(), err)
		}
	}
}

// Our own commands begin on a line of their own, and foreign text around them stays muzzled.
func TestUnmuzzled(t *testing.T) {
	var b strings.Builder
	m := Muzzle(&b)
	write := func(w io.Writer, s string) {
		if _, err := io.WriteString(w, s); err != nil {
			t.Fatal(err)
		}
	}
	write(m, "no end of line")
	write(m.Unmuzzled(), "::warning file=a::b\n")
	write(m, "::error::x")
	if err := m.Annotate(Annotation{Title: "PIN001", File: "a,b:c%\n.yaml", Line: 3, Message: "50%\n::error::x\r##[group]y"}); err != nil {
		t.Fatal(err)
	}
	write(m, "::notice::z\n")
	if err := m.Annotate(Annotation{Level: Notice, Message: "::debug::x"}); err != nil {
		t.Fatal(err)
	}
	want := "no end of line\n::warning file=a::b\n:\\:error::x\n" +
		"::error file=a%2Cb%3Ac%25%0A.yaml,line=3,title=PIN001::50%25%0A:\\:error::x%0D##\\[group]y\n:\\:notice::z\n::notice:::\\:debug::x\n"
	if diff := cmp.Diff(b.String(), want); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}

// An annotation is one line, of one command, whatever it is about.
func TestAnnotationHostile(t *testing.T) {
	for _, s := range hostile {
		got := Annotation{Level: Warning, Title: s, File: s, Line: 1, Message: s}.String()
		if strings.ContainsAny(got, "\r\n") || !strings.HasPrefix(got, "::warning file=") || strings.Count(strings.SplitN(got, "::", 3)[1], ",") != 2 {
			t.Errorf("%q: %q", s, got)
		}
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestMuzzleErrors(t *testing.T) {
	m := Muzzle(brokenPipe{})
	if n, err := m.Write([]byte("x")); n != 0 || !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("wrote %d, %v", n, err)
	}
	if err := m.Annotate(Annotation{Message: "x"}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("annotated: %v", err)
	}
}

func FuzzMuzzle(f *testing.F) {
	for i, s := range hostile {
		f.Add(s, uint(i))
	}
	f.Fuzz(func(t *testing.T, s string, at uint) {
		var b strings.Builder
		m := Muzzle(&b)
		cut := int(at % uint(len(s)+1))
		for _, part := range []string{s[:cut], s[cut:]} {
			if _, err := m.Write([]byte(part)); err != nil {
				t.Fatal(err)
			}
		}
		if found := obeyed(b.String()); found != nil {
			t.Fatalf("%q: the runner obeys %q", s, found)
		}
		if strings.ReplaceAll(b.String(), `\`, "") != strings.ReplaceAll(s, `\`, "") {
			t.Fatalf("%q became %q", s, b.String())
		}
	})
}
