{{- define "pinnace.pod" -}}
{{- $sqlite := eq .Values.database.kind "sqlite" -}}
metadata:
  annotations:
    kubectl.kubernetes.io/default-container: pinnace
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  labels:
    {{- include "pinnace.selector" . | nindent 4 }}
    {{- with .Values.commonLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "pinnace.serviceAccount" . }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    fsGroup: 65532
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile:
      type: RuntimeDefault
  containers:
    - name: pinnace
      image: {{ include "pinnace.image" . | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args:
        - serve
        - --listen=:8080
        - --cache=/var/cache/pinnace
        - --cache-size={{ .Values.cache.size }}
        {{- if $sqlite }}
        - --database=sqlite:/var/lib/pinnace/pinnace.db
        {{- end }}
        {{- with .Values.server }}
        - --workers={{ .workers }}
        - --resync={{ .resync }}
        - --watch={{ .watch }}
        - --lease={{ .lease }}
        - --grace={{ .grace }}
        - --drain={{ .drain }}
        - --log-format={{ .logFormat }}
        - --log-level={{ .logLevel }}
        {{- end }}
        {{- range .Values.registries.private }}
        - --allow-private-registry={{ . }}
        {{- end }}
        {{- with .Values.server.extraArgs }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      env:
        - name: PINNACE_APP_ID
          valueFrom:
            secretKeyRef:
              name: {{ .Values.app.secret }}
              key: {{ .Values.app.keys.id }}
        - name: PINNACE_APP_KEY
          value: /etc/pinnace/app/private-key.pem
        - name: PINNACE_WEBHOOK_SECRET_FILE
          value: /etc/pinnace/app/webhook-secret
        {{- if not $sqlite }}
        - name: PINNACE_DATABASE
          valueFrom:
            secretKeyRef:
              name: {{ .Values.database.secret }}
              key: {{ .Values.database.key }}
        {{- end }}
        {{- with .Values.app.apiURL }}
        - name: GITHUB_API_URL
          value: {{ . | quote }}
        {{- end }}
        {{- if .Values.registries.credentialsSecret }}
        - name: DOCKER_CONFIG
          value: /etc/pinnace/registries
        {{- end }}
        {{- if .Values.registries.notificationsSecret }}
        - name: PINNACE_REGISTRY_SECRET_DIR
          value: /etc/pinnace/notifications
        {{- end }}
        {{- if .Values.statusToken.secret }}
        - name: PINNACE_STATUS_TOKEN_FILE
          value: /etc/pinnace/status/token
        {{- end }}
        {{- with .Values.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      ports:
        - name: http
          containerPort: 8080
          protocol: TCP
      # A new version may change the database's tables before it listens.
      startupProbe:
        httpGet: {path: /healthz, port: http}
        periodSeconds: 5
        failureThreshold: 60
      livenessProbe:
        httpGet: {path: /healthz, port: http}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet: {path: /readyz, port: http}
        periodSeconds: 5
        timeoutSeconds: 5
        failureThreshold: 3
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities:
          drop: [ALL]
      volumeMounts:
        - name: app
          mountPath: /etc/pinnace/app
          readOnly: true
        - name: cache
          mountPath: /var/cache/pinnace
        - name: tmp
          mountPath: /tmp
        {{- if $sqlite }}
        - name: data
          mountPath: /var/lib/pinnace
        {{- end }}
        {{- if .Values.registries.credentialsSecret }}
        - name: registries
          mountPath: /etc/pinnace/registries
          readOnly: true
        {{- end }}
        {{- if .Values.registries.notificationsSecret }}
        - name: notifications
          mountPath: /etc/pinnace/notifications
          readOnly: true
        {{- end }}
        {{- if .Values.statusToken.secret }}
        - name: status
          mountPath: /etc/pinnace/status
          readOnly: true
        {{- end }}
        {{- with .Values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - name: app
      secret:
        secretName: {{ .Values.app.secret }}
        defaultMode: 0440
        items:
          - key: {{ .Values.app.keys.privateKey }}
            path: private-key.pem
          - key: {{ .Values.app.keys.webhookSecret }}
            path: webhook-secret
    - name: cache
      emptyDir:
        sizeLimit: {{ .Values.cache.sizeLimit }}
    - name: tmp
      emptyDir:
        sizeLimit: 1Gi
    {{- if $sqlite }}
    {{- if not .Values.persistence.enabled }}
    - name: data
      emptyDir:
        sizeLimit: {{ .Values.persistence.size }}
    {{- else if .Values.persistence.existingClaim }}
    - name: data
      persistentVolumeClaim:
        claimName: {{ .Values.persistence.existingClaim }}
    {{- end }}
    {{- end }}
    {{- with .Values.registries.credentialsSecret }}
    - name: registries
      secret:
        secretName: {{ . }}
        defaultMode: 0440
        items:
          - key: .dockerconfigjson
            path: config.json
    {{- end }}
    {{- with .Values.registries.notificationsSecret }}
    - name: notifications
      secret:
        secretName: {{ . }}
        defaultMode: 0440
    {{- end }}
    {{- if .Values.statusToken.secret }}
    - name: status
      secret:
        secretName: {{ .Values.statusToken.secret }}
        defaultMode: 0440
        items:
          - key: {{ .Values.statusToken.key }}
            path: token
    {{- end }}
    {{- with .Values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  topologySpreadConstraints:
    {{- if .Values.topologySpreadConstraints }}
    {{- toYaml .Values.topologySpreadConstraints | nindent 4 }}
    {{- else }}
    {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
    - maxSkew: 1
      topologyKey: {{ . }}
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "pinnace.selector" $ | nindent 10 }}
    {{- end }}
    {{- end }}
{{- end -}}
