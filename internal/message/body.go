package message

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// The most bytes that each list and the block for machines take. Together with what is
// not cut they stay below Limit.
const (
	tableRoom   = 13 << 10
	rulesRoom   = 7 << 10
	filesRoom   = 7 << 10
	leftRoom    = 7 << 10
	digestsRoom = 9 << 10
	notesRoom   = 4 << 10
	machineRoom = 3 << 10
)

// folded is how many rows a list may have before it is folded away.
const folded = 12

// Body returns the body, of fewer than [Limit] bytes. Lists that are too long end with
// how many rows are missing. The last line is the [PullRequest.Mark].
func (p PullRequest) Body() string {
	sections := []string{
		p.warning(), p.summary(), p.skipped(), p.origin(), p.table(), p.notes(), p.rules(), p.outlook(),
		p.left(), p.files(), p.digests(), p.howTo(),
	}
	sections = slices.DeleteFunc(sections, func(s string) bool { return s == "" })
	text := strings.Join(sections, "\n\n")
	return text + "\n\n" + p.machine(text) + "\n"
}

// summary says what the pull request does and what merging it means.
func (p PullRequest) summary() string {
	if p.Finished {
		return "Nothing is left to do here: what this pull request proposed is on " + Code(p.Base) + ", or no longer wanted. Pinnace has closed it."
	}
	what := counted(p.names(), "image")
	if app := code(p.App, 100); app != "" && p.names() < 2 {
		what = app
	} else if app != "" {
		what = app + " (" + what + ")"
	}
	to := " in "
	if p.Kind == promotion.Promotion {
		to = " to "
	}
	if where := p.places(); where != "" {
		what += to + where
	}
	what += p.from()
	many := p.names() != 1
	switch {
	case p.Diverged == nil || len(p.Images) > 0:
	case p.Kind == promotion.Rollback:
		return "Was to roll back " + what + "."
	case p.asked():
		return "Was to promote " + what + "."
	}
	switch p.Kind {
	case promotion.Pin:
		if many {
			return "Pins " + what + " to digests. **Merging rolls out what the tags mean now**; after that, a tag that moves changes nothing here."
		}
		return "Pins " + what + " to a digest. **Merging rolls out what the tag means now**; after that, the tag may move and nothing changes here."
	case promotion.Update:
		if many {
			return "Updates " + what + ". **Merging rolls out the versions below.**"
		}
		return "Updates " + what + ". **Merging rolls out the version below.**"
	case promotion.Promotion:
		return "Promotes " + what + ". **Merging rolls out exactly what is listed below.**"
	case promotion.Rollback:
		return "Rolls back " + what + ". **Merging brings back exactly what is listed below.**"
	}
	return "Changes " + what + ". **Merging rolls out what is listed below.**"
}

// places is where, in Markdown.
func (p PullRequest) places() string {
	if p.All || len(p.Environments) == 0 {
		return ""
	}
	const most = 5
	var names []string
	for _, e := range p.Environments[:min(len(p.Environments), most)] {
		names = append(names, code(e, 63))
	}
	if more := len(p.Environments) - most; more > 0 {
		names = append(names, fmt.Sprint(more, " more"))
	}
	if p.Shared {
		return "files shared by " + joined(names)
	}
	return joined(names)
}

func (p PullRequest) warning() string {
	if p.Diverged == nil {
		return ""
	}
	return p.Diverged.note(p.asked())
}

// table shows each image in a row. Columns that nothing is known for are left out.
func (p PullRequest) table() string {
	if len(p.Images) == 0 {
		return ""
	}
	columns := []struct {
		name string
		cell func(Image) string
	}{
		{"Image", func(i Image) string { return Code(i.Name) }},
		{"Tag", Image.tag},
		{"Digest", Image.digest},
		{"Platforms", Image.platforms},
		{"Revision", Image.revision},
	}
	var rows [][]string
	known := make([]bool, len(columns))
	size := 0
	for _, i := range p.Images {
		var cells []string
		for n, c := range columns {
			cell := c.cell(i)
			cells = append(cells, cell)
			known[n] = known[n] || cell != ""
			size += len(cell) + len(" | ")
		}
		if size > tableRoom {
			break
		}
		rows = append(rows, cells)
	}
	row := func(cells func(n int) string) string {
		var b strings.Builder
		for n := range columns {
			if known[n] || n == 0 {
				b.WriteString("| " + cells(n) + " ")
			}
		}
		return b.String() + "|\n"
	}
	var b strings.Builder
	b.WriteString(row(func(n int) string { return columns[n].name }))
	b.WriteString(row(func(int) string { return "---" }))
	for _, cells := range rows {
		b.WriteString(row(func(n int) string { return cells[n] }))
	}
	if more := len(p.Images) - len(rows); more > 0 {
		b.WriteString("\n" + further(more, "row") + "\n")
	}
	if known[4] || slices.ContainsFunc(p.Images, func(i Image) bool { return i.Version != "" }) {
		b.WriteString("\n<sub>Revision, version and date are what the images say of themselves.</sub>\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// tag shows the new tag, and the old one where another was written.
func (i Image) tag() string {
	tag := code(i.Tag, 128)
	if old := code(i.OldTag, 128); old != "" && i.OldTag != i.Tag {
		tag = strings.TrimSuffix(old+" → "+tag, " → ")
	}
	if v := strings.TrimPrefix(i.Version, "v"); v != "" && !strings.Contains(i.Tag, v) {
		tag += " (" + code(i.Version, 60) + ")"
	}
	return tag
}

// digest shows the new digest, and the old one where the image was pinned.
func (i Image) digest() string {
	if i.OldDigest == "" {
		return short(i.NewDigest)
	}
	return short(i.OldDigest) + " → " + short(i.NewDigest)
}

// short shows a digest by its first digits; a reader of the table needs no more to tell
// two of them apart.
func short(s string) string {
	switch d, err := image.ParseDigest(s); {
	case s == "":
		return "none"
	case err != nil:
		return code(s, 30)
	default:
		return "`" + d.Hex()[:12] + "`"
	}
}

// platforms names a few, the usual ones first, without the linux that is expected.
func (i Image) platforms() string {
	const most = 4
	usual := func(name string) bool { return name == "linux/amd64" || strings.HasPrefix(name, "linux/arm64") }
	names := slices.Clone(i.Platforms)
	slices.SortStableFunc(names, func(a, b string) int {
		switch {
		case usual(a) == usual(b):
			return 0
		case usual(a):
			return -1
		}
		return 1
	})
	more := len(names) - most
	names = names[:min(len(names), most)]
	for n := range names {
		names[n] = text(strings.TrimPrefix(names[n], "linux/"), 40)
	}
	if more > 0 {
		names = append(names, fmt.Sprint(more, " more"))
	}
	return strings.Join(slices.DeleteFunc(names, func(s string) bool { return s == "" }), ", ")
}

var (
	hex40 = regexp.MustCompile(`^[0-9a-f]{40}$`)
	// onGitHub is the grammar of org.opencontainers.image.source that we make links of
	// (https://github.com/opencontainers/image-spec/blob/main/annotations.md).
	onGitHub = regexp.MustCompile(`^https://github\.com/([A-Za-z0-9-]{1,39}/[A-Za-z0-9._-]{1,100}?)(?:\.git)?/?$`)
)

// revision links the commit that the image says it was built from.
func (i Image) revision() string {
	var parts []string
	revision := strings.ToLower(i.Revision)
	known := hex40.MatchString(revision)
	source := onGitHub.FindStringSubmatch(i.Source)
	switch {
	case known && source != nil:
		parts = append(parts, Link(source[1]+"@"+revision[:7], "https://github.com/"+source[1]+"/commit/"+revision))
	case known:
		parts = append(parts, "`"+revision[:7]+"`")
	case i.Revision != "":
		parts = append(parts, code(i.Revision, 40))
	}
	if !i.Created.IsZero() {
		parts = append(parts, i.Created.UTC().Format("2006-01-02"))
	}
	return strings.Join(parts, ", ")
}

func (p PullRequest) notes() string {
	var rows []string
	for _, n := range p.Notes {
		if n = Text(n); n != "" {
			rows = append(rows, "- "+n+"\n")
		}
	}
	return section("Notes", rows, notesRoom, "note")
}

func (p PullRequest) left() string {
	var rows []string
	for _, l := range p.Left {
		row := "- " + Code(l.Path)
		if l.Line > 0 {
			row += fmt.Sprint(" line ", l.Line)
		}
		if l.Image != "" {
			row += ", " + Code(l.Image)
		}
		rows = append(rows, row+": "+Text(l.Reason)+"\n")
	}
	return section("Not edited", rows, leftRoom, "place")
}

func (p PullRequest) files() string {
	lines := map[string][]Place{}
	var paths []string
	for _, i := range p.Images {
		for _, place := range i.Places {
			if lines[place.Path] == nil {
				paths = append(paths, place.Path)
			}
			lines[place.Path] = append(lines[place.Path], place)
		}
	}
	slices.Sort(paths)
	var rows []string
	for _, path := range paths {
		places := lines[path]
		slices.SortStableFunc(places, func(a, b Place) int { return a.Line - b.Line })
		rows = append(rows, "- "+Code(path)+spots(places)+"\n")
	}
	files, total := p.size()
	return section(counted(files, "file")+", "+counted(total, "place"), rows, filesRoom, "file")
}

// spots lists lines of one file.
func spots(places []Place) string {
	const most = 8
	var spots []string
	for _, p := range places[:min(len(places), most)] {
		spot := fmt.Sprint("line ", p.Line)
		if p.Line <= 0 {
			spot = ""
		}
		if object := text(p.Object, 80); object != "" {
			spot = strings.TrimSpace(spot + " (" + object + ")")
		}
		if spot != "" {
			spots = append(spots, spot)
		}
	}
	if more := len(places) - most; more > 0 {
		spots = append(spots, fmt.Sprint(more, " more"))
	}
	if len(spots) == 0 {
		return ""
	}
	return ": " + strings.Join(spots, ", ")
}

// digests lists what is written, in full and fit for a copy.
func (p PullRequest) digests() string {
	var rows []string
	for _, i := range p.Images {
		ref := i.Name
		if i.Tag != "" {
			ref += ":" + i.Tag
		}
		if i.NewDigest != "" {
			ref += "@" + i.NewDigest
		}
		row := "- " + code(ref, 600)
		if i.OldDigest != "" {
			row += "\n  was " + code(i.OldDigest, 200)
		}
		rows = append(rows, row+"\n")
	}
	if len(rows) == 0 {
		return ""
	}
	return fold("Full digests", listed(rows, digestsRoom, "image"))
}

// howTo says how to decline, how to leave an image alone, and who wrote this.
func (p PullRequest) howTo() string {
	if p.Finished {
		return ""
	}
	say := "To decline, close this pull request: it stays closed until its content changes."
	if p.asked() {
		say = "To decline, close this pull request: it stays closed until somebody asks again."
	}
	if p.Kind == promotion.Pin || p.Kind == promotion.Update {
		say += " To leave an image alone, write `# pinnace:ignore` at the end of its line."
	}
	by := "Pinnace"
	if v := text(p.Version, 40); v != "" {
		by += " " + v
	}
	if p.Seal != "" {
		by += ", seal " + code(p.Seal, 12)
	}
	return say + "\n\n<sub>" + by + "</sub>"
}

// section is a list under a heading, folded where it is long.
func section(title string, rows []string, room int, noun string) string {
	switch {
	case len(rows) == 0:
		return ""
	case len(rows) > folded:
		return fold(fmt.Sprintf("%s (%d)", title, len(rows)), listed(rows, room, noun))
	}
	return "**" + title + "**\n\n" + listed(rows, room, noun)
}

func fold(title, list string) string {
	return "<details><summary>" + title + "</summary>\n\n" + list + "\n\n</details>"
}

// listed joins the rows that fit, and says how many did not.
func listed(rows []string, room int, noun string) string {
	var b strings.Builder
	for n, row := range rows {
		if b.Len()+len(row) > room {
			b.WriteString("- " + further(len(rows)-n, noun) + "\n")
			break
		}
		b.WriteString(row)
	}
	return strings.TrimSuffix(b.String(), "\n")
}
