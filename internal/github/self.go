package github

import (
	"context"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

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
