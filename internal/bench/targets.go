package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// The targets, as the issue has them.
const (
	mostOverPrototype = 3
	mostMemory        = 80e6
	mostLargeMemory   = 250e6
	mostLargeTimes    = 12
	mostOverLatency   = 1.2
	leastSpeed        = 80 // MB/s
	mostStart         = 30 * time.Millisecond
)

// A miss is a target that was not met. One of time or memory counts with -strict only.
type miss struct {
	text string
	hard bool
}

func (b *bench) miss(hard bool, format string, args ...any) {
	m := miss{fmt.Sprintf(format, args...), hard}
	if !slices.Contains(b.misses, m) {
		b.misses = append(b.misses, m)
	}
}

// correct holds one run to what must be true whatever the machine does.
func (b *bench) correct(j job, c cost, out string, asked counts, before, after verdict) {
	must := func(ok bool, format string, args ...any) {
		if !ok {
			b.miss(true, "%s: %s", j.name, fmt.Sprintf(format, args...))
		}
	}
	must(c.Status == j.status, "exit status %d, want %d", c.Status, j.status)
	must(after.outside == 0, "%d bytes changed outside the edits: %s", after.outside, after.first)
	want := counts{}
	switch {
	case j.quiet || j.pinned:
		must(len(after.changed) == len(before.changed) && after.pinned == before.pinned, "changed files: %d differ, %d before", len(after.changed), len(before.changed))
	default:
		must(after.pinned == j.tree.refs, "pinned %d of %d references", after.pinned, j.tree.refs)
		want = counts{ping: 1, head: int64(j.tree.images)}
	}
	if j.bearer {
		want.token = int64(j.tree.scopes)
		must(asked.denied <= 1, "%d answers were 401, want the ping's alone", asked.denied)
		asked.denied = 0
	}
	must(asked == want, "requests %s, want %s", asked, want)
}

// judgePins holds the rows to the targets of time and memory.
func (b *bench) judgePins() {
	soft := func(ok bool, format string, args ...any) {
		text := fmt.Sprintf(format, args...)
		verdict := "met"
		if !ok {
			verdict = "missed"
			b.miss(false, "%s", text)
		}
		b.notes = append(b.notes, verdict+": "+text)
	}
	pin, base := b.row(pinRow), b.row(prototypeRow)
	soft(pin.cost.Wall <= mostOverPrototype*base.cost.Wall, "pin takes %s, at most %d x the prototype's %s", seconds(pin.cost.Wall), mostOverPrototype, seconds(base.cost.Wall))
	peaks := map[string]int64{}
	for _, r := range b.rows {
		if strings.HasPrefix(r.name, pinRow) {
			peaks[suffixOf(r.name)] = max(peaks[suffixOf(r.name)], r.cost.Peak)
		}
	}
	peak, largePeak := peaks[""], peaks[largeSuffix]
	soft(peak <= mostMemory, "peak memory of pin %.0f MB, at most %.0f", float64(peak)/1e6, mostMemory/1e6)
	if slow := b.row(slowRow); slow.name != "" {
		bound := time.Duration(mostOverLatency * float64(b.images) * float64(b.latency) / float64(b.concurrency))
		soft(slow.cost.Wall <= bound, "pin at %s latency takes %s, at most %s (%.1f x %d images x latency / %d)",
			b.latency, seconds(slow.cost.Wall), seconds(bound), mostOverLatency, b.images, b.concurrency)
	}
	check := b.row(checkRow)
	soft(check.speed() >= leastSpeed, "check --offline of what is pinned reads %.0f MB/s, at least %d", check.speed(), leastSpeed)
	start := b.row(versionRow)
	soft(start.cost.Wall < mostStart, "version starts in %s, under %s", seconds(start.cost.Wall), mostStart)
	if large := b.row(pinRow + largeSuffix); large.name != "" {
		soft(large.cost.Wall <= mostLargeTimes*pin.cost.Wall, "pin of the large tree takes %s, at most %d x %s", seconds(large.cost.Wall), mostLargeTimes, seconds(pin.cost.Wall))
		soft(largePeak < mostLargeMemory, "peak memory of pin on the large tree %.0f MB, under %.0f", float64(largePeak)/1e6, mostLargeMemory/1e6)
	}
}

// judge prints what was met and missed, and returns an error where that counts.
func (b *bench) judge(w io.Writer) error {
	for _, n := range b.notes {
		fmt.Fprintln(w, n)
	}
	failed := 0
	for _, m := range b.misses {
		if m.hard {
			fmt.Fprintln(w, "FAILED:", m.text)
		}
		if m.hard || b.strict && !b.quick {
			failed++
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d targets were missed", failed)
	}
	return nil
}

func suffixOf(name string) string {
	if strings.HasSuffix(name, largeSuffix) {
		return largeSuffix
	}
	return ""
}

// tailOf returns the last lines of a program's output.
func tailOf(out string) string {
	lines := strings.Split(strings.TrimRight(out, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}
