package registry

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
)

func TestTags(t *testing.T) {
	w, s := newWorld(t), newShelf(t)
	w.https("ghcr.io", s)
	for _, tag := range []string{"1.4", "1.5", "latest"} {
		s.image("acme/api", tag, "linux/amd64")
	}
	c := w.client(Options{})
	for range 2 {
		got, err := c.Tags(t.Context(), ref(t, "ghcr.io/acme/api:1.4"))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"1.4", "1.5", "latest"}, got); diff != "" {
			t.Errorf("tags (-want +got):\n%s", diff)
		}
		got[0] = "changed by the caller"
	}
	if diff := cmp.Diff([]string{"GET ghcr.io/v2/", "GET ghcr.io/v2/acme/api/tags/list"}, w.requests()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if got := w.log[1].query; got != "n=1000" {
		t.Errorf("asked with %q, want n=1000", got)
	}
	_, err := c.Tags(t.Context(), ref(t, "ghcr.io/acme/none"))
	says(t, err, "list tags of ghcr.io/acme/none: repository unknown")
	is(t, err, ErrNotFound)
}

// pages serves a list of tags, n on a page, with links of the form that is given: %s is
// the query of the next page.
func pages(t *testing.T, tags []string, n int, link string) http.Handler {
	return ping(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v2/acme/api/tags/list" {
			t.Errorf("asked for %s", r.URL)
		}
		from := 0
		if last := r.URL.Query().Get("last"); last != "" {
			from = slices.Index(tags, last) + 1
		}
		page := tags[from:min(from+n, len(tags))]
		if from+n < len(tags) {
			w.Header().Set("Link", strings.ReplaceAll(link, "%s", "n="+strconv.Itoa(n)+"&last="+page[len(page)-1]))
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"name": "acme/api", "tags": page})
	})
}

func numbered(n int) []string {
	var tags []string
	for i := range n {
		tags = append(tags, fmt.Sprint("main-", i))
	}
	return tags
}

func TestTagPages(t *testing.T) {
	all := numbered(25)
	sorted := slices.Sorted(slices.Values(all))
	for link, say := range map[string]string{
		`</v2/acme/api/tags/list?%s>; rel="next"`:                                          "",
		`</v2/acme/api/tags/list?%s>; rel=next`:                                            "",
		`<?%s>;title="a, <b>";REL="prev Next"`:                                             "",
		`</first>; rel="first", </v2/acme/api/tags/list?%s>; rel="next", </l>; rel="last"`: "",
		`<https://registry.example.com/v2/acme/api/tags/list?%s>; rel="next"`:              "",
		`<https://REGISTRY.example.com:8443/elsewhere?%s>; rel="next"`:                     "",
		`<http://registry.example.com/v2/acme/api/tags/list?%s>; rel="next"`:               "",
		`<https://evil.example.com/v2/acme/api/tags/list?%s>; rel="next"`:                  "evil.example.com, which is another host",
		`<//evil.example.com/v2/acme/api/tags/list?%s>; rel="next"`:                        "another host",
		`<https://registry.example.com.evil.example/?%s>; rel="next"`:                      "another host",
		`<https://canary-token@registry.example.com/?%s>; rel="next"`:                      "no plain address",
		`<file:///etc/passwd?%s>; rel="next"`:                                              "no plain address",
		`<mailto:a?%s>; rel="next"`:                                                        "no plain address",
		`<https://[::1?%s>; rel="next"`:                                                    "is no address",
		`</v2/acme/api/tags/list>; rel="next"`:                                             "names no page",
		"</v2/acme/api/tags/list?%s&é>; rel=\"next\"":                                      "names no page",
		`</v2/acme/api/tags/list?%s&` + strings.Repeat("x", maxQuery) + `>; rel="next"`:    "names no page",
	} {
		t.Run(link[:min(len(link), 80)], func(t *testing.T) {
			w := newWorld(t)
			w.https("registry.example.com", pages(t, all, 10, link))
			w.https("evil.example.com", pages(t, all, 10, link))
			w.keys["registry.example.com"] = authn.AuthConfig{Username: user, Password: password}
			got, err := w.client(Options{}).Tags(t.Context(), ref(t, "registry.example.com/acme/api"))
			if say != "" {
				says(t, err, "list tags of registry.example.com/acme/api: refused", say)
				is(t, err, ErrRefused)
				if strings.Contains(err.Error(), "canary") {
					t.Errorf("the message holds a secret: %v", err)
				}
			} else if diff := cmp.Diff(sorted, got); err != nil || diff != "" {
				t.Errorf("got %v, tags (-want +got):\n%s", err, diff)
			}
			w.leaked(secrets, "registry.example.com")
			if n := w.count("GET evil.example.com"); n != 0 {
				t.Errorf("the other host was asked %d times", n)
			}
		})
	}
}

func TestTagBounds(t *testing.T) {
	const link = `</v2/acme/api/tags/list?%s>; rel="next"`
	turn := 0
	for name, tc := range map[string]struct {
		site http.HandlerFunc
		most int // requests, the ping included
		say  string
	}{
		"as many as may be": {pages(t, numbered(maxTags), maxTags/10, link).ServeHTTP, 11, ""},
		"too many tags":     {pages(t, numbered(maxTags+1), maxTags/10, link).ServeHTTP, 12, "more than 50000 tags"},
		"endless pages": {ping(func(w http.ResponseWriter, _ *http.Request) {
			turn++
			w.Header().Set("Link", fmt.Sprintf(`</?page=%d>; rel="next"`, turn))
			fmt.Fprint(w, `{"tags":["1"]}`)
		}), maxPages + 1, "more than 500 pages"},
		"the same page": {ping(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Link", `</?page=2>; rel="next"`)
			fmt.Fprint(w, `{"tags":["1"]}`)
		}), 3, "one that was read"},
		"a huge page": {ping(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"tags":["`+strings.Repeat("x", maxBody)+`"]}`)
		}), 2, "more than 4 MiB"},
		"no JSON":    {ping(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `<html>`) }), 2, "not JSON of tags"},
		"other JSON": {ping(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"tags":[1]}`) }), 2, "not JSON of tags"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.https("ghcr.io", tc.site)
			got, err := w.client(Options{}).Tags(t.Context(), ref(t, "ghcr.io/acme/api"))
			if tc.say == "" {
				if err != nil || len(got) != maxTags {
					t.Errorf("got %d tags, %v", len(got), err)
				}
			} else {
				says(t, err, tc.say)
				is(t, err, ErrRefused)
			}
			if n := len(w.requests()); n > tc.most {
				t.Errorf("sent %d requests, want at most %d", n, tc.most)
			}
		})
	}
}

func TestTagGrammar(t *testing.T) {
	w := newWorld(t)
	w.https("ghcr.io", ping(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/none/") {
			fmt.Fprint(w, `{"name":"acme/none","tags":null}`)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"tags": []string{
			"1", "1", "", ".a", "-a", "a b", "a/b", "a:b", "a@sha256", "1@sha256:" + strings.Repeat("a", 64), "é", "a\n", strings.Repeat("x", 129), strings.Repeat("y", 128), "_ok",
		}})
	}))
	c := w.client(Options{})
	got, err := c.Tags(t.Context(), ref(t, "ghcr.io/acme/api"))
	if diff := cmp.Diff([]string{"1", "_ok", strings.Repeat("y", 128)}, got); err != nil || diff != "" {
		t.Errorf("got %v, tags (-want +got):\n%s", err, diff)
	}
	if got, err := c.Tags(t.Context(), ref(t, "ghcr.io/acme/none")); err != nil || len(got) != 0 {
		t.Errorf("got %q, %v; want no tags", got, err)
	}
}
