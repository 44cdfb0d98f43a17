package reconcile_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/pinnace-dev/pinnace/internal/openapi"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

var description = sync.OnceValues(func() (*openapi.Description, error) {
	return openapi.Load(filepath.Join(os.Getenv("PINNACE_OPENAPI"), "generated", "api.github.com.json"))
})

// observe holds every exchange to GitHub's own description, where there is a copy of it.
func observe(t *testing.T) func(sandbox.Exchange) {
	if os.Getenv("PINNACE_OPENAPI") == "" {
		return nil
	}
	d, err := description()
	if err != nil {
		t.Fatal(err)
	}
	return func(x sandbox.Exchange) {
		if err := d.Exchange(x.Request, x.Body, x.Status, x.Header, x.Response); err != nil {
			t.Errorf("%s %s: %v", x.Request.Method, x.Request.URL.Path, err)
		}
	}
}
