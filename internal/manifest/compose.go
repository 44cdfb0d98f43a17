package manifest

import (
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// isCompose says whether a mapping is a compose file: services that have an image or
// are built, and only top-level keys that compose knows
// (https://github.com/compose-spec/compose-spec/blob/main/spec.md).
func isCompose(root *yaml.Node) bool {
	services := find(root, "services")
	if services == nil || services.Kind != yaml.MappingNode {
		return false
	}
	for i := 0; i < len(root.Content); i += 2 {
		switch key := root.Content[i].Value; key {
		case "name", "version", "services", "networks", "volumes", "configs", "secrets", "include", "models":
		default:
			if !strings.HasPrefix(key, "x-") {
				return false
			}
		}
	}
	for i := 1; i < len(services.Content); i += 2 {
		if s := resolve(services.Content[i]); find(s, "image") != nil || find(s, "build") != nil {
			return true
		}
	}
	return false
}

// compose reads the image of each service. The image of a service that is built names
// the result of the build and is left alone.
func (w *walker) compose(root *yaml.Node) {
	services := find(root, "services")
	if services == nil || services.Kind != yaml.MappingNode || !w.enter(root) {
		return
	}
	defer w.leave()
	if !w.enter(services) {
		return
	}
	defer w.leave()
	for i := 0; i+1 < len(services.Content); i += 2 {
		service := resolve(services.Content[i+1])
		value := find(service, "image")
		if value == nil || find(service, "build") != nil || !w.enter(service) {
			continue
		}
		w.path = append(w.path, "services", services.Content[i].Value, "image")
		w.whole(value, option{place: ComposeService, certain: true})
		w.path = w.path[:len(w.path)-3]
		w.leave()
	}
}
