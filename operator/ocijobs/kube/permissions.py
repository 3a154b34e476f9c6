"""The permissions that the operator needs in the cluster: the source of the chart's roles.

Integration tests run the operator with exactly these, and check in the audit log that it uses every one.
"""

from __future__ import annotations

from dataclasses import dataclass

from ocijobs.api.crd import KINDS
from ocijobs.api.kueue import KUEUE_GROUP
from ocijobs.api.shared.names import GROUP
from ocijobs.kube.reads import FLUX_SOURCES


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """One rule of a role, and why it is needed."""

    group: str
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    names: tuple[str, ...] = ()
    why: str

    def rule(self) -> dict[str, list[str]]:
        """Return the rbac.authorization.k8s.io/v1 PolicyRule."""
        rule = {
            "apiGroups": [self.group],
            "resources": list(self.resources),
            "verbs": list(self.verbs),
        }
        return rule | ({"resourceNames": list(self.names)} if self.names else {})


_PLURALS = tuple(kind.plural for kind in KINDS)

WATCHED_NAMESPACES: tuple[Permission, ...] = (
    Permission(
        group=GROUP,
        resources=_PLURALS,
        verbs=("list", "watch"),
        why="watch the resources",
    ),
    Permission(
        group=GROUP,
        resources=("ocijobruns", "ocijobs", "ociidentities"),
        verbs=("patch",),
        why="set and remove their finalizer, suspend and cancel the runs of sweeps",
    ),
    Permission(
        group=GROUP,
        resources=tuple(f"{plural}/status" for plural in _PLURALS),
        verbs=("patch",),
        why="write their status",
    ),
    Permission(
        group=GROUP,
        resources=("ocijobruns", "ocijobs", "ocijobsweeps"),
        verbs=("create",),
        why="create the runs of sweeps and schedules, and the jobs of runs with a jobTemplate",
    ),
    Permission(
        group=GROUP,
        resources=("ocijobruns", "ocijobsweeps"),
        verbs=("delete",),
        why="delete what has expired, and firings that a schedule does not keep any more",
    ),
    Permission(
        group="",
        resources=("configmaps", "secrets"),
        verbs=("get",),
        why="read sources, values and API keys by name, never as a list",
    ),
    Permission(
        group=FLUX_SOURCES,
        resources=("buckets", "gitrepositories", "ocirepositories"),
        verbs=("get",),
        why="read the artifact of a source of Flux by name",
    ),
    Permission(
        group=KUEUE_GROUP,
        resources=("workloads",),
        verbs=("create", "delete", "list", "patch", "watch"),
        why="queue runs that name a queue of Kueue, and keep their quota while OCI runs them",
    ),
    Permission(
        group=KUEUE_GROUP,
        resources=("workloads/status",),
        verbs=("patch",),
        why="give back the quota of runs that were evicted or have ended",
    ),
    Permission(
        group="",
        resources=("events",),
        verbs=("create", "patch"),
        why="post Events, and count repeated ones",
    ),
)
"""Needed in every namespace that is served: a ClusterRole, or a Role in each."""

CLUSTER: tuple[Permission, ...] = (
    Permission(
        group="",
        resources=("namespaces",),
        verbs=("get",),
        names=("kube-system",),
        why="the uid of kube-system is the default of the setting clusterId",
    ),
    Permission(
        group=KUEUE_GROUP,
        resources=("workloadpriorityclasses",),
        verbs=("get",),
        why="read the value of the priority class that a run names",
    ),
)
"""Needed once in the cluster."""

OWN_NAMESPACE: tuple[Permission, ...] = (
    Permission(
        group="coordination.k8s.io",
        resources=("leases",),
        verbs=("create", "get", "update"),
        why="get and renew the leader's lease",
    ),
    Permission(
        group="",
        resources=("events",),
        verbs=("create", "patch"),
        why="post Events about objects that were let go",
    ),
    Permission(
        group="",
        resources=("secrets",),
        verbs=("create", "delete", "list", "update"),
        why="keep copies of the credentials in use, to end what is in OCI when their Secret is gone",
    ),
    Permission(
        group="",
        resources=("configmaps",),
        verbs=("create", "list"),
        why="list what objects that were let go have left in OCI",
    ),
)
"""Needed in the operator's own namespace."""
