package approval

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// What people read, in full.
func TestTexts(t *testing.T) {
	prod := Need{
		Policy: "prod", File: ".pinnace/policies/prod.yaml", Line: 4, Count: 2,
		Approvers: []Role{{Users: []User{{Login: "carol", ID: 3}}, Teams: []string{"acme/release"}}},
	}
	tests := []struct {
		name   string
		change func(*Input)
		want   promotion.Result
	}{
		{
			name: "waiting",
			change: func(in *Input) {
				in.Needs = []Need{prod}
				in.Reviews = []Review{approves(10, carol, 10), approves(11, alice, 20)}
			},
			want: promotion.Result{
				Rule: "approvals", Status: promotion.Waiting, Title: "1 of 2 approvals", Policy: "prod", File: ".pinnace/policies/prod.yaml", Line: 4,
				Seen:   "carol",
				Wanted: "2 approvals by carol or a member of acme/release, not by who asked (alice) or by who built the image (bob)",
				Who:    "carol or a member of acme/release",
				Next:   "carol or a member of acme/release approves this pull request",
				Children: []promotion.Result{
					{Rule: "approval", Status: promotion.Passed, Title: "carol approved, which counts until 2026-11-27 12:10 UTC", Until: minute(10).Add(DefaultTTL)},
					{Rule: "approval", Status: promotion.Skipped, Title: "alice approved, which does not count: alice asked for this change, and policy prod lets nobody approve their own request: somebody else reviews"},
				},
			},
		},
		{
			name: "nobody has approved",
			change: func(in *Input) {
				in.Needs = []Need{prod}
				in.Needs[0].AllowRequester, in.Needs[0].AllowBuilder = true, true
			},
			want: promotion.Result{
				Rule: "approvals", Status: promotion.Waiting, Title: "0 of 2 approvals", Policy: "prod", File: ".pinnace/policies/prod.yaml", Line: 4,
				Seen: "none", Wanted: "2 approvals by carol or a member of acme/release", Who: "carol or a member of acme/release",
				Next: "2 different people approve this pull request: carol or a member of acme/release",
			},
		},
		{
			name: "passed",
			change: func(in *Input) {
				in.Needs = []Need{{Count: 1, AllowBuilder: true}}
				in.Approvers, in.Requesters = []Role{{Permission: "maintain"}, {Permission: "admin", Teams: []string{"acme/ops"}}}, nil
				in.Reviews = []Review{approves(10, dave, 10)}
			},
			want: promotion.Result{
				Rule: "approvals", Status: promotion.Passed, Title: "1 of 1 approval", Seen: "dave",
				Wanted: "1 approval by anybody with maintain or a member of acme/ops with admin, not by who asked", Who: "anybody with maintain or a member of acme/ops with admin",
				Until: minute(10).Add(DefaultTTL),
				Children: []promotion.Result{
					{Rule: "approval", Status: promotion.Passed, Title: "dave approved, which counts until 2026-11-27 12:10 UTC", Until: minute(10).Add(DefaultTTL)},
				},
			},
		},
		{
			name: "unknown",
			change: func(in *Input) {
				in.Needs = []Need{prod}
				in.Needs[0].Count = 1
				in.People[4] = Person{Permission: "write"}
				in.Reviews = []Review{approves(10, dave, 10)}
			},
			want: promotion.Result{
				Rule: "approvals", Status: promotion.Unknown, Title: "0 of 1 approval", Policy: "prod", File: ".pinnace/policies/prod.yaml", Line: 4,
				Seen:    "none; perhaps dave",
				Wanted:  "1 approval by carol or a member of acme/release, not by who asked (alice) or by who built the image (bob)",
				Who:     "carol or a member of acme/release",
				Missing: []string{"whether dave is in acme/release"},
				Next:    "give the App the permissions that docs/promotions.md lists; or somebody approves of whom all is known: carol or a member of acme/release",
				Until:   minute(10).Add(DefaultTTL),
				Children: []promotion.Result{{
					Rule: "approval", Status: promotion.Unknown, Missing: []string{"whether dave is in acme/release"},
					Title: "dave approved, and nobody can say whether it counts: whether dave is in acme/release could not be read",
				}},
			},
		},
		{
			name: "denied, of two unknowns",
			change: func(in *Input) {
				in.Needs = []Need{prod}
				in.RequesterUnknown, in.BuilderUnknown = true, true
			},
			want: promotion.Result{
				Rule: "approvals", Status: promotion.Denied, Policy: "prod", File: ".pinnace/policies/prod.yaml", Line: 4,
				Title:   "2 approvals asked, and nobody can give them: who asked is unknown, and policy prod lets nobody approve their own request",
				Seen:    "none",
				Wanted:  "2 approvals by carol or a member of acme/release, not by who asked (alice and somebody unknown) or by who built the image (bob and somebody unknown)",
				Missing: []string{"requester", "builder"},
				Who:     "an admin, who changes policy prod in .pinnace/policies/prod.yaml:4",
				Next: "a person asks again: pinnace promote, or set unknownRequester: ignore in .pinnace/policies/prod.yaml:4; " +
					"and build the image with provenance that Pinnace can verify, or set unknownBuilder: ignore in .pinnace/policies/prod.yaml:4",
			},
		},
		{
			name: "a draft",
			change: func(in *Input) {
				in.Needs = []Need{{Count: 1, Approvers: prod.Approvers}}
				in.Draft = true
				in.Reviews = []Review{approves(10, dave, 10)}
			},
			want: promotion.Result{
				Rule: "approvals", Status: promotion.Waiting, Title: "1 of 1 approval, and the pull request is a draft", Seen: "dave",
				Wanted: "1 approval by carol or a member of acme/release, not by who asked (alice) or by who built the image (bob)", Who: "carol or a member of acme/release",
				Next: "mark the pull request as ready for review",
				Children: []promotion.Result{
					{Rule: "approval", Status: promotion.Passed, Title: "dave approved, which counts until 2026-11-27 12:10 UTC", Until: minute(10).Add(DefaultTTL)},
				},
			},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			in := world()
			test.change(&in)
			if diff := cmp.Diff(Count(in).Results[0], test.want); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestVetoTexts(t *testing.T) {
	in := world()
	in.Reviews = []Review{objects(10, carol, 10), dismissed(objects(11, dave, 20))}
	in.Moments = []promotion.Moment{dismissal(11, alice, "")}
	want := []Veto{
		{By: carol, Review: 10, At: minute(10), Result: promotion.Result{
			Rule: "veto", Status: promotion.Denied, Title: "carol requested changes", Seen: "changes requested on 2026-11-20 12:10 UTC on a1a1a1a", Wanted: "no change request in force",
			Who:  "carol, or somebody who neither asked, built nor wrote this",
			Next: "carol reviews again, or somebody who neither asked, built nor wrote this dismisses the change request with a reason",
		}},
		{By: dave, Review: 11, At: minute(20), Result: promotion.Result{
			Rule: "veto", Status: promotion.Denied, Title: "dave requested changes",
			Seen:   "changes requested on 2026-11-20 12:20 UTC on a1a1a1a; dismissed by alice, who asked for this change, which lifts nothing",
			Wanted: "no change request in force", Who: "dave",
			Next: "dave reviews again (a review is dismissed only once), or close this pull request and ask anew",
		}},
	}
	if diff := cmp.Diff(Count(in).Vetoes, want); diff != "" {
		t.Error(diff)
	}
}

func TestWords(t *testing.T) {
	need := func(file string, n int) Need { return Need{File: file, Line: n} }
	for _, c := range []struct{ got, want string }{
		{line("plain", 10), "plain"},
		{line("two\nlines\u202e", 20), "two lines "},
		{line("\xffbroken", 20), "broken"},
		{line("much too long", 4), "much..."},
		{name(promotion.Identity{}), "somebody"},
		{name(promotion.Identity{ID: 7}), "#7"},
		{when(time.Time{}), "an unknown day"},
		{span(24 * time.Hour), "1 day"},
		{span(48 * time.Hour), "2 days"},
		{span(90 * time.Second), "1m30s"},
		{span(10 * time.Hour), "10h"},
		{span(10 * time.Minute), "10m"},
		{on(""), ""},
		{short("éééééééé"), "ééé"},
		{said(" \n"), ""},
		{said(strings.Repeat("x", 200)), `: "` + strings.Repeat("x", maxMessage) + `..."`},
		{policyOf(Need{}), "the policy"},
		{at(need("a.yaml", 0)), " in a.yaml"},
		{list(nil, "or"), ""},
		{list([]string{"a", "b", "c"}, "or"), "a, b or c"},
		{list([]string{"a", "b", "c", "d", "e", "f", "g", "h"}, "or"), "a, b, c, d, e or 3 more"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

// Where many policies refuse an approval, some are named.
func TestManyReasons(t *testing.T) {
	in := world()
	in.Needs = nil
	for i := range 6 {
		in.Needs = append(in.Needs, Need{Policy: fmt.Sprint("p", i), Count: 1, Approvers: []Role{{Users: []User{{Login: fmt.Sprint("user", i)}}}}})
	}
	in.Reviews = []Review{approves(10, carol, 10)}
	const want = "policy p0: carol is not an approver: user0 approves; policy p1: carol is not an approver: user1 approves; policy p2: carol is not an approver: user2 approves; 3 more policies"
	if out := Count(in); len(out.Ignored) != 1 || out.Ignored[0].Reason != want {
		t.Errorf("got %+v, want %q", out.Ignored, want)
	}
}

func TestHolds(t *testing.T) {
	release := []Role{{Teams: []string{"Acme/Release"}}}
	for _, c := range []struct {
		name   string
		roles  []Role
		person Person
		want   Answer
	}{
		{"no role", nil, member("admin", Yes), No},
		{"a role of everybody with write", []Role{{}}, member("write", No), Yes},
		{"and below it", []Role{{}}, member("triage", Yes), No},
		{"a team", release, member("write", Yes), Yes},
		{"a team, perhaps", release, member("write", Unknown), Unknown},
		{"a team, without write", release, member("read", Unknown), No},
		{"a team, with an unknown permission", release, member("", Yes), Unknown},
		{"no team, with an unknown permission", release, member("", No), No},
		{"a user", []Role{{Users: []User{{Login: "CAROL"}}}}, member("write", No), Yes},
		{"a user of another number", []Role{{Users: []User{{Login: "carol", ID: 4}}}}, member("admin", No), No},
		{"one of two roles", append(release, Role{Permission: "admin"}), member("admin", No), Yes},
		{"one of two roles, perhaps", append(release, Role{Permission: "admin"}), member("write", Unknown), Unknown},
		{"a floor that nobody knows", []Role{{Permission: "captain"}}, member("admin", Yes), No},
		{"no floor", []Role{{Permission: "none"}}, member("none", No), Yes},
	} {
		if got := Holds(c.roles, carol, c.person); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}
