package verdict

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/record"
)

// retry is after how long a merge that was refused is tried again, though nothing is known to
// have changed: not all that a branch asks for can be seen, such as conversations.
const retry = time.Hour

// maxWords bounds what is kept of a refusal.
const maxWords = 1000

// refusal says why a merge that came to nothing is not tried again yet, "" where it is.
func (b *base) refusal(ctx context.Context, h *hearing) (string, error) {
	r := h.memo.Refused
	if r.Why == "" {
		return "", nil
	}
	if !r.Until.IsZero() && !b.Now().Before(r.Until) {
		return "", nil
	}
	given, err := b.given(ctx, h, r.Until.IsZero())
	if err != nil || given != r.Given {
		return "", err
	}
	return r.Why, nil
}

// refuse keeps why a merge came to nothing. One that a person called off is not tried again by
// itself.
func (b *base) refuse(ctx context.Context, h *hearing, why string, byPerson bool, removed time.Time) error {
	given, err := b.given(ctx, h, byPerson)
	if err != nil {
		return err
	}
	if len(why) > maxWords {
		why = strings.ToValidUTF8(why[:maxWords], "")
	}
	h.memo.Refused = record.Refusal{Why: why, Given: given, Removed: removed}
	if !byPerson {
		h.memo.Refused.Until = b.Now().Add(retry)
	}
	return nil
}

// given is the hash of what GitHub's answer to a merge depends on, as far as it can be seen.
// What a person called off depends on what people say alone.
func (b *base) given(ctx context.Context, h *hearing, byPerson bool) (string, error) {
	type review struct {
		ID    int64
		State promotion.ReviewState
	}
	facts := struct {
		Head, Tip, Method string
		Draft             bool
		Reviews           []review
		Comment           int64
		Rules             *promotion.Rules
		Checks            []string
	}{Head: h.head.String(), Draft: h.pull.Draft}
	for _, r := range h.reviews {
		facts.Reviews = append(facts.Reviews, review{r.ID, r.State})
	}
	for _, c := range h.comments {
		if c.Author.ID != b.Bot.ID {
			facts.Comment = max(facts.Comment, c.ID)
		}
	}
	if !byPerson {
		rules, err := b.branchRules(ctx)
		if err != nil {
			return "", err
		}
		facts.Tip, facts.Method, facts.Rules = b.tip.Commit.String(), b.method(), &rules
		if facts.Checks, err = b.required(ctx, h, rules); err != nil {
			return "", err
		}
	}
	text, err := json.Marshal(facts)
	if err != nil {
		return "", err // unreachable: strings, numbers and truth values
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// required says how the checks stand that the branch asks for, but for our own.
func (b *base) required(ctx context.Context, h *hearing, rules promotion.Rules) ([]string, error) {
	var out []string
	var statuses []promotion.CommitStatus
	for i, c := range rules.Checks {
		if c.Context == b.memory.Name {
			continue
		}
		runs, err := b.Forge.CheckRuns(ctx, b.repo, h.head.String(), c.Context)
		if err != nil {
			return nil, err
		}
		for _, r := range runs {
			out = append(out, fmt.Sprintf("%d %d %s %s", i, r.App, r.Status, r.Conclusion))
		}
		if statuses == nil {
			if statuses, err = b.Forge.CommitStatuses(ctx, b.repo, h.head.String()); err != nil {
				return nil, err
			}
		}
		for _, s := range statuses {
			if s.Context == c.Context {
				out = append(out, fmt.Sprintf("%d %s", i, s.State))
			}
		}
	}
	return out, nil
}

// blockedBy spells why GitHub does not merge, with what to do about it.
func blockedBy(all []*promotion.Blocked) string {
	var words, remedies []string
	for _, o := range all {
		words = append(words, o.Error())
		if o.Remedy != "" && !slices.Contains(remedies, o.Remedy) {
			remedies = append(remedies, o.Remedy)
		}
	}
	text := "GitHub does not merge it: " + strings.Join(words, "; ")
	if len(remedies) > 0 {
		text += ": " + strings.Join(remedies, "; also, ")
	}
	return text
}

// stands returns the commit that a head stands on, nil where nobody knows.
func (h *hearing) stands() *git.Snapshot {
	if h.kind == promotion.ByHand {
		return h.from
	}
	return h.derived.Parent
}

// behind says whether a branch lacks commits of its base that it has to hold. GitHub then says
// of every check that it is expected, though it is green.
func (b *base) behind(h *hearing) bool {
	on := h.stands()
	return b.rules != nil && b.rules.UpToDate && (on == nil || on.Commit != b.tip.Commit)
}

// tried says what became of the attempts to merge so far: it is in the queue, or something
// keeps it from being tried again.
func (b *base) tried(ctx context.Context, h *hearing) (Action, string, error) {
	in, out, err := b.inQueue(ctx, h)
	if err != nil {
		return Failed, "", err
	}
	if in {
		return Queued, "", nil
	}
	if !out.At.IsZero() && !out.At.Equal(h.memo.Refused.Removed) {
		byPerson := !out.Actor.Bot
		why := "the merge queue took it out, since a check of its group failed or it conflicts with what is before it: look at the group's checks, and comment /judge to queue it again"
		if byPerson {
			why = out.Actor.Login + " took it out of the merge queue: comment /deploy or /judge, and Pinnace queues it again"
		}
		if err := b.refuse(ctx, h, why, byPerson, out.At); err != nil {
			return Failed, "", err
		}
		return Judged, why, nil
	}
	why, err := b.refusal(ctx, h)
	return Judged, why, err
}

// inQueue says whether a pull request is in the merge queue, and if not, which moment took it
// out.
func (b *base) inQueue(ctx context.Context, h *hearing) (in bool, out promotion.Moment, err error) {
	rules, err := b.branchRules(ctx)
	if err != nil || !rules.MergeQueue {
		return false, out, err
	}
	moments, err := b.Forge.Timeline(ctx, b.repo, h.pull.Number)
	if err != nil {
		return false, out, err
	}
	for _, m := range moments {
		switch m.Event {
		case "added_to_merge_queue":
			in, out = true, promotion.Moment{}
		case "removed_from_merge_queue":
			in, out = false, m
		}
	}
	return in, out, nil
}

// dequeue takes what Pinnace put into the merge queue out of it, since its verdict no longer
// holds.
func (b *base) dequeue(ctx context.Context, h *hearing) error {
	if !h.memo.Merging || b.DryRun || b.NoMerge {
		return nil
	}
	in, out, err := b.inQueue(ctx, h)
	if err != nil {
		return err
	}
	if !in {
		h.memo.Refused.Removed = out.At
		return nil
	}
	failure := b.Forge.Dequeue(ctx, h.pull.NodeID)
	in, out, err = b.inQueue(ctx, h)
	if err != nil || in {
		return errors.Join(failure, err)
	}
	h.memo.Refused.Removed = out.At
	return nil
}
