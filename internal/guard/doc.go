// Package guard judges pull requests that change the rules: those that touch .pinnace/ or a
// workflow that runs Pinnace. Its verdict is the check pinnace/config.
//
// In go the documents at the base's tip and at the head, who wrote the pull request, its
// reviews and comments, and what is known of the people. Out comes a decision that explains
// itself, with the difference that the head makes to the rules.
//
// The rules, all by the documents of the tip and never by those of the head:
//
//   - The documents of the head have no error.
//   - No image is changed besides.
//   - guard.approverCount admins have approved exactly this head. None of them opened the
//     pull request or wrote a commit of it, and none is a bot or a service account.
//   - A change request by somebody with write, or by an admin, stands in the way.
//   - An admin who is an author passes alone by a new, unedited comment that holds the whole
//     SHA of the head ([ApproveCommand]), but only while the tip has no Config, while that
//     person is the only admin, or where guard.allowAuthor is true. Authorship alone never
//     does.
//
// Approvals and comments count for [Lifetime]. A pull request from a fork is held to the
// same rules. What nobody knows is unknown, and neither yes nor no.
//
// The package never reads a file, never asks GitHub, and never judges an image.
package guard
