package github

import (
	"testing"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

func TestBearer(t *testing.T) {
	h := newHarbour(t)
	for name, c := range map[string]struct {
		client *Client
		want   promotion.Self
	}{
		"a person's token":     {h.alice, promotion.Self{}},
		"a token of our App":   {h.client(StaticToken(Secret(h.app.InstallationToken("acme")))), promotion.Self{App: h.app.ID(), Slug: "pinnace", Bot: h.app.Bot()}},
		"a run's GITHUB_TOKEN": {h.client(StaticToken(Secret(h.ActionsToken(h.repo, map[string]string{"contents": "read"})))), promotion.Self{App: 15368, Slug: "github-actions", Bot: promotion.Identity{ID: 41898282, Login: "github-actions[bot]", Bot: true}}},
	} {
		got, known, err := c.client.Bearer(t.Context())
		if got != c.want || known != (c.want.App != 0) || err != nil {
			t.Errorf("%s: %+v, %v, %v", name, got, known, err)
		}
	}
}

// What looks like an answer and is none names nobody.
func TestBearerMalformed(t *testing.T) {
	for name, c := range map[string]struct{ viewer, app, user string }{
		"another App": {`{"data":{"viewer":{"login":"pinnace[bot]"}}}`, `{"id":7,"slug":"other"}`, `{"id":8,"login":"pinnace[bot]","type":"Bot"}`},
		"no number":   {`{"data":{"viewer":{"login":"pinnace[bot]"}}}`, `{"slug":"pinnace"}`, `{"id":8,"login":"pinnace[bot]","type":"Bot"}`},
		"a person":    {`{"data":{"viewer":{"login":"pinnace[bot]"}}}`, `{"id":7,"slug":"pinnace"}`, `{"id":8,"login":"pinnace","type":"User"}`},
		"a path":      {`{"data":{"viewer":{"login":"../user[bot]"}}}`, `{}`, `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.on("POST /graphql", 200, c.viewer)
			r.on("GET /apps/pinnace", 200, c.app)
			r.on("GET /users/pinnace%5Bbot%5D", 200, c.user)
			if got, known, err := r.client().Bearer(t.Context()); known || err == nil {
				t.Errorf("%+v, %v", got, known)
			}
		})
	}
}
