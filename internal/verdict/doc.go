// Package verdict brings the checks of a repository's open pull requests in step with what
// policy says of them, and merges what may be merged.
//
// In goes a repository; out come the verdicts, which stand in its check runs. For each open
// pull request to a managed base the package works out from trees what it changes, gathers
// every fact that a decision depends on, asks package policy, and writes what that says. What
// is to be merged is read anew right before, and merged at exactly the head that was judged.
//
// What is remembered stands in the check runs themselves, see package record: the database
// of a server may be lost, and nothing with it. Of the words of people only reviews and
// commands count, and of them only what GitHub says of who wrote them; the text of a pull
// request is never read for facts.
//
// Besides, each head that people wrote is held to its digests, with suggestions to click where
// a policy locks an environment; a change of the rules themselves is guarded, and shown with
// what it would do; and each commit of a base is looked at once more after it came there.
//
// The package holds no state between calls, never writes to a branch of a person, and never
// decides: package policy does.
package verdict
