// Package config holds the Config document of a config repository: which
// environments there are and which files are theirs, which images make an app,
// who holds which role, and how images are pinned, tracked and merged.
//
// In go the bytes of files of .pinnace/. [Split] parts a file into documents by
// kind and knows nothing of them but their kind; [Parse] reads the Config
// document; [Load] does both for the whole directory. Out come values and
// [Problems], all of them and not the first, each with file, line, column, what
// was expected and what to do. Where there is an error there is no Config:
// nothing is guessed and no key is skipped.
//
// The form is one hand-written JSON schema, schema/config.schema.json. It
// validates, it holds the defaults, and [Reference] is printed from it, so that
// the three cannot differ. Mistakes that span several keys (an unknown name in
// "after", a circle, one repository in two apps) are checked in Go, in the
// check files.
//
// YAML aliases are followed, within a budget of nodes, and never decoded by the
// YAML library: a bomb is a problem, not an outage. Merge keys, tags and
// duplicate keys are refused.
//
// The methods of [Config] answer which environments a path belongs to, what is
// excluded or ignored, and which app an image place is of. They work on a Config
// built by hand, too.
//
// The package never reads a file, and never looks into a policy.
package config
