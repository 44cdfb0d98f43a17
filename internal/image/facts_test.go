package image

import "testing"

func TestFacts(t *testing.T) {
	f := Facts{
		Labels: map[string]string{
			"org.opencontainers.image.source":   "https://github.com/acme/shop",
			"org.opencontainers.image.revision": "1a2b3c4",
			"org.opencontainers.image.version":  "1.4.2",
		},
		Annotations: map[string]string{"org.opencontainers.image.version": "of the index"},
	}
	if got := [3]string{f.Source(), f.Revision(), f.Version()}; got != [3]string{"https://github.com/acme/shop", "1a2b3c4", "1.4.2"} {
		t.Errorf("got %q", got)
	}
	if got := (Facts{}); got.Source()+got.Revision()+got.Version() != "" {
		t.Errorf("got %+v, want an image that says nothing to say nothing", got)
	}
}
