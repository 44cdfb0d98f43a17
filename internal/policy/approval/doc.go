// Package approval counts the reviews of a pull request.
//
// In go the needs of the policies that govern it (how many approvals, of whom), its seal,
// the reviews with the seal of the head that each was submitted on, the timeline, and what
// is known of the people. Out come a result for each need, the approvals that count, the
// reviews that do not and why, and the change requests that stand in the way.
//
// The rules, which no policy changes:
//
//   - The latest review of each person that is not a comment is that person's opinion. A
//     person is a numeric id. An older review never comes back, whatever becomes of the
//     newer one.
//   - An approval is for the content that its author saw: the seal on record for the head at
//     the time of submission must be the seal of now. A missing record means "review
//     again", never a guess. Each approval is of one pull request, and ends after a while.
//   - Bots, service accounts, deleted accounts and the authors of foreign commits never
//     approve.
//   - A dismissed approval is gone, unless one of our own heads with the same seal
//     dismissed it.
//   - A change request stands in the way if its author had write or an approver's role
//     then, or has it now, whoever that is and whatever the content is by now. Its author
//     lifts it by another review or by dismissing it; else a person who is neither
//     requester, builder nor author does, by dismissing it.
//   - What nobody knows is unknown, and neither yes nor no. A need is unknown only where
//     that decides it: enough certain approvals make it pass, and too few of both kinds
//     leave it waiting. An unknown requester or builder denies a need, unless its policy
//     ignores that.
//
// Each need is counted by itself. Within one need a person is one approval, in however
// many of the roles and teams; where several policies govern, all must hold, and one
// person's approval counts for each policy that accepts it. A policy has one list of
// approvers, so there is nothing to match people with.
//
// The package never fetches a fact, never reads the clock, and never decides anything but
// approvals: conditions, freezes and the seal itself are judged elsewhere.
package approval
