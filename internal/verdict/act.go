package verdict

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/message"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// act writes the verdict of a pull request, and merges what Pinnace is to merge.
func (b *base) act(ctx context.Context, h *hearing) (Action, string, error) {
	if b.App == 0 {
		return Judged, "", nil // a token that can write no check merges nothing either
	}
	var err error
	if h.rerun, err = b.rerun(ctx, h); err != nil {
		return Failed, "", err
	}
	for _, other := range []verdictOn{h.pins, h.guard} {
		if err := b.writeOther(ctx, h, other); err != nil {
			return Failed, "", err
		}
	}
	if err := b.suggest(ctx, h); err != nil {
		return Failed, "", err
	}
	hold, note, reason := "", "", ""
	merges := h.decision.Status == promotion.Passed && h.decision.Merger == promotion.Pinnace
	if !merges {
		h.memo.Refused.Why, h.memo.Refused.Given, h.memo.Refused.Until = "", "", time.Time{}
		if err := b.dequeue(ctx, h); err != nil {
			return Failed, "", err
		}
	}
	h.memo.Merging = false
	action := Judged
	switch {
	case merges && b.Advisory && h.needsApprovals():
		hold, merges = "the verdict is advisory, so that a person merges", false
	case merges:
		if action, reason, err = b.tried(ctx, h); err != nil {
			return Failed, "", err
		}
		switch {
		case action == Queued:
			h.memo.Merging, note, merges = true, queuedNote, false
		case reason != "":
			hold, note, merges = unmerged, sentence(reason), false
		case b.NoMerge:
			hold = "Pinnace merges it at its next look"
		default:
			hold = "merging"
		}
	}
	if err := b.write(ctx, h, hold, note); err != nil {
		return Failed, "", err
	}
	if !merges || b.DryRun || b.NoMerge {
		return action, reason, nil
	}
	return b.merge(ctx, h)
}

// needsApprovals says whether a verdict is one that approvals, or a break-glass in their place,
// have led to.
func (h *hearing) needsApprovals() bool {
	return h.decision.Glass != "" || len(h.decision.Approvals) > 0
}

// checkOf is what the check run of a verdict says.
func (b *base) checkOf(h *hearing, hold, note string) message.Check {
	c := message.Check{Name: b.memory.Name, Subject: b.subject(h), Decision: h.decision, Hold: hold, Advisory: b.Advisory, Seal: h.seal}
	if note != "" {
		c.Notes = append(c.Notes, note)
	}
	return c
}

// write brings the check run of a verdict, with the record, in step.
func (b *base) write(ctx context.Context, h *hearing, hold, note string) error {
	if b.DryRun || b.App == 0 {
		return nil
	}
	c := b.checkOf(h, hold, note)
	status, conclusion := c.Conclusion()
	h.memo.Decided, h.memo.Glass, h.memo.Breaker = h.decision.Status, h.decision.Glass, h.decision.Broke
	h.memo.Waived = waived(h.decision.Results)
	h.memo.Deployer = h.decision.Asked
	h.memo.Approved, h.memo.Policies = nil, policiesOf(h.decision.Results)
	for _, a := range h.decision.Approvals {
		if !slices.ContainsFunc(h.memo.Approved, func(i promotion.Identity) bool { return i.ID == a.By.ID }) {
			h.memo.Approved = append(h.memo.Approved, a.By)
		}
	}
	var buttons []promotion.Action
	if b.Buttons {
		buttons = []promotion.Action{judgeAgain}
	}
	want := promotion.CheckRun{
		Actions: buttons, SHA: h.head.String(), Status: status, Conclusion: conclusion, Title: c.Title(), Summary: c.Summary(), Text: c.Text(),
		DetailsURL: b.rulesURL(),
	}
	if h.rerun {
		h.memo.Run.Status, h.memo.Run.Conclusion, want.Completed = "queued", "", b.Now()
	}
	run, err := b.memory.Keep(ctx, h.memo, want)
	h.memo.Run = run
	return err
}

// judgeAgain is the button beside a verdict: what it presses for happens by itself, but later.
var judgeAgain = promotion.Action{Label: "Judge again", Description: "Let Pinnace look once more", Identifier: "judge"}

// rulesURL is where people read the rules that judge, at the tip of the base.
func (b *base) rulesURL() string {
	if b.repo.URL == "" {
		return ""
	}
	return b.repo.URL + "/tree/" + (&url.URL{Path: b.branch}).EscapedPath() + "/.pinnace"
}

// writeOther brings another check of the same head in step.
func (b *base) writeOther(ctx context.Context, h *hearing, v verdictOn) error {
	if b.DryRun || b.App == 0 || !v.touched {
		return nil
	}
	want := v.run
	want.SHA = h.head.String()
	runs, err := b.Forge.CheckRuns(ctx, b.repo, want.SHA, want.Name)
	if err != nil {
		return err
	}
	for _, now := range runs {
		if now.App != b.App || now.Name != want.Name {
			continue
		}
		if !h.rerun && now.Title == want.Title && now.Summary == want.Summary && now.Text == want.Text && now.Status == want.Status && now.Conclusion == want.Conclusion {
			return nil
		}
		want.ID = now.ID
		want.Annotations = nil // GitHub adds them to those that are there
		_, err = b.Forge.UpdateCheckRun(ctx, b.repo, want)
		return err
	}
	_, err = b.Forge.CreateCheckRun(ctx, b.repo, want)
	return err
}

// subject says in one line what is judged.
func (b *base) subject(h *hearing) string {
	if r := h.memo.Request; len(h.changes) == 0 && r.App != "" && h.kind != promotion.ByHand {
		return fmt.Sprintf("%s of %s to %s", h.kind, r.App, r.Env)
	}
	if h.group != 0 {
		return fmt.Sprintf("group of the merge queue with #%d and what is before it", h.group)
	}
	if len(h.changes) == 0 && len(h.opaque) == 0 {
		return "no image changes"
	}
	var what []string
	for _, c := range h.changes {
		name := c.New
		if name.Name == "" {
			name = c.Old
		}
		s := shortName(name)
		if c.New.Name == "" {
			s = "without " + s
		}
		if !slices.Contains(what, s) {
			what = append(what, s)
		}
	}
	if n := len(what); n > 3 {
		what = append(what[:3], fmt.Sprintf("%d more", n-3))
	}
	for _, o := range h.opaque {
		if len(what) > 4 {
			break
		}
		what = append(what, o.What)
	}
	where := cmp.Or(strings.Join(h.environments(), ", "), b.branch)
	if h.kind == promotion.ByHand {
		return fmt.Sprintf("change by hand in %s: %s", where, strings.Join(what, ", "))
	}
	return fmt.Sprintf("%s of %s to %s", cmp.Or(string(h.kind), "change"), strings.Join(what, ", "), where)
}

func shortName(r image.Ref) string {
	name := r.Name[strings.LastIndexByte(r.Name, '/')+1:]
	if r.Tag != "" {
		name += ":" + r.Tag
	}
	return name
}

// images are the rows of what changes, for people.
func (h *hearing) rows() []message.Image {
	var out []message.Image
	seen := map[[2]image.Ref]bool{}
	for _, c := range h.changes {
		key := [2]image.Ref{c.Old, c.New}
		if seen[key] {
			continue
		}
		seen[key] = true
		out = append(out, message.Image{
			Name: cmp.Or(c.New.Name, c.Old.Name), OldTag: c.Old.Tag, Tag: c.New.Tag, OldDigest: string(c.Old.Digest), NewDigest: string(c.New.Digest),
		})
	}
	return out
}

// method is how the branch is merged.
func (b *base) method() string {
	if b.config.Merge.Method == "" {
		return "squash"
	}
	return string(b.config.Merge.Method)
}
