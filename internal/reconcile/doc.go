// Package reconcile brings files and registries together: it surveys a set of files,
// asks what their images mean, and writes what package plan decides, into a directory or
// as pull requests.
//
// It reaches the outside through ports, Files, Resolver, Facts and Forge, which say in prose
// what they promise. Every file is scanned once; every unique reference is asked once, while
// the scan goes on; and a file is rewritten when all of its own images are answered. An
// image that could not be resolved is a step that failed, and stops nothing else.
//
// A [Proposer] keeps pull requests in step with what ought to be proposed. A head is
// replaced only where a [Deriver] finds nothing in it that could not be made again. What was
// asked for is remembered in check runs, through [Memory]; who asked is never read from text.
//
// The package holds no state between calls but the caches that it is given, never says whether
// something may be merged, and never opens a file, a socket or a database itself.
package reconcile
