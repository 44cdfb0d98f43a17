package smarthttp

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
)

// content returns the bytes of an object.
func content(o plumbing.EncodedObject) (_ []byte, err error) {
	r, err := o.Reader()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	b := make([]byte, 0, o.Size()+1)
	buf := bytes.NewBuffer(b)
	_, err = buf.ReadFrom(io.LimitReader(r, o.Size()))
	return buf.Bytes(), err
}

// hash reads 40 hexadecimal digits.
func hash(s string) (h plumbing.Hash, ok bool) {
	if len(s) != hex.EncodedLen(len(h)) {
		return h, false
	}
	_, err := hex.Decode(h[:], []byte(s))
	return h, err == nil
}

// A commit is what history needs of a commit object.
type commit struct {
	tree    plumbing.Hash
	parents []plumbing.Hash
	when    int64 // of the committer, in seconds since 1970; 0 where it cannot be read
}

// header cuts "key value\n" off b.
func header(b []byte, key string) (value string, rest []byte, ok bool) {
	line, rest, found := bytes.Cut(b, []byte("\n"))
	v, ok := bytes.CutPrefix(line, []byte(key+" "))
	if !ok || !found {
		return "", b, false
	}
	return string(v), rest, true
}

func parseCommit(b []byte) (c commit, err error) {
	v, b, _ := header(b, "tree")
	var ok bool
	if c.tree, ok = hash(v); !ok {
		return c, errors.New("missingTree: no tree line")
	}
	for {
		var parent plumbing.Hash
		v, rest, more := header(b, "parent")
		if !more {
			break
		}
		if parent, ok = hash(v); !ok {
			return c, errors.New("badParentSha1: invalid parent line")
		}
		c.parents, b = append(c.parents, parent), rest
	}
	if _, b, ok = header(b, "author"); !ok {
		return c, nil
	}
	who, _, _ := header(b, "committer")
	if i := bytes.LastIndexByte([]byte(who), '>'); i >= 0 {
		if f := bytes.Fields([]byte(who[i+1:])); len(f) > 0 {
			c.when, _ = strconv.ParseInt(string(f[0]), 10, 64)
		}
	}
	return c, nil
}

// parseTag returns what a tag object names.
func parseTag(b []byte) (target plumbing.Hash, kind plumbing.ObjectType, err error) {
	v, b, _ := header(b, "object")
	target, ok := hash(v)
	if !ok {
		return target, 0, errors.New("missingObject: no object line")
	}
	v, _, _ = header(b, "type")
	kind, err = plumbing.ParseObjectType(v)
	if err != nil || !stored(kind) {
		return target, 0, errors.New("badType: invalid type line")
	}
	return target, kind, nil
}

// stored reports whether objects of the type are kept as such.
func stored(t plumbing.ObjectType) bool {
	switch t {
	case plumbing.CommitObject, plumbing.TreeObject, plumbing.BlobObject, plumbing.TagObject:
		return true
	}
	return false
}

// An entry is a line of a tree object.
type entry struct {
	mode string // octal, as written
	name string
	hash plumbing.Hash
}

// kind is the type of object that the entry names, or AnyObject for a submodule's
// commit, which is not in this repository.
func (e entry) kind() plumbing.ObjectType {
	mode, err := filemode.New(e.mode)
	switch {
	case err == nil && mode == filemode.Dir:
		return plumbing.TreeObject
	case err == nil && mode == filemode.Submodule:
		return plumbing.AnyObject
	}
	return plumbing.BlobObject
}

func parseTree(b []byte) ([]entry, error) {
	var entries []entry
	for len(b) > 0 {
		mode, rest, ok := bytes.Cut(b, []byte(" "))
		name, rest, found := bytes.Cut(rest, []byte{0})
		var e entry
		if !ok || !found || len(rest) < len(e.hash) {
			return nil, fmt.Errorf("badTree: cannot be parsed after %d entries", len(entries))
		}
		e.mode, e.name = string(mode), string(name)
		b = rest[copy(e.hash[:], rest):]
		entries = append(entries, e)
	}
	return entries, nil
}
