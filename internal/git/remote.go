package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	agent        = "git/2.0 (pinnace)" // some servers answer only who calls himself git
	maxRedirects = 3
	defaultStall = 60 * time.Second
	maxHeaders   = 64 << 10
)

// A Remote is a repository behind smart HTTP
// (https://git-scm.com/docs/gitprotocol-http). The zero value but for URL works.
type Remote struct {
	// URL is https, or http on a loopback address. It holds no user and no password.
	URL string
	// Insecure allows http everywhere.
	Insecure bool
	// Transport sends the requests; nil is one that heeds the proxies of the environment.
	// Redirects are followed here, not there.
	Transport http.RoundTripper
	// Auth is asked once per operation; nil, or an empty password, sends no credentials.
	// They go to the scheme, host and port of URL alone.
	Auth func(context.Context) (user, password string, err error)
	// Fence is asked right before something is pushed, and its error ends the push; nil allows
	// all.
	Fence func() error
	// Stall is how long the server may send nothing before the operation fails with
	// ErrTransient; 0 is a minute.
	Stall time.Duration
}

var defaultTransport = &http.Transport{
	Proxy:                  http.ProxyFromEnvironment,
	DialContext:            (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
	TLSHandshakeTimeout:    10 * time.Second,
	MaxResponseHeaderBytes: maxHeaders,
	IdleConnTimeout:        90 * time.Second,
	MaxIdleConnsPerHost:    4,
	ForceAttemptHTTP2:      true,
}

// A session is one operation at a remote.
type session struct {
	base     *url.URL // where the repository is, after redirects
	host     string   // for messages
	client   *http.Client
	user     string
	password string
	stall    time.Duration
}

func (m Remote) session(ctx context.Context) (*session, error) {
	u, err := url.Parse(m.URL)
	switch {
	case err != nil:
		return nil, errors.New("the remote's address cannot be parsed")
	case u.User != nil:
		return nil, fmt.Errorf("the address of %s holds credentials: give them by Auth", u.Host)
	case u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "":
		return nil, errors.New("the remote's address is not of the form https://host/path")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("the remote's address has scheme %q: only https is spoken", clean(u.Scheme, 20))
	case u.Scheme == "http" && !m.Insecure && !loopback(u.Hostname()):
		return nil, fmt.Errorf("refused plain http to %s: use https", u.Host)
	}
	u.Path = strings.TrimRight(u.Path, "/")
	u.RawPath = ""
	s := &session{base: u, host: u.Host, stall: m.Stall}
	if s.stall <= 0 {
		s.stall = defaultStall
	}
	var t http.RoundTripper = defaultTransport
	if m.Transport != nil {
		t = m.Transport
	}
	s.client = &http.Client{
		Transport:     t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if m.Auth != nil {
		if s.user, s.password, err = m.Auth(ctx); err != nil {
			return nil, fmt.Errorf("credentials for %s: %w", s.host, err)
		}
	}
	return s, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// advertisement asks for the refs of a service. Redirects are followed on the remote's own
// host, and what comes later goes where they led.
func (s *session) advertisement(ctx context.Context, service string) (io.ReadCloser, error) {
	const tail = "/info/refs"
	at := *s.base
	for range maxRedirects + 1 {
		next := at
		next.Path += tail
		next.RawQuery = "service=" + service
		resp, err := s.send(ctx, http.MethodGet, &next, nil, "", "")
		if err != nil {
			return nil, err
		}
		if !redirects(resp.StatusCode) {
			if err := s.judge(resp, "application/x-"+service+"-advertisement"); err != nil {
				return nil, err
			}
			s.base = &at
			return resp.Body, nil
		}
		resp.Body.Close()
		to, err := next.Parse(resp.Header.Get("Location"))
		if err != nil {
			return nil, fmt.Errorf("refused a redirect by %s: its address cannot be parsed", s.host)
		}
		path, ok := strings.CutSuffix(to.Path, tail)
		switch {
		case to.Scheme != s.base.Scheme || !strings.EqualFold(to.Host, s.base.Host) || to.User != nil:
			return nil, fmt.Errorf("refused a redirect from %s to %s: if the repository has moved there, change its address", s.host, clean(to.Host, 100))
		case !ok:
			return nil, fmt.Errorf("refused a redirect by %s: it does not lead to a repository", s.host)
		}
		at.Path = path
	}
	return nil, fmt.Errorf("refused to follow more than %d redirects of %s", maxRedirects, s.host)
}

func redirects(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// call sends a request to a service and returns the body of the answer.
func (s *session) call(ctx context.Context, service string, body []byte) (io.ReadCloser, error) {
	u := *s.base
	u.Path += "/" + service
	resp, err := s.send(ctx, http.MethodPost, &u, body, "application/x-"+service+"-request", "application/x-"+service+"-result")
	if err != nil {
		return nil, err
	}
	if err := s.judge(resp, "application/x-"+service+"-result"); err != nil {
		return nil, err
	}
	return resp.Body, nil
}

func (s *session) send(ctx context.Context, method string, u *url.URL, body []byte, sent, accepted string) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	w := &watch{cancel: cancel, limit: s.stall}
	w.timer = time.AfterFunc(s.stall, w.expire)
	var reader io.Reader
	if body != nil {
		reader = &watched{ReadCloser: io.NopCloser(bytes.NewReader(body)), watch: w}
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), reader)
	if err != nil {
		w.stop()
		return nil, err // unreachable: the address was parsed before
	}
	req.ContentLength = int64(len(body))
	req.Header.Set("User-Agent", agent)
	req.Header.Set("Pragma", "no-cache")
	if sent != "" {
		req.Header.Set("Content-Type", sent)
		req.Header.Set("Accept", accepted)
	}
	if s.password != "" {
		req.SetBasicAuth(s.user, s.password)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		err = s.fault(ctx, err)
		w.stop()
		return nil, err
	}
	resp.Body = &watched{ReadCloser: resp.Body, watch: w, fault: func(err error) error { return s.fault(ctx, err) }, last: true}
	return resp, nil
}

// judge makes an error of every answer that is not the one asked for.
func (s *session) judge(resp *http.Response, kind string) error {
	status := resp.StatusCode
	if status == http.StatusOK && strings.EqualFold(resp.Header.Get("Content-Type"), kind) {
		return nil
	}
	io.Copy(io.Discard, io.LimitReader(resp.Body, 4096))
	resp.Body.Close()
	switch {
	case status == http.StatusOK:
		return fmt.Errorf("%s: %w: its answer is not git's smart protocol", s.host, ErrNotFound)
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return &AuthError{Host: s.host, Status: status, Sent: s.password != ""}
	case status == http.StatusNotFound || status == http.StatusGone:
		return fmt.Errorf("%s%s: %w", s.host, clean(s.base.Path, 200), ErrNotFound)
	case status >= 500 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout:
		return fmt.Errorf("%s: %w: it answered %d", s.host, ErrTransient, status)
	case redirects(status):
		return fmt.Errorf("refused a redirect by %s in the middle of an operation", s.host)
	}
	return fmt.Errorf("%s answered %d", s.host, status)
}

var errStalled = errors.New("it sent nothing for too long")

// fault makes an error of ours of what net/http says, whose own words repeat addresses.
func (s *session) fault(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, errStalled) {
		err = cause
	} else if ctx.Err() != nil {
		return cause
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return fmt.Errorf("%s: %w: %s", s.host, ErrTransient, clean(err.Error(), 200))
}

// A watch ends a request in which nothing moves.
type watch struct {
	cancel context.CancelCauseFunc
	limit  time.Duration
	timer  *time.Timer
}

func (w *watch) expire() { w.cancel(errStalled) }

func (w *watch) stop() {
	w.timer.Stop()
	w.cancel(nil)
}

type watched struct {
	io.ReadCloser
	watch *watch
	fault func(error) error
	last  bool // closing it ends the request
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	if n > 0 {
		w.watch.timer.Reset(w.watch.limit)
	}
	if err != nil && !errors.Is(err, io.EOF) && w.fault != nil {
		err = w.fault(err)
	}
	return n, err
}

func (w *watched) Close() error {
	err := w.ReadCloser.Close()
	if w.last {
		w.watch.stop()
	}
	return err
}
