package manifest

import (
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// isEncrypted says whether a value is one that SOPS or Ansible has encrypted.
func isEncrypted(v string) bool {
	return strings.Contains(v, "ENC[AES256_GCM") || strings.HasPrefix(v, "$ANSIBLE_VAULT") || strings.HasPrefix(v, "AgA") && len(v) > 200
}

// isTemplated says whether a value has a place for a template engine or a shell to fill:
// Helm, Jinja, GitHub expressions, envsubst, ERB, ytt, Tekton and Argo parameters.
func isTemplated(v string) bool {
	for _, mark := range []string{"{{", "{%", "${", "$(", "<%", "((", "(@", "#@", "%{", "@@"} {
		if strings.Contains(v, mark) {
			return true
		}
	}
	if i := strings.IndexByte(v, '$'); i >= 0 && i+1 < len(v) && isWord(v[i+1]) {
		return true
	}
	return strings.HasPrefix(v, "__") || strings.HasSuffix(v, "__")
}

// isTemplateNode says whether a node is what "{{ .Values.x }}" without quotes parses as.
func isTemplateNode(n *yaml.Node) bool {
	return n.Kind == yaml.MappingNode && len(n.Content) > 0 && n.Content[0].Kind == yaml.MappingNode
}
