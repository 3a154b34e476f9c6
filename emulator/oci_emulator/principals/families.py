"""Resource types of policies and the families that they make."""

from collections.abc import Mapping
from types import MappingProxyType

FAMILIES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "data-science-family": frozenset(
            {
                "data-science-projects",
                "data-science-jobs",
                "data-science-job-runs",
                "data-science-schedules",
                "data-science-work-requests",
                "data-science-models",
                "data-science-notebook-sessions",
                "data-science-model-deployments",
                "data-science-pipelines",
                "data-science-pipeline-runs",
            }
        ),
        "dataflow-family": frozenset(
            {"dataflow-application", "dataflow-run", "dataflow-pool", "dataflow-private-endpoint"}
        ),
        "logging-family": frozenset({"log-groups", "log-content", "unified-configuration"}),
        "object-family": frozenset({"objectstorage-namespaces", "buckets", "objects"}),
        "virtual-network-family": frozenset({"vcns", "subnets", "vnics", "private-ips"}),
        "file-family": frozenset({"file-systems", "mount-targets", "export-sets"}),
        "secret-family": frozenset({"secrets", "secret-versions", "secret-bundles"}),
    }
)
"""The aggregate types, with their members as far as they are of use here."""

SINGLE = frozenset({"compartments", "tenancies", "users", "metrics", "repos"})
"""Types of no family."""


def members_of(name: str) -> frozenset[str]:
    """The single resource types behind a name in a statement; empty if there is no such name."""
    if name == "all-resources":
        return SINGLE.union(*FAMILIES.values())
    if name in FAMILIES:
        return FAMILIES[name]
    single = SINGLE.union(*FAMILIES.values())
    return frozenset({name}) if name in single else frozenset()
