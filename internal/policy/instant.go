package policy

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/pinnace-dev/pinnace/internal/document"
)

// parseInstant reads a date, a clock time of a zone, or a time with its offset. wall says
// that it is a time by the clock of the zone, which is returned as if it were UTC.
func parseInstant(s string) (t time.Time, wall bool, err error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, false, nil
		}
	}
	for _, layout := range []string{"2006-01-02", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true, nil
		}
	}
	return time.Time{}, false, fmt.Errorf("%s is not a time: expected one such as 2026-12-20, 2026-12-20T18:00 or 2026-12-20T18:00:00+01:00", document.Quote(s))
}

func checkInstant(s string) error {
	_, _, err := parseInstant(s)
	return err
}

// An Exception names files that a policy lets pass.
type Exception struct {
	Path    string `json:"path"`
	Reason  string `json:"reason"`
	Expires Expiry `json:"expires"`
}

// excepts returns the exception that names a path and has not expired.
func excepts(all []Exception, path string, now time.Time) (Exception, bool) {
	var found Exception
	for _, e := range all {
		if matches(e.Path, path) && now.Before(e.Expires.Time) && e.Expires.After(found.Expires.Time) {
			found = e
		}
	}
	return found, found.Path != ""
}

// An Expiry is the moment from which something no longer holds: a time, or the end of a
// date in UTC.
type Expiry struct{ time.Time }

// UnmarshalJSON reads a date or a time.
func (e *Expiry) UnmarshalJSON(text []byte) error {
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	t, _, err := parseInstant(s)
	if err != nil {
		return err
	}
	if len(s) == len(time.DateOnly) {
		t = t.AddDate(0, 0, 1)
	}
	e.Time = t
	return nil
}
