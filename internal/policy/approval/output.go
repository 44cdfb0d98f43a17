package approval

import (
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// An Output is what the reviews come to.
type Output struct {
	Status    promotion.Status     // the worst of Results and Vetoes
	Results   []promotion.Result   // one for each need, in their order
	Met       []time.Time          // for each need, when its count was reached; zero: it is not, or none is asked
	Vetoes    []Veto               // by time
	Approvals []promotion.Approval // those that count for a need, by time; also where a need asks none
	Lapses    []time.Time          // of Approvals: when each counts for no need any more
	Ignored   []promotion.Ignored  // the other approvals and change requests, by time
	Recheck   time.Time            // when time alone may change Status; zero: never
}

// A Veto is a change request that stands in the way, or may do so (its result is Unknown).
type Veto struct {
	By     promotion.Identity
	Review int64
	At     time.Time
	Result promotion.Result
}
