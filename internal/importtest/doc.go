// Package importtest holds the house to its drawing: its test reads every Go file
// of the module and fails where a package imports what the table in rules.go does
// not allow it, where a package has no row, and where a row has no package.
//
// It reads the files itself: a child "go list" would be invisible to the test cache.
package importtest
