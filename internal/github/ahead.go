package github

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

const (
	aheadAtOnce = 8               // of the gate's ten places
	aheadLife   = 5 * time.Second // from when it is asked for
	maxAhead    = 4 << 20         // bytes of one answer
	maxHeld     = 32 << 20        // bytes of the answers that nobody has read yet
	maxReadKey  = 2 << 10
)

// ahead is what a visit asks for before anybody reads it.
type ahead struct {
	client *Client // without the visit
	cancel context.CancelFunc
	tasks  sync.WaitGroup
	gone   chan struct{} // closed by drop

	mu      sync.Mutex // owns what follows, and the fields of every early
	dropped bool
	waiting []*early            // not asked for yet, in order
	byKey   map[string][]*early // not read yet
	held    int                 // bytes
}

// An early is one answer that was asked for ahead.
type early struct {
	call  call
	key   string
	done  chan struct{} // closed when answer and good are right
	asked time.Time     // zero: not yet
	taken bool          // somebody reads it: nobody else will

	answer answer
	good   bool
}

// readKey names a read: its address, after the media type where that is not the usual one.
func readKey(accept, target string) string {
	if accept == "" {
		return target
	}
	return accept + " " + target
}

// parseRead reads what readKey wrote. What is not an address of this API is refused: the token
// goes nowhere else, wherever the key came from.
func (c *Client) parseRead(key string) (call, bool) {
	accept, target, ok := strings.Cut(key, " ")
	if !ok {
		accept, target = "", key
	}
	u, err := url.Parse(target)
	if err != nil || len(key) > maxReadKey || !c.own(u) || u.Fragment != "" || strings.ContainsAny(accept, "\r\n") {
		return call{}, false
	}
	return call{op: "read ahead", method: http.MethodGet, target: target, accept: accept, limit: maxAhead, ahead: true}, true
}

// startAhead begins to ask. The receiver has no visit.
func (c *Client) startAhead(ctx context.Context, keys []string) *ahead {
	ctx, cancel := context.WithCancel(ctx)
	h := &ahead{client: c, cancel: cancel, gone: make(chan struct{}), byKey: map[string][]*early{}}
	for _, key := range keys[:min(len(keys), maxReads)] {
		q, ok := c.parseRead(key)
		if !ok {
			continue
		}
		e := &early{call: q, key: key, done: make(chan struct{})}
		h.waiting = append(h.waiting, e)
		h.byKey[key] = append(h.byKey[key], e)
	}
	for range min(aheadAtOnce, len(h.waiting)) {
		h.tasks.Go(func() {
			for e := h.next(ctx); e != nil; e = h.next(ctx) {
				h.ask(ctx, e)
			}
		})
	}
	return h
}

// next returns what is to be asked for now, nil where there is nothing more.
func (h *ahead) next(ctx context.Context) *early {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.waiting) > 0 && !h.dropped && h.held < maxHeld && ctx.Err() == nil {
		e := h.waiting[0]
		h.waiting = h.waiting[1:]
		if !e.taken {
			e.asked = h.client.now()
			return e
		}
	}
	return nil
}

func (h *ahead) ask(ctx context.Context, e *early) {
	a, err := h.client.do(ctx, e.call)
	h.mu.Lock()
	defer h.mu.Unlock()
	if e.good = err == nil && !h.dropped; e.good {
		e.answer = a
		h.held += len(a.body)
	}
	close(e.done)
}

// take returns the answer to a read that was asked for ahead, once. It waits for one that is
// under way, until the visit no longer wants it.
func (h *ahead) take(ctx context.Context, key string, limit int64) (answer, bool) {
	h.mu.Lock()
	list := h.byKey[key]
	if h.dropped || len(list) == 0 {
		h.mu.Unlock()
		return answer{}, false
	}
	e := list[0]
	h.byKey[key] = list[1:]
	e.taken = true
	begun := !e.asked.IsZero()
	h.mu.Unlock()
	if !begun {
		return answer{}, false
	}
	select {
	case <-e.done:
	case <-h.gone:
	case <-ctx.Done():
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	select {
	case <-e.done:
	default: // it comes too late
		return answer{}, false
	}
	a, good := e.answer, e.good && !h.dropped && ctx.Err() == nil
	if e.good {
		h.held -= len(a.body)
		e.answer = answer{}
	}
	age := h.client.now().Sub(e.asked)
	return a, good && age >= 0 && age < aheadLife && (limit == 0 || int64(len(a.body)) <= limit)
}

// drop forgets all answers and asks for no more. What is under way ends by itself.
func (h *ahead) drop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.dropped {
		return
	}
	h.dropped, h.waiting, h.byKey = true, nil, nil
	close(h.gone)
}

// end stops what is under way, and waits until it has ended.
func (h *ahead) end() {
	h.cancel()
	h.tasks.Wait()
}
