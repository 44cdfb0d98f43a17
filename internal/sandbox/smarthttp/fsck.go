package smarthttp

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// fsck says what is wrong with an object that a push brings. The names before the
// colon are git's (https://git-scm.com/docs/git-fsck#_fsck_messages); GitHub refuses
// what git would only warn of.
func fsck(kind plumbing.ObjectType, b []byte) error {
	switch kind {
	case plumbing.CommitObject:
		return fsckCommit(b)
	case plumbing.TreeObject:
		return fsckTree(b)
	case plumbing.TagObject:
		return fsckTag(b)
	}
	return nil
}

var ident = regexp.MustCompile(`^[^<>]* <[^<>]*> (0|[1-9][0-9]*) [+-][0-9]{4}$`)

func fsckCommit(b []byte) error {
	c, err := parseCommit(b)
	if err != nil {
		return err
	}
	if c.tree.IsZero() {
		return errors.New("nullSha1: the tree is null")
	}
	for range 1 + len(c.parents) {
		b = after(b)
	}
	for _, key := range []string{"author", "committer"} {
		who, rest, ok := header(b, key)
		if !ok {
			return fmt.Errorf("missing%s: no %s line", strings.ToUpper(key[:1])+key[1:], key)
		}
		if !ident.MatchString(who) {
			return fmt.Errorf("badIdent: %s line %.100q is not 'name <mail> seconds +hhmm'", key, who)
		}
		b = rest
	}
	return nil
}

// after returns b without its first line.
func after(b []byte) []byte {
	_, b, _ = bytes.Cut(b, []byte("\n"))
	return b
}

func fsckTag(b []byte) error {
	if _, _, err := parseTag(b); err != nil {
		return err
	}
	if name, _, ok := header(after(after(b)), "tag"); !ok || name == "" {
		return errors.New("missingTag: no tag line")
	}
	return nil
}

// modes are those that git writes.
var modes = map[string]bool{"40000": true, "100644": true, "100755": true, "100664": true, "120000": true, "160000": true}

func fsckTree(b []byte) error {
	entries, err := parseTree(b)
	if err != nil {
		return err
	}
	seen := make(map[string]bool, len(entries))
	last := ""
	for _, e := range entries {
		switch {
		case strings.HasPrefix(e.mode, "0"):
			return fmt.Errorf("zeroPaddedFilemode: entry %.100q", e.name)
		case !modes[e.mode]:
			return fmt.Errorf("badFilemode: entry %.100q has mode %.10q", e.name, e.mode)
		case e.name == "":
			return errors.New("emptyName: contains empty pathname")
		case strings.Contains(e.name, "/"):
			return fmt.Errorf("fullPathname: contains %.100q", e.name)
		case e.name == ".":
			return errors.New("hasDot: contains '.'")
		case e.name == "..":
			return errors.New("hasDotdot: contains '..'")
		case strings.EqualFold(e.name, ".git"):
			return errors.New("hasDotgit: contains '.git'")
		case e.hash.IsZero():
			return fmt.Errorf("nullSha1: entry %.100q points to null", e.name)
		case seen[e.name]:
			return fmt.Errorf("duplicateEntries: %.100q is there twice", e.name)
		}
		seen[e.name] = true
		key := e.name // a tree sorts as if its name ended with a slash
		if e.kind() == plumbing.TreeObject {
			key += "/"
		}
		if key < last {
			return fmt.Errorf("treeNotSorted: %.100q", e.name)
		}
		last = key
	}
	return nil
}
