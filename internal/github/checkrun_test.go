package github

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

func TestCheckRuns(t *testing.T) {
	r := newRig(t)
	r.on("GET /repos/acme/config/commits/"+shaA+"/check-runs?check_name=pinnace+%2F+plan&filter=latest&per_page=100", 200, `{"total_count":2,"check_runs":[
		{"id":1,"name":"pinnace / plan","head_sha":"`+shaA+`","status":"completed","conclusion":"success","external_id":"e","details_url":"d","html_url":"h","app":{"id":42},
		 "output":{"title":"T","summary":"S","text":null},"started_at":"2026-01-01T00:00:00Z","completed_at":"2026-01-02T00:00:00Z"},
		{"id":2,"name":"other"},{"id":3,"name":"pinnace / plan","app":null,"output":null,"conclusion":null},null]}`)
	got := must[[]promotion.CheckRun](t)(r.client().CheckRuns(t.Context(), config, shaA, "pinnace / plan"))
	want := []promotion.CheckRun{
		{ID: 1, Name: "pinnace / plan", SHA: shaA, App: 42, Status: "completed", Conclusion: "success", ExternalID: "e", DetailsURL: "d", URL: "h", Title: "T", Summary: "S", Started: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Completed: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)},
		{ID: 3, Name: "pinnace / plan"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	r.on("GET /repos/acme/config/commits/"+shaA+"/check-runs?filter=latest&per_page=100", 200, `{"total_count":0}`)
	_, err := r.client().CheckRuns(t.Context(), config, shaA, "")
	isOnly(t, err, promotion.ErrTransient) // no list at all is not an empty one
}

// 50 annotations a request; the conclusion goes with the last.
func TestAnnotations(t *testing.T) {
	for _, c := range []struct {
		count int
		want  []string // of each request: method, status, annotations
	}{
		{0, []string{"POST completed 0"}},
		{1, []string{"POST completed 1"}},
		{50, []string{"POST completed 50"}},
		{51, []string{"POST in_progress 50", "PATCH completed 1"}},
		{120, []string{"POST in_progress 50", "PATCH <nil> 50", "PATCH completed 20"}},
	} {
		t.Run(fmt.Sprint(c.count), func(t *testing.T) {
			r := newRig(t)
			r.on("POST /repos/acme/config/check-runs", 201, `{"id":5}`)
			r.on("PATCH /repos/acme/config/check-runs/5", 200, `{"id":5,"status":"completed"}`)
			run := promotion.CheckRun{Name: "pinnace", SHA: shaA, Conclusion: "failure", Completed: r.now(), Actions: []promotion.Action{{Label: "Re-check", Description: "d", Identifier: "i"}}}
			for i := range c.count {
				run.Annotations = append(run.Annotations, promotion.Annotation{Path: "a.yaml", Start: i + 1, End: i + 1, Level: "warning", Message: fmt.Sprint(i)})
			}
			made := must[promotion.CheckRun](t)(r.client().CreateCheckRun(t.Context(), config, run))
			if made.ID != 5 {
				t.Errorf("got %+v", made)
			}
			var got, messages []string
			for i, s := range r.requests() {
				var body struct {
					Status     any
					Conclusion string
					Actions    []any
					Output     struct{ Annotations []struct{ Message string } }
				}
				if err := json.Unmarshal([]byte(s.body), &body); err != nil {
					t.Fatal(err)
				}
				method, _, _ := strings.Cut(s.line, " ")
				got = append(got, fmt.Sprint(method, " ", body.Status, " ", len(body.Output.Annotations)))
				for _, a := range body.Output.Annotations {
					messages = append(messages, a.Message)
				}
				last := i == len(c.want)-1
				if (body.Conclusion == "failure") != last || (len(body.Actions) == 1) != last {
					t.Errorf("request %d: conclusion %q, %d buttons", i, body.Conclusion, len(body.Actions))
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for i, m := range messages {
				if m != fmt.Sprint(i) {
					t.Fatalf("annotation %d is %s", i, m)
				}
			}
			if len(messages) != c.count {
				t.Errorf("%d annotations, want %d", len(messages), c.count)
			}
		})
	}
}

func TestUpdateCheckRun(t *testing.T) {
	r := newRig(t)
	r.on("PATCH /repos/acme/config/check-runs/5", 200, `{"id":5}`)
	must[promotion.CheckRun](t)(r.client().UpdateCheckRun(t.Context(), config, promotion.CheckRun{
		ID: 5, Name: "pinnace", Status: "queued", ExternalID: "e", DetailsURL: "https://x", Started: r.now(), Text: "t",
		Annotations: []promotion.Annotation{
			{Path: "a", Start: 3, End: 3, StartCol: 2, EndCol: 9, Level: "notice", Title: "T", Message: "M", Details: "D"},
			{Path: "a", Start: 3, End: 4, StartCol: 2, EndCol: 9, Level: "notice", Message: "M"},
			{Path: "a", Level: "notice", Message: "M"},
		},
	}))
	want := map[string]any{
		"name": "pinnace", "status": "queued", "external_id": "e", "details_url": "https://x", "started_at": "2026-03-01T12:00:00Z",
		"output": map[string]any{"title": "pinnace", "summary": "", "text": "t", "annotations": []any{
			map[string]any{"path": "a", "start_line": 3.0, "end_line": 3.0, "start_column": 2.0, "end_column": 9.0, "annotation_level": "notice", "title": "T", "message": "M", "raw_details": "D"},
			map[string]any{"path": "a", "start_line": 3.0, "end_line": 4.0, "annotation_level": "notice", "message": "M"},
			map[string]any{"path": "a", "start_line": 1.0, "end_line": 1.0, "annotation_level": "notice", "message": "M"},
		}},
	}
	if diff := cmp.Diff(want, r.body()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	r.on("PATCH /repos/acme/config/check-runs/5", 200, `{}`)
	_, err := r.client().UpdateCheckRun(t.Context(), config, promotion.CheckRun{ID: 5, Name: "pinnace"})
	isOnly(t, err, promotion.ErrTransient)
}

func TestCheckRunRefusals(t *testing.T) {
	r := newRig(t)
	c := r.client()
	good := promotion.CheckRun{Name: "pinnace", SHA: shaA}
	for name, spoil := range map[string]func(*promotion.CheckRun){
		"name":    func(c *promotion.CheckRun) { c.Name = "" },
		"commit":  func(c *promotion.CheckRun) { c.SHA = "main" },
		"buttons": func(c *promotion.CheckRun) { c.Actions = make([]promotion.Action, 4) },
		"button":  func(c *promotion.CheckRun) { c.Actions = []promotion.Action{{Label: strings.Repeat("x", 21)}} },
	} {
		bad := good
		spoil(&bad)
		_, err := c.CreateCheckRun(t.Context(), config, bad)
		if err == nil {
			t.Errorf("%s: got no error", name)
			continue
		}
		isOnly(t, err, promotion.ErrInvalid)
	}
	_, err := c.UpdateCheckRun(t.Context(), config, good)
	isOnly(t, err, promotion.ErrInvalid)
	if n := len(r.lines()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

func TestShorten(t *testing.T) {
	for _, c := range []struct {
		s, note, want string
		n             int
	}{
		{"short", "...", "short", 5},
		{"longer", "...", "lo...", 5},
		{"a€€€", "...", "a€...", 8},
		{"€€€€", "...", "...", 5},
	} {
		if got := shorten(c.s, c.n, c.note); got != c.want || len(got) > c.n || !utf8.ValidString(got) {
			t.Errorf("%q: got %q, want %q", c.s, got, c.want)
		}
	}
	if got := shorten(strings.Repeat("€", 30000), maxText, tooLong); len(got) > maxText || !strings.HasSuffix(got, tooLong) || !utf8.ValidString(got) {
		t.Errorf("got %d bytes", len(got))
	}
}
