package sandbox

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/storer"
	"github.com/go-git/go-git/v5/storage/memory"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// Removed is the text of an edit that removes the file.
const Removed = "\x00removed"

// RepositoryOptions say how a repository begins.
type RepositoryOptions struct {
	Private       bool
	DefaultBranch string            // "" is main
	Files         map[string]string // of the first commit; nil: the repository is empty
	MergeMethods  []string          // nil: merge, squash and rebase
	ActionsPRs    bool              // GitHub Actions may create and approve pull requests
}

// A Repository of the sandbox. Its methods act as people do, and may be called at once.
type Repository struct {
	s        *Sandbox
	id       int64
	owner    *account
	name     string
	parent   *Repository // of a fork
	store    *memory.Storage
	objects  storer.EncodedObjectStorer // store, or what a push would make of it
	o        RepositoryOptions
	known    map[plumbing.Hash]*gitCommit // commits of the store that were read
	archived bool
	created  time.Time
	pushed   time.Time

	people      map[int64]promotion.Permission
	teams       map[string]promotion.Permission // by slug
	protections []guarded
	signed      map[plumbing.Hash]time.Time // by GitHub
	numbers     int                         // of issues and pull requests
	threads     map[int]*thread
	labels      []*label
	checks      []*checkRun
	suites      []*suite
	statuses    []*status
	deployments []*deployment
	queue       []*queued

	openCount int // of threads, at version countedAt
	countedAt int
}

// Repository makes a repository; it ends the test if the name is taken.
func (s *Sandbox) Repository(owner, name string, o RepositoryOptions) *Repository {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.DefaultBranch == "" {
		o.DefaultBranch = "main"
	}
	if o.MergeMethods == nil {
		o.MergeMethods = []string{"merge", "squash", "rebase"}
	}
	r := s.repository(s.account(owner, "User"), name, o, nil)
	if o.Files != nil {
		who := r.owner
		tree := r.edited(plumbing.ZeroHash, o.Files)
		h := r.commit(tree, nil, s.signatureOf(who), s.signatureOf(who), "Initial commit\n", false)
		r.apply(&actor{who: who}, update{ref: branch(o.DefaultBranch), now: h})
	}
	return r
}

func (s *Sandbox) repository(owner *account, name string, o RepositoryOptions, parent *Repository) *Repository {
	key := strings.ToLower(owner.Login + "/" + name)
	if s.names[key] != nil {
		panic("sandbox: the repository " + key + " exists")
	}
	r := &Repository{
		s: s, id: s.next(), owner: owner, name: name, parent: parent, o: o, created: s.now(), pushed: s.now(),
		store: memory.NewStorage(), people: map[int64]promotion.Permission{}, teams: map[string]promotion.Permission{},
		signed: map[plumbing.Hash]time.Time{}, threads: map[int]*thread{},
		known: map[plumbing.Hash]*gitCommit{},
	}
	r.objects = r.store
	r.setHead()
	s.repos[r.id], s.names[key] = r, r
	delete(s.former, key)
	return r
}

func (r *Repository) setHead() {
	_ = r.store.SetReference(plumbing.NewSymbolicReference(plumbing.HEAD, branch(r.o.DefaultBranch)))
}

// Fork makes a copy that shares the objects, as the forks of a network do.
// https://docs.github.com/en/rest/repos/forks#create-a-fork
func (r *Repository) Fork(owner string) *Repository {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	f := r.s.repository(r.s.account(owner, "User"), r.name, r.o, r)
	f.store.ObjectStorage = r.store.ObjectStorage
	f.signed = r.signed
	for name, ref := range r.store.ReferenceStorage {
		if name.IsBranch() || name.IsTag() {
			f.store.ReferenceStorage[name] = ref
		}
	}
	return f
}

// ID returns the number, which survives renaming and transfer.
func (r *Repository) ID() int64 { return r.id }

// FullName returns owner/name as it is now.
func (r *Repository) FullName() string {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	return r.fullName()
}

func (r *Repository) fullName() string { return r.owner.Login + "/" + r.name }

// CloneURL is where git finds the repository.
func (r *Repository) CloneURL() string { return r.s.URL() + "/" + r.FullName() + ".git" }

// Rename gives the repository another name; the old one redirects until it is taken.
// https://docs.github.com/en/repositories/creating-and-managing-repositories/renaming-a-repository
func (r *Repository) Rename(name string) { r.move(nil, name) }

// Transfer gives the repository to another owner; the old name redirects.
// https://docs.github.com/en/repositories/creating-and-managing-repositories/transferring-a-repository
func (r *Repository) Transfer(owner string) { r.move(&owner, "") }

func (r *Repository) move(owner *string, name string) {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	from := r.fullName()
	old := strings.ToLower(from)
	by := r.owner
	action := "renamed"
	if owner != nil {
		action = "transferred"
		r.owner = s.account(*owner, "User")
	}
	r.name = cmp.Or(name, r.name)
	s.rekey(r, old)
	s.version++
	s.emit(r, &actor{who: by}, "repository", action, fields{"changes": fields{"repository": fields{"name": fields{"from": from[strings.Index(from, "/")+1:]}}}})
}

// rekey lets a repository be found under the name that it has now; the old one redirects.
func (s *Sandbox) rekey(r *Repository, old string) {
	delete(s.names, old)
	s.former[old] = r
	key := strings.ToLower(r.fullName())
	s.names[key] = r
	delete(s.former, key)
}

// Archive makes the repository read-only, or writable again.
// https://docs.github.com/en/repositories/archiving-a-github-repository/archiving-repositories
func (r *Repository) Archive(archived bool) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.archived = archived
	r.s.version++
	action := "unarchived"
	if archived {
		action = "archived"
	}
	r.s.emit(r, &actor{who: r.owner}, "repository", action, nil)
}

// Delete removes the repository.
func (r *Repository) Delete() {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.s.emit(r, &actor{who: r.owner}, "repository", "deleted", nil)
	delete(r.s.repos, r.id)
	delete(r.s.names, strings.ToLower(r.fullName()))
	for k, v := range r.s.former {
		if v == r {
			delete(r.s.former, k)
		}
	}
	r.s.version++
}

// Permission sets what a person may do; none takes everything that is not public.
func (r *Repository) Permission(login string, p promotion.Permission) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.people[r.s.account(login, "User").ID] = p
	r.s.version++
}

// TeamPermission sets what the active members of a team of the owner may do.
func (r *Repository) TeamPermission(slug string, p promotion.Permission) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.teams[slug] = p
	r.s.version++
}

// Commit writes a commit by a person on a branch, made from the default branch if there is
// none, and returns its hash. A text of [Removed] removes the file. It passes by the rules.
func (r *Repository) Commit(on, author, message string, edits map[string]string) string {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	tip := r.tip(on)
	if tip.IsZero() {
		tip = r.tip(r.o.DefaultBranch)
	}
	h := r.commitOn(tip, r.s.account(author, "User"), message, edits)
	r.apply(&actor{who: r.s.account(author, "User")}, update{ref: branch(on), old: r.tip(on), now: h})
	return h.String()
}

func (r *Repository) commitOn(tip plumbing.Hash, who *account, message string, edits map[string]string) plumbing.Hash {
	var tree plumbing.Hash
	var parents []plumbing.Hash
	if !tip.IsZero() {
		tree, parents = r.mustAt(tip).TreeHash, []plumbing.Hash{tip}
	}
	sig := r.s.signatureOf(who)
	return r.commit(r.edited(tree, edits), parents, sig, sig, message, false)
}

// ForcePush replaces a branch by one commit on a parent ("" is the default branch's tip).
func (r *Repository) ForcePush(on, author, message, parent string, edits map[string]string) string {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	from := plumbing.NewHash(parent)
	if parent == "" {
		from = r.tip(r.o.DefaultBranch)
	}
	who := r.s.account(author, "User")
	h := r.commitOn(from, who, message, edits)
	r.apply(&actor{who: who}, update{ref: branch(on), old: r.tip(on), now: h})
	return h.String()
}

// Branch points a branch at a commit that exists, by force.
func (r *Repository) Branch(name, by, sha string) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.apply(&actor{who: r.s.account(by, "User")}, update{ref: branch(name), old: r.tip(name), now: plumbing.NewHash(sha)})
}

// DeleteBranch deletes a branch; open pull requests from it are closed.
func (r *Repository) DeleteBranch(name, by string) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.apply(&actor{who: r.s.account(by, "User")}, update{ref: branch(name), old: r.tip(name)})
}

// Tip returns the commit of a branch, "" if there is none.
func (r *Repository) Tip(name string) string {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	if h := r.tip(name); !h.IsZero() {
		return h.String()
	}
	return ""
}

// Refs lists every ref with its hash.
func (r *Repository) Refs() map[string]string {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	refs := map[string]string{}
	for name, ref := range r.store.ReferenceStorage {
		if ref.Type() == plumbing.HashReference {
			refs[name.String()] = ref.Hash().String()
		}
	}
	return refs
}

// File returns the text of a file at a branch or commit, and whether it is there.
func (r *Repository) File(at, path string) (string, bool) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	h, ok := r.resolve(at)
	if !ok {
		return "", false
	}
	e, ok := r.flat(r.mustAt(h).TreeHash)[path]
	if !ok {
		return "", false
	}
	text, err := r.bytes(e.hash)
	return string(text), err == nil
}

// Log lists the first-parent commits of a branch or commit, newest first.
func (r *Repository) Log(at string) []Commit {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	h, ok := r.resolve(at)
	var list []Commit
	for ok {
		c := r.mustAt(h)
		list = append(list, r.seen(h))
		if ok = len(c.ParentHashes) > 0; ok {
			h = c.ParentHashes[0]
		}
	}
	return list
}

// Tree returns the hash of the tree of a branch or commit.
func (r *Repository) Tree(at string) string {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	h, ok := r.resolve(at)
	if !ok {
		return ""
	}
	return r.mustAt(h).TreeHash.String()
}

func branch(name string) plumbing.ReferenceName { return plumbing.NewBranchReferenceName(name) }

func (r *Repository) tip(name string) plumbing.Hash { return r.ref(branch(name)) }

func (r *Repository) ref(name plumbing.ReferenceName) plumbing.Hash {
	if ref := r.store.ReferenceStorage[name]; ref != nil {
		return ref.Hash()
	}
	return plumbing.ZeroHash
}

// resolve finds the commit of a hash (at least seven characters), a branch, a tag or a full ref.
func (r *Repository) resolve(at string) (plumbing.Hash, bool) {
	if at == "" || at == "HEAD" {
		at = r.o.DefaultBranch
	}
	for _, name := range []string{"refs/heads/" + at, "refs/tags/" + at, "refs/" + at, at} {
		if h := r.ref(plumbing.ReferenceName(name)); !h.IsZero() {
			return r.peel(h)
		}
	}
	if len(at) == 40 {
		return r.peel(plumbing.NewHash(at))
	}
	if len(at) < 7 {
		return plumbing.ZeroHash, false
	}
	for h := range r.store.Commits {
		if strings.HasPrefix(h.String(), at) {
			return h, true
		}
	}
	return plumbing.ZeroHash, false
}

func (r *Repository) peel(h plumbing.Hash) (plumbing.Hash, bool) {
	if tag, err := object.GetTag(r.objects, h); err == nil {
		return r.peel(tag.Target)
	}
	_, err := r.at(h)
	return h, err == nil
}

// visible is the repository's form for the other rooms.
func (r *Repository) noun() promotion.Repository {
	return promotion.Repository{
		ID: r.id, Owner: r.owner.Login, Name: r.name, DefaultBranch: r.o.DefaultBranch,
		URL: r.s.URL() + "/" + r.fullName(), CloneURL: r.s.URL() + "/" + r.fullName() + ".git",
		Private: r.o.Private, Archived: r.archived, Empty: r.tip(r.o.DefaultBranch).IsZero(),
		OwnerIsOrg: r.owner.kind == "Organization", MergeMethods: slices.Clone(r.o.MergeMethods),
	}
}

// Noun returns the repository as the other rooms speak of it.
func (r *Repository) Noun() promotion.Repository {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	return r.noun()
}
