package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"strings"
	"time"
)

// phaseVerb is the hidden verb of a child that works on an origin.
const phaseVerb = "phase"

// A sample is what one step of a phase took.
type sample struct {
	Name     string
	Wall     time.Duration
	CPU      time.Duration
	Peak     int64 // of the process' memory since the step before, in bytes; 0 where it is not known
	Blobs    int64 // read
	Trees    int64 // read
	Depth    int64 // trees on the path of the file that changed
	Changes  int   // that are to be made
	Requests int64 // to the origin
	Sent     int64 // bytes from the origin
	Received int64 // bytes to the origin
}

// phases are what a child can do. Each works on an origin, and on a directory of its own.
var phases = map[string]func(*phase) error{
	"pinnace cold": (*phase).pinnaceCold,
	"pinnace warm": (*phase).pinnaceWarm,
	"pinnace push": (*phase).pinnacePush,
	"go-git cold":  (*phase).gogitCold,
	"go-git warm":  (*phase).gogitWarm,
}

// A phase is one child at work.
type phase struct {
	ctx     context.Context
	url     string // of the origin's server
	dir     string
	rounds  int
	profile string // where profiles go, "" for nowhere
	samples []sample
	reads   func() (blobs, trees int64)
}

// child runs a phase, and prints its samples. Below profiles, unless that is empty, it
// writes where processor time went, labelled by step, and what each step left in memory.
func child(name, url, dir, rounds, profiles string) error {
	n, err := strconv.Atoi(rounds)
	run := phases[name]
	if err != nil || run == nil {
		return fmt.Errorf("there is no phase %q of %q rounds", name, rounds)
	}
	p := &phase{ctx: context.Background(), url: url, dir: dir, rounds: n}
	if profiles != "" {
		p.profile = filepath.Join(profiles, strings.ReplaceAll(name, " ", "-"))
		cpu, err := os.Create(p.profile + ".cpu")
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(cpu); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	if err := run(p); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return json.NewEncoder(os.Stdout).Encode(p.samples)
}

// heap writes what is in memory after a step.
func (p *phase) heap(step string) error {
	f, err := os.Create(p.profile + "-" + strings.ReplaceAll(step, " ", "-") + ".heap")
	if err != nil {
		return err
	}
	runtime.GC()
	return errors.Join(pprof.WriteHeapProfile(f), f.Close())
}

// step measures one step.
func (p *phase) step(name string, do func() error) (*sample, error) {
	s := sample{Name: name}
	var before, after [3]int64
	var blobs, trees int64
	if err := p.traffic(&before); err != nil {
		return nil, err
	}
	if p.reads != nil {
		blobs, trees = p.reads()
	}
	var err error
	cpu, start := own(), time.Now()
	pprof.Do(p.ctx, pprof.Labels("step", name), func(context.Context) { err = do() })
	s.Wall, s.CPU = time.Since(start), own()-cpu
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if p.reads != nil {
		s.Blobs, s.Trees = p.reads()
		s.Blobs, s.Trees = s.Blobs-blobs, s.Trees-trees
	}
	if err := p.traffic(&after); err != nil {
		return nil, err
	}
	s.Requests, s.Sent, s.Received = after[0]-before[0], after[1]-before[1], after[2]-before[2]
	s.Peak = peak()
	if p.profile != "" {
		if err := p.heap(name); err != nil {
			return nil, err
		}
	}
	p.samples = append(p.samples, s)
	return &p.samples[len(p.samples)-1], nil
}

// traffic asks the origin what was asked of it so far.
func (p *phase) traffic(into *[3]int64) error {
	resp, err := http.Get(p.url + trafficPath)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = fmt.Fscan(resp.Body, &into[0], &into[1], &into[2])
	return err
}

// next has the origin move main by one file, whose path it returns.
func (p *phase) next(place int, unpinned bool) (string, error) {
	address := fmt.Sprintf("%s%s?place=%d", p.url, nextPath, place)
	if unpinned {
		address += "&unpinned=1"
	}
	resp, err := http.Post(address, "", nil)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = errors.New(string(text))
	}
	return string(text), err
}

// peak returns the most memory that this process has had resident since settle, in bytes.
// It is VmHWM of https://man7.org/linux/man-pages/man5/proc_pid_status.5.html, and 0
// where there is none.
func peak() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			if err != nil {
				return 0
			}
			return n << 10
		}
	}
	return 0
}

// settle gives back what is not in use, as the runtime does by itself within minutes, and
// starts peak anew (5 in
// https://man7.org/linux/man-pages/man5/proc_pid_clear_refs.5.html).
func settle() error {
	debug.FreeOSMemory()
	err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
