"""What an OCI job is made of, from the spec: its configuration, its settings, and the revision that they are.

A *revision* is a versioned hash of everything that OCI can't change in a job. It is taken over the spec as the user
wrote it and over the sources' digest, not over what is sent: an operator with other drivers, or one that sends
something more, finds the same revision and makes no job anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from ocijobs.api.job.spec import OCIJob, OCIJobSpec
from ocijobs.api.job.status import Artifact
from ocijobs.api.shared.model import Model
from ocijobs.api.shared.names import TAG_NAME, TAG_OWNER
from ocijobs.backends.data_flow.application import (
    application_settings,
    revision_content,
)
from ocijobs.backends.data_science.compute import compute, node_groups
from ocijobs.backends.data_science.machines import Mount
from ocijobs.backends.data_science.workload import job_workload, template_of
from ocijobs.backends.digest import digest, owner_tag
from ocijobs.backends.requests import (
    ApplicationRequest,
    ApplicationSettings,
    JobChange,
    JobCreation,
    JobRequest,
    JobSettings,
    LogConfiguration,
    Tags,
)

REVISION_VERSION = "v1"
"""Version of what a revision is taken over. A new one makes every job anew: never change it without need."""


def _tags(job: OCIJob, *, cluster_id: str, revision: str) -> Tags:
    meta, spec = job.metadata, job.spec
    return Tags(
        freeform={
            **(spec.freeform_tags or {}),
            TAG_OWNER: owner_tag(cluster_id=cluster_id, uid=meta.uid, subject=revision),
            TAG_NAME: f"{meta.namespace}/{meta.name}",
        },
        defined=spec.defined_tags or {},
    )


def job_settings(job: OCIJob, tags: Tags, storage_mounts: tuple[Mount, ...]) -> JobSettings:
    """Return what Data Science changes in place."""
    meta, spec = job.metadata, job.spec
    return JobSettings(
        display_name=spec.display_name or f"{meta.namespace}/{meta.name}",
        description=spec.description,
        infrastructure=compute(spec),
        storage_mounts=storage_mounts,
        tags=tags,
    )


def settings_digest(settings: JobChange) -> str:
    """Return the digest by which a change of settings is noticed. Nothing in it is secret."""
    if isinstance(settings, ApplicationSettings):
        return digest(_document(settings))
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
    project_id: str | None,
    log: LogConfiguration | None,
    sources_digest: str,
) -> str:
    """Return the name of the revision that the spec and the sources make."""
    runtime = spec.runtime.document() if spec.runtime is not None else {}
    for variant in runtime.values():
        variant.pop("source", None)
    infrastructure = spec.infrastructure.data_science_job
    probe = infrastructure.startup_probe if infrastructure is not None else None
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
        "startupProbe": probe.document() if probe is not None else None,
        "nodes": _nodes(spec),
    }
    return _named(content)


def application_revision_name(
    spec: OCIJobSpec, *, compartment_id: str, bucket_uri: str | None, sources_digest: str
) -> str:
    """Return the name of the revision of a Spark job: all but this is changed in place."""
    content = {
        "compartmentId": compartment_id,
        "sources": sources_digest,
        **revision_content(spec, bucket_uri),
    }
    return _named(content)


def _named(content: Mapping[str, Any]) -> str:
    present = {name: value for name, value in content.items() if value not in (None, [], {})}
    return f"{REVISION_VERSION}-{digest(present)[:12]}"


def adopted_name(ocid: str) -> str:
    """Return the name of the revision that an OCI job is which nobody but its maker knows the code of."""
    return f"adopted-{digest(ocid)[:12]}"


def _nodes(spec: OCIJobSpec) -> dict[str, Any] | None:
    """Return what a job of several nodes is made with: all of its infrastructure, which OCI can't change then."""
    given = spec.infrastructure.data_science_job
    if given is None or not node_groups(spec):
        return None
    whole = given.document()
    return {
        name: value for name, value in whole.items() if name not in {"logging", "storageMounts"}
    }


def job_request(
    job: OCIJob,
    *,
    cluster_id: str,
    revision: str,
    compartment_id: str,
    project_id: str | None,
    region: str,
    log: LogConfiguration | None,
    storage_mounts: tuple[Mount, ...],
    artifact: Artifact | None,
    pool_id: str | None,
) -> JobCreation:
    """Return the request that creates the OCI job of a revision."""
    tags = _tags(job, cluster_id=cluster_id, revision=revision)
    given = job.spec.infrastructure.data_flow
    template = template_of(job.spec, region, artifact=artifact, pool_id=pool_id)
    if given is not None and template.application is not None:
        return ApplicationRequest(
            compartment_id=compartment_id,
            type=given.type,
            settings=application_settings(
                job, given, template, template.application, artifact=artifact, tags=tags
            ),
        )
    return JobRequest(
        compartment_id=compartment_id,
        project_id=project_id or "",
        settings=job_settings(job, tags, storage_mounts),
        workload=job_workload(job.spec, region),
        log=log,
    )


def job_request_digest(request: JobCreation) -> str:
    """Return the digest of a creation. Nothing in it is secret."""
    if not isinstance(request, JobRequest):
        return digest(_document(request))
    return digest(
        {
            "compartmentId": request.compartment_id,
            "projectId": request.project_id,
            "settings": settings_digest(request.settings),
            "workload": _document(request.workload),
            "log": [request.log.log_group_id, request.log.log_id] if request.log else None,
        }
    )
