package config

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"

	"github.com/Masterminds/semver/v3"

	"github.com/pinnace-dev/pinnace/internal/document"
	"github.com/pinnace-dev/pinnace/internal/image"
)

// formats check the texts that the schema names a format for. Each error says what
// is wrong, what is expected and what to do.
var formats = map[string]func(string) error{
	"pinnace-app":         checkApp,
	"pinnace-branch":      checkBranch,
	"pinnace-duration":    func(s string) error { _, err := ParseDuration(s); return err },
	"pinnace-email":       checkEmail,
	"pinnace-environment": checkEnvironment,
	"pinnace-glob":        checkGlob,
	"pinnace-image":       checkImageGlob,
	"pinnace-images":      checkRepositoryGlob,
	"pinnace-mirror":      checkMirror,
	"pinnace-platform":    checkPlatform,
	"pinnace-pointer":     checkPointer,
	"pinnace-regexp":      checkRegexp,
	"pinnace-registry":    checkRegistry,
	"pinnace-repository":  checkRepository,
	"pinnace-semver":      checkSemver,
	"pinnace-slug":        checkSlug,
	"pinnace-source":      checkSource,
	"pinnace-team":        document.CheckTeam,
	"pinnace-user":        document.CheckUser,
	"pinnace-variable":    checkVariable,
}

const (
	lower  = "abcdefghijklmnopqrstuvwxyz"
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits = "0123456789"
)

// only reports whether s consists of the characters.
func only(s, characters string) bool { return strings.Trim(s, characters) == "" }

func checkEnvironment(s string) error {
	if s == "" || len(s) > 63 || !only(s, lower+digits+"-") || s[0] == '-' || s[len(s)-1] == '-' {
		return fmt.Errorf("%s cannot name an environment: expected 1 to 63 lowercase letters, digits and inner hyphens, since it becomes part of branch names%s",
			document.Quote(s), instead(s, Slug(s)))
	}
	return nil
}

func checkApp(s string) error {
	if _, err := image.Parse("x/" + s); err != nil || strings.ContainsAny(s, "/:@") || len(s) > 128 || strings.HasSuffix(s, ".lock") {
		return fmt.Errorf("%s cannot name an app: expected lowercase letters and digits, joined by -, _ or ., since it becomes part of branch names%s",
			document.Quote(s), instead(s, Slug(s)))
	}
	return nil
}

func instead(got, want string) string {
	if want == "" || want == got {
		return ""
	}
	return "; write " + want
}

// Slug spells a name as a lowercase DNS label; "" where nothing of it is left.
func Slug(s string) string {
	var b strings.Builder
	for _, c := range strings.ToLower(s) {
		if c < 0x80 && only(string(c), lower+digits) {
			b.WriteRune(c)
		} else if b.Len() > 0 && !strings.HasSuffix(b.String(), "-") {
			b.WriteByte('-')
		}
		if b.Len() == 63 {
			break
		}
	}
	return strings.Trim(b.String(), "-")
}

// checkBranch holds a name to git's rules for references
// (https://git-scm.com/docs/git-check-ref-format).
func checkBranch(s string) error {
	switch {
	case s == "":
		return errors.New("the branch name is empty")
	case strings.HasPrefix(s, "refs/"):
		return fmt.Errorf("%s is a full reference: write the branch's name alone%s", document.Quote(s), instead(s, strings.TrimPrefix(s, "refs/heads/")))
	case strings.HasPrefix(s, "pinnace/"):
		return fmt.Errorf("%s is one of Pinnace's own branches: it cannot be managed", document.Quote(s))
	case strings.ContainsAny(s, " ~^:?*[\\\x7f") || strings.ContainsFunc(s, func(c rune) bool { return c < ' ' }):
		return fmt.Errorf("%s is not a branch name: it holds a character that git does not allow; branches are named one by one, without globs", document.Quote(s))
	case strings.Contains(s, "..") || strings.Contains(s, "@{") || s == "@" || strings.Contains("/"+s, "/.") || strings.HasSuffix(s, ".") ||
		strings.Contains("/"+s+"/", "//") || strings.Contains(s+"/", ".lock/") || s[0] == '-':
		return fmt.Errorf("%s is not a branch name that git allows", document.Quote(s))
	}
	return nil
}

func checkSlug(s string) error {
	if s == "" || !only(s, lower+digits+"-") {
		return fmt.Errorf("%s is not the slug of a GitHub App: expected lowercase letters, digits and hyphens, as in github.com/apps/argo-cd%s", document.Quote(s), instead(s, Slug(s)))
	}
	return nil
}

func checkSource(s string) error {
	if s == "" {
		return nil
	}
	owner, name, ok := strings.Cut(s, "/")
	if !ok || !document.IsLogin(owner) || name == "" || !only(name, lower+upper+digits+"-_.") {
		return fmt.Errorf("%s is not a repository: expected owner/name, such as acme/shop, without address", document.Quote(s))
	}
	return nil
}

func checkVariable(s string) error {
	const prefix = "PINNACE_NOTIFY_"
	if strings.Contains(s, "://") {
		return errors.New("an address does not belong in this file, where all readers see it: put it in an environment variable and write the variable's name, such as " + prefix + "SLACK")
	}
	if rest, ok := strings.CutPrefix(s, prefix); !ok || rest == "" || !only(rest, upper+digits+"_") {
		return fmt.Errorf("%s cannot name the variable: expected %s and uppercase letters, digits or _, such as %sSLACK", document.Quote(s), prefix, prefix)
	}
	return nil
}

func checkEmail(s string) error {
	name, host, ok := strings.Cut(s, "@")
	if !ok || name == "" || host == "" || strings.ContainsAny(s, " \t\r\n<>,;:\"\\") || strings.Contains(host, "@") ||
		strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c == 0x7f }) {
		return fmt.Errorf("%s is not an e-mail address: expected name@host alone", document.Quote(s))
	}
	return nil
}

func checkPlatform(s string) error {
	p, ok := image.ParsePlatform(s)
	if s == PlatformIndex || ok && only(strings.ReplaceAll(p.String(), "/", ""), lower+digits+".-") {
		return nil
	}
	return fmt.Errorf("%s is not a platform: expected %s, or os/architecture[/variant] such as linux/amd64 or linux/arm/v7", document.Quote(s), PlatformIndex)
}

func checkPointer(s string) error {
	if !strings.HasPrefix(s, "/") || len(s) < 2 {
		return fmt.Errorf("%s is not a JSON pointer: expected one that begins with /, such as /spec/foo/*/image%s", document.Quote(s), instead(s, slashed(s)))
	}
	for i := range len(s) {
		if s[i] == '~' && (i+1 == len(s) || s[i+1] != '0' && s[i+1] != '1') {
			return fmt.Errorf("%s is not a JSON pointer: write ~ as ~0, and / in a key as ~1", document.Quote(s))
		}
	}
	return nil
}

// slashed turns spec.foo[*].image into a pointer, for a message.
func slashed(s string) string {
	s = strings.NewReplacer("[", ".", "]", "", "$", "").Replace(s)
	parts := strings.FieldsFunc(s, func(c rune) bool { return c == '.' || c == '/' })
	if len(parts) == 0 || len(s) > 100 {
		return ""
	}
	return "/" + strings.Join(parts, "/")
}

// What a regular expression may hold at most. Matching takes time in proportion to its
// instructions, for each byte of each tag.
const (
	maxRegexp  = 512
	maxProgram = 2000
)

func checkRegexp(s string) error {
	if s == "" {
		return errors.New("the regular expression is empty: write one such as ^main-(?P<n>[0-9]+)$")
	}
	if len(s) > maxRegexp {
		return fmt.Errorf("the regular expression has more than %d bytes", maxRegexp)
	}
	_, err := regexp.Compile(s)
	if err == nil {
		return checkProgram(s)
	}
	var bad *syntax.Error
	if errors.As(err, &bad) {
		more := ""
		if bad.Code == syntax.ErrInvalidPerlOp {
			more = "; Go has no look-ahead, look-behind or back-references"
		}
		return fmt.Errorf("not a regular expression: %s: %s (Go syntax, https://pkg.go.dev/regexp/syntax)%s", bad.Code, document.Quote(bad.Expr), more)
	}
	return fmt.Errorf("not a regular expression: %w", err) // unreachable: Compile returns syntax errors
}

func checkProgram(s string) error {
	tree, err := syntax.Parse(s, syntax.Perl)
	if err != nil {
		return err // unreachable: Compile reads it in the same way
	}
	program, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return err // unreachable: as above
	}
	if len(program.Inst) > maxProgram {
		return fmt.Errorf("the repetitions of %s stand for too much: write smaller ones, or + for any number", document.Quote(s))
	}
	return nil
}

func checkSemver(s string) error {
	if len(s) > 256 {
		return errors.New("the constraint has more than 256 bytes")
	}
	if strings.TrimSpace(s) == "" {
		return errors.New(`the constraint is empty: expected one such as "^1.2", "~1.4.0" or ">=1.2 <2"`)
	}
	if _, err := semver.NewConstraint(s); err != nil {
		return fmt.Errorf(`%s is not a version constraint: expected one such as "^1.2", "~1.4.0" or ">=1.2 <2"`, document.Quote(s))
	}
	return nil
}
