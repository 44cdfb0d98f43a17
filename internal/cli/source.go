package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
)

// sourceFlags are the flags of verbs that read commits: of checkouts, or of repositories on
// GitHub.
type sourceFlags struct {
	hub   githubFlags
	dirs  []string
	repos []string
	rev   string
}

// add adds the flags, which may name several sources or only one.
func (f *sourceFlags) add(cmd *cobra.Command, several bool) {
	repeated := ""
	if several {
		repeated = "; may be repeated"
	}
	cmd.Flags().StringArrayVarP(&f.dirs, "dir", "C", nil, "read the checkout at `DIR`"+repeated+"; default: the working directory")
	cmd.Flags().StringArrayVar(&f.repos, "repo", nil, "read `OWNER/NAME` on GitHub instead, with the token in GH_TOKEN or GITHUB_TOKEN"+repeated)
	cmd.Flags().StringVar(&f.rev, "branch", "", "the `BRANCH` to read; default: HEAD of a checkout, the default branch on GitHub")
	f.hub.addAccess(cmd)
}

// A source is a repository at one commit.
type source struct {
	*reconcile.Ledger
	name string
}

// open reads the tip of every source. The function that it returns releases them.
func (f *sourceFlags) open(ctx context.Context) ([]source, func(), error) {
	var open []*git.Repository
	done := func() {
		for _, r := range open {
			r.Close()
		}
	}
	var out []source
	add := func(name string, r *git.Repository, commit git.Hash) error {
		l := &reconcile.Ledger{Git: r, Commit: commit}
		if err := l.Open(ctx); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		out = append(out, source{l, name})
		return nil
	}
	dirs := f.dirs
	if len(dirs)+len(f.repos) == 0 {
		dirs = []string{"."}
	}
	for _, dir := range dirs {
		r, err := git.OpenCheckout(checkoutOf(dir), git.Limits{})
		if err != nil {
			return nil, done, fmt.Errorf("%s: %w: name a checkout with --dir, or a repository on GitHub with --repo", dir, err)
		}
		open = append(open, r)
		commit, err := tip(r, f.rev)
		switch {
		case errors.Is(err, git.ErrNoRef) && f.rev != "":
			return nil, done, fmt.Errorf("%s: branch %s does not exist here", dir, f.rev)
		case errors.Is(err, git.ErrNoRef):
			return nil, done, fmt.Errorf("%s: there is no commit yet", dir)
		case err != nil:
			return nil, done, fmt.Errorf("%s: %w", dir, err)
		}
		if err := add(filepath.ToSlash(dir), r, commit); err != nil {
			return nil, done, err
		}
	}
	seen := map[string]bool{}
	for _, repo := range f.repos {
		if key := strings.ToLower(repo); seen[key] {
			continue
		} else {
			seen[key] = true
		}
		r, commit, err := f.fetch(ctx, repo)
		if r != nil {
			open = append(open, r)
		}
		if err != nil {
			return nil, done, err
		}
		if err := add(repo, r, commit); err != nil {
			return nil, done, err
		}
	}
	return out, done, nil
}

// checkoutOf returns the nearest directory at or above one that is a checkout, else the
// directory itself, which may be a bare repository.
func checkoutOf(dir string) string {
	start, err := filepath.Abs(dir)
	if err != nil {
		return dir
	}
	for at := start; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, ".git")); err == nil {
			return at
		}
		if at == filepath.Dir(at) {
			return dir
		}
	}
}

// tip returns a branch of a checkout, or what HEAD names.
func tip(r *git.Repository, branch string) (git.Hash, error) {
	if branch != "" {
		return r.Ref("refs/heads/" + branch)
	}
	_, commit, err := r.Head()
	return commit, err
}

// fetch brings a branch of a repository on GitHub with all of its history.
func (f *sourceFlags) fetch(ctx context.Context, name string) (*git.Repository, git.Hash, error) {
	owner, base, err := parseRepository(name)
	if err != nil {
		return nil, git.Hash{}, err
	}
	a, err := f.hub.open(ctx, owner, base)
	if err != nil {
		return nil, git.Hash{}, err
	}
	repo, ok, err := a.client.Repository(ctx, owner, base)
	if err != nil {
		return nil, git.Hash{}, err
	}
	if !ok {
		return nil, git.Hash{}, &reconcile.Refusal{Class: promotion.ErrNotFound, Text: fmt.Sprintf("repository %s: it does not exist, or the token may not see it", name)}
	}
	r, err := f.hub.mirror(a, owner, base)
	if err != nil {
		return nil, git.Hash{}, err
	}
	branch := f.rev
	if branch == "" {
		branch = repo.DefaultBranch
	}
	ref := "refs/heads/" + branch
	fetched, err := r.Fetch(ctx, a.remote(repo), git.Fetch{Refs: []string{ref}})
	switch {
	case errors.Is(err, git.ErrNoRef) && f.rev != "":
		return r, git.Hash{}, fmt.Errorf("branch %s does not exist in %s", branch, name)
	case errors.Is(err, git.ErrNoRef):
		return r, git.Hash{}, fmt.Errorf("repository %s has no commit yet", name)
	case err != nil:
		return r, git.Hash{}, fmt.Errorf("%s: %w", name, err)
	}
	return r, fetched.Refs[ref], nil
}
