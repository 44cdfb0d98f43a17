package plan

import (
	"iter"
	"path"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/config"
)

// Reach knows which environments each file affects. An environment has the files that match
// its paths or its includes; the objects of Argo CD and Flux that name one of its paths; and
// what the kustomizations, objects and links among these name, and so on. An object is not
// followed to what is another environment's own: that is deployed there. Only the files of
// values that an object of the environment's own takes from another one belong to both.
//
// It does not change and is safe for concurrent use.
type Reach struct {
	config          *config.Config
	paths, includes globs
	nodes           []node
	index           map[string]int
	sorted          []int   // nodes by path
	seeds           [][]int // of each environment: its own nodes, then objects that name its paths
	problems        config.Problems
}

// A node is a file that names others or is named; or a directory with all below it, which
// has a slash at the end of its path.
type node struct {
	path   string
	own    set // environments whose paths it matches
	in     set // environments that reach it
	edges  []edge
	object bool // of Argo CD or Flux
	known  bool // it was among the files
}

// root stands for the files beside the root's own, and not for all of the repository: a
// path "." is that of many a repository.
const root = "/"

func (n *node) isTree() bool { return strings.HasSuffix(n.path, "/") }

// An edge leads from a file to what it names.
type edge struct {
	to    int
	named string // the path, from the root
	value bool   // it is a file of values
	line  int
	col   int
}

// NewReach reads what the files name: all in which Scan found anything. exists says whether
// there is a file at a path relative to the root; it is asked about named paths only.
func NewReach(c *config.Config, files []File, exists func(path string) bool) *Reach {
	r := &Reach{config: c, paths: globs{}, includes: globs{}, index: map[string]int{}, seeds: make([][]int, len(c.Environments))}
	for i, e := range c.Environments {
		r.paths.add(i, e.Paths)
		r.includes.add(i, e.Includes)
	}
	l := linker{Reach: r, exists: exists, there: map[string]bool{}}
	l.link(files)
	r.sorted = make([]int, len(r.nodes))
	for i := range r.sorted {
		r.sorted[i] = i
	}
	slices.SortFunc(r.sorted, func(a, b int) int { return strings.Compare(r.nodes[a].path, r.nodes[b].path) })
	r.seed()
	for i := range c.Environments {
		r.walk(i, func(at, _ int) { r.nodes[at].in.add(i) })
	}
	l.check(files)
	return r
}

func (r *Reach) node(name string) int {
	i, ok := r.index[name]
	if !ok {
		i = len(r.nodes)
		r.index[name] = i
		r.nodes = append(r.nodes, node{path: name, own: r.paths.of(strings.TrimSuffix(name, "/"))})
	}
	return i
}

// seed notes where each environment begins.
func (r *Reach) seed() {
	for _, i := range r.sorted {
		n := &r.nodes[i]
		if n.isTree() {
			continue
		}
		in := r.includes.of(n.path)
		in.join(n.own)
		for e := range in.all() {
			r.seeds[e] = append(r.seeds[e], i)
		}
	}
	owners := map[string]set{}
	for _, i := range r.sorted {
		if !r.nodes[i].object {
			continue
		}
		var named set
		for _, g := range r.nodes[i].edges {
			if _, known := owners[g.named]; !known {
				owners[g.named] = r.owners(g)
			}
			named.join(owners[g.named])
		}
		for e := range named.all() {
			r.seeds[e] = append(r.seeds[e], i)
		}
	}
}

// owners returns the environments that have files at the path that an edge is for.
func (r *Reach) owners(g edge) set {
	out := slices.Clone(r.nodes[g.to].own)
	if g.named == "." {
		return out
	}
	out.join(r.paths.of(g.named))
	for _, i := range r.below(g.named + "/") {
		out.join(r.nodes[i].own)
	}
	return out
}

// walk visits each node that an environment reaches once, the nearest first, with the node
// that it was reached from, -1 where it begins.
func (r *Reach) walk(env int, visit func(at, from int)) {
	var queue []int
	seen := map[int]bool{}
	push := func(at, from int) {
		if !seen[at] {
			seen[at] = true
			visit(at, from)
			queue = append(queue, at)
		}
	}
	for _, i := range r.seeds[env] {
		push(i, -1)
	}
	entered := map[string]bool{}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		n := &r.nodes[at]
		for _, g := range n.edges {
			if !n.object || r.nodes[g.to].mayBe(env) || g.value && n.own.has(env) {
				push(g.to, at)
			}
		}
		if !n.isTree() || within(n.path, entered) {
			continue
		}
		entered[n.path] = true
		for _, i := range r.below(n.path) {
			if m := &r.nodes[i]; !m.isTree() && m.mayBe(env) {
				push(i, at)
			}
		}
	}
}

// mayBe says whether a node is an environment's own, or nobody's.
func (n *node) mayBe(env int) bool { return n.own.empty() || n.own.has(env) }

// within says whether one of the directories above was entered.
func within(tree string, entered map[string]bool) bool {
	for dir := range parents(strings.TrimSuffix(tree, "/")) {
		if entered[dir+"/"] {
			return true
		}
	}
	return false
}

// parents yields the directories above a path, the nearest first, without the root.
func parents(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := strings.LastIndexByte(name, '/'); i > 0; i = strings.LastIndexByte(name[:i], '/') {
			if !yield(name[:i]) {
				return
			}
		}
	}
}

// below returns the nodes in a directory.
func (r *Reach) below(tree string) []int {
	prefix := tree
	if tree == root {
		prefix = ""
	}
	from, _ := slices.BinarySearchFunc(r.sorted, prefix, func(i int, p string) int { return strings.Compare(r.nodes[i].path, p) })
	to := from
	for to < len(r.sorted) && strings.HasPrefix(r.nodes[r.sorted[to]].path, prefix) {
		to++
	}
	if tree != root {
		return r.sorted[from:to]
	}
	var out []int
	for _, i := range r.sorted {
		if !strings.Contains(r.nodes[i].path, "/") {
			out = append(out, i)
		}
	}
	return out
}

// Environments returns the names of the environments that a file affects, in the order of
// the configuration.
func (r *Reach) Environments(name string) []string { return r.names(r.of(name)) }

// Named says whether files name a path, or a directory that it is in. What other paths
// affect is in the configuration alone.
func (r *Reach) Named(name string) bool {
	if _, ok := r.index[name]; ok {
		return true
	}
	for range r.trees(name) {
		return true
	}
	return false
}

func (r *Reach) names(s set) []string {
	var out []string
	for e := range s.all() {
		out = append(out, r.config.Environments[e].Name)
	}
	return out
}

func (r *Reach) of(name string) set {
	own := r.paths.of(name)
	out := r.includes.of(name)
	out.join(own)
	if i, ok := r.index[name]; ok {
		out.join(r.nodes[i].in)
	}
	for i := range r.trees(name) {
		for e := range r.nodes[i].in.all() {
			if own.empty() || own.has(e) {
				out.add(e)
			}
		}
	}
	return out
}

// trees yields the nodes of directories that a path is in, the nearest first.
func (r *Reach) trees(name string) iter.Seq[int] {
	return func(yield func(int) bool) {
		if !strings.Contains(name, "/") {
			if i, ok := r.index[root]; ok {
				yield(i)
			}
			return
		}
		for dir := range parents(name) {
			if i, ok := r.index[dir+"/"]; ok && !yield(i) {
				return
			}
		}
	}
}

// Owner returns the environment whose paths match a file, where there is exactly one.
func (r *Reach) Owner(name string) (env string, ok bool) {
	owners := r.names(r.paths.of(name))
	if len(owners) != 1 {
		return "", false
	}
	return owners[0], true
}

// Why returns why a file affects an environment: a shortest chain of paths of which each
// names the next, from a file of the environment to this one. Where the file is itself the
// object that names a path of the environment, that path comes last. It is nil where the
// file does not affect the environment.
func (r *Reach) Why(name, env string) []string {
	e := slices.IndexFunc(r.config.Environments, func(e config.Environment) bool { return e.Name == env })
	if e < 0 || !r.of(name).has(e) {
		return nil
	}
	if r.includes.of(name).has(e) || r.paths.of(name).has(e) {
		return []string{name}
	}
	from := map[int]int{}
	r.walk(e, func(at, f int) { from[at] = f })
	var chain []string
	at, known := r.index[name]
	if _, reached := from[at]; !known || !reached {
		chain = append(chain, name)
		for i := range r.trees(name) {
			if _, reached := from[i]; reached {
				at = i
				break
			}
		}
	}
	for ; at >= 0; at = from[at] {
		chain = append(chain, path.Clean("./"+r.nodes[at].path))
	}
	slices.Reverse(chain)
	if len(chain) == 1 {
		for _, g := range r.nodes[r.index[name]].edges {
			if r.owners(g).has(e) {
				return append(chain, g.named)
			}
		}
	}
	return chain
}

// Orphans returns those of the paths that affect no environment, sorted. Where none is
// configured there are none.
func (r *Reach) Orphans(paths []string) []string {
	if len(r.config.Environments) == 0 {
		return nil
	}
	var out []string
	for _, p := range paths {
		if r.of(p).empty() {
			out = append(out, p)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Problems returns what is wrong with the paths that files name, by place: a file in the
// paths of two environments, a kustomization that names what is not there or outside of the
// repository, and kustomizations that name each other in a circle. All are errors.
func (r *Reach) Problems() config.Problems { return slices.Clone(r.problems) }

// join returns the path from the root that is written relative to a file's directory; false
// where it is outside of the repository.
func join(file, written string) (string, bool) {
	if path.IsAbs(written) {
		return "", false
	}
	p := path.Join(path.Dir(file), written)
	return p, !outside(p)
}

func outside(p string) bool { return p == ".." || strings.HasPrefix(p, "../") || path.IsAbs(p) }
