// Package importtest holds the house to its drawing, and the documents to the house.
//
// Its tests read every Go file of the module, and fail where a package imports what the table in
// rules.go does not allow it, where a package has no row, where a row has no package, and where
// a program could be started. They read every page: links lead to files and headings that are
// there, docs/architecture.md draws the rooms, docs/threats.md names tests that exist, and
// docs/comparison.md has a source for each cell.
//
// It reads the files itself: a child "go list" would be invisible to the test cache. It asks
// nobody on the network, unless -outside is given.
package importtest
