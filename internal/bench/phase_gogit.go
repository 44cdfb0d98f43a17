package main

import (
	"errors"
	"fmt"

	"github.com/go-git/go-billy/v5/osfs"
	gogit "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage/filesystem"
)

const gogitMain = "refs/heads/main"

// gogitOpen opens or makes a bare repository.
func (p *phase) gogitOpen() (*gogit.Repository, *gogit.Remote, error) {
	store := filesystem.NewStorageWithOptions(osfs.New(p.dir), cache.NewObjectLRUDefault(), filesystem.Options{KeepDescriptors: true})
	repo, err := gogit.Open(store, nil)
	if errors.Is(err, gogit.ErrRepositoryNotExists) {
		if repo, err = gogit.Init(store, nil); err != nil {
			return nil, nil, err
		}
		remote, err := repo.CreateRemote(&config.RemoteConfig{Name: "origin", URLs: []string{p.url + originPath}})
		return repo, remote, err
	}
	if err != nil {
		return nil, nil, err
	}
	remote := gogit.NewRemote(store, &config.RemoteConfig{Name: "origin", URLs: []string{p.url + originPath}})
	return repo, remote, nil
}

func (p *phase) gogitFetch(repo *gogit.Repository, remote *gogit.Remote, depth int) (*object.Tree, error) {
	err := remote.FetchContext(p.ctx, &gogit.FetchOptions{Depth: depth, Tags: gogit.NoTags, RefSpecs: []config.RefSpec{"+" + gogitMain + ":" + gogitMain}})
	if err != nil && !errors.Is(err, gogit.NoErrAlreadyUpToDate) {
		return nil, err
	}
	ref, err := repo.Reference(gogitMain, true)
	if err != nil {
		return nil, err
	}
	c, err := repo.CommitObject(ref.Hash())
	if err != nil {
		return nil, err
	}
	return c.Tree()
}

// gogitCold fetches into an empty repository, and reads every blob.
func (p *phase) gogitCold() error {
	repo, remote, err := p.gogitOpen()
	if err != nil {
		return err
	}
	var tree *object.Tree
	if _, err := p.step("fetch", func() (err error) {
		tree, err = p.gogitFetch(repo, remote, 1)
		return err
	}); err != nil {
		return err
	}
	blobs := int64(0)
	s, err := p.step("read all blobs", func() error {
		return tree.Files().ForEach(func(f *object.File) error {
			blobs++
			_, err := f.Contents()
			return err
		})
	})
	if err == nil {
		s.Blobs = blobs
	}
	return err
}

// gogitWarm fetches one changed file, and compares trees. It does so in a repository with
// all history: in a shallow one go-git fetches every object anew.
func (p *phase) gogitWarm() error {
	repo, remote, err := p.gogitOpen()
	if err != nil {
		return err
	}
	before, err := p.gogitFetch(repo, remote, 0)
	if err != nil {
		return err
	}
	if err := settle(); err != nil {
		return err
	}
	for i := range p.rounds {
		path, err := p.next(1+i, false)
		if err != nil {
			return err
		}
		var changes object.Changes
		s, err := p.step("one file", func() error {
			after, err := p.gogitFetch(repo, remote, 0)
			if err != nil {
				return err
			}
			changes, err = before.Diff(after)
			before = after
			return err
		})
		if err != nil {
			return err
		}
		if len(changes) != 1 {
			return fmt.Errorf("%d files differ, not %s alone", len(changes), path)
		}
		s.Depth = depth(path)
	}
	return nil
}

// madeRef is where a commit stands that is to be pushed by git.
const madeRef = plumbing.ReferenceName("refs/heads/made")
