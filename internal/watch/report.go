package watch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/message"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

const (
	reportsAtOnce = 20        // of one round
	reportAgain   = time.Hour // after a report that could not be written
	reportLabel   = "pinnace"
	reportKey     = "images-to-look-at"
)

// report writes the reports that are due, beside the looks of the round.
func (w *Watcher) report(ctx context.Context, now time.Time, rounds *sync.WaitGroup) {
	w.mu.Lock()
	begin := w.Reporter != nil && !w.writing
	w.writing = w.writing || begin
	w.mu.Unlock()
	if !begin {
		return
	}
	rounds.Go(func() {
		defer func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.writing = false
		}()
		due, err := w.Ledger.Reports(ctx, now, reportsAtOnce)
		if err != nil && ctx.Err() == nil {
			w.Log.Error("list the reports that are due", "error", err)
		}
		for _, r := range due {
			if ctx.Err() != nil || !w.leads(ctx) {
				return
			}
			next, err := w.write(ctx, r, now)
			if errors.Is(err, errNotLeading) {
				return
			}
			if err != nil {
				next.Due = now.Add(later(err, w.Pins))
			}
			if ctx.Err() != nil {
				return
			}
			if kept := w.Ledger.Reported(ctx, next, r.Due); err == nil {
				err = kept
			}
			if err != nil {
				w.Log.Error("report on the images of a repository", "installation", r.Installation, "repository", r.Repository, "error", err)
			}
		}
	})
}

// later is when to try again after an error.
func later(err error, day time.Duration) time.Duration {
	var delay promotion.Delay
	switch {
	case errors.As(err, &delay):
		return min(max(delay.RetryAfter(), time.Minute), day)
	case errors.Is(err, promotion.ErrForbidden), errors.Is(err, promotion.ErrNotFound), errors.Is(err, promotion.ErrInvalid):
		return day
	}
	return min(reportAgain, day)
}

// write brings the issue of one repository up to date, and returns the report as it is then.
func (w *Watcher) write(ctx context.Context, r event.Report, now time.Time) (event.Report, error) {
	next := r
	next.Due = now.Add(w.Pins)
	findings, err := w.Ledger.Findings(ctx, r.Subject)
	if err != nil {
		return next, fmt.Errorf("list what is known of the images: %w", err)
	}
	text, certain := judged(findings)
	body := text.Body()
	switch print := fingerprint(body); {
	case print == r.Text:
		return next, nil
	case text.Nothing() && r.Text == "" && !certain:
		return next, nil // what an issue says that is open may still be so
	case now.Before(r.Written.Add(w.Pins)) && !r.Written.After(now):
		next.Due = r.Written.Add(w.Pins)
		return next, nil
	default:
		next.Text = print
	}
	wrote, err := w.issue(ctx, r.Subject, text, body)
	if err != nil {
		next.Text = r.Text
		return next, err
	}
	if wrote {
		next.Written = now
	}
	return next, nil
}

// issue opens, edits, opens again or closes our issue, and says whether it did.
func (w *Watcher) issue(ctx context.Context, s event.Subject, text message.Watch, body string) (wrote bool, err error) {
	all, err := w.Reporter.IssuesWithLabel(ctx, s, reportLabel)
	if err != nil {
		return false, err
	}
	var ours promotion.Issue
	for _, i := range all {
		if message.ReplyKey(i.Body) == reportKey && (ours.Number == 0 || i.Open && !ours.Open) {
			ours = i
		}
	}
	if !w.leads(ctx) { // the list took its time, or this process stood still
		return false, errNotLeading
	}
	same := fingerprint(ours.Body) == fingerprint(body)
	switch {
	case text.Nothing() && !ours.Open:
		return false, nil
	case ours.Number == 0:
		_, err = w.Reporter.OpenIssue(ctx, s, text.Title(), body, []string{reportLabel})
		return true, err
	case same && !text.Nothing():
		return false, nil // where a person closed it, it says nothing new
	}
	// The text comes last, or first before closing: half of it done is seen to be missing.
	if !ours.Open {
		if _, err := w.Reporter.ReopenIssue(ctx, s, ours.Number); err != nil {
			return true, err
		}
	}
	if !same {
		if _, err := w.Reporter.EditIssue(ctx, s, ours.Number, body); err != nil {
			return true, err
		}
	}
	if text.Nothing() {
		_, err = w.Reporter.CloseIssue(ctx, s, ours.Number)
	}
	return true, err
}

// errNotLeading says that another replica reports now.
var errNotLeading = errors.New("another replica writes the reports now")

// judged parts what is to be reported from the rest. certain says that nothing of the rest
// could have been reported once, by a server whose ledger was lost.
func judged(findings []event.Finding) (text message.Watch, certain bool) {
	text, certain = message.Watch{Key: reportKey}, true
	for _, f := range findings {
		left := f.Tag != "" && Fixed(f.Tag) && f.Meant != "" && f.Meant != f.Digest
		gone := !f.Gone.IsZero()
		switch {
		case left && !f.Moved.IsZero():
			text.Moved = append(text.Moved, message.MovedTag{Image: f.Name, Tag: f.Tag, Old: f.Digest, New: f.Meant, At: f.Moved, Place: f.Place, More: f.More})
		case left, f.Unasked:
			certain = false
		}
		switch {
		case gone && f.Gaps >= gaps && !f.Digested.IsZero():
			text.Gone = append(text.Gone, message.GoneDigest{Image: f.Name, Tag: f.Tag, Digest: f.Digest, Seen: f.Digested, Since: f.Gone, Place: f.Place, More: f.More})
		case gone:
			certain = false
		}
	}
	return text, certain
}

// fingerprint tells texts apart; GitHub may change how their lines end.
func fingerprint(body string) string {
	lines := strings.Fields(body)
	sum := sha256.Sum256([]byte(strings.Join(lines, " ")))
	return hex.EncodeToString(sum[:])
}
