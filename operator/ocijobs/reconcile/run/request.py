"""What a run's request is made of, whatever service it goes to: its tags, its digest, and what no run may have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from ocijobs.api.run.binding import JobBinding, RunTemplate
from ocijobs.api.run.settings import RunSettings
from ocijobs.api.shared.environment import EnvVar
from ocijobs.api.shared.names import TAG_NAME, TAG_OWNER
from ocijobs.backends.digest import digest, owner_tag
from ocijobs.backends.environment import Values, reserved_names
from ocijobs.backends.requests import (
    MultiNode,
    RunCreation,
    RunRequest,
    SingleNode,
    Tags,
    Workload,
)
from ocijobs.reconcile.known.run import attempt_number
from ocijobs.reconcile.run.observation import RunObservation


@dataclass(frozen=True, slots=True)
class Sent:
    """What a request is made of."""

    template: RunTemplate
    settings: RunSettings
    variables: tuple[EnvVar, ...]
    values: Values


def run_owner(o: RunObservation) -> str:
    """Return the owner tag of the attempt that is under way, or comes next."""
    number = attempt_number(o.run.status)
    return owner_tag(cluster_id=o.cluster_id, uid=o.run.metadata.uid, subject=str(number))


def tags_of(o: RunObservation, settings: RunSettings) -> Tags:
    """Return the tags of the run in OCI, our own two included."""
    meta = o.run.metadata
    return Tags(
        freeform={
            **(settings.freeform_tags or {}),
            TAG_OWNER: run_owner(o),
            TAG_NAME: f"{meta.namespace}/{meta.name}",
        },
        defined=settings.defined_tags or {},
    )


def moved_on(o: RunObservation, job: JobBinding) -> bool:
    """Whether the OCIJob has changed since it was bound: what OCI changes in place may be another now."""
    return o.job is not None and o.job.metadata.generation != job.job_generation


def reserved_problem(variables: tuple[EnvVar, ...]) -> str | None:
    """Return which names can't be used, in words."""
    if reserved := reserved_names(variables):
        return (
            f"spec.env: {', '.join(reserved)}: reserved for OCI and the operator, use other names"
        )
    return None


def request_digest(request: RunCreation, sent: Sent) -> str:
    """Return the digest of the request: Secrets count by uid and resourceVersion, never by value.

    Variables and arguments are taken as they were written, since expanded ones may hold a secret.
    """
    settings, values = sent.settings, sent.values
    return digest(
        {
            **_own(request, settings),
            "compartmentId": request.compartment_id,
            "jobId": request.job_id,
            "displayName": request.display_name,
            "freeformTags": request.tags.freeform,
            "definedTags": request.tags.defined,
            "template": sent.template.document(),
            "env": [variable.document() for variable in sent.variables],
            "values": {str(k): v for k, v in values.values.items() if k.kind == "ConfigMap"},
            "objects": [item.document() for item in values.objects if item.kind == "Secret"],
            "args": list(sent.template.args if settings.args is None else settings.args),
        }
    )


def _own(request: RunCreation, settings: RunSettings) -> dict[str, object]:
    """Return what the requests of one service have, and those of the other have not."""
    if isinstance(request, RunRequest):
        return {
            "projectId": request.project_id,
            "overridden": request.workload is not None,
            "maximumRuntimeInMinutes": _minutes(request.workload),
            "infrastructure": settings.infrastructure.document()
            if request.infrastructure and settings.infrastructure
            else bool(request.infrastructure),
            "logging": settings.logging.document() if settings.logging else None,
            "container": settings.container.document() if settings.container else None,
        }
    return {
        "overridden": request.spark is not None,
        "maximumRuntimeInMinutes": settings.maximum_runtime_in_minutes,
        "spark": settings.spark.document() if settings.spark else None,
    }


def _minutes(workload: Workload | None) -> int | None:
    match workload:
        case SingleNode(configuration=configuration):
            return configuration.maximum_runtime_in_minutes
        case MultiNode(maximum_runtime_in_minutes=minutes):
            return minutes
        case None:
            return None
        case _:
            assert_never(workload)
