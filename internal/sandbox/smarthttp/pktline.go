package smarthttp

import (
	"bytes"
	"errors"
	"io"
	"strconv"
)

// A packet is one pkt-line, or one of those that have no payload.
// https://git-scm.com/docs/gitprotocol-common#_pkt_line_format
type packet int

const (
	data packet = iota
	flush
	delimiter
	end // of the body
)

const (
	maxPacket  = 65520 // with its four digits of length
	delimiting = "0001"
)

// A reader reads pkt-lines from a client.
type reader struct {
	r   io.Reader
	buf [maxPacket]byte
}

// next returns a packet and its payload without a last newline. The payload is valid
// until the next call.
func (r *reader) next() (packet, []byte, error) {
	head := r.buf[:4]
	if n, err := io.ReadFull(r.r, head); err != nil {
		if n == 0 && errors.Is(err, io.EOF) {
			return end, nil, nil
		}
		return end, nil, err
	}
	size, err := strconv.ParseUint(string(head), 16, 16)
	if err != nil {
		return end, nil, malformed("pkt-line: %q is no length", head)
	}
	switch {
	case size == 0:
		return flush, nil, nil
	case size == 1:
		return delimiter, nil, nil
	case size < 4 || size > maxPacket:
		return end, nil, malformed("pkt-line: length %d is not allowed", size)
	}
	line := r.buf[4:size]
	if _, err := io.ReadFull(r.r, line); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return end, nil, err
	}
	return data, bytes.TrimSuffix(line, []byte("\n")), nil
}
