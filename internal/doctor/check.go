package doctor

import (
	"fmt"
	"slices"
	"strings"
)

// A Status is what a check found.
type Status string

// The statuses.
const (
	OK      Status = "ok"
	Warning Status = "warning" // it works, but not as it should
	Problem Status = "problem" // something does not work, or is not enforced
	Skipped Status = "skipped" // it could not be judged
)

// A Finding is the outcome of a check.
type Finding struct {
	Status  Status
	Seen    string   // one line
	Details []string // more lines
	Fix     string   // one line, "" where it is ok or skipped
}

// A Check looks at one thing.
type Check struct {
	ID    string // stable, such as rules.pinned
	Title string
	About string // what goes wrong where it is not ok: one sentence of the manual
	judge func(*Facts) Finding
}

// Checks returns all checks, in the order in which they are best put right.
func Checks() []Check {
	return slices.Concat(appChecks, hookChecks, installationChecks, configChecks, peopleChecks, ruleChecks, placeChecks)
}

func ok(format string, args ...any) Finding {
	return Finding{Status: OK, Seen: fmt.Sprintf(format, args...)}
}

func skip(format string, args ...any) Finding {
	return Finding{Status: Skipped, Seen: fmt.Sprintf(format, args...)}
}

func warn(fix, format string, args ...any) Finding {
	return Finding{Status: Warning, Fix: fix, Seen: fmt.Sprintf(format, args...)}
}

func problem(fix, format string, args ...any) Finding {
	return Finding{Status: Problem, Fix: fix, Seen: fmt.Sprintf(format, args...)}
}

// with adds details.
func (f Finding) with(details []string) Finding {
	const most = 10
	if n := len(details) - most; n > 0 {
		details = append(details[:most:most], fmt.Sprintf("and %d more", n))
	}
	f.Details = details
	return f
}

// count writes "1 team" and "2 teams".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if strings.HasSuffix(noun, "y") && !strings.HasSuffix(noun, "ey") {
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(noun, "y"))
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

var levels = map[string]int{"read": 1, "write": 2, "admin": 3}

// reaches says whether a level that was granted is enough.
func reaches(have, want string) bool { return levels[want] > 0 && levels[have] >= levels[want] }
