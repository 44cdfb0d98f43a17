package github

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

const maxPages = 100

// pages asks for a list page by page, a hundred entries each, until each says that it needs
// no more or the list ends. A list of more pages than it may have, 100 where the call does not say, is an error, never a part of it.
func (c *Client) pages(ctx context.Context, q call, each func(a answer) (more bool, err error)) error {
	q.method = http.MethodGet
	query := url.Values{"per_page": {"100"}}
	for k, v := range q.query {
		query[k] = v
	}
	q.query = query
	asked := map[string]bool{}
	most := cmp.Or(q.pages, maxPages)
	for range most {
		a, err := c.do(ctx, q)
		if err != nil {
			return err
		}
		more, err := each(a)
		if err != nil || !more {
			return err
		}
		next := nextPage(a.header.Get("Link"))
		if next == "" {
			return nil
		}
		u, err := url.Parse(next)
		if err != nil || !c.own(u) || asked[next] {
			return &Error{Op: q.op, Class: promotion.ErrTransient, Status: a.status, Message: "GitHub points to a next page that is not one of this list", Remedy: "ask again"}
		}
		asked[next] = true
		q.target = next
	}
	return tooManyPages(q.op, most)
}

func tooManyPages(op string, most int) error {
	return &Error{Op: op, Class: promotion.ErrInvalid, Message: fmt.Sprintf("the list has more than %d pages", most), Remedy: "Pinnace reads no longer ones; narrow what is asked for"}
}

// collect asks for all entries of a list that is a plain JSON array.
func collect[T any](ctx context.Context, c *Client, q call) ([]T, error) {
	var all []T
	err := c.pages(ctx, q, func(a answer) (bool, error) {
		var page []T
		if err := decode(q.op, a, &page); err != nil {
			return false, err
		}
		all = append(all, page...)
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// collectIn asks for all entries of a list that stands under a name in an object.
func collectIn[T any](ctx context.Context, c *Client, q call, name string) ([]T, error) {
	var all []T
	err := c.pages(ctx, q, func(a answer) (bool, error) {
		var object map[string]json.RawMessage
		if err := decode(q.op, a, &object); err != nil {
			return false, err
		}
		var page []T
		if err := decode(q.op, answer{status: a.status, body: object[name]}, &page); err != nil {
			return false, err
		}
		all = append(all, page...)
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// nextPage reads rel="next" of a header Link (https://www.rfc-editor.org/rfc/rfc8288).
func nextPage(link string) string {
	for part := range strings.SplitSeq(link, ",") {
		address, params, ok := strings.Cut(part, ";")
		if !ok || !strings.Contains(params, `rel="next"`) {
			continue
		}
		address = strings.TrimSpace(address)
		if strings.HasPrefix(address, "<") && strings.HasSuffix(address, ">") {
			return address[1 : len(address)-1]
		}
	}
	return ""
}
