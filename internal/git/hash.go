package git

import (
	"errors"
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"
)

// A Hash is the SHA-1 name of an object.
type Hash = plumbing.Hash

// ParseHash reads the 40 hexadecimal digits of a hash.
func ParseHash(s string) (Hash, error) {
	if !plumbing.IsHash(s) {
		return Hash{}, fmt.Errorf("%q is not an object id of 40 hexadecimal digits", clean(s, 60))
	}
	return plumbing.NewHash(s), nil
}

// errCollision: the bytes are made to collide under SHA-1 (https://shattered.io).
var errCollision = errors.New("the bytes of an object carry a SHA-1 collision attack")

// A hasher names an object while its bytes pass.
type hasher struct{ plumbing.Hasher }

func newHasher(k plumbing.ObjectType, size int64) hasher {
	return hasher{plumbing.NewHasher(k, size)}
}

// sum returns the name, or errCollision.
func (h hasher) sum() (Hash, error) {
	var out Hash
	if d, ok := h.Hash.(interface {
		CollisionResistantSum([]byte) ([]byte, bool)
	}); ok {
		sum, attacked := d.CollisionResistantSum(nil)
		if attacked {
			return out, errCollision
		}
		copy(out[:], sum)
		return out, nil
	}
	return h.Sum(), nil // unreachable: go-git's hash is sha1cd's unless another one is registered
}

func hashObject(k plumbing.ObjectType, data []byte) (Hash, error) {
	h := newHasher(k, int64(len(data)))
	h.Write(data)
	return h.sum()
}
