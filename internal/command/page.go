package command

import "strings"

// A standing says how a line of a comment stands to its reader.
type standing int

const (
	plain    standing = iota // text
	lazy                     // text that continues a quote
	doubtful                 // text by some readings
	hidden                   // a quote, code or an HTML comment
)

// A page follows the lines of a comment. Which of them are code depends on the lists that
// they are in, and on where HTML comments end; rather than to know, it follows every
// reading at once, and only what is text by all of them is plain.
type page struct {
	readings [32]reading
	quoted   bool // the line before is a quote, or continues one
}

// standings returns how each line of a comment stands.
func standings(lines []string) []standing {
	p := page{}
	for i := range p.readings {
		p.readings[i] = reading{deep: i&1 > 0, inline: i&2 > 0, leave: i&4 > 0, tight: i&8 > 0, raw: i&16 > 0}
	}
	all := make([]standing, len(lines))
	for i, line := range lines {
		all[i] = p.read(line)
	}
	return all
}

// read takes the next line.
func (p *page) read(line string) standing {
	shown := 0
	for i := range p.readings {
		if p.readings[i].shows(line) {
			shown++
		}
	}
	text := strings.TrimLeft(line, " ")
	deep := len(line)-len(text) > 3 || strings.HasPrefix(text, "\t")
	cited := strings.HasPrefix(unlisted(strings.TrimLeft(text, "\t")), ">")
	wasQuoted := p.quoted
	p.quoted = strings.Trim(text, "> \t") != "" && (cited || wasQuoted && shown > 0)
	switch {
	case shown == 0, deep, text != "" && text[0] == '>':
		return hidden
	case shown < len(p.readings):
		return doubtful
	case wasQuoted:
		return lazy
	}
	return plain
}

// A reading follows one way to tell fenced code blocks and HTML
// (https://spec.commonmark.org/0.31.2/#fenced-code-blocks and #html-blocks).
type reading struct {
	deep   bool // code and HTML may begin at any depth, and in lists
	inline bool // an HTML comment may begin within a line
	leave  bool // a line further to the left ends code, since it ends the list that this is in
	tight  bool // code ends no further to the right than it began
	raw    bool // no code begins in the lines that follow a tag

	fence string // that opened the code block, "" outside of one
	depth int    // of that
	until string // what ends the HTML, "" outside of it
	tag   bool   // the lines since the last empty one have a tag at the beginning
}

// blocks are what begins HTML of which the text is code, not shown, or somebody else's, and
// what ends it.
var blocks = [][2]string{
	{"<pre", "</pre>"},
	{"<script", "</script>"},
	{"<style", "</style>"},
	{"<textarea", "</textarea>"},
	{"<blockquote", "</blockquote>"},
	{"<![cdata[", "]]>"},
	{"<!--", "-->"},
	{"<!", ">"},
	{"<?", "?>"},
}

// shows takes the next line and says whether it is text.
func (r *reading) shows(line string) bool {
	bare := strings.TrimLeft(line, " \t")
	depth := len(line) - len(bare)
	if strings.HasPrefix(strings.TrimLeft(line, " "), "\t") {
		depth += 4
	}
	if r.fence != "" && r.leave && bare != "" && depth < r.depth {
		r.fence = ""
	}
	switch {
	case r.until != "":
		r.until = unended(line, r.until)
		return false
	case r.fence != "":
		rest, ok := strings.CutPrefix(bare, r.fence)
		if ok && strings.Trim(strings.TrimLeft(rest, r.fence[:1]), " \t") == "" && depth <= r.deepest() {
			r.fence = ""
		}
		return false
	case bare == "" || bare[0] == '>':
		r.tag = false
		return true // what a quote opens ends with it
	}
	if r.deep {
		text := unlisted(bare)
		depth += len(bare) - len(text)
		bare = text
	}
	if r.deep || depth <= 3 {
		if r.fence, r.depth = opening(bare), depth; r.fence != "" && !(r.raw && r.tag) {
			return false
		}
		r.fence = ""
		r.tag = r.tag || strings.HasPrefix(bare, "<")
		if begun, until := html(bare); begun {
			r.until = unended(bare, until)
			return false
		}
	}
	if i := strings.LastIndex(bare, "<!--"); r.inline && i >= 0 {
		r.until = unended(bare[i:], "-->")
	}
	return true
}

// deepest is how deep the end of the code may stand.
func (r *reading) deepest() int {
	switch {
	case r.tight:
		return r.depth
	case r.deep:
		return r.depth + 3
	}
	return 3
}

// html says whether a line begins one of the blocks, and what ends that.
func html(line string) (begun bool, until string) {
	if !strings.HasPrefix(line, "<") {
		return false, ""
	}
	line = strings.ToLower(line)
	for _, b := range blocks {
		rest, ok := strings.CutPrefix(line, b[0])
		if tag := strings.HasPrefix(b[1], "</"); ok && (!tag || rest == "" || strings.ContainsAny(rest[:1], " \t>")) {
			return true, b[1]
		}
	}
	return false, ""
}

// unended returns what ends HTML unless it ends in its first line.
func unended(line, until string) string {
	if strings.Contains(strings.ToLower(line), until) {
		return ""
	}
	return until
}

// opening returns the fence that a line opens a code block with, "" if it does not.
func opening(line string) string {
	for _, mark := range []string{"`", "~"} {
		rest := strings.TrimLeft(line, mark)
		if n := len(line) - len(rest); n >= 3 && (mark == "~" || !strings.Contains(rest, mark)) {
			return line[:n]
		}
	}
	return ""
}

// unlisted returns a line without the marks of the lists that it opens.
func unlisted(line string) string {
	for {
		rest := strings.TrimLeft(line, "0123456789")
		switch {
		case rest == "":
			return line
		case len(rest) < len(line) && strings.ContainsAny(rest[:1], ".)"), len(rest) == len(line) && strings.ContainsAny(rest[:1], "-*+"):
			rest = rest[1:]
		default:
			return line
		}
		if text := strings.TrimLeft(rest, " \t"); len(text) < len(rest) {
			line = text
			continue
		}
		return line
	}
}
