package plan

import (
	"cmp"
	"regexp"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// A version is a tag that begins with a version: v1.5.2-rc.1-alpine. Images have no
// standard for what follows the numbers, so only what is unmistakable is read as a
// pre-release; the rest says what the image is made of, and is kept as it is.
type version struct {
	prefix  string   // "", v or V
	numbers []string // one or more, of any size
	pre     []string // of a pre-release: rc, 1
	suffix  string   // what is left, with the sign before it: -alpine
}

// longNumber is how many digits make a tag of one number a date, a build or a commit
// rather than a version.
const longNumber = 6

// IsLower says whether a tag is a lower version than another one. Of tags that are not both
// versions it is false.
func IsLower(tag, than string) bool {
	a, ok := readVersion(tag, nil, false)
	b, also := readVersion(than, nil, false)
	return ok && also && compareVersions(a, b) < 0
}

// A form is what a rule for versions keeps of the current tag.
type form struct {
	prefix, suffix string
	numbers        int  // how many
	long           bool // the only number is a long one
}

func (v version) form() form {
	return form{v.prefix, v.suffix, len(v.numbers), len(v.numbers) == 1 && len(v.numbers[0]) >= longNumber}
}

// readVersion reads a tag. The words begin pre-releases besides those that always do: all
// says that every number, alone or after a word and a dot, is one as well.
func readVersion(tag string, words map[string]bool, all bool) (version, bool) {
	var v version
	rest := tag
	if rest != "" && (rest[0] == 'v' || rest[0] == 'V') {
		v.prefix, rest = rest[:1], rest[1:]
	}
	for {
		n := digits(rest)
		if n == 0 {
			return version{}, false
		}
		v.numbers, rest = append(v.numbers, rest[:n]), rest[n:]
		if len(rest) < 2 || rest[0] != '.' || digits(rest[1:]) == 0 {
			break
		}
		rest = rest[1:]
	}
	if isCommit(tag) {
		return version{}, false
	}
	v.pre, v.suffix = cutPre(rest, words, all)
	return v, true
}

// isCommit says whether a tag looks like a git commit: letters and digits of base 16, 7 to
// 40 of them. A tag of digits alone is a number.
func isCommit(tag string) bool {
	if len(tag) < 7 || len(tag) > 40 || digits(tag) == len(tag) {
		return false
	}
	return strings.Trim(tag, "0123456789abcdef") == ""
}

// digits counts the digits that s begins with.
func digits(s string) int {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	return i
}

func letters(s string) int {
	i := 0
	for i < len(s) && (s[i] >= 'a' && s[i] <= 'z' || s[i] >= 'A' && s[i] <= 'Z') {
		i++
	}
	return i
}

// plainPre begin a pre-release, with a number or without; numberedPre with a number only,
// since alone they name variants as well (1.4.0-dev).
var (
	plainPre    = map[string]bool{"alpha": true, "beta": true, "rc": true, "pre": true, "preview": true, "prerelease": true, "milestone": true}
	numberedPre = map[string]bool{"a": true, "b": true, "m": true, "cr": true, "dev": true, "snapshot": true, "nightly": true, "canary": true, "next": true, "ea": true, "eap": true}
)

// cutPre parts what follows the numbers: -rc.1-alpine, b2, -alpine3.18.
func cutPre(rest string, words map[string]bool, all bool) (pre []string, suffix string) {
	s := rest
	if s != "" && strings.IndexByte("-._", s[0]) >= 0 {
		s = s[1:]
	}
	n := letters(s)
	word, after := strings.ToLower(s[:n]), s[n:]
	dotted := strings.HasPrefix(after, ".") && len(after) > 1 && digits(after[1:]) > 0
	number := after
	if number != "" && strings.IndexByte("-._", number[0]) >= 0 {
		number = number[1:]
	}
	numbered := digits(number) > 0
	switch {
	case word == "":
		if !all || digits(s) == 0 || rest[0] != '-' {
			return nil, rest
		}
	case plainPre[word] || words[word]:
		if !numbered && after != "" && after[0] != '-' && after[0] != '_' {
			return nil, rest
		}
	case numberedPre[word] && numbered:
	case all && dotted && s != rest:
	default:
		return nil, rest
	}
	if word != "" {
		pre = append(pre, word)
		if numbered {
			s = number
		} else {
			s = after
		}
	}
	for {
		k := digits(s)
		if k == 0 {
			break
		}
		pre, s = append(pre, s[:k]), s[k:]
		if len(s) < 2 || s[0] != '.' || digits(s[1:]) == 0 {
			break
		}
		s = s[1:]
	}
	if s != "" && strings.IndexByte("-._", s[0]) < 0 {
		return nil, rest // 1.2.3-rc1x
	}
	return pre, s
}

// compareVersions orders versions of one form: by their numbers, and before a version its
// pre-releases (https://semver.org/#spec-item-11), in which numbers count as numbers even
// behind a letter: rc9 comes before rc10.
func compareVersions(a, b version) int {
	for i := range max(len(a.numbers), len(b.numbers)) {
		if c := compareNumbers(at(a.numbers, i), at(b.numbers, i)); c != 0 {
			return c
		}
	}
	if len(a.pre) == 0 || len(b.pre) == 0 {
		return cmp.Compare(len(b.pre), len(a.pre))
	}
	for i := range min(len(a.pre), len(b.pre)) {
		if c := compareIdentifiers(a.pre[i], b.pre[i]); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a.pre), len(b.pre))
}

func at(numbers []string, i int) string {
	if i < len(numbers) {
		return numbers[i]
	}
	return "0"
}

// compareIdentifiers orders the parts of pre-releases: numbers before words.
func compareIdentifiers(a, b string) int {
	na, nb := digits(a) == len(a), digits(b) == len(b)
	switch {
	case na && nb:
		return compareNumbers(a, b)
	case na:
		return -1
	case nb:
		return 1
	}
	return cmp.Compare(a, b)
}

// compareNumbers orders digits by the number that they spell, of any size.
func compareNumbers(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

// compareNatural orders names so that the numbers in them count as numbers.
func compareNatural(a, b string) int {
	x, y := a, b
	for x != "" && y != "" {
		i, j := digits(x), digits(y)
		if i > 0 && j > 0 {
			if c := compareNumbers(x[:i], y[:j]); c != 0 {
				return c
			}
			x, y = x[i:], y[j:]
			continue
		}
		if x[0] != y[0] {
			return cmp.Compare(x[0], y[0])
		}
		x, y = x[1:], y[1:]
	}
	return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(a, b))
}

// preBound is a pre-release in a constraint: >=1.2.0-rc1.
var preBound = regexp.MustCompile(`([0-9xX*])-([0-9A-Za-z][0-9A-Za-z.-]*)`)

// A constraint is a range of versions.
type constraint struct {
	text  string
	check *semver.Constraints
	pre   bool            // it names a pre-release, and so admits them
	words map[string]bool // that it calls pre-releases
}

func readConstraint(text string) (constraint, error) {
	c := constraint{text: text, words: map[string]bool{}}
	plain := preBound.ReplaceAllStringFunc(text, func(bound string) string {
		head, pre, _ := strings.Cut(bound, "-")
		c.pre = true
		parts := identifiers(pre)
		for _, p := range parts {
			if letters(p) == len(p) {
				c.words[strings.ToLower(p)] = true
			}
		}
		return head + "-" + strings.ToLower(strings.Join(parts, "."))
	})
	var err error
	c.check, err = semver.NewConstraint(plain)
	return c, err
}

// identifiers parts a pre-release at dots and hyphens, and where digits meet letters.
func identifiers(pre string) []string {
	var parts []string
	for field := range strings.FieldsFuncSeq(pre, func(r rune) bool { return r == '.' || r == '-' }) {
		for field != "" {
			n := max(digits(field), letters(field))
			parts, field = append(parts, field[:n]), field[n:]
		}
	}
	return parts
}

// admits says whether a version is in the range. What it says after three numbers is not
// looked at, and what it does not say is 0.
func (c constraint) admits(v version) bool {
	var n [3]uint64
	for i := range n {
		number := strings.TrimLeft(at(v.numbers, i), "0")
		if len(number) > 19 {
			return false
		}
		for _, d := range []byte(number) {
			n[i] = n[i]*10 + uint64(d-'0')
		}
	}
	return c.check.Check(semver.New(n[0], n[1], n[2], strings.Join(v.pre, "."), ""))
}
