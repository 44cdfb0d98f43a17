package queue

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
)

// Bounds of what an accepted delivery may hold.
const (
	guidMost = 128
	wordMost = 256
	looksMax = 20000
)

// Accept keeps a delivery durably and raises what it is about. It returns once both are on
// disk; fresh is false where the delivery's GUID was kept before, and then nothing is raised.
// After an error nothing, or all of it, is kept: the same delivery may be made again.
func (q *Queue) Accept(ctx context.Context, d event.Delivery) (fresh bool, err error) {
	began := time.Now()
	if err := acceptable(d); err != nil {
		q.see.Refused()
		return false, fmt.Errorf("accept delivery: %w", err)
	}
	e := &entry{guid: d.GUID, event: clip(d.Event), action: clip(d.Action), received: d.Received, raises: raises(d.Looks, d.Received, true)}
	if err := q.line.join(ctx, e); err != nil {
		q.see.Refused()
		return false, fmt.Errorf("accept delivery %s: %w", d.GUID, err)
	}
	q.see.Accepted(e.fresh, time.Since(began))
	return e.fresh, nil
}

// Raise asks for a visit to where each look points, as a delivery does, but for none of
// Options.Again: what happened elsewhere GitHub's API does not lag behind. It returns once that
// is on disk.
func (q *Queue) Raise(ctx context.Context, looks ...event.Look) error {
	if len(looks) > looksMax {
		return fmt.Errorf("raise: %d looks at once, where %d are the most", len(looks), looksMax)
	}
	e := &entry{raises: raises(looks, time.Time{}, false)}
	if len(e.raises) == 0 {
		return nil
	}
	if err := q.line.join(ctx, e); err != nil {
		return fmt.Errorf("raise: %w", err)
	}
	return nil
}

func acceptable(d event.Delivery) error {
	switch {
	case d.GUID == "":
		return errors.New("it has no GUID")
	case len(d.GUID) > guidMost:
		return fmt.Errorf("its GUID has %d bytes, where %d are the most", len(d.GUID), guidMost)
	case strings.ContainsFunc(d.GUID, func(r rune) bool { return r <= ' ' || r > '~' }):
		return errors.New("its GUID has characters that no GUID has")
	case len(d.Looks) > looksMax:
		return fmt.Errorf("it has %d looks, where %d are the most", len(d.Looks), looksMax)
	}
	return nil
}

// clip makes a word of a payload fit to be stored.
func clip(s string) string {
	if len(s) > wordMost {
		s = s[:wordMost]
	}
	return clipText(s)
}

// clipText leaves out what PostgreSQL takes in no text: NUL, and bytes that are not UTF-8.
func clipText(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "?"), "\x00", "")
}

// raises returns what looks ask for, once for each subject. An event whose time is zero is of
// the time at which it is committed.
func raises(looks []event.Look, at time.Time, again bool) []raise {
	all := map[event.Subject]*raise{}
	ask := func(s event.Subject) *raise {
		r := all[s]
		if r == nil {
			r = &raise{Subject: s, urgent: true, again: again, at: at}
			all[s] = r
		}
		return r
	}
	for _, l := range looks {
		switch {
		case l.Gone && l.Repository == 0:
			// What the App is installed on says whether it is gone.
			ask(event.Subject{})
			continue
		case l.Installation == 0:
			continue
		case l.Repository == 0 && l.Image != "" && !l.Everywhere:
			// A push to a registry is about no repository here.
			continue
		case l.Gone:
			ask(event.Subject{Installation: l.Installation})
			continue
		}
		r := ask(l.Subject)
		r.owner, r.name = cmp.Or(clip(l.Owner), r.owner), cmp.Or(clip(l.Name), r.name)
		r.everywhere = r.everywhere || l.Everywhere
		if l.Pull > 0 && len(r.pulls) < pullsMost && !slices.Contains(r.pulls, l.Pull) {
			r.pulls = append(r.pulls, l.Pull)
		}
	}
	out := make([]raise, 0, len(all))
	for _, r := range all {
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b raise) int { return inOrder(a.Subject, b.Subject) })
	return out
}

// commit keeps the deliveries of a batch and raises what the fresh ones and the bare raises
// are about, in one transaction.
func (q *Queue) commit(ctx context.Context, batch []*entry) error {
	return q.inTx(ctx, func(tx *sql.Tx, now time.Time) error {
		if err := keep(ctx, tx, now, batch); err != nil {
			return err
		}
		var rs []raise
		for _, e := range batch {
			if e.guid == "" || e.fresh {
				rs = append(rs, e.raises...)
			}
		}
		return q.raise(ctx, tx, now, merge(rs))
	})
}

// keep inserts the batch's deliveries into the inbox, and marks those as fresh that were not
// there. Of two of one GUID in a batch the first is.
func keep(ctx context.Context, tx *sql.Tx, now time.Time, batch []*entry) error {
	first := map[string]*entry{}
	var guids []string
	for _, e := range batch {
		e.fresh = false
		if e.guid != "" && first[e.guid] == nil {
			first[e.guid] = e
			guids = append(guids, e.guid)
		}
	}
	// In order, so that two replicas never wait for each other's rows.
	slices.Sort(guids)
	for part := range slices.Chunk(guids, 64) {
		var b statement
		b.text("INSERT INTO inbox (guid, event, action, received) VALUES ")
		for i, g := range part {
			e := first[g]
			at := e.received
			if at.IsZero() {
				at = now
			}
			b.row(i, g, e.event, e.action, at.UnixMicro())
		}
		b.text(" ON CONFLICT (guid) DO NOTHING RETURNING guid")
		err := b.each(ctx, tx, func(scan func(...any) error) error {
			var g string
			if err := scan(&g); err != nil {
				return err
			}
			first[g].fresh = true
			return nil
		})
		if err != nil {
			return fmt.Errorf("keep deliveries: %w", err)
		}
	}
	return nil
}
