package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/github"
)

// An Inbox keeps deliveries.
type Inbox interface {
	// Accept returns once the delivery is kept for good; fresh says that it was not kept
	// before. An error says that it is not kept. Several goroutines call it.
	Accept(ctx context.Context, d event.Delivery) (fresh bool, err error)
}

// An Observer hears of what came in.
type Observer interface {
	// Event tells GitHub's name of an event, or "registry", and what became of it: accepted,
	// duplicate, ignored (of no use to us), refused (not signed, too large) or failed (not kept).
	// The name of a refused one is what a stranger says.
	Event(name, outcome string)
	// Accepted tells how long a delivery that is now kept took, from its header to the answer.
	Accepted(time.Duration)
}

// A Check is something that must work for the server to be of use.
type Check struct {
	Name string // a word or two
	Run  func(context.Context) error
}

// A Registry is a kind of registry, by the name in its endpoint's path.
type Registry string

// The registries whose notifications are understood.
const (
	Distribution Registry = "distribution"
	Harbor       Registry = "harbor"
	DockerHub    Registry = "dockerhub"
	Generic      Registry = "generic"
)

// Options say what a [Server] serves.
type Options struct {
	// Secrets are the webhook's: one, or the new and the old one. None is right only while the
	// server is being set up.
	Secrets []github.Secret
	Inbox   Inbox
	// Pushed takes the reference of an image that was pushed, with a tag or a digest: hints for
	// a watcher, by registries and by GitHub's events of packages, which then are no looks. An
	// error makes a registry tell again. Nil drops them.
	Pushed func(ctx context.Context, image string) error
	// RegistrySecrets open the endpoints of the registries named, each to its own.
	RegistrySecrets map[Registry][]github.Secret
	Ready           []Check
	Metrics         http.Handler                       // nil = no /metrics
	Status          func(context.Context) (any, error) // a value for JSON; nil = no /status
	// Release has a repository that was put aside looked at again; nil = no /release.
	Release func(context.Context, event.Subject) error
	// Token opens /release, /metrics, /status and the reasons of /readyz. Without one they are open to
	// private addresses that no proxy speaks for.
	Token github.Secret
	// Setup serves /setup/.
	Setup    http.Handler
	Log      *slog.Logger // nil = nowhere
	Observer Observer     // nil = nobody
	Version  string
	// Drain is how long the server goes on to serve while /readyz says that it stops, so that
	// whoever distributes requests hears of it first.
	Drain time.Duration
}

// A Server answers HTTP.
type Server struct {
	o        Options
	limits   limits
	small    budget
	large    budget
	hints    chan struct{} // a place for each call of Pushed
	pace     map[Registry]pacer
	noise    pacer // of lines about requests that were refused
	ready    readiness
	handler  http.Handler
	now      func() time.Time
	after    func(time.Duration) <-chan time.Time
	stopping chan struct{} // closed once it stops
}

// limits bound what strangers can make the server do.
type limits struct {
	body        int64 // bytes of a delivery
	notice      int64 // bytes of a registry's notification
	lane        int64 // bytes of a body that count as small
	small       int64 // bytes of all bodies' small parts
	large       int64 // bytes of all bodies' further parts
	grace       time.Duration
	rate        int64 // bytes in a second that a body must come with after grace
	bodyTime    time.Duration
	header      time.Duration
	idle        time.Duration
	write       time.Duration
	connections int
	accept      time.Duration // for the inbox
	push        time.Duration // for Pushed
	pushes      int           // calls of Pushed at once
	check       time.Duration
	shutdown    time.Duration
}

var usual = limits{
	body: 25 << 20, notice: 1 << 20,
	lane: 256 << 10, small: 32 << 20, large: 64 << 20,
	grace: 2 * time.Second, rate: 32 << 10, bodyTime: 10 * time.Second,
	header: 5 * time.Second, idle: 75 * time.Second, write: 30 * time.Second,
	connections: 2048,
	accept:      8 * time.Second, push: 5 * time.Second, pushes: 16,
	check: 2 * time.Second, shutdown: 15 * time.Second,
}

// New returns a server.
func New(o Options) (*Server, error) {
	s := &Server{o: o, now: time.Now, after: time.After, stopping: make(chan struct{})}
	switch {
	case len(o.Secrets) > 2:
		return nil, errors.New("there are more than two webhook secrets: keep the new and the old one")
	case len(o.Secrets) == 0 && o.Setup == nil:
		return nil, errors.New("there is no webhook secret: anybody could send deliveries")
	case len(o.Secrets) > 0 && o.Inbox == nil:
		return nil, errors.New("there is no inbox to keep deliveries in")
	}
	if err := usable(o.Secrets); err != nil {
		return nil, fmt.Errorf("webhook secret: %w", err)
	}
	for kind, secrets := range o.RegistrySecrets {
		if _, known := registries[kind]; !known {
			return nil, fmt.Errorf("registry %q is not known: want distribution, harbor, dockerhub or generic", kind)
		}
		if len(secrets) == 0 {
			return nil, fmt.Errorf("registry %s has no secret: anybody could send notifications", kind)
		}
		if err := usable(secrets); err != nil {
			return nil, fmt.Errorf("secret of registry %s: %w", kind, err)
		}
	}
	if s.o.Log == nil {
		s.o.Log = slog.New(slog.DiscardHandler)
	}
	if s.o.Observer == nil {
		s.o.Observer = nobody{}
	}
	s.bound(usual)
	s.handler = s.routes()
	return s, nil
}

// bound sets the limits.
func (s *Server) bound(l limits) {
	s.limits = l
	s.small.left.Store(l.small)
	s.large.left.Store(l.large)
	s.hints = make(chan struct{}, l.pushes)
	s.pace = map[Registry]pacer{}
	for kind := range registries {
		s.pace[kind] = newPacer(20, 200)
	}
	s.noise = newPacer(1, 20)
}

func usable(secrets []github.Secret) error {
	for _, secret := range secrets {
		if secret == "" {
			return errors.New("it is empty")
		}
	}
	return nil
}

type nobody struct{}

func (nobody) Event(string, string)   {}
func (nobody) Accepted(time.Duration) {}
