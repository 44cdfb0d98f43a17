package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 2 && os.Args[1] == measureVerb {
		leave(measured(os.Args[2:]))
	}
	if len(os.Args) == 7 && os.Args[1] == phaseVerb {
		leave(child(os.Args[2], os.Args[3], os.Args[4], os.Args[5], os.Args[6]))
	}
	if len(os.Args) == 3 && os.Args[1] == prototypeVerb {
		leave(prototype(os.Args[2]))
	}
	leave(run())
}

func leave(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// options are the flags.
type options struct {
	files, images, refs int
	seed                uint64
	count               int
	latency             time.Duration
	concurrency         int
	quick, strict       bool
	large, keep         bool
	dir, addr, binary   string
	only, profiles      string
}

func parse() options {
	var o options
	flag.IntVar(&o.files, "files", 10000, "files of the repository")
	flag.IntVar(&o.images, "images", 0, "distinct images; 0 means one for 20 files")
	flag.IntVar(&o.refs, "refs", 0, "references to them; 0 means 58 for 100 files")
	flag.Uint64Var(&o.seed, "seed", 1, "what the repository is generated from")
	flag.IntVar(&o.count, "count", 3, "runs of each row, of which the best counts")
	flag.DurationVar(&o.latency, "latency", 50*time.Millisecond, "the registry's latency in the slow rows; 0 leaves them out")
	flag.IntVar(&o.concurrency, "concurrency", 20, "requests in flight")
	flag.BoolVar(&o.quick, "quick", false, "1,000 files (git: 2,000), one run, no latency: a smoke test")
	flag.BoolVar(&o.strict, "strict", false, "fail on missed times and memory, too")
	flag.BoolVar(&o.large, "large", false, "add a repository of ten times the files and images")
	flag.BoolVar(&o.keep, "keep", false, "keep the generated directories")
	flag.StringVar(&o.dir, "dir", "", "where to generate; default: a temporary directory, in memory where there is one")
	flag.StringVar(&o.addr, "addr", "127.0.0.1:0", "where the registry listens; a fixed port makes the bytes the same each time")
	flag.StringVar(&o.only, "only", "", "pin or git: leave out the rest")
	flag.StringVar(&o.profiles, "profiles", "", "a directory for pprof's profiles of fetching, planning and pushing")
	flag.StringVar(&o.binary, "binary", "", "the pinnace to measure; default: it is built")
	flag.Parse()
	if o.quick {
		o.files, o.count, o.latency, o.large = 1000, 1, 0, false
	}
	if o.images == 0 {
		o.images = o.files / 20
	}
	if o.refs == 0 {
		o.refs = o.files * 58 / 100
	}
	return o
}

// run measures and returns an error where a target is missed that must be met.
func run() error {
	o := parse()
	if flag.NArg() > 0 || o.files < 30 || o.images < 1 || o.refs < max(o.images, o.files/3) || o.refs > o.files*2 || o.count < 1 || o.only != "" && o.only != "pin" && o.only != "git" {
		return errors.New("want at least 30 files, one run, one reference for each image and each third file, at most two for each file, and -only pin or git")
	}
	dir := o.dir
	if dir == "" {
		made, err := os.MkdirTemp(memory(), "pinnace-bench-")
		if err != nil {
			return err
		}
		dir = made
	}
	fmt.Println("directory:", dir)
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		fmt.Printf("load before, on %d processors: %s", runtime.NumCPU(), load)
	}
	b := &bench{options: o, dir: dir}
	err := b.all()
	if !o.keep {
		err = errors.Join(err, b.clean())
	}
	return err
}

// memory returns a file system in memory, or "" where there is none. On ext4 the rows would
// disturb each other: it passes over every inode that was freed within the last minutes,
// and each replaced file frees one, so that each run would be slower than the one before.
func memory() string {
	const shm = "/dev/shm"
	var fs syscall.Statfs_t
	if err := syscall.Statfs(shm, &fs); err != nil || fs.Bavail*uint64(fs.Bsize) < 2<<30 {
		return ""
	}
	return shm
}

// clean removes what was generated, and a directory of our own with it.
func (b *bench) clean() error {
	if b.options.dir == "" {
		return os.RemoveAll(b.dir)
	}
	var all []error
	for _, name := range []string{"small", "large", "home", "pinnace", "git"} {
		all = append(all, os.RemoveAll(filepath.Join(b.dir, name)))
	}
	return errors.Join(all...)
}

func (b *bench) all() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	b.launch = launcher{self: self, home: filepath.Join(b.dir, "home")}
	if err := os.MkdirAll(b.launch.home, 0o755); err != nil {
		return err
	}
	if b.only != "git" {
		if err := b.pins(); err != nil {
			return err
		}
	}
	if b.only != "pin" {
		if err := b.repository(); err != nil {
			return err
		}
	}
	return b.judge(os.Stdout)
}

// pins measures the program, and prints its table.
func (b *bench) pins() error {
	if b.binary == "" {
		b.binary = filepath.Join(b.dir, "pinnace")
		cmd := exec.Command("go", "build", "-trimpath", "-o", b.binary, "github.com/pinnace-dev/pinnace/cmd/pinnace")
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("build pinnace: %w", err)
		}
	}
	r, err := listen(b.addr)
	if err != nil {
		return err
	}
	b.registry = r
	defer r.server.Close()
	if err := b.measure(); err != nil {
		return err
	}
	render(os.Stdout, b.rows)
	b.judgePins()
	return nil
}
