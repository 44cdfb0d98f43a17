package queue

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pinnace-dev/pinnace/internal/event"
)

// A delivery that could not be kept does not make its redelivery a duplicate.
func TestDuplicateOnlyAfterCommit(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		h := byHand(t, url, Options{}, repo(1, 10))
		d := delivery(1, look(repo(1, 10), 3))
		rename := func(from, to string) {
			t.Helper()
			if _, err := h.store.DB().Exec("ALTER TABLE " + from + " RENAME TO " + to); err != nil {
				t.Fatal(err)
			}
		}
		// The inbox takes the delivery, and then its raise fails.
		rename("subjects", "away")
		if _, err := h.q.Accept(t.Context(), d); err == nil {
			t.Fatal("accepted what was not kept")
		}
		rename("away", "subjects")
		if !accept(t, h.q, d) {
			t.Error("the redelivery is a duplicate of a delivery that was not kept")
		}
		if accept(t, h.q, d) {
			t.Error("a third one is fresh, too")
		}
		h.serve()
		if h.w.seen(repo(1, 10)) != 1 {
			t.Errorf("visits %v, want one", h.w.visits)
		}
	})
}

// A transaction that fails when it is committed has kept nothing.
func TestCommitFails(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		h := byHand(t, url, Options{}, repo(1, 10))
		begin, end := []string{
			"CREATE TABLE parents (id TEXT PRIMARY KEY)",
			"CREATE TABLE children (id TEXT REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)",
		}, []string{"DROP TRIGGER orphan ON inbox"}
		if h.store.SQLite() {
			begin = append(begin, "CREATE TRIGGER orphan AFTER INSERT ON inbox BEGIN INSERT INTO children VALUES ('none'); END")
			end = []string{"DROP TRIGGER orphan"}
		} else {
			begin = append(begin,
				"CREATE FUNCTION orphan() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO children VALUES ('none'); RETURN NEW; END $$",
				"CREATE TRIGGER orphan AFTER INSERT ON inbox FOR EACH ROW EXECUTE FUNCTION orphan()")
		}
		execute := func(statements []string) {
			t.Helper()
			for _, s := range statements {
				if _, err := h.store.DB().Exec(s); err != nil {
					t.Fatal(err)
				}
			}
		}
		execute(begin)
		d := delivery(1, look(repo(1, 10), 3))
		if fresh, err := h.q.Accept(t.Context(), d); err == nil || fresh {
			t.Fatalf("accepted what was not committed: %v, %v", fresh, err)
		}
		h.serve()
		if n := h.w.seen(repo(1, 10)); n != 0 {
			t.Errorf("%d visits for a delivery that was not accepted", n)
		}
		execute(end)
		if !accept(t, h.q, d) {
			t.Error("the redelivery is a duplicate")
		}
	})
}

// On a full disk nothing is accepted; with room again the same delivery is.
func TestFullDisk(t *testing.T) {
	h := byHand(t, lite(t), Options{}, repo(1, 10))
	limit := func(pages int) {
		t.Helper()
		if _, err := h.store.Writer().Exec(fmt.Sprint("PRAGMA max_page_count = ", pages)); err != nil {
			t.Fatal(err)
		}
	}
	limit(1) // which SQLite takes for: not one page more than there are
	var kept []event.Delivery
	var refused *event.Delivery
	for n := range 20_000 {
		d := delivery(n, look(repo(1, int64(n)+100), 1))
		fresh, err := h.q.Accept(t.Context(), d)
		if err != nil {
			if !strings.Contains(err.Error(), "no space left for the database") {
				t.Errorf("the error is %v", err)
			}
			refused = &d
			break
		}
		if !fresh {
			t.Fatalf("delivery %d is not fresh", n)
		}
		kept = append(kept, d)
	}
	if refused == nil || len(kept) == 0 {
		t.Fatalf("%d deliveries were kept, and none refused", len(kept))
	}
	limit(1 << 30)
	if !accept(t, h.q, *refused) {
		t.Error("the delivery that was refused is a duplicate")
	}
	for _, d := range kept {
		if accept(t, h.q, d) {
			t.Fatalf("delivery %s was accepted, and is not there", d.GUID)
		}
	}
}

func TestAcceptRefuses(t *testing.T) {
	h := byHand(t, lite(t), Options{})
	for _, c := range []struct {
		name string
		d    event.Delivery
		want string
	}{
		{"no GUID", event.Delivery{}, "it has no GUID"},
		{"a long one", event.Delivery{GUID: strings.Repeat("a", 129)}, "129 bytes"},
		{"a strange one", event.Delivery{GUID: "a\x00b"}, "characters that no GUID has"},
		{"too much", event.Delivery{GUID: "a", Looks: make([]event.Look, 20001)}, "20001 looks"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if fresh, err := h.q.Accept(t.Context(), c.d); fresh || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, %v, want %q", fresh, err, c.want)
			}
		})
	}
}

// What a payload says of names may be anything.
func TestHostileNames(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		h := byHand(t, url, Options{})
		l := event.Look{Subject: repo(1, 10), Owner: "a\x00\xff'; DROP TABLE subjects; --", Name: strings.Repeat("é", 5000), Pull: 1 << 40}
		d := delivery(1, l, event.Look{Subject: repo(-5, -6)}, event.Look{Subject: repo(1, 10), Pull: -1})
		d.Event, d.Action = "x\x00", strings.Repeat("y", 1<<16)
		if !accept(t, h.q, d) {
			t.Error("it is not fresh")
		}
		h.serve()
		if got := h.w.visits[len(h.w.visits)-1]; got.Owner != "a?'; DROP TABLE subjects; --" || len(got.Name) > 256 || !slices.Equal(got.Pulls, []int{1 << 40}) {
			t.Errorf("visited %+v", got)
		}
	})
}
