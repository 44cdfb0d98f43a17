package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A step is what one program took for one thing, at its best of several; Peak is its worst.
// of are all that were measured.
type step struct {
	sample
	who string
	of  []sample
}

// A history is what was measured on one origin.
type history struct {
	*bench
	origin *origin
	runs   int // of what begins anew
	rounds int // of what goes on
	steps  []*step
	claims []claim
}

// repository measures what fetching, planning and pushing cost: on 10,000 files with 100
// commits, and with -large on 100,000 with 1,000.
func (b *bench) repository() error {
	files, commits := b.files, b.files/100
	if b.quick {
		files, commits = 2000, 50
	}
	if b.large {
		files, commits = 10*files, 10*commits
	}
	images, refs := files/20, files*58/100
	dir := filepath.Join(b.dir, "git")
	o, err := openOrigin(dir, b.launch.home, b.seed, files, commits, images, refs)
	if errors.Is(err, errNoGit) {
		b.notes = append(b.notes, "left out: fetching and pushing, for "+err.Error())
		return nil
	}
	if err != nil {
		return fmt.Errorf("make the repository: %w", err)
	}
	defer o.server.Close()
	h := &history{bench: b, origin: o, runs: b.count, rounds: 10}
	b.notes = append(b.notes, fmt.Sprintf("git: %d files, %d commits, %d references to %d images, a pack of %.1f MB", files, commits, refs, images, float64(o.bytes)/1e6))
	if err := h.measure(); err != nil {
		return err
	}
	h.judge()
	h.render(os.Stdout)
	return nil
}

func (h *history) measure() error {
	for range h.runs {
		for _, who := range []string{pinnace, gogitName} {
			if err := h.empty(who); err != nil {
				return err
			}
			if err := h.phase(who, "cold", 1); err != nil {
				return err
			}
		}
		if err := h.cliCold(); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(h.place(gogitName)); err != nil {
		return err
	}
	if _, err := h.origin.git(nil, h.origin.dir, "clone", "-q", "--bare", h.address(), h.place(gogitName)); err != nil {
		return err
	}
	for _, who := range []string{gogitName, pinnace} {
		if err := h.phase(who, "warm", h.rounds); err != nil {
			return err
		}
	}
	if err := h.cliWarm(); err != nil {
		return err
	}
	if err := h.phase(pinnace, "push", h.rounds); err != nil {
		return err
	}
	return h.cliPush()
}

// The programs that are compared.
const (
	pinnace   = "pinnace"
	gogitName = "go-git"
	cli       = "git"
)

func (h *history) place(who string) string { return filepath.Join(h.origin.dir, who) }

func (h *history) empty(who string) error {
	if err := os.RemoveAll(h.place(who)); err != nil {
		return err
	}
	return os.Mkdir(h.place(who), 0o755)
}

// phase runs a child, and takes its samples in.
func (h *history) phase(who, what string, rounds int) error {
	_, out, err := h.launch.run(h.launch.self, phaseVerb, who+" "+what, h.origin.url, h.place(who), fmt.Sprint(rounds), h.profiles)
	if err != nil {
		return err
	}
	var samples []sample
	if err := json.Unmarshal([]byte(out), &samples); err != nil {
		return fmt.Errorf("%s %s: %s", who, what, tailOf(out))
	}
	for _, s := range samples {
		s.Name = what + ": " + s.Name
		h.add(who, s)
	}
	return nil
}

func (h *history) add(who string, s sample) {
	at := h.step(who, s.Name)
	if at == nil {
		at = &step{who: who, sample: s}
		h.steps = append(h.steps, at)
	}
	worst := max(at.Peak, s.Peak)
	if s.Wall < at.Wall {
		at.sample = s
	}
	at.Peak = worst
	at.of = append(at.of, s)
}

func (h *history) step(who, name string) *step {
	for _, s := range h.steps {
		if s.who == who && s.Name == name {
			return s
		}
	}
	return nil
}

// run measures git's own program, and what it asks the origin.
func (h *history) run(name string, script string, args ...string) error {
	requests, sent, received := h.origin.requests.Load(), h.origin.sent.Load(), h.origin.received.Load()
	c, out, err := h.launch.run(append([]string{"sh", "-e", "-c", script, "sh"}, args...)...)
	if err == nil && c.Status != 0 {
		err = fmt.Errorf("git %s: status %d: %s", name, c.Status, tailOf(out))
	}
	if err != nil {
		return err
	}
	h.add(cli, sample{
		Name: name, Wall: c.Wall, CPU: c.CPU, Peak: c.Peak,
		Requests: h.origin.requests.Load() - requests, Sent: h.origin.sent.Load() - sent, Received: h.origin.received.Load() - received,
	})
	return nil
}

func (h *history) address() string { return h.origin.url + originPath }

func (h *history) cliCold() error {
	if err := os.RemoveAll(h.place(cli)); err != nil {
		return err
	}
	if err := h.run("cold: fetch", `exec git clone -q --bare --depth 1 "$1" "$2"`, h.address(), h.place(cli)); err != nil {
		return err
	}
	return h.run("cold: read all blobs", `exec git -C "$1" cat-file --batch-all-objects --unordered --buffer --batch >/dev/null`, h.place(cli))
}

func (h *history) cliWarm() error {
	for i := range h.rounds {
		if _, err := h.origin.next(1+i, false); err != nil {
			return err
		}
		if err := h.run("warm: one file", `cd "$2"; old=$(git rev-parse main); git fetch -q --depth 1 "$1" +main:main; git diff-tree -r "$old" main`, h.address(), h.place(cli)); err != nil {
			return err
		}
	}
	return nil
}

func (h *history) cliPush() error {
	// A shallow clone knows nothing of what its remote has behind a tip that moved on.
	if _, err := h.origin.git(nil, h.place(cli), "fetch", "-q", "--depth", "1", h.address(), "+main:main"); err != nil {
		return err
	}
	if err := h.commit(); err != nil {
		return err
	}
	for i := range h.rounds {
		spec := fmt.Sprintf("%s:%scli-%d-%d", madeRef, pushed, time.Now().UnixNano(), i)
		if err := h.run("push: push", `exec git -C "$2" push -q "$1" "$3"`, h.address(), h.place(cli), spec); err != nil {
			return err
		}
	}
	return nil
}

// commit puts a commit of one file on top of main, at madeRef, into the repository that git
// pushes from.
func (h *history) commit() error {
	var b strings.Builder
	fmt.Fprintf(&b, "commit %s\ncommitter Bench <bench@example.com> %d +0000\ndata 5\nmade\nfrom refs/heads/main^0\n", madeRef, time.Now().Unix())
	if err := modify(&b, "100644", h.origin.paths[0], deployment(uint64(time.Now().UnixNano()), true)); err != nil {
		return err
	}
	_, err := h.origin.git(strings.NewReader(b.String()), h.place(cli), "fast-import", "--quiet")
	return err
}
