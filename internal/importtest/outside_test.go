package importtest

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

var outside = flag.Bool("outside", false, "ask for every page that the documentation links to outside of the repository")

// TestOutside asks for every address that a page links to. A site that does not let programs in
// (401, 403, 429) is taken at its word; what is gone or does not answer fails.
func TestOutside(t *testing.T) {
	if !*outside {
		t.Skip("asks the network: go test ./internal/importtest -run TestOutside -outside")
	}
	from := map[string]string{}
	for _, p := range readPages(t) {
		for _, to := range p.links {
			to, _, _ = strings.Cut(to, "#")
			if strings.HasPrefix(to, "https://") && from[to] == "" {
				from[to] = p.file
			}
		}
	}
	var g errgroup.Group
	g.SetLimit(4)
	for to, file := range from {
		g.Go(func() error {
			if err := ask(t.Context(), to); err != nil {
				t.Errorf("%s: %s: %v", file, to, err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if len(from) == 0 {
		t.Error("found no addresses")
	}
}

func ask(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", "pinnace-links (+https://github.com/pinnace-dev/pinnace)")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	resp.Body.Close()
	if resp.StatusCode >= 400 && !slices.Contains([]int{401, 403, 429}, resp.StatusCode) {
		return fmt.Errorf("status %s", resp.Status)
	}
	return nil
}

func TestAsk(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, err := strconv.Atoi(strings.Trim(r.URL.Path, "/"))
		if err != nil {
			t.Errorf("unknown route %s", r.URL)
		}
		w.WriteHeader(status)
	}))
	defer s.Close()
	for path, works := range map[string]bool{"/200": true, "/404": false, "/403": true, "/410": false, "/429": true, "/500": false} {
		if err := ask(t.Context(), s.URL+path); (err == nil) != works {
			t.Errorf("%s: %v", path, err)
		}
	}
}
