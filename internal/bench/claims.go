package main

import (
	"fmt"
	"io"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// The targets of fetching, planning and pushing, as the issue has them.
const (
	mostOverCold   = 1.5 // of go-git's fetch and reading of all blobs
	mostOverWarm   = 2.0 // of go-git's fetch and tree diff
	mostOverPush   = 1.5 // of git's own push
	mostColdMemory = 300e6
	mostWarmMemory = 100e6
	mostPushMemory = 64e6
	mostTraffic    = 64 << 10 // bytes for one file, each way
)

// A claim is a target with what was measured. A hard one has no excuse.
type claim struct {
	what, measured, bound string
	met, hard             bool
}

// judge holds what was measured to the targets.
func (h *history) judge() {
	h.counts()
	cold := h.least(pinnace, "cold: fetch", "cold: scan and plan")
	h.time("cold: fetch, scan and plan", cold, mostOverCold, "go-git's fetch and reading of all blobs", h.least(gogitName, "cold: fetch", "cold: read all blobs"))
	h.time("warm: fetch, diff, scan and plan of one file", h.least(pinnace, "warm: one file"), mostOverWarm, "go-git's fetch and tree diff", h.least(gogitName, "warm: one file"))
	h.time("push of one file", h.least(pinnace, "push: push"), mostOverPush, "git's", h.least(cli, "push: push"))
	h.memory("cold", mostColdMemory, "cold: fetch", "cold: scan and plan")
	h.memory("warm", mostWarmMemory, "warm: nothing", "warm: one file", "warm: one to pin")
	h.memory("push", mostPushMemory, "push: commit", "push: push")
	for _, c := range h.claims {
		if !c.met {
			h.miss(c.hard, "%s: %s, want %s", c.what, c.measured, c.bound)
		}
	}
}

// counts holds every sample to what must be true whatever the machine does.
func (h *history) counts() {
	h.exact("cold: requests", "cold: fetch", 2, func(s sample) int64 { return s.Requests })
	h.exact("cold: changes planned", "cold: scan and plan", 0, func(s sample) int64 { return int64(s.Changes) })
	h.bound("cold: blobs read", "cold: scan and plan", int64(h.origin.files), func(s sample) int64 { return s.Blobs })
	h.exact("nothing changed: requests", "warm: nothing", 1, func(s sample) int64 { return s.Requests })
	h.exact("nothing changed: blobs read", "warm: nothing", 0, func(s sample) int64 { return s.Blobs })
	h.exact("one file: requests", "warm: one file", 2, func(s sample) int64 { return s.Requests })
	h.exact("one file: blobs read", "warm: one file", 1, func(s sample) int64 { return s.Blobs })
	h.exact("one file: trees read, besides two on each level of its path and the root for the configuration", "warm: one file", 0, func(s sample) int64 { return max(0, s.Trees-2*s.Depth-1) })
	h.bound("one file: bytes received", "warm: one file", mostTraffic, func(s sample) int64 { return s.Sent })
	h.exact("one file to pin: blobs read, to scan and to edit", "warm: one to pin", 2, func(s sample) int64 { return s.Blobs })
	h.exact("one file to pin: changes planned", "warm: one to pin", 1, func(s sample) int64 { return int64(s.Changes) })
	h.exact("commit: trees read, besides those on its path", "push: commit", 0, func(s sample) int64 { return s.Trees - s.Depth })
	h.exact("commit: blobs read", "push: commit", 0, func(s sample) int64 { return s.Blobs })
	h.exact("commit: requests", "push: commit", 0, func(s sample) int64 { return s.Requests })
	h.exact("push: requests", "push: push", 2, func(s sample) int64 { return s.Requests })
	h.bound("push: bytes sent", "push: push", mostTraffic, func(s sample) int64 { return s.Received })
}

func (h *history) exact(what, name string, want int64, of func(sample) int64) {
	c := claim{what: what, bound: fmt.Sprint(want), met: true, hard: true}
	for _, s := range h.all(name) {
		if n := of(s); c.measured == "" || n != want {
			c.measured, c.met = fmt.Sprint(n), n == want
		}
	}
	h.claim(c)
}

func (h *history) bound(what, name string, most int64, of func(sample) int64) {
	var worst int64
	for _, s := range h.all(name) {
		worst = max(worst, of(s))
	}
	h.claim(claim{what: what, measured: fmt.Sprint(worst), bound: fmt.Sprintf("at most %d", most), met: worst <= most, hard: true})
}

func (h *history) claim(c claim) {
	if c.measured == "" {
		c.measured, c.met = "nothing", false
	}
	h.claims = append(h.claims, c)
}

// all returns the samples of Pinnace's under one name.
func (h *history) all(name string) []sample {
	if s := h.step(pinnace, name); s != nil {
		return s.of
	}
	return nil
}

// least returns the shortest sum of some steps of one run.
func (h *history) least(who string, names ...string) time.Duration {
	var best time.Duration
	for run := 0; ; run++ {
		var sum time.Duration
		for _, name := range names {
			s := h.step(who, name)
			if s == nil || run >= len(s.of) {
				return best
			}
			sum += s.of[run].Wall
		}
		if best == 0 || sum < best {
			best = sum
		}
	}
}

func (h *history) time(what string, took time.Duration, most float64, of string, base time.Duration) {
	h.claim(claim{
		what: what, measured: fmt.Sprintf("%s, %.2f x", seconds(took), float64(took)/float64(base)),
		bound: fmt.Sprintf("at most %.1f x %s of %s", most, seconds(base), of), met: float64(took) <= most*float64(base),
	})
}

func (h *history) memory(what string, most float64, names ...string) {
	var worst int64
	for _, name := range names {
		for _, s := range h.all(name) {
			worst = max(worst, s.Peak)
		}
	}
	if worst == 0 {
		h.notes = append(h.notes, what+": this system does not tell the peak of a process' memory")
		return
	}
	h.claim(claim{what: what + ": peak memory", measured: megabytes(worst), bound: "under " + megabytes(int64(most)), met: float64(worst) < most})
}

func megabytes(n int64) string { return fmt.Sprintf("%.0f MB", float64(n)/1e6) }

// render prints what was measured, and the targets.
func (h *history) render(w io.Writer) {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(table.StyleLight)
	t.AppendHeader(table.Row{"", "", "wall", "cpu", "peak", "requests", "received", "sent", "blobs read", "trees read"})
	var numbers []table.ColumnConfig
	for n := 3; n <= 10; n++ {
		numbers = append(numbers, table.ColumnConfig{Number: n, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.SetColumnConfigs(numbers)
	for _, s := range h.steps {
		row := table.Row{s.who, s.Name, seconds(s.Wall), seconds(s.CPU), "", s.Requests, kilobytes(s.Sent), kilobytes(s.Received), "", ""}
		if s.Peak > 0 {
			row[4] = megabytes(s.Peak)
		}
		if s.who == pinnace {
			row[8], row[9] = s.Blobs, s.Trees
		}
		t.AppendRow(row)
	}
	t.Render()
	t = table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(table.StyleLight)
	t.AppendHeader(table.Row{"", "measured", "target", ""})
	for _, c := range h.claims {
		verdict := "met"
		if !c.met {
			verdict = "missed"
		}
		t.AppendRow(table.Row{c.what, c.measured, c.bound, verdict})
	}
	t.Render()
}

func kilobytes(n int64) string { return fmt.Sprintf("%.1f kB", float64(n)/1e3) }
