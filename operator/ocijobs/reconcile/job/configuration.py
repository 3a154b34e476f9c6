"""What an OCI job is made of, from the spec: its configuration, its settings, and the revision that they are.

A *revision* is a versioned hash of everything that OCI can't change in a job. It is taken over the spec as the user
wrote it and over the sources' digest, not over what is sent: an operator with other drivers, or one that sends
something more, finds the same revision and makes no job anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from ocijobs.api.job import OCIJob, OCIJobSpec
from ocijobs.api.model import Model
from ocijobs.api.names import TAG_NAME, TAG_OWNER
from ocijobs.reconcile.compute import Mount, compute, node_groups
from ocijobs.reconcile.digest import digest, owner_tag
from ocijobs.reconcile.job.workload import job_workload
from ocijobs.reconcile.requests import JobRequest, JobSettings, LogConfiguration, Tags

REVISION_VERSION = "v1"
"""Version of what a revision is taken over. A new one makes every job anew: never change it without need."""


def job_settings(
    job: OCIJob, *, cluster_id: str, revision: str, storage_mounts: tuple[Mount, ...]
) -> JobSettings:
    """Return what OCI changes in place."""
    meta, spec = job.metadata, job.spec
    return JobSettings(
        display_name=spec.display_name or f"{meta.namespace}/{meta.name}",
        description=spec.description,
        infrastructure=compute(spec),
        storage_mounts=storage_mounts,
        tags=Tags(
            freeform={
                **(spec.freeform_tags or {}),
                TAG_OWNER: owner_tag(cluster_id=cluster_id, uid=meta.uid, subject=revision),
                TAG_NAME: f"{meta.namespace}/{meta.name}",
            },
            defined=spec.defined_tags or {},
        ),
    )


def settings_digest(settings: JobSettings) -> str:
    """Return the digest by which a change of settings is noticed."""
    return digest(
        {
            "displayName": settings.display_name,
            "description": settings.description,
            "infrastructure": _document(settings.infrastructure),
            "storageMounts": _document(settings.storage_mounts),
            "freeformTags": settings.tags.freeform,
            "definedTags": settings.tags.defined,
        }
    )


def _document(data: Any) -> Any:
    """Return dataclasses and models as JSON."""
    if isinstance(data, Model):
        return data.document()
    if isinstance(data, tuple):
        return [_document(item) for item in data]
    if is_dataclass(data):
        members = {field.name: getattr(data, field.name) for field in fields(data)}
        return {type(data).__name__: {name: _document(value) for name, value in members.items()}}
    return dict(data) if isinstance(data, Mapping) else data


def revision_name(
    spec: OCIJobSpec,
    *,
    compartment_id: str,
    project_id: str,
    log: LogConfiguration | None,
    sources_digest: str,
) -> str:
    """Return the name of the revision that the spec and the sources make."""
    runtime = spec.runtime.document() if spec.runtime is not None else {}
    for variant in runtime.values():
        variant.pop("source", None)
    infrastructure = spec.infrastructure.data_science_job
    content: dict[str, Any] = {
        "compartmentId": compartment_id,
        "projectId": project_id,
        "runtime": runtime,
        "sources": sources_digest,
        "env": [v.document() for v in spec.env if not v.read_at_launch],
        "args": list(spec.args),
        "maximumRuntimeInMinutes": spec.maximum_runtime_in_minutes,
        "outputs": spec.outputs.document() if spec.outputs else None,
        "log": [log.log_group_id, log.log_id] if log else None,
        "startupProbe": infrastructure.startup_probe and infrastructure.startup_probe.document(),
        "nodes": _nodes(spec),
    }
    present = {name: value for name, value in content.items() if value not in (None, [], {})}
    return f"{REVISION_VERSION}-{digest(present)[:12]}"


def adopted_name(ocid: str) -> str:
    """Return the name of the revision that an OCI job is which nobody but its maker knows the code of."""
    return f"adopted-{digest(ocid)[:12]}"


def _nodes(spec: OCIJobSpec) -> dict[str, Any] | None:
    """Return what a job of several nodes is made with: all of its infrastructure, which OCI can't change then."""
    if not node_groups(spec):
        return None
    whole = spec.infrastructure.data_science_job.document()
    return {
        name: value for name, value in whole.items() if name not in {"logging", "storageMounts"}
    }


def job_request(
    job: OCIJob,
    *,
    cluster_id: str,
    revision: str,
    compartment_id: str,
    project_id: str,
    region: str,
    log: LogConfiguration | None,
    storage_mounts: tuple[Mount, ...],
) -> JobRequest:
    """Return the request that creates the OCI job of a revision."""
    return JobRequest(
        compartment_id=compartment_id,
        project_id=project_id,
        settings=job_settings(
            job, cluster_id=cluster_id, revision=revision, storage_mounts=storage_mounts
        ),
        workload=job_workload(job.spec, region),
        log=log,
    )


def job_request_digest(request: JobRequest) -> str:
    """Return the digest of a creation. Nothing in it is secret."""
    return digest(
        {
            "compartmentId": request.compartment_id,
            "projectId": request.project_id,
            "settings": settings_digest(request.settings),
            "workload": _document(request.workload),
            "log": [request.log.log_group_id, request.log.log_id] if request.log else None,
        }
    )
