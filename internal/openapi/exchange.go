package openapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// ErrUnknown is the error of an exchange that the description has no operation for.
var ErrUnknown = errors.New("GitHub's API has no such operation")

// Exchange returns what breaks the description in a request (its method, path, query and
// reqBody) and in its answer, or nil. The prefix /api/v3 of GitHub Enterprise Server is cut
// from the path; host and credentials are not judged. A status that the description does
// not list is right if it is a redirection or an error that any operation can have: 301,
// 304, 307, 401, 403, 404, 422, 429 and 5xx.
func (d *Description) Exchange(req *http.Request, reqBody []byte, status int, header http.Header, respBody []byte) error {
	at := byName(strings.TrimPrefix(req.URL.EscapedPath(), "/api/v3"))
	what := req.Method + " " + at
	p, args, op, doc, err := d.operation(req.Method, at)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	clone := req.Clone(context.Background())
	clone.Body = io.NopCloser(bytes.NewReader(reqBody))
	if len(reqBody) > 0 && !strings.Contains(clone.Header.Get("Content-Type"), "json") {
		clone.Header.Set("Content-Type", "application/json")
	}
	item := doc.Paths.Value(p.template)
	in := &openapi3filter.RequestValidationInput{
		Request: clone, PathParams: args,
		Route: &routers.Route{Spec: doc, Path: p.template, PathItem: item, Method: req.Method, Operation: op},
		Options: &openapi3filter.Options{
			IncludeResponseStatus: true, SkipSettingDefaults: true,
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc,
		},
	}
	var problems []error
	refused := status >= 400
	if !refused && !excepted(req.Method, p.template, request) {
		if err := openapi3filter.ValidateRequest(context.Background(), in); err != nil {
			problems = append(problems, fmt.Errorf("%s: request: %s", what, brief(err)))
		}
	}
	if op.Responses.Status(status) == nil && common(status) || excepted(req.Method, p.template, answer) {
		return errors.Join(problems...)
	}
	out := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: status, Header: header,
		Body: io.NopCloser(bytes.NewReader(respBody)), Options: in.Options,
	}
	if status == http.StatusNotModified || status == http.StatusNoContent {
		return errors.Join(problems...)
	}
	if err := openapi3filter.ValidateResponse(context.Background(), out); err != nil {
		problems = append(problems, fmt.Errorf("%s: answer %d: %s", what, status, brief(err)))
	}
	return errors.Join(problems...)
}

// byName puts a name in the place of a repository's number: GitHub redirects to
// /repositories/{id}, which its description does not have.
func byName(at string) string {
	rest, ok := strings.CutPrefix(at, "/repositories/")
	if !ok {
		return at
	}
	_, tail, deep := strings.Cut(rest, "/")
	if !deep {
		return "/repos/owner/name"
	}
	return "/repos/owner/name/" + tail
}

func (d *Description) operation(method, at string) (path, map[string]string, *openapi3.Operation, *openapi3.T, error) {
	for _, p := range d.paths {
		m := p.match.FindStringSubmatch(at)
		if m == nil {
			continue
		}
		doc, err := d.document(p)
		if err != nil {
			return path{}, nil, nil, nil, err
		}
		op := doc.Paths.Value(p.template).GetOperation(method)
		if op == nil {
			continue
		}
		args := map[string]string{}
		for i, name := range p.names {
			value, err := url.PathUnescape(m[i+1])
			if err != nil {
				return path{}, nil, nil, nil, err
			}
			args[name] = value
		}
		return p, args, op, doc, nil
	}
	return path{}, nil, nil, nil, ErrUnknown
}

// common says whether any operation may answer so.
// https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api
func common(status int) bool {
	switch status {
	case 301, 304, 307, 401, 403, 404, 409, 422, 429:
		return true
	}
	return status >= 500
}

// brief cuts the schema and the value that kin-openapi prints with an error.
func brief(err error) string {
	text := err.Error()
	if i := strings.Index(text, "\nSchema:"); i >= 0 {
		text = text[:i]
	}
	const most = 1200
	if len(text) > most {
		text = text[:most] + " ..."
	}
	return text
}
