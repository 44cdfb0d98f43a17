// Package report writes what was found and done in the forms that people and programs
// read: text for a terminal, JSON, SARIF 2.1.0, GitHub workflow commands, and
// reviewdog's rdjson.
//
// Everything that stands in a report comes from files and registries that may be
// hostile: each form escapes it so that it can neither end a line, start a workflow
// command, nor move a terminal's cursor.
//
// The package decides nothing: it neither leaves out a finding nor adds one.
package report
