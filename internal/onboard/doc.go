// Package onboard works out a first configuration for a repository that has none.
//
// In go the files of one commit with the images that were found in them. [Detect] returns
// the environments and apps that the layout and the names suggest, [Layout.File] the
// configuration that says so, in which whatever is guessed is marked as a guess.
// `pinnace config init` and the pull request that asks for leave both write that text.
//
// [Describe] says what Pinnace would do under a configuration, by planning with an answer
// for each image instead of asking a registry: nothing of a repository is told to anybody
// before its people have said yes.
//
// Names of directories and images are foreign text: none breaks the file, and what cannot be
// spelled in a configuration is left out.
//
// The package never reads a file, and never decides whether to ask.
package onboard
