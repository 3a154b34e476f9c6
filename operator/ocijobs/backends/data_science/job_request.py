"""The request of a job on Data Science, and what makes another revision of it."""

from __future__ import annotations

from collections.abc import Mapping

from ocijobs.api.job.spec import OCIJobSpec
from ocijobs.backends.data_science.compute import compute, mounts, node_groups
from ocijobs.backends.data_science.names import file_systems, log_of
from ocijobs.backends.data_science.requests import JobRequest, JobSettings
from ocijobs.backends.data_science.workload import job_workload
from ocijobs.backends.digest import as_document, digest
from ocijobs.backends.inputs import JobInput
from ocijobs.backends.requests import Tags


def job_request(made: JobInput, tags: Tags) -> JobRequest:
    """Return CreateJobDetails."""
    spec = made.job.spec
    return JobRequest(
        compartment_id=made.compartment_id,
        project_id=made.project_id or "",
        settings=JobSettings(
            display_name=made.display_name,
            description=spec.description,
            infrastructure=compute(spec),
            storage_mounts=mounts(spec, file_systems(spec, made.names)),
            tags=tags,
        ),
        workload=job_workload(spec, made.region),
        log=log_of(spec, made.defaults, made.names),
    )


def revision_content(made: JobInput) -> Mapping[str, object]:
    """Return what makes another revision, beside compartment and code: the API changes nothing of it in a job."""
    spec = made.job.spec
    runtime = spec.runtime.document() if spec.runtime is not None else {}
    for variant in runtime.values():
        variant.pop("source", None)
    given = spec.infrastructure.data_science_job
    probe = given.startup_probe if given is not None else None
    log = log_of(spec, made.defaults, made.names)
    return {
        "projectId": made.project_id,
        "runtime": runtime,
        "env": [v.document() for v in spec.env if not v.read_at_launch],
        "args": list(spec.args),
        "maximumRuntimeInMinutes": spec.maximum_runtime_in_minutes,
        "outputs": spec.outputs.document() if spec.outputs else None,
        "log": [log.log_group_id, log.log_id] if log else None,
        "startupProbe": probe.document() if probe is not None else None,
        "nodes": _nodes(spec),
    }


def _nodes(spec: OCIJobSpec) -> dict[str, object] | None:
    """Return what a job of several nodes is made with: all of its infrastructure, which OCI can't change then."""
    given = spec.infrastructure.data_science_job
    if given is None or not node_groups(spec):
        return None
    whole = given.document()
    return {
        name: value for name, value in whole.items() if name not in {"logging", "storageMounts"}
    }


def settings_content(settings: JobSettings) -> object:
    """Return what the digest of the settings is taken over."""
    return {
        "displayName": settings.display_name,
        "description": settings.description,
        "infrastructure": as_document(settings.infrastructure),
        "storageMounts": as_document(settings.storage_mounts),
        "freeformTags": settings.tags.freeform,
        "definedTags": settings.tags.defined,
    }


def job_content(request: JobRequest) -> object:
    """Return what the digest of a creation is taken over."""
    return {
        "compartmentId": request.compartment_id,
        "projectId": request.project_id,
        "settings": digest(settings_content(request.settings)),
        "workload": as_document(request.workload),
        "log": [request.log.log_group_id, request.log.log_id] if request.log else None,
    }
