package smarthttp

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// errTooLarge: a body is longer than its limit, as sent or as inflated.
var errTooLarge = errors.New("request too large")

// body returns what the client sent, inflated, of at most limit bytes.
func body(w http.ResponseWriter, r *http.Request, limit int64) (io.Reader, error) {
	sent := http.MaxBytesReader(w, r.Body, limit)
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "":
		return &bounded{r: sent, left: limit}, nil
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(sent)
		if err != nil {
			return nil, malformed("the body is not gzip: %w", err)
		}
		return &bounded{r: z, left: limit}, nil
	default:
		return nil, malformed("Content-Encoding %q is neither gzip nor absent", encoding)
	}
}

// A bounded reader fails with errTooLarge where its reader has more than left bytes.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.r.Read(p)
	var long *http.MaxBytesError
	if int64(n) > b.left || errors.As(err, &long) {
		return 0, errTooLarge
	}
	b.left -= int64(n)
	return n, err
}

// A malformedError says how a request breaks the protocol.
type malformedError struct{ err error }

func (e *malformedError) Error() string { return e.err.Error() }
func (e *malformedError) Unwrap() error { return e.err }

func malformed(format string, args ...any) error {
	return &malformedError{fmt.Errorf(format, args...)}
}

// broken answers a request that could not be read or understood.
func broken(w http.ResponseWriter, err error) {
	var bad *malformedError
	switch {
	case errors.Is(err, errTooLarge):
		refuse(w, http.StatusRequestEntityTooLarge, "Request Entity Too Large")
	case errors.As(err, &bad), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader):
		refuse(w, http.StatusBadRequest, "Bad Request: "+err.Error())
	default:
		refuse(w, http.StatusInternalServerError, "Internal Server Error")
	}
}
