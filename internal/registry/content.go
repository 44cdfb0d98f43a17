package registry

import (
	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/pinnace-dev/pinnace/internal/image"
)

const (
	maxContent = 4096     // images that are remembered
	maxKept    = 16 << 10 // bytes of labels and annotations; what says more is read each time
)

// content is what digests name, which never changes.
type content struct {
	facts *lru.Cache[string, image.Facts] // by repository and digest
}

func newContent() *content {
	facts, err := lru.New[string, image.Facts](maxContent)
	if err != nil {
		panic(err) // unreachable: the size is a constant above zero
	}
	return &content{facts}
}

// known returns what an image says of itself, if that was read before.
func (c *content) known(key string) (image.Facts, bool) {
	return c.facts.Get(key)
}

// keep remembers what an image says of itself.
func (c *content) keep(key string, f image.Facts) {
	size := 0
	for _, words := range []map[string]string{f.Labels, f.Annotations} {
		for k, v := range words {
			size += len(k) + len(v)
		}
	}
	if size <= maxKept {
		c.facts.Add(key, f)
	}
}
