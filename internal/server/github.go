package server

import (
	"context"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/github"
)

// deliver takes a webhook of GitHub's.
// https://docs.github.com/en/webhooks/using-webhooks/best-practices-for-using-webhooks
func (s *Server) deliver(w http.ResponseWriter, r *http.Request) {
	n := note{door: "github", began: s.now()}
	a := brokeDown
	defer func() { s.tell(r.Context(), n, a) }()
	a = s.delivery(w, r, &n)
	a.write(w)
}

func (s *Server) delivery(w http.ResponseWriter, r *http.Request, n *note) answer {
	if len(s.o.Secrets) == 0 {
		return notSetUp
	}
	// What can be refused by its header is, before any of its body is read.
	name, named := one(r.Header, "X-GitHub-Event")
	guid, numbered := one(r.Header, "X-GitHub-Delivery")
	if named = named && spelled(name, 64, "_"); named {
		n.event = name
	}
	if numbered = numbered && spelled(guid, 64, "-"); numbered {
		n.delivery = guid
	}
	sum, signed := signature(r.Header)
	switch {
	case !signed:
		return unsigned
	case !named || !numbered:
		return unmarked
	case !plain(r.Header, "application/json"):
		return notJSON
	}
	body, release, err := s.read(w, r, s.limits.body)
	defer release()
	if err != nil {
		return ofBody(err)
	}
	n.size = len(body)
	if github.ValidateSignature(s.o.Secrets, sum, body) != nil {
		return unsigned
	}
	n.trusted = true
	hold(r.Context())
	d := event.Delivery{GUID: guid, Event: name, Received: n.began}
	d.Action, d.Looks, n.err = event.Parse(name, body)
	release() // while the inbox takes its time, others may come
	if n.err != nil {
		return unreadable
	}
	n.action, n.looks = d.Action, d.Looks
	// A client that leaves does not undo what is under way.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), s.limits.accept)
	defer cancel()
	d.Looks = s.pushed(ctx, n)
	fresh, err := s.o.Inbox.Accept(ctx, d)
	switch {
	case err != nil:
		n.err = err
		return notKept
	case !fresh:
		return duplicate
	case len(n.looks) == 0:
		return ignored
	}
	return accepted
}

// pushed passes on the images among the looks and returns the others. That a hint is lost
// harms nothing: whoever watches asks by itself, a little later.
func (s *Server) pushed(ctx context.Context, n *note) []event.Look {
	if s.o.Pushed == nil {
		return n.looks
	}
	var rest []event.Look
	for _, l := range n.looks {
		if l.Image == "" {
			rest = append(rest, l)
		} else if err := s.hint(ctx, l.Image); err != nil {
			n.err = err
		}
	}
	return rest
}

// plain reports whether a body is of one of the types, and as it is.
func plain(h http.Header, types ...string) bool {
	text, ok := one(h, "Content-Type")
	got, parameters, err := mime.ParseMediaType(text)
	if !ok || err != nil || !slices.Contains(types, got) || h.Get("Content-Encoding") != "" {
		return false
	}
	charset, set := parameters["charset"]
	return !set || strings.EqualFold(charset, "utf-8")
}
