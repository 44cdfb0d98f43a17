package registry

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"

	"github.com/pinnace-dev/pinnace/internal/image"
)

const (
	ociConfig    = "application/vnd.oci.image.config.v1+json"
	dockerConfig = "application/vnd.docker.container.image.v1+json"
)

// A site serves manifests and blobs of ghcr.io/acme/api by their digests, and fails the
// test on another route.
type site struct {
	t     *testing.T
	docs  map[string][]byte
	media map[string]string
}

func newSite(t *testing.T) *site {
	return &site{t, map[string][]byte{}, map[string]string{}}
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/v2/" {
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/v2/acme/api/")
	body, ok := s.docs[name]
	if !ok {
		s.t.Errorf("unknown route %s", r.URL.Path)
		w.WriteHeader(http.StatusTeapot)
		return
	}
	if body == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", s.media[name])
	_, _ = w.Write(body)
}

// add serves a document by its digest, and a manifest by a tag, too.
func (s *site) add(kind, media, tag string, doc any) image.Digest {
	body, ok := doc.([]byte)
	if !ok {
		var err error
		if body, err = json.Marshal(doc); err != nil {
			s.t.Fatal(err)
		}
	}
	d := hash("sha256", body)
	for _, name := range []string{string(d), tag} {
		s.docs[kind+"/"+name], s.media[kind+"/"+name] = body, media
	}
	return d
}

type object map[string]any

// manifest serves an image of a configuration.
func (s *site) manifest(tag, configMedia string, config any, annotations object) image.Digest {
	d := s.add("blobs", "application/octet-stream", "", config)
	return s.add("manifests", image.OCIManifest, tag, object{
		"schemaVersion": 2, "mediaType": image.OCIManifest, "layers": []any{}, "annotations": annotations,
		"config": object{"mediaType": configMedia, "digest": d, "size": 2},
	})
}

func (s *site) index(tag string, annotations object, entries ...object) image.Digest {
	return s.add("manifests", image.OCIIndex, tag, object{
		"schemaVersion": 2, "mediaType": image.OCIIndex, "manifests": entries, "annotations": annotations,
	})
}

func entry(d image.Digest, platform string, annotations object) object {
	p, _ := image.ParsePlatform(platform)
	return object{
		"mediaType": image.OCIManifest, "digest": d, "size": 1, "annotations": annotations,
		"platform": object{"os": p.OS, "architecture": p.Architecture, "variant": p.Variant},
	}
}

func config(platform string, created any, labels any) object {
	p, _ := image.ParsePlatform(platform)
	return object{"os": p.OS, "architecture": p.Architecture, "created": created, "config": object{"Labels": labels}}
}

func TestFacts(t *testing.T) {
	w, s := newWorld(t), newShelf(t)
	w.https("ghcr.io", s)
	labels := map[string]string{image.AnnotationSource: "https://github.com/acme/api", image.AnnotationRevision: "1a2b", "maintainer": "carol"}
	body, _ := json.Marshal(config("linux/amd64", "2026-06-30T12:00:00.5+02:00", labels))
	blob := s.blob("acme/api", body)
	amd := s.put("/v2/acme/api/manifests/amd", image.OCIManifest, manifestFor(blob, len(body)))
	arm := s.image("acme/api", "arm", "linux/arm64")
	attestation := s.image("acme/api", "attestation", "linux/riscv64")
	list, _ := json.Marshal(object{
		"schemaVersion": 2, "mediaType": image.OCIIndex, "annotations": object{image.AnnotationVersion: "1.4.2", image.AnnotationRevision: "other", "own": "x"},
		"manifests": []object{entry(arm, "linux/arm64", nil), entry(amd, "linux/amd64", nil), entry(arm, "linux/arm64", nil), entry(attestation, "unknown/unknown", nil)},
	})
	digest := s.put("/v2/acme/api/manifests/1.4", image.OCIIndex, list)
	want := image.Facts{
		Digest: digest, MediaType: image.OCIIndex, Size: int64(len(list)),
		Platforms:   []image.Platform{{OS: "linux", Architecture: "arm64"}, {OS: "linux", Architecture: "amd64"}},
		Created:     time.Date(2026, 6, 30, 10, 0, 0, 500_000_000, time.UTC),
		Labels:      map[string]string{image.AnnotationSource: "https://github.com/acme/api", image.AnnotationRevision: "1a2b", "maintainer": "carol", image.AnnotationVersion: "1.4.2"},
		Annotations: map[string]string{image.AnnotationVersion: "1.4.2", image.AnnotationRevision: "other", "own": "x"},
	}
	c := w.client(Options{})
	for _, r := range []string{"ghcr.io/acme/api:1.4", "ghcr.io/acme/api@" + string(digest), "ghcr.io/acme/api:gone@" + string(digest), "ghcr.io/acme/api:1.4"} {
		got, err := c.Facts(t.Context(), ref(t, r))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v, facts (-want +got):\n%s", r, err, diff)
		}
		got.Labels["maintainer"], got.Annotations["own"], got.Platforms[0].OS = "changed", "by the", "caller"
	}
	if want.Source() != "https://github.com/acme/api" || want.Revision() != "1a2b" || want.Version() != "1.4.2" {
		t.Errorf("got %s, %s, %s", want.Source(), want.Revision(), want.Version())
	}
	wantRequests := []string{
		"GET ghcr.io/v2/", "GET ghcr.io/v2/acme/api/manifests/1.4", "GET ghcr.io/v2/acme/api/manifests/" + string(amd),
		"GET ghcr.io/v2/acme/api/blobs/" + string(blob),
	}
	if diff := cmp.Diff(wantRequests, w.requests()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	single, err := c.Facts(t.Context(), ref(t, "ghcr.io/acme/api@"+string(amd)))
	if err != nil || !slices.Equal(single.Platforms, []image.Platform{usual}) || single.Revision() != "1a2b" || len(single.Annotations) != 0 {
		t.Errorf("got %+v, %v", single, err)
	}
	_, err = c.Facts(t.Context(), ref(t, "ghcr.io/acme/api:none"))
	says(t, err, "describe ghcr.io/acme/api:none: manifest unknown")
	is(t, err, ErrNotFound)
}

// Who says what: the first that does is believed, from the configuration up to the index.
func TestFactsMissing(t *testing.T) {
	const when = "2026-06-30T12:00:00Z"
	s := newSite(t)
	gone := hash("sha256", []byte("gone"))
	s.docs["manifests/"+string(gone)], s.docs["blobs/"+string(gone)] = nil, nil
	full := s.manifest("", ociConfig, config("linux/amd64", when, object{"a": "label"}), object{"org.opencontainers.image.title": "manifest", "a": "annotation"})
	nested := s.index("", nil, entry(full, "linux/amd64", nil))
	for name, tc := range map[string]struct {
		digest    image.Digest
		platforms string
		created   bool
		labels    map[string]string
	}{
		"complete": {full, "linux/amd64", true, map[string]string{"a": "label", "org.opencontainers.image.title": "manifest"}},
		"docker":   {s.manifest("", dockerConfig, config("linux/arm64", when, nil), nil), "linux/arm64", true, nil},
		"entry speaks": {s.index("", object{image.AnnotationCreated: when}, entry(gone, "linux/amd64", object{image.AnnotationVersion: "1"})), "linux/amd64", true, map[string]string{
			image.AnnotationVersion: "1", image.AnnotationCreated: when,
		}},
		"first speaks":  {s.index("", nil, entry(full, "windows/amd64", nil), entry(gone, "linux/arm64", nil)), "windows/amd64 linux/arm64", true, map[string]string{"a": "label", "org.opencontainers.image.title": "manifest"}},
		"child gone":    {s.index("", nil, entry(gone, "linux/amd64", nil)), "linux/amd64", false, nil},
		"attestations":  {s.index("", nil, entry(gone, "unknown/unknown", nil)), "", false, nil},
		"empty index":   {s.index("", nil, []object{}...), "", false, nil},
		"nested index":  {s.index("", nil, entry(nested, "linux/amd64", nil)), "linux/amd64", false, nil},
		"an artifact":   {s.manifest("", "application/vnd.cncf.helm.config.v1+json", object{"name": "chart"}, nil), "", false, nil},
		"config gone":   {s.add("manifests", image.OCIManifest, "", object{"schemaVersion": 2, "config": object{"mediaType": ociConfig, "digest": gone}}), "", false, nil},
		"no config":     {s.add("manifests", image.OCIManifest, "", object{"schemaVersion": 2, "layers": []any{}}), "", false, nil},
		"config digest": {s.add("manifests", image.OCIManifest, "", object{"schemaVersion": 2, "config": object{"mediaType": ociConfig, "digest": "sha256:x"}}), "", false, nil},
		"no platform":   {s.manifest("", ociConfig, object{"architecture": ""}, nil), "", false, nil},
		"no clock":      {s.manifest("", ociConfig, config("linux/amd64", "1970-01-01T00:00:00Z", nil), nil), "linux/amd64", false, nil},
		"no date":       {s.manifest("", ociConfig, config("linux/amd64", "yesterday", nil), nil), "linux/amd64", false, nil},
		"date a number": {s.manifest("", ociConfig, config("linux/amd64", 7, nil), nil), "linux/amd64", false, nil},
		"labels a list": {s.manifest("", ociConfig, config("linux/amd64", when, []int{1}), nil), "linux/amd64", true, nil},
		"odd labels":    {s.manifest("", ociConfig, config("linux/amd64", when, object{"a": 1, "b": nil, "c": "d"}), nil), "linux/amd64", true, map[string]string{"c": "d"}},
		"config a list": {s.manifest("", ociConfig, object{"os": "linux", "architecture": "amd64", "config": []int{1}}, nil), "linux/amd64", false, nil},
		"odd annotations": {s.add("manifests", image.OCIIndex, "", object{
			"schemaVersion": 2, "manifests": []any{}, "annotations": object{image.AnnotationVersion: 1, image.AnnotationSource: "s"},
		}), "", false, map[string]string{image.AnnotationSource: "s"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			s.t = t
			w.https("ghcr.io", s)
			got, err := w.client(Options{}).Facts(t.Context(), ref(t, "ghcr.io/acme/api@"+string(tc.digest)))
			if err != nil {
				t.Fatal(err)
			}
			var platforms []string
			for _, p := range got.Platforms {
				platforms = append(platforms, p.String())
			}
			if strings.Join(platforms, " ") != tc.platforms || got.Created.IsZero() == tc.created || got.Digest != tc.digest {
				t.Errorf("got platforms %s, created %s of %s", platforms, got.Created, got.Digest)
			}
			if tc.labels == nil {
				tc.labels = map[string]string{}
			}
			if diff := cmp.Diff(tc.labels, got.Labels); diff != "" {
				t.Errorf("labels (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFactsRefused(t *testing.T) {
	huge := []byte(`{"os":"linux","a":"` + strings.Repeat("x", maxBody) + `"}`)
	for name, tc := range map[string]struct {
		spoil func(s *site, blob, manifest string)
		kind  error
		say   string
	}{
		"lying configuration": {func(s *site, blob, _ string) { s.docs[blob] = []byte(`{"os":"linux","architecture":"amd64"}`) }, ErrRefused, "was asked for, and the bytes are"},
		"lying child":         {func(s *site, _, manifest string) { s.docs[manifest] = plainManifest }, ErrRefused, "was asked for, and the bytes are"},
		"not JSON": {func(s *site, blob, manifest string) {
			child := s.manifest("", ociConfig, []byte("<html>"), nil)
			s.index("1", nil, entry(child, "linux/amd64", nil))
		}, ErrRefused, "the configuration: it is not JSON"},
		"huge configuration": {func(s *site, blob, manifest string) {
			child := s.manifest("", ociConfig, huge, nil)
			s.index("1", nil, entry(child, "linux/amd64", nil))
		}, ErrRefused, "more than 4 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			w, s := newWorld(t), newSite(t)
			w.https("ghcr.io", s)
			doc := config("linux/amd64", "2026-06-30T12:00:00Z", object{})
			blob := s.add("blobs", "", "", doc)
			child := s.manifest("", ociConfig, doc, nil)
			s.index("1", nil, entry(child, "linux/amd64", nil))
			tc.spoil(s, "blobs/"+string(blob), "manifests/"+string(child))
			_, err := w.client(Options{}).Facts(t.Context(), ref(t, "ghcr.io/acme/api:1"))
			says(t, err, "describe ghcr.io/acme/api:1: ", tc.say)
			is(t, err, tc.kind)
		})
	}
}

// A configuration often lies at another host. It gets no credentials, and is not looked
// for where a server may not look.
func TestFactsRedirected(t *testing.T) {
	doc, _ := json.Marshal(config("linux/amd64", "2026-06-30T12:00:00Z", object{"a": "b"}))
	for to, say := range map[string]string{
		"https://cdn.example.net/blob?X-Signature=s":       "",
		"https://registry.example.com/storage/blob":        "",
		"http://cdn.example.net/blob":                      "from https to http:",
		"http://127.0.0.1/blob":                            "from https to http:",
		"https://canary-token@cdn.example.net/blob":        "user name",
		"file:///etc/passwd":                               "from https to file:",
		"https://private.corp/v2/acme/api/blobs/sha256:aa": "private registry",
	} {
		t.Run(to, func(t *testing.T) {
			w, s := newWorld(t), newSite(t)
			s.manifest("1", ociConfig, doc, nil)
			serve := http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write(doc) })
			w.https("registry.example.com", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				switch {
				case r.Header.Get("Authorization") == "":
					rw.Header().Set("WWW-Authenticate", "Basic realm=x")
					rw.WriteHeader(http.StatusUnauthorized)
				case strings.HasPrefix(r.URL.Path, "/storage/"):
					serve(rw, r)
				case strings.Contains(r.URL.Path, "/blobs/"):
					rw.Header().Set("Set-Cookie", "a=canary-cookie; Domain=example.net")
					http.Redirect(rw, r, to, http.StatusTemporaryRedirect)
				default:
					s.ServeHTTP(rw, r)
				}
			}))
			w.https("cdn.example.net", serve)
			w.https("private.corp", serve)
			w.http("cdn.example.net", serve)
			w.http("127.0.0.1", serve)
			w.keys["registry.example.com"] = authn.AuthConfig{Username: user, Password: password}
			c := w.client(Options{AllowPrivate: []string{"private.corp"}})
			c.hosts.server = true // with the world's dialler
			got, err := c.Facts(t.Context(), ref(t, "registry.example.com/acme/api:1"))
			if say != "" {
				says(t, err, "configuration sha256:", say)
				is(t, err, ErrRefused)
			} else if err != nil || got.Labels["a"] != "b" {
				t.Errorf("got %+v, %v", got, err)
			}
			w.leaked(append(secrets, "canary-cookie"), "registry.example.com")
		})
	}
}

// The dial guard holds for blobs: a server does not connect where the storage's name
// leads inside.
func TestFactsGuarded(t *testing.T) {
	w, s := newWorld(t), newSite(t)
	s.manifest("1", ociConfig, config("linux/amd64", nil, nil), nil)
	w.https("registry.corp", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/blobs/") {
			http.Redirect(rw, r, "https://storage.example.net:"+strings.Split(r.Host, ":")[1]+"/blob", http.StatusTemporaryRedirect)
			return
		}
		s.ServeHTTP(rw, r)
	}))
	host := "registry.corp:" + strings.Split(w.addrs["registry.corp:443"], ":")[1]
	c := w.client(Options{Server: true, Transport: w.transport(), Resolver: always("127.0.0.1").resolver(), AllowPrivate: []string{host}})
	_, err := c.Facts(t.Context(), ref(t, host+"/acme/api:1"))
	says(t, err, "refused to dial 127.0.0.1: loopback address")
	is(t, err, ErrRefused)
}

func TestWords(t *testing.T) {
	many := object{}
	for i := range 1000 {
		many[fmt.Sprintf("k%04d", i)] = "v"
	}
	heavy := object{"z": "small"}
	for i := range 100 {
		heavy[fmt.Sprintf("k%02d", i)] = strings.Repeat("v", maxValue)
	}
	for name, tc := range map[string]struct {
		in    any
		count int
		bytes int
	}{
		"none":       {nil, 0, 0},
		"text":       {"x", 0, 0},
		"a few":      {object{"a": "b", "c": "é\x00"}, 2, 6},
		"many":       {many, maxWords, maxWords * 6},
		"heavy":      {heavy, 16, 15*(maxValue+3) + 6},
		"long key":   {object{strings.Repeat("k", maxKey+1): "v", strings.Repeat("k", maxKey): "v"}, 1, maxKey + 1},
		"long value": {object{"k": strings.Repeat("v", maxValue+1)}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := json.Marshal(tc.in)
			if err != nil {
				t.Fatal(err)
			}
			var w words
			if err := json.Unmarshal(b, &w); err != nil {
				t.Fatal(err)
			}
			bytes := 0
			for k, v := range w {
				bytes += len(k) + len(v)
			}
			if len(w) != tc.count || bytes != tc.bytes {
				t.Errorf("got %d words of %d bytes, want %d of %d", len(w), bytes, tc.count, tc.bytes)
			}
		})
	}
}
