package importtest

// A rule says what one package may import, besides the standard library.
type rule struct {
	pkg      string   // path below the module: "internal/image"
	internal []string // packages of this module that it may import
	third    []string // import path prefixes of other modules; a prefix ends at a slash or the end
	pure     bool     // no I/O, no clock, no context, no goroutine
	without  []string // packages of the standard library that it never imports
	tests    []string // what its _test.go files may import besides, of either kind
}

// free may be imported by every package.
var free = []string{"golang.org/x/text", "golang.org/x/sync"}

// impure are the parts of the standard library that a pure package never imports.
var impure = []string{"os", "net", "database", "log", "syscall", "math/rand", "context", "io/ioutil", "os/exec", "plugin"}

// values are packages below those of impure that hold values and reach nothing.
var values = []string{"net/netip", "net/url"}

// anyTest may be imported by every test.
var anyTest = []string{"github.com/google/go-cmp", "github.com/rogpeppe/go-internal", "golang.org/x/tools/txtar", "github.com/google/go-containerregistry/pkg/registry"}

const (
	ggcr       = "github.com/google/go-containerregistry"
	gogit      = "github.com/go-git/go-git/v5/plumbing/"
	gogitAll   = "github.com/go-git/go-git/v5"
	gobilly    = "github.com/go-git/go-billy/v5"
	gogithub   = "github.com/google/go-github/v60/github"
	cel        = "github.com/google/cel-go"
	cron       = "github.com/robfig/cron/v3"
	kinopenapi = "github.com/getkin/kin-openapi"
	kyaml      = "sigs.k8s.io/kustomize/kyaml/yaml"
	doublestar = "github.com/bmatcuk/doublestar/v4"
	jsonschema = "github.com/santhosh-tekuri/jsonschema/v6"
	distance   = "github.com/agnivade/levenshtein"
	semver     = "github.com/Masterminds/semver/v3"
	sarif      = "github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
	pretty     = "github.com/jedib0t/go-pretty/v6"
	colour     = "github.com/fatih/color"
	udiff      = "github.com/aymanbagabas/go-udiff"
	river      = "github.com/riverqueue/river"
	prometheus = "github.com/prometheus/client_golang/prometheus"
	otel       = "go.opentelemetry.io/otel"
	otelExtra  = "go.opentelemetry.io/contrib"
	ratelimit  = "golang.org/x/time/rate"
	lrucache   = "github.com/hashicorp/golang-lru/v2"
)

var rules = []rule{
	{pkg: "internal/image", pure: true},
	{pkg: "internal/promotion", pure: true, internal: []string{"internal/image"}},
	{pkg: "internal/manifest", pure: true, internal: []string{"internal/image"}, third: []string{kyaml}},
	{pkg: "internal/document", pure: true, third: []string{kyaml, jsonschema, distance, doublestar}},
	{
		pkg: "internal/config", pure: true, internal: []string{"internal/image", "internal/document"},
		third: []string{kyaml, doublestar, semver}, tests: []string{jsonschema},
	},
	{
		pkg: "internal/plan", pure: true, internal: []string{"internal/image", "internal/promotion", "internal/manifest", "internal/config"},
		third: []string{semver, doublestar},
	},
	{
		pkg: "internal/check", pure: true, internal: []string{"internal/image", "internal/manifest", "internal/plan"},
		tests: []string{kyaml},
	},
	{pkg: "internal/dir", third: []string{gogit + "format/gitignore", gogit + "format/index", "golang.org/x/sys/unix"}, tests: []string{gogit + "filemode"}},
	{
		pkg: "internal/registry", internal: []string{"internal/image"},
		third: []string{ggcr, "golang.org/x/net/publicsuffix", lrucache}, tests: []string{"golang.org/x/net/dns/dnsmessage"},
	},
	{pkg: "internal/policy/condition", pure: true, internal: []string{"internal/image", "internal/promotion"}, third: []string{cel, semver, doublestar}},
	{pkg: "internal/policy/approval", pure: true, internal: []string{"internal/promotion"}},
	{
		pkg: "internal/policy", pure: true, internal: []string{"internal/image", "internal/promotion", "internal/document", "internal/policy/condition", "internal/policy/approval"},
		third: []string{kyaml, doublestar, cron},
		tests: []string{"internal/policy/scenario", "policies"},
	},
	{
		pkg: "internal/policy/scenario", pure: true,
		internal: []string{"internal/image", "internal/promotion", "internal/config", "internal/rulebook", "internal/policy", "internal/policy/condition", "internal/policy/approval"},
		third:    []string{kyaml, distance, "golang.org/x/tools/txtar"}, tests: []string{"policies"},
	},
	{pkg: "internal/record", pure: true, internal: []string{"internal/image", "internal/promotion"}},
	{pkg: "internal/command", pure: true, internal: []string{"internal/image", "internal/promotion"}},
	{
		pkg: "internal/rulebook", pure: true,
		internal: []string{"internal/image", "internal/promotion", "internal/document", "internal/config", "internal/policy"},
	},
	{
		pkg: "internal/guard", pure: true,
		internal: []string{"internal/image", "internal/promotion", "internal/document", "internal/config", "internal/policy", "internal/policy/approval", "internal/rulebook", "internal/command"},
	},
	{
		pkg: "internal/reference", pure: true,
		internal: []string{"internal/image", "internal/manifest", "internal/plan", "internal/check", "internal/config", "internal/policy", "internal/policy/condition", "internal/command"},
		third:    []string{kyaml},
	},
	{pkg: "policies", tests: []string{"internal/policy", "internal/policy/scenario", "internal/promotion"}},
	{pkg: "internal/git", third: []string{gogitAll, gobilly}},
	{
		pkg: "internal/github", internal: []string{"internal/promotion", "internal/image"},
		third: []string{gogithub, "github.com/cenkalti/backoff/v5"},
		tests: []string{"internal/sandbox", "internal/openapi"},
	},
	{
		pkg:      "internal/reconcile",
		internal: []string{"internal/image", "internal/promotion", "internal/manifest", "internal/config", "internal/plan", "internal/check", "internal/message", "internal/record", "internal/onboard", "internal/git"},
		without:  []string{"os", "net", "database/sql"},
		tests:    []string{"internal/sandbox", "internal/github", "internal/registry", "internal/openapi"},
	},
	{
		pkg: "internal/verdict",
		internal: []string{
			"internal/image", "internal/promotion", "internal/document", "internal/manifest", "internal/config", "internal/plan", "internal/check", "internal/message", "internal/git",
			"internal/record", "internal/command", "internal/rulebook", "internal/guard", "internal/policy", "internal/policy/approval", "internal/policy/condition", "internal/reconcile",
		},
		without: []string{"os", "net", "database/sql"},
		tests:   []string{"internal/sandbox", "internal/github", "internal/registry", "internal/openapi"},
	},
	{
		pkg: "internal/report", internal: []string{"internal/image", "internal/promotion", "internal/manifest", "internal/plan", "internal/check"},
		third: []string{sarif, pretty, colour, udiff}, without: []string{"os", "net"},
	},
	{
		pkg:      "internal/cli",
		internal: []string{"internal/image", "internal/manifest", "internal/config", "internal/plan", "internal/check", "internal/dir", "internal/registry", "internal/promotion", "internal/git", "internal/github", "internal/reconcile", "internal/verdict", "internal/record", "internal/command", "internal/rulebook", "internal/guard", "internal/message", "internal/report", "internal/sandbox", "internal/policy", "internal/policy/scenario", "policies", "testdata", "internal/event", "internal/store", "internal/queue", "internal/watch", "internal/server", "internal/setup", "internal/doctor", "internal/onboard", "internal/telemetry", "internal/fleet", "internal/action", "internal/reference"},
		third:    []string{"github.com/cli/browser", "github.com/spf13/cobra", "github.com/spf13/pflag", colour, distance, "github.com/schollz/progressbar/v3", "golang.org/x/term"},
	},
	{pkg: "internal/action", internal: []string{"internal/image", "internal/promotion"}, third: []string{distance}, without: []string{"net", "database/sql"}},
	{pkg: "internal/event", pure: true},
	{
		pkg: "internal/store", internal: []string{"internal/event", "internal/image", "internal/promotion"},
		third: []string{"modernc.org/sqlite", "github.com/jackc/pgx/v5", "github.com/pressly/goose/v3", river, prometheus},
		tests: []string{"internal/store/postgres"},
	},
	{pkg: "internal/store/postgres", third: []string{"github.com/jackc/pgx/v5"}},
	{
		pkg: "internal/queue", internal: []string{"internal/event", "internal/store", "internal/promotion"},
		third: []string{river}, tests: []string{"internal/store/postgres"},
	},
	{
		pkg: "internal/watch", internal: []string{"internal/event", "internal/image", "internal/promotion", "internal/message"},
		third: []string{ratelimit}, tests: []string{"internal/store", "internal/store/postgres", "internal/registry", "internal/sandbox"},
	},
	{
		pkg: "internal/server", internal: []string{"internal/event", "internal/github", "internal/promotion", "internal/image"},
		third: []string{ratelimit, otelExtra + "/instrumentation/net/http/otelhttp"}, tests: []string{"internal/sandbox", "internal/store", "internal/queue"},
	},
	{
		pkg: "internal/setup", internal: []string{"internal/github", "internal/promotion"},
		third: []string{kyaml}, tests: []string{"internal/sandbox"},
	},
	{
		pkg: "internal/doctor", internal: []string{"internal/image", "internal/promotion", "internal/config", "internal/rulebook", "internal/policy", "internal/plan"},
		tests: []string{"internal/sandbox", "internal/github"},
	},
	{
		pkg: "internal/onboard", pure: true, internal: []string{"internal/image", "internal/promotion", "internal/manifest", "internal/config", "internal/plan", "internal/message"},
	},
	{
		pkg: "internal/telemetry", internal: []string{"internal/event"},
		third: []string{prometheus, otel, otelExtra}, tests: []string{kyaml, "sigs.k8s.io/yaml"},
	},
	{
		pkg: "internal/fleet",
		internal: []string{
			"internal/event", "internal/image", "internal/promotion", "internal/config", "internal/plan", "internal/git", "internal/github", "internal/registry", "internal/message",
			"internal/reconcile", "internal/verdict", "internal/onboard",
		},
		third: []string{otel, lrucache}, tests: []string{"internal/sandbox"},
	},
	{
		pkg:   "internal/proof",
		tests: []string{"internal/cli", "internal/event", "internal/github", "internal/promotion", "internal/sandbox", "internal/store", "internal/store/postgres", "internal/queue", "internal/watch", "modernc.org/sqlite", "github.com/jackc/pgx/v5"},
	},
	{pkg: "internal/message", pure: true, internal: []string{"internal/image", "internal/promotion"}, tests: []string{"github.com/yuin/goldmark"}},
	{pkg: "internal/openapi", third: []string{kinopenapi}},
	{
		pkg: "internal/sandbox", internal: []string{"internal/promotion", "internal/image", "internal/git", "internal/sandbox/smarthttp"},
		third: []string{gogitAll, gobilly, gogithub, ggcr}, tests: []string{"internal/openapi"},
	},
	{pkg: "internal/sandbox/smarthttp", third: []string{gogitAll, gobilly}},
	{
		pkg:      "internal/bench",
		internal: []string{"internal/image", "internal/promotion", "internal/config", "internal/plan", "internal/git", "internal/reconcile"},
		third:    []string{kyaml, pretty, gogitAll, gobilly},
	},
	{pkg: "internal/bench/serve", internal: []string{"internal/sandbox", "internal/promotion"}, third: []string{pretty, ggcr}},
	{pkg: "internal/importtest", tests: []string{"github.com/yuin/goldmark"}},
	{pkg: "deploy/action", tests: []string{"internal/action"}},
	{pkg: "cmd/pinnace", internal: []string{"internal/cli"}, tests: []string{"internal/promotion", "internal/sandbox", "internal/store/postgres", "internal/event", ggcr}},
}
