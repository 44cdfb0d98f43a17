package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/pinnace-dev/pinnace/internal/cli"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
	"github.com/pinnace-dev/pinnace/internal/store/postgres"
)

// examine runs pinnace doctor without an App, a token or a repository.
func examine(t *testing.T, args ...string) (int, string) {
	t.Helper()
	world := sandbox.New(sandbox.Options{T: t})
	if err := world.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(world.Close)
	t.Setenv("GITHUB_API_URL", world.URL()+"/api/v3")
	for _, name := range []string{"GH_TOKEN", "GITHUB_TOKEN", "GITHUB_REPOSITORY", "PINNACE_APP_ID", "PINNACE_APP_KEY", "PINNACE_DATABASE"} {
		t.Setenv(name, "")
	}
	var out, errs bytes.Buffer
	status := cli.Run(t.Context(), append([]string{"doctor", "--cache", "off"}, args...), strings.NewReader(""), &out, &errs)
	if errs.Len() > 0 {
		t.Errorf("standard error: %s", errs.String())
	}
	return status, out.String()
}

// TestDoctorServer: a server is ready, or says what is not; it is not followed elsewhere.
func TestDoctorServer(t *testing.T) {
	for _, row := range []struct {
		name   string
		serve  http.HandlerFunc
		status int
		want   string
	}{
		{"ready", func(w http.ResponseWriter, _ *http.Request) {}, 0, "✓ ok      The server is ready: http://127.0.0.1"},
		{"not ready", func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "database: no answer\nqueue: late", http.StatusServiceUnavailable)
		}, 3, "/pinnace/readyz answers 503: database: no answer queue: late"},
		{"elsewhere", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		}, 3, "answers 302"},
		{"cut off", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 3, "EOF"},
		{"endless", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			for range 1000 {
				_, _ = w.Write(bytes.Repeat([]byte("x\x1b[31m"), 100))
			}
		}, 3, `x\u{1b}[31m`},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/pinnace/readyz" {
					t.Errorf("got %s", r.URL.Path)
				}
				row.serve(w, r)
			}))
			defer s.Close()
			status, out := examine(t, "--server", s.URL+"/pinnace/")
			if status != row.status || !strings.Contains(out, row.want) || len(out) > 20000 {
				t.Errorf("got %d, want %d and %q:\n%s", status, row.status, row.want, out)
			}
		})
	}
}

// TestDoctorPostgres: a real server answers, and its password is not shown.
func TestDoctorPostgres(t *testing.T) {
	at, err := url.Parse(postgres.Start(t))
	if err != nil {
		t.Fatal(err)
	}
	status, out := examine(t, "--database", at.String())
	if status != 0 || !strings.Contains(out, "answers: PostgreSQL ") {
		t.Errorf("got %d:\n%s", status, out)
	}
	at.User, at.Path = url.UserPassword(at.User.Username(), "hunter2"), "/absent"
	status, out = examine(t, "--database", at.String())
	if status != 3 || !strings.Contains(out, `database "absent" does not exist`) || strings.Contains(out, "hunter2") {
		t.Errorf("got %d:\n%s", status, out)
	}
}
