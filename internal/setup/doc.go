// Package setup registers Pinnace's GitHub App by GitHub's manifest flow
// (https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest).
//
// A page shows every permission with its reason, and posts the manifest to GitHub from the
// person's browser. GitHub sends the browser back with a code, which is exchanged, once and
// within the hour, for the App's number, its private key and the secret of its webhook. A
// [Keeper] stores them: [Files] in a directory that nobody else reads, or [Secret] for
// Kubernetes. What a keeper could not store is never asked for.
//
// The page stands on the loopback address for a person at a terminal ([Listen]), behind a
// path nobody can guess, or in a server that has no App yet ([Handler]), behind a link that
// serves one browser once.
//
// It never shows a credential, overwrites one without being told to, or believes the Host
// header, the referrer or a cookie of another origin.
package setup
