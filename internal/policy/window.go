package policy

import (
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // zones resolve where no zone files are installed

	"github.com/pinnace-dev/pinnace/internal/document"
	"github.com/robfig/cron/v3"
)

// A Window is when a freeze holds: from one time to another, or for a while after each
// time that a cron expression names. Times and lengths are by the clock of the zone.
//
// Where that clock is put forward, a time that it skips is the moment of the change; where
// it is put back, a window begins at the first and ends at the second of two equal times.
// So a change of the clock never shortens a freeze by its own hour.
type Window struct {
	Zone     *time.Location
	From, To time.Time // From zero: always begun; used where Cron is empty
	Cron     string
	Length   time.Duration

	schedule cron.Schedule
}

// The bounds of a cron window, so that judging takes few steps.
const (
	maxLength = 31 * day // of a cron window
	maxStarts = 1000     // in one length
	maxChain  = 1000     // windows that overlap, followed to their end
)

var cronParser = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)

// A mistake is a problem of a window, at a key of it.
type mistake struct {
	key string
	err error
}

// newWindow reads the keys of a window.
func newWindow(k windowKeys) (Window, *mistake) {
	fail := func(key, format string, args ...any) (Window, *mistake) {
		return Window{}, &mistake{key, fmt.Errorf(format, args...)}
	}
	w := Window{Zone: time.UTC, Cron: k.Cron, Length: time.Duration(k.Duration)}
	if zone := k.Zone; zone != "" && zone != "UTC" {
		loc, err := time.LoadLocation(zone)
		if err != nil || zone == "Local" {
			return fail("zone", "unknown zone %s%s", document.Quote(zone), zoneHint(zone))
		}
		w.Zone = loc
	}
	switch {
	case k.Cron == "" && k.From == "" && k.To == "" && k.Duration == 0:
		return fail("", "the freeze never begins: write cron and duration, or from and to")
	case k.Cron != "" && (k.From != "" || k.To != ""):
		return fail("cron", "a freeze has cron and duration, or from and to: delete one pair")
	case k.Cron == "" && k.Duration != 0:
		return fail("duration", "a duration goes with cron: write to instead")
	case k.Cron != "":
		return w.repeat()
	case k.To == "":
		return fail("from", "the freeze never ends: write to, the time when it does")
	}
	var err error
	if w.To, err = w.instant(k.To, true); err != nil {
		return fail("to", "%w", err)
	}
	if k.From == "" {
		return w, nil
	}
	if w.From, err = w.instant(k.From, false); err != nil {
		return fail("from", "%w", err)
	}
	if !w.From.Before(w.To) {
		return fail("to", "the freeze never begins: to is not after from")
	}
	return w, nil
}

// zoneHint says what is expected, and what was probably meant.
func zoneHint(zone string) string {
	const want = ": expected an IANA name such as Europe/Berlin, America/New_York or UTC"
	if strings.ContainsAny(zone, "+-") && !strings.Contains(zone, "/") {
		return want + "; an offset has no daylight saving"
	}
	return want
}

// instant reads a time; last chooses the second of two equal times.
func (w Window) instant(s string, last bool) (time.Time, error) {
	t, wall, err := parseInstant(s)
	if err != nil || !wall {
		return t, err
	}
	return w.real(t, last), nil
}

// repeat checks the cron form: it begins again and again, and is open in between.
func (w Window) repeat() (Window, *mistake) {
	fail := func(key, format string, args ...any) (Window, *mistake) {
		return Window{}, &mistake{key, fmt.Errorf(format, args...)}
	}
	if strings.ContainsAny(w.Cron, "=@") || len(w.Cron) > 200 {
		return fail("cron", "%s is not a cron expression of five fields: expected one such as \"0 16 * * 5\", with the zone under zone", document.Quote(w.Cron))
	}
	schedule, err := cronParser.Parse(w.Cron)
	if err != nil {
		return fail("cron", "%s is not a cron expression: %s", document.Quote(w.Cron), misspelt(w.Cron))
	}
	w.schedule = schedule
	switch {
	case w.Length == 0:
		return fail("duration", "the freeze never begins: write how long it lasts, such as duration: 62h")
	case w.Length < time.Minute:
		return fail("duration", "the freeze is shorter than a minute")
	case w.Length > maxLength:
		return fail("duration", "a freeze that repeats lasts 31 days at most: write from and to")
	}
	start := schedule.Next(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
	if start.IsZero() {
		return fail("cron", "the freeze never begins: %s names no day that exists", document.Quote(w.Cron))
	}
	// The gap between two starts differs, by month or weekday: some gap must be longer
	// than the window, and few starts may fall into one.
	open, crowd, behind := false, 0, start
	for t, i := start, 0; i < 50*maxStarts && (!open || i < 2*maxStarts); i++ {
		next := schedule.Next(t)
		if next.IsZero() || next.Sub(t) > w.Length {
			open, crowd, behind = true, 0, next
		}
		if next.IsZero() {
			break
		}
		if crowd++; crowd > maxStarts {
			if next.Sub(behind) < w.Length {
				return fail("cron", "%s begins more than %d times in one duration: name the beginning only", document.Quote(w.Cron), maxStarts)
			}
			crowd, behind = 0, next
		}
		t = next
	}
	if !open {
		return fail("duration", "the freeze never ends: it lasts longer than the time to its next beginning")
	}
	return w, nil
}

// cronFields are those of a cron expression, in their order.
var cronFields = []struct{ name, values string }{
	{"minute", "0 to 59"},
	{"hour", "0 to 23"},
	{"day of month", "1 to 31"},
	{"month", "1 to 12, or jan to dec"},
	{"day of week", "0 to 6, where Sunday is 0, or sun to sat"},
}

// misspelt says what is wrong with a cron expression.
func misspelt(s string) string {
	fields := strings.Fields(s)
	if len(fields) != len(cronFields) {
		return fmt.Sprintf("it has %d %s; expected minute, hour, day of month, month and day of week, such as \"0 16 * * 5\"", len(fields), plural(len(fields), "field", "fields"))
	}
	for i, f := range cronFields {
		alone := []string{"*", "*", "*", "*", "*"}
		alone[i] = fields[i]
		if _, err := cronParser.Parse(strings.Join(alone, " ")); err != nil {
			return fmt.Sprintf("the %s is %s; expected %s, a range such as 1-5, a list with commas, or *", f.name, document.Quote(fields[i]), f.values)
		}
	}
	return "expected one such as \"0 16 * * 5\"" // unreachable: some field is wrong
}

// wall returns what the clock of the zone shows, as if it were UTC.
func (w Window) wall(t time.Time) time.Time {
	t = t.In(w.Zone)
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}

// real returns the moment at which the clock of the zone shows wall: of two the first or
// the last, and the moment of the change where it shows that never.
func (w Window) real(wall time.Time, last bool) time.Time {
	// The offsets a day before and after are those around a change, if there is one.
	_, before := wall.Add(-day).In(w.Zone).Zone()
	_, after := wall.Add(day).In(w.Zone).Zone()
	early, late := wall.Add(-time.Duration(before)*time.Second), wall.Add(-time.Duration(after)*time.Second)
	if late.Before(early) {
		early, late = late, early
	}
	isEarly, isLate := w.wall(early).Equal(wall), w.wall(late).Equal(wall)
	switch {
	case isEarly && (!isLate || !last):
		return early
	case isLate:
		return late
	}
	// Skipped: the change lies between the two.
	_, offset := early.In(w.Zone).Zone()
	for late.Sub(early) > time.Second {
		middle := early.Add(late.Sub(early) / 2)
		if _, o := middle.In(w.Zone).Zone(); o == offset {
			early = middle
		} else {
			late = middle
		}
	}
	return late.Truncate(time.Second)
}

// State says whether the window holds at now, and when that changes: zero for never.
func (w Window) State(now time.Time) (frozen bool, until time.Time) {
	if w.schedule == nil {
		switch {
		case !now.Before(w.To):
			return false, time.Time{}
		case now.Before(w.From):
			return false, w.From
		}
		return true, w.To
	}
	end, next := w.cover(now)
	if end.IsZero() {
		return false, next
	}
	for range maxChain {
		further, _ := w.cover(end)
		if further.IsZero() {
			break
		}
		end = further
	}
	return true, end
}

// cover returns the latest end of the windows that hold at t, and the next beginning after
// t where none does.
func (w Window) cover(t time.Time) (end, next time.Time) {
	wall := w.wall(t)
	start := w.schedule.Next(wall.Add(-w.Length - 4*time.Hour))
	for range maxStarts + 5*60 { // the starts of one length, and of the hours around it
		if start.IsZero() {
			break
		}
		begin := w.real(start, false)
		if begin.After(t) {
			if next.IsZero() {
				next = begin
			}
			if start.After(wall.Add(4 * time.Hour)) {
				break
			}
		} else if e := w.real(start.Add(w.Length), true); e.After(t) && e.After(end) {
			end = e
		}
		start = w.schedule.Next(start)
	}
	return end, next
}

// String says when the window holds, in one line.
func (w Window) String() string {
	if w.Cron != "" {
		return fmt.Sprintf("%s after %q in %s", short(w.Length), w.Cron, w.Zone)
	}
	if w.From.IsZero() {
		return "until " + w.stamp(w.To)
	}
	return w.stamp(w.From) + " to " + w.stamp(w.To)
}

// stamp spells a time by the clock of the zone.
func (w Window) stamp(t time.Time) string { return t.In(w.Zone).Format("Mon 2006-01-02 15:04 MST") }
