// Package plan decides what is to be written: the author's side of Pinnace.
//
// In go what stands in the files (manifest.Finding) and what the registries say about it
// (Answer); out comes a Step for each finding: an edit, or the reason why there is none.
// [Needs] says beforehand what must be asked, so that each unique reference is asked
// once and before any file changes. [Select] says which tag a track rule follows, and
// [Reach] which environments a file affects.
//
// [Promote] says what a request for an app edits in an environment, from what [Candidate]
// finds in another one, and [Derive] reads the changes back out of two versions of a file.
// [Diff] says what a change by hand does to the images of each environment, and what of it
// nobody can read.
//
// The package never judges whether a change is allowed, never reads a file or the clock,
// and never asks a registry itself.
package plan
