package verdict

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/message"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// act writes the verdict of a pull request, and merges what Pinnace is to merge.
func (b *base) act(ctx context.Context, h *hearing) (Action, string, error) {
	for _, other := range []verdictOn{h.pins, h.guard} {
		if err := b.writeOther(ctx, h, other); err != nil {
			return Failed, "", err
		}
	}
	hold, reason := "", ""
	merges := h.decision.Status == promotion.Passed && h.decision.Merger == promotion.Pinnace
	switch {
	case merges && b.Advisory && len(h.decision.Approvals) > 0:
		hold, merges = "the verdict is advisory, so that a person merges", false
	case merges:
		hold = "merging"
		if b.NoMerge {
			hold = "Pinnace merges it at its next look"
		}
	}
	if err := b.write(ctx, h, hold, ""); err != nil {
		return Failed, "", err
	}
	if !merges || b.DryRun || b.NoMerge {
		return Judged, reason, nil
	}
	return b.merge(ctx, h)
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
	h.memo.Approved, h.memo.Policies = nil, policiesOf(h.decision.Results)
	for _, a := range h.decision.Approvals {
		if !slices.ContainsFunc(h.memo.Approved, func(i promotion.Identity) bool { return i.ID == a.By.ID }) {
			h.memo.Approved = append(h.memo.Approved, a.By)
		}
	}
	run, err := b.memory.Keep(ctx, h.memo, promotion.CheckRun{
		SHA: h.head.String(), Status: status, Conclusion: conclusion, Title: c.Title(), Summary: c.Summary(), Text: c.Text(),
	})
	h.memo.Run = run
	return err
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
		if now.Title == want.Title && now.Summary == want.Summary && now.Text == want.Text && now.Status == want.Status && now.Conclusion == want.Conclusion {
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
	return fmt.Sprintf("%s of %s to %s", cmp.Or(string(h.kind), "change"), strings.Join(what, ", "), cmp.Or(strings.Join(h.environments(), ", "), b.branch))
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
