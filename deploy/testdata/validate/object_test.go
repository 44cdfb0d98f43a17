package validate

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	pdb "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	security "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/yaml"
)

// objects reads the documents of a YAML stream. A key twice is refused.
func objects(t *testing.T, stream string) []map[string]any {
	t.Helper()
	var out []map[string]any
	for doc := range strings.SplitSeq("\n"+stream, "\n---") {
		data, err := yaml.YAMLToJSONStrict([]byte(doc))
		if err != nil {
			t.Fatalf("%v\n%s", err, doc)
		}
		var object map[string]any
		if err := json.Unmarshal(data, &object); err != nil {
			t.Fatalf("%v\n%s", err, doc)
		}
		if object != nil {
			out = append(out, object)
		}
	}
	return out
}

// A world is what was rendered, by Kubernetes' own types.
type world struct {
	namespace string
	pods      []core.PodTemplateSpec
	workloads map[string]map[string]string // labels of pods by kind/name
	claims    map[string]bool              // volumes that a StatefulSet makes
	services  []core.Service
	ingresses []networking.Ingress
	policies  []networking.NetworkPolicy
	budgets   []pdb.PodDisruptionBudget
	accounts  map[string]core.ServiceAccount
	kinds     []string // kind/name, sorted
}

// check holds objects to the schemas and to each other, and returns what there is.
func check(t *testing.T, all []map[string]any, js []*judge) world {
	t.Helper()
	w := world{workloads: map[string]map[string]string{}, claims: map[string]bool{}, accounts: map[string]core.ServiceAccount{}}
	for _, object := range all {
		for _, j := range js {
			if err := j.judge(object); err != nil {
				t.Errorf("%v\n%s", err, show(object))
			}
		}
		w.take(t, object)
	}
	slices.Sort(w.kinds)
	w.restricted(t)
	w.joined(t)
	return w
}

func show(object any) string {
	data, err := yaml.Marshal(object)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// into decodes an object into its Go type, whose fields are those of a newer Kubernetes.
func into[T any](t *testing.T, object map[string]any) T {
	t.Helper()
	var out T
	data, err := json.Marshal(object)
	if err == nil {
		err = yaml.UnmarshalStrict(data, &out)
	}
	if err != nil {
		t.Errorf("%v\n%s", err, show(object))
	}
	return out
}

func (w *world) take(t *testing.T, object map[string]any) {
	t.Helper()
	m := into[meta.PartialObjectMetadata](t, map[string]any{"apiVersion": object["apiVersion"], "kind": object["kind"], "metadata": object["metadata"]})
	w.kinds = append(w.kinds, m.Kind+"/"+m.Name)
	if problems := validation.IsDNS1123Subdomain(m.Name); problems != nil {
		t.Errorf("%s %q: %v", m.Kind, m.Name, problems)
	}
	for k, v := range m.Labels {
		if problems := slices.Concat(validation.IsQualifiedName(k), validation.IsValidLabelValue(v)); problems != nil {
			t.Errorf("%s %s: label %s: %q: %v", m.Kind, m.Name, k, v, problems)
		}
	}
	if m.Kind != "Namespace" {
		if w.namespace == "" {
			w.namespace = m.Namespace
		}
		if m.Namespace != w.namespace || m.Namespace == "" {
			t.Errorf("%s %s is in the namespace %q, others are in %q", m.Kind, m.Name, m.Namespace, w.namespace)
		}
	}
	switch m.Kind {
	case "Deployment":
		d := into[apps.Deployment](t, object)
		w.workload(t, m, d.Spec.Selector, d.Spec.Template)
	case "StatefulSet":
		s := into[apps.StatefulSet](t, object)
		w.workload(t, m, s.Spec.Selector, s.Spec.Template)
		for _, c := range s.Spec.VolumeClaimTemplates {
			w.claims[c.Name] = true
		}
	case "Service":
		w.services = append(w.services, into[core.Service](t, object))
	case "Ingress":
		w.ingresses = append(w.ingresses, into[networking.Ingress](t, object))
	case "NetworkPolicy":
		w.policies = append(w.policies, into[networking.NetworkPolicy](t, object))
	case "PodDisruptionBudget":
		w.budgets = append(w.budgets, into[pdb.PodDisruptionBudget](t, object))
	case "ServiceAccount":
		w.accounts[m.Name] = into[core.ServiceAccount](t, object)
	case "ConfigMap":
		into[core.ConfigMap](t, object)
	case "Namespace":
		n := into[core.Namespace](t, object)
		if n.Labels[security.EnforceLevelLabel] != string(security.LevelRestricted) {
			t.Errorf("the namespace %s does not enforce restricted pod security", n.Name)
		}
	case "ServiceMonitor", "PrometheusRule":
	default:
		t.Errorf("%s %s: nobody looks at this kind", m.Kind, m.Name)
	}
}

func (w *world) workload(t *testing.T, m meta.PartialObjectMetadata, s *meta.LabelSelector, pod core.PodTemplateSpec) {
	t.Helper()
	w.pods = append(w.pods, pod)
	w.workloads[m.Kind+"/"+m.Name] = pod.Labels
	if !selects(t, s, pod.Labels) {
		t.Errorf("%s %s does not select its own pods", m.Kind, m.Name)
	}
}

func selects(t *testing.T, s *meta.LabelSelector, set map[string]string) bool {
	t.Helper()
	selector, err := meta.LabelSelectorAsSelector(s)
	if err != nil {
		t.Fatal(err)
	}
	return !selector.Empty() && selector.Matches(labels.Set(set))
}

// restricted holds pods to the level that https://kubernetes.io/docs/concepts/security/pod-security-standards/
// calls restricted, by the admission plugin's own code.
func (w *world) restricted(t *testing.T) {
	t.Helper()
	for _, problem := range insecure(t, w.pods) {
		t.Error(problem)
	}
	for _, pod := range w.pods {
		if pod.Spec.AutomountServiceAccountToken == nil || *pod.Spec.AutomountServiceAccountToken {
			t.Error("the pod gets a token of the cluster's API")
		}
		for _, c := range pod.Spec.Containers {
			if c.SecurityContext == nil || c.SecurityContext.ReadOnlyRootFilesystem == nil || !*c.SecurityContext.ReadOnlyRootFilesystem {
				t.Errorf("container %s: the root file system can be written", c.Name)
			}
			if c.Resources.Requests.Memory().IsZero() || c.Resources.Limits.Memory().IsZero() || c.Resources.Requests.Cpu().IsZero() {
				t.Errorf("container %s: memory and CPU are not bounded", c.Name)
			}
			if c.LivenessProbe == nil || c.ReadinessProbe == nil || c.StartupProbe == nil {
				t.Errorf("container %s: a probe is missing", c.Name)
			}
		}
	}
}

func insecure(t *testing.T, pods []core.PodTemplateSpec) []string {
	t.Helper()
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks())
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, pod := range pods {
		for _, version := range []security.Version{security.MajorMinorVersion(1, 29), security.LatestVersion()} {
			for _, r := range evaluator.EvaluatePod(security.LevelVersion{Level: security.LevelRestricted, Version: version}, &pod.ObjectMeta, &pod.Spec) {
				if !r.Allowed {
					out = append(out, fmt.Sprintf("pod security %s: %s: %s", version.String(), r.ForbiddenReason, r.ForbiddenDetail))
				}
			}
		}
	}
	return out
}

// joined checks that what objects name is there.
func (w *world) joined(t *testing.T) {
	t.Helper()
	if len(w.pods) != 1 {
		t.Fatalf("there are %d workloads, want one", len(w.pods))
	}
	pod := w.pods[0]
	ports := map[string]int32{}
	for _, c := range pod.Spec.Containers {
		for _, p := range c.Ports {
			ports[p.Name] = p.ContainerPort
		}
		for _, probe := range []*core.Probe{c.StartupProbe, c.LivenessProbe, c.ReadinessProbe} {
			if probe != nil && probe.HTTPGet != nil && ports[probe.HTTPGet.Port.String()] == 0 {
				t.Errorf("a probe asks the port %s, which is none", probe.HTTPGet.Port.String())
			}
		}
		volumes := maps.Clone(w.claims)
		for _, v := range pod.Spec.Volumes {
			if volumes[v.Name] {
				t.Errorf("the volume %s is there twice", v.Name)
			}
			volumes[v.Name] = true
		}
		paths := map[string]bool{}
		for _, m := range c.VolumeMounts {
			if !volumes[m.Name] {
				t.Errorf("the mount of %s names no volume", m.MountPath)
			}
			if paths[m.MountPath] {
				t.Errorf("%s is mounted twice", m.MountPath)
			}
			paths[m.MountPath] = true
			delete(volumes, m.Name)
		}
		if len(volumes) > 0 {
			t.Errorf("nobody mounts %v", slices.Sorted(maps.Keys(volumes)))
		}
		w.files(t, c)
	}
	if name := pod.Spec.ServiceAccountName; name != "" && len(w.accounts) > 0 {
		if _, ok := w.accounts[name]; !ok {
			t.Errorf("the service account %s is not there", name)
		}
	}
	for _, c := range pod.Spec.TopologySpreadConstraints {
		if !selects(t, c.LabelSelector, pod.Labels) {
			t.Errorf("topologySpreadConstraints: %s does not select the pods", c.TopologyKey)
		}
	}
	services := map[string]map[string]int32{}
	for _, s := range w.services {
		services[s.Name] = map[string]int32{}
		if !selects(t, &meta.LabelSelector{MatchLabels: s.Spec.Selector}, pod.Labels) {
			t.Errorf("the service %s does not select the pods", s.Name)
		}
		for _, p := range s.Spec.Ports {
			services[s.Name][p.Name] = p.Port
			if p.TargetPort.Type == intstr.String && ports[p.TargetPort.StrVal] == 0 {
				t.Errorf("the service %s leads to the port %s, which is none", s.Name, p.TargetPort.StrVal)
			}
		}
	}
	for _, i := range w.ingresses {
		for _, r := range i.Spec.Rules {
			for _, p := range r.HTTP.Paths {
				if b := p.Backend.Service; services[b.Name][b.Port.Name] == 0 {
					t.Errorf("the ingress %s leads to %s:%s, which is none", i.Name, b.Name, b.Port.Name)
				}
				if strings.HasPrefix("/metrics", p.Path) || strings.HasPrefix("/status", p.Path) {
					t.Errorf("the ingress %s leads %s to all, metrics among it", i.Name, p.Path)
				}
			}
		}
	}
	for _, p := range w.policies {
		if !selects(t, &p.Spec.PodSelector, pod.Labels) {
			t.Errorf("the network policy %s does not select the pods", p.Name)
		}
	}
	for _, b := range w.budgets {
		if !selects(t, b.Spec.Selector, pod.Labels) {
			t.Errorf("the budget %s does not select the pods", b.Name)
		}
	}
}

// files checks that the files and directories that the program is told of are mounted, and that
// those it writes to can be written.
func (w *world) files(t *testing.T, c core.Container) {
	t.Helper()
	mounted := func(path string) *core.VolumeMount {
		for i, m := range c.VolumeMounts {
			if path == m.MountPath || strings.HasPrefix(path, m.MountPath+"/") {
				return &c.VolumeMounts[i]
			}
		}
		return nil
	}
	for _, e := range c.Env {
		if path := strings.TrimPrefix(e.Value, "sqlite:"); strings.HasPrefix(path, "/") {
			if m := mounted(path); m == nil || m.ReadOnly != (path == e.Value) {
				t.Errorf("%s=%s is not mounted as it must be", e.Name, e.Value)
			}
		}
	}
	for _, a := range c.Args {
		_, value, _ := strings.Cut(a, "=")
		if path := strings.TrimPrefix(value, "sqlite:"); strings.HasPrefix(path, "/") {
			if m := mounted(path); m == nil || m.ReadOnly {
				t.Errorf("%s cannot be written", a)
			}
		}
	}
}

// TestInsecurePods shows that pods are refused for what they may do.
func TestInsecurePods(t *testing.T) {
	for name, tc := range map[string]struct{ spec, want string }{
		"nothing said":  {"containers: [{name: x}]", "allowPrivilegeEscalation != false"},
		"a host's path": {"containers: [{name: x}]\nvolumes: [{name: h, hostPath: {path: /}}]", "hostPath"},
	} {
		t.Run(name, func(t *testing.T) {
			var pod core.PodTemplateSpec
			if err := yaml.UnmarshalStrict([]byte(tc.spec), &pod.Spec); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(insecure(t, []core.PodTemplateSpec{pod}), "\n"); !strings.Contains(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func wantKinds(t *testing.T, w world, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, w.kinds); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}
