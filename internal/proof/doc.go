// Package proof holds the proofs that need the whole program: processes of `pinnace serve`
// that are killed, stopped, replaced and cut off from their database while a GitHub in
// process watches what they do.
//
// In goes nothing but the program: the test binary runs itself as pinnace, so that what is
// killed is a process with its files and its connections. Out comes a verdict of two parts:
// the world ends as it does without the disturbance, and nothing was written twice on the way.
//
// There is no code here but tests. docs/reliability.md says what each of them shows.
package proof
