// Package message writes what Pinnace says on GitHub: titles and bodies of pull
// requests, check runs, comments and issues, and commit messages with their trailers.
//
// In go plain values; out comes text. A [PullRequest] makes its Title, its Body and the
// message of its Commit; a [Diverged] adds what happened to its branch. A [Check] shows a
// verdict with its tree of rules, a [Merge] is the commit that merges. Comments, such as
// [Opened] and [Refused], and the issues of a [Glass], a [Bypass] and a [Watch] end with a
// key that [ReplyKey] reads, so that none is written twice.
//
// What others wrote goes through one of three doors before it stands in Markdown: [Code]
// for names, paths and versions, [Text] for sentences, [Link] for addresses. Titles and
// commit messages are no Markdown: there, characters that GitHub gives a meaning to
// become "?".
//
// [ParseTrailers] reads the trailers of a commit message back.
//
// Nothing here knows what time it is: equal values make equal texts, and a text that is
// equal need not be written again.
//
// The package never trusts foreign text: none of it mentions a person, refers to an
// issue, closes one, links, loads an image, or becomes HTML, a heading or another
// trailer. It never writes more than GitHub takes, and cuts rows rather than what they
// mean. What it writes is for people: nothing that is read back from it is the truth.
package message
