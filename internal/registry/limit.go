package registry

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

const (
	maxBody        = 4 << 20
	maxErrorBody   = 64 << 10
	attemptTimeout = time.Minute
)

// The pacer sends requests at the pace that each host bears. It reads each answer
// whole before it counts the request as done, and returns errors of this package.
type pacer struct {
	next    http.RoundTripper
	limit   int64
	now     func() time.Time
	wait    func(context.Context, time.Duration) error
	sending func(method, host string)
	observe func(ctx context.Context, host string, status int, took time.Duration)

	mu    sync.Mutex
	paces map[string]*pace // by host and port
}

// A pace is what we know of one host.
type pace struct {
	flight *semaphore.Weighted
	users  int // requests under way; pacer.mu

	mu     sync.Mutex
	resume time.Time // until then requests wait
	closed time.Time // until then requests fail
}

func (p *pacer) pace(host string) *pace {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.paces == nil {
		p.paces = map[string]*pace{}
	}
	h := p.paces[host]
	if h == nil {
		if len(p.paces) >= maxPaces {
			p.tidy()
		}
		h = &pace{flight: semaphore.NewWeighted(p.limit)}
		p.paces[host] = h
	}
	h.users++
	return h
}

// maxPaces is how many hosts are known before those that say nothing any more are forgotten:
// who configures repositories names as many as they like.
const maxPaces = 256

// tidy forgets hosts that nobody asks now, and that do not limit us. p.mu is held.
func (p *pacer) tidy() {
	now := p.now()
	for host, h := range p.paces {
		h.mu.Lock()
		idle := h.users == 0 && !h.resume.After(now) && !h.closed.After(now)
		h.mu.Unlock()
		if idle {
			delete(p.paces, host)
		}
	}
}

// left gives a pace back.
func (p *pacer) left(h *pace) {
	p.mu.Lock()
	defer p.mu.Unlock()
	h.users--
}

func (p *pacer) RoundTrip(req *http.Request) (*http.Response, error) {
	host := originOf(req.URL).String()
	h := p.pace(host)
	defer p.left(h)
	budget := waitBudget
	for attempt := 0; ; attempt++ {
		resp, err := p.attempt(req, h, host, &budget)
		if ctxErr := req.Context().Err(); ctxErr != nil {
			return nil, ctxErr
		}
		delay, again := p.judge(req, resp, err, attempt)
		if limited := p.limited(h, host, resp, delay, again && delay <= budget); limited != nil {
			return nil, limited
		}
		if !again || delay > budget {
			return resp, explain(host, err)
		}
		budget -= delay
		if err := p.wait(req.Context(), delay); err != nil {
			return nil, err
		}
	}
}

// judge says whether to try again, and after how long.
func (p *pacer) judge(req *http.Request, resp *http.Response, err error, attempt int) (time.Duration, bool) {
	again := attempt < maxRetries
	if err != nil {
		idempotent := req.Method == http.MethodGet || req.Method == http.MethodHead
		var limited *RateLimitError
		return backoff(attempt), again && idempotent && !errors.As(err, &limited) && passing(err)
	}
	busy := resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable
	if !busy {
		return backoff(attempt), again && failing(resp.StatusCode)
	}
	if d, said := asked(resp, p.now()); said && d > 0 {
		return d, again
	}
	return backoff(attempt), again
}

// limited notes what an answer says about the host's limits. It returns an error
// where the answer itself is a limit that we will not wait for.
func (p *pacer) limited(h *pace, host string, resp *http.Response, delay time.Duration, waiting bool) error {
	if resp == nil {
		return nil
	}
	now := p.now()
	said, ok := asked(resp, now)
	busy := resp.StatusCode == http.StatusTooManyRequests || ok && resp.StatusCode == http.StatusServiceUnavailable
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case busy && waiting:
		if until := now.Add(delay); ok && until.After(h.resume) {
			h.resume = until
		}
	case busy:
		if !ok {
			said = limitPause
		}
		if until := now.Add(said); until.After(h.closed) {
			h.closed = until
		}
		return &RateLimitError{Registry: shown(host), RetryAfter: said, Until: h.closed}
	default:
		if hold, empty := exhausted(resp.Header, now); empty {
			if until := now.Add(hold); until.After(h.closed) {
				h.closed = until
			}
		}
	}
	return nil
}

// attempt sends the request once and reads its answer.
func (p *pacer) attempt(req *http.Request, h *pace, host string, budget *time.Duration) (*http.Response, error) {
	ctx := req.Context()
	if err := h.flight.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer h.flight.Release(1)
	if err := p.queue(ctx, h, host, budget); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	out := req.Clone(ctx)
	if req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return nil, err // unreachable: the body is a string of go-containerregistry's
		}
		out.Body = body
	}
	p.sending(req.Method, req.URL.Host)
	began := p.now()
	resp, err := p.next.RoundTrip(out)
	if err != nil {
		p.observed(ctx, host, 0, began)
		return nil, err
	}
	defer resp.Body.Close()
	body, err := read(resp)
	if err != nil {
		p.observed(ctx, host, 0, began)
		return nil, err
	}
	p.observed(ctx, host, resp.StatusCode, began)
	resp.Request = req
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

func (p *pacer) observed(ctx context.Context, host string, status int, began time.Time) {
	if p.observe != nil {
		p.observe(ctx, shown(host), status, p.now().Sub(began))
	}
}

// queue waits while the host wants a short rest, and fails while it wants a long one.
func (p *pacer) queue(ctx context.Context, h *pace, host string, budget *time.Duration) error {
	now := p.now()
	h.mu.Lock()
	closed, resume := h.closed, h.resume
	h.mu.Unlock()
	if closed.After(now) {
		return &RateLimitError{Registry: shown(host), RetryAfter: closed.Sub(now), Until: closed}
	}
	rest := resume.Sub(now)
	if rest <= 0 {
		return nil
	}
	if rest > *budget {
		return &RateLimitError{Registry: shown(host), RetryAfter: rest, Until: resume}
	}
	*budget -= rest
	return p.wait(ctx, rest)
}

// read returns the body: all of a good one, the beginning of another.
func read(resp *http.Response) ([]byte, error) {
	if resp.StatusCode != http.StatusOK {
		b, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
		if len(b) > 0 {
			return b, nil // its status is what counts
		}
		return b, err
	}
	if resp.Request != nil && resp.Request.Method == http.MethodHead {
		return nil, nil
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err == nil && len(b) > maxBody {
		return nil, refuse("refused an answer of more than 4 MiB")
	}
	return b, err
}

// explain turns an error of the transport into one of ours that names the host.
func explain(host string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, context.DeadlineExceeded) { // of the attempt or the dialler, not of the caller
		return &fault{text: host + ": no answer in time", kind: ErrTransient}
	}
	if own := ours(err); own != nil {
		return own
	}
	f := &fault{text: host + ": " + clean(err.Error()), cause: err}
	if passing(err) {
		f.kind = ErrTransient
	}
	return f
}

// shown spells a host as people write it.
func shown(host string) string { return canonical(host) }
