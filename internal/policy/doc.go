// Package policy is the judge. It reads the policy documents of .pinnace/ and says of a
// change whether it may be merged.
//
// In go documents as bytes and a [World] of names that they may speak of; out come a
// [Set] and [Problems], all of them and not the first, each with file, line, column, what
// was expected and what to do. [Join] lays a repository's set upon the organisation's
// floor, which can be tightened and never loosened.
//
// [Decide] takes an [Input] that holds every fact, and returns a promotion.Decision: a
// tree of rule results, each with the values seen and wanted, who can change it, and the
// next step. A fact that nobody knows is not false: it is unknown, and what depends on it
// is never merged. A fail condition wins over all else; several policies on one pair must
// all hold.
//
// Nothing is fetched and no clock is read: Now is one of the facts. The same input gives
// the same decision, and its verdict does not depend on the order of reviews, policies and
// changes. The package knows no manifest, no Git and no GitHub, and never repairs a document.
package policy
