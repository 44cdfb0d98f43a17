package smarthttp

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/pktline"
)

// advertise answers GET /info/refs.
// https://git-scm.com/docs/http-protocol#_smart_server_response
func (r *Repository) advertise(w http.ResponseWriter, service string, version int) {
	var out bytes.Buffer
	var err error
	if version == 2 && service == uploadPack {
		err = r.capabilities(&out)
	} else {
		e := pktline.NewEncoder(&out)
		if err = e.Encodef("# service=%s\n", service); err == nil {
			err = e.Flush()
		}
		if err == nil {
			err = r.list(&out, service)
		}
	}
	if err != nil {
		broken(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/x-"+service+"-advertisement")
	_, _ = w.Write(out.Bytes())
}

// list writes the references as version 0 does.
// https://git-scm.com/docs/gitprotocol-pack#_reference_discovery
func (r *Repository) list(out *bytes.Buffer, service string) error {
	r.Lock.Lock()
	defer r.Lock.Unlock()
	g, err := newHistory(r.Storer, r.Storer)
	if err != nil {
		return err
	}
	refs, err := r.refs(g)
	if err != nil {
		return err
	}
	var lines []string
	var caps string
	line := func(h plumbing.Hash, name string) { lines = append(lines, h.String()+" "+name) }
	if service == uploadPack {
		head, ok := r.head(refs)
		if ok {
			line(head.hash, "HEAD")
		}
		caps = r.uploadCapabilities(ok)
	} else {
		caps = receiveCapabilities
	}
	for _, x := range refs {
		switch {
		case service == uploadPack:
			line(x.hash, x.name)
			if !x.peeled.IsZero() {
				line(x.peeled, x.name+"^{}")
			}
		case !r.hidden(x.name):
			line(x.hash, x.name)
		}
	}
	if len(lines) == 0 {
		line(plumbing.ZeroHash, "capabilities^{}")
	}
	lines[0] += "\x00" + caps
	shallow, err := r.Storer.Shallow()
	if err != nil {
		return fmt.Errorf("reading the shallow commits: %w", err)
	}
	for _, h := range shallow {
		lines = append(lines, "shallow "+h.String())
	}
	e := pktline.NewEncoder(out)
	if err := e.EncodeString(strings.Split(strings.Join(lines, "\n\x01")+"\n", "\x01")...); err != nil {
		return err
	}
	return e.Flush()
}

// uploadCapabilities is what version 0 offers for fetches.
// https://git-scm.com/docs/gitprotocol-capabilities
func (r *Repository) uploadCapabilities(head bool) string {
	caps := []string{
		"multi_ack", "side-band", "side-band-64k", "ofs-delta", "shallow", "deepen-since", "deepen-not", "deepen-relative",
		"no-progress", "include-tag", "multi_ack_detailed",
	}
	if r.AllowAnySHA1InWant {
		caps = append(caps, "allow-tip-sha1-in-want", "allow-reachable-sha1-in-want")
	}
	caps = append(caps, "no-done")
	if head {
		caps = append(caps, "symref=HEAD:"+r.Head)
	}
	return strings.Join(append(caps, "object-format=sha1", agent), " ")
}

const receiveCapabilities = "report-status delete-refs side-band-64k quiet atomic ofs-delta object-format=sha1 " + agent
