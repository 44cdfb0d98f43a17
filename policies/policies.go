// Package policies is the library: policies that many want, each with the cases that show
// what it does. `pinnace policy create --from NAME` copies one.
//
// NAME.yaml is a file for .pinnace/policies/. The comment at its top says when to use it,
// what it does and what to change. NAME.txtar holds cases for `pinnace policy test`; the
// test of this package runs them all, so they can be read as documentation.
//
// The organisation of the examples is acme, and its images are under ghcr.io/acme. No file
// names an environment: production is what the configuration marks as production.
package policies

import "embed"

// FS holds NAME.yaml and NAME.txtar of each policy.
//
//go:embed *.yaml *.txtar
var FS embed.FS
