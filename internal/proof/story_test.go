package proof

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// A step is what people do, with what must have come of it once Pinnace is at rest.
type step struct {
	name string
	do   func(*story)
	then func(*story)
}

// A tale is how a story begins, and its steps.
type tale struct {
	begin func(testing.TB) *story
	steps []step
}

// A story is told in two repositories: one that Pinnace looks after, and a new one; or in config
// alone.
type story struct {
	*world
	config *sandbox.Repository
	line   *sandbox.Repository // its main has a merge queue, and wants signatures
	fresh  *sandbox.Repository // nobody has configured it
	issue  int                 // where people ask
	review int64               // carol's, in line

	flags  []string // of its processes
	h      *host    // set while it is told with kills
	images bool     // registries are watched: what is known of them is part of the ending

	woken    time.Time // when a process was last told to begin a round
	looked   time.Time // when something was still due
	told     time.Time // when a registry told of shop:1.4, zero: it did not
	launched int       // processes until then
}

const (
	devFile     = "envs/dev/shop.yaml"
	stagingFile = "envs/staging/shop.yaml"
	prodFile    = "envs/prod/shop.yaml"
)

// newStory makes a world with shop 1.0 everywhere, pinned.
func newStory(t testing.TB) *story {
	t.Helper()
	s := &story{world: newWorld(t, sandbox.Options{T: t})}
	s.push("shop:1.0")
	s.push("shop:1.1")
	s.config = s.repository("config", map[string]string{
		".pinnace/config.yaml":        s.configuration(),
		".pinnace/policies/prod.yaml": onePerson,
		devFile:                       deployment("shop", "{shop:1.0}"),
		stagingFile:                   deployment("shop", "{shop:1.0}"),
		prodFile:                      deployment("shop", "{shop:1.0}"),
	})
	s.line = s.repository("line", map[string]string{
		".pinnace/config.yaml":          strings.NewReplacer("deploy: command", "deploy: auto", `, track: [{images: ["ghcr.io/acme/*"], semver: "1.x"}]`, "").Replace(s.configuration()),
		".pinnace/policies/prod.yaml":   onePerson,
		".pinnace/policies/pinned.yaml": pinned,
		devFile:                         deployment("shop", "{shop:1.0}"),
		stagingFile:                     deployment("shop", "{shop:1.1}"),
		prodFile:                        deployment("shop", "{shop:1.0}"),
	})
	s.line.Protect("main", sandbox.Protection{Rules: promotion.Rules{
		PullRequest: true, SignedCommits: true, MergeQueue: true, Checks: []promotion.RequiredCheck{{Context: "pinnace/promotion", App: s.app.ID()}},
	}})
	s.line.Protect("pinnace/**", sandbox.Protection{Rules: promotion.Rules{SignedCommits: true}})
	s.app.Install("acme", "config", "line")
	s.installed = []string{"acme/config", "acme/line"}
	return s
}

const pinned = `apiVersion: pinnace.dev/v1alpha1
kind: PullImageDigestPolicy
name: pinned
environments: [staging]
`

// promotions is the story of one promotion after the other.
var promotions = tale{newStory, steps}

// steps are the story: a push moves an image, a person asks for it further on, somebody approves,
// it is deployed and audited; it is rolled back, brought back by breaking the glass, and a new
// repository is taken on.
var steps = []step{
	{"begin", func(*story) {}, nil},
	{"a push brings an image by its tag", func(s *story) {
		s.commit("erin", map[string]string{devFile: deployment("shop", "ghcr.io/acme/shop:1.1")})
	}, func(s *story) { s.runs(devFile, "shop:1.1") }},
	{"a version is released", func(s *story) {
		s.push("shop:1.2")
		s.commit("erin", map[string]string{"README.md": "Our clusters.\n"})
	}, func(s *story) { s.runs(devFile, "shop:1.2") }},
	{"bob asks for staging", func(s *story) {
		s.issue = s.config.Issue("bob", "Requests", "")
		s.says(s.issue, "bob", "/promote shop to staging")
	}, func(s *story) { s.runs(stagingFile, "shop:1.2") }},
	{"bob asks for prod", func(s *story) {
		s.says(s.issue, "bob", "/promote shop to prod")
	}, func(s *story) { s.isOpen("pinnace/promote/prod/shop") }},
	{"erin commits to its branch", func(s *story) {
		s.pass()
		s.config.Commit("pinnace/promote/prod/shop", "erin", "mine", map[string]string{"notes.txt": "mine\n"})
	}, nil},
	{"bob has it sealed anew", func(s *story) {
		s.says(s.number("pinnace/promote/prod/shop"), "bob", "/reseal")
	}, nil},
	{"carol approves", func(s *story) {
		s.approves("pinnace/promote/prod/shop", "carol")
	}, func(s *story) { s.isOpen("pinnace/promote/prod/shop") }},
	{"bob deploys", func(s *story) {
		s.says(s.number("pinnace/promote/prod/shop"), "bob", "/deploy")
	}, func(s *story) { s.runs(prodFile, "shop:1.2") }},
	{"erin asks to go back", func(s *story) {
		s.says(s.issue, "erin", "/rollback shop in prod")
	}, func(s *story) { s.isOpen("pinnace/rollback/prod/shop") }},
	{"dave approves that, and bob deploys it", func(s *story) {
		s.approves("pinnace/rollback/prod/shop", "dave")
		s.says(s.number("pinnace/rollback/prod/shop"), "bob", "/deploy")
	}, func(s *story) { s.runs(prodFile, "shop:1.0") }},
	{"bob asks once more, and ada breaks the glass", func(s *story) {
		s.says(s.issue, "bob", "/promote shop to prod")
	}, func(s *story) { s.isOpen("pinnace/promote/prod/shop") }},
	{"ada breaks the glass", func(s *story) {
		s.says(s.number("pinnace/promote/prod/shop"), "ada", `/break-glass "customers cannot pay"`)
	}, func(s *story) { s.runs(prodFile, "shop:1.2") }},
	{"ada closes what she has to answer for", func(s *story) {
		s.pass()
		for _, i := range s.config.Issues() {
			if i.Open && i.Number != s.issue {
				s.config.Close(i.Number, "ada")
			}
		}
	}, nil},
	{"frank pushes past the rules", func(s *story) {
		s.commit("frank", map[string]string{prodFile: deployment("shop", "{shop:1.1}")})
	}, nil},
	{"a repository is new", func(s *story) {
		s.fresh = s.repository("fresh", map[string]string{
			"envs/dev/shop.yaml":  deployment("shop", "ghcr.io/acme/shop:1.0"),
			"envs/prod/shop.yaml": deployment("shop", "ghcr.io/acme/shop:1.0"),
		})
		s.app.Select("acme", "config", "line", "fresh")
		s.installed = append(s.installed, "acme/fresh")
	}, nil},
	{"it is configured", func(s *story) {
		s.pass()
		for _, q := range s.fresh.PullRequests() {
			if q.State == promotion.Open && q.Head.Ref == "pinnace/configure" {
				if _, err := s.fresh.Merge(q.Number, "ada", "squash"); err != nil {
					s.t.Fatal(err)
				}
			}
		}
	}, nil},
	{"bob asks in the line", func(s *story) {
		s.pass()
		s.line.Comment(s.line.Issue("bob", "Requests", ""), "bob", "/promote shop to prod")
	}, func(s *story) { s.isOpenIn(s.line, "pinnace/promote/prod/shop") }},
	{"carol approves there", func(s *story) {
		s.pass()
		var err error
		if s.review, err = s.line.Review(s.numberIn(s.line, "pinnace/promote/prod/shop"), "carol", promotion.Approved, ""); err != nil {
			s.t.Fatal(err)
		}
	}, nil},
	{"dave takes her approval back", func(s *story) {
		s.pass()
		if err := s.line.Dismiss(s.numberIn(s.line, "pinnace/promote/prod/shop"), s.review, "dave", "wait"); err != nil {
			s.t.Fatal(err)
		}
	}, nil},
	{"dave approves himself", func(s *story) {
		s.pass()
		if _, err := s.line.Review(s.numberIn(s.line, "pinnace/promote/prod/shop"), "dave", promotion.Approved, ""); err != nil {
			s.t.Fatal(err)
		}
	}, nil},
	{"the queue forms its groups", func(s *story) { s.line.FormGroups() }, nil},
	{"the queue lands them", func(s *story) {
		if landed := s.line.LandGroups(); len(landed) == 0 {
			s.t.Fatalf("the queue landed nothing:\n%s", s.state(s.line))
		}
	}, func(s *story) { s.runsIn(s.line, prodFile, "shop:1.1") }},
	{"erin proposes an image without its digest", func(s *story) {
		s.pass()
		s.line.Commit("mine", "erin", "change", map[string]string{stagingFile: deployment("shop", "ghcr.io/acme/shop:1.2")})
		if _, err := s.line.OpenPullRequest("erin", "Shop 1.2", "", "mine", "main"); err != nil {
			s.t.Fatal(err)
		}
	}, nil},
}

// commit lets a person push to main.
func (s *story) commit(by string, files map[string]string) {
	s.pass()
	edits := map[string]string{}
	for path, text := range files {
		edits[path] = s.expand(text)
	}
	s.config.Commit("main", by, "change", edits)
}

func (s *story) says(thread int, by, text string) {
	s.pass()
	s.config.Comment(thread, by, text)
}

func (s *story) approves(branch, by string) {
	s.t.Helper()
	s.pass()
	if _, err := s.config.Review(s.number(branch), by, promotion.Approved, ""); err != nil {
		s.t.Fatal(err)
	}
}

// number is that of the open pull request of a branch.
func (s *story) number(branch string) int {
	s.t.Helper()
	return s.numberIn(s.config, branch)
}

func (s *story) numberIn(r *sandbox.Repository, branch string) int {
	s.t.Helper()
	all := r.PullRequests()
	i := slices.IndexFunc(all, func(q promotion.PullRequest) bool { return q.Head.Ref == branch && q.State == promotion.Open })
	if i < 0 {
		s.t.Fatalf("%s has no open pull request from %s:\n%s", r.FullName(), branch, s.state(r))
	}
	return all[i].Number
}

func (s *story) isOpen(branch string) {
	s.t.Helper()
	s.number(branch)
}

func (s *story) isOpenIn(r *sandbox.Repository, branch string) {
	s.t.Helper()
	s.numberIn(r, branch)
}

// runs requires which image a file of main names.
func (s *story) runs(path, image string) {
	s.t.Helper()
	s.runsIn(s.config, path, image)
}

func (s *story) runsIn(r *sandbox.Repository, path, image string) {
	s.t.Helper()
	text, _ := r.File("main", path)
	if !strings.Contains(text, s.digests[image]) {
		s.t.Fatalf("%s of %s does not run %s:\n%s", path, r.FullName(), image, text)
	}
}

// ending is the state of all repositories and, where registries are watched, of the ledger.
func (s *story) ending() string {
	out := ""
	for _, r := range s.repositories() {
		out += s.state(r)
	}
	if s.images {
		out += s.ledger()
	}
	return out
}

func (s *story) repositories() []*sandbox.Repository {
	return slices.DeleteFunc([]*sandbox.Repository{s.config, s.line, s.fresh}, func(r *sandbox.Repository) bool { return r == nil })
}
