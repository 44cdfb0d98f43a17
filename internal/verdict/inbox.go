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
	key     string
	wishes  []Wish
	faults  []string // of the comment itself
	answers []string // one for each wish that is answered
	waiting bool     // something of it is not answered yet
}

// maxAge is how old a comment may be that is still acted on.
const maxAge = 7 * 24 * time.Hour

// read reads the comments of the last days that nobody answered.
func (b *base) inbox(ctx context.Context, open []promotion.PullRequest) (*inbox, error) {
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
		if err := b.open1(ctx, in, c, key, open); err != nil {
			return nil, err
		}
	}
	return in, nil
}

// open1 reads one comment.
func (b *base) open1(ctx context.Context, in *inbox, c promotion.Comment, key string, open []promotion.PullRequest) error {
	commands, problems := command.Parse(c.Body)
	if len(commands)+len(problems) == 0 {
		return nil
	}
	l := letter{comment: c, key: key}
	for _, p := range problems {
		l.faults = append(l.faults, p.Text)
	}
	for _, o := range commands {
		switch o.Verb {
		case command.Promote, command.Rollback:
			if c.Edited() {
				l.faults = append(l.faults, "The comment was edited, so that nobody knows who asked: write a new one.")
				continue
			}
			for _, env := range o.Envs {
				w := Wish{ID: fmt.Sprintf("%s-%d-%s", key, o.Line, env), Kind: promotion.Promotion, App: o.App, Env: env, From: o.From, Image: o.Image, Digest: o.To, Reason: o.Reason, By: []promotion.Identity{c.Author}}
				if o.Verb == command.Rollback {
					w.Kind = promotion.Rollback
				}
				l.wishes = append(l.wishes, w)
			}
		case command.Reseal, command.Cancel:
			i := slices.IndexFunc(open, func(q promotion.PullRequest) bool { return q.Number == c.Thread })
			if i < 0 || c.Edited() {
				continue
			}
			p, err := b.person(ctx, c.Author)
			if err != nil {
				return err
			}
			if !p.Permission.AtLeast(promotion.PermissionWrite) || p.Bot || p.ServiceAccount {
				l.faults = append(l.faults, fmt.Sprintf("/%s is for people with write.", o.Verb))
				continue
			}
			if o.Verb == command.Cancel {
				in.cancels[c.Thread] = order{Command: o, by: c.Author, at: c.Created}
				continue
			}
			fresh, err := b.newerThanHead(ctx, open[i], c.Created)
			if err != nil {
				return err
			}
			if fresh {
				in.reseals[c.Thread] = append(in.reseals[c.Thread], c.Author)
			}
		}
	}
	if len(l.wishes)+len(l.faults) > 0 {
		in.letters = append(in.letters, l)
	}
	return nil
}

// newerThanHead says whether a comment was written after the newest head of a pull request was
// seen.
func (b *base) newerThanHead(ctx context.Context, q promotion.PullRequest, at time.Time) (bool, error) {
	memo, ok, err := b.memory.Recall(ctx, q.Head.SHA, reconcile.Before(b.Git))
	if err != nil || !ok {
		return false, err
	}
	n := len(memo.Heads)
	return n > 0 && !at.Before(memo.Heads[n-1].At.Truncate(time.Second)), nil
}

// asks turns the wishes of the inbox into requests. What means nothing is answered.
func (b *base) asks(ctx context.Context, in *inbox) ([]reconcile.Ask, error) {
	var out []reconcile.Ask
	for i := range in.letters {
		l := &in.letters[i]
		for _, w := range l.wishes {
			r, refusals, err := b.request(ctx, w)
			if err != nil {
				l.waiting = true
				continue
			}
			r.At = l.comment.Created
			if len(refusals) > 0 {
				l.answers = append(l.answers, message.Refused(l.key, r, nil, refusals))
				continue
			}
			out = append(out, reconcile.Ask{Request: r, Base: b.branch})
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
	for i := range in.letters {
		l := &in.letters[i]
		for _, w := range l.wishes {
			s, ok := settled[w.ID]
			switch {
			case !ok:
				// Refused before it was proposed, or joined to another request.
			case s.Action == reconcile.Opened || s.Action == reconcile.Updated || s.Action == reconcile.Unchanged:
				l.answers = append(l.answers, message.Opened(l.key, s.Request, s.PullRequest.Number))
			case s.Action == reconcile.Refused:
				l.answers = append(l.answers, message.Refused(l.key, s.Request, s.Decision, leftReasons(s)))
			case s.Action == reconcile.Failed || s.Action == reconcile.Waiting:
				l.waiting = true
			default:
				l.answers = append(l.answers, message.Refused(l.key, s.Request, nil, []string{cmp.Or(s.Reason, string(s.Action))}))
			}
		}
		if l.waiting || len(l.answers)+len(l.faults) == 0 || b.DryRun {
			continue
		}
		if _, err := b.Forge.Comment(ctx, b.repo, l.comment.Thread, l.reply()); err != nil {
			return err
		}
	}
	return nil
}

// reply joins the answers to a comment. What is wrong with the comment itself comes first.
func (l letter) reply() string {
	var parts []string
	if len(l.faults) > 0 {
		parts = append(parts, message.Problem(l.key, l.faults))
	}
	return strings.Join(append(parts, l.answers...), "\n\n")
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
		_, cancelled := in.cancels[q.Number]
		if _, ours := plan.KindOf(q.Head.Ref, b.branch, b.isDefault); !cancelled || !ours || b.DryRun {
			continue
		}
		closed := promotion.Closed
		if _, err := b.Forge.AmendPullRequest(ctx, b.repo, q.Number, promotion.Amendment{State: &closed}); err != nil {
			return err
		}
	}
	return nil
}
