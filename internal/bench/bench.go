package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"time"
)

// A bench holds what was measured so far.
type bench struct {
	options
	dir      string
	launch   launcher
	registry *registry
	rows     []row
	misses   []miss
	notes    []string
}

// A job is one row: what is run, on which state, under which conditions.
type job struct {
	name    string
	tree    *tree
	args    []string
	latency time.Duration
	bearer  bool
	pinned  bool // it works on what the job before left
	count   int
	status  int  // the exit status that is wanted
	bare    bool // the prototype: held to nothing
	quiet   bool // it asks no registry
	base    string
}

// measure fills the rows.
func (b *bench) measure() error {
	t, err := b.generate("small", b.files, b.images, b.refs)
	if err != nil {
		return err
	}
	if err := b.tree(t, "", b.count); err != nil {
		return err
	}
	if err := b.version(); err != nil {
		return err
	}
	if !b.large {
		return nil
	}
	t, err = b.generate("large", 10*b.files, 10*b.images, 10*b.refs)
	if err != nil {
		return err
	}
	return b.tree(t, largeSuffix, 1)
}

const largeSuffix = ", large"

func (b *bench) generate(name string, files, images, refs int) (*tree, error) {
	t, err := generate(filepath.Join(b.dir, name), b.registry.host, b.seed, files, images, refs)
	if err != nil {
		return nil, fmt.Errorf("generate %s: %w", name, err)
	}
	b.notes = append(b.notes, fmt.Sprintf("%s: %d files, %.1f MB, %d references to %d images in %d repositories", name, files, float64(t.bytes)/1e6, refs, images, t.scopes))
	return t, nil
}

// The names of the rows, without what follows for the large tree.
const (
	floorRow     = "read all bytes"
	prototypeRow = "prototype"
	slowBaseRow  = "prototype, slow"
	pinRow       = "pin"
	slowRow      = "pin, slow"
	bearerRow    = "pin, bearer tokens"
	checkNoneRow = "check --offline (unpinned)"
	againRow     = "pin again (nothing to do)"
	checkRow     = "check --offline (pinned)"
	versionRow   = "version (median of 10)"
)

// tree measures every row of one tree.
func (b *bench) tree(t *tree, suffix string, count int) error {
	floor := row{name: floorRow + suffix, bytes: t.bytes}
	for range count {
		cpu, start := own(), time.Now()
		n, err := t.readAll()
		if err != nil {
			return err
		}
		if n != t.bytes {
			return fmt.Errorf("%d bytes were generated, %d are there", t.bytes, n)
		}
		if wall := time.Since(start); floor.cost.Wall == 0 || wall < floor.cost.Wall {
			floor.cost = cost{Wall: wall, CPU: own() - cpu}
		}
	}
	b.rows = append(b.rows, floor)
	pin := []string{b.binary, "pin", "--concurrency", fmt.Sprint(b.concurrency), t.work}
	bare := []string{b.launch.self, prototypeVerb, t.work}
	check := []string{b.binary, "check", "--offline", "-o", "json", t.work}
	jobs := []job{
		{name: prototypeRow, args: bare, bare: true},
		{name: checkNoneRow, args: check, status: 3, quiet: true},
		{name: slowBaseRow, args: bare, bare: true, latency: b.latency},
		{name: slowRow, args: pin, latency: b.latency, base: slowBaseRow},
		{name: bearerRow, args: pin, bearer: true},
		{name: pinRow, args: pin},
		{name: againRow, args: pin, pinned: true},
		{name: checkRow, args: check, pinned: true, quiet: true},
	}
	for _, j := range jobs {
		if (j.name == slowBaseRow || j.name == slowRow) && b.latency == 0 {
			continue
		}
		if j.base == "" {
			j.base = prototypeRow
		}
		j.name, j.base, j.tree, j.count = j.name+suffix, j.base+suffix, t, count
		if err := b.job(j); err != nil {
			return err
		}
	}
	return nil
}

// job runs one row and holds each of its runs to what must be true of it.
func (b *bench) job(j job) error {
	best := row{
		name: j.name, bytes: j.tree.bytes, expected: j.tree.refs,
		floor: b.wall(floorRow + suffixOf(j.name)), base: b.wall(j.base),
	}
	for i := range j.count {
		before, err := j.tree.verify()
		if err != nil {
			return err
		}
		if !j.pinned && len(before.changed) > 0 {
			if err := j.tree.reset(before.changed); err != nil {
				return err
			}
			before = verdict{}
		}
		b.registry.set(j.latency, j.bearer)
		c, out, err := b.launch.run(j.args...)
		if err != nil {
			return err
		}
		asked := b.registry.counts()
		after, err := j.tree.verify()
		if err != nil {
			return err
		}
		peak := max(c.Peak, best.cost.Peak)
		if i == 0 || c.Wall < best.cost.Wall {
			best.cost = c
		}
		best.cost.Peak = peak
		best.verdict, best.requests = &after, &asked
		if !j.bare {
			b.correct(j, c, out, asked, before, after)
		}
		if c.Status != j.status {
			fmt.Println(tailOf(out))
		}
	}
	if j.quiet {
		best.requests = nil
	}
	b.rows = append(b.rows, best)
	return nil
}

// version measures how fast the program starts.
func (b *bench) version() error {
	var all []cost
	for range 10 {
		c, _, err := b.launch.run(b.binary, "version")
		if err != nil {
			return err
		}
		all = append(all, c)
	}
	slices.SortFunc(all, func(x, y cost) int { return int(x.Wall - y.Wall) })
	b.rows = append(b.rows, row{name: versionRow, cost: all[len(all)/2]})
	return nil
}

// row returns the row of a name, or an empty one.
func (b *bench) row(name string) row {
	for _, r := range b.rows {
		if r.name == name {
			return r
		}
	}
	return row{}
}

func (b *bench) wall(name string) span { return span(b.row(name).cost.Wall) }
