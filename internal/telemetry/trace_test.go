package telemetry

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// quiet takes the variables that another room's environment may have, and gives the global
// provider back.
func quiet(t *testing.T) {
	t.Helper()
	for _, name := range []string{
		"OTEL_SDK_DISABLED", "OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
		"OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES",
		"OTEL_TRACES_SAMPLER", "OTEL_EXPORTER_OTLP_COMPRESSION",
	} {
		t.Setenv(name, "")
	}
	t.Cleanup(func() {
		otel.SetTracerProvider(noop.NewTracerProvider())
		otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) {}))
	})
}

func TestTrace(t *testing.T) {
	const token = "ghs_canary0123456789abcdef"
	visit := map[string]string{
		"repository": "acme/shop", "url": "https://[secret]@github.com/acme/shop", "reads": "[secret]",
		"exception.message": "push [secret]", "exception.type": "*errors.errorString", "error": "push [secret]",
	}
	for name, tc := range map[string]struct {
		env      map[string]string // ENDPOINT stands for the collector
		spans    map[string]map[string]string
		resource map[string]string // some of it
	}{
		"off by itself": {},
		"off by name":   {env: map[string]string{"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "ENDPOINT"}},
		"disabled":      {env: map[string]string{"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "ENDPOINT"}},
		"an endpoint": {
			env:      map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "ENDPOINT"},
			spans:    map[string]map[string]string{"visit": visit},
			resource: map[string]string{"service.name": "pinnace", "service.version": "1.2.3"},
		},
		"an endpoint for traces": {
			env:      map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "ENDPOINT/v1/traces", "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"},
			spans:    map[string]map[string]string{"visit": visit},
			resource: map[string]string{"service.name": "pinnace"},
		},
		"an exporter and a resource": {
			env: map[string]string{
				"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_ENDPOINT": "ENDPOINT",
				"OTEL_SERVICE_NAME": "pinnace-prod", "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=prod,service.version=9",
			},
			spans:    map[string]map[string]string{"visit": visit},
			resource: map[string]string{"service.name": "pinnace-prod", "service.version": "9", "deployment.environment.name": "prod"},
		},
		"a sampler that takes none": {env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "ENDPOINT", "OTEL_TRACES_SAMPLER": "always_off"}},
	} {
		t.Run(name, func(t *testing.T) {
			quiet(t)
			c := newCollector(t)
			for k, v := range tc.env {
				t.Setenv(k, strings.ReplaceAll(v, "ENDPOINT", c.URL))
			}
			ctx := context.Background()
			traces, err := Trace(ctx, "1.2.3", nil)
			if err != nil {
				t.Fatal(err)
			}
			_, span := traces.Tracer().Start(ctx, "visit", trace.WithAttributes(
				attribute.String("repository", "acme/shop"),
				attribute.String("url", "https://x-access-token:canary@github.com/acme/shop"),
				attribute.StringSlice("reads", []string{token}),
			))
			span.RecordError(errors.New("push " + token))
			span.SetStatus(codes.Error, "push "+token)
			span.End()
			if err := traces.Stop(ctx); err != nil {
				t.Fatal(err)
			}
			want := tc.spans
			if want == nil {
				want = map[string]map[string]string{}
			}
			if diff := cmp.Diff(want, c.spans); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			for k, v := range tc.resource {
				if c.resource[k] != v {
					t.Errorf("resource %s: got %q, want %q", k, c.resource[k], v)
				}
			}
		})
	}
}

// TestTransport: a request is a span, and the other side is told nothing of it.
func TestTransport(t *testing.T) {
	quiet(t)
	c := newCollector(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", c.URL)
	traces, err := Trace(t.Context(), "1.2.3", nil)
	if err != nil {
		t.Fatal(err)
	}
	var told http.Header
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { told = r.Header }))
	defer server.Close()
	ctx, span := traces.Tracer().Start(t.Context(), "visit")
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/repos/acme/shop", nil)
	resp, err := (&http.Client{Transport: traces.Transport(http.DefaultTransport)}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	span.End()
	if err := traces.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(c.spans) != 2 || c.spans["HTTP GET"] == nil {
		t.Errorf("spans %v", c.spans)
	}
	for _, name := range []string{"Traceparent", "Tracestate", "Baggage"} {
		if told.Get(name) != "" {
			t.Errorf("told %s: %s", name, told.Get(name))
		}
	}
}

// TestTraceRegistry: a request to a registry is a span of its own.
func TestTraceRegistry(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		error  string
	}{"an answer": {200, ""}, "not there": {404, "Not Found"}, "no answer": {0, "no answer"}} {
		t.Run(name, func(t *testing.T) {
			quiet(t)
			got := newCollector(t)
			t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", got.URL)
			traces, err := Trace(t.Context(), "1.2.3", nil)
			if err != nil {
				t.Fatal(err)
			}
			ctx, span := traces.Tracer().Start(t.Context(), "visit")
			traces.Registry(ctx, "ghcr.io", c.status, time.Second)
			span.End()
			if err := traces.Stop(t.Context()); err != nil {
				t.Fatal(err)
			}
			if s := got.spans["registry"]; s == nil || s["server.address"] != "ghcr.io" || s["error"] != c.error || len(got.spans) != 2 {
				t.Errorf("spans %v, want one with the error %q", got.spans, c.error)
			}
		})
	}
	off, err := Trace(t.Context(), "1.2.3", nil)
	if err != nil {
		t.Fatal(err)
	}
	off.Registry(t.Context(), "ghcr.io", 200, time.Second) // is nothing
}

// TestTraceOfLibraries shows that what asks for the global provider comes along.
func TestTraceOfLibraries(t *testing.T) {
	quiet(t)
	c := newCollector(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", c.URL)
	traces, err := Trace(context.Background(), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, span := otel.Tracer("otelhttp").Start(context.Background(), "POST /webhooks/github")
	span.End()
	if err := traces.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	if c.spans["POST /webhooks/github"] == nil || c.resource["service.version"] != "unknown" {
		t.Errorf("got %v of %v, want the library's span", c.spans, c.resource)
	}
}

func TestTraceRefuses(t *testing.T) {
	for name, env := range map[string]map[string]string{
		"no such exporter": {"OTEL_TRACES_EXPORTER": "zipkin"},
		"no such protocol": {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "smoke"},
	} {
		t.Run(name, func(t *testing.T) {
			quiet(t)
			for k, v := range env {
				t.Setenv(k, v)
			}
			_, err := Trace(context.Background(), "", nil)
			if err == nil {
				t.Fatal("it starts")
			}
			for k, v := range env {
				if !strings.Contains(err.Error(), k+`="`+v+`"`) {
					t.Errorf("got %q, want it to name %s=%q", err, k, v)
				}
			}
		})
	}
}

// TestTraceUnsent has the collector refuse what comes: the log hears of it.
func TestTraceUnsent(t *testing.T) {
	quiet(t)
	c := newCollector(t)
	c.status = http.StatusForbidden
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", c.URL)
	var lines strings.Builder
	log, err := Logger(&lines, "text", "info")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	traces, err := Trace(ctx, "", log)
	if err != nil {
		t.Fatal(err)
	}
	_, span := traces.Tracer().Start(ctx, "visit")
	span.End()
	if err := traces.Stop(ctx); err != nil {
		lines.WriteString(err.Error())
	}
	if !strings.Contains(lines.String(), "tracing") || !strings.Contains(lines.String(), "403") {
		t.Errorf("got %q, want the refusal", lines.String())
	}
}

func TestTraceStopEnds(t *testing.T) {
	quiet(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
	traces, err := Trace(context.Background(), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, span := traces.Tracer().Start(context.Background(), "visit")
	span.End()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := traces.Stop(ctx); err == nil {
		t.Error("it waits for a collector that is not there, although nobody waits for it")
	}
}
