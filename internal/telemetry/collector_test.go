package telemetry

import (
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// A collector is an OTLP/HTTP receiver
// (https://opentelemetry.io/docs/specs/otlp/#otlphttp-request).
type collector struct {
	*httptest.Server
	mu       sync.Mutex
	resource map[string]string
	spans    map[string]map[string]string // attributes by the span's name; "error" is the status's text
	status   int                          // to answer with
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{resource: map[string]string{}, spans: map[string]map[string]string{}, status: http.StatusOK}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" {
			t.Errorf("unknown request: %s %s %s", r.Method, r.URL, r.Header.Get("Content-Type"))
		}
		body := io.Reader(r.Body)
		if r.Header.Get("Content-Encoding") == "gzip" {
			var err error
			if body, err = gzip.NewReader(r.Body); err != nil {
				t.Error(err)
				return
			}
		}
		data, err := io.ReadAll(io.LimitReader(body, 1<<20))
		if err == nil {
			err = c.take(data)
		}
		if err != nil {
			t.Errorf("body: %v", err)
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
		w.WriteHeader(c.status)
	}))
	t.Cleanup(c.Close)
	return c
}

// take reads an ExportTraceServiceRequest
// (https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto).
func (c *collector) take(data []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return each(data, map[int]func([]byte) error{1: func(resourceSpans []byte) error {
		return each(resourceSpans, map[int]func([]byte) error{
			1: func(resource []byte) error {
				return each(resource, map[int]func([]byte) error{1: into(c.resource)})
			},
			2: func(scopeSpans []byte) error {
				return each(scopeSpans, map[int]func([]byte) error{2: c.span})
			},
		})
	}})
}

func (c *collector) span(data []byte) error {
	var name string
	attributes := map[string]string{}
	err := each(data, map[int]func([]byte) error{
		5: text(&name),
		9: into(attributes),
		11: func(event []byte) error {
			return each(event, map[int]func([]byte) error{3: into(attributes)})
		},
		15: func(status []byte) error {
			var why string
			err := each(status, map[int]func([]byte) error{2: text(&why)})
			if why != "" {
				attributes["error"] = why
			}
			return err
		},
	})
	c.spans[name] = attributes
	return err
}

func text(to *string) func([]byte) error {
	return func(b []byte) error { *to = string(b); return nil }
}

// into reads a KeyValue whose value is a string or a list of one; others are shown as "?".
func into(to map[string]string) func([]byte) error {
	return func(data []byte) error {
		key, value := "", "?"
		err := each(data, map[int]func([]byte) error{
			1: text(&key),
			2: func(v []byte) error {
				return each(v, map[int]func([]byte) error{1: text(&value), 5: func(list []byte) error {
					return each(list, map[int]func([]byte) error{1: func(v []byte) error {
						return each(v, map[int]func([]byte) error{1: text(&value)})
					}})
				}})
			},
		})
		to[key] = value
		return err
	}
}

// each goes over the fields of a message in Protocol Buffers' wire format and hands over those
// that have a length (https://protobuf.dev/programming-guides/encoding/).
func each(data []byte, fields map[int]func([]byte) error) error {
	for len(data) > 0 {
		tag, n := binary.Uvarint(data)
		if n <= 0 {
			return fmt.Errorf("no tag in %x", data)
		}
		data = data[n:]
		size := uint64(0)
		switch tag & 7 {
		case 0:
			if _, n = binary.Uvarint(data); n <= 0 {
				return fmt.Errorf("no number in %x", data)
			}
			size = uint64(n)
		case 1:
			size = 8
		case 5:
			size = 4
		case 2:
			length, n := binary.Uvarint(data)
			if n <= 0 || length > uint64(len(data)-n) {
				return fmt.Errorf("a length that does not fit in %x", data)
			}
			data = data[n:]
			if f := fields[int(tag>>3)]; f != nil {
				if err := f(data[:length]); err != nil {
					return err
				}
			}
			size = length
		default:
			return fmt.Errorf("wire type %d", tag&7)
		}
		if size > uint64(len(data)) {
			return fmt.Errorf("a field that does not fit in %x", data)
		}
		data = data[size:]
	}
	return nil
}
