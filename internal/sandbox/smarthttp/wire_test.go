package smarthttp

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/google/go-cmp/cmp"
)

// pkt writes pkt-lines. "0000" and "0001" stand for themselves.
func pkt(lines ...string) string {
	var b strings.Builder
	for _, l := range lines {
		if l == "0000" || l == "0001" {
			b.WriteString(l)
			continue
		}
		fmt.Fprintf(&b, "%04x%s", len(l)+4, l)
	}
	return b.String()
}

// post sends a body to a service and returns the answer.
func post(t *testing.T, url, service, body string, header ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, url+"/"+service, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-"+service+"-request")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// talk is what an answer says before its pack, a line each. The text of an error is
// each server's own.
func talk(answer string) []string {
	var lines []string
	r := &reader{r: strings.NewReader(answer)}
	for {
		kind, line, err := r.next()
		switch {
		case err != nil || kind == data && len(line) > 0 && line[0] <= 3 || bytes.HasPrefix(line, []byte("PACK")):
			return append(lines, "pack")
		case bytes.HasPrefix(line, []byte("ERR ")):
			return append(lines, "error")
		case kind == end:
			return lines
		case kind == flush:
			lines = append(lines, "flush")
		case kind == delimiter:
			lines = append(lines, "delimiter")
		default:
			lines = append(lines, string(line))
		}
	}
}

// Each answer of a negotiation is, line for line, what git's own server answers.
func TestNegotiation(t *testing.T) {
	r := newRig(t)
	g := r.git
	work := tangled(g)
	root := t.TempDir()
	bare := filepath.Join(root, "acme", "config.git")
	g.ok("", "clone", "-q", "--mirror", work, bare)
	g.ok(bare, "config", "uploadpack.allowAnySHA1InWant", "true")
	theirs := g.backend(root) + "/acme/config.git"
	g.ok(work, "push", "-q", "--mirror", r.url)
	at := func(rev string) string { return g.ok(work, "rev-parse", rev) }
	main, side, root2, first := at("main"), at("side"), at("root2"), at("main~3")
	v2, tree := at("v2"), at("main^{tree}")
	other, more := strings.Repeat("12", 20), strings.Repeat("34", 20)

	for _, caps := range []string{
		"", " side-band-64k ofs-delta", " multi_ack side-band-64k", " multi_ack_detailed side-band-64k ofs-delta",
		" multi_ack_detailed no-done side-band-64k", " multi_ack_detailed deepen-relative side-band",
	} {
		bodies := map[string]string{
			"nothing":              "",
			"a flush":              "0000",
			"a clone":              pkt("want "+main+caps, "0000", "done\n"),
			"a bare want":          pkt("want "+main+caps, "0000"),
			"a flush without have": pkt("want "+main+caps, "0000", "0000"),
			"all in common":        pkt("want "+main+caps, "0000", "have "+first, "have "+side, "0000"),
			"nothing in common":    pkt("want "+main+caps, "0000", "have "+other, "have "+more, "0000"),
			"some in common":       pkt("want "+main+caps, "0000", "have "+other, "have "+first, "have "+more, "0000"),
			"the same have twice":  pkt("want "+main+caps, "0000", "have "+first, "have "+first, "0000"),
			"not enough":           pkt("want "+main+caps, "want "+root2, "0000", "have "+side, "have "+other, "0000"),
			"enough at last":       pkt("want "+main+caps, "want "+root2, "0000", "have "+other, "have "+side, "have "+root2, "have "+more, "0000"),
			"done, in common":      pkt("want "+main+caps, "0000", "have "+first, "have "+other, "have "+side, "done"),
			"done, not in common":  pkt("want "+main+caps, "0000", "have "+other, "done"),
			"up to date":           pkt("want "+main+caps, "0000", "have "+main, "0000"),
			"a tag":                pkt("want "+v2+caps, "0000", "have "+first, "0000"),
			"a tree":               pkt("want "+tree+caps, "0000", "have "+first, "0000"),
			"depth":                pkt("want "+main+caps, "deepen 2", "0000"),
			"depth, have":          pkt("want "+main+caps, "shallow "+first, "deepen 3", "0000", "have "+main, "0000"),
			"depth, shallow, done": pkt("want "+main+caps, "shallow "+main, "deepen 4", "0000", "have "+main, "done"),
			"depth, unknown":       pkt("want "+main+caps, "shallow "+other, "deepen 2", "0000", "done"),
			"depth, elsewhere":     pkt("want "+main+caps, "shallow "+root2, "deepen 2", "0000", "done"),
			"unshallow":            pkt("want "+main+caps, "shallow "+first, "shallow "+side, "deepen 2147483647", "0000", "have "+main, "done"),
			"shallow, no depth":    pkt("want "+main+caps, "shallow "+first, "0000", "have "+first, "done"),
			"depth, have behind":   pkt("want "+main+caps, "deepen 2", "0000", "have "+at("main~6"), "have "+other, "0000"),
			"depth, have before":   pkt("want "+main+caps, "deepen 3", "0000", "have "+at("main~1"), "have "+other, "0000"),
			"not here":             pkt("want "+other+caps, "0000", "done"),
		}
		for name, body := range bodies {
			t.Run(strings.TrimSpace(caps)+"/"+name, func(t *testing.T) {
				_, want := post(t, theirs, uploadPack, body)
				_, got := post(t, r.url, uploadPack, body)
				if diff := cmp.Diff(talk(want), talk(got)); diff != "" {
					t.Errorf("(-git +ours):\n%s", diff)
				}
			})
		}
	}

	command := func(args ...string) string {
		return pkt(append(append([]string{"command=fetch", "object-format=sha1", "0001", "ofs-delta"}, args...), "0000")...)
	}
	for name, body := range map[string]string{
		"nothing":             "0000",
		"no want":             command("done"),
		"a clone":             command("want "+main, "done"),
		"without done":        command("want " + main),
		"all in common":       command("want "+main, "have "+first, "have "+side),
		"nothing in common":   command("want "+main, "have "+other),
		"not enough":          command("want "+main, "want "+root2, "have "+side, "have "+other),
		"waits":               command("want "+main, "wait-for-done", "have "+main),
		"done":                command("want "+main, "have "+side, "done"),
		"depth":               command("want "+main, "deepen 3", "done"),
		"depth, ready":        command("want "+main, "shallow "+first, "deepen 9", "have "+main),
		"relative":            command("want "+main, "shallow "+first, "deepen 1", "deepen-relative", "have "+main, "done"),
		"not here":            command("want "+other, "done"),
		"ls-refs":             pkt("command=ls-refs", "0001", "peel", "symrefs", "0000"),
		"ls-refs, prefixes":   pkt("command=ls-refs", "0001", "ref-prefix refs/tags/v", "ref-prefix HEAD", "0000"),
		"ls-refs, no section": pkt("command=ls-refs", "0000"),
		"unknown command":     pkt("command=bundle-uri", "0000"),
		"unknown argument":    command("want "+main, "sing"),
	} {
		t.Run("v2/"+name, func(t *testing.T) {
			_, want := post(t, theirs, uploadPack, body, "Git-Protocol", "version=2")
			_, got := post(t, r.url, uploadPack, body, "Git-Protocol", "version=2")
			w, o := talk(want), talk(got)
			if len(w) == 0 && len(o) == 1 && o[0] == "error" {
				return // git's server dies without a word; ours says why
			}
			if diff := cmp.Diff(sections(w), sections(o)); diff != "" {
				t.Errorf("(-git +ours):\n%s", diff)
			}
		})
	}
}

// sections drops an empty section, which may be there or not.
func sections(lines []string) []string {
	return strings.Split(strings.ReplaceAll(strings.Join(lines, "\n"), "shallow-info\ndelimiter\n", ""), "\n")
}

// What a client sends that is no request of git's is told so, and nothing happens.
func TestMalformed(t *testing.T) {
	r := newRig(t)
	work := r.git.init()
	r.git.ok(work, "push", "-q", r.url, "main")
	main := r.ref("refs/heads/main")
	zero := plumbing.ZeroHash.String()
	tests := []struct {
		name, service, body, version string
		status                       int
		want                         string
	}{
		{"a length that is none", uploadPack, "zzzz", "", 400, "is no length"},
		{"a length of one", uploadPack, "0003", "", 400, "not allowed"},
		{"a length beyond all", uploadPack, "ffff", "", 400, "not allowed"},
		{"half a length", uploadPack, "00", "", 400, "unexpected EOF"},
		{"half a line", uploadPack, "0032want ", "", 400, "unexpected EOF"},
		{"a short name", uploadPack, pkt("want abc", "0000"), "", 400, "is no object name"},
		{"a name that is none", uploadPack, pkt("want "+strings.Repeat("x", 40), "0000"), "", 400, "is no object name"},
		{"a delimiter", uploadPack, pkt("want "+main, "0001"), "", 400, "ends among its wants"},
		{"no flush", uploadPack, pkt("want " + main), "", 400, "ends among its wants"},
		{"a have too early", uploadPack, pkt("want "+main, "have "+main, "0000"), "", 400, "among the wants"},
		{"a want too late", uploadPack, pkt("want "+main, "0000", "want "+main), "", 400, "among the haves"},
		{"a filter", uploadPack, pkt("want "+main, "filter blob:none", "0000"), "", 400, "among the wants"},
		{"depth 0", uploadPack, pkt("want "+main, "deepen 0", "0000"), "", 400, "is no depth"},
		{"depth beyond all", uploadPack, pkt("want "+main, "deepen 2147483648", "0000"), "", 400, "is no depth"},
		{"time 0", uploadPack, pkt("want "+main, "deepen-since x", "0000"), "", 400, "is no time"},
		{"sha256", uploadPack, pkt("want "+main+" object-format=sha256", "0000"), "", 400, "mismatched object format"},
		{"much that is not wanted", uploadPack, pkt("want "+main) + strings.Repeat(pkt("deepen-not main"), maxNot+1), "", 400, "more than 100 deepen-not"},
		{"a reference that is not there", uploadPack, pkt("want "+main, "deepen-not none", "0000"), "", 200, "ERR upload-pack: deepen-not is not a ref"},
		{"v2, no end", uploadPack, pkt("command=fetch"), "version=2", 400, "unexpected EOF"},
		{"v2, two commands", uploadPack, pkt("command=fetch", "command=fetch", "0000"), "version=2", 400, "two commands"},
		{"v2, two delimiters", uploadPack, pkt("command=fetch", "0001", "0001", "0000"), "version=2", 400, "two delimiters"},
		{"v2, sha256", uploadPack, pkt("command=fetch", "object-format=sha256", "0000"), "version=2", 400, "mismatched object format"},
		{"v2, unknown command", uploadPack, pkt("command=sing", "0000"), "version=2", 200, "ERR invalid command"},
		{"v2, unknown argument of ls-refs", uploadPack, pkt("command=ls-refs", "0001", "sing", "0000"), "version=2", 200, "ERR unexpected line"},
		{"v2, want of a ref", uploadPack, pkt("command=fetch", "0001", "want-ref refs/heads/main", "0000"), "version=2", 200, "ERR unexpected line"},
		{"a command that is none", receivePack, pkt("sing", "0000"), "", 400, "expected old/new/ref"},
		{"a command without a name", receivePack, pkt(zero+" "+main+" ", "0000"), "", 400, "expected old/new/ref"},
		{"a shallow line that is none", receivePack, pkt("shallow x", "0000"), "", 400, "expected shallow sha"},
		{"commands without end", receivePack, pkt(zero + " " + main + " refs/heads/x"), "", 400, "ends among its commands"},
		{"a push of sha256", receivePack, pkt(zero+" "+main+" refs/heads/x\x00object-format=sha256", "0000"), "", 400, "mismatched object format"},
		{"a certificate", receivePack, pkt("push-cert\x00report-status\n", "0000"), "", 400, "expected old/new/ref"},
		{"many commands", receivePack, pkt(strings.Split(strings.Repeat(zero+" "+main+" refs/heads/x,", maxCommands+1), ",")...), "", 400, "more than 1000 commands"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, got := post(t, r.url, tt.service, tt.body, "Git-Protocol", tt.version)
			if status != tt.status || !strings.Contains(got, tt.want) {
				t.Errorf("%d %q, want %d with %q", status, got, tt.status, tt.want)
			}
		})
	}
	if len(r.moves()) != 1 {
		t.Errorf("%d references moved, want the first push's alone", len(r.moves()))
	}
}

func TestEncodings(t *testing.T) {
	r := newRig(t)
	work := r.git.init()
	r.git.ok(work, "push", "-q", r.url, "main")
	squeeze := func(s string) string {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if _, err := io.WriteString(z, s); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	clone := pkt("want "+r.ref("refs/heads/main"), "0000", "done")
	bomb := squeeze(strings.Repeat(pkt("want "+r.ref("refs/heads/main")), maxRequest/49+1))
	cut := squeeze(clone)
	tests := []struct {
		name, body, encoding string
		status               int
	}{
		{"gzip", squeeze(clone), "gzip", 200},
		{"x-gzip", squeeze(clone), "x-gzip", 200},
		{"not gzip", clone, "gzip", 400},
		{"cut gzip", cut[:len(cut)/2], "gzip", 400},
		{"brotli", clone, "br", 400},
		{"a bomb", bomb, "gzip", 413},
		{"too long", strings.Repeat(pkt("want "+r.ref("refs/heads/main")), maxRequest/49+1), "", 413},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, got := post(t, r.url, uploadPack, tt.body, "Content-Encoding", tt.encoding)
			if status != tt.status {
				t.Errorf("status %d, want %d: %.200q", status, tt.status, got)
			}
			if status == 200 && !strings.Contains(got, "PACK") {
				t.Errorf("no pack in %.200q", got)
			}
		})
	}
}
