package github

import (
	"context"
	"net/http"
	"time"
)

// A Delivery is one attempt of GitHub's to deliver a webhook.
type Delivery struct {
	ID           int64  // of the attempt; Redeliver takes it
	GUID         string // of the event: X-GitHub-Delivery, the same in each attempt
	At           time.Time
	Redelivery   bool
	OK           bool // the receiver answered with 2xx
	StatusCode   int  // of the receiver; 0 = it did not answer
	Event        string
	Action       string
	Installation int64
	Repository   int64
}

// maxDeliveryPages bounds the attempts that are read, 100 a page.
const maxDeliveryPages = 1000

// Deliveries returns the attempts made since a time, newest first. GitHub keeps those of
// three days, a GitHub Enterprise Server those of seven
// (https://docs.github.com/en/rest/apps/webhooks#list-deliveries-for-an-app-webhook).
func (a *App) Deliveries(ctx context.Context, since time.Time) ([]Delivery, error) {
	q := call{op: "list the deliveries of the App's webhook", path: at("/app/hook/deliveries"), pages: maxDeliveryPages + 1}
	var all []Delivery
	seen := map[int64]bool{}
	read := 0
	err := a.client.pages(ctx, q, func(ans answer) (bool, error) {
		var page []struct {
			ID             int64     `json:"id"`
			GUID           string    `json:"guid"`
			DeliveredAt    time.Time `json:"delivered_at"`
			Redelivery     bool      `json:"redelivery"`
			StatusCode     int       `json:"status_code"`
			Event          string    `json:"event"`
			Action         string    `json:"action"`
			InstallationID int64     `json:"installation_id"`
			RepositoryID   int64     `json:"repository_id"`
		}
		if err := decode(q.op, ans, &page); err != nil {
			return false, err
		}
		for _, w := range page {
			if w.DeliveredAt.Before(since) {
				return false, nil
			}
			if seen[w.ID] {
				continue
			}
			seen[w.ID] = true
			all = append(all, Delivery{
				ID: w.ID, GUID: w.GUID, At: w.DeliveredAt, Redelivery: w.Redelivery, OK: w.StatusCode >= 200 && w.StatusCode < 300,
				StatusCode: w.StatusCode, Event: w.Event, Action: w.Action, Installation: w.InstallationID, Repository: w.RepositoryID,
			})
		}
		// The newest of a list that is too long are worth more than an error each minute.
		read++
		return read < maxDeliveryPages, nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// Redeliver asks GitHub to deliver once more what an attempt carried, under the same GUID.
func (a *App) Redeliver(ctx context.Context, id int64) error {
	return a.client.write(ctx, call{
		op: "redeliver a webhook", method: http.MethodPost, path: at("/app/hook/deliveries").number(id).add("/attempts"), unseen: true,
	}, nil)
}
