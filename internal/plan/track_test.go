package plan

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/config"
)

// TestSelectSemver: the tags are parted by blanks; reason is a part of the reason.
func TestSelectSemver(t *testing.T) {
	for _, tc := range []struct {
		name, rule, current, tags string
		want, reason              string
	}{
		{"the highest in the range", "^1.2", "1.2.3", "1.2.3 1.5.2 1.4.9 2.0.0 latest", "1.5.2", "1.5.2 is the highest of 3 tags in ^1.2"},
		{"numbers are no text", "^1.2", "1.9.0", "1.9.0 1.10.0", "1.10.0", ""},
		{"nothing newer", "^1.2", "1.5.2", "1.2.3 1.5.2 2.0.0", "1.5.2", "the highest of 2 tags in ^1.2; nothing is newer"},
		{"nothing else", "^1.2", "1.5.2", "1.5.2", "1.5.2", "1.5.2 is the only tag in ^1.2; nothing is newer"},
		{"an exact version", "=1.2.3", "1.2.2", "1.2.2 1.2.3 1.2.4", "1.2.3", "the current tag 1.2.2: not in =1.2.3"},
		{"either of two ranges", "~1.2 || ~1.4", "1.2.0", "1.2.0 1.3.0 1.4.1", "1.4.1", ""},
		{"no tags at all", "^1", "1.2.3", "", "", "there is no tag in ^1, not even the current one, 1.2.3"},

		{"a current tag above the range", "~1.4", "1.9.0", "1.4.1 1.4.2 1.9.0", "1.4.2", "the current tag 1.9.0: not in ~1.4"},
		{"a current tag that is gone", "^1.2", "1.5.0", "1.4.0 1.6.0", "1.6.0", "the current tag 1.5.0 is gone"},
		{"no downgrade from a tag that is gone", "^1.2", "1.5.0", "1.3.0 1.4.0", "", "the current tag 1.5.0 is gone, and none of the 2 tags in ^1.2 is newer: 1.4.0 is the highest"},
		{"none in the range", "^2", "1.5.0", "1.5.0 1.6.0", "", "there is no tag in ^2; the current tag 1.5.0: not in ^2 (2 tags such as 1.6.0: not in ^2)"},

		{"a v is kept", "^1.2", "v1.2.0", "v1.2.0 v1.3.0 1.4.0", "v1.3.0", "in ^1.2 of the form v1.2.3"},
		{"no v is kept", "^1.2", "1.2.0", "1.2.0 1.3.0 v1.4.0", "1.3.0", ""},
		{"a suffix is kept", "^1.2", "1.4.0-alpine", "1.4.0-alpine 1.5.0-alpine 1.6.0 1.6.0-bookworm 1.6.0-alpine-perl", "1.5.0-alpine", "2 tags in ^1.2 of the form 1.2.3-alpine"},
		{"a suffix with a version is kept", "^1.2", "1.4.0-alpine3.18", "1.4.0-alpine3.18 1.5.0-alpine3.18 1.6.0-alpine3.19", "1.5.0-alpine3.18", ""},
		{"no suffix is kept", "^1.2", "1.4.0", "1.4.0 1.5.0-alpine 1.5.0-debian-12-r3", "1.4.0", ""},
		{"a suffix without a hyphen", "^1.2", "1.4.0.Final", "1.4.0.Final 1.5.0.Final 1.6.0", "1.5.0.Final", ""},
		{"an underscore is a suffix, too", "^1.2", "1.4.0_k1", "1.4.0_k1 1.5.0_k1 1.6.0_k2", "1.5.0_k1", ""},
		{"two numbers are kept", "^1.2", "1.4", "1.4 1.5 1.5.2 2.0", "1.5", "2 tags in ^1.2 of the form 1.2"},
		{"one number is kept", ">=1", "1", "1 2 3.0 3.0.1", "2", ""},
		{"one number below the range", "^1.2", "1", "1 1.5", "", "the current tag 1: not in ^1.2"},
		{"four numbers are kept", "^4", "4.0.10.2544", "4.0.10.2544 4.0.10.2545 4.0.11 4.1.0", "4.0.10.2545", ""},
		{"a variant called dev", "^1.2", "1.4.0-dev", "1.4.0-dev 1.5.0-dev 1.6.0", "1.5.0-dev", ""},

		{"no pre-release unless named", "^1.2", "1.4.0", "1.4.0 1.5.0-rc.1 1.5.0-beta 1.5.0rc2 1.5.0-dev.3", "1.4.0", ""},
		{"from a pre-release to the version", "^1.2", "1.5.0-rc.1", "1.5.0-rc.1 1.5.0-rc.2 1.5.0", "1.5.0", "the current tag 1.5.0-rc.1: a pre-release, and ^1.2 names none"},
		{"from a variant's pre-release", "^1.2", "1.5.0-rc.1-alpine", "1.5.0 1.5.0-alpine", "1.5.0-alpine", ""},
		{"pre-releases that are named", ">=1.2.0-0", "1.4.0", "1.4.0 1.5.0-rc.1 1.5.0-beta.2", "1.5.0-rc.1", ""},
		{"the version after its pre-releases", ">=1.2.0-0", "1.5.0-rc.1", "1.5.0-rc.1 1.5.0", "1.5.0", ""},
		{"a variant is no pre-release", ">=1.2.0-0", "1.4.0", "1.4.0 1.5.0-alpine 1.5.0-bookworm-slim", "1.4.0", ""},
		{"rc9 and rc10", ">=1.2.0-rc1", "1.5.0-rc9", "1.5.0-rc9 1.5.0-rc10", "1.5.0-rc10", ""},
		{"a bound with a number", ">=1.5.0-rc9", "1.4.0", "1.4.0 1.5.0-rc10 1.5.0-rc8", "1.5.0-rc10", ""},
		{"the constraint's own words", ">=1.2.0-main.1", "1.4.0-main.9", "1.4.0-main.9 1.4.0-main.10", "1.4.0-main.10", ""},
		{"words with a number", ">=1.2.0-0", "1.4.0-main.9", "1.4.0-main.9 1.4.0-main.10", "1.4.0-main.10", ""},
		{"numbers alone", ">=1.2.0-0", "1.4.0-9", "1.4.0-9 1.4.0-10-alpine 1.4.0-10", "1.4.0-10", ""},
		{"pre-releases of a variant", ">=1.2.0-0", "1.4.0-alpine", "1.4.0-alpine 1.5.0-rc.1-alpine 1.5.0-rc.2", "1.5.0-rc.1-alpine", ""},
		{"long numbers in pre-releases", ">=1.2.0-0", "1.4.0-rc.99999999999999999999", "1.4.0-rc.99999999999999999999 1.4.0-rc.100000000000000000000", "1.4.0-rc.100000000000000000000", ""},
		{"a range of one pre-release", "~1.5.0-rc", "1.5.0-rc.1", "1.5.0-rc.1 1.5.0-rc.2 1.6.0-rc.1", "1.5.0-rc.2", ""},

		{"from latest", "^1.2", "latest", "latest 1.4.0 1.5.0 1.6.0-alpine 1 1.6 20240102", "1.6", "3 tags in ^1.2; the current tag latest: not a version"},
		{"from latest, equal versions", "^1.2", "latest", "1.5 1.5.0 1.4.9", "1.5.0", ""},
		{"from no tag", "^1.2", "", "1.4.0 1.5.0", "1.5.0", "no tag is written now"},
		{"from latest, where there are two numbers only", ">=20", "latest", "20.04 22.04 24.04 latest 20240102 7", "24.04", ""},
		{"from latest, with and without v", "^1", "latest", "1.4.0 v1.4.0", "v1.4.0", ""},
		{"from a branch", "^1.2", "main", "main 1.4.0", "1.4.0", "main: not a version"},

		{"dates", ">=2024", "2024.01.02", "2024.01.02 2024.02.01 2023.12.31", "2024.02.01", ""},
		{"leading zeros", ">=18", "18.04", "18.04 18.4 18.10", "18.10", ""},
		{"leading zeros that are equal", ">=18", "18.4", "18.4 18.04", "18.4", "nothing is newer"},
		{"commits are no versions", ">=1", "1", "1 0123abc 12345678 2", "2", ""},
		{"a date is no version", ">=1", "1", "1 20240102 3", "3", ""},
		{"dates follow dates", ">=20240101", "20240102", "20240102 20240201 3", "20240201", ""},
		{"a commit as the current tag", "^1", "0123abc", "0123abc 1.2.3", "1.2.3", "0123abc: not a version"},
		{"numbers beyond 64 bits", ">=1", "1.2.3", "1.2.3 99999999999999999999.0.0 1.2.99999999999999999999", "1.2.3", ""},
		{"a fourth number beyond 64 bits", ">=1", "1.2.3.99999999999999999999", "1.2.3.99999999999999999999 1.2.3.100000000000000000000", "1.2.3.100000000000000000000", ""},
		{"signatures", "*", "1.2.3", "1.2.3 sha256-" + strings.Repeat("a", 64) + ".sig sha256-" + strings.Repeat("1", 64), "1.2.3", ""},
		{"what is no tag", "*", "1.2.3", "1.2.3 1.2.4+x ../1.2.5 1.2.4é " + strings.Repeat("1", 129), "1.2.3", ""},
		{"twice the same", "^1", "1.0.0", "1.0.0 1.1.0 1.1.0", "1.1.0", "of 2 tags"},
		{"a constraint that is none", "^^1", "1.0.0", "1.0.0", "", "not a version constraint"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := Select(config.Track{Semver: tc.rule}, tc.current, strings.Fields(tc.tags), nil)
			if got.Tag != tc.want || !strings.Contains(got.Reason, tc.reason) || got.Reason == "" || strings.Contains(got.Reason, "\n") {
				t.Errorf("got %q: %s\nwant %q: ...%s...\nskipped %v", got.Tag, got.Reason, tc.want, tc.reason, got.Skipped)
			}
		})
	}
}

func TestSelectPattern(t *testing.T) {
	const numeric, alphabetical = config.OrderNumeric, config.OrderAlphabetical
	for _, tc := range []struct {
		name, pattern string
		order         config.Order
		current, tags string
		want, reason  string
	}{
		{"numbers", `^main-(?P<n>[0-9]+)$`, numeric, "main-9", "main-9 main-10 dev-11 main-x main-12-arm", "main-10", "main-10 is the highest of 2 tags matching ^main-(?P<n>[0-9]+)$"},
		{"the whole tag without anchors", `main-(?P<n>[0-9]+)`, numeric, "main-9", "main-9 main-10-alpine xmain-11", "main-9", "nothing is newer"},
		{"alternatives are one pattern", `a-(?P<n>[0-9]+)|b-(?P<m>[0-9]+)`, numeric, "a-1", "a-1 a-2x xb-3", "a-1", ""},
		{"numbers beyond 64 bits", `^(?P<n>[0-9]+)$`, numeric, "18446744073709551616", "18446744073709551616 18446744073709551617 9", "18446744073709551617", ""},
		{"leading zeros", `^b(?P<n>[0-9]+)$`, numeric, "b009", "b009 b10 b0008", "b10", ""},
		{"equal numbers", `^b(?P<n>[0-9]+)$`, numeric, "b7", "b7 b07 b007", "b7", "nothing is newer"},
		{"equal numbers from elsewhere", `^b(?P<n>[0-9]+)$`, numeric, "x", "b007 b07 b7", "b7", "the current tag x: it does not match"},
		{"no group", `^[0-9]+$`, numeric, "9", "9 10", "10", ""},
		{"no group, and no number", `^b[0-9]+$`, numeric, "b9", "b9 b10", "", "not a number, and the pattern names no group that is one"},
		{"groups without names do not count", `^(x|y)-(?P<n>[0-9]+)$`, numeric, "y-1", "y-1 x-2", "x-2", ""},
		{"groups from left to right", `^(?P<date>[0-9]{8})-(?P<n>[0-9]+)$`, numeric, "20240102-9", "20240102-9 20240102-10 20240101-99", "20240102-10", ""},
		{"a group that is not there", `^v(?P<a>[0-9]+)(\.(?P<b>[0-9]+))?$`, numeric, "v1", "v1 v1.0 v1.1", "v1.1", ""},
		{"a group that is no number", `^b-(?P<n>[0-9a-f]+)$`, numeric, "b-1", "b-1 b-2f", "b-1", ""},
		{"text", `^(?P<t>[a-z]+)$`, alphabetical, "bb", "a bb b c ca", "ca", "ca is the highest of 5 tags"},
		{"text is bytes", `^.+$`, alphabetical, "a9", "a9 a10 B", "a9", "nothing is newer"},
		{"dates as text", `^RELEASE\.(?P<t>.+Z)$`, alphabetical, "RELEASE.2024-01-02T00-00-00Z", "RELEASE.2024-01-02T00-00-00Z RELEASE.2024-03-01T00-00-00Z", "RELEASE.2024-03-01T00-00-00Z", ""},
		{"signatures", `.*`, alphabetical, "a", "a sha256-" + strings.Repeat("f", 64) + ".att", "a", ""},
		{"a current tag that does not match", `^main-(?P<n>[0-9]+)$`, numeric, "latest", "latest main-1", "main-1", "the current tag latest: it does not match"},
		{"a current tag that is gone", `^main-(?P<n>[0-9]+)$`, numeric, "main-5", "main-3", "", "the current tag main-5 is gone"},
		{"an expression that is none", `a)(b`, numeric, "a", "a", "", "not a regular expression"},
		{"an order that is none", `a`, "", "a", "a", "", "not an order"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := Select(config.Track{Pattern: tc.pattern, Order: tc.order}, tc.current, strings.Fields(tc.tags), nil)
			if got.Tag != tc.want || !strings.Contains(got.Reason, tc.reason) {
				t.Errorf("got %q: %s\nwant %q: ...%s...", got.Tag, got.Reason, tc.want, tc.reason)
			}
		})
	}
}

func TestSelectNewest(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2024, 1, n, 0, 0, 0, 0, time.UTC) }
	rule := config.Track{Pattern: "^sha-[0-9a-f]+$", Order: config.OrderNewest}
	for _, tc := range []struct {
		name, current, tags string
		created             map[string]time.Time
		want, reason        string
	}{
		{"by time, not by name", "sha-1", "sha-1 sha-2 sha-9", map[string]time.Time{"sha-1": day(2), "sha-2": day(3), "sha-9": day(1)}, "sha-2", "sha-2 is the newest of 3 tags matching"},
		{"nothing newer", "sha-1", "sha-1 sha-2", map[string]time.Time{"sha-1": day(3), "sha-2": day(2)}, "sha-1", "nothing is newer"},
		{"of equals the current one", "sha-1", "sha-1 sha-2", map[string]time.Time{"sha-1": day(3), "sha-2": day(3)}, "sha-1", "nothing is newer"},
		{"of equals the last name", "sha-1", "sha-1 sha-2 sha-3", map[string]time.Time{"sha-1": day(2), "sha-2": day(3), "sha-3": day(3)}, "sha-3", ""},
		{"one zone and another", "sha-1", "sha-1 sha-2", map[string]time.Time{"sha-1": day(2), "sha-2": day(2).In(time.FixedZone("", 3600))}, "sha-1", "nothing is newer"},
		{"unknown times", "sha-1", "sha-1 sha-2 sha-3", map[string]time.Time{"sha-1": day(2), "sha-2": day(3)}, "sha-2", "the newest of 2 tags"},
		{"a reproducible build", "sha-1", "sha-1 sha-2", map[string]time.Time{"sha-1": day(2), "sha-2": time.Unix(0, 0)}, "sha-1", ""},
		{"the current time is unknown", "sha-1", "sha-1 sha-2 sha-3", map[string]time.Time{"sha-2": day(3), "sha-3": day(4)}, "sha-1", "the creation time of the current tag sha-1 is not known: none of 3 tags"},
		{"alone, and unknown", "sha-1", "sha-1 x", nil, "sha-1", "the only tag"},
		{"all unknown", "x", "sha-1 sha-2", nil, "", "the creation time of none of 2 tags"},
		{"a current tag that is gone", "sha-0", "sha-1 sha-2", map[string]time.Time{"sha-1": day(3), "sha-2": day(2)}, "sha-1", "the current tag sha-0 is gone"},
		{"a current tag that does not match", "latest", "sha-1 latest", map[string]time.Time{"sha-1": day(3)}, "sha-1", "latest: it does not match"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := Select(rule, tc.current, strings.Fields(tc.tags), tc.created)
			if got.Tag != tc.want || !strings.Contains(got.Reason, tc.reason) {
				t.Errorf("got %q: %s\nwant %q: ...%s...", got.Tag, got.Reason, tc.want, tc.reason)
			}
		})
	}
}

func TestSelectDigest(t *testing.T) {
	rule := config.Track{Follow: config.FollowDigest}
	if got := Select(rule, "1.4", nil, nil); got.Tag != "1.4" {
		t.Errorf("got %+v", got)
	}
	if got := Select(rule, "", nil, nil); got.Tag != "" || got.Reason == "" {
		t.Errorf("without a tag: got %+v", got)
	}
	if got := Select(config.Track{}, "1", []string{"1"}, nil); got.Tag != "" || got.Reason == "" {
		t.Errorf("a rule of nothing: got %+v", got)
	}
}

func TestCandidates(t *testing.T) {
	for _, tc := range []struct {
		name    string
		rule    config.Track
		current string
		tags    []string
		want    []string
	}{
		{"digest", config.Track{Follow: config.FollowDigest}, "a", []string{"a", "b"}, []string{"a"}},
		{"digest of nothing", config.Track{Follow: config.FollowDigest}, "", []string{"a"}, nil},
		{"semver, the highest first", config.Track{Semver: "^1"}, "1.0.0", []string{"1.0.0", "1.10.0", "1.9.0", "2.0.0"}, []string{"1.10.0", "1.9.0", "1.0.0"}},
		{"newest, the current one first", config.Track{Pattern: "b-.*", Order: config.OrderNewest}, "b-9", []string{"b-8", "b-9", "b-11", "b-10", "x"}, []string{"b-9", "b-11", "b-10", "b-8"}},
		{"newest, the current one gone", config.Track{Pattern: "b-.*", Order: config.OrderNewest}, "b-7", []string{"b-8", "b-10"}, []string{"b-10", "b-8"}},
	} {
		got, err := Candidates(tc.rule, tc.current, tc.tags)
		if diff := cmp.Diff(tc.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v, -want +got\n%s", tc.name, err, diff)
		}
	}
	if got, err := Candidates(config.Track{Semver: "^^"}, "1", nil); err == nil {
		t.Errorf("a broken rule: %v", got)
	}
}

func TestSkipped(t *testing.T) {
	got := Select(config.Track{Semver: "^1"}, "1.0.0", strings.Fields("1.0.0 1.1.0-alpine 1.9.0-alpine 1.10.0-alpine 2.0.0 latest v1.5.0 1.5 1.7.0-rc1"), nil).Skipped
	want := []Skip{
		{"it has a suffix", 3, "1.10.0-alpine"},
		{"a pre-release, and ^1 names none", 1, "1.7.0-rc1"},
		{"it begins with v", 1, "v1.5.0"},
		{"its precision is not 1.2.3", 1, "1.5"},
		{"not a version", 1, "latest"},
		{"not in ^1", 1, "2.0.0"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

var rules = []config.Track{
	{Semver: "^1"},
	{Semver: ">=1.0.0-0"},
	{Semver: ">=0"},
	{Semver: "~1.2 || >=3.0.0-rc1"},
	{Semver: "*"},
	{Pattern: `^[a-z]*-?(?P<n>[0-9]+)$`, Order: config.OrderNumeric},
	{Pattern: `.*`, Order: config.OrderAlphabetical},
	{Pattern: `^v?(?P<a>[0-9]+)(\.(?P<b>[0-9]+))?.*$`, Order: config.OrderNumeric},
	{Pattern: `.*`, Order: config.OrderNewest},
}

// held are the promises of Select for one input.
func held(t *testing.T, rule config.Track, current string, tags []string, created map[string]time.Time) {
	t.Helper()
	got := Select(rule, current, tags, created)
	if got.Reason == "" {
		t.Fatalf("%+v: no reason", rule)
	}
	if got.Tag != "" && !slices.Contains(tags, got.Tag) {
		t.Fatalf("%+v selects %q, which is none of %q", rule, got.Tag, tags)
	}
	shuffled := slices.Clone(tags)
	rand.New(rand.NewPCG(1, uint64(len(tags)))).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	if again := Select(rule, current, shuffled, created); !cmp.Equal(got, again) {
		t.Fatalf("%+v of %q:\n%+v\nin another order:\n%+v", rule, tags, got, again)
	}
	r, err := readRule(rule, current)
	if err != nil {
		t.Fatal(err)
	}
	if got.Tag != "" && got.Tag != current && r.now != nil && !r.newest {
		if chosen, why := r.candidate(got.Tag); why != "" || r.compare(chosen, *r.now) <= 0 {
			t.Fatalf("%+v moves %q to %q, which is not newer (%s)", rule, current, got.Tag, why)
		}
	}
	if r.now != nil && r.newest && slices.Contains(tags, current) && created[got.Tag].Before(created[current]) {
		t.Fatalf("%+v moves %q to the older %q", rule, current, got.Tag)
	}
	// What was selected stays selected.
	if got.Tag != "" {
		if next := Select(rule, got.Tag, tags, created); r.now != nil && next.Tag != got.Tag {
			t.Fatalf("%+v moves %q to %q and then to %q", rule, current, got.Tag, next.Tag)
		}
	}
	// Each two candidates are ordered in one way.
	admitted, _ := r.admit(tags)
	for _, a := range admitted[:min(len(admitted), 8)] {
		for _, b := range admitted[:min(len(admitted), 8)] {
			if r.compare(a, b) != -r.compare(b, a) {
				t.Fatalf("%q and %q are ordered in two ways", a.tag, b.tag)
			}
			for _, c := range admitted[:min(len(admitted), 8)] {
				if r.compare(a, b) <= 0 && r.compare(b, c) <= 0 && r.compare(a, c) > 0 {
					t.Fatalf("%q, %q, %q go in a circle", a.tag, b.tag, c.tag)
				}
			}
		}
	}
}

func FuzzSelect(f *testing.F) {
	f.Add("1.2.3", "1.2.3 1.2.4 v1.2 1.3.0-rc.1 1.3.0-rc1x latest 1-2-3 1.2.3.4 20240102")
	f.Add("v1-alpine", "v1-alpine v2-alpine v3 main-1 main-02 main-2 sha-abc")
	f.Add("1.0.0-rc.1-alpine", "1.0.0-rc.1-alpine 1.0.0rc2 1.0.0-rc.2.3-alpine 1.0.0-dev.1 1.0.0-9")
	f.Fuzz(func(t *testing.T, current, list string) {
		tags := strings.Fields(list)
		created := map[string]time.Time{}
		for i, tag := range tags {
			created[tag] = Epoch.AddDate(0, 0, (i*7)%5-1)
		}
		for _, rule := range rules {
			held(t, rule, current, tags, created)
			if len(tags) > 0 {
				held(t, rule, tags[0], tags, created)
			}
		}
	})
}

// TestSelectHolds runs the promises over made-up repositories.
func TestSelectHolds(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	parts := []string{"1", "2", "10", "04", "v1", ".", ".", "-", "rc", "rc.1", "alpine", "dev", "_", "main", "0", "99999999999999999999", "b2", "-9"}
	for range 300 {
		var tags []string
		created := map[string]time.Time{}
		for range 1 + r.IntN(12) {
			tag := ""
			for range 1 + r.IntN(6) {
				tag += parts[r.IntN(len(parts))]
			}
			tags = append(tags, tag)
			created[tag] = Epoch.AddDate(0, 0, r.IntN(4)-1)
		}
		for _, rule := range rules {
			held(t, rule, tags[r.IntN(len(tags))], tags, created)
			held(t, rule, tags[0]+"x", tags, created)
		}
	}
}

// TestVersionOrder holds compareVersions to the example of https://semver.org/#spec-item-11.
func TestVersionOrder(t *testing.T) {
	sorted := strings.Fields("1.0.0-alpha 1.0.0-alpha.1 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0 1.0.1-0 1.0.1 1.2.0 1.10.0 2.0.0")
	var versions []version
	for _, tag := range sorted {
		v, ok := readVersion(tag, nil, true)
		if !ok {
			t.Fatalf("%s is not read", tag)
		}
		versions = append(versions, v)
	}
	for i := range versions {
		for j := range versions {
			if got := compareVersions(versions[i], versions[j]); (got < 0) != (i < j) || (got > 0) != (i > j) {
				t.Errorf("%s and %s: got %d", sorted[i], sorted[j], got)
			}
		}
	}
}

func BenchmarkSelect(b *testing.B) {
	var tags []string
	for i := range 10_000 {
		switch i % 4 {
		case 0:
			tags = append(tags, fmt.Sprintf("1.%d.%d-alpine", i%90, i))
		case 1:
			tags = append(tags, fmt.Sprintf("1.%d.%d", i%90, i))
		case 2:
			tags = append(tags, fmt.Sprintf("main-%d", i))
		default:
			tags = append(tags, fmt.Sprintf("sha256-%064x.sig", i))
		}
	}
	for name, rule := range map[string]config.Track{"semver": {Semver: "^1.2"}, "numeric": {Pattern: "^main-(?P<n>[0-9]+)$", Order: config.OrderNumeric}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if s := Select(rule, "1.2.3", tags, nil); s.Tag == "" {
					b.Fatal(s.Reason)
				}
			}
		})
	}
}

// TestReasonsAreOneLine: nothing of a tag reaches a reason but what a tag may be.
func TestReasonsAreOneLine(t *testing.T) {
	for _, rule := range rules {
		s := Select(rule, "1.0.0", []string{"1.0.0", "1.0.1\nevil", "[x](http://evil)", "<b>"}, nil)
		for _, text := range append([]string{s.Reason}, s.Tag) {
			if regexp.MustCompile(`evil|\n`).MatchString(text) {
				t.Errorf("%+v: %q", rule, text)
			}
		}
	}
}
