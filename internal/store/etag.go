package store

import (
	"bytes"
	"cmp"
	"compress/flate"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

const (
	etagPending = 16 << 20 // bytes of answers that wait to be written
	etagBatch   = 100      // rows of a transaction, so that other writers need not wait long
	etagBody    = 1 << 20  // bytes of an answer
	etagRow     = 200      // bytes that a row takes besides what is in it
	etagTouch   = 24 * time.Hour
	etagAge     = 14 * 24 * time.Hour
	etagPrune   = time.Hour
	etagEvery   = 500 * time.Millisecond
	etagWait    = 2 * time.Second // for the database; GitHub answers sooner
)

// ETagOptions bound what is remembered; 0 is the default.
type ETagOptions struct {
	Tenant int64 // bytes of one tenant, 0 = 256 MiB
	All    int64 // bytes in all, 0 = 2 GiB
	// Front is asked before the database, nil = none.
	Front Front
}

// A Front remembers a few answers in memory.
type Front interface {
	Recall(tenant, request string) (promotion.Cached, bool)
	Keep(tenant, request string, c promotion.Cached)
}

type noFront struct{}

func (noFront) Recall(string, string) (promotion.Cached, bool) { return promotion.Cached{}, false }
func (noFront) Keep(string, string, promotion.Cached)          {}

// ETags remember GitHub's answers in the database. Keep only notes an answer; Run writes it
// down a moment later. What was of no use for two weeks is forgotten, and where there is too
// much of a tenant or in all, what was of use longest ago. An error of the database is a
// forgotten answer.
type ETags struct {
	store *Store
	o     ETagOptions
	front Front

	mu      sync.Mutex // owns what follows
	pending map[etagKey]promotion.Cached
	size    int // of pending, in bytes
	touched map[etagKey]bool
}

type etagKey struct {
	tenant  string
	request [sha256.Size]byte
}

func (k etagKey) compare(l etagKey) int {
	return cmp.Or(cmp.Compare(k.tenant, l.tenant), bytes.Compare(k.request[:], l.request[:]))
}

func keyOf(tenant, request string) etagKey {
	return etagKey{tenant, sha256.Sum256([]byte(request))}
}

// ETags returns the answers that the store remembers. Without its Run nothing is written.
func (s *Store) ETags(o ETagOptions) *ETags {
	if o.Front == nil {
		o.Front = noFront{}
	}
	return &ETags{
		store: s, o: ETagOptions{Tenant: cmp.Or(o.Tenant, 256<<20), All: cmp.Or(o.All, 2<<30)},
		front: o.Front, pending: map[etagKey]promotion.Cached{}, touched: map[etagKey]bool{},
	}
}

// Recall returns what was kept last for a tenant and a request.
func (e *ETags) Recall(tenant, request string) (promotion.Cached, bool) {
	if c, ok := e.front.Recall(tenant, request); ok {
		return c, true
	}
	k := keyOf(tenant, request)
	e.mu.Lock()
	c, ok := e.pending[k]
	e.mu.Unlock()
	if !ok {
		if c, ok = e.load(k); !ok {
			return promotion.Cached{}, false
		}
	}
	e.front.Keep(tenant, request, c)
	return c, true
}

// load reads an answer from the database.
func (e *ETags) load(k etagKey) (c promotion.Cached, ok bool) {
	var body []byte
	var used int64
	ctx, cancel := context.WithTimeout(context.Background(), etagWait)
	defer cancel()
	err := e.store.db.QueryRowContext(ctx, "SELECT used, etag, link, body FROM etags WHERE tenant = $1 AND request = $2", k.tenant, k.request[:]).Scan(&used, &c.ETag, &c.Link, &body)
	if err == nil {
		c.Body, err = inflate(body)
	}
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return promotion.Cached{}, false
	case err != nil:
		e.store.log.Warn("recall an answer of GitHub", "error", Explain(err))
		return promotion.Cached{}, false
	}
	if e.store.moment().Sub(time.UnixMicro(used)) > etagTouch {
		e.mu.Lock()
		e.touched[k] = true
		e.mu.Unlock()
	}
	return c, true
}

// Keep remembers an answer, unless too many wait to be written.
func (e *ETags) Keep(tenant, request string, c promotion.Cached) {
	if len(c.Body) > etagBody {
		return
	}
	e.front.Keep(tenant, request, c)
	k := keyOf(tenant, request)
	e.mu.Lock()
	defer e.mu.Unlock()
	if old, ok := e.pending[k]; ok {
		e.size -= len(old.Body) + etagRow
		delete(e.pending, k)
	}
	if n := len(c.Body) + etagRow; e.size+n <= etagPending {
		e.pending[k] = c
		e.size += n
	}
}

// Run writes down what is kept and forgets what is too much, until ctx ends; then it writes
// down the rest.
func (e *ETags) Run(ctx context.Context) error {
	tick := time.NewTicker(etagEvery)
	defer tick.Stop()
	prune := time.NewTicker(etagPrune)
	defer prune.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			return e.Flush(last)
		case <-tick.C:
			err = e.Flush(ctx)
		case <-prune.C:
			err = e.Prune(ctx)
		}
		if err != nil && ctx.Err() == nil {
			e.store.log.Warn("remember answers of GitHub", "error", err)
		}
	}
}

// Flush writes down what waits to be. What cannot be written is forgotten.
func (e *ETags) Flush(ctx context.Context) error {
	e.mu.Lock()
	keys := make([]etagKey, 0, len(e.pending)+len(e.touched))
	for k := range e.pending {
		keys = append(keys, k)
	}
	for k := range e.touched {
		if _, ok := e.pending[k]; !ok {
			keys = append(keys, k)
		}
	}
	clear(e.touched)
	e.mu.Unlock()
	// In one order everywhere, so that replicas that write the same rows wait for one another.
	slices.SortFunc(keys, etagKey.compare)
	var errs []error
	for batch := range slices.Chunk(keys, etagBatch) {
		if err := e.write(ctx, batch); err != nil {
			errs = append(errs, Explain(err))
		}
	}
	return errors.Join(errs...)
}

// write writes some of what waits, in one transaction, and lets go of it.
func (e *ETags) write(ctx context.Context, keys []etagKey) error {
	batch := map[etagKey]promotion.Cached{}
	e.mu.Lock()
	for _, k := range keys {
		if c, ok := e.pending[k]; ok {
			batch[k] = c
		}
	}
	e.mu.Unlock()
	defer func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		for k, c := range batch {
			if now, ok := e.pending[k]; ok && now.ETag == c.ETag {
				delete(e.pending, k)
				e.size -= len(now.Body) + etagRow
			}
		}
	}()
	bodies := map[etagKey][]byte{}
	for k, c := range batch { // before the transaction, which others wait for
		var err error
		if bodies[k], err = deflate(c.Body); err != nil {
			return err // unreachable: memory takes every write
		}
	}
	now := e.store.moment().UnixMicro()
	return e.store.inTx(ctx, func(tx *sql.Tx) error {
		for _, k := range keys {
			c, ok := batch[k]
			if !ok {
				if _, err := tx.ExecContext(ctx, "UPDATE etags SET used = $1 WHERE tenant = $2 AND request = $3", now, k.tenant, k.request[:]); err != nil {
					return err
				}
				continue
			}
			if _, err := tx.ExecContext(ctx, `
				INSERT INTO etags (tenant, request, used, size, etag, link, body) VALUES ($1, $2, $3, $4, $5, $6, $7)
				ON CONFLICT (tenant, request) DO UPDATE SET used = excluded.used, size = excluded.size, etag = excluded.etag, link = excluded.link, body = excluded.body`,
				k.tenant, k.request[:], now, len(bodies[k])+len(c.ETag)+len(c.Link)+len(k.tenant)+etagRow, c.ETag, c.Link, bodies[k]); err != nil {
				return err
			}
		}
		return nil
	})
}

// Prune forgets what was of no use for two weeks, and what is too much.
func (e *ETags) Prune(ctx context.Context) error {
	old := e.store.moment().Add(-etagAge).UnixMicro()
	sizes, err := e.sizes(ctx)
	if err != nil {
		return Explain(err)
	}
	bound := e.bound(sizes)
	for _, tenant := range slices.Sorted(maps.Keys(sizes)) {
		if err := e.shrink(ctx, tenant, sizes[tenant]-bound, old); err != nil {
			return Explain(err)
		}
	}
	return nil
}

// sizes returns how many bytes are remembered of each tenant.
func (e *ETags) sizes(ctx context.Context) (map[string]int64, error) {
	rows, err := e.store.db.QueryContext(ctx, "SELECT tenant, CAST(SUM(size) AS BIGINT) FROM etags GROUP BY tenant")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	sizes := map[string]int64{}
	for rows.Next() {
		var tenant string
		var size int64
		if err := rows.Scan(&tenant, &size); err != nil {
			return nil, err
		}
		sizes[tenant] = size
	}
	return sizes, rows.Err()
}

// bound returns what one tenant may have, so that all together have not too much: those that
// have the most give first.
func (e *ETags) bound(sizes map[string]int64) int64 {
	all := slices.Sorted(maps.Values(sizes))
	left := e.o.All
	for i, size := range all {
		share := left / int64(len(all)-i)
		if size > share {
			return min(e.o.Tenant, share)
		}
		left -= size
	}
	return e.o.Tenant
}

// shrink forgets what a tenant has used longest ago: what is older than a time, and more until
// it has too many bytes no longer.
func (e *ETags) shrink(ctx context.Context, tenant string, tooMany, old int64) error {
	for {
		requests, freed, err := e.oldest(ctx, tenant, tooMany, old)
		if err != nil || len(requests) == 0 {
			return err
		}
		tooMany -= freed
		err = e.store.inTx(ctx, func(tx *sql.Tx) error {
			for _, request := range requests {
				if _, err := tx.ExecContext(ctx, "DELETE FROM etags WHERE tenant = $1 AND request = $2", tenant, request); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}

// oldest returns some of what shrink forgets next, and its bytes.
func (e *ETags) oldest(ctx context.Context, tenant string, tooMany, old int64) (requests [][]byte, freed int64, err error) {
	rows, err := e.store.db.QueryContext(ctx, fmt.Sprintf("SELECT request, used, size FROM etags WHERE tenant = $1 ORDER BY used LIMIT %d", etagBatch), tenant)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var request []byte
		var used, size int64
		if err := rows.Scan(&request, &used, &size); err != nil {
			return nil, 0, err
		}
		if used >= old && freed >= tooMany {
			break
		}
		requests = append(requests, request)
		freed += size
	}
	return requests, freed, rows.Err()
}

var deflaters = sync.Pool{New: func() any {
	w, _ := flate.NewWriter(nil, flate.BestSpeed) // it fails for other levels only
	return w
}}

func deflate(body []byte) ([]byte, error) {
	var b bytes.Buffer
	w := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(w)
	w.Reset(&b)
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func inflate(body []byte) ([]byte, error) {
	r := flate.NewReader(bytes.NewReader(body))
	defer r.Close()
	out, err := io.ReadAll(io.LimitReader(r, etagBody+1))
	if err != nil || len(out) > etagBody {
		return nil, fmt.Errorf("a remembered answer is damaged: %w", cmp.Or(err, io.ErrShortBuffer))
	}
	return out, nil
}
