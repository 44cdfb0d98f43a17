package github

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A world of people, whose pages say how often they were asked for.
type pages struct {
	*rig
	mu    sync.Mutex
	count map[string]int
	// under way
	now, most atomic.Int32
	hold      func(path string) // runs while a request is under way
}

func newPages(t *testing.T) *pages {
	p := &pages{rig: newRig(t), count: map[string]int{}, hold: func(string) {}}
	return p
}

func (p *pages) serve(names ...string) (urls []string) {
	for _, name := range names {
		path := "/users/" + name
		p.handle("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			p.most.Store(max(p.most.Load(), p.now.Add(1)))
			defer p.now.Add(-1)
			p.hold(path)
			p.mu.Lock()
			p.count[name]++
			n := p.count[name]
			p.mu.Unlock()
			fmt.Fprintf(w, `{"id":%d,"login":%q,"type":"User"}`, n, name)
		})
		urls = append(urls, p.server.URL+path)
	}
	return urls
}

// nth is which answer a read got, from 1.
func nth(t *testing.T, c *Client, name string) int64 {
	t.Helper()
	u, _, err := c.UserByLogin(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return u.ID
}

// settled waits until all that is asked ahead was answered.
func settled(c *Client) { c.visit.ahead.tasks.Wait() }

// What the visit before read is asked for at once, and each answer is used once.
func TestAhead(t *testing.T) {
	p := newPages(t)
	urls := p.serve("a", "b", "c")
	c := p.client()
	first := c.Visit(t.Context(), VisitOptions{})
	for _, name := range []string{"a", "b", "c", "a"} {
		nth(t, first, name)
	}
	first.Close()
	if diff := cmp.Diff(append(slices.Clone(urls), urls[0]), first.Reads()); diff != "" {
		t.Fatalf("reads (-want +got):\n%s", diff)
	}
	second := c.Visit(t.Context(), VisitOptions{Ahead: first.Reads()})
	defer second.Close()
	settled(second)
	if n := len(p.lines()); n != 8 {
		t.Fatalf("%d requests, want 4 and 4 ahead", n)
	}
	var got []int64
	for _, name := range []string{"a", "b", "a"} {
		got = append(got, nth(t, second, name))
	}
	slices.Sort(got) // the two of a came in no order
	if diff := cmp.Diff([]int64{2, 3, 4}, got); diff != "" || len(p.lines()) != 8 {
		t.Errorf("answers (-want +got):\n%s\nafter %d requests", diff, len(p.lines()))
	}
	if n := nth(t, second, "a"); n != 5 || len(p.lines()) != 9 {
		t.Errorf("what was read is asked for again: got answer %d after %d requests", n, len(p.lines()))
	}
	if diff := cmp.Diff([]string{urls[0], urls[1], urls[0], urls[0]}, second.Reads()); diff != "" {
		t.Errorf("reads of the second visit, without what nobody asked for (-want +got):\n%s", diff)
	}
}

// Next pages and other media types are asked for as they were.
func TestAheadOfListsAndFiles(t *testing.T) {
	r := newRig(t)
	list := "/repos/acme/config/issues/3/comments?per_page=100"
	r.handle("GET "+list, says(200, `[{"id":1}]`, "Link", `<`+r.server.URL+`/repositories/7/issues/3/comments?page=2>; rel="next"`))
	r.on("GET /repositories/7/issues/3/comments?page=2", 200, `[{"id":2}]`)
	r.handle("GET /repos/acme/config/contents/a.yaml", func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("Accept") != "application/vnd.github.object+json" {
			t.Errorf("asked for %s", req.Header.Get("Accept"))
		}
		says(200, `{"type":"file","encoding":"base64","content":"eA==","size":1}`)(w, req)
	})
	c := r.client()
	var reads []string
	for range 3 {
		v := c.Visit(t.Context(), VisitOptions{Ahead: reads})
		if reads != nil {
			settled(v)
		}
		before := len(r.lines())
		all, err := v.Comments(t.Context(), config, 3)
		if err != nil || len(all) != 2 {
			t.Fatalf("got %v, %v", all, err)
		}
		b, ok, err := v.File(t.Context(), config, "a.yaml", "")
		if err != nil || !ok || string(b) != "x" {
			t.Fatalf("got %q, %v, %v", b, ok, err)
		}
		v.Close()
		if n := len(r.lines()) - before; reads != nil && n != 0 || reads == nil && n != 3 {
			t.Errorf("%d requests by the reads themselves", n)
		}
		reads = v.Reads()
	}
}

// A read that is under way ahead is waited for, and not asked for twice.
func TestAheadIsJoined(t *testing.T) {
	p := newPages(t)
	urls := p.serve("a")
	begun, going := make(chan struct{}), make(chan struct{})
	p.hold = func(string) { close(begun); <-going }
	v := p.client().Visit(t.Context(), VisitOptions{Ahead: urls})
	defer v.Close()
	<-begun
	got := make(chan int64)
	go func() { u, _, _ := v.UserByLogin(t.Context(), "a"); got <- u.ID }()
	close(going)
	if id := <-got; id != 1 || len(p.lines()) != 1 {
		t.Errorf("got answer %d after %d requests", id, len(p.lines()))
	}
}

// Whatever ends the use of what was asked ahead, the read is made anew, also by who waits for
// an answer that is under way.
func TestAheadIsForgotten(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(*testing.T, *pages, *Client)
	}{
		{"Anew", func(_ *testing.T, _ *pages, v *Client) { v.Anew() }},
		{"a write", func(t *testing.T, _ *pages, v *Client) {
			if _, err := v.Comment(t.Context(), config, 3, "x"); err != nil {
				t.Fatal(err)
			}
		}},
		{"a write that failed", func(t *testing.T, _ *pages, v *Client) {
			if err := v.DeleteRef(t.Context(), config, "gone"); err == nil {
				t.Fatal("got no error")
			}
		}},
		{"a mutation", func(t *testing.T, _ *pages, v *Client) {
			if err := v.MarkReady(t.Context(), "PR_x"); err != nil {
				t.Fatal(err)
			}
		}},
		{"time", func(_ *testing.T, p *pages, _ *Client) { p.pass(aheadLife) }},
		{"a clock that goes back", func(_ *testing.T, p *pages, _ *Client) { p.pass(-time.Second) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPages(t)
			urls := p.serve("a", "b")
			p.on("POST /repos/acme/config/issues/3/comments", 201, `{"id":1}`)
			p.on("DELETE /repos/acme/config/git/refs/heads/gone", 500, ``)
			p.on("POST /graphql", 200, `{"data":{"x":1}}`)
			v := p.client().Visit(t.Context(), VisitOptions{Ahead: urls})
			defer v.Close()
			settled(v)
			if n := nth(t, v, "a"); n != 1 {
				t.Errorf("answer %d", n)
			}
			c.end(t, p, v)
			if n := nth(t, v, "b"); n != 2 {
				t.Errorf("got answer %d, which was asked for before", n)
			}
		})
		t.Run(c.name+", under way", func(t *testing.T) {
			p := newPages(t)
			urls := p.serve("a")
			p.on("POST /repos/acme/config/issues/3/comments", 201, `{"id":1}`)
			p.on("DELETE /repos/acme/config/git/refs/heads/gone", 500, ``)
			p.on("POST /graphql", 200, `{"data":{"x":1}}`)
			var calls atomic.Int32
			begun, going := make(chan struct{}), make(chan struct{})
			p.hold = func(string) {
				if calls.Add(1) == 1 {
					close(begun)
					<-going
				}
			}
			v := p.client().Visit(t.Context(), VisitOptions{Ahead: urls})
			<-begun
			got := make(chan error)
			go func() { _, _, err := v.UserByLogin(context.Background(), "a"); got <- err }()
			c.end(t, p, v)
			if v.visit.ahead.dropped { // who waits need not wait for the old answer
				if err := <-got; err != nil {
					t.Error(err)
				}
				close(going)
			} else {
				close(going)
				if err := <-got; err != nil {
					t.Error(err)
				}
			}
			v.Close()
			if n := calls.Load(); n != 2 {
				t.Errorf("%d requests, want the one ahead and the read's own", n)
			}
		})
	}
}

// The failures of what is asked ahead are nobody's: the read itself asks, and says what it hears.
func TestAheadFails(t *testing.T) {
	for name, first := range map[string]http.HandlerFunc{
		"gone":            says(404, `{"message":"Not Found"}`),
		"forbidden":       says(403, `{"message":"Resource not accessible by integration"}`),
		"unauthenticated": says(401, `{"message":"Bad credentials"}`),
		"gateway":         says(502, ""),
		"web page":        says(200, "<html>", "Content-Type", "text/html"),
		"hang-up":         hangup,
		"too large":       func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, maxAhead+1)) },
		"redirect away":   says(301, "", "Location", "https://evil.test/users/octo"),
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.script("GET /users/octo", first, says(200, octo))
			v := r.client().Visit(t.Context(), VisitOptions{Ahead: []string{r.server.URL + "/users/octo"}})
			defer v.Close()
			settled(v)
			if n := len(r.lines()); n != 1 {
				t.Errorf("%d requests ahead, want one attempt", n)
			}
			if err := ask(t, v); err != nil {
				t.Error(err)
			}
			if n := len(r.lines()); n != 2 || len(r.slept()) != 0 {
				t.Errorf("%d requests, %v waits", n, r.slept())
			}
		})
	}
}

// A limit that is met ahead closes the gate, as it is GitHub's word; while one lasts, or our own
// pace is used up, nothing is asked ahead.
func TestAheadWaitsForNoLimit(t *testing.T) {
	r := newRig(t)
	r.script("GET /users/octo", says(403, `{"message":"You have exceeded a secondary rate limit."}`, "Retry-After", "20"), says(200, octo))
	c := r.client()
	urls := []string{r.server.URL + "/users/octo"}
	for range 2 {
		v := c.Visit(t.Context(), VisitOptions{Ahead: urls})
		settled(v)
		v.Close()
	}
	if n := len(r.lines()); n != 1 || len(r.slept()) != 0 {
		t.Fatalf("%d requests, waits %v", n, r.slept())
	}
	v := c.Visit(t.Context(), VisitOptions{Ahead: urls})
	defer v.Close()
	if err := ask(t, v); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]time.Duration{20 * time.Second}, r.slept()); diff != "" {
		t.Errorf("the read itself waits (-want +got):\n%s", diff)
	}

	o := r.options()
	o.Spacing = 0
	c = r.with(o)
	c.gate.points = 0
	before := len(r.lines())
	v = c.Visit(t.Context(), VisitOptions{Ahead: urls})
	defer v.Close()
	settled(v)
	if n := len(r.lines()) - before; n != 0 {
		t.Errorf("%d requests beyond our own pace", n)
	}
}

// Only addresses of the API are asked, however the list of reads was come by.
func TestAheadOfOtherHosts(t *testing.T) {
	r := newRig(t)
	evil := newRig(t) // fails the test where it is asked
	v := r.client().Visit(t.Context(), VisitOptions{Ahead: []string{
		evil.server.URL + "/users/octo", "https://api.github.com/user", "/users/octo", "", " ", "\x00", "::", "a b c",
		"x\r\nAuthorization: x " + r.server.URL + "/users/octo", r.server.URL + "/../users/octo", r.server.URL + "/users/" + strings.Repeat("x", maxReadKey),
		strings.Replace(r.server.URL, "http://", "http://user:password@", 1) + "/users/octo", r.server.URL + "/users/octo#x",
	}})
	settled(v)
	v.Close()
	if n := len(r.lines()) + len(evil.lines()); n != 0 {
		t.Errorf("asked %q and %q", r.lines(), evil.lines())
	}
}

// Eight are under way at once, and a read that waits its turn is made at once by who needs it.
func TestAheadIsBounded(t *testing.T) {
	p := newPages(t)
	var names []string
	for i := range maxReads + 20 {
		names = append(names, fmt.Sprint("u", i))
	}
	urls := p.serve(names...)
	begun, going := make(chan string, maxReads), make(chan struct{})
	p.hold = func(path string) {
		begun <- path
		<-going
	}
	v := p.client().Visit(t.Context(), VisitOptions{Ahead: urls})
	defer v.Close()
	for range aheadAtOnce {
		<-begun
	}
	got := make(chan int64)
	go func() { u, _, _ := v.UserByLogin(t.Context(), "u200"); got <- u.ID }()
	if path := <-begun; path != "/users/u200" {
		t.Errorf("the ninth is %s", path)
	}
	close(going)
	if id := <-got; id != 1 {
		t.Errorf("got answer %d", id)
	}
	settled(v)
	if n := len(p.lines()); n != maxReads || p.most.Load() > concurrency {
		t.Errorf("%d requests, %d at once; want %d, u200 among them once", n, p.most.Load(), maxReads)
	}
}

// What nobody reads does not fill the memory.
func TestAheadHoldsLittle(t *testing.T) {
	r := newRig(t)
	var urls []string
	body := `"` + strings.Repeat("x", maxAhead-2) + `"`
	for i := range 30 {
		path := fmt.Sprint("/users/u", i)
		r.on("GET "+path, 200, body)
		urls = append(urls, r.server.URL+path)
	}
	v := r.client().Visit(t.Context(), VisitOptions{Ahead: urls})
	defer v.Close()
	settled(v)
	if held := v.visit.ahead.held; held < maxHeld || held > maxHeld+aheadAtOnce*maxAhead {
		t.Errorf("%d bytes are held", held)
	}
	v.Anew()
	if v.visit.ahead.byKey != nil {
		t.Error("Anew keeps answers")
	}
}

// Neither the end of the context nor Close leaves a goroutine behind, and a reader whose
// context ends does not wait for the answer.
func TestAheadEnds(t *testing.T) {
	for _, how := range []string{"close", "context", "nothing"} {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // fails where a goroutine stays
				answering := make(chan struct{})
				c, err := New(Options{Tokens: StaticToken(canary), Spacing: -1, Transport: transport(func(req *http.Request) (*http.Response, error) {
					select {
					case <-req.Context().Done():
						return nil, req.Context().Err()
					case <-answering:
						return nil, fmt.Errorf("no route")
					}
				})})
				if err != nil {
					t.Fatal(err)
				}
				var urls []string
				for i := range 20 {
					urls = append(urls, fmt.Sprintf("https://api.github.com/users/u%d", i))
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				v := c.Visit(ctx, VisitOptions{Ahead: urls})
				synctest.Wait()
				reader, stop := context.WithCancel(t.Context())
				failed := make(chan error)
				go func() { _, _, err := v.UserByLogin(reader, "u0"); failed <- err }()
				synctest.Wait()
				stop()
				isOnly(t, <-failed, promotion.ErrTransient)
				switch how {
				case "close":
					v.Close()
					v.Close()
				case "context":
					cancel()
				case "nothing":
					close(answering)
				}
				synctest.Wait()
			})
		})
	}
}

// The answers of a visit are the same with and without asking ahead, whoever reads at once.
func TestAheadOfMany(t *testing.T) {
	p := newPages(t)
	var names []string
	for i := range 40 {
		names = append(names, fmt.Sprint("u", i))
	}
	urls := p.serve(names...)
	p.on("POST /repos/acme/config/issues/3/comments", 201, `{"id":1}`)
	o := p.options()
	o.Cache, o.Tenant = NewMemoryETags(1<<20), "1"
	c := p.with(o)
	for round := range 5 {
		v := c.Visit(t.Context(), VisitOptions{Ahead: urls})
		var tasks sync.WaitGroup
		for k := range 4 {
			tasks.Go(func() {
				for i := range names {
					name := names[(i*7+k*11)%len(names)]
					u, ok, err := v.UserByLogin(t.Context(), name)
					if err != nil || !ok || u.Login != name {
						t.Errorf("%s: got %+v, %v, %v", name, u, ok, err)
					}
					switch {
					case i == 20 && k == round%4:
						_, _ = v.Comment(t.Context(), config, 3, "x")
					case i == 25 && k == 3:
						v.Anew()
					}
				}
			})
		}
		tasks.Wait()
		v.Close()
	}
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
