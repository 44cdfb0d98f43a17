package manifest

import "bytes"

// screen says, without parsing, whether data can hold a finding or name other files: a key
// that ends in "image" or holds a Helm repository, a pod, a JSON patch of an image, a name
// that only some dialects give to images, an object of Argo CD or Flux that names paths. It
// may say yes in vain, never no in vain, but for
// keys written with escapes.
func screen(data []byte, f Format) bool {
	switch f {
	case None:
		return false
	case Kustomization, Workflow, Action, GitLab, Compose, Dockerfile:
		return true
	}
	if hides(data) {
		return true
	}
	if !hints(data) {
		return false
	}
	if !bytes.Contains(data, []byte("CustomResourceDefinition")) {
		return true
	}
	for len(data) > 0 {
		var chunk []byte
		chunk, data = cutDocument(data)
		if !isDefinition(chunk) && hints(chunk) {
			return true
		}
	}
	return false
}

// cutDocument cuts the stream at its next "---". That ends a document wherever it stands
// at the start of a line before a blank, even inside quotes, where it is an error
// (https://yaml.org/spec/1.2.2/#rule-c-forbidden).
func cutDocument(data []byte) (doc, rest []byte) {
	for i := 0; ; {
		j := bytes.Index(data[i:], []byte("\n---"))
		if j < 0 {
			return data, nil
		}
		i += j + len("\n---")
		if i == len(data) || isBlank(data[i]) || data[i] == '\n' || data[i] == '\r' {
			return data[:i-len("---")], data[i:]
		}
	}
}

// hides says whether keys can be spelled so that the words below do not show: escapes in
// quotes, base64, tags.
func hides(data []byte) bool {
	for rest := data; ; {
		i := bytes.IndexByte(rest, '\\')
		if i < 0 {
			break
		}
		if i+1 < len(rest) && (bytes.IndexByte([]byte("xuU"), rest[i+1]) >= 0 || breakAt(rest, i+1) > 0) {
			return true
		}
		rest = rest[min(i+2, len(rest)):]
	}
	return bytes.Contains(data, []byte("!!binary")) || bytes.Contains(data, []byte("!<")) ||
		bytes.Contains(data, []byte("%TAG")) || bytes.Contains(data, []byte("!!bin%"))
}

// hints looks for the words that a finding needs.
func hints(data []byte) bool {
	for rest := data; ; {
		i := bytes.Index(rest, []byte("mage"))
		if i < 0 {
			break
		}
		rest = rest[i+4:]
		if i > 0 && endsImageKey(rest) {
			return true
		}
	}
	if bytes.Contains(data, []byte("docker://")) || bytes.Contains(data, []byte("newTag")) ||
		bytes.Contains(data, []byte("newName")) || bytes.Contains(data, []byte("ontainers")) || names(data) {
		return true
	}
	return bytes.Contains(data, []byte("epository")) &&
		(bytes.Contains(data, []byte("tag")) || bytes.Contains(data, []byte("digest")) || bytes.Contains(data, []byte("sha")))
}

// names looks for objects that name paths of a repository.
func names(data []byte) bool {
	return bytes.Contains(data, []byte("argoproj.io/")) && bytes.Contains(data, []byte("Application")) ||
		bytes.Contains(data, []byte("toolkit.fluxcd.io/")) && (bytes.Contains(data, []byte("Kustomization")) || bytes.Contains(data, []byte("Helm"))) ||
		bytes.Contains(data, []byte("kustomize.config.k8s.io/"))
}

// endsImageKey says whether what follows "mage" makes it the end of a key (image, images),
// of a JSON patch's path, or of a Helm parameter's name (image.tag).
func endsImageKey(rest []byte) bool {
	i := 0
	if i < len(rest) && rest[i] == 's' {
		i++
	}
	for i < len(rest) && rest[i] == '.' {
		i++
		for i < len(rest) && isWord(rest[i]) {
			i++
		}
	}
	if i < len(rest) && (isWord(rest[i]) || rest[i] == '-') {
		return false
	}
	for i < len(rest) && (rest[i] == '"' || rest[i] == '\'') {
		i++
	}
	for i < len(rest) {
		switch c := rest[i]; {
		case c == ':', c == ',', c == '}':
			return true
		case c == '#':
			return true
		case isBlank(c):
			i++
		case breakAt(rest, i) > 0:
			return true
		default:
			return false
		}
	}
	return false
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// isDefinition says whether a document is a custom resource definition, whose schema
// speaks of images and holds none. Nothing in it may make another kind of it: each line
// at the left edge is a plain key other than kind and apiVersion.
func isDefinition(doc []byte) bool {
	kind, apiVersion := false, false
	for len(doc) > 0 {
		line := doc
		if i := bytes.IndexByte(doc, '\n'); i >= 0 {
			line, doc = doc[:i], doc[i+1:]
		} else {
			doc = nil
		}
		line = bytes.TrimRight(line, " \r")
		if len(line) == 0 || bytes.Equal(line, []byte("---")) {
			continue
		}
		if c := line[0]; c == ' ' && kind && apiVersion {
			continue
		} else if bytes.ContainsAny(line, "\r\u0085\u2028\u2029") {
			return false
		} else if c == '#' {
			continue
		}
		switch {
		case !apiVersion && bytes.HasPrefix(line, []byte("apiVersion: apiextensions.k8s.io/")):
			apiVersion = true
		case !kind && bytes.Equal(line, []byte("kind: CustomResourceDefinition")):
			kind = true
		case !kind || !apiVersion, !isWord(line[0]), bytes.HasPrefix(line, []byte("kind")), bytes.HasPrefix(line, []byte("apiVersion")):
			return false
		}
	}
	return kind && apiVersion
}
