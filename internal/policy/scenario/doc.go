// Package scenario reads test cases of policies, and judges them.
//
// A suite is a txtar archive (https://pkg.go.dev/golang.org/x/tools/txtar): its comment says
// what it is about, each file NAME.yaml is a case, and an optional config.yaml is the Config
// document that gives the environments, apps and roles of all its cases. A case states the
// facts that it is about and what is wanted; every other fact is known and favourable, but
// for who built the image, which nobody knows. [Keys] lists what a case may state.
//
// In go bytes and a policy.Set; out come a policy.Input, a promotion.Decision, and in words
// what differs from what is wanted. Unknown keys, environments, gates and facts are problems
// with file, line, column and the word that was probably meant.
//
// A made-up digest is the hash of the image's text, a made-up account number that of nobody
// real. Nothing is fetched, and the clock is what the case says.
package scenario
