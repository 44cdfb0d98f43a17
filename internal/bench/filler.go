package main

import (
	"fmt"
	"strings"
)

// fillers are the files without an image to pin.
var fillers = []form{
	{31, "service-%d.yaml", func(p *page, _ int) { p.service() }},
	{34, "configmap-%d.yaml", func(p *page, _ int) { p.configMap() }},
	{2, "crd-%d.yaml", func(p *page, _ int) { p.definition(3<<10 + p.IntN(57<<10)) }},
	{8, "ingress-%d.yaml", func(p *page, _ int) { p.ingress() }},
	{8, "rbac-%d.yaml", func(p *page, _ int) { p.rbac() }},
	{5, "serviceaccount-%d.yaml", func(p *page, _ int) {
		p.head("v1", "ServiceAccount")
		p.line("imagePullSecrets:\n- name: registry-%s", p.app)
	}},
	{6, "policy-%d.yaml", func(p *page, _ int) {
		p.head("networking.k8s.io/v1", "NetworkPolicy")
		p.line("spec:\n  podSelector: {}\n  policyTypes: [Ingress]\n  ingress:\n  - from:\n    - namespaceSelector:\n        matchLabels:\n          team: %s", p.pick(teams...))
	}},
	{4, "README-%d.md", func(p *page, _ int) {
		p.line("# %s\n\nThe image is built by CI. To run it:\n\n    docker run --rm example.com/%s:latest", p.app, p.app)
	}},
	{2, "dashboard-%d.json", func(p *page, _ int) { p.dashboard() }},
}

func (p *page) service() {
	name := p.head("v1", "Service")
	p.line("spec:\n  type: ClusterIP\n  selector:\n    app.kubernetes.io/name: %s\n  ports:\n  - name: http\n    port: 80\n    targetPort: http\n    protocol: TCP", name)
}

func (p *page) ingress() {
	name := p.head("networking.k8s.io/v1", "Ingress")
	p.line("spec:\n  ingressClassName: nginx\n  tls:\n  - hosts: [%s.example.com]\n    secretName: %s-tls\n  rules:\n  - host: %s.example.com\n    http:\n      paths:", name, name, name)
	for i := range 1 + p.IntN(5) {
		p.line("      - path: /v%d\n        pathType: Prefix\n        backend:\n          service:\n            name: %s\n            port:\n              name: http", i, name)
	}
}

func (p *page) rbac() {
	name := p.head("rbac.authorization.k8s.io/v1", "Role")
	p.line("rules:")
	for range 2 + p.IntN(8) {
		p.line("- apiGroups: [\"\", apps]\n  resources: [pods, deployments, configmaps]\n  verbs: [get, list, watch, %s]", p.pick("create", "patch", "update"))
	}
	p.line("---")
	p.head("rbac.authorization.k8s.io/v1", "RoleBinding")
	p.line("roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: Role\n  name: %s\nsubjects:\n- kind: ServiceAccount\n  name: %s", name, p.app)
}

// settings are lines of an application's own file; some speak of images.
var settings = []string{
	"server.port=8080", "server.shutdown=graceful", "spring.datasource.url=jdbc:postgresql://db:5432/app",
	"logging.level.root=INFO", "cache.ttl.seconds=300", "feature.checkout.v2=true", "thumbnailer.image.quality=85",
	"# how large an image may be before it is scaled", "upload.max-bytes=10485760", "retry.backoff=exponential",
}

func (p *page) configMap() {
	p.head("v1", "ConfigMap")
	p.line("data:\n  LOG_LEVEL: info\n  REGION: eu-central-1\n  application.properties: |")
	for range 10 + p.IntN(70) {
		s := p.pick(settings...)
		if strings.Contains(s, "image") && !p.once(8) {
			s = "worker.queue.size=" + fmt.Sprint(p.IntN(1000))
		}
		p.line("    %s", s)
	}
	if p.once(4) {
		p.line("  nginx.conf: |\n    worker_processes auto;\n    http {\n      include mime.types;")
		for i := range p.IntN(40) {
			p.line("      server { listen %d; location / { proxy_pass http://backend-%d; } }", 8000+i, i)
		}
		p.line("    }")
	}
}

func (p *page) dashboard() {
	p.line("{\n  \"title\": \"%s\",\n  \"panels\": [", p.app)
	for i := range 10 + p.IntN(30) {
		p.line("    {\"id\": %d, \"type\": \"timeseries\", \"targets\": [{\"expr\": \"sum(rate(http_requests_total{app=\\\"%s\\\"}[5m]))\"}]},", i, p.app)
	}
	p.line("    {\"id\": 99, \"type\": \"text\", \"description\": \"image pulls\"}\n  ]\n}")
}

// properties are what schemas of definitions hold, as controller-gen writes them.
var properties = []string{
	"image:\n  description: |-\n    Container image name.\n    More info: https://kubernetes.io/docs/concepts/containers/images\n    This field is optional to allow higher level config management to default or override\n    container images in workload controllers like Deployments and StatefulSets.\n  type: string",
	"imagePullPolicy:\n  description: |-\n    Image pull policy.\n    One of Always, Never, IfNotPresent.\n    Defaults to Always if :latest tag is specified, or IfNotPresent otherwise.\n  type: string",
	"containers:\n  description: List of containers belonging to the pod.\n  items:\n    description: A single application container that you want to run within a pod.\n    properties:\n      image:\n        default: example.com/sidecar:latest\n        type: string\n      name:\n        type: string\n    required:\n    - name\n    type: object\n  type: array",
	"resources:\n  description: Compute Resources required by this container.\n  properties:\n    limits:\n      additionalProperties:\n        anyOf:\n        - type: integer\n        - type: string\n        pattern: ^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE])?$\n        x-kubernetes-int-or-string: true\n      type: object\n  type: object",
	"nodeSelector:\n  additionalProperties:\n    type: string\n  description: |-\n    NodeSelector is a selector which must be true for the pod to fit on a node.\n    Selector which must match a node's labels for the pod to be scheduled on that node.\n  type: object\n  x-kubernetes-map-type: atomic",
	"terminationGracePeriodSeconds:\n  description: |-\n    Optional duration in seconds the pod needs to terminate gracefully. May be decreased in delete request.\n    Value must be non-negative integer. The value zero indicates stop immediately via\n    the kill signal (no opportunity to shut down).\n  format: int64\n  type: integer",
}

// definition writes a custom resource definition of about size bytes.
func (p *page) definition(size int) {
	kind := p.pick("Widget", "Cluster", "Backup", "Pipeline", "Certificate")
	lower := strings.ToLower(kind)
	p.line("apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  annotations:\n    controller-gen.kubebuilder.io/version: v0.19.0\n  name: %ss.example.com\nspec:\n  group: example.com\n  names:\n    kind: %s\n    listKind: %sList\n    plural: %ss\n    singular: %s\n  scope: Namespaced\n  versions:\n  - name: v1\n    schema:\n      openAPIV3Schema:\n        description: %s is the Schema for the %ss API\n        properties:\n          spec:\n            properties:", lower, kind, kind, lower, lower, kind, lower)
	end := p.text.Len() + size
	for i := 0; p.text.Len() < end; i++ {
		p.line("              %s%d:\n                properties:", p.pick(nouns...), i)
		for _, k := range p.Perm(len(properties))[:2+p.IntN(4)] {
			p.line("                  %s", strings.ReplaceAll(properties[k], "\n", "\n                  "))
		}
		p.line("                type: object")
	}
	p.line("            type: object\n        type: object\n    served: true\n    storage: true")
}
