package github

import (
	"context"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	gh "github.com/google/go-github/v60/github"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

const maxInline = 256 << 10

// CreateTreeCommit makes a commit through the API and returns its hash and that of its tree.
// It names neither author nor committer, so that GitHub signs an App's commit and shows it as
// verified
// (https://docs.github.com/en/authentication/managing-commit-signature-verification/about-commit-signature-verification#signature-verification-for-bots).
// No branch moves: see CreateRef and UpdateRef. The caller should compare the tree with the
// one that it worked out.
func (c *Client) CreateTreeCommit(ctx context.Context, repo promotion.Repository, t promotion.TreeCommit) (commit, tree string, err error) {
	op := "commit to " + repo.FullName()
	if err := treeFault(op, t); err != nil {
		return "", "", err
	}
	entries := make([]map[string]any, 0, len(t.Files))
	for _, name := range slices.Sorted(maps.Keys(t.Files)) {
		content := t.Files[name]
		entry := map[string]any{"path": name, "mode": t.Modes[name], "type": "blob"}
		if inline(content) {
			entry["content"] = string(content)
		} else {
			sha, err := c.createBlob(ctx, repo, op, content)
			if err != nil {
				return "", "", err
			}
			entry["sha"] = sha
		}
		entries = append(entries, entry)
	}
	var made struct {
		SHA string `json:"sha"`
	}
	q := call{op: op, method: http.MethodPost, path: in(repo).add("/git/trees"), need: "contents=write", repeatable: true}
	q.body = map[string]any{"base_tree": t.BaseTree, "tree": entries}
	if err := c.write(ctx, q, &made); err != nil {
		return "", "", err
	}
	if !shaForm.MatchString(made.SHA) {
		return "", "", malformed(op)
	}
	var w struct {
		SHA  string `json:"sha"`
		Tree struct {
			SHA string `json:"sha"`
		} `json:"tree"`
	}
	q.path = in(repo).add("/git/commits")
	q.body = map[string]any{"message": t.Message, "tree": made.SHA, "parents": orEmpty(t.Parents)}
	if err := c.write(ctx, q, &w); err != nil {
		return "", "", err
	}
	if !shaForm.MatchString(w.SHA) || w.Tree.SHA != made.SHA {
		return "", "", malformed(op)
	}
	return w.SHA, w.Tree.SHA, nil
}

func (c *Client) createBlob(ctx context.Context, repo promotion.Repository, op string, content []byte) (string, error) {
	var w struct {
		SHA string `json:"sha"`
	}
	err := c.write(ctx, call{
		op: op, method: http.MethodPost, path: in(repo).add("/git/blobs"), need: "contents=write", repeatable: true,
		body: map[string]any{"encoding": "base64", "content": base64.StdEncoding.EncodeToString(content)},
	}, &w)
	if err == nil && !shaForm.MatchString(w.SHA) {
		err = malformed(op)
	}
	return w.SHA, err
}

// CommitMessage returns the message of a commit; ok is false where the repository has no such
// commit (https://docs.github.com/en/rest/git/commits#get-a-commit-object).
func (c *Client) CommitMessage(ctx context.Context, repo promotion.Repository, sha string) (message string, ok bool, err error) {
	q := call{op: "read commit " + clean(sha, "") + " of " + repo.FullName(), path: in(repo).add("/git/commits").sha(sha), need: "contents=read"}
	var w struct {
		SHA     string `json:"sha"`
		Message string `json:"message"`
	}
	_, err = c.read(ctx, q, &w)
	if ok, err := found(err); !ok {
		return "", false, err
	}
	if w.SHA != sha {
		return "", false, malformed(q.op)
	}
	return w.Message, true, nil
}

// Commit returns a commit with the accounts behind it; ok is false where the repository has no
// such commit (https://docs.github.com/en/rest/commits/commits#get-a-commit).
func (c *Client) Commit(ctx context.Context, repo promotion.Repository, sha string) (promotion.CommitFacts, bool, error) {
	q := call{
		op: "read commit " + clean(sha, "") + " of " + repo.FullName(), path: in(repo).add("/commits").sha(sha), need: "contents=read",
		query: url.Values{"per_page": {"1"}}, // of its files, which are not asked for
	}
	var w gh.RepositoryCommit
	_, err := c.read(ctx, q, &w)
	if ok, err := found(err); !ok {
		return promotion.CommitFacts{}, false, err
	}
	facts := commitFacts(&w)
	if facts.SHA != sha || !shaForm.MatchString(facts.Tree) {
		return promotion.CommitFacts{}, false, malformed(q.op)
	}
	return facts, true, nil
}

func commitFacts(w *gh.RepositoryCommit) promotion.CommitFacts {
	v := w.GetCommit().GetVerification()
	f := promotion.CommitFacts{Tree: w.GetCommit().GetTree().GetSHA(), CommitAuthor: promotion.CommitAuthor{
		SHA: w.GetSHA(), Author: someone(w.GetAuthor()), Committer: someone(w.GetCommitter()),
		Verified: v.GetVerified(), Reason: v.GetReason(), Message: w.GetCommit().GetMessage(),
	}}
	if w != nil {
		for _, p := range w.Parents {
			f.Parents = append(f.Parents, p.GetSHA())
		}
	}
	return f
}

// inline says whether JSON carries the bytes unchanged.
func inline(b []byte) bool {
	return len(b) <= maxInline && utf8.Valid(b) && !slices.Contains(b, 0)
}

func treeFault(op string, t promotion.TreeCommit) error {
	if len(t.Files) == 0 {
		return invalid(op, "there is no file to change")
	}
	for _, sha := range append([]string{t.BaseTree}, t.Parents...) {
		if !shaForm.MatchString(sha) {
			return invalid(op, "%q is not a whole hash of 40 or 64 small hexadecimal digits", cut(sha, 80))
		}
	}
	if strings.TrimSpace(t.Message) == "" {
		return invalid(op, "a commit needs a message")
	}
	for name, content := range t.Files {
		if why := fileFault(name); why != "" {
			return invalid(op, "file %q %s", cut(name, 80), why)
		}
		if mode := t.Modes[name]; mode != "100644" && mode != "100755" {
			return invalid(op, "file %q has mode %q; Pinnace writes plain files only, 100644 and 100755", cut(name, 80), cut(mode, 10))
		}
		if len(content) > maxFile {
			return invalid(op, "file %q has more than %d bytes", cut(name, 80), int64(maxFile))
		}
	}
	return nil
}
