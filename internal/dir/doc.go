// Package dir reads a directory of the local disk as a set of files, and replaces files
// in it one by one.
//
// Out come slash-separated paths relative to the root, in lexical order, without what
// git would not track: .git, and what a .gitignore names. Symbolic links are named and
// never followed; every file is opened below the root, so that no link can lead out of
// it.
//
// A file is replaced by a new one of the same mode that is complete before it takes the
// name, and only if the file still holds the bytes that the caller read. A program that
// is interrupted or killed leaves each file either old or new. Nothing is flushed to the
// disk: after a power failure, what git holds is the safe copy.
//
// The package does not know what is in a file.
package dir
