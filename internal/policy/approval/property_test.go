package approval

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A dice makes worlds of bytes, so that the fuzzer steers it; when they run out it is 0.
type dice struct{ bytes.Reader }

func (d *dice) roll(n int) int {
	b, err := d.ReadByte()
	if err != nil {
		return 0
	}
	return int(b) % n
}

func pick[T any](d *dice, of ...T) T { return of[d.roll(len(of))] }

// cast are the people of generated worlds: two of one login, machines, and deleted ones.
var cast = []promotion.Identity{
	alice, bob, carol, dave, erin, frank, grace, heidi, bot, ci, nobody,
	{ID: 60, Login: "carol"},
	{ID: ghostID, Login: "ghost"},
	{ID: 61, Login: "new\u202e\nline"},
	{ID: 62},
}

func (d *dice) people() []promotion.Identity {
	var list []promotion.Identity
	for range d.roll(3) {
		list = append(list, pick(d, append(cast, promotion.Identity{Login: "Carol"}, promotion.Identity{})...))
	}
	return list
}

func (d *dice) roles() []Role {
	var list []Role
	for range d.roll(3) {
		r := Role{Permission: pick(d, "", "read", "write", promotion.PermissionAdmin, "odd")}
		if d.roll(2) == 1 {
			r.Users = []User{pick(d, User{"carol", 0}, User{"carol", 3}, User{"carol", 9}, User{"frank", 6})}
		}
		if d.roll(2) == 1 {
			r.Teams = []string{pick(d, "acme/release", "acme/secret")}
		}
		list = append(list, r)
	}
	return list
}

func (d *dice) world() Input {
	in := world()
	in.Needs = nil
	for i := range d.roll(4) {
		in.Needs = append(in.Needs, Need{
			Policy: fmt.Sprint("p", i), Count: pick(d, 1, 2, 0, 3, 6, 7, -1), AllowRequester: d.roll(2) == 1, AllowBuilder: d.roll(2) == 1,
			Approvers: d.roles(), TTL: pick(d, 0, time.Hour, 300*time.Hour),
			UnknownRequester: pick(d, "", Deny, Ignore), UnknownBuilder: pick(d, "", Deny, Ignore),
		})
	}
	in.Approvers = d.roles()
	in.Draft = d.roll(8) == 1
	in.Seal = pick(d, sealA, sealA, sealA, sealB, "")
	in.Requesters, in.Builders, in.Authors = d.people(), d.people(), d.people()
	in.RequesterUnknown, in.BuilderUnknown, in.AuthorUnknown = d.roll(8) == 1, d.roll(8) == 1, d.roll(8) == 1
	for _, i := range cast {
		if d.roll(3) == 1 {
			in.People[i.ID] = Person{
				Permission: pick(d, "write", "", "none", "read", "admin", promotion.Permission("odd")), Teams: map[string]Answer{"acme/release": Answer(d.roll(3)), "acme/secret": Answer(d.roll(3))},
				Bot: d.roll(8) == 1, ServiceAccount: d.roll(8) == 1, Ghost: d.roll(8) == 1,
			}
		}
	}
	for i := range int64(d.roll(9)) {
		r := says(10+i, pick(d, cast...), pick(d, promotion.Approved, promotion.Approved, promotion.ChangesRequested, promotion.Commented, promotion.Pending), pick(d, 10, 20, 30, -5, 200, 10))
		r.SealAt = pick(d, sealA, sealA, sealA, sealB, "")
		r.HadStanding = Answer(d.roll(3))
		r.PullRequest = pick(d, 14, 14, 14, 14, 13)
		if d.roll(4) == 1 {
			if r = dismissed(r); d.roll(4) == 1 {
				r.As = ""
			}
			for range pick(d, 1, 1, 1, 0, 2) {
				m := dismissal(r.ID, pick(d, append(cast, r.Author)...), pick(d, "", headA, headB, headX))
				m.Was = pick(d, "", promotion.Approved, promotion.ChangesRequested)
				in.Moments = append(in.Moments, m)
			}
		}
		in.Reviews = append(in.Reviews, r)
	}
	return in
}

// shuffled is the same world in another order.
func (d *dice) shuffled(in Input) Input {
	in.Reviews, in.Moments = slices.Clone(in.Reviews), slices.Clone(in.Moments)
	in.Requesters, in.Builders, in.Authors = slices.Clone(in.Requesters), slices.Clone(in.Builders), slices.Clone(in.Authors)
	swap := func(n int, swap func(i, j int)) {
		for i := n - 1; i > 0; i-- {
			swap(i, d.roll(i+1))
		}
	}
	swap(len(in.Reviews), func(i, j int) { in.Reviews[i], in.Reviews[j] = in.Reviews[j], in.Reviews[i] })
	swap(len(in.Moments), func(i, j int) { in.Moments[i], in.Moments[j] = in.Moments[j], in.Moments[i] })
	for _, l := range [][]promotion.Identity{in.Requesters, in.Builders, in.Authors} {
		swap(len(l), func(i, j int) { l[i], l[j] = l[j], l[i] })
	}
	return in
}

// opens says whether the status lets anything be merged.
func opens(s promotion.Status) bool { return s == promotion.Passed || s == promotion.Skipped }

// hold checks every invariant of a world.
func hold(t *testing.T, d *dice, in Input) {
	t.Helper()
	out := Count(in)
	fail := func(format string, args ...any) {
		t.Helper()
		text, _ := json.MarshalIndent(in, "", " ")
		t.Fatalf("%s\nof %s\ngot %+v", fmt.Sprintf(format, args...), text, out)
	}

	if diff := cmp.Diff(out, Count(d.shuffled(in))); diff != "" {
		fail("in another order: %s", diff)
	}

	// The parts agree with each other.
	statuses := []promotion.Status{}
	for i, r := range out.Results {
		statuses = append(statuses, r.Status)
		if r.Status == promotion.Passed && in.Needs[i].Count > 0 {
			counted := 0
			for _, c := range r.Children {
				if c.Status == promotion.Passed {
					counted++
				}
			}
			if counted < in.Needs[i].Count || counted > len(out.Approvals) || in.Draft {
				fail("need %d passed with %d approvals", i, counted)
			}
		}
		if !opens(r.Status) && (r.Next == "" || r.Who == "" || r.Wanted == "") {
			fail("need %d does not say what to do: %+v", i, r)
		}
		if r.Status == promotion.Unknown && len(r.Missing) == 0 {
			fail("need %d does not say what is missing", i)
		}
	}
	for _, v := range out.Vetoes {
		statuses = append(statuses, v.Result.Status)
		if opens(v.Result.Status) || v.Result.Next == "" || v.Result.Status == promotion.Unknown && len(v.Result.Missing) == 0 {
			fail("veto %+v", v)
		}
	}
	if want := promotion.Worst(statuses...); out.Status != want || len(out.Results) != len(in.Needs) {
		fail("status %s, want %s", out.Status, want)
	}
	if !out.Recheck.IsZero() && !out.Recheck.After(in.Now) {
		fail("recheck %s is not to come", out.Recheck)
	}
	seen := map[int64]bool{}
	for _, a := range out.Approvals {
		if seen[a.By.ID] || a.By.Bot || a.By.ID == 0 || in.People[a.By.ID].ServiceAccount {
			fail("%s counts twice, or at all", a.By)
		}
		seen[a.By.ID] = true
	}
	for _, i := range out.Ignored {
		if i.Reason == "" {
			fail("ignored without a reason: %+v", i)
		}
	}
	lines(out, func(s string) {
		if !utf8.ValidString(s) || strings.ContainsAny(s, "\n\r\u202e") || len(s) > 4000 {
			fail("not one plain line: %q", s)
		}
	})

	// Until the recheck nothing changes by itself, but for what was told.
	if at := out.Recheck.Add(-time.Second); at.After(in.Now) {
		later := in
		later.Now = at
		if got := Count(later).Status; got != out.Status {
			fail("%s before the recheck it is %s", at, got)
		}
	} else if out.Recheck.IsZero() {
		later := in
		later.Now = in.Now.Add(1000 * time.Hour)
		if got := Count(later).Status; got != out.Status {
			fail("long after, without a recheck, it is %s", got)
		}
	}

	// One more veto never opens.
	for _, who := range []promotion.Identity{alice, carol, erin, frank, nobody, {ID: 999, Login: "new"}} {
		more := in
		more.Reviews = append(slices.Clone(in.Reviews), objects(500, who, 300))
		if got := Count(more); opens(got.Status) && !opens(out.Status) {
			// A person's objection that stops nothing still replaces what that person said.
			if !spoke(in, who) {
				fail("an objection of %s opens it: %+v", who, got)
			}
		}
	}

	// One approval less never opens, all of that person's or one that counts.
	for _, r := range in.Reviews {
		less := in
		less.Reviews = slices.DeleteFunc(slices.Clone(in.Reviews), func(o Review) bool {
			return o.Author.ID == r.Author.ID && (o.State == promotion.Approved || o.As == promotion.Approved)
		})
		if got := Count(less); opens(got.Status) && !opens(out.Status) {
			fail("without the approvals of %s it opens", r.Author)
		}
	}
	for _, a := range out.Approvals {
		less := in
		less.Reviews = slices.DeleteFunc(slices.Clone(in.Reviews), func(o Review) bool { return o.ID == a.Review })
		if got := Count(less); opens(got.Status) && !opens(out.Status) {
			fail("without approval %d it opens", a.Review)
		}
	}

	// The approval of who may not approve changes nothing.
	stranger := promotion.Identity{ID: 998, Login: "stranger"}
	for _, p := range []Person{{Permission: "none"}, {Permission: "read", Ghost: true}, {Permission: "admin", Bot: true}, {Permission: "admin", ServiceAccount: true}} {
		more := in
		more.Reviews = append(slices.Clone(in.Reviews), approves(500, stranger, 15))
		more.People = with(in.People, stranger.ID, p)
		if got := Count(more); got.Status != out.Status || len(got.Approvals) != len(out.Approvals) || !got.Recheck.Equal(out.Recheck) {
			fail("a stranger's approval makes it %+v", got)
		}
	}

	// To know less opens nothing.
	less := func(what string, change func(*Input)) {
		t.Helper()
		blind := in
		blind.Reviews = slices.Clone(in.Reviews)
		change(&blind)
		if got := Count(blind); opens(got.Status) && !opens(out.Status) {
			fail("without %s it opens: %+v", what, got)
		}
	}
	less("people", func(in *Input) { in.People = nil })
	for id, p := range in.People {
		less("a permission", func(in *Input) { p.Permission = ""; in.People = with(in.People, id, p) })
		less("teams", func(in *Input) { p.Teams = nil; in.People = with(in.People, id, p) })
		less("a person", func(in *Input) {
			p = Person{Bot: p.Bot, ServiceAccount: p.ServiceAccount, Ghost: p.Ghost}
			in.People = with(in.People, id, p)
		})
	}
	less("the requesters", func(in *Input) { in.RequesterUnknown = true })
	less("the builders", func(in *Input) { in.BuilderUnknown = true })
	less("the authors", func(in *Input) { in.AuthorUnknown = true })
	less("our heads", func(in *Input) { in.Heads = nil })
	less("the time of the seal", func(in *Input) { in.SealedAt = time.Time{} })
	less("the seal", func(in *Input) { in.Seal = "" })
	for i := range in.Reviews {
		less("a review's seal", func(in *Input) { in.Reviews[i].SealAt = "" })
		less("a standing", func(in *Input) { in.Reviews[i].HadStanding = Unknown })
		if in.Reviews[i].State == promotion.Dismissed {
			less("what a review said", func(in *Input) {
				in.Reviews[i].As = ""
				in.Moments = slices.Clone(in.Moments)
				for j := range in.Moments {
					in.Moments[j].Was = ""
				}
			})
			less("who dismissed a review", func(in *Input) {
				in.Moments = slices.DeleteFunc(slices.Clone(in.Moments), func(m promotion.Moment) bool { return m.Review == in.Reviews[i].ID })
			})
		}
	}
}

func with(people map[int64]Person, id int64, p Person) map[int64]Person {
	out := map[int64]Person{id: p}
	for k, v := range people {
		if k != id {
			out[k] = v
		}
	}
	return out
}

// spoke says whether a person has reviewed.
func spoke(in Input, who promotion.Identity) bool {
	return slices.ContainsFunc(in.Reviews, func(r Review) bool { return r.Author.ID == who.ID })
}

// lines calls back with every text of an output.
func lines(out Output, check func(string)) {
	var walk func(promotion.Result)
	walk = func(r promotion.Result) {
		for _, s := range append([]string{r.Title, r.Seen, r.Wanted, r.Who, r.Next}, r.Missing...) {
			check(s)
		}
		for _, c := range r.Children {
			walk(c)
		}
	}
	for _, r := range out.Results {
		walk(r)
	}
	for _, v := range out.Vetoes {
		walk(v.Result)
	}
	for _, i := range out.Ignored {
		check(i.Reason)
	}
}

func TestInvariants(t *testing.T) {
	opened := 0
	for seed := range uint64(1500) {
		random := rand.New(rand.NewPCG(seed, 5))
		raw := make([]byte, 600)
		for i := range raw {
			raw[i] = byte(random.Uint32())
		}
		d := &dice{*bytes.NewReader(raw)}
		in := d.world()
		if opens(Count(in).Status) {
			opened++
		}
		hold(t, d, in)
	}
	if opened < 50 {
		t.Errorf("only %d worlds are open, so that the others say little", opened)
	}
}

func FuzzCount(f *testing.F) {
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{1, 0, 2, 3}, 100))
	f.Add(bytes.Repeat([]byte{7, 1, 1, 0, 4, 200, 31}, 60))
	f.Fuzz(func(t *testing.T, raw []byte) {
		d := &dice{*bytes.NewReader(raw)}
		hold(t, d, d.world())
	})
}
