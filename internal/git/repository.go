package git

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/go-git/go-git/v5/plumbing"
)

// A Repository is a store of objects with names for some of them.
type Repository struct {
	limits Limits
	cache  *cache
	blobs  atomic.Int64
	trees  atomic.Int64

	fetching sync.Mutex // held by whoever changes packs, refs or the boundary

	mu       sync.RWMutex // guards what follows; held for reading while an object is read
	packs    []*pack      // the newest first
	written  map[Hash]object
	unpushed int64
	refs     map[string]Hash // upstream's full names, at the last fetch
	shallow  map[Hash]bool   // commits whose parents were not fetched

	mirror   *mirror   // nil unless the packs are files of ours
	checkout *checkout // nil unless it lies over an existing repository
}

// NewMemory returns an empty repository that lives in memory.
func NewMemory(l Limits) *Repository {
	return &Repository{
		limits: l.filled(), cache: newCache(),
		written: map[Hash]object{}, refs: map[string]Hash{}, shallow: map[Hash]bool{},
	}
}

// Close releases the repository's files and its lock. Nothing of it may be used later.
func (r *Repository) Close() error {
	r.fetching.Lock()
	defer r.fetching.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for _, p := range r.packs {
		errs = append(errs, p.close())
	}
	r.packs, r.written = nil, map[Hash]object{}
	if r.mirror != nil {
		errs = append(errs, r.mirror.close())
	}
	return errors.Join(errs...)
}

// Reads returns how many blobs and trees were read for callers so far, each as often as it
// was. What the completion of thin packs and pushes read is not counted.
func (r *Repository) Reads() (blobs, trees int64) { return r.blobs.Load(), r.trees.Load() }

// Ref returns where a ref is: of a checkout, the ref itself; of a mirror or memory, what
// upstream had at the last fetch. The name is upstream's own, full or heads/x. One that is
// not there is ErrNoRef.
func (r *Repository) Ref(name string) (Hash, error) {
	name = fullName(name)
	r.mu.RLock()
	h, ok := r.refs[name]
	r.mu.RUnlock()
	if ok {
		return h, nil
	}
	if r.checkout != nil {
		return r.checkout.ref(name)
	}
	return Hash{}, &RefError{name}
}

// Has says whether an object is in the store.
func (r *Repository) Has(h Hash) bool {
	_, _, err := r.stat(h)
	return err == nil
}

// read returns an object of kind k, at most limit bytes of it.
func (r *Repository) read(h Hash, k plumbing.ObjectType, limit int64) ([]byte, error) {
	o, err := r.object(h, limit)
	if err != nil {
		return nil, fmt.Errorf("reading %s %s: %w", k, h, err)
	}
	if o.kind != k {
		return nil, fmt.Errorf("reading %s %s: %w", k, h, corrupt("it is a %s", o.kind))
	}
	return o.data, nil
}

func (r *Repository) object(h Hash, limit int64) (object, error) {
	o, err := r.find(h, limit)
	if errors.Is(err, ErrMissing) && r.rescan() {
		o, err = r.find(h, limit)
	}
	if err == nil {
		switch o.kind {
		case plumbing.BlobObject:
			r.blobs.Add(1)
		case plumbing.TreeObject:
			r.trees.Add(1)
		}
	}
	return o, err
}

func (r *Repository) find(h Hash, limit int64) (object, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if o, ok := r.written[h]; ok {
		if int64(len(o.data)) > limit {
			return object{}, tooLarge(int64(len(o.data)), limit)
		}
		return o, nil
	}
	for _, p := range r.packs {
		off, ok, err := p.idx.find(h)
		if err != nil {
			return object{}, err
		}
		if ok {
			return p.object(off, limit, r.limits, r.cache)
		}
	}
	if r.checkout != nil {
		return r.checkout.loose(h, limit)
	}
	return object{}, ErrMissing
}

// stat returns an object's kind and size without reading it.
func (r *Repository) stat(h Hash) (plumbing.ObjectType, int64, error) {
	k, size, err := r.look(h)
	if errors.Is(err, ErrMissing) && r.rescan() {
		k, size, err = r.look(h)
	}
	return k, size, err
}

func (r *Repository) look(h Hash) (plumbing.ObjectType, int64, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if o, ok := r.written[h]; ok {
		return o.kind, int64(len(o.data)), nil
	}
	for _, p := range r.packs {
		off, ok, err := p.idx.find(h)
		if err != nil {
			return 0, 0, err
		}
		if ok {
			return p.stat(off, r.cache)
		}
	}
	if r.checkout != nil {
		return r.checkout.looseStat(h)
	}
	return 0, 0, ErrMissing
}

// write puts an object into memory, over the store.
func (r *Repository) write(k plumbing.ObjectType, data []byte) (Hash, error) {
	h, err := hashObject(k, data)
	if err != nil {
		return Hash{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.written[h]; ok {
		return h, nil
	}
	if r.unpushed+int64(len(data)) > r.limits.Unpushed {
		return Hash{}, &LimitError{What: "bytes written and not pushed", Max: r.limits.Unpushed}
	}
	r.unpushed += int64(len(data))
	r.written[h] = object{k, data}
	return h, nil
}

func (r *Repository) isWritten(h Hash) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	_, ok := r.written[h]
	return ok
}

// rescan looks for packs that git itself has made in a checkout since it was opened.
func (r *Repository) rescan() bool {
	if r.checkout == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	packs, changed := r.checkout.packs(r.packs)
	if changed {
		r.packs = packs
	}
	return changed
}

// A memoryPack is a sink in memory.
type memoryPack struct{ b []byte }

func (m *memoryPack) Write(p []byte) (int, error) {
	m.b = append(m.b, p...)
	return len(p), nil
}

func (m *memoryPack) ReadAt(p []byte, off int64) (int, error) {
	if off >= int64(len(m.b)) {
		return 0, io.EOF
	}
	n := copy(p, m.b[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (m *memoryPack) WriteAt(p []byte, off int64) (int, error) {
	if grow := off + int64(len(p)) - int64(len(m.b)); grow > 0 {
		m.b = append(m.b, make([]byte, grow)...)
	}
	return copy(m.b[off:], p), nil
}

// take takes a pack in and returns how many objects it held and its size, both as sent. The
// caller holds r.fetching.
func (r *Repository) take(ctx context.Context, src io.Reader) (objects int, received int64, err error) {
	n := &intake{limits: r.limits, outer: func(h Hash) (object, error) { return r.find(h, r.limits.ObjectSize) }}
	var file *os.File
	if r.mirror != nil {
		if file, err = r.mirror.temporary(); err != nil {
			return 0, 0, err
		}
		defer func() { err = errors.Join(err, r.mirror.discard(file)) }()
		n.sink = file
	} else {
		n.sink = &memoryPack{}
	}
	if received, err = n.run(ctx, src); err != nil {
		return 0, received, fmt.Errorf("taking in a pack: %w", err)
	}
	if n.sent == 0 {
		return 0, received, nil
	}
	idx := encodeIndex(n.entries, n.sum)
	n.entries = nil
	var p *pack
	if r.mirror != nil {
		if p, err = r.mirror.store(file, n.sum, idx); err != nil {
			return 0, received, err
		}
	} else {
		x, err := openIndex(&memoryPack{idx}, int64(len(idx)))
		if err != nil {
			return 0, received, err // unreachable: we made it
		}
		p = &pack{data: n.sink, size: n.size, idx: x}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if p.name != "" && slices.ContainsFunc(r.packs, func(q *pack) bool { return q.name == p.name }) {
		return n.sent, received, p.close() // it came once more
	}
	r.packs = append([]*pack{p}, r.packs...)
	return n.sent, received, nil
}
