// Package manifest finds container images in the files of a config repository and
// changes their bytes, and nothing else.
//
// [Scan] takes the bytes of one file and a [Format] and returns a [Finding] for each
// place that holds an image: by structure (a pod's containers, a kustomization's
// images, a Helm map of repository and tag, a Dockerfile's FROM), never by a pattern
// over lines. A place that cannot be edited exactly (templated, encrypted, aliased,
// folded over lines, ambiguous through duplicate keys, inside a string) is returned
// with a [Problem] that says why.
//
// [Apply] takes the same bytes and a list of [Edit] and returns new bytes. It locates
// each value by the line and column that kyaml's decoder reports, which count lines of
// the whole stream, columns in characters, and break lines at LF, CR, CRLF, NEL, LS
// and PS; lexes where the value ends by its style; and splices. It never marshals YAML.
//
// Into the images of a kustomization it can also insert entries.
//
// Then it proves the result: the parsed trees are equal but for the values that were
// asked, the bytes outside the splices are equal, and a second scan finds each target
// as asked and everything else as it was. When any of that fails nothing is returned
// but an error.
//
// [Opaque] returns the parts of a file from which images can come that Scan does not find.
//
// Scan also returns the paths that a kustomization, or an object of Argo CD or Flux, names
// ([Local]). What is there, only a reader of the whole tree can say.
//
// The package knows file names only as far as they tell a format apart. It never
// touches a disk, a network, an environment or a policy, and it never follows an alias
// into a value that it edits.
package manifest
