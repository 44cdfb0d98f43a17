// Package cli is the command line: one file for each verb, and wire.go, which joins the
// rooms that the verbs need.
//
// A verb parses flags, builds a reconcile.Reconciler, chooses where it stops (a diff, a
// report, written files), and prints through package report. Results go to standard
// output, everything else to standard error. The exit status is 0 when all is done and
// clean, 1 on an error, 2 on wrong usage, 3 when there are findings, and 4 when a registry
// wants authentication.
//
// It holds no logic that a server or an Action would want.
package cli
