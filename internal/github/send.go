package github

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

const (
	apiVersion    = "2022-11-28" // https://docs.github.com/en/rest/about-the-rest-api/api-versions
	mediaType     = "application/vnd.github+json"
	maxAnswer     = 16 << 20
	maxRefusal    = 64 << 10
	maxRemembered = 1 << 20
	maxHops       = 5
	maxRetries    = 3
	maxLimits     = 5
)

// A call is one request to GitHub, before it is sent.
type call struct {
	op         string // for people: "read pull request 7 of acme/config"
	method     string
	path       path
	target     string // a whole address of GitHub's own, instead of path and query
	query      url.Values
	body       any // nil sends none
	accept     string
	need       string // the permission of an App that it takes, such as "contents=read"
	graphql    bool
	repeatable bool // a write that does no harm twice
	unseen     bool // a write that nobody sees; it is not spaced
	token      Secret
	limit      int64 // of the answer in bytes; 0 = 16 MiB
	pages      int   // that a list may have; 0 = 100
	ahead      bool  // nobody asked for it yet: it waits for no limit
}

func (q call) writes() bool { return q.method != http.MethodGet }

// effective says whether a call changes something that others see.
func (q call) effective() bool { return q.writes() && !q.unseen }

// read asks with GET and decodes the answer.
func (c *Client) read(ctx context.Context, q call, into any) (answer, error) {
	q.method = http.MethodGet
	a, err := c.do(ctx, q)
	if err != nil {
		return a, err
	}
	return a, decode(q.op, a, into)
}

// write sends a change and decodes the answer, unless into is nil.
func (c *Client) write(ctx context.Context, q call, into any) error {
	a, err := c.do(ctx, q)
	if err != nil || into == nil {
		return err
	}
	return decode(q.op, a, into)
}

func decode(op string, a answer, into any) error {
	if err := json.Unmarshal(a.body, into); err != nil {
		return malformed(op)
	}
	return nil
}

// malformed is an answer that came, and does not say what it should.
func malformed(op string) error {
	return &Error{
		Op: op, Class: promotion.ErrTransient, Message: "GitHub's answer does not have the form it is documented to have",
		Remedy: "read it again; if it stays so, a proxy changes it or the server is too old",
	}
}

// do sends a call until there is an answer to believe, or an *Error.
func (c *Client) do(ctx context.Context, q call) (answer, error) {
	target, body, err := c.compose(q)
	if err != nil {
		return answer{}, err
	}
	if v := c.visit; v != nil {
		if q.writes() {
			v.forget(false)
		} else if a, ok := v.read(ctx, q, target); ok {
			return a, nil
		}
	}
	p := c.gate.pass(q)
	pause := backoff.NewExponentialBackOff()
	pause.MaxInterval = 10 * time.Second
	failures, limits, renewed := 0, 0, false
	for {
		token, err := c.tokenOf(ctx, q)
		if err != nil {
			return answer{}, err
		}
		a, e := c.attempt(ctx, p, q, target, body, token)
		switch {
		case e == nil:
			if c.visit != nil && !q.writes() {
				c.visit.note(readKey(q.accept, target))
			}
			return a, nil
		case e.cause != nil:
			return a, e
		case e.Class == promotion.ErrRateLimited:
			if limits++; limits >= maxLimits || e.After > p.left {
				return a, e
			}
		case e.Class == promotion.ErrUnauthenticated && !renewed && q.token == "":
			source, ok := c.tokens.(refusable)
			if renewed = true; !ok || !source.refused(token, a) {
				return a, e
			}
		case e.Class == promotion.ErrTransient && (!q.writes() || q.repeatable) && passing(e.Status):
			wait := max(pause.NextBackOff(), e.After)
			if failures++; failures > maxRetries || wait > p.left {
				return a, e
			}
			if err := p.wait(ctx, wait); err != nil {
				return a, err
			}
		default:
			return a, e
		}
	}
}

// passing says whether a failure is likely to be over soon; 0 is one without an answer.
func passing(status int) bool {
	switch status {
	case 0, http.StatusRequestTimeout, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// compose makes the address and the body of a call.
func (c *Client) compose(q call) (string, []byte, error) {
	if q.path.err != nil {
		return "", nil, invalid(q.op, "%v", q.path.err)
	}
	target := q.target
	if target == "" {
		target = c.root + q.path.text
		if len(q.query) > 0 {
			target += "?" + q.query.Encode()
		}
	}
	if q.body == nil {
		return target, nil, nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(q.body); err != nil {
		return "", nil, invalid(q.op, "%v", err) // unreachable: our bodies are strings, numbers and lists of them
	}
	return target, b.Bytes(), nil
}

func (c *Client) tokenOf(ctx context.Context, q call) (Secret, error) {
	token := q.token
	if token == "" {
		var err error
		if token, err = c.tokens.Token(ctx); err != nil {
			var own *Error
			switch {
			case errors.As(err, &own):
				e := *own
				e.Op = q.op + ": " + own.Op
				if absent(own) { // what is not there is the installation, not what the call asks for
					e.Class = promotion.ErrUnauthenticated
				}
				return "", &e
			case ctx.Err() != nil:
				return "", interrupted(q.op, ctx.Err())
			}
			return "", &Error{Op: q.op, Class: promotion.ErrUnauthenticated, Message: clean("take the token: "+err.Error(), "")}
		}
	}
	if !token.usable() {
		return "", &Error{
			Op: q.op, Class: promotion.ErrUnauthenticated, Message: "the token has characters that no token has",
			Remedy: "check that no line end or space was stored with it",
		}
	}
	return token, nil
}

// attempt sends a call once, in its turn, and judges the answer.
func (c *Client) attempt(ctx context.Context, p *pass, q call, target string, body []byte, token Secret) (answer, *Error) {
	var known Cached
	key, keep := q.accept+" "+target, c.cache != nil && q.method == http.MethodGet && q.token == ""
	if keep && !c.visit.isWhole() {
		known, _ = c.cache.Recall(c.tenant, key)
	}
	if err := p.enter(ctx); err != nil {
		var e *Error
		_ = errors.As(err, &e) // the gate returns no other
		return answer{}, e
	}
	if err := c.visit.fenced(q); err != nil {
		p.vacate()
		return answer{}, err
	}
	a, err := c.send(ctx, q, target, body, token, known.ETag)
	p.leave()
	if err != nil {
		e := c.broken(ctx, q, err, token)
		c.visit.wrote(q, e)
		return answer{}, e
	}
	now := c.now()
	status := a.status
	if status == http.StatusNotModified {
		if known.ETag == "" {
			return a, &Error{Op: q.op, Class: promotion.ErrTransient, Status: status, Message: "GitHub says that nothing changed since an answer that was never read"}
		}
		a.status, a.body = http.StatusOK, known.Body
		a.header.Set("Link", known.Link)
		a.header.Set("Content-Type", "application/json")
	}
	e := classify(a, question{op: q.op, need: q.need, token: token.Reveal(), graphql: q.graphql, now: now})
	c.gate.note(p, a, e)
	c.visit.wrote(q, e)
	c.log.DebugContext(ctx, "github", "op", q.op, "method", q.method, "status", status,
		"remaining", a.header.Get("X-RateLimit-Remaining"), "request", clean(a.header.Get("X-GitHub-Request-Id"), token.Reveal()))
	if e != nil {
		return a, e
	}
	if tag := a.header.Get("ETag"); keep && status == http.StatusOK && tag != "" && len(tag) < 256 && len(a.body) <= maxRemembered {
		c.cache.Keep(c.tenant, key, Cached{ETag: tag, Link: a.header.Get("Link"), Body: a.body})
	}
	return a, nil
}

// broken makes an *Error of what kept an answer from coming.
func (c *Client) broken(ctx context.Context, q call, err error, token Secret) *Error {
	var own *Error
	if errors.As(err, &own) {
		own.Op = q.op
		return own
	}
	if ctx.Err() != nil {
		_ = errors.As(interrupted(q.op, ctx.Err()), &own)
		return own
	}
	e := &Error{
		Op: q.op, Class: promotion.ErrTransient, Message: clean(err.Error(), token.Reveal()),
		Remedy: "check the network, the proxy and the URL of the API (" + c.base.Host + ")",
	}
	if errors.Is(err, context.DeadlineExceeded) {
		e.Message = "no answer in time"
	}
	if q.writes() {
		e.Remedy = "it may or may not have happened: read again before doing it again"
	}
	return e
}

// send sends a request, follows redirects on the same host, and reads the answer whole.
func (c *Client) send(ctx context.Context, q call, target string, body []byte, token Secret, etag string) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	for hop := 0; ; hop++ {
		a, err := c.hop(ctx, q, target, body, token, etag)
		a.moved = hop > 0
		if err != nil || a.status < 300 || a.status >= 400 || a.status == http.StatusNotModified {
			return a, err
		}
		next, err := c.follow(q, target, a)
		if err != nil {
			return a, err
		}
		if hop >= maxHops {
			return a, &Error{Class: promotion.ErrInvalid, Status: a.status, Message: "GitHub redirects in a circle"}
		}
		target = next
	}
}

// follow returns where an answer points, if a request may go there: a renamed repository
// stays on its host
// (https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects).
func (c *Client) follow(q call, from string, a answer) (string, error) {
	refused := func(why string) error {
		return &Error{Class: promotion.ErrInvalid, Status: a.status, Message: "the redirect " + why, Remedy: "check the URL of the API"}
	}
	switch a.status {
	case http.StatusMovedPermanently, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	case http.StatusFound:
		if q.writes() {
			return "", refused("would turn a change into a question")
		}
	default:
		return "", refused("is of a kind that GitHub does not use")
	}
	base, err := url.Parse(from)
	if err != nil {
		return "", refused("comes from no address") // unreachable: from was sent
	}
	to, err := base.Parse(a.header.Get("Location"))
	if err != nil || a.header.Get("Location") == "" {
		return "", refused("names no address")
	}
	if !c.own(to) {
		return "", refused("leads to " + clean(to.Host, "") + ", which is not the API that the token is for")
	}
	return to.String(), nil
}

// own says whether an address is of this API, so that the token may go there.
func (c *Client) own(u *url.URL) bool {
	return u.Scheme == c.base.Scheme && strings.EqualFold(u.Host, c.base.Host) && u.User == nil &&
		(u.Path == c.base.Path || strings.HasPrefix(u.Path, strings.TrimSuffix(c.base.Path, "/")+"/")) && !strings.Contains(u.Path, "..")
}

// hop sends one request.
func (c *Client) hop(ctx context.Context, q call, target string, body []byte, token Secret, etag string) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, q.method, target, bytes.NewReader(body))
	if err != nil {
		return answer{}, &Error{Class: promotion.ErrInvalid, Message: "its address is not one that can be asked"}
	}
	if len(body) == 0 {
		req.Body, req.ContentLength = http.NoBody, 0
	} else {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Accept", cmp.Or(q.accept, mediaType))
	req.Header.Set("User-Agent", c.agent)
	req.Header.Set("X-GitHub-Api-Version", apiVersion)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token.Reveal())
	}
	if etag != "" {
		req.Header.Set("If-None-Match", etag)
	}
	sent := c.now()
	resp, err := c.next.RoundTrip(req)
	if err != nil {
		c.observe(q, target, sent, nil)
		return answer{}, err
	}
	defer func() {
		resp.Body.Close()
		c.observe(q, target, sent, resp)
	}()
	limit := cmp.Or(q.limit, maxAnswer)
	good := resp.StatusCode < 300
	if !good {
		limit = maxRefusal
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	switch {
	case err != nil && good:
		return answer{}, err
	case int64(len(b)) > limit && good:
		return answer{}, &Error{Class: promotion.ErrInvalid, Message: fmt.Sprintf("the answer is larger than %d bytes", limit), Remedy: "Pinnace does not read more than that"}
	}
	return answer{status: resp.StatusCode, header: resp.Header, body: b}, nil
}
