package git

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
)

// A Mode is the mode of an entry, as git writes it.
type Mode uint32

// The modes that git makes
// (https://git-scm.com/docs/git-fast-import#Documentation/git-fast-import.txt-codefilemodifycodecodeMcode).
const (
	Directory  Mode = 0o040000
	File       Mode = 0o100644
	Executable Mode = 0o100755
	Link       Mode = 0o120000
	Module     Mode = 0o160000
)

// Regular says whether m is a file's, executable or not.
func (m Mode) Regular() bool { return m == File || m == Executable }

func (m Mode) String() string { return fmt.Sprintf("%06o", uint32(m)) }

// A node is one entry of a tree object.
type node struct {
	name    string
	mode    Mode
	hash    Hash
	raw     string // the mode as it is written
	problem *Problem
}

// parseTree reads a tree object in its own order, without judging it: per entry an octal
// mode, a space, the name, a NUL and 20 bytes of hash
// (https://git-scm.com/book/en/v2/Git-Internals-Git-Objects#_tree_objects).
func parseTree(data []byte) ([]node, error) {
	var nodes []node
	for len(data) > 0 {
		sp := bytes.IndexByte(data, ' ')
		if sp < 1 || sp > 8 {
			return nil, corrupt("a tree has an entry without a mode")
		}
		n := node{raw: string(data[:sp])}
		for _, c := range data[:sp] {
			if c < '0' || c > '7' {
				return nil, corrupt("a tree has a mode that is not octal")
			}
			n.mode = n.mode<<3 | Mode(c-'0')
		}
		data = data[sp+1:]
		nul := bytes.IndexByte(data, 0)
		if nul < 0 || len(data) < nul+1+len(n.hash) {
			return nil, corrupt("a tree ends within an entry")
		}
		n.name = string(data[:nul])
		copy(n.hash[:], data[nul+1:])
		data = data[nul+1+len(n.hash):]
		nodes = append(nodes, n)
	}
	return nodes, nil
}

func encodeTree(nodes []node) []byte {
	var b bytes.Buffer
	for _, n := range nodes {
		b.WriteString(n.raw)
		b.WriteByte(' ')
		b.WriteString(n.name)
		b.WriteByte(0)
		b.Write(n.hash[:])
	}
	return b.Bytes()
}

// judge marks the entries that are not to be read or entered.
func judge(nodes []node) {
	names := make(map[string]int, len(nodes))
	folded := make(map[string]int, len(nodes))
	for i := range nodes {
		n := &nodes[i]
		if n.problem = checkName(n.name); n.problem == nil {
			n.problem = checkMode(*n)
		}
		if first, ok := names[n.name]; ok {
			twice := &Problem{Duplicate, "its directory holds that name twice"}
			n.problem, nodes[first].problem = twice, twice
			continue
		}
		names[n.name] = i
		key := fold(n.name)
		first, ok := folded[key]
		if !ok {
			folded[key] = i
			continue
		}
		clash := func(n *node, other string) {
			if n.problem == nil || n.problem.Kind == Symlink {
				n.problem = &Problem{CaseClash, fmt.Sprintf("%q beside it is the same name where case does not count", clean(other, 80))}
			}
		}
		clash(n, nodes[first].name)
		clash(&nodes[first], n.name)
	}
}

func checkMode(n node) *Problem {
	switch n.mode {
	case Directory, File, Executable:
		if n.raw[0] != '0' {
			return nil
		}
	case Link:
		return &Problem{Symlink, "it is a symbolic link, which is not followed"}
	case Module:
		return &Problem{Submodule, "it is a submodule: a commit of another repository"}
	}
	return &Problem{BadMode, fmt.Sprintf("its mode is %s, which git does not make", n.raw)}
}

// sortNodes puts entries into git's order: by name, a directory's ending in a slash. That
// is also the order of paths by their bytes.
func sortNodes(nodes []node) {
	slices.SortStableFunc(nodes, compareNodes)
}

func compareNodes(a, b node) int {
	n := min(len(a.name), len(b.name))
	if c := cmp.Compare(a.name[:n], b.name[:n]); c != 0 {
		return c
	}
	next := func(x node) int {
		switch {
		case len(x.name) > n:
			return int(x.name[n])
		case x.mode == Directory:
			return '/'
		}
		return 0
	}
	return cmp.Or(cmp.Compare(next(a), next(b)), cmp.Compare(len(a.name), len(b.name)))
}

// rawTree reads a tree object as it is.
func (r *Repository) rawTree(h Hash) ([]node, error) {
	data, err := r.read(h, plumbing.TreeObject, r.limits.TreeSize)
	if err != nil {
		return nil, err
	}
	nodes, err := parseTree(data)
	if err != nil {
		return nil, fmt.Errorf("reading tree %s: %w", h, err)
	}
	return nodes, nil
}

// tree reads and judges a tree object, in git's order.
func (r *Repository) tree(h Hash) ([]node, error) {
	nodes, err := r.rawTree(h)
	if err != nil {
		return nil, err
	}
	judge(nodes)
	if !slices.IsSortedFunc(nodes, compareNodes) {
		sortNodes(nodes)
	}
	return nodes, nil
}
