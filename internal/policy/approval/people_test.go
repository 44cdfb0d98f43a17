package approval

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// Cases 29 to 39: who is who.
func TestPeople(t *testing.T) {
	run(t, []cell{
		{
			name: "29 the App opened it, and the person who asked does not approve",
			change: func(in *Input) {
				in.Reviews = []Review{approves(10, alice, 10)}
			},
			status: promotion.Waiting, ignored: []string{"alice: asked for this change"}, says: "not by who asked (alice) or by who built the image (bob)",
		},
		{
			name: "29 several people asked",
			change: func(in *Input) {
				in.Requesters = []promotion.Identity{alice, carol}
				in.Reviews = []Review{approves(10, carol, 10), approves(11, alice, 10)}
			},
			status: promotion.Waiting, ignored: []string{"carol: asked", "alice: asked"},
		},
		{
			name: "30 nobody asked",
			change: func(in *Input) {
				in.Requesters = nil
				in.Reviews = []Review{approves(10, alice, 10)}
			},
			status: promotion.Passed, counts: "alice",
		},
		{
			name: "30 only machines asked, so that who asked is unknown",
			change: func(in *Input) {
				in.Requesters = []promotion.Identity{bot, ci}
				in.Reviews = []Review{approves(10, carol, 10)}
			},
			status: promotion.Denied, ignored: []string{"carol: who asked is unknown"}, says: "1 approval asked, and nobody can give them: who asked is unknown",
		},
		{
			name: "30 a machine and a person asked",
			change: func(in *Input) {
				in.Requesters = []promotion.Identity{bot, alice}
				in.Reviews = []Review{approves(10, carol, 10)}
			},
			status: promotion.Passed, counts: "carol",
		},
		{
			name: "30 who asked is unknown, and that is ignored by name",
			change: func(in *Input) {
				in.Requesters, in.RequesterUnknown, in.Needs[0].UnknownRequester = nil, true, Ignore
				in.Reviews = []Review{approves(10, carol, 10)}
			},
			status: promotion.Passed, counts: "carol", says: "not by who asked (somebody unknown)",
		},
		{
			name: "30 who asked is unknown, and may approve",
			change: func(in *Input) {
				in.RequesterUnknown, in.Needs[0].AllowRequester = true, true
				in.Reviews = []Review{approves(10, alice, 10)}
			},
			status: promotion.Passed, counts: "alice",
		},
		{
			name: "30 who asked is unknown, and no approval is asked",
			change: func(in *Input) {
				in.RequesterUnknown, in.BuilderUnknown, in.Needs[0].Count = true, true, 0
				in.Reviews = []Review{approves(10, carol, 10)}
			},
			status: promotion.Passed, counts: "carol", says: "no approval is asked",
		},
		{
			name:   "31 the builder does not approve",
			change: func(in *Input) { in.Reviews = []Review{approves(10, bob, 10)} },
			status: promotion.Waiting, ignored: []string{"bob: built the image, and policy prod lets no builder approve"},
		},
		{
			name: "31 the builder may approve",
			change: func(in *Input) {
				in.Needs[0].AllowBuilder = true
				in.Reviews = []Review{approves(10, bob, 10)}
			},
			status: promotion.Passed, counts: "bob",
		},
		{
			name: "31 who asked and built needs both leaves",
			change: func(in *Input) {
				in.Builders, in.Needs[0].AllowRequester = []promotion.Identity{alice}, true
				in.Reviews = []Review{approves(10, alice, 10)}
			},
			status: promotion.Waiting, ignored: []string{"alice: built the image"},
		},
		{
			name: "32 the builder is unknown",
			change: func(in *Input) {
				in.Builders, in.BuilderUnknown = nil, true
				in.Reviews = []Review{approves(10, carol, 10)}
			},
			status: promotion.Denied, ignored: []string{"carol: who built the image is unknown"}, says: "set unknownBuilder: ignore in .pinnace/policies/prod.yaml:4",
		},
		{
			name: "32 the builder is unknown, and that is ignored by name",
			change: func(in *Input) {
				in.BuilderUnknown, in.Needs[0].UnknownBuilder = true, Ignore
				in.Reviews = []Review{approves(10, carol, 10), approves(11, bob, 10)}
			},
			status: promotion.Passed, counts: "carol", ignored: []string{"bob: built the image"},
		},
		{
			name: "33 every builder of a bundle",
			change: func(in *Input) {
				in.Builders = []promotion.Identity{bob, carol}
				in.Reviews = []Review{approves(10, bob, 10), approves(11, carol, 11)}
			},
			status: promotion.Waiting, ignored: []string{"bob: built", "carol: built"},
		},
		{
			name: "34 a claimed login takes power away, and gives none",
			change: func(in *Input) {
				in.Builders = []promotion.Identity{{Login: "Carol"}}
				in.Reviews = []Review{approves(10, carol, 10), approves(11, bob, 11)}
			},
			status: promotion.Passed, counts: "bob", ignored: []string{"carol: built"},
		},
		{
			name: "34 an author whom GitHub does not know, ignored by name",
			change: func(in *Input) {
				in.AuthorUnknown, in.Needs[0].UnknownRequester = true, Ignore
				in.Reviews = []Review{approves(10, carol, 10)}
			},
			status: promotion.Passed, counts: "carol",
		},
		{
			name: "34 an author whom GitHub does not know, where who asked may approve",
			change: func(in *Input) {
				in.AuthorUnknown, in.Needs[0].AllowRequester = true, true
				in.Reviews = []Review{approves(10, carol, 10)}
			},
			status: promotion.Denied, ignored: []string{"carol: a commit is of nobody that GitHub knows"}, says: "commit again with an e-mail address of a GitHub account",
		},
		{
			name: "35 bots and service accounts, in the team or not",
			change: func(in *Input) {
				in.Reviews = []Review{approves(10, bot, 10), approves(11, ci, 11), approves(12, promotion.Identity{ID: 52, Login: "app"}, 12)}
				in.People[52] = Person{Permission: "admin", Bot: true}
			},
			status: promotion.Waiting, ignored: []string{"acme-bot[bot]: of a bot", "acme-ci: of a service account", "app: of a bot"},
		},
		{
			name: "36 a user of the policy by number, whatever the login is now",
			change: func(in *Input) {
				in.Needs[0].Approvers = []Role{{Users: []User{{Login: "carol", ID: 3}}}}
				in.Reviews = []Review{approves(10, promotion.Identity{ID: 3, Login: "caroline"}, 10)}
			},
			status: promotion.Passed, counts: "caroline",
		},
		{
			name: "36 a login that somebody else registered",
			change: func(in *Input) {
				in.Needs[0].Approvers = []Role{{Users: []User{{Login: "carol", ID: 583231}}}}
				in.Reviews = []Review{approves(10, carol, 10)}
			},
			status: promotion.Waiting, ignored: []string{"carol: the approver carol#583231 is another account than carol#3: carol approves"}, says: "carol approves this pull request",
		},
		{
			name: "36 deleted accounts, however GitHub shows them",
			change: func(in *Input) {
				in.Needs[0].Approvers = []Role{{Users: []User{{Login: "ghost"}}}}
				in.People[60] = Person{Permission: "write", Ghost: true}
				in.People[ghostID] = Person{Permission: "admin"}
				in.Reviews = []Review{
					approves(10, nobody, 10), approves(11, promotion.Identity{ID: ghostID, Login: "ghost"}, 11), approves(12, promotion.Identity{ID: 60, Login: "old"}, 12),
				}
			},
			status: promotion.Waiting, ignored: []string{"ghost: of a deleted account", "ghost: of a deleted account", "old: of a deleted account"},
		},
		{
			name: "36 two deleted accounts are not one: the later lifts nothing of the earlier",
			change: func(in *Input) {
				r := objects(10, nobody, 10)
				r.HadStanding = Yes
				in.Reviews = []Review{r, approves(11, nobody, 11), approves(12, carol, 12)}
			},
			status: promotion.Denied, counts: "carol", vetoes: "ghost", ignored: []string{"ghost: deleted"},
		},
		{
			name: "36 a deleted builder is unknown",
			change: func(in *Input) {
				in.Builders = []promotion.Identity{nobody}
				in.Reviews = []Review{approves(10, carol, 10)}
			},
			status: promotion.Denied, ignored: []string{"carol: who built the image is unknown"},
		},
		{
			name: "36 so is one that GitHub replaced by its ghost",
			change: func(in *Input) {
				in.Builders = []promotion.Identity{{ID: ghostID, Login: "ghost"}}
				in.Reviews = []Review{approves(10, carol, 10)}
			},
			status: promotion.Denied, ignored: []string{"carol: who built the image is unknown"},
		},
		{
			name: "37 the approval came before the request",
			change: func(in *Input) {
				in.Requesters = []promotion.Identity{alice, carol} // carol asked again, later
				in.Reviews = []Review{approves(10, carol, 10)}
			},
			status: promotion.Waiting, ignored: []string{"carol: asked"},
		},
		{
			name:   "39 a reader of a public repository",
			change: func(in *Input) { in.Reviews = []Review{approves(10, frank, 10)} },
			status: promotion.Waiting, ignored: []string{"frank: not an approver"},
		},
		{
			name: "39 in the team without the permission",
			change: func(in *Input) {
				in.People[6] = member("triage", Yes)
				in.Reviews = []Review{approves(10, frank, 10)}
			},
			status: promotion.Waiting, ignored: []string{"frank: frank has triage here, and write is needed: a member of acme/release or anybody with admin approves"},
		},
		{
			name:   "39 the permission without the team",
			change: func(in *Input) { in.Reviews = []Review{approves(10, erin, 10)} },
			status: promotion.Waiting, ignored: []string{"erin: not an approver"},
		},
		{
			name:   "39 an admin is a promoter",
			change: func(in *Input) { in.Reviews = []Review{approves(10, grace, 10)} },
			status: promotion.Passed, counts: "grace",
		},
		{
			name: "39 nobody is listed: anybody with write",
			change: func(in *Input) {
				in.Approvers = nil
				in.Reviews = []Review{approves(10, erin, 10), approves(11, frank, 10)}
			},
			status: promotion.Passed, counts: "erin", ignored: []string{"frank: has read here, and write is needed: anybody with write approves"},
		},
		{
			name: "39 a role without users or teams and with a higher floor",
			change: func(in *Input) {
				in.Needs[0].Approvers = []Role{{Permission: "maintain"}}
				in.Reviews = []Review{approves(10, carol, 10), approves(11, dave, 11)}
			},
			status: promotion.Passed, counts: "dave", ignored: []string{"carol: has write here, and maintain is needed"},
		},
	})
}

// Cases 40 to 46 and 52: teams, time and state.
func TestTeamsAndTime(t *testing.T) {
	run(t, []cell{
		{
			name: "40 left the team since",
			change: func(in *Input) {
				in.People[3] = member("write", No)
				in.Reviews = []Review{approves(10, carol, 10)}
			},
			status: promotion.Waiting, ignored: []string{"carol: not an approver"},
		},
		{
			name: "40 lost write since",
			change: func(in *Input) {
				in.People[3] = member("read", Yes)
				in.Reviews = []Review{approves(10, carol, 10)}
			},
			status: promotion.Waiting, ignored: []string{"carol: has read here, and write is needed"},
		},
		{
			name: "41 a team that cannot be read is unknown, not no",
			change: func(in *Input) {
				in.People[3] = Person{Permission: "write"}
				in.Reviews = []Review{approves(10, carol, 10)}
			},
			status: promotion.Unknown, ignored: []string{"carol: whether carol is in acme/release could not be read"}, says: "give the App the permissions",
		},
		{
			name: "41 an unknown permission",
			change: func(in *Input) {
				in.People[3] = member("", Yes)
				in.Reviews = []Review{approves(10, carol, 10)}
			},
			status: promotion.Unknown, ignored: []string{"carol: the permission of carol could not be read"},
		},
		{
			name: "41 a permission of a name nobody heard of",
			change: func(in *Input) {
				in.People[3] = member("release-captain", Yes)
				in.Reviews = []Review{approves(10, carol, 10)}
			},
			status: promotion.Unknown, ignored: []string{"carol: the permission of carol could not be read"},
		},
		{
			name: "41 nothing is known of a person",
			change: func(in *Input) {
				delete(in.People, 3)
				in.Reviews = []Review{approves(10, carol, 10)}
			},
			status: promotion.Unknown, ignored: []string{"carol: whether carol is in acme/release and the permission of carol could not be read"},
		},
		{
			name: "41 the unknown does not matter: enough are certain",
			change: func(in *Input) {
				delete(in.People, 3)
				in.Reviews = []Review{approves(10, carol, 10), approves(11, dave, 11)}
			},
			status: promotion.Passed, counts: "dave", ignored: []string{"carol: could not be read"},
		},
		{
			name: "41 the unknown does not matter: not enough with it",
			change: func(in *Input) {
				in.Needs[0].Count = 3
				delete(in.People, 3)
				in.Reviews = []Review{approves(10, carol, 10), approves(11, dave, 11)}
			},
			status: promotion.Waiting, counts: "dave", ignored: []string{"carol: could not be read"}, says: "dave; perhaps carol",
		},
		{
			name: "41 the unknown does not matter: without write the team decides nothing",
			change: func(in *Input) {
				in.People[3] = Person{Permission: "read"}
				in.Reviews = []Review{approves(10, carol, 10)}
			},
			status: promotion.Waiting, ignored: []string{"carol: has read here"},
		},
		{
			name: "41 one of two teams is certain",
			change: func(in *Input) {
				in.Needs[0].Approvers = []Role{{Teams: []string{"acme/secret", "Acme/Release"}}}
				in.Reviews = []Review{approves(10, carol, 10)}
			},
			status: promotion.Passed, counts: "carol",
		},
		{
			name: "41 an unknown person's change request",
			change: func(in *Input) {
				delete(in.People, 5)
				in.Reviews = []Review{objects(10, erin, 10), approves(11, carol, 11)}
			},
			status: promotion.Unknown, counts: "carol", vetoes: "erin", vetoSays: "whether erin had write",
		},
		{
			name: "42 in two of the teams, one person is one approval",
			change: func(in *Input) {
				in.Needs[0].Count = 2
				in.Needs[0].Approvers = []Role{{Teams: []string{"acme/release"}, Users: []User{{Login: "carol"}}}, {Permission: "write"}}
				in.Reviews = []Review{approves(10, carol, 10)}
			},
			status: promotion.Waiting, counts: "carol", says: "1 of 2 approvals",
		},
		{
			name: "43 several policies all hold, and an approval counts for each that accepts it",
			change: func(in *Input) {
				in.Needs = append(in.Needs, Need{Policy: "security", Count: 1, Approvers: []Role{{Users: []User{{Login: "carol"}}}}})
				in.Reviews = []Review{approves(10, carol, 10)}
			},
			status: promotion.Passed, counts: "carol",
		},
		{
			name: "43 several policies, of which one does not hold",
			change: func(in *Input) {
				in.Needs = append(in.Needs, Need{Policy: "security", Count: 1, Approvers: []Role{{Users: []User{{Login: "erin"}}}}})
				in.Reviews = []Review{approves(10, carol, 10), approves(11, frank, 11)}
			},
			status: promotion.Waiting, counts: "carol",
			ignored: []string{"frank: policy prod: frank is not an approver: a member of acme/release or anybody with admin approves; policy security: frank is not an approver: erin approves"},
		},
		{
			name: "44 the policy of now judges the approvals of then",
			change: func(in *Input) {
				in.Needs[0].Count = 2
				in.Reviews = []Review{approves(10, carol, 10)}
			},
			status: promotion.Waiting, counts: "carol", says: "a member of acme/release or anybody with admin approves this pull request",
		},
		{
			name: "46 an approval lapses after seven days",
			change: func(in *Input) {
				in.Now = minute(10).Add(DefaultTTL)
				in.Reviews = []Review{approves(10, carol, 10)}
			},
			status: promotion.Waiting, ignored: []string{"carol: it lapsed on 2026-11-27 12:10 UTC, 7 days after it was given: review again"},
		},
		{
			name: "46 or after what the policy says",
			change: func(in *Input) {
				in.Needs[0].TTL = 90 * time.Minute
				in.Reviews = []Review{approves(10, carol, 10), approves(11, dave, 40)}
			},
			status: promotion.Passed, counts: "dave", ignored: []string{"carol: 1h30m after it was given"}, says: "counts until 2026-11-20 14:10 UTC",
		},
		{
			name:   "46 an approval of the future is none",
			change: func(in *Input) { in.Reviews = []Review{approves(10, carol, 126)} },
			status: promotion.Waiting, ignored: []string{"carol: it is dated 2026-11-20 14:06 UTC, and it is 2026-11-20 14:00 UTC now"},
		},
		{
			name: "52 more than six",
			change: func(in *Input) {
				in.Needs[0].Count = 7
				in.Reviews = []Review{approves(10, carol, 10)}
			},
			status: promotion.Denied, counts: "carol", says: "set approverCount in .pinnace/policies/prod.yaml:4 to a number from 0 to 6",
		},
		{
			name: "52 none is asked, and who approves is still told to conditions",
			change: func(in *Input) {
				in.Needs[0].Count = 0
				in.Reviews = []Review{approves(10, carol, 10), approves(11, alice, 11)}
			},
			status: promotion.Passed, counts: "carol", ignored: []string{"alice: asked"},
		},
		{
			name: "no policy and no review",
			change: func(in *Input) {
				in.Needs = nil
			},
			status: promotion.Skipped,
		},
	})
}

// An approval's end is known in advance, and at that very time the verdict is another one.
func TestRecheck(t *testing.T) {
	in := world()
	in.Needs[0].Count = 2
	in.Needs = append(in.Needs, Need{Policy: "long", Count: 1, TTL: 30 * 24 * time.Hour})
	in.Reviews = []Review{approves(10, carol, 10), approves(11, dave, 20), approves(12, heidi, 30)}
	out := Count(in)
	if want := minute(20).Add(DefaultTTL); out.Status != promotion.Passed || !out.Recheck.Equal(want) || !out.Results[0].Until.Equal(want) {
		t.Fatalf("%s, recheck %s, want %s", out.Status, out.Recheck, want)
	}
	if want := minute(30).Add(30 * 24 * time.Hour); !out.Results[1].Until.Equal(want) {
		t.Errorf("until %s, want %s", out.Results[1].Until, want)
	}
	if met := []time.Time{minute(20), minute(10)}; !slices.EqualFunc(out.Met, met, time.Time.Equal) {
		t.Errorf("met %s, want %s", out.Met, met)
	}
	for i, a := range out.Approvals {
		if want := a.At.Add(30 * 24 * time.Hour); !out.Lapses[i].Equal(want) {
			t.Errorf("%s counts until %s, want %s", a.By.Login, out.Lapses[i], want)
		}
	}
	for after, want := range map[time.Duration]promotion.Status{-time.Nanosecond: promotion.Passed, 0: promotion.Waiting} {
		in.Now = out.Recheck.Add(after)
		if got := Count(in).Status; got != want {
			t.Errorf("%s after the recheck: %s, want %s", after, got, want)
		}
	}

	in = world()
	in.Reviews = []Review{approves(10, carol, 200)}
	out = Count(in)
	if want := minute(195); out.Status != promotion.Waiting || !out.Recheck.Equal(want) {
		t.Fatalf("of the future: %s, recheck %s, want %s", out.Status, out.Recheck, want)
	}
	in.Now = out.Recheck
	if got := Count(in).Status; got != promotion.Passed {
		t.Errorf("at the recheck: %s", got)
	}

	in = world()
	delete(in.People, 3)
	in.Reviews = []Review{approves(10, carol, 10)}
	if out = Count(in); out.Status != promotion.Unknown || !out.Recheck.Equal(minute(10).Add(DefaultTTL)) {
		t.Errorf("unknown: %s, recheck %s", out.Status, out.Recheck)
	}
}

// A crowd of strangers fills no report.
func TestCrowd(t *testing.T) {
	in := world()
	for i := range int64(1000) {
		in.Reviews = append(in.Reviews, approves(1000+i, promotion.Identity{ID: 1000 + i, Login: fmt.Sprint("stranger", i)}, 10))
		in.People[1000+i] = member("read", No)
	}
	in.Reviews = append(in.Reviews, approves(10, carol, 20))
	out := Count(in)
	if out.Status != promotion.Passed || len(out.Ignored) != 1000 {
		t.Fatalf("%s, %d ignored", out.Status, len(out.Ignored))
	}
	children := out.Results[0].Children
	if n := len(children); n != maxRefused+2 || children[0].Title != "carol approved, which counts until 2026-11-27 12:20 UTC" || children[n-1].Title != "995 more approvals do not count" {
		t.Errorf("%d children, first %q, last %q", n, children[0].Title, children[n-1].Title)
	}
}
