package manifest

import (
	"strconv"
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
		s := resolve(services.Content[i])
		if image := resolve(find(s, "image")); image != nil && image.Kind == yaml.ScalarNode || find(s, "build") != nil {
			return true
		}
	}
	return false
}

// compose reads the image of each service. The image of a service that is built names
// the result of the build, and is left alone wherever it stands.
func (w *walker) compose(root *yaml.Node) {
	services := resolve(find(root, "services"))
	if services == nil || services.Kind != yaml.MappingNode || !w.enter(root) {
		return
	}
	defer w.leave()
	built := map[string]bool{}
	eachService(services, func(_ string, service *yaml.Node) {
		if isBuilt(service) {
			built[text(find(service, "image"))] = true
		}
	})
	if !w.enter(services) {
		return
	}
	defer w.leave()
	eachService(services, func(name string, service *yaml.Node) {
		if !w.enter(service) {
			return
		}
		defer w.leave()
		w.path = append(w.path, "services", short(name))
		defer func() { w.path = w.path[:len(w.path)-2] }()
		if value := find(service, "image"); value != nil && !isBuilt(service) && !built[text(value)] {
			w.in("image", func() { w.whole(value, option{place: ComposeService, certain: true}) })
		}
		volumes := resolve(find(service, "volumes"))
		if volumes == nil || volumes.Kind != yaml.SequenceNode {
			return
		}
		for i, item := range volumes.Content {
			if m := resolve(item); text(find(m, "type")) == "image" && find(m, "source") != nil && w.enter(m) {
				was := w.indices
				w.index(1)
				w.path = append(w.path, "volumes", strconv.Itoa(i), "source")
				w.whole(find(m, "source"), option{place: ImageVolume, certain: true})
				w.path, w.indices = w.path[:len(w.path)-3], was
				w.leave()
			}
		}
	})
}

// eachService visits the services, those of merge keys included.
func eachService(services *yaml.Node, visit func(name string, service *yaml.Node)) {
	for name, service := range entries(services) {
		if service = resolve(service); service.Kind == yaml.MappingNode {
			visit(name, service)
		}
	}
}

// isBuilt says whether a service is built from source.
func isBuilt(service *yaml.Node) bool {
	build := resolve(find(service, "build"))
	return build != nil && build.Tag != "!!null" && build.Tag != "!reset"
}
