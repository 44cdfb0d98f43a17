package telemetry

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// A redactedExporter takes credentials out of spans: an error that was recorded may quote a
// URL.
type redactedExporter struct{ sdk.SpanExporter }

func (e redactedExporter) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	out := make([]sdk.ReadOnlySpan, len(spans))
	for i, s := range spans {
		out[i] = redactedSpan{s}
	}
	return e.SpanExporter.ExportSpans(ctx, out)
}

type redactedSpan struct{ sdk.ReadOnlySpan }

func (s redactedSpan) Name() string { return redact(s.ReadOnlySpan.Name()) }

func (s redactedSpan) Attributes() []attribute.KeyValue {
	return redactAll(s.ReadOnlySpan.Attributes())
}

func (s redactedSpan) Events() []sdk.Event {
	events := s.ReadOnlySpan.Events()
	out := make([]sdk.Event, len(events))
	for i, e := range events {
		e.Name, e.Attributes = redact(e.Name), redactAll(e.Attributes)
		out[i] = e
	}
	return out
}

func (s redactedSpan) Status() sdk.Status {
	status := s.ReadOnlySpan.Status()
	status.Description = redact(status.Description)
	return status
}

func redactAll(in []attribute.KeyValue) []attribute.KeyValue {
	out := make([]attribute.KeyValue, len(in))
	for i, kv := range in {
		switch kv.Value.Type() {
		case attribute.STRING:
			kv.Value = attribute.StringValue(redact(kv.Value.AsString()))
		case attribute.STRINGSLICE:
			values := kv.Value.AsStringSlice()
			for j, v := range values {
				values[j] = redact(v)
			}
			kv.Value = attribute.StringSliceValue(values)
		}
		out[i] = kv
	}
	return out
}
