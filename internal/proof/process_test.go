package proof

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait. Nothing is measured by it: what takes that long hangs.
const patience = 90 * time.Second

// await waits until something is so.
func await(t testing.TB, what string, so func() bool) {
	t.Helper()
	if !within(patience, so) {
		t.Fatalf("this never came: %s", what)
	}
}

func within(bound time.Duration, so func() bool) bool {
	end := time.Now().Add(bound)
	tick := time.NewTicker(3 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		if time.Now().After(end) {
			return so()
		}
		<-tick.C
	}
	return true
}

// A process is one of pinnace.
type process struct {
	w    *world
	name string
	cmd  *exec.Cmd
	at   string        // host:port that it listens on
	out  *tail         // what it said last
	gone chan struct{} // closed once it is no more
}

// environment is that of every process: nothing of the machine's own but the path.
func (w *world) environment(more ...string) []string {
	key := filepath.Join(w.home, "app.pem")
	if err := os.WriteFile(key, w.app.PrivateKey(), 0o600); err != nil {
		w.t.Fatal(err)
	}
	env := []string{
		asPinnace + "=1", "PATH=" + os.Getenv("PATH"), "HOME=" + w.home, "DOCKER_CONFIG=" + w.home, "TMPDIR=" + os.TempDir(),
		"GITHUB_API_URL=" + w.URL(), "PINNACE_APP_ID=" + strconv.FormatInt(w.app.ID(), 10), "PINNACE_APP_KEY=" + key,
		"PINNACE_WEBHOOK_SECRET=" + w.app.Secret(),
	}
	if dir := os.Getenv("GOCOVERDIR"); dir != "" {
		env = append(env, "GOCOVERDIR="+dir)
	}
	return append(env, more...)
}

// launch starts a process.
func (w *world) launch(name string, env []string, args ...string) *process {
	w.t.Helper()
	p := &process{w: w, name: name, out: &tail{}, gone: make(chan struct{})}
	p.cmd = exec.Command(os.Args[0], args...)
	p.cmd.Env = w.environment(env...)
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	told, tell, err := os.Pipe()
	if err != nil {
		w.t.Fatal(err)
	}
	answered, answer, err := os.Pipe()
	if err != nil {
		w.t.Fatal(err)
	}
	p.cmd.ExtraFiles = []*os.File{tell, answered}
	if err := p.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	tell.Close()
	answered.Close()
	go func() {
		defer told.Close()
		defer answer.Close()
		for lines := bufio.NewScanner(told); lines.Scan(); {
			w.trap.commit(p, lines.Text())
			if _, err := answer.WriteString("."); err != nil {
				return
			}
		}
	}()
	go func() {
		_ = p.cmd.Wait()
		close(p.gone)
	}()
	w.mu.Lock()
	w.processes = append(w.processes, p)
	w.mu.Unlock()
	w.t.Cleanup(p.kill)
	return p
}

// each calls a function with every process that is there.
func (w *world) each(f func(*process)) {
	w.mu.Lock()
	all := slices.Clone(w.processes)
	w.mu.Unlock()
	for _, p := range all {
		if !p.isGone() {
			f(p)
		}
	}
}

func (w *world) killAll()   { w.each((*process).kill) }
func (w *world) freezeAll() { w.each((*process).freeze) }

// isGone says whether the process has ended.
func (p *process) isGone() bool {
	select {
	case <-p.gone:
		return true
	default:
		return false
	}
}

// kill ends the process at once, by a signal that it cannot hear.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.gone
	if p.at != "" {
		p.w.door.bar(p.at)
	}
}

func (p *process) signal(s syscall.Signal) {
	if !p.isGone() {
		_ = p.cmd.Process.Signal(s)
	}
}

// freeze stops the process where it is, until it is thawed.
func (p *process) freeze() {
	p.signal(syscall.SIGSTOP)
	within(patience, func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
		_, rest, ok := strings.Cut(string(stat), ") ")
		return err != nil || ok && strings.HasPrefix(rest, "T")
	})
}

func (p *process) thaw() { p.signal(syscall.SIGCONT) }

// freePort finds one that nobody listens on.
func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// A tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	data []byte
}

const tailSize = 64 << 10

// Write keeps the end.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.data = append(t.data, p...)
	if over := len(t.data) - tailSize; over > 0 {
		t.data = append([]byte(nil), t.data[over:]...)
	}
	return len(p), nil
}

// String returns what is kept, from its first whole line on.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.data) < tailSize {
		return string(t.data)
	}
	_, rest, _ := bytes.Cut(t.data, []byte("\n"))
	return string(rest)
}
