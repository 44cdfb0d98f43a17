// Command serve measures what pinnace serve costs: `go run ./internal/bench/serve`, or make
// bench-serve.
//
// It builds pinnace and runs it as a child on loopback, as anybody would: SQLite on disk, four
// workers. GitHub and the registry are the sandbox, in this process, which therefore takes its
// share of the processors. Four things are measured:
//
//   - accept: signed deliveries at a fixed rate over 16 connections, each timed from when it was
//     due, once of events that ask for nothing, and once of pushes to ten repositories while
//     those are looked at;
//   - burst: 10,000 deliveries about one repository as fast as they are taken, and how many
//     looks at it they become;
//   - latency: every answer of GitHub takes a tenth of a second; from a review to the check run
//     that speaks of it, and from a push to the pull request;
//   - idle: many repositories in which nothing happens, what they keep in memory, and how much of
//     a round of looks is answered by 304.
//
// Targets are those of docs/benchmarks.md. What misses one is printed, and fails the run with
// -strict: seconds depend on what else the machine does. On one that is busy,
// `chrt -r 5 go run ./internal/bench/serve` keeps the measurement apart from the rest.
package main
