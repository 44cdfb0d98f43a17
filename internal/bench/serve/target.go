package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// missed are the targets that were missed.
type missed struct{ what []string }

// row prints what was measured. met says whether a target that there is for it is met, and
// target what it is; "" where there is none.
func (m *missed) row(what, got, target string, met bool) {
	line := fmt.Sprintf("%-58s %16s", what, got)
	if target != "" {
		line += "   want " + target
		if !met {
			line += ": MISSED"
			m.what = append(m.what, what+": "+got)
		}
	}
	fmt.Println(line)
}

// judge says what was missed.
func (m *missed) judge(strict bool) error {
	if len(m.what) == 0 {
		return nil
	}
	text := "missed: " + strings.Join(m.what, "; ")
	if strict {
		return errors.New(text)
	}
	fmt.Println(text)
	return nil
}

// A sample is how long something took, many times.
type sample []time.Duration

// at returns the time that a share of the sample stays within.
func (s sample) at(share float64) time.Duration {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return sorted[min(int(share*float64(len(sorted))), len(sorted)-1)]
}

// spread prints the median, and the larger times against a target; 0 is none.
func (m *missed) spread(what string, s sample, share float64, target time.Duration) {
	m.row(what+fmt.Sprintf(", median of %d", len(s)), short(s.at(0.5)), "", true)
	want := ""
	if target > 0 {
		want = "under " + target.String()
	}
	m.row(fmt.Sprintf("%s, p%g", what, share*100), short(s.at(share)), want, s.at(share) < target)
	m.row(what+", longest", short(s.at(1)), "", true)
}

func short(d time.Duration) string {
	if d < 100*time.Millisecond {
		return d.Round(10 * time.Microsecond).String()
	}
	return d.Round(time.Millisecond).String()
}

// mega prints bytes.
func mega(n int64) string { return fmt.Sprintf("%.0f MB", float64(n)/1e6) }
