package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const patience = time.Minute

// A child is a running pinnace serve.
type child struct {
	cmd  *exec.Cmd
	root string // http://host:port
	log  string // the file of its log
	gone chan error
}

// address finds one that nobody listens on.
func address() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// serve starts pinnace serve in a directory, and waits until it is ready.
func (b *bench) serve(ctx context.Context, w *world, at, name string, flags ...string) (*child, error) {
	home := filepath.Join(b.dir, name)
	if err := os.MkdirAll(home, 0o700); err != nil {
		return nil, err
	}
	key, secrets := filepath.Join(home, "app.pem"), filepath.Join(home, "secret")
	if err := errors.Join(os.WriteFile(key, w.app.PrivateKey(), 0o600), os.WriteFile(secrets, []byte(secret+"\n"), 0o600)); err != nil {
		return nil, err
	}
	args := append([]string{
		"serve", "--listen", at, "--database", "sqlite:" + filepath.Join(home, "pinnace.db"), "--cache", filepath.Join(home, "git"),
		"--webhook-secret-file", secrets, "--app-id", strconv.FormatInt(w.app.ID(), 10), "--app-key", key,
		"--registry-map", "*=" + w.Registry(), "--allow-private-registry", w.Registry(), "--insecure-registry", w.Registry(), "--watch", "0",
	}, flags...)
	c := &child{cmd: exec.CommandContext(ctx, b.binary, args...), root: "http://" + at, log: filepath.Join(home, "log"), gone: make(chan error, 1)}
	log, err := os.Create(c.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	c.cmd.Stdout, c.cmd.Stderr = log, log
	c.cmd.Env = []string{"HOME=" + home, "DOCKER_CONFIG=" + home, "PATH=" + os.Getenv("PATH"), "GITHUB_API_URL=" + w.URL() + "/api/v3"}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { c.gone <- c.cmd.Wait() }()
	if err := c.await("be ready", patience, func() bool { _, err := c.get("/readyz"); return err == nil }); err != nil {
		return nil, errors.Join(err, c.stop())
	}
	return c, nil
}

// await waits until something is so of a child that goes on.
func (c *child) await(what string, bound time.Duration, so func() bool) error {
	end := time.Now().Add(bound)
	for !so() {
		select {
		case err := <-c.gone:
			c.gone <- err
			return fmt.Errorf("pinnace serve ended (%w):\n%s", err, c.tail())
		case <-time.After(bound / 2000):
		}
		if time.Now().After(end) {
			return fmt.Errorf("pinnace serve did not %s within %s:\n%s", what, bound, c.tail())
		}
	}
	return nil
}

// tail is the end of the log.
func (c *child) tail() string {
	data, err := os.ReadFile(c.log)
	if err != nil {
		return err.Error()
	}
	lines := bytes.Split(bytes.TrimSpace(data), []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-10):], []byte("\n")))
}

// stop ends the child as an operator does.
func (c *child) stop() error {
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-c.gone:
		if err != nil {
			return fmt.Errorf("pinnace serve ended: %w\n%s", err, c.tail())
		}
		return nil
	case <-time.After(patience):
		_ = c.cmd.Process.Kill()
		return fmt.Errorf("pinnace serve did not end within %s of SIGTERM", patience)
	}
}

func (c *child) get(path string) ([]byte, error) {
	resp, err := http.Get(c.root + path)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", path, resp.Status)
	}
	return data, err
}

// metric sums what the child counts under a name, with any labels.
func (c *child) metric(name string) (float64, error) {
	data, err := c.get("/metrics")
	if err != nil {
		return 0, err
	}
	sum, found := 0.0, false
	for line := range strings.Lines(string(data)) {
		rest, ok := strings.CutPrefix(line, name)
		if !ok || rest == "" || rest[0] != ' ' && rest[0] != '{' {
			continue
		}
		fields := strings.Fields(line)
		n, err := strconv.ParseFloat(fields[len(fields)-1], 64)
		if err != nil {
			return 0, fmt.Errorf("metric %s: %w", name, err)
		}
		sum, found = sum+n, true
	}
	if !found {
		return 0, fmt.Errorf("there is no metric %s", name)
	}
	return sum, nil
}

// idle waits until there is nothing to do at the moment.
func (c *child) idle(bound time.Duration) error {
	return c.await("come to rest", bound, func() bool {
		data, err := c.get("/status")
		if err != nil {
			return false
		}
		var s struct{ Waiting, Running, Dirty int }
		return json.Unmarshal(data, &s) == nil && s.Waiting == 0 && s.Running == 0 && s.Dirty == 0
	})
}

// memory returns what the child has resident, now and at most since its start
// (https://man7.org/linux/man-pages/man5/proc_pid_status.5.html).
func (c *child) memory() (now, peak int64, err error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		n, _ := strconv.ParseInt(fields[1], 10, 64)
		switch fields[0] {
		case "VmRSS:":
			now = n << 10
		case "VmHWM:":
			peak = n << 10
		}
	}
	return now, peak, nil
}
