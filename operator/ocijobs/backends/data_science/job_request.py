"""The request of a job on Data Science, and what makes another revision of it."""

from __future__ import annotations

from collections.abc import Mapping

from ocijobs.api.job.spec import OCIJobSpec
from ocijobs.backends.data_science.compute import compute, mounts, node_groups
from ocijobs.backends.data_science.machines import MACHINES
from ocijobs.backends.data_science.names import file_systems, log_of
from ocijobs.backends.data_science.requests import (
    JobConfiguration,
    JobRequest,
    JobSettings,
    LogConfiguration,
)
from ocijobs.backends.data_science.workload import job_workload
from ocijobs.backends.digest import as_document, digest
from ocijobs.backends.documents import encoded, plain
from ocijobs.backends.inputs import JobInput
from ocijobs.backends.manifest_fields import asked_for, value_at
from ocijobs.backends.oci_fields import attributes
from ocijobs.backends.requests import Tags


def job_request(made: JobInput, tags: Tags) -> JobRequest:
    """Return CreateJobDetails."""
    spec = made.job.spec
    return JobRequest(
        compartment_id=made.compartment_id,
        project_id=made.project_id or "",
        settings=asked_for(
            JobSettings,
            spec,
            display_name=made.display_name,
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
    given = spec.runtime.document() if spec.runtime is not None else {}
    runtime = {
        kind: {name: value for name, value in variant.items() if name != "source"}
        for kind, variant in given.items()
        if isinstance(variant, dict)
    }
    return {
        "projectId": made.project_id,
        "runtime": runtime,
        "env": [v.document() for v in spec.env if not v.read_at_launch],
        "args": list(spec.args),
        "maximumRuntimeInMinutes": spec.maximum_runtime_in_minutes,
        "outputs": spec.outputs.document() if spec.outputs else None,
        "log": _log_content(log_of(spec, made.defaults, made.names)),
        "nodes": _nodes(spec),
        **_started_on_machines(spec),
    }


def _log_content(log: LogConfiguration | None) -> list[object] | None:
    return [getattr(log, each.name) for each in attributes(type(log))] if log else None


def _started_on_machines(spec: OCIJobSpec) -> Mapping[str, object]:
    """Return the fields of the machines that are about what is started on them, such as the startup probe."""
    paths = (each.spec or "" for each in attributes(JobConfiguration))
    return {
        path.removeprefix(f"{MACHINES}."): plain(value_at(spec, path))
        for path in paths
        if path.startswith(f"{MACHINES}.")
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
        "description": settings.description,
        **encoded(settings),
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
        "log": _log_content(request.log),
    }
