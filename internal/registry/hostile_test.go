package registry

import (
	"fmt"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/image"
)

// a repository names registries that are not there, others with each commit: what is known
// of a host's pace stays for as long as the server runs.
func TestHostilePacesGrow(t *testing.T) {
	w := newWorld(t)
	base := w.client(Options{Wait: nil})
	for i := range 500 {
		r, err := image.Parse(fmt.Sprintf("r%d.evil.example/a:1", i))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = base.Anew().Resolve(t.Context(), r)
	}
	p := base.fence.next.(*pacer)
	p.mu.Lock()
	defer p.mu.Unlock()
	t.Log(len(p.paces), "paces")
	if len(p.paces) > 400 {
		t.Errorf("%d hosts are remembered, and none is ever forgotten", len(p.paces))
	}
	_ = time.Second
}
