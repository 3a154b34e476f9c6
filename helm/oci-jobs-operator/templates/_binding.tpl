{{/* What follows a binding's metadata: the role, and the operator as its subject. Takes the root, the role's kind and name. */}}
{{- define "oci-jobs-operator.bound" -}}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ .kind }}
  name: {{ .name }}
subjects:
  - kind: ServiceAccount
    name: {{ include "oci-jobs-operator.serviceAccountName" .root }}
    namespace: {{ .root.Release.Namespace }}
{{- end }}
