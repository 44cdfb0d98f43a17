package sandbox

import (
	"cmp"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A lineComment is one of a review on lines of the head that it was written on.
type lineComment struct {
	id          int64
	v           *review
	path, body  string
	start, line int
}

// contextLines is how many lines GitHub shows around a change.
const contextLines = 3

// shows says whether the pull request shows all lines of a comment in one piece, as a comment
// needs it.
// https://docs.github.com/en/rest/pulls/comments#create-a-review-comment-for-a-pull-request
func (p *pull) shows(l *lineComment, commit string) bool {
	at := plumbing.NewHash(commit)
	if _, err := p.r.at(at); err != nil {
		return false
	}
	is, ok := p.text(at, l.path)
	if !ok || l.start < 1 || l.line < l.start {
		return false
	}
	was, _ := p.text(p.since(), l.path)
	shift := 0
	var from, to int // of a piece, in the head
	inside := func() bool { return to > 0 && l.start > from && l.line <= min(to, len(split(is))) }
	for _, h := range hunks(was, is) {
		start, end := h.from+shift-contextLines, h.from+shift+len(h.lines)+contextLines
		shift += len(h.lines) - (h.to - h.from)
		if to > 0 && start <= to {
			to = end
			continue
		}
		if inside() {
			return true
		}
		from, to = start, end
	}
	return inside()
}

// text returns a file of a commit.
func (p *pull) text(at plumbing.Hash, path string) (string, bool) {
	e, ok := p.r.flat(p.r.mustAt(at).TreeHash)[path]
	if !ok {
		return "", false
	}
	data, err := p.r.bytes(e.hash)
	return string(data), err == nil
}

// comment adds comments on lines to a review. An App that writes the same on the same lines
// again is one that does not know what it did.
func (v *review) comment(lines []*lineComment) {
	for _, l := range lines {
		l.id, l.v = v.p.r.s.next(), v
		for _, other := range v.p.reviews {
			same := func(x *lineComment) bool { return x.path == l.path && x.body == l.body }
			if v.author.kind == "Bot" && other.author == v.author && slices.ContainsFunc(other.lines, same) {
				v.p.r.s.violation("%s: duplicate comment: %s wrote the same a second time on %s of #%d", v.p.r.fullName(), v.author.Login, l.path, v.p.number)
			}
		}
	}
	v.lines = lines
}

func (l *lineComment) render() fields {
	r := l.v.p.r
	out := fields{
		"id": l.id, "node_id": nodeID("PRRC", l.id), "pull_request_review_id": l.v.id, "user": r.s.renderUser(l.v.author), "body": l.body, "path": l.path,
		"commit_id": l.v.p.head.String(), "original_commit_id": l.v.commit, "diff_hunk": "", "side": "RIGHT",
		"line": nil, "original_line": l.line, "start_line": nil, "original_start_line": nil, "start_side": nil,
		"html_url":         r.html("/pull/%d#discussion_r%d", l.v.p.number, l.id),
		"url":              r.url("/pulls/comments/%d", l.id),
		"pull_request_url": r.url("/pulls/%d", l.v.p.number), "author_association": "NONE", "created_at": stamp(l.v.submitted), "updated_at": stamp(l.v.submitted),
		"_links": fields{
			"self": fields{"href": r.url("/pulls/comments/%d", l.id)}, "html": fields{"href": r.html("/pull/%d#discussion_r%d", l.v.p.number, l.id)},
			"pull_request": fields{"href": r.url("/pulls/%d", l.v.p.number)},
		},
	}
	if l.v.author.gone {
		out["user"] = nil
	}
	if l.start != l.line {
		out["original_start_line"], out["start_side"] = l.start, "RIGHT"
	}
	if l.v.commit == l.v.p.head.String() { // else GitHub shows it as outdated, or moves it
		out["line"], out["start_line"] = l.line, out["original_start_line"]
	}
	return out
}

// LineComments lists the comments on the lines of a pull request, oldest first.
func (r *Repository) LineComments(number int) []promotion.LineComment {
	var all []promotion.LineComment
	_ = r.act(number, func(p *pull) *refusal {
		for _, v := range p.reviews {
			for _, l := range v.lines {
				all = append(all, promotion.LineComment{ID: l.id, Path: l.path, Start: l.start, Line: l.line, Commit: v.commit, Author: v.author.Identity, Body: l.body})
			}
		}
		return nil
	})
	return all
}

// PressSuggestion presses "Commit suggestion" on comments on lines: each one's block takes the
// place of its lines, where they still are what they were. It returns the new head.
func (r *Repository) PressSuggestion(number int, by string, comments ...int64) (string, error) {
	edits, suggester := map[string]string{}, ""
	err := r.act(number, func(p *pull) *refusal {
		var chosen []*lineComment
		for _, v := range p.reviews {
			for _, l := range v.lines {
				if slices.Contains(comments, l.id) {
					chosen = append(chosen, l)
				}
			}
		}
		slices.SortFunc(chosen, func(a, b *lineComment) int { return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(b.line, a.line)) })
		for _, l := range chosen {
			is, ok := edits[l.path]
			if !ok {
				is, _ = p.text(p.head, l.path)
				if then, _ := p.text(plumbing.NewHash(l.v.commit), l.path); is != then {
					return unprocessable("Suggestions cannot be applied on outdated comments.")
				}
			}
			text, ok := suggestionOf(l.body)
			if !ok {
				return unprocessable("The comment suggests nothing.")
			}
			lines := split(is)
			lines = slices.Concat(lines[:l.start-1], split(text), lines[l.line:])
			edits[l.path], suggester = strings.Join(lines, ""), l.v.author.Login
		}
		if len(chosen) != len(comments) {
			return notFound()
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	return r.ApplySuggestion(number, by, suggester, edits)
}

// suggestionOf returns the text of the first suggestion block.
// https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/reviewing-changes-in-pull-requests/commenting-on-a-pull-request
func suggestionOf(body string) (string, bool) {
	var text []string
	fence := ""
	for line := range strings.Lines(body) {
		bare := strings.TrimRight(line, "\r\n")
		switch {
		case fence == "" && strings.HasPrefix(bare, "```") && strings.TrimLeft(bare, "`") == "suggestion":
			fence = strings.TrimSuffix(bare, "suggestion")
		case fence != "" && bare == fence:
			return strings.Join(text, ""), true
		case fence != "":
			text = append(text, bare+"\n")
		}
	}
	return "", false
}
