package git

import (
	"container/list"
	"sync"
)

const cacheSize = 16 << 20

// A cache keeps the objects that deltas were made from, the latest used ones, and pages of
// packs.
type cache struct {
	mu    sync.Mutex
	items map[place]*list.Element
	order *list.List
	bytes int64
	pages *pages
}

type place struct {
	pack *pack
	off  int64
}

type cached struct {
	place
	object
}

func newCache() *cache {
	return &cache{items: map[place]*list.Element{}, order: list.New(), pages: newPages()}
}

func (c *cache) find(p place) (object, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.items[p]
	if !ok {
		return object{}, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*cached).object, true
}

func (c *cache) keep(p place, o object) {
	if len(o.data) > cacheSize/4 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.items[p]; ok {
		return
	}
	c.items[p] = c.order.PushFront(&cached{p, o})
	c.bytes += int64(len(o.data))
	for c.bytes > cacheSize {
		last := c.order.Back()
		old := c.order.Remove(last).(*cached)
		delete(c.items, old.place)
		c.bytes -= int64(len(old.data))
	}
}

// release forgets everything.
func (c *cache) release() {
	c.pages.release()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.items, c.bytes = map[place]*list.Element{}, 0
	c.order.Init()
}

// drop forgets a pack.
func (c *cache) drop(p *pack) {
	c.pages.drop(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	for e := c.order.Front(); e != nil; {
		next := e.Next()
		if old := e.Value.(*cached); old.pack == p {
			c.order.Remove(e)
			delete(c.items, old.place)
			c.bytes -= int64(len(old.data))
		}
		e = next
	}
}
