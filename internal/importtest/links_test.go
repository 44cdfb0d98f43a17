package importtest

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/yuin/goldmark"
	markdown "github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// A page is what links of others may need of a Markdown file.
type page struct {
	file    string // from the root of the module, with slashes
	links   []string
	anchors []string
	open    []string // what looks like a link and has no definition
}

// TestLinks holds every link of the documentation to a file, and to a heading of it, as GitHub
// names them. Nothing is asked of the network: links that leave the repository have to be https.
func TestLinks(t *testing.T) {
	pages := readPages(t)
	if len(pages) == 0 {
		t.Fatal("found no pages")
	}
	for _, p := range pages {
		for _, problem := range judgePage(p, pages, onDisk) {
			t.Error(problem)
		}
	}
}

func TestLinksCatch(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"file":             {"[a](none.md)", `docs/a.md: none.md: no file docs/none.md`},
		"above the root":   {"[a](../../b.md)", "leads out of the repository"},
		"anchor":           {"[a](#none)", "#none: docs/a.md has no such heading"},
		"anchor elsewhere": {"[a](b.md#none)", "b.md#none: docs/b.md has no such heading"},
		"case of anchor":   {"# Some Thing\n\n[a](#Some-Thing)", "has no such heading"},
		"from the root":    {"[a](/docs/b.md)", "begin it with ../"},
		"plain http":       {"[a](http://example.com/)", "want https"},
		"no host":          {"[a](https:///x)", "want https"},
		"image":            {"![a](none.png)", "no file docs/none.png"},
		"raw HTML":         {`<img src="none.png">`, "no file docs/none.png"},
		"reference":        {"[a][b]", "[a][b] has no definition"},
		"footnote":         {"word[^1]", "[^1] has no definition"},
	} {
		t.Run(name, func(t *testing.T) {
			p := parsePage("docs/a.md", []byte(tc.text))
			there := func(file string) bool { return file == "docs/a.md" || file == "docs/b.md" }
			got := strings.Join(judgePage(p, []page{p, {file: "docs/b.md"}}, there), "\n")
			if !strings.Contains(got, tc.want) {
				t.Errorf("got %q, want it to hold %q", got, tc.want)
			}
		})
	}
}

func TestAnchors(t *testing.T) {
	p := parsePage("a.md", []byte("# Who may do what?\n\n## `pin` & check\n\n## A `b` [c](d.md)\n\n## Same\n\n## Same\n\n## Ein Ähnliches_Ding: 1.2\n\n<a name=\"by-hand\"></a>\n\n```\n# no heading\n```\n"))
	want := []string{"who-may-do-what", "pin--check", "a-b-c", "same", "same-1", "ein-ähnliches_ding-12", "by-hand"}
	if !slices.Equal(p.anchors, want) {
		t.Errorf("got %q, want %q", p.anchors, want)
	}
}

// TestPathsInMessages holds each page that a message of the program names to its file and heading.
func TestPathsInMessages(t *testing.T) {
	pages := readPages(t)
	found := 0
	for _, s := range literals(t) {
		for _, to := range named(s.text) {
			found++
			for _, problem := range judgePage(page{file: s.place, links: []string{to}}, pages, onDisk) {
				t.Error(problem)
			}
		}
	}
	if found < 10 {
		t.Errorf("found %d names of pages in strings, want at least 10", found)
	}
}

func TestNamed(t *testing.T) {
	for in, want := range map[string][]string{
		"the permissions that docs/promotions.md lists":                     {"docs/promotions.md"},
		"see docs/policies.md#freeze, and docs/setup.md.":                   {"docs/policies.md#freeze", "docs/setup.md"},
		"https://github.com/pinnace-dev/pinnace/blob/main/docs/findings.md": {"docs/findings.md"},
		"../../docs/policies.md":                                            {"docs/policies.md"},
		"x/docs/a.md":                                                       nil,
		"docs/a":                                                            nil,
	} {
		if got := named(in); !slices.Equal(got, want) {
			t.Errorf("named(%q) = %q, want %q", in, got, want)
		}
	}
}

// judgePage returns what is wrong with the links of a page.
func judgePage(p page, pages []page, there func(string) bool) []string {
	var problems []string
	add := func(to, format string, args ...any) {
		problems = append(problems, fmt.Sprintf("%s: %s: %s", p.file, to, fmt.Sprintf(format, args...)))
	}
	for _, open := range p.open {
		problems = append(problems, fmt.Sprintf("%s: %s has no definition", p.file, open))
	}
	for _, to := range p.links {
		u, err := url.Parse(to)
		switch {
		case err != nil:
			add(to, "%v", err)
			continue
		case u.Scheme == "mailto":
			continue
		case u.Scheme != "" || u.Host != "":
			if u.Scheme != "https" || !strings.Contains(u.Host, ".") {
				add(to, "want https and a host")
			}
			continue
		case strings.HasPrefix(u.Path, "/"):
			add(to, "begin it with ../: GitHub and a checkout do not agree where / is")
			continue
		}
		file := p.file
		if u.Path != "" {
			file = path.Join(path.Dir(p.file), u.Path)
			if strings.Contains(p.file, ".go:") {
				file = u.Path
			}
		}
		if strings.HasPrefix(file, "../") {
			add(to, "leads out of the repository")
			continue
		}
		if u.Path != "" && !there(file) {
			add(to, "no file %s", file)
			continue
		}
		if u.Fragment == "" {
			continue
		}
		i := slices.IndexFunc(pages, func(p page) bool { return p.file == file })
		if i < 0 || !slices.Contains(pages[i].anchors, u.Fragment) {
			add(to, "%s has no such heading", file)
		}
	}
	return problems
}

var (
	undefined = regexp.MustCompile(`\[\^[^\]\s]+\]|\[[^\[\]]+\]\[[a-z0-9-]*\]`)
	htmlLink  = regexp.MustCompile(`(?i)\b(?:href|src)="([^"]*)"`)
	htmlName  = regexp.MustCompile(`(?i)\b(?:name|id)="([^"]*)"`)
)

// parsePage reads a Markdown file as GitHub does: https://github.github.com/gfm/.
func parsePage(file string, source []byte) page {
	p := page{file: file}
	md := goldmark.New(goldmark.WithExtensions(extension.GFM, extension.Footnote))
	seen := map[string]int{}
	raw := func(html string) {
		for _, m := range htmlLink.FindAllStringSubmatch(html, -1) {
			p.links = append(p.links, m[1])
		}
		for _, m := range htmlName.FindAllStringSubmatch(html, -1) {
			p.anchors = append(p.anchors, m[1])
		}
	}
	lines := func(n markdown.Node) string {
		var b bytes.Buffer
		for i := range n.Lines().Len() {
			line := n.Lines().At(i)
			b.Write(line.Value(source))
		}
		return b.String()
	}
	// The walk ends without an error: no visit returns one.
	_ = markdown.Walk(md.Parser().Parse(text.NewReader(source)), func(n markdown.Node, entering bool) (markdown.WalkStatus, error) {
		if !entering {
			return markdown.WalkContinue, nil
		}
		switch n := n.(type) {
		case *markdown.Link:
			p.links = append(p.links, string(n.Destination))
		case *markdown.Image:
			p.links = append(p.links, string(n.Destination))
		case *markdown.AutoLink:
			if n.AutoLinkType == markdown.AutoLinkURL {
				p.links = append(p.links, string(n.URL(source)))
			}
		case *markdown.Heading:
			name := anchor(words(n, source))
			seen[name]++
			if n := seen[name] - 1; n > 0 {
				name += "-" + strconv.Itoa(n)
			}
			p.anchors = append(p.anchors, name)
		case *markdown.HTMLBlock:
			raw(lines(n))
		case *markdown.RawHTML:
			for i := range n.Segments.Len() {
				segment := n.Segments.At(i)
				raw(string(segment.Value(source)))
			}
		}
		if n.Type() == markdown.TypeBlock && n.FirstChild() != nil && n.FirstChild().Type() == markdown.TypeInline {
			p.open = append(p.open, undefined.FindAllString(plain(n, source), -1)...)
		}
		return markdown.WalkContinue, nil
	})
	return p
}

// words returns the text of a node, code included, as it is read.
func words(n markdown.Node, source []byte) string {
	var b strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *markdown.Text:
			b.Write(c.Value(source))
		case *markdown.String:
			b.Write(c.Value)
		default:
			b.WriteString(words(c, source))
		}
	}
	return b.String()
}

// plain returns the text directly in a node, with a space for what is no text.
func plain(n markdown.Node, source []byte) string {
	var b strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if t, ok := c.(*markdown.Text); ok {
			b.Write(t.Value(source))
			continue
		}
		b.WriteByte(' ')
	}
	return b.String()
}

// anchor returns the name that GitHub gives to a heading: letters, digits, marks, _ and - stay,
// in lower case, and a space becomes a hyphen
// (https://github.com/gjtorikian/html-pipeline/blob/v2.14.3/lib/html/pipeline/toc_filter.rb).
func anchor(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-', r == '_', unicode.IsLetter(r), unicode.IsNumber(r), unicode.IsMark(r):
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
}

// readPages reads every Markdown file of the repository but those of tests.
func readPages(t *testing.T) []page {
	t.Helper()
	var pages []page
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if base := d.Name(); base == "testdata" || base == ".git" || base == "node_modules" || base == "dist" || base == ".release" {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(name) != ".md" {
			return nil
		}
		source, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		file, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		pages = append(pages, parsePage(filepath.ToSlash(file), source))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

// onDisk says whether the repository has a file or directory of this name, in this case of letters.
func onDisk(file string) bool {
	dir := root
	for part := range strings.SplitSeq(file, "/") {
		entries, err := os.ReadDir(dir)
		if err != nil || part != "." && !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == part }) {
			return false
		}
		dir = filepath.Join(dir, part)
	}
	return true
}

// A literal is a string in a Go file that is no test.
type literal struct{ place, text string }

func literals(t *testing.T) []literal {
	t.Helper()
	var found []literal
	for _, s := range read(t) {
		if s.test() {
			continue
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, filepath.Join(root, s.file), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if value, err := strconv.Unquote(lit.Value); err == nil {
					found = append(found, literal{fmt.Sprintf("%s:%d", s.file, set.Position(lit.Pos()).Line), value})
				}
			}
			return true
		})
	}
	return found
}

var pageName = regexp.MustCompile(`(?:^|[^\w/]|\.\./|/pinnace/blob/main/)(docs/[\w./-]*\w\.md(?:#[\w-]*\w)?)`)

// named returns the pages that a text names.
func named(text string) []string {
	var pages []string
	for _, m := range pageName.FindAllStringSubmatch(text, -1) {
		pages = append(pages, m[1])
	}
	return pages
}

// TestIndex: docs/README.md leads to each page of docs, and each directory of it has an index.
func TestIndex(t *testing.T) {
	pages := readPages(t)
	index := slices.IndexFunc(pages, func(p page) bool { return p.file == "docs/README.md" })
	if index < 0 {
		t.Fatal("there is no docs/README.md")
	}
	for _, p := range pages {
		inside, below := strings.CutPrefix(p.file, "docs/")
		if !below || inside == "README.md" {
			continue
		}
		if !slices.Contains(pages[index].links, inside) {
			t.Errorf("docs/README.md does not lead to %s", inside)
		}
	}
}
