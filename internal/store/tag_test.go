package store

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/event"
)

// A tagRig is a database with things watched.
type tagRig struct {
	*Store
	t   *testing.T
	now time.Time
}

func eachTagStore(t *testing.T, run func(*testing.T, *tagRig)) {
	databases(t, func(t *testing.T, url string) {
		run(t, &tagRig{open(t, url, Options{}), t, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)})
	})
}

func digest(s string) string { return "sha256:" + strings.Repeat(s, 64) }

// stand says what stands; each image is name:tag@digest, all parts but the name may lack, and +
// before one says that it is tracked.
func (r *tagRig) stand(installation, repository int64, refs ...string) bool {
	r.t.Helper()
	x := event.Standing{Subject: event.Subject{Installation: installation, Repository: repository}, Print: strings.Join(refs, " "), Report: r.now.Add(time.Hour)}
	for _, ref := range refs {
		ref, tracked := strings.CutPrefix(ref, "+")
		rest, digest, _ := strings.Cut(ref, "@")
		name, tag, _ := strings.Cut(rest, ":")
		x.Images = append(x.Images, event.Stands{Name: name, Tag: tag, Digest: digest, Tracked: tracked, Place: "a.yaml:1"})
		for _, w := range []event.Watched{{Tag: tag}, {Digest: digest}, {}} {
			if w == (event.Watched{}) && !tracked {
				continue
			}
			host, _, _ := strings.Cut(name, "/")
			w.Installation, w.Name, w.Host, w.Due = installation, name, host, r.now
			x.Watched = append(x.Watched, w)
		}
	}
	changed, err := r.Stand(r.t.Context(), x, r.now)
	if err != nil {
		r.t.Fatal(err)
	}
	return changed
}

func (r *tagRig) due(host string, at time.Time, most int) []event.Watched {
	r.t.Helper()
	all, err := r.Due(r.t.Context(), host, at, most)
	if err != nil {
		r.t.Fatal(err)
	}
	return all
}

// refs spells things, each with its installation.
func refs(all []event.Watched) []string {
	var out []string
	for _, w := range all {
		ref := w.Name
		if w.Tag != "" {
			ref += ":" + w.Tag
		}
		if w.Digest != "" {
			ref += "@" + w.Digest[:8]
		}
		out = append(out, fmt.Sprint(w.Installation, " ", ref))
	}
	slices.Sort(out)
	return out
}

// see looks at what is due at a host: each tag means what is said, and a digest is there unless
// nothing is said of it.
func (r *tagRig) see(host string, means map[string]string) {
	r.t.Helper()
	var all []event.Sight
	for _, w := range r.due(host, r.now, 1000) {
		s := event.Sight{Now: w, Was: w.Seen, Gaps: w.Gaps, Due: w.Due}
		s.Now.Asked, s.Now.Due = r.now, r.now.Add(time.Hour)
		if d, ok := means[strings.Fields(refs([]event.Watched{w})[0])[1]]; ok {
			s.Now.Seen, s.Now.First, s.Now.Last = d, r.now, r.now
		} else {
			s.Now.Gone, s.Now.Gaps, s.Now.Failures = r.now, w.Gaps+1, w.Failures+1
		}
		all = append(all, s)
	}
	if err := r.Saw(r.t.Context(), all); err != nil {
		r.t.Fatal(err)
	}
}

func want[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// What stands decides what is watched.
func TestStand(t *testing.T) {
	eachTagStore(t, func(t *testing.T, r *tagRig) {
		a := digest("a")
		if !r.stand(1, 11, "h/x:1@"+a, "+h/y:2") || r.stand(1, 11, "h/x:1@"+a, "+h/y:2") {
			t.Error("a change is not told from none")
		}
		r.stand(1, 12, "h/x:1", "h/y:2")
		r.stand(2, 21, "h/x:1")
		want(t, "watched", refs(r.due("h", r.now, 100)), []string{"1 h/x:1", "1 h/x@sha256:a", "1 h/y", "1 h/y:2", "2 h/x:1"})
		r.stand(1, 11, "h/y:2")
		want(t, "watched without what one repository dropped", refs(r.due("h", r.now, 100)), []string{"1 h/x:1", "1 h/y:2", "2 h/x:1"})
		if err := r.Forget(t.Context(), event.Subject{Installation: 1, Repository: 12}, r.now); err != nil {
			t.Fatal(err)
		}
		want(t, "watched without a repository", refs(r.due("h", r.now, 100)), []string{"1 h/y:2", "2 h/x:1"})
		if err := r.Forget(t.Context(), event.Subject{Installation: 2}, r.now); err != nil {
			t.Fatal(err)
		}
		want(t, "watched without an installation", refs(r.due("h", r.now, 100)), []string{"1 h/y:2"})
		r.stand(1, 11, "h/x:1")
		want(t, "watched again", refs(r.due("h", r.now, 100)), []string{"1 h/x:1"})
		r.stand(1, 11)
		want(t, "watched when nothing stands", r.due("h", r.now, 100), nil)
	})
}

// Each installation gets its share of what may be asked, and what is left over.
func TestDue(t *testing.T) {
	eachTagStore(t, func(t *testing.T, r *tagRig) {
		var big []string
		for i := range 40 {
			big = append(big, fmt.Sprintf("h/big-%02d:1", i))
		}
		r.stand(1, 11, big...)
		r.now = r.now.Add(time.Second)
		r.stand(2, 21, "h/a:1", "h/b:1")
		r.stand(3, 31, "h/a:1")
		r.stand(3, 32, "other/a:1")
		count := func(most int) map[int64]int {
			n := map[int64]int{}
			for _, w := range r.due("h", r.now, most) {
				n[w.Installation]++
			}
			return n
		}
		want(t, "of 12", count(12), map[int64]int{1: 9, 2: 2, 3: 1})
		want(t, "of 3", count(3), map[int64]int{1: 1, 2: 1, 3: 1})
		want(t, "of 2: those that wait longest", count(2), map[int64]int{1: 1, 2: 1})
		want(t, "of 1000", count(1000), map[int64]int{1: 40, 2: 2, 3: 1})
		want(t, "before anything is due", len(r.due("h", r.now.Add(-time.Hour), 10)), 0)
		hosts, err := r.Hosts(t.Context(), r.now)
		if err != nil {
			t.Fatal(err)
		}
		want(t, "hosts", hosts, []string{"h", "other"})
		r.see("other", map[string]string{"other/a:1": digest("a")})
		if hosts, err = r.Hosts(t.Context(), r.now); err != nil {
			t.Fatal(err)
		}
		want(t, "hosts with something due", hosts, []string{"h"})
	})
}

// A sight is kept only where nobody saw something else meanwhile, and a hint is not overwritten
// by a look that began before it.
func TestSaw(t *testing.T) {
	eachTagStore(t, func(t *testing.T, r *tagRig) {
		a, b := digest("a"), digest("b")
		r.stand(1, 11, "h/x:1@"+a)
		before := r.due("h", r.now, 10)
		r.see("h", map[string]string{"h/x:1": a})
		i := slices.IndexFunc(before, func(w event.Watched) bool { return w.Tag != "" })
		stale := event.Sight{Now: before[i], Due: before[i].Due}
		stale.Now.Seen = b
		if err := r.Saw(t.Context(), []event.Sight{stale}); err != nil {
			t.Fatal(err)
		}
		all, err := r.Findings(t.Context(), event.Subject{Installation: 1, Repository: 11})
		if err != nil || len(all) != 1 || all[0].Meant != a || !all[0].Digested.Equal(r.now) || all[0].Unasked || !all[0].Moved.IsZero() {
			t.Errorf("got %+v, %v, want the first sight of %s, which counts for the digest, too", all, err, a)
		}

		r.now = r.now.Add(2 * time.Hour)
		looking := r.due("h", r.now, 10)
		if err := r.Hint(t.Context(), []event.Watched{{Name: "h/x", Tag: "1"}}, r.now, time.Second); err != nil {
			t.Fatal(err)
		}
		var sights []event.Sight
		for _, w := range looking {
			s := event.Sight{Now: w, Was: w.Seen, Due: w.Due}
			s.Now.Asked, s.Now.Due = r.now, r.now.Add(time.Hour)
			sights = append(sights, s)
		}
		if err := r.Saw(t.Context(), sights); err != nil {
			t.Fatal(err)
		}
		want(t, "due after a hint during a look", refs(r.due("h", r.now, 10)), []string{"1 h/x:1"})
		if err := r.Hint(t.Context(), []event.Watched{{Name: "h/x", Tag: "1"}, {Name: "h/x", Digest: a}, {Name: "h/none", Tag: "1"}}, r.now, time.Minute); err != nil {
			t.Fatal(err)
		}
		want(t, "due within the gap", refs(r.due("h", r.now.Add(59*time.Second), 10)), []string{"1 h/x:1"})
		want(t, "due after the gap", refs(r.due("h", r.now.Add(time.Minute), 10)), []string{"1 h/x:1", "1 h/x@sha256:a"})
	})
}

// The history of a tag is bounded, and its last moves are kept.
func TestMoves(t *testing.T) {
	eachTagStore(t, func(t *testing.T, r *tagRig) {
		r.stand(1, 11, "h/x:1@"+digest("0"))
		for i := range maxMoves + 20 {
			r.see("h", map[string]string{"h/x:1": digest(string(rune('0' + i%10)))})
			r.now = r.now.Add(2 * time.Hour)
		}
		var n int
		var oldest int64
		if err := r.DB().QueryRowContext(t.Context(), "SELECT COUNT(*), MIN(noticed) FROM moves").Scan(&n, &oldest); err != nil {
			t.Fatal(err)
		}
		if n != maxMoves || instant(oldest).Before(r.now.Add(-2*(maxMoves+1)*time.Hour)) {
			t.Errorf("%d moves are kept since %s, want the last %d", n, instant(oldest), maxMoves)
		}
		f, err := r.Findings(t.Context(), event.Subject{Installation: 1, Repository: 11})
		if err != nil || len(f) != 1 || f[0].Meant != digest("9") || f[0].Moved.IsZero() {
			t.Errorf("got %+v, %v, want that the tag left the digest", f, err)
		}
	})
}

func TestWhere(t *testing.T) {
	eachTagStore(t, func(t *testing.T, r *tagRig) {
		a, b := digest("a"), digest("b")
		for repo := range int64(5) {
			r.stand(1, 11+repo, "h/x:1@"+a, "h/x:1@"+b)
		}
		r.stand(1, 20, "+h/x:2@"+b)
		r.stand(2, 21, "h/x:1@"+a)
		where := func(tag string, after int64, most int) []int64 {
			t.Helper()
			ids, err := r.Where(t.Context(), 1, "h/x", tag, after, most)
			if err != nil {
				t.Fatal(err)
			}
			return ids
		}
		want(t, "a tag", where("1", 0, 3), []int64{11, 12, 13})
		want(t, "a tag, the next page", where("1", 13, 3), []int64{14, 15})
		want(t, "a name whose tags are followed", where("", 0, 3), []int64{20})
		for ref, ids := range map[[2]string][]int64{{"1", a}: {11, 12, 13, 14, 15}, {"", b}: {11, 12, 13, 14, 15, 20}, {"2", a}: nil} {
			got, err := r.Pinned(t.Context(), 1, "h/x", ref[0], ref[1], 10)
			if err != nil {
				t.Fatal(err)
			}
			want(t, "pinned "+ref[0], got, ids)
		}
	})
}

// What is gone is counted while files pin it.
func TestVanished(t *testing.T) {
	eachTagStore(t, func(t *testing.T, r *tagRig) {
		a := digest("a")
		r.stand(1, 11, "h/x@"+a, "h/never@"+digest("b"))
		vanished := func() int {
			t.Helper()
			n, err := r.Vanished(t.Context(), 2)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		for i, n := range []int{0, 0, 1} {
			means := map[string]string{}
			if i == 0 {
				means["h/x@sha256:a"] = a
			}
			r.see("h", means)
			want(t, fmt.Sprint("after look ", i), vanished(), n)
			r.now = r.now.Add(2 * time.Hour)
		}
		r.stand(1, 11, "h/never@"+digest("b"))
		want(t, "after nothing pins it", vanished(), 0)
	})
}

// A report is due when a sight says so, also one that is being written meanwhile.
func TestReports(t *testing.T) {
	eachTagStore(t, func(t *testing.T, r *tagRig) {
		r.stand(1, 11, "h/x:1")
		r.stand(1, 12, "h/x:1")
		seen := ""
		hasten := func() {
			t.Helper()
			s := event.Sight{Now: event.Watched{Installation: 1, Name: "h/x", Tag: "1", Seen: seen + "+", Asked: r.now}, Was: seen, Reports: []int64{12, 11, 99}}
			if err := r.Saw(t.Context(), []event.Sight{s}); err != nil {
				t.Fatal(err)
			}
			seen += "+"
		}
		reports := func() []event.Report {
			t.Helper()
			all, err := r.Reports(t.Context(), r.now, 10)
			if err != nil {
				t.Fatal(err)
			}
			slices.SortFunc(all, func(a, b event.Report) int { return int(a.Repository - b.Repository) })
			return all
		}
		reported := func(x event.Report) {
			t.Helper()
			was := x.Due
			x.Text, x.Written, x.Due = "t", r.now, r.now.Add(24*time.Hour)
			if err := r.Reported(t.Context(), x, was); err != nil {
				t.Fatal(err)
			}
		}
		want(t, "due at first", len(reports()), 0)
		hasten()
		all := reports()
		want(t, "due when hastened", len(all), 2)
		reported(all[0])
		reported(event.Report{Subject: event.Subject{Installation: 1, Repository: 99}})
		hasten()
		reported(all[1]) // of what was so before
		all = reports()
		want(t, "due when hastened meanwhile", len(all), 2)
		for _, x := range all {
			if x.Text != "t" || !x.Written.Equal(r.now) {
				t.Errorf("got %+v, want what was reported", x)
			}
			reported(x)
		}
		stale := event.Sight{Now: event.Watched{Installation: 1, Name: "h/x", Tag: "1", Seen: "?", Asked: r.now}, Was: "another", Reports: []int64{11}}
		if err := r.Saw(t.Context(), []event.Sight{stale}); err != nil {
			t.Fatal(err)
		}
		r.now = r.now.Add(23 * time.Hour)
		want(t, "due within a day", len(reports()), 0)
		r.now = r.now.Add(time.Hour)
		want(t, "due after a day", len(reports()), 2)
	})
}

// Upkeep puts right what replicas that write at once may leave, and what a wrong clock left.
func TestUpkeep(t *testing.T) {
	eachTagStore(t, func(t *testing.T, r *tagRig) {
		r.stand(1, 11, "h/x:1", "h/y:1", "h/z:1")
		r.see("h", nil)
		if _, err := r.DB().ExecContext(t.Context(), "UPDATE watched SET idle = 5, due = $1 WHERE name = 'h/x'", int64(never)); err != nil {
			t.Fatal(err)
		}
		if _, err := r.DB().ExecContext(t.Context(), "UPDATE watched SET due = $1 WHERE name = 'h/y'", micro(r.now.Add(1000*time.Hour))); err != nil {
			t.Fatal(err)
		}
		r.stand(1, 11, "h/x:1", "h/y:1")
		if err := r.Upkeep(t.Context(), r.now.Add(-time.Hour), r.now, r.now.Add(48*time.Hour)); err != nil {
			t.Fatal(err)
		}
		want(t, "due", refs(r.due("h", r.now, 10)), []string{"1 h/x:1", "1 h/y:1"})
		if err := r.Upkeep(t.Context(), r.now.Add(time.Hour), r.now, r.now.Add(48*time.Hour)); err != nil {
			t.Fatal(err)
		}
		var n int
		if err := r.DB().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM watched").Scan(&n); err != nil || n != 2 {
			t.Errorf("%d things are kept, want 2 (%v)", n, err)
		}
	})
}

// Replicas that write at once do not wait for each other for ever.
func TestTagsAtOnce(t *testing.T) {
	eachTagStore(t, func(t *testing.T, r *tagRig) {
		names := []string{"h/a:1", "h/b:1", "h/c:1", "h/d:1"}
		var all sync.WaitGroup
		for n := range int64(8) {
			all.Go(func() {
				for i := range 5 {
					mine := slices.Clone(names[i%3:])
					if n%2 == 0 {
						slices.Reverse(mine)
					}
					x := event.Standing{Subject: event.Subject{Installation: 1, Repository: n}, Print: fmt.Sprint(i)}
					var sights []event.Sight
					for _, ref := range mine {
						name, tag, _ := strings.Cut(ref, ":")
						x.Images = append(x.Images, event.Stands{Name: name, Tag: tag})
						w := event.Watched{Installation: 1, Host: "h", Name: name, Tag: tag, Due: r.now}
						x.Watched = append(x.Watched, w)
						sights = append(sights, event.Sight{Now: w, Due: w.Due})
					}
					if _, err := r.Stand(t.Context(), x, r.now); err != nil {
						t.Error(err)
					}
					if err := r.Saw(t.Context(), sights); err != nil {
						t.Error(err)
					}
					if err := r.Hint(t.Context(), x.Watched, r.now, time.Second); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		if err := r.Upkeep(t.Context(), r.now, r.now, r.now.Add(48*time.Hour)); err != nil {
			t.Fatal(err)
		}
		want(t, "watched in the end", refs(r.due("h", r.now, 10)), []string{"1 h/b:1", "1 h/c:1", "1 h/d:1"})
	})
}
