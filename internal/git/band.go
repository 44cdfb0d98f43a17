package git

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-git/go-git/v5/plumbing/format/pktline"
)

// Channels of https://git-scm.com/docs/gitprotocol-pack#_packfile_data.
const (
	bandData = 1 + iota
	bandProgress
	bandError
)

const maxSaid = 8 << 10

// A band takes the data out of a sideband answer, and keeps the beginning of what the
// server says beside it.
type band struct {
	s       *pktline.Scanner
	pending []byte
	said    []byte
	done    bool
}

// An errBand is what a server says in place of going on.
type errBand struct{ text string }

func (e *errBand) Error() string { return "the remote says: " + e.text }

func (b *band) Read(p []byte) (int, error) {
	for len(b.pending) == 0 {
		if b.done {
			return 0, io.EOF
		}
		if !b.s.Scan() {
			if err := b.s.Err(); err != nil {
				return 0, err
			}
			return 0, io.ErrUnexpectedEOF
		}
		line := b.s.Bytes()
		if len(line) == 0 {
			b.done = true
			continue
		}
		if err := b.take(line); err != nil {
			return 0, err
		}
	}
	n := copy(p, b.pending)
	b.pending = b.pending[n:]
	return n, nil
}

func (b *band) take(line []byte) error {
	switch line[0] {
	case bandData:
		b.pending = line[1:]
	case bandProgress:
		b.said = append(b.said, line[1:min(len(line), 1+maxSaid-len(b.said))]...)
	case bandError:
		return &errBand{clean(string(line[1:]), 300)}
	default:
		return corrupt("an unknown channel in the answer")
	}
	return nil
}

// openPackAnswer reads an answer of upload-pack up to the pack, which it returns a reader
// of. shallow gets the lines that move the boundary.
func openPackAnswer(r io.Reader, deepened bool, shallow func(word string, h Hash)) (io.Reader, error) {
	b := bufio.NewReaderSize(r, 32<<10)
	s := pktline.NewScanner(b)
	for deepened {
		if !s.Scan() {
			return nil, early(s)
		}
		line := bytes.TrimSpace(s.Bytes())
		if len(line) == 0 {
			break
		}
		word, id, _ := bytes.Cut(line, []byte(" "))
		h, err := ParseHash(string(id))
		if err != nil || string(word) != "shallow" && string(word) != "unshallow" {
			return nil, corrupt("an unexpected line in the answer")
		}
		shallow(string(word), h)
	}
	for {
		ahead, err := b.Peek(4)
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		if string(ahead) == "PACK" {
			return b, nil
		}
		if !s.Scan() {
			return nil, early(s)
		}
		line := s.Bytes()
		switch {
		case bytes.HasPrefix(line, []byte("ACK ")), bytes.HasPrefix(line, []byte("NAK")):
			continue
		case len(line) > 0 && line[0] <= bandError:
			d := &band{s: s}
			if err := d.take(line); err != nil {
				return nil, err
			}
			return d, nil
		}
		return nil, fmt.Errorf("%w: an unexpected line in the answer", ErrCorrupt)
	}
}

func early(s *pktline.Scanner) error {
	if err := s.Err(); err != nil {
		return err
	}
	return io.ErrUnexpectedEOF
}
