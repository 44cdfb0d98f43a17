package github

import (
	"context"
	"net/http"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// Bearer returns the App whose installation's token the client holds, as GitHub answers it: for
// a workflow's GITHUB_TOKEN that is GitHub Actions. known is false for a person's token. It is
// for tokens that somebody else took with the App's key; GitHub is asked each time
// (https://docs.github.com/en/graphql/reference/queries#viewer,
// https://docs.github.com/en/rest/apps/apps#get-an-app).
func (c *Client) Bearer(ctx context.Context) (self promotion.Self, known bool, err error) {
	const op = "ask whose token it is"
	var v struct {
		Data struct {
			Viewer struct{ Login string }
		}
	}
	q := call{op: op, method: http.MethodPost, target: c.graphql, graphql: true, repeatable: true, unseen: true, body: map[string]any{"query": "query{viewer{login}}"}}
	if err := c.write(ctx, q, &v); err != nil {
		return promotion.Self{}, false, err
	}
	slug, ok := strings.CutSuffix(v.Data.Viewer.Login, "[bot]")
	if !ok {
		return promotion.Self{}, false, nil
	}
	var app struct {
		ID   int64
		Slug string
	}
	if _, err := c.read(ctx, call{op: op, path: at("/apps").slug(slug)}, &app); err != nil {
		return promotion.Self{}, false, err
	}
	bot, ok, err := c.UserByLogin(ctx, v.Data.Viewer.Login)
	if err == nil && (!ok || !bot.Bot || app.ID < 1 || app.Slug != slug) {
		err = malformed(op)
	}
	if err != nil {
		return promotion.Self{}, false, err
	}
	return promotion.Self{App: app.ID, Slug: slug, Bot: bot}, true, nil
}

// Self returns the App that the client acts for. known is false where the tokens do not come
// from an App's own key ([App.Tokens]): a bare token says nothing that could be believed of
// who made it, and GitHub answers an installation's token with nobody. It is asked of GitHub
// once.
func (c *Client) Self(ctx context.Context) (self promotion.Self, known bool, err error) {
	source, ok := c.tokens.(*installationTokens)
	if !ok {
		return promotion.Self{}, false, nil
	}
	a := source.app
	a.mu.Lock()
	self = a.self
	a.mu.Unlock()
	if self.App != 0 {
		return self, true, nil
	}
	i, err := a.Identity(ctx)
	if err != nil {
		return promotion.Self{}, false, err
	}
	bot, ok, err := c.UserByLogin(ctx, i.Bot())
	if err == nil && (!ok || !bot.Bot || i.ID != a.tokens.id) {
		err = malformed("ask who the App is")
	}
	if err != nil {
		return promotion.Self{}, false, err
	}
	self = promotion.Self{App: i.ID, Slug: i.Slug, Bot: bot}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.self = self
	return self, true, nil
}
