{{/* The operator's settings file: what the chart knows itself, `settings`, and a Lease of this release's own. */}}
{{- define "oci-jobs-operator.settings" -}}
{{- $own := dict "operatorNamespace" .Release.Namespace "watchNamespaces" .Values.watchNamespaces -}}
{{- $default := dict "leaseName" (include "oci-jobs-operator.fullname" .) "stagingFolder" "/tmp/operator" -}}
{{- if .Values.fetcher.enabled -}}
{{- $url := printf "http://%s.%s.svc:8081" (include "oci-jobs-operator.fetcher.fullname" .) .Release.Namespace -}}
{{- $default = merge $default (dict "fetcherUrl" $url "fetcherTokenFile" "/etc/ocijobs-fetcher/token") -}}
{{- end -}}
{{- toYaml (merge $own .Values.settings $default) }}
{{- end }}
