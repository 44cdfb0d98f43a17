// Package reconcile brings files and registries together: it surveys a set of files,
// asks what their images mean, and writes what package plan decides.
//
// It reaches the outside through two ports, Files and Resolver, which say in prose what
// they promise. Every file is scanned once; every unique reference is asked once, while
// the scan goes on; and a file is rewritten when all of its own images are answered. An
// image that could not be resolved is a step that failed, and stops nothing else.
//
// The package holds no state between calls and never opens a file, a socket or a
// database itself.
package reconcile
