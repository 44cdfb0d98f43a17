package sandbox

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// Pump sends deliveries as they come, twenty at once and so in no order, each within ten
// seconds, and none a second time by itself. It returns once ctx has ended and what was under
// way was answered.
// https://docs.github.com/en/webhooks/testing-and-troubleshooting-webhooks/handling-failed-webhook-deliveries
func (s *Sandbox) Pump(ctx context.Context) {
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: pumped}}
	defer client.CloseIdleConnections()
	var tasks sync.WaitGroup
	defer tasks.Wait()
	places := make(chan struct{}, pumped)
	for {
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			return
		}
		d, app := s.await(ctx)
		if d == nil {
			return
		}
		tasks.Go(func() {
			s.send(context.WithoutCancel(ctx), client, app, d)
			<-places
		})
	}
}

// await returns the delivery that is sent next, nil once ctx has ended.
func (s *Sandbox) await(ctx context.Context) (*delivery, *App) {
	for {
		s.mu.Lock()
		d := (*delivery)(nil)
		if ctx.Err() == nil {
			d = s.take()
		}
		var app *App
		if d != nil {
			app = s.apps[d.App]
		}
		s.mu.Unlock()
		if d != nil || ctx.Err() != nil {
			return d, app
		}
		select {
		case <-s.woken:
		case <-ctx.Done():
		}
	}
}
