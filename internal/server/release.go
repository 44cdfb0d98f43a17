package server

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/pinnace-dev/pinnace/internal/event"
)

// release frees a repository that was put aside. Only the token opens it: an address is not
// enough for what changes something.
func (s *Server) release(w http.ResponseWriter, r *http.Request) {
	if s.o.Token == "" || !s.trusts(r) {
		http.NotFound(w, r)
		return
	}
	hold(r.Context())
	installation, err := strconv.ParseInt(r.PathValue("installation"), 10, 64)
	repository, err2 := strconv.ParseInt(r.PathValue("repository"), 10, 64)
	if err != nil || err2 != nil || installation < 1 || repository < 0 {
		http.Error(w, "name the numbers that /status shows: POST /release/INSTALLATION/REPOSITORY", http.StatusBadRequest)
		return
	}
	subject := event.Subject{Installation: installation, Repository: repository}
	if err := s.o.Release(r.Context(), subject); err != nil {
		s.o.Log.ErrorContext(r.Context(), "release", "error", clip(err))
		brokeDown.write(w)
		return
	}
	s.o.Log.InfoContext(r.Context(), "released", "installation", installation, "repository", repository)
	w.WriteHeader(http.StatusAccepted)
	fmt.Fprintln(w, "it is looked at now")
}
