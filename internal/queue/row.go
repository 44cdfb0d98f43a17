package queue

import (
	"fmt"
	"time"
)

// maxAttempts is how many visits may kill their process or panic where Options say nothing.
const maxAttempts = 5

// A Row of the reference says what came of a visit, and when the subject is visited again.
type Row struct {
	Outcome Outcome
	Of      string
	Next    string
}

// Rows lists every outcome; when comes from Retries.
func Rows() []Row {
	rows := []Row{
		{Done, "no error", "soon again, since GitHub may not show yet what an event was about; then at the next event or resync"},
		{Gone, "the App may no longer see the repository", "never: it is forgotten until an event names it"},
		{NotFound, "something is not there, or the token may not see it", ""},
		{Conflict, "something changed meanwhile", ""},
		{Forbidden, "the App lacks a permission", ""},
		{Unauthenticated, "GitHub refuses the App's key or token", ""},
		{RateLimited, "GitHub's limit is reached", ""},
		{Invalid, "GitHub refuses the request itself, or the configuration has an error", ""},
		{Transient, "a failure of the network, of GitHub or of a registry that passes", ""},
		{Blocked, "a rule of the repository refuses it", ""},
		{Slow, "the look took too long", ""},
		{Panicked, "a mistake in Pinnace", ""},
		{Stopped, "the process ends", "at once, by whoever runs then"},
		{Expired, "another process took the repository over", "by that process"},
		{Unknown, "any other error", ""},
	}
	for i, r := range rows {
		if retry, ok := Retries[r.Outcome]; ok {
			rows[i].Next = retry.words()
		}
	}
	return rows
}

// words says when a subject is visited again.
func (r Retry) words() string {
	var s string
	switch {
	case r.Survey:
		s = "the installation's list of repositories is read; then at the next event or resync"
	case r.Resync:
		s = fmt.Sprintf("at the next event, %s apart, or resync", span(r.After))
	case r.After == r.Most:
		s = fmt.Sprintf("when the answer says, or after %s", span(r.After))
	default:
		s = fmt.Sprintf("after %s, %s, ... %s", span(r.After), span(2*r.After), span(r.Most))
	}
	if r.Counts {
		s += fmt.Sprintf("; after %d in a row it is in quarantine: at resyncs only", maxAttempts)
	}
	return s
}

// span writes a duration with its largest unit.
func span(d time.Duration) string {
	switch {
	case d%time.Hour == 0:
		return fmt.Sprintf("%d h", d/time.Hour)
	case d%time.Minute == 0:
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return fmt.Sprintf("%d s", d/time.Second)
}
