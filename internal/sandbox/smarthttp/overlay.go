package smarthttp

import (
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/storer"
	"github.com/go-git/go-git/v5/storage/memory"
)

// An overlay is a repository's objects with those of a push, which are in memory.
type overlay struct {
	*memory.ObjectStorage
	base storer.EncodedObjectStorer
}

func (o *overlay) EncodedObject(kind plumbing.ObjectType, h plumbing.Hash) (plumbing.EncodedObject, error) {
	if obj, err := o.ObjectStorage.EncodedObject(kind, h); err == nil {
		return obj, nil
	}
	return o.base.EncodedObject(kind, h)
}

func (o *overlay) HasEncodedObject(h plumbing.Hash) error {
	if o.ObjectStorage.HasEncodedObject(h) == nil {
		return nil
	}
	return o.base.HasEncodedObject(h)
}

func (o *overlay) EncodedObjectSize(h plumbing.Hash) (int64, error) {
	if size, err := o.ObjectStorage.EncodedObjectSize(h); err == nil {
		return size, nil
	}
	return o.base.EncodedObjectSize(h)
}

func (o *overlay) IterEncodedObjects(kind plumbing.ObjectType) (storer.EncodedObjectIter, error) {
	upper, err := o.ObjectStorage.IterEncodedObjects(kind)
	if err != nil {
		return nil, err
	}
	lower, err := o.base.IterEncodedObjects(kind)
	if err != nil {
		return nil, err
	}
	return storer.NewMultiEncodedObjectIter([]storer.EncodedObjectIter{upper, lower}), nil
}
