package git

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

const maxCommit = 4 << 20 // bytes of a commit or tag object

// A Signature says who did something, and when. Its time has the second for precision,
// and an offset from UTC.
type Signature struct {
	Name, Email string
	When        time.Time
}

// A Commit is one that is to be made.
type Commit struct {
	Tree              Hash
	Parents           []Hash
	Author, Committer Signature
	Message           string // gets an end of line if it has none
}

// A CommitInfo is a commit as it was read. Names and message are what somebody wrote,
// valid UTF-8 or not.
type CommitInfo struct {
	Hash, Tree        Hash
	Parents           []Hash
	Author, Committer Signature
	Message           string
	Signed            bool // it carries a signature, which nobody has verified
}

// Commit writes a commit into memory, over the store: it is there until it is pushed or
// the repository is closed. Its tree has to be in the store.
func (r *Repository) Commit(c Commit) (Hash, error) {
	h, err := r.commit(c)
	if err != nil {
		return Hash{}, fmt.Errorf("making a commit: %w", err)
	}
	return h, nil
}

func (r *Repository) commit(c Commit) (Hash, error) {
	if k, _, err := r.stat(c.Tree); err != nil || k != plumbing.TreeObject {
		return Hash{}, fmt.Errorf("tree %s: %w", c.Tree, errors.Join(err, ErrMissing))
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "tree %s\n", c.Tree)
	for _, p := range c.Parents {
		if p.IsZero() {
			return Hash{}, errors.New("a parent is the zero hash")
		}
		fmt.Fprintf(&b, "parent %s\n", p)
	}
	for _, s := range []struct {
		role string
		Signature
	}{{"author", c.Author}, {"committer", c.Committer}} {
		line, err := s.encode()
		if err != nil {
			return Hash{}, fmt.Errorf("%s: %w", s.role, err)
		}
		fmt.Fprintf(&b, "%s %s\n", s.role, line)
	}
	if strings.ContainsRune(c.Message, 0) || strings.TrimSpace(c.Message) == "" {
		return Hash{}, errors.New("the message is empty or holds a NUL")
	}
	b.WriteString("\n" + c.Message)
	if !strings.HasSuffix(c.Message, "\n") {
		b.WriteByte('\n')
	}
	if b.Len() > maxCommit {
		return Hash{}, &LimitError{What: "bytes in a commit", Max: maxCommit, Size: int64(b.Len())}
	}
	return r.write(plumbing.CommitObject, b.Bytes())
}

func (s Signature) encode() (string, error) {
	for what, text := range map[string]string{"name": s.Name, "email": s.Email} {
		if strings.TrimSpace(text) == "" || strings.ContainsAny(text, "\x00\n\r<>") {
			return "", fmt.Errorf("the %s %q is empty, or holds a NUL, an end of line, < or >", what, clean(text, 60))
		}
	}
	if s.When.Unix() <= 0 {
		return "", errors.New("it has no time")
	}
	return fmt.Sprintf("%s <%s> %d %s", s.Name, s.Email, s.When.Unix(), s.When.Format("-0700")), nil
}

// ReadCommit reads a commit, of at most 4 MiB.
func (r *Repository) ReadCommit(h Hash) (CommitInfo, error) {
	data, err := r.read(h, plumbing.CommitObject, maxCommit)
	if err != nil {
		return CommitInfo{}, err
	}
	return commitOf(h, data)
}

func commitOf(h Hash, data []byte) (CommitInfo, error) {
	c, err := parseCommit(data)
	if err != nil {
		return CommitInfo{}, fmt.Errorf("reading commit %s: %w", h, err)
	}
	c.Hash = h
	return c, nil
}

// peeled reads the commit that h is, or that the tag h leads to.
func (r *Repository) peeled(h Hash) (CommitInfo, error) {
	for range maxSymbols {
		o, err := r.object(h, maxCommit)
		if err != nil {
			return CommitInfo{}, fmt.Errorf("reading commit %s: %w", h, err)
		}
		switch o.kind {
		case plumbing.CommitObject:
			return commitOf(h, o.data)
		case plumbing.TagObject:
			if h, err = tagged(o.data); err != nil {
				return CommitInfo{}, err
			}
		default:
			return CommitInfo{}, fmt.Errorf("reading commit %s: %w", h, corrupt("it is a %s", o.kind))
		}
	}
	return CommitInfo{}, corrupt("too many tags in a row")
}

// parseCommit reads the headers in the order that git demands: tree, parents, author,
// committer, others (https://git-scm.com/docs/gitformat-signature for gpgsig).
func parseCommit(data []byte) (CommitInfo, error) {
	var c CommitInfo
	rest := data
	header := func(word string) (string, bool) {
		line, after, ok := bytes.Cut(rest, []byte("\n"))
		if !ok {
			return "", false
		}
		value, ok := strings.CutPrefix(string(line), word+" ")
		if ok {
			rest = after
		}
		return value, ok
	}
	id, ok := header("tree")
	if !ok || !plumbing.IsHash(id) {
		return c, corrupt("a commit does not begin with its tree")
	}
	c.Tree = plumbing.NewHash(id)
	for {
		if id, ok = header("parent"); !ok {
			break
		}
		if !plumbing.IsHash(id) {
			return c, corrupt("a commit has a parent that is no object id")
		}
		c.Parents = append(c.Parents, plumbing.NewHash(id))
	}
	for _, s := range []struct {
		role string
		into *Signature
	}{{"author", &c.Author}, {"committer", &c.Committer}} {
		line, ok := header(s.role)
		if !ok {
			return c, corrupt("a commit has no %s", s.role)
		}
		*s.into = parseSignature(line)
	}
	for len(rest) > 0 && rest[0] != '\n' {
		line, after, _ := bytes.Cut(rest, []byte("\n"))
		if bytes.HasPrefix(line, []byte("gpgsig ")) || bytes.HasPrefix(line, []byte("gpgsig-sha256 ")) {
			c.Signed = true
		}
		rest = after
	}
	c.Message = strings.TrimPrefix(string(rest), "\n")
	return c, nil
}

// parseSignature reads "Name <email> seconds zone" as far as it goes.
func parseSignature(line string) Signature {
	var s Signature
	open, shut := strings.LastIndexByte(line, '<'), strings.LastIndexByte(line, '>')
	if open < 0 || shut < open {
		return Signature{Name: strings.TrimSpace(line)}
	}
	s.Name = strings.TrimSpace(line[:open])
	s.Email = line[open+1 : shut]
	seconds, offset, _ := strings.Cut(strings.TrimSpace(line[shut+1:]), " ")
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil || n < 0 || n > 1<<40 {
		return s
	}
	s.When = time.Unix(n, 0).UTC()
	if z, err := strconv.Atoi(offset); err == nil && len(offset) == 5 {
		s.When = s.When.In(time.FixedZone("", (z/100)*3600+(z%100)*60))
	}
	return s
}

// tagged returns the object that a tag object names.
func tagged(data []byte) (Hash, error) {
	line, _, _ := bytes.Cut(data, []byte("\n"))
	id, ok := strings.CutPrefix(string(line), "object ")
	if !ok {
		return Hash{}, corrupt("a tag does not begin with its object")
	}
	return ParseHash(id)
}
