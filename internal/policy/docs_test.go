package policy_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/policy/condition"
	"github.com/pinnace-dev/pinnace/internal/policy/scenario"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/policies"
)

const page = "../../docs/policies.md"

// A block is a fenced block of the page. Its info is a language, and a word on its use:
//
//	yaml            documents, which load without a problem
//	yaml floor      documents of the organisation
//	yaml escapes    a configuration that the floor before it warns of
//	yaml loosens    documents that the floor before them refuses
//	txtar           cases, which the documents of the block before them meet
//	cel             conditions, one a line
//	text            what is said of the block before it; -update writes it
type block struct {
	info string
	text string
	line int // of its first line, from 1
	at   int // of its first line, in lines
	end  int // of its closing fence
}

func read(t *testing.T) (lines []string, blocks []block) {
	t.Helper()
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	lines = strings.Split(string(data), "\n")
	open := -1
	for i, l := range lines {
		info, fence := strings.CutPrefix(l, "```")
		switch {
		case fence && open < 0:
			open = i
			blocks = append(blocks, block{info: info, line: i + 2, at: i + 1})
		case fence:
			b := &blocks[len(blocks)-1]
			b.end = i
			b.text = strings.Join(lines[b.at:i], "\n") + "\n"
			if b.end == b.at {
				b.text = ""
			}
			open = -1
		}
	}
	if open >= 0 {
		t.Fatalf("%s:%d: the block is not closed", page, open+1)
	}
	return lines, blocks
}

// documents parts a block at its markers.
func documents(b block) []policy.Document {
	var docs []policy.Document
	line := b.line
	for i, part := range strings.Split(b.text, "\n---\n") {
		if i > 0 {
			line++
		}
		docs = append(docs, policy.Document{File: "policies.md", Line: line, Data: []byte(part + "\n")})
		line += strings.Count(part, "\n") + 1
	}
	return docs
}

// Every example of the page does what the page says.
func TestDocs(t *testing.T) {
	_, blocks := read(t)
	var last, floor block
	ran := 0
	for i, b := range blocks {
		t.Run(fmt.Sprintf("line %d", b.line), func(t *testing.T) {
			switch b.info {
			case "yaml":
				last = b
				if i+1 < len(blocks) && blocks[i+1].info == "txtar" {
					return // loaded there, in the world of the cases
				}
				load(t, b, scenario.Suite{Config: scenario.Default()}.World())
			case "yaml floor":
				floor = b
				load(t, b, organisation())
			case "yaml escapes":
				if said := escapes(t, floor, b); said == "" {
					t.Error("the floor warns of nothing")
				}
			case "yaml loosens":
				if said := loosens(t, floor, b); said == "" {
					t.Error("the floor accepts it")
				}
			case "txtar":
				ran += cases(t, last, b)
			case "cel":
				for c := range strings.Lines(b.text) {
					if _, problems := condition.Compile(strings.TrimSuffix(c, "\n")); problems.HasErrors() || len(problems) > 0 && blocks[i+1].info != "text" {
						t.Errorf("%s: %v", c, problems)
					}
				}
			case "text":
				if strings.TrimSpace(b.text) == "" {
					t.Error("nothing is said of the block before: go test ./internal/policy -run TestDocs -update")
				}
			case "sh":
			default:
				t.Errorf("no test knows blocks of %q", b.info)
			}
		})
	}
	if ran == 0 {
		t.Error("no case ran")
	}
}

func load(t *testing.T, b block, w policy.World) *policy.Set {
	t.Helper()
	set, problems := policy.Load(documents(b), w)
	for _, p := range problems {
		t.Errorf("%s\n%s", p, p.Snippet)
	}
	if set == nil {
		t.FailNow()
	}
	return set
}

// organisation is the world of a floor.
func organisation() policy.World { return policy.World{Floor: true} }

// escapes returns what a floor warns of in a repository's configuration.
func escapes(t *testing.T, floor, repo block) string {
	t.Helper()
	suite, problems := scenario.Parse("policies.md", []byte("-- config.yaml --\n"+repo.text))
	if !suite.Own {
		t.Fatal(problems)
	}
	joined, problems := policy.Join(load(t, floor, organisation()), &policy.Set{World: suite.World()})
	if joined == nil {
		t.Fatal(problems)
	}
	var said strings.Builder
	for _, p := range problems {
		said.WriteString(p.Severity.String() + ": " + p.Message + "\n")
	}
	return said.String()
}

// loosens returns what is wrong with documents of a repository below a floor.
func loosens(t *testing.T, floor, repo block) string {
	t.Helper()
	_, problems := policy.Join(load(t, floor, organisation()), load(t, repo, scenario.Suite{Config: scenario.Default()}.World()))
	var said strings.Builder
	for _, p := range problems {
		said.WriteString(p.Message + "\n")
	}
	return said.String()
}

// cases runs the cases of a block, and returns how many there are.
func cases(t *testing.T, docs, b block) int {
	t.Helper()
	suite, problems := scenario.Parse("policies.md", []byte(b.text))
	for _, p := range problems {
		t.Errorf("in the block of line %d: %s", b.line, p)
	}
	set := load(t, docs, suite.World())
	known := documentedRules(t)
	for _, o := range scenario.Run(suite, set) {
		for _, p := range o.Problems {
			t.Error(p)
		}
		for _, f := range o.Failures {
			t.Errorf("%s: %s\n%s", o.Case.Name, f, scenario.Explanation(o.Decision))
		}
		next := 0
		for _, r := range o.Decision.Results {
			at := slices.Index(known, r.Rule)
			if at < next {
				t.Errorf("%s: the page's table of rules does not have %s, or has it in another place", o.Case.Name, r.Rule)
			}
			next = max(next, at)
		}
	}
	return len(suite.Cases)
}

// documentedRules returns the first column of the table of rules.
func documentedRules(t *testing.T) []string {
	t.Helper()
	lines, _ := read(t)
	at := slices.Index(lines, "| rule | asks | else |")
	if at < 0 {
		t.Fatal("the page has no table of rules")
	}
	var all []string
	for _, l := range lines[at+2:] {
		cell, _, ok := strings.Cut(strings.TrimPrefix(l, "| `"), "`")
		if !strings.HasPrefix(l, "| `") || !ok {
			break
		}
		all = append(all, cell)
	}
	return all
}

// What is printed into the page is what the code says.
func TestDocsPrinted(t *testing.T) {
	lines, blocks := read(t)
	var out []string
	written := 0
	copyTo := func(end int) {
		out = append(out, lines[written:end]...)
		written = end
	}
	var floor block
	at := map[int]block{}
	said := map[int]string{}
	for i, b := range blocks {
		if b.info == "yaml floor" {
			floor = b
		}
		if b.info != "text" {
			continue
		}
		at[b.at] = b
		switch of := blocks[i-1]; of.info {
		case "cel":
			_, problems := condition.Compile(strings.TrimSuffix(of.text, "\n"))
			for _, p := range problems {
				said[b.at] += fmt.Sprintf("%s: %s\n%s\n", p.Severity, p.Message, p.Snippet)
			}
		case "yaml escapes":
			said[b.at] = escapes(t, floor, of)
		case "yaml loosens":
			said[b.at] = loosens(t, floor, of)
		default:
			t.Errorf("line %d: text of a block of %s", b.line, of.info)
		}
	}
	for i := 0; i < len(lines); i++ {
		if b, ok := at[i]; ok {
			copyTo(i)
			if text := strings.TrimSuffix(said[i], "\n"); text != "" {
				out = append(out, strings.Split(text, "\n")...)
			}
			written = b.end
			continue
		}
		name, ok := strings.CutPrefix(lines[i], "<!-- printed: ")
		if !ok {
			continue
		}
		end := slices.Index(lines[i:], "<!-- end -->")
		if end < 0 {
			t.Fatalf("line %d: the printed part does not end", i+1)
		}
		copyTo(i + 1)
		out = append(out, "")
		out = append(out, printed(t, strings.TrimSuffix(name, " -->"))...)
		out = append(out, "")
		written = i + end
	}
	copyTo(len(lines))
	got, want := strings.Join(out, "\n"), strings.Join(lines, "\n")
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(page, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("go test ./internal/policy -run TestDocsPrinted -update prints it anew (-page +code):\n%s", diff)
	}
}

func printed(t *testing.T, what string) []string {
	t.Helper()
	switch what {
	case "scenario":
		out := []string{"| key | default | meaning |", "|---|---|---|"}
		for _, k := range scenario.Keys() {
			out = append(out, row("`"+k.Name+"`", k.Default, k.Doc))
		}
		return out
	case "library":
		out := []string{"| policy | kind | use it when |", "|---|---|---|"}
		for _, name := range library(t) {
			text, err := policies.FS.ReadFile(name + ".yaml")
			if err != nil {
				t.Fatal(err)
			}
			var head struct{ Kind string }
			if err := yaml.Unmarshal(text, &head); err != nil {
				t.Fatal(err)
			}
			out = append(out, row("[`"+name+"`](../policies/"+name+".yaml)", "`"+head.Kind+"`", when(t, string(text))))
		}
		return out
	}
	t.Fatalf("nothing prints %q", what)
	return nil
}

func row(cells ...string) string {
	for i, c := range cells {
		cells[i] = strings.ReplaceAll(c, "|", `\|`)
		if c == "" {
			cells[i] = " "
		}
	}
	return "| " + strings.Join(cells, " | ") + " |"
}

// library returns the names of the policies of the library.
func library(t *testing.T) []string {
	t.Helper()
	entries, err := policies.FS.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".yaml"); ok {
			names = append(names, name)
		}
	}
	return names
}

// when returns the sentence of a policy's comment that begins with "Use it when".
func when(t *testing.T, text string) string {
	t.Helper()
	var words []string
	for l := range strings.Lines(text) {
		l, comment := strings.CutPrefix(strings.TrimSpace(l), "#")
		if l = strings.TrimSpace(l); !comment || l == "" {
			break
		}
		words = append(words, l)
	}
	sentence, ok := strings.CutPrefix(strings.Join(words, " "), "Use it when ")
	if !ok {
		t.Errorf("the comment does not begin with %q", "Use it when")
	}
	return strings.TrimSuffix(sentence, ".")
}

// keys returns the keys of a kind of document, such as applyTo[].env, from its schema.
func keys(t *testing.T, kind string) []string {
	t.Helper()
	var root map[string]any
	if err := json.Unmarshal(policy.Schema(kind), &root); err != nil {
		t.Fatal(err)
	}
	var all []string
	var walk func(v any, prefix string)
	walk = func(v any, prefix string) {
		s, ok := v.(map[string]any)
		if !ok {
			return
		}
		if ref, ok := s["$ref"].(string); ok {
			walk(root["$defs"].(map[string]any)[path.Base(ref)], prefix)
		}
		properties, _ := s["properties"].(map[string]any)
		for name, p := range properties {
			all = append(all, strings.TrimPrefix(prefix+"."+name, "."))
			walk(p, prefix+"."+name)
		}
		walk(s["items"], prefix+"[]")
	}
	walk(root, "")
	slices.Sort(all)
	return all
}

// The page shows each key of each document in an example.
func TestDocsShowEveryKey(t *testing.T) {
	_, blocks := read(t)
	shown := map[string]bool{} // kind and key
	for _, b := range blocks {
		if !strings.HasPrefix(b.info, "yaml") {
			continue
		}
		for _, d := range documents(b) {
			var v map[string]any
			if err := yaml.Unmarshal(d.Data, &v); err != nil {
				t.Fatal(err)
			}
			note(shown, fmt.Sprint(v["kind"])+" ", v)
		}
	}
	for _, kind := range policy.Kinds() {
		all := keys(t, kind)
		if len(all) < 5 {
			t.Errorf("%s has the keys %s only", kind, all)
		}
		for _, key := range all {
			if !shown[kind+" "+key] {
				t.Errorf("no example shows %s of %s", key, kind)
			}
		}
	}
}

func note(shown map[string]bool, at string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			shown[at+k] = true
			note(shown, at+k+".", inner)
		}
	case []any:
		for _, inner := range v {
			note(shown, strings.TrimSuffix(at, ".")+"[].", inner)
		}
	}
}

// The page shows each key of a case in an example, of the page or of the library.
func TestDocsShowEveryKeyOfCases(t *testing.T) {
	_, blocks := read(t)
	var text strings.Builder
	for _, b := range blocks {
		if b.info == "txtar" {
			text.WriteString(b.text)
		}
	}
	for _, name := range library(t) {
		data, err := policies.FS.ReadFile(name + ".txtar")
		if err != nil {
			t.Fatal(err)
		}
		text.Write(data)
	}
	for _, k := range scenario.Keys() {
		if !strings.Contains(text.String(), "\n"+k.Name+":") && !strings.Contains(text.String(), " "+k.Name+":") && !strings.Contains(text.String(), "{"+k.Name+":") {
			t.Errorf("no example shows %s", k.Name)
		}
	}
}

// Every example of the reference of conditions is true or false where everything
// is known, and none is warned of.
func TestDocsConditions(t *testing.T) {
	f := facts(t)
	for _, e := range condition.Reference() {
		c, problems := condition.Compile(e.Example)
		if len(problems) > 0 {
			t.Errorf("%s: %s: %v", e.Name, e.Example, problems)
			continue
		}
		if o := c.Evaluate(f); o.Verdict == condition.Indeterminate {
			t.Errorf("%s: %s is indeterminate: %v %s", e.Name, e.Example, o.Missing, o.Err)
		}
	}
}

// facts are of a promotion of which everything is known.
func facts(t *testing.T) condition.Facts {
	t.Helper()
	now := time.Date(2026, 11, 18, 10, 0, 0, 0, time.UTC)
	ref := func(s string) image.Ref {
		r, err := image.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	var predicate any
	if err := json.Unmarshal([]byte(`{"scanner": {"critical": 0}}`), &predicate); err != nil {
		t.Fatal(err)
	}
	old, digest := "sha256:"+strings.Repeat("1", 64), "sha256:"+strings.Repeat("2", 64)
	bob, carol := promotion.Identity{ID: 2, Login: "bob"}, promotion.Identity{ID: 3, Login: "carol"}
	hours := func(n int) time.Time { return now.Add(-time.Duration(n) * time.Hour) }
	shop := condition.Image{
		Ref: ref("ghcr.io/acme/shop:v1.4.2@" + digest), Previous: condition.Known(ref("ghcr.io/acme/shop:v1.4.1@" + old)),
		Created: condition.Known(hours(50)), Size: condition.Known(int64(50_000_000)), Platforms: condition.Known([]string{"linux/amd64", "linux/arm64"}),
		Labels:      condition.Known(map[string]string{"team": "payments", image.AnnotationRevision: "5f2a9c1"}),
		Annotations: condition.Known(map[string]string{image.AnnotationSource: "https://github.com/acme/shop"}),
		Tags:        condition.Known([]string{"v1.4.2", "release-7"}),
		Signatures: condition.Known([]condition.Signature{{
			Verified: true, Keyless: true, Identity: "https://github.com/acme/shop/.github/workflows/release.yml@refs/heads/main",
			Issuer: "https://token.actions.githubusercontent.com", Integrated: condition.Known(hours(50)),
		}}),
		Attestations: condition.Known([]condition.Attestation{{Verified: true, PredicateType: "https://slsa.dev/provenance/v1", Predicate: condition.Known(predicate)}}),
		Provenance:   condition.Known(condition.Provenance{Verified: true, SourceRepo: "https://github.com/acme/shop", SourceDigest: "5f2a9c1", Started: condition.Known(hours(50))}),
		Builder:      condition.Known(condition.Builder{Users: []promotion.Identity{bob}, Workflow: ".github/workflows/release.yml"}),
	}
	place := func(env string) condition.Place {
		return condition.Place{
			Env: condition.Known(env), Current: condition.Known(image.Digest(old)), Since: condition.Known(hours(30)), Soak: condition.Known(30 * time.Hour),
			LongestSoak: condition.Known(50 * time.Hour), Verified: condition.Known(true), VerifiedAt: condition.Known(hours(29)),
			Checks: condition.Known(map[string]string{"smoke": "success"}), Health: condition.Known("success"), PreviousDigests: condition.Known([]string{old}),
		}
	}
	return condition.Facts{
		App: condition.Known("shop"), Env: condition.Known("prod"), Production: condition.Known(true), Now: condition.Known(now),
		GitCommitDetails: condition.Known(map[string]condition.Commit{"https://github.com/acme/shop": {Branch: "main", SHA: "5f2a9c1"}}),
		Image:            shop, Images: condition.Known([]condition.Image{shop}), Source: place("staging"), Target: place("prod"),
		Request: condition.Request{
			ID: condition.Known("r1"), Kind: condition.Known(promotion.Promotion), By: condition.Known(carol), Auto: condition.Known(false),
			Rollback: condition.Known(false), Hotfix: condition.Known(false), SkippedEnvs: condition.Known([]string{}), Reason: condition.Known("INC-42"),
			Created: condition.Known(hours(1)), Labels: condition.Known([]string{}),
		},
		Requester: condition.Known(condition.Requester{People: []promotion.Identity{carol}, Teams: condition.Known([]string{})}),
		Approvals: condition.Known([]condition.Approval{{By: bob, Teams: condition.Known([]string{}), At: condition.Known(hours(1))}}),
		Change: condition.Change{
			Kind: condition.Known(condition.ChangePatch), Files: condition.Known([]string{"envs/prod/shop.yaml"}), Kinds: condition.Known([]string{"Deployment"}),
		},
		Members: map[condition.Membership]bool{condition.MembershipOf("carol", "acme/release"): true},
	}
}
