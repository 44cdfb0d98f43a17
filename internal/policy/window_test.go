package policy

import (
	"testing"
	"time"
)

func window(t testing.TB, k windowKeys) Window {
	t.Helper()
	w, wrong := newWindow(k)
	if wrong != nil {
		t.Fatalf("%+v: %s: %v", k, wrong.key, wrong.err)
	}
	return w
}

func hours(n float64) Duration { return Duration(n * float64(time.Hour)) }

// TestWindow holds windows to clocks that are put forward and back: in Berlin on 2026-03-29
// at 02:00, and back on 2026-10-25 at 03:00.
func TestWindow(t *testing.T) {
	weekend := windowKeys{Cron: "0 16 * * 5", Duration: hours(62), Zone: "Europe/Berlin"}
	night := windowKeys{Cron: "30 2 * * *", Duration: hours(1), Zone: "Europe/Berlin"}
	early := windowKeys{Cron: "30 1 * * *", Duration: hours(1), Zone: "Europe/Berlin"}
	chain := windowKeys{Cron: "0 0,8 1 * *", Duration: hours(10)}
	year := windowKeys{From: "2026-12-23", To: "2027-01-02T08:00", Zone: "Europe/Berlin"}
	gap := windowKeys{From: "2026-03-29T02:30", To: "2026-03-29T03:30", Zone: "Europe/Berlin"}
	for _, row := range []struct {
		name   string
		keys   windowKeys
		at     string
		frozen bool
		until  string // "" for never
	}{
		{"a minute before", weekend, "2026-11-20T14:59:00Z", false, "2026-11-20T15:00:00Z"},
		{"it begins", weekend, "2026-11-20T15:00:00Z", true, "2026-11-23T05:00:00Z"},
		{"it has ended", weekend, "2026-11-23T05:00:00Z", false, "2026-11-27T15:00:00Z"},
		{"over a weekend that is an hour short", weekend, "2026-03-28T12:00:00Z", true, "2026-03-30T04:00:00Z"},
		{"over a weekend that is an hour long", weekend, "2026-10-24T12:00:00Z", true, "2026-10-26T05:00:00Z"},
		{"a beginning that the clock skips", night, "2026-03-29T01:00:00Z", true, "2026-03-29T01:30:00Z"},
		{"just before it", night, "2026-03-29T00:59:59Z", false, "2026-03-29T01:00:00Z"},
		{"the first of two equal beginnings", night, "2026-10-25T00:30:00Z", true, "2026-10-25T02:30:00Z"},
		{"the second of two equal ends", early, "2026-10-25T01:10:00Z", true, "2026-10-25T01:30:00Z"},
		{"and then it is over", early, "2026-10-25T01:30:00Z", false, "2026-10-26T00:30:00Z"},
		{"windows that overlap end together", chain, "2026-11-01T01:00:00Z", true, "2026-11-01T18:00:00Z"},
		{"from a date", year, "2026-12-22T22:59:59Z", false, "2026-12-22T23:00:00Z"},
		{"within", year, "2026-12-24T00:00:00Z", true, "2027-01-02T07:00:00Z"},
		{"to a time", year, "2027-01-02T07:00:00Z", false, ""},
		{"from a time that the clock skips", gap, "2026-03-29T01:00:00Z", true, "2026-03-29T01:30:00Z"},
		{"without a beginning", windowKeys{To: "2026-12-01T00:00:00+01:00"}, "2020-01-01T00:00:00Z", true, "2026-11-30T23:00:00Z"},
		{"a leap day", windowKeys{Cron: "0 0 29 2 *", Duration: hours(24)}, "2026-11-20T00:00:00Z", false, "2028-02-29T00:00:00Z"},
	} {
		t.Run(row.name, func(t *testing.T) {
			at, err := time.Parse(time.RFC3339, row.at)
			if err != nil {
				t.Fatal(err)
			}
			frozen, until := window(t, row.keys).State(at)
			got := ""
			if !until.IsZero() {
				got = until.UTC().Format(time.RFC3339)
			}
			if frozen != row.frozen || got != row.until {
				t.Errorf("got %v until %s, want %v until %s", frozen, got, row.frozen, row.until)
			}
		})
	}
}

// TestWindowChanges: between now and the time that State names, the state is the same, and
// then it is not. A year of hours, in zones that change their clocks at odd times.
func TestWindowChanges(t *testing.T) {
	for _, zone := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Asia/Kolkata", "UTC"} {
		for _, cron := range []string{"0 16 * * 5", "30 2 * * *", "0 0 * * *", "15 1 * * 0"} {
			w := window(t, windowKeys{Cron: cron, Duration: hours(7.5), Zone: zone})
			end := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
			for at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); at.Before(end); {
				frozen, until := w.State(at)
				if !until.After(at) {
					t.Fatalf("%s %s: at %s the next change is %s", zone, cron, at, until)
				}
				if was, _ := w.State(until.Add(-time.Second)); was != frozen {
					t.Fatalf("%s %s: at %s frozen is %v until %s, and was %v a second before", zone, cron, at, frozen, until, was)
				}
				if is, _ := w.State(until); is == frozen {
					t.Fatalf("%s %s: at %s frozen is %v until %s, and still is then", zone, cron, at, frozen, until)
				}
				at = until
			}
		}
	}
}

func FuzzWindow(f *testing.F) {
	f.Add("0 16 * * 5", int64(62*60), "Europe/Berlin", int64(1_790_000_000))
	f.Add("* * * 1 *", int64(10*60), "UTC", int64(0))
	f.Add("*/7 0-23/5 29 2 *", int64(1), "America/St_Johns", int64(1_700_000_000))
	f.Fuzz(func(t *testing.T, cron string, minutes int64, zone string, at int64) {
		if minutes < 0 || minutes > 60*24*366 || at < 0 || at > 4_000_000_000 {
			return
		}
		w, wrong := newWindow(windowKeys{Cron: cron, Duration: Duration(time.Duration(minutes) * time.Minute), Zone: zone})
		if wrong != nil {
			return
		}
		now := time.Unix(at, 0)
		frozen, until := w.State(now)
		if frozen && !until.After(now) {
			t.Errorf("%q for %dm in %s: frozen at %s until %s", cron, minutes, zone, now, until)
		}
	})
}
