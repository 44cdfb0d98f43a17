package report

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pinnace-dev/pinnace/internal/check"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/plan"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A summarized has a summary.
type summarized interface{ Summary(w io.Writer) }

func summaryOf(x summarized) string {
	var b strings.Builder
	x.Summary(&b)
	return b.String()
}

func sha(digit string) string { return "sha256:" + strings.Repeat(digit, 64) }

func pinStep(t *testing.T, action plan.Action, line int, before, after, reason string) PinStep {
	t.Helper()
	s := PinStep{Action: action, Position: manifest.Position{Line: line, Column: 7}, Old: before, New: after, Reason: reason}
	if after != "" {
		r, err := image.Parse(after)
		if err != nil {
			t.Fatal(err)
		}
		s.name, s.digest = r, r.Digest
	}
	return s
}

func pinned(t *testing.T) Pin {
	p := Pin{Looked: 9, Files: []PinFile{
		{Path: "envs/prod/shop.yaml", Changed: true, Steps: []PinStep{
			pinStep(t, plan.Pin, 12, "ghcr.io/acme/shop:1.4", "ghcr.io/acme/shop:1.4@"+sha("a"), ""),
			pinStep(t, plan.Update, 31, "ghcr.io/acme/web:2@"+sha("b"), "ghcr.io/acme/web:2@"+sha("c"), ""),
			pinStep(t, plan.Keep, 40, "ghcr.io/acme/db:3@"+sha("d"), "", ""),
		}},
		{Path: "envs/prod/chart.yaml", Steps: []PinStep{
			pinStep(t, plan.Leave, 3, "ghcr.io/acme/{{ .Values.name }}:1", "", "the value is a template"),
			pinStep(t, plan.Fail, 8, "ghcr.io/acme/gone:1", "", "ghcr.io/acme/gone:1: manifest unknown"),
		}},
		{Path: "envs/prod/locked.yaml", Error: "permission denied", Steps: []PinStep{pinStep(t, plan.Pin, 2, "a:1", "a:1@"+sha("e"), "")}},
	}}
	p.Count()
	return p
}

func asked() Asked {
	d := decided()
	return Asked{Repository: "acme/config", Answers: []Answer{
		{App: "shop", Environment: "prod", Kind: "promotion", From: "staging", Action: "opened", PullRequest: 12, URL: "https://github.com/acme/config/pull/12", Skipped: []string{"canary"}, Changes: changes(2)},
		{App: "shop", Environment: "eu", Kind: "promotion", Action: "refused", Reasons: []string{"the digest is not signed by acme/shop"}, Decision: &d},
		{App: "web", Environment: "prod", Kind: "rollback", Action: "waiting", Reasons: []string{"#11 is open"}},
	}}
}

func changes(n int) []ImageChange {
	var all []ImageChange
	for i := range n {
		all = append(all, ImageChange{Path: "envs/prod/shop.yaml", Line: 10 + i, Pointer: "/spec", Object: "Deployment shop", Old: "ghcr.io/acme/shop:1.4@" + sha("a"), New: "ghcr.io/acme/shop:1.5@" + sha("b")})
	}
	return all
}

func reconciled() Reconcile {
	return Reconcile{
		Repository: "acme/config", Asked: "acme/conf",
		Bases: []Base{{Branch: "main", Commit: strings.Repeat("1", 40), Warnings: []string{"environment eu: no file matches its paths"}, Unreached: []LeftOver{{Path: "x.yaml"}}, Proposals: []Proposal{
			{Action: "opened", Kind: "pin", Environments: []string{"prod"}, Branch: "pinnace/pin/prod", PullRequest: 12, URL: "https://github.com/acme/config/pull/12", Changes: changes(1)},
			{Action: "clean", Kind: "pin", Environments: []string{"eu"}, Branch: "pinnace/pin/eu"},
			{Action: "failed", Kind: "update", Environments: []string{"prod"}, App: "web", Branch: "pinnace/update/prod/web", Error: "push: rejected by a rule", Failed: []LeftOver{{"a.yaml", 3, "web:1", "no route to host"}}},
			{Action: "waiting", Kind: "promotion", Environments: []string{"prod"}, App: "db", Branch: "pinnace/promote/prod/db", PullRequest: 9, URL: "https://github.com/acme/config/pull/9", Reason: "somebody approved an older one", Left: []LeftOver{{"b.yaml", 7, "db:{{ x }}", "the value is a template"}}},
		}}},
		Verdicts: verdicts(), Incidents: []Incident{{Base: "main", Commit: strings.Repeat("f", 40), Why: "merged by hand while waiting for 1 approval", Issue: 40, URL: "https://github.com/acme/config/issues/40"}},
	}
}

func verdicts() []Verdict {
	return []Verdict{
		{PullRequest: 12, URL: "https://github.com/acme/config/pull/12", Title: "Promote shop 1.5 to prod", Environments: []string{"prod"}, Action: "judged", Decision: decided()},
		{PullRequest: 13, URL: "https://github.com/acme/config/pull/13", Title: "Pin 2 images in eu", Environments: []string{"eu"}, Action: "merged", Reason: "merged at 1111111111", Decision: promotion.Decision{Status: promotion.Passed, Summary: "passed: every rule holds"}},
		{PullRequest: 14, URL: "https://github.com/acme/config/pull/14", Title: "By hand", Action: "failed", Error: "read the pull request: not found"},
	}
}

func summaries(t *testing.T) map[string]summarized {
	dry := pinned(t)
	dry.DryRun = true
	one := asked()
	one.Answers = one.Answers[:1]
	return map[string]summarized{
		"pin": pinned(t), "pin-dry": dry, "pin-none": Pin{Looked: 3},
		"check": Check{Files: 3, Images: 4, Findings: sample().Findings, Unanswered: sample().Unanswered, Root: "."}, "check-none": Check{Files: 3, Images: 4}, "check-warning": Check{Files: 1, Images: 1, Findings: sample().Findings[2:], Offline: true},
		"asked": asked(), "asked-one": one,
		"verdict": verdicts()[0], "verdicts": Verdicts{Repository: "acme/config", Verdicts: verdicts(), Advisory: "a run of pull_request takes the workflow from the pull request itself"},
		"verdicts-none": Verdicts{Repository: "acme/config"},
		"approvals":     Approvals{Repository: "acme/config", Pending: []PendingApproval{{Verdict: verdicts()[0]}}}, "approvals-none": Approvals{Repository: "acme/config"},
		"reconcile": reconciled(), "reconcile-none": Reconcile{Repository: "acme/config", Bases: []Base{{Branch: "main"}}},
		"filed":         Filed{Issue: 7, URL: "https://github.com/acme/config/issues/7", Commands: []string{"/promote shop to prod"}},
		"filed-refused": Filed{Issue: 7, URL: "https://github.com/acme/config/issues/7", Answered: true, Refused: true, Answer: "Refused to promote `shop`.\n\n@carol may not."},
		"failure":       Failure{Command: "promote", Error: "open a pull request: forbidden\nsecond line", Next: "Give the job pull-requests: write."},
	}
}

// The summary of a job says in words what came of it, what matters in tables, and what is next.
func TestSummary(t *testing.T) {
	var b strings.Builder
	all := summaries(t)
	for _, name := range []string{
		"pin", "pin-dry", "pin-none", "check", "check-none", "check-warning", "asked", "asked-one", "verdict", "verdicts", "verdicts-none", "approvals", "approvals-none",
		"reconcile", "reconcile-none", "filed", "filed-refused", "failure",
	} {
		fmt.Fprintf(&b, "<!-- %s -->\n\n%s\n", name, summaryOf(all[name]))
		delete(all, name)
	}
	golden(t, "summary.md", b.String())
	if len(all) > 0 {
		t.Errorf("not in the golden file: %v", all)
	}
}

// However much there is to say, GitHub takes it, and the reader learns what is left out.
func TestSummaryBounds(t *testing.T) {
	long := strings.Repeat("ü|", 5000)
	many := sample()
	for i := range 5000 {
		many.Findings = append(many.Findings, check.Finding{Code: check.Unpinned, Path: long, Position: manifest.Position{Line: i + 1}, Image: long, Message: long})
	}
	deep := promotion.Result{Rule: "policy", Status: promotion.Denied, Title: long}
	for range 100 {
		deep = promotion.Result{Rule: "policies", Status: promotion.Denied, Title: long, Next: long, Children: []promotion.Result{deep, deep}[:1]}
	}
	wide := promotion.Decision{Status: promotion.Denied}
	for range 5000 {
		wide.Results = append(wide.Results, deep)
		wide.Approvals = append(wide.Approvals, promotion.Approval{By: promotion.Identity{ID: 1, Login: long}})
		wide.Ignored = append(wide.Ignored, promotion.Ignored{By: promotion.Identity{Login: long}, Reason: long})
	}
	var pulls Verdicts
	var answers Asked
	var base Base
	for i := range 500 {
		pulls.Verdicts = append(pulls.Verdicts, Verdict{PullRequest: i + 1, Title: long, Decision: wide, Environments: []string{long}})
		answers.Answers = append(answers.Answers, Answer{App: long, Environment: long, Action: "refused", Reasons: []string{long}, Decision: &wide})
		base.Proposals = append(base.Proposals, Proposal{Action: "opened", Kind: "pin", Branch: long, Changes: changes(300), Failed: []LeftOver{{Path: long, Line: i}}})
		base.Warnings = append(base.Warnings, long)
	}
	pin := pinned(t)
	for range 5000 {
		pin.Files[0].Steps = append(pin.Files[0].Steps, pin.Files[0].Steps[0])
	}
	for name, x := range map[string]summarized{
		"check": many, "verdicts": pulls, "asked": answers, "pin": pin, "verdict": pulls.Verdicts[0],
		"reconcile": Reconcile{Repository: long, Bases: []Base{base, base}, Verdicts: pulls.Verdicts},
		"filed":     Filed{Answered: true, Refused: true, Answer: strings.Repeat(long+"\n", 5000), Commands: []string{long}},
		"failure":   Failure{Error: strings.Repeat(long+"\n", 5000)},
	} {
		got := summaryOf(x)
		if len(got) > 1<<20*3/4 || !utf8.ValidString(got) {
			t.Errorf("%s has %d bytes", name, len(got))
		}
		if name != "filed" && !strings.Contains(got, " more") {
			t.Errorf("%s does not say what it leaves out", name)
		}
	}
}

// hostileWords are what somebody may call a file, an image, a branch or a pull request.
var hostileWords = []string{
	"x\n# heading\n\n- item\n", "a | b | c", "\\| x", "`x` ``y`` \\`", "<script>alert(1)</script>", "<img src=https://evil.example/x.png onerror=x>", "![x](https://evil.example/x.png)",
	"[x](javascript:alert(1))", "[x][y]\n[y]: https://evil.example", "@acme/everybody @carol's", "#1 GH-2 acme/shop#3 GHSA-xxxx-yyyy-zzzz", "https://evil.example www.evil.example mailto:a@b.example",
	"fixes #12, closes https://github.com/a/b/issues/1", "deadbeefdeadbeef", "<!-- pinnace:v1 -->", "</details></td></table>", "**b** _i_ ~~s~~ ***", ":tada: $x$ $$y$$", "a\r::error::x", "\u202eevil\u2028::add-mask::x\x1b[2J",
	"&lt;b&gt; &#64;carol &amp;#64;x", "```\ncode\n```", "| --- |", "1. x\n2. y", "- [ ] task", "[^1]: note [^1]", "x\u00a0 \u200b y", strings.Repeat("*a", 300), "\xff\xfe", "`", " ", "\\", "a`b @acme/everybody <img src=x> c`d", "`@carol`",
}

func hostileSummaries(s string) map[string]summarized {
	r := promotion.Result{Rule: s, Status: promotion.Denied, Title: s, File: s, Line: 1, Seen: s, Wanted: s, Missing: []string{s}, Who: s, Next: s}
	r.Children = []promotion.Result{{Rule: s, Status: promotion.Status(s), Title: s}}
	d := promotion.Decision{Status: promotion.Denied, Summary: s, Results: []promotion.Result{r}, Approvals: []promotion.Approval{{By: promotion.Identity{Login: s}}}, Ignored: []promotion.Ignored{{By: promotion.Identity{Login: s}, Reason: s}}}
	v := Verdict{PullRequest: 1, URL: s, Title: s, Environments: []string{s}, Action: s, Reason: s, Decision: d}
	step := PinStep{Action: plan.Pin, Old: s, New: s, Reason: s}
	left := PinStep{Action: plan.Leave, Old: s, Reason: s}
	return map[string]summarized{
		"pin":       Pin{Counts: PinCounts{Pinned: 1, Changed: 1}, Files: []PinFile{{Path: s, Steps: []PinStep{step, left}}, {Path: s, Error: s}}},
		"check":     Check{Root: s, Findings: []check.Finding{{Code: check.Unpinned, Path: s, Image: s, Message: s}}, Unanswered: []Unanswered{{s, s}}},
		"asked":     Asked{Repository: s, Answers: []Answer{{App: s, Environment: s, From: s, Action: s, PullRequest: 1, URL: s, Reasons: []string{s}, Skipped: []string{s}, Changes: []ImageChange{{Path: s, Old: s, New: s}}, Decision: &d}, {App: s, Environment: s, Kind: "rollback", Action: s}}},
		"verdicts":  Verdicts{Repository: s, Advisory: s, Verdicts: []Verdict{v, v}},
		"verdict":   v,
		"approvals": Approvals{Repository: s, Pending: []PendingApproval{{Verdict: v}}},
		"reconcile": Reconcile{Repository: s, Asked: "x" + s, Bases: []Base{
			{Branch: s, Warnings: []string{s}, Proposals: []Proposal{{Action: "opened", Kind: s, Environments: []string{s}, App: s, Branch: s, PullRequest: 2, URL: s, Reason: s, Changes: []ImageChange{{Path: s, Old: s, New: s}}, Left: []LeftOver{{s, 1, s, s}}}, {Action: s, Error: s, Failed: []LeftOver{{s, 2, s, s}}}}},
			{Branch: s, Error: s},
		}, Verdicts: []Verdict{v}, Incidents: []Incident{{Base: s, Commit: s, Why: s, Issue: 3, URL: s}}},
		"filed":   Filed{Issue: 4, URL: s, Commands: []string{s}, Answered: true, Refused: true, Answer: s, PullRequests: []FiledPullRequest{{5, s, s, s}}},
		"failure": Failure{Command: s, Error: s, Next: s},
	}
}

var (
	codeSpans = regexp.MustCompile(`(?s)<code>.*?</code>`)
	htmlTags  = regexp.MustCompile(`(?s)<!--.*?-->|<[^>]*>`)
	activeTag = regexp.MustCompile(`(?i)<(a|img|h1|h4|h5|h6|del|input|em|pre|script|iframe|hr|sup|section|!--)\b[^>]*>`)
	readWords = regexp.MustCompile(`(?i)@[a-z0-9]|#[0-9]|\bgh-[0-9]|ghsa-|://|www\.|(^|[\s(\[{])[0-9a-f]{7,40}\b|:[a-z0-9_+-]+:|\$`)
	ourOwn    = regexp.MustCompile(`#[1-5]\b`)
)

// No foreign text is Markdown or HTML, mentions somebody, refers to something, links, or begins
// a line: GitHub's own renderer says so.
func TestSummaryHostile(t *testing.T) {
	cmark, _ := exec.LookPath("cmark-gfm")
	for _, s := range hostileWords {
		for name, x := range hostileSummaries(s) {
			got := summaryOf(x)
			for line := range strings.Lines(got) {
				if line = strings.TrimSuffix(line, "\n"); line != Plain(line) {
					t.Errorf("%s of %q: a line holds %q", name, s, line)
				}
				if strings.HasPrefix(strings.TrimSpace(line), "::") || strings.Contains(line, "<!--") && !strings.Contains(line, "`") {
					t.Errorf("%s of %q: %q", name, s, line)
				}
			}
			if cmark == "" {
				continue
			}
			cmd := exec.Command(cmark, "--unsafe", "--validate-utf8", "-e", "table", "-e", "autolink", "-e", "strikethrough", "-e", "tasklist", "-e", "footnotes")
			cmd.Stdin = strings.NewReader(got)
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			page := codeSpans.ReplaceAllString(string(out), "code")
			if found := activeTag.FindString(page); found != "" {
				t.Errorf("%s of %q: got %s in:\n%s\nof:\n%s", name, s, found, page, got)
			}
			shown := ourOwn.ReplaceAllString(html.UnescapeString(htmlTags.ReplaceAllString(page, "")), "")
			if found := readWords.FindString(shown); found != "" {
				t.Errorf("%s of %q: GitHub would read %q in:\n%s\nof:\n%s", name, s, found, page, got)
			}
			if want := strings.Count(got, "| --- |\n"); strings.Count(page, "<table>") != want {
				t.Errorf("%s of %q: %d tables, want %d in:\n%s", name, s, strings.Count(page, "<table>"), want, got)
			}
		}
	}
	if cmark == "" {
		t.Skip("cmark-gfm is not installed: only the lines were looked at")
	}
}

// Rows of a table have as many cells as its head, and links lead where we say.
func TestSummaryTables(t *testing.T) {
	all := summaries(t)
	for i, s := range hostileWords {
		for name, x := range hostileSummaries(s) {
			all[fmt.Sprint(name, " ", i)] = x
		}
	}
	for name, x := range all {
		width := 0
		for line := range strings.Lines(summaryOf(x)) {
			n := strings.Count(line, "|")
			switch {
			case !strings.HasPrefix(line, "|"):
				width = 0
			case width == 0:
				width = n
			case n != width:
				t.Errorf("%s: a row of %d cells in a table of %d: %s", name, n-1, width-1, line)
			}
		}
	}
	for url, want := range map[string]string{
		"https://github.com/acme/config/pull/12":  "[#12](https://github.com/acme/config/pull/12)",
		"https://ghe.example.com:8443/a/b/pull/1": "[#12](https://ghe.example.com:8443/a/b/pull/1)",
		"http://127.0.0.1:1234/acme/pull/12":      "#12", "javascript:alert(1)": "#12", "https://x.example/a/../b": "#12", "https://x.example/)[y](z": "#12", "": "#12",
	} {
		if got := numbered(12, url); got != want {
			t.Errorf("%s: got %s, want %s", url, got, want)
		}
	}
}

func TestVerdictsJSON(t *testing.T) {
	var b bytes.Buffer
	if err := (Verdicts{Repository: "a/b", Advisory: "x"}).JSON(&b); err != nil {
		t.Fatal(err)
	}
	if want := "\"advisory\": \"x\""; !strings.Contains(b.String(), want) {
		t.Errorf("got %s, want %s in it", b.String(), want)
	}
}
