package proof

import (
	"bufio"
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait. Nothing is measured by it: what takes that long hangs.
const patience = 2 * time.Minute

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
	at   string   // host:port that it listens on, "" before it does
	out  *tail    // what it said last
	base asked    // what GitHub was asked before it began
	sees []string // the repositories that the App was installed on then

	// GitHub is at an address of its own for each process, so that it is known who asks.
	hub  *httptest.Server
	mu   sync.Mutex
	now  map[string]int // "POST /repos/acme/config/pulls": what it waits for; owned by mu
	gone chan struct{}  // closed once it is no more
}

// environment is that of every process: nothing of the machine's own but the path.
func (w *world) environment(more ...string) []string {
	key := filepath.Join(w.home, "app.pem")
	if err := os.WriteFile(key, w.app.PrivateKey(), 0o600); err != nil {
		w.t.Fatal(err)
	}
	env := []string{
		asPinnace + "=1", "PATH=" + os.Getenv("PATH"), "HOME=" + w.home, "DOCKER_CONFIG=" + w.home, "TMPDIR=" + os.TempDir(),
		"PINNACE_APP_ID=" + strconv.FormatInt(w.app.ID(), 10), "PINNACE_APP_KEY=" + key,
		"PINNACE_WEBHOOK_SECRET=" + w.app.Secret(),
	}
	if dir := os.Getenv("GOCOVERDIR"); dir != "" {
		env = append(env, "GOCOVERDIR="+dir)
	}
	return append(env, more...)
}

// launch starts a process, by a shell's command where one is given.
func (w *world) launch(name, by string, env []string, args ...string) *process {
	w.t.Helper()
	p := &process{w: w, name: name, out: &tail{}, gone: make(chan struct{}), now: map[string]int{}}
	p.hub = httptest.NewServer(p)
	w.t.Cleanup(func() { p.hub.CloseClientConnections(); p.hub.Close() })
	p.cmd = exec.Command(os.Args[0], args...)
	if by != "" {
		p.cmd = exec.Command("/bin/sh", append([]string{"-c", by, os.Args[0]}, args...)...)
	}
	p.cmd.Env = append(w.environment(env...), "GITHUB_API_URL="+p.hub.URL)
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

func (w *world) killAll() { w.each((*process).kill) }

// ServeHTTP is GitHub, as this process sees it.
func (p *process) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/api/v3")
	key := r.Method + " " + path
	p.mu.Lock()
	p.now[key]++
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.now[key]--
	}()
	x := p.w.gripped(p, r.Method, path)
	if x == nil {
		p.w.Sandbox.ServeHTTP(w, r)
		return
	}
	answer := httptest.NewRecorder()
	p.w.Sandbox.ServeHTTP(answer, r)
	close(x.came)
	<-x.free
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

// A grip holds the answer to one request of a process: what was asked has happened.
type grip struct {
	method string
	path   *regexp.Regexp
	came   chan struct{} // closed once it is held
	free   chan struct{}
	once   sync.Once
	by     *process // whose request it was; set before came is closed
}

// hold holds the answer to the next request of a kind, until it is let go or the test ends.
func (w *world) hold(method, path string) *grip {
	x := &grip{method: method, path: regexp.MustCompile(path), came: make(chan struct{}), free: make(chan struct{})}
	w.t.Cleanup(x.release)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.grip = x
	return x
}

// release lets the answer go.
func (x *grip) release() { x.once.Do(func() { close(x.free) }) }

// gripped returns the grip on a request, nil if there is none.
func (w *world) gripped(p *process, method, path string) *grip {
	w.mu.Lock()
	defer w.mu.Unlock()
	x := w.grip
	if x == nil || x.method != method || !x.path.MatchString(path) {
		return nil
	}
	w.grip, x.by = nil, p
	return x
}

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

// listens is the address that the process says it listens on, "" before it does.
func (p *process) listens() string {
	if m := listening.FindStringSubmatch(p.out.String()); m != nil {
		return m[1]
	}
	return ""
}

var listening = regexp.MustCompile(`"msg":"listening","address":"([^"]+)"`)

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
