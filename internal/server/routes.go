package server

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
)

// routes is the list of what there is. Only the door of GitHub is traced: its address holds
// no secret, and the pages are of no interest.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /webhooks/github", otelhttp.NewHandler(http.HandlerFunc(s.deliver), "POST /webhooks/github",
		otelhttp.WithPublicEndpointFn(func(*http.Request) bool { return true }),
		otelhttp.WithFilter(func(r *http.Request) bool {
			_, signed := signature(r.Header)
			return signed
		})))
	for kind := range s.o.RegistrySecrets {
		mux.HandleFunc("POST /webhooks/registry/"+string(kind), s.notify(kind))
		if kind == DockerHub {
			mux.HandleFunc("POST /webhooks/registry/dockerhub/{token}", s.notify(kind))
		}
	}
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	if s.o.Metrics != nil {
		mux.Handle("GET /metrics", s.inside(s.o.Metrics))
	}
	if s.o.Status != nil {
		mux.Handle("GET /status", s.inside(http.HandlerFunc(s.status)))
	}
	if s.o.Release != nil {
		mux.HandleFunc("POST /release/{installation}/{repository}", s.release)
	}
	if s.o.Setup != nil {
		mux.Handle("/setup/", s.o.Setup)
	}
	mux.HandleFunc("GET /{$}", s.home)
	return s.guarded(mux)
}

// guarded sets the headers that every answer has, and keeps a panic from ending more than the
// request.
func (s *Server) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		defer func() {
			switch p := recover(); p {
			case nil:
			case http.ErrAbortHandler:
				panic(p)
			default:
				s.o.Log.LogAttrs(r.Context(), slog.LevelError, "a request panicked", slog.String("panic", clip(fmt.Errorf("%v", p))), slog.String("stack", string(debug.Stack())))
				brokeDown.write(w)
			}
		}()
		next.ServeHTTP(w, r)
	})
}
