package image

import (
	"strings"
	"testing"
)

var (
	hex64  = strings.Repeat("a", 64)
	sha256 = "sha256:" + hex64
	sha512 = "sha512:" + strings.Repeat("b", 128)
)

func TestParse(t *testing.T) {
	for _, tc := range []struct {
		in, name, tag, digest string
		repository, registry  string
	}{
		{"nginx", "nginx", "", "", "docker.io/library/nginx", "docker.io"},
		{"nginx:1.25", "nginx", "1.25", "", "docker.io/library/nginx", "docker.io"},
		{"bitnami/redis:7", "bitnami/redis", "7", "", "docker.io/bitnami/redis", "docker.io"},
		{"docker.io/nginx", "docker.io/nginx", "", "", "docker.io/library/nginx", "docker.io"},
		{"index.docker.io/library/nginx:1", "index.docker.io/library/nginx", "1", "", "docker.io/library/nginx", "docker.io"},
		{"ghcr.io/acme/shop:1.4@" + sha256, "ghcr.io/acme/shop", "1.4", sha256, "ghcr.io/acme/shop", "ghcr.io"},
		{"ghcr.io/acme/shop@" + sha256, "ghcr.io/acme/shop", "", sha256, "ghcr.io/acme/shop", "ghcr.io"},
		{"a/b@" + sha512, "a/b", "", sha512, "docker.io/a/b", "docker.io"},
		{"localhost/x:1", "localhost/x", "1", "", "localhost/x", "localhost"},
		{"localhost:5000/x", "localhost:5000/x", "", "", "localhost:5000/x", "localhost:5000"},
		{"r.io:5000/a/b/c:1", "r.io:5000/a/b/c", "1", "", "r.io:5000/a/b/c", "r.io:5000"},
		{"[::1]:5000/x:1", "[::1]:5000/x", "1", "", "[::1]:5000/x", "[::1]:5000"},
		{"[2001:db8::1]/x", "[2001:db8::1]/x", "", "", "[2001:db8::1]/x", "[2001:db8::1]"},
		{"a__b/c-d--e.f_g:V1.0-rc_1", "a__b/c-d--e.f_g", "V1.0-rc_1", "", "docker.io/a__b/c-d--e.f_g", "docker.io"},
	} {
		t.Run(tc.in, func(t *testing.T) {
			r, err := Parse(tc.in)
			if err != nil {
				t.Fatal(err)
			}
			if r.Name != tc.name || r.Tag != tc.tag || string(r.Digest) != tc.digest {
				t.Errorf("got %+v", r)
			}
			if r.Repository() != tc.repository || r.Registry() != tc.registry {
				t.Errorf("repository %s at %s, want %s at %s", r.Repository(), r.Registry(), tc.repository, tc.registry)
			}
			if r.String() != tc.in {
				t.Errorf("prints as %s", r)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"":                              "empty",
		"@" + sha256:                    "no name",
		"a:":                            "want a tag",
		"a b":                           `holds ' '`,
		"a/B:1":                         "upper case",
		"a//b":                          "empty component",
		"a/b/":                          "empty component",
		"/a":                            "empty component",
		"-a":                            "must start and end",
		"a-":                            "must start and end",
		"a___b":                         "holds '_'",
		"a..b":                          "holds '.'",
		"a._b":                          "one separator",
		"a:" + strings.Repeat("t", 129): "more than 128",
		"a:.1":                          `starts with "."`,
		"a:1 ":                          `holds ' '`,
		"a:é":                           `holds 'é'`,
		"a@sha256:" + hex64[1:]:         "63 digits",
		"a@sha256:" + strings.ToUpper(hex64[:63]) + "A": "lowercase",
		"a@md5:" + hex64:          "not sha256",
		"a@" + hex64:              "no algorithm",
		"foo@bar":                 "no algorithm",
		hex64:                     "image id",
		"r.io:x/a":                "port that is not a number",
		"r.io:123456/a":           "port that is not a number",
		"-r.io/a":                 "not a host name",
		"r..io/a":                 "not a host name",
		"r_.io/a":                 "holds '_'",
		"[::1/a":                  "no closing bracket",
		"[1.2.3.4]/a":             "not an IPv6",
		"[fe80::1%eth0]/a":        "not an IPv6",
		"[::1]x/a":                "after its bracket",
		"{{ .Values.image }}":     "holds '{'",
		"${REGISTRY}/a:1":         "holds '$'",
		"https://r.io/a":          "port that is not a number",
		strings.Repeat("a/", 200): "more than 255", strings.Repeat("0", 238): "more than 255",
		"a:1@" + sha256 + "@x": "digits",
	} {
		if _, err := Parse(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q): %v, want an error that holds %q", in, err, want)
		}
	}
}

func TestWithDigest(t *testing.T) {
	for in, want := range map[string]string{
		"nginx":              "nginx:latest@" + sha256,
		"nginx:1":            "nginx:1@" + sha256,
		"nginx@" + sha512:    "nginx@" + sha256,
		"nginx:1@" + sha512:  "nginx:1@" + sha256,
		"docker.io/nginx:1":  "docker.io/nginx:1@" + sha256,
		"localhost:5000/a/b": "localhost:5000/a/b:latest@" + sha256,
	} {
		r, err := Parse(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.WithDigest(Digest(sha256)).String(); got != want {
			t.Errorf("%s with a digest is %s, want %s", in, got, want)
		}
	}
}

func TestPlatform(t *testing.T) {
	for _, in := range []string{"linux", "linux/", "/amd64", "linux/arm/v7/x", "linux /amd64", ""} {
		if p, ok := ParsePlatform(in); ok {
			t.Errorf("ParsePlatform(%q) is %v", in, p)
		}
	}
	for _, tc := range []struct {
		asked, has string
		want       bool
	}{
		{"linux/amd64", "linux/amd64", true},
		{"linux/arm64", "linux/arm64/v8", true},
		{"linux/arm64/v8", "linux/arm64", true},
		{"linux/arm/v6", "linux/arm/v7", false},
		{"linux/amd64", "windows/amd64", false},
	} {
		a, _ := ParsePlatform(tc.asked)
		b, _ := ParsePlatform(tc.has)
		if a.Matches(b) != tc.want || a.String() != tc.asked {
			t.Errorf("%s matches %s: %v", a, b, !tc.want)
		}
	}
}

// FuzzParse: no panic, and what parses prints back to the same bytes.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"nginx", "a/b:1@" + sha256, "[::1]:5000/x", "r.io:5000/a:1", "a@" + sha512, "${X}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := Parse(s)
		if err != nil {
			return
		}
		if r.String() != s {
			t.Errorf("%q prints as %q", s, r)
		}
		if again, err := Parse(r.Repository() + ":" + r.TagOrLatest()); err != nil || again.Repository() != r.Repository() {
			t.Errorf("the canonical form %q of %q: %v", r.Tagged(), s, err)
		}
	})
}
