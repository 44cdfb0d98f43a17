package queue

import (
	"slices"
	"testing"
	"time"
)

func TestRows(t *testing.T) {
	rows := Rows()
	for o := range Retries {
		if !slices.ContainsFunc(rows, func(r Row) bool { return r.Outcome == o }) {
			t.Errorf("no row says what follows from %s", o)
		}
	}
	seen := map[Outcome]bool{}
	for _, r := range rows {
		if r.Of == "" || r.Next == "" || seen[r.Outcome] {
			t.Errorf("%+v says nothing, or is there twice", r)
		}
		seen[r.Outcome] = true
	}
	for r, want := range map[Retry]string{
		{After: time.Second, Most: time.Minute}:                                "after 1 s, 2 s, ... 1 min",
		{After: time.Minute, Most: time.Minute}:                                "when the answer says, or after 1 min",
		{After: 10 * time.Second, Most: 10 * time.Second, Resync: true}:        "at the next event, 10 s apart, or resync",
		{After: 10 * time.Second, Most: time.Hour, Resync: true, Survey: true}: "the installation's list of repositories is read; then at the next event or resync",
		{After: 10 * time.Second, Most: 10 * time.Minute, Counts: true}:        "after 10 s, 20 s, ... 10 min; after 5 in a row it is in quarantine: at resyncs only",
		{After: 30 * time.Minute, Most: 2 * time.Hour}:                         "after 30 min, 1 h, ... 2 h",
	} {
		if got := r.words(); got != want {
			t.Errorf("%+v: %q, want %q", r, got, want)
		}
	}
}
