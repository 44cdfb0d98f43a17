package promotion

import (
	"cmp"
	"time"
)

// A Status is what a rule came to.
type Status string

// The statuses. Only Passed lets anything be merged.
const (
	Passed  Status = "passed"  // it holds
	Skipped Status = "skipped" // it does not govern here
	Waiting Status = "waiting" // it will hold once somebody, or time, does something
	Unknown Status = "unknown" // a fact is missing: nobody can say
	Denied  Status = "denied"  // it does not hold, and waiting changes nothing
)

var severity = map[Status]int{Skipped: 0, Passed: 1, Waiting: 2, Unknown: 3, Denied: 4}

// Worst returns the worst of several statuses: Denied, Unknown, Waiting, Passed, Skipped.
// Without any it is Skipped.
func Worst(all ...Status) Status {
	worst := Skipped
	for _, s := range all {
		if cmp.Compare(severity[s], severity[worst]) > 0 {
			worst = s
		}
	}
	return worst
}

// A Result is what one rule came to, with the rules that it is made of. Texts are plain, of
// one line, and may hold foreign words.
type Result struct {
	Rule     string    `json:"rule"` // a stable name: approvals, pass-condition, soak, ...
	Status   Status    `json:"status"`
	Title    string    `json:"title"`            // what the rule asks, with its outcome
	Policy   string    `json:"policy,omitempty"` // the document that asks it, "" where the product does
	File     string    `json:"file,omitempty"`   // where that stands
	Line     int       `json:"line,omitempty"`
	Seen     string    `json:"seen,omitempty"`    // the values that were judged
	Wanted   string    `json:"wanted,omitempty"`  // the values that would do
	Missing  []string  `json:"missing,omitempty"` // facts without which nobody can say
	Who      string    `json:"who,omitempty"`     // who can change the outcome
	Next     string    `json:"next,omitempty"`    // the next command or step
	Until    time.Time `json:"until,omitzero"`    // when time alone changes the outcome
	Children []Result  `json:"children,omitempty"`
}

// A Decision is the verdict on a change, which explains itself.
type Decision struct {
	Status    Status     `json:"status"`
	Summary   string     `json:"summary"`          // one line
	Results   []Result   `json:"results"`          // the tree, in the order of judging
	Approvals []Approval `json:"approvals"`        // those that count
	Ignored   []Ignored  `json:"ignored"`          // those that do not, and why
	Recheck   time.Time  `json:"recheck,omitzero"` // when time alone may change the verdict
	// Merger says who merges once it has passed, "" where nothing is judged.
	Merger Merger   `json:"merger,omitempty"`
	Asked  Identity `json:"asked,omitzero"`  // who said /deploy, where that counts
	Glass  string   `json:"glass,omitempty"` // why the rules were waived by break-glass
	Broke  Identity `json:"broke,omitzero"`  // who did that
}

// A Merger is who merges a pull request.
type Merger string

// The mergers.
const (
	APerson Merger = "person"
	Pinnace Merger = "pinnace"
)

// An Approval counts.
type Approval struct {
	By     Identity  `json:"by"`
	Review int64     `json:"review"`
	At     time.Time `json:"at"`
}

// An Ignored review does not count, and Reason says why.
type Ignored struct {
	By     Identity `json:"by"`
	Review int64    `json:"review"`
	Reason string   `json:"reason"`
}
