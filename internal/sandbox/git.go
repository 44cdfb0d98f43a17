package sandbox

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/sandbox/smarthttp"
)

func gitPath(path string) bool {
	for _, tail := range []string{"/info/refs", "/git-upload-pack", "/git-receive-pack"} {
		if strings.HasSuffix(path, tail) {
			return strings.Count(strings.TrimSuffix(path, tail), "/") == 2
		}
	}
	return false
}

// serveGit serves git over HTTP on the same objects and refs.
func (s *Sandbox) serveGit(w http.ResponseWriter, r *http.Request) {
	service := r.URL.Query().Get("service")
	if i := strings.LastIndex(r.URL.Path, "/git-"); i >= 0 {
		service = r.URL.Path[i+1:]
	}
	f := s.befall(r.Method, service, r.URL.Path)
	q := Request{Method: r.Method, Route: service, Path: r.URL.Path, Actor: "anonymous"}
	end := func(status int) {
		s.mu.Lock()
		defer s.mu.Unlock()
		q.Status = status
		if by, no := s.authenticate(r.Header); no == nil {
			q.Actor = by.name()
		}
		s.note(q)
	}
	if f.Before != nil {
		end(f.Before.Status)
		f.Before.write(w)
		return
	}
	if to := s.movedGit(r); to != "" {
		end(http.StatusMovedPermanently)
		http.Redirect(w, r, to, http.StatusMovedPermanently)
		return
	}
	h := &smarthttp.Server{Open: s.openGit}
	if f.After != nil {
		record(h, r)
		end(f.After.Status)
		f.After.write(w)
		return
	}
	sw := &statusWriter{ResponseWriter: w, status: http.StatusOK}
	h.ServeHTTP(sw, r)
	end(sw.status)
}

// A statusWriter remembers the status.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the status and passes it on.
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Flush passes on to who can.
func (w *statusWriter) Flush() {
	if f, ok := w.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}

// movedGit is where a repository that was renamed is now.
func (s *Sandbox) movedGit(r *http.Request) string {
	parts := strings.SplitN(strings.Trim(r.URL.Path, "/"), "/", 3)
	s.mu.Lock()
	defer s.mu.Unlock()
	key := strings.ToLower(parts[0] + "/" + strings.TrimSuffix(parts[1], ".git"))
	repo := s.former[key]
	if repo == nil || s.names[key] != nil {
		return ""
	}
	u := url.URL{Path: "/" + repo.fullName() + ".git/" + parts[2], RawQuery: r.URL.RawQuery}
	return s.URL() + u.String()
}

// openGit finds a repository for git. A token goes as the password, or is a bearer's; that
// of an App needs contents, a person's the role.
// https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/authenticating-as-a-github-app-installation#about-authentication-as-a-github-app-installation
func (s *Sandbox) openGit(r *http.Request, path string, write bool) (*smarthttp.Repository, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	by, no := s.authenticate(r.Header)
	if no != nil {
		if no.status == http.StatusForbidden {
			return nil, smarthttp.ErrForbidden("Your account is suspended. Please check with your installation administrator.")
		}
		return nil, smarthttp.ErrUnauthorized
	}
	repo := s.names[strings.ToLower(strings.TrimSuffix(strings.Trim(path, "/"), ".git"))]
	if repo == nil || !by.sees(repo) {
		if by.who == nil {
			return nil, smarthttp.ErrUnauthorized
		}
		return nil, smarthttp.ErrNotFound
	}
	needs, role := "contents:read", anyone
	if write {
		needs, role = "contents:write", writer
	}
	if write && by.who == nil {
		return nil, smarthttp.ErrUnauthorized
	}
	if by.may(repo, needs, role) != nil {
		return nil, smarthttp.ErrForbidden("Permission to " + repo.fullName() + ".git denied to " + by.name() + ".")
	}
	if write && repo.archived {
		return nil, smarthttp.ErrForbidden("This repository was archived so it is read-only.")
	}
	repo.settle()
	return &smarthttp.Repository{
		Storer: repo.store, Lock: &s.mu, Head: branch(repo.o.DefaultBranch).String(), AllowAnySHA1InWant: true,
		Hidden: func(ref string) bool { return strings.HasPrefix(ref, "refs/pull/") },
		Update: func(c smarthttp.Command) string { return repo.declined(by, c) },
		Updated: func(list []smarthttp.Command) {
			var moved []update
			for _, c := range list {
				moved = append(moved, update{ref: refName(c.Ref), old: c.Old, now: c.New})
			}
			repo.apply(by, moved...)
		},
	}, nil
}

// declined judges a push, with the objects that it would bring.
func (r *Repository) declined(by *actor, c smarthttp.Command) string {
	view := *r
	if c.Objects != nil {
		view.objects = c.Objects
	}
	why := view.allowed(by, update{ref: refName(c.Ref), old: c.Old, now: c.New})
	switch {
	case why == "":
		return ""
	case strings.HasPrefix(why, "refusing") || strings.HasPrefix(why, "deny"):
		return why
	}
	return "push declined due to repository rule violations\nerror: GH013: Repository rule violations found for " + c.Ref + ".\n" + why
}
