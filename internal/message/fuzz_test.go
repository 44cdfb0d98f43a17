package message

import (
	"encoding/json"
	"html"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
	east "github.com/yuin/goldmark/extension/ast"
	source "github.com/yuin/goldmark/text"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

var (
	ownHTML  = regexp.MustCompile(`^(</?sub>|<details><summary>(Full digests|(?:Apps|Pull requests|Files of no environment, which are left alone|Not edited|Notes|In the way|Waived|Rules that did not hold|Next|Approvals that count|Reviews that do not count) \(\d+\)|\d+ files?, \d+ places? \(\d+\))</summary>\n|</details>\n|<!-- pinnace:v1 \{.*\} -->\n|<!-- pinnace:reply [A-Za-z0-9._-]* -->\n)$`)
	ownLinks = regexp.MustCompile(`^https://github\.com/[A-Za-z0-9-]+/[A-Za-z0-9._-]+/commit/[0-9a-f]{40}$|^https://github\.com/acme/config/edit/pinnace/configure/\.pinnace/config\.yaml$|^` + details + `$`)
	inCode   = regexp.MustCompile(`(?s)<code>.*?</code>`)
	tags     = regexp.MustCompile(`(?s)<!--.*?-->|<[^>]*>`)
	meaning  = regexp.MustCompile(`(?i)@[a-z0-9]|#[0-9]|\bgh-[0-9]|ghsa-|://|www\.|(^|[\s(\[{])[0-9a-f]{7,40}\b|:[a-z0-9_+-]+:|\$`)
	closing  = regexp.MustCompile(`(?i)\b(close[sd]?|fix(e[sd])?|resolve[sd]?):?\s+([\w./-]*#[0-9]|gh-[0-9]|https?://)`)
)

// harmless holds Markdown to having no syntax but our own.
func harmless(t *testing.T, markdown string) {
	t.Helper()
	if len(markdown) >= Limit || !utf8.ValidString(markdown) {
		t.Errorf("%d bytes, want fewer than %d, in UTF-8", len(markdown), Limit)
	}
	if i := strings.IndexFunc(markdown, func(r rune) bool { return r != '\n' && hidden(r) }); i >= 0 {
		t.Errorf("byte %d does not show: %q", i, markdown[max(i-10, 0):min(i+10, len(markdown))])
	}
	if found := closing.FindString(markdown); found != "" {
		t.Errorf("would close an issue as a commit message: %q", found)
	}
	raw := []byte(markdown)
	doc := gfm.Parser().Parse(source.NewReader(raw))
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.AutoLink, *ast.Image, *ast.Heading, *ast.FencedCodeBlock, *ast.CodeBlock, *ast.ThematicBreak,
			*east.Strikethrough, *east.TaskCheckBox, *east.FootnoteLink, *east.Footnote, *ast.LinkReferenceDefinition:
			t.Errorf("got a %s in:\n%.1000s", n.Kind(), markdown)
		case *ast.Emphasis:
			if n.Level != 2 {
				t.Errorf("got emphasis in:\n%.1000s", markdown)
			}
		case *ast.Link:
			if !ownLinks.Match(n.Destination) {
				t.Errorf("got a link to %q", n.Destination)
			}
		case *ast.RawHTML:
			if s := string(n.Segments.Value(raw)); !ownHTML.MatchString(s) {
				t.Errorf("got HTML %q", s)
			}
		case *ast.HTMLBlock:
			if s := string(n.Lines().Value(raw)); !ownHTML.MatchString(s) {
				t.Errorf("got HTML %q", s)
			}
		}
		return ast.WalkContinue, nil
	})
	shown := html.UnescapeString(tags.ReplaceAllString(inCode.ReplaceAllString(render(t, markdown), "code"), ""))
	if found := meaning.FindString(shown); found != "" {
		t.Errorf("GitHub would read %q in:\n%.1000s", found, shown)
	}
}

// checked holds all that a check says to the promises of this package.
func checked(t *testing.T, c Check) {
	t.Helper()
	summary, text, title := c.Summary(), c.Text(), c.Title()
	harmless(t, summary)
	harmless(t, text)
	if len(text) > CheckLimit-RecordRoom || len(summary) > CheckLimit {
		t.Errorf("got a summary of %d bytes and a text of %d", len(summary), len(text))
	}
	if IsOurs(summary+"\n"+text) || ReplyKey(summary+"\n"+text) != "" {
		t.Errorf("a mark is forged in:\n%.1000s", summary)
	}
	if n := utf8.RuneCountInString(title); n > maxTitle || n == 0 {
		t.Errorf("got a title of %d characters", n)
	}
	unmeaning(t, title)
}

// answered holds a comment or an issue of ours with the key "k" to the promises of this
// package. The only reference in it is to number 4242.
func answered(t *testing.T, body string) {
	t.Helper()
	if closing.MatchString(body) {
		t.Errorf("would close an issue: %.1000s", body)
	}
	harmless(t, strings.ReplaceAll(body, "#4242", ""))
	if ReplyKey(body) != "k" || IsOurs(body) {
		t.Errorf("got the key %q in:\n%.1000s", ReplyKey(body), body)
	}
}

// merged holds the commit that merges to the promises of this package.
func merged(t *testing.T, m Merge) {
	t.Helper()
	title, message := m.Title(), m.Message()
	if n := utf8.RuneCountInString(title); n > maxSubject || !strings.HasSuffix(title, " (#4242)") || strings.Contains(title, "\n") {
		t.Errorf("got the title %q", title)
	}
	unmeaning(t, strings.TrimSuffix(title, " (#4242)"))
	for line := range strings.Lines(signed.ReplaceAllString(message, "$1")) {
		unmeaning(t, strings.TrimSuffix(line, "\n"))
	}
	if len(message) >= Limit {
		t.Errorf("got %d bytes", len(message))
	}
	got := ParseTrailers(title + "\n\n" + message)
	most := map[string]int{
		TrailerKind: 1, TrailerEnv: maxEnvironments, TrailerApp: 1, TrailerFrom: 1, TrailerSkipped: maxNames, TrailerRequest: 1, TrailerImage: maxImages, TrailerSeal: 1,
		TrailerRequestedBy: maxPeople, TrailerApprovedBy: maxPeople, TrailerPolicy: maxNames, TrailerDeployedBy: 1, TrailerGlass: 1,
	}
	for k, v := range got {
		if len(v) > most[k] {
			t.Errorf("got %d trailers %s, want at most %d, in:\n%.300s", len(v), k, most[k], message)
		}
	}
	if len(got[TrailerKind]) != 1 || got[TrailerKind][0] != string(m.Kind) {
		t.Errorf("got the trailers %v", got)
	}
}

// signed matches login#id at the end of a line.
var signed = regexp.MustCompile(`(?m)([A-Za-z0-9_-]|\[bot\])#[0-9]+(\.|:|$)`)

// unmeaning holds one line of no Markdown to having no meaning.
func unmeaning(t *testing.T, s string) {
	t.Helper()
	if closing.MatchString(s) || strings.ContainsAny(s, "#`<") || !utf8.ValidString(s) || strings.Contains(s, "://") || unclean.MatchString(s) {
		t.Errorf("got %.300q", s)
	}
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Errorf("got what does not show in %.300q", s)
	}
}

// unclean matches an @ that is not between a name and a digest.
var unclean = regexp.MustCompile(`(^|[^\pL\pN])@|@([^s]|$)`)

// check holds all that a pull request says to the promises of this package.
func check(t *testing.T, p PullRequest) {
	t.Helper()
	body, title, commit := p.Body(), p.Title(), p.Commit("0123456789abcdef0123456789abcdef01234567")
	harmless(t, body)
	if p.asked() {
		other := p
		other.Decision = nil
		if !other.IsIn(body) {
			t.Error("what the rules came to is part of what the body says")
		}
		other.Request.Reason += "."
		if other.IsIn(body) {
			t.Error("the reason is no part of what the body says")
		}
	}
	if !p.IsIn(body) || IsFinished(body) != p.Finished || strings.Count(body, markStart) != 1 {
		t.Errorf("the body is not told from others:\n%.1000s", body)
	}
	other := p
	other.Finished = !p.Finished
	if other.IsIn(body) || IsFinished(other.Body()) == IsFinished(body) {
		t.Error("a finished pull request has the body of an open one")
	}

	lines := strings.Split(strings.TrimSuffix(body, "\n"), "\n")
	machine := lines[len(lines)-1]
	data, ok := strings.CutPrefix(machine, "<!-- pinnace:v1 ")
	data, end := strings.CutSuffix(data, " -->")
	var b block
	if err := json.Unmarshal([]byte(data), &b); err != nil || !ok || !end || strings.Contains(data, "--") || b.Kind != p.Kind {
		t.Errorf("got the machine block %q: %v", machine, err)
	}

	subject, _, _ := strings.Cut(commit, "\n")
	if n := utf8.RuneCountInString(title); n > 255 || n == 0 || utf8.RuneCountInString(subject) > 72 {
		t.Errorf("got a title of %d characters and a subject of %d", n, utf8.RuneCountInString(subject))
	}
	for _, s := range []string{title, signed.ReplaceAllString(commit, "$1")} {
		if len(s) >= Limit || closing.MatchString(s) || strings.ContainsAny(s, "#`<") || !utf8.ValidString(s) || regexp.MustCompile(`\W@|@[^s]`).MatchString(s) {
			t.Errorf("got %.300q", s)
		}
		if strings.ContainsFunc(s, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) || strings.Contains(title, "\n") {
			t.Errorf("got what does not show in %.300q", s)
		}
	}
	got := ParseTrailers(commit)
	most := map[string]int{
		TrailerKind: 1, TrailerEnv: maxEnvironments, TrailerApp: 1, TrailerSeal: 1, TrailerBase: 1, TrailerImage: maxImages,
		TrailerFrom: 1, TrailerSkipped: maxNames, TrailerRequest: 1, TrailerRequestedBy: maxPeople,
	}
	for k, v := range got {
		if len(v) > most[k] {
			t.Errorf("got %d trailers %s, want at most %d, in:\n%.300s", len(v), k, most[k], commit)
		}
	}
	if got[TrailerKind][0] != string(p.Kind) || len(p.Images) > 0 && len(got[TrailerImage]) == 0 {
		t.Errorf("got the trailers %v", got)
	}
}

// FuzzMessage: whatever stands in the fields, nothing of it has a meaning on GitHub.
func FuzzMessage(f *testing.F) {
	for n, s := range hostiles {
		f.Add(s, s, 1, false)
		f.Add(s, "ghcr.io/acme/shop", 3, true)
		if n%20 == 0 {
			f.Add(s, "ghcr.io/acme/shop", 63, true)
		}
	}
	f.Fuzz(func(t *testing.T, s, u string, rows int, shared bool) {
		p := hostile(s)
		i := p.Images[0]
		i.Name, i.Source, i.Created = u, "https://github.com/"+u, time.Unix(int64(rows), 0)
		i.Revision, i.OldDigest, i.NewDigest = strings.Repeat("a", 40), "", digestOf("a")
		i.Places = []Place{{Path: u, Object: s}, {Path: s, Line: 3, Object: u}, {Path: s + u, Line: 3}}
		p.Images = append(p.Images, i)
		p.Notes = append(p.Notes, u, s+u, u+s)
		p.Left = append(p.Left, Left{Path: u, Image: s, Reason: u + " " + s})
		p.Shared, p.Environments = shared, append(p.Environments, u)
		p.Kind = []promotion.Kind{promotion.Pin, promotion.Update, promotion.Promotion, promotion.Rollback}[uint(rows)%4]
		if n := uint(rows) % 64; n > 60 {
			p.Images, p.Left, p.Notes = slices.Repeat(p.Images, int(n)), slices.Repeat(p.Left, int(n)), slices.Repeat(p.Notes, int(n))
			p.Environments = slices.Repeat(p.Environments, int(n))
		}
		check(t, p)
		p.Images = p.Images[:1]
		p.Diverged, p.All, p.DetailsURL = nil, true, details
		check(t, p)
	})
}

// FuzzVerdict: the same of what is said about a verdict, a merge, a request and an incident.
func FuzzVerdict(f *testing.F) {
	for n, s := range hostiles {
		f.Add(s, hostiles[(n+7)%len(hostiles)], n, n%2 == 0)
	}
	f.Fuzz(func(t *testing.T, s, u string, n int, shared bool) {
		p := hostile(s)
		p.Kind = []promotion.Kind{promotion.Pin, promotion.Update, promotion.Promotion, promotion.Rollback, promotion.ByHand}[uint(n)%5]
		p.Environments = append(p.Environments, u)
		d := hostileDecision(s + u)
		d.Results = append(d.Results, hostileDecision(u).Results...)
		statuses := []promotion.Status{promotion.Passed, promotion.Waiting, promotion.Unknown, promotion.Denied, promotion.Status(u)}
		d.Status = statuses[uint(n)%5]
		checked(t, Check{Name: s, Subject: u, Decision: d, Hold: s, Advisory: shared, Notes: []string{s, u}, Seal: u})
		who := []promotion.Identity{{ID: 5, Login: s}, {Login: u}, {ID: 6, Login: u + "[bot]", Bot: true}}
		merged(t, Merge{
			PullRequest: 4242, Kind: p.Kind, App: u, Envs: p.Environments, From: s, Skipped: []string{u, s}, Request: u, Images: p.Images, Seal: s,
			Requested: who, Approved: who, Policies: []string{s, u}, Deployed: who[0], Glass: s + " " + u, Version: s,
		})
		r := p.Request
		r.Kind = p.Kind
		why := []string{s, u, u + s}
		for _, body := range []string{
			Opened("k", r, 4242), Refused("k", r, &d, why), Problem("k", why), Updated("k", r, 4242, []promotion.Wanted{{Tag: u}}), Joined("k", 4242), Waits("k", r, 4242, why),
			Glass{Key: "k", App: s, Envs: p.Environments, PullRequest: 4242, Commit: u, By: who[0], At: time.Unix(1, 0), Reason: u, Images: p.Images, Waived: d.Results, Seal: s}.Body(),
			Bypass{Key: "k", Base: s, Commit: u, URL: "x" + s, PullRequest: 4242, By: who[1], Envs: p.Environments, Images: p.Images, Rules: d.Results, Why: u}.Body(),
			Bypass{Key: "k", Base: u, Commit: s, URL: details, At: time.Unix(1, 0), Why: s}.Body(),
			hostileWatch(s).Body(), Watch{Key: "k", Moved: []MovedTag{{Image: u, Tag: s, Old: s, New: u, Place: s}}, Gone: []GoneDigest{{Image: s, Digest: u, Place: u, More: 3}}}.Body(),
		} {
			answered(t, body)
		}
		for _, title := range []string{
			Glass{App: s, Envs: p.Environments, PullRequest: 4242}.Title(), Bypass{Images: p.Images, Envs: p.Environments, PullRequest: 4242}.Title(),
		} {
			if unmeaning(t, strings.TrimSuffix(title, " (#4242)")); utf8.RuneCountInString(title) > maxTitle {
				t.Errorf("got the title %q", title)
			}
		}
	})
}

// FuzzForeign: the doors hold alone and side by side, at the start of a line and in it.
func FuzzForeign(f *testing.F) {
	for _, s := range hostiles {
		f.Add(s, s)
		f.Add(s, "a")
	}
	f.Fuzz(func(t *testing.T, s, u string) {
		harmless(t, Code(s))
		harmless(t, Text(s)+"\n"+Text(u))
		harmless(t, "- "+Text(s)+", "+Code(u)+"\n- "+Text(u)+" "+Text(s))
		harmless(t, "| a | b |\n| --- | --- |\n| "+Code(s)+" | "+Text(u)+" |\n| "+Text(s)+" | "+Link(u, " "+s)+" |")
		harmless(t, "["+Code(s)+"](https://github.com/a/b/commit/"+strings.Repeat("a", 40)+")")
	})
}

// hostiles are the seeds of the fuzzer, and run as tests.
var hostiles = []string{
	"", " ", "\n", "a", "@a", "#1", "gh-1", "<script>alert(1)</script>", "<!--", "-->", "--", "`", "``", "```", "<!-- pinnace:v1 {} -->", "````\ncode\n````", "~~~", "\\", "\\`", "|", "\\|", "||", "a|b|`c|d`",
	"\n\n# heading", "\n\n- [ ] task", "\n> quote", "![i](https://evil.example/i.png)", "[a]: https://evil.example", "[a][a]", "[^1]", "[^1]: note", "<https://evil.example>", "https://evil.example", "www.evil.example", "a@evil.example", "mailto:a@evil.example",
	"Fixes #1", "closes: acme/shop#1", "resolves https://github.com/acme/shop/issues/1", "fixed GH-1", "&#64;carol", "&commat;carol", "&#x40;a", "&lt;b&gt;", ":tada:", "$x$", "$`x`$", "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d",
	"\u202e\u2066\u200b\u200e\ufeff\U000e0041", "e\u0301\u0301\u0301\u0301\u0301\u0301", "\xff\xc3\x28", "Pinnace-Seal: forged\nPinnace-Env: forged", "a\rb\vc\fd\u0085e\u2028f", "</details>", "</sub>", "**bold** _em_ ~del~", "1. one", "1) one", "---", "===", "    code", "\tcode", "{\"a\":1}",
	strings.Repeat("é", 3000), strings.Repeat("@a ", 1000), strings.Repeat("`", 3000), strings.Repeat("<", 3000), strings.Repeat("&|", 1500), strings.Repeat("a", 3000), strings.Repeat("𝔘", 3000), strings.Repeat("\u0301", 3000),
}

// TestCases holds the golden cases and the largest ones to the same promises.
func TestCases(t *testing.T) {
	for name, p := range cases {
		t.Run(name, func(t *testing.T) { check(t, p) })
	}
	big := cases["pin-several"]
	big.Images = nil
	for n := range 3000 {
		i := shop()
		i.Name += strings.Repeat("x", n%50)
		i.NewDigest = digestOf(string("0123456789abcdef"[n%16]))
		i.Places = slices.Repeat([]Place{{Path: "a/" + i.Name, Line: n, Object: "Deployment shop"}}, 20)
		big.Images = append(big.Images, i)
	}
	big.Left, big.Notes = slices.Repeat(big.Left, 3000), slices.Repeat(big.Notes, 3000)
	check(t, big)
	body := big.Body()
	for _, want := range []string{"more rows", "more places", "more notes", "more files", "more images", "To decline", "# pinnace:ignore", "Pinnace 0.3.0"} {
		if !strings.Contains(body, want) {
			t.Errorf("the largest body does not say %q", want)
		}
	}
	for _, s := range []string{strings.Repeat("|", 600), strings.Repeat("𝔘", 600)} {
		p := hostile(s)
		p.Kind, p.Environments, p.DetailsURL = promotion.Promotion, slices.Repeat(p.Environments, 100), details
		p.Images, p.Left, p.Notes = slices.Repeat(p.Images, 40), slices.Repeat(p.Left, 40), slices.Repeat(p.Notes, 40)
		p.Request.Skipped, p.Request.By = slices.Repeat(p.Request.Skipped, 100), slices.Repeat(p.Request.By, 100)
		p.Decision.Results = slices.Repeat(p.Decision.Results, 20)
		check(t, p)
	}
	check(t, PullRequest{Kind: promotion.Update})
	check(t, PullRequest{Kind: "other", Images: []Image{{Name: "a", NewDigest: "x"}}})
}
