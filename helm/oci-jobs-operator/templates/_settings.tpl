{{/* The operator's settings file: what the chart knows itself, `settings`, and a Lease of this release's own. */}}
{{- define "oci-jobs-operator.settings" -}}
{{- $own := dict "operatorNamespace" .Release.Namespace "watchNamespaces" .Values.watchNamespaces -}}
{{- $default := dict "leaseName" (include "oci-jobs-operator.fullname" .) -}}
{{- toYaml (merge $own .Values.settings $default) }}
{{- end }}
