package registry

import (
	"context"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/pinnace-dev/pinnace/internal/image"
)

// A real registry server (Debian's docker-registry, distribution, zot) under its own
// name and, where it wants one, a user:
//
//	PINNACE_TEST_REGISTRY=localhost:5000 go test -run RealRegistry ./internal/registry
func TestRealRegistry(t *testing.T) {
	host := os.Getenv("PINNACE_TEST_REGISTRY")
	if host == "" {
		t.Skip("PINNACE_TEST_REGISTRY is not set: no registry server to ask")
	}
	key := authn.AuthConfig{Username: os.Getenv("PINNACE_TEST_REGISTRY_USER"), Password: os.Getenv("PINNACE_TEST_REGISTRY_PASSWORD")}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	base := host + "/pinnace/test"
	push := func(tag string, write func(name.Reference, ...remote.Option) error) {
		t.Helper()
		r, err := name.ParseReference(base+":"+tag, name.Insecure)
		if err != nil {
			t.Fatal(err)
		}
		if err := write(r, remote.WithContext(ctx), remote.WithAuth(authn.FromConfig(key))); err != nil {
			t.Fatalf("push %s: %v", tag, err)
		}
	}
	amd64, arm64 := forPlatform(t, "amd64"), forPlatform(t, "arm64")
	index := mutate.AppendManifests(mutate.IndexMediaType(randomIndex(t), "application/vnd.oci.image.index.v1+json"),
		mutate.IndexAddendum{Add: amd64, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}},
		mutate.IndexAddendum{Add: arm64, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}}})
	push("single", func(r name.Reference, o ...remote.Option) error { return remote.Write(r, amd64, o...) })
	push("index", func(r name.Reference, o ...remote.Option) error { return remote.WriteIndex(r, index, o...) })

	w := newWorld(t)
	w.keys[host] = key
	c, err := New(Options{Keychain: w, Insecure: []string{host}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	single, want, child := digestOf(t, amd64), digestOf(t, index), digestOf(t, arm64)
	got, err := c.Resolve(ctx, ref(t, base+":index"))
	if err != nil || got.Digest != want || got.MediaType != image.OCIIndex {
		t.Errorf("Resolve: got %+v, %v; want %s", got, err, want)
	}
	got, err = c.Resolve(ctx, ref(t, base+":single"))
	if err != nil || got.Digest != single || got.Size == 0 {
		t.Errorf("Resolve: got %+v, %v; want %s", got, err, single)
	}
	got, err = c.Stat(ctx, ref(t, base+"@"+string(child)))
	if err != nil || got.Digest != child {
		t.Errorf("Stat: got %+v, %v; want %s", got, err, child)
	}
	got, err = c.Index(ctx, ref(t, base+"@"+string(want)))
	if err != nil || len(got.Children) != 2 {
		t.Errorf("Index: got %+v, %v; want two children", got, err)
	}
	got, err = c.Platform(ctx, ref(t, base+":index"), image.Platform{OS: "linux", Architecture: "arm64"})
	if err != nil || got.Digest != child {
		t.Errorf("Platform: got %+v, %v; want %s", got, err, child)
	}
	got, err = c.Platform(ctx, ref(t, base+":single"), image.Platform{OS: "linux", Architecture: "amd64"})
	if err != nil || got.Digest != single {
		t.Errorf("Platform of a single image: got %+v, %v; want %s", got, err, single)
	}
	tags, err := c.Tags(ctx, ref(t, base))
	if err != nil || !slices.Equal(tags, []string{"index", "single"}) {
		t.Errorf("Tags: got %q, %v; want index and single", tags, err)
	}
	facts, err := c.Facts(ctx, ref(t, base+":index"))
	if err != nil || facts.Digest != want || len(facts.Platforms) != 2 || facts.Revision() != "1a2b3c4" || facts.Created.Year() != 2026 {
		t.Errorf("Facts: got %+v, %v; want two platforms, a revision and a date", facts, err)
	}
	_, err = c.Resolve(ctx, ref(t, base+":none"))
	is(t, err, ErrNotFound)

	if key.Username != "" {
		anonymous, err := New(Options{Keychain: authn.NewMultiKeychain(), Insecure: []string{host}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = anonymous.Resolve(ctx, ref(t, base+":index"))
		says(t, err, "docker login "+host)
	}
}

func forPlatform(t *testing.T, architecture string) v1.Image {
	t.Helper()
	img, err := random.Image(64, 1)
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", architecture
	config.Created, config.Config.Labels = v1.Time{Time: time.Date(2026, 6, 30, 12, 0, 0, 0, time.UTC)}, map[string]string{image.AnnotationRevision: "1a2b3c4"}
	if img, err = mutate.ConfigFile(img, config); err != nil {
		t.Fatal(err)
	}
	return img
}

func randomIndex(t *testing.T) v1.ImageIndex {
	t.Helper()
	index, err := random.Index(64, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	return index
}

func digestOf(t *testing.T, d interface{ Digest() (v1.Hash, error) }) image.Digest {
	t.Helper()
	h, err := d.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return image.Digest(h.String())
}
