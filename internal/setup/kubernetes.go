package setup

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/github"
)

// The keys of the Kubernetes Secret.
const (
	IDKey = "app-id" // besides KeyFile and SecretFile
)

// Secret keeps credentials as the manifest of a Kubernetes Secret, in a file of 0600 or in a
// stream (https://kubernetes.io/docs/concepts/configuration/secret/).
type Secret struct {
	Name      string
	Namespace string    // "" names none
	File      string    // "" writes to Out
	Out       io.Writer // of a program, never a terminal
	Force     bool      // replace File
}

// Ready checks the names and that File could be written.
func (s Secret) Ready() error {
	for what, name := range map[string]string{"Secret": s.Name, "namespace": s.Namespace} {
		if name == "" && what == "namespace" {
			continue
		}
		if most := 253; name == "" || len(name) > most || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" || strings.Trim(name, "-.") != name {
			return fmt.Errorf("%s %q: want small letters, digits and inner hyphens, as Kubernetes names it", what, name)
		}
	}
	if s.File == "" {
		if s.Out == nil {
			return errors.New("the Secret: there is neither a file nor a stream to write it to")
		}
		return nil
	}
	if _, err := os.Lstat(s.File); err == nil && !s.Force {
		return fmt.Errorf("%s: the file is there already: name another, or replace it with --force", s.File)
	}
	part, err := s.part()
	if err != nil {
		return err
	}
	return os.RemoveAll(part)
}

func (s Secret) part() (string, error) {
	above := filepath.Dir(s.File)
	if err := os.MkdirAll(above, 0o755); err != nil {
		return "", plainError(above, err)
	}
	part, err := os.MkdirTemp(above, ".pinnace-setup-")
	if err != nil {
		return "", plainError(above, err)
	}
	return part, nil
}

// Keep writes the manifest, whole or not at all where it is a file.
func (s Secret) Keep(r github.Registration) ([]string, error) {
	if err := s.Ready(); err != nil {
		return nil, err
	}
	text := s.manifest(r)
	if s.File == "" {
		if _, err := io.WriteString(s.Out, text); err != nil {
			return nil, fmt.Errorf("write the Secret: %w", err)
		}
		return []string{"standard output"}, nil
	}
	part, err := s.part()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(part)
	name := filepath.Join(part, "secret.yaml")
	if err := write(name, text); err != nil {
		return nil, err
	}
	if err := os.Rename(name, s.File); err != nil {
		return nil, plainError(s.File, err)
	}
	return []string{s.File}, settle(filepath.Dir(s.File))
}

func (s Secret) manifest(r github.Registration) string {
	var b strings.Builder
	b.WriteString("apiVersion: v1\nkind: Secret\nmetadata:\n  name: \"" + s.Name + "\"\n")
	if s.Namespace != "" {
		b.WriteString("  namespace: \"" + s.Namespace + "\"\n")
	}
	b.WriteString("type: Opaque\ndata:\n")
	add := func(key, value string) {
		b.WriteString("  " + key + ": " + base64.StdEncoding.EncodeToString([]byte(value)) + "\n")
	}
	add(IDKey, strconv.FormatInt(r.ID, 10))
	add(KeyFile, r.Key.Reveal())
	if r.WebhookSecret != "" {
		add(SecretFile, r.WebhookSecret.Reveal())
	}
	return b.String()
}
