package proof

import (
	"fmt"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
	"github.com/pinnace-dev/pinnace/internal/store/postgres"
)

// A stop holds one call of the program until it is let go.
type stop struct {
	mu     sync.Mutex
	method string
	route  string
	count  int // calls to let by
	came   chan struct{}
	free   chan struct{}
	held   bool
	let    bool // it goes on
}

func newStop(method, route string, after int) *stop {
	return &stop{method: method, route: route, count: after, came: make(chan struct{}), free: make(chan struct{})}
}

// fault is what a hook of the sandbox asks.
func (x *stop) fault(c sandbox.Call) sandbox.Fault {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.held || c.Method != x.method || c.Route != x.route {
		return sandbox.Fault{}
	}
	if x.count > 0 {
		x.count--
		return sandbox.Fault{}
	}
	x.held = true
	close(x.came)
	return sandbox.Fault{Delay: func() { <-x.free }}
}

// hasCome says whether the call is held.
func (x *stop) hasCome() bool {
	select {
	case <-x.came:
		return true
	default:
		return false
	}
}

// lease is how long a repository stays with a process that is stopped.
const lease = "3s"

// Of five processes the one that works is stopped in the middle of a visit, for longer than its
// lease: GitHub has done what it asked for last, and it has not heard the answer. Another one
// takes over and brings the work to its end. When the first goes on it finds out that its lease
// is over, and writes nothing more.
func TestStoppedBeyondItsLease(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]struct{ method, path string }{
		"reading":                   {"GET", `^/repos/acme/config/issues/comments$`},
		"before it writes":          {"GET", `^/acme/config.git/info/refs$`},
		"having pushed":             {"POST", `/git-receive-pack$`},
		"having opened":             {"POST", `^/repos/acme/config/pulls$`},
		"having labelled":           {"POST", `/labels$`},
		"having written its check":  {"POST", `^/repos/acme/config/check-runs$`},
		"having changed its check":  {"PATCH", `^/repos/acme/config/check-runs/`},
		"having merged":             {"PUT", `/merge$`},
		"having answered a comment": {"POST", `/comments$`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStory(t)
			h := s.host(postgres.Start(t), "--lease", lease)
			for range 5 {
				h.start()
			}
			h.rest()
			s.issue = s.config.Issue("bob", "Requests", "")
			h.rest()
			x := s.hold(at.method, at.path)
			s.says(s.issue, "bob", "/promote shop to staging")
			s.await(at.method+" "+at.path, func() bool { return isClosed(x.came) })
			victim := x.by
			victim.freeze()
			fence, _ := h.lease("config")
			s.await("its lease to be over", func() bool {
				now, held := h.lease("config")
				return now > fence || !held
			})
			s.await("the others to finish", func() bool { return s.has(stagingFile, "shop:1.1") && s.isDone(victim) })
			x.release()
			victim.thaw()
			s.await(victim.name+" to find out that its lease is over", victim.lost)
			h.rest()
			h.isAtRest()
			s.holds(t)
			if n := len(s.answers(s.issue)); n != 1 {
				t.Errorf("bob was answered %d times", n)
			}
		})
	}
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// isDone says whether bob was answered, and nothing is being done but by a process that is
// stopped.
func (s *story) isDone(stopped *process) bool {
	if len(s.answers(s.issue)) == 0 {
		return false
	}
	idle := true
	s.each(func(p *process) {
		if p != stopped {
			p.mu.Lock()
			defer p.mu.Unlock()
			for _, n := range p.now {
				idle = idle && n == 0
			}
		}
	})
	return idle
}

// answers are the comments of Pinnace in a thread.
func (s *story) answers(thread int) []promotion.Comment {
	return slices.DeleteFunc(s.config.Comments(thread), func(c promotion.Comment) bool { return c.Author.ID != s.app.Bot().ID })
}

// holds requires what is so of every world at rest.
func (s *story) holds(t *testing.T) {
	t.Helper()
	for _, v := range s.Violations() {
		t.Error(v)
	}
	for _, r := range s.repositories() {
		open := map[string]int{}
		for _, q := range r.PullRequests() {
			if q.State == promotion.Open {
				if open[q.Head.Ref]++; open[q.Head.Ref] > 1 {
					t.Errorf("%s has several open pull requests from %s", r.FullName(), q.Head.Ref)
				}
			}
		}
	}
}

// A wire is a connection to PostgreSQL that can be cut.
type wire struct {
	listener net.Listener
	to       string
	relay    func(client, server net.Conn) // nil passes on whatever comes

	mu    sync.Mutex
	cut   bool
	conns []net.Conn
}

// newWire leads to the server of a database, and returns the URL that goes through it.
func newWire(t testing.TB, database string) (*wire, string) {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	x := &wire{to: filepath.Join(u.Query().Get("host"), ".s.PGSQL.5432")}
	if x.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	go x.serve()
	t.Cleanup(func() { x.listener.Close(); x.set(true) })
	return x, fmt.Sprintf("postgres://%s@%s%s?sslmode=disable", u.User.Username(), x.listener.Addr(), u.Path)
}

func (x *wire) serve() {
	for {
		in, err := x.listener.Accept()
		if err != nil {
			return
		}
		x.mu.Lock()
		cut := x.cut
		x.mu.Unlock()
		if cut {
			in.Close()
			continue
		}
		out, err := net.Dial("unix", x.to)
		if err != nil {
			in.Close()
			continue
		}
		x.mu.Lock()
		x.conns = append(x.conns, in, out)
		x.mu.Unlock()
		if x.relay != nil {
			go x.relay(in, out)
			continue
		}
		go func() { _, _ = io.Copy(out, in); out.Close() }()
		go func() { _, _ = io.Copy(in, out); in.Close() }()
	}
}

// set cuts the wire, or mends it.
func (x *wire) set(cut bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.cut = cut
	if cut {
		for _, c := range x.conns {
			c.Close()
		}
		x.conns = nil
	}
}

// One of two processes loses its database in the middle of a visit. The other one goes on, and
// nothing is written twice when the first has it back.
func TestPartitionFromTheDatabase(t *testing.T) {
	t.Parallel()
	s := newStory(t)
	database := postgres.Start(t)
	x, through := newWire(t, database)
	h := s.host(through, "--lease", lease)
	first := h.start()
	h.rest()
	hold := newStop("POST", "/repos/{owner}/{repo}/pulls", 0)
	s.Inject(func(c sandbox.Call) sandbox.Fault { s.count(c); return hold.fault(c) })
	s.issue = s.config.Issue("bob", "Requests", "")
	s.says(s.issue, "bob", "/promote shop to staging")
	s.await("the pull request to be opened", hold.hasCome)
	x.set(true)
	h.database = database
	h.start() // it is not cut off
	s.Inject(func(c sandbox.Call) sandbox.Fault { s.count(c); return sandbox.Fault{} })
	s.await("the other process to go on", func() bool {
		text, _ := s.config.File("main", stagingFile)
		return strings.Contains(text, s.digests["shop:1.1"])
	})
	hold.release()
	x.set(false)
	if first.isGone() {
		t.Errorf("a process that lost its database ended:\n%s", first.out)
	}
	h.rest()
	h.isAtRest()
	s.holds(t)
}

// The database is gone for all for a while; deliveries are refused meanwhile, so that GitHub
// knows them as failed, and are made up for.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	s := newStory(t)
	x, through := newWire(t, postgres.Start(t))
	h := s.host(through, "--lease", lease)
	for range 2 {
		h.start()
	}
	h.rest()
	x.set(true)
	s.issue = s.config.Issue("bob", "Requests", "")
	s.says(s.issue, "bob", "/promote shop to staging")
	s.await("the delivery to be refused", func() bool {
		return slices.ContainsFunc(s.Deliveries(), func(d sandbox.Delivery) bool {
			return d.Event == "issue_comment" && (d.Status == 0 || d.Status >= 500)
		})
	})
	x.set(false)
	for _, p := range h.running() { // a sweep comes with each start, and every five minutes
		h.replace(p)
	}
	h.rest()
	s.runs(stagingFile, "shop:1.1")
	h.isAtRest()
	s.holds(t)
}

// Processes are replaced one after the other while people go on asking: nothing is lost, and
// nothing is done twice.
func TestRollingRestart(t *testing.T) {
	t.Parallel()
	want := undisturbed(t)
	s := newStory(t)
	h := s.host(postgres.Start(t), "--lease", lease)
	for range 3 {
		h.start()
	}
	for i, step := range steps {
		step.do(s)
		h.replace(h.running()[i%3]) // while it is worked on
		h.rest()
		if step.then != nil {
			step.then(s)
		}
		if got := s.ending(); got != want.endings[i] {
			t.Fatalf("step %d, %q, ends otherwise (-without +with restarts):\n%s", i, step.name, difference(want.endings[i], got))
		}
	}
	h.isAtRest()
	s.holds(t)
}
