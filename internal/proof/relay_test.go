package proof

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/pinnace-dev/pinnace/internal/store/postgres"
)

// On PostgreSQL commits are seen on the wire: a process reaches the server through a relay that
// reads what both say (https://www.postgresql.org/docs/current/protocol-message-formats.html), asks
// the trap before it passes on what commits, and can keep back the server's word that it has.

// onServer is a fresh database of PostgreSQL.
func onServer(t *testing.T, s *story) *host {
	x, through := newWire(t, postgres.Start(t))
	x.relay = func(client, server net.Conn) {
		(&relay{trap: s.trap, client: client, server: server, named: map[string]string{}, bound: map[string]string{}}).run()
	}
	return s.host(through, append([]string{"--lease", lease}, s.flags...)...)
}

// A relay is one connection of a process to PostgreSQL.
type relay struct {
	trap           *trap
	client, server net.Conn

	mu     sync.Mutex
	named  map[string]string // prepared statements; owned by mu
	bound  map[string]string // portals; owned by mu
	begun  bool              // in a transaction; owned by mu
	doing  []string          // statements that were not answered yet; owned by mu
	wrote  []string          // what the transaction has changed; owned by mu
	silent bool              // the process hears nothing any more; owned by mu
}

func (x *relay) run() {
	defer x.client.Close()
	defer x.server.Close()
	go func() {
		defer x.client.Close()
		defer x.server.Close()
		for {
			kind, message, err := receive(x.server)
			if err != nil || !x.answer(kind, message) {
				return
			}
		}
	}()
	if first, err := opening(x.client); err != nil || send(x.server, first) != nil {
		return
	}
	for {
		kind, message, err := receive(x.client)
		if err != nil || !x.ask(kind, message) {
			return
		}
	}
}

// ask passes on a message of the process, unless it dies before that.
func (x *relay) ask(kind byte, message []byte) bool {
	body := message[5:]
	x.mu.Lock()
	statement, commits := "", ""
	switch kind {
	case 'P':
		name, rest := text(body)
		x.named[name], _ = text(rest)
	case 'B':
		portal, rest := text(body)
		name, _ := text(rest)
		x.bound[portal] = x.named[name]
	case 'E':
		portal, _ := text(body)
		statement = x.bound[portal]
	case 'Q':
		statement, _ = text(body)
	}
	if statement != "" {
		x.doing = append(x.doing, statement)
		switch change := changed(statement); {
		case strings.EqualFold(statement, "commit"):
			commits = strings.Join(x.wrote, ", ")
		case !x.begun && change != "":
			commits = change
		}
	}
	x.mu.Unlock()
	if commits != "" {
		x.trap.w.moves.Add(1)
		switch x.trap.spring("commit " + commits) {
		case before:
			x.trap.w.killAll()
			return false
		case between:
			x.mu.Lock()
			x.silent = true
			x.mu.Unlock()
		case never:
			x.trap.bury()
			return false
		}
	}
	return send(x.server, message) == nil
}

// answer passes on a message of the server. Where the process is not to hear that it has
// committed, it dies once that is so.
func (x *relay) answer(kind byte, message []byte) bool {
	x.mu.Lock()
	switch kind {
	case 'C', 'E':
		tag, statement := "", ""
		if kind == 'C' {
			tag, _ = text(message[5:])
		}
		if len(x.doing) > 0 {
			statement, x.doing = x.doing[0], x.doing[1:]
		}
		if change := changed(statement); change != "" && !strings.HasSuffix(tag, " 0") && !slices.Contains(x.wrote, change) {
			x.wrote = append(x.wrote, change)
		}
	case 'Z':
		x.doing = nil
		if x.begun = message[5] != 'I'; !x.begun {
			x.wrote = nil
		}
	}
	silent := x.silent
	x.mu.Unlock()
	if !silent {
		return send(x.client, message) == nil
	}
	if kind == 'Z' {
		x.trap.end()
		return false
	}
	return true
}

var changing = regexp.MustCompile(`(?is)\b(insert\s+into|update|delete\s+from|create\s+(?:unique\s+)?(?:table|index|type|function|or\s+replace\s+function|sequence)|alter\s+(?:table|type)|drop\s+(?:table|index|type|function))\s+(?:if\s+(?:not\s+)?exists\s+)?(?:concurrently\s+)?"?([a-z_]+)"?`)

var remark = regexp.MustCompile(`(?s)--[^\n]*|/\*.*?\*/`)

// locking is how a query names rows that it will change: that is no change.
var locking = regexp.MustCompile(`(?is)\bfor\s+(no\s+key\s+)?update\b(\s+skip\s+locked|\s+nowait)?`)

// changed names what a statement changes first, such as "update subjects"; "" is nothing.
func changed(statement string) string {
	statement = locking.ReplaceAllString(remark.ReplaceAllString(statement, " "), " ")
	m := changing.FindStringSubmatch(statement)
	if m == nil {
		return ""
	}
	return strings.ToLower(strings.Join(strings.Fields(m[1]), " ") + " " + m[2])
}

// text is the string at the beginning of a message, and what comes behind it.
func text(b []byte) (string, []byte) {
	s, rest, _ := bytes.Cut(b, []byte{0})
	return string(s), rest
}

// receive reads a message with its head: a kind and a length.
func receive(c io.Reader) (kind byte, message []byte, err error) {
	head := make([]byte, 5)
	if _, err := io.ReadFull(c, head); err != nil {
		return 0, nil, err
	}
	n := int(binary.BigEndian.Uint32(head[1:])) - 4
	message = slices.Grow(head, n)[:5+n]
	_, err = io.ReadFull(c, message[5:])
	return head[0], message, err
}

// opening reads the first message of a process, which has no kind.
func opening(c io.Reader) ([]byte, error) {
	head := make([]byte, 4)
	if _, err := io.ReadFull(c, head); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint32(head)) - 4
	message := slices.Grow(head, n)[:4+n]
	_, err := io.ReadFull(c, message[4:])
	return message, err
}

func send(c io.Writer, message []byte) error {
	_, err := c.Write(message)
	return err
}

func TestChanged(t *testing.T) {
	for statement, want := range map[string]string{
		"SELECT 1": "",
		"-- name: JobInsert :many\nINSERT INTO /* TEMPLATE: schema */river_job(\nargs) VALUES ($1)":    "insert into river_job",
		"SELECT id FROM river_job FOR UPDATE SKIP LOCKED":                                              "",
		"WITH locked AS (SELECT id FROM river_job FOR UPDATE SKIP LOCKED)\nUPDATE river_job SET x = 1": "update river_job",
		"INSERT INTO leases (name) VALUES ($1) ON CONFLICT (name) DO UPDATE SET fence = 1":             "insert into leases",
		"CREATE TABLE IF NOT EXISTS \"goose\" (id int)":                                                "create table goose",
		"commit": "",
	} {
		if got := changed(statement); got != want {
			t.Errorf("%s: got %q, want %q", strconv.Quote(statement), got, want)
		}
	}
}
