// Package reference prints the reference documentation: the pages of docs/reference, and the
// man pages.
//
// In goes a [Program], which is what the command line, the server and the doctor say of
// themselves, and what the rooms of the rules know: the schemas of the documents, the variables
// and functions of conditions, the rules of check, the commands of comments. Out come bytes:
// the same ones for the same program, without a date.
//
// It never reads or writes a file, and states no fact of its own that a room could tell it.
package reference
