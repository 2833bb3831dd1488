{{/* Labels of every object. Call with (dict "context" $ "component" "controller"). */}}
{{- define "lossless.labels" -}}
{{ include "lossless.selector" . }}
app.kubernetes.io/version: {{ .context.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: lossless
app.kubernetes.io/managed-by: {{ .context.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .context.Chart.Name .context.Chart.Version | replace "+" "_" }}
{{- end }}

{{/* Labels by which a Deployment knows its pods: they can never change. */}}
{{- define "lossless.selector" -}}
app.kubernetes.io/name: lossless
app.kubernetes.io/instance: {{ .context.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "lossless.image" -}}
{{ required "image: name the image of the operator, for example --set image=registry.example.com/lossless:0.1.0" .Values.image }}
{{- end }}

{{- define "lossless.agentImage" -}}
{{- if .Values.agentImage -}}
{{ .Values.agentImage }}
{{- else if contains "@" .Values.image -}}
{{ fail (printf "agentImage: image %q has a digest, so the agent's image cannot be derived from it; name it" .Values.image) }}
{{- else -}}
{{ regexReplaceAll "(:[^:/]+)?$" (include "lossless.image" .) "-agent${1}" }}
{{- end }}
{{- end }}

{{/* With the next one: Pod Security Standards, level restricted. */}}
{{- define "lossless.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65534
runAsGroup: 65534
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "lossless.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* A Deployment. Call with (dict "context" $ "component" … "values" … "args" (list …) "ports" (list …)). */}}
{{- define "lossless.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: lossless-{{ .component }}
  namespace: {{ .context.Release.Namespace }}
  labels: {{- include "lossless.labels" . | nindent 4 }}
spec:
  replicas: {{ .values.replicas }}
  selector:
    matchLabels: {{- include "lossless.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- with .values.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
        {{- include "lossless.labels" . | nindent 8 }}
      {{- with .values.podAnnotations }}
      annotations: {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      serviceAccountName: lossless-{{ .component }}
      enableServiceLinks: false
      {{- with .context.Values.imagePullSecrets }}
      imagePullSecrets: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .values.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
      {{- with .values.nodeSelector }}
      nodeSelector: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .values.tolerations }}
      tolerations: {{- toYaml . | nindent 8 }}
      {{- end }}
      affinity:
        {{- with .values.affinity }}
        {{- toYaml . | nindent 8 }}
        {{- else }}
        podAntiAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
            - weight: 100
              podAffinityTerm:
                topologyKey: kubernetes.io/hostname
                labelSelector:
                  matchLabels: {{- include "lossless.selector" . | nindent 20 }}
        {{- end }}
      {{- with .values.topologySpreadConstraints }}
      topologySpreadConstraints: {{- toYaml . | nindent 8 }}
      {{- end }}
      securityContext: {{- include "lossless.podSecurity" . | nindent 8 }}
      containers:
        - name: {{ .component }}
          image: {{ include "lossless.image" .context | quote }}
          imagePullPolicy: {{ .context.Values.imagePullPolicy }}
          args: {{- toYaml .args | nindent 12 }}
          env:
            - name: POD_NAME
              valueFrom: {fieldRef: {fieldPath: metadata.name}}
            - name: POD_NAMESPACE
              valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
          ports: {{- toYaml .ports | nindent 12 }}
          startupProbe:
            httpGet: {path: /healthz, port: http}
            periodSeconds: 2
            failureThreshold: 30
          livenessProbe:
            httpGet: {path: /healthz, port: http}
            periodSeconds: 10
            timeoutSeconds: 3
            failureThreshold: 3
          readinessProbe:
            httpGet: {path: /readyz, port: http}
            periodSeconds: 5
            timeoutSeconds: 3
            failureThreshold: 2
          {{- with .values.resources }}
          resources: {{- toYaml . | nindent 12 }}
          {{- end }}
          securityContext: {{- include "lossless.containerSecurity" . | nindent 12 }}
{{- end }}

{{/* A PodDisruptionBudget. Call with (dict "context" $ "component" …). */}}
{{- define "lossless.budget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: lossless-{{ .component }}
  namespace: {{ .context.Release.Namespace }}
  labels: {{- include "lossless.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  # A pod that does not work protects nothing and must not keep a node from being drained.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels: {{- include "lossless.selector" . | nindent 6 }}
{{- end }}
