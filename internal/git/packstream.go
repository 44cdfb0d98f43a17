package git

import (
	"crypto/sha1"
	"errors"
	"hash"
	"hash/crc32"
	"io"
)

// A packStream reads a pack from outside once, from front to back, copies it to a sink,
// and knows place, checksum and CRC of what was consumed.
type packStream struct {
	src        io.Reader
	dst        io.Writer
	sum        hash.Hash
	crc        uint32
	buf        []byte
	mark, r, w int   // buf[mark:r] is consumed and not yet accounted for
	off        int64 // of buf[mark]
	limit      int64
	err        error
}

func newPackStream(src io.Reader, dst io.Writer, limit int64) *packStream {
	return &packStream{src: src, dst: dst, sum: sha1.New(), buf: make([]byte, 64<<10), limit: limit}
}

// pos is the place in the pack that was reached.
func (s *packStream) pos() int64 { return s.off + int64(s.r-s.mark) }

// flush accounts for what was consumed.
func (s *packStream) flush() {
	if s.mark == s.r {
		return
	}
	b := s.buf[s.mark:s.r]
	s.crc = crc32.Update(s.crc, crc32.IEEETable, b)
	s.sum.Write(b)
	if _, err := s.dst.Write(b); err != nil && s.err == nil {
		s.err = err
	}
	s.off += int64(len(b))
	s.mark = s.r
}

func (s *packStream) fill() error {
	s.flush()
	if s.err != nil {
		return s.err
	}
	if s.off > s.limit {
		return &LimitError{What: "bytes in a pack", Max: s.limit}
	}
	s.mark, s.r, s.w = 0, 0, 0
	for range 100 {
		n, err := s.src.Read(s.buf)
		s.w = n
		if n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

func (s *packStream) ReadByte() (byte, error) {
	if s.r == s.w {
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
	b := s.buf[s.r]
	s.r++
	return b, nil
}

func (s *packStream) Read(p []byte) (int, error) {
	if s.r == s.w {
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, s.buf[s.r:s.w])
	s.r += n
	return n, nil
}

// restart begins the CRC of an entry.
func (s *packStream) restart() {
	s.flush()
	s.crc = 0
}

// end returns the CRC of the entry since restart.
func (s *packStream) end() uint32 {
	s.flush()
	return s.crc
}

// checksum compares what was consumed with the 20 bytes that follow, and says what they
// are. They go to the sink, too.
func (s *packStream) checksum() (Hash, error) {
	s.flush()
	var want, got Hash
	copy(want[:], s.sum.Sum(nil))
	if _, err := io.ReadFull(s, got[:]); err != nil {
		return got, short(err)
	}
	s.flush()
	if got != want {
		return got, corrupt("a pack does not have the checksum that it claims")
	}
	return got, s.err
}

// rest reads what is left of the source, which should be nothing.
func (s *packStream) rest() error {
	if s.r < s.w {
		return corrupt("bytes follow a pack")
	}
	n, err := s.src.Read(s.buf[:1])
	switch {
	case n > 0:
		return corrupt("bytes follow a pack")
	case errors.Is(err, io.EOF):
		return nil
	}
	return err
}
