{{- define "secret-injector.selector" -}}
app.kubernetes.io/name: secret-webhook
app.kubernetes.io/instance: {{ .Values.name }}
{{- end }}

{{- define "secret-injector.labels" -}}
{{ include "secret-injector.selector" . }}
app.kubernetes.io/part-of: secret-injector
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "secret-injector.metadata" -}}
name: {{ .Values.name }}
namespace: {{ .Release.Namespace }}
labels:
  {{- include "secret-injector.labels" . | nindent 2 }}
{{- end }}

{{- define "secret-injector.clusterMetadata" -}}
name: {{ .Values.name }}
labels:
  {{- include "secret-injector.labels" . | nindent 2 }}
{{- end }}

{{- define "secret-injector.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end }}

{{- define "secret-injector.namespaceSelector" -}}
- key: kubernetes.io/metadata.name
  operator: NotIn
  values: {{ append .Values.webhook.excludedNamespaces .Release.Namespace | uniq | toJson }}
{{- end }}
