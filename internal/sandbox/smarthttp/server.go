package smarthttp

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/storer"
)

var (
	// ErrNotFound: no such repository, or none that the user may know of; 404.
	ErrNotFound = errors.New("repository not found")
	// ErrUnauthorized: no credentials, or wrong ones; 401.
	ErrUnauthorized = errors.New("authentication required")
)

// ErrForbidden is an error of [Server.Open] that answers 403 with its text, which
// git shows to the user: "Permission to acme/config.git denied to bob."
type ErrForbidden string

func (e ErrForbidden) Error() string { return string(e) }

// A Server is an [http.Handler] for git clients.
type Server struct {
	// Open finds the repository for the path before /info/refs, /git-upload-pack or
	// /git-receive-pack ("/acme/config.git"), and says whether the request may read
	// it or, where write is set, push to it. It returns [ErrNotFound],
	// [ErrUnauthorized] or an [ErrForbidden], wrapped or not; any other error is 500.
	Open func(r *http.Request, path string, write bool) (*Repository, error)
}

// A Storer keeps a repository. Its Shallow commits are those whose parents it lacks.
type Storer interface {
	storer.EncodedObjectStorer
	storer.ReferenceStorer
	storer.ShallowStorer
}

// A Repository is what a request works on.
type Repository struct {
	Storer Storer
	// Lock is held around each use of Storer and around Update and Updated. It is
	// required, and one for all requests to the same Storer.
	Lock sync.Locker
	// Head is the branch that HEAD names ("refs/heads/main"); it need not exist. Where
	// it is empty, there is no HEAD.
	Head string
	// Hidden reports the references that a push neither sees nor moves, as GitHub's
	// refs/pull/1/head. Fetches see them. It may be nil.
	Hidden func(ref string) bool
	// Update is asked under the lock, before a reference moves. A text refuses: its
	// first line is reported for the reference ("protected branch hook declined"), the
	// further ones are shown to the user ("error: GH006: ..."). It may be nil.
	Update func(Command) string
	// Updated is told of the references that moved, under the same hold of the lock
	// and before the client has its answer. It may be nil.
	Updated func([]Command)
	// AllowAnySHA1InWant serves wants of every object that is here, as GitHub does;
	// otherwise a want is reachable from a reference.
	AllowAnySHA1InWant bool
}

// A Command moves a reference. The zero hash as Old creates it, as New deletes it.
type Command struct {
	Ref      string
	Old, New plumbing.Hash
	// Forced: there are an Old and a New, and Old is not an ancestor of New.
	Forced bool
	// Objects is the repository with what the push brings. It is set for Update only.
	Objects storer.EncodedObjectStorer
}

const (
	uploadPack  = "git-upload-pack"
	receivePack = "git-receive-pack"

	agent = "agent=git/pinnace-sandbox"
)

// ServeHTTP answers a request of a git client.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	noCache(w.Header())
	path, door := route(r.URL.Path)
	service := door
	switch door {
	case "":
		refuse(w, http.StatusNotFound, "Not Found")
		return
	case infoRefs:
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			notAllowed(w, "GET, HEAD")
			return
		}
		service = r.URL.Query().Get("service")
		if service == "" {
			refuse(w, http.StatusForbidden, "Please upgrade your git client: git over dumb-http is not supported.")
			return
		}
		if service != uploadPack && service != receivePack {
			refuse(w, http.StatusForbidden, "Unsupported service.")
			return
		}
	default:
		if r.Method != http.MethodPost {
			notAllowed(w, http.MethodPost)
			return
		}
	}
	repo, err := s.Open(r, path, service == receivePack)
	if err != nil {
		denied(w, r, err)
		return
	}
	version := protocolVersion(r.Header)
	if door == infoRefs {
		repo.advertise(w, service, version)
		return
	}
	if r.Header.Get("Content-Type") != "application/x-"+service+"-request" {
		refuse(w, http.StatusUnsupportedMediaType, "Unsupported Media Type")
		return
	}
	switch {
	case service == receivePack:
		repo.receive(w, r)
	case version == 2:
		repo.command(w, r)
	default:
		repo.upload(w, r)
	}
}

const infoRefs = "info/refs"

// route splits the path of a URL into a repository's and what is asked of it.
func route(path string) (repo, door string) {
	for _, door := range []string{infoRefs, uploadPack, receivePack} {
		if repo, ok := strings.CutSuffix(path, "/"+door); ok {
			return repo, door
		}
	}
	return "", ""
}

// protocolVersion is the highest version that the client asks for, 0 without one.
// https://git-scm.com/docs/protocol-v2#_http_transport
func protocolVersion(h http.Header) int {
	for _, part := range strings.Split(h.Get("Git-Protocol"), ":") {
		if part == "version=2" {
			return 2
		}
	}
	return 0
}

// noCache sets what git http-backend sends with everything that may change.
func noCache(h http.Header) {
	h.Set("Expires", "Fri, 01 Jan 1980 00:00:00 GMT")
	h.Set("Pragma", "no-cache")
	h.Set("Cache-Control", "no-cache, max-age=0, must-revalidate")
}

// refuse answers with a text, of which git shows each line after "remote: ".
func refuse(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text+"\n")
}

func notAllowed(w http.ResponseWriter, methods string) {
	w.Header().Set("Allow", methods)
	refuse(w, http.StatusMethodNotAllowed, "Method Not Allowed")
}

func denied(w http.ResponseWriter, r *http.Request, err error) {
	var forbidden ErrForbidden
	switch {
	case errors.As(err, &forbidden):
		refuse(w, http.StatusForbidden, string(forbidden))
	case errors.Is(err, ErrUnauthorized):
		w.Header().Set("WWW-Authenticate", `Basic realm="GitHub"`)
		if r.Header.Get("Authorization") == "" {
			refuse(w, http.StatusUnauthorized, "Repository not found.")
			return
		}
		refuse(w, http.StatusUnauthorized, "Invalid username or token. Password authentication is not supported for Git operations.")
	case errors.Is(err, ErrNotFound):
		refuse(w, http.StatusNotFound, "Repository not found.")
	default:
		refuse(w, http.StatusInternalServerError, "Internal Server Error")
	}
}
