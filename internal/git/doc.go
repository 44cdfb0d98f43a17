// Package git reads and writes git repositories as what they are: objects and names.
//
// A [Repository] is a store of objects: a bare mirror that lives between runs
// ([OpenMirror]), an existing checkout's .git that is only read ([OpenCheckout]), or
// memory ([NewMemory]). [Repository.Fetch] brings objects in over smart HTTP,
// [Repository.Push] sends them out under a lease. A [Snapshot] is the tree of one commit:
// walk it, look a path up, read a blob, compare it with another by [Diff], derive a new
// tree from it by [Snapshot.WriteTree], and put a commit on that with [Repository.Commit].
//
// There is no worktree, and no program is run. Of a repository's own configuration only
// the address of a remote and the extensions that change its format are read: no hook,
// filter, attribute, credential helper or http.extraHeader has a say.
//
// What comes from outside is held to be hostile. [Limits] bound every count and size
// while bytes arrive. Object ids are computed here, with SHA-1 collision detection. An
// entry of a tree that a careless reader could be hurt by has a [Problem], and is neither
// read nor entered. Credentials go to the remote's own scheme, host and port, and into no
// error. A server's words are cleaned and cut before they stand in one.
//
// Hashes and their arithmetic are go-git's (github.com/go-git/go-git/v5/plumbing), as are
// the pkt-line codec and the reading of a server's advertisement. Packs are read, indexed
// and written here, since go-git's reader may not be shared by two goroutines, its parser
// inflates each object twice, and neither can be bounded from outside.
//
// A Repository may be used by several goroutines. Reading takes a shared lock for the time
// of one object; one Fetch runs at a time, and excludes readers only while it swaps packs.
// A Snapshot is immutable. A mirror belongs to one process at a time, which a lock on its
// directory sees to where the system has flock(2).
package git
