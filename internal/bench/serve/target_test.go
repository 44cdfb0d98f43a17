package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestSample(t *testing.T) {
	var s sample
	if got := s.at(0.5); got != 0 {
		t.Errorf("of none: %s", got)
	}
	for i := range 100 {
		s = append(s, time.Duration(100-i)*time.Second)
	}
	for share, want := range map[float64]time.Duration{0: time.Second, 0.5: 51 * time.Second, 0.99: 100 * time.Second, 1: 100 * time.Second} {
		if got := s.at(share); got != want {
			t.Errorf("%v: got %s, want %s", share, got, want)
		}
	}
}

// What misses a target is remembered, and fails a strict run alone.
func TestTargets(t *testing.T) {
	var m missed
	m.row("fast", "1 s", "under 2 s", true)
	m.row("only told", "9 s", "", false)
	if err := m.judge(true); err != nil {
		t.Error(err)
	}
	m.row("slow", "3 s", "under 2 s", false)
	if err := m.judge(false); err != nil {
		t.Error(err)
	}
	if err := m.judge(true); err == nil || err.Error() != "missed: slow: 3 s" {
		t.Errorf("got %v", err)
	}
}

// A metric is the sum over its labels, and one that is not there is no 0.
func TestMetric(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("# HELP pinnace_visits_total x\npinnace_visits_total{outcome=\"done\"} 3\npinnace_visits_total{outcome=\"a b\"} 4\npinnace_visits_total_x 9\nother 1\n"))
	}))
	defer s.Close()
	c := &child{root: s.URL}
	if got, err := c.metric("pinnace_visits_total"); err != nil || got != 7 {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := c.metric("pinnace_visits"); err == nil {
		t.Error("a metric that is not there has a value")
	}
}

func TestTitle(t *testing.T) {
	for want, h := range map[string]heard{
		"1 of 2": {path: "/repos/a/b/check-runs/7", text: `{"output":{"title":"1 of 2"}}`},
		"":       {path: "/repos/a/b/pulls", text: `{"output":{"title":"1 of 2"}}`},
	} {
		if got := title(h); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
