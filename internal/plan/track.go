package plan

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pinnace-dev/pinnace/internal/config"
)

// A Selection is the tag that a track rule follows now.
type Selection struct {
	Tag     string // one of those that there are, or "" where the rule selects none
	Reason  string // why this tag, or why none, in one line
	Skipped []Skip // tags that are no candidates, by reason
}

// Candidates returns the tags that a rule admits, each once: the best first, or, where
// the order is newest, the current one first and then the likeliest, the greatest name
// first. Those are the tags whose creation time Select wants to know. It fails only where
// the rule itself cannot be read.
func Candidates(t config.Track, current string, tags []string) ([]string, error) {
	if t.Follow == config.FollowDigest {
		if current == "" {
			return nil, nil
		}
		return []string{current}, nil
	}
	r, err := readRule(t, current)
	if err != nil {
		return nil, err
	}
	admitted, _ := r.admit(tags)
	out := make([]string, len(admitted))
	for i, c := range admitted {
		out[i] = c.tag
	}
	if i := slices.Index(out, current); i > 0 && r.newest {
		copy(out[1:], out[:i])
		out[0] = current
	}
	return out, nil
}

// Select says which tag a rule follows now. tags are all that the repository has, in any
// order; created gives the time of images for order newest, and a time that is missing or
// before [Epoch] is unknown.
//
// The tag is the current one where the rule admits it and nothing is newer. It is lower
// than the current one only where the rule does not admit that.
func Select(t config.Track, current string, tags []string, created map[string]time.Time) Selection {
	if t.Follow == config.FollowDigest {
		if current == "" {
			return Selection{Reason: "no tag is written that could be followed"}
		}
		return Selection{Tag: current, Reason: "the rule follows the digest of " + current}
	}
	r, err := readRule(t, current)
	if err != nil {
		return Selection{Reason: err.Error()}
	}
	admitted, skipped := r.admit(tags)
	s := Selection{Skipped: skipped}
	if r.newest {
		var ok bool
		if admitted, ok = r.byTime(admitted, &s, created); !ok {
			return s
		}
	}
	return r.choose(s, admitted)
}

// Epoch is the earliest time that is believed to be that of an image: Docker's first
// release. Reproducible builds write 1970 or 1980.
var Epoch = time.Date(2013, time.March, 1, 0, 0, 0, 0, time.UTC)

// A candidate is a tag with what it is ordered by.
type candidate struct {
	tag     string
	version version
	groups  []string
	created time.Time
}

// A rule is a track rule for one current tag.
type rule struct {
	current string
	now     *candidate // current as a candidate; nil where the rule does not admit it
	why     string     // then: why not
	scope   string     // what the candidates have in common: "in ^1.2 with suffix -alpine"
	newest  bool

	read    func(tag string) (candidate, string) // or why it is none
	compare func(a, b candidate) int
	keep    func([]candidate) ([]candidate, []candidate) // parts those that the others make no candidates
}

func readRule(t config.Track, current string) (*rule, error) {
	r := &rule{current: current}
	var err error
	switch {
	case t.Semver != "":
		err = r.semver(t.Semver)
	case t.Pattern != "":
		err = r.pattern(t.Pattern, t.Order)
	default:
		err = errors.New("the rule has none of follow, semver and pattern")
	}
	if err != nil {
		return nil, err
	}
	if c, why := r.candidate(current); why == "" {
		r.now = &c
	} else {
		r.why = why
	}
	return r, nil
}

// What a tag may be (https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests),
// and the names under which signatures and other referrers are kept
// (https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema).
var (
	tagName  = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)
	referrer = regexp.MustCompile(`^sha(256-[0-9a-f]{32,64}|512-[0-9a-f]{32,128})(\.[a-z]+)?$`)
)

// notTag is said of names that no registry may give, and that are not repeated.
const notTag = "not a tag"

// candidate reads one tag, or says why it is none.
func (r *rule) candidate(tag string) (candidate, string) {
	switch {
	case tag == "":
		return candidate{}, "no tag is written"
	case !tagName.MatchString(tag):
		return candidate{}, notTag
	case strings.HasPrefix(tag, "sha") && referrer.MatchString(tag):
		return candidate{}, "a signature or attestation"
	}
	return r.read(tag)
}

// admit returns the candidates, the best first.
func (r *rule) admit(tags []string) ([]candidate, []Skip) {
	var out []candidate
	skips := skips{}
	tags = slices.Clone(tags)
	slices.Sort(tags)
	for _, tag := range slices.Compact(tags) {
		if c, why := r.candidate(tag); why != "" {
			if why == notTag {
				tag = ""
			}
			skips.add(why, tag)
		} else {
			out = append(out, c)
		}
	}
	if r.keep != nil {
		var dropped []candidate
		out, dropped = r.keep(out)
		for _, c := range dropped {
			skips.add("a date or a build, beside versions", c.tag)
		}
	}
	slices.SortFunc(out, r.best)
	return out, skips.list()
}

// best orders the better candidate first; of equals the current one, then the last name.
func (r *rule) best(a, b candidate) int {
	if c := r.compare(b, a); c != 0 {
		return c
	}
	switch r.current {
	case a.tag:
		return -1
	case b.tag:
		return 1
	}
	return cmp.Compare(b.tag, a.tag)
}

// choose picks the best of the candidates, which are sorted.
func (r *rule) choose(s Selection, admitted []candidate) Selection {
	gone := !slices.ContainsFunc(admitted, func(c candidate) bool { return c.tag == r.current })
	switch {
	case len(admitted) == 0 && r.now != nil:
		s.Reason = fmt.Sprintf("there is no tag %s, not even the current one, %s%s", r.scope, r.current, s.hint())
		return s
	case len(admitted) == 0:
		s.Reason = fmt.Sprintf("there is no tag %s%s%s", r.scope, r.because(), s.hint())
		return s
	}
	best := admitted[0]
	if r.now != nil && gone && !r.newest && r.compare(best, *r.now) <= 0 {
		s.Reason = fmt.Sprintf("the current tag %s is gone, and none of the %s is newer: %s is %s", r.current, r.count(admitted), best.tag, r.superlative())
		return s
	}
	s.Tag = best.tag
	if len(admitted) == 1 {
		s.Reason = fmt.Sprintf("%s is the only tag %s", best.tag, r.scope)
	} else {
		s.Reason = fmt.Sprintf("%s is %s of %s", best.tag, r.superlative(), r.count(admitted))
	}
	switch {
	case best.tag == r.current:
		s.Reason += "; nothing is newer"
	case r.now == nil:
		s.Reason += r.because()
	case gone:
		s.Reason += fmt.Sprintf("; the current tag %s is gone", r.current)
	}
	return s
}

func (r *rule) count(admitted []candidate) string {
	return fmt.Sprintf("%d tags %s", len(admitted), r.scope)
}

func (r *rule) superlative() string {
	if r.newest {
		return "the newest"
	}
	return "the highest"
}

// because explains a current tag that is no candidate.
func (r *rule) because() string {
	if r.current == "" {
		return "; no tag is written now"
	}
	return fmt.Sprintf("; the current tag %s: %s", r.current, r.why)
}

// hint names what is there instead.
func (s Selection) hint() string {
	if len(s.Skipped) == 0 {
		return ""
	}
	k := s.Skipped[0]
	switch {
	case k.Example == "":
		return ""
	case k.Count == 1:
		return fmt.Sprintf(" (%s: %s)", k.Example, k.Reason)
	}
	return fmt.Sprintf(" (%d tags such as %s: %s)", k.Count, k.Example, k.Reason)
}

// byTime parts the candidates whose time is known, the newest first. Where that of the
// current one is not, or none is, there is nothing to choose, and the Selection says so.
func (r *rule) byTime(admitted []candidate, s *Selection, created map[string]time.Time) (dated []candidate, ok bool) {
	unknown := skips{}
	current := false
	for _, c := range admitted {
		if c.created = created[c.tag]; !c.created.Before(Epoch) {
			dated = append(dated, c)
			continue
		}
		current = current || c.tag == r.current
		unknown.add("its creation time is not known", c.tag)
	}
	switch {
	case current && len(admitted) > 1:
		s.Tag, s.Reason = r.current, fmt.Sprintf("the creation time of the current tag %s is not known: none of %s can be called newer", r.current, r.count(admitted))
		return nil, false
	case current:
		return admitted, true
	case len(dated) == 0 && len(admitted) > 0:
		s.Reason = fmt.Sprintf("the creation time of none of %s is known", r.count(admitted))
		return nil, false
	}
	s.Skipped = append(unknown.list(), s.Skipped...)
	r.compare = func(a, b candidate) int { return a.created.Compare(b.created) }
	slices.SortFunc(dated, r.best)
	return dated, true
}
