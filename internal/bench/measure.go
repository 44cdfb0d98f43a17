package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// A cost is what the kernel accounted to one child.
type cost struct {
	Wall, CPU time.Duration
	Peak      int64 // bytes
	Status    int
}

// The hidden verbs under which this program starts itself.
const (
	measureVerb   = "measure-child"
	prototypeVerb = "prototype"
)

// limits starts a program as a shell with few file descriptors would.
const limits = `ulimit -n 1024; exec "$@"`

// measured is the small process between the bench and a child.
func measured(args []string) error {
	cmd := exec.Command("sh", append([]string{"-c", limits, "sh"}, args...)...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	start := time.Now()
	err := cmd.Run()
	wall := time.Since(start)
	if err != nil && !errors.As(err, new(*exec.ExitError)) {
		return err
	}
	c := cost{Wall: wall, CPU: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), Status: cmd.ProcessState.ExitCode()}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		c.Peak = int64(usage.Maxrss) << 10
	}
	return json.NewEncoder(os.Stdout).Encode(c)
}

// A launcher starts children that know nothing of the user's credentials.
type launcher struct{ self, home string }

// run measures one child. Its output comes back too.
func (l launcher) run(args ...string) (cost, string, error) {
	var c cost
	var out, said bytes.Buffer
	cmd := exec.Command(l.self, append([]string{measureVerb}, args...)...)
	cmd.Env = []string{"HOME=" + l.home, "DOCKER_CONFIG=" + l.home, "PATH=" + os.Getenv("PATH"), "NO_COLOR=1"}
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return c, said.String(), fmt.Errorf("run %s: %w", strings.Join(args, " "), err)
	}
	if err := json.Unmarshal(out.Bytes(), &c); err != nil {
		return c, said.String(), fmt.Errorf("run %s: %w", strings.Join(args, " "), err)
	}
	return c, said.String(), nil
}

// own returns the processor time that this process has used.
func own() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
