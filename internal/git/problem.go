package git

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// A ProblemKind says what is wrong with an entry.
type ProblemKind string

// The kinds. The first five are what an entry is, the others what its name is.
const (
	Symlink   ProblemKind = "symlink"
	Submodule ProblemKind = "submodule"
	BadMode   ProblemKind = "mode"      // none of 40000, 100644, 100755, 120000, 160000
	Oversized ProblemKind = "oversized" // larger than Limits.ObjectSize
	LFS       ProblemKind = "lfs"       // the blob is a Git LFS pointer
	Traversal ProblemKind = "traversal" // empty, ".", "..", or with a slash
	DotGit    ProblemKind = "dot-git"   // .git to some file system
	Backslash ProblemKind = "backslash" // a separator to Windows
	Control   ProblemKind = "control"   // control or bidirectional characters
	Encoding  ProblemKind = "encoding"  // not UTF-8
	Long      ProblemKind = "long"      // a name of more than 255 or a path of more than 4,096 bytes
	CaseClash ProblemKind = "case"      // equal to a sibling once case and composition are folded
	Duplicate ProblemKind = "duplicate" // the same name as a sibling
)

// A Problem is why an entry is neither read nor entered.
type Problem struct {
	Kind ProblemKind
	Text string // for people: what it is
}

func (p *Problem) Error() string { return p.Text }

// A PathError is a refusal of one path of a tree.
type PathError struct {
	Path string
	Err  error // a *Problem, or why
}

func (e *PathError) Error() string { return fmt.Sprintf("%s: %v", clean(e.Path, 200), e.Err) }

// Unwrap returns Err.
func (e *PathError) Unwrap() error { return e.Err }

const (
	maxName = 255  // NAME_MAX of Linux, and of HFS+ and NTFS in characters
	maxPath = 4096 // PATH_MAX of Linux
)

// checkName returns what is wrong with the name of an entry by itself.
func checkName(name string) *Problem {
	problem := func(k ProblemKind, text string) *Problem { return &Problem{k, text} }
	switch {
	case name == "":
		return problem(Traversal, "its name is empty")
	case name == "." || name == "..":
		return problem(Traversal, "its name leads out of its directory")
	case strings.IndexByte(name, '/') >= 0:
		return problem(Traversal, "its name holds a slash")
	case dotGitNTFS(name) || dotGitHFS(name):
		return problem(DotGit, "its name means .git to git or to a file system")
	case strings.IndexByte(name, '\\') >= 0:
		return problem(Backslash, "its name holds a backslash, which separates directories on Windows")
	case len(name) > maxName:
		return problem(Long, fmt.Sprintf("its name is longer than %d bytes", maxName))
	case plain(name):
		return nil
	case !utf8.ValidString(name):
		return problem(Encoding, "its name is not UTF-8")
	case strings.ContainsFunc(name, hidden):
		return problem(Control, "its name holds control characters")
	}
	return nil
}

// plain says whether a name is printable ASCII.
func plain(name string) bool {
	for i := range len(name) {
		if c := name[i]; c < ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}

// hidden says whether a character is a control, a separator of lines, or turns the
// direction of text (https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters).
func hidden(r rune) bool {
	return unicode.IsControl(r) || r == 0x2028 || r == 0x2029 || unicode.Is(unicode.Bidi_Control, r)
}

// dotGitNTFS says whether NTFS takes a name for .git: in any case, by its short name
// git~1, with spaces and dots behind it, or with the name of a stream. It is what
// core.protectNTFS guards against
// (https://git-scm.com/docs/git-config#Documentation/git-config.txt-coreprotectNTFS).
func dotGitNTFS(name string) bool {
	for _, form := range []string{".git", "git~1"} {
		if len(name) < len(form) || !strings.EqualFold(name[:len(form)], form) {
			continue
		}
		rest, _, _ := strings.Cut(name[len(form):], ":")
		rest, _, _ = strings.Cut(rest, `\`)
		if strings.Trim(rest, ". ") == "" {
			return true
		}
	}
	return false
}

// dotGitHFS says whether HFS+ takes a name for .git: it ignores some code points
// (https://git-scm.com/docs/git-config#Documentation/git-config.txt-coreprotectHFS).
func dotGitHFS(name string) bool {
	if plain(name) {
		return false // dotGitNTFS has seen it
	}
	seen := strings.Map(func(r rune) rune {
		switch {
		case r >= 0x200c && r <= 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x206a && r <= 0x206f, r == 0xfeff:
			return -1
		}
		return r
	}, name)
	return strings.EqualFold(seen, ".git")
}

// fold returns what names have in common that a file system which ignores case, or
// composition of characters, takes for one.
func fold(name string) string {
	if plain(name) {
		return strings.ToLower(name)
	}
	return norm.NFC.String(cases.Fold().String(norm.NFD.String(name)))
}

// checkPath returns what is wrong with a path as such.
func checkPath(path string) *Problem {
	if len(path) > maxPath {
		return &Problem{Long, fmt.Sprintf("its path is longer than %d bytes", maxPath)}
	}
	for name := range strings.SplitSeq(path, "/") {
		if p := checkName(name); p != nil {
			return p
		}
	}
	return nil
}
