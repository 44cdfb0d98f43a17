package verdict

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pinnace-dev/pinnace/internal/command"
	"github.com/pinnace-dev/pinnace/internal/message"
	"github.com/pinnace-dev/pinnace/internal/plan"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
)

// An inbox is what people wrote that Pinnace is to act on.
type inbox struct {
	letters []letter
	reseals map[int][]promotion.Identity
	cancels map[int]order
}

// A letter is one comment that asks for something, with what became of it.
type letter struct {
	comment promotion.Comment
	base    *base // that its thread is about
	key     string
	wishes  []Wish
	faults  []string // lines that are no command
	refused []string // commands that are not done
	answers []string // one for each wish that is answered
	waits   []string // one for each wish that is told to wait
	told    bool     // it was told that
	waiting bool     // something of it is not answered yet
}

// maxAge is how old a comment may be that is still acted on.
const maxAge = 7 * 24 * time.Hour

// read reads the comments of the last days that nobody answered.
func (b *base) inbox(ctx context.Context, open []promotion.PullRequest, baseOf func(thread int) (*base, error)) (*inbox, error) {
	in := &inbox{reseals: map[int][]promotion.Identity{}, cancels: map[int]order{}}
	if b.App == 0 || b.Bot.ID == 0 {
		return in, nil
	}
	all, err := b.Forge.CommentsSince(ctx, b.repo, b.Now().Add(-maxAge))
	if err != nil {
		return nil, err
	}
	answered := map[string]bool{}
	for _, c := range all {
		if c.Author.ID == b.Bot.ID {
			answered[message.ReplyKey(c.Body)] = true
		}
	}
	for _, c := range all {
		key := replyTo(c)
		if c.Author.ID == b.Bot.ID || c.Author.ID == 0 || answered[key] || c.Created.Before(b.Now().Add(-maxAge)) {
			continue
		}
		at, err := baseOf(c.Thread)
		if err != nil {
			return nil, err
		}
		l := letter{comment: c, base: at, key: key, told: answered[key+waits]}
		if err := at.readLetter(ctx, in, &l, open); err != nil {
			return nil, err
		}
		if len(l.wishes)+len(l.faults)+len(l.refused) > 0 {
			in.letters = append(in.letters, l)
		}
	}
	return in, nil
}

// waits ends the key of an answer that is not the last one.
const waits = "-waits"

const editedText = "The comment was edited, so that nobody knows who wrote what it says: write a new one."

// readLetter reads one comment.
func (b *base) readLetter(ctx context.Context, in *inbox, l *letter, open []promotion.PullRequest) error {
	c := l.comment
	commands, problems := command.Parse(c.Body)
	if len(commands) > 0 && c.Edited() {
		concerns := func(o command.Command) bool {
			return o.Verb == command.Promote || o.Verb == command.Rollback || (o.Verb == command.Reseal || o.Verb == command.Cancel) && b.ours(open, c.Thread) != nil
		}
		if slices.ContainsFunc(commands, concerns) {
			l.refused = append(l.refused, editedText)
		}
		commands = nil
	}
	for _, p := range problems {
		l.faults = append(l.faults, p.Text)
	}
	for _, o := range commands {
		switch o.Verb {
		case command.Promote, command.Rollback:
			for _, env := range o.Envs {
				w := Wish{ID: fmt.Sprintf("%s-%d-%s", l.key, o.Line, env), Kind: promotion.Promotion, App: o.App, Env: env, From: o.From, Image: o.Image, Digest: o.To, Reason: o.Reason, By: []promotion.Identity{c.Author}}
				if o.Verb == command.Rollback {
					w.Kind = promotion.Rollback
				}
				l.wishes = append(l.wishes, w)
			}
		case command.Reseal, command.Cancel:
			q := b.ours(open, c.Thread)
			if q == nil {
				continue
			}
			if err := b.readOrder(ctx, in, l, *q, o); err != nil {
				return err
			}
		}
	}
	return nil
}

// ours returns the open pull request of Pinnace with a number, nil where there is none.
func (b *base) ours(open []promotion.PullRequest, number int) *promotion.PullRequest {
	for i, q := range open {
		if _, named := plan.KindOf(q.Head.Ref, b.branch, b.isDefault); named && q.Base.Ref == b.branch && q.Number == number && q.Author.ID == b.Bot.ID {
			return &open[i]
		}
	}
	return nil
}

// readOrder reads /reseal and /cancel on a pull request of Pinnace. What was written before its
// newest head, or before it was reopened, was done.
func (b *base) readOrder(ctx context.Context, in *inbox, l *letter, q promotion.PullRequest, o command.Command) error {
	c := l.comment
	memo, known, err := b.memory.Recall(ctx, q.Head.SHA, reconcile.Before(b.Git))
	if err != nil {
		return err
	}
	p, err := b.person(ctx, c.Author)
	if err != nil {
		return err
	}
	own := slices.ContainsFunc(memo.Request.By, func(i promotion.Identity) bool { return i.ID == c.Author.ID })
	if may := p.Permission.AtLeast(promotion.PermissionWrite) && !p.Bot && !p.ServiceAccount; !may && (o.Verb != command.Cancel || !own) {
		who := "somebody with write"
		if o.Verb == command.Cancel {
			who += ", or who asked for it,"
		}
		is := fmt.Sprintf("has %s here, and /%s needs a person", cmp.Or(p.Permission, "no known permission"), o.Verb)
		if p.Bot || p.ServiceAccount {
			is = fmt.Sprintf("is no person, and /%s needs one", o.Verb)
		}
		l.refused = append(l.refused, fmt.Sprintf("%s %s with write: %s comments it", c.Author.Login, is, who))
		return nil
	}
	if o.Verb == command.Reseal {
		if !known || memo.Request.ID == "" {
			l.refused = append(l.refused, fmt.Sprintf("nothing is on record of the head %s, so that nobody knows what to seal: close this pull request, and ask anew with /promote or /rollback", q.Head.SHA[:10]))
			return nil
		}
		if n := len(memo.Heads); n > 0 && !c.Created.Before(memo.Heads[n-1].At.Truncate(time.Second)) {
			in.reseals[q.Number] = append(in.reseals[q.Number], c.Author)
		}
		return nil
	}
	if b.DryRun {
		return nil
	}
	moments, err := b.Forge.Timeline(ctx, b.repo, q.Number)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(moments, func(m promotion.Moment) bool { return m.Event == "reopened" && m.At.After(c.Created) }) {
		in.cancels[q.Number] = order{Command: o, by: c.Author, at: c.Created}
	}
	return nil
}

// asks turns the wishes of the inbox into requests. What means nothing is answered.
func (b *base) asks(ctx context.Context, in *inbox) ([]reconcile.Ask, error) {
	var out []reconcile.Ask
	for i := range in.letters {
		l := &in.letters[i]
		for _, w := range l.wishes {
			r, refusals, err := l.base.request(ctx, w)
			if err != nil {
				l.waiting = true
				continue
			}
			r.At = l.comment.Created
			if len(refusals) > 0 {
				l.answers = append(l.answers, message.Refused(l.key, r, nil, refusals))
				continue
			}
			out = append(out, reconcile.Ask{Request: r, Base: l.base.branch})
		}
	}
	return out, nil
}

// answer writes what became of the wishes of each comment.
func (b *base) answer(ctx context.Context, in *inbox, out *reconcile.Outcome) error {
	settled := map[string]reconcile.Settled{}
	for _, base := range out.Bases {
		for _, s := range base.Settled {
			if s.Asked != "" {
				settled[s.Asked] = s
			}
		}
	}
	var refused error
	tried := map[int64]int{}
	for i := range in.letters {
		l := &in.letters[i]
		for _, w := range l.wishes {
			s, ok := settled[w.ID]
			switch {
			case !ok:
				// Refused before it was proposed, or joined to another request.
			case s.Action == reconcile.Opened || s.Action == reconcile.Updated || s.Action == reconcile.Unchanged || s.Request.ID == w.ID && s.PullRequest.Number != 0 && (s.Action == reconcile.Clean || s.Action == reconcile.Declined):
				l.answers = append(l.answers, l.done(w, s))
			case s.Action == reconcile.Refused:
				l.answers = append(l.answers, message.Refused(l.key, s.Request, denials(s.Decision), leftReasons(s)))
			case s.Action == reconcile.Waiting:
				l.waiting = true
				until := l.comment.Created.Add(maxAge).UTC().Format("2006-01-02 15:04 UTC")
				l.waits = append(l.waits, message.Waits(l.key+waits, s.Request, s.PullRequest.Number, []string{s.Reason, "It is taken up by itself until " + until + "; after that, ask again."}))
			case s.Action == reconcile.Failed:
				l.waiting = true
			default:
				l.answers = append(l.answers, message.Refused(l.key, s.Request, nil, []string{cmp.Or(s.Reason, string(s.Action))}))
			}
		}
		text := l.reply()
		if l.waiting {
			if text = strings.Join(l.waits, "\n\n"); l.told {
				continue
			}
		}
		if text == "" || b.DryRun || l.base.DryRun {
			continue
		}
		if who := l.comment.Author.ID; len(tried) >= maxAnswers || tried[who] >= maxAnswersOf {
			continue // the others are answered by the next run
		} else {
			tried[who]++
		}
		_, err := b.Forge.Comment(ctx, b.repo, l.comment.Thread, text)
		if err != nil && passing(err) {
			return err
		}
		if err != nil { // this thread takes none: that stops no other
			refused = fmt.Errorf("#%d: %w", l.comment.Thread, err)
		}
	}
	return refused
}

// How many people are answered in one run, and how often each.
const (
	maxAnswers   = 20
	maxAnswersOf = 5
)

// done answers a wish that an open pull request is for now.
func (l letter) done(w Wish, s reconcile.Settled) string {
	number := s.PullRequest.Number
	switch {
	case s.Request.ID != w.ID:
		return message.Joined(l.key, number)
	case s.Action != reconcile.Opened && (s.Replaced != nil || s.PullRequest.Created.Before(l.comment.Created)):
		return message.Updated(l.key, s.Request, number, s.Replaced)
	}
	return message.Opened(l.key, s.Request, number)
}

// reply joins the answers to a comment. What is wrong with the comment itself comes first.
func (l letter) reply() string {
	var parts []string
	if len(l.faults) > 0 {
		parts = append(parts, message.Problem(l.key, l.faults))
	}
	if len(l.refused) > 0 {
		parts = append(parts, message.NotDone(l.key, l.refused))
	}
	parts = append(parts, l.answers...)
	for i := range len(parts) - 1 {
		_, _, parts[i] = message.Outcome(parts[i]) // the key stands once, at the end
	}
	return strings.Join(parts, "\n\n")
}

// denials leaves of a decision what refuses: what would merely be waited for is no reason.
func denials(d *promotion.Decision) *promotion.Decision {
	if d == nil || d.Status != promotion.Denied {
		return d
	}
	out := *d
	out.Results = denied(d.Results)
	return &out
}

func denied(all []promotion.Result) []promotion.Result {
	var out []promotion.Result
	for _, r := range all {
		if r.Status == promotion.Denied {
			r.Children = denied(r.Children)
			out = append(out, r)
		}
	}
	return out
}

func leftReasons(s reconcile.Settled) []string {
	if s.Decision != nil {
		return nil
	}
	out := reasons(s.Left)
	if len(out) == 0 && s.Reason != "" {
		out = append(out, s.Reason)
	}
	return out
}

// withdraw closes the pull requests that somebody cancelled.
func (b *base) withdraw(ctx context.Context, in *inbox, open []promotion.PullRequest) error {
	for _, q := range open {
		if _, cancelled := in.cancels[q.Number]; !cancelled || b.DryRun {
			continue
		}
		closed := promotion.Closed
		if _, err := b.Forge.AmendPullRequest(ctx, b.repo, q.Number, promotion.Amendment{State: &closed}); err != nil {
			return err
		}
	}
	return nil
}
