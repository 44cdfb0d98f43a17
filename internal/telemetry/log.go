package telemetry

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"go.opentelemetry.io/otel/trace"
)

// Logger returns a logger that writes lines of JSON or text to w. Format is "json" or "text";
// level is "debug", "info", "warn" or "error", as [slog.Level.UnmarshalText] has it. What looks
// like a credential is not written.
func Logger(w io.Writer, format, level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("log level %q: it is none of debug, info, warn, error", level)
	}
	o := &slog.HandlerOptions{Level: l, ReplaceAttr: noBytes}
	switch format {
	case "json":
		return slog.New(correlated{slog.NewJSONHandler(redactor{w}, o)}), nil
	case "text":
		return slog.New(correlated{slog.NewTextHandler(redactor{w}, o)}), nil
	}
	return nil, fmt.Errorf("log format %q: it is neither json nor text", format)
}

// noBytes shows bytes by their number: in base64 no credential could be told.
func noBytes(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindAny {
		if b, ok := a.Value.Any().([]byte); ok {
			a.Value = slog.StringValue(fmt.Sprintf("[%d bytes]", len(b)))
		}
	}
	return a
}

// A redactor takes credentials out of what is written to it. A handler of slog writes one
// whole line at a time.
type redactor struct{ w io.Writer }

func (r redactor) Write(line []byte) (int, error) {
	if _, err := r.w.Write([]byte(redact(string(line)))); err != nil {
		return 0, err
	}
	return len(line), nil
}

// A correlated handler says which span a line belongs to, where there is one.
type correlated struct{ slog.Handler }

func (h correlated) Handle(ctx context.Context, r slog.Record) error {
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		r.AddAttrs(slog.String("trace_id", span.TraceID().String()), slog.String("span_id", span.SpanID().String()))
	}
	return h.Handler.Handle(ctx, r)
}

func (h correlated) WithAttrs(attrs []slog.Attr) slog.Handler {
	return correlated{h.Handler.WithAttrs(attrs)}
}

func (h correlated) WithGroup(name string) slog.Handler {
	return correlated{h.Handler.WithGroup(name)}
}
