package github

import (
	"context"
	"fmt"
	"net/url"

	gh "github.com/google/go-github/v60/github"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

type wireApp struct {
	ID   int64  `json:"id"`
	Slug string `json:"slug"`
}

func (a *wireApp) name() string {
	if a == nil {
		return ""
	}
	return a.Slug
}

func (a *wireApp) number() int64 {
	if a == nil {
		return 0
	}
	return a.ID
}

// Deployments returns the newest deployments, at most 100, to an environment ("" = any) of a
// commit ("" = any), newest first, each with its newest status
// (https://docs.github.com/en/rest/deployments/deployments#list-deployments). It takes one
// request, and one for each deployment.
func (c *Client) Deployments(ctx context.Context, repo promotion.Repository, environment, sha string) ([]promotion.Deployment, error) {
	q := call{op: "list the deployments of " + repo.FullName(), path: in(repo).add("/deployments"), query: url.Values{"per_page": {"100"}}, need: "deployments=read"}
	if environment != "" {
		q.query.Set("environment", environment)
	}
	if sha != "" {
		if !shaForm.MatchString(sha) {
			return nil, invalid(q.op, "commit %q is not a whole hash of 40 or 64 small hexadecimal digits", cut(sha, 80))
		}
		q.query.Set("sha", sha)
	}
	var wire []struct {
		ID          int64         `json:"id"`
		Environment string        `json:"environment"`
		SHA         string        `json:"sha"`
		Ref         string        `json:"ref"`
		App         *wireApp      `json:"performed_via_github_app"`
		Creator     *gh.User      `json:"creator"`
		CreatedAt   *gh.Timestamp `json:"created_at"`
	}
	if _, err := c.read(ctx, q, &wire); err != nil {
		return nil, err
	}
	var all []promotion.Deployment
	for _, w := range wire {
		if environment != "" && w.Environment != environment || sha != "" && w.SHA != sha {
			continue
		}
		d := promotion.Deployment{
			ID: w.ID, Environment: w.Environment, SHA: w.SHA, Ref: w.Ref, App: w.App.number(), AppSlug: w.App.name(), Creator: identity(w.Creator), Created: firstTime(w.CreatedAt),
		}
		if err := c.deploymentState(ctx, repo, &d); err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, nil
}

func (c *Client) deploymentState(ctx context.Context, repo promotion.Repository, d *promotion.Deployment) error {
	var wire []struct {
		State     string        `json:"state"`
		App       *wireApp      `json:"performed_via_github_app"`
		CreatedAt *gh.Timestamp `json:"created_at"`
	}
	q := call{
		op: fmt.Sprintf("read the state of deployment %d of %s", d.ID, repo.FullName()), path: in(repo).add("/deployments").number(d.ID).add("/statuses"),
		query: url.Values{"per_page": {"1"}}, need: "deployments=read",
	}
	_, err := c.read(ctx, q, &wire)
	if ok, err := found(err); !ok || len(wire) == 0 { // deleted meanwhile, or none yet
		return err
	}
	d.State, d.StateApp, d.StateSlug, d.StateAt = wire[0].State, wire[0].App.number(), wire[0].App.name(), firstTime(wire[0].CreatedAt)
	return nil
}
