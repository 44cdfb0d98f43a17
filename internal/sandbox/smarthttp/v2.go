package smarthttp

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/format/pktline"
)

// capabilities writes what version 2 offers.
// https://git-scm.com/docs/protocol-v2#_capability_advertisement
func (r *Repository) capabilities(out *bytes.Buffer) error {
	e := pktline.NewEncoder(out)
	err := e.EncodeString("version 2\n", agent+"\n", "ls-refs=unborn\n", "fetch=shallow wait-for-done\n", "object-format=sha1\n")
	if err != nil {
		return err // unreachable: no line is too long
	}
	return e.Flush()
}

// command answers a request of version 2.
// https://git-scm.com/docs/protocol-v2#_command_request
func (r *Repository) command(w http.ResponseWriter, req *http.Request) {
	in, err := body(w, req, maxRequest)
	if err != nil {
		broken(w, err)
		return
	}
	name, args, err := readCommand(&reader{r: bufio.NewReader(in)})
	if err != nil {
		broken(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/x-git-upload-pack-result")
	switch name {
	case "":
		return
	case "ls-refs":
		err = r.lsRefs(w, args)
	case "fetch":
		var q *request
		if q, err = fetchArguments(args); err == nil {
			err = r.fetch(w, q)
		}
	default:
		err = malformed("invalid command %.100q", name)
	}
	if err != nil {
		fatal(w, err.Error())
	}
}

// readCommand reads a command's name and arguments. The name is empty where the
// client sends nothing, or nothing but a flush.
func readCommand(r *reader) (name string, args []string, err error) {
	const (
		capability = iota
		argument
	)
	for state := capability; ; {
		kind, line, err := r.next()
		if err != nil {
			return "", nil, err
		}
		text := string(line)
		switch {
		case kind == flush, kind == end && name == "":
			return name, args, nil
		case kind == end:
			return "", nil, io.ErrUnexpectedEOF
		case kind == delimiter && state == capability:
			state = argument
		case kind == delimiter:
			return "", nil, malformed("two delimiters in a command")
		case state == argument:
			args = append(args, text)
		default:
			key, value, _ := strings.Cut(text, "=")
			if key == "command" {
				if name != "" {
					return "", nil, malformed("two commands in a request")
				}
				name = value
			}
			if key == "object-format" && value != "sha1" {
				return "", nil, mismatched(value)
			}
		}
	}
}

// maxPrefixes is how many prefixes a client's references are chosen by; with more, it
// gets them all and chooses itself.
const maxPrefixes = 10_000

// lsRefs answers ls-refs. https://git-scm.com/docs/protocol-v2#_ls_refs
func (r *Repository) lsRefs(w io.Writer, args []string) error {
	var peel, symrefs, unborn bool
	var prefixes []string
	for _, a := range args {
		prefix, ok := strings.CutPrefix(a, "ref-prefix ")
		switch {
		case a == "peel":
			peel = true
		case a == "symrefs":
			symrefs = true
		case a == "unborn":
			unborn = true
		case ok:
			prefixes = append(prefixes, prefix)
		default:
			return malformed("unexpected line in ls-refs: %.100q", a)
		}
	}
	if len(prefixes) > maxPrefixes {
		prefixes = nil
	}
	refs, err := r.snapshot()
	if err != nil {
		return err
	}
	wanted := func(name string) bool {
		for _, p := range prefixes {
			if strings.HasPrefix(name, p) {
				return true
			}
		}
		return len(prefixes) == 0
	}
	var out bytes.Buffer
	e := pktline.NewEncoder(&out)
	line := func(x ref, name, target string) error {
		text := x.hash.String() + " " + name
		if target != "" {
			text += " symref-target:" + target
		}
		if peel && !x.peeled.IsZero() {
			text += " peeled:" + x.peeled.String()
		}
		return e.EncodeString(text + "\n")
	}
	target := ""
	if symrefs {
		target = r.Head
	}
	head, born := r.head(refs)
	switch {
	case !wanted("HEAD"):
	case born:
		err = line(head, "HEAD", target)
	case unborn && target != "":
		err = e.Encodef("unborn HEAD symref-target:%s\n", target)
	}
	for _, x := range refs {
		if err == nil && wanted(x.name) {
			err = line(x, x.name, "")
		}
	}
	if err != nil {
		return err
	}
	if err := e.Flush(); err != nil {
		return err // unreachable: a buffer takes all
	}
	_, _ = w.Write(out.Bytes())
	return nil
}

// snapshot returns the references of this moment.
func (r *Repository) snapshot() ([]ref, error) {
	r.Lock.Lock()
	defer r.Lock.Unlock()
	g, err := newHistory(r.Storer, r.Storer)
	if err != nil {
		return nil, err
	}
	return r.refs(g)
}

// fetchArguments reads the arguments of fetch.
// https://git-scm.com/docs/protocol-v2#_fetch
func fetchArguments(args []string) (*request, error) {
	q := &request{caps: map[string]string{"side-band-64k": ""}, explicit: true}
	for _, a := range args {
		switch a {
		case "ofs-delta", "no-progress", "include-tag", "thin-pack":
			q.caps[a] = ""
			continue
		case "deepen-relative":
			q.relative = true
			continue
		case "wait-for-done":
			q.waits = true
			continue
		}
		known, err := q.argument(a)
		if err != nil {
			return nil, err
		}
		if !known {
			return nil, malformed("unexpected line in fetch: %.100q", a)
		}
	}
	return q, nil
}

// fetch answers fetch: acknowledgments where the client still negotiates, then,
// where they were enough, the boundary and the pack.
func (r *Repository) fetch(w io.Writer, q *request) error {
	if len(q.wants) == 0 {
		return nil
	}
	a, err := r.sections(q)
	if err != nil {
		return fmt.Errorf("upload-pack: %w", err)
	}
	if a.refused != "" {
		return malformed("%s", a.refused)
	}
	var out bytes.Buffer
	e := pktline.NewEncoder(&out)
	if err := e.EncodeString(a.lines...); err != nil {
		return err // unreachable: no line is too long
	}
	if a.pack == nil {
		out.Write(pktline.FlushPkt)
		_, _ = w.Write(out.Bytes())
		return nil
	}
	if len(a.lines) > 0 {
		out.WriteString(delimiting)
	}
	if edge := a.edge.lines("\n"); q.deepens() || len(edge) > 0 {
		if err := e.EncodeString(append([]string{"shallow-info\n"}, edge...)...); err != nil {
			return err // unreachable: no line is too long
		}
		out.WriteString(delimiting)
	}
	if err := e.EncodeString("packfile\n"); err != nil {
		return err // unreachable: no line is too long
	}
	if _, err := w.Write(out.Bytes()); err == nil {
		a.pack.send(w, q)
	}
	return nil
}

// sections works out a fetch of version 2.
func (r *Repository) sections(q *request) (*answer, error) {
	r.Lock.Lock()
	defer r.Lock.Unlock()
	f, refused, err := r.begin(q)
	if err != nil || refused != "" {
		return &answer{refused: refused}, err
	}
	a := &answer{edge: f.edge}
	if len(q.haves) > 0 && !q.done {
		common := f.common(q.haves)
		a.lines = []string{"acknowledgments\n"}
		if len(common) == 0 {
			a.lines = append(a.lines, "NAK\n")
		}
		for _, h := range common {
			a.lines = append(a.lines, fmt.Sprintf("ACK %s\n", h))
		}
		// Version 2 looks at the history as if nobody were shallow.
		enough, err := f.reaches(f.wants, setOf(common), nil)
		if err != nil || !enough || len(common) == 0 || q.waits {
			return a, err
		}
		a.lines = append(a.lines, "ready\n")
	}
	a.pack, err = f.pack(q)
	return a, err
}
