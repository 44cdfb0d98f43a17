package setup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/github"
)

// The files of a directory of credentials.
const (
	KeyFile    = "private-key.pem"
	SecretFile = "webhook-secret" // absent where the App has no webhook
	EnvFile    = "pinnace.env"    // names the others, and the App's number
)

// Files keeps credentials in a directory: 0700, its files 0600.
type Files struct {
	Dir   string
	Force bool // replace those that are there
}

// Ready makes what is above the directory, and tries to write there.
func (f Files) Ready() error {
	if !f.Force {
		entries, err := os.ReadDir(f.Dir)
		if len(entries) > 0 {
			return fmt.Errorf("%s: there are files in it already: name another directory, or replace the credentials of the App that is there with --force", f.Dir)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return plainError(f.Dir, err)
		}
	}
	for _, name := range []string{KeyFile, SecretFile, EnvFile} {
		if info, err := os.Lstat(filepath.Join(f.Dir, name)); err == nil && !info.Mode().IsRegular() {
			return fmt.Errorf("%s: it is no regular file: name another directory", filepath.Join(f.Dir, name))
		}
	}
	stage, err := f.stage()
	if err != nil {
		return err
	}
	return os.RemoveAll(stage)
}

// stage makes a directory beside f.Dir that can be renamed to it.
func (f Files) stage() (string, error) {
	dir, err := filepath.Abs(f.Dir)
	if err != nil {
		return "", plainError(f.Dir, err)
	}
	above := filepath.Dir(dir)
	if err := os.MkdirAll(above, 0o755); err != nil {
		return "", plainError(above, err)
	}
	stage, err := os.MkdirTemp(above, ".pinnace-setup-") // 0700
	if err != nil {
		return "", plainError(above, err)
	}
	return stage, nil
}

// Keep writes the files beside the directory, and puts them there whole: the directory by
// one rename where it is new or empty, else file by file, the one that names the others
// removed first and written last.
func (f Files) Keep(r github.Registration) ([]string, error) {
	if err := f.Ready(); err != nil {
		return nil, err
	}
	stage, err := f.stage()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(stage)
	dir, err := filepath.Abs(f.Dir)
	if err != nil {
		return nil, plainError(f.Dir, err)
	}
	type file struct{ name, text string }
	env := "PINNACE_APP_ID=" + strconv.FormatInt(r.ID, 10) + "\nPINNACE_APP_KEY=" + quoted(filepath.Join(dir, KeyFile)) + "\n"
	files := []file{{KeyFile, r.Key.Reveal()}}
	if r.WebhookSecret != "" {
		files = append(files, file{SecretFile, r.WebhookSecret.Reveal() + "\n"})
		env += "PINNACE_WEBHOOK_SECRET_FILE=" + quoted(filepath.Join(dir, SecretFile)) + "\n"
	}
	files = append(files, file{EnvFile, env})
	var places []string
	for _, one := range files {
		if err := write(filepath.Join(stage, one.name), one.text); err != nil {
			return nil, err
		}
		places = append(places, filepath.Join(f.Dir, one.name))
	}
	if err := settle(stage); err != nil {
		return nil, err
	}
	if err := os.Rename(stage, dir); err == nil { // it was not there, or empty
		return places, settle(filepath.Dir(dir))
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, plainError(f.Dir, err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return nil, plainError(f.Dir, err)
	}
	for _, name := range []string{EnvFile, SecretFile} { // what is there names no App until all is
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, plainError(f.Dir, err)
		}
	}
	for _, one := range files {
		if err := os.Rename(filepath.Join(stage, one.name), filepath.Join(dir, one.name)); err != nil {
			return nil, plainError(f.Dir, err)
		}
	}
	return places, settle(dir)
}

// quoted writes a value as a shell and systemd's EnvironmentFile read it, in quotes where it
// needs them only, since docker --env-file knows none.
func quoted(s string) string {
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+@:,=") == "" {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`").Replace(s) + `"`
}

// write makes a file that nobody else may read, and has it on the disk.
func write(name, text string) error {
	w, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return plainError(name, err)
	}
	_, err = w.WriteString(text)
	if err == nil {
		err = w.Sync()
	}
	if e := w.Close(); err == nil {
		err = e
	}
	if err != nil {
		return plainError(name, err)
	}
	return nil
}

// settle has the names in a directory on the disk.
func settle(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return plainError(dir, err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return plainError(dir, err)
	}
	return nil
}

// plainError says what happened to a file, without the name of the system call.
func plainError(name string, err error) error {
	var p *fs.PathError
	var l *os.LinkError
	switch {
	case errors.As(err, &p):
		err = p.Err
	case errors.As(err, &l):
		err = l.Err
	}
	return fmt.Errorf("%s: %w", name, err)
}
