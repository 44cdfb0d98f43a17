// Package registry asks OCI registries what a tag means.
//
// In goes an [image.Ref]; out comes an [image.Resolution]: the digest, media type
// and size that the registry states for it. [Client.Resolve] asks for the tag,
// [Client.Stat] whether a digest is still there, [Client.Index] for what an index
// holds, and [Client.Platform] for one platform's manifest. [Client.Tags] lists the tags
// of a repository, and [Client.Facts] reads what an image says of itself.
//
// A look-up is one HEAD of /v2/<name>/manifests/<reference> with the four media
// types of Docker and OCI in Accept
// (https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests).
// Where its answer lacks a digest or a media type that we know, a GET follows, of
// at most 4 MiB, whose bytes are hashed here. Docker schema 1 is refused, an index
// stays an index. A [Client] asks each reference once, each registry once how it
// authenticates, and each token scope once; it keeps errors as it keeps answers,
// so a client lives for one pass over a repository.
//
// A request passes three layers, from the outside in:
//
//   - the fence (redirect.go) attaches credentials, only for the very scheme, host
//     and port that they belong to, and refuses plain HTTP, long chains of
//     redirects, and steps from https to http;
//   - the pacer (limit.go) bounds what is in flight for one host, waits where the
//     host asks for a short wait, stops asking where it asks for a long one, and
//     retries what is worth a retry;
//   - the dial guard (guard.go), on a server, looks at the address that a name
//     resolved to and connects to none that is not public.
//
// Credentials come from the Docker configuration, its helpers, REGISTRY_AUTH_FILE
// and podman's file, or from the keychain that the caller gives. The ping and the
// token exchange are go-containerregistry's; the layers above hold for them, too.
//
// The package never reads a layer, never goes where a Link leads but for the next page at
// the same host, never writes to a registry, and never changes the name that was asked for: a mirror changes only
// where the question goes.
package registry
