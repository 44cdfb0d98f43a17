package smarthttp

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/storage/memory"
)

// A judging goes through the commands of a push, under the lock.
type judging struct {
	*Repository
	*history // with what the push brings
	push     *push
	brought  *memory.ObjectStorage
	refs     []ref // as they will be after the commands that passed
}

// judge returns which of the brought objects a command needs, or why it is refused,
// in the words of git and GitHub. It completes c.
func (j *judging) judge(c *Command) (needs []plumbing.Hash, refused string) {
	if funny(c.Ref) {
		return nil, "funny refname"
	}
	if j.hidden(c.Ref) {
		if c.New.IsZero() {
			return nil, "deny deleting a hidden ref"
		}
		return nil, "deny updating a hidden ref"
	}
	same := func(o Command) bool { return o.Ref == c.Ref }
	if first := slices.IndexFunc(j.push.commands, same); slices.IndexFunc(j.push.commands[first+1:], same) >= 0 {
		return nil, fmt.Sprintf("multiple updates for ref '%s' not allowed", c.Ref)
	}
	if c.New.IsZero() && c.Ref == j.Head {
		return nil, "refusing to delete the current branch: " + c.Ref
	}
	if refused := j.stale(c); refused != "" {
		return nil, refused
	}
	if !c.New.IsZero() {
		if needs, refused = j.connect(c); refused != "" {
			return nil, refused
		}
	}
	if j.Update != nil {
		asked := *c
		asked.Objects = j.objects
		if refused := strings.Trim(j.Update(asked), "\n"); refused != "" {
			return nil, refused
		}
	}
	j.refs = slices.DeleteFunc(j.refs, func(r ref) bool { return r.name == c.Ref })
	if !c.New.IsZero() {
		j.refs = append(j.refs, ref{name: c.Ref, hash: c.New})
	}
	return needs, ""
}

// stale says why a reference cannot go from Old to New, as git's lock of it does.
func (j *judging) stale(c *Command) string {
	locked := func(format string, args ...any) string {
		return fmt.Sprintf("cannot lock ref '%s': ", c.Ref) + fmt.Sprintf(format, args...)
	}
	current, err := j.Storer.Reference(plumbing.ReferenceName(c.Ref))
	switch {
	case errors.Is(err, plumbing.ErrReferenceNotFound):
		if !c.Old.IsZero() || c.New.IsZero() {
			return locked("unable to resolve reference '%s'", c.Ref)
		}
		for _, r := range j.refs {
			if strings.HasPrefix(c.Ref, r.name+"/") || strings.HasPrefix(r.name, c.Ref+"/") {
				return locked("'%s' exists; cannot create '%s'", r.name, c.Ref)
			}
		}
		return ""
	case err != nil:
		return "failed to update ref"
	case current.Type() != plumbing.HashReference:
		return "failed to update ref"
	case c.Old.IsZero():
		return locked("reference already exists")
	case current.Hash() != c.Old:
		return locked("is at %s but expected %s", current.Hash(), c.Old)
	}
	return ""
}

// connect checks that all is there that New needs, and finds out whether Old is lost.
// What the repository has is complete: only complete histories enter it.
func (j *judging) connect(c *Command) (needs []plumbing.Hash, refused string) {
	const missing = "missing necessary objects"
	if !j.has(c.New) {
		return nil, missing
	}
	_, kind, err := j.peel(c.New)
	if err != nil {
		return nil, missing
	}
	if o, err := j.object(plumbing.AnyObject, c.New); err != nil || strings.HasPrefix(c.Ref, "refs/heads/") && o.Type() != plumbing.CommitObject {
		return nil, "failed to update ref"
	}
	here := func(x found) bool {
		_, err := j.Storer.EncodedObject(x.kind, x.hash) // of the type that its name is used for
		return err == nil
	}
	objects, err := j.walk([]plumbing.Hash{c.New}, walk{skip: here})
	if errors.Is(err, plumbing.ErrObjectNotFound) && len(j.push.shallows) > 0 {
		return nil, "shallow update not allowed"
	}
	if err != nil {
		return nil, missing
	}
	for _, x := range objects {
		if _, err := j.brought.EncodedObject(x.kind, x.hash); err != nil {
			return nil, missing
		}
		needs = append(needs, x.hash)
	}
	if c.Old.IsZero() {
		return needs, ""
	}
	c.Forced = true
	if kind == plumbing.CommitObject {
		tips, err := j.tips([]plumbing.Hash{c.New})
		if err != nil {
			return nil, missing // unreachable: it was peeled above
		}
		err = j.ancestors(tips, nil, func(h plumbing.Hash, _ commit) bool {
			if h == c.Old {
				c.Forced = false
			}
			return c.Forced
		})
		if err != nil {
			return nil, "failed to update ref"
		}
	}
	return needs, ""
}
