package github

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

const maxFile = 4 << 20

type wireContent struct {
	Type     string `json:"type"`
	Encoding string `json:"encoding"`
	Size     int64  `json:"size"`
	Content  string `json:"content"`
	SHA      string `json:"sha"`
}

// File returns the bytes of a file, at most 4 MiB, at a branch or commit ("" = the default
// branch). ok is false where the repository and the ref are there and the file is not; a ref
// or repository that is not there is promotion.ErrNotFound, so that a missing file is never
// guessed. A symbolic link inside the repository is followed by GitHub
// (https://docs.github.com/en/rest/repos/contents#get-repository-content).
func (c *Client) File(ctx context.Context, repo promotion.Repository, name, ref string) (content []byte, ok bool, err error) {
	q := call{op: "read " + clean(name, "") + " of " + repo.FullName(), path: in(repo).add("/contents").file(name), accept: "application/vnd.github.object+json", need: "contents=read"}
	if ref != "" {
		if why := refFault(ref); why != "" {
			return nil, false, invalid(q.op, "ref %q %s", cut(ref, 80), why)
		}
		q.query = url.Values{"ref": {ref}}
	}
	q.method = http.MethodGet
	a, err := c.do(ctx, q)
	if absent(err) {
		if said(err, "no commit found", "repository is empty") {
			return nil, false, err
		}
		visible, e := c.visible(ctx, repo)
		if e != nil {
			return nil, false, e
		}
		if !visible {
			return nil, false, err
		}
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	var w wireContent
	if bytes.HasPrefix(bytes.TrimSpace(a.body), []byte("[")) { // how servers list a directory that do not know the media type
		w.Type = "dir"
	} else if err := decode(q.op, a, &w); err != nil {
		return nil, false, err
	}
	if w.Type != "file" {
		return nil, false, invalid(q.op, "it is no file but a %s", cut(cmp.Or(w.Type, "thing without a type"), 20))
	}
	if w.Size > maxFile {
		return nil, false, invalid(q.op, "it has %d bytes, and Pinnace reads files of at most %d", w.Size, int64(maxFile))
	}
	if w.Encoding == "none" { // larger than 1 MB
		content, err = c.blob(ctx, repo, w.SHA)
	} else {
		content, err = fromBase64(q.op, w.Encoding, w.Content)
	}
	if err == nil && int64(len(content)) != w.Size {
		err = malformed(q.op)
	}
	if err != nil {
		return nil, false, err
	}
	return content, true, nil
}

func (c *Client) visible(ctx context.Context, repo promotion.Repository) (bool, error) {
	var w struct {
		ID int64 `json:"id"`
	}
	_, err := c.read(ctx, call{op: "read repository " + repo.FullName(), path: in(repo), need: "metadata=read"}, &w)
	return found(err)
}

func (c *Client) blob(ctx context.Context, repo promotion.Repository, sha string) ([]byte, error) {
	q := call{op: fmt.Sprintf("read blob %s of %s", clean(sha, ""), repo.FullName()), path: in(repo).add("/git/blobs").sha(sha), need: "contents=read"}
	var w wireContent
	if _, err := c.read(ctx, q, &w); err != nil {
		return nil, err
	}
	return fromBase64(q.op, w.Encoding, w.Content)
}

func fromBase64(op, encoding, text string) ([]byte, error) {
	if encoding != "base64" {
		return nil, malformed(op)
	}
	b, err := base64.StdEncoding.DecodeString(strings.NewReplacer("\n", "", "\r", "").Replace(text))
	if err != nil {
		return nil, malformed(op)
	}
	return b, nil
}
