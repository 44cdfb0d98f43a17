package importtest

// A rule says what one package may import, besides the standard library.
type rule struct {
	pkg      string   // path below the module: "internal/image"
	internal []string // packages of this module that it may import
	third    []string // import path prefixes of other modules; a prefix ends at a slash or the end
	pure     bool     // no I/O, no clock, no context, no goroutine
	tests    []string // what its _test.go files may import besides, of either kind
}

// free may be imported by every package.
var free = []string{"golang.org/x/text", "golang.org/x/sync"}

// impure are the parts of the standard library that a pure package never imports.
var impure = []string{"os", "net", "database", "log", "syscall", "math/rand", "context", "io/ioutil", "os/exec", "plugin"}

// values are packages below those of impure that hold values and reach nothing.
var values = []string{"net/netip", "net/url"}

// anyTest may be imported by every test.
var anyTest = []string{"github.com/google/go-cmp", "github.com/rogpeppe/go-internal", "github.com/google/go-containerregistry/pkg/registry"}

const (
	ggcr       = "github.com/google/go-containerregistry"
	kyaml      = "sigs.k8s.io/kustomize/kyaml/yaml"
	doublestar = "github.com/bmatcuk/doublestar/v4"
	jsonschema = "github.com/santhosh-tekuri/jsonschema/v6"
	distance   = "github.com/agnivade/levenshtein"
	semver     = "github.com/Masterminds/semver/v3"
)

var rules = []rule{
	{pkg: "internal/image", pure: true},
	{pkg: "internal/manifest", pure: true, internal: []string{"internal/image"}, third: []string{kyaml, doublestar}},
	{
		pkg: "internal/config", pure: true, internal: []string{"internal/image"},
		third: []string{kyaml, doublestar, jsonschema, semver, distance},
	},
	{
		pkg: "internal/registry", internal: []string{"internal/image"},
		third: []string{ggcr, "golang.org/x/net", "golang.org/x/time"},
	},
	{pkg: "internal/importtest"},
	{pkg: "cmd/pinnace", internal: []string{"internal/cli"}},
}
