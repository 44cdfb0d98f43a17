// Package rulebook reads all that the directory .pinnace/ says, at once: the configuration
// and the policies of a repository, laid on the organisation's floor.
//
// In go the bytes of both directories, and the apps of images that the configuration does
// not name; out come a [Rulebook] and all its problems, each with the file that has it. Files
// of the organisation have names that begin with [Organisation], so that none is taken for
// one of the repository.
//
// Nothing is read from disk or network, and no document is repaired: where there is an
// error there is no Set, and nothing is judged by half of the rules.
package rulebook
