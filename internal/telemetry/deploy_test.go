package telemetry

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// A query is where a metric is asked for.
type query struct{ place, expr string }

// TestDeployQueries holds every metric and label in the alerts and in the dashboard to those
// that there are, and has the dashboard show each metric.
func TestDeployQueries(t *testing.T) {
	var alerting struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	load(t, "../../deploy/prometheus/alerts.yaml", &alerting)
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
		Templating struct {
			List []struct{ Name, Definition string }
		}
	}
	load(t, "../../deploy/grafana/pinnace.json", &dashboard)

	var alerts, panels []query
	for _, g := range alerting.Groups {
		for _, r := range g.Rules {
			alerts = append(alerts, query{"alert " + r.Alert, r.Expr})
		}
	}
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			panels = append(panels, query{"panel " + p.Title, target.Expr})
		}
	}
	for _, v := range dashboard.Templating.List {
		panels = append(panels, query{"variable " + v.Name, v.Definition})
	}
	if len(alerts) == 0 || len(panels) == 0 {
		t.Fatalf("found %d alerts and %d panels", len(alerts), len(panels))
	}
	have := series(t)
	asked := map[string]bool{}
	for _, q := range slices.Concat(alerts, panels) {
		for _, problem := range unknown(q.expr, have, asked) {
			t.Errorf("%s: %s: %s", q.place, problem, q.expr)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(have)) {
		if strings.HasPrefix(name, "pinnace_") && !strings.HasSuffix(name, "_sum") && !strings.HasSuffix(name, "_count") && !asked[name] {
			t.Errorf("neither an alert nor a panel shows %s", name)
		}
	}
}

// TestUnknownQueries shows that the test above can fail.
func TestUnknownQueries(t *testing.T) {
	have := series(t)
	for expr, want := range map[string]string{
		`rate(pinnace_events_total[5m])`:                                   "",
		`rate(pinnace_event_total[5m])`:                                    "no metric pinnace_event_total",
		`pinnace_event_age_seconds`:                                        "no metric pinnace_event_age_seconds",
		`pinnace_event_age_seconds_bucket{le="1"}`:                         "",
		`pinnace_alerts_total{kind="tagmoved"}`:                            `pinnace_alerts_total has no kind "tagmoved"`,
		`pinnace_alerts_total{kind=~"tag_moved|gone"}`:                     `pinnace_alerts_total has no kind "gone"`,
		`pinnace_alerts_total{type="x"}`:                                   "pinnace_alerts_total has no label type",
		`pinnace_leader{namespace="x",job=~"$job"}`:                        "",
		`sum by (kind) (pinnace_visits_total)`:                             "",
		`go_goroutines + go_goroutine`:                                     "no metric go_goroutine",
		`pinnace_github_requests_total{code=~"5..",kind="read"} offset 1h`: "",
	} {
		if got := strings.Join(unknown(expr, have, map[string]bool{}), "; "); got != want {
			t.Errorf("%s: got %q, want %q", expr, got, want)
		}
	}
}

var (
	selector = regexp.MustCompile(`\b((?:pinnace|go|process)_[a-z0-9_]+)(?:\{([^}]*)\})?`)
	matcher  = regexp.MustCompile(`([a-z_]+)(=~|!~|!=|=)"([^"]*)"`)
	scraped  = []string{"namespace", "job", "instance", "pod", "le"} // labels that Prometheus adds
)

// unknown returns what a query asks for that there is not, and notes what it asks for.
func unknown(expr string, have map[string]map[string]map[string]bool, asked map[string]bool) []string {
	var problems []string
	for _, m := range selector.FindAllStringSubmatch(expr, -1) {
		labels, ok := have[m[1]]
		if !ok {
			problems = append(problems, "no metric "+m[1])
			continue
		}
		asked[m[1]] = true
		for _, l := range matcher.FindAllStringSubmatch(m[2], -1) {
			if slices.Contains(scraped, l[1]) {
				continue
			}
			values, ok := labels[l[1]]
			if !ok {
				problems = append(problems, m[1]+" has no label "+l[1])
				continue
			}
			for _, v := range strings.Split(l[3], "|") {
				if l[1] != "code" && !values[v] {
					problems = append(problems, m[1]+" has no "+l[1]+" \""+v+"\"")
				}
			}
		}
	}
	return problems
}

// series returns the names of all series, each with the values of its labels.
func series(t *testing.T) map[string]map[string]map[string]bool {
	t.Helper()
	families, err := full().registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]map[string]map[string]bool{}
	for _, f := range families {
		labels := map[string]map[string]bool{}
		for _, m := range f.Metric {
			for _, l := range m.Label {
				if labels[l.GetName()] == nil {
					labels[l.GetName()] = map[string]bool{}
				}
				labels[l.GetName()][l.GetValue()] = true
			}
		}
		names := []string{f.GetName()}
		if f.GetType().String() == "HISTOGRAM" {
			names = []string{f.GetName() + "_bucket", f.GetName() + "_sum", f.GetName() + "_count"}
		}
		for _, name := range names {
			out[name] = labels
		}
	}
	return out
}

func load(t *testing.T, path string, to any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(data, to); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}
