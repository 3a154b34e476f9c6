{{/* Names and labels that the templates share. */}}

{{- define "oci-jobs-operator.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The name of every object; room is left for suffixes. */}}
{{- define "oci-jobs-operator.fullname" -}}
{{- $name := include "oci-jobs-operator.name" . }}
{{- $full := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) }}
{{- .Values.fullnameOverride | default $full | trunc 52 | trimSuffix "-" }}
{{- end }}

{{- define "oci-jobs-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "oci-jobs-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "oci-jobs-operator.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "oci-jobs-operator.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "oci-jobs-operator.serviceAccountName" -}}
{{- $made := .Values.serviceAccount.create | ternary (include "oci-jobs-operator.fullname" .) "default" }}
{{- .Values.serviceAccount.name | default $made }}
{{- end }}

{{- define "oci-jobs-operator.image" -}}
{{- with .Values.image }}
{{- if .digest }}{{ printf "%s@%s" .repository .digest }}
{{- else }}{{ printf "%s:%s" .repository (.tag | default $.Chart.AppVersion) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "oci-jobs-operator.port" -}}
{{- dig "httpPort" 8080 .Values.settings | int }}
{{- end }}
