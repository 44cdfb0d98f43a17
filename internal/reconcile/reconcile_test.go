package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pinnace-dev/pinnace/internal/check"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/plan"
)

// memory is Files in a map. It holds Replace to its contract: a file that is written
// twice is an error of the test.
type memory struct {
	t        *testing.T
	mu       sync.Mutex
	files    map[string]string
	reads    map[string]int
	replaced []string
	onRead   func(path string, n int) // may change files
}

func newMemory(t *testing.T, files map[string]string) *memory {
	return &memory{t: t, files: files, reads: map[string]int{}}
}

func (m *memory) Walk(ctx context.Context, visit func(string, error) error) error {
	m.mu.Lock()
	var names []string
	for name := range m.files {
		names = append(names, name)
	}
	m.mu.Unlock()
	slices.Sort(names)
	for _, name := range names {
		var unreadable error
		if strings.HasSuffix(name, "@") {
			unreadable = errors.New("a link")
		}
		if err := visit(strings.TrimSuffix(name, "@"), unreadable); err != nil {
			return err
		}
	}
	return nil
}

func (m *memory) Read(path string, limit int64) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reads[path]++
	if m.onRead != nil {
		m.onRead(path, m.reads[path])
	}
	text, ok := m.files[path]
	if !ok {
		return nil, fmt.Errorf("%s: no such file", path)
	}
	if int64(len(text)) > limit {
		return nil, errors.New("too large")
	}
	return []byte(text), nil
}

func (m *memory) Replace(path string, old, data []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if slices.Contains(m.replaced, path) {
		m.t.Errorf("%s is replaced twice", path)
	}
	if m.files[path] != string(old) {
		return errors.New("changed")
	}
	m.replaced = append(m.replaced, path)
	m.files[path] = string(data)
	return nil
}

// answers is a Resolver over a map from name:tag or name@digest. It counts questions.
type answers struct {
	mu    sync.Mutex
	known map[string]image.Resolution
	asked map[string]int
	block chan struct{} // questions wait for it, where it is not nil
}

func (a *answers) ask(ctx context.Context, verb, key string) (image.Resolution, error) {
	a.mu.Lock()
	if a.asked == nil {
		a.asked = map[string]int{}
	}
	a.asked[verb+" "+key]++
	a.mu.Unlock()
	if a.block != nil {
		select {
		case <-a.block:
		case <-ctx.Done():
			return image.Resolution{}, ctx.Err()
		}
	}
	if r, ok := a.known[key]; ok {
		return r, nil
	}
	return image.Resolution{}, fmt.Errorf("%s: %w", key, image.ErrUnknown)
}

func (a *answers) Resolve(ctx context.Context, r image.Ref) (image.Resolution, error) {
	return a.ask(ctx, "resolve", r.Name+":"+r.TagOrLatest())
}

func (a *answers) Platform(ctx context.Context, r image.Ref, p image.Platform) (image.Resolution, error) {
	return a.ask(ctx, "platform", r.Name+":"+r.TagOrLatest()+" "+p.String())
}

func (a *answers) Stat(ctx context.Context, r image.Ref) (image.Resolution, error) {
	return a.ask(ctx, "stat", r.Name+"@"+r.Digest.Short())
}

func (a *answers) Index(ctx context.Context, r image.Ref) (image.Resolution, error) {
	return a.ask(ctx, "index", r.Name+"@"+r.Digest.Short())
}

func digest(c string) image.Digest { return image.Digest("sha256:" + strings.Repeat(c, 64)) }

func TestPin(t *testing.T) {
	files := newMemory(t, map[string]string{
		"a.yaml": "image: a/b:1\nother: {image: a/b:1}\n", "b.yaml": "image: a/b:1\n", "c.yaml": "image: a/none:1\n---\nimage: c/d:2\n",
		"d.yaml": "image: [\n", "e.txt": "image: a/b:1\n", "f.yaml@": "",
	})
	registry := &answers{known: map[string]image.Resolution{"a/b:1": {Digest: digest("1")}, "c/d:2": {Digest: digest("2")}}}
	r := &Reconciler{Files: files, Resolver: registry, Progress: &Progress{}}
	p, err := r.Pin(context.Background(), PinOptions{Write: true})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"a.yaml": "image: a/b:1@" + string(digest("1")) + "\nother: {image: a/b:1@" + string(digest("1")) + "}\n",
		"b.yaml": "image: a/b:1@" + string(digest("1")) + "\n",
		"c.yaml": "image: a/none:1\n---\nimage: c/d:2@" + string(digest("2")) + "\n",
		"d.yaml": "image: [\n",
		"e.txt":  "image: a/b:1\n",
	}
	for name, text := range want {
		if files.files[name] != text {
			t.Errorf("%s holds %q, want %q", name, files.files[name], text)
		}
	}
	for question, n := range registry.asked {
		if n != 1 {
			t.Errorf("%s is asked %d times", question, n)
		}
	}
	if len(registry.asked) != 3 || !errors.Is(p.Failed(), image.ErrUnknown) || p.Survey.Total != 5 {
		t.Errorf("asked %v, failed %v, looked at %d", registry.asked, p.Failed(), p.Survey.Total)
	}
	if a, q := r.Progress.Answered.Load(), r.Progress.Asked.Load(); a != 3 || q != 3 {
		t.Errorf("progress %d of %d", a, q)
	}
	again, err := (&Reconciler{Files: newMemory(t, files.files), Resolver: &answers{}}).Pin(context.Background(), PinOptions{Write: true})
	if err != nil || slices.ContainsFunc(again.Files, func(f FilePlan) bool { return f.Changed }) {
		t.Errorf("a second run changes files: %v", err)
	}
}

// TestChangedMeanwhile is case 143: a file that changes between the look and the edit is
// left alone, and said so.
func TestChangedMeanwhile(t *testing.T) {
	files := newMemory(t, map[string]string{"a.yaml": "image: a/b:1\n", "b.yaml": "image: a/b:1\n"})
	files.onRead = func(path string, n int) {
		if path == "a.yaml" && n == 2 {
			files.files[path] = "# a person was here\nimage: a/b:2\n"
		}
	}
	r := &Reconciler{Files: files, Resolver: &answers{known: map[string]image.Resolution{"a/b:1": {Digest: digest("1")}}}}
	p, err := r.Pin(context.Background(), PinOptions{Write: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := files.files["a.yaml"]; got != "# a person was here\nimage: a/b:2\n" {
		t.Errorf("the person's bytes became %q", got)
	}
	if p.Failed() == nil || !strings.Contains(p.Failed().Error(), "changed since") || !p.Files[1].Changed {
		t.Errorf("failed: %v", p.Failed())
	}
}

// TestInterrupted: once the context is done nothing is written any more.
func TestInterrupted(t *testing.T) {
	files := newMemory(t, map[string]string{"a.yaml": "image: a/b:1\n", "b.yaml": "image: c/d:1\n"})
	registry := &answers{known: map[string]image.Resolution{"a/b:1": {Digest: digest("1")}, "c/d:1": {Digest: digest("2")}}}
	ctx, cancel := context.WithCancel(context.Background())
	files.onRead = func(path string, n int) {
		if n == 2 {
			cancel()
		}
	}
	_, err := (&Reconciler{Files: files, Resolver: registry}).Pin(ctx, PinOptions{Write: true, Change: func(string, []byte, []byte) {}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if len(files.replaced) > 1 {
		t.Errorf("replaced %v after the interruption", files.replaced)
	}
	registry.block = make(chan struct{})
	ctx, cancel = context.WithCancel(context.Background())
	waiting := newMemory(t, map[string]string{"a.yaml": "image: a/b:1\n"})
	waiting.onRead = func(string, int) { cancel() }
	if _, err := (&Reconciler{Files: waiting, Resolver: registry}).Pin(ctx, PinOptions{Write: true}); !errors.Is(err, context.Canceled) || len(waiting.replaced) > 0 {
		t.Errorf("error %v, replaced %v", err, waiting.replaced)
	}
}

func TestExemptAndSelected(t *testing.T) {
	files := newMemory(t, map[string]string{"a.yaml": "image: a/b:1\n", "b.yaml": "image: a/c:1\n", "c.yaml": "image: a/b:1\n"})
	registry := &answers{known: map[string]image.Resolution{"a/b:1": {Digest: digest("1")}}}
	r := &Reconciler{
		Files: files, Resolver: registry,
		Selected: func(path string) bool { return path != "c.yaml" },
		Exempt: func(path string, ref image.Ref) string {
			if ref.Name == "a/c" {
				return "because"
			}
			return ""
		},
	}
	p, err := r.Pin(context.Background(), PinOptions{Write: true})
	if err != nil || p.Failed() != nil || len(registry.asked) != 1 || files.reads["c.yaml"] != 0 {
		t.Fatalf("%v, %v, asked %v", err, p.Failed(), registry.asked)
	}
	if s := p.Files[1].Steps[0]; s.Action != plan.Leave || s.Reason != "because" {
		t.Errorf("step %s: %s", s.Action, s.Reason)
	}
}

// TestNamed: a kustomization's resource is read whatever it is called.
func TestNamed(t *testing.T) {
	files := newMemory(t, map[string]string{
		"kustomization.yaml": "resources: [pod.txt, none.txt, ../out.txt, base]\n", "pod.txt": "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: a/b:1}]}\n", "other.txt": "image: a/c:1\n",
	})
	registry := &answers{known: map[string]image.Resolution{"a/b:1": {Digest: digest("1")}}}
	if _, err := (&Reconciler{Files: files, Resolver: registry}).Pin(context.Background(), PinOptions{Write: true}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(files.files["pod.txt"], "a/b:1@sha256:") || len(registry.asked) != 1 {
		t.Errorf("pod.txt holds %q, asked %v", files.files["pod.txt"], registry.asked)
	}
}

func TestCheckAsks(t *testing.T) {
	one, two := string(digest("1")), string(digest("2"))
	files := newMemory(t, map[string]string{
		"a.yaml": "image: a/b:1@" + one + "\n---\nimage: a/b:1@" + one + "\n", // fine: one question
		"b.yaml": "image: a/c:1@" + two + "\n",                                // moved: the digest is asked, too
		"c.yaml": "image: a/d:1\n",                                            // unpinned: nothing to ask
		"d.yaml": "image: a/e@" + one + "\n",                                  // no tag: the digest alone
	})
	registry := &answers{known: map[string]image.Resolution{
		"a/b:1": {Digest: digest("1")}, "a/c:1": {Digest: digest("1")}, "a/c@" + digest("2").Short(): {Digest: digest("2"), MediaType: image.OCIIndex},
	}}
	c, err := (&Reconciler{Files: files, Resolver: registry}).Check(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range c.Findings {
		got = append(got, f.Path+" "+string(f.Code))
	}
	if want := []string{"b.yaml PIN002", "c.yaml PIN001", "d.yaml PIN003"}; !slices.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
	want := map[string]int{"resolve a/b:1": 1, "resolve a/c:1": 1, "stat a/c@" + digest("2").Short(): 1, "stat a/e@" + digest("1").Short(): 1}
	if fmt.Sprint(registry.asked) != fmt.Sprint(want) {
		t.Errorf("asked %v, want %v", registry.asked, want)
	}
	offline, err := (&Reconciler{Files: files}).Check(context.Background())
	if err != nil || len(offline.Findings) != 1 || offline.Findings[0].Code != check.Unpinned {
		t.Errorf("offline: %v, %v", offline.Findings, err)
	}
}
