package sandbox

import (
	"net/http"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

func TestImages(t *testing.T) {
	r := newRig(t)
	image := Image{Source: "https://github.com/acme/shop", Revision: "abc", Version: "1.4"}
	first, err := r.PushImage("acme/shop:1.4", image)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := r.PushImage("acme/shop:1.5", image); again != first || err != nil {
		t.Errorf("the same image has the digest %s, want %s (%v)", again, first, err)
	}
	image.Seed = "rebuilt"
	second, err := r.PushImage("acme/shop:1.4", image)
	if err != nil || second == first {
		t.Fatalf("got %s, %v", second, err)
	}
	digest := func(ref string) string {
		t.Helper()
		n, err := name.ParseReference(r.Registry()+"/"+ref, name.Insecure)
		if err != nil {
			t.Fatal(err)
		}
		d, err := remote.Head(n)
		if err != nil {
			return ""
		}
		return d.Digest.String()
	}
	if got := digest("acme/shop:1.4"); got != second {
		t.Errorf("the tag is at %s, want %s", got, second)
	}
	if err := r.MoveTag("acme/shop:1.4", first); err != nil || digest("acme/shop:1.4") != first {
		t.Errorf("after moving back: %s, %v", digest("acme/shop:1.4"), err)
	}
	n, _ := name.ParseReference(r.Registry()+"/acme/shop:1.4", name.Insecure)
	index, err := remote.Index(n)
	if err != nil {
		t.Fatal(err)
	}
	m, err := index.IndexManifest()
	if err != nil || len(m.Manifests) != 2 || m.Manifests[1].Platform.String() != "linux/arm64" {
		t.Fatalf("got %v, %v", m, err)
	}
	img, err := index.Image(m.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	c, err := img.ConfigFile()
	if err != nil || c.Config.Labels["org.opencontainers.image.revision"] != "abc" || c.Config.Labels["org.opencontainers.image.source"] != "https://github.com/acme/shop" || !c.Created.Time.Equal(r.clock.now()) {
		t.Errorf("got %v, %v", c, err)
	}
	if err := r.DeleteImage("acme/shop", second); err != nil || digest("acme/shop@"+second) != "" {
		t.Errorf("after deleting: %q, %v", digest("acme/shop@"+second), err)
	}
	var routes []string
	r.Inject(func(c Call) Fault {
		routes = append(routes, c.Method+" "+c.Route)
		return Fault{Before: Status(http.StatusForbidden)}
	})
	if got := digest("acme/shop:1.4"); got != "" || len(routes) == 0 {
		t.Errorf("a fault of the registry: got %q, asked %v", got, routes)
	}
}
