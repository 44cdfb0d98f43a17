package record

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// MaxLine is the size in bytes that a line stays below by forgetting reviews and heads.
// A request with very many images or requesters may still exceed it: of these, none is
// ever forgotten.
const MaxLine = 23_500

const (
	version   = "1"
	lineStart = "<!-- pinnace-record:"
	lineEnd   = " -->"
	maxText   = 1 << 20 // bytes of JSON
	checkSize = 8       // bytes of the SHA-256 of the JSON that follow it, since DEFLATE checks nothing
)

var encoding = base64.RawURLEncoding.Strict()

// Line returns the record as one line of text, an HTML comment. One build writes the same
// record the same way.
func (r Record) Line() string {
	line := r.line()
	for reviews, heads := min(len(r.Reviews), mostReviews), min(len(r.Heads), mostHeads); len(line) >= MaxLine; line = r.line() {
		switch {
		case reviews > 20:
			reviews /= 2
		case heads > 20:
			heads /= 2
		default:
			return line
		}
		r.Reviews = keep(r.Reviews, reviews)
		r.Heads = thin(r.Heads, r.Reviews, heads)
	}
	return line
}

func (r Record) line() string {
	text, _ := json.Marshal(r.stamped()) // strings, numbers and times of four-digit years
	var packed bytes.Buffer
	w, _ := flate.NewWriter(&packed, flate.BestCompression)
	_, _ = w.Write(text) // a bytes.Buffer takes everything
	_ = w.Close()
	packed.Write(checksum(text))
	return lineStart + version + " " + encoding.EncodeToString(packed.Bytes()) + lineEnd
}

// stamped returns a copy whose times can be written, and are all of one zone.
func (r Record) stamped() Record {
	heads, reviews := r.Heads, r.Reviews
	r.Heads, r.Reviews = nil, nil
	for _, h := range heads {
		h.At = stamp(h.At)
		r.Heads = append(r.Heads, h)
	}
	for _, v := range reviews {
		v.Submitted = stamp(v.Submitted)
		r.Reviews = append(r.Reviews, v)
	}
	r.Request.At = stamp(r.Request.At)
	r.Refused.Until, r.Refused.Removed = stamp(r.Refused.Until), stamp(r.Refused.Removed)
	return r
}

// stamp returns a time as it reads back from JSON; zero for one that JSON does not take.
func stamp(t time.Time) time.Time {
	t = t.UTC().Round(0)
	if y := t.Year(); y < 1 || y > 9999 {
		return time.Time{}
	}
	return t
}

// Parse returns the record of the last line of a text that holds one, and whether there is
// any. The error says that this line is damaged, was written by a later version, or is
// larger than any that Line writes: its text must not be taken for a text without a record.
func Parse(text string) (r Record, ok bool, err error) {
	last := ""
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, lineStart) {
			last = line
		}
	}
	if last == "" {
		return Record{}, false, nil
	}
	r, err = parseLine(strings.TrimRight(last, "\r\n"))
	if err != nil {
		return Record{}, false, fmt.Errorf("reading a record: %w", err)
	}
	return r, true, nil
}

func parseLine(line string) (Record, error) {
	v, data, _ := strings.Cut(strings.TrimPrefix(line, lineStart), " ")
	data, ended := strings.CutSuffix(data+" ", lineEnd+" ")
	switch {
	case v != version && isNumber(v):
		return Record{}, fmt.Errorf("it is of version %s, written by another Pinnace than this one, which reads version %s: run that one", v, version)
	case v != version:
		return Record{}, errors.New("its version is damaged")
	case !ended:
		return Record{}, errors.New("its end is missing")
	case len(data) > maxText:
		return Record{}, fmt.Errorf("it has %d bytes, more than %d", len(data), maxText)
	case strings.ContainsAny(data, "\r\n"): // which the decoder skips
		return Record{}, errors.New("it is broken into lines")
	}
	packed, err := encoding.DecodeString(data)
	if err != nil {
		return Record{}, err
	}
	unpacked, err := inflate(packed)
	if err != nil {
		return Record{}, err
	}
	d := json.NewDecoder(bytes.NewReader(unpacked))
	d.DisallowUnknownFields()
	var r Record
	if err := d.Decode(&r); err != nil {
		return Record{}, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Record{}, errors.New("something follows it")
	}
	if err := r.check(); err != nil {
		return Record{}, err
	}
	return r.stamped(), nil
}

func inflate(packed []byte) ([]byte, error) {
	source := bytes.NewReader(packed)
	text, err := io.ReadAll(io.LimitReader(flate.NewReader(source), maxText+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > maxText:
		return nil, fmt.Errorf("it holds more than %d bytes", maxText)
	}
	if !bytes.Equal(packed[len(packed)-source.Len():], checksum(text)) {
		return nil, errors.New("its checksum is another one")
	}
	return text, nil
}

func checksum(text []byte) []byte {
	sum := sha256.Sum256(text)
	return sum[:checkSize]
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
