package telemetry

import "strings"

// registryHosts are the registries that are counted by name. A name that begins with a dot
// stands for all hosts below it, whose own names would tell one customer from another.
var registryHosts = map[string]string{
	"docker.io": "docker.io", "index.docker.io": "docker.io", "registry-1.docker.io": "docker.io", "auth.docker.io": "docker.io",
	"ghcr.io": "ghcr.io", "quay.io": "quay.io", "gcr.io": "gcr.io", "mcr.microsoft.com": "mcr.microsoft.com",
	"registry.k8s.io": "registry.k8s.io", "public.ecr.aws": "public.ecr.aws", "registry.gitlab.com": "registry.gitlab.com",
	".gcr.io": "gcr.io", ".pkg.dev": "pkg.dev", ".amazonaws.com": "amazonaws.com", ".azurecr.io": "azurecr.io", ".jfrog.io": "jfrog.io",
}

// host is the label of a registry's host.
func (t *Telemetry) host(name string) string {
	name = strings.ToLower(name)
	if t.hosts[name] {
		return name
	}
	if label, ok := registryHosts[name]; ok {
		return label
	}
	for rest := name; ; {
		i := strings.IndexByte(rest, '.')
		if i < 0 {
			return other
		}
		if label, ok := registryHosts[rest[i:]]; ok {
			return label
		}
		rest = rest[i+1:]
	}
}
