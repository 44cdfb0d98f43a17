package sandbox

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	ggcr "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// A shelf is the OCI registry: go-containerregistry's, with referrers, on the loopback address.
type shelf struct {
	s        *Sandbox
	registry http.Handler
	listener net.Listener
	server   *http.Server
}

func newShelf(s *Sandbox) *shelf {
	return &shelf{s: s, registry: registry.New(registry.Logger(quiet), registry.WithReferrersSupport(true))}
}

func (h *shelf) start() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	h.listener = l
	h.server = &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ErrorLog: quiet}
	go func() { _ = h.server.Serve(l) }()
	return nil
}

func (h *shelf) close() {
	if h.server != nil {
		_ = h.server.Close()
	}
}

// ServeHTTP serves the registry, with the faults of the one hook.
func (h *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	route := imageRoute(r.URL.Path)
	f := h.s.befall(r.Method, route, r.URL.Path)
	q := Request{Method: r.Method, Route: route, Path: r.URL.Path, Actor: "anonymous"}
	end := func(status int) {
		h.s.mu.Lock()
		defer h.s.mu.Unlock()
		q.Status = status
		h.s.note(q)
	}
	switch {
	case f.Before != nil:
		end(f.Before.Status)
		f.Before.write(w)
	case f.After != nil:
		record(h.registry, r)
		end(f.After.Status)
		f.After.write(w)
	default:
		sw := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		h.registry.ServeHTTP(sw, r)
		end(sw.status)
	}
}

// imageRoute is the route of a path of the distribution API.
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#endpoints
func imageRoute(path string) string {
	for _, kind := range []string{"manifests", "blobs/uploads", "blobs", "tags", "referrers"} {
		if strings.Contains(path, "/"+kind+"/") {
			return "/v2/{name}/" + kind + "/{reference}"
		}
	}
	return path
}

// Registry returns host:port of the OCI registry, which speaks plain HTTP.
func (s *Sandbox) Registry() string {
	if s.images.listener == nil {
		return "registry.test"
	}
	return s.images.listener.Addr().String()
}

// An Image is what PushImage makes: an index of small images.
type Image struct {
	Platforms []string          // such as "linux/amd64"; nil: linux/amd64 and linux/arm64
	Source    string            // label org.opencontainers.image.source
	Revision  string            // label org.opencontainers.image.revision
	Version   string            // label org.opencontainers.image.version
	Created   time.Time         // zero: the sandbox's clock
	Labels    map[string]string // further ones
	Seed      string            // two images that differ in nothing else have other digests
}

// PushImage pushes an image as repository:tag, without a registry ("acme/shop:1.4"), and
// returns the digest of its index, which the image alone decides.
func (s *Sandbox) PushImage(ref string, i Image) (string, error) {
	to, err := name.NewTag(s.Registry()+"/"+ref, name.Insecure)
	if err != nil {
		return "", fmt.Errorf("pushing %s: %w", ref, err)
	}
	if i.Created.IsZero() {
		i.Created = s.now()
	}
	index, err := i.build()
	if err != nil {
		return "", fmt.Errorf("pushing %s: %w", ref, err)
	}
	if err := remote.WriteIndex(to, index, remote.WithTransport(s.images.direct())); err != nil {
		return "", fmt.Errorf("pushing %s: %w", ref, err)
	}
	h, err := index.Digest()
	if err != nil {
		return "", fmt.Errorf("pushing %s: %w", ref, err)
	}
	return h.String(), nil
}

func (i Image) build() (ggcr.ImageIndex, error) {
	labels := map[string]string{}
	for k, v := range i.Labels {
		labels[k] = v
	}
	for k, v := range map[string]string{"source": i.Source, "revision": i.Revision, "version": i.Version, "created": i.Created.UTC().Format(time.RFC3339)} {
		if v != "" {
			labels["org.opencontainers.image."+k] = v
		}
	}
	platforms := i.Platforms
	if platforms == nil {
		platforms = []string{"linux/amd64", "linux/arm64"}
	}
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, p := range platforms {
		platform, err := ggcr.ParsePlatform(p)
		if err != nil {
			return nil, err
		}
		layer := static.NewLayer([]byte(i.Seed+"\x00"+p), types.OCIUncompressedLayer)
		img, err := mutate.AppendLayers(mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON), layer)
		if err != nil {
			return nil, err
		}
		config, err := img.ConfigFile()
		if err != nil {
			return nil, err
		}
		config = config.DeepCopy()
		config.OS, config.Architecture, config.Variant, config.Created = platform.OS, platform.Architecture, platform.Variant, ggcr.Time{Time: i.Created.UTC()}
		config.Config.Labels = labels
		if img, err = mutate.ConfigFile(img, config); err != nil {
			return nil, err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: ggcr.Descriptor{Platform: platform}})
	}
	return mutate.Annotations(index, labels).(ggcr.ImageIndex), nil
}

// MoveTag points repository:tag at what a digest of that repository names.
func (s *Sandbox) MoveTag(ref, digest string) error {
	repo, tag, _ := strings.Cut(ref, ":")
	get := s.images.ask(http.MethodGet, "/v2/"+repo+"/manifests/"+digest, "", nil)
	if get.Code != http.StatusOK {
		return fmt.Errorf("moving %s: %s is not there", ref, digest)
	}
	put := s.images.ask(http.MethodPut, "/v2/"+repo+"/manifests/"+tag, get.Header().Get("Content-Type"), get.Body)
	if put.Code != http.StatusCreated {
		return fmt.Errorf("moving %s: %d %s", ref, put.Code, put.Body)
	}
	return nil
}

// DeleteImage removes the manifest that a tag or digest names.
func (s *Sandbox) DeleteImage(repo, reference string) error {
	if w := s.images.ask(http.MethodDelete, "/v2/"+repo+"/manifests/"+reference, "", nil); w.Code != http.StatusAccepted {
		return fmt.Errorf("deleting %s %s: %d %s", repo, reference, w.Code, w.Body)
	}
	return nil
}

func (h *shelf) ask(method, path, media string, body io.Reader) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, body)
	if media != "" {
		r.Header.Set("Content-Type", media)
	}
	return record(h.registry, r)
}

// direct is a transport to the registry past the network and the faults.
func (h *shelf) direct() http.RoundTripper { return direct{h.registry} }

type direct struct{ h http.Handler }

// RoundTrip asks the handler.
func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	w := record(d.h, r).Result()
	w.Request = r
	return w, nil
}
