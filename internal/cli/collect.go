package cli

import (
	"context"
	"io"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A result is what a verb reports: as JSON, and as Markdown for the summary of a job.
type result interface {
	JSON(w io.Writer) error
	Summary(w io.Writer)
}

// A collection takes the results of the verbs that run below it, and whose token they used.
type collection struct {
	results []result
	bearer  promotion.Self
	event   bool // what is asked for is what an event names, which may be over
}

type collecting struct{}

// under returns a context below which results are collected.
func (c *collection) under(ctx context.Context) context.Context {
	return context.WithValue(ctx, collecting{}, c)
}

// collect hands a result to whoever collects, if anybody does.
func collect(ctx context.Context, r result) {
	if c, ok := ctx.Value(collecting{}).(*collection); ok {
		c.results = append(c.results, r)
	}
}

// collectBearer hands on which App's token is used.
func collectBearer(ctx context.Context, self promotion.Self) {
	if c, ok := ctx.Value(collecting{}).(*collection); ok {
		c.bearer = self
	}
}

// ofEvent says whether what is asked for is what an event names.
func ofEvent(ctx context.Context) bool {
	c, ok := ctx.Value(collecting{}).(*collection)
	return ok && c.event
}
