package reconcile

import "github.com/pinnace-dev/pinnace/internal/promotion"

// SealOfConfiguration is the seal of a configuration that Pinnace wrote.
func SealOfConfiguration(repository int64, base, text string) string {
	p := &pass{repo: promotion.Repository{ID: repository}, base: Base{Branch: base}}
	return p.sealOf([]byte(text))
}
