package telemetry

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/trace"
)

func TestLogger(t *testing.T) {
	for name, tc := range map[string]struct{ format, level, want string }{
		"JSON":             {"json", "info", `"level":"INFO"`},
		"text":             {"text", "warn", ""},
		"lower":            {"text", "debug", "level=INFO"},
		"no such format":   {"xml", "info", `error: log format "xml": it is neither json nor text`},
		"no such level":    {"json", "loud", `error: log level "loud": it is none of debug, info, warn, error`},
		"level left empty": {"json", "", `error: log level "": it is none of debug, info, warn, error`},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			log, err := Logger(&out, tc.format, tc.level)
			if err != nil {
				if got := "error: " + err.Error(); got != tc.want {
					t.Errorf("got %s, want %s", got, tc.want)
				}
				return
			}
			log.Info("hello")
			if tc.want == "" && out.String() != "" || !strings.Contains(out.String(), tc.want) {
				t.Errorf("got %q, want %q in it", out.String(), tc.want)
			}
		})
	}
}

func TestLinesOfSpans(t *testing.T) {
	var out strings.Builder
	log, err := Logger(&out, "json", "info")
	if err != nil {
		t.Fatal(err)
	}
	span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}})
	log.With("event", "push").InfoContext(trace.ContextWithSpanContext(context.Background(), span), "in a span")
	log.Info("in none")
	var got []map[string]any
	for line := range strings.Lines(out.String()) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		delete(m, "time")
		got = append(got, m)
	}
	want := []map[string]any{
		{"level": "INFO", "msg": "in a span", "event": "push", "trace_id": "01000000000000000000000000000000", "span_id": "0200000000000000"},
		{"level": "INFO", "msg": "in none"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestRedactorTellsOfFailure(t *testing.T) {
	n, err := redactor{broken{}}.Write([]byte("line"))
	if n != 0 || err == nil {
		t.Errorf("got %d, %v, want the writer's failure", n, err)
	}
}
