// Package github speaks with GitHub: github.com, GitHub Enterprise Cloud with data
// residency, and GitHub Enterprise Server.
//
// In go an owner and a name, or a [promotion.Repository]; out come the nouns of package
// promotion and one kind of error, [*Error], which is of exactly one of promotion's
// classes and says what to do next. Where something may be missing, its absence is an
// answer of its own (ok == false); an error never means "it is not there".
//
// [New] makes every client, and with it all traffic. A request passes, from the outside in:
//
//   - visit.go, which asks a visit's fence before each write and counts what was changed, and
//     ahead.go, which has asked already for what the visit before read;
//   - path.go, which escapes each segment of a URL and refuses names that GitHub has not;
//   - send.go, which adds the token, sends If-None-Match where the answer is remembered,
//     follows redirects on the same host only, retries reads, and reads bounded answers;
//   - gate.go, which waits: for GitHub's limits, for the write before this one, for a free
//     place. What would take longer than Options.MaxWait is promotion.ErrRateLimited;
//   - observe.go, which tells of each request by the kind of its address;
//   - classify.go, the one place that says what an answer means.
//
// What GitHub answers may be older than what was just written: own.go puts the client's own
// check runs, comments, issues and pull requests of the last two minutes in their places.
//
// A write is sent once. Where its outcome is unknown it returns promotion.ErrTransient, and
// the caller reads again before it writes again. A write that GitHub refused for a limit was
// not carried out, and is repeated.
//
// [NewApp] makes the App's own door: JSON web tokens, installations, narrowed installation
// tokens, webhook deliveries. [ValidateSignature] is for the webhook door, before a payload
// is parsed.
//
// The package never decides anything, never shows a token, never sends one to another host,
// and never lets a type of go-github out. An account is its number; a login is only a name.
package github
