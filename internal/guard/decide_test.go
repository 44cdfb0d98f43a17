package guard

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/policy/approval"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/rulebook"
)

func TestDecide(t *testing.T) {
	with := func(config string) string { return tipConfig + config }
	sole := func(in *Input) { in.Admins = 1; delete(in.People, 2); delete(in.People, 3) }
	type change func(t *testing.T, in *Input)
	for _, test := range []struct {
		name   string
		change change
		want   promotion.Status
		says   string // somewhere in the decision
	}{
		{"nobody approved", func(*testing.T, *Input) {}, promotion.Waiting, "0 of 1 approval of 1a1a1a1 by admins"},
		{"nothing is touched", func(_ *testing.T, in *Input) { in.Touched, in.Images = nil, true }, promotion.Passed, "neither .pinnace/"},
		{"an admin approved", func(_ *testing.T, in *Input) { in.Reviews = []approval.Review{approves(bob)} }, promotion.Passed, "may be merged"},
		{"a fork is held to the same", func(_ *testing.T, in *Input) { in.Fork = true }, promotion.Waiting, "its head is of a fork"},
		{"a fork passes by the same", func(_ *testing.T, in *Input) { in.Fork = true; in.Reviews = []approval.Review{approves(bob)} }, promotion.Passed, ""},
		{"somebody with write approved", func(_ *testing.T, in *Input) { in.Reviews = []approval.Review{approves(dave)} }, promotion.Waiting, "dave has write here, and admin is needed"},
		{"the author approved", func(_ *testing.T, in *Input) { in.Reviews = []approval.Review{approves(alice)} }, promotion.Waiting, "alice also wrote a commit"},
		{"the author who wrote no commit approved", func(_ *testing.T, in *Input) {
			in.Writers = []promotion.Identity{dave}
			in.Reviews = []approval.Review{approves(alice)}
		}, promotion.Waiting, "somebody else reviews"},
		{"a committer approved", func(_ *testing.T, in *Input) {
			in.Writers = []promotion.Identity{alice, bob}
			in.Reviews = []approval.Review{approves(bob)}
		}, promotion.Waiting, "bob also wrote a commit"},
		{"another than the committer approved", func(_ *testing.T, in *Input) {
			in.Writers = []promotion.Identity{alice, bob}
			in.Reviews = []approval.Review{approves(carol)}
		}, promotion.Passed, ""},
		{"a bot approved", func(_ *testing.T, in *Input) { in.Reviews = []approval.Review{approves(robot)} }, promotion.Waiting, "bots never approve"},
		{"a service account approved", func(_ *testing.T, in *Input) { in.Reviews = []approval.Review{approves(ci)} }, promotion.Waiting, "service account"},
		{"an older head was approved", func(_ *testing.T, in *Input) {
			in.Reviews = []approval.Review{review(9, bob, promotion.Approved, older)}
		}, promotion.Waiting, "other content"},
		{"which head was approved is not on record", func(_ *testing.T, in *Input) {
			in.Reviews = []approval.Review{review(9, bob, promotion.Approved, "")}
		}, promotion.Waiting, "not on record"},
		{"another pull request was approved", func(_ *testing.T, in *Input) {
			r := approves(bob)
			r.PullRequest = 8
			in.Reviews = []approval.Review{r}
		}, promotion.Waiting, "of pull request #8"},
		{"an approval of long ago", func(_ *testing.T, in *Input) {
			in.Reviews = []approval.Review{approves(bob)}
			in.Now = noon.Add(Lifetime + time.Hour)
		}, promotion.Waiting, "lapsed"},
		{"an approval was dismissed", func(_ *testing.T, in *Input) {
			r := approves(bob)
			r.State, r.As = promotion.Dismissed, promotion.Approved
			in.Reviews = []approval.Review{r}
			in.Moments = []promotion.Moment{{Event: "review_dismissed", Review: 2, At: noon, Actor: carol, Was: promotion.Approved}}
		}, promotion.Waiting, "dismissed by carol"},
		{"two are asked, one approved", func(t *testing.T, in *Input) {
			in.Base = book(t, with("guard: {approverCount: 2}\n"))
			in.Reviews = []approval.Review{approves(bob)}
		}, promotion.Waiting, "1 of 2 approvals"},
		{"two are asked, two approved", func(t *testing.T, in *Input) {
			in.Base = book(t, with("guard: {approverCount: 2}\n"))
			in.Reviews = []approval.Review{approves(bob), approves(carol)}
		}, promotion.Passed, ""},
		{"more are asked than there are", func(t *testing.T, in *Input) {
			in.Base = book(t, with("guard: {approverCount: 3}\n"))
		}, promotion.Waiting, "there are too few other admins"},
		{"none is asked", func(t *testing.T, in *Input) { in.Base = book(t, with("guard: {approverCount: 0}\n")) }, promotion.Passed, "no approval is asked"},
		{"none is asked by the head alone", func(t *testing.T, in *Input) {
			in.Head = book(t, with("guard: {approverCount: 0, allowAuthor: true}\n"))
		}, promotion.Waiting, "guard.approverCount is 0, which was 1"},

		{"an admin requests changes", func(_ *testing.T, in *Input) {
			in.Reviews = []approval.Review{approves(bob), review(9, carol, promotion.ChangesRequested, head)}
		}, promotion.Denied, "carol requested changes"},
		{"somebody with write requests changes", func(_ *testing.T, in *Input) {
			in.Reviews = []approval.Review{approves(bob), review(9, dave, promotion.ChangesRequested, older)}
		}, promotion.Denied, "dave requested changes"},
		{"somebody who reads requests changes", func(_ *testing.T, in *Input) {
			in.Reviews = []approval.Review{approves(bob), review(9, erin, promotion.ChangesRequested, head)}
		}, promotion.Passed, ""},
		{"a change request stands in an author's way, too", func(_ *testing.T, in *Input) {
			sole(in)
			in.Comments = []Comment{comments(alice)}
			in.Reviews = []approval.Review{review(9, dave, promotion.ChangesRequested, head)}
		}, promotion.Denied, "dave requested changes"},

		{"an image is changed, too", func(_ *testing.T, in *Input) { in.Images = true; in.Reviews = []approval.Review{approves(bob)} }, promotion.Denied, "another pull request"},
		{"the head has an error", func(t *testing.T, in *Input) {
			in.Head = book(t, with("rules: 1\n"))
			in.Reviews = []approval.Review{approves(bob)}
		}, promotion.Denied, ".pinnace/config.yaml:9:1: "},
		{"a policy of the head has an error", func(t *testing.T, in *Input) {
			in.Head = book(t, tipConfig, "apiVersion: pinnace.dev/v1alpha1\nkind: Freeze\n")
			in.Reviews = []approval.Review{approves(bob)}
		}, promotion.Denied, ".pinnace/policies/all.yaml:1:1: "},
		{"the head has a warning", func(t *testing.T, in *Input) {
			in.Head = book(t, strings.Replace(tipConfig, "{permission: admin}", "{permission: admin, users: [acme-ci]}", 1))
			in.Reviews = []approval.Review{approves(bob)}
		}, promotion.Passed, "and 1 warning"},
		{"the organisation's documents have an error", func(t *testing.T, in *Input) {
			in.Head = bookOn(t, rulebook.Files{".pinnace/config.yaml": []byte("kind: Config\n")}, tipConfig)
			in.Reviews = []approval.Review{approves(bob)}
		}, promotion.Denied, "who maintains the organisation's repository .github"},
		{"documents without an error that make no set", func(_ *testing.T, in *Input) {
			in.Head = &rulebook.Rulebook{Config: in.Base.Config, Floor: policy.FloorNone}
			in.Reviews = []approval.Review{approves(bob)}
		}, promotion.Denied, "cannot be used"},
		{"hostile names", func(_ *testing.T, in *Input) {
			in.Touched = []string{".pinnace/a\n\u202eb", strings.Repeat(".pinnace/x", 50), "c", "d", "e", "f", "g"}
			in.Author = promotion.Identity{ID: 1, Login: strings.Repeat("a\n", 100)}
			in.Writers = []promotion.Identity{{ID: 9}, {Login: "someone"}, {}}
			in.Comments = []Comment{{By: in.Author, At: noon, SHA: "x\ny"}}
			in.Admins = 1
		}, promotion.Waiting, "and 2 more, which the guard is for"},
		{"both ways at once", func(_ *testing.T, in *Input) {
			sole(in)
			in.People[2] = in.People[1]
			in.Reviews, in.Comments = []approval.Review{approves(bob)}, []Comment{{By: alice, At: noon.Add(time.Minute), SHA: head}}
		}, promotion.Passed, ""},
		{"a comment of a deleted account", func(_ *testing.T, in *Input) {
			sole(in)
			in.Author = promotion.Identity{ID: ghost, Login: "ghost"}
			in.Comments = []Comment{comments(in.Author)}
		}, promotion.Waiting, "of a deleted account"},
		{"the head could not be read", func(_ *testing.T, in *Input) { in.Head = nil; in.Reviews = []approval.Review{approves(bob)} }, promotion.Unknown, "the documents of the head"},
		{"the tip could not be read", func(_ *testing.T, in *Input) { in.Base = nil; in.Reviews = []approval.Review{approves(bob)} }, promotion.Unknown, "the documents at the base's tip"},
		{"the head's SHA is unknown", func(_ *testing.T, in *Input) {
			in.HeadSHA = ""
			in.Reviews = []approval.Review{review(2, bob, promotion.Approved, "")}
			in.Comments = []Comment{{By: alice, At: noon}}
			in.Admins = 1
		}, promotion.Unknown, "the head's SHA"},
		{"the organisation's documents cannot be read", func(_ *testing.T, in *Input) {
			in.Base = rulebook.Read(rulebook.Files{".pinnace/config.yaml": []byte(tipConfig)}, nil, policy.FloorUnknown, nil)
			in.Reviews = []approval.Review{approves(bob)}
		}, promotion.Unknown, "the organisation's documents"},

		{"admin by the head's roles only", func(t *testing.T, in *Input) {
			in.Head = book(t, strings.Replace(tipConfig, "{permission: admin}", "{permission: write}", 1))
			in.Reviews = []approval.Review{approves(dave)}
		}, promotion.Waiting, "role admin is held by more people: write is enough, which was admin"},
		{"admin by the tip's roles only", func(t *testing.T, in *Input) {
			in.Head = book(t, strings.Replace(tipConfig, "{permission: admin}", "{permission: admin, users: [carol]}", 1))
			in.Reviews = []approval.Review{approves(bob)}
		}, promotion.Passed, "role admin is held by fewer people: only carol is in it"},
		{"an admin by permission who is not listed", func(t *testing.T, in *Input) {
			in.Base = book(t, strings.Replace(tipConfig, "{permission: admin}", "{permission: write, teams: [acme/platform]}", 1))
			in.People[2] = approval.Person{Permission: promotion.PermissionAdmin, Teams: map[string]approval.Answer{"acme/platform": approval.No}}
			in.Reviews = []approval.Review{approves(bob)}
		}, promotion.Waiting, "bob is not an approver"},
		{"a team that cannot be read", func(t *testing.T, in *Input) {
			in.Base = book(t, strings.Replace(tipConfig, "{permission: admin}", "{permission: write, teams: [acme/platform]}", 1))
			in.Reviews = []approval.Review{approves(bob)}
		}, promotion.Unknown, "whether bob is in acme/platform"},
		{"a permission that is unknown", func(_ *testing.T, in *Input) {
			delete(in.People, 2)
			in.Reviews = []approval.Review{approves(bob)}
		}, promotion.Unknown, "the permission of bob"},
		{"an admin of one environment", func(t *testing.T, in *Input) {
			in.Base = book(t, strings.Replace(tipConfig, "{permission: admin}\n", "{permission: admin}\n  overrides: [{environment: prod, admin: {permission: write}}]\n", 1))
			in.Reviews = []approval.Review{approves(dave)}
		}, promotion.Waiting, "dave has write here"},
		{"a commit is of nobody", func(_ *testing.T, in *Input) {
			in.WritersUnknown = true
			in.Reviews = []approval.Review{approves(bob)}
		}, promotion.Denied, "commit again with an e-mail address"},
		{"a commit is of a deleted account", func(_ *testing.T, in *Input) {
			in.Writers = append(in.Writers, promotion.Identity{ID: ghost, Login: "ghost"})
			in.Reviews = []approval.Review{approves(bob)}
		}, promotion.Denied, "who wrote every commit"},

		{"a comment where others can approve", func(_ *testing.T, in *Input) { in.Comments = []Comment{comments(alice)} }, promotion.Waiting, "there are 3 admins, and guard.allowAuthor is false"},
		{"the only admin does not comment", func(_ *testing.T, in *Input) { sole(in) }, promotion.Waiting, "comment: /approve-config " + head},
		{"the only admin comments", func(_ *testing.T, in *Input) { sole(in); in.Comments = []Comment{comments(alice)} }, promotion.Passed, "alice, an admin and an author"},
		{"the only admin comments in capitals", func(_ *testing.T, in *Input) {
			sole(in)
			in.Comments = []Comment{{By: alice, At: noon, SHA: strings.ToUpper(head)}}
		}, promotion.Passed, ""},
		{"the only admin loosens the rules", func(t *testing.T, in *Input) {
			sole(in)
			in.Head = book(t, strings.Replace(tipConfig, "deploy: command", "deploy: auto", 1))
			in.Comments = []Comment{comments(alice)}
		}, promotion.Passed, "environment prod: deploy is auto, which was command"},
		{"the only admin committed to another's", func(_ *testing.T, in *Input) {
			sole(in)
			in.Author, in.Writers = dave, []promotion.Identity{dave, alice}
			in.Comments = []Comment{comments(alice)}
		}, promotion.Passed, ""},
		{"the only admin and the pull request of somebody else", func(_ *testing.T, in *Input) {
			sole(in)
			in.Author, in.Writers = dave, []promotion.Identity{dave}
			in.Comments = []Comment{comments(alice)}
		}, promotion.Waiting, "by nobody who wrote this"},
		{"the only admin reviews that of somebody else", func(_ *testing.T, in *Input) {
			sole(in)
			in.Author, in.Writers = dave, []promotion.Identity{dave}
			in.Reviews = []approval.Review{approves(alice)}
		}, promotion.Passed, ""},
		{"an author without the role comments", func(_ *testing.T, in *Input) {
			sole(in)
			in.Author, in.Writers = dave, []promotion.Identity{dave}
			in.Comments = []Comment{comments(dave)}
		}, promotion.Waiting, "dave is no admin by the documents of the tip"},
		{"an author who is admin by the head's roles comments", func(t *testing.T, in *Input) {
			sole(in)
			in.Author, in.Writers = dave, []promotion.Identity{dave}
			in.Head = book(t, strings.Replace(tipConfig, "{permission: admin}", "{permission: write}", 1))
			in.Comments = []Comment{comments(dave)}
		}, promotion.Waiting, "dave is no admin by the documents of the tip"},
		{"an author through a bot comments through it", func(_ *testing.T, in *Input) {
			sole(in)
			in.Author, in.Writers = robot, []promotion.Identity{robot}
			in.Comments = []Comment{comments(robot)}
		}, promotion.Waiting, "bots never approve"},
		{"an author through a service account comments through it", func(_ *testing.T, in *Input) {
			sole(in)
			in.Author, in.Writers = ci, []promotion.Identity{ci}
			in.Comments = []Comment{comments(ci)}
		}, promotion.Waiting, "service account"},
		{"an admin reviews what a bot wrote", func(_ *testing.T, in *Input) {
			sole(in)
			in.Author, in.Writers = robot, []promotion.Identity{robot}
			in.Reviews = []approval.Review{approves(alice)}
		}, promotion.Passed, ""},
		{"an edited comment", func(_ *testing.T, in *Input) {
			sole(in)
			c := comments(alice)
			c.Edited = true
			in.Comments = []Comment{c}
		}, promotion.Waiting, "it was edited: comment anew"},
		{"a comment with a short SHA", func(_ *testing.T, in *Input) {
			sole(in)
			in.Comments = []Comment{{By: alice, At: noon, SHA: head[:7]}}
		}, promotion.Waiting, "write all of it, " + head},
		{"a comment without a SHA", func(_ *testing.T, in *Input) { sole(in); in.Comments = []Comment{{By: alice, At: noon}} }, promotion.Waiting, "of another commit"},
		{"a comment on an older head", func(_ *testing.T, in *Input) {
			sole(in)
			in.Comments = []Comment{{By: alice, At: noon, SHA: older}}
		}, promotion.Waiting, "of another commit than the head " + head},
		{"a comment of long ago", func(_ *testing.T, in *Input) {
			sole(in)
			in.Comments = []Comment{comments(alice)}
			in.Now = noon.Add(Lifetime)
		}, promotion.Waiting, "it lapsed on 2026-11-27 12:00 UTC"},
		{"a comment of before the pull request came to this base", func(_ *testing.T, in *Input) {
			sole(in)
			in.Comments, in.Since = []Comment{comments(alice)}, noon.Add(time.Minute)
		}, promotion.Waiting, "it is older than when the pull request came to this base"},
		{"a review of before the pull request came to this base", func(_ *testing.T, in *Input) {
			in.Reviews, in.Since = []approval.Review{approves(bob)}, noon.Add(time.Minute)
		}, promotion.Waiting, "0 of 1 approval"},
		{"a comment of tomorrow", func(_ *testing.T, in *Input) {
			sole(in)
			in.Comments = []Comment{{By: alice, At: noon.Add(24 * time.Hour), SHA: head}}
		}, promotion.Waiting, "which is to come"},
		{"a good comment after bad ones", func(_ *testing.T, in *Input) {
			sole(in)
			in.Comments = []Comment{{By: alice, At: noon, SHA: older}, comments(dave), comments(alice)}
		}, promotion.Passed, ""},
		{"a comment whose author's permission is unknown", func(_ *testing.T, in *Input) {
			sole(in)
			delete(in.People, 1)
			in.Comments = []Comment{comments(alice)}
		}, promotion.Unknown, "whether alice is an admin"},
		{"a comment, and nobody knows how many admins there are", func(_ *testing.T, in *Input) {
			in.Admins, in.AdminsKnown = 1, false
			in.Comments = []Comment{comments(alice)}
		}, promotion.Unknown, "how many people hold the role admin"},
		{"no comment, and nobody knows how many admins there are", func(_ *testing.T, in *Input) { in.AdminsKnown = false }, promotion.Waiting, "if there is no other admin"},
		{"a review, and nobody knows how many admins there are", func(_ *testing.T, in *Input) {
			in.AdminsKnown = false
			in.Reviews = []approval.Review{approves(bob)}
		}, promotion.Passed, ""},
		{"allowAuthor of the tip", func(t *testing.T, in *Input) {
			in.Base = book(t, with("guard: {allowAuthor: true}\n"))
			in.Comments = []Comment{comments(alice)}
		}, promotion.Passed, "guard.allowAuthor is true"},
		{"allowAuthor without a comment", func(t *testing.T, in *Input) { in.Base = book(t, with("guard: {allowAuthor: true}\n")) }, promotion.Waiting, "comment: /approve-config " + head},
		{"allowAuthor of the head", func(t *testing.T, in *Input) {
			in.Head = book(t, with("guard: {allowAuthor: true}\n"))
			in.Comments = []Comment{comments(alice)}
		}, promotion.Waiting, "guard.allowAuthor is true"},
		{"allowAuthor, and a commit is of nobody", func(t *testing.T, in *Input) {
			in.Base = book(t, with("guard: {allowAuthor: true}\n"))
			in.WritersUnknown = true
			in.Comments = []Comment{comments(alice)}
		}, promotion.Passed, ""},

		{"the first Config, by an admin's comment", func(t *testing.T, in *Input) {
			in.Base, in.HasConfig = book(t, ""), false
			in.Comments = []Comment{comments(alice)}
		}, promotion.Passed, "the tip has no Config yet"},
		{"the first Config, by authorship", func(t *testing.T, in *Input) { in.Base, in.HasConfig = book(t, ""), false }, promotion.Waiting, "comment: /approve-config " + head},
		{"the first Config, by another admin's review", func(t *testing.T, in *Input) {
			in.Base, in.HasConfig = book(t, ""), false
			in.Reviews = []approval.Review{approves(bob)}
		}, promotion.Passed, ""},
		{"the first Config, by somebody with write", func(t *testing.T, in *Input) {
			in.Base, in.HasConfig = book(t, ""), false
			in.Author, in.Writers = dave, []promotion.Identity{dave}
			in.Comments = []Comment{comments(dave)}
		}, promotion.Waiting, "dave is no admin"},
		{"the first Config makes its author admin", func(t *testing.T, in *Input) {
			in.Base, in.HasConfig = book(t, ""), false
			in.Head = book(t, strings.Replace(tipConfig, "{permission: admin}", "{permission: write}", 1))
			in.Author, in.Writers = dave, []promotion.Identity{dave}
			in.Comments = []Comment{comments(dave)}
		}, promotion.Waiting, "dave is no admin"},
		{"the first Config where the organisation names the admins", func(t *testing.T, in *Input) {
			floor := rulebook.Files{".pinnace/config.yaml": []byte("apiVersion: pinnace.dev/v1alpha1\nkind: Config\nroles:\n  admin: {permission: write, users: [carol]}\n")}
			in.Base, in.HasConfig = bookOn(t, floor, ""), false
			in.Comments = []Comment{comments(alice)}
		}, promotion.Waiting, "alice is no admin"},

		{"a broken tip is mended by an admin's review", func(t *testing.T, in *Input) {
			in.Base = book(t, "kind: Config\n")
			in.Reviews = []approval.Review{approves(bob)}
		}, promotion.Passed, ""},
		{"a broken tip is not mended with less than admin", func(t *testing.T, in *Input) {
			in.Base = book(t, strings.Replace(tipConfig, "{permission: admin}", "{permission: write}", 1), "apiVersion: pinnace.dev/v1alpha1\nkind: Freeze\n")
			in.Reviews = []approval.Review{approves(dave)}
		}, promotion.Waiting, "dave has write here, and admin is needed"},
		{"a broken tip is not mended by who is not listed", func(t *testing.T, in *Input) {
			in.Base = book(t, strings.Replace(tipConfig, "{permission: admin}", "{users: [carol]}", 1), "apiVersion: pinnace.dev/v1alpha1\nkind: Freeze\n")
			in.Reviews = []approval.Review{approves(bob)}
		}, promotion.Waiting, "bob is not an approver"},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := world(t)
			test.change(t, &in)
			d := Decide(in)
			if d.Status != test.want {
				t.Errorf("got %s (%s), want %s", d.Status, d.Summary, test.want)
			}
			if text := spell(d); !strings.Contains(text, test.says) {
				t.Errorf("%q is not said:\n%s", test.says, text)
			}
			if again := Decide(in); !cmp.Equal(d, again) {
				t.Errorf("the same facts gave another decision: %s", cmp.Diff(d, again))
			}
			explained(t, d.Results)
		})
	}
}

// spell is every text of a decision.
func spell(d promotion.Decision) string {
	var b strings.Builder
	var walk func(indent string, results []promotion.Result)
	walk = func(indent string, results []promotion.Result) {
		for _, r := range results {
			b.WriteString(indent + strings.Join([]string{r.Rule, string(r.Status), r.Title, r.Seen, r.Wanted, strings.Join(r.Missing, ", "), r.Who, r.Next}, " | ") + "\n")
			walk(indent+"  ", r.Children)
		}
	}
	b.WriteString(string(d.Status) + ": " + d.Summary + "\n")
	walk("", d.Results)
	for _, i := range d.Ignored {
		b.WriteString("ignored " + i.By.Login + ": " + i.Reason + "\n")
	}
	return b.String()
}

// explained holds results to saying who can change them, what comes next and what is missing,
// in one line each.
func explained(t *testing.T, results []promotion.Result) {
	t.Helper()
	for _, r := range results {
		if r.Title == "" || strings.ContainsAny(r.Title+r.Seen+r.Wanted+r.Who+r.Next, "\n\r") {
			t.Errorf("%s has no title of one line: %+v", r.Rule, r)
		}
		if r.Status != promotion.Passed && r.Status != promotion.Skipped && (r.Who == "" || r.Next == "") {
			t.Errorf("%s is %s, and who can change that, or how, is not said: %+v", r.Rule, r.Status, r)
		}
		if r.Status == promotion.Unknown && len(r.Missing) == 0 {
			t.Errorf("%s is unknown, and what is missing is not said: %+v", r.Rule, r)
		}
	}
}

// A passed decision is looked at again when what it stands on lapses.
func TestRecheck(t *testing.T) {
	in := world(t)
	in.Reviews = []approval.Review{approves(bob)}
	if got, want := Decide(in).Recheck, noon.Add(2*time.Second+Lifetime); !got.Equal(want) {
		t.Errorf("by a review: %s, want %s", got, want)
	}
	in = world(t)
	in.Admins, in.Comments = 1, []Comment{comments(alice)}
	if got, want := Decide(in).Recheck, noon.Add(Lifetime); !got.Equal(want) {
		t.Errorf("by a comment: %s, want %s", got, want)
	}
	in.Comments[0].At = noon.Add(24 * time.Hour)
	at := Decide(in).Recheck
	if in.Now = at; Decide(in).Status != promotion.Passed {
		t.Errorf("a comment of tomorrow: not passed at %s, when it is to be looked at again", at)
	}
}

// What loosens a rule is marked, and passes all the same: whether it may is for the approvals.
func TestDifferenceIsShown(t *testing.T) {
	in := world(t)
	in.Head = book(t, strings.Replace(tipConfig, "soak: 1h", "soak: 2h", 1)+"guard: {approverCount: 0}\n")
	d := Decide(in)
	var got []promotion.Result
	for _, r := range d.Results {
		if r.Rule == "difference" {
			got = append(got, r)
		}
	}
	want := []promotion.Result{
		{Rule: "difference", Status: promotion.Passed, Title: "guard.approverCount is 0, which was 1", Seen: "it loosens a rule"},
		{Rule: "difference", Status: promotion.Passed, Title: "environment prod: soak is 2h0m0s, which was 1h0m0s"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Whoever the author is, no review or comment of theirs and nothing else but an allowed
// comment makes authorship enough.
func TestAuthorshipAlone(t *testing.T) {
	for _, who := range []promotion.Identity{alice, bob, carol, dave, erin, robot, ci} {
		for _, admins := range []int{0, 1, 2, 3} {
			for _, hasConfig := range []bool{true, false} {
				in := world(t)
				in.Author, in.Writers, in.Admins, in.HasConfig = who, []promotion.Identity{who}, admins, hasConfig
				in.Reviews = []approval.Review{approves(who)}
				if d := Decide(in); d.Status == promotion.Passed {
					t.Errorf("%s passed alone, with %d admins and a Config: %t\n%s", who, admins, hasConfig, spell(d))
				}
			}
		}
	}
}
