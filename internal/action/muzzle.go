package action

import (
	"io"
	"sync"
)

// A Muzzled is the step's log. What is written to it is never a command to the runner; only
// what goes through Unmuzzled or Annotate is.
type Muzzled struct {
	mu     sync.Mutex
	w      io.Writer
	line   bool // something stands on the current line
	begun  bool // a graphic ASCII character does
	colons int  // of the "::" that a line may begin with
	signs  int  // of the "##" before a "["
}

// Muzzle returns a log that writes to w, which is the step's standard output or its standard
// error. A backslash is put into what the runner looks for: "::" at the beginning of a line
// becomes ":\:", and "##[" anywhere "##\[".
//
// The runner reads a line as a command where it begins with :: after space, or has ##[ anywhere
// (https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs). It ends
// lines at CR and LF, and compares as .NET's culture does, which overlooks characters that do
// not show. So all bytes but graphic ASCII count for nothing here.
//
// The pair ::stop-commands:: is not used: it is a state of the runner that two streams and a
// killed process share.
func Muzzle(w io.Writer) *Muzzled { return &Muzzled{w: w} }

// Write writes p so that no line of it is a command. The length that it returns is that of p.
func (m *Muzzled) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make([]byte, 0, len(p)+8)
	for _, c := range p {
		if m.barks(c) {
			out = append(out, '\\')
		}
		out = append(out, c)
	}
	if _, err := m.w.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}

// barks takes the next byte, and says whether it would complete what the runner looks for.
func (m *Muzzled) barks(c byte) bool {
	m.line = c != '\n'
	switch {
	case c == '\n' || c == '\r':
		m.begun, m.colons, m.signs = false, 0, 0
		return false
	case c < ' ' || c >= 0x7f: // counts for nothing, and may end a line for somebody
		m.begun = false
		return false
	case c == ' ':
		m.colons, m.signs = 0, 0
		return false
	case c == ':' && !m.begun:
		if m.colons++; m.colons == 2 {
			m.begun, m.colons = true, 0
			return true
		}
		return false
	case c == '#':
		m.signs++
		m.begun, m.colons = true, 0
		return false
	}
	bark := c == '[' && m.signs >= 2
	m.begun, m.colons, m.signs = true, 0, 0
	return bark
}

// Unmuzzled is for what is meant for the runner, whole lines at a time, such as the workflow
// commands that package report writes. They begin on a line of their own.
func (m *Muzzled) Unmuzzled() io.Writer { return bare{m} }

type bare struct{ m *Muzzled }

func (b bare) Write(p []byte) (int, error) {
	b.m.mu.Lock()
	defer b.m.mu.Unlock()
	if b.m.line {
		if _, err := b.m.w.Write([]byte{'\n'}); err != nil {
			return 0, err
		}
	}
	n, err := b.m.w.Write(p)
	if n > 0 {
		b.m.line = p[n-1] != '\n'
		b.m.begun, b.m.colons, b.m.signs = false, 0, 0
	}
	return n, err
}
