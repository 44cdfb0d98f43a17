// Package image holds what a container image reference is.
//
// In goes text as a person wrote it: "nginx", "ghcr.io/acme/shop:1.4",
// "localhost:5000/api@sha256:...". Out comes a [Ref] that keeps the author's
// own spelling of the name beside its parts, so that adding a digest to
// "nginx:1.25" writes "nginx:1.25@sha256:..." and never
// "index.docker.io/library/nginx:1.25@sha256:...".
//
// [Parse] follows the grammar of distribution/reference
// (https://pkg.go.dev/github.com/distribution/reference) and is strict:
// templates, encrypted values, prose and truncated digests are errors that say
// what is wrong. Defaults (docker.io, library/, latest) are applied only where a
// caller asks for the canonical form with [Ref.Repository] or [Ref.TagOrLatest].
//
// [Resolution] is what a registry said about a reference.
//
// The package never reads YAML, never reaches a network, and never rewrites
// what a person wrote.
package image
