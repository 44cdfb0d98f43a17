package sandbox

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"time"
)

// The time within which GitHub keeps deliveries.
// https://docs.github.com/en/webhooks/testing-and-troubleshooting-webhooks/redelivering-webhooks
const retention = 3 * 24 * time.Hour

// What is larger is not delivered.
// https://docs.github.com/en/webhooks/webhook-events-and-payloads#payload-cap
const payloadCap = 25 << 20

// How many of the deliveries that were sent are kept, and how many are under way at once.
const (
	keptDeliveries = 20_000
	pumped         = 20
)

// A Delivery is a webhook event on its way to an App.
type Delivery struct {
	ID           int64  // of this attempt
	GUID         string // X-GitHub-Delivery; the same for every attempt
	Event        string // X-GitHub-Event
	Action       string
	App          int64
	Installation int64
	Repository   int64 // 0 for none
	Payload      []byte
	Redelivery   bool
	At           time.Time // when it was sent; zero while pending
	Status       int       // of the answer; 0 where none came
	Outcome      string    // OK, or why not
}

type delivery struct {
	Delivery
	sent     bool
	headers  fields
	response string
}

// emit queues an event of a repository for every App that subscribes to it there. The
// caller holds mu.
func (s *Sandbox) emit(r *Repository, by *actor, event, action string, payload fields) {
	for _, i := range s.listeners(r, event) {
		s.emitTo(i, r, by, event, action, payload)
	}
}

func (s *Sandbox) heard(r *Repository, event string) bool { return len(s.listeners(r, event)) > 0 }

func (s *Sandbox) listeners(r *Repository, event string) []*installation {
	var list []*installation
	for _, id := range slices.Sorted(maps.Keys(s.installations)) {
		i := s.installations[id]
		if !i.app.actions && i.app.o.WebhookURL != "" && i.covers(r) && i.suspended.IsZero() && slices.Contains(i.app.o.Events, event) {
			list = append(list, i)
		}
	}
	return list
}

// emitTo queues an event for one installation.
func (s *Sandbox) emitTo(i *installation, r *Repository, by *actor, event, action string, payload fields) {
	if i.app.o.WebhookURL == "" {
		return
	}
	body := fields{"sender": s.renderUser(by.who)}
	if action != "" {
		body["action"] = action
	}
	d := &delivery{Delivery: Delivery{ID: s.next(), GUID: s.guid(), Event: event, Action: action, App: i.app.id, Installation: i.id}}
	if event == "installation" || event == "installation_repositories" {
		body["installation"] = s.renderInstallation(i)
	} else {
		body["installation"] = fields{"id": i.id, "node_id": nodeID("MDIzOkludGVncmF0aW9uSW5zdGFsbGF0aW9u", i.id)}
	}
	if r != nil {
		d.Repository = r.id
		body["repository"] = s.renderRepo(r, nil)
		if event == "push" {
			// Webhooks of pushes give times in seconds.
			// https://docs.github.com/en/webhooks/webhook-events-and-payloads#push
			repo := body["repository"].(fields)
			repo["created_at"], repo["pushed_at"] = r.created.Unix(), r.pushed.Unix()
		}
		if r.owner.kind == "Organization" {
			body["organization"] = s.renderOrg(r.owner)
		}
	}
	for k, v := range payload {
		body[k] = v
	}
	d.Payload, _ = json.Marshal(body)
	if len(d.Payload) > payloadCap {
		return
	}
	s.enqueue(d)
}

// enqueue lets a delivery wait to be sent. Of those that were sent, the oldest are forgotten.
// The caller holds mu.
func (s *Sandbox) enqueue(d *delivery) {
	if len(s.deliveries) >= 2*keptDeliveries && s.unsent > keptDeliveries {
		drop := s.unsent - keptDeliveries
		s.deliveries = slices.Clone(s.deliveries[drop:])
		s.unsent -= drop
	}
	s.deliveries = append(s.deliveries, d)
	select {
	case s.woken <- struct{}{}:
	default:
	}
}

// take returns the delivery that is sent next, nil where none waits. The caller holds mu.
func (s *Sandbox) take() *delivery {
	for s.unsent < len(s.deliveries) {
		d := s.deliveries[s.unsent]
		s.unsent++
		if !d.sent {
			d.sent, d.At = true, s.now()
			return d
		}
	}
	return nil
}

func (s *Sandbox) guid() string {
	sum := sha256.Sum256([]byte(fmt.Sprint("delivery ", s.next())))
	h := hex.EncodeToString(sum[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// Pending lists the deliveries that were not sent yet, in order.
func (s *Sandbox) Pending() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Delivery
	for _, d := range s.deliveries {
		if !d.sent {
			list = append(list, d.Delivery)
		}
	}
	return list
}

// Deliveries lists the attempts that were made, oldest first.
func (s *Sandbox) Deliveries() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Delivery
	for _, d := range s.deliveries {
		if d.sent {
			list = append(list, d.Delivery)
		}
	}
	return list
}

// Arrange replaces what is pending by what a function makes of it: another order, some
// twice, some changed. What it leaves out counts as an attempt that failed, so that it can be
// redelivered.
func (s *Sandbox) Arrange(f func([]Delivery) []Delivery) {
	next := f(s.Pending())
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := map[int64]bool{}
	for _, d := range next {
		kept[d.ID] = true
	}
	var out []*delivery
	for _, d := range s.deliveries {
		switch {
		case d.sent:
			out = append(out, d)
		case !kept[d.ID]:
			d.sent, d.At, d.Outcome = true, s.now(), "failed to connect to host"
			out = append(out, d)
		}
	}
	for _, d := range next {
		out = append(out, &delivery{Delivery: d})
	}
	s.deliveries, s.unsent = out, 0
	select {
	case s.woken <- struct{}{}:
	default:
	}
}

// Deliver sends what is pending, in order, and returns how many were sent. A refusal by the
// receiver is no error: it is in the list of deliveries, as on GitHub.
func (s *Sandbox) Deliver(ctx context.Context) (int, error) {
	client := &http.Client{Timeout: 10 * time.Second}
	for n := 0; ; n++ {
		s.mu.Lock()
		d := s.take()
		if d == nil {
			s.mu.Unlock()
			return n, ctx.Err()
		}
		app := s.apps[d.App]
		s.mu.Unlock()
		if err := ctx.Err(); err != nil {
			return n, err
		}
		s.send(ctx, client, app, d)
	}
}

// send makes one attempt.
// https://docs.github.com/en/webhooks/webhook-events-and-payloads#delivery-headers
func (s *Sandbox) send(ctx context.Context, client *http.Client, app *App, d *delivery) {
	s.mu.Lock()
	url, secret := app.o.WebhookURL, app.o.Secret
	s.mu.Unlock()
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "GitHub-Hookshot/sandbox")
	h.Set("X-GitHub-Event", d.Event)
	h.Set("X-GitHub-Delivery", d.GUID)
	h.Set("X-GitHub-Hook-ID", itoa(app.id))
	h.Set("X-GitHub-Hook-Installation-Target-Type", "integration")
	h.Set("X-GitHub-Hook-Installation-Target-ID", itoa(app.id))
	if secret != "" {
		h.Set("X-Hub-Signature-256", Sign(secret, d.Payload))
	}
	status, outcome, response := 0, "", ""
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(d.Payload))
	if err == nil {
		req.Header = h
		var resp *http.Response
		if resp, err = client.Do(req); err == nil {
			text, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
			_ = resp.Body.Close()
			status, response = resp.StatusCode, string(text)
			outcome = "OK"
			if status >= 300 {
				outcome = fmt.Sprintf("Invalid HTTP Response: %d", status)
			}
		}
	}
	if err != nil {
		outcome = "failed to connect to host"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d.Status, d.Outcome, d.response = status, outcome, response
	d.headers = fields{}
	for k := range h {
		d.headers[k] = h.Get(k)
	}
}

// Sign returns the value of X-Hub-Signature-256.
// https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
func Sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// redeliver queues another attempt with the same GUID.
func (s *Sandbox) redeliver(old *delivery) {
	d := &delivery{Delivery: old.Delivery}
	d.ID, d.Redelivery, d.At, d.Status, d.Outcome = s.next(), true, time.Time{}, 0, ""
	s.enqueue(d)
}
