{{/* The namespaces that are served, as an option; empty for the whole cluster. What the programs
themselves would refuse is refused here, before anything is changed. */}}
{{- define "lossless.watchNamespaces" -}}
{{- range .Values.watchNamespaces }}
{{- if or (eq . $.Release.Namespace) (has . (list "kube-system" "kube-public" "kube-node-lease")) }}
{{- fail (printf "watchNamespaces: pods in %s are never injected; take it off the list, or install elsewhere" .) }}
{{- end }}
{{- end }}
{{- join "," .Values.watchNamespaces }}
{{- end }}

{{/* A Role and its binding in a namespace that is served. Call with
(dict "context" $ "component" … "namespace" … "rules" "text of the rules"). */}}
{{- define "lossless.watchedRole" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: lossless-{{ .component }}
  namespace: {{ .namespace }}
  labels: {{- include "lossless.labels" . | nindent 4 }}
  {{- include "lossless.annotations" . | nindent 2 }}
rules: {{- .rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: lossless-{{ .component }}
  namespace: {{ .namespace }}
  labels: {{- include "lossless.labels" . | nindent 4 }}
  {{- include "lossless.annotations" . | nindent 2 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: lossless-{{ .component }}
subjects:
  - kind: ServiceAccount
    name: {{ include "lossless.serviceAccountName" . }}
    namespace: {{ .context.Release.Namespace }}
{{- end }}
