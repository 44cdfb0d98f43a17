package sandbox

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

// TB is what a sandbox needs of *testing.T.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
}

// Options of a sandbox; the zero value is one that collects violations and reads the clock
// of the machine.
type Options struct {
	Now     func() time.Time  // nil: time.Now
	T       TB                // nil: violations are only collected
	Log     *slog.Logger      // one line a request; nil: none
	Ours    func(Commit) bool // whether a commit was made by the bot; nil: by the author's e-mail
	Observe func(Exchange)    // sees each exchange of the REST API after it; may be called at once
	Limits  Limits

	// SlowMergeability lets the first read of a pull request after a change of its head or
	// base say "mergeable": null, as GitHub does while it works the answer out.
	// https://docs.github.com/en/rest/pulls/pulls#get-a-pull-request
	SlowMergeability bool
}

// Limits are those of one identity, and of answers; 0 is unlimited unless it says otherwise.
// https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
type Limits struct {
	Primary int // requests an hour
	Content int // content-creating requests a minute
	Points  int // points a minute: 1 for GET, 5 for the rest
	Tree    int // entries of a recursive tree before it says truncated; 0 is 100,000
}

// A Sandbox is a GitHub and an OCI registry. Its methods may be called at once.
type Sandbox struct {
	o        Options
	routes   []route
	listener net.Listener
	server   *http.Server
	images   *shelf

	mu            sync.Mutex // owns what follows, and every object of every repository
	last          int64      // of the numbers given out
	accounts      map[int64]*account
	people        map[string]*account // by lower-case login
	repos         map[int64]*Repository
	names         map[string]*Repository // by lower-case owner/name
	former        map[string]*Repository // names that moved
	tokens        map[string]*actor
	apps          map[int64]*App
	installations map[int64]*installation
	manifests     map[string]*App  // by code, until converted
	flow          *account         // web-flow, which commits what GitHub does itself
	visitor       *account         // who sits at the browser
	logins        map[string]login // by code, until exchanged
	deliveries    []*delivery
	unsent        int           // before it all deliveries were sent
	woken         chan struct{} // holds a value where a delivery came
	violations    []string
	requests      []Request
	counts        map[string]int // of calls, by method and route
	used          map[string]*usage
	fault         func(Call) Fault
	memory        map[string]*remembered // the last two answers of each read
	version       int                    // rises with every write
}

// New makes an empty world. It serves once it was started, or as an http.Handler.
func New(o Options) *Sandbox {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Sandbox{
		o: o, accounts: map[int64]*account{}, people: map[string]*account{}, logins: map[string]login{},
		repos: map[int64]*Repository{}, names: map[string]*Repository{}, former: map[string]*Repository{},
		tokens: map[string]*actor{}, apps: map[int64]*App{}, installations: map[int64]*installation{},
		manifests: map[string]*App{}, counts: map[string]int{}, used: map[string]*usage{},
		memory: map[string]*remembered{}, last: 1000, woken: make(chan struct{}, 1),
	}
	s.images = newShelf(s)
	s.routes = routes()
	s.flow = s.known(19864447, "web-flow", "User")
	return s
}

// Start listens on the loopback address.
func (s *Sandbox) Start() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("starting the sandbox: %w", err)
	}
	if err := s.images.start(); err != nil {
		_ = l.Close()
		return fmt.Errorf("starting the sandbox: %w", err)
	}
	s.listener = l
	s.server = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, ErrorLog: quiet}
	go func() { _ = s.server.Serve(l) }()
	return nil
}

// Close stops serving; what was in flight is cut off.
func (s *Sandbox) Close() {
	if s.server != nil {
		_ = s.server.Close()
	}
	s.images.close()
}

// URL returns the root: the REST API is at /api/v3, GraphQL at /api/graphql, git at
// /OWNER/NAME.git, as on GitHub Enterprise Server.
// https://docs.github.com/en/enterprise-server@latest/rest/quickstart
func (s *Sandbox) URL() string {
	if s.listener == nil {
		return "http://github.test"
	}
	return "http://" + s.listener.Addr().String()
}

func (s *Sandbox) api() string { return s.URL() + "/api/v3" }

// Violations lists what was done against the rules, in order: requests to unknown routes,
// and what no client of ours may do.
func (s *Sandbox) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.violations...)
}

// violation records a broken rule. The caller holds mu.
func (s *Sandbox) violation(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	s.violations = append(s.violations, text)
	if s.o.T != nil {
		s.o.T.Helper()
		s.o.T.Errorf("sandbox: %s", text)
	}
}

func (s *Sandbox) now() time.Time { return s.o.Now().UTC().Truncate(time.Second) }

func (s *Sandbox) next() int64 {
	s.last++
	return s.last
}

// A Commit as the rules about authorship see it.
type Commit struct {
	SHA                           string
	AuthorName, AuthorEmail       string
	CommitterName, CommitterEmail string
	Message                       string
	Parents                       []string
	Verified                      bool
}

func (s *Sandbox) ours(by *actor, c Commit) bool {
	if s.o.Ours != nil {
		return s.o.Ours(c)
	}
	return by.who != nil && strings.EqualFold(c.AuthorEmail, by.who.email)
}

func short(h plumbing.Hash) string { return h.String()[:7] }
