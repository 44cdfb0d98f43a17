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

// patience bounds every wait in which nothing moves. Nothing is measured by it: what stands still
// for that long hangs.
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
	return patiently(so, func() time.Time { return end })
}

// patiently waits until something is so, or it is later than the end that is asked for over and
// over.
func patiently(so func() bool, end func() time.Time) bool {
	tick := time.NewTicker(3 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		if time.Now().After(end()) {
			return so()
		}
		<-tick.C
	}
	return true
}

// comes waits until something is so: on a busy machine as long as the processes go on asking for
// something or writing something down, and until shortly before the test's own time is over.
func (w *world) comes(so func() bool) bool {
	w.t.Helper()
	latest := time.Now().Add(time.Hour)
	if t, ok := w.t.(interface{ Deadline() (time.Time, bool) }); ok {
		if d, ok := t.Deadline(); ok {
			latest = d.Add(-20 * time.Second)
		}
	}
	moved, since := w.moves.Load(), time.Now()
	return patiently(so, func() time.Time {
		if now := w.moves.Load(); now != moved {
			moved, since = now, time.Now()
		}
		if end := since.Add(patience); end.Before(latest) {
			return end
		}
		return latest
	})
}

// await waits until something is so, and tells what the processes said where it never is.
func (w *world) await(what string, so func() bool) {
	w.t.Helper()
	if !w.comes(so) {
		w.t.Fatalf("this never came: %s\n%s", what, w.said())
	}
}

// said is what the processes said last: those that are there, and the last ones that are not.
func (w *world) said() string {
	w.mu.Lock()
	all := slices.Clone(w.processes)
	w.mu.Unlock()
	var b strings.Builder
	for i, p := range all {
		if p.isGone() && i < len(all)-2 {
			continue
		}
		text := p.out.String()
		fmt.Fprintf(&b, "%s, gone: %v, it waits for: %s\n%s\n", p.name, p.isGone(), p.waits(), text[max(0, len(text)-6000):])
	}
	return b.String()
}

// waits names the requests of the process that are under way.
func (p *process) waits() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for _, key := range slices.Sorted(maps.Keys(p.now)) {
		if p.now[key] > 0 {
			out = append(out, key)
		}
	}
	return strings.Join(out, ", ")
}

// A process is one of pinnace.
type process struct {
	w    *world
	name string
	cmd  *exec.Cmd
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
	if at := p.at(); at != "" {
		p.w.door.bar(at)
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
	p.w.await("the process to stand still", func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
		_, rest, ok := strings.Cut(string(stat), ") ")
		return err != nil || ok && strings.HasPrefix(rest, "T")
	})
}

func (p *process) thaw() { p.signal(syscall.SIGCONT) }

// at is the host:port that the process says it listens on, "" before it does.
func (p *process) at() string {
	p.out.mu.Lock()
	defer p.out.mu.Unlock()
	return p.out.address
}

// lost says whether the process has found out that a lease of it is over.
func (p *process) lost() bool {
	p.out.mu.Lock()
	defer p.out.mu.Unlock()
	return p.out.overdue
}

var listening = regexp.MustCompile(`"msg":"listening","address":"([^"]+)"`)

// A tail keeps the end of what is written to it, and what was to be heard of it, however long ago.
type tail struct {
	mu      sync.Mutex
	data    []byte
	line    []byte // that has no end yet
	address string // of "listening"
	overdue bool   // a lease ran out
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
	t.line = append(t.line, p...)
	for {
		line, rest, ok := bytes.Cut(t.line, []byte("\n"))
		if !ok {
			return len(p), nil
		}
		if m := listening.FindSubmatch(line); m != nil {
			t.address = string(m[1])
		}
		t.overdue = t.overdue || bytes.Contains(line, []byte("lease ran out"))
		t.line = rest
	}
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
