package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// options are the flags.
type options struct {
	binary       string
	only         string
	rate         int
	last         time.Duration
	connections  int
	burst        int
	rounds       int
	latency      time.Duration
	repositories int
	idle         time.Duration
	strict       bool
}

// parts are what is measured, in this order.
var parts = []struct {
	name string
	run  func(context.Context, *bench) error
}{{"accept", accept}, {"burst", burst}, {"latency", latencies}, {"idle", idle}}

func main() {
	var o options
	flag.StringVar(&o.binary, "binary", "", "the pinnace to measure; default: it is built")
	flag.StringVar(&o.only, "only", "", "accept, burst, latency or idle, with commas between them: leave out the rest")
	flag.IntVar(&o.rate, "rate", 1000, "deliveries a second")
	flag.DurationVar(&o.last, "for", 30*time.Second, "for how long")
	flag.IntVar(&o.connections, "connections", 16, "over so many connections")
	flag.IntVar(&o.burst, "burst", 10_000, "deliveries of a burst")
	flag.IntVar(&o.rounds, "rounds", 20, "reviews and pushes to measure")
	flag.DurationVar(&o.latency, "latency", 100*time.Millisecond, "how long GitHub takes to answer")
	flag.IntVar(&o.repositories, "repositories", 10_000, "idle repositories")
	flag.DurationVar(&o.idle, "idle", 30*time.Minute, "how long the idle repositories may take to be looked at three times")
	flag.BoolVar(&o.strict, "strict", false, "fail where a target is missed")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// A bench is one run.
type bench struct {
	options
	dir string
	missed
}

// run measures, and returns an error where something did not work, or a target is missed that
// must be met.
func run(ctx context.Context, o options) error {
	if flag.NArg() > 0 || o.rate < 1 || o.last <= 0 || o.connections < 1 || o.burst < 1 || o.rounds < 1 || o.repositories < 1 {
		return errors.New("want no arguments, and flags above 0")
	}
	dir, err := os.MkdirTemp("", "pinnace-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{options: o, dir: dir}
	if b.binary == "" {
		b.binary = filepath.Join(dir, "pinnace")
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", b.binary, "github.com/pinnace-dev/pinnace/cmd/pinnace")
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("build pinnace: %w", err)
		}
	}
	fmt.Printf("%d processors", runtime.NumCPU())
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		fmt.Printf(", load before: %s", load)
	}
	only := strings.Split(o.only, ",")
	for _, p := range parts {
		if o.only != "" && !slices.Contains(only, p.name) {
			continue
		}
		if err := p.run(ctx, b); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return b.judge(o.strict)
}
