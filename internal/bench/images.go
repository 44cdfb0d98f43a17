package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
)

// An img is an image of the loopback registry.
type img struct{ repository, tag string }

// digest is what the registry says the tag means: 64 hexadecimal digits.
func (i img) digest() string {
	sum := sha256.Sum256([]byte(i.repository + ":" + i.tag))
	return hex.EncodeToString(sum[:])
}

// A pool hands out images, in an order in which each occurs.
type pool struct {
	images []img
	order  []int
	scopes int // repositories
}

var (
	teams = []string{"payments", "search", "identity", "media", "shipping", "platform", "data", "billing", "catalog", "edge"}
	nouns = []string{"api", "worker", "gateway", "frontend", "scheduler", "proxy", "exporter", "indexer", "consumer", "migrator", "cache", "relay"}
)

// newPool makes distinct images in fewer repositories, and an order of refs draws in
// which every image occurs and some occur often.
func newPool(r *rand.Rand, distinct, refs int) *pool {
	p := &pool{}
	seen := map[img]bool{}
	repositories := map[string]bool{}
	for len(p.images) < distinct {
		n := len(p.images) * 6 / 10
		i := img{repository: fmt.Sprintf("%s/%s-%03d", teams[n%len(teams)], nouns[n%len(nouns)], n), tag: newTag(r)}
		if seen[i] {
			continue
		}
		seen[i] = true
		repositories[i.repository] = true
		p.images = append(p.images, i)
	}
	p.scopes = len(repositories)
	p.order = r.Perm(distinct)
	for len(p.order) < refs {
		p.order = append(p.order, int(float64(distinct)*r.Float64()*r.Float64()))
	}
	r.Shuffle(len(p.order), func(i, j int) { p.order[i], p.order[j] = p.order[j], p.order[i] })
	return p
}

func newTag(r *rand.Rand) string {
	switch r.IntN(8) {
	case 0:
		return "latest"
	case 1:
		return fmt.Sprintf("%d.%d", 1+r.IntN(9), r.IntN(30))
	case 2:
		return fmt.Sprintf("v%d.%d.%d-alpine", r.IntN(4), r.IntN(20), r.IntN(20))
	case 3:
		return fmt.Sprintf("2026-%02d-%02d-%07x", 1+r.IntN(12), 1+r.IntN(28), r.IntN(1<<28))
	case 4:
		return fmt.Sprintf("%d", 1000+r.IntN(9000))
	default:
		return fmt.Sprintf("%d.%d.%d", 1+r.IntN(9), r.IntN(30), r.IntN(30))
	}
}

func (p *pool) next() img {
	i := p.images[p.order[0]]
	p.order = p.order[1:]
	return i
}
