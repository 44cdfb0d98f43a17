package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/github"
	"github.com/pinnace-dev/pinnace/internal/image"
)

// A notifier is how a kind of registry notifies.
type notifier struct {
	types  []string                                           // of content
	opened func(*http.Request, []github.Secret) bool          // by the header; nil = by the body's signature
	images func(body []byte) (references []string, err error) // that were pushed
}

var registries = map[Registry]notifier{
	Distribution: {
		types: []string{
			"application/vnd.docker.distribution.events.v1+json", "application/vnd.docker.distribution.events.v2+json", "application/json",
		},
		opened: authorized, images: ofDistribution,
	},
	Harbor:    {types: []string{"application/json", "application/cloudevents+json"}, opened: authorized, images: ofHarbor},
	DockerHub: {types: []string{"application/json"}, opened: addressed, images: ofDockerHub},
	Generic:   {types: []string{"application/json"}, images: ofGeneric},
}

// maxImages is how many images one notification may name.
const maxImages = 100

func authorized(r *http.Request, secrets []github.Secret) bool {
	return among(secrets, bearer(r.Header))
}

// addressed looks for the secret in the address: Docker Hub can send it nowhere else
// (https://docs.docker.com/docker-hub/repos/manage/webhooks/).
func addressed(r *http.Request, secrets []github.Secret) bool {
	if token := r.PathValue("token"); token != "" {
		return among(secrets, token)
	}
	tokens := r.URL.Query()["token"]
	return len(tokens) == 1 && among(secrets, tokens[0])
}

// notify returns the handler of a kind's endpoint.
func (s *Server) notify(kind Registry) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		n := note{door: string(kind), began: s.now()}
		a := brokeDown
		defer func() { s.tell(r.Context(), n, a) }()
		a = s.notice(w, r, kind, &n)
		a.write(w)
	}
}

func (s *Server) notice(w http.ResponseWriter, r *http.Request, kind Registry, n *note) answer {
	form, secrets := registries[kind], s.o.RegistrySecrets[kind]
	sum, signed := signature(r.Header)
	switch {
	case form.opened != nil && !form.opened(r, secrets), form.opened == nil && !signed:
		return unsigned
	case !plain(r.Header, form.types...):
		return notJSON
	}
	body, release, err := s.read(w, r, s.limits.notice)
	defer release()
	if err != nil {
		return ofBody(err)
	}
	n.size = len(body)
	if form.opened == nil && github.ValidateSignature(secrets, sum, body) != nil {
		return unsigned
	}
	n.trusted = true
	hold(r.Context())
	if !s.pace[kind].ok() {
		return tooMany
	}
	references, err := form.images(body)
	if err != nil {
		n.err = err
		return unreadable
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), s.limits.push)
	defer cancel()
	told := map[string]bool{}
	for _, text := range references {
		ref, err := image.Parse(text)
		if err != nil || ref.Tag == "" && ref.Digest == "" || told[ref.String()] {
			continue
		}
		told[ref.String()] = true
		if len(told) > maxImages {
			break
		}
		if err := s.hint(ctx, ref.String()); err != nil {
			n.err = err
			return notKept
		}
	}
	if len(told) == 0 {
		return ignored
	}
	return accepted
}

var errBusy = errors.New("too many hints are under way")

// hint passes on an image that was pushed.
func (s *Server) hint(ctx context.Context, reference string) error {
	if s.o.Pushed == nil {
		return nil
	}
	select {
	case s.hints <- struct{}{}:
		defer func() { <-s.hints }()
	case <-ctx.Done():
		return fmt.Errorf("tell of %s: %w", reference, errBusy)
	}
	if err := s.o.Pushed(ctx, reference); err != nil {
		return fmt.Errorf("tell of %s: %w", reference, err)
	}
	return nil
}

// tagged joins a reference, or returns "" where there is no tag.
func tagged(host, repository, tag string) string {
	if host == "" || repository == "" || tag == "" {
		return ""
	}
	return strings.TrimSuffix(host, "/") + "/" + repository + ":" + tag
}
