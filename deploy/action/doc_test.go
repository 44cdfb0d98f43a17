// Package action holds install.sh, which brings the program that the action runs, to its
// promises. Each test runs the script with a PATH of its own: the tools of the system that it
// uses, and players of curl, cosign, gh, git and go that note how they were called.
package action
