package reconcile

import (
	"context"
	"fmt"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/record"
)

// Checks are the check runs of GitHub.
type Checks interface {
	// CheckRuns returns the newest check runs of a name on a commit, one for each App.
	CheckRuns(ctx context.Context, r promotion.Repository, sha, name string) ([]promotion.CheckRun, error)
	CreateCheckRun(ctx context.Context, r promotion.Repository, c promotion.CheckRun) (promotion.CheckRun, error)
	UpdateCheckRun(ctx context.Context, r promotion.Repository, c promotion.CheckRun) (promotion.CheckRun, error)
}

// A Memory keeps records in the check runs of one App on the heads of pull requests. Only
// what that App wrote is believed: nobody else can write or change it
// (https://docs.github.com/en/rest/checks/runs).
type Memory struct {
	Checks     Checks
	Repository promotion.Repository
	Name       string // of the check
	App        int64  // 0: nothing is remembered
}

// A Memo is a record with the check run that it stands in.
type Memo struct {
	record.Record
	Run promotion.CheckRun // zero where the record is of the head before
}

// recordMark begins the line that record.Parse found in a text.
const recordMark = "<!-- pinnace-record:"

// maxBefore is how many heads are looked behind for a record.
const maxBefore = 5

// Recall returns the record of a head. Where there is none it is that of the head before, which
// before tells: one that the commit says it replaced, whose record has to name it as its next,
// since a crash kept the new one from being written; or one that it stands upon.
func (m *Memory) Recall(ctx context.Context, sha string, before func(sha string) (older string, upon bool)) (Memo, bool, error) {
	if m.App == 0 {
		return Memo{}, false, nil
	}
	memo, ok, err := m.at(ctx, sha)
	if err != nil || ok || before == nil {
		return memo, ok, err
	}
	run, next := memo.Run, sha
	for range maxBefore {
		older, upon := before(next)
		if older == "" {
			break
		}
		memo, ok, err := m.at(ctx, older)
		if err != nil {
			return Memo{}, false, err
		}
		if ok {
			memo.Run = run
			return memo, upon || memo.Next == next, nil
		}
		next = older
	}
	return Memo{Run: run}, false, nil
}

// at returns the record on a commit. Without one Run is the App's check run there, if any.
func (m *Memory) at(ctx context.Context, sha string) (Memo, bool, error) {
	runs, err := m.Checks.CheckRuns(ctx, m.Repository, sha, m.Name)
	if err != nil {
		return Memo{}, false, err
	}
	for _, run := range runs {
		if run.App != m.App || run.Name != m.Name {
			continue
		}
		r, ok, err := record.Parse(run.Text)
		if err != nil || !ok || r.Repository != m.Repository.ID {
			return Memo{Run: run}, false, nil // damaged: as if there were none, so that people review again
		}
		return Memo{Record: r, Run: run}, true, nil
	}
	return Memo{}, false, nil
}

// Keep writes a check run with its record at the end of its text, where it is not so already.
func (m *Memory) Keep(ctx context.Context, memo Memo, want promotion.CheckRun) (promotion.CheckRun, error) {
	want.Name = m.Name
	want.Text += memo.Line()
	if now := memo.Run; now.ID != 0 && now.SHA == want.SHA {
		if now.Title == want.Title && now.Summary == want.Summary && now.Text == want.Text && now.Status == want.Status && now.Conclusion == want.Conclusion {
			return now, nil
		}
		want.ID = now.ID
		run, err := m.Checks.UpdateCheckRun(ctx, m.Repository, want)
		if err != nil {
			return run, fmt.Errorf("write the check %s: %w", m.Name, err)
		}
		return run, nil
	}
	run, err := m.Checks.CreateCheckRun(ctx, m.Repository, want)
	if err != nil {
		return run, fmt.Errorf("write the check %s: %w", m.Name, err)
	}
	return run, nil
}

// Begin writes the record of a head that was not judged yet.
func (m *Memory) Begin(ctx context.Context, sha string, memo Memo) error {
	if m.App == 0 {
		return nil
	}
	_, err := m.Keep(ctx, memo, promotion.CheckRun{SHA: sha, Status: "in_progress", Title: "Not judged yet", Summary: "Pinnace has written this commit and looks at it next."})
	return err
}

// Announce notes in the record of a head which one replaces it.
func (m *Memory) Announce(ctx context.Context, sha, next string) error {
	return m.Amend(ctx, sha, func(r *record.Record) { r.Next = next })
}

// Amend changes the record of a head, where it has one, and nothing else of its check run.
func (m *Memory) Amend(ctx context.Context, sha string, change func(*record.Record)) error {
	memo, ok, err := m.Recall(ctx, sha, nil)
	if err != nil || !ok {
		return err
	}
	change(&memo.Record)
	run := memo.Run
	run.Text = run.Text[:strings.LastIndex(run.Text, recordMark)]
	_, err = m.Keep(ctx, memo, run)
	return err
}
