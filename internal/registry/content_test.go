package registry

import (
	"encoding/json"
	"testing"

	"github.com/pinnace-dev/pinnace/internal/image"
)

// TestAnew: what a digest names is read once for a line of clients; whether it is still there,
// and what a tag means, is asked each time.
func TestAnew(t *testing.T) {
	w, s := newWorld(t), newShelf(t)
	w.https("ghcr.io", s)
	body, _ := json.Marshal(config("linux/amd64", "2026-06-30T12:00:00Z", map[string]string{"maintainer": "carol"}))
	digest := s.put("/v2/acme/api/manifests/1.4", image.OCIManifest, manifestFor(s.blob("acme/api", body), len(body)))
	base := w.client(Options{})
	r := ref(t, "ghcr.io/acme/api:1.4@"+string(digest))
	for range 3 {
		f, err := base.Anew().Facts(t.Context(), r)
		if err != nil || f.Labels["maintainer"] != "carol" {
			t.Fatalf("got %+v, %v", f, err)
		}
		f.Labels["maintainer"] = "changed" // the caller's own
	}
	before := base.Requests()
	if _, err := base.Anew().Facts(t.Context(), r); err != nil || base.Requests() != before {
		t.Errorf("%d requests for what is known, %v", base.Requests()-before, err)
	}
	if _, err := base.Anew().Resolve(t.Context(), r); err != nil || base.Requests() == before {
		t.Errorf("nobody asked whether it is still there, %v", err)
	}
}
