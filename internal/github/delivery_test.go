package github_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/github"
)

// TestManyDeliveries: of a list without end the newest thousand pages are read.
func TestManyDeliveries(t *testing.T) {
	key, _ := rsa.GenerateKey(rand.Reader, 2048)
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	asked := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		w.Header().Set("Link", fmt.Sprintf(`<http://%s/app/hook/deliveries?cursor=%d>; rel="next"`, r.Host, asked))
		fmt.Fprintf(w, `[{"id":%d,"guid":"g%d","delivered_at":%q,"status_code":500}]`, asked, asked, time.Now().UTC().Format(time.RFC3339))
	}))
	defer s.Close()
	now := time.Now()
	app, err := github.NewApp(github.AppOptions{
		ID: 1, Key: text, URL: s.URL, Now: func() time.Time { return now },
		Sleep: func(_ context.Context, d time.Duration) error { now = now.Add(d); return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	all, err := app.Deliveries(t.Context(), time.Now().Add(-72*time.Hour))
	if err != nil || len(all) != 1000 || asked != 1000 {
		t.Errorf("%d deliveries by %d requests, %v", len(all), asked, err)
	}
}
