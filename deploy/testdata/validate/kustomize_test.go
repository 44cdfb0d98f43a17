package validate

import (
	"testing"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

func TestKustomize(t *testing.T) {
	js := judges(t)
	for name, kinds := range map[string][]string{
		"base":     {"Namespace/pinnace", "NetworkPolicy/pinnace", "Service/pinnace", "ServiceAccount/pinnace", "StatefulSet/pinnace"},
		"postgres": {"Deployment/pinnace", "Namespace/pinnace", "NetworkPolicy/pinnace", "PodDisruptionBudget/pinnace", "Service/pinnace", "ServiceAccount/pinnace"},
	} {
		t.Run(name, func(t *testing.T) {
			built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), deploy+"/kustomize/"+name)
			if err != nil {
				t.Fatal(err)
			}
			out, err := built.AsYaml()
			if err != nil {
				t.Fatal(err)
			}
			wantKinds(t, check(t, objects(t, string(out)), js), kinds...)
		})
	}
}
