package git

import (
	"container/list"
	"errors"
	"io"
	"sync"
)

const (
	pageSize = 32 << 10
	maxPages = 128
)

// pages keep the parts of packs that were read last, 4 MiB of them: most entries are far
// smaller than a page, and lie beside those that are read next.
type pages struct {
	mu    sync.Mutex
	items map[place]*list.Element
	order *list.List
}

type page struct {
	place
	data []byte
}

func newPages() *pages { return &pages{items: map[place]*list.Element{}, order: list.New()} }

// page returns the n-th page of a pack, which nobody changes.
func (g *pages) page(p *pack, n int64) ([]byte, error) {
	key := place{p, n}
	g.mu.Lock()
	e, ok := g.items[key]
	if ok {
		g.order.MoveToFront(e)
		g.mu.Unlock()
		return e.Value.(*page).data, nil
	}
	g.mu.Unlock()
	if n*pageSize >= p.size {
		return nil, io.EOF
	}
	data := make([]byte, min(pageSize, p.size-n*pageSize))
	if k, err := p.data.ReadAt(data, n*pageSize); k < len(data) {
		if errors.Is(err, io.EOF) {
			err = errShort
		}
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, ok := g.items[key]; !ok {
		g.items[key] = g.order.PushFront(&page{key, data})
		for g.order.Len() > maxPages {
			delete(g.items, g.order.Remove(g.order.Back()).(*page).place)
		}
	}
	return data, nil
}

// release forgets everything.
func (g *pages) release() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.items = map[place]*list.Element{}
	g.order.Init()
}

// drop forgets a pack.
func (g *pages) drop(p *pack) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for e := g.order.Front(); e != nil; {
		next := e.Next()
		if old := e.Value.(*page); old.pack == p {
			g.order.Remove(e)
			delete(g.items, old.place)
		}
		e = next
	}
}
