package reconcile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/check"
	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/plan"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A Reading is what one commit of a config repository holds.
type Reading struct {
	Snapshot *git.Snapshot
	Config   *config.Config
	Warnings []string // what the files say amiss

	files *Reconciler
	index *Index
	reach *plan.Reach
	stage *plan.Stage
}

// Documents returns the files of .pinnace/ in a commit, by path.
func Documents(ctx context.Context, s *git.Snapshot) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := s.Walk(ctx, func(path string) bool {
		return path == configDir || strings.HasPrefix(path, configDir+"/")
	}, func(e git.Entry) error {
		if ext := path.Ext(e.Path); e.Problem == nil && ext != ".yaml" && ext != ".yml" {
			return nil
		}
		if e.Problem != nil {
			return &Refusal{Class: promotion.ErrInvalid, Text: fmt.Sprintf("%s: the configuration cannot be read: %s", e.Path, e.Problem.Text)}
		}
		data, err := s.Blob(e.Blob, manifest.MaxFile)
		if err != nil {
			return fmt.Errorf("%s: the configuration cannot be read: %w", e.Path, err)
		}
		files[e.Path] = data
		return nil
	})
	return files, err
}

// Configured returns the configuration among the files of .pinnace/.
func Configured(files map[string][]byte) (*config.Config, error) {
	c, _, problems := config.Load(files)
	if problems.HasErrors() {
		return nil, &Refusal{Class: promotion.ErrInvalid, Text: problems.Err().Error()}
	}
	return c, nil
}

// Read reads a commit as a configuration says. Where previous is of the same configuration
// only what differs is read. A file in the paths of two environments is an error.
func Read(ctx context.Context, s *git.Snapshot, c *config.Config, previous *Index) (*Reading, error) {
	return read(ctx, s, c, previous, &Reconciler{})
}

// ReadPast reads a commit that was made under another configuration, maybe. A file in the paths
// of two environments is no error, and is of both.
func ReadPast(ctx context.Context, s *git.Snapshot, c *config.Config, previous *Index) (*Reading, error) {
	return readWith(ctx, s, c, previous, &Reconciler{}, func([]string) config.Problems { return nil })
}

func read(ctx context.Context, s *git.Snapshot, c *config.Config, previous *Index, r *Reconciler) (*Reading, error) {
	return readWith(ctx, s, c, previous, r, c.Overlaps)
}

// rulesOf tells one configuration from another.
func rulesOf(c *config.Config, previous *Index) (string, error) {
	if previous != nil && previous.config == c {
		return previous.rules, nil
	}
	text, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("spell the configuration: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

func readWith(ctx context.Context, s *git.Snapshot, c *config.Config, previous *Index, r *Reconciler, overlaps func(paths []string) config.Problems) (*Reading, error) {
	rules, err := rulesOf(c, previous)
	if err != nil {
		return nil, err
	}
	r.Configure(c, func(path string) string { return path })
	out := &Reading{Snapshot: s, Config: c, files: r}
	if out.index, err = r.index(ctx, s, rules, previous); err != nil {
		return nil, err
	}
	out.index.config = c
	if out.index.reach == nil {
		files := out.index.Files()
		paths := make([]string, len(files))
		for i, f := range files {
			paths[i] = f.Path
		}
		if problems := overlaps(paths); problems.HasErrors() {
			return nil, &Refusal{Class: promotion.ErrInvalid, Text: problems.Err().Error()}
		}
		out.index.reach = plan.NewReach(c, files, out.index.paths.has)
	}
	out.reach = out.index.reach
	for _, problem := range out.reach.Problems() {
		out.Warnings = append(out.Warnings, problem.String())
	}
	return out, nil
}

// Configure has files read as a configuration says, which knows a file by the path that in
// returns.
func (r *Reconciler) Configure(c *config.Config, in func(path string) string) {
	r.Platform, _ = c.Pin.OnePlatform()
	r.Selected = func(path string) bool { return !strings.HasPrefix(in(path), configDir+"/") }
	r.Exempt = func(_ string, ref image.Ref) string {
		if c.Ignored(ref) {
			return "pin.ignore of the configuration names it"
		}
		return ""
	}
	r.Extra = func(path string) []manifest.Extra { return extras(c, in(path)) }
}

// extras returns the places that the configuration adds to a file.
func extras(c *config.Config, path string) []manifest.Extra {
	var out []manifest.Extra
	for _, x := range c.ExtraOf(path) {
		for _, pointer := range x.Pointers {
			out = append(out, manifest.Extra{Kind: x.Kind, Pointer: pointer})
		}
	}
	return out
}

// Index returns what the next reading can be made from.
func (r *Reading) Index() *Index { return r.index }

// Files returns the files in which anything was found, in order of their paths.
func (r *Reading) Files() []check.File { return r.index.Files() }

// Environments names those that a file affects, in the order of the configuration.
func (r *Reading) Environments(path string) []string { return r.reach.Environments(path) }

// Owner returns the environment whose paths match a file.
func (r *Reading) Owner(path string) (string, bool) { return r.reach.Owner(path) }

// Extra returns the places that the configuration adds to a file.
func (r *Reading) Extra(path string) []manifest.Extra { return extras(r.Config, path) }

// Has says whether there is a file at a path, or something that stands in its way.
func (r *Reading) Has(path string) bool { return r.index.paths.has(path) }

// Format says how a file is read, None where it is not.
func (r *Reading) Format(path string) manifest.Format { return r.files.format(path) }

// Scan reads one file of a commit, which need not be the reading's own. It is false where
// the entry is none, or cannot be read.
func (r *Reading) Scan(s *git.Snapshot, e git.Entry) (plan.File, bool, error) {
	if e.Path == "" || e.Problem != nil {
		return plan.File{}, false, nil
	}
	data, err := s.Blob(e.Blob, manifest.MaxFile)
	if err != nil {
		if errors.Is(err, git.ErrLimit) || errors.As(err, new(*git.Problem)) {
			return plan.File{}, false, nil
		}
		return plan.File{}, false, fmt.Errorf("read %s: %w", e.Path, err)
	}
	return plan.File{Path: e.Path, Result: manifest.Scan(data, r.Format(e.Path), r.Extra(e.Path)...)}, true, nil
}

// Apps names apps by the images of the commit, and of further files.
func (r *Reading) Apps(further []plan.File) config.AppNames {
	x := r.index
	if x.named == nil {
		x.refs, x.named = plan.Refs(r.Config, r.Files(), r.Environments), map[string]bool{}
		for _, ref := range x.refs {
			x.named[ref.Name] = true
		}
		x.apps = r.Config.AppNames(x.refs)
	}
	var more []image.Ref
	for _, ref := range plan.Refs(r.Config, further, r.Environments) {
		if !x.named[ref.Name] {
			more = append(more, ref)
		}
	}
	if len(more) == 0 {
		return x.apps
	}
	return r.Config.AppNames(append(slices.Clip(x.refs), more...))
}

// Entries are the images that the kustomizations of each environment set.
func (r *Reading) Entries() plan.Entries {
	if r.index.entries == nil {
		r.index.entries = plan.EntriesOf(r.Files(), r.Environments)
	}
	return r.index.entries
}

// Stage is what planning a promotion needs of all files.
func (r *Reading) Stage() *plan.Stage {
	if r.stage == nil {
		r.stage = plan.NewStage(r.Config, r.Files(), r.Environments, r.Owner)
	}
	return r.stage
}

// Inventory lists what stands in the commit.
func (r *Reading) Inventory() []plan.Standing {
	return plan.Inventory(r.Config, r.Files(), r.Apps(nil), r.Entries(), r.Environments, r.Owner)
}

// Running lists what says what runs: the inventory without the places that a kustomization
// overrides. Nobody may change it.
func (r *Reading) Running() []plan.Standing {
	if r.index.running == nil {
		r.index.running = slices.DeleteFunc(r.Inventory(), func(s plan.Standing) bool { return s.Overridden })
	}
	return r.index.running
}

// SameReach says whether the files of two readings surely affect the same environments.
func (r *Reading) SameReach(other *Reading) bool { return r.reach == other.reach }

// Moved lists the files of the commit that affect other environments than they did in an
// earlier reading with the same configuration, sorted.
func (r *Reading) Moved(before *Reading) []string {
	if r.SameReach(before) {
		return nil
	}
	var out []string
	for path := range r.index.paths.all() {
		if (r.reach.Named(path) || before.reach.Named(path)) && !slices.Equal(r.Environments(path), before.Environments(path)) {
			out = append(out, path)
		}
	}
	slices.Sort(out)
	return out
}
