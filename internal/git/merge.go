package git

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
)

const (
	mergeAt = 16 // packs
	mergeBy = 8
)

// merge makes one pack of the small ones once there are many, so that the number of packs
// grows with the logarithm of that of fetches. The caller holds r.fetching.
func (r *Repository) merge() error {
	if len(r.packs) < mergeAt || r.checkout != nil {
		return nil
	}
	small := r.small()
	if err := r.mergePacks(small); err != nil {
		return fmt.Errorf("merging packs: %w", err)
	}
	return nil
}

// small returns the smallest packs: at least mergeBy, and each larger one that is not
// larger than twice those before it together.
func (r *Repository) small() []*pack {
	packs := slices.Clone(r.packs)
	slices.SortStableFunc(packs, func(a, b *pack) int { return cmp.Compare(a.size, b.size) })
	var sum int64
	for i, p := range packs {
		if i >= mergeBy && p.size > 2*sum {
			return packs[:i]
		}
		sum += p.size
	}
	return packs
}

func (r *Repository) mergePacks(old []*pack) (err error) {
	var hashes []Hash
	where := map[Hash]*pack{}
	for _, p := range old {
		for i := range p.idx.count() {
			h, err := p.idx.hash(i)
			if err != nil {
				return err
			}
			if where[h] == nil {
				where[h] = p
				hashes = append(hashes, h)
			}
		}
	}
	read := func(h Hash) (object, error) {
		p := where[h]
		off, _, err := p.idx.find(h)
		if err != nil {
			return object{}, err
		}
		return p.object(off, r.limits.ObjectSize, r.limits, r.cache)
	}
	var merged *pack
	if r.mirror != nil {
		file, err := r.mirror.temporary()
		if err != nil {
			return err
		}
		_, sum, entries, err := writePack(file, hashes, read, 2*r.limits.PackSize)
		if err == nil {
			merged, err = r.mirror.store(file, sum, encodeIndex(entries, sum))
		}
		if err := errors.Join(err, r.mirror.discard(file)); err != nil {
			return err
		}
	} else {
		m := &memoryPack{}
		size, sum, entries, err := writePack(m, hashes, read, 2*r.limits.PackSize)
		if err != nil {
			return err
		}
		idx := encodeIndex(entries, sum)
		x, err := openIndex(&memoryPack{idx}, int64(len(idx)))
		if err != nil {
			return err // unreachable: we made it
		}
		merged = &pack{data: m, size: size, idx: x}
	}
	if merged == nil {
		return nil // the same pack is there already, and is one of the old
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.packs = append([]*pack{merged}, slices.DeleteFunc(slices.Clone(r.packs), func(p *pack) bool { return slices.Contains(old, p) })...)
	var errs []error
	for _, p := range old {
		r.cache.drop(p)
		errs = append(errs, p.close())
		if p.name != "" {
			errs = append(errs, os.Remove(p.name+".idx"), os.Remove(p.name+".pack"))
		}
	}
	return errors.Join(errs...)
}
