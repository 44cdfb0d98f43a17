package main

import (
	"context"
	"fmt"

	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
)

// A forge knows one repository, and no pull request. What a dry run has no need of it does
// not answer: the embedded interface is nil, and a call of it ends the run.
type forge struct{ reconcile.Forge }

func (forge) Repository(_ context.Context, owner, name string) (promotion.Repository, bool, error) {
	return promotion.Repository{ID: 1, Owner: owner, Name: name, DefaultBranch: "main", Permission: promotion.PermissionWrite}, true, nil
}

func (forge) PullRequests(context.Context, promotion.Repository, promotion.Query) ([]promotion.PullRequest, error) {
	return nil, nil
}

// shelves answer for every image, as registry does, without a socket.
type shelves struct{ reconcile.Registries }

func (shelves) Resolve(_ context.Context, r image.Ref) (image.Resolution, error) {
	digest, err := image.ParseDigest("sha256:" + img{r.Name, r.TagOrLatest()}.digest())
	return image.Resolution{Digest: digest, MediaType: image.OCIIndex}, err
}

func (shelves) Close() {}

// proposals is what a run would do, as far as it is asserted on.
func proposals(o *reconcile.Outcome) (changes int, err error) {
	if err := o.Failed(); err != nil {
		return 0, err
	}
	if len(o.Bases) != 1 {
		return 0, fmt.Errorf("%d branches were read, not main alone", len(o.Bases))
	}
	for _, s := range o.Bases[0].Settled {
		changes += len(s.Changes)
	}
	return changes, nil
}

// here is the remote of an origin.
func here(url string) git.Remote { return git.Remote{URL: url + originPath} }
