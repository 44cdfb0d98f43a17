package smarthttp

import (
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// A request is a fetch, in either version of the protocol.
type request struct {
	wants    []plumbing.Hash
	haves    []plumbing.Hash
	shallows []plumbing.Hash // commits whose parents the client lacks
	depth    int             // of the new boundary; 0 to leave it where it is
	relative bool            // depth counts from the client's boundary
	since    int64           // seconds since 1970; 0 without
	not      []string        // references whose history is not wanted
	caps     map[string]string

	done     bool // no more haves will come
	bare     bool // version 0: the request ends after its wants
	waits    bool // version 2: no pack before done
	explicit bool // version 2: the answer tells of the repository's own boundary
}

// deepens reports whether the client asks for a boundary.
func (q *request) deepens() bool { return q.depth > 0 || q.since != 0 || len(q.not) > 0 }

func (q *request) offers(capability string) bool {
	_, ok := q.caps[capability]
	return ok
}

const (
	maxRequest = 10 << 20 // bytes of a fetch, as git http-backend's GIT_HTTP_MAX_REQUEST_BUFFER
	maxNot     = 100
)

// argument notes a line that both versions of the protocol have. ok is false where
// the line is no such one.
func (q *request) argument(line string) (ok bool, err error) {
	key, value, _ := strings.Cut(line, " ")
	switch key {
	case "want", "have", "shallow":
		h, ok := hash(value)
		if !ok {
			return true, malformed("%s line: %.100q is no object name", key, value)
		}
		switch key {
		case "want":
			q.wants = append(q.wants, h)
		case "have":
			q.haves = append(q.haves, h)
		default:
			q.shallows = append(q.shallows, h)
		}
	case "deepen":
		n, err := strconv.ParseInt(value, 10, 32)
		if err != nil || n <= 0 {
			return true, malformed("deepen line: %.100q is no depth", value)
		}
		q.depth = int(n)
	case "deepen-since":
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil || n <= 0 {
			return true, malformed("deepen-since line: %.100q is no time", value)
		}
		q.since = n
	case "deepen-not":
		if q.not = append(q.not, value); len(q.not) > maxNot {
			return true, malformed("more than %d deepen-not lines", maxNot)
		}
	case "done":
		q.done = true
	default:
		return false, nil
	}
	return true, nil
}

// readRequest reads a fetch of version 0, to the end of its first batch of haves. A
// client that sends nothing, or nothing but a flush, wants nothing.
// https://git-scm.com/docs/gitprotocol-pack#_packfile_negotiation
func readRequest(r *reader) (*request, error) {
	q := &request{caps: map[string]string{}}
	for {
		kind, line, err := r.next()
		if err != nil {
			return nil, err
		}
		if kind == end && len(q.wants) == 0 {
			return q, nil
		}
		if kind == flush {
			break
		}
		if kind != data {
			return nil, malformed("the request ends among its wants")
		}
		text := string(line)
		if want, caps, ok := strings.Cut(text, " "); ok && want == "want" && len(q.wants) == 0 {
			first, rest, _ := strings.Cut(caps, " ")
			text = "want " + first
			if q.caps, err = capabilities(rest); err != nil {
				return nil, err
			}
		}
		known, err := q.argument(text)
		if err != nil {
			return nil, err
		}
		if !known || strings.HasPrefix(text, "have ") || text == "done" {
			return nil, malformed("%.100q among the wants", text)
		}
	}
	if len(q.wants) == 0 {
		return q, nil
	}
	_, q.relative = q.caps["deepen-relative"]
	for first := true; ; first = false {
		kind, line, err := r.next()
		if err != nil {
			return nil, err
		}
		if kind == end && first {
			q.bare = true
		}
		if kind != data {
			return q, nil
		}
		text := string(line)
		if text != "done" && !strings.HasPrefix(text, "have ") {
			return nil, malformed("%.100q among the haves", text)
		}
		if _, err := q.argument(text); err != nil {
			return nil, err
		}
		if q.done {
			return q, nil
		}
	}
}

// capabilities reads what a client chose: "name", "name=value" and so on, separated
// by spaces.
func capabilities(s string) (map[string]string, error) {
	caps := map[string]string{}
	for _, field := range strings.Fields(s) {
		name, value, _ := strings.Cut(field, "=")
		caps[name] = value
	}
	if format, ok := caps["object-format"]; ok && format != "sha1" {
		return nil, mismatched(format)
	}
	return caps, nil
}

func mismatched(format string) error {
	return malformed("mismatched object format: server sha1; client %.100q", format)
}
