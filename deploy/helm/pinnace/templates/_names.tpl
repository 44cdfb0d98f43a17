{{- define "pinnace.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "pinnace.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains (include "pinnace.name" .) .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "pinnace.name" .) | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "pinnace.selector" -}}
app.kubernetes.io/name: {{ include "pinnace.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "pinnace.labels" -}}
{{ include "pinnace.selector" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "pinnace.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "pinnace.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "pinnace.image" -}}
{{- $i := .Values.image -}}
{{- if $i.digest -}}
{{- $i.repository }}{{ with $i.tag }}:{{ . }}{{ end }}@{{ $i.digest -}}
{{- else if $i.requireDigest -}}
{{- fail (printf "image.digest is empty: set it to the digest of %s that you built or mirrored (sha256:...), or set image.requireDigest to false to run a tag that can move" $i.repository) -}}
{{- else if $i.tag -}}
{{- $i.repository }}:{{ $i.tag -}}
{{- else -}}
{{- fail (printf "image.digest and image.tag are empty: say which image of %s to run" $i.repository) -}}
{{- end -}}
{{- end -}}

{{- /* What fits no other place: values that contradict each other. */ -}}
{{- define "pinnace.check" -}}
{{- if and (gt (int .Values.replicas) 1) (ne .Values.database.kind "postgres") -}}
{{- fail (printf "replicas is %d, but SQLite serves one process: set database.kind to postgres and database.secret, or replicas to 1" (int .Values.replicas)) -}}
{{- end -}}
{{- if and (eq .Values.database.kind "postgres") (not .Values.database.secret) -}}
{{- fail "database.kind is postgres, but database.secret is empty: name the Secret that holds the URL of the database under database.key" -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.host) -}}
{{- fail "ingress.enabled is true, but ingress.host is empty: name the host that GitHub sends webhooks to" -}}
{{- end -}}
{{- end -}}
