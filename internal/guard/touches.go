package guard

import (
	"bytes"
	"path"
	"strings"
)

// home is the directory of the documents.
const home = ".pinnace"

// Touches reports whether a path is guarded: it is of .pinnace/, or a workflow, or the
// metadata of an action beside it, that mentions Pinnace. Any mention counts that is not
// .pinnace/ itself or a comment of whole lines, since a script can run a program in more
// ways than can be listed. Ask for the content before a change and after it.
func Touches(name string, content []byte) bool {
	if name == home || strings.HasPrefix(name, home+"/") {
		return true
	}
	return isWorkflow(name) && mentions(content)
}

// isWorkflow reports whether GitHub runs a file: a workflow
// (https://docs.github.com/en/actions/reference/workflow-syntax-for-github-actions), or an
// action (https://docs.github.com/en/actions/reference/metadata-syntax-for-github-actions).
func isWorkflow(name string) bool {
	dir, base := path.Split(name)
	switch base {
	case "action.yml", "action.yaml":
		return true
	}
	ext := path.Ext(base)
	return dir == ".github/workflows/" && (ext == ".yml" || ext == ".yaml")
}

func mentions(content []byte) bool {
	word := []byte("pinnace")
	for line := range bytes.Lines(content) {
		line = bytes.TrimSpace(line)
		if bytes.HasPrefix(line, []byte("#")) {
			continue
		}
		line = bytes.ToLower(line)
		for {
			at := bytes.Index(line, word)
			if at < 0 {
				break
			}
			before, after := line[:at], line[at+len(word):]
			directory := bytes.HasSuffix(before, []byte(".")) && bytes.HasPrefix(after, []byte("/"))
			ignore := bytes.HasSuffix(bytes.TrimRight(before, " \t"), []byte("#")) && bytes.HasPrefix(after, []byte(":ignore"))
			if !directory && !ignore {
				return true
			}
			line = after
		}
	}
	return false
}
