// Package sandbox is a GitHub and an OCI registry in process, for tests and for
// `pinnace demo`.
//
// In goes a world: accounts, teams, repositories with files, rules and permissions, Apps
// with installations ([New], [Sandbox.Repository], [Sandbox.App]), and what people do in it
// ([Repository.Review], [Repository.Merge], [Repository.Commit]). Out comes the real wire
// protocol on the loopback address, laid out as on GitHub Enterprise Server: REST at
// /api/v3, GraphQL at /api/graphql, git over HTTP at /OWNER/NAME.git, webhook deliveries with
// their signatures ([Sandbox.Deliver]), and a registry at [Sandbox.Registry].
//
// There is one state under one lock. Objects are git's own, so that hashes are real; a pull
// request's head follows its branch, and refs/pull/N/head and /merge are there to fetch. What
// of GitHub's behaviour is relied on stands beside the code that keeps it, with the page that
// promises it. Nothing happens by itself and no time passes: deliveries are sent, merge
// queues move and auto-merges happen when the test says so, and the clock is the test's.
//
// What no client of ours may do is a violation, which fails the test: a request to a route
// that the sandbox does not have, a second open pull request for one head and base, a push
// that loses a person's commit, a second check run of one name on one commit, the same words
// a second time on one thread.
// [Sandbox.Violations] lists them.
//
// [Sandbox.Inject] sets the one hook for faults: a call fails before its effect or after it,
// waits, or reads what was true before.
//
// The package never calls out, but to the webhook addresses it was given; it never keeps
// anything; nothing but tests and the demo imports it.
package sandbox
