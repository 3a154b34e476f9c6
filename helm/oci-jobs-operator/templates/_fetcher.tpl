{{/* The fetcher: what its objects are called, where it is, and how much of everything it needs. */}}

{{- define "oci-jobs-operator.fetcher.fullname" -}}
{{- include "oci-jobs-operator.fullname" . }}-fetcher
{{- end }}

{{/* Of another name than the operator's, whose selectors would mean these pods as well. */}}
{{- define "oci-jobs-operator.fetcher.selectorLabels" -}}
app.kubernetes.io/name: {{ printf "%s-fetcher" (include "oci-jobs-operator.name" . | trunc 55 | trimSuffix "-") }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "oci-jobs-operator.fetcher.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "oci-jobs-operator.fetcher.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "oci-jobs-operator.fetcher.secretName" -}}
{{- .Values.fetcher.existingSecret | default (include "oci-jobs-operator.fetcher.fullname" .) }}
{{- end }}

{{/* Requests at a time: remote sources, and four of those in the cluster, which are small. */}}
{{- define "oci-jobs-operator.fetcher.atATime" -}}
{{- add (dig "sourceWorkers" 2 .Values.settings | int64) 4 }}
{{- end }}

{{/* Bytes of its disk: of each remote source the files and the artifact, and a little for each request. */}}
{{- define "oci-jobs-operator.fetcher.diskBytes" -}}
{{- $each := mul 2 (dig "artifactLimitBytes" 4294967296 .Values.settings | int64) }}
{{- $workers := dig "sourceWorkers" 2 .Values.settings | int64 }}
{{- add (mul $workers $each) (mul 67108864 (include "oci-jobs-operator.fetcher.atATime" . | int64)) }}
{{- end }}

{{/* Bytes of its memory, if every process takes all that it may: those of the cluster's sources take a quarter. */}}
{{- define "oci-jobs-operator.fetcher.memoryBytes" -}}
{{- $each := dig "sourceMemoryBytes" 1073741824 .Values.settings | int64 }}
{{- $workers := dig "sourceWorkers" 2 .Values.settings | int64 }}
{{- add (mul (add $workers 1) $each) 268435456 }}
{{- end }}

{{/* Bytes of the operator's own disk. */}}
{{- define "oci-jobs-operator.diskBytes" -}}
{{- add (dig "stagingLimitBytes" 8589934592 .Values.settings | int64) 268435456 }}
{{- end }}
