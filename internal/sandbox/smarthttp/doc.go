// Package smarthttp serves git repositories over HTTP, in process.
//
// In go a [Repository] for each request, found by the caller's [Server.Open], and
// what git's clients send: /info/refs, /git-upload-pack and /git-receive-pack
// (https://git-scm.com/docs/http-protocol). Out come advertisements, packs and push
// reports, with the status codes, headers and refusals that a user of git sees from
// git http-backend and from GitHub.
//
// Fetches speak protocol version 0 (https://git-scm.com/docs/gitprotocol-pack) and 2
// (https://git-scm.com/docs/gitprotocol-v2), with shallow and deepening clients,
// negotiation over several requests, and tags that follow. A pack holds exactly what
// is reachable from the wants inside the client's new boundary and is not reachable
// from its haves inside its old one. Packs are never thin.
//
// Pushes speak version 0. The pack of a push is read into memory, held to limits of
// size and to git's rules for well-formed objects, and enters the repository only
// with a reference that needs it. Each old value is compared under the repository's
// lock, then [Repository.Update] may refuse, then the reference moves.
//
// Bodies, commands, packs, objects and deltas are bounded. A repository's lock is
// never held while a client is read from or written to.
//
// The package never authenticates, never reads or writes a file of its own, never
// runs git, and never serves the dumb protocol, bundles, filters, push options or
// push certificates.
package smarthttp
