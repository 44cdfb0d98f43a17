package telemetry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// scope is the name that our spans come under.
const scope = "github.com/pinnace-dev/pinnace"

// Traces are the spans of this process.
type Traces struct {
	provider trace.TracerProvider
	stop     func(context.Context) error
}

// Trace starts to send spans where the standard environment variables ask for it: with
// OTEL_TRACES_EXPORTER (otlp, console, none) or an endpoint in OTEL_EXPORTER_OTLP_ENDPOINT or
// OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, and without OTEL_SDK_DISABLED=true. Otherwise nothing is
// sent and nothing runs. Protocol, headers, sampler, batches and resource follow their
// variables, too
// (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/).
//
// The spans of the libraries that ask OpenTelemetry for its global provider come along. No
// trace is taken over from a request, and none is told to GitHub or a registry. Log gets what
// could not be sent; nil drops it.
func Trace(ctx context.Context, version string, log *slog.Logger) (*Traces, error) {
	if !traced() {
		return &Traces{provider: noop.NewTracerProvider(), stop: func(context.Context) error { return nil }}, nil
	}
	exporter, err := autoexport.NewSpanExporter(ctx)
	if err != nil {
		return nil, fmt.Errorf("tracing: OTEL_TRACES_EXPORTER=%q, OTEL_EXPORTER_OTLP_PROTOCOL=%q: %w",
			os.Getenv("OTEL_TRACES_EXPORTER"), os.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL"), err)
	}
	// What the environment says of the resource comes last and holds.
	who, err := resource.New(ctx,
		resource.WithTelemetrySDK(),
		resource.WithAttributes(
			attribute.String("service.name", "pinnace"),
			attribute.String("service.version", cmp.Or(version, "unknown"))),
		resource.WithHost(),
		resource.WithFromEnv(),
	)
	if err != nil && !errors.Is(err, resource.ErrPartialResource) {
		return nil, fmt.Errorf("tracing: OTEL_RESOURCE_ATTRIBUTES: %w", errors.Join(err, exporter.Shutdown(ctx)))
	}
	provider := sdk.NewTracerProvider(sdk.WithBatcher(redactedExporter{exporter}), sdk.WithResource(who))
	otel.SetTracerProvider(provider)
	if log != nil {
		otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("tracing", "error", err) }))
	}
	return &Traces{provider: provider, stop: provider.Shutdown}, nil
}

func traced() bool {
	if strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") {
		return false
	}
	switch os.Getenv("OTEL_TRACES_EXPORTER") {
	case "none":
		return false
	case "":
		return os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != ""
	}
	return true
}

// Tracer begins spans.
func (t *Traces) Tracer() trace.Tracer { return t.provider.Tracer(scope) }

// Transport makes a span of each request that passes, below that of its context. Nothing is
// told to the other side.
func (t *Traces) Transport(next http.RoundTripper) http.RoundTripper {
	if _, off := t.provider.(noop.TracerProvider); off {
		return next
	}
	return otelhttp.NewTransport(next, otelhttp.WithTracerProvider(t.provider), otelhttp.WithPropagators(propagation.NewCompositeTextMapPropagator()))
}

// Registry makes a span of a request to an image registry that was answered just now, below
// that of its context; status 0 is no answer.
func (t *Traces) Registry(ctx context.Context, host string, status int, took time.Duration) {
	if _, off := t.provider.(noop.TracerProvider); off {
		return
	}
	now := time.Now()
	// https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client-span
	_, span := t.Tracer().Start(ctx, "registry", trace.WithTimestamp(now.Add(-took)), trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(attribute.String("server.address", host)))
	switch {
	case status == 0:
		span.SetStatus(codes.Error, "no answer")
	default:
		span.SetAttributes(attribute.Int("http.response.status_code", status))
		if status >= http.StatusBadRequest {
			span.SetStatus(codes.Error, http.StatusText(status))
		}
	}
	span.End(trace.WithTimestamp(now))
}

// Stop sends the spans that wait, until the context ends, and stops.
func (t *Traces) Stop(ctx context.Context) error {
	if err := t.stop(ctx); err != nil {
		return fmt.Errorf("tracing: send what waits: %w", err)
	}
	return nil
}
