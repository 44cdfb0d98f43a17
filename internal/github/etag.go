package github

import (
	"container/list"
	"sync"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A Cached is a remembered answer.
type Cached = promotion.Cached

// ETags remember answers, so that GitHub can say that one still holds; such an answer does
// not count against the limit
// (https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#use-conditional-requests-if-appropriate).
// Each is GitHub's again before it is used, so that a store may forget any of them at any
// time, but it must never give one tenant's to another.
type ETags interface {
	// Recall returns what Keep was given last for this tenant and request.
	Recall(tenant, request string) (Cached, bool)
	// Keep remembers an answer.
	Keep(tenant, request string, c Cached)
}

// NewMemoryETags returns a store that keeps the answers used last, of at most bound bytes
// together.
func NewMemoryETags(bound int) ETags {
	return &memoryETags{bound: bound, byKey: map[etagKey]*list.Element{}, order: list.New()}
}

type etagKey struct{ tenant, request string }

type memoryETags struct {
	bound int

	mu    sync.Mutex
	size  int
	byKey map[etagKey]*list.Element
	order *list.List // of etagEntry, the one used last in front
}

type etagEntry struct {
	key    etagKey
	cached Cached
}

func (e etagEntry) size() int {
	const overhead = 200
	return len(e.key.tenant) + len(e.key.request) + len(e.cached.ETag) + len(e.cached.Link) + len(e.cached.Body) + overhead
}

func (m *memoryETags) Recall(tenant, request string) (Cached, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	el, ok := m.byKey[etagKey{tenant, request}]
	if !ok {
		return Cached{}, false
	}
	m.order.MoveToFront(el)
	return el.Value.(etagEntry).cached, true
}

func (m *memoryETags) Keep(tenant, request string, c Cached) {
	e := etagEntry{etagKey{tenant, request}, c}
	m.mu.Lock()
	defer m.mu.Unlock()
	if old, ok := m.byKey[e.key]; ok {
		m.drop(old)
	}
	if e.size() > m.bound {
		return
	}
	m.byKey[e.key] = m.order.PushFront(e)
	m.size += e.size()
	for m.size > m.bound {
		m.drop(m.order.Back())
	}
}

func (m *memoryETags) drop(el *list.Element) {
	e := m.order.Remove(el).(etagEntry)
	delete(m.byKey, e.key)
	m.size -= e.size()
}
