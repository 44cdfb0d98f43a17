// Package fleet looks after all the repositories that Pinnace's GitHub App is installed on.
//
// In goes the App; out come its installations, their repositories, and visits: what one look
// at a repository is to do, from a token of its installation over the mirror on disk to the
// Steward of package verdict that proposes, judges and merges. A repository that nobody has
// configured yet gets the pull request of package onboard, and nothing else.
//
// What one installation may see is kept apart from every other: tokens, remembered answers and
// mirrors go by the number of the installation and of the repository, since names move.
//
// The package keeps caches only: mirrors, as many as there is room for, answers, what was read of
// the last few repositories.
// It never says when a repository is to be looked at; package queue does. It never decides.
package fleet
