package sandbox

import (
	"cmp"
	"encoding/base64"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

func blobCreate(c *call) (any, error) {
	var in struct{ Content, Encoding string }
	if no := c.read(&in); no != nil {
		return nil, no
	}
	data := []byte(in.Content)
	if in.Encoding == "base64" {
		var err error
		if data, err = base64.StdEncoding.DecodeString(strings.ReplaceAll(in.Content, "\n", "")); err != nil {
			return nil, unprocessable("content is not valid Base64")
		}
	}
	h := c.repo.put(blob(data))
	return c.created(fields{"sha": h.String(), "url": c.repo.url("/git/blobs/%s", h)})
}

func blobGet(c *call) (any, error) {
	h := plumbing.NewHash(c.args["file_sha"])
	data, err := c.repo.bytes(h)
	if err != nil {
		return nil, notFound()
	}
	if len(data) > 100<<20 {
		return nil, refuse(403, "This API returns blobs up to 100 MB in size.")
	}
	return fields{
		"sha": h.String(), "node_id": "B_" + h.String(), "size": len(data), "url": c.repo.url("/git/blobs/%s", h),
		"content": lines60(data), "encoding": "base64",
	}, nil
}

// lines60 is Base64 in lines of 60 characters, as GitHub sends it.
func lines60(data []byte) string {
	text := base64.StdEncoding.EncodeToString(data)
	var out strings.Builder
	for len(text) > 60 {
		out.WriteString(text[:60] + "\n")
		text = text[60:]
	}
	if text != "" {
		out.WriteString(text + "\n")
	}
	return out.String()
}

var treeModes = map[string]filemode.FileMode{
	"100644": filemode.Regular, "100755": filemode.Executable, "120000": filemode.Symlink, "160000": filemode.Submodule, "040000": filemode.Dir,
}

// treeCreate lays entries over a base tree; a sha of null removes.
// https://docs.github.com/en/rest/git/trees#create-a-tree
func treeCreate(c *call) (any, error) {
	var in struct {
		BaseTree string `json:"base_tree"`
		Tree     []struct {
			Path, Mode, Type string
			SHA              *string
			Content          *string
		}
	}
	if no := c.read(&in); no != nil {
		return nil, no
	}
	if len(in.Tree) == 0 {
		return nil, unprocessable("Invalid tree info")
	}
	r := c.repo
	files := map[string]entry{}
	if in.BaseTree != "" {
		base := plumbing.NewHash(in.BaseTree)
		if com, err := r.at(base); err == nil {
			base = com.TreeHash
		}
		if _, err := object.GetTree(r.objects, base); err != nil {
			return nil, unprocessable("base_tree is not a valid tree oid")
		}
		files = r.flat(base)
	}
	for _, e := range in.Tree {
		mode, ok := treeModes[e.Mode]
		switch {
		case !ok:
			return nil, unprocessable("tree.mode is not a valid mode")
		case badPath(e.Path):
			return nil, unprocessable("tree.path contains a malformed path component")
		case strings.HasPrefix(e.Path, ".github/workflows/") && c.by.install != nil && c.by.permissions["workflows"] != "write":
			return nil, forbidden()
		case e.SHA != nil && e.Content != nil:
			return nil, unprocessable("Must supply either tree.sha or tree.content but not both.")
		}
		for p := range files {
			if strings.HasPrefix(p, e.Path+"/") || strings.HasPrefix(e.Path, p+"/") {
				delete(files, p)
			}
		}
		switch {
		case e.Content != nil:
			files[e.Path] = entry{mode, r.put(blob(*e.Content))}
		case e.SHA == nil:
			delete(files, e.Path)
		case mode == filemode.Dir:
			for p, x := range r.flat(plumbing.NewHash(*e.SHA)) {
				files[path.Join(e.Path, p)] = x
			}
		default:
			h := plumbing.NewHash(*e.SHA)
			if mode != filemode.Submodule && r.store.HasEncodedObject(h) != nil {
				return nil, unprocessable("tree.sha " + *e.SHA + " is not a valid blob")
			}
			files[e.Path] = entry{mode, h}
		}
	}
	h := r.tree(files)
	return c.created(r.renderTree(h, false))
}

func badPath(p string) bool {
	if p == "" || !utf8.ValidString(p) {
		return true
	}
	for part := range strings.SplitSeq(p, "/") {
		if part == "" || part == "." || part == ".." || strings.EqualFold(part, ".git") {
			return true
		}
	}
	return false
}

// renderTree gives at most 100,000 entries, and says where it stopped short.
// https://docs.github.com/en/rest/git/trees#get-a-tree
func (r *Repository) renderTree(h plumbing.Hash, recursive bool) fields {
	list := []any{}
	truncated := false
	most := cmp.Or(r.s.o.Limits.Tree, 100_000)
	r.walk(h, "", func(p string, e object.TreeEntry) {
		if !recursive && strings.Contains(p, "/") {
			return
		}
		if len(list) >= most {
			truncated = true
			return
		}
		out := fields{"path": p, "sha": e.Hash.String(), "mode": e.Mode.String()[1:]}
		switch e.Mode {
		case filemode.Dir:
			out["type"], out["url"] = "tree", r.url("/git/trees/%s", e.Hash)
		case filemode.Submodule:
			out["type"] = "commit"
		default:
			out["type"], out["url"] = "blob", r.url("/git/blobs/%s", e.Hash)
			if n, err := r.objects.EncodedObjectSize(e.Hash); err == nil {
				out["size"] = n
			}
		}
		list = append(list, out)
	})
	return fields{"sha": h.String(), "url": r.url("/git/trees/%s", h), "tree": list, "truncated": truncated}
}

func treeGet(c *call) (any, error) {
	h := plumbing.NewHash(c.args["tree_sha"])
	if _, err := object.GetTree(c.repo.objects, h); err != nil {
		at, ok := c.repo.resolve(c.args["tree_sha"])
		if !ok {
			return nil, notFound()
		}
		h = c.repo.mustAt(at).TreeHash
	}
	return c.repo.renderTree(h, c.query("recursive") != ""), nil
}

// commitCreate makes a commit. That of an App without an author is the bot's, and signed by GitHub.
// https://docs.github.com/en/authentication/managing-commit-signature-verification/about-commit-signature-verification#signature-verification-for-bots
func commitCreate(c *call) (any, error) {
	type who struct {
		Name, Email string
		Date        time.Time
	}
	var in struct {
		Message, Tree, Signature string
		Parents                  []string
		Author, Committer        *who
	}
	if no := c.read(&in); no != nil {
		return nil, no
	}
	r := c.repo
	if in.Message == "" || in.Tree == "" {
		return nil, unprocessable("Invalid request.\n\n\"message\", \"tree\" weren't supplied.")
	}
	tree := plumbing.NewHash(in.Tree)
	if _, err := object.GetTree(r.objects, tree); err != nil {
		return nil, unprocessable("Tree SHA does not exist")
	}
	var parents []plumbing.Hash
	for _, p := range in.Parents {
		h := plumbing.NewHash(p)
		if _, err := r.at(h); err != nil {
			return nil, unprocessable("Parent SHA does not exist or is not a commit object")
		}
		parents = append(parents, h)
	}
	sign := func(w *who, or object.Signature) object.Signature {
		if w == nil {
			return or
		}
		if w.Date.IsZero() {
			w.Date = c.s.now()
		}
		return object.Signature{Name: w.Name, Email: w.Email, When: w.Date}
	}
	author := sign(in.Author, c.s.signatureOf(c.by.who))
	committer := author
	own := c.by.install != nil && in.Author == nil && in.Committer == nil && in.Signature == ""
	if own {
		committer = c.s.github()
	}
	committer = sign(in.Committer, committer)
	h := r.commit(tree, parents, author, committer, in.Message, own)
	return c.created(r.gitCommit(r.mustAt(h)))
}

func gitCommitGet(c *call) (any, error) {
	com, err := c.repo.at(plumbing.NewHash(c.args["commit_sha"]))
	if err != nil {
		return nil, notFound()
	}
	return c.repo.gitCommit(com), nil
}

// contentsGet is a file, or the entries of a folder.
// https://docs.github.com/en/rest/repos/contents#get-repository-content
func contentsGet(c *call) (any, error) {
	r := c.repo
	h, ok := r.resolve(c.query("ref"))
	if !ok {
		if c.query("ref") == "" {
			return nil, refuse(404, "This repository is empty.")
		}
		return nil, refuse(404, "No commit found for the ref "+c.query("ref"))
	}
	files := r.flat(r.mustAt(h).TreeHash)
	at := strings.Trim(c.args["path"], "/")
	if e, ok := files[at]; ok {
		data, _ := r.bytes(e.hash)
		out := r.renderEntry(h, at, e, len(data))
		out["content"], out["encoding"] = lines60(data), "base64"
		if len(data) > 1<<20 {
			// https://docs.github.com/en/rest/repos/contents#get-repository-content (size limits)
			out["content"], out["encoding"] = "", "none"
		}
		return out, nil
	}
	list := []any{}
	seen := map[string]bool{}
	for _, p := range slices.Sorted(maps.Keys(files)) {
		rest, inside := strings.CutPrefix(p, at+"/")
		if at == "" {
			rest, inside = p, true
		}
		if !inside {
			continue
		}
		name, _, deep := strings.Cut(rest, "/")
		if seen[name] {
			continue
		}
		seen[name] = true
		full := path.Join(at, name)
		if deep {
			out := r.renderEntry(h, full, entry{filemode.Dir, r.folder(h, full)}, 0)
			out["type"], out["download_url"] = "dir", nil
			list = append(list, out)
			continue
		}
		size, _ := r.objects.EncodedObjectSize(files[p].hash)
		list = append(list, r.renderEntry(h, full, files[p], int(size)))
	}
	if len(list) == 0 {
		return nil, notFound()
	}
	return list, nil
}

func (r *Repository) folder(commit plumbing.Hash, at string) plumbing.Hash {
	var found plumbing.Hash
	r.walk(r.mustAt(commit).TreeHash, "", func(p string, e object.TreeEntry) {
		if p == at {
			found = e.Hash
		}
	})
	return found
}

func (r *Repository) renderEntry(commit plumbing.Hash, at string, e entry, size int) fields {
	u, kind := r.url("/contents/%s?ref=%s", at, commit), "blobs"
	if e.mode == filemode.Dir {
		kind = "trees"
	}
	git, html := r.url("/git/%s/%s", kind, e.hash), r.html("/blob/%s/%s", commit, at)
	return fields{
		"type": "file", "size": size, "name": path.Base(at), "path": at, "sha": e.hash.String(), "url": u, "git_url": git, "html_url": html,
		"download_url": r.html("/raw/%s/%s", commit, at), "_links": fields{"self": u, "git": git, "html": html},
	}
}

func commitList(c *call) (any, error) {
	r := c.repo
	h, ok := r.resolve(c.query("sha"))
	if !ok {
		if len(r.branchNames()) == 0 {
			return nil, refuse(409, "Git Repository is empty.")
		}
		return nil, notFound()
	}
	commits := r.between(plumbing.ZeroHash, h)
	slices.Reverse(commits)
	if at := c.query("path"); at != "" {
		commits = slices.DeleteFunc(commits, func(x *gitCommit) bool { return !r.touches(x, at) })
	}
	return page(c, commits, func(x *gitCommit) any { return r.renderCommit(x) }), nil
}

// touches says whether a commit changes a path against its first parent.
func (r *Repository) touches(x *gitCommit, at string) bool {
	before := map[string]entry{}
	if len(x.ParentHashes) > 0 {
		before = r.flat(r.mustAt(x.ParentHashes[0]).TreeHash)
	}
	after := r.flat(x.TreeHash)
	under := func(p string) bool { return p == at || strings.HasPrefix(p, at+"/") }
	for p, e := range after {
		if under(p) && before[p] != e {
			return true
		}
	}
	for p := range before {
		if _, ok := after[p]; under(p) && !ok {
			return true
		}
	}
	return false
}

func commitGet(c *call) (any, error) {
	r := c.repo
	h, ok := r.resolve(c.args["ref"])
	if !ok {
		return nil, unprocessable("No commit found for SHA: " + c.args["ref"])
	}
	com := r.mustAt(h)
	out := r.renderCommit(com)
	var parent plumbing.Hash
	if len(com.ParentHashes) > 0 {
		parent = com.ParentHashes[0]
	}
	changes := r.changes(parent, h)
	added, removed := 0, 0
	for _, x := range changes {
		added, removed = added+x.added, removed+x.removed
	}
	out["stats"] = fields{"additions": added, "deletions": removed, "total": added + removed}
	out["files"] = page(c, changes, func(x change) any { return x.render(r, h) })
	return out, nil
}

// commitPulls lists the pull requests that a commit belongs to: those that hold it, and that
// which brought it into the default branch.
// https://docs.github.com/en/rest/commits/commits#list-pull-requests-associated-with-a-commit
func commitPulls(c *call) (any, error) {
	r := c.repo
	h, ok := r.resolve(c.args["commit_sha"])
	if !ok {
		return nil, unprocessable("No commit found for SHA: " + c.args["commit_sha"])
	}
	var list []*pull
	for _, n := range slices.Sorted(maps.Keys(r.threads)) {
		p := r.threads[n].pull
		if p == nil {
			continue
		}
		is := func(x *gitCommit) bool { return x.Hash == h }
		if p.mergeCommit == h || slices.ContainsFunc(r.between(p.since(), p.head), is) || p.merged && slices.ContainsFunc(r.between(p.before, p.mergeCommit), is) {
			list = append(list, p)
		}
	}
	return page(c, list, func(p *pull) any { return p.render(false) }), nil
}

// compare is what head has that base lacks.
// https://docs.github.com/en/rest/commits/commits#compare-two-commits
func compare(c *call) (any, error) {
	r := c.repo
	from, to, ok := strings.Cut(c.args["basehead"], "...")
	base, known := r.resolve(from)
	head, found := r.resolve(to)
	if !ok || !known || !found {
		return nil, notFound()
	}
	fork := r.mergeBase(base, head)
	if fork.IsZero() {
		return nil, refuse(404, "No common ancestor between "+from+" and "+to+".")
	}
	ahead, behind := r.between(base, head), r.between(head, base)
	status := "identical"
	switch {
	case len(ahead) > 0 && len(behind) > 0:
		status = "diverged"
	case len(ahead) > 0:
		status = "ahead"
	case len(behind) > 0:
		status = "behind"
	}
	u, html := r.url("/compare/%s", c.args["basehead"]), r.html("/compare/%s", c.args["basehead"])
	changes := r.changes(fork, head)
	files := []any{}
	if c.query("page") == "" || c.query("page") == "1" {
		for _, x := range changes[:min(300, len(changes))] {
			files = append(files, x.render(r, head))
		}
	}
	commits := ahead
	if c.query("per_page") == "" && c.query("page") == "" {
		commits = ahead[:min(250, len(ahead))]
	}
	var rendered []any
	if len(commits) <= 250 && c.query("per_page") == "" {
		rendered = []any{}
		for _, x := range commits {
			rendered = append(rendered, r.renderCommit(x))
		}
	} else {
		rendered = page(c, commits, func(x *gitCommit) any { return r.renderCommit(x) })
	}
	return fields{
		"url": u, "html_url": html, "permalink_url": html, "diff_url": html + ".diff", "patch_url": html + ".patch",
		"base_commit": r.renderCommit(r.mustAt(base)), "merge_base_commit": r.renderCommit(r.mustAt(fork)), "status": status,
		"ahead_by": len(ahead), "behind_by": len(behind), "total_commits": len(ahead), "commits": rendered, "files": files,
	}, nil
}
