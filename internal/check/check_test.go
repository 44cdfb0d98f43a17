package check

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/plan"
)

var (
	one = image.Digest("sha256:" + strings.Repeat("1", 64))
	two = image.Digest("sha256:" + strings.Repeat("2", 64))
)

func scan(name, text string) File {
	return File{Path: name, Result: manifest.Scan([]byte(text), manifest.FormatOf(name))}
}

func codes(found []Finding) string {
	var all []string
	for _, f := range found {
		all = append(all, fmt.Sprintf("%s@%s:%s", f.Code, f.Path, f.Position))
	}
	return strings.Join(all, " ")
}

// podPaths are the paths to a pod's spec in the kinds of Checkov's CKV_K8S_43
// (https://github.com/bridgecrewio/checkov/blob/main/checkov/kubernetes/checks/resource/k8s/ImageDigest.py).
var podPaths = map[string]string{
	"Pod": "spec", "PodTemplate": "template.spec", "CronJob": "spec.jobTemplate.spec.template.spec",
	"Deployment": "spec.template.spec", "DeploymentConfig": "spec.template.spec", "DaemonSet": "spec.template.spec", "Job": "spec.template.spec",
	"ReplicaSet": "spec.template.spec", "ReplicationController": "spec.template.spec", "StatefulSet": "spec.template.spec",
}

var groups = map[string]string{
	"Deployment": "apps/v1", "DaemonSet": "apps/v1", "ReplicaSet": "apps/v1", "StatefulSet": "apps/v1",
	"Job": "batch/v1", "CronJob": "batch/v1", "DeploymentConfig": "apps.openshift.io/v1",
}

// TestCheckov holds PIN001 to a naive reading of CKV_K8S_43: a container passes if its
// image is a string that holds an @.
func TestCheckov(t *testing.T) {
	images := []string{
		"image: a/b:1", "image: a/b@" + string(one), "image: a/b:1@" + string(one), "image: foo@bar", "image: 'a/b:1'", `image: "a/b"`,
		"image: ''", "image:", "image: null", "image: 12", "image: [a]", "image: {a: b}", "args: []", "image: ${X}", "image: ${X}@${Y}",
		"image: |\n  a/b:1", "image: >-\n  a/b@" + string(one), "image: A/b:1", "image: '{{ x }}'",
	}
	agree := 0
	for kind, path := range podPaths {
		for _, list := range []string{"containers", "initContainers", "ephemeralContainers"} {
			for _, img := range images {
				apiVersion := "v1"
				if g := groups[kind]; g != "" {
					apiVersion = g
				}
				text := fmt.Sprintf("apiVersion: %s\nkind: %s\n", apiVersion, kind)
				indent := ""
				for key := range strings.SplitSeq(path, ".") {
					text += indent + key + ":\n"
					indent += "  "
				}
				text += indent + list + ":\n" + indent + "- name: x\n" + indent + "  " + strings.ReplaceAll(img, "\n", "\n"+indent+"    ") + "\n"
				want := checkov(t, text, path)
				got := 0
				for _, f := range Check([]File{scan("a.yaml", text)}, nil) {
					if f.Code == Unpinned {
						got++
					}
				}
				if list == "ephemeralContainers" {
					continue // where we are stricter
				}
				if got != want {
					t.Errorf("Checkov fails %d containers, PIN001 %d:\n%s", want, got, text)
				}
				agree++
			}
		}
	}
	if agree != 10*2*len(images) {
		t.Errorf("compared %d", agree)
	}
}

// checkov counts the containers that CKV_K8S_43 fails.
func checkov(t *testing.T, text, path string) int {
	t.Helper()
	var doc map[string]any
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	spec := doc
	for key := range strings.SplitSeq(path, ".") {
		spec = spec[key].(map[string]any)
	}
	failed := 0
	for _, list := range []string{"containers", "initContainers"} {
		containers, _ := spec[list].([]any)
		for _, c := range containers {
			if s, ok := c.(map[string]any)["image"].(string); !ok || !strings.Contains(s, "@") {
				failed++
			}
		}
	}
	return failed
}

func TestOnline(t *testing.T) {
	index := image.Resolution{Digest: two, MediaType: image.OCIIndex, Children: []image.Child{{Digest: one, Platform: image.Platform{OS: "linux", Architecture: "arm64"}}}}
	other := image.Resolution{Digest: two, MediaType: image.OCIIndex}
	single := image.Resolution{Digest: one, MediaType: image.OCIManifest}
	whole := image.Resolution{Digest: one, MediaType: image.OCIIndex}
	for _, tc := range []struct {
		name   string
		image  string
		answer plan.Answer
		want   string
	}{
		{"still there", "a/b:1@" + string(one), plan.Answer{Tag: whole}, ""},
		{"case 138: the tag has moved", "a/b:1@" + string(one), plan.Answer{Tag: other, Pinned: whole}, "PIN002"},
		{"case 139: the pin is a child manifest", "a/b:1@" + string(one), plan.Answer{Tag: index, Pinned: single}, "PIN005"},
		{"a child of another index", "a/b:1@" + string(one), plan.Answer{Tag: other, Pinned: single}, "PIN002 PIN005"},
		{"gone", "a/b:1@" + string(one), plan.Answer{Tag: other, PinnedErr: fmt.Errorf("look up: %w", image.ErrUnknown)}, "PIN003"},
		{"gone, no tag", "a/b@" + string(one), plan.Answer{PinnedErr: image.ErrUnknown}, "PIN003"},
		{"the tag is gone, the digest is not", "a/b:1@" + string(one), plan.Answer{TagErr: image.ErrUnknown, Pinned: whole}, ""},
		{"no answer", "a/b:1@" + string(one), plan.Answer{TagErr: errors.New("down"), PinnedErr: errors.New("down")}, ""},
		{"no answer about the digest", "a/b:1@" + string(one), plan.Answer{Tag: other, PinnedErr: errors.New("down")}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			found := Check([]File{scan("a.yaml", "image: "+tc.image+"\n")}, func(image.Ref) (plan.Answer, bool) { return tc.answer, true })
			var got []string
			for _, f := range found {
				got = append(got, string(f.Code))
			}
			if strings.Join(got, " ") != tc.want {
				t.Errorf("got %v, want %s", found, tc.want)
			}
		})
	}
}

func TestUnPinning(t *testing.T) {
	pinned := "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: a/b:1@" + string(one) + "}]}\n"
	overlay := "resources: [../base]\nimages:\n- name: a/b\n  newTag: '2'\n"
	for _, tc := range []struct {
		name  string
		files []File
		want  string
	}{
		{"through a base", []File{scan("base/kustomization.yaml", "resources: [pod.yaml]\n"), scan("base/pod.yaml", pinned), scan("prod/kustomization.yaml", overlay)}, "PIN001@prod/kustomization.yaml:4:12 PIN007@prod/kustomization.yaml:4:12"},
		{"the base's own entry", []File{scan("base/kustomization.yaml", "images:\n- name: a/b\n  newTag: '1'\n  digest: "+string(one)+"\n"), scan("prod/kustomization.yaml", overlay)}, "PIN001@prod/kustomization.yaml:4:12 PIN007@prod/kustomization.yaml:4:12"},
		{"with a digest", []File{scan("base/pod.yaml", pinned), scan("prod/kustomization.yaml", "resources: [../base/pod.yaml]\nimages:\n- name: a/b\n  newTag: '2'\n  digest: "+string(two)+"\n")}, ""},
		{"another image", []File{scan("base/pod.yaml", strings.ReplaceAll(pinned, "a/b", "a/c")), scan("prod/kustomization.yaml", overlay)}, "PIN001@prod/kustomization.yaml:4:12"},
		{"a circle", []File{scan("base/kustomization.yaml", "resources: [../prod]\n"), scan("prod/kustomization.yaml", overlay)}, "PIN001@prod/kustomization.yaml:4:12"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, codes(Check(tc.files, nil))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRules(t *testing.T) {
	for i, r := range Rules() {
		if want := Code(fmt.Sprintf("PIN%03d", i+1)); r.Code != want || r.Name == "" || r.Short == "" || r.Help == "" || r.Severity == "" {
			t.Errorf("rule %d is %+v", i, r)
		}
	}
}
