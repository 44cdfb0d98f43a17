package validate

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// promtool runs Prometheus' own tool, of Debian's package prometheus.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	if _, err := exec.LookPath("promtool"); err != nil {
		if os.Getenv("CI") == "" {
			t.Skip("promtool is not installed: apt-get install prometheus")
		}
		t.Fatal("promtool is not installed: apt-get install prometheus")
	}
	if out, err := exec.Command("promtool", args...).CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func TestAlerts(t *testing.T) {
	promtool(t, "check", "rules", deploy+"/prometheus/alerts.yaml")
	promtool(t, "test", "rules", deploy+"/prometheus/alerts_test.yaml")
}

// TestAlertsAreTested holds alerts_test.yaml to fire each alert, and to keep each quiet while all
// is well.
func TestAlertsAreTested(t *testing.T) {
	var rules struct {
		Groups []struct{ Rules []struct{ Alert string } }
	}
	var tests struct {
		Tests []struct {
			Name  string
			Cases []struct {
				Alert string           `json:"alertname"`
				Fires []map[string]any `json:"exp_alerts"`
			} `json:"alert_rule_test"`
		}
	}
	for file, to := range map[string]any{"alerts.yaml": &rules, "alerts_test.yaml": &tests} {
		data, err := os.ReadFile(deploy + "/prometheus/" + file)
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(data, to); err != nil {
			t.Fatal(err)
		}
	}
	fires, quiet := map[string]bool{}, map[string]bool{}
	for _, x := range tests.Tests {
		for _, c := range x.Cases {
			if len(c.Fires) > 0 {
				fires[c.Alert] = true
			} else if x.Name == "all is well" {
				quiet[c.Alert] = true
			}
		}
	}
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			if !fires[r.Alert] || !quiet[r.Alert] {
				t.Errorf("%s: fires in a test: %t; is quiet while all is well: %t", r.Alert, fires[r.Alert], quiet[r.Alert])
			}
		}
	}
}

// TestDashboard has promtool parse each query of the dashboard, as a recording rule.
func TestDashboard(t *testing.T) {
	data, err := os.ReadFile(deploy + "/grafana/pinnace.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			ID      int
			Title   string
			GridPos struct{ X, Y, W, H int }
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(data, &dashboard); err != nil {
		t.Fatal(err)
	}
	variables := strings.NewReplacer("$__rate_interval", "5m", "$namespace", "x", "$job", "x")
	var rules []map[string]any
	ids := map[int]bool{}
	for i, p := range dashboard.Panels {
		if ids[p.ID] {
			t.Errorf("two panels have the id %d", p.ID)
		}
		ids[p.ID] = true
		for _, q := range dashboard.Panels[:i] {
			a, b := p.GridPos, q.GridPos
			if a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H {
				t.Errorf("%q and %q overlap", p.Title, q.Title)
			}
		}
		if p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("%q is wider than the page", p.Title)
		}
		for j, target := range p.Targets {
			rules = append(rules, map[string]any{"record": fmt.Sprintf("panel:%d:%d", p.ID, j), "expr": variables.Replace(target.Expr)})
		}
	}
	if len(rules) < 20 {
		t.Fatalf("found %d queries", len(rules))
	}
	out, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboard", "rules": rules}}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "dashboard.yaml")
	if err := os.WriteFile(file, out, 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "check", "rules", file)
}
