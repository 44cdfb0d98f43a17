package reference

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/check"
	"github.com/pinnace-dev/pinnace/internal/command"
	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/policy/condition"
)

// program is a small one, with text that Markdown and roff would misread.
func program() Program {
	return Program{
		Version: "1.2.3", Date: "2026-11-21",
		Root: Command{
			Path: "pinnace", Usage: "pinnace COMMAND", Short: "Pin images", Children: []Command{
				{
					Path: "pinnace pin", Usage: "pinnace pin [PATH|-] [flags]", Short: "Add digests",
					Long:     "Add digests to *.yaml of <DIR>.\n\n.pinnace/config.yaml says\nmore:\n\n  PIN001  no digest\n    deeper",
					Examples: []string{"pinnace pin .", `.hidden \n`},
					Flags:    []Flag{{Name: "style", Letter: "s", Value: "STYLE", Default: "tag", Text: "one | two"}, {Name: "check", Text: "write nothing"}},
				},
				{Path: "pinnace config", Usage: "pinnace config COMMAND", Short: "Configure", Children: []Command{
					{Path: "pinnace config init", Usage: "pinnace config init", Short: "Write one"},
				}},
			},
		},
		Env:      []Variable{{"GH_TOKEN", "token"}},
		Exits:    []Exit{{Status: 0, Means: "done"}, {Status: 3, Means: "look at it", Only: true, Verbs: []Meaning{{"pin", "something would change"}}}},
		Outcomes: []Outcome{{"done", "no error", "soon"}},
		Metrics:  []Metric{{Name: "m", Type: "counter", Help: "Counts.", Labels: []Label{{"code", nil}, {"kind", []string{"a", "b"}}, {"event", make([]string, 17)}}}},
		LogKeys:  []Key{{"repo", "as `owner/name`"}},
		Checks:   []Check{{"app.key", "Key", "What goes wrong."}},
	}
}

// pages are the pages by the names of their files.
func pages(p Program) map[string]string {
	all := map[string]string{}
	for _, page := range Pages(p) {
		all[page.Name] = string(page.Text)
	}
	return all
}

func TestPages(t *testing.T) {
	all := pages(program())
	for name, wants := range map[string][]string{
		"README.md": {"* [Command line](cli.md): every command", "* [Errors](errors.md):"},
		"cli.md": {
			"| [`pinnace config init`](#pinnace-config-init) | Write one |",
			"## pinnace pin\n\n```text\npinnace pin [PATH|-] [flags]\n```\n\nAdd digests to \\*.yaml of &lt;DIR>.\n\n.pinnace/config.yaml says\nmore:\n\n```text\nPIN001  no digest\n  deeper\n```\n",
			"```sh\npinnace pin .\n.hidden \\n\n```",
			"| `-s, --style STYLE` | `tag` | one \\| two |\n| `--check` |  | write nothing |",
			"| `GH_TOKEN` | token |",
		},
		"errors.md":  {"| 3 | any | look at it |\n| 3 | [`pin`](cli.md#pinnace-pin) | something would change |", "| `done` | no error | soon |"},
		"metrics.md": {"| `m` | counter | `code`; `kind`: a, b; `event`: 17 values | Counts. |", "| `repo` | as `owner/name` |"},
		"checks.md":  {"The 1 checks", "| `app.key` | Key | What goes wrong. |"},
		"configuration.md": {
			"| `environments[].track[].order` | `numeric`, `alphabetical`, `newest` | none |", "| `roles.overrides[].environment` | text | none |",
			"| `pin.extra[].pointers` | list of text | required |", "| `registryMap` | map of text | `{}` |", "| `guard.approverCount` | number, 0 to 6 | `1` |",
			"| `apiVersion` | `pinnace.dev/v1alpha1` | required |", "| `environments[].soak` | duration | `0s` |", "| `apps` | list of maps | `[]` |",
		},
		"policy.md": {
			"| `promotions` | list of `direct`, `sequential` | `[direct, sequential]` |", "| `exceptions[].expires` | date or time | required |",
			"| `spec.payload.applicationEnvironments[].appName` | text | required |", "| `window.zone` | text | `UTC` |",
		},
		"cel.md":      {"### `image`\n", "### `approvals`\n", "| `image.signatures[].issuer` | `string` |", "| `images` | `list(Image)` |", "| work of one evaluation | 1,000,000 steps |"},
		"findings.md": {"| [PIN001](#pin001) | error |", "pod.yaml:8:14: PIN001 ghcr.io/acme/shop:1.4 has no digest\nfix: pinnace pin pod.yaml"},
		"comments.md": {"| `/promote APP to ENV[,ENV] [from ENV] [image IMAGE] [because REASON]` | `/promote shop to prod` |", "| `pinnace decide PR --merge` | whoever holds the App's key |"},
	} {
		for _, want := range wants {
			if !strings.Contains(all[name], want) {
				t.Errorf("%s does not hold %q", name, want)
			}
		}
	}
	for name := range all {
		if name != "README.md" && !strings.Contains(all["README.md"], "("+name+")") {
			t.Errorf("the list of pages does not have %s", name)
		}
	}
}

// TestPagesAreStable: the same program has the same pages and man pages.
func TestPagesAreStable(t *testing.T) {
	if diff := cmp.Diff(pages(program()), pages(program())); diff != "" {
		t.Errorf("the pages differ:\n%s", diff)
	}
	if diff := cmp.Diff(Man(program()), Man(program())); diff != "" {
		t.Errorf("the man pages differ:\n%s", diff)
	}
}

// TestTables: all rows of a table have as many cells as its head.
func TestTables(t *testing.T) {
	rows := 0
	for name, text := range pages(program()) {
		want := 0
		for line := range strings.Lines(text) {
			if !strings.HasPrefix(line, "|") {
				want = 0
				continue
			}
			cells := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")
			if want == 0 {
				want = cells
			}
			if cells != want {
				t.Errorf("%s: %d cells, not %d: %s", name, cells, want, line)
			}
			rows++
		}
	}
	if rows < 300 {
		t.Errorf("%d rows", rows)
	}
}

// TestEverything: nothing that the rooms know is left out.
func TestEverything(t *testing.T) {
	all := pages(program())
	for _, e := range condition.Reference() {
		if !strings.Contains(all["cel.md"], "| `"+e.Name+"` |") {
			t.Errorf("cel.md has no %s", e.Name)
		}
	}
	for _, v := range command.Verbs() {
		if !strings.Contains(all["comments.md"], "| comment `/"+string(v)+"` |") {
			t.Errorf("comments.md has no /%s", v)
		}
	}
	key := regexp.MustCompile("(?m)^\\| `([^`]+)` \\|")
	for name, schemas := range map[string][][]byte{"configuration.md": {config.Schema()}, "policy.md": kinds()} {
		var want []string
		for _, text := range schemas {
			for _, f := range read(text).fields {
				want = append(want, f.path)
				if f.text == "" || f.kind == "" {
					t.Errorf("%s: %s says nothing", name, f.path)
				}
			}
		}
		var got []string
		for _, m := range key.FindAllStringSubmatch(all[name], -1) {
			got = append(got, m[1])
		}
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(got, want); diff != "" || len(got) < 50 {
			t.Errorf("%s: -got +want\n%s", name, diff)
		}
	}
}

func kinds() [][]byte {
	var all [][]byte
	for _, kind := range policy.Kinds() {
		all = append(all, policy.Schema(kind))
	}
	return all
}

// TestExamples: each rule of check has an example, in which it is broken once.
func TestExamples(t *testing.T) {
	for _, r := range check.Rules() {
		found := examples[r.Code].found()
		n := 0
		for _, f := range found {
			if f.Code == r.Code {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s is found %d times in its example: %v", r.Code, n, found)
		}
	}
	if len(examples) != len(check.Rules()) {
		t.Errorf("%d examples of %d rules", len(examples), len(check.Rules()))
	}
}

func TestMan(t *testing.T) {
	pages := Man(program())
	want := `.TH "PINNACE\-PIN" 1 "2026-11-21" "pinnace 1.2.3" "Pinnace"
.SH NAME
pinnace\-pin \- Add digests
.SH SYNOPSIS
.B pinnace pin
[PATH|\-] [flags]
.SH DESCRIPTION
Add digests to *.yaml of <DIR>.
.PP
\&.pinnace/config.yaml says
more:
.PP
.RS 4
.nf
PIN001  no digest
  deeper
.fi
.RE
.SH OPTIONS
.TP
.B \-s, \-\-style STYLE
one | two (default tag)
.TP
.B \-\-check
write nothing
.SH EXAMPLES
.RS 4
.nf
pinnace pin .
\&.hidden \en
.fi
.RE
.SH EXIT STATUS
.TP
.B 0
done
.TP
.B 3
something would change
.SH SEE ALSO
.BR pinnace (1)
`
	if diff := cmp.Diff(string(pages["pinnace-pin.1"]), want); diff != "" {
		t.Errorf("-got +want\n%s", diff)
	}
	for name, want := range map[string]string{
		"pinnace.1":             ".SH SEE ALSO\n.BR pinnace\\-config (1),\n.BR pinnace\\-pin (1)\n",
		"pinnace-config.1":      ".SH SEE ALSO\n.BR pinnace (1),\n.BR pinnace\\-config\\-init (1)\n",
		"pinnace-config-init.1": ".SH SEE ALSO\n.BR pinnace (1),\n.BR pinnace\\-config (1)\n",
	} {
		if !bytes.HasSuffix(pages[name], []byte(want)) {
			t.Errorf("%s does not end with %q:\n%s", name, want, pages[name])
		}
	}
	if bytes.Contains(pages["pinnace-config.1"], []byte(".B 3\n")) || !bytes.Contains(pages["pinnace.1"], []byte(".B 3\nlook at it\n")) {
		t.Error("a status is explained where no command ends with it, or not where one does")
	}
}
