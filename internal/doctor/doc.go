// Package doctor looks over an installation of Pinnace and says what is wrong with it.
//
// [Gather] asks ports for [Facts]: each is known, was not asked for, or could not be had. The
// [Checks] are functions of facts alone, so that each is a row of a table in the tests. A
// check is ok, a warning, a problem, or skipped with the reason; what is not ok carries one
// line that says how to put it right.
//
// It never changes anything, guesses what it could not see, or holds a secret.
package doctor
