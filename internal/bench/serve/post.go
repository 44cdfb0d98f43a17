package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// An event is what a delivery carries.
type event struct {
	name string
	body []byte
}

// nothing is what stays of deliveries that are not to be made.
func nothing([]sandbox.Delivery) []sandbox.Delivery { return nil }

// pushes are the payloads of a push to each repository, as GitHub writes them.
func (w *world) pushes(repos []*sandbox.Repository) []event {
	w.Arrange(nothing)
	var out []event
	for _, r := range repos {
		r.Commit("main", "ada", "Say more", map[string]string{"README.md": r.FullName()})
	}
	for _, d := range w.Pending() {
		if d.Event == "push" {
			out = append(out, event{d.Event, d.Payload})
		}
	}
	w.Arrange(nothing)
	return out
}

// A poster posts deliveries over a few connections.
type poster struct {
	client *http.Client
	root   string
	events []event
	signed []string
	n      atomic.Int64
	name   string
}

func newPoster(c *child, name string, connections int, events []event) *poster {
	p := &poster{
		client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxConnsPerHost: connections, MaxIdleConnsPerHost: connections}},
		root:   c.root, events: events, name: name,
	}
	for _, e := range events {
		p.signed = append(p.signed, sandbox.Sign(secret, e.body))
	}
	return p
}

// post makes one delivery, with a number of its own.
func (p *poster) post(ctx context.Context) error {
	n := p.n.Add(1)
	e := p.events[int(n)%len(p.events)]
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.root+"/webhooks/github", bytes.NewReader(e.body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-GitHub-Event", e.name)
	req.Header.Set("X-GitHub-Delivery", fmt.Sprintf("%s-%08d", p.name, n))
	req.Header.Set("X-Hub-Signature-256", p.signed[int(n)%len(p.events)])
	resp, err := p.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("a delivery was answered with %s", resp.Status)
	}
	return nil
}

// steady posts at a fixed rate, whatever the answers take, and returns how long each took from
// when it was due: a delivery that has to wait for a connection is as late as it is.
func (p *poster) steady(ctx context.Context, connections, rate int, last time.Duration) (sample, error) {
	total := int(last.Seconds() * float64(rate))
	took := make(sample, total)
	var next atomic.Int64
	var failed atomic.Pointer[error]
	var tasks sync.WaitGroup
	began := time.Now()
	for range connections {
		tasks.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= total || ctx.Err() != nil {
					return
				}
				due := began.Add(time.Duration(i) * time.Second / time.Duration(rate))
				time.Sleep(time.Until(due))
				if err := p.post(ctx); err != nil {
					failed.CompareAndSwap(nil, &err)
				}
				took[i] = time.Since(due)
			}
		})
	}
	tasks.Wait()
	if err := failed.Load(); err != nil {
		return nil, *err
	}
	return took, ctx.Err()
}
