{{/* Labels of every object. Call with (dict "context" $ "component" "controller"). What we need wins
over the administrator's labels of the same key. */}}
{{- define "lossless.labels" -}}
{{- $ours := include "lossless.ownLabels" . | fromYaml -}}
{{ toYaml (merge $ours .context.Values.commonLabels) }}
{{- end }}

{{- define "lossless.ownLabels" -}}
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

{{/* "annotations:" of an object, or nothing. Call with (dict "context" $ "own" (dict …)): ours win. */}}
{{- define "lossless.annotations" -}}
{{- with merge (dict) (.own | default dict) .context.Values.commonAnnotations }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Call with (dict "context" $ "component" "webhook"). */}}
{{- define "lossless.serviceAccountName" -}}
{{- $account := (index .context.Values .component).serviceAccount -}}
{{- if not (or $account.create $account.name) -}}
{{ fail (printf "%s.serviceAccount.name: name the account that exists, or let create be true" .component) }}
{{- end -}}
{{ $account.name | default (printf "lossless-%s" .component) }}
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

{{/* A number of a user or group; nothing for null. Helm holds numbers as floats: 1e+09 is no id. */}}
{{- define "lossless.id" -}}
{{- if not (kindIs "invalid" .) }}{{ int64 . }}{{ end -}}
{{- end }}

{{/* With the next one: Pod Security Standards, level restricted. */}}
{{- define "lossless.podSecurity" -}}
{{- $ours := dict
  "runAsNonRoot" true
  "runAsUser" 65534
  "runAsGroup" 65534
  "seccompProfile" (dict "type" "RuntimeDefault")
-}}
{{ toYaml (mergeOverwrite $ours .Values.podSecurityContext) }}
{{- end }}

{{- define "lossless.containerSecurity" -}}
{{- $ours := dict
  "allowPrivilegeEscalation" false
  "readOnlyRootFilesystem" true
  "capabilities" (dict "drop" (list "ALL"))
-}}
{{ toYaml (mergeOverwrite $ours .Values.containerSecurityContext) }}
{{- end }}

{{/* Each constraint, with the labels of the component's pods where it names none. */}}
{{- define "lossless.spread" -}}
{{- $selector := dict "matchLabels" (include "lossless.selector" . | fromYaml) -}}
{{- range .values.topologySpreadConstraints }}
- {{ toYaml (.labelSelector | empty | ternary (merge (dict "labelSelector" $selector) .) .) | nindent 2 | trim }}
{{- end }}
{{- end }}

{{/* A Deployment. Call with (dict "context" $ "component" … "values" … "args" (list …) "ports" (list …)). */}}
{{- define "lossless.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: lossless-{{ .component }}
  namespace: {{ .context.Release.Namespace }}
  labels: {{- include "lossless.labels" . | nindent 4 }}
  {{- include "lossless.annotations" . | nindent 2 }}
spec:
  replicas: {{ .values.replicas }}
  revisionHistoryLimit: {{ .values.revisionHistoryLimit }}
  {{- with .values.strategy | default .strategy }}
  strategy: {{- toYaml . | nindent 4 }}
  {{- end }}
  selector:
    matchLabels: {{- include "lossless.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- $own := include "lossless.ownLabels" . | fromYaml }}
        {{- toYaml (merge $own .values.podLabels .context.Values.commonLabels) | nindent 8 }}
      {{- with .values.podAnnotations }}
      annotations: {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      serviceAccountName: {{ include "lossless.serviceAccountName" . }}
      enableServiceLinks: false
      terminationGracePeriodSeconds: {{ .values.terminationGracePeriodSeconds }}
      {{- if .values.hostNetwork }}
      hostNetwork: true
      dnsPolicy: ClusterFirstWithHostNet
      {{- end }}
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
      topologySpreadConstraints: {{- include "lossless.spread" $ | nindent 8 }}
      {{- end }}
      securityContext: {{- include "lossless.podSecurity" .context | nindent 8 }}
      containers:
        - name: {{ .component }}
          image: {{ include "lossless.image" .context | quote }}
          imagePullPolicy: {{ .context.Values.imagePullPolicy }}
          args: {{- toYaml (concat .args .values.extraArgs) | nindent 12 }}
          env:
            - name: POD_NAME
              valueFrom: {fieldRef: {fieldPath: metadata.name}}
            - name: POD_NAMESPACE
              valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
            {{- with .values.extraEnv }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
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
          securityContext: {{- include "lossless.containerSecurity" .context | nindent 12 }}
{{- end }}

{{/* A PodDisruptionBudget. Call with (dict "context" $ "component" … "values" …). */}}
{{- define "lossless.budget" -}}
{{- $budget := .values.podDisruptionBudget -}}
{{- $least := toString $budget.minAvailable -}}
{{- $most := toString $budget.maxUnavailable -}}
{{- if and $least $most -}}
{{- fail (printf "%s.podDisruptionBudget: minAvailable and maxUnavailable are both set; empty one" .component) -}}
{{- end -}}
{{- if $budget.enabled -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: lossless-{{ .component }}
  namespace: {{ .context.Release.Namespace }}
  labels: {{- include "lossless.labels" . | nindent 4 }}
  {{- include "lossless.annotations" . | nindent 2 }}
spec:
  {{- if $least }}
  minAvailable: {{ $budget.minAvailable }}
  {{- else }}
  maxUnavailable: {{ ternary 1 $budget.maxUnavailable (empty $most) }}
  {{- end }}
  # A pod that does not work protects nothing and must not keep a node from being drained.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels: {{- include "lossless.selector" . | nindent 6 }}
{{- end }}
{{- end }}
