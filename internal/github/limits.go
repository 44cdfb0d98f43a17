package github

import (
	"context"
	"net/http"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A Limit is what is left of a number of requests an hour.
type Limit struct {
	Limit     int
	Remaining int
	Reset     time.Time
}

// Limits returns what is left of the limits of REST and of GraphQL; asking costs nothing of
// them (https://docs.github.com/en/rest/rate-limit/rate-limit). limited is false on a server
// that has none.
func (c *Client) Limits(ctx context.Context) (rest, graphql Limit, limited bool, err error) {
	type wire struct {
		Limit     int   `json:"limit"`
		Remaining int   `json:"remaining"`
		Reset     int64 `json:"reset"`
	}
	var w struct {
		Resources struct {
			Core    wire `json:"core"`
			GraphQL wire `json:"graphql"`
		} `json:"resources"`
	}
	_, err = c.read(ctx, call{op: "read what is left of GitHub's limits", path: at("/rate_limit")}, &w)
	if ok, err := found(err); !ok {
		return Limit{}, Limit{}, false, err
	}
	noun := func(w wire) Limit {
		return Limit{Limit: w.Limit, Remaining: w.Remaining, Reset: time.Unix(w.Reset, 0).UTC()}
	}
	return noun(w.Resources.Core), noun(w.Resources.GraphQL), true, nil
}

// Clock returns the time that GitHub has, in seconds, and the time between sending the
// question and having the answer.
func (c *Client) Clock(ctx context.Context) (now time.Time, took time.Duration, err error) {
	const op = "read GitHub's clock"
	began := c.now()
	a, err := c.do(ctx, call{op: op, method: http.MethodGet, path: at("/meta")})
	took = c.now().Sub(began)
	if err != nil {
		return time.Time{}, took, err
	}
	if now, err = http.ParseTime(a.header.Get("Date")); err != nil {
		return time.Time{}, took, &Error{Op: op, Class: promotion.ErrTransient, Message: "the answer has no date", Remedy: "check the proxy between here and GitHub"}
	}
	return now.UTC(), took, nil
}
