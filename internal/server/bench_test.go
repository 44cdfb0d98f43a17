package server

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/pinnace-dev/pinnace/internal/event"
)

type noBox struct{}

func (noBox) Accept(context.Context, event.Delivery) (bool, error) { return true, nil }

// BenchmarkDoor is the door alone, with an inbox that keeps nothing: a payload of 20 KB, as
// GitHub sends for pull requests.
func BenchmarkDoor(b *testing.B) {
	body := bytes.Replace(padded(20<<10), []byte(`"x":`), []byte(`"action":"opened","pull_request":{"number":3},"x":`), 1)
	signed := sign(key, body)
	request := func(url string, n int64) *http.Request {
		req := delivery(url, "pull_request", fmt.Sprint("b-", n), nil)
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		req.Header.Set("X-Hub-Signature-256", signed)
		return req
	}
	b.Run("handler", func(b *testing.B) {
		r := newRig(b, func(o *Options) { o.Inbox, o.Log = noBox{}, nil })
		h := r.server.Handler()
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			w := &sink{header: http.Header{}}
			if h.ServeHTTP(w, request("http://x", 0)); w.status != http.StatusAccepted {
				b.Fatal(w.status)
			}
		}
	})
	b.Run("loopback", func(b *testing.B) {
		r := newRig(b, func(o *Options) { o.Inbox, o.Log = noBox{}, nil }).serve()
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
		var n atomic.Int64
		b.SetBytes(int64(len(body)))
		b.SetParallelism(8)
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				resp, err := client.Do(request(r.url, n.Add(1)))
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
				if resp.StatusCode != http.StatusAccepted {
					b.Error(resp.StatusCode)
					return
				}
			}
		})
	})
}
