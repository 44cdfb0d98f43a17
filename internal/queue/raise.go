package queue

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/riverqueue/river"

	"github.com/pinnace-dev/pinnace/internal/event"
)

// pullsMost is how many pull requests of a subject are judged before all else; a visit judges
// the others, too.
const pullsMost = 100

// idleWeight is how many events of an installation are served for each subject of it that only
// time asks for, while both wait.
const idleWeight = 32

// turnsMost is how many turns one transaction adds; who gets one goes on while anybody waits.
const turnsMost = 16

// A turn is the job that River carries: a worker that gets it serves who waits.
type turn struct{}

// Kind names the job in River's tables.
func (turn) Kind() string { return "turn" }

// A raise asks for a visit to a subject.
type raise struct {
	event.Subject
	owner, name string
	urgent      bool      // an event asks, not time
	again       bool      // what GitHub says of it may lag: see Options.Again
	at          time.Time // of the event, zero = now
	pulls       []int
	everywhere  bool
	forced      bool // a quarantine does not hold it back
}

func inOrder(a, b event.Subject) int {
	return cmp.Or(cmp.Compare(a.Installation, b.Installation), cmp.Compare(a.Repository, b.Repository))
}

// merge returns one raise for each subject, in order, so that two replicas never wait for each
// other's rows.
func merge(rs []raise) []raise {
	all := make(map[event.Subject]raise, len(rs))
	for _, r := range rs {
		m, ok := all[r.Subject]
		if !ok {
			all[r.Subject] = r
			continue
		}
		m.owner, m.name = cmp.Or(r.owner, m.owner), cmp.Or(r.name, m.name)
		m.urgent = m.urgent || r.urgent
		m.again = m.again || r.again
		m.everywhere = m.everywhere || r.everywhere
		m.forced = m.forced || r.forced
		if !r.at.IsZero() && (m.at.IsZero() || r.at.Before(m.at)) {
			m.at = r.at
		}
		if room := pullsMost - len(m.pulls); room > 0 {
			m.pulls = append(slices.Clip(m.pulls), r.pulls[:min(room, len(r.pulls))]...)
		}
		all[r.Subject] = m
	}
	return slices.SortedFunc(maps.Values(all), func(a, b raise) int { return inOrder(a.Subject, b.Subject) })
}

// A standing is what a subject's row says right after it was raised.
type standing struct {
	event.Subject
	raised, queued, turn, ends, held, due, since, quarantined int64
	urgent, forced                                            bool
}

// raise counts each subject up and, where nothing keeps it back, lets it wait for its turn.
func (q *Queue) raise(ctx context.Context, tx *sql.Tx, now time.Time, rs []raise) error {
	var all []standing
	for part := range slices.Chunk(rs, 64) {
		var b statement
		b.text("INSERT INTO subjects (installation, repository, owner, name, raised, since, asked, everywhere, fence) VALUES ")
		asks := make(map[event.Subject]raise, len(part))
		for i, r := range part {
			asks[r.Subject] = r
			var at, again, everywhere int64
			if r.urgent {
				if at = now.UnixMicro(); !r.at.IsZero() {
					// Another machine's clock may be ahead; nobody has waited less than no time.
					at = min(at, r.at.UnixMicro())
				}
			}
			if r.again {
				again = at
			}
			if r.everywhere {
				everywhere = 1
			}
			// A row that is made anew goes on above all fences of the one that was forgotten: who
			// still visits for that one is not taken for the new one's visitor.
			b.row(i, r.Installation, r.Repository, r.owner, r.name, int64(1), at, again, everywhere, now.UnixMicro())
		}
		b.text(` ON CONFLICT (installation, repository) DO UPDATE SET
			raised = subjects.raised + 1,
			owner = CASE WHEN excluded.owner <> '' THEN excluded.owner ELSE subjects.owner END,
			name = CASE WHEN excluded.name <> '' THEN excluded.name ELSE subjects.name END,
			since = CASE WHEN excluded.since > 0 AND (subjects.since = 0 OR excluded.since < subjects.since) THEN excluded.since ELSE subjects.since END,
			asked = CASE WHEN excluded.asked > subjects.asked THEN excluded.asked ELSE subjects.asked END,
			everywhere = CASE WHEN excluded.everywhere > 0 THEN subjects.raised + 1 ELSE subjects.everywhere END
			RETURNING installation, repository, raised, queued, turn, ends, held, due, CASE WHEN since > 0 THEN since ELSE visit_since END, quarantined`)
		err := b.each(ctx, tx, func(scan func(...any) error) error {
			var s standing
			if err := scan(&s.Installation, &s.Repository, &s.raised, &s.queued, &s.turn, &s.ends, &s.held, &s.due, &s.since, &s.quarantined); err != nil {
				return err
			}
			r := asks[s.Subject]
			s.urgent, s.forced = r.urgent, r.forced
			all = append(all, s)
			return nil
		})
		if err != nil {
			return fmt.Errorf("raise subjects: %w", err)
		}
		slices.SortFunc(all[len(all)-len(part):], func(a, b standing) int { return inOrder(a.Subject, b.Subject) })
	}
	if err := pull(ctx, tx, rs, all); err != nil {
		return err
	}
	return q.wait(ctx, tx, now, all)
}

// pull notes which pull requests are to be judged first.
func pull(ctx context.Context, tx *sql.Tx, rs []raise, all []standing) error {
	type look struct {
		standing
		pull int
	}
	var looks []look
	for i, r := range rs {
		for _, p := range r.pulls {
			looks = append(looks, look{all[i], p})
		}
	}
	slices.SortFunc(looks, func(a, b look) int { return cmp.Or(inOrder(a.Subject, b.Subject), cmp.Compare(a.pull, b.pull)) })
	looks = slices.CompactFunc(looks, func(a, b look) bool { return a.Subject == b.Subject && a.pull == b.pull })
	for part := range slices.Chunk(looks, 64) {
		var b statement
		b.text("INSERT INTO looks (installation, repository, pull, raised) VALUES ")
		for i, l := range part {
			b.row(i, l.Installation, l.Repository, int64(l.pull), l.raised)
		}
		b.text(" ON CONFLICT (installation, repository, pull) DO UPDATE SET raised = excluded.raised")
		if _, err := tx.ExecContext(ctx, b.b.String(), b.args...); err != nil {
			return fmt.Errorf("note pull requests: %w", err)
		}
	}
	return nil
}

// wait gives turns to raised subjects, other than those that are being visited (the end of the
// visit sees that they were raised), quarantined, or held back for a while.
func (q *Queue) wait(ctx context.Context, tx *sql.Tx, now time.Time, all []standing) error {
	micro := now.UnixMicro()
	var waiting []standing
	for _, s := range all {
		switch {
		case s.quarantined > 0 && !s.forced, s.ends > 0:
		case s.held > micro:
			if s.queued == 0 && (s.due == 0 || s.due > s.held) {
				if _, err := tx.ExecContext(ctx, "UPDATE subjects SET due = held WHERE installation = $1 AND repository = $2", s.Installation, s.Repository); err != nil {
					return fmt.Errorf("hold a subject back: %w", err)
				}
			}
		case s.queued == 0 || s.urgent:
			waiting = append(waiting, s)
		}
	}
	added, err := q.lineUp(ctx, tx, micro, waiting)
	if err != nil {
		return err
	}
	return q.turns(ctx, tx, added)
}

// turns adds turns for n subjects that began to wait.
func (q *Queue) turns(ctx context.Context, tx *sql.Tx, n int) error {
	if n == 0 {
		return nil
	}
	if _, err := q.river.InsertManyFastTx(ctx, tx, slices.Repeat([]river.InsertManyParams{{Args: turn{}}}, min(n, turnsMost))); err != nil {
		return fmt.Errorf("add turns: %w", err)
	}
	return nil
}
