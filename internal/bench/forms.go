package main

// A form is one kind of file with images: its share, where it stands, and what writes n
// references into it.
type form struct {
	share int
	path  string // below the app's directory; %d is the file's number
	write func(p *page, n int)
}

var forms = []form{
	{30, "deployment-%d.yaml", func(p *page, n int) { p.workload("apps/v1", "Deployment", n) }},
	{8, "statefulset-%d.yaml", func(p *page, n int) { p.workload("apps/v1", "StatefulSet", n) }},
	{4, "daemonset-%d.yml", func(p *page, n int) { p.workload("apps/v1", "DaemonSet", n) }},
	{4, "rollout-%d.yaml", func(p *page, n int) { p.workload("argoproj.io/v1alpha1", "Rollout", n) }},
	{3, "knative-%d.yaml", func(p *page, n int) { p.workload("serving.knative.dev/v1", "Service", n) }},
	{6, "cronjob-%d.yaml", (*page).cronJob},
	{4, "job-%d.yaml", func(p *page, n int) { p.workload("batch/v1", "Job", n) }},
	{3, "pod-%d.yaml", (*page).pod},
	{3, "list-%d.yaml", (*page).list},
	{4, "all-%d.yaml", (*page).stream},
	{2, "deployment-%d.json", (*page).json},
	{9, "overlays/%d/kustomization.yaml", (*page).kustomization},
	{8, "values-%d.yaml", (*page).helmValues},
	{2, "release-%d.yaml", (*page).helmRelease},
	{1, "application-%d.yaml", (*page).application},
	{2, "task-%d.yaml", (*page).tekton},
	{2, "workflow-%d.yaml", (*page).argoWorkflow},
	{4, "compose.%d.yaml", (*page).compose},
	{3, ".github/workflows/ci-%d.yaml", (*page).workflow},
	{1, "%d.gitlab-ci.yml", (*page).gitlab},
	{4, "Dockerfile.%d", (*page).dockerfile},
	{1, "bundle-%d.yaml", (*page).bundle},
}

func (p *page) head(apiVersion, kind string) string {
	name := p.name()
	if p.once(6) {
		p.line("# %s of %s: the image is bumped by hand.", kind, p.app)
	}
	p.line("apiVersion: %s\nkind: %s\nmetadata:\n  name: %s\n  namespace: %s", apiVersion, kind, name, p.app)
	p.line("  labels:\n    app.kubernetes.io/name: %s\n    app.kubernetes.io/part-of: %s\n    app.kubernetes.io/managed-by: kustomize", name, p.app)
	return name
}

func (p *page) workload(apiVersion, kind string, n int) {
	name := p.head(apiVersion, kind)
	p.line("spec:")
	switch kind {
	case "Job":
		p.line("  backoffLimit: %d", p.IntN(5))
	case "Service":
	default:
		p.line("  replicas: %d\n  revisionHistoryLimit: 3\n  selector:\n    matchLabels:\n      app.kubernetes.io/name: %s", 1+p.IntN(5), name)
	}
	p.line("  template:\n    metadata:\n      labels:\n        app.kubernetes.io/name: %s\n      annotations:\n        prometheus.io/scrape: \"true\"\n    spec:", name)
	p.podSpec("      ", n)
}

// podSpec writes a pod's specification, the first images into init containers.
func (p *page) podSpec(in string, n int) {
	p.line("%sserviceAccountName: %s\n%simagePullSecrets:\n%s- name: registry-%s", in, p.app, in, in, p.app)
	if n > 1 && p.once(3) {
		p.line("%sinitContainers:", in)
		p.container(in)
		n--
	}
	p.line("%scontainers:", in)
	item := in + p.pick("", "  ")
	for range n {
		p.container(item)
	}
	p.line("%svolumes:\n%s- name: tmp\n%s  emptyDir: {}", in, in, in)
}

func (p *page) container(in string) {
	name := p.name()
	switch p.IntN(24) {
	case 0:
		p.line("%s- {name: %s, image: %s, ports: [{containerPort: 8080}]}", in, name, p.quoted())
		return
	case 1: // an alias reads the same image; editing the anchor pins both
		p.line("%s- name: %s\n%s  image: &%s %s", in, name, in, name, p.quoted())
		p.line("%s- name: %s\n%s  image: *%s\n%s  args: [--standby]", in, p.name(), in, name, in)
		return
	}
	p.line("%s- name: %s\n%s  image: %s%s\n%s  imagePullPolicy: IfNotPresent", in, name, in, p.quoted(), p.trail(), in)
	if p.once(2) {
		p.line("%s  args: [\"--port=8080\", '--log-format=json', --workers=%d]", in, p.IntN(32))
	} else {
		p.line("%s  command:\n%s  - /bin/sh\n%s  - -ec\n%s  - |\n%s    exec /app/%s --port 8080 \\\n%s      --config /etc/%s/config.yaml", in, in, in, in, in, name, in, p.app)
	}
	p.env(in + "  ")
	p.line("%s  ports:\n%s  - name: http\n%s    containerPort: 8080", in, in, in)
	p.line("%s  resources:\n%s    requests: {cpu: %dm, memory: %dMi}\n%s    limits:\n%s      memory: %dMi", in, in, 50+p.IntN(500), 64+p.IntN(512), in, in, 600+p.IntN(512))
	if p.once(2) {
		p.line("%s  readinessProbe:\n%s    httpGet:\n%s      path: /healthz\n%s      port: http\n%s    periodSeconds: 10", in, in, in, in, in)
	}
}

func (p *page) env(in string) {
	n := p.IntN(5)
	if n > 0 {
		p.line("%senv:", in)
	}
	for i := range n {
		p.line("%s- name: SETTING_%d\n%s  value: \"%x\"", in, i, in, p.Int64())
	}
}

func (p *page) cronJob(n int) {
	p.head("batch/v1", "CronJob")
	p.line("spec:\n  schedule: \"%d * * * *\"\n  concurrencyPolicy: Forbid\n  jobTemplate:\n    spec:\n      template:\n        spec:\n          restartPolicy: OnFailure", p.IntN(60))
	p.podSpec("          ", n)
}

func (p *page) pod(n int) {
	p.head("v1", "Pod")
	p.line("spec:")
	p.podSpec("  ", n)
}

func (p *page) list(n int) {
	p.line("apiVersion: v1\nkind: List\nitems:")
	for range n {
		name := p.name()
		p.line("- apiVersion: v1\n  kind: Service\n  metadata:\n    name: %s\n  spec:\n    ports:\n    - port: 80", name)
		p.line("- apiVersion: apps/v1\n  kind: Deployment\n  metadata:\n    name: %s\n  spec:\n    template:\n      spec:", name)
		p.podSpec("        ", 1)
	}
}

// stream writes several documents.
func (p *page) stream(n int) {
	for range n {
		p.line("---")
		p.service()
		p.line("---")
		p.workload("apps/v1", "Deployment", 1)
	}
}

func (p *page) json(n int) {
	p.line("{\n  \"apiVersion\": \"apps/v1\",\n  \"kind\": \"Deployment\",\n  \"metadata\": {\"name\": \"%s\"},\n  \"spec\": {\"template\": {\"spec\": {\"containers\": [", p.name())
	for i := range n {
		comma := ","
		if i == n-1 {
			comma = ""
		}
		p.line("    {\n      \"name\": \"%s\",\n      \"image\": \"%s\",\n      \"ports\": [{\"containerPort\": 8080}]\n    }%s", p.name(), p.ref(), comma)
	}
	p.line("  ]}}}\n}")
}

func (p *page) kustomization(n int) {
	if p.once(2) {
		p.line("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization")
	}
	p.line("namespace: %s\nresources:\n- ns.yaml\n- service.yaml\nlabels:\n- includeSelectors: true\n  pairs:\n    team: %s", p.app, p.pick(teams...))
	p.line("images:%s", p.trail())
	for range n {
		i := p.image()
		if p.pinned {
			p.line("- name: %s/%s\n  newTag: %s\n  digest: sha256:%s", p.host, i.repository, p.quote(i.tag), i.digest())
			continue
		}
		switch p.IntN(6) {
		case 0:
			p.line("- {name: %s, newName: %s/%s, newTag: %s}", p.name(), p.host, i.repository, p.quote(i.tag))
		case 1:
			p.line("-   newTag: %s%s\n    newName: %s/%s\n    name: %s", p.tag(i), p.trail(), p.host, i.repository, p.name())
		default:
			p.line("- name: %s/%s\n  newTag: %s%s", p.host, i.repository, p.tag(i), p.trail())
		}
	}
	p.line("configMapGenerator:\n- name: settings\n  literals:\n  - LOG_LEVEL=info")
}

// helmValues writes the shapes in which charts spread an image over keys.
func (p *page) helmValues(n int) {
	p.line("# Values of %s.\nreplicaCount: %d\nnameOverride: \"\"", p.app, 1+p.IntN(4))
	for range n {
		p.line("%s:", p.name())
		p.helmImage("  ")
		p.line("  service:\n    type: ClusterIP\n    port: 80\n  resources: {}\n  nodeSelector: {}\n  tolerations: []\n  affinity: {}")
	}
	p.line("ingress:\n  enabled: false\n  annotations: {}\n  hosts:\n    - host: %s.example.com", p.app)
}

func (p *page) helmImage(in string) {
	i := p.image()
	p.line("%simage:", in)
	if p.pinned {
		p.line("%s  repository: %s/%s\n%s  tag: %s\n%s  digest: sha256:%s", in, p.host, i.repository, in, p.quote(i.tag), in, i.digest())
		return
	}
	switch p.IntN(5) {
	case 0:
		p.line("%s  registry: %s\n%s  repository: %s\n%s  tag: %s%s\n%s  digest: %s", in, p.host, in, i.repository, in, p.tag(i), p.trail(), in, p.quote(""))
	case 1:
		p.line("%s  repository: %s/%s\n%s  tag: %s\n%s  sha: \"\"", in, p.host, i.repository, in, p.tag(i), in)
	case 2:
		p.line("%s  registry: %s\n%s  repository: %s\n%s  tag: %s%s", in, p.quote(p.host), in, i.repository, in, p.tag(i), p.trail())
	case 3:
		p.line("%s  {repository: %s/%s, tag: %s, pullPolicy: Always}", in, p.host, i.repository, p.quote(i.tag))
		return
	default:
		p.line("%s  repository: %s/%s\n%s  # Overrides the image tag whose default is the chart appVersion.\n%s  tag: %s\n%s  digest: \"\"", in, p.host, i.repository, in, in, p.tag(i), in)
	}
	p.line("%s  pullPolicy: IfNotPresent", in)
}

func (p *page) helmRelease(n int) {
	p.head("helm.toolkit.fluxcd.io/v2", "HelmRelease")
	p.line("spec:\n  interval: 10m\n  chart:\n    spec:\n      chart: %s\n      version: 1.x\n  values:", p.app)
	for range n {
		p.line("    %s:", p.name())
		p.helmImage("      ")
	}
}

func (p *page) application(n int) {
	p.head("argoproj.io/v1alpha1", "Application")
	p.line("spec:\n  project: default\n  source:\n    repoURL: https://git.example.com/%s.git\n    path: deploy\n    kustomize:\n      images:", p.app)
	for range n {
		if p.once(2) {
			p.line("      - %s=%s", p.name(), p.ref())
		} else {
			p.line("      - %s", p.quoted())
		}
	}
	p.line("  destination:\n    namespace: %s", p.app)
}

func (p *page) tekton(n int) {
	p.head("tekton.dev/v1", "Task")
	p.line("spec:\n  params:\n  - name: revision\n    type: string\n  steps:")
	for range n {
		p.line("  - name: %s\n    image: %s%s\n    script: |\n      #!/bin/sh\n      make all REVISION=$(params.revision)", p.name(), p.quoted(), p.trail())
	}
}

func (p *page) argoWorkflow(n int) {
	p.head("argoproj.io/v1alpha1", "WorkflowTemplate")
	p.line("spec:\n  entrypoint: main\n  templates:")
	for range n {
		p.line("  - name: %s\n    container:\n      image: %s\n      command: [sh, -c]\n      args: [\"echo {{inputs.parameters.message}}\"]", p.name(), p.quoted())
	}
}

func (p *page) compose(n int) {
	p.line("name: %s\nservices:", p.app)
	for range n {
		p.line("  %s:\n    image: %s%s\n    restart: unless-stopped\n    ports:\n      - \"8080:80\"\n    environment:\n      LOG_LEVEL: info", p.name(), p.quoted(), p.trail())
	}
	p.line("volumes:\n  data: {}")
}

func (p *page) workflow(n int) {
	p.line("name: ci\non:\n  push:\n    branches: [main]\npermissions: {}\njobs:")
	for range n {
		p.line("  %s:\n    runs-on: ubuntu-24.04", p.name())
		switch p.IntN(4) {
		case 0:
			p.line("    container: %s", p.quoted())
		case 1:
			p.line("    container:\n      image: %s\n      options: --cpus 1", p.quoted())
		case 2:
			p.line("    services:\n      db:\n        image: %s%s\n        ports: [5432]", p.quoted(), p.trail())
		default:
			p.line("    steps:\n      - uses: docker://%s\n        with:\n          args: test", p.ref())
			continue
		}
		p.line("    steps:\n      - uses: actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0\n      - run: make test")
	}
}

func (p *page) gitlab(n int) {
	p.line("stages: [test, build]")
	for range n {
		if p.once(2) {
			p.line("%s:\n  stage: test\n  image: %s\n  script:\n    - make test", p.name(), p.quoted())
		} else {
			p.line("%s:\n  stage: build\n  image:\n    name: %s\n    entrypoint: [\"\"]\n  script:\n    - make", p.name(), p.quoted())
		}
	}
}

func (p *page) dockerfile(n int) {
	p.line("# The image of %s.\nARG VERSION=dev", p.app)
	for i := range n {
		switch {
		case i == 0:
			p.line("FROM %s AS build\nWORKDIR /src\nCOPY . .\nRUN --mount=type=cache,target=/root/.cache \\\n    make build VERSION=${VERSION}", p.ref())
		case p.once(2):
			p.line("COPY --from=%s /usr/bin/tool /usr/local/bin/tool", p.ref())
		default:
			p.line("FROM --platform=linux/amd64 %s AS stage%d\nCOPY --from=build /src/out /app", p.ref(), i)
		}
	}
	p.line("FROM scratch\nCOPY --from=build /src/out /app\nENTRYPOINT [\"/app\"]")
}

// bundle is what operators publish: a definition and the deployment of its controller.
func (p *page) bundle(n int) {
	p.definition(8<<10 + p.IntN(16<<10))
	for range n {
		p.line("---")
		p.workload("apps/v1", "Deployment", 1)
	}
}
