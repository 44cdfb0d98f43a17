// Package action is the step of GitHub Actions that Pinnace runs in: what the step is told,
// and what it tells.
//
// In come the inputs of the action, which action.yml hands over as PINNACE_INPUT_..., and what
// the runner says of the run: [ReadInputs] and [ReadRun]. Out go the step's outputs and its
// summary, as files that the runner reads, and its log.
//
// [Run.Unprotected] says whether the workflow that runs is one that the default branch holds,
// which is what a verdict of a run is worth. [Run.Allows] refuses what cannot work there, and
// [Explain] puts the limits of a token into words.
//
// What an event's payload says is others' words: it is read up to a bound, and only for ids and
// names. What is printed goes through [Muzzle], so that no line of foreign text is a command to
// the runner.
//
// The package asks no server and decides nothing of images: it never reads the checkout, and
// never sees the token.
package action
