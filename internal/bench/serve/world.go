package main

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

const secret = "a secret of the webhook"

const configuration = `apiVersion: pinnace.dev/v1alpha1
kind: Config
environments:
  - {name: dev, paths: ["envs/dev/**"]}
  - {name: prod, paths: ["envs/prod/**"], after: [dev], production: true, deploy: button}
roles:
  promoter: {users: [carol, dave]}
`

const policy = `apiVersion: pinnace.dev/v1alpha1
kind: ImagePromotionPolicy
name: prod
approverCount: 2
unknownBuilder: ignore
applyTo: [{env: prod}]
`

// A world is a GitHub with a registry and Pinnace's App.
type world struct {
	*sandbox.Sandbox
	app     *sandbox.App
	digests map[string]string
	delay   atomic.Int64 // nanoseconds that each answer of GitHub's takes
	reads   atomic.Int64 // of the REST API
	same    atomic.Int64 // of them answered with 304
	looks   func(sandbox.Exchange)
}

// newWorld makes one whose webhooks go to an address.
func newWorld(hook string, looks func(sandbox.Exchange)) (*world, error) {
	w := &world{digests: map[string]string{}, looks: looks}
	w.Sandbox = sandbox.New(sandbox.Options{
		Ours:    func(c sandbox.Commit) bool { return strings.Contains(c.AuthorEmail, "pinnace") },
		Observe: w.observe,
	})
	if err := w.Start(); err != nil {
		return nil, err
	}
	w.Inject(func(c sandbox.Call) sandbox.Fault {
		d := time.Duration(w.delay.Load())
		if d == 0 || strings.HasPrefix(c.Route, "/v2/") {
			return sandbox.Fault{}
		}
		return sandbox.Fault{Delay: func() { time.Sleep(d) }}
	})
	w.Org("acme", "ada")
	for _, login := range []string{"bob", "carol", "dave"} {
		w.User(login)
	}
	w.app = w.App(sandbox.AppOptions{
		Name: "Pinnace", WebhookURL: hook, Secret: secret,
		Permissions: map[string]string{
			"contents": "write", "pull_requests": "write", "metadata": "read", "checks": "write", "issues": "write", "members": "read",
			"deployments": "read", "statuses": "read", "merge_queues": "write", "workflows": "write",
		},
		Events: []string{"push", "pull_request", "pull_request_review", "issue_comment", "check_run"},
	})
	for _, image := range []string{"shop:1.0", "shop:1.1", "shop:1.2"} {
		d, err := w.PushImage("acme/"+image, sandbox.Image{Seed: image, Created: time.Now().Add(-time.Hour)})
		if err != nil {
			return nil, err
		}
		w.digests[image] = d
	}
	return w, nil
}

func (w *world) observe(x sandbox.Exchange) {
	if x.Request.Method == "GET" && strings.Contains(x.Request.URL.Path, "/repos/") {
		w.reads.Add(1)
		if x.Status == 304 {
			w.same.Add(1)
		}
	}
	if w.looks != nil {
		w.looks(x)
	}
}

// image is the reference of a pushed image, with its digest.
func (w *world) image(name string) string { return "ghcr.io/acme/" + name + "@" + w.digests[name] }

func deployment(image string) string {
	return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop}\nspec:\n  template:\n    spec:\n      containers:\n        - name: shop\n          image: " + image + "\n"
}

// config makes a repository in which dev is ahead of prod, and nothing is to be done.
func (w *world) config(name string) *sandbox.Repository {
	r := w.Repository("acme", name, sandbox.RepositoryOptions{Files: map[string]string{
		".pinnace/config.yaml":        configuration,
		".pinnace/policies/prod.yaml": policy,
		"envs/dev/shop.yaml":          deployment(w.image("shop:1.1")),
		"envs/prod/shop.yaml":         deployment(w.image("shop:1.0")),
	}})
	for _, login := range []string{"bob", "carol", "dave"} {
		r.Permission(login, promotion.PermissionWrite)
	}
	return r
}

// pumped delivers webhooks until stop is called.
func (w *world) pumped(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { w.Pump(ctx); close(done) }()
	return func() { cancel(); <-done }
}

// broken returns an error where a client of GitHub's did what none may do.
func (w *world) broken() error {
	if v := w.Violations(); len(v) > 0 {
		return fmt.Errorf("%d rules of GitHub's were broken: %s", len(v), v[0])
	}
	return nil
}
