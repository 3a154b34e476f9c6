"""Names that others see: the API group, annotations, finalizer, tags and result lines.

Each is part of the interface: changing one needs a migration, not a rename.
"""

from typing import Final

GROUP: Final = "ocijobs.io"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"

CATEGORY: Final = "oci"
"""`kubectl get oci` lists every kind. Never `all`, and never a plural of ours: with either,
`kubectl delete <word> --all` would delete runs that nobody named."""

FINALIZER: Final = f"{GROUP}/cleanup"
"""Set while something in OCI depends on the object, and never longer."""

FIELD_MANAGER: Final = "ocijobs-operator"
"""Server-side apply's manager of `status` (https://kubernetes.io/docs/reference/using-api/server-side-apply/)."""

REPORTING_CONTROLLER: Final = f"{GROUP}/operator"
"""Reporter of Events."""

ANNOTATION_PAUSED: Final = f"{GROUP}/paused"
"""`"true"` stops reconciling the object; deletion waits too."""

ANNOTATION_REQUESTED_AT: Final = f"{GROUP}/requestedAt"
"""Any new value asks for the sources to be read again at once (Flux's and Argo CD's custom)."""

ANNOTATION_ABANDON: Final = f"{GROUP}/abandon"
"""`"true"` lets a deleted object go at once. What it owns in OCI stays there."""

ANNOTATION_ALLOW_START: Final = f"{GROUP}/allow-start"
"""`"true"` lets an object start although the setting `holdNew` holds new objects."""

ANNOTATION_SCHEDULED_TIME: Final = f"{GROUP}/scheduled-time"
"""On what a schedule made: the time that it was made for, in RFC 3339."""

LABEL_CREDENTIALS_COPY: Final = f"{GROUP}/credentials-copy"
"""On a Secret of the operator's own namespace: a copy of credentials, used for deletion alone."""

LABEL_ORPHAN: Final = f"{GROUP}/orphan"
"""On a ConfigMap of the operator's own namespace: it tells of what an object that was let go has left in OCI."""

ANNOTATION_IDENTITY: Final = f"{GROUP}/identity"
"""On a copy of credentials: the OCIIdentity that they are of, `<namespace>/<name>`."""

ANNOTATION_IDENTITY_UID: Final = f"{GROUP}/identity-uid"
"""On a copy of credentials: the uid of that OCIIdentity."""

ANNOTATION_CREDENTIALS_VERSION: Final = f"{GROUP}/credentials-version"
"""On a copy of credentials: the uid and resourceVersion of the Secret that they were copied from, and their region."""

LABEL_SCHEDULE: Final = f"{GROUP}/schedule"
"""On what a schedule made: the schedule's name."""

LABEL_SWEEP: Final = f"{GROUP}/sweep"
"""On the children of a sweep: the sweep's name."""

LABEL_SWEEP_INDEX: Final = f"{GROUP}/sweep-index"
"""On the children of a sweep: their index."""

TAG_OWNER: Final = "ocijobs_owner"
"""Free-form tag on everything created in OCI: `<clusterId>/<uid>/<attempt or revision>`."""

TAG_NAME: Final = "ocijobs_name"
"""Free-form tag for people: `<namespace>/<name>`."""

TAG_COMMIT: Final = "ocijobs_commit"
"""Free-form tag on a job run: the Git commit that it checked out, told by its driver."""

RESULTS_KEY: Final = f"{GROUP}/results"
"""Key of the JSON object that a job prints to report results: `{"ocijobs.io/results": {...}}`."""

RESERVED_ENV_PREFIX: Final = "OCIJOBS_"
"""Environment variables that begin with this belong to the operator and its drivers."""

SCHEDULED_TIME: Final = f"{RESERVED_ENV_PREFIX}SCHEDULED_TIME"
"""Environment variable of a run that a schedule made: the time that it was made for, in RFC 3339."""
