package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// MaxFile is the most bytes of a file in a repository that is read; a stream from
// standard input has a limit of its own.
const MaxFile = 8 << 20

// maxDepth is how deep a document may be nested for its images to be looked for.
const maxDepth = 200

// lfsPointer starts a file whose content Git LFS keeps elsewhere
// (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md).
var lfsPointer = []byte("version https://git-lfs.github.com/spec/")

// unfit returns why data cannot be read as text, or nil.
func unfit(data []byte) *Problem {
	switch {
	case isUTF16(data):
		return problem(Unreadable, "the file is UTF-16: save it as UTF-8")
	case bytes.HasPrefix(data, lfsPointer):
		return problem(Unreadable, "the file is a Git LFS pointer: its content is not in the repository")
	case bytes.IndexByte(data, 0) >= 0:
		return problem(Unreadable, "the file holds a NUL byte: it is not text")
	}
	if i := invalidUTF8(data); i >= 0 {
		p := problem(Unreadable, "byte 0x%02x is not UTF-8: save the file as UTF-8", data[i])
		p.Position = positionOf(data, i)
		return p
	}
	if len(data) > len(bom) {
		if i := bytes.Index(data[len(bom):], bom); i >= 0 {
			p := problem(Unreadable, "a byte order mark stands inside the file and would become part of a key: delete it")
			p.Position = positionOf(data, i+len(bom))
			return p
		}
	}
	return nil
}

func isUTF16(data []byte) bool {
	return bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff"))
}

func invalidUTF8(data []byte) int {
	if utf8.Valid(data) {
		return -1
	}
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

func positionOf(data []byte, offset int) Position {
	return newLines(data).position(offset)
}

// decode reads every document of the stream with one decoder, so that positions count
// from the start of the stream.
func decode(data []byte) (docs []*yaml.Node, p *Problem) {
	defer func() {
		if r := recover(); r != nil {
			docs, p = nil, problem(Unreadable, "the YAML parser gave up: %v", r)
		}
	}()
	d := yaml.NewDecoder(bytes.NewReader(acceptVersion(data)))
	for {
		var n yaml.Node
		err := d.Decode(&n)
		if errors.Is(err, io.EOF) {
			return docs, nil
		}
		if err != nil {
			return nil, unreadable(data, err)
		}
		docs = append(docs, &n)
	}
}

// acceptVersion lets the parser read a document that declares YAML 1.2, which it
// refuses although it reads it: the declaration is replaced by one of equal length.
func acceptVersion(data []byte) []byte {
	const from, to = "%YAML 1.2", "%YAML 1.1"
	if !bytes.Contains(data, []byte(from)) {
		return data
	}
	out := bytes.Clone(data)
	if bytes.HasPrefix(bytes.TrimPrefix(out, bom), []byte(from)) {
		copy(out[bytes.IndexByte(out, '%'):], to)
	}
	for i := 0; ; {
		j := bytes.Index(out[i:], []byte("\n"+from))
		if j < 0 {
			return out
		}
		copy(out[i+j+1:], to)
		i += j + len(from)
	}
}

var errorLine = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^yaml: (?:line (\d+): )?`) })

func unreadable(data []byte, err error) *Problem {
	text := err.Error()
	line := 1
	if m := errorLine().FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = text[len(m[0]):]
	}
	p := problem(Unreadable, "not YAML: %s", text)
	if strings.HasPrefix(text, "did not find expected") {
		line++ // the parser counts lines from 0, the scanner from 1
	}
	p.Position = Position{Line: max(line, 1), Column: 1}
	switch {
	case bytes.Contains(data, []byte("{{")):
		p.Code = Templated
		p.Text = fmt.Sprintf("a template, not YAML (%s): pin what it is rendered from", text)
	case bytes.Contains(data, []byte("\n<<<<<<< ")) || bytes.HasPrefix(data, []byte("<<<<<<< ")):
		p.Text = "a merge conflict is not resolved: " + text
	}
	return p
}

// pointer spells path segments as RFC 6901 does.
func pointer(segments []string) string {
	var b strings.Builder
	for _, s := range segments {
		b.WriteByte('/')
		b.WriteString(strings.ReplaceAll(strings.ReplaceAll(s, "~", "~0"), "/", "~1"))
	}
	return b.String()
}
