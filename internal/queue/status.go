package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/store"
)

// troubledMost is how many subjects with a problem a Status names.
const troubledMost = 100

// A Status says where the queue stands, for people and for metrics.
type Status struct {
	Subjects    int        `json:"subjects"`       // repositories, installations, and the App itself
	Waiting     int        `json:"waiting"`        // for their turn
	Running     int        `json:"running"`        // visits, of all processes
	Dirty       int        `json:"dirty"`          // something happened since their last visit that succeeded
	Oldest      Age        `json:"oldest_seconds"` // for how long the oldest event has not been seen to
	Quarantined int        `json:"quarantined"`    // see Troubled
	Troubled    []Troubled `json:"troubled"`       // the quarantined first, then the longest failing; at most 100
	Swept       time.Time  `json:"swept,omitzero"` // when deliveries that did not come were last looked for
	Lost        int64      `json:"lost_events"`    // deliveries that GitHub can make no more and that never came
}

// An Age is a duration that is spelt in JSON as a number of seconds, to the millisecond.
type Age time.Duration

// MarshalJSON spells the age: 90.5.
func (a Age) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, time.Duration(a).Round(time.Millisecond).Seconds(), 'f', -1, 64), nil
}

// A Troubled is a subject whose last visit failed.
type Troubled struct {
	Installation int64     `json:"installation"`
	Repository   int64     `json:"repository"`
	Name         string    `json:"name"` // owner/name where it is known
	Problem      string    `json:"problem"`
	Failures     int       `json:"failures"` // in a row
	Attempts     int       `json:"attempts"` // that ended with the process or a panic, in a row
	Quarantined  time.Time `json:"quarantined,omitzero"`
	Next         time.Time `json:"next,omitzero"` // when it is tried again if nothing happens
}

// Status reads where the queue stands.
func (q *Queue) Status(ctx context.Context) (Status, error) {
	s, err := q.status(ctx)
	if err != nil {
		return Status{}, fmt.Errorf("read the queue's status: %w", store.Explain(err))
	}
	return s, nil
}

func (q *Queue) status(ctx context.Context) (s Status, err error) {
	db := q.store.DB()
	now, err := q.store.Now(ctx, db)
	if err != nil {
		return s, err
	}
	var oldest int64
	err = db.QueryRowContext(ctx, `
		SELECT COUNT(*),
			COALESCE(SUM(CASE WHEN queued > 0 THEN 1 ELSE 0 END), 0),
			COALESCE(SUM(CASE WHEN ends > $1 THEN 1 ELSE 0 END), 0),
			COALESCE(SUM(CASE WHEN raised > done THEN 1 ELSE 0 END), 0),
			COALESCE(SUM(CASE WHEN quarantined > 0 THEN 1 ELSE 0 END), 0),
			COALESCE(MIN(CASE WHEN quarantined > 0 THEN NULL
				WHEN visit_since > 0 AND (since = 0 OR visit_since < since) THEN visit_since
				WHEN since > 0 THEN since END), 0)
		FROM subjects`, now.UnixMicro()).Scan(&s.Subjects, &s.Waiting, &s.Running, &s.Dirty, &s.Quarantined, &oldest)
	if err != nil {
		return s, err
	}
	if oldest > 0 {
		s.Oldest = max(0, Age(now.Sub(time.UnixMicro(oldest))))
	}
	rows, err := db.QueryContext(ctx, `
		SELECT installation, repository, owner, name, problem, failures, attempts, quarantined, due FROM subjects
		WHERE problem <> '' ORDER BY CASE WHEN quarantined > 0 THEN 0 ELSE 1 END, failures DESC, installation, repository LIMIT $1`, troubledMost)
	if err != nil {
		return s, err
	}
	defer rows.Close()
	s.Troubled = []Troubled{}
	for rows.Next() {
		var (
			t                Troubled
			owner, name      string
			quarantined, due int64
		)
		if err := rows.Scan(&t.Installation, &t.Repository, &owner, &name, &t.Problem, &t.Failures, &t.Attempts, &quarantined, &due); err != nil {
			return s, err
		}
		if name != "" {
			t.Name = owner + "/" + name
		}
		if quarantined > 0 {
			t.Quarantined = time.UnixMicro(quarantined).UTC()
		}
		if due > 0 {
			t.Next = time.UnixMicro(due).UTC()
		}
		s.Troubled = append(s.Troubled, t)
	}
	if err := rows.Err(); err != nil {
		return s, err
	}
	swept, _, err := q.mark(ctx, markSwept)
	if err != nil {
		return s, err
	}
	if !swept.IsZero() {
		s.Swept = swept.UTC()
	}
	err = db.QueryRowContext(ctx, "SELECT count FROM marks WHERE name = $1", markLost).Scan(&s.Lost)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return s, err
}

// Release frees a subject from quarantine, or from the pause after a failure, and has it
// visited now.
func (q *Queue) Release(ctx context.Context, s event.Subject) error {
	err := q.inTx(ctx, func(tx *sql.Tx, now time.Time) error {
		r, err := tx.ExecContext(ctx, "UPDATE subjects SET quarantined = 0, attempts = 0, failures = 0, held = 0, problem = '' WHERE installation = $1 AND repository = $2", s.Installation, s.Repository)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, errors.New("no such subject is known; those with a problem are in the status"))
		}
		return q.raise(ctx, tx, now, []raise{{Subject: s, urgent: true}})
	})
	if err != nil {
		return fmt.Errorf("release %d/%d: %w", s.Installation, s.Repository, err)
	}
	return nil
}
