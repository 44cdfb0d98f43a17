package verdict

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"

	"github.com/pinnace-dev/pinnace/internal/check"
	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/message"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// An annotation of a check shows no button. A suggestion does, and is a comment of a review
// (https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/reviewing-changes-in-pull-requests/commenting-on-a-pull-request),
// which everybody is told of: where nothing locks an environment there is none.

// maxOffers is how many suggestions are written on one head.
const maxOffers = 20

// An offer is a suggestion to write.
type offer struct {
	promotion.LineComment
	key, policy string
}

// offers are the suggestions for what keeps the check of pins red, on lines that the pull
// request shows.
func (b *base) offers(h *hearing, in check.PinsInput, all []check.Annotation) ([]offer, error) {
	var out []offer
	told := map[string]int{}
	for _, a := range all {
		if a.Suggestion == "" || a.Level != check.LevelFailure || len(out) == maxOffers {
			continue
		}
		i := slices.IndexFunc(in.Files, func(f check.Pinned) bool { return f.Path == a.Path })
		if i < 0 {
			continue
		}
		now := bytes.SplitAfter(in.Files[i].Data, []byte("\n"))
		if a.Line < 1 || a.EndLine < a.Line || a.EndLine > len(now) {
			continue
		}
		shown, err := b.shown(h, a.Path, now)
		if err != nil {
			return nil, err
		}
		if slices.Contains(shown[a.Line-1:a.EndLine], false) {
			continue
		}
		policy, _ := in.Locked(a.Path)
		text, _ := json.Marshal([]string{a.Path, string(bytes.Join(now[a.Line-1:a.EndLine], nil)), a.Suggestion})
		sum := sha256.Sum256(append(text, byte(told[string(text)])))
		told[string(text)]++
		o := offer{key: "pins-" + hex.EncodeToString(sum[:10]), policy: policy}
		o.Path, o.Start, o.Line = a.Path, a.Line, a.EndLine
		o.Body = message.Suggestion(o.key, a.Suggestion, a.Title+"\n"+a.Message)
		out = append(out, o)
	}
	return out, nil
}

// contextLines is how many lines GitHub shows around a change.
const contextLines = 3

// shown says of each line of a file of the head whether GitHub surely shows it in the pull
// request, so that it can be commented on: lines that did not stand in the file at all, and
// those around them.
func (b *base) shown(h *hearing, path string, now [][]byte) ([]bool, error) {
	before := map[string]bool{}
	i := slices.IndexFunc(h.paths, func(d git.Delta) bool { return d.Path == path })
	if i >= 0 && h.paths[i].Old.Path != "" && h.paths[i].Old.Problem == nil {
		data, err := h.from.Blob(h.paths[i].Old.Blob, manifest.MaxFile)
		if err != nil {
			return make([]bool, len(now)), nil // nobody knows what is new
		}
		for line := range bytes.Lines(data) {
			before[string(line)] = true
		}
	}
	out := make([]bool, len(now))
	for at, line := range now {
		if len(line) == 0 || before[string(line)] {
			continue
		}
		for near := max(0, at-contextLines); near <= min(at+contextLines, len(now)-1); near++ {
			out[near] = true
		}
	}
	return out, nil
}

// suggest writes the offers that are not there yet, in one review.
func (b *base) suggest(ctx context.Context, h *hearing) error {
	if b.DryRun || b.memory.App == 0 || b.Bot.ID == 0 || len(h.offers) == 0 {
		return nil
	}
	there, err := b.Forge.LineComments(ctx, b.repo, h.pull.Number)
	if err != nil {
		return err
	}
	written := map[string]bool{}
	for _, c := range there {
		if c.Author.ID == b.Bot.ID {
			written[message.ReplyKey(c.Body)] = true
		}
	}
	var lines []promotion.LineComment
	for _, o := range h.offers {
		if !written[o.key] {
			lines = append(lines, o.LineComment)
		}
	}
	if len(lines) == 0 {
		return nil
	}
	sha := h.head.String()
	err = b.Forge.ReviewLines(ctx, b.repo, h.pull.Number, sha, message.Suggested(sha, h.offers[0].policy, len(lines)), lines)
	if errors.Is(err, promotion.ErrInvalid) || errors.Is(err, promotion.ErrConflict) {
		return nil // the head moved, or GitHub shows other lines: the annotations say what to write
	}
	return err
}
