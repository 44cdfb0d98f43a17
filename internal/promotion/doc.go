// Package promotion holds the nouns that the rooms of Pinnace speak to each other: who
// (Identity), where (Repository, Environment names), what (Change, Proposal) and what
// GitHub knows of it (PullRequest, Review, Comment, CheckRun, CommitStatus, Rules).
//
// It has values and the few functions that belong to them, such as the hash of a list of
// changes. Nothing is parsed here, nothing is fetched, and no rule is held. The errors are
// the classes that every outside answer falls into, so that rooms which do not know GitHub
// can tell "it is not there" from "nobody knows".
package promotion
